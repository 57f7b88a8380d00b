package app_test

import (
	"slices"
	"testing"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// TestOrigin: an event says who sent what it came of, in which request, and when by the gateway's own clock; a message that
// is judged again in another request keeps its own sender, and the gateway's answer to our call none.
//
// proves E1
func TestOrigin(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p, late := r.open(10000, smartro.Card), r.open(20000, smartro.Card)
		told := app.From(t.Context(), app.Origin{Peer: gatewayAddr, RequestID: "NOTICE"})
		if _, err := r.Receive(told, r.told(notice(p, r.tid(smartro.Card), "3001", 10000))); err != nil {
			t.Fatal(err)
		}
		r.gw.cancel = func(q smartro.CancelRequest) (smartro.CancelAnswer, error) {
			return smartro.CancelAnswer{TID: q.TID, ResultCode: "2001", Amt: q.Amt, CancelDate: "20261123", CancelTime: "150000", Raw: []byte("done")}, nil
		}
		asked := app.From(t.Context(), app.Origin{Peer: strangerAddr, RequestID: "CANCEL"})
		if c, err := r.Cancel(asked, r.owner, p.Moid, app.CancelInput{Key: "0123456789abcdef", Whole: true, Reason: "반품"}); err != nil || c.State != app.CancelStateDone {
			t.Fatal(c.State, err)
		}
		a := r.told(notice(late, r.tid(smartro.Card), "3001", 20000))
		a.Peer = strangerAddr
		if _, err := r.Receive(told, a); err != nil {
			t.Fatal(err)
		}
		if err := r.DecideSender(app.From(t.Context(), app.Origin{Peer: gatewayAddr, RequestID: "APPROVE"}), r.owner, strangerAddr.String(), true); err != nil {
			t.Fatal(err)
		}
		r.want(late.Moid, app.Paid)
		type origin struct{ peer, request, gateway string }
		for _, c := range []struct {
			of   app.Payment
			kind app.EventKind
			want origin
		}{
			{p, app.FormServed, origin{}},
			{p, app.Approved, origin{gatewayAddr.String(), "NOTICE", "261123140001"}},
			{p, app.StaffCancel, origin{strangerAddr.String(), "CANCEL", ""}},
			{p, app.CancelDone, origin{"", "CANCEL", "20261123150000"}},
			{late, app.Approved, origin{strangerAddr.String(), "APPROVE", "261123140001"}},
		} {
			list, err := s.Events(t.Context(), c.of.OrderNo)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(list, func(e app.Event) bool { return e.Kind == c.kind })
			if i < 0 {
				t.Errorf("%s of %s did not happen", c.kind, c.of.Moid)
				continue
			}
			if got := (origin{list[i].Peer, list[i].RequestID, list[i].GatewayTime}); got != c.want {
				t.Errorf("%s of %s came from %+v, want %+v", c.kind, c.of.Moid, got, c.want)
			}
		}
		dbtest.Whole(t, s)
	})
}
