package app_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// chargeSteps is how many steps the subscriptions' part of a history has.
const chargeSteps = 60

// charging is the subscriptions' part of a history: a few customers, a gateway that remembers every charge and answers as
// badly as it can, and people who tell the truth about its record.
type charging struct {
	subscriber
	store   *db.Store
	rnd     *rand.Rand
	subs    []app.Subscription
	forms   []string // keys of "charge now" that were pressed
	results []result
	story   []string
}

// result is what the gateway answered a window with.
type result struct {
	token string
	raw   []byte
}

// walkCharges walks one, with the history's seed. However answers, notices and clocks go, no period and no press of a
// button is charged twice, nobody is charged by another's card, and every won that was taken ends as a payment.
func walkCharges(t *testing.T, engine string, seed uint64) {
	t.Helper()
	s := dbtest.SQLite
	if engine == "postgres" {
		s = dbtest.Postgres
	}
	store := s(t)
	c := &charging{
		subscriber: newSubscriber(t, store), store: store, rnd: rand.New(rand.NewPCG(seed, 34)),
	}
	for i := range chargeSteps {
		c.step()
		c.check()
		if t.Failed() {
			for n, line := range c.story {
				t.Logf("%d %s", n+1, line)
			}
			t.Logf("at charge step %d of seed %d", i+1, seed)
			return
		}
	}
	c.settleDown()
	c.check()
	if _, err := store.Verify(t.Context(), nil, func(text string) { t.Error(text) }); err != nil {
		t.Error(err)
	}
}

func (c *charging) say(format string, args ...any) {
	c.story = append(c.story, fmt.Sprintf(format, args...))
}

// step does one thing that may happen.
func (c *charging) step() {
	c.t.Helper()
	switch n := c.rnd.IntN(21); {
	case n < 2 || len(c.subs) == 0:
		c.begin()
	case n < 8:
		c.now = c.now.Add([]time.Duration{time.Minute, 5 * time.Hour, 26 * time.Hour, 49 * time.Hour}[c.rnd.IntN(4)])
		c.misbehave()
		c.say("%v, and the jobs", c.now.Format(time.DateTime))
		c.work()
	case n < 10:
		c.press()
	case n < 13:
		c.tell()
	case n < 15:
		c.lookItUp()
	case n < 17:
		c.swapCards()
	case n < 18:
		c.pause()
	case n < 19:
		c.say("a step back")
		c.now = c.now.Add(-time.Duration(c.rnd.IntN(20)) * time.Hour)
	case n < 20:
		c.say("a restart")
		again := rigOn(c.t, c.store)
		again.owner, again.secret, again.now, again.gw.charge = c.owner, c.secret, c.now, c.house.charge
		c.rig = again
	default:
		c.cancelOne()
	}
}

// begin makes a subscription and registers its card.
func (c *charging) begin() {
	if len(c.subs) >= 5 {
		return
	}
	sub := c.subscribe(app.SubscriptionInput{Day: 1 + c.rnd.IntN(28)})
	c.subs = append(c.subs, sub)
	raw, token := c.window(sub, len(c.subs))
	c.results = append(c.results, result{token, raw})
	c.say("%s begins", sub.No)
	if c.rnd.IntN(3) > 0 { // else the browser comes back later
		c.bring(token, raw)
	}
}

func (c *charging) bring(token string, raw []byte) {
	c.t.Helper()
	if _, err := c.ReceiveCard(c.t.Context(), token, raw); err != nil {
		c.t.Error(err)
	}
}

// misbehave chooses how the gateway answers from now on.
func (c *charging) misbehave() {
	c.house.mu.Lock()
	defer c.house.mu.Unlock()
	c.house.refuse, c.house.answer, c.house.raw = false, nil, ""
	switch c.rnd.IntN(5) {
	case 0:
		c.house.refuse = true
	case 1:
		c.house.answer = context.DeadlineExceeded
	case 2:
		c.house.answer, c.house.raw = smartro.ErrUnreadable, "<html>"
	}
	c.say("the gateway refuses: %t, loses its answer: %v", c.house.refuse, c.house.answer)
}

// press presses "charge now" once or twice.
func (c *charging) press() {
	sub := c.subs[c.rnd.IntN(len(c.subs))]
	key := fmt.Sprintf("keyofachargeform%05d", len(c.forms))
	c.forms = append(c.forms, key)
	c.misbehave()
	c.say("%s is charged now", sub.No)
	before := len(c.house.asked)
	for range 1 + c.rnd.IntN(2) {
		_, err := c.ChargeNow(c.t.Context(), c.owner, sub.No, key)
		if err != nil && !errors.Is(err, app.ErrBusy) && !errors.Is(err, app.ErrClosed) {
			c.t.Error(err)
		}
	}
	if n := len(c.house.asked) - before; n > 1 {
		c.t.Errorf("one form was charged %d times", n)
	}
}

// charges are all of them that the gateway was asked for.
func (c *charging) charges() (list []app.Charge) {
	for _, sub := range c.subs {
		for _, ch := range c.subscriber.story(sub.No).Charges {
			if ch.Moid != "" {
				list = append(list, ch)
			}
		}
	}
	return list
}

// tell has the gateway notify of some charge that it took, late or again.
func (c *charging) tell() {
	list := slices.DeleteFunc(c.charges(), func(ch app.Charge) bool { return c.house.took[ch.Moid] == "" })
	if len(list) == 0 {
		return
	}
	ch := list[c.rnd.IntN(len(list))]
	c.say("%s: %s", ch.Moid, c.notify(c.told(ch)))
}

// lookItUp has a person say what the gateway's record shows of a charge of unknown outcome.
func (c *charging) lookItUp() {
	for _, ch := range c.charges() {
		if ch.State != app.ChargeUnknown {
			continue
		}
		tid := c.house.took[ch.Moid]
		c.say("a person about %s: %q", ch.Moid, tid)
		if _, err := c.SettleCharge(c.t.Context(), c.owner, ch.ID, tid != "", string(tid), "관리자에서 봄"); err != nil {
			c.t.Error(err)
		}
		return
	}
}

// swapCards brings every customer's result to every other's window, and then, perhaps, to the own one.
func (c *charging) swapCards() {
	for i, to := range c.results {
		for j, from := range c.results {
			if i != j {
				c.bring(to.token, from.raw)
			}
		}
	}
	if c.rnd.IntN(2) == 0 {
		for _, own := range c.results {
			c.bring(own.token, own.raw)
		}
	}
	c.say("results in each other's windows")
}

func (c *charging) pause() {
	sub := c.subs[c.rnd.IntN(len(c.subs))]
	err := c.PauseSubscription(c.t.Context(), c.owner, sub.No)
	if errors.Is(err, app.ErrConflict) {
		err = c.ResumeSubscription(c.t.Context(), c.owner, sub.No)
	}
	if c.rnd.IntN(6) == 0 {
		err = c.CustomerStops(c.t.Context(), sub.Token)
	}
	if err != nil && !errors.Is(err, app.ErrConflict) {
		c.t.Error(err)
	}
	c.say("%s pauses, goes on or ends", sub.No)
}

// cancelOne gives a charge back by the usual call.
func (c *charging) cancelOne() {
	for _, ch := range c.charges() {
		if c.payment(ch.Moid).State != app.Paid {
			continue
		}
		c.gw.cancel = func(r smartro.CancelRequest) (smartro.CancelAnswer, error) {
			return smartro.CancelAnswer{TID: r.TID, Amt: r.Amt, ResultCode: "2001", Raw: []byte("done")}, nil
		}
		if _, err := c.Cancel(c.t.Context(), c.owner, ch.Moid, app.CancelInput{Key: "cancelof" + string(ch.Moid), Whole: true, Reason: "환불"}); err != nil {
			c.t.Error(err)
		}
		c.say("%s goes back", ch.Moid)
		return
	}
}

// check holds the shop's charges against the gateway's.
func (c *charging) check() {
	c.t.Helper()
	if most, _ := c.house.calls(); most > 1 {
		c.t.Errorf("a charge was asked for %d times", most)
	}
	known := map[app.Moid]bool{}
	for _, sub := range c.subs {
		taken := map[string]int{}
		for _, ch := range c.subscriber.story(sub.No).Charges {
			known[ch.Moid] = true
			if c.house.took[ch.Moid] != "" {
				taken[ch.Period]++
			}
			p := ch.State == app.ChargePaid
			if ch.Moid != "" && p == c.payment(ch.Moid).PaidAt.IsZero() {
				c.t.Errorf("charge %s is %s, its payment %s", ch.Moid, ch.State, c.payment(ch.Moid).State)
			}
			if p && c.house.took[ch.Moid] == "" {
				c.t.Errorf("%s is paid and nothing was taken", ch.Moid)
			}
		}
		for period, n := range taken {
			if n > 1 {
				c.t.Errorf("%s was charged %d times for %s", sub.No, n, period)
			}
		}
		c.checkCard(sub)
	}
	for moid := range c.house.took {
		if !known[moid] {
			c.t.Errorf("the gateway took %s, of which nothing is written down", moid)
		}
	}
}

// checkCard: a card's key was issued to the customer whose it is, and is destroyed only of what was stopped.
func (c *charging) checkCard(sub app.Subscription) {
	st := c.subscriber.story(sub.No)
	if st.KeyID == "" {
		return
	}
	card, err := c.store.Card(c.t.Context(), sub.No, st.KeyID)
	if err != nil {
		c.t.Error(err)
	}
	if card.Erased { // its term after the stop is over
		if st.State != app.SubscriptionStopped || card.GoneAt.IsZero() {
			c.t.Errorf("%s is %s, and the key of its card is destroyed: %+v", sub.No, st.State, card)
		}
		return
	}
	if user := c.house.keys[card.Key]; user != string(sub.No) {
		c.t.Errorf("%s is charged by a card of %q", sub.No, user)
	}
}

// settleDown ends the faults, delivers every notice and lets four days pass: what was taken is a payment then.
func (c *charging) settleDown() {
	c.house.mu.Lock()
	c.house.refuse, c.house.answer = false, nil
	c.house.mu.Unlock()
	c.now = c.now.Add(24 * time.Hour)
	c.work()
	for _, ch := range c.charges() {
		if c.house.took[ch.Moid] != "" {
			c.notify(c.told(ch))
		}
	}
	for range 4 {
		c.lookItUp()
		c.now = c.now.Add(24 * time.Hour)
		c.work()
	}
	for _, ch := range c.charges() {
		if taken := c.house.took[ch.Moid] != ""; taken == c.payment(ch.Moid).PaidAt.IsZero() || ch.State == app.ChargeSent || ch.State == app.ChargeRequested {
			c.t.Errorf("in the end charge %s is %s, its payment %s, taken %t: %s", ch.Moid, ch.State, c.payment(ch.Moid).State, taken, strings.Join(c.story, "; "))
		}
	}
}
