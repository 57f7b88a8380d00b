package app_test

import (
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
)

var at = time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)

const (
	tidA = app.TID("gagedemo1m01012611231400001234")
	tidB = app.TID("gagedemo1m01012611231400005678")
)

// inState makes a payment of 11,000 won that is in st, as its history would have made it.
func inState(st app.State) app.Payment {
	p := app.Payment{
		Moid: "K7M2Q9RT01", OrderNo: "K7M2Q9RT", MID: "gagedemo1m", Mode: smartro.Test, Method: smartro.Card,
		Amount: 11000, State: st, Proof: app.ProofNone, OpenedAt: at.Add(-25 * time.Hour),
	}
	switch st {
	case app.Claimed:
		p.TID = tidA
	case app.WaitingDeposit:
		p.TID, p.Method, p.VbankDue = tidA, smartro.Vbank, at.Add(-time.Hour)
	case app.Paid, app.PartlyCancelled, app.Cancelled:
		p.TID, p.Approved, p.Proof, p.PaidAt = tidA, 11000, app.ProofNotification, at.Add(-time.Hour)
	case app.Held:
		p.TID, p.Approved, p.Proof, p.HoldReason = tidA, 12000, app.ProofNotification, app.HoldAmount
	}
	switch st {
	case app.PartlyCancelled:
		p.Cancelled = 1000
	case app.Cancelled:
		p.Cancelled = 11000
	}
	return p
}

// inputOf is an honest input of that kind, with the least level that may have an effect.
func inputOf(k app.EventKind, p app.Payment) app.Input {
	in := app.Input{
		Kind: k, Level: app.T2, At: at, MID: "gagedemo1m", Mode: smartro.Test, Method: p.Method, TID: tidB,
		Amount: 11000, HasAmount: true, Mine: true,
	}
	switch k {
	case app.FormServed, app.ReturnUnsigned, app.ReturnFailure, app.Stop:
		in.Level = app.T0
	case app.ReturnSuccess:
		in.Level = app.T1
	case app.CancelNotice, app.RefundNotice, app.CancelDone:
		in.Amount = 1000
	case app.StaffAccept, app.StaffCancel:
		in.Level, in.Amount = app.T4, 1000
	case app.ImportRow:
		in.Kind, in.Level, in.Import = app.Approved, app.T4, "import/a/1"
	}
	return in
}

// TestTable has one expected cell for each state and input: where it leads, or "-" for unchanged; "+hold" where
// money is kept apart: the table of the failure model, section 2.
func TestTable(t *testing.T) {
	columns := app.InputKinds()
	// form ret+ ret? ret- stop issue approved deposited cancel refund already receipt done unknown timer accept staffcancel import
	table := map[app.State]string{
		app.New:             "opened - - - - - hold+hold hold+hold - - +hold - - - - - - hold+hold",
		app.Opened:          "- claimed - - - waiting_deposit paid paid - - +hold - - - expired - - paid",
		app.Claimed:         "- - - - - waiting_deposit paid paid - - +hold - - - - paid - paid",
		app.WaitingDeposit:  "- - - - - - hold+hold hold+hold cancelled - +hold - cancelled - expired paid - hold+hold",
		app.Paid:            "- - - - - - +hold +hold partly_cancelled partly_cancelled +hold - partly_cancelled - - - - +hold",
		app.PartlyCancelled: "- - - - - - +hold +hold - - +hold - - - - - - +hold",
		app.Cancelled:       "- - - - - - +hold +hold +hold +hold - - +hold - - - - +hold",
		app.Held:            "- - - - - - +hold +hold - - +hold - - - - paid - +hold",
		app.Expired:         "- - - - - - paid paid - - +hold - - - - - - paid",
	}
	if len(table) != len(app.States()) {
		t.Fatalf("%d rows for %d states", len(table), len(app.States()))
	}
	for _, st := range app.States() {
		cells := strings.Fields(table[st])
		if len(cells) != len(columns) {
			t.Fatalf("%s: %d cells for %d inputs", st, len(cells), len(columns))
		}
		for i, k := range columns {
			p := inState(st)
			out := app.Decide(p, inputOf(k, p), app.Facts{Grace: time.Minute})
			got := "-"
			if out.Event != nil && out.Event.To != st {
				got = string(p.Apply(*out.Event).State)
			}
			if out.Hold != nil {
				got = strings.TrimPrefix(got, "-") + "+hold"
			}
			if got != cells[i] {
				t.Errorf("%s × %s = %s, want %s", st, k, got, cells[i])
			}
		}
	}
}

// TestImportTable has one expected cell for each state and each thing that a row of the gateway's list can say: the same
// as the gateway's own word, but for the cancel beside one of ours, and told as the row's.
//
// proves R9, R18
func TestImportTable(t *testing.T) {
	columns := []app.EventKind{app.Approved, app.Deposited, app.CancelNotice, app.RefundNotice, app.CancelDone}
	table := map[app.State]string{
		app.New:             "hold+hold hold+hold - - -",
		app.Opened:          "paid paid - - -",
		app.Claimed:         "paid paid - - -",
		app.WaitingDeposit:  "hold+hold hold+hold cancelled - cancelled",
		app.Paid:            "+hold +hold partly_cancelled partly_cancelled partly_cancelled",
		app.PartlyCancelled: "+hold +hold - - -",
		app.Cancelled:       "+hold +hold +hold +hold +hold",
		app.Held:            "+hold +hold - - -",
		app.Expired:         "paid paid - - -",
	}
	for _, st := range app.States() {
		cells := strings.Fields(table[st])
		if len(cells) != len(columns) {
			t.Fatalf("%s: %d cells for %d rows", st, len(cells), len(columns))
		}
		for i, k := range columns {
			p := inState(st)
			in := inputOf(k, p)
			in.Level, in.Import = app.T4, "import/a/1"
			out := app.Decide(p, in, app.Facts{Grace: time.Minute})
			got := "-"
			if e := out.Event; e != nil {
				next := p.Apply(*e)
				if next.State != st {
					got = string(next.State)
				}
				if e.Kind != app.ImportRow || e.Level != app.T4 || e.MessageID != "import/a/1" || e.What() == app.ImportRow {
					t.Errorf("%s × %s is told as %+v", st, k, e)
				}
				if next.State == app.Paid && next.Proof != app.ProofStaff && next.Proof != p.Proof {
					t.Errorf("%s × %s is proved by %s", st, k, next.Proof)
				}
			}
			if out.Hold != nil {
				got = strings.TrimPrefix(got, "-") + "+hold"
			}
			if got != cells[i] {
				t.Errorf("%s × %s = %s, want %s", st, k, got, cells[i])
			}
		}
	}
}

// TestDecideRefuses lists what must never pay an order, however well it is signed.
//
// proves R14
func TestDecideRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*app.Input, *app.Facts)
		want   app.State
		reason app.HoldReason
	}{
		"browser's word":      {func(in *app.Input, _ *app.Facts) { in.Level = app.T1 }, app.Opened, ""},
		"another amount":      {func(in *app.Input, _ *app.Facts) { in.Amount = 1 }, app.Held, app.HoldAmount},
		"no amount":           {func(in *app.Input, _ *app.Facts) { in.HasAmount = false }, app.Held, app.HoldAmount},
		"another MID":         {func(in *app.Input, _ *app.Facts) { in.MID = "otherdemo1" }, app.Held, app.HoldFormChanged},
		"another method":      {func(in *app.Input, _ *app.Facts) { in.Method = smartro.Bank }, app.Held, app.HoldFormChanged},
		"another form's":      {func(in *app.Input, _ *app.Facts) { in.Edited = true }, app.Held, app.HoldFormChanged},
		"another mode":        {func(in *app.Input, _ *app.Facts) { in.Mode = smartro.Real }, app.Held, app.HoldFormChanged},
		"paid order":          {func(_ *app.Input, f *app.Facts) { f.OrderPaid = true }, app.Held, app.HoldDuplicate},
		"withdrawn order":     {func(_ *app.Input, f *app.Facts) { f.OrderClosed = true }, app.Held, app.HoldLate},
		"told before":         {func(_ *app.Input, f *app.Facts) { f.KnownEffect = true }, app.Opened, ""},
		"another payment's":   {func(_ *app.Input, f *app.Facts) { f.TIDTaken = true }, app.Opened, ""},
		"honest notification": {func(*app.Input, *app.Facts) {}, app.Paid, ""},
	} {
		p := inState(app.Opened)
		in, f := inputOf(app.Approved, p), app.Facts{}
		c.change(&in, &f)
		if out := app.Decide(p, in, f); out.Event != nil {
			p = p.Apply(*out.Event)
		}
		if p.State != c.want || p.HoldReason != c.reason {
			t.Errorf("%s: %s %q, want %s %q", name, p.State, p.HoldReason, c.want, c.reason)
		}
	}
}

// TestDepositDeadline: the last second of the due date is in time, the next is not; a shop may take it all the same.
//
// proves R15
func TestDepositDeadline(t *testing.T) {
	due := time.Date(2026, 11, 23, 23, 59, 59, 0, app.KST)
	for off, want := range map[time.Duration]app.State{-2 * time.Second: app.Paid, 0: app.Paid, time.Second: app.Held, 2 * time.Second: app.Held} {
		p := inState(app.WaitingDeposit)
		p.VbankDue = due.UTC()
		in := inputOf(app.Deposited, p)
		in.TID, in.Detail.ApprovedAt, in.At = p.TID, due.Add(off).UTC(), due.Add(time.Hour).UTC()
		if got := p.Apply(*app.Decide(p, in, app.Facts{}).Event); got.State != want {
			t.Errorf("deposited %v after the due second: %s, want %s", off, got.State, want)
		}
		if got := p.Apply(*app.Decide(p, in, app.Facts{TakeLate: true}).Event); got.State != app.Paid || got.Late != (off > 0) {
			t.Errorf("deposited %v after the due second of a shop that takes it: %s, late: %t", off, got.State, got.Late)
		}
	}
}

// TestApplyPanics: what the failure model forbids stops the write, even if an event asks for it.
func TestApplyPanics(t *testing.T) {
	for name, e := range map[string]struct {
		from app.State
		ev   app.Event
	}{
		"paid without proof":     {app.Opened, app.Event{Kind: app.Approved, To: app.Paid, TID: tidA, Amount: 11000, Proof: app.ProofNone}},
		"back from cancelled":    {app.Cancelled, app.Event{Kind: app.Approved, To: app.Paid, TID: tidA, Proof: app.ProofStaff}},
		"paid forgotten":         {app.Paid, app.Event{Kind: app.Timer, To: app.Expired, Proof: app.ProofNotification}},
		"more back than came":    {app.Paid, app.Event{Kind: app.CancelDone, To: app.Cancelled, Amount: 12000, Proof: app.ProofNotification}},
		"released, not reserved": {app.Paid, app.Event{Kind: app.CancelRefused, To: app.Paid, Proof: app.ProofNotification, Detail: app.Detail{Released: 1}}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was applied", name)
				}
			}()
			inState(e.from).Apply(e.ev)
		}()
	}
}
