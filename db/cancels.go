package db

import (
	"context"
	"time"

	"gage/app"
)

const cancelColumns = "id, order_no, moid, tid, amount, whole, reason, by_staff, external, state, refund, result_code, result_msg, cancel_num, ptid, noticed, sends, created_at, sent_at, settled_at, settled_by, gateway_at, to_account"

var selectCancel = "SELECT " + cancelColumns + ", " + keyOf(cancelKey) + " FROM cancels "

func (d queries) scanCancel(s scanner) (c app.Cancel, err error) {
	var refund, key string
	err = s.Scan(&c.ID, &c.OrderNo, &c.Moid, &c.TID, &c.Amount, truth{&c.Whole}, &c.Reason, &c.By, truth{&c.External}, &c.State,
		&refund, &c.ResultCode, &c.ResultMsg, &c.CancelNum, &c.PTID, truth{&c.Noticed}, &c.Sends,
		micros{&c.CreatedAt}, micros{&c.SentAt}, micros{&c.SettledAt}, &c.SettledBy, micros{&c.GatewayAt}, truth{&c.ToAccount}, &key)
	if err != nil {
		return c, err
	}
	to, err := d.openRefund("cancels", c.ID, c.OrderNo, c.ToAccount, refund, key)
	c.RefundBank, c.RefundAcct, c.RefundName = to.Bank, to.Account, to.Holder
	c.ToAccount = c.ToAccount || to.Account != ""
	return c, err
}

func (d queries) Cancel(ctx context.Context, id string) (app.Cancel, error) {
	return one(ctx, d, d.scanCancel, selectCancel+"WHERE id = $1", id)
}

func (d queries) Cancels(ctx context.Context, no app.OrderNo) ([]app.Cancel, error) {
	return many(ctx, d, d.scanCancel, selectCancel+"WHERE order_no = $1 ORDER BY created_at, id", no)
}

func (t *transaction) CreateCancel(ctx context.Context, c app.Cancel) error {
	refund, err := t.sealRefund(ctx, "cancels", c.ID, c.OrderNo, refundPrivate{c.RefundBank, c.RefundAcct, c.RefundName})
	if err != nil {
		return err
	}
	t.touch("cancels", c.ID)
	n, err := t.exec(ctx, "INSERT INTO cancels ("+cancelColumns+") VALUES ("+dollars(23)+") ON CONFLICT DO NOTHING",
		c.ID, c.OrderNo, c.Moid, c.TID, c.Amount, bit(c.Whole), c.Reason, c.By, bit(c.External), c.State, refund,
		c.ResultCode, c.ResultMsg, c.CancelNum, c.PTID, bit(c.Noticed), c.Sends, us(c.CreatedAt), us(c.SentAt),
		us(c.SettledAt), c.SettledBy, us(c.GatewayAt), bit(refund != ""))
	if err != nil || n == 1 {
		return err
	}
	if _, err := t.Cancel(ctx, c.ID); err == nil {
		return app.ErrConflict
	}
	return app.ErrBusy
}

func (t *transaction) SaveCancel(ctx context.Context, c app.Cancel) error {
	t.touch("cancels", c.ID)
	return changed(t.exec(ctx, "UPDATE cancels SET state = $2, result_code = $3, result_msg = $4, cancel_num = $5, ptid = $6, noticed = $7, sends = $8, sent_at = $9, settled_at = $10, settled_by = $11, gateway_at = $12 WHERE id = $1",
		c.ID, c.State, c.ResultCode, c.ResultMsg, c.CancelNum, c.PTID, bit(c.Noticed), c.Sends, us(c.SentAt), us(c.SettledAt), c.SettledBy, us(c.GatewayAt)))
}

const holdColumns = "id, reason, order_no, moid, own, mid, mode, tid, amount, message_id, created_at, closed_at, closed_by, note"

func scanHold(s scanner) (h app.Hold, err error) {
	return h, s.Scan(&h.ID, &h.Reason, &h.OrderNo, &h.Moid, truth{&h.Own}, &h.MID, &h.Mode, &h.TID, &h.Amount, &h.MessageID,
		micros{&h.CreatedAt}, micros{&h.ClosedAt}, &h.ClosedBy, &h.Note)
}

const selectHold = "SELECT " + holdColumns + " FROM holds "

func (d queries) Hold(ctx context.Context, id string) (app.Hold, error) {
	return one(ctx, d, scanHold, selectHold+"WHERE id = $1", id)
}

func (d queries) HoldsOf(ctx context.Context, no app.OrderNo) ([]app.Hold, error) {
	return many(ctx, d, scanHold, selectHold+"WHERE order_no = $1 AND order_no <> '' ORDER BY created_at, id", no)
}

func (d queries) Holds(ctx context.Context, open bool, limit int) ([]app.Hold, error) {
	where := ""
	if open {
		where = "WHERE closed_at = 0 "
	}
	return many(ctx, d, scanHold, selectHold+where+"ORDER BY created_at DESC, id LIMIT $1", limit)
}

func (t *transaction) CreateHold(ctx context.Context, h app.Hold) error {
	t.made("holds", h.ID)
	return inserted(t.exec(ctx, "INSERT INTO holds ("+holdColumns+") VALUES ("+dollars(14)+") ON CONFLICT DO NOTHING",
		h.ID, h.Reason, h.OrderNo, h.Moid, bit(h.Own), h.MID, h.Mode, h.TID, h.Amount, h.MessageID, us(h.CreatedAt), us(h.ClosedAt), h.ClosedBy, h.Note))
}

func (t *transaction) SaveHold(ctx context.Context, h app.Hold) error {
	t.touch("holds", h.ID)
	return changed(t.exec(ctx, "UPDATE holds SET closed_at = $2, closed_by = $3, note = $4 WHERE id = $1", h.ID, us(h.ClosedAt), h.ClosedBy, h.Note))
}

func (d queries) Worklist(ctx context.Context, claimed, refunded, quarantined time.Time, limit int) (w app.Worklist, err error) {
	w.Claimed, err = many(ctx, d, d.scanPayment, selectPayment+"WHERE state = 'claimed' AND claimed_at < $1 ORDER BY account, claimed_at LIMIT $2", us(claimed), limit)
	if err != nil {
		return w, err
	}
	if w.Cancels, err = many(ctx, d, d.scanCancel, selectCancel+"WHERE state = 'unknown' ORDER BY created_at LIMIT $1", limit); err != nil {
		return w, err
	}
	// The list of states is the index's own: by it both engines see that the index will do.
	const waiting = "WHERE state IN ('requested', 'sent', 'accepted', 'unknown') AND (state = 'accepted' AND sent_at < $1 OR state = 'sent' AND sent_at < $2) ORDER BY created_at LIMIT $3"
	late, err := many(ctx, d, d.scanCancel, selectCancel+waiting, us(refunded), us(claimed), limit)
	if err != nil {
		return w, err
	}
	w.Cancels = append(w.Cancels, late...)
	if w.Requests, err = many(ctx, d, d.scanRequest, selectRequest+"WHERE state = 'waiting' ORDER BY created_at LIMIT $1", limit); err != nil {
		return w, err
	}
	if w.Refunds, err = many(ctx, d, d.scanRefundAsk, selectRefundAsk+"WHERE state = 'entered' AND EXISTS (SELECT 1 FROM payments p WHERE p.moid = refund_asks.moid AND p.approved > p.cancelled + p.reserved) ORDER BY entered_at LIMIT $1", limit); err != nil {
		return w, err
	}
	if w.Charges, err = many(ctx, d, scanCharge, selectCharge+"WHERE hand = 1 ORDER BY created_at LIMIT $1", limit); err != nil {
		return w, err
	}
	if w.Holds, err = d.Holds(ctx, true, limit); err != nil {
		return w, err
	}
	if w.Senders, err = many(ctx, d, scanSender, selectSender+"WHERE state = 'asked' ORDER BY first_at LIMIT $1", limit); err != nil {
		return w, err
	}
	w.GivenUp, err = many(ctx, d, scanJob, "SELECT "+jobColumns+" FROM jobs WHERE due_at = 0 ORDER BY created_at LIMIT $1", limit)
	if err != nil {
		return w, err
	}
	n, err := one(ctx, d, scanInt, "SELECT COUNT(*) FROM messages WHERE verdict = 'unjudged'")
	if err != nil {
		return w, err
	}
	w.Unjudged = int(n)
	w.Quarantined, err = d.countQuarantined(ctx, quarantined)
	return w, err
}
