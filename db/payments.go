package db

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gage/app"
)

const paymentColumns = "moid, order_no, mid, mode, device, method, edi_date, amount, goods_name, return_token, key_version, " +
	paymentChanging

// paymentChanging are the columns that events change.
const paymentChanging = "state, hold_reason, late, proof, tid, approved, reserved, cancelled, auth_code, card_code, card_name, card_quota, " +
	"vbank_name, account, private, vbank_due, approved_at, hint_code, hint_msg, stopped, opened_at, claimed_at, paid_at, updated_at, seq"

// paymentSealed is what of a payment's row has to be opened.
type paymentSealed struct{ private, key string }

func paymentFields(p *app.Payment, sealed *paymentSealed) []any {
	return []any{
		&p.Moid, &p.OrderNo, &p.MID, &p.Mode, &p.Device, &p.Method, micros{&p.EdiDate}, &p.Amount, &p.GoodsName,
		&p.ReturnToken, &p.KeyVersion, &p.State, &p.HoldReason, truth{&p.Late}, &p.Proof, &p.TID, &p.Approved,
		&p.Reserved, &p.Cancelled, &p.AuthCode, &p.CardCode, &p.CardName, &p.CardQuota, &p.VbankName, new(int64), &sealed.private,
		micros{&p.VbankDue}, micros{&p.ApprovedAt}, &p.HintCode, &p.HintMsg, truth{&p.Stopped}, micros{&p.OpenedAt},
		micros{&p.ClaimedAt}, micros{&p.PaidAt}, micros{&p.UpdatedAt}, &p.Seq, &sealed.key,
	}
}

func (d queries) scanPayment(s scanner) (p app.Payment, err error) {
	var sealed paymentSealed
	if err := s.Scan(paymentFields(&p, &sealed)...); err != nil {
		return p, err
	}
	return p, d.openPayment(&p, sealed)
}

func (d queries) openPayment(p *app.Payment, sealed paymentSealed) error {
	k, err := d.unwrap(string(p.OrderNo), sealed.key)
	if err != nil {
		return err
	}
	var who paymentPrivate
	err = openJSON(k, "payments/"+string(p.Moid), sealed.private, &who)
	p.BuyerName, p.BuyerTel, p.BuyerEmail, p.CardNum, p.VbankNum = who.Name, who.Tel, who.Email, who.CardNum, who.VbankNum
	p.Erased = k == nil
	return err
}

// changing is the values of paymentChanging.
func (t *transaction) changing(ctx context.Context, p app.Payment) ([]any, error) {
	k, err := t.makeKey(ctx, string(p.OrderNo))
	if err != nil {
		return nil, err
	}
	private, err := sealJSON(k, "payments/"+string(p.Moid), paymentPrivate{p.BuyerName, p.BuyerTel, p.BuyerEmail, p.CardNum, p.VbankNum})
	return []any{
		p.State, p.HoldReason, bit(p.Late), p.Proof, p.TID, p.Approved, p.Reserved, p.Cancelled, p.AuthCode, p.CardCode,
		p.CardName, p.CardQuota, p.VbankName, bit(p.VbankNum != ""), private, us(p.VbankDue), us(p.ApprovedAt), p.HintCode, p.HintMsg,
		bit(p.Stopped), us(p.OpenedAt), us(p.ClaimedAt), us(p.PaidAt), us(p.UpdatedAt), p.Seq,
	}, err
}

var selectPayment = "SELECT " + paymentColumns + ", " + keyOf("order_no") + " FROM payments "

func (d queries) Payment(ctx context.Context, moid app.Moid) (app.Payment, error) {
	return one(ctx, d, d.scanPayment, selectPayment+"WHERE moid = $1", moid)
}

func (d queries) PaymentByTID(ctx context.Context, mode app.Mode, tid app.TID) (app.Payment, error) {
	return one(ctx, d, d.scanPayment, selectPayment+"WHERE mode = $1 AND tid = $2 AND tid <> ''", mode, tid)
}

func (d queries) PaymentByReturnToken(ctx context.Context, token string) (app.Payment, error) {
	return one(ctx, d, d.scanPayment, selectPayment+"WHERE return_token = $1", token)
}

func (d queries) PaymentsOf(ctx context.Context, no app.OrderNo) ([]app.Payment, error) {
	return many(ctx, d, d.scanPayment, selectPayment+"WHERE order_no = $1 ORDER BY id", no)
}

func (t *transaction) CreatePayment(ctx context.Context, p app.Payment) error {
	id, err := t.count(ctx, "payment")
	if err != nil {
		return err
	}
	rest, err := t.changing(ctx, p)
	if err != nil {
		return err
	}
	if k, err := t.makeKey(ctx, string(p.OrderNo)); err != nil || k == nil {
		return errors.Join(err, fmt.Errorf("payments/%s: %w", p.Moid, app.ErrErased))
	}
	args := append([]any{
		id, p.Moid, p.OrderNo, p.MID, p.Mode, p.Device, p.Method, us(p.EdiDate), p.Amount, p.GoodsName, p.ReturnToken, p.KeyVersion,
	}, rest...)
	t.made("payments", string(p.Moid))
	if err := inserted(t.exec(ctx, "INSERT INTO payments (id, "+paymentColumns+") VALUES ("+dollars(len(args))+") ON CONFLICT DO NOTHING", args...)); err != nil {
		return err
	}
	return t.index(ctx, id, p)
}

// foundBy changes whenever something does that a payment is found by in the index: its TID comes with a claim, the numbers
// of its card or account with the gateway's word.
const foundBy = "tid || ' ' || proof || ' ' || vbank_name || ' ' || card_name"

func (t *transaction) SavePayment(ctx context.Context, p app.Payment) error {
	known, err := one(ctx, t.queries, scanText, "SELECT "+foundBy+" FROM payments WHERE moid = $1", p.Moid)
	if err != nil {
		return err
	}
	columns := strings.Split(paymentChanging, ", ")
	b := &builder{}
	b.WriteString("UPDATE payments SET ")
	values, err := t.changing(ctx, p)
	if err != nil {
		return err
	}
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.add(columns[i]+" = %s", v)
	}
	b.add(" WHERE moid = %s RETURNING id", p.Moid)
	id, err := one(ctx, t.queries, scanInt, b.String(), b.args...)
	if err != nil {
		return err
	}
	if now, err := one(ctx, t.queries, scanText, "SELECT "+foundBy+" FROM payments WHERE id = $1", id); err != nil || now == known {
		return err
	}
	return t.index(ctx, id, p)
}

func scanInt(s scanner) (n int64, err error) { return n, s.Scan(&n) }

// count gives the next number of a counter, and holds that counter until the transaction ends.
func (t *transaction) count(ctx context.Context, name string) (int64, error) {
	return one(ctx, t.queries, scanInt, "UPDATE counters SET n = n + 1 WHERE name = $1 RETURNING n", name)
}
