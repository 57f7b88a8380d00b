package app_test

import (
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// TestMisfits: whatever comes on the gateway's way and fits nothing, or can't be read, asks for a hand until a person has
// looked; what a stranger sends elsewhere does not.
//
// proves R2
func TestMisfits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		v := r.open(10_000, smartro.Vbank)
		nobody := app.Payment{Moid: "NOBODY09", MID: smartro.DemoMID, Method: smartro.Card}
		account := app.Payment{Moid: "NOBODY08", MID: smartro.DemoMID, Method: smartro.Vbank}
		unsigned := notice(v, r.tid(smartro.Vbank), "4110", 10_000)
		misfits := func() int {
			t.Helper()
			w, err := r.Worklist(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return w.Misfits
		}
		want := 0
		for name, fields := range map[string][]smartro.Field{
			"garbage":                   {{Name: "a", Value: "b"}},
			"a decisive field twice":    append(notice(v, r.tid(smartro.Vbank), "4110", 10_000), smartro.Field{Name: "amt", Value: "1"}),
			"unsigned":                  unsigned[:len(unsigned)-1],
			"another MID":               with(notice(v, r.tid(smartro.Vbank), "4110", 10_000), "MID", "otherdemo1"),
			"a cancel of no order":      notice(nobody, r.tid(smartro.Card), "2001", 5_000, smartro.Field{Name: "OTID", Value: string(r.tid(smartro.Card))}),
			"an account of another sum": notice(v, r.tid(smartro.Vbank), "4100", 1),
			"an account of no order":    notice(account, r.tid(smartro.Vbank), "4100", 1),
		} {
			verdict := r.notify(fields)
			if want++; misfits() != want {
				t.Errorf("%s (%s): %d, want %d", name, verdict, misfits(), want)
				want = misfits()
			}
			r.browser(fields, "")
			r.receive(app.Arrival{Channel: app.ChannelNotify, Secret: "SOMETHINGELSESOMETHINGELSE", Peer: strangerAddr, Body: smartro.EncodeForm(fields, smartro.EUCKR)})
			if misfits() != want {
				t.Errorf("%s, as a stranger sends it: %d, want %d", name, misfits(), want)
			}
		}
		if err := r.SeeMisfits(t.Context(), r.owner); err != nil {
			t.Fatal(err)
		}
		if n := misfits(); n != 0 {
			t.Errorf("after somebody looked: %d", n)
		}
		r.now = r.now.Add(time.Second)
		r.notify(notice(nobody, r.tid(smartro.Card), "2001", 700, smartro.Field{Name: "OTID", Value: string(r.tid(smartro.Card))}))
		if n := misfits(); n != 1 {
			t.Errorf("and another: %d", n)
		}
	})
}
