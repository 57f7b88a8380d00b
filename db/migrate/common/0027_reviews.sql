-- +goose Up
-- Whether somebody looked through a month's record is asked at each look at the work list.
CREATE INDEX accesses_review ON accesses (subject) WHERE kind = 'reviewed_accesses';
