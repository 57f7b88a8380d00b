-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER deliveries_stay_as_written BEFORE UPDATE OF id, order_no, epoch, seq, mode, news, moid, body, at ON deliveries
BEGIN SELECT RAISE(ABORT, 'deliveries stay as they were written'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_never_go BEFORE DELETE ON deliveries BEGIN SELECT RAISE(ABORT, 'deliveries stay as they were written'); END;
-- +goose StatementEnd
