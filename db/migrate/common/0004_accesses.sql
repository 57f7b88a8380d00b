-- +goose Up
CREATE TABLE accesses (
	id       TEXT PRIMARY KEY,
	at       BIGINT NOT NULL,
	kind     TEXT NOT NULL,
	staff_id TEXT NOT NULL,
	peer     TEXT NOT NULL,
	order_no TEXT NOT NULL,
	subject  TEXT NOT NULL,
	reason   TEXT NOT NULL,
	private  TEXT NOT NULL
);
CREATE INDEX accesses_at ON accesses (at, id);
CREATE INDEX accesses_staff ON accesses (staff_id, at, id);
CREATE INDEX accesses_order ON accesses (order_no, at, id) WHERE order_no <> '';
