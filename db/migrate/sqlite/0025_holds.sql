-- +goose Up
-- A hold is named by what happened, so the same TID, reason and Moid may have several: each deposit is money of its own.
CREATE TABLE holds_by_effect (
	id         TEXT PRIMARY KEY,
	reason     TEXT NOT NULL,
	order_no   TEXT NOT NULL,
	moid       TEXT NOT NULL,
	own        BIGINT NOT NULL CHECK (own IN (0, 1)),
	mid        TEXT NOT NULL,
	mode       TEXT NOT NULL,
	tid        TEXT NOT NULL,
	amount     BIGINT NOT NULL,
	message_id TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	closed_at  BIGINT NOT NULL,
	closed_by  TEXT NOT NULL,
	note       TEXT NOT NULL
);
INSERT INTO holds_by_effect SELECT id, reason, order_no, moid, own, mid, mode, tid, amount, message_id, created_at, closed_at, closed_by, note FROM holds;
DROP TABLE holds;
ALTER TABLE holds_by_effect RENAME TO holds;
CREATE INDEX holds_order ON holds (order_no);
CREATE INDEX holds_open ON holds (created_at) WHERE closed_at = 0;
CREATE INDEX holds_tid ON holds (mode, tid);
