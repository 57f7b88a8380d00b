-- +goose Up
ALTER TABLE staff RENAME TO staff_of_two_roles;
CREATE TABLE staff (
	id            TEXT PRIMARY KEY,
	email         TEXT NOT NULL UNIQUE,
	name          TEXT NOT NULL,
	role          TEXT NOT NULL CHECK (role IN ('owner', 'manager', 'staff', 'accountant', 'viewer')),
	password_hash TEXT NOT NULL,
	created_at    BIGINT NOT NULL,
	disabled_at   BIGINT NOT NULL
);
INSERT INTO staff SELECT id, email, name, role, password_hash, created_at, disabled_at FROM staff_of_two_roles;
DROP TABLE staff_of_two_roles;
