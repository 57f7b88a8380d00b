-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER imports_stay_as_read BEFORE UPDATE OF id, at, by_staff, sha256, rows_read ON imports
BEGIN SELECT RAISE(ABORT, 'imports stay as they were read'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER imports_never_go BEFORE DELETE ON imports BEGIN SELECT RAISE(ABORT, 'imports stay as they were read'); END;
-- +goose StatementEnd
