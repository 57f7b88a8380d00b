package db

import (
	"context"
	"strconv"
	"strings"

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
	var where []string
	var args []any
	add := func(cond string, v ...any) {
		for _, one := range v {
			args = append(args, one)
			cond = strings.Replace(cond, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		where = append(where, cond)
	}
	if q.StaffID != "" {
		add("staff_id = ?", q.StaffID)
	}
	if q.OrderNo != "" {
		add("order_no = ? AND order_no <> ''", q.OrderNo)
	}
	if len(q.Kinds) > 0 {
		var kinds []any
		for _, k := range q.Kinds {
			kinds = append(kinds, k)
		}
		add("kind IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(kinds)), ", ")+")", kinds...)
	}
	if !q.From.IsZero() {
		add("at >= ?", us(q.From))
	}
	if !q.To.IsZero() {
		add("at < ?", us(q.To))
	}
	if !q.After.At.IsZero() {
		add("(at, id) < (?, ?)", us(q.After.At), q.After.ID)
	}
	sql := "SELECT " + accessColumns + " FROM accesses"
	if len(where) > 0 {
		sql += " WHERE " + strings.Join(where, " AND ")
	}
	rows, err := many(ctx, d, scanAccess, sql+" ORDER BY at DESC, id DESC LIMIT "+strconv.Itoa(q.Limit), args...)
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
