-- +goose Up
CREATE TABLE counters (
	name TEXT PRIMARY KEY,
	n    BIGINT NOT NULL
);
INSERT INTO counters (name, n) VALUES ('event', 0), ('payment', 0), ('ring', 0);

CREATE TABLE data_keys (
	id     TEXT PRIMARY KEY,
	sealed TEXT NOT NULL
);

CREATE TABLE orders (
	no          TEXT PRIMARY KEY,
	token       TEXT NOT NULL UNIQUE,
	mid         TEXT NOT NULL,
	mode        TEXT NOT NULL CHECK (mode IN ('test', 'real')),
	goods       TEXT NOT NULL,
	goods_cnt   BIGINT NOT NULL CHECK (goods_cnt BETWEEN 1 AND 99),
	amount      BIGINT NOT NULL CHECK (amount BETWEEN 1 AND 999999999999),
	tax_free    BIGINT NOT NULL CHECK (tax_free >= 0),
	vat         BIGINT NOT NULL CHECK (vat >= 0),
	service     BIGINT NOT NULL CHECK (service >= 0),
	private     TEXT NOT NULL,
	methods     TEXT NOT NULL,
	due_at      BIGINT NOT NULL,
	created_at  BIGINT NOT NULL,
	created_by  TEXT NOT NULL,
	closed_at   BIGINT NOT NULL,
	state       TEXT NOT NULL CHECK (state IN ('open', 'confirming', 'waiting', 'paid', 'partly_cancelled', 'cancelled', 'held', 'closed')),
	attempts    BIGINT NOT NULL CHECK (attempts >= 0),
	version     BIGINT NOT NULL DEFAULT 0,
	CHECK (tax_free + vat + service <= amount)
);
CREATE INDEX orders_created ON orders (created_at, no);

CREATE TABLE payments (
	id           BIGINT PRIMARY KEY,
	moid         TEXT NOT NULL UNIQUE,
	order_no     TEXT NOT NULL REFERENCES orders (no),
	mid          TEXT NOT NULL,
	mode         TEXT NOT NULL CHECK (mode IN ('test', 'real')),
	device       TEXT NOT NULL,
	method       TEXT NOT NULL,
	edi_date     BIGINT NOT NULL,
	amount       BIGINT NOT NULL CHECK (amount > 0),
	goods_name   TEXT NOT NULL,
	return_token TEXT NOT NULL UNIQUE,
	state        TEXT NOT NULL CHECK (state IN ('new', 'opened', 'claimed', 'waiting_deposit', 'paid', 'partly_cancelled', 'cancelled', 'hold', 'expired')),
	hold_reason  TEXT NOT NULL,
	late         BIGINT NOT NULL CHECK (late IN (0, 1)),
	proof        TEXT NOT NULL CHECK (proof IN ('none', 'notification', 'inquiry', 'staff')),
	tid          TEXT NOT NULL,
	approved     BIGINT NOT NULL CHECK (approved >= 0),
	reserved     BIGINT NOT NULL CHECK (reserved >= 0),
	cancelled    BIGINT NOT NULL CHECK (cancelled >= 0),
	auth_code    TEXT NOT NULL,
	card_code    TEXT NOT NULL,
	card_name    TEXT NOT NULL,
	card_quota   TEXT NOT NULL,
	vbank_name   TEXT NOT NULL,
	account      BIGINT NOT NULL CHECK (account IN (0, 1)),
	private      TEXT NOT NULL,
	vbank_due    BIGINT NOT NULL,
	approved_at  BIGINT NOT NULL,
	hint_code    TEXT NOT NULL,
	hint_msg     TEXT NOT NULL,
	stopped      BIGINT NOT NULL CHECK (stopped IN (0, 1)),
	opened_at    BIGINT NOT NULL,
	claimed_at   BIGINT NOT NULL,
	paid_at      BIGINT NOT NULL,
	updated_at   BIGINT NOT NULL,
	seq          BIGINT NOT NULL,
	CHECK (reserved + cancelled <= approved),
	CHECK (proof <> 'none' OR state NOT IN ('paid', 'partly_cancelled'))
);
CREATE UNIQUE INDEX payments_tid ON payments (mode, tid) WHERE tid <> '';
CREATE UNIQUE INDEX payments_one_paid ON payments (order_no) WHERE state IN ('paid', 'partly_cancelled');
CREATE INDEX payments_order ON payments (order_no);
CREATE INDEX payments_opened ON payments (opened_at, moid);
CREATE INDEX payments_amount ON payments (amount);
CREATE INDEX payments_auth_code ON payments (auth_code) WHERE auth_code <> '';
CREATE INDEX payments_claimed ON payments (claimed_at) WHERE state = 'claimed';

CREATE TABLE events (
	seq          BIGINT PRIMARY KEY,
	at           BIGINT NOT NULL,
	kind         TEXT NOT NULL,
	level        BIGINT NOT NULL CHECK (level BETWEEN 0 AND 4),
	order_no     TEXT NOT NULL,
	moid         TEXT NOT NULL,
	mode         TEXT NOT NULL,
	mid          TEXT NOT NULL,
	tid          TEXT NOT NULL,
	amount       BIGINT NOT NULL,
	code         TEXT NOT NULL,
	from_state   TEXT NOT NULL,
	to_state     TEXT NOT NULL,
	hold_reason  TEXT NOT NULL,
	proof        TEXT NOT NULL,
	message_id   TEXT NOT NULL,
	cancel_id    TEXT NOT NULL,
	actor        TEXT NOT NULL,
	effect_key   TEXT NOT NULL,
	record       TEXT NOT NULL,
	digest       TEXT NOT NULL,
	private      TEXT NOT NULL,
	prev_hash    TEXT NOT NULL,
	hash         TEXT NOT NULL UNIQUE
);
CREATE UNIQUE INDEX events_effect ON events (effect_key) WHERE effect_key <> '';
CREATE INDEX events_order ON events (order_no, seq) WHERE order_no <> '';
CREATE INDEX events_shop ON events (seq) WHERE order_no = '' AND record = '';
CREATE INDEX events_record ON events (record, seq) WHERE record <> '';

CREATE TABLE messages (
	id           TEXT PRIMARY KEY,
	channel      TEXT NOT NULL,
	at           BIGINT NOT NULL,
	peer         TEXT NOT NULL,
	secret_ok    BIGINT NOT NULL CHECK (secret_ok IN (0, 1)),
	content_type TEXT NOT NULL,
	headers      TEXT NOT NULL,
	raw          TEXT NOT NULL,
	raw_len      BIGINT NOT NULL,
	sha256       TEXT NOT NULL,
	dedupe       TEXT NOT NULL UNIQUE,
	copies       BIGINT NOT NULL,
	mid          TEXT NOT NULL,
	moid         TEXT NOT NULL,
	tid          TEXT NOT NULL,
	code         TEXT NOT NULL,
	amount       BIGINT NOT NULL,
	kind         TEXT NOT NULL,
	level        BIGINT NOT NULL,
	verdict      TEXT NOT NULL,
	order_no     TEXT NOT NULL,
	about        TEXT NOT NULL
);
CREATE INDEX messages_order ON messages (order_no) WHERE order_no <> '';
CREATE INDEX messages_tid ON messages (tid) WHERE tid <> '';
CREATE INDEX messages_peer ON messages (peer, verdict);
CREATE INDEX messages_unjudged ON messages (at) WHERE verdict = 'unjudged';

CREATE TABLE stranger_ring (
	slot         BIGINT PRIMARY KEY,
	id           TEXT NOT NULL UNIQUE,
	channel      TEXT NOT NULL,
	at           BIGINT NOT NULL,
	peer         TEXT NOT NULL,
	secret_ok    BIGINT NOT NULL,
	content_type TEXT NOT NULL,
	headers      TEXT NOT NULL,
	raw          TEXT NOT NULL,
	raw_len      BIGINT NOT NULL,
	sha256       TEXT NOT NULL,
	dedupe       TEXT NOT NULL,
	copies       BIGINT NOT NULL,
	mid          TEXT NOT NULL,
	moid         TEXT NOT NULL,
	tid          TEXT NOT NULL,
	code         TEXT NOT NULL,
	amount       BIGINT NOT NULL,
	kind         TEXT NOT NULL,
	level        BIGINT NOT NULL,
	verdict      TEXT NOT NULL,
	order_no     TEXT NOT NULL,
	about        TEXT NOT NULL
);
CREATE INDEX stranger_ring_order ON stranger_ring (order_no) WHERE order_no <> '';

CREATE TABLE holds (
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
	note       TEXT NOT NULL,
	UNIQUE (mode, tid, reason, moid)
);
CREATE INDEX holds_order ON holds (order_no);
CREATE INDEX holds_open ON holds (created_at) WHERE closed_at = 0;

CREATE TABLE cancels (
	id          TEXT PRIMARY KEY,
	order_no    TEXT NOT NULL REFERENCES orders (no),
	moid        TEXT NOT NULL REFERENCES payments (moid),
	tid         TEXT NOT NULL,
	amount      BIGINT NOT NULL CHECK (amount > 0),
	whole       BIGINT NOT NULL CHECK (whole IN (0, 1)),
	reason      TEXT NOT NULL,
	by_staff    TEXT NOT NULL,
	external    BIGINT NOT NULL CHECK (external IN (0, 1)),
	state       TEXT NOT NULL CHECK (state IN ('requested', 'sent', 'done', 'accepted', 'refused', 'unknown')),
	refund      TEXT NOT NULL,
	result_code TEXT NOT NULL,
	result_msg  TEXT NOT NULL,
	cancel_num  TEXT NOT NULL,
	ptid        TEXT NOT NULL,
	noticed     BIGINT NOT NULL CHECK (noticed IN (0, 1)),
	sends       BIGINT NOT NULL,
	created_at  BIGINT NOT NULL,
	sent_at     BIGINT NOT NULL,
	settled_at  BIGINT NOT NULL,
	settled_by  TEXT NOT NULL
);
CREATE UNIQUE INDEX cancels_one_open ON cancels (moid) WHERE state IN ('requested', 'sent', 'accepted', 'unknown');
CREATE INDEX cancels_order ON cancels (order_no);
CREATE INDEX cancels_unknown ON cancels (created_at) WHERE state = 'unknown';

CREATE TABLE jobs (
	id          TEXT PRIMARY KEY,
	kind        TEXT NOT NULL,
	ref         TEXT NOT NULL,
	due_at      BIGINT NOT NULL,
	lease_until BIGINT NOT NULL,
	attempts    BIGINT NOT NULL,
	last_error  TEXT NOT NULL,
	created_at  BIGINT NOT NULL,
	UNIQUE (kind, ref)
);
CREATE INDEX jobs_due ON jobs (due_at);

CREATE TABLE staff (
	id            TEXT PRIMARY KEY,
	email         TEXT NOT NULL UNIQUE,
	name          TEXT NOT NULL,
	role          TEXT NOT NULL CHECK (role IN ('owner', 'staff')),
	password_hash TEXT NOT NULL,
	created_at    BIGINT NOT NULL,
	disabled_at   BIGINT NOT NULL
);

CREATE TABLE invites (
	hash       TEXT PRIMARY KEY,
	email      TEXT NOT NULL,
	role       TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at    BIGINT NOT NULL
);

CREATE TABLE sessions (
	hash       TEXT PRIMARY KEY,
	staff_id   TEXT NOT NULL,
	data       TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	seen_at    BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_staff ON sessions (staff_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE senders (
	addr       TEXT PRIMARY KEY,
	state      TEXT NOT NULL CHECK (state IN ('asked', 'approved', 'refused')),
	first_at   BIGINT NOT NULL,
	last_at    BIGINT NOT NULL,
	count      BIGINT NOT NULL,
	decided_by TEXT NOT NULL,
	decided_at BIGINT NOT NULL
);

CREATE TABLE settings (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
);

CREATE TABLE attempts (
	name  TEXT PRIMARY KEY,
	since BIGINT NOT NULL,
	n     BIGINT NOT NULL
);
