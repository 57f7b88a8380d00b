-- +goose Up
-- What came on the secret path and is not believed, or not yet: how much of it there is is asked at each one that comes.
CREATE INDEX messages_unproved ON messages (at, raw_len) WHERE secret_ok = 1 AND level < 2;
