-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER events_never_change BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER events_never_go BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER messages_stay_as_they_came BEFORE UPDATE OF id, channel, at, peer, secret_ok, content_type, headers, raw, raw_len, sha256, dedupe ON messages
BEGIN SELECT RAISE(ABORT, 'messages stay as they came'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER messages_never_go BEFORE DELETE ON messages BEGIN SELECT RAISE(ABORT, 'messages stay as they came'); END;
-- +goose StatementEnd
CREATE VIRTUAL TABLE payment_search USING fts5 (body, tokenize = 'ascii', detail = 'none', columnsize = 0);
