package db_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

// TestFailedAssertion: a transaction that breaks a rule about money is undone and stops all writing; the log of the program
// says which rule. What was stored can be read, and only another start writes again.
//
// proves I3, I4, I7
func TestFailedAssertion(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, place db.Config) {
		var said bytes.Buffer
		place.Log = slog.New(slog.NewJSONHandler(&said, nil))
		ctx := t.Context()
		set := func(s *db.Store, v string) error {
			return s.Update(ctx, func(tx app.Tx) error { return tx.SetSetting(ctx, "k", v) })
		}
		s, err := db.Open(ctx, place)
		if err != nil {
			t.Fatal(err)
		}
		if err := set(s, "before"); err != nil {
			t.Fatal(err)
		}
		err = s.Update(ctx, func(tx app.Tx) error {
			if err := tx.SetSetting(ctx, "k", "broken"); err != nil {
				return err
			}
			app.Payment{Moid: "ABCD234501", State: app.Opened}.Apply(app.Event{Kind: app.Approved, Level: app.T1, To: app.Paid, Proof: app.ProofNotification})
			return nil
		})
		var broken *app.Broken
		if !errors.Is(err, app.ErrStopped) || !errors.As(err, &broken) || broken.Moid != "ABCD234501" {
			t.Errorf("the broken one: %v", err)
		}
		if !strings.Contains(said.String(), `"rule":"money moved on a browser's word"`) {
			t.Errorf("logged: %s", said.String())
		}
		for name, err := range map[string]error{"ready": s.Ready(ctx), "another": set(s, "after"), "an essential one": s.Update(app.Essential(ctx), func(app.Tx) error { return nil })} {
			if !errors.Is(err, app.ErrStopped) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if v, err := s.Setting(ctx, "k"); err != nil || v != "before" {
			t.Errorf("read: %q, %v", v, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		again := dbtest.Open(t, place)
		if err := errors.Join(again.Ready(ctx), set(again, "again")); err != nil {
			t.Errorf("started anew: %v", err)
		}
	})
}

// TestAssertionAmongOthers: of the callers that are committed together with one whose assertion fails, those whom it stops
// are told so, and what the others were told of is there.
//
// proves I1
func TestAssertionAmongOthers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		const callers = 100
		ends := make([]error, callers)
		ctx := t.Context()
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				ends[i] = s.Update(ctx, func(tx app.Tx) error {
					if err := tx.SetSetting(ctx, fmt.Sprint("k", i), "v"); err != nil {
						return err
					}
					if i == callers/2 {
						panic(&app.Broken{Moid: "ABCD234501", Rule: "of a test"})
					}
					return nil
				})
			})
		}
		all.Wait()
		for i, err := range ends {
			_, there := s.Setting(t.Context(), fmt.Sprint("k", i))
			if err == nil && there != nil || err != nil && (!errors.Is(err, app.ErrStopped) || !errors.Is(there, app.ErrNotFound)) {
				t.Errorf("caller %d was told %v, and its setting is %v", i, err, there)
			}
		}
		if ends[callers/2] == nil {
			t.Error("the broken one was stored")
		}
	})
}

// TestOnePaidOneTID: what no payment sees of another the database refuses by itself: two paid payments of one order, and
// one TID of two payments.
//
// proves I2, R13
func TestOnePaidOneTID(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		seed(t, s, "ABCD2345", 2)
		seed(t, s, "WXYZ6789", 1)
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error { return paid(ctx, tx, payment("ABCD2345", 1), tid(1)) })
		update(t, s, app.ErrConflict, func(ctx context.Context, tx app.Tx) error { return paid(ctx, tx, payment("ABCD2345", 2), tid(2)) })
		update(t, s, app.ErrConflict, func(ctx context.Context, tx app.Tx) error {
			p := payment("WXYZ6789", 1)
			p.State, p.TID = app.Claimed, tid(1)
			return tx.SavePayment(ctx, p)
		})
	})
}
