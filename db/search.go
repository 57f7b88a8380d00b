package db

import (
	"context"
	"slices"
	"strings"

	"gage/app"
)

// The search index knows no names and no numbers: it holds what [dataKey.blind] makes of every two characters of a
// text and every three of a number. A part of a text is found where all of its pairs are; whether they stand side by
// side is looked at in the clear, once the row is opened.

// Lengths of what is indexed, in characters: a name is asked for by two syllables, a number by three digits.
const (
	textGram   = 2
	numberGram = 3
)

// grams are the different runs of n characters in s, each with the class that they belong to before it.
func grams(class, s string, n int) []string {
	runes := []rune(s)
	var list []string
	for i := 0; i+n <= len(runes); i++ {
		list = append(list, class+string(runes[i:i+n]))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Classes of what is indexed: a phone number is not met by a TID.
const (
	classText   = "t"
	classNumber = "n"
	classID     = "i"
)

// words are the blind names of grams, as one text.
func words(k *dataKey, list []string) string {
	names := make([]string, len(list))
	for i, g := range list {
		names[i] = k.blind(g)
	}
	return strings.Join(names, " ")
}

// index puts into the search index what a payment can be found by.
func (t *transaction) index(ctx context.Context, id int64, p app.Payment) error {
	o, err := t.Order(ctx, p.OrderNo)
	if err != nil {
		return err
	}
	k, err := t.makeKey(ctx, keyIndex)
	if err != nil {
		return err
	}
	var all []string
	for _, text := range []string{p.BuyerName, o.Goods, p.BuyerEmail} {
		all = append(all, grams(classText, app.FoldSearch(text), textGram)...)
	}
	all = append(all, grams(classNumber, p.BuyerTel, numberGram)...)
	all = append(all, grams(classID, app.FoldSearch(string(p.Moid)), numberGram)...)
	all = append(all, grams(classID, app.FoldSearch(string(p.TID)), numberGram)...)
	slices.Sort(all)
	body := words(k, slices.Compact(all))
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
var rowColumns = "p." + strings.ReplaceAll(paymentColumns, ", ", ", p.") + ", " + keyOf("p.order_no") + `, o.goods, o.state,
	(SELECT COUNT(*) FROM holds h WHERE h.order_no = p.order_no AND h.closed_at = 0),
	COALESCE((SELECT c.state FROM cancels c WHERE c.moid = p.moid AND c.state IN ('requested', 'sent', 'accepted', 'unknown')), '')`

func (d queries) scanRow(s scanner) (r app.PaymentRow, err error) {
	var sealed paymentSealed
	if err := s.Scan(append(paymentFields(&r.Payment, &sealed), &r.Goods, &r.OrderState, &r.OpenHolds, &r.OpenCancel)...); err != nil {
		return r, err
	}
	return r, d.openPayment(&r.Payment, sealed)
}

// SearchPayments reads on until it has what was asked for: a row that met the index, but not the words, is left out.
func (d queries) SearchPayments(ctx context.Context, q app.PaymentQuery) ([]app.PaymentRow, error) {
	if q.Find.Nothing {
		return nil, nil
	}
	var index *dataKey
	if !q.Find.IsZero() {
		var err error
		if index, err = d.dataKey(ctx, keyIndex); err != nil {
			return nil, err
		}
	}
	var found []app.PaymentRow
	for {
		b := &builder{}
		b.WriteString("SELECT " + rowColumns + " FROM payments p JOIN orders o ON o.no = p.order_no WHERE 1 = 1")
		if !q.Find.IsZero() {
			b.WriteString(" AND p.id IN (")
			b.find(d.engine, index, q.Find)
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
		rows, err := many(ctx, d, d.scanRow, b.String(), b.args...)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if q.Find.IsZero() || len(app.MatchedBy(r, q.Find)) > 0 {
				found = append(found, r)
			}
		}
		if len(rows) < q.Limit || len(found) >= q.Limit {
			return found[:min(len(found), q.Limit)], nil
		}
		last := rows[len(rows)-1]
		q.After = app.Cursor{At: last.OpenedAt, ID: string(last.Moid)}
	}
}

// find writes the numbers of the payments that any reading of the search box meets, each by its own index.
func (b *builder) find(e engine, index *dataKey, f app.Find) {
	or := ""
	part := func(text string, values ...any) {
		b.WriteString(or)
		b.add(text, values...)
		or = " UNION "
	}
	indexed := func(class, s string, n int) {
		if list := grams(class, s, n); len(list) > 0 {
			part(e.searchIndex(), e.allOf(words(index, list)))
		}
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
	indexed(classNumber, f.Digits, numberGram)
	indexed(classID, app.FoldSearch(f.Prefix), numberGram)
	indexed(classText, app.FoldSearch(f.Text), textGram)
	if or == "" {
		part("SELECT id FROM payments WHERE 1 = 0")
	}
}
