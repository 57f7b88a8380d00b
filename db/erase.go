package db

import (
	"context"
	"fmt"
	"time"

	"gage/app"
)

// quiet says of an order that nothing happened to it since $1 and that nobody has to settle anything about it.
const quiet = `o.created_at < $1
	AND NOT EXISTS (SELECT 1 FROM events e WHERE e.order_no = o.no AND e.order_no <> '' AND e.at >= $1)
	AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.order_no = o.no AND h.closed_at = 0)
	AND NOT EXISTS (SELECT 1 FROM cancel_requests q WHERE q.order_no = o.no AND q.state = 'waiting')
	AND NOT EXISTS (SELECT 1 FROM cancels c WHERE c.order_no = o.no AND c.state IN ('requested', 'sent', 'accepted', 'unknown'))
	AND NOT EXISTS (SELECT 1 FROM cash_receipts r WHERE r.order_no = o.no AND r.order_no <> '' AND r.state IN ('requested', 'sent', 'unknown', 'cancelling', 'cancel_unknown'))`

func (d queries) DueForErasure(ctx context.Context, before time.Time, limit int) (orders []app.OrderNo, messages []string, err error) {
	scan := func(s scanner) (no app.OrderNo, err error) { return no, s.Scan(&no) }
	orders, err = many(ctx, d, scan, "SELECT o.no FROM orders o JOIN data_keys k ON k.id = o.no WHERE k.sealed <> '' AND "+quiet+" ORDER BY o.created_at LIMIT $2", us(before), limit)
	if err != nil {
		return nil, nil, err
	}
	// What an order was proved by goes with it, or after it.
	messages, err = many(ctx, d, scanText, `SELECT m.id FROM messages m JOIN data_keys k ON k.id = m.id
		WHERE k.sealed <> '' AND m.at < $1 AND m.verdict NOT IN ('unjudged', 'parked')
		AND NOT EXISTS (SELECT 1 FROM data_keys ok WHERE ok.id = m.order_no AND ok.sealed <> '')
		AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.message_id = m.id AND h.closed_at = 0)
		UNION ALL SELECT i.id FROM imports i JOIN data_keys k ON k.id = i.id
		WHERE k.sealed <> '' AND i.at < $1 AND i.applied_at < $1 AND i.state <> 'applying'
		LIMIT $2`, us(before), limit)
	return orders, messages, err
}

func (d queries) NewestApproval(ctx context.Context) (at time.Time, err error) {
	n, err := one(ctx, d, scanInt, "SELECT COALESCE(MAX(approved_at), 0) FROM payments WHERE proof <> 'none'")
	if err != nil {
		return at, err
	}
	return at, micros{&at}.Scan(n)
}

func (t *transaction) EraseOrder(ctx context.Context, no app.OrderNo) error {
	if err := t.destroyKey(ctx, string(no)); err != nil {
		return err
	}
	// Their terms are far shorter; but what nobody ran in time must not outlive the order.
	if _, err := t.exec(ctx, `UPDATE data_keys SET sealed = $2 WHERE id IN (SELECT 'refund/' || id FROM cancels WHERE order_no = $1)
		OR id IN (SELECT 'refund/' || id FROM cancel_requests WHERE order_no = $1) OR id IN (SELECT id FROM refund_asks WHERE order_no = $1)`, no, erased); err != nil {
		return err
	}
	list, err := t.PaymentsOf(ctx, no) // read without what was personal, and so indexed
	if err != nil {
		return err
	}
	for _, p := range list {
		id, err := one(ctx, t.queries, scanInt, "SELECT id FROM payments WHERE moid = $1", p.Moid)
		if err != nil {
			return err
		}
		if err := t.index(ctx, id, p); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) EraseMessage(ctx context.Context, id string) error {
	return t.destroyKey(ctx, id)
}

func (t *transaction) EraseRing(ctx context.Context, before time.Time) error {
	_, err := t.exec(ctx, "DELETE FROM stranger_ring WHERE at < $1", us(before))
	return err
}

// destroyKey leaves the row: a key that is not there would be made anew.
func (t *transaction) destroyKey(ctx context.Context, id string) error {
	if id == keyIndex || id == keyRing || id == keyShop {
		return fmt.Errorf("db: the key %s is not one order's or message's", id)
	}
	delete(t.opened, id)
	return changed(t.exec(ctx, "UPDATE data_keys SET sealed = $2 WHERE id = $1", id, erased))
}
