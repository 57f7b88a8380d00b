-- +goose Up
CREATE TABLE deliveries (
	id       TEXT PRIMARY KEY,
	order_no TEXT NOT NULL REFERENCES orders (no),
	epoch    BIGINT NOT NULL CHECK (epoch > 0),
	seq      BIGINT NOT NULL CHECK (seq > 0),
	mode     TEXT NOT NULL CHECK (mode IN ('test', 'real')),
	news     TEXT NOT NULL,
	moid     TEXT NOT NULL,
	body     TEXT NOT NULL,
	at       BIGINT NOT NULL,
	state    TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'dropped')),
	tries    BIGINT NOT NULL CHECK (tries >= 0),
	tried_at BIGINT NOT NULL,
	status   BIGINT NOT NULL,
	fault    TEXT NOT NULL,
	UNIQUE (order_no, seq)
);
CREATE INDEX deliveries_at ON deliveries (mode, at);
CREATE INDEX deliveries_waiting ON deliveries (mode) WHERE state = 'waiting';
