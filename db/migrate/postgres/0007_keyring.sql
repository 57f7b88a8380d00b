-- +goose Up
-- While and after the key ring is rotated its new key is named in the settings: a program that has the ring of before
-- must not seal anything with a key that is about to go.
-- +goose StatementBegin
CREATE FUNCTION refuse_replaced_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT 1 FROM settings WHERE name = 'keyring' AND value <> substr(NEW.sealed, 1, 8)) THEN
		RAISE EXCEPTION 'sealed with a key that was replaced';
	END IF;
	RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER data_keys_sealed_now BEFORE INSERT OR UPDATE OF sealed ON data_keys
	FOR EACH ROW WHEN (NEW.sealed <> '') EXECUTE FUNCTION refuse_replaced_key();
