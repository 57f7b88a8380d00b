package db

import (
	"context"
	"encoding/json"
	"errors"

	"gage/app"
)

const eventColumns = "seq, at, kind, level, order_no, moid, mode, mid, tid, amount, code, note, from_state, to_state, hold_reason, proof, message_id, cancel_id, actor, effect_key, detail"

func scanEvent(s scanner) (e app.Event, err error) {
	var detail string
	err = s.Scan(&e.Seq, micros{&e.At}, &e.Kind, &e.Level, &e.OrderNo, &e.Moid, &e.Mode, &e.MID, &e.TID, &e.Amount, &e.Code, &e.Text,
		&e.From, &e.To, &e.Hold, &e.Proof, &e.MessageID, &e.CancelID, &e.Actor, &e.EffectKey, &detail)
	if err != nil {
		return e, err
	}
	return e, json.Unmarshal([]byte(detail), &e.Detail)
}

func (d queries) Events(ctx context.Context, no app.OrderNo) ([]app.Event, error) {
	return many(ctx, d, scanEvent, "SELECT "+eventColumns+" FROM events WHERE order_no = $1 ORDER BY seq", no)
}

func (t *transaction) HasEffect(ctx context.Context, key string) (bool, error) {
	n, err := one(ctx, t.queries, scanInt, "SELECT COUNT(*) FROM events WHERE effect_key = $1 AND effect_key <> ''", key)
	return n > 0, err
}

func (t *transaction) AppendEvent(ctx context.Context, e app.Event) (int64, error) {
	detail, err := json.Marshal(e.Detail)
	if err != nil {
		return 0, err
	}
	seq, err := t.count(ctx, "event")
	if err != nil {
		return 0, err
	}
	err = inserted(t.exec(ctx, "INSERT INTO events ("+eventColumns+") VALUES ("+dollars(21)+") ON CONFLICT DO NOTHING",
		seq, us(e.At), e.Kind, int64(e.Level), e.OrderNo, e.Moid, e.Mode, e.MID, e.TID, e.Amount, e.Code, e.Text, e.From, e.To, e.Hold, e.Proof,
		e.MessageID, e.CancelID, e.Actor, e.EffectKey, string(detail)))
	if errors.Is(err, app.ErrConflict) { // the caller may go on: give the number back, the log has no gaps
		_, back := t.exec(ctx, "UPDATE counters SET n = n - 1 WHERE name = 'event'")
		return 0, errors.Join(err, back)
	}
	return seq, err
}
