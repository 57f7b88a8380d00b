package app_test

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// TestResentWhileLookedAfter: a whole cancel that a person has sent again while the job of the first call asks about it,
// and whose second call dies with its process, is found by that job all the same.
//
// proves R17, I7
func TestResentWhileLookedAfter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p, c := unknownCancel(r)
		r.gw.cancel = func(smartro.CancelRequest) (smartro.CancelAnswer, error) {
			runtime.Goexit() // the process is gone before it answers
			return smartro.CancelAnswer{}, nil
		}
		asked := 0
		r.gw.inquire = func(tid app.TID) (smartro.Inquiry, error) {
			if asked++; asked == 1 {
				if c, err := r.ResendCancel(t.Context(), r.owner, c.ID); err != nil || c.State != app.CancelStateSent {
					t.Errorf("sent again: %s, %v", c.State, err)
				}
			}
			return smartro.Inquiry{TID: tid, State: "0", HasBalance: true, Balance: 10000, Amt: 10000, Raw: []byte("nothing went back")}, nil
		}
		r.now = r.now.Add(2 * time.Minute)
		work(r)
		again := rigOn(t, s) // started anew
		again.gw.inquire = r.gw.inquire
		again.now = r.now.Add(9 * time.Minute) // too soon for the balance to mean that nothing happened
		work(again)
		if got, err := s.Cancel(t.Context(), c.ID); err != nil || got.State != app.CancelStateUnknown {
			t.Errorf("nine minutes later it is %s, %v", got.State, err)
		}
		if w, err := again.Worklist(t.Context()); err != nil || len(w.Cancels) != 1 {
			t.Errorf("on the list: %+v, %v", w.Cancels, err)
		}
		r.want(p.Moid, app.Paid)
	})
}

// TestSentForEver: a cancel without an answer that no job looks after any more is on the list, and asking about it makes
// it unknown, so that a person can settle it.
//
// proves R17, I7
func TestSentForEver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p, c := unknownCancel(r)
		r.gw.inquire = func(app.TID) (smartro.Inquiry, error) { return smartro.Inquiry{}, errors.New("no answer") }
		err := s.Update(t.Context(), func(tx app.Tx) error {
			jobs, err := tx.LeaseJobs(t.Context(), app.LaneMoney, r.now.Add(time.Hour), r.now.Add(2*time.Hour), 100)
			for _, j := range jobs {
				err = errors.Join(err, tx.DeleteJob(t.Context(), j.ID, j.LeaseUntil))
			}
			c.State = app.CancelStateSent
			return errors.Join(err, tx.SaveCancel(t.Context(), c))
		})
		if err != nil {
			t.Fatal(err)
		}
		listed := func(want int) {
			t.Helper()
			w, err := r.Worklist(t.Context())
			m, boardErr := r.MismatchBoard(t.Context())
			n := 0
			for _, one := range m {
				if one.Kind == app.MismatchCancelUnknown {
					n++
				}
			}
			if err := errors.Join(err, boardErr); err != nil || len(w.Cancels) != want || n != want {
				t.Errorf("on the list: %d, on the board: %d; want %d, %v", len(w.Cancels), n, want, err)
			}
		}
		listed(0)
		r.now = r.now.Add(16 * time.Minute)
		listed(1)
		if err := r.AskAgain(t.Context(), r.owner, p.Moid); err == nil {
			t.Error("the gateway's silence was told as an answer")
		}
		if got, err := s.Cancel(t.Context(), c.ID); err != nil || got.State != app.CancelStateUnknown {
			t.Errorf("asked about: %s, %v", got.State, err)
		}
		listed(1)
	})
}

// unknownCancel is a paid payment, and a whole cancel of it that the gateway never answered.
func unknownCancel(r *rig) (app.Payment, app.Cancel) {
	r.t.Helper()
	p := r.open(10000, smartro.Card)
	r.notify(notice(p, r.tid(smartro.Card), "3001", 10000))
	r.gw.cancel = func(smartro.CancelRequest) (smartro.CancelAnswer, error) {
		return smartro.CancelAnswer{}, errors.New("timeout")
	}
	c, err := r.Cancel(r.t.Context(), r.owner, p.Moid, app.CancelInput{Key: "0123456789abcdef", Whole: true, Reason: "반품"})
	if err != nil || c.State != app.CancelStateUnknown {
		r.t.Fatalf("%s, %v", c.State, err)
	}
	return p, c
}

// work does what is due, to the end.
func work(r *rig) {
	r.t.Helper()
	for range 100 {
		n, err := r.WorkOnce(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
	r.t.Fatal("there is no end to it")
}
