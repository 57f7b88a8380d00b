package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"gage/app"
	"gage/smartro"
)

// How the shop's own system behaves for a while.
const (
	systemUp = iota
	systemFails
	systemSilent // it takes what comes, and its answer is lost
)

// hookUp gives the shop a system to tell, which looks at each document as it comes: what it tells is stored for good,
// it is the same however often it comes, and nothing of its order is skipped.
func (w *world) hookUp() {
	w.system = &system{
		meeting: func(p app.Parcel) {
			var doc struct{ Order struct{ Number app.OrderNo } }
			err := json.Unmarshal(p.Body, &doc)
			list, readErr := w.shop.Store.DeliveriesOf(context.Background(), doc.Order.Number)
			if err = errors.Join(err, readErr); err != nil || !slices.ContainsFunc(list, func(d app.Delivery) bool { return d.ID == p.Header["Gage-Id"] && d.Body == string(p.Body) }) {
				w.t.Errorf("told under the ID %s, and no such document is stored: %s, %v", p.Header["Gage-Id"], p.Body, err)
			}
		},
		answer: func(app.Parcel) (int, error) {
			switch w.systemIs {
			case systemFails:
				return 503, nil
			case systemSilent:
				return 0, &app.CarryError{Code: app.CarryTimeout}
			}
			return 200, nil
		},
	}
	w.shop.Carrier = w.system
	if _, err := w.shop.SetHook(w.ctx(), w.owner, smartro.Test, "https://system.example/gage", app.AllNews()); err != nil {
		w.t.Fatal(err)
	}
}

// changeSystem has the shop's own system fail for a while, or not.
func (w *world) changeSystem(r *rand.Rand) {
	w.systemIs, _ = pick(r, []int{systemUp, systemUp, systemFails, systemSilent})
	w.note("it is now %d", w.systemIs)
}

// checkTold: what came is what was written, and each order's documents came one after the other.
func (w *world) checkTold() {
	w.t.Helper()
	if w.system == nil {
		return
	}
	bodies, last := map[string]string{}, map[app.OrderNo]int{}
	for _, d := range w.system.got {
		id, o := d.Header["Gage-Id"], d.doc.Order
		if was, again := bodies[id]; again {
			if was != string(d.Body) {
				w.t.Errorf("%s came as %s, and before as %s", id, d.Body, was)
			}
			continue
		}
		bodies[id] = string(d.Body)
		if o.Sequence != last[o.Number]+1 {
			w.t.Errorf("document %d of %s came after %d", o.Sequence, o.Number, last[o.Number])
		}
		last[o.Number] = o.Sequence
	}
}

// compareTold: when all is over the shop's own system knows of every payment what the shop knows.
func (w *world) compareTold() {
	w.t.Helper()
	if w.system == nil {
		return
	}
	w.checkTold()
	list, err := w.shop.Store.Deliveries(w.ctx(), smartro.Test, 10_000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, d := range list {
		if d.State != app.DeliveryDone {
			w.t.Errorf("still owed: %+v", d)
		}
	}
	known := map[app.Moid]string{}
	for _, d := range w.system.got {
		p := d.doc.Payment
		known[p.Number] = fmt.Sprint(p.State, p.TID, p.Approved, p.Cancelled)
	}
	for _, p := range w.payments(app.WaitingDeposit, app.Paid, app.PartlyCancelled, app.Cancelled, app.Held) {
		if want := fmt.Sprint(p.State, p.TID, p.Approved, p.Cancelled); known[p.Moid] != want {
			w.t.Errorf("the shop's own system knows %q of %s, which is %q", known[p.Moid], p.Moid, want)
		}
	}
}
