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
//
// proves I3, I4
func TestApplyPanics(t *testing.T) {
	proved := app.Event{Kind: app.Timer, Level: app.T3, TID: tidA, Proof: app.ProofNotification}
	to := func(st app.State) app.Event {
		e := proved
		e.To = st
		return e
	}
	money := func(l app.Level, p app.Proof) app.Event {
		return app.Event{Kind: app.Approved, Level: l, To: app.Paid, TID: tidA, Amount: 11000, Proof: p}
	}
	back := func(k app.EventKind, st app.State, amt, released app.Won) app.Event {
		e := to(st)
		e.Kind, e.Amount, e.Detail.Released = k, amt, released
		return e
	}
	twin := proved
	twin.Kind, twin.To, twin.TID, twin.Amount = app.Approved, app.Paid, tidB, 11000
	for name, e := range map[string]struct {
		from app.State
		ev   app.Event
		rule string
	}{
		"paid by a stranger":       {app.Opened, money(app.T0, app.ProofNotification), "browser's word"},
		"paid by a browser":        {app.Claimed, money(app.T1, app.ProofNotification), "browser's word"},
		"given back by a browser":  {app.Paid, app.Event{Kind: app.CancelNotice, Level: app.T1, To: app.Cancelled, TID: tidA, Amount: 11000, Proof: app.ProofNotification}, "browser's word"},
		"paid without proof":       {app.Opened, money(app.T2, app.ProofNone), "without proof"},
		"paid after all went back": {app.Cancelled, money(app.T2, app.ProofStaff), "came back"},
		"open after all went back": {app.Cancelled, to(app.PartlyCancelled), "came back"},
		"paid after a part":        {app.PartlyCancelled, to(app.Paid), "came back"},
		"paid, then new":           {app.Paid, to(app.New), "forgotten"},
		"paid, then opened":        {app.Paid, to(app.Opened), "forgotten"},
		"paid, then claimed":       {app.Paid, to(app.Claimed), "forgotten"},
		"paid, then waiting":       {app.Paid, to(app.WaitingDeposit), "forgotten"},
		"paid, then expired":       {app.Paid, to(app.Expired), "forgotten"},
		"more back than came":      {app.Paid, back(app.CancelDone, app.Cancelled, 12000, 0), "balance"},
		"back of what never came":  {app.Opened, back(app.CancelNotice, app.Opened, 1, 0), "balance"},
		"less than nothing back":   {app.Paid, back(app.CancelDone, app.PartlyCancelled, -1, 0), "balance"},
		"released, not reserved":   {app.Paid, back(app.CancelRefused, app.Paid, 0, 1), "balance"},
		"another TID":              {app.Paid, twin, "TID"},
	} {
		func() {
			defer func() {
				broken, ok := recover().(*app.Broken)
				if !ok || !strings.Contains(broken.Rule, e.rule) {
					t.Errorf("%s: %v, want a broken rule: %s", name, broken, e.rule)
				}
			}()
			inState(e.from).Apply(e.ev)
		}()
	}
}

// TestOnePaidAnOrder: a second paid payment of an order stops the write; what is not paid, and the payment itself, are no
// second one.
//
// proves I2
func TestOnePaidAnOrder(t *testing.T) {
	broken := func(states ...app.State) (rule string) {
		defer func() {
			if b, ok := recover().(*app.Broken); ok {
				rule = b.Rule
			}
		}()
		var ps []app.Payment
		for i, st := range states {
			p := inState(st)
			p.Moid += app.Moid('A' + rune(i))
			ps = append(ps, p)
		}
		next := ps[0]
		next.State = app.Paid
		app.CheckPaid(ps, next)
		return ""
	}
	for _, st := range app.States() {
		want := ""
		if st == app.Paid || st == app.PartlyCancelled {
			want = "two paid payments of one order"
		}
		if got := broken(app.Opened, app.Expired, st); got != want {
			t.Errorf("beside one that is %s: %q, want %q", st, got, want)
		}
	}
	if got := broken(app.Paid); got != "" {
		t.Errorf("beside itself: %s", got)
	}
}

// TestHintsAreFew: whoever holds the form may tell of refusals for ever; few are written down, and none that says what is
// known, or more than a page shows.
//
// proves S22
func TestHintsAreFew(t *testing.T) {
	p, in := inState(app.Opened), inputOf(app.ReturnFailure, inState(app.Opened))
	in.Code, in.Text = "3041", strings.Repeat("가", 100)
	in.Detail = app.Detail{CardName: strings.Repeat("x", 60_000), VbankNum: strings.Repeat("1", 60_000)}
	out := app.Decide(p, in, app.Facts{})
	if out.Event == nil || out.Event.Text != strings.Repeat("가", 66) || out.Event.Detail != (app.Detail{}) {
		t.Fatalf("the first refusal: %+v", out)
	}
	p = p.Apply(*out.Event)
	if out := app.Decide(p, in, app.Facts{Hints: 1}); out.Event != nil || out.Verdict != app.VerdictHint {
		t.Errorf("the same once more: %+v", out)
	}
	in.Code = "3042"
	for hints, want := range []bool{true, true, true, true, true, false, false} {
		if out := app.Decide(p, in, app.Facts{Hints: hints}); (out.Event != nil) != want || out.Verdict != app.VerdictHint {
			t.Errorf("another after %d: %+v", hints, out)
		}
	}
	in.Kind = app.Stop
	p = p.Apply(*app.Decide(p, in, app.Facts{}).Event)
	if out := app.Decide(p, in, app.Facts{Hints: 2}); out.Event != nil || out.Verdict != app.VerdictHint {
		t.Errorf("stopped twice: %+v", out)
	}
}
