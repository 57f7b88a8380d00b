package db

import (
	"context"

	"gage/app"
)

// The account that a refund goes to is sealed with a key of its own, which the request that waits for another person and
// the cancel that it becomes share. It is destroyed long before the order's.

func refundKey(id string) string { return "refund/" + id }

// Columns that name the key of a row: before migration 21 it was the order's.
const (
	cancelKey  = "CASE WHEN cancels.to_account = 1 THEN 'refund/' || cancels.id ELSE cancels.order_no END"
	requestKey = "CASE WHEN cancel_requests.to_account = 1 THEN 'refund/' || cancel_requests.id ELSE cancel_requests.order_no END"
)

func (d queries) openRefund(table, id string, no app.OrderNo, own bool, sealed, key string) (to refundPrivate, err error) {
	of := string(no)
	if own {
		of = refundKey(id)
	}
	k, err := d.unwrap(of, key)
	if err != nil {
		return to, err
	}
	return to, openJSON(k, table+"/"+id, sealed, &to)
}

// sealRefund is "" where there is no account. An order whose data was destroyed takes none.
func (t *transaction) sealRefund(ctx context.Context, table, id string, no app.OrderNo, to refundPrivate) (string, error) {
	if to == (refundPrivate{}) {
		return "", nil
	}
	place := table + "/" + id
	k, err := t.makeKey(ctx, string(no))
	if err != nil {
		return "", err
	}
	if k != nil {
		if k, err = t.makeKey(ctx, refundKey(id)); err != nil {
			return "", err
		}
	}
	return sealWords(k, place, to)
}

func (t *transaction) EraseRefund(ctx context.Context, id string) error {
	return t.destroyKey(ctx, refundKey(id))
}
