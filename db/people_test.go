package db_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

// TestJobs: a job is leased to one at a time, and who lost its lease has no say in it any more.
//
// proves R31
func TestJobs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
			late := app.Job{ID: "j1", Kind: app.JobExpire, Ref: "ABCD234501", DueAt: at.Add(time.Hour), CreatedAt: at}
			sooner := late
			sooner.ID, sooner.DueAt = "j2", at
			return errors.Join(tx.AddJob(ctx, late), tx.AddJob(ctx, sooner), tx.AddJob(ctx, late))
		})
		lease := func(now time.Time) (list []app.Job) {
			update(t, s, nil, func(ctx context.Context, tx app.Tx) (err error) {
				list, err = tx.LeaseJobs(ctx, app.LaneMoney, now, now.Add(time.Minute), 10)
				return err
			})
			return list
		}
		first := lease(at)
		if got := first; len(got) != 1 || got[0].ID != "j1" || !got[0].DueAt.Equal(at) {
			t.Fatalf("due: %+v; want the first one, with the earlier time", got)
		}
		if got := lease(at.Add(30 * time.Second)); len(got) != 0 {
			t.Errorf("leased twice: %+v", got)
		}
		again := lease(at.Add(time.Minute))
		if len(again) != 1 {
			t.Fatalf("after the lease: %+v", again)
		}
		lost, held := first[0].LeaseUntil, again[0].LeaseUntil
		update(t, s, app.ErrConflict, func(ctx context.Context, tx app.Tx) error { return tx.SaveJob(ctx, app.Job{ID: "j1"}, lost) })
		update(t, s, app.ErrConflict, func(ctx context.Context, tx app.Tx) error { return tx.DeleteJob(ctx, "j1", lost) })
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
			return tx.SaveJob(ctx, app.Job{ID: "j1", DueAt: at, LeaseUntil: held}, held)
		})
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error { return tx.DeleteJob(ctx, "j1", held) })
		update(t, s, app.ErrConflict, func(ctx context.Context, tx app.Tx) error { return tx.SaveJob(ctx, app.Job{ID: "j1"}, held) })
	})
}

// TestJobAddedWhileHeld: a job that is added while somebody does it stays his until his lease ends, and he can neither
// delete it nor put it off, for he did it before there was what it was added for.
//
// proves R17, I7
func TestJobAddedWhileHeld(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		job := app.Job{ID: "j1", Kind: app.JobInquireCancel, Ref: "c1", DueAt: at, Attempts: 39, CreatedAt: at}
		var held []app.Job
		add := func(ctx context.Context, tx app.Tx) error { return tx.AddJob(ctx, job) }
		lease := func(now time.Time) {
			update(t, s, nil, func(ctx context.Context, tx app.Tx) (err error) {
				held, err = tx.LeaseJobs(ctx, app.LaneMoney, now, now.Add(time.Minute), 10)
				return err
			})
		}
		update(t, s, nil, add)
		if lease(at); len(held) != 1 || held[0].Attempts != 39 {
			t.Fatalf("leased: %+v", held)
		}
		was := held[0].LeaseUntil
		update(t, s, nil, add)
		update(t, s, app.ErrConflict, func(ctx context.Context, tx app.Tx) error { return tx.DeleteJob(ctx, "j1", was) })
		update(t, s, app.ErrConflict, func(ctx context.Context, tx app.Tx) error { return tx.SaveJob(ctx, held[0], was) })
		if lease(at.Add(30 * time.Second)); len(held) != 0 {
			t.Errorf("two do it at a time: %+v", held)
		}
		if lease(at.Add(2 * time.Minute)); len(held) != 1 || held[0].Attempts != 0 {
			t.Errorf("after the lease: %+v", held)
		}
	})
}

func TestPeople(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		who := app.Staff{ID: "s1", Email: "a@example.com", Name: "김", Role: app.RoleOwner, PasswordHash: "hash", CreatedAt: at}
		invite := app.Invite{Hash: "i1", Role: app.RoleStaff, CreatedAt: at, ExpiresAt: at.Add(time.Hour)}
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
			return errors.Join(tx.CreateStaff(ctx, who), tx.CreateInvite(ctx, invite),
				tx.SaveSession(ctx, app.Session{Hash: "h1", StaffID: "s1", CreatedAt: at, ExpiresAt: at.Add(time.Hour)}),
				tx.SaveSession(ctx, app.Session{Hash: "h2", StaffID: "s1", CreatedAt: at, ExpiresAt: at.Add(time.Hour)}),
				tx.SaveSession(ctx, app.Session{Hash: "h2", StaffID: "s1", Data: "again", CreatedAt: at, ExpiresAt: at.Add(time.Hour)}))
		})
		if got, err := s.StaffByEmail(t.Context(), "a@example.com"); err != nil || got != who || got.PasswordHash.Reveal() != "hash" {
			t.Errorf("%+v, %v", got, err)
		}
		twin := who
		twin.ID = "s2"
		update(t, s, app.ErrConflict, func(ctx context.Context, tx app.Tx) error { return tx.CreateStaff(ctx, twin) })
		invite.UsedAt = at
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error { return tx.SaveInvite(ctx, invite) })
		update(t, s, app.ErrNotFound, func(ctx context.Context, tx app.Tx) error { return tx.SaveInvite(ctx, invite) })
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error { return tx.DeleteSessionsOf(ctx, "s1", "h2") })
		if _, err := s.Session(t.Context(), "h1"); !errors.Is(err, app.ErrNotFound) {
			t.Errorf("ended session: %v", err)
		}
		if got, err := s.Session(t.Context(), "h2"); err != nil || got.Data != "again" {
			t.Errorf("%+v, %v", got, err)
		}
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error { return tx.DeleteExpiredSessions(ctx, at.Add(2*time.Hour)) })
		if _, err := s.Session(t.Context(), "h2"); !errors.Is(err, app.ErrNotFound) {
			t.Errorf("expired session: %v", err)
		}
	})
}

// TestAttempts: failures are counted within a window that starts with the first of them, and once they are full with
// the last. What is older is gone, whoever's it is.
func TestAttempts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		count := func(key string, after time.Duration, want int) {
			t.Helper()
			now := at.Add(after)
			update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
				n, err := tx.CountAttempt(ctx, key, now.Add(-15*time.Minute), now, 4)
				if n != want {
					t.Errorf("%s after %v: counted %d, want %d", key, after, n, want)
				}
				return err
			})
		}
		left := func(key string, after time.Duration, want int) {
			t.Helper()
			update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
				n, err := tx.Attempts(ctx, key, at.Add(after-15*time.Minute))
				if n != want {
					t.Errorf("%s after %v: %d left, want %d", key, after, n, want)
				}
				return err
			})
		}
		count("a", 0, 1)
		count("a", time.Minute, 2)
		count("a", 14*time.Minute, 3)
		count("b", 14*time.Minute, 1)
		count("b", 16*time.Minute, 2)
		left("a", 16*time.Minute, 0)
		count("a", 16*time.Minute, 1)
		for i := range 3 {
			count("a", 17*time.Minute+time.Duration(i)*time.Minute, 2+i)
		}
		left("a", 33*time.Minute, 4) // full at 19 minutes
		left("a", 35*time.Minute, 0)
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error { return tx.TakeBackAttempt(ctx, "b") })
		left("b", 20*time.Minute, 1)
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
			return errors.Join(tx.TakeBackAttempt(ctx, "b"), tx.TakeBackAttempt(ctx, "b"), tx.TakeBackAttempt(ctx, "nobody"), tx.ClearAttempts(ctx, "a"))
		})
		left("b", 20*time.Minute, 0)
		left("a", 20*time.Minute, 0)
	})
}

// TestWorklist: a claim and a cancel on its way are there once they are old, the rest at once.
func TestWorklist(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		seed(t, s, "ABCD2345", 2)
		hold := app.Hold{ID: "h1", Reason: app.HoldUnknown, Mode: "test", TID: tid(3), Amount: 1, CreatedAt: at}
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
			p := payment("ABCD2345", 1)
			p.State, p.TID, p.ClaimedAt = app.Claimed, tid(1), at
			twin := hold
			twin.ID = "h2"
			if err := errors.Join(tx.SavePayment(ctx, p), tx.CreateHold(ctx, hold), tx.CreateHold(ctx, twin)); err != nil {
				return err
			}
			if err := tx.CreateHold(ctx, hold); !errors.Is(err, app.ErrConflict) {
				t.Errorf("the same hold again: %v", err)
			}
			return errors.Join(
				tx.CreateCancel(ctx, app.Cancel{ID: "c1", OrderNo: "ABCD2345", Moid: p.Moid, Amount: 1, State: app.CancelStateUnknown, CreatedAt: at}),
				tx.CreateCancel(ctx, app.Cancel{ID: "c2", OrderNo: "ABCD2345", Moid: payment("ABCD2345", 2).Moid, Amount: 1, State: app.CancelStateSent, CreatedAt: at, SentAt: at}),
				tx.SaveSender(ctx, app.Sender{Addr: "192.0.2.7", State: app.SenderAsked, FirstAt: at, LastAt: at, Count: 1}))
		})
		w, err := s.Worklist(t.Context(), at.Add(time.Second), at, at, 10)
		if err != nil || len(w.Claimed) != 1 || len(w.Cancels) != 2 || len(w.Holds) != 2 || len(w.Senders) != 1 {
			t.Errorf("%+v, %v", w, err)
		}
		hold.ClosedAt, hold.ClosedBy, hold.Note = at, "s1", "경리 확인"
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error { return tx.SaveHold(ctx, hold) })
		if w, err = s.Worklist(t.Context(), at, at, at, 10); err != nil || len(w.Claimed) != 0 || len(w.Cancels) != 1 || len(w.Holds) != 1 {
			t.Errorf("%+v, %v", w, err)
		}
	})
}

// TestAccesses: the record of accesses is read by every filter and page by page; nothing in it can be changed, and
// what people typed does not stand there in the open.
//
// proves S20, S21
func TestAccesses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		seed(t, s, "ABCD2345", 1)
		var want []app.Access
		for i := range 7 {
			a := app.Access{
				ID: fmt.Sprint("a", i), At: at.Add(time.Duration(i/2) * time.Hour), Kind: app.SignedIn, StaffID: fmt.Sprint("s", i%2),
				Peer: "192.0.2.1", Subject: fmt.Sprint("s", i%2),
			}
			if i%3 == 0 {
				a.Kind, a.OrderNo, a.Subject, a.Reason, a.Words = app.SawBuyer, "ABCD2345", "ABCD234501", app.ReasonOther, "경찰 공문"
			}
			update(t, s, nil, func(ctx context.Context, tx app.Tx) error { return tx.AddAccess(ctx, a) })
			want = append(want, a)
		}
		slices.SortFunc(want, func(a, b app.Access) int {
			return cmp.Or(b.At.Compare(a.At), strings.Compare(b.ID, a.ID))
		})
		for what, c := range map[string]struct {
			q    app.AccessQuery
			pick func(app.Access) bool
		}{
			"all":    {app.AccessQuery{}, func(app.Access) bool { return true }},
			"person": {app.AccessQuery{StaffID: "s1"}, func(a app.Access) bool { return a.StaffID == "s1" }},
			"order":  {app.AccessQuery{OrderNo: "ABCD2345"}, func(a app.Access) bool { return a.OrderNo != "" }},
			"kinds":  {app.AccessQuery{Kinds: []app.AccessKind{app.SawBuyer, app.SawReceipt}}, func(a app.Access) bool { return a.Kind == app.SawBuyer }},
			"time": {app.AccessQuery{From: at.Add(time.Hour), To: at.Add(3 * time.Hour), StaffID: "s0"}, func(a app.Access) bool {
				return a.StaffID == "s0" && !a.At.Before(at.Add(time.Hour)) && a.At.Before(at.Add(3*time.Hour))
			}},
		} {
			var found, expect []app.Access
			for _, a := range want {
				if c.pick(a) {
					expect = append(expect, a)
				}
			}
			for c.q.Limit = 2; ; {
				page, err := s.Accesses(t.Context(), c.q)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, page...)
				if len(page) < c.q.Limit {
					break
				}
				last := page[len(page)-1]
				c.q.After = app.Cursor{At: last.At, ID: last.ID}
			}
			if !slices.Equal(found, expect) {
				t.Errorf("%s: %v\nwant %v", what, found, expect)
			}
		}
		update(t, s, app.ErrConflict, func(ctx context.Context, tx app.Tx) error { return tx.AddAccess(ctx, want[0]) })
	})
}
