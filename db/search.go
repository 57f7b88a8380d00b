package db

import (
	"context"
	"slices"
	"strings"

	"gage/app"
	"gage/smartro"
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
	classMoney  = "m" // numbers of accounts, ends of those of cards
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
	all := lasting(p, o.Goods)
	all = append(all, grams(classMoney, p.VbankNum, numberGram)...)
	all = append(all, grams(classMoney, app.CardTail(p), numberGram)...)
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

// lasting are the grams that every version of the index had of a payment.
func lasting(p app.Payment, goods string) []string {
	var all []string
	for _, text := range []string{p.BuyerName, goods, p.BuyerEmail} {
		all = append(all, grams(classText, app.FoldSearch(text), textGram)...)
	}
	all = append(all, grams(classNumber, p.BuyerTel, numberGram)...)
	all = append(all, grams(classID, app.FoldSearch(string(p.Moid)), numberGram)...)
	return append(all, grams(classID, app.FoldSearch(string(p.TID)), numberGram)...)
}

func scanText(s scanner) (v string, err error) { return v, s.Scan(&v) }

// rowColumns are a payment's columns with the table named, and what the list shows of its order.
var rowColumns = "p." + strings.ReplaceAll(paymentColumns, ", ", ", p.") + ", " + keyOf("p.order_no") + `, o.goods, o.state,
	(SELECT COUNT(*) FROM holds h WHERE h.order_no = p.order_no AND h.closed_at = 0),
	COALESCE((SELECT c.state FROM cancels c WHERE c.moid = p.moid AND c.state IN ('requested', 'sent', 'accepted', 'unknown')), '')`

func (d queries) scanRow(s scanner) (r app.PaymentRow, err error) {
	var sealed paymentSealed
	fields := append(paymentFields(&r.Payment, &sealed), &r.Goods, &r.OrderState, &r.OpenHolds, &r.OpenCancel, micros{&r.When}, &r.Back)
	if err := s.Scan(fields...); err != nil {
		return r, err
	}
	return r, d.openPayment(&r.Payment, sealed)
}

// The times by which a list is ordered and cut, and the money that went back of a payment, or did so in the period.
// Their words are those of the indexes.
const (
	whenOpened    = "p.opened_at"
	whenPaid      = "CASE WHEN p.approved_at > 0 THEN p.approved_at ELSE p.paid_at END"
	whenCancelled = "k.at"
	backOnce      = "CASE WHEN p.paid_at > 0 THEN p.cancelled ELSE 0 END"
	backThen      = "CASE WHEN p.paid_at > 0 THEN k.amount ELSE 0 END"

	whenBack = "CASE WHEN c.gateway_at > 0 THEN c.gateway_at ELSE c.settled_at END"
)

// when are the words for a clock: the time that it shows, and the money that went back by it.
func when(c app.Clock) (at, back string) {
	switch c {
	case app.ClockPaid, app.ClockDeposited:
		return whenPaid, backOnce
	case app.ClockCancelled:
		return whenCancelled, backThen
	}
	return whenOpened, backOnce
}

// listed writes what of the payments q lets through, from FROM on. common are the terms that let so many through that
// their index would be a detour.
func (b *builder) listed(e engine, index *dataKey, q app.PaymentQuery, common map[app.Find]bool) {
	b.WriteString(" FROM ")
	and := ""
	for _, f := range q.Terms {
		if f.Short || f.Field == "mid" || f.HasAmt && f.Amount < f.Most {
			continue
		}
		if and == "" {
			b.WriteString("(")
		}
		b.WriteString(and + "SELECT id FROM (")
		b.find(e, index, f)
		b.WriteString(") term")
		and = " INTERSECT "
	}
	if and != "" { // what the words met is few: it is gone through, not the payments
		b.WriteString(") met ")
		b.WriteString(e.joinInOrder())
		b.WriteString(" payments p ON p.id = met.id")
	} else {
		b.WriteString("payments p")
	}
	if q.Clock == app.ClockCancelled {
		b.WriteString(" JOIN (SELECT c.moid, MAX(" + whenBack + ") AS at, CAST(SUM(c.amount) AS BIGINT) AS amount, COUNT(*) AS n FROM cancels c WHERE c.state = 'done'")
		b.between(whenBack, q)
		b.WriteString(" GROUP BY c.moid) k ON k.moid = p.moid")
	}
	if q.Staff != "" {
		b.WriteString(" JOIN orders o ON o.no = p.order_no")
	}
	b.WriteString(" WHERE 1 = 1")
	for _, f := range q.Terms {
		switch {
		case f.Short:
		case f.Field == "mid":
			b.add(" AND p.mid = %s", f.Exact)
		case f.HasAmt && f.Amount < f.Most && common[f]: // the plus keeps their index out: the newest are read until there are enough
			b.add(" AND +p.amount BETWEEN %s AND %s", f.Amount, f.Most)
		case f.HasAmt && f.Amount < f.Most:
			b.add(" AND p.amount BETWEEN %s AND %s", f.Amount, f.Most)
		}
	}
	switch q.Clock {
	case app.ClockCancelled: // withdrawing an account moved no money
		b.WriteString(" AND p.approved > 0")
	case app.ClockPaid, app.ClockDeposited:
		b.WriteString(" AND p.paid_at > 0")
		b.between(whenPaid, q)
	default:
		b.between(whenOpened, q)
	}
	if q.Clock == app.ClockDeposited {
		b.add(" AND p.method = %s", smartro.Vbank)
	}
	b.in(" AND p.method", texts(q.Methods))
	b.in(" AND p.state", texts(q.States))
	b.in(" AND p.proof", texts(q.Proofs))
	if q.Mode != "" {
		b.add(" AND p.mode = %s", q.Mode)
	}
	if q.MID != "" {
		b.add(" AND p.mid = %s", q.MID)
	}
	if q.Device != "" {
		b.add(" AND p.device = %s", q.Device)
	}
	if q.Staff != "" {
		b.add(" AND (o.created_by = %s OR EXISTS (SELECT 1 FROM cancels s WHERE s.moid = p.moid AND s.by_staff = %s))", q.Staff, q.Staff)
	}
}

// between cuts by the period. at is one of the times above.
func (b *builder) between(at string, q app.PaymentQuery) {
	if !q.From.IsZero() {
		b.WriteString(" AND " + at)
		b.add(" >= %s", us(q.From))
	}
	if !q.To.IsZero() {
		b.WriteString(" AND " + at)
		b.add(" < %s", us(q.To))
	}
}

// searchIndexKey is what the words of q are looked up with; nil: nothing is asked by words.
func (d queries) searchIndexKey(ctx context.Context, q app.PaymentQuery) (*dataKey, error) {
	if len(q.Terms) == 0 {
		return nil, nil
	}
	return d.dataKey(ctx, keyIndex)
}

// SearchPayments reads on until it has what was asked for: a row that met the index, but not the words, is left out.
func (d queries) SearchPayments(ctx context.Context, q app.PaymentQuery) ([]app.PaymentRow, error) {
	index, err := d.searchIndexKey(ctx, q)
	if err != nil {
		return nil, err
	}
	common, err := d.common(ctx, q.Terms)
	if err != nil {
		return nil, err
	}
	at, back := when(q.Clock)
	var found []app.PaymentRow
	for {
		b := &builder{}
		// What a row shows is read of the page's rows alone, not of all that are sorted for it.
		b.WriteString("SELECT " + rowColumns + ", page.at, page.back FROM (SELECT p.id AS id, p.moid AS moid, " + at + " AS at, " + back + " AS back")
		b.listed(d.engine, index, q, common)
		if !q.After.At.IsZero() {
			b.WriteString(" AND (" + at + ", p.moid) <")
			b.add(" (%s, %s)", us(q.After.At), q.After.ID)
		}
		b.WriteString(" ORDER BY " + at + " DESC, p.moid DESC")
		b.add(" LIMIT %s) page JOIN payments p ON p.id = page.id JOIN orders o ON o.no = p.order_no ORDER BY page.at DESC, page.moid DESC", q.Limit)
		rows, err := many(ctx, d, d.scanRow, b.String(), b.args...)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if app.Meets(r, q.Terms) {
				found = append(found, r)
			}
		}
		if len(rows) < q.Limit || len(found) >= q.Limit {
			return found[:min(len(found), q.Limit)], nil
		}
		last := rows[len(rows)-1]
		q.After = app.Cursor{At: last.When, ID: string(last.Moid)}
	}
}

// commonFrom is how many payments make a range of amounts common.
const commonFrom = 5_000

// common are the ranges of amounts that so many payments are in that the newest of them are soon found by going back in
// time; others are found by their index, and then sorted.
func (d queries) common(ctx context.Context, terms []app.Find) (map[app.Find]bool, error) {
	found := map[app.Find]bool{}
	for _, f := range terms {
		if !f.HasAmt || f.Amount == f.Most {
			continue
		}
		n, err := one(ctx, d, scanInt, "SELECT COUNT(*) FROM (SELECT 1 FROM payments WHERE amount BETWEEN $1 AND $2 LIMIT $3) met", f.Amount, f.Most, commonFrom)
		if err != nil {
			return nil, err
		}
		found[f] = n == commonFrom
	}
	return found, nil
}

// SumPayments adds up in the database what no words were asked for; what words met is opened row by row.
func (d queries) SumPayments(ctx context.Context, q app.PaymentQuery) ([]app.Sums, error) {
	if len(q.Terms) > 0 {
		rows, err := d.SearchPayments(ctx, q)
		if err != nil {
			return nil, err
		}
		return app.AddUp(rows), nil
	}
	at, back := when(q.Clock)
	b := &builder{}
	b.WriteString(`SELECT mode, COUNT(*), CAST(SUM(CASE WHEN paid_at > 0 THEN 1 ELSE 0 END) AS BIGINT), CAST(SUM(CASE WHEN paid_at > 0 THEN approved ELSE 0 END) AS BIGINT),
		CAST(SUM(back) AS BIGINT), CAST(SUM(CASE WHEN state = 'hold' THEN approved ELSE 0 END) AS BIGINT)
		FROM (SELECT p.mode AS mode, p.paid_at AS paid_at, p.approved AS approved, p.state AS state, ` + back + ` AS back`)
	b.listed(d.engine, nil, q, nil)
	b.WriteString(" ORDER BY " + at + " DESC, p.moid DESC")
	b.add(" LIMIT %s) listed GROUP BY mode ORDER BY mode", q.Limit)
	scan := func(s scanner) (t app.Sums, err error) {
		return t, s.Scan(&t.Mode, &t.Count, &t.Paid, &t.Sales, &t.Back, &t.Held)
	}
	return many(ctx, d, scan, b.String(), b.args...)
}

// ReportPayments adds up by method and company: by [app.ClockCancelled] the cancels, otherwise what was paid.
func (d queries) ReportPayments(ctx context.Context, q app.PaymentQuery) ([]app.ReportLine, error) {
	b := &builder{}
	b.WriteString("SELECT method, company, CAST(SUM(n) AS BIGINT), CAST(SUM(amount) AS BIGINT) FROM (SELECT p.method AS method, CASE WHEN p.card_name <> '' THEN p.card_name ELSE p.vbank_name END AS company, ")
	if q.Clock == app.ClockCancelled {
		b.WriteString("k.n AS n, k.amount AS amount")
	} else {
		b.WriteString("1 AS n, p.approved AS amount")
	}
	b.listed(d.engine, nil, q, nil)
	b.WriteString(" AND p.paid_at > 0) listed GROUP BY method, company ORDER BY method, company")
	scan := func(s scanner) (l app.ReportLine, err error) { return l, s.Scan(&l.Method, &l.Company, &l.N, &l.Won) }
	return many(ctx, d, scan, b.String(), b.args...)
}

// find writes the numbers of the payments that any reading of a term may meet, each by its own index.
func (b *builder) find(e engine, index *dataKey, f app.Find) {
	or := ""
	part := func(text string, values ...any) {
		b.WriteString(or)
		b.add(text, values...)
		or = " UNION "
	}
	in := func(fields ...string) bool { return f.Field == "" || slices.Contains(fields, f.Field) }
	indexed := func(class, s string, n int) {
		if list := grams(class, s, n); len(list) > 0 {
			part(e.searchIndex(), e.allOf(words(index, list)))
		}
	}
	if f.Exact != "" && in("tid") {
		part("SELECT id FROM payments WHERE mode IN ('test', 'real') AND tid = %s AND tid <> ''", f.Exact) // as their index has it
	}
	if f.Exact != "" && in("order") {
		part("SELECT id FROM payments WHERE moid = %s", f.Exact)
		part("SELECT id FROM payments WHERE order_no = %s", f.Exact)
	}
	if f.Exact != "" && in("approval") {
		part("SELECT id FROM payments WHERE auth_code = %s AND auth_code <> ''", f.Exact)
	}
	if f.HasAmt {
		part("SELECT id FROM payments WHERE amount = %s", f.Amount)
	}
	if in("phone") {
		indexed(classNumber, f.Digits, numberGram)
	}
	if in("card", "account") {
		indexed(classMoney, f.Digits, numberGram)
	}
	if in("tid", "order") {
		indexed(classID, app.FoldSearch(f.Part), numberGram)
	}
	if in("name", "goods", "mail") {
		indexed(classText, app.FoldSearch(f.Text), textGram)
	}
	if or == "" {
		part("SELECT id FROM payments WHERE 1 = 0")
	}
}
