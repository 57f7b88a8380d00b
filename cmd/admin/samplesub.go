package main

import (
	"context"
	"fmt"
	"time"

	"gage/app"
)

// subscriptions makes the demo's sample subscriptions: one that has been charged twice, one whose last charge was refused
// and is tried again, one that waits for its card. Cards are registered in the simulated gateway's window over HTTP.
func (f *furnisher) subscriptions(ctx context.Context, now time.Time) error {
	const day = 24 * time.Hour
	milk := now.Add(-55 * day)
	f.clock.set(milk.Add(-5 * day))
	sub, err := f.subscribe(ctx, app.SubscriptionInput{Name: "김하늘", Goods: "아침 우유 배달", Amount: 33000, Day: dayOf(milk)})
	if err == nil {
		err = f.registerCard(ctx, sub)
	}
	if err == nil {
		err = f.chargeUntil(ctx, milk.Add(33*day))
	}
	if err != nil {
		return fmt.Errorf("subscription that is charged: %w", err)
	}
	f.clock.set(now.Add(-3 * day))
	// Charges are due at nine in the morning: the last nine o'clock is refused, and the next one tries again.
	lastNine := now.Add(-9 * time.Hour)
	if sub, err = f.subscribe(ctx, app.SubscriptionInput{Name: "정바다", Goods: "꽃 정기 구독", Amount: 49000, Day: dayOf(lastNine)}); err != nil {
		return err
	}
	if err := f.registerCard(ctx, sub); err != nil {
		return err
	}
	if err := f.fault(ctx, f.buyer, "charge_refused"); err != nil {
		return err
	}
	if err := f.chargeUntil(ctx, now.Add(-time.Minute)); err != nil {
		return fmt.Errorf("subscription that is refused: %w", err)
	}
	f.clock.set(now.Add(-2 * day))
	_, err = f.subscribe(ctx, app.SubscriptionInput{Name: "한솔", Goods: "공방 이용권", Amount: 80000, Day: app.OnDemand})
	return err
}

// dayOf is the Korean day of the month, one that every month has.
func dayOf(t time.Time) int { return min(t.In(app.KST).Day(), 28) }

func (f *furnisher) subscribe(ctx context.Context, in app.SubscriptionInput) (app.Subscription, error) {
	in.Tel, in.Email = "010-0010-1000", "subscriber@example.com"
	return f.house.shop.CreateSubscription(ctx, f.owner, in)
}

// registerCard goes through the gateway's window as the customer does.
func (f *furnisher) registerCard(ctx context.Context, sub app.Subscription) error {
	f.clock.forward(10 * time.Minute)
	form, err := f.house.shop.OpenCardWindow(ctx, sub.Token, app.CardWindowInput{UserIP: "127.0.0.1", Language: "KR"})
	if err != nil {
		return err
	}
	window, err := f.buyer.open(ctx, form)
	if err != nil {
		return err
	}
	f.clock.forward(40 * time.Second)
	return f.buyer.press(ctx, window, approve)
}

// chargeUntil lets the days pass until then, and no further, and the shop do what is due on each.
func (f *furnisher) chargeUntil(ctx context.Context, then time.Time) error {
	for f.clock.Now().Before(then) {
		f.clock.forward(min(24*time.Hour, then.Sub(f.clock.Now())))
		for {
			n, err := f.house.shop.WorkOnce(ctx)
			if err != nil {
				return err
			}
			if err := f.house.shop.Drain(ctx); err != nil {
				return err
			}
			if n == 0 {
				break
			}
		}
		f.clock.forward(time.Second)
		if _, err := f.gateway.Deliver(ctx); err != nil {
			return err
		}
	}
	return nil
}
