-- +goose Up
CREATE INDEX payments_paid ON payments ((CASE WHEN approved_at > 0 THEN approved_at ELSE paid_at END), moid) WHERE paid_at > 0;
CREATE INDEX cancels_back ON cancels ((CASE WHEN gateway_at > 0 THEN gateway_at ELSE settled_at END)) WHERE state = 'done';
CREATE TABLE imports (
	id         TEXT PRIMARY KEY,
	at         BIGINT NOT NULL,
	by_staff   TEXT NOT NULL,
	mode       TEXT NOT NULL,
	mid        TEXT NOT NULL,
	sha256     TEXT NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('columns', 'read', 'applying', 'applied')),
	reason     TEXT NOT NULL,
	applied_at BIGINT NOT NULL,
	applied_by TEXT NOT NULL,
	rows_read  TEXT NOT NULL,
	columns    TEXT NOT NULL,
	result     TEXT NOT NULL
);
CREATE INDEX imports_at ON imports (at, id);
