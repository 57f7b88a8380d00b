-- +goose Up
CREATE INDEX payments_paid ON payments ((CASE WHEN approved_at > 0 THEN approved_at ELSE paid_at END), moid) WHERE paid_at > 0;
CREATE INDEX cancels_back ON cancels ((CASE WHEN gateway_at > 0 THEN gateway_at ELSE settled_at END)) WHERE state = 'done';
