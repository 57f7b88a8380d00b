-- +goose Up
ALTER TABLE orders ADD COLUMN subscription TEXT NOT NULL DEFAULT '';

CREATE TABLE subscriptions (
	no         TEXT PRIMARY KEY,
	token      TEXT NOT NULL UNIQUE,
	mid        TEXT NOT NULL,
	mode       TEXT NOT NULL CHECK (mode IN ('test', 'real')),
	private    TEXT NOT NULL,
	goods      TEXT NOT NULL,
	amount     BIGINT NOT NULL CHECK (amount BETWEEN 1 AND 999999999999),
	tax_free   BIGINT NOT NULL CHECK (tax_free BETWEEN 0 AND amount),
	day        BIGINT NOT NULL CHECK (day BETWEEN 0 AND 28 OR day = 31),
	start_at   BIGINT NOT NULL,
	end_at     BIGINT NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('no_card', 'active', 'paused', 'stopped')),
	key_id     TEXT NOT NULL,
	next_at    BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	created_by TEXT NOT NULL,
	stopped_at BIGINT NOT NULL,
	stopped_by TEXT NOT NULL,
	version    BIGINT NOT NULL DEFAULT 0,
	CHECK (state <> 'active' OR key_id <> ''),
	CHECK (next_at = 0 OR state = 'active')
);
CREATE INDEX subscriptions_created ON subscriptions (created_at, no);

CREATE TABLE cards (
	id            TEXT PRIMARY KEY,
	subscription  TEXT NOT NULL REFERENCES subscriptions (no),
	private       TEXT NOT NULL,
	fingerprint   TEXT NOT NULL UNIQUE,
	tid           TEXT NOT NULL,
	registered_at BIGINT NOT NULL,
	gone_at       BIGINT NOT NULL
);
CREATE UNIQUE INDEX cards_tid ON cards (tid);
CREATE INDEX cards_subscription ON cards (subscription);

CREATE TABLE card_windows (
	moid         TEXT PRIMARY KEY,
	subscription TEXT NOT NULL REFERENCES subscriptions (no),
	mid          TEXT NOT NULL,
	mode         TEXT NOT NULL CHECK (mode IN ('test', 'real')),
	return_token TEXT NOT NULL UNIQUE,
	state        TEXT NOT NULL CHECK (state IN ('opened', 'done', 'refused')),
	result_code  TEXT NOT NULL,
	result_msg   TEXT NOT NULL,
	opened_at    BIGINT NOT NULL,
	closed_at    BIGINT NOT NULL
);
CREATE INDEX card_windows_subscription ON card_windows (subscription, opened_at);

CREATE TABLE charges (
	id           TEXT PRIMARY KEY,
	subscription TEXT NOT NULL REFERENCES subscriptions (no),
	card_id      TEXT NOT NULL REFERENCES cards (id),
	period       TEXT NOT NULL,
	try          BIGINT NOT NULL CHECK (try > 0),
	order_no     TEXT NOT NULL,
	moid         TEXT NOT NULL,
	amount       BIGINT NOT NULL CHECK (amount > 0),
	state        TEXT NOT NULL CHECK (state IN ('requested', 'sent', 'paid', 'refused', 'unknown', 'withdrawn', 'skipped')),
	result_code  TEXT NOT NULL,
	result_msg   TEXT NOT NULL,
	hand         BIGINT NOT NULL CHECK (hand IN (0, 1)),
	by_staff     TEXT NOT NULL,
	due_at       BIGINT NOT NULL,
	created_at   BIGINT NOT NULL,
	sent_at      BIGINT NOT NULL,
	settled_at   BIGINT NOT NULL,
	settled_by   TEXT NOT NULL,
	retry_at     BIGINT NOT NULL,
	UNIQUE (subscription, period, try)
);
CREATE UNIQUE INDEX charges_one_a_period ON charges (subscription, period) WHERE state IN ('requested', 'sent', 'unknown', 'paid', 'skipped');
CREATE UNIQUE INDEX charges_one_open ON charges (subscription) WHERE state IN ('requested', 'sent', 'unknown');
CREATE UNIQUE INDEX charges_moid ON charges (moid) WHERE moid <> '';
CREATE INDEX charges_hand ON charges (created_at) WHERE hand = 1;
