package db

import (
	"context"
	"time"

	"gage/app"
)

const accessColumns = "id, at, kind, staff_id, peer, order_no, subject, reason, private"

// accessPrivate is what a person typed into the record of accesses.
type accessPrivate struct {
	Words string `json:",omitempty"`
}

type accessRow struct {
	app.Access
	private string
}

func scanAccess(s scanner) (r accessRow, err error) {
	return r, s.Scan(&r.ID, micros{&r.At}, &r.Kind, &r.StaffID, &r.Peer, &r.OrderNo, &r.Subject, &r.Reason, &r.private)
}

func (t *transaction) AddAccess(ctx context.Context, a app.Access) error {
	k, err := t.makeKey(ctx, eventKey(a.OrderNo))
	if err != nil {
		return err
	}
	private, err := sealJSON(k, "accesses/"+a.ID, accessPrivate{a.Words})
	if err != nil {
		return err
	}
	t.touch("accesses", a.ID)
	return inserted(t.exec(ctx, "INSERT INTO accesses ("+accessColumns+") VALUES ("+dollars(9)+") ON CONFLICT DO NOTHING",
		a.ID, us(a.At), a.Kind, a.StaffID, a.Peer, a.OrderNo, a.Subject, a.Reason, private))
}

func (d queries) Accesses(ctx context.Context, q app.AccessQuery) ([]app.Access, error) {
	b := &builder{}
	b.WriteString("SELECT " + accessColumns + " FROM accesses WHERE 1 = 1")
	if q.StaffID != "" {
		b.add(" AND staff_id = %s", q.StaffID)
	}
	if q.OrderNo != "" {
		b.add(" AND order_no = %s AND order_no <> ''", q.OrderNo)
	}
	b.in(" AND kind", texts(q.Kinds))
	if !q.From.IsZero() {
		b.add(" AND at >= %s", us(q.From))
	}
	if !q.To.IsZero() {
		b.add(" AND at < %s", us(q.To))
	}
	if !q.After.At.IsZero() {
		b.add(" AND (at, id) < (%s, %s)", us(q.After.At), q.After.ID)
	}
	b.add(" ORDER BY at DESC, id DESC LIMIT %s", q.Limit)
	rows, err := many(ctx, d, scanAccess, b.String(), b.args...)
	if err != nil {
		return nil, err
	}
	list := make([]app.Access, len(rows))
	keys := map[string]*dataKey{}
	for i, r := range rows {
		id := eventKey(r.OrderNo)
		if _, ok := keys[id]; !ok {
			if keys[id], err = d.dataKey(ctx, id); err != nil {
				return nil, err
			}
		}
		var private accessPrivate
		if err := openJSON(keys[id], "accesses/"+r.ID, r.private, &private); err != nil {
			return nil, err
		}
		list[i] = r.Access
		list[i].Words = private.Words
	}
	return list, nil
}

func (d queries) AccessCounts(ctx context.Context, from, before time.Time) ([]app.AccessCount, error) {
	scan := func(s scanner) (c app.AccessCount, err error) { return c, s.Scan(&c.StaffID, &c.Kind, &c.N) }
	return many(ctx, d, scan, "SELECT staff_id, kind, COUNT(*) FROM accesses WHERE at >= $1 AND at < $2 GROUP BY staff_id, kind ORDER BY staff_id, kind", us(from), us(before))
}

func (d queries) Review(ctx context.Context, month string) (app.Access, error) {
	r, err := one(ctx, d, scanAccess, "SELECT "+accessColumns+" FROM accesses WHERE kind = 'reviewed_accesses' AND subject = $1 ORDER BY at, id LIMIT 1", month)
	return r.Access, err
}
