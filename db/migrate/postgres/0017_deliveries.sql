-- +goose Up
CREATE TRIGGER deliveries_stay_as_written BEFORE UPDATE OF id, order_no, epoch, seq, mode, news, moid, body, at ON deliveries
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deliveries_never_go BEFORE DELETE ON deliveries FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deliveries_never_emptied BEFORE TRUNCATE ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
