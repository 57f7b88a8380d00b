package db

import (
	"context"

	"gage/app"
)

const chargeColumns = "id, subscription, card_id, period, try, order_no, moid, amount, state, result_code, result_msg, hand, by_staff, due_at, created_at, sent_at, settled_at, settled_by, retry_at"

const selectCharge = "SELECT " + chargeColumns + " FROM charges "

func scanCharge(s scanner) (c app.Charge, err error) {
	return c, s.Scan(&c.ID, &c.Subscription, &c.CardID, &c.Period, &c.Try, &c.OrderNo, &c.Moid, &c.Amount, &c.State, &c.ResultCode, &c.ResultMsg,
		truth{&c.Hand}, &c.By, micros{&c.DueAt}, micros{&c.CreatedAt}, micros{&c.SentAt}, micros{&c.SettledAt}, &c.SettledBy, micros{&c.RetryAt})
}

func (d queries) Charge(ctx context.Context, id string) (app.Charge, error) {
	return one(ctx, d, scanCharge, selectCharge+"WHERE id = $1", id)
}

func (d queries) ChargeByMoid(ctx context.Context, moid app.Moid) (app.Charge, error) {
	return one(ctx, d, scanCharge, selectCharge+"WHERE moid = $1 AND moid <> ''", moid)
}

func (d queries) ChargesOf(ctx context.Context, no app.SubscriptionNo) ([]app.Charge, error) {
	return many(ctx, d, scanCharge, selectCharge+"WHERE subscription = $1 ORDER BY created_at DESC, try DESC, id DESC", no)
}

func (t *transaction) CreateCharge(ctx context.Context, c app.Charge) error {
	t.touch("charges", c.ID)
	n, err := t.exec(ctx, "INSERT INTO charges ("+chargeColumns+") VALUES ("+dollars(19)+") ON CONFLICT DO NOTHING",
		c.ID, c.Subscription, c.CardID, c.Period, c.Try, c.OrderNo, c.Moid, c.Amount, c.State, c.ResultCode, c.ResultMsg, bit(c.Hand), c.By,
		us(c.DueAt), us(c.CreatedAt), us(c.SentAt), us(c.SettledAt), c.SettledBy, us(c.RetryAt))
	if err != nil || n == 1 {
		return err
	}
	open, err := one(ctx, t.queries, scanInt,
		"SELECT COUNT(*) FROM charges WHERE subscription = $1 AND state IN ('requested', 'sent', 'unknown') AND period <> $2", c.Subscription, c.Period)
	switch {
	case err != nil:
		return err
	case open > 0:
		return app.ErrBusy
	}
	return app.ErrConflict
}

func (t *transaction) SaveCharge(ctx context.Context, c app.Charge) error {
	t.touch("charges", c.ID)
	return changed(t.exec(ctx, "UPDATE charges SET state = $2, result_code = $3, result_msg = $4, hand = $5, sent_at = $6, settled_at = $7, settled_by = $8, retry_at = $9 WHERE id = $1",
		c.ID, c.State, c.ResultCode, c.ResultMsg, bit(c.Hand), us(c.SentAt), us(c.SettledAt), c.SettledBy, us(c.RetryAt)))
}
