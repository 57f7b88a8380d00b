package db

import (
	"context"
	"strings"

	"golang.org/x/text/unicode/norm"

	"gage/app"
)

// Fold is how text is indexed and asked for: lower case, Hangul taken apart into letters (so that two syllables are
// at least the three characters that the index needs), without the characters that LIKE gives a meaning.
func Fold(s string) string {
	return strings.NewReplacer("%", "", "_", "", `\`, "").Replace(strings.ToLower(norm.NFKD.String(s)))
}

// index puts into the search index what a payment can be found by.
func (t *transaction) index(ctx context.Context, id int64, p app.Payment) error {
	o, err := t.Order(ctx, p.OrderNo)
	if err != nil {
		return err
	}
	body := Fold(strings.Join([]string{
		p.BuyerName, o.Goods, p.BuyerEmail, p.BuyerTel, string(p.Moid), string(p.TID), p.AuthCode,
	}, "\n"))
	old, err := many(ctx, t.queries, scanText, "SELECT body FROM payment_search WHERE rowid = $1", id)
	if err != nil || len(old) == 1 && old[0] == body {
		return err
	}
	for i, text := range t.engine.saveSearch() {
		args := []any{id, body}
		if i < len(t.engine.saveSearch())-1 {
			args = args[:1]
		}
		if _, err := t.exec(ctx, text, args...); err != nil {
			return err
		}
	}
	return nil
}

func scanText(s scanner) (v string, err error) { return v, s.Scan(&v) }

// rowColumns are a payment's columns with the table named, and what the list shows of its order.
var rowColumns = "p." + strings.ReplaceAll(paymentColumns, ", ", ", p.") + `, o.goods, o.state,
	(SELECT COUNT(*) FROM holds h WHERE h.order_no = p.order_no AND h.closed_at = 0),
	COALESCE((SELECT c.state FROM cancels c WHERE c.moid = p.moid AND c.state IN ('requested', 'sent', 'accepted', 'unknown')), '')`

func scanRow(s scanner) (r app.PaymentRow, err error) {
	return r, s.Scan(append(paymentFields(&r.Payment), &r.Goods, &r.OrderState, &r.OpenHolds, &r.OpenCancel)...)
}

func (d queries) SearchPayments(ctx context.Context, q app.PaymentQuery) ([]app.PaymentRow, error) {
	if q.Find.Nothing {
		return nil, nil
	}
	b := &builder{}
	b.WriteString("SELECT " + rowColumns + " FROM payments p JOIN orders o ON o.no = p.order_no WHERE 1 = 1")
	if !q.Find.IsZero() {
		b.WriteString(" AND p.id IN (")
		b.find(q.Find)
		b.WriteString(")")
	}
	if !q.From.IsZero() {
		b.add(" AND p.opened_at >= %s", us(q.From))
	}
	if !q.To.IsZero() {
		b.add(" AND p.opened_at < %s", us(q.To))
	}
	b.in(" AND p.method", texts(q.Methods))
	b.in(" AND p.state", texts(q.States))
	if !q.After.At.IsZero() {
		b.add(" AND (p.opened_at, p.moid) < (%s, %s)", us(q.After.At), q.After.ID)
	}
	b.add(" ORDER BY p.opened_at DESC, p.moid DESC LIMIT %s", q.Limit)
	return many(ctx, d, scanRow, b.String(), b.args...)
}

// find writes the numbers of the payments that any reading of the search box meets, each by its own index. What the
// trigram index finds is looked at once more on the real columns: 철수 would meet 철숙 too.
func (b *builder) find(f app.Find) {
	or := ""
	part := func(text string, values ...any) {
		b.WriteString(or)
		b.add(text, values...)
		or = " UNION "
	}
	if f.Exact != "" {
		part("SELECT id FROM payments WHERE tid = %s", f.Exact)
		part("SELECT id FROM payments WHERE moid = %s", f.Exact)
		part("SELECT id FROM payments WHERE order_no = %s", f.Exact)
		part("SELECT id FROM payments WHERE auth_code = %s AND auth_code <> ''", f.Exact)
	}
	if f.HasAmt {
		part("SELECT id FROM payments WHERE amount = %s", f.Amount)
	}
	const indexed = "SELECT p2.id FROM payment_search s JOIN payments p2 ON p2.id = s.rowid JOIN orders o2 ON o2.no = p2.order_no WHERE s.body LIKE %s AND "
	if f.Digits != "" {
		part(indexed+"p2.buyer_tel LIKE %s", like(Fold(f.Digits)), like(f.Digits))
	}
	if f.Prefix != "" {
		part(indexed+"(LOWER(p2.tid) LIKE %s OR LOWER(p2.moid) LIKE %s)", like(Fold(f.Prefix)), like(strings.ToLower(f.Prefix)), like(strings.ToLower(f.Prefix)))
	}
	if len([]rune(Fold(f.Text))) >= 3 { // what the index needs
		real := like(strings.ToLower(norm.NFC.String(f.Text)))
		part(indexed+"(LOWER(p2.buyer_name) LIKE %s OR LOWER(o2.goods) LIKE %s OR LOWER(p2.buyer_email) LIKE %s)", like(Fold(f.Text)), real, real, real)
	}
	if or == "" {
		part("SELECT id FROM payments WHERE 1 = 0")
	}
}

// like is the pattern "contains s", in which s has no wildcard of its own but the one for any single character.
func like(s string) string {
	return "%" + strings.NewReplacer("%", "_", `\`, "_").Replace(s) + "%"
}
