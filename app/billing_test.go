package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// cardhouse is the gateway's side of recurring payments: it knows the keys that it issued and remembers every charge.
type cardhouse struct {
	mu     sync.Mutex
	keys   map[smartro.BillingKey]string // and their customers
	asked  map[app.Moid]int
	took   map[app.Moid]app.TID
	refuse bool
	answer error // instead of the answer, the money having moved
	raw    string
	serial int
}

func newCardhouse() *cardhouse {
	return &cardhouse{keys: map[smartro.BillingKey]string{}, asked: map[app.Moid]int{}, took: map[app.Moid]app.TID{}}
}

func (h *cardhouse) charge(r smartro.ChargeRequest) (smartro.ChargeAnswer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked[r.Moid]++
	a := smartro.ChargeAnswer{MID: smartro.DemoMID, Moid: r.Moid, Amt: r.Amt, HasAmt: true, ResultCode: "3041", ResultMsg: "한도초과", Raw: []byte("refused")}
	if user, ok := h.keys[r.Key]; !ok || user != r.UserID {
		a.ResultCode, a.ResultMsg = "SB53", "another customer's key"
		return a, nil
	}
	if h.refuse {
		return a, nil
	}
	h.serial++
	tid := app.TID(fmt.Sprintf("%s0101261201090000%04d", smartro.DemoMID, h.serial))
	h.took[r.Moid] = tid
	if h.answer != nil {
		return smartro.ChargeAnswer{Raw: []byte(h.raw)}, h.answer
	}
	a.ResultCode, a.ResultMsg, a.TID, a.AuthCode, a.AuthDate, a.CardName, a.Raw = "3001", "성공", tid, "12345678", "261201090000", "신한", []byte("paid "+string(tid))
	return a, nil
}

// calls is how often each charge was asked for, at most, and how much money moved.
func (h *cardhouse) calls() (most, taken int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.asked {
		most = max(most, n)
	}
	return most, len(h.took)
}

// subscriber is a rig whose gateway is a cardhouse.
type subscriber struct {
	*rig
	house *cardhouse
}

func newSubscriber(t *testing.T, s *db.Store) subscriber {
	t.Helper()
	r := subscriber{newRig(t, s), newCardhouse()}
	r.now = time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	r.gw.charge = r.house.charge
	return r
}

func (r subscriber) subscribe(in app.SubscriptionInput) app.Subscription {
	r.t.Helper()
	in.Name, in.Tel, in.Email, in.Goods, in.Amount = "홍길동", "010-9999-1111", "hong@example.com", "우유 배달", 33000
	sub, err := r.CreateSubscription(r.t.Context(), r.owner, in)
	if err != nil {
		r.t.Fatal(err)
	}
	return sub
}

// window opens the window of a customer's link and returns what the gateway would answer with a key of that number.
func (r subscriber) window(sub app.Subscription, number int) (raw []byte, token string) {
	r.t.Helper()
	form, err := r.OpenCardWindow(r.t.Context(), sub.Token, app.CardWindowInput{UserIP: "192.0.2.7"})
	if err != nil {
		r.t.Fatal(err)
	}
	key := smartro.BillingKey(fmt.Sprintf("%sBILL%015d", smartro.DemoMID, number))
	r.house.mu.Lock()
	r.house.keys[key] = form.Get("mallUserID")
	r.house.mu.Unlock()
	tid := app.TID(fmt.Sprintf("%s0101261120120000%04d", smartro.DemoMID, number))
	const date, auth = "261120120000", "87654321"
	fields := []smartro.Field{
		{Name: "PayMethod", Value: "CARDBILL"}, {Name: "MID", Value: smartro.DemoMID}, {Name: "TID", Value: string(tid)}, {Name: "OID", Value: form.Get("Moid")},
		{Name: "Amt", Value: "100"}, {Name: "mallUserID", Value: form.Get("mallUserID")}, {Name: "ResultCode", Value: "3001"}, {Name: "AuthDate", Value: date},
		{Name: "AuthCode", Value: auth}, {Name: "CardNum", Value: "912345******1234"}, {Name: "fn_name", Value: "신한"}, {Name: "BillTid", Value: key.Reveal()},
		{Name: "BillKeyMode", Value: "1"}, {Name: "MallReserved", Value: form.Get("MallReserved")},
		{Name: "VerifyValue", Value: smartro.RawVerifyValue(smartro.MD5, smartro.DemoMID, smartro.DemoKey, date, auth, "100", key)},
		{Name: "SignValue", Value: smartro.SignValue(smartro.MD5, tid, "3001", smartro.DemoKey)},
	}
	return smartro.EncodeForm(fields, smartro.UTF8), strings.TrimPrefix(form.Get("MallReserved"), "rt=")
}

func (r subscriber) register(sub app.Subscription, number int) {
	r.t.Helper()
	raw, token := r.window(sub, number)
	if link, err := r.ReceiveCard(r.t.Context(), token, raw); err != nil || link != sub.Token {
		r.t.Fatal(link, err)
	}
}

// work does all that is due, and waits for the calls.
func (r subscriber) work() {
	r.t.Helper()
	for range 20 {
		n, err := r.WorkOnce(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		if err := r.Drain(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// until lets the days pass, working every eight hours.
func (r subscriber) until(day string) {
	r.t.Helper()
	end, err := time.ParseInLocation("2006-01-02 15:04", day, app.KST)
	if err != nil {
		r.t.Fatal(err)
	}
	for r.now.Before(end) {
		r.now = r.now.Add(8 * time.Hour)
		if r.now.After(end) {
			r.now = end.UTC()
		}
		r.work()
	}
}

func (r subscriber) story(no app.SubscriptionNo) app.SubscriptionStory {
	r.t.Helper()
	st, err := r.Subscription(r.t.Context(), r.owner, no)
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

// states are the charges' states, the oldest first.
func (r subscriber) states(no app.SubscriptionNo) string {
	var list []string
	for _, c := range r.story(no).Charges {
		list = append([]string{string(c.State)}, list...)
	}
	return strings.Join(list, " ")
}

// whole says that the records agree and no charge was asked for twice.
func (r subscriber) whole(s *db.Store) {
	r.t.Helper()
	if most, _ := r.house.calls(); most > 1 {
		r.t.Errorf("a charge was asked for %d times", most)
	}
	if _, err := s.Verify(r.t.Context(), nil, func(text string) { r.t.Error(text) }); err != nil {
		r.t.Error(err)
	}
}

// told is the gateway's notice of a charge.
func (r subscriber) told(c app.Charge) []smartro.Field {
	r.house.mu.Lock()
	defer r.house.mu.Unlock()
	return notice(r.payment(c.Moid), r.house.took[c.Moid], "3001", c.Amount)
}

func TestDueDays(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.ParseInLocation(time.DateOnly, s, app.KST)
		if err != nil {
			t.Fatal(err)
		}
		return d.UTC()
	}
	for _, c := range []struct {
		day                    int
		start, end, from, want string
	}{
		{1, "2026-11-20", "", "2026-11-20", "2026-12-01 09:00"}, {20, "2026-11-20", "", "2026-11-20", "2026-11-20 09:00"},
		{28, "2027-02-01", "", "2027-02-01", "2027-02-28 09:00"}, {app.LastDay, "2027-02-01", "", "2027-02-01", "2027-02-28 09:00"},
		{app.LastDay, "2028-02-01", "", "2028-02-01", "2028-02-29 09:00"}, {app.LastDay, "2026-12-31", "", "2027-01-01", "2027-01-31 09:00"},
		{15, "2026-11-20", "", "2026-12-31", "2027-01-15 09:00"}, {15, "2027-03-01", "", "2026-12-31", "2027-03-15 09:00"},
		{15, "2026-11-20", "2026-12-15", "2026-11-20", "2026-12-15 09:00"}, {15, "2026-11-20", "2026-12-14", "2026-11-20", ""},
		{app.OnDemand, "2026-11-20", "", "2026-11-20", ""},
	} {
		sub := app.Subscription{Day: c.day, Start: day(c.start)}
		if c.end != "" {
			sub.End = day(c.end)
		}
		got := ""
		if due := sub.DueFrom(day(c.from)); !due.IsZero() {
			got = due.In(app.KST).Format("2006-01-02 15:04")
		}
		if got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// TestChargedEachMonth: one charge a month, an order and a payment like any other, told by answer and notice; cancelled by
// the usual call; stopped, and the key destroyed after its term.
//
// proves R34
func TestChargedEachMonth(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newSubscriber(t, s)
		sub := r.subscribe(app.SubscriptionInput{Day: 1})
		r.until("2026-12-02 10:00")
		if got := r.states(sub.No); got != "" {
			t.Fatalf("charged without a card: %s", got)
		}
		r.register(sub, 1)
		r.register(sub, 2) // another card: the first one's key is to be destroyed
		if st := r.story(sub.No); st.State != app.SubscriptionActive || st.Card == nil || st.Card.Key != "" || st.Card.CardNum != "912345******1234" ||
			st.NextAt.In(app.KST).Format("2006-01-02 15:04") != "2027-01-01 09:00" {
			t.Fatalf("%+v", st)
		}
		r.until("2027-03-15 10:00")
		st := r.story(sub.No)
		if got := r.states(sub.No); got != "paid paid paid" {
			t.Fatalf("charges: %s", got)
		}
		for _, c := range st.Charges {
			p := r.want(c.Moid, app.Paid)
			if o, err := s.Order(t.Context(), c.OrderNo); err != nil || o.Subscription != sub.No || o.State != app.OrderPaid || p.Method != smartro.Card {
				t.Errorf("%+v %v", o, err)
			} else if _, _, err := r.Pay(t.Context(), o.Token, app.PayInput{Method: smartro.Card, Device: smartro.PC}); !errors.Is(err, app.ErrPaid) && !errors.Is(err, app.ErrClosed) {
				t.Errorf("a window was opened beside the charge: %v", err)
			}
			if v := r.notify(r.told(c)); v != app.VerdictDuplicate {
				t.Errorf("notice: %s", v)
			}
		}
		asked, err := r.Orders(t.Context(), app.OrderQuery{Asked: true, Limit: 9})
		if err != nil || len(asked) != 0 {
			t.Errorf("payment requests: %v %v", asked, err)
		}
		if err := r.CustomerStops(t.Context(), sub.Token); err != nil {
			t.Fatal(err)
		}
		r.until("2027-04-10 10:00")
		if st := r.story(sub.No); st.State != app.SubscriptionStopped || st.StoppedBy != app.StoppedByCustomer || len(st.Charges) != 3 || st.Card.Erased {
			t.Errorf("%+v", st)
		}
		if c, err := s.Card(t.Context(), sub.No, r.story(sub.No).KeyID); err != nil || c.Key == "" {
			t.Errorf("the key was destroyed before its term: %v", err)
		}
		r.until("2027-04-20 10:00")
		if c, err := s.Card(t.Context(), sub.No, r.story(sub.No).KeyID); err != nil || c.Key != "" || !c.Erased {
			t.Errorf("%+v %v", c, err)
		}
		if _, err := r.OpenCardWindow(t.Context(), sub.Token, app.CardWindowInput{UserIP: "192.0.2.7"}); !errors.Is(err, app.ErrClosed) {
			t.Errorf("a stopped one took a card: %v", err)
		}
		r.whole(s)
	})
}

// TestChargeOfUnknownOutcome: however the answer is lost, the money having moved, the charge is never asked for again, for
// months, by nobody; a notice settles it, doubled or late, or a person.
//
// proves R34
func TestChargeOfUnknownOutcome(t *testing.T) {
	for name, answer := range map[string]struct {
		raw string
		err error
	}{
		"hang": {"", context.DeadlineExceeded}, "500": {"<html>", smartro.ErrUnreadable}, "another order": {"3001!@#", smartro.ErrMismatch},
		"unsigned": {"3001!@#", smartro.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, s *db.Store) {
				r := newSubscriber(t, s)
				sub := r.subscribe(app.SubscriptionInput{Day: 1})
				r.register(sub, 1)
				r.house.answer, r.house.raw = answer.err, answer.raw
				r.until("2027-01-06 10:00")
				if _, taken := r.house.calls(); taken != 1 || !strings.HasPrefix(r.states(sub.No), "unknown") {
					t.Fatalf("%d taken, %s", taken, r.states(sub.No))
				}
				if _, err := r.ChargeNow(t.Context(), r.owner, sub.No, "0123456789abcdef"); !errors.Is(err, app.ErrBusy) {
					t.Errorf("charged under another number: %v", err)
				}
				w, err := r.Worklist(t.Context())
				if err != nil || len(w.Charges) != 2 || w.Charges[0].State != app.ChargeUnknown || w.Charges[1].State != app.ChargeSkipped {
					t.Fatalf("the list of what needs a hand: %+v %v", w.Charges, err)
				}
				c := w.Charges[0]
				r.house.answer = nil
				switch name {
				case "hang", "unsigned":
					for i := range 3 {
						if v := r.notify(r.told(c)); (v == app.VerdictGood) != (i == 0) {
							t.Errorf("notice %d: %s", i, v)
						}
					}
				case "500":
					if _, err := r.SettleCharge(t.Context(), r.owner, c.ID, true, "nonsense", "관리자에서 확인"); !errors.Is(err, app.ErrBadInput) {
						t.Errorf("any TID will do: %v", err)
					}
					if _, err := r.SettleCharge(t.Context(), r.owner, c.ID, true, string(r.house.took[c.Moid]), "관리자에서 확인"); err != nil {
						t.Fatal(err)
					}
					if v := r.notify(r.told(c)); v != app.VerdictDuplicate {
						t.Errorf("notice after a person's word: %s", v)
					}
				default: // a person was wrong: the notice comes all the same
					if _, err := r.SettleCharge(t.Context(), r.owner, c.ID, false, "", "목록에 없음"); err != nil {
						t.Fatal(err)
					}
					if v := r.notify(r.told(c)); v != app.VerdictGood {
						t.Errorf("notice: %s", v)
					}
				}
				r.want(c.Moid, app.Paid)
				if c, err = s.Charge(t.Context(), c.ID); err != nil || c.State != app.ChargePaid || c.Hand {
					t.Errorf("%+v %v", c, err)
				}
				if _, err := r.SettleCharge(t.Context(), r.owner, c.ID, false, "", "다시"); !errors.Is(err, app.ErrConflict) {
					t.Errorf("settled twice: %v", err)
				}
				r.until("2027-02-02 10:00")
				if got := r.states(sub.No); !strings.HasSuffix(got, "paid") || strings.Count(got, "paid") != 2 {
					t.Errorf("goes on with %s", got)
				}
				r.whole(s)
			})
		})
	}
}

// TestChargeAndItsKey: a charge that was made with a new merchant key is not proved by the one before it, which is still
// believed about older payments.
//
// proves R28, R34
func TestChargeAndItsKey(t *testing.T) {
	r := newSubscriber(t, dbtest.SQLite(t))
	sub := r.subscribe(app.SubscriptionInput{Day: 1})
	r.register(sub, 1)
	r.until("2026-11-30 23:00")
	r.changeKey(secondKey)
	r.house.answer = context.DeadlineExceeded
	r.until("2026-12-01 12:00")
	w, err := r.Worklist(t.Context())
	if err != nil || len(w.Charges) != 1 {
		t.Fatalf("%+v, %v", w.Charges, err)
	}
	c := w.Charges[0]
	if v := r.notify(r.told(c)); v != app.VerdictOldKey {
		t.Errorf("the key before: %s", v)
	}
	if p := r.want(c.Moid, app.Opened); p.KeyVersion != 2 {
		t.Errorf("charged with key %d", p.KeyVersion)
	}
	if v := r.notify(signedWith(secondKey, r.told(c))); v != app.VerdictGood {
		t.Errorf("its own key: %s", v)
	}
	r.want(c.Moid, app.Paid)
}

// TestRefusedCharge: tried three times, on following days, each time as an attempt of the same order; then a person's.
//
// proves R34
func TestRefusedCharge(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newSubscriber(t, s)
		sub := r.subscribe(app.SubscriptionInput{Day: 1, End: "2027-01-31"})
		r.register(sub, 1)
		r.house.refuse = true
		r.until("2026-12-01 12:00")
		c := r.story(sub.No).Charges[0]
		if c.State != app.ChargeRefused || c.RetryAt.In(app.KST).Format("2006-01-02 15:04") != "2026-12-02 09:00" || c.Hand {
			t.Fatalf("%+v", c)
		}
		r.until("2026-12-20 12:00")
		st := r.story(sub.No)
		if got := r.states(sub.No); got != "refused refused refused" || !st.Charges[0].Hand || st.Charges[0].OrderNo != c.OrderNo || st.Charges[0].Moid == c.Moid {
			t.Fatalf("%s: %+v", got, st.Charges)
		}
		if err := r.PutChargeAway(t.Context(), r.owner, st.Charges[0].ID); err != nil {
			t.Error(err)
		}
		if err := r.PutChargeAway(t.Context(), r.owner, st.Charges[0].ID); !errors.Is(err, app.ErrConflict) {
			t.Errorf("put away twice: %v", err)
		}
		r.house.refuse = false
		key := "0123456789abcdefgh"
		for range 2 { // a double click
			if now, err := r.ChargeNow(t.Context(), r.owner, sub.No, key); err != nil || now.State != app.ChargePaid || !now.OnDemand() {
				t.Errorf("%+v %v", now, err)
			}
		}
		r.house.refuse = true
		r.until("2027-01-01 12:00")
		r.house.refuse = false
		r.until("2027-02-20 12:00")
		if got := r.states(sub.No); got != "refused refused refused paid refused paid" {
			t.Errorf("charges: %s", got)
		}
		if st := r.story(sub.No); st.State != app.SubscriptionStopped || st.StoppedBy != app.StoppedByEnd {
			t.Errorf("after its last day: %s by %s", st.State, st.StoppedBy)
		}
		r.whole(s)
	})
}

// TestChargesInTwoProcesses: two programs work on one store, and a person stops the subscription meanwhile: one call for
// each charge, and none after the stop.
//
// proves R34
func TestChargesInTwoProcesses(t *testing.T) {
	dbtest.EachCrowd(t, func(t *testing.T, stores []*db.Store) {
		r := newSubscriber(t, stores[0])
		var subs []app.Subscription
		for i := range 12 {
			sub := r.subscribe(app.SubscriptionInput{Day: 1})
			r.register(sub, i+1)
			subs = append(subs, sub)
		}
		all := []*rig{r.rig}
		for _, s := range stores[1:] {
			other := rigOn(t, s)
			other.owner, other.gw.charge = r.owner, r.house.charge
			all = append(all, other)
		}
		if len(all) == 1 { // SQLite has one process; two workers of it are the nearest
			other := rigOn(t, stores[0])
			other.owner, other.gw.charge = r.owner, r.house.charge
			all = append(all, other)
		}
		due := time.Date(2026, 12, 1, 0, 0, 1, 0, time.UTC)
		for _, one := range all {
			one.now = due
		}
		var wg sync.WaitGroup
		for _, one := range all {
			wg.Go(func() {
				for range 12 {
					if _, err := one.WorkOnce(t.Context()); err != nil {
						t.Error(err)
					}
				}
				if err := one.Drain(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			for _, sub := range subs[:6] {
				if err := r.StopSubscription(t.Context(), r.owner, sub.No); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Wait()
		most, taken := r.house.calls()
		if most != 1 || taken < 6 || taken > 12 {
			t.Errorf("asked %d times at most, %d taken", most, taken)
		}
		paid := 0
		for _, sub := range subs {
			switch got := r.states(sub.No); got {
			case "paid":
				paid++
			case "", "withdrawn":
			default:
				t.Errorf("%s: %s", sub.No, got)
			}
		}
		if paid != taken {
			t.Errorf("%d taken, %d paid", taken, paid)
		}
		r.whole(stores[0])
	})
}

// TestChargesAfterRestore: nothing is charged before the owner has compared the records, and what was due in the lost time
// waits for a person instead of being charged a second time.
//
// proves R30, R34
func TestChargesAfterRestore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newSubscriber(t, s)
		sub := r.subscribe(app.SubscriptionInput{Day: 1})
		r.register(sub, 1)
		backup := r.now
		r.now = time.Date(2026, 12, 2, 3, 0, 0, 0, time.UTC) // a day after the charge that the records don't know
		err := s.Update(t.Context(), func(tx app.Tx) error { return app.BeginEpoch(t.Context(), tx, r.now, backup, 1) })
		if err != nil {
			t.Fatal(err)
		}
		r.until("2026-12-02 20:00")
		if most, _ := r.house.calls(); most != 0 {
			t.Fatal("charged while frozen")
		}
		if _, err := r.ChargeNow(t.Context(), r.owner, sub.No, "0123456789abcdef"); !errors.Is(err, app.ErrFrozen) {
			t.Errorf("charged while frozen: %v", err)
		}
		if err := r.Reconcile(t.Context(), r.owner, "비교함"); err != nil {
			t.Fatal(err)
		}
		r.until("2026-12-03 20:00")
		if most, _ := r.house.calls(); most != 0 || r.states(sub.No) != "unknown" {
			t.Fatalf("asked %d times, %s", most, r.states(sub.No))
		}
		if _, err := r.SettleCharge(t.Context(), r.owner, r.story(sub.No).Charges[0].ID, false, "", "목록에 없음"); err != nil {
			t.Fatal(err)
		}
		r.until("2027-01-02 20:00")
		if got := r.states(sub.No); got != "refused paid paid" {
			t.Errorf("charges: %s", got)
		}
		r.whole(s)
	})
}

// TestChargesAndTheClock: a clock that runs ahead by weeks charges nothing that nobody expects, one that steps back
// nothing twice, and a shop that was down for long asks before it takes money.
//
// proves R26, R34
func TestChargesAndTheClock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newSubscriber(t, s)
		sub := r.subscribe(app.SubscriptionInput{Day: 1})
		r.register(sub, 1)
		r.until("2026-12-01 10:00")
		r.now = r.now.Add(-20 * time.Hour)
		r.work()
		r.until("2026-12-03 10:00")
		if _, taken := r.house.calls(); taken != 1 {
			t.Errorf("%d taken after a step back", taken)
		}
		r.now = r.now.AddDate(0, 3, 10)
		r.work()
		if got := r.states(sub.No); got != "paid skipped" && got != "paid skipped skipped skipped" {
			t.Errorf("after three months: %s", got)
		}
		if _, taken := r.house.calls(); taken != 1 {
			t.Errorf("%d taken without a word", taken)
		}
		r.whole(s)
	})
}

// TestChargeWaitsForAnother: while one charge of a subscription is of unknown outcome the next period's is put off, hour by
// hour, and then left to a person; the one after it is charged as if nothing had been.
//
// proves R34
func TestChargeWaitsForAnother(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newSubscriber(t, s)
		sub := r.subscribe(app.SubscriptionInput{Day: 21})
		r.register(sub, 1)
		r.house.answer = context.DeadlineExceeded
		r.until("2026-12-20 10:00")
		r.house.answer = nil
		for range 6 * 24 {
			r.now = r.now.Add(time.Hour)
			r.work()
		}
		if got := r.states(sub.No); got != "unknown skipped" {
			t.Fatalf("charges: %s", got)
		}
		if _, err := r.SettleCharge(t.Context(), r.owner, r.story(sub.No).Charges[1].ID, true, string(r.house.took[r.story(sub.No).Charges[1].Moid]), "목록에 있음"); err != nil {
			t.Fatal(err)
		}
		r.until("2027-01-22 10:00")
		if got := r.states(sub.No); got != "paid skipped paid" {
			t.Errorf("charges: %s", got)
		}
		r.whole(s)
	})
}

// TestNobodyElsesCard: a customer's link, numbers and results never reach another customer's card, nor does a card reach
// two customers.
//
// proves S29
func TestNobodyElsesCard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newSubscriber(t, s)
		a, b := r.subscribe(app.SubscriptionInput{Day: 1}), r.subscribe(app.SubscriptionInput{Day: 1})
		ofA, tokenA := r.window(a, 1)
		ofB, tokenB := r.window(b, 2)
		none := func(what string, sub app.Subscription) {
			t.Helper()
			if st := r.story(sub.No); st.Card != nil || st.State != app.SubscriptionWaiting {
				t.Errorf("%s: %+v", what, st.Card)
			}
		}
		if _, err := r.ReceiveCard(t.Context(), tokenB, ofA); err != nil {
			t.Error(err)
		}
		none("A's result in B's window", b)
		swapped := bytes.Replace(ofA, []byte("OID="+string(oidOf(ofA))), []byte("OID="+string(oidOf(ofB))), 1)
		for what, raw := range map[string][]byte{
			"A's result with B's order": swapped,
			"B's result with A's key":   bytes.Replace(ofB, []byte("BILL000000000000002"), []byte("BILL000000000000001"), 1),
		} {
			if _, err := r.ReceiveCard(t.Context(), tokenB, raw); err != nil {
				t.Error(what, err)
			}
			none(what, b)
		}
		for _, token := range []string{"", "x", strings.Repeat("a", 26), string(b.No), b.Token} {
			if link, err := r.ReceiveCard(t.Context(), token, bytes.ReplaceAll(ofA, []byte(tokenA), []byte("nothing"))); !errors.Is(err, app.ErrNotFound) || link != "" {
				t.Errorf("token %q: %q %v", token, link, err)
			}
		}
		none("a token that is none", a)
		if link, err := r.ReceiveCard(t.Context(), tokenA, ofA); err != nil || link != a.Token {
			t.Fatal(err)
		}
		stA := r.story(a.No)
		if stA.Card == nil || stA.State != app.SubscriptionActive {
			t.Fatalf("%+v", stA)
		}
		if _, err := s.Card(t.Context(), b.No, stA.KeyID); !errors.Is(err, app.ErrNotFound) {
			t.Errorf("A's card was read for B: %v", err)
		}
		// The same key once more, in a result that is in every other way B's own: A's card is A's.
		if _, err := r.ReceiveCard(t.Context(), tokenB, bytes.Replace(swapped, []byte("mallUserID="+string(a.No)), []byte("mallUserID="+string(b.No)), 1)); err != nil {
			t.Error(err)
		}
		none("A's key for B", b)
		if link, err := r.ReceiveCard(t.Context(), tokenB, ofB); err != nil || link != b.Token {
			t.Fatal(err)
		}
		if _, err := r.CustomersSubscription(t.Context(), string(a.No)); !errors.Is(err, app.ErrNotFound) {
			t.Errorf("a number opens the page: %v", err)
		}
		r.until("2026-12-01 10:00")
		if r.states(a.No) != "paid" || r.states(b.No) != "paid" {
			t.Errorf("%s, %s", r.states(a.No), r.states(b.No))
		}
		r.whole(s)
	})
}

// oidOf is the OID of an encoded result.
func oidOf(raw []byte) []byte {
	_, rest, _ := bytes.Cut(raw, []byte("OID="))
	oid, _, _ := bytes.Cut(rest, []byte("&"))
	return oid
}

// TestBillingKeysAreSealed: a billing key and the customer stand in no plain byte of the database and in no line of the
// log, from the window to the destroyed key.
//
// proves S20
func TestBillingKeysAreSealed(t *testing.T) {
	config := dbtest.File(t)
	s := dbtest.Open(t, config)
	r := newSubscriber(t, s)
	var log bytes.Buffer
	r.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	sub := r.subscribe(app.SubscriptionInput{Day: 1})
	raw, token := r.window(sub, 77)
	if _, err := r.ReceiveCard(t.Context(), token, append([]byte("OID=x&"), raw...)); err != nil { // unreadable
		t.Error(err)
	}
	r.register(sub, 4242)
	r.house.answer = context.DeadlineExceeded
	r.until("2026-12-05 10:00")
	var all []byte
	for _, suffix := range []string{"", "-wal"} {
		f, err := os.Open(config.Path + suffix)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	if len(all) < 50_000 || !bytes.Contains(all, []byte(sub.No)) {
		t.Fatal("the database was not read")
	}
	for _, secret := range []string{"BILL0000000", "홍길동", "01099991111", "hong@example.com", "912345"} {
		if bytes.Contains(all, []byte(secret)) {
			t.Errorf("the database shows %q", secret)
		}
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log shows %q: %s", secret, log.String())
		}
	}
}

// TestRefusalsOfACardWindow: who has a link may tell of refusals in his window for ever: the first is written down, and
// the key that comes after it is taken all the same.
//
// proves S22, S29
func TestRefusalsOfACardWindow(t *testing.T) {
	s := dbtest.SQLite(t)
	r := newSubscriber(t, s)
	sub := r.subscribe(app.SubscriptionInput{Day: app.OnDemand})
	raw, token := r.window(sub, 1)
	moid := string(r.story(sub.No).Window.Moid)
	refuse := func(code int) app.CardWindow {
		body := "OID=" + moid + "&ResultCode=" + strconv.Itoa(code) + "&ResultMsg=" + strings.Repeat("x", 60_000)
		if link, err := r.ReceiveCard(t.Context(), token, []byte(body)); err != nil || link != sub.Token {
			t.Fatal(link, err)
		}
		return *r.story(sub.No).Window
	}
	first := refuse(5000)
	if first.State != app.CardWindowRefused || first.ResultCode != "5000" || len(first.ResultMsg) > 200 {
		t.Errorf("refused: %.300v", first)
	}
	before, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		if got := refuse(5000 + i%7); got != first {
			t.Errorf("refused again: %.300v", got)
		}
	}
	if after, err := s.Head(t.Context()); err != nil || after != before {
		t.Errorf("the log grew from row %d to %d, %v", before.Seq, after.Seq, err)
	}
	if _, err := r.ReceiveCard(t.Context(), token, raw); err != nil {
		t.Fatal(err)
	}
	if st := r.story(sub.No); st.Window.State != app.CardWindowDone || st.Card == nil {
		t.Errorf("after the key came: %+v", st.Window)
	}
	r.whole(s)
}
