package app_test

import (
	"errors"
	"testing"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// TestReplay: a trial tells what a stored message would do today and leaves no trace; judging it again does that once.
func TestReplay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p, other := r.open(33_000, smartro.Card), r.open(5_000, smartro.Card)
		early := signedWith(secondKey, notice(p, r.tid(smartro.Card), "3001", 33_000)) // the key was changed there, and not yet here
		if v := r.notify(early); v != app.VerdictBadSignature {
			t.Fatalf("before the key is known: %s", v)
		}
		r.notify(notice(other, r.tid(smartro.Card), "3001", 5_000))
		inbox := func(q app.InboxQuery) []app.Message {
			t.Helper()
			list, _, err := r.Inbox(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		wrong := app.InboxQuery{Both: true, Verdicts: []app.Verdict{app.VerdictBadSignature}}
		bad, good := inbox(wrong), inbox(app.InboxQuery{Verdicts: []app.Verdict{app.VerdictGood}})
		if len(bad) != 1 || len(good) != 1 || good[0].About != other.Moid {
			t.Fatalf("the inbox: %+v, %+v", bad, good)
		}
		trial := func(id string) app.Trial {
			t.Helper()
			got, err := r.TryMessage(t.Context(), r.owner, id)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := trial(bad[0].ID); got.Changes || got.Verdict != app.VerdictBadSignature {
			t.Errorf("a trial by the old key: %+v", got)
		}
		if got := trial(good[0].ID); got.Changes || got.To != app.Paid || got.Verdict != app.VerdictDuplicate {
			t.Errorf("a trial of what is known: %+v", got)
		}
		r.changeKey(secondKey)
		last := r.lastEvent()
		if got := trial(bad[0].ID); !got.Changes || got.To != app.Paid || got.Verdict != app.VerdictGood || got.Level != app.T2 {
			t.Errorf("a trial by the new key: %+v", got)
		}
		r.want(p.Moid, app.Opened)
		if n := r.lastEvent(); n != last || len(inbox(wrong)) != 1 {
			t.Errorf("trials left %d events, want %d", n, last)
		}

		if err := r.ReplayMessage(t.Context(), r.owner, bad[0].ID); err != nil {
			t.Fatal(err)
		}
		r.want(p.Moid, app.Paid)
		if err := r.ReplayMessage(t.Context(), r.owner, good[0].ID); !errors.Is(err, app.ErrBadInput) {
			t.Errorf("what did its work, again: %v", err)
		}
		if list := inbox(app.InboxQuery{}); len(list) != 2 || list[0].Verdict != app.VerdictGood || list[1].Verdict != app.VerdictGood {
			t.Errorf("the inbox afterwards: %+v", list)
		}
		for _, who := range []app.Staff{{ID: "v", Role: app.RoleViewer}, {ID: "a", Role: app.RoleAccountant}} {
			if _, err := r.TryMessage(t.Context(), who, good[0].ID); err == nil {
				t.Errorf("%s may try", who.Role)
			}
			if err := r.ReplayMessage(t.Context(), who, good[0].ID); err == nil || errors.Is(err, app.ErrBadInput) {
				t.Errorf("%s may judge again: %v", who.Role, err)
			}
		}
	})
}
