package db_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

// erase destroys what is past its term, as the shop does.
func erase(t *testing.T, s *db.Store, before time.Time) (orders, messages int) {
	t.Helper()
	nos, ids, err := s.DueForErasure(t.Context(), before, 100)
	if err != nil {
		t.Fatal(err)
	}
	receipts, err := s.ReceiptsDueForErasure(t.Context(), before, 100)
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
		errs := []error{tx.EraseRing(ctx, before)}
		for _, no := range nos {
			_, err := tx.AppendEvent(ctx, app.Event{At: before, Kind: app.Erased, OrderNo: no})
			errs = append(errs, tx.EraseOrder(ctx, no), err)
		}
		for _, id := range ids {
			errs = append(errs, tx.EraseMessage(ctx, id))
		}
		for _, id := range receipts {
			errs = append(errs, tx.EraseCashReceipt(ctx, id))
		}
		return errors.Join(errs...)
	})
	return len(nos), len(ids)
}

func found(t *testing.T, s *db.Store, f app.Find) int {
	t.Helper()
	rows, err := s.SearchPayments(t.Context(), app.PaymentQuery{Terms: []app.Find{f}, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

// checkErased looks at the records that fill wrote once their keys are gone.
func checkErased(t *testing.T, s *db.Store) {
	t.Helper()
	ctx := t.Context()
	o, err := s.Order(ctx, "ABCD2345")
	if err != nil || !o.Erased || o.BuyerName+o.BuyerTel+o.BuyerEmail != "" || o.Amount != 11000 {
		t.Errorf("order %+v, %v", o, err)
	}
	p, err := s.Payment(ctx, "ABCD234501")
	if err != nil || !p.Erased || p.BuyerName+p.BuyerTel+p.BuyerEmail+p.CardNum+p.VbankNum != "" || p.State != app.Paid || p.TID != tid(1) {
		t.Errorf("payment %+v, %v", p, err)
	}
	c, err := s.Cancel(ctx, "c1")
	if err != nil || c.RefundAcct+c.RefundName != "" || c.Amount != 1 {
		t.Errorf("cancel %+v, %v", c, err)
	}
	for _, id := range []string{"r1", "r2"} { // with the order's key, and with its own
		r, err := s.CashReceipt(ctx, id)
		if err != nil || !r.Erased || r.Identity.Reveal()+r.Name+r.Goods != "" || r.Amount != 1100 {
			t.Errorf("cash receipt %+v, %v", r, err)
		}
	}
	m, err := s.Message(ctx, "m1")
	if err != nil || !m.Erased || m.Raw != nil || m.Dedupe != "d1" {
		t.Errorf("message %+v, %v", m, err)
	}
	events, err := s.Events(ctx, "ABCD2345")
	if err != nil || len(events) != 3 {
		t.Errorf("%d events, %v", len(events), err)
	}
	for _, e := range events {
		if e.Text != "" || e.Detail != (app.Detail{}) {
			t.Errorf("event %+v", e)
		}
	}
	if n := found(t, s, app.Find{Text: "김철수"}); n != 0 {
		t.Errorf("the name finds %d rows", n)
	}
	if n := found(t, s, app.Find{Exact: string(tid(1))}); n != 1 {
		t.Errorf("the TID finds %d rows", n)
	}
	if _, list := faults(t, s); len(list) > 0 {
		t.Errorf("verify: %q", list)
	}
}

// TestErase: with its key what an order and its messages knew of a person is gone; the log, the payment and the search
// by its numbers stay as they were, a backup knows no more, and nothing personal comes back by accident.
//
// proves E3, I5
func TestErase(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, place db.Config) {
		s := dbtest.Open(t, place)
		fill(t, s)
		later := at.AddDate(6, 0, 0)
		if nos, ids, err := s.DueForErasure(t.Context(), at, 100); err != nil || len(nos)+len(ids) > 0 {
			t.Fatalf("due on the day itself: %v %v, %v", nos, ids, err)
		}
		if found(t, s, app.Find{Text: "김철수"}) != 1 {
			t.Fatal("the name finds nothing to begin with")
		}
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error { // young, so it stays
			_, err := tx.AppendEvent(ctx, app.Event{At: later, Kind: app.Timer, OrderNo: "ABCD2345"})
			return errors.Join(err, tx.CreateHold(ctx, app.Hold{ID: "h2", Reason: app.HoldReview, TID: tid(3), MessageID: "m1", CreatedAt: at}))
		})
		if o, m := erase(t, s, later); o != 0 || m != 0 {
			t.Fatalf("%d orders, %d messages were erased that somebody still needs", o, m)
		}
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
			h, err := tx.Hold(ctx, "h2")
			h.ClosedAt = later
			return errors.Join(err, tx.SaveHold(ctx, h))
		})
		if o, m := erase(t, s, later.AddDate(0, 0, 1)); o != 1 || m != 1 {
			t.Fatalf("%d orders, %d messages were erased, want 1 and 1", o, m)
		}
		events, err := s.Events(t.Context(), "ABCD2345")
		if err != nil || len(events) != 4 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		if o, m := erase(t, s, later.AddDate(9, 0, 0)); o != 0 || m != 0 {
			t.Errorf("%d orders, %d messages were erased twice", o, m)
		}
	})
}

// TestErasedStaysErased: in the tables, in a backup and where that is restored.
//
// proves E3, R40
func TestErasedStaysErased(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, place db.Config) {
		s := dbtest.Open(t, place)
		fill(t, s)
		if o, m := erase(t, s, at.AddDate(6, 0, 0)); o != 1 || m != 1 {
			t.Fatalf("%d orders, %d messages", o, m)
		}
		checkErased(t, s)
		_, _, text := dump(t, place)
		dbtest.EachPlace(t, func(t *testing.T, to db.Config) {
			if _, _, err := (db.Restore{To: to}).Run(t.Context(), bytes.NewReader(text)); err != nil {
				t.Fatal(err)
			}
			checkErased(t, dbtest.Open(t, to))
		})
		for what, write := range map[string]func(context.Context, app.Tx) error{
			"an order's buyer": func(ctx context.Context, tx app.Tx) error {
				o, err := tx.Order(ctx, "ABCD2345")
				o.BuyerName = "김철수"
				return errors.Join(err, tx.SaveOrder(ctx, o))
			},
			"another payment": func(ctx context.Context, tx app.Tx) error {
				return tx.CreatePayment(ctx, payment("ABCD2345", 2))
			},
			"a refund account": func(ctx context.Context, tx app.Tx) error {
				return tx.CreateCancel(ctx, app.Cancel{ID: "c2", OrderNo: "ABCD2345", Moid: "ABCD234501", Amount: 1, State: app.CancelStateSent, RefundAcct: "110220330440"})
			},
		} {
			if err := s.Update(t.Context(), func(tx app.Tx) error { return write(t.Context(), tx) }); !errors.Is(err, app.ErrErased) {
				t.Errorf("%s was written: %v", what, err)
			}
		}
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error { // a late word of the gateway's is taken, without the person
			e := app.Event{At: at, Kind: app.CancelConfirmed, OrderNo: "ABCD2345", Moid: "ABCD234501", From: app.Paid, To: app.Paid,
				Proof: app.ProofNotification, Detail: app.Detail{CardNum: "1234"}}
			seq, err := tx.AppendEvent(ctx, e)
			if err != nil {
				return err
			}
			p, err := tx.Payment(ctx, "ABCD234501")
			if err != nil {
				return err
			}
			e.Seq = seq
			p = p.Apply(e)
			p.CardNum = "1234"
			return tx.SavePayment(ctx, p)
		})
		p, err := s.Payment(t.Context(), "ABCD234501")
		if err != nil || p.CardNum != "" {
			t.Errorf("written after all: %+v, %v", p, err)
		}
		if _, list := faults(t, s); len(list) > 0 {
			t.Errorf("verify: %q", list)
		}
	})
}

// TestDestroyedKeyLeavesTheFile: SQLite does not leave the key's bytes behind in the page that it stood on.
//
// proves E3
func TestDestroyedKeyLeavesTheFile(t *testing.T) {
	place := dbtest.File(t)
	s, err := db.Open(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, before := dump(t, place)
	s, err = db.Open(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	erase(t, s, at.AddDate(6, 0, 0))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, after := dump(t, place)
	file, err := os.ReadFile(place.Path)
	if err != nil {
		t.Fatal(err)
	}
	destroyed := 0
	for _, line := range strings.Split(string(before), "\n") {
		if !strings.Contains(line, "ABCD2345") && !strings.Contains(line, "m1") {
			continue
		}
		for _, word := range strings.Split(line, `"`) {
			if len(word) < 60 || bytes.Contains(after, []byte(word)) {
				continue
			}
			destroyed++
			if bytes.Contains(file, []byte(word)) {
				t.Errorf("still in the file: a word of %d letters of %.60s", len(word), line)
			}
		}
	}
	if destroyed < 2 {
		t.Errorf("%d words are gone from the dump, want the two keys", destroyed)
	}
}
