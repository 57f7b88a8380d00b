package app_test

import (
	"errors"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// account is what a message says of a virtual account besides the rest.
func account() []smartro.Field {
	return []smartro.Field{{Name: "VbankNum", Value: "110123456789"}, {Name: "VbankName", Value: "신한은행"}}
}

// claimedAccount is a payment whose account only the buyer's browser told of, at a gateway that answers no inquiry.
func claimedAccount(r *rig) (app.Payment, app.TID) {
	r.t.Helper()
	r.gw.inquire = func(app.TID) (smartro.Inquiry, error) { return smartro.Inquiry{}, errors.New("no answer") }
	p, tid := r.open(10000, smartro.Vbank), r.tid(smartro.Vbank)
	r.browser(notice(p, tid, "4100", 10000, account()...), p.ReturnToken)
	return r.want(p.Moid, app.Claimed), tid
}

// TestClaimedAccount: an account that only the buyer's browser told of stays claimed, whatever the time, and is on the
// list and the board, for money may be on it of which the notice was lost. Its order can be paid in another way when the
// account takes no more; a late notice still pays it.
//
// proves R9, I7
func TestClaimedAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p, tid := claimedAccount(r)
		listed := func(when string) {
			t.Helper()
			w, err := r.Worklist(t.Context())
			m, boardErr := r.MismatchBoard(t.Context())
			if err := errors.Join(err, boardErr); err != nil || len(w.Claimed) != 1 || len(m) != 1 || m[0].Kind != app.MismatchClaimedUnproved {
				t.Errorf("%s: on the list %d, on the board %+v, %v", when, len(w.Claimed), m, err)
			}
		}
		r.now = r.now.Add(16 * time.Minute)
		listed("without a notice")
		if co, err := r.Checkout(t.Context(), mustToken(r, p.OrderNo)); err != nil || co.Status != app.BuyerWaiting {
			t.Errorf("the buyer is told %s, %v", co.Status, err)
		}
		r.now = r.now.Add(10 * 24 * time.Hour)
		work(r)
		r.want(p.Moid, app.Claimed)
		listed("past its due date")
		if co, err := r.Checkout(t.Context(), mustToken(r, p.OrderNo)); err != nil || co.Status != app.BuyerOpen {
			t.Errorf("past its due date the buyer is told %s, %v", co.Status, err)
		}
		r.again(mustToken(r, p.OrderNo), smartro.Card)
		r.notify(notice(p, tid, "4110", 10000))
		r.want(p.Moid, app.Paid)
	})
}

// TestVoidClaimExpires: a claim that was void is an open window again, for which the clock goes on.
//
// proves R13, I7
func TestVoidClaimExpires(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p, tid := claimedAccount(r)
		r.now = r.now.Add(10 * 24 * time.Hour)
		work(r)
		q := r.open(10000, smartro.Vbank)
		r.notify(notice(q, tid, "4110", 10000))
		r.want(q.Moid, app.Paid)
		if got := r.want(p.Moid, app.Opened); got.TID != "" || got.VbankNum != "" {
			t.Errorf("the void claim keeps %s and %s", got.TID, got.VbankNum)
		}
		work(r)
		r.want(p.Moid, app.Expired)
	})
}

// TestIssuedAfterClaim: an account that the gateway tells of only when the clock has passed over the claim runs out all the
// same.
//
// proves I7
func TestIssuedAfterClaim(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p, tid := claimedAccount(r)
		r.now = r.now.Add(10 * 24 * time.Hour)
		work(r)
		r.notify(notice(p, tid, "4100", 10000, account()...))
		r.want(p.Moid, app.WaitingDeposit)
		work(r)
		r.want(p.Moid, app.Expired)
	})
}

// TestLookedAtTooEarly: a look at the clock before the time is no last one.
//
// proves R26, I7
func TestLookedAtTooEarly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r, ctx := newRig(t, s), t.Context()
		p := r.open(10000, smartro.Card)
		err := s.Update(ctx, func(tx app.Tx) error {
			return tx.AddJob(ctx, app.Job{ID: "early", Kind: app.JobExpire, Ref: string(p.Moid), DueAt: r.now, CreatedAt: r.now})
		})
		if err != nil {
			t.Fatal(err)
		}
		work(r)
		r.want(p.Moid, app.Opened)
		r.now = r.now.Add(app.OpenFor)
		work(r)
		r.want(p.Moid, app.Expired)
	})
}

// TestClaimOfExpired: what an older version expired on a browser's claim keeps the TID from nobody; an account that the
// gateway itself told of keeps it.
//
// proves R13
func TestClaimOfExpired(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r, ctx := newRig(t, s), t.Context()
		claimed, tid := claimedAccount(r)
		err := s.Update(ctx, func(tx app.Tx) error {
			e := app.Event{
				At: r.now, Kind: app.Timer, Level: app.T3, OrderNo: claimed.OrderNo, Moid: claimed.Moid, Mode: claimed.Mode, MID: claimed.MID, TID: tid,
				From: app.Claimed, To: app.Expired, Proof: app.ProofNone,
			}
			seq, err := tx.AppendEvent(ctx, e)
			e.Seq = seq
			return errors.Join(err, tx.SavePayment(ctx, claimed.Apply(e)))
		})
		if err != nil {
			t.Fatal(err)
		}
		issued, told := r.open(10000, smartro.Vbank), r.tid(smartro.Vbank)
		r.notify(notice(issued, told, "4100", 10000, account()...))
		r.now = r.now.Add(10 * 24 * time.Hour)
		work(r)
		r.want(issued.Moid, app.Expired)
		for _, c := range []struct {
			of   app.Payment
			tid  app.TID
			want app.State
			left app.TID
		}{{claimed, tid, app.Paid, ""}, {issued, told, app.Opened, told}} {
			q := r.open(10000, smartro.Vbank)
			r.notify(notice(q, c.tid, "4110", 10000))
			r.want(q.Moid, c.want)
			if got := r.want(c.of.Moid, app.Expired); got.TID != c.left {
				t.Errorf("%s keeps the TID %q, want %q", c.of.Moid, got.TID, c.left)
			}
		}
		dbtest.Whole(t, s)
	})
}
