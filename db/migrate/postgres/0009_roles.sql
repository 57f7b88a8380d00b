-- +goose Up
ALTER TABLE staff DROP CONSTRAINT staff_role_check,
	ADD CONSTRAINT staff_role_check CHECK (role IN ('owner', 'manager', 'staff', 'accountant', 'viewer'));
