package app_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// TestCancelRuleDays: when the buyer sees the money, in Korea's business days.
func TestCancelRuleDays(t *testing.T) {
	for _, c := range []struct {
		at          time.Time
		from, to    int
		first, last string
	}{
		{kst(11, 25, 10, 0, 0), 0, 0, "2026-11-25", "2026-11-25"},
		{kst(11, 25, 10, 0, 0), 3, 5, "2026-11-30", "2026-12-02"}, // over a weekend
		{kst(11, 27, 23, 59, 59), 1, 1, "2026-11-30", "2026-11-30"},
		{kst(11, 28, 0, 0, 0), 1, 2, "2026-11-30", "2026-12-01"}, // a Saturday in Korea, a Friday in UTC
		{kst(12, 31, 9, 0, 0), 1, 2, "2027-01-04", "2027-01-05"},
	} {
		first, last := app.CancelRule{From: c.from, To: c.to}.Back(c.at.UTC(), nil)
		if got := first.Format(time.DateOnly) + " " + last.Format(time.DateOnly); got != c.first+" "+c.last {
			t.Errorf("%v, %d to %d days: %s, want %s %s", c.at, c.from, c.to, got, c.first, c.last)
		}
	}
}

// TestCancelRules: what a rule forbids is refused before anything is sent, with the rule's own reason, until the owner
// changes it; what it allows in part is taken in part.
func TestCancelRules(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		sent := 0
		r.gw.cancel = func(q smartro.CancelRequest) (smartro.CancelAnswer, error) {
			sent++
			return smartro.CancelAnswer{ResultCode: "2001", TID: q.TID, Amt: q.Amt}, nil
		}
		paid := func(m app.Method, code string) app.Payment {
			p := r.open(10_000, m)
			r.notify(notice(p, r.tid(m), code, 10_000))
			return r.want(p.Moid, app.Paid)
		}
		r.now = kst(11, 30, 12, 0, 0).UTC()
		phone, other, gift := paid(smartro.Cellphone, "A000"), paid(smartro.Cellphone, "A000"), paid(smartro.CLGift, "B000")
		if _, err := r.Cancel(t.Context(), r.owner, phone.Moid, app.CancelInput{Key: strings.Repeat("a", 26), Whole: true, Reason: "변심"}); err != nil {
			t.Errorf("within its month: %v", err)
		}
		r.now = kst(12, 1, 0, 0, 0).UTC()
		refusal := func(p app.Payment, in app.CancelInput, code string) {
			t.Helper()
			_, err := r.Cancel(t.Context(), r.owner, p.Moid, in)
			var bad *app.InputError
			if !errors.As(err, &bad) || bad.Code != code {
				t.Errorf("%s of %s: %v, want %s", in.Amount, p.Method, err, code)
			}
		}
		whole, part := app.CancelInput{Key: strings.Repeat("b", 26), Whole: true, Reason: "변심"}, app.CancelInput{Key: strings.Repeat("c", 26), Amount: 4_000, Reason: "변심"}
		refusal(other, whole, "rule.past_month")
		refusal(gift, part, "no_part")
		if plan, err := r.PrepareCancel(t.Context(), other.Moid); err != nil || plan.Rule.Allowed || plan.Rule.Case != app.CasePastMonth {
			t.Errorf("the plan: %+v, %v", plan.Rule, err)
		}
		if sent != 1 {
			t.Errorf("%d calls, want the first alone", sent)
		}

		rules, err := r.CancelRules(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		day := rules[0].Date
		for i := range rules {
			switch {
			case rules[i].Case == app.CasePastMonth:
				rules[i].Allowed, rules[i].Source, rules[i].To = true, "  통신사   안내 ", 7
			case rules[i].Method == smartro.CLGift:
				rules[i].Parts = true
			}
		}
		if err := r.SetCancelRules(t.Context(), r.owner, rules, "2027-03-03\n 2026-12-02, 2027-03-03"); err != nil {
			t.Fatal(err)
		}
		rules, err = r.CancelRules(t.Context())
		i := slices.IndexFunc(rules, func(c app.CancelRule) bool { return c.Case == app.CasePastMonth })
		if err != nil || rules[i].Source != "통신사 안내" || rules[i].Date != "2026-12-01" || rules[0].Date != day {
			t.Errorf("changed: %+v, %+v, %v", rules[i], rules[0], err)
		}
		for p, in := range map[app.Moid]app.CancelInput{other.Moid: whole, gift.Moid: part} {
			if c, err := r.Cancel(t.Context(), r.owner, p, in); err != nil || c.State != app.CancelStateDone {
				t.Errorf("allowed now: %s, %v", c.State, err)
			}
		}
		if off, err := r.DaysOff(t.Context()); err != nil || !slices.Equal(off, app.DaysOff{"2026-12-02", "2027-03-03"}) {
			t.Errorf("days off: %v, %v", off, err)
		}
		for _, typed := range []string{"2026-02-30", "12월 3일", "0001-01-01", strings.Repeat("2027-01-01 x", 2)} {
			var fault *app.InputError
			if err := r.SetCancelRules(t.Context(), r.owner, rules, typed); !errors.As(err, &fault) || fault.Field != "days_off" {
				t.Errorf("%s: %v", typed, err)
			}
		}
		if plan, err := r.PrepareCancel(t.Context(), gift.Moid); err != nil || plan.Nth != 2 || plan.Left != 6_000 {
			t.Errorf("after the first part: %+v, %v", plan, err)
		}

		for field, change := range map[string]func(*app.CancelRule){
			"to.0": func(c *app.CancelRule) { c.From, c.To = 3, 2 }, "source.0": func(c *app.CancelRule) { c.Source = " " },
		} {
			bad := slices.Clone(rules)
			change(&bad[0])
			var fault *app.InputError
			if err := r.SetCancelRules(t.Context(), r.owner, bad, ""); !errors.As(err, &fault) || fault.Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		if err := r.SetCancelRules(t.Context(), r.owner, rules[1:], ""); !errors.Is(err, app.ErrBadInput) {
			t.Errorf("one missing: %v", err)
		}
		if err := r.SetCancelRules(t.Context(), app.Staff{ID: "x", Role: app.RoleManager}, rules, ""); err == nil {
			t.Error("a manager changed them")
		}
	})
}
