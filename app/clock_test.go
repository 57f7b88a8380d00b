package app_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

func kst(month time.Month, day, hour, minute, second int) time.Time {
	return time.Date(2026, month, day, hour, minute, second, 0, app.KST)
}

// TestBusinessDay: a cancel is of the same day by the gateway's own time in Korea, whenever we heard and whatever our
// clock says.
//
// proves R27
func TestBusinessDay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		for name, c := range map[string]struct {
			approved    string
			heard, asks time.Time
			same        bool
		}{
			"a second before midnight, asked in it":   {"261123235958", kst(11, 23, 23, 59, 59), kst(11, 23, 23, 59, 59), true},
			"before midnight, asked after it":         {"261123235958", kst(11, 23, 23, 59, 59), kst(11, 24, 0, 0, 0), false},
			"before midnight, heard and asked after":  {"261123235958", kst(11, 24, 0, 0, 2), kst(11, 24, 0, 0, 3), false},
			"at midnight, asked at the day's end":     {"261124000000", kst(11, 24, 0, 0, 1), kst(11, 24, 23, 59, 59), true},
			"other days in UTC, one in Korea":         {"261124083000", kst(11, 24, 8, 30, 5), kst(11, 24, 9, 30, 0), true},
			"one day in UTC, two in Korea":            {"261123233000", kst(11, 23, 23, 30, 5), kst(11, 24, 0, 30, 0), false},
			"after midnight there, before it by ours": {"261124000002", kst(11, 23, 23, 59, 58), kst(11, 23, 23, 59, 59), true},
		} {
			r.now = c.heard.UTC()
			p := r.open(11000, smartro.Card)
			n := notice(p, r.tid(smartro.Card), "3001", 11000)
			for i := range n {
				if n[i].Name == "AuthDate" {
					n[i].Value = c.approved
				}
			}
			r.notify(n)
			r.want(p.Moid, app.Paid)
			r.now = c.asks.UTC()
			plan, err := r.PrepareCancel(t.Context(), p.Moid)
			if err != nil || plan.SameDay != c.same {
				t.Errorf("%s: same day %t, want %t: %v", name, plan.SameDay, c.same, err)
			}
		}
	})
}

// TestDueMidnight: an order is payable to the last second of its due date in Korea.
//
// proves R15
func TestDueMidnight(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		for off, want := range map[time.Duration]error{-2 * time.Second: nil, -time.Second: nil, time.Second: app.ErrClosed, 2 * time.Second: app.ErrClosed} {
			// Another shop each time: a clock that goes back brings nothing back.
			again := rigOn(t, s)
			again.now = kst(11, 23, 14, 0, 0).UTC()
			o, err := again.CreateOrder(t.Context(), r.owner, app.OrderInput{
				Goods: "맛동산", Amount: 1000, BuyerName: "홍길동", BuyerTel: "010-9999-1111", BuyerEmail: "hong@example.com", DueDate: "2026-11-23",
			})
			if err != nil {
				t.Fatal(err)
			}
			again.now = kst(11, 24, 0, 0, 0).Add(off).UTC()
			if _, _, err = again.Pay(t.Context(), o.Token, app.PayInput{Method: smartro.Card, Device: smartro.PC}); !errors.Is(err, want) {
				t.Errorf("%v from midnight: %v, want %v", off, err, want)
			}
		}
	})
}

// TestClockStepsBack: what ran out stays so when the clock goes back, in another process and after a restart, too.
// What is owed is done all the same, and the shop gets over a clock that was wrong by years.
//
// proves R26
func TestClockStepsBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		o, err := r.CreateOrder(t.Context(), r.owner, app.OrderInput{
			Goods: "맛동산", Amount: 1000, BuyerName: "홍길동", BuyerTel: "010-9999-1111", BuyerEmail: "hong@example.com", DueDate: r.now.In(app.KST).Format(time.DateOnly),
		})
		if err != nil {
			t.Fatal(err)
		}
		pay := func(r *rig) error {
			_, _, err := r.Pay(t.Context(), o.Token, app.PayInput{Method: smartro.Card, Device: smartro.PC})
			return err
		}
		work := func(r *rig) {
			t.Helper()
			if _, err := r.WorkOnce(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		r.now = kst(11, 24, 0, 10, 0)
		work(r)
		r.now = r.now.Add(-time.Hour)
		if err := pay(r); !errors.Is(err, app.ErrClosed) {
			t.Errorf("an hour back: %v", err)
		}
		other := rigOn(t, s)
		other.now = r.now
		work(other)
		if err := pay(other); !errors.Is(err, app.ErrClosed) {
			t.Errorf("in another process: %v", err)
		}

		asked := 0
		r.gw.inquire = func(app.TID) (smartro.Inquiry, error) {
			asked++
			return smartro.Inquiry{}, errors.New("not reachable")
		}
		p := r.open(5000, smartro.Card)
		r.browser(notice(p, r.tid(smartro.Card), "3001", 5000), p.ReturnToken)
		for range 12 { // a minute of a clock that is an hour behind
			r.now = r.now.Add(5 * time.Second)
			work(r)
		}
		if asked == 0 || asked > 3 {
			t.Errorf("asked about a claim %d times in a minute", asked)
		}

		r.now = r.now.AddDate(70, 0, 0)
		work(r)
		r.now = kst(11, 25, 9, 0, 0)
		work(r)
		fresh := r.open(7000, smartro.Card)
		work(r)
		r.want(fresh.Moid, app.Opened)
	})
}

// TestOrderBySeq: what happened first has the lower number, whatever the clock did between, and the payment's page
// tells it in that order.
//
// proves E4, R26
func TestOrderBySeq(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.open(10000, smartro.Card)
		tid := r.tid(smartro.Card)
		told := notice(p, tid, "3001", 10000)
		r.now = r.now.Add(-3 * time.Hour)
		r.browser(told, p.ReturnToken)
		r.now = r.now.Add(time.Hour)
		r.notify(told)
		r.now = r.now.Add(-24 * time.Hour)
		r.notify(notice(p, r.tid(smartro.Card), "2001", 4000, smartro.Field{Name: "OTID", Value: string(tid)}))
		if got := r.want(p.Moid, app.PartlyCancelled); got.Cancelled != 4000 {
			t.Errorf("cancelled %d", got.Cancelled)
		}
		want := []app.EventKind{app.FormServed, app.ReturnSuccess, app.Approved, app.CancelNotice}
		events, err := s.Events(t.Context(), p.OrderNo)
		if err != nil {
			t.Fatal(err)
		}
		var kinds []app.EventKind
		for i, e := range events {
			kinds = append(kinds, e.Kind)
			if i > 0 && e.Seq <= events[i-1].Seq {
				t.Errorf("event %d stands after %d", e.Seq, events[i-1].Seq)
			}
		}
		if !slices.Equal(kinds, want) {
			t.Errorf("events %v, want %v", kinds, want)
		}
		story, err := r.Story(t.Context(), p.Moid)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(story.Timeline)
		kinds = nil
		for i, e := range story.Timeline {
			if e.Event == nil {
				if next := story.Timeline[i+1]; next.Event == nil || next.Event.MessageID != e.Message.ID {
					t.Errorf("the message %s does not stand before what it brought about", e.Message.Kind)
				}
				continue
			}
			kinds = append(kinds, e.Event.Kind)
		}
		if !slices.Equal(kinds, want) {
			t.Errorf("the page tells %v, want %v", kinds, want)
		}
		if _, err := s.Verify(t.Context(), nil, func(fault string) { t.Error(fault) }); err != nil {
			t.Error(err)
		}
	})
}

// TestDedupeAndEffect: the digest of everything that was said knows an exact repeat, in any order of its fields and not
// on another way or level; the effect's own name decides whether anything changes.
//
// proves E4
func TestDedupeAndEffect(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.open(10000, smartro.Card)
		tid := r.tid(smartro.Card)
		told := notice(p, tid, "3001", 10000)
		kept := func() (copies []int64) {
			t.Helper()
			err := s.Ready(t.Context()) // copies are counted with the next write
			list, readErr := s.Messages(t.Context(), p.OrderNo)
			if err := errors.Join(err, readErr); err != nil {
				t.Fatal(err)
			}
			for _, m := range list {
				copies = append(copies, m.Copies)
			}
			return copies
		}
		check := func(what string, v, want app.Verdict, copies ...int64) {
			t.Helper()
			if v != want || !slices.Equal(kept(), copies) {
				t.Errorf("%s: %s, want %s; kept %v, want %v", what, v, want, kept(), copies)
			}
		}
		check("the browser's word", r.browser(told, p.ReturnToken), app.VerdictClaim, 1)
		r.now = r.now.Add(time.Second)
		check("the same from the gateway", r.notify(told), app.VerdictGood, 1, 1)
		turned := slices.Clone(told)
		slices.Reverse(turned)
		check("the same in another order", r.notify(turned), app.VerdictDuplicate, 1, 2)
		check("the browser's again", r.browser(turned, p.ReturnToken), app.VerdictDuplicate, 2, 2)
		r.now = r.now.Add(time.Second)
		check("the same transaction, told otherwise", r.notify(append(told, smartro.Field{Name: "extra", Value: "1"})), app.VerdictDuplicate, 2, 2, 1)
		r.now = r.now.Add(time.Second)
		changed := slices.Clone(told)
		changed[5].Value = "홍길순"
		check("and with another name", r.notify(changed), app.VerdictDuplicate, 2, 2, 1, 1)
		events, err := s.Events(t.Context(), p.OrderNo)
		if err != nil {
			t.Fatal(err)
		}
		effects := map[string]int{}
		for _, e := range events {
			if e.EffectKey != "" {
				effects[e.EffectKey]++
			}
		}
		if want := "approval|" + string(p.Mode) + "|" + string(tid); len(effects) != 1 || effects[want] != 1 {
			t.Errorf("effects %v, want one %s", effects, want)
		}
		r.want(p.Moid, app.Paid)
	})
}
