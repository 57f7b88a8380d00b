-- +goose Up
-- Which of the contract's merchant keys signed the form, and which the message: 0 is not known, or none.
ALTER TABLE payments ADD COLUMN key_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN key_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE stranger_ring ADD COLUMN key_version BIGINT NOT NULL DEFAULT 0;
CREATE INDEX stranger_ring_quarantine ON stranger_ring (at) WHERE verdict IN ('bad_signature', 'old_key');
-- When the gateway's own notifications came last.
CREATE INDEX messages_notices ON messages (mid, at) WHERE channel = 'notify' AND level >= 2;
