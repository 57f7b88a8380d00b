package db_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// fill writes one row of every record there is.
func fill(t *testing.T, s *db.Store) {
	t.Helper()
	seed(t, s, "ABCD2345", 1)
	update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
		p := payment("ABCD2345", 1)
		p.State = app.New
		_, _, err := tx.AddMessage(ctx, app.Message{ID: "m1", Channel: app.ChannelNotify, At: at, Raw: []byte("BuyerName=김철수"), Dedupe: "d1", Level: app.T2})
		errs := []error{err}
		for _, e := range []app.Event{
			{At: at, Kind: app.FormServed, From: app.New, To: app.Opened, Proof: app.ProofNone, Text: "메모 김철수"},
			{At: at, Kind: app.Approved, Level: app.T2, From: app.Opened, To: app.Paid, Proof: app.ProofNotification, TID: tid(1), Amount: 11000,
				EffectKey: "approval/1", Detail: app.Detail{CardNum: "123456******7890", VbankNum: "79064113663365"}},
		} {
			e.OrderNo, e.Moid, e.Mode, e.MID = p.OrderNo, p.Moid, p.Mode, p.MID
			seq, err := tx.AppendEvent(ctx, e)
			errs = append(errs, err)
			e.Seq = seq
			p = p.Apply(e)
		}
		o := order("ABCD2345")
		o.State, o.Attempts = app.OrderPaid, 1
		return errors.Join(append(errs, tx.SavePayment(ctx, p), tx.SaveOrder(ctx, o),
			tx.CreateHold(ctx, app.Hold{ID: "h1", Reason: app.HoldUnknown, TID: tid(2), Amount: 5, CreatedAt: at}),
			tx.CreateCancel(ctx, app.Cancel{ID: "c1", OrderNo: p.OrderNo, Moid: p.Moid, Amount: 1, State: app.CancelStateRefused, RefundAcct: "110220330440", RefundName: "김철수"}),
			tx.CreateStaff(ctx, app.Staff{ID: "s1", Email: "kim@shop.example", Role: app.RoleOwner, CreatedAt: at}),
			tx.AddAccess(ctx, app.Access{ID: "a1", At: at, Kind: app.SawBuyer, StaffID: "s1", OrderNo: p.OrderNo, Reason: app.ReasonOther, Words: "김철수 문의"}),
			tx.CreateCashReceipt(ctx, receipt("r1", p.OrderNo)), tx.CreateCashReceipt(ctx, receipt("r2", "")),
			tx.SaveSender(ctx, app.Sender{Addr: "192.0.2.1", State: app.SenderAsked}),
			tx.SetSetting(ctx, "shop", "{}"))...)
	})
}

// receipt is a cash receipt of an order, or one that stands alone, which has a data key of its own.
func receipt(id string, no app.OrderNo) app.CashReceipt {
	return app.CashReceipt{
		ID: id, OrderNo: no, MID: "gagedemo1m", Mode: "test", Source: app.ReceiptByCall, Purpose: smartro.IncomeDeduction, Amount: 1100, Supply: 1000, VAT: 100,
		Identity: smartro.Identity{Secret: "01055667788"}, Name: "김철수", Goods: "현금 철수", State: app.ReceiptStateRefused, CreatedAt: at,
	}
}

func faults(t *testing.T, s *db.Store, kept ...db.Head) (db.Verified, []string) {
	t.Helper()
	var list []string
	v, err := s.Verify(t.Context(), kept, func(text string) { list = append(list, text) })
	if err != nil {
		t.Fatal(err)
	}
	return v, list
}

// TestVerifyFindsNothingInOrder: what the shop wrote agrees with its log, while it goes on.
// proves I5, E1, E2
func TestVerifyFindsNothingInOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		fill(t, s)
		first, list := faults(t, s)
		if len(list) > 0 || first.Payments != 1 || first.Records != 11 || first.Head.Seq < 9 {
			t.Fatalf("%+v %q", first, list)
		}
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error { return tx.SetSetting(ctx, "shop", `{"name":"새 이름"}`) })
		next, list := faults(t, s, first.Head)
		if len(list) > 0 || next.Head.Seq != first.Head.Seq+1 {
			t.Fatalf("%+v after %+v: %q", next, first, list)
		}
		if _, list := faults(t, s, db.Head{Seq: first.Head.Seq, Hash: strings.Repeat("0", 64)}); len(list) != 1 {
			t.Errorf("another log passed for ours: %q", list)
		}
		if _, list := faults(t, s, db.Head{Seq: 1000, Hash: first.Head.Hash}); len(list) != 1 {
			t.Errorf("a shortened log passed: %q", list)
		}
	})
}

// TestVerifyFindsTampering: whatever is changed, added or taken away behind the program's back is found.
// proves E1, I5, S21
func TestVerifyFindsTampering(t *testing.T) {
	for what, statement := range map[string]string{
		"an amount":             "UPDATE orders SET amount = amount + 1",
		"a buyer":               "UPDATE orders SET private = (SELECT refund FROM cancels)",
		"a form's amount":       "UPDATE payments SET amount = amount + 1",
		"a state":               "UPDATE payments SET state = 'cancelled', cancelled = approved",
		"an approval number":    "UPDATE payments SET auth_code = '1'",
		"an order's state":      "UPDATE orders SET state = 'open'",
		"a cancel":              "UPDATE cancels SET state = 'done'",
		"a hold":                "UPDATE holds SET closed_at = 1",
		"a hold gone":           "DELETE FROM holds",
		"a message's body":      "UPDATE messages SET raw = 'AAAA'",
		"a message's verdict":   "UPDATE messages SET verdict = 'good'",
		"a person's role":       "UPDATE staff SET role = 'staff'",
		"a person from nowhere": "INSERT INTO staff SELECT 'x', 'x@example.com', name, role, password_hash, created_at, disabled_at FROM staff",
		"a setting":             "UPDATE settings SET value = 'x' WHERE name = 'shop'",
		"a sender":              "UPDATE senders SET state = 'approved'",
		"who looked":            "UPDATE accesses SET staff_id = 's2'",
		"a look gone":           "DELETE FROM accesses",
		"a look invented":       "INSERT INTO accesses SELECT 'x', at, kind, staff_id, peer, order_no, subject, reason, private FROM accesses",
		"a row of the log":      "UPDATE events SET amount = 1 WHERE kind = 'approved'",
		"a row's words":         "UPDATE events SET private = '' WHERE kind = 'form_served'",
		"a row gone":            "DELETE FROM events WHERE kind = 'form_served'",
		"the end gone":          "DELETE FROM events WHERE seq = (SELECT MAX(seq) FROM events)",
		"two rows exchanged":    "UPDATE events SET seq = CASE seq WHEN 1 THEN -2 WHEN 2 THEN -1 ELSE seq END; UPDATE events SET seq = -seq WHERE seq < 0",
	} {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "gage.db")
			s, err := db.Open(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)})
			if err != nil {
				t.Fatal(err)
			}
			fill(t, s)
			head, err := s.Head(t.Context())
			if err := errors.Join(err, s.Close()); err != nil {
				t.Fatal(err)
			}
			tamper(t, path, statement)
			s, err = db.OpenReader(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var list []string
			if _, err = s.Verify(t.Context(), []db.Head{head}, func(text string) { list = append(list, text) }); len(list) == 0 && err == nil {
				t.Error("nobody noticed")
			}
		})
	}
}

// tamper writes into the file as somebody would who has it, guards or no guards.
func tamper(t *testing.T, path, statement string) {
	t.Helper()
	d, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, trigger := range []string{"events_never_change", "events_never_go", "messages_stay_as_they_came", "messages_never_go", "accesses_never_change", "accesses_never_go"} {
		if _, err := d.ExecContext(t.Context(), "DROP TRIGGER "+trigger); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// TestGuards: the log and the messages can't be changed by a statement that slipped in.
// proves E1
func TestGuards(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gage.db")
	s, err := db.Open(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, statement := range []string{"UPDATE events SET amount = 0", "DELETE FROM events", "UPDATE messages SET raw = ''", "DELETE FROM messages"} {
		if _, err := d.ExecContext(t.Context(), statement); err == nil {
			t.Errorf("went through: %s", statement)
		}
	}
}

// TestNothingPersonalInTheFile: a buyer's name, numbers and mail stand nowhere in the file.
// proves S20, I9
func TestNothingPersonalInTheFile(t *testing.T) {
	folder := t.TempDir()
	s, err := db.Open(t.Context(), db.Config{Path: filepath.Join(folder, "gage.db"), Keys: dbtest.Keys(t)})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s)
	search := func(when string) {
		files, err := os.ReadDir(folder)
		if err != nil || len(files) < 2 {
			t.Fatalf("%v %v", files, err)
		}
		for _, f := range files {
			content, err := os.ReadFile(filepath.Join(folder, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			for _, canary := range []string{"김철수", "철수", "01012345678", "a@example.com", "123456******7890", "79064113663365", "110220330440", "01055667788"} {
				if bytes.Contains(content, []byte(canary)) {
					t.Errorf("%s: %s has %q", when, f.Name(), canary)
				}
			}
		}
	}
	search("open")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	search("closed")
}
