-- +goose Up
CREATE INDEX payments_vbank_due ON payments (vbank_due, moid) WHERE state = 'waiting_deposit';
CREATE INDEX payments_vbank ON payments (opened_at, moid) WHERE method = 'VBANK';
