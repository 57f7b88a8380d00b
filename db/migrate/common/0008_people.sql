-- +goose Up
CREATE TABLE second_factors (
	staff_id   TEXT PRIMARY KEY,
	private    TEXT NOT NULL,
	last_step  BIGINT NOT NULL,
	created_at BIGINT NOT NULL
);

CREATE TABLE cancel_requests (
	id         TEXT PRIMARY KEY,
	order_no   TEXT NOT NULL REFERENCES orders (no),
	moid       TEXT NOT NULL REFERENCES payments (moid),
	amount     BIGINT NOT NULL CHECK (amount > 0),
	whole      BIGINT NOT NULL CHECK (whole IN (0, 1)),
	reason     TEXT NOT NULL,
	refund     TEXT NOT NULL,
	by_staff   TEXT NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'declined', 'withdrawn', 'lapsed')),
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	decided_at BIGINT NOT NULL,
	decided_by TEXT NOT NULL,
	note       TEXT NOT NULL,
	CHECK (state <> 'approved' OR decided_by <> '' AND decided_by <> by_staff)
);
CREATE UNIQUE INDEX cancel_requests_one_waiting ON cancel_requests (moid) WHERE state = 'waiting';
CREATE INDEX cancel_requests_order ON cancel_requests (order_no);
CREATE INDEX cancel_requests_waiting ON cancel_requests (created_at) WHERE state = 'waiting';
