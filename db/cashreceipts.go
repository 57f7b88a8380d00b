package db

import (
	"context"
	"time"

	"gage/app"
	"gage/smartro"
)

const receiptColumns = "id, moid, order_no, payment, mid, mode, source, purpose, amount, supply, vat, service, tax_free, " + receiptChanging

// receiptChanging are the columns that change.
const receiptChanging = "state, second, amiss, again, tid, number, cancel_number, private, result_code, result_msg, by_staff, cancel_by, sends, cancel_sends, " +
	"created_at, sent_at, issued_at, cancel_sent_at, cancelled_at, settled_by"

// receiptPrivate is what a cash receipt knows of a person.
type receiptPrivate struct {
	Identity, Goods, Name, Tel, Reason string
}

// receiptKeyColumn names the data key of a receipt: its order's, or its own where it stands alone.
const receiptKeyColumn = "CASE WHEN order_no = '' THEN cash_receipts.id ELSE order_no END"

func receiptKey(c app.CashReceipt) string {
	if c.OrderNo == "" {
		return c.ID
	}
	return string(c.OrderNo)
}

var selectReceipt = "SELECT " + receiptColumns + ", " + keyOf(receiptKeyColumn) + " FROM cash_receipts "

func (d queries) scanReceipt(s scanner) (c app.CashReceipt, err error) {
	var private, key string
	err = s.Scan(&c.ID, &c.Moid, &c.OrderNo, &c.Payment, &c.MID, &c.Mode, &c.Source, &c.Purpose, &c.Amount, &c.Supply, &c.VAT, &c.Service, &c.TaxFree,
		&c.State, truth{&c.Second}, &c.Amiss, truth{&c.Again}, &c.TID, &c.Number, &c.CancelNumber, &private, &c.ResultCode, &c.ResultMsg, &c.By, &c.CancelBy,
		&c.Sends, &c.CancelSends, micros{&c.CreatedAt}, micros{&c.SentAt}, micros{&c.IssuedAt}, micros{&c.CancelSentAt}, micros{&c.CancelledAt}, &c.SettledBy, &key)
	if err != nil {
		return c, err
	}
	k, err := d.unwrap(receiptKey(c), key)
	if err != nil {
		return c, err
	}
	var who receiptPrivate
	err = openJSON(k, "cash_receipts/"+c.ID, private, &who)
	c.Identity, c.Goods, c.Name, c.Tel, c.Reason = smartro.Identity{Secret: smartro.Secret(who.Identity)}, who.Goods, who.Name, who.Tel, who.Reason
	c.Erased = k == nil
	return c, err
}

func (d queries) CashReceipt(ctx context.Context, id string) (app.CashReceipt, error) {
	return one(ctx, d, d.scanReceipt, selectReceipt+"WHERE id = $1", id)
}

func (d queries) CashReceiptByMoid(ctx context.Context, moid app.Moid) (app.CashReceipt, error) {
	return one(ctx, d, d.scanReceipt, selectReceipt+"WHERE moid = $1 AND moid <> ''", moid)
}

func (d queries) CashReceiptByTID(ctx context.Context, mode app.Mode, tid app.TID) (app.CashReceipt, error) {
	return one(ctx, d, d.scanReceipt, selectReceipt+"WHERE mode = $1 AND tid = $2 AND tid <> ''", mode, tid)
}

func (d queries) CashReceiptsOf(ctx context.Context, no app.OrderNo) ([]app.CashReceipt, error) {
	return many(ctx, d, d.scanReceipt, selectReceipt+"WHERE order_no = $1 AND order_no <> '' ORDER BY created_at, id", no)
}

func (d queries) CashReceipts(ctx context.Context, q app.CashReceiptQuery) ([]app.CashReceipt, error) {
	b := &builder{}
	b.WriteString(selectReceipt + "WHERE 1 = 1")
	if q.Unknown {
		b.WriteString(" AND state IN ('unknown', 'cancel_unknown')") // the index's own words
	}
	if q.Amiss {
		b.WriteString(" AND amiss <> ''")
	}
	b.in(" AND state", texts(q.States))
	b.in(" AND source", texts(q.Sources))
	if !q.From.IsZero() {
		b.add(" AND created_at >= %s", us(q.From))
	}
	if !q.To.IsZero() {
		b.add(" AND created_at < %s", us(q.To))
	}
	if !q.After.At.IsZero() {
		b.add(" AND (created_at, id) < (%s, %s)", us(q.After.At), q.After.ID)
	}
	b.add(" ORDER BY created_at DESC, id DESC LIMIT %s", q.Limit)
	return many(ctx, d, d.scanReceipt, b.String(), b.args...)
}

// LockCashReceipt writes on the row, as LockOrder does.
func (t *transaction) LockCashReceipt(ctx context.Context, id string) (app.CashReceipt, error) {
	return one(ctx, t.queries, t.scanReceipt, "UPDATE cash_receipts SET version = version + 1 WHERE id = $1 RETURNING "+receiptColumns+", "+keyOf(receiptKeyColumn), id)
}

// sealReceipt is what stands of a person in the row.
func (t *transaction) sealReceipt(ctx context.Context, c app.CashReceipt) (string, error) {
	k, err := t.makeKey(ctx, receiptKey(c))
	if err != nil {
		return "", err
	}
	return sealWords(k, "cash_receipts/"+c.ID, receiptPrivate{c.Identity.Reveal(), c.Goods, c.Name, c.Tel, c.Reason})
}

func (t *transaction) CreateCashReceipt(ctx context.Context, c app.CashReceipt) error {
	private, err := t.sealReceipt(ctx, c)
	if err != nil {
		return err
	}
	t.touch("cash_receipts", c.ID)
	n, err := t.exec(ctx, "INSERT INTO cash_receipts ("+receiptColumns+") VALUES ("+dollars(33)+") ON CONFLICT DO NOTHING",
		c.ID, c.Moid, c.OrderNo, c.Payment, c.MID, c.Mode, c.Source, c.Purpose, c.Amount, c.Supply, c.VAT, c.Service, c.TaxFree,
		c.State, bit(c.Second), c.Amiss, bit(c.Again), c.TID, c.Number, c.CancelNumber, private, c.ResultCode, c.ResultMsg, c.By, c.CancelBy,
		c.Sends, c.CancelSends, us(c.CreatedAt), us(c.SentAt), us(c.IssuedAt), us(c.CancelSentAt), us(c.CancelledAt), c.SettledBy)
	if err != nil || n == 1 {
		return err
	}
	if _, err := t.CashReceipt(ctx, c.ID); err == nil {
		return app.ErrConflict
	}
	return app.ErrReceiptThere
}

func (t *transaction) SaveCashReceipt(ctx context.Context, c app.CashReceipt) error {
	private, err := t.sealReceipt(ctx, c)
	if err != nil {
		return err
	}
	t.touch("cash_receipts", c.ID)
	return changed(t.exec(ctx, `UPDATE cash_receipts SET amount = $2, supply = $3, vat = $4, service = $5, tax_free = $6, state = $7, second = $8, amiss = $9,
		again = $10, tid = $11, number = $12, cancel_number = $13, private = $14, result_code = $15, result_msg = $16, cancel_by = $17, sends = $18,
		cancel_sends = $19, sent_at = $20, issued_at = $21, cancel_sent_at = $22, cancelled_at = $23, settled_by = $24 WHERE id = $1`,
		c.ID, c.Amount, c.Supply, c.VAT, c.Service, c.TaxFree, c.State, bit(c.Second), c.Amiss, bit(c.Again), c.TID, c.Number, c.CancelNumber, private,
		c.ResultCode, c.ResultMsg, c.CancelBy, c.Sends, c.CancelSends, us(c.SentAt), us(c.IssuedAt), us(c.CancelSentAt), us(c.CancelledAt), c.SettledBy))
}

func scanNeed(s scanner) (n app.ReceiptNeed, err error) {
	return n, s.Scan(&n.Moid, &n.OrderNo, micros{&n.Since}, &n.Amount)
}

func (d queries) ReceiptNeeds(ctx context.Context, before time.Time, after app.Cursor, limit int) ([]app.ReceiptNeed, error) {
	b := &builder{}
	b.WriteString("SELECT moid, order_no, since, amount FROM receipt_needs WHERE 1 = 1")
	if !before.IsZero() {
		b.add(" AND since < %s", us(before))
	}
	if !after.At.IsZero() {
		b.add(" AND (since, moid) > (%s, %s)", us(after.At), after.ID)
	}
	b.add(" ORDER BY since, moid LIMIT %s", limit)
	return many(ctx, d, scanNeed, b.String(), b.args...)
}

func (t *transaction) SetReceiptNeed(ctx context.Context, n app.ReceiptNeed) error {
	_, err := t.exec(ctx, "INSERT INTO receipt_needs (moid, order_no, since, amount) VALUES ("+dollars(4)+") ON CONFLICT (moid) DO UPDATE SET since = excluded.since, amount = excluded.amount",
		n.Moid, n.OrderNo, us(n.Since), n.Amount)
	return err
}

func (t *transaction) ClearReceiptNeed(ctx context.Context, moid app.Moid) error {
	_, err := t.exec(ctx, "DELETE FROM receipt_needs WHERE moid = $1", moid)
	return err
}

func (d queries) ReceiptsDueForErasure(ctx context.Context, before time.Time, limit int) ([]string, error) {
	return many(ctx, d, scanText, `SELECT r.id FROM cash_receipts r JOIN data_keys k ON k.id = r.id
		WHERE k.sealed <> '' AND r.order_no = '' AND r.created_at < $1 AND r.cancel_sent_at < $1 AND r.cancelled_at < $1
		AND r.state IN ('issued', 'refused', 'cancelled') ORDER BY r.created_at LIMIT $2`, us(before), limit)
}

func (t *transaction) EraseCashReceipt(ctx context.Context, id string) error {
	return t.destroyKey(ctx, id)
}
