package db

import (
	"context"

	"gage/app"
	"gage/smartro"
)

// Accounts lists payments by virtual account: what waits by its due time, the soonest first, the others the latest first.
func (d queries) Accounts(ctx context.Context, q app.AccountQuery) ([]app.PaymentRow, error) {
	b := &builder{}
	at := "p.opened_at"
	switch q.List {
	case app.AccountsWaiting, app.AccountsExpired:
		at = "p.vbank_due"
	case app.AccountsDeposited:
		at = whenPaid
	}
	b.WriteString("SELECT " + rowColumns + ", " + at + ", " + backOnce + " FROM payments p JOIN orders o ON o.no = p.order_no")
	b.add(" WHERE p.method = %s", smartro.Vbank)
	switch q.List {
	case app.AccountsWaiting:
		b.WriteString(" AND p.state = 'waiting_deposit'")
	case app.AccountsDeposited:
		b.WriteString(" AND p.paid_at > 0")
	case app.AccountsExpired:
		b.WriteString(" AND p.state = 'expired' AND p.vbank_due > 0")
	case app.AccountsOdd:
		b.WriteString(" AND EXISTS (SELECT 1 FROM holds h WHERE h.order_no = p.order_no AND h.closed_at = 0)")
	case app.AccountsOwed:
		b.WriteString(" AND p.approved > 0 AND EXISTS (SELECT 1 FROM cancels c WHERE c.moid = p.moid AND c.state IN ('requested', 'sent', 'accepted', 'unknown'))")
	}
	if q.Mode != "" {
		b.add(" AND p.mode = %s", q.Mode)
	}
	if !q.After.At.IsZero() {
		b.WriteString(" AND (" + at + ", p.moid) ")
		if q.List == app.AccountsWaiting {
			b.add("> (%s, %s)", us(q.After.At), q.After.ID)
		} else {
			b.add("< (%s, %s)", us(q.After.At), q.After.ID)
		}
	}
	b.WriteString(" ORDER BY " + at)
	if q.List == app.AccountsWaiting {
		b.WriteString(", p.moid")
	} else {
		b.WriteString(" DESC, p.moid DESC")
	}
	b.add(" LIMIT %s", q.Limit)
	return many(ctx, d, d.scanRow, b.String(), b.args...)
}
