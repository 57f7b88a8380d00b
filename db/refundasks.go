package db

import (
	"context"

	"gage/app"
)

const refundAskColumns = "id, order_no, moid, token_digest, private, by_staff, state, created_at, expires_at, entered_at"

var selectRefundAsk = "SELECT id, order_no, moid, private, by_staff, state, created_at, expires_at, entered_at, " + keyOf("refund_asks.id") + " FROM refund_asks "

// refundAskPrivate is the link and the account. It has a key of its own, which is destroyed long before the order's.
type refundAskPrivate struct {
	Token   string
	Account refundPrivate
}

func (d queries) scanRefundAsk(s scanner) (a app.RefundAsk, err error) {
	var private, key string
	err = s.Scan(&a.ID, &a.OrderNo, &a.Moid, &private, &a.By, &a.State, micros{&a.CreatedAt}, micros{&a.ExpiresAt}, micros{&a.EnteredAt}, &key)
	if err != nil {
		return a, err
	}
	k, err := d.unwrap(a.ID, key)
	if err != nil {
		return a, err
	}
	a.Erased = k == nil
	var made refundAskPrivate
	err = openJSON(k, "refund_asks/"+a.ID, private, &made)
	a.Token, a.Account = made.Token, app.RefundAccount{Bank: made.Account.Bank, Number: made.Account.Account, Holder: made.Account.Holder}
	return a, err
}

func (d queries) RefundAsks(ctx context.Context, moid app.Moid) ([]app.RefundAsk, error) {
	return many(ctx, d, d.scanRefundAsk, selectRefundAsk+"WHERE moid = $1 ORDER BY created_at, id", moid)
}

func (d queries) RefundAskByID(ctx context.Context, id string) (app.RefundAsk, error) {
	return one(ctx, d, d.scanRefundAsk, selectRefundAsk+"WHERE id = $1", id)
}

func (d queries) RefundAskByDigest(ctx context.Context, digest string) (app.RefundAsk, error) {
	return one(ctx, d, d.scanRefundAsk, selectRefundAsk+"WHERE token_digest = $1", digest)
}

func sealRefundAsk(k *dataKey, a app.RefundAsk) (string, error) {
	if a.Erased {
		return "", nil
	}
	return sealWords(k, "refund_asks/"+a.ID, refundAskPrivate{a.Token, refundPrivate{a.Account.Bank, a.Account.Number, a.Account.Holder}})
}

func (t *transaction) CreateRefundAsk(ctx context.Context, a app.RefundAsk, digest string) error {
	k, err := t.makeKey(ctx, a.ID)
	if err != nil {
		return err
	}
	private, err := sealRefundAsk(k, a)
	if err != nil {
		return err
	}
	t.touch("refund_asks", a.ID)
	_, err = t.exec(ctx, "INSERT INTO refund_asks ("+refundAskColumns+") VALUES ("+dollars(10)+")",
		a.ID, a.OrderNo, a.Moid, digest, private, a.By, a.State, us(a.CreatedAt), us(a.ExpiresAt), us(a.EnteredAt))
	return err
}

func (t *transaction) SaveRefundAsk(ctx context.Context, a app.RefundAsk) error {
	k, err := t.makeKey(ctx, a.ID)
	if err != nil {
		return err
	}
	private, err := sealRefundAsk(k, a)
	if err != nil {
		return err
	}
	t.touch("refund_asks", a.ID)
	return changed(t.exec(ctx, "UPDATE refund_asks SET private = $2, state = $3, entered_at = $4 WHERE id = $1", a.ID, private, a.State, us(a.EnteredAt)))
}

func (t *transaction) EraseRefundAsk(ctx context.Context, id string) error {
	return t.destroyKey(ctx, id)
}
