-- +goose Up
CREATE TRIGGER accesses_never_change BEFORE UPDATE OR DELETE ON accesses FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER accesses_never_emptied BEFORE TRUNCATE ON accesses FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
