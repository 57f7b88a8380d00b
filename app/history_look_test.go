package app_test

import (
	"database/sql"
	"errors"
	"net/url"
	"slices"
	"strings"

	"gage/app"
	"gage/smartro"
)

// looked is how far the checks have looked, so that a step's checks need look only at what the step touched.
type looked struct {
	seq       int64                 // the last row of the log
	orders    map[app.OrderNo]bool  // all of the world's, as far as they are counted
	counted   [2]int                // of its orders and regulars
	cancelled []app.OrderNo         // those that have cancels
	sends     map[app.OrderNo]int64 // of their cancels
	sent      int64                 // all together
	told      map[app.Moid][]app.TID
	fresh     []app.TID // proofs that came since
	known     map[string]*sql.Stmt
}

func newLooked() looked {
	return looked{
		orders: map[app.OrderNo]bool{}, sends: map[app.OrderNo]int64{}, told: map[app.Moid][]app.TID{}, known: map[string]*sql.Stmt{},
	}
}

func (l *looked) close() error {
	var errs []error
	for _, s := range l.known {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// query looks at the tables past the store.
func (w *world) query(text string, args ...any) *sql.Rows {
	w.t.Helper()
	s := w.looked.known[text]
	if s == nil {
		var err error
		if s, err = w.raw.PrepareContext(w.ctx(), text); err != nil {
			w.t.Fatal(err)
		}
		w.looked.known[text] = s
	}
	rows, err := s.QueryContext(w.ctx(), args...)
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

// number is what a query for one whole number says.
func (w *world) number(text string, args ...any) (n int64) {
	w.t.Helper()
	rows := w.query(text, args...)
	defer rows.Close()
	if !rows.Next() || rows.Scan(&n) != nil {
		w.t.Fatal(text, rows.Err())
	}
	return n
}

// count takes note of the orders that are new.
func (w *world) count() {
	l := &w.looked
	for _, o := range w.orders[l.counted[0]:] {
		l.orders[o.No] = true
	}
	for _, o := range w.regulars[l.counted[1]:] {
		l.orders[o.No] = true
	}
	l.counted = [2]int{len(w.orders), len(w.regulars)}
}

// everyOrder is all of the world's orders.
func (w *world) everyOrder() []app.OrderNo {
	w.count()
	list := make([]app.OrderNo, 0, len(w.looked.orders))
	for _, o := range slices.Concat(w.orders, w.regulars) {
		list = append(list, o.No)
	}
	return list
}

// touched names the orders that the log speaks of since it was last asked, and checks that it goes on without a gap.
// Nothing changes without the log: where something did, the looks at everything find it.
func (w *world) touched() (list []app.OrderNo) {
	w.t.Helper()
	w.count()
	touch := func(no app.OrderNo) {
		if w.looked.orders[no] && !slices.Contains(list, no) {
			list = append(list, no)
		}
	}
	var cancels []string
	rows := w.query("SELECT seq, order_no, record FROM events WHERE seq > $1 ORDER BY seq", w.looked.seq)
	for rows.Next() {
		var seq int64
		var no app.OrderNo
		var record string
		if err := rows.Scan(&seq, &no, &record); err != nil {
			w.t.Fatal(err)
		}
		if seq != w.looked.seq+1 {
			w.t.Errorf("the log goes on with row %d after %d", seq, w.looked.seq)
		}
		w.looked.seq = seq
		touch(no)
		switch table, key, _ := strings.Cut(record, "/"); table {
		case "orders":
			touch(app.OrderNo(key))
		case "payments":
			touch(w.opened[app.Moid(key)].OrderNo)
		case "cancels":
			cancels = append(cancels, key)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		w.t.Fatal(err)
	}
	for _, id := range cancels {
		c, err := w.shop.Store.Cancel(w.ctx(), id)
		if err != nil {
			w.t.Fatal(err)
		}
		touch(c.OrderNo)
		if !slices.Contains(w.looked.cancelled, c.OrderNo) {
			w.looked.cancelled = append(w.looked.cancelled, c.OrderNo)
		}
	}
	return list
}

// books is what both sides' books say of some orders.
type books struct {
	orders   []app.Order
	payments map[app.OrderNo][]app.Payment
	cancels  map[app.OrderNo][]app.Cancel
	events   map[app.OrderNo][]app.Event
	byTID    map[app.TID]app.Payment
	theirs   map[app.TID]bookPayment
}

// read opens the books of some orders. all: they are all there are.
func (w *world) read(list []app.OrderNo, all bool) books {
	w.t.Helper()
	b := books{
		payments: map[app.OrderNo][]app.Payment{}, cancels: map[app.OrderNo][]app.Cancel{}, events: map[app.OrderNo][]app.Event{},
		byTID: map[app.TID]app.Payment{}, theirs: map[app.TID]bookPayment{},
	}
	which := url.Values{}
	for _, no := range list {
		o, err1 := w.shop.Store.Order(w.ctx(), no)
		ps, err2 := w.shop.Store.PaymentsOf(w.ctx(), no)
		es, err3 := w.shop.Store.Events(w.ctx(), no)
		cs, err4 := w.shop.Store.Cancels(w.ctx(), no)
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			w.t.Fatal(err)
		}
		b.orders = append(b.orders, o)
		b.payments[no], b.events[no], b.cancels[no] = ps, es, cs
		for _, p := range ps {
			if p.TID != "" {
				b.byTID[p.TID] = p
				which.Add("tid", string(p.TID))
			}
		}
	}
	if all {
		which = nil
	} else if len(which) == 0 {
		return b
	}
	for _, p := range w.bookOf(which).Payments {
		b.theirs[p.TID] = p
	}
	return b
}

// places counts where the money of an approval stands that the gateway told us of: as a payment's, or kept apart.
func (w *world) places(tid app.TID) int {
	w.t.Helper()
	p, err := w.shop.Store.PaymentByTID(w.ctx(), smartro.Test, tid)
	if err != nil && !errors.Is(err, app.ErrNotFound) {
		w.t.Fatal(err)
	}
	n := w.number("SELECT COUNT(*) FROM holds WHERE mode = 'test' AND tid = $1 AND own = 0 AND reason <> 'review'", tid)
	if p.Approved > 0 {
		n++
	}
	return int(n)
}

// keptApart counts the holds of each transaction's money.
func (w *world) keptApart() map[app.TID]int {
	w.t.Helper()
	all := map[app.TID]int{}
	rows := w.query("SELECT tid FROM holds WHERE own = 0 AND reason <> 'review'")
	defer rows.Close()
	for rows.Next() {
		var tid app.TID
		if err := rows.Scan(&tid); err != nil {
			w.t.Fatal(err)
		}
		all[tid]++
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return all
}
