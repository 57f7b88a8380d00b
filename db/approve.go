package db

import (
	"context"

	"gage/app"
)

const requestColumns = "id, order_no, moid, amount, whole, reason, refund, by_staff, state, created_at, expires_at, decided_at, decided_by, note, to_account"

var selectRequest = "SELECT " + requestColumns + ", " + keyOf(requestKey) + " FROM cancel_requests "

func (d queries) scanRequest(s scanner) (q app.CancelRequest, err error) {
	var refund, key string
	var own bool
	err = s.Scan(&q.ID, &q.OrderNo, &q.Moid, &q.Amount, truth{&q.Whole}, &q.Reason, &refund, &q.By, &q.State,
		micros{&q.CreatedAt}, micros{&q.ExpiresAt}, micros{&q.DecidedAt}, &q.DecidedBy, &q.Note, truth{&own}, &key)
	if err != nil {
		return q, err
	}
	to, err := d.openRefund("cancel_requests", q.ID, q.OrderNo, own, refund, key)
	q.RefundBank, q.RefundAcct, q.RefundName = to.Bank, to.Account, to.Holder
	return q, err
}

func (d queries) CancelRequest(ctx context.Context, id string) (app.CancelRequest, error) {
	return one(ctx, d, d.scanRequest, selectRequest+"WHERE id = $1", id)
}

func (d queries) CancelRequests(ctx context.Context, no app.OrderNo) ([]app.CancelRequest, error) {
	return many(ctx, d, d.scanRequest, selectRequest+"WHERE order_no = $1 ORDER BY created_at, id", no)
}

func (t *transaction) CreateCancelRequest(ctx context.Context, q app.CancelRequest) error {
	refund, err := t.sealRefund(ctx, "cancel_requests", q.ID, q.OrderNo, refundPrivate{q.RefundBank, q.RefundAcct, q.RefundName})
	if err != nil {
		return err
	}
	t.touch("cancel_requests", q.ID)
	n, err := t.exec(ctx, "INSERT INTO cancel_requests ("+requestColumns+") VALUES ("+dollars(15)+") ON CONFLICT DO NOTHING",
		q.ID, q.OrderNo, q.Moid, q.Amount, bit(q.Whole), q.Reason, refund, q.By, q.State, us(q.CreatedAt), us(q.ExpiresAt), us(q.DecidedAt), q.DecidedBy, q.Note, bit(refund != ""))
	if err == nil && n == 0 {
		err = app.ErrWaits
	}
	return err
}

// SaveCancelRequest decides a request that waits; ErrNotFound when somebody did so before.
func (t *transaction) SaveCancelRequest(ctx context.Context, q app.CancelRequest) error {
	t.touch("cancel_requests", q.ID)
	return changed(t.exec(ctx, "UPDATE cancel_requests SET state = $2, decided_at = $3, decided_by = $4, note = $5 WHERE id = $1 AND state = 'waiting'",
		q.ID, q.State, us(q.DecidedAt), q.DecidedBy, q.Note))
}
