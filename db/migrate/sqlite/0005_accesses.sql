-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER accesses_never_change BEFORE UPDATE ON accesses BEGIN SELECT RAISE(ABORT, 'accesses are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER accesses_never_go BEFORE DELETE ON accesses BEGIN SELECT RAISE(ABORT, 'accesses are append-only'); END;
-- +goose StatementEnd
