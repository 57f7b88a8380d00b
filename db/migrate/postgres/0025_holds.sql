-- +goose Up
-- A hold is named by what happened, so the same TID, reason and Moid may have several: each deposit is money of its own.
ALTER TABLE holds DROP CONSTRAINT holds_mode_tid_reason_moid_key;
CREATE INDEX holds_tid ON holds (mode, tid);
