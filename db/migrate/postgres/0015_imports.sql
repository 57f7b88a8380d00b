-- +goose Up
CREATE TRIGGER imports_stay_as_read BEFORE UPDATE OF id, at, by_staff, sha256, rows_read ON imports FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER imports_never_go BEFORE DELETE ON imports FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER imports_never_emptied BEFORE TRUNCATE ON imports FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
