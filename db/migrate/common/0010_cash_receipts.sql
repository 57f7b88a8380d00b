-- +goose Up
CREATE TABLE cash_receipts (
	id             TEXT PRIMARY KEY,
	moid           TEXT NOT NULL,
	order_no       TEXT NOT NULL,
	payment        TEXT NOT NULL,
	mid            TEXT NOT NULL,
	mode           TEXT NOT NULL CHECK (mode IN ('test', 'real')),
	source         TEXT NOT NULL CHECK (source IN ('call', 'window', 'hand')),
	purpose        TEXT NOT NULL CHECK (purpose IN ('1', '2', '3')),
	amount         BIGINT NOT NULL CHECK (amount > 0),
	supply         BIGINT NOT NULL CHECK (supply >= 0),
	vat            BIGINT NOT NULL CHECK (vat >= 0),
	service        BIGINT NOT NULL CHECK (service >= 0),
	tax_free       BIGINT NOT NULL CHECK (tax_free >= 0),
	state          TEXT NOT NULL CHECK (state IN ('requested', 'sent', 'unknown', 'issued', 'refused', 'cancelling', 'cancel_unknown', 'cancelled')),
	second         BIGINT NOT NULL CHECK (second IN (0, 1)),
	amiss          TEXT NOT NULL CHECK (amiss IN ('', 'orphan', 'second')),
	again          BIGINT NOT NULL CHECK (again IN (0, 1)),
	tid            TEXT NOT NULL,
	number         TEXT NOT NULL,
	cancel_number  TEXT NOT NULL,
	private        TEXT NOT NULL,
	result_code    TEXT NOT NULL,
	result_msg     TEXT NOT NULL,
	by_staff       TEXT NOT NULL,
	cancel_by      TEXT NOT NULL,
	sends          BIGINT NOT NULL,
	cancel_sends   BIGINT NOT NULL,
	created_at     BIGINT NOT NULL,
	sent_at        BIGINT NOT NULL,
	issued_at      BIGINT NOT NULL,
	cancel_sent_at BIGINT NOT NULL,
	cancelled_at   BIGINT NOT NULL,
	settled_by     TEXT NOT NULL,
	version        BIGINT NOT NULL DEFAULT 0,
	CHECK (supply + vat + service = amount)
);
CREATE UNIQUE INDEX cash_receipts_one_live ON cash_receipts (payment) WHERE payment <> '' AND second = 0
	AND state IN ('requested', 'sent', 'unknown', 'issued', 'cancelling', 'cancel_unknown');
CREATE UNIQUE INDEX cash_receipts_moid ON cash_receipts (moid) WHERE moid <> '';
CREATE UNIQUE INDEX cash_receipts_tid ON cash_receipts (mode, tid) WHERE tid <> '';
CREATE INDEX cash_receipts_created ON cash_receipts (created_at, id);
CREATE INDEX cash_receipts_order ON cash_receipts (order_no) WHERE order_no <> '';
CREATE INDEX cash_receipts_unknown ON cash_receipts (created_at, id) WHERE state IN ('unknown', 'cancel_unknown');
CREATE INDEX cash_receipts_amiss ON cash_receipts (created_at, id) WHERE amiss <> '';

CREATE TABLE receipt_needs (
	moid     TEXT PRIMARY KEY REFERENCES payments (moid),
	order_no TEXT NOT NULL,
	since    BIGINT NOT NULL,
	amount   BIGINT NOT NULL CHECK (amount > 0)
);
CREATE INDEX receipt_needs_since ON receipt_needs (since, moid);
