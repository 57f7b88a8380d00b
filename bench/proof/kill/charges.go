package kill

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"gage/app"
	"gage/bench/proof/harness"
	"gage/smartro"
)

var subscriptionPath = regexp.MustCompile(`/subscription/([A-Z0-9]{26})`)

// chargesPerSubscription bounds what one subscription is charged: a charge of unknown outcome ends it earlier.
const chargesPerSubscription = 6

// pressed is one press of "charge now".
type pressed struct {
	no    app.SubscriptionNo
	acked bool // the shop answered with a redirect to the subscription
}

// charge makes subscriptions, registers their cards and charges them, life after life.
func (l *lane) charge(ctx context.Context, r *rand.Rand) {
	no, left := "", 0
	for l.alive.wait(ctx) {
		select {
		case <-l.charges:
		case <-ctx.Done():
			return
		}
		var err error
		if left == 0 {
			if no, err = l.staff.subscribe(ctx, l.buyer, r); err == nil {
				left = chargesPerSubscription
			}
		} else {
			left--
			if more, pressErr := l.staff.charge(ctx, no); !more {
				left, err = 0, pressErr
			}
		}
		l.notFine(ctx, err)
	}
}

// subscribe makes a subscription that is charged on demand, and registers the customer's card in the gateway's window.
func (s *staff) subscribe(ctx context.Context, b *buyer, r *rand.Rand) (no string, err error) {
	p, err := s.page(ctx, "/admin/subscriptions/new")
	if err != nil {
		return "", err
	}
	f, err := p.form("/admin/subscriptions/new")
	if err != nil {
		return "", err
	}
	for name, value := range map[string]string{
		"goods": "우유 배달", "amount": smartro.Won(1000 * (1 + r.IntN(90))).String(), "buyer_name": "홍길동", "buyer_tel": "010-0000-1111",
		"buyer_email": "buyer@example.com", "day": "0",
	} {
		f.set(name, value)
	}
	if p, err = s.submit(ctx, f); err != nil {
		return "", err
	}
	no, ok := strings.CutPrefix(p.to, "/admin/subscriptions/")
	if !ok {
		return "", errors.New("a subscription was not taken")
	}
	if p, err = s.page(ctx, p.to); err != nil {
		return "", err
	}
	m := subscriptionPath.FindStringSubmatch(p.text)
	if m == nil {
		return "", errors.New("the subscription's page has no link")
	}
	return no, b.register(ctx, m[1])
}

// register goes through the gateway's window by a customer's link.
func (b *buyer) register(ctx context.Context, token string) error {
	p, err := b.do(ctx, http.MethodPost, b.site+"/subscription/"+token+"/card", "", nil)
	if err != nil {
		return err
	}
	f, err := p.form("/pay/interfaceURL")
	if err != nil {
		return err
	}
	if p, err = b.submit(ctx, f); err != nil {
		return err
	}
	window, err := p.form("/window")
	if err != nil {
		return err
	}
	window.set("action", "approve")
	if p, err = b.submit(ctx, window); err != nil {
		return err
	}
	result, err := p.form("/smartro/card")
	if err != nil {
		return err
	}
	_, err = b.submit(ctx, result)
	return err
}

// charge presses "charge now", and once more where no answer came. more is false where it can't be charged any more.
func (s *staff) charge(ctx context.Context, no string) (more bool, err error) {
	p, err := s.page(ctx, "/admin/subscriptions/"+no)
	if err != nil {
		return true, err
	}
	f, err := p.form("/charge")
	if err != nil {
		return false, nil // no card came, or an outcome is unknown
	}
	s.t.mu.Lock()
	in := &pressed{no: app.SubscriptionNo(no)}
	s.t.pressed[f.value("key")] = in
	s.t.mu.Unlock()
	for range 2 {
		if p, err = s.submit(ctx, f); err == nil {
			break
		}
	}
	if err == nil && p.status == http.StatusSeeOther {
		s.t.mu.Lock()
		in.acked = true
		s.t.mu.Unlock()
	}
	return true, err
}

// charged takes down a charge call that arrived at the gateway.
func (t *truth) charged(query string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, err := url.ParseQuery(query)
	if err != nil || v.Get("Moid") == "" {
		t.wrong = append(t.wrong, "a charge call can't be read")
		return
	}
	t.chargeCalls[v.Get("Moid")]++
}

// charges: what was pressed and acknowledged is written down; each charge was asked for once at most, and what the gateway
// took is known in the end (R34).
func (c *comparison) charges(ctx context.Context) {
	for moid, n := range c.t.chargeCalls {
		if n > 1 {
			c.wrong("the charge %s was sent %d times", moid, n)
		}
		if _, err := c.store.ChargeByMoid(ctx, app.Moid(moid)); err != nil {
			c.wrong("the gateway was asked for the charge %s: %v", moid, err)
		}
	}
	stories := map[app.SubscriptionNo]map[string]app.Charge{}
	for key, in := range c.t.pressed {
		if stories[in.no] == nil {
			stories[in.no] = map[string]app.Charge{}
			list, err := c.store.ChargesOf(ctx, in.no)
			if err != nil {
				c.wrong("charges of %s: %v", in.no, err)
			}
			for _, ch := range list {
				stories[in.no][ch.Period] = ch
				c.charge(ctx, ch)
			}
		}
		if _, known := stories[in.no][key]; in.acked && !known {
			c.wrong("the charge of %s by the form %s was acknowledged, and there is no record of it", in.no, key)
		}
	}
}

// charge compares one with the gateway's ledger.
func (c *comparison) charge(ctx context.Context, ch app.Charge) {
	g, taken := c.gateway[string(ch.Moid)]
	p := c.payment(ctx, ch.Moid)
	switch {
	case ch.State == app.ChargePaid && (!taken || g.Amt != ch.Amount):
		c.wrong("the charge %s is paid, and the gateway took %d won", ch.Moid, g.Amt)
	case (ch.State == app.ChargePaid) == p.PaidAt.IsZero():
		c.wrong("the charge %s is %s, and its payment is %s", ch.Moid, ch.State, p.State)
	case ch.State == app.ChargeRefused && taken:
		c.wrong("the charge %s is refused, and the gateway took %d won", ch.Moid, g.Amt)
	case c.settled && (ch.State == app.ChargeSent || ch.State == app.ChargeRequested):
		c.wrong("the charge %s is still %s after all is over", ch.Moid, ch.State)
	}
}

// chargesUnderWay counts those that the program still has to bring to an end by itself.
func (l *lane) chargesUnderWay(ctx context.Context) (n int, err error) {
	return n, l.query(ctx, "SELECT COUNT(*) FROM charges WHERE state IN ('requested', 'sent')", &n)
}

// withoutWindows leaves out of the gateway's state what no money belongs to.
func withoutWindows(raw []byte) (list []gatewayPayment, err error) {
	var state struct {
		Payments []struct {
			gatewayPayment
			Method smartro.Method `json:"method"`
		}
	}
	if err := json.Unmarshal(raw, &state); err != nil {
		return nil, err
	}
	for _, p := range state.Payments {
		if p.Method != smartro.CardBill {
			list = append(list, p.gatewayPayment)
		}
	}
	return list, nil
}

// chargeDefects are mistakes that take a customer's money twice when the program dies, or lose what it took.
func chargeDefects() []harness.Defect {
	return []harness.Defect{
		{
			Name: "a charge leaves before it is written down that it does", File: "app/chargecall.go",
			Old: "	return c, m, r, tx.SaveCharge(ctx, c)\n", New: "	return c, m, r, nil\n",
		},
		{
			Name: "nobody looks after a charge", File: "app/charges.go",
			Old: "	return c, tx.AddJob(ctx, Job{ID: newToken(), Kind: JobCharge, Ref: c.ID, DueAt: now, CreatedAt: now})\n", New: "	return c, nil\n",
		},
	}
}
