-- +goose Up
CREATE TABLE refund_asks (
	id           TEXT PRIMARY KEY,
	order_no     TEXT NOT NULL REFERENCES orders (no),
	moid         TEXT NOT NULL REFERENCES payments (moid),
	token_digest TEXT NOT NULL UNIQUE,
	private      TEXT NOT NULL,
	by_staff     TEXT NOT NULL,
	state        TEXT NOT NULL CHECK (state IN ('asked', 'entered', 'used', 'ended')),
	created_at   BIGINT NOT NULL,
	expires_at   BIGINT NOT NULL,
	entered_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX refund_asks_one_open ON refund_asks (moid) WHERE state IN ('asked', 'entered');
CREATE INDEX refund_asks_payment ON refund_asks (moid, created_at);
CREATE INDEX refund_asks_entered ON refund_asks (entered_at) WHERE state = 'entered';
