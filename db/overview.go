package db

import (
	"context"
	"time"

	"gage/app"
	"gage/smartro"
)

// Spans adds up by spans of the query's period: what was paid, or by [app.ClockCancelled] each cancel when it happened.
func (d queries) Spans(ctx context.Context, q app.PaymentQuery, width time.Duration) ([]app.SpanSum, error) {
	b := &builder{}
	b.add("SELECT (at - CAST(%s AS BIGINT)) / CAST(%s AS BIGINT) AS n, COUNT(*), CAST(SUM(won) AS BIGINT) FROM (", us(q.From), width.Microseconds())
	if q.Clock == app.ClockCancelled {
		b.WriteString("SELECT " + whenBack + " AS at, c.amount AS won FROM cancels c JOIN payments p ON p.moid = c.moid WHERE c.state = 'done' AND p.paid_at > 0")
		b.between(whenBack, q)
	} else {
		b.WriteString("SELECT " + whenPaid + " AS at, p.approved AS won FROM payments p WHERE p.paid_at > 0")
		b.between(whenPaid, q)
	}
	if q.Mode != "" {
		b.add(" AND p.mode = %s", q.Mode)
	}
	b.WriteString(") spans GROUP BY n ORDER BY n")
	scan := func(s scanner) (one app.SpanSum, err error) { return one, s.Scan(&one.N, &one.Count, &one.Won) }
	return many(ctx, d, scan, b.String(), b.args...)
}

// Deposits adds up the virtual accounts that wait, and those of them that are due before then.
func (d queries) Deposits(ctx context.Context, mode app.Mode, before time.Time) (app.Deposits, error) {
	b := &builder{}
	b.add(`SELECT COUNT(*), CAST(COALESCE(SUM(amount), 0) AS BIGINT), CAST(COALESCE(SUM(CASE WHEN vbank_due < %s THEN 1 ELSE 0 END), 0) AS BIGINT),
		CAST(COALESCE(SUM(CASE WHEN vbank_due < %s THEN amount ELSE 0 END), 0) AS BIGINT) FROM payments WHERE state = 'waiting_deposit'`, us(before), us(before))
	b.add(" AND method = %s", smartro.Vbank)
	if mode != "" {
		b.add(" AND mode = %s", mode)
	}
	scan := func(s scanner) (one app.Deposits, err error) {
		return one, s.Scan(&one.Waiting, &one.WaitingWon, &one.Today, &one.TodayWon)
	}
	return one(ctx, d, scan, b.String(), b.args...)
}

// notReturned is of payments p: no browser told of them. It is asked of all but charges, in which no browser has a part.
const notReturned = "NOT EXISTS (SELECT 1 FROM messages m WHERE m.order_no = p.order_no AND m.about = p.moid AND m.channel = 'return')"

func (d queries) NotReturned(ctx context.Context, since time.Time, limit int) ([]app.OrderNo, error) {
	scan := func(s scanner) (no app.OrderNo, err error) { return no, s.Scan(&no) }
	return many(ctx, d, scan, "SELECT p.order_no FROM payments p WHERE p.paid_at >= $1 AND p.method <> $2 AND "+notReturned+" ORDER BY p.paid_at DESC, p.moid LIMIT $3", us(since), smartro.CardBill, limit)
}

// Lost counts what was paid since then, and how it was told. A virtual account's browser tells of the account, and no
// browser has a part in a charge: they count for the notification only.
func (d queries) Lost(ctx context.Context, mode app.Mode, since time.Time) (app.Lost, error) {
	b := &builder{}
	b.add(`SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN p.proof = 'notification' THEN 0 ELSE 1 END), 0) AS BIGINT),
		CAST(COALESCE(SUM(CASE WHEN p.method <> %s AND `+notReturned+` THEN 1 ELSE 0 END), 0) AS BIGINT)
		FROM payments p WHERE p.paid_at >= %s`, smartro.CardBill, us(since))
	if mode != "" {
		b.add(" AND p.mode = %s", mode)
	}
	scan := func(s scanner) (one app.Lost, err error) { return one, s.Scan(&one.Paid, &one.NoNotice, &one.NoReturn) }
	return one(ctx, d, scan, b.String(), b.args...)
}
