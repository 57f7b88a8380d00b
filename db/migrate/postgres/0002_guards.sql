-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$;
-- +goose StatementEnd
CREATE TRIGGER events_never_change BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER events_never_emptied BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER messages_stay_as_they_came BEFORE UPDATE OF id, channel, at, peer, secret_ok, content_type, headers, raw, raw_len, sha256, dedupe ON messages
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER messages_never_go BEFORE DELETE ON messages FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TABLE payment_search (
	rowid BIGINT PRIMARY KEY,
	body  TEXT NOT NULL
);
CREATE INDEX payment_search_body ON payment_search USING GIN (to_tsvector('simple', body));
