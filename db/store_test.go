package db_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

var at = time.Date(2026, 11, 23, 3, 4, 5, 678000, time.UTC)

func order(no app.OrderNo) app.Order {
	return app.Order{
		No: no, Token: "token-" + string(no), MID: smartro.DemoMID, Mode: smartro.Test, Goods: "똠양꿍 세트", GoodsCnt: 1, Amount: 11000, VAT: 1000,
		BuyerName: "김철수", BuyerTel: "01012345678", BuyerEmail: "a@example.com", Methods: []app.Method{smartro.Card}, CreatedAt: at, State: app.OrderOpen,
	}
}

func payment(no app.OrderNo, n int) app.Payment {
	moid := app.Moid(fmt.Sprintf("%s%02d", no, n))
	return app.Payment{
		Moid: moid, OrderNo: no, MID: smartro.DemoMID, Mode: smartro.Test, Device: smartro.PC, Method: smartro.Card, EdiDate: at.Truncate(time.Second),
		Amount: 11000, GoodsName: "똠양꿍 세트", BuyerName: "김철수", BuyerTel: "01012345678", BuyerEmail: "a@example.com",
		ReturnToken: "return-" + string(moid), State: app.Opened, Proof: app.ProofNone, OpenedAt: at.Add(time.Duration(n) * time.Minute), UpdatedAt: at,
	}
}

func tid(n int) app.TID { return app.TID(fmt.Sprintf("%s01%018d", smartro.DemoMID, n)) }

// update fails the test unless f's transaction ends with want.
func update(t *testing.T, s *db.Store, want error, f func(context.Context, app.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx app.Tx) error { return f(t.Context(), tx) }); !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

// seed stores one order with n opened payments.
func seed(t *testing.T, s *db.Store, no app.OrderNo, n int) {
	t.Helper()
	update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
		errs := []error{tx.CreateOrder(ctx, order(no))}
		for i := range n {
			errs = append(errs, tx.CreatePayment(ctx, payment(no, i+1)))
		}
		return errors.Join(errs...)
	})
}

// paid stores the proof of a payment.
func paid(ctx context.Context, tx app.Tx, p app.Payment, id app.TID) error {
	p.State, p.Proof, p.TID, p.Approved, p.AuthCode, p.PaidAt = app.Paid, app.ProofNotification, id, p.Amount, "30012345", at
	return tx.SavePayment(ctx, p)
}

func TestRecordsComeBackAsTheyWent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx := t.Context()
		seed(t, s, "ABCD2345", 2)
		if got, err := s.OrderByToken(ctx, "token-ABCD2345"); err != nil || fmt.Sprint(got) != fmt.Sprint(order("ABCD2345")) {
			t.Errorf("order %+v, %v", got, err)
		}
		if got, err := s.PaymentByReturnToken(ctx, "return-ABCD234501"); err != nil || got != payment("ABCD2345", 1) {
			t.Errorf("payment %+v, %v", got, err)
		}
		if got, err := s.PaymentsOf(ctx, "ABCD2345"); err != nil || len(got) != 2 || got[0].Moid != "ABCD234501" {
			t.Errorf("payments %+v, %v", got, err)
		}
		for what, err := range map[string]error{
			"order":   second(s.Order(ctx, "NONE")),
			"payment": second(s.PaymentByTID(ctx, smartro.Test, "")),
			"message": second(s.Message(ctx, "none")),
			"setting": second(s.Setting(ctx, "none")),
			"session": second(s.Session(ctx, "none")),
		} {
			if !errors.Is(err, app.ErrNotFound) {
				t.Errorf("%s: %v, want not found", what, err)
			}
		}
		if err := s.Ready(ctx); err != nil {
			t.Error(err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// TestConstraints: what the rules forbid the schema refuses, under any caller.
//
// proves I2, I3, R16
func TestConstraints(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		seed(t, s, "ABCD2345", 3)
		seed(t, s, "EFGH2345", 1)
		update(t, s, app.ErrConflict, func(ctx context.Context, tx app.Tx) error { return tx.CreateOrder(ctx, order("ABCD2345")) })
		update(t, s, app.ErrConflict, func(ctx context.Context, tx app.Tx) error { return tx.CreatePayment(ctx, payment("ABCD2345", 1)) })
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error { return paid(ctx, tx, payment("ABCD2345", 1), tid(1)) })
		update(t, s, app.ErrConflict, func(ctx context.Context, tx app.Tx) error { return paid(ctx, tx, payment("ABCD2345", 2), tid(2)) })
		update(t, s, app.ErrConflict, func(ctx context.Context, tx app.Tx) error { return paid(ctx, tx, payment("EFGH2345", 1), tid(1)) })
		over := payment("ABCD2345", 1)
		over.State, over.Proof, over.TID, over.Approved, over.Reserved, over.Cancelled = app.Paid, app.ProofStaff, tid(1), 11000, 1000, 10001
		if err := s.Update(t.Context(), func(tx app.Tx) error { return tx.SavePayment(t.Context(), over) }); err == nil {
			t.Error("more went back than was approved")
		}
		c := app.Cancel{ID: "c1", OrderNo: "ABCD2345", Moid: "ABCD234501", TID: tid(1), Amount: 1000, State: app.CancelStateUnknown, CreatedAt: at}
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error { return tx.CreateCancel(ctx, c) })
		update(t, s, app.ErrConflict, func(ctx context.Context, tx app.Tx) error { return tx.CreateCancel(ctx, c) })
		other := c
		other.ID = "c2"
		update(t, s, app.ErrBusy, func(ctx context.Context, tx app.Tx) error { return tx.CreateCancel(ctx, other) })
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
			c.State = app.CancelStateDone
			return errors.Join(tx.SaveCancel(ctx, c), tx.CreateCancel(ctx, other))
		})
	})
}

// TestEvents: the log has no gaps, even where the same effect was told again or a transaction was undone.
func TestEvents(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		seed(t, s, "ABCD2345", 1)
		e := app.Event{At: at, Kind: app.Approved, Level: app.T2, OrderNo: "ABCD2345", Moid: "ABCD234501", EffectKey: "approved/1", Detail: app.Detail{AuthCode: "1", VbankDue: at}}
		add := func(key string, then error) error {
			return s.Update(t.Context(), func(tx app.Tx) error {
				e.EffectKey = key
				if _, err := tx.AppendEvent(t.Context(), e); err != nil && !errors.Is(err, app.ErrConflict) {
					return err
				}
				return then
			})
		}
		undone := errors.New("undone")
		for _, err := range []error{add("a", nil), add("a", nil), add("", nil), add("", nil)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := add("b", undone); !errors.Is(err, undone) {
			t.Fatal(err)
		}
		if err := add("c", nil); err != nil {
			t.Fatal(err)
		}
		list, err := s.Events(t.Context(), "ABCD2345")
		if err != nil || len(list) != 4 || list[3].EffectKey != "c" || list[0].Detail != e.Detail {
			t.Fatalf("%+v, %v", list, err)
		}
		for i, got := range list {
			if got.Seq != list[0].Seq+int64(i) {
				t.Errorf("event %d has the number %d, the first %d", i+1, got.Seq, list[0].Seq)
			}
		}
	})
}

// TestMessages: a repeat is counted, and strangers overwrite one another in a ring.
func TestMessages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		m := app.Message{ID: "m1", Channel: app.ChannelNotify, At: at, Raw: []byte("a=\xc3\xa5\x00"), RawLen: 5, Dedupe: "d1", Verdict: app.VerdictUnjudged, TID: tid(1), Level: app.T1}
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
			if id, fresh, err := tx.AddMessage(ctx, m); err != nil || !fresh || id != "m1" {
				t.Errorf("%s %t %v", id, fresh, err)
			}
			again := m
			again.ID = "m2"
			if id, fresh, err := tx.AddMessage(ctx, again); err != nil || fresh || id != "m1" {
				t.Errorf("repeat: %s %t %v", id, fresh, err)
			}
			if n, err := tx.CountClaims(ctx, tid(1)); err != nil || n != 1 {
				t.Errorf("claims %d %v", n, err)
			}
			m.Verdict, m.OrderNo, m.Level = app.VerdictGood, "ABCD2345", app.T2
			return tx.JudgeMessage(ctx, m)
		})
		got, err := s.Message(t.Context(), "m1")
		if err != nil || string(got.Raw) != string(m.Raw) || got.Copies != 2 || got.Verdict != app.VerdictGood {
			t.Errorf("%+v, %v", got, err)
		}
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
			for i := range 2003 {
				r := app.Message{ID: fmt.Sprintf("r%d", i), Channel: app.ChannelReturn, At: at, Ring: true, Raw: []byte("x"), OrderNo: "ABCD2345", Dedupe: "same"}
				if _, _, err := tx.AddMessage(ctx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if list, err := s.Messages(t.Context(), "ABCD2345"); err != nil || len(list) != 2001 {
			t.Errorf("%d messages, %v; want the kept one and 2000 in the ring", len(list), err)
		}
		if _, err := s.Message(t.Context(), "r0"); !errors.Is(err, app.ErrNotFound) {
			t.Errorf("the oldest stranger is still there: %v", err)
		}
		if got, err := s.Message(t.Context(), "r2002"); err != nil || !got.Ring {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestSearch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		seed(t, s, "ABCD2345", 2)
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
			o, p := order("EFGH2345"), payment("EFGH2345", 3)
			o.Goods, p.BuyerName, p.BuyerTel, p.Amount = "50% off_\\", "박철숙", "01098761111", 5500
			return errors.Join(tx.CreateOrder(ctx, o), tx.CreatePayment(ctx, p), paid(ctx, tx, p, tid(7)))
		})
		const chulsu, chulsuk = "ABCD234502 ABCD234501", "EFGH234503"
		for _, c := range []struct {
			find app.Find
			want string
		}{
			{app.Find{}, chulsuk + " " + chulsu},
			{app.Find{Text: "철수"}, chulsu},
			{app.Find{Text: "철숙"}, chulsuk},
			{app.Find{Text: "똠양"}, chulsu},
			{app.Find{Text: "50% off_\\"}, chulsuk},
			{app.Find{Text: "A@EXAMPLE"}, chulsuk + " " + chulsu},
			{app.Find{Digits: "9876"}, chulsuk},
			{app.Find{Digits: "5678"}, chulsu},
			{app.Find{Exact: string(tid(7))}, chulsuk},
			{app.Find{Exact: "30012345"}, chulsuk},
			{app.Find{Exact: "ABCD2345"}, chulsu},
			{app.Find{Part: string(tid(7))[:16]}, chulsuk},
			{app.Find{Amount: 5500, Most: 5500, HasAmt: true}, chulsuk},
			{app.Find{Amount: 5501, Most: 5501, HasAmt: true}, ""},
			{app.Find{Amount: 5400, Most: 5600, HasAmt: true}, chulsuk},
			{app.Find{Text: "철수", Field: "name"}, chulsu},
			{app.Find{Text: "철수", Field: "goods"}, ""},
			{app.Find{Text: "' OR 1=1 --"}, ""},
		} {
			q := app.PaymentQuery{Limit: 10}
			if (c.find != app.Find{}) {
				q.Terms = []app.Find{c.find}
			}
			rows, err := s.SearchPayments(t.Context(), q)
			var moids []string
			for _, r := range rows {
				moids = append(moids, string(r.Moid))
			}
			if got := strings.Join(moids, " "); err != nil || got != c.want {
				t.Errorf("%+v: %q, %v; want %q", c.find, got, err, c.want)
			}
		}
		page, err := s.SearchPayments(t.Context(), app.PaymentQuery{Limit: 1, After: app.Cursor{At: at.Add(2 * time.Minute), ID: "ABCD234502"}})
		if err != nil || len(page) != 1 || page[0].Moid != "ABCD234501" {
			t.Errorf("next page %+v, %v", page, err)
		}
	})
}

// TestRace: however many come at once, one effect and one open cancel.
//
// proves I2, R16
func TestRace(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		seed(t, s, "ABCD2345", 1)
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error { return paid(ctx, tx, payment("ABCD2345", 1), tid(1)) })
		var effects, cancels atomic.Int64
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				var effect, cancel error
				err := s.Update(t.Context(), func(tx app.Tx) error {
					if _, err := tx.LockOrder(t.Context(), "ABCD2345"); err != nil {
						return err
					}
					_, effect = tx.AppendEvent(t.Context(), app.Event{At: at, Kind: app.Approved, OrderNo: "ABCD2345", EffectKey: "approved"})
					cancel = tx.CreateCancel(t.Context(), app.Cancel{ID: fmt.Sprint("c", i), OrderNo: "ABCD2345", Moid: "ABCD234501", Amount: 1000, State: app.CancelStateRequested, CreatedAt: at})
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				if effect == nil {
					effects.Add(1)
				}
				if cancel == nil {
					cancels.Add(1)
				}
			})
		}
		all.Wait()
		if effects.Load() != 1 || cancels.Load() != 1 {
			t.Errorf("%d effects and %d open cancels, want one of each", effects.Load(), cancels.Load())
		}
	})
}
