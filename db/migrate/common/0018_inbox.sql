-- +goose Up
CREATE INDEX messages_at ON messages (at, id);
