-- +goose Up
-- While and after the key ring is rotated its new key is named in the settings: a program that has the ring of before
-- must not seal anything with a key that is about to go.
-- +goose StatementBegin
CREATE TRIGGER data_keys_sealed_now BEFORE INSERT ON data_keys
WHEN NEW.sealed <> '' AND EXISTS (SELECT 1 FROM settings WHERE name = 'keyring' AND value <> substr(NEW.sealed, 1, 8))
BEGIN SELECT RAISE(ABORT, 'sealed with a key that was replaced'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER data_keys_sealed_anew BEFORE UPDATE OF sealed ON data_keys
WHEN NEW.sealed <> '' AND EXISTS (SELECT 1 FROM settings WHERE name = 'keyring' AND value <> substr(NEW.sealed, 1, 8))
BEGIN SELECT RAISE(ABORT, 'sealed with a key that was replaced'); END;
-- +goose StatementEnd
