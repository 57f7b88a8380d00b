-- +goose Up
-- What the gateway's way brought and fits nothing: its number is asked at each page of the back office. The verdicts are
-- those of misfit in db/messages.go.
CREATE INDEX messages_misfit ON messages (at) WHERE secret_ok = 1 AND (verdict IN ('unsigned', 'unreadable', 'wrong_mid', 'wrong_amount', 'other_tid', 'secret_leaked') OR verdict = 'unknown_order' AND kind NOT IN ('approved', 'deposited') OR verdict = 'review' AND kind = 'vbank_issued');
