-- +goose Up
-- 1: a refund to a buyer's account, which is sealed with a key of its own and not with the order's.
ALTER TABLE cancels ADD COLUMN to_account BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cancel_requests ADD COLUMN to_account BIGINT NOT NULL DEFAULT 0;
