-- +goose Up
ALTER TABLE cancels ADD COLUMN gateway_at BIGINT NOT NULL DEFAULT 0;
