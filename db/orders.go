package db

import (
	"context"
	"fmt"
	"strings"

	"gage/app"
)

const orderColumns = "no, token, mid, mode, goods, goods_cnt, amount, tax_free, vat, service, private, methods, due_at, created_at, created_by, closed_at, state, attempts, subscription"

// keyOf reads the data key of the order that a column names; "" if it was destroyed.
func keyOf(column string) string {
	return "COALESCE((SELECT k.sealed FROM data_keys k WHERE k.id = " + column + "), '')"
}

var selectOrder = "SELECT " + orderColumns + ", " + keyOf("no") + " FROM orders "

func (d queries) scanOrder(s scanner) (o app.Order, err error) {
	var methods, private, key string
	err = s.Scan(&o.No, &o.Token, &o.MID, &o.Mode, &o.Goods, &o.GoodsCnt, &o.Amount, &o.TaxFree, &o.VAT, &o.Service,
		&private, &methods, micros{&o.DueAt}, micros{&o.CreatedAt}, &o.CreatedBy,
		micros{&o.ClosedAt}, &o.State, &o.Attempts, &o.Subscription, &key)
	if err != nil {
		return o, err
	}
	for m := range strings.FieldsSeq(methods) {
		o.Methods = append(o.Methods, app.Method(m))
	}
	k, err := d.unwrap(string(o.No), key)
	if err != nil {
		return o, err
	}
	var who orderPrivate
	err = openJSON(k, "orders/"+string(o.No), private, &who)
	o.BuyerName, o.BuyerTel, o.BuyerEmail, o.Erased = who.Name, who.Tel, who.Email, k == nil
	return o, err
}

func (d queries) Order(ctx context.Context, no app.OrderNo) (app.Order, error) {
	return one(ctx, d, d.scanOrder, selectOrder+"WHERE no = $1", no)
}

func (d queries) OrderByToken(ctx context.Context, token string) (app.Order, error) {
	return one(ctx, d, d.scanOrder, selectOrder+"WHERE token = $1", token)
}

func (d queries) Orders(ctx context.Context, q app.OrderQuery) ([]app.Order, error) {
	b := &builder{}
	b.WriteString(selectOrder + "WHERE 1 = 1")
	if !q.After.At.IsZero() {
		b.add(" AND (created_at, no) < (%s, %s)", us(q.After.At), q.After.ID)
	}
	b.in(" AND state", texts(q.States))
	if q.Asked {
		b.WriteString(" AND subscription = ''")
	}
	b.add(" ORDER BY created_at DESC, no DESC LIMIT %s", q.Limit)
	return many(ctx, d, d.scanOrder, b.String(), b.args...)
}

// LockOrder writes on the row, which keeps every other writer away on both engines.
func (t *transaction) LockOrder(ctx context.Context, no app.OrderNo) (app.Order, error) {
	return one(ctx, t.queries, t.scanOrder, "UPDATE orders SET version = version + 1 WHERE no = $1 RETURNING "+orderColumns+", "+keyOf("no"), no)
}

func (t *transaction) CreateOrder(ctx context.Context, o app.Order) error {
	private, err := t.sealOrder(ctx, o)
	if err != nil {
		return err
	}
	t.made("orders", string(o.No))
	return inserted(t.exec(ctx, "INSERT INTO orders ("+orderColumns+") VALUES ("+dollars(19)+") ON CONFLICT DO NOTHING",
		o.No, o.Token, o.MID, o.Mode, o.Goods, o.GoodsCnt, o.Amount, o.TaxFree, o.VAT, o.Service, private, strings.Join(texts(o.Methods), " "), us(o.DueAt), us(o.CreatedAt), o.CreatedBy, us(o.ClosedAt), o.State, o.Attempts, o.Subscription))
}

func (t *transaction) SaveOrder(ctx context.Context, o app.Order) error {
	private, err := t.sealOrder(ctx, o)
	if err != nil {
		return err
	}
	t.touch("orders", string(o.No))
	return changed(t.exec(ctx, "UPDATE orders SET state = $2, attempts = $3, closed_at = $4, private = $5 WHERE no = $1",
		o.No, o.State, o.Attempts, us(o.ClosedAt), private))
}

func (t *transaction) sealOrder(ctx context.Context, o app.Order) (string, error) {
	k, err := t.makeKey(ctx, string(o.No))
	if err != nil {
		return "", err
	}
	return sealWords(k, "orders/"+string(o.No), orderPrivate{o.BuyerName, o.BuyerTel, o.BuyerEmail})
}

// builder writes a statement whose conditions depend on what was asked. Its texts are constants; values go in as
// parameters only.
type builder struct {
	strings.Builder
	args []any
}

// add appends text; each %s in it becomes the parameter of one value.
func (b *builder) add(text string, values ...any) {
	names := make([]any, len(values))
	for i, v := range values {
		b.args = append(b.args, v)
		names[i] = fmt.Sprintf("$%d", len(b.args))
	}
	fmt.Fprintf(&b.Builder, text, names...)
}

// in appends "column IN (values)", or nothing when there are none.
func (b *builder) in(column string, values []string) {
	if len(values) == 0 {
		return
	}
	b.WriteString(column + " IN (")
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.add("%s", v)
	}
	b.WriteString(")")
}

// dollars is "$1, $2, … $n".
func dollars(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d", i+1)
	}
	return strings.Join(list, ", ")
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}
