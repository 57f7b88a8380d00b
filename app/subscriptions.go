package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// SubscriptionInput is a subscription as staff type it.
type SubscriptionInput struct {
	Name, Tel, Email string
	Goods            string
	Amount, TaxFree  Won
	Day              int    // see [Subscription]
	Start, End       string // yyyy-mm-dd, Korean; an empty Start is today, an empty End is none
}

// CreateSubscription writes an agreement down and makes the link by which the customer registers a card. Nothing is
// charged before that. Faults are joined *InputError.
func (s *Shop) CreateSubscription(ctx context.Context, actor Staff, in SubscriptionInput) (Subscription, error) {
	if err := actor.must(RightChargeBillingKeys); err != nil {
		return Subscription{}, err
	}
	m, err := s.Merchant(ctx)
	if err != nil {
		return Subscription{}, err
	}
	sub, err := s.readSubscription(in)
	if err != nil {
		return Subscription{}, err
	}
	sub.MID, sub.Mode, sub.CreatedBy = m.MID, m.Mode, actor.ID
	for range 5 { // as an order's number
		sub.No, sub.Token = SubscriptionNo(newOrderNo()), newToken()
		err = s.Store.Update(ctx, func(tx Tx) error { return tx.CreateSubscription(ctx, sub) })
		if !errors.Is(err, ErrConflict) {
			break
		}
	}
	return sub, err
}

func (s *Shop) readSubscription(in SubscriptionInput) (Subscription, error) {
	goods, errs := readGoods(in.Goods, in.Amount, in.TaxFree)
	bad := func(field, code, value string) {
		errs = append(errs, &InputError{Field: field, Code: code, Value: value})
	}
	if in.Day != LastDay && (in.Day < OnDemand || in.Day > 28) {
		bad("day", "range", fmt.Sprint(in.Day))
	}
	name, tel, email, more := readBuyer(in.Name, in.Tel, in.Email, true)
	errs = append(errs, more...)
	today := startOfDay(s.Now())
	sub := Subscription{
		Name: name, Tel: tel, Email: email, Goods: goods, Amount: in.Amount, TaxFree: in.TaxFree, Day: in.Day, Start: today,
		State: SubscriptionWaiting, CreatedAt: s.Now(),
	}
	for _, d := range []struct {
		field, text string
		to          *time.Time
	}{{"start", in.Start, &sub.Start}, {"end", in.End, &sub.End}} {
		if d.text = strings.TrimSpace(d.text); d.text == "" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, d.text, KST)
		switch {
		case err != nil:
			bad(d.field, "date", d.text)
		case day.Before(today):
			bad(d.field, "past", d.text)
		}
		*d.to = day.UTC()
	}
	if len(errs) == 0 && in.Day != OnDemand && sub.dueFrom(sub.Start).IsZero() {
		bad("end", "past", in.End) // it ends before its first charge
	}
	return sub, errors.Join(errs...)
}

// SubscriptionLink is the address that the customer gets.
func (s *Shop) SubscriptionLink(sub Subscription) string {
	return s.PublicURL + "/subscription/" + sub.Token
}

// SubscriptionQuery asks for a page of subscriptions, newest first.
type SubscriptionQuery struct {
	States []SubscriptionState
	After  Cursor
	Limit  int
}

// Subscriptions lists them, newest first. ErrBadInput: q.After is no place in the list.
func (s *Shop) Subscriptions(ctx context.Context, q SubscriptionQuery) ([]Subscription, error) {
	if !isID(q.After.ID) {
		return nil, fmt.Errorf("cursor %q: %w", q.After.ID, ErrBadInput)
	}
	return s.Store.Subscriptions(ctx, q)
}

// SubscriptionStory is all that is known of one subscription.
type SubscriptionStory struct {
	Subscription
	Shop    ShopInfo
	Card    *Card       // that is charged; nil: none
	Window  *CardWindow // the last one opened; nil: none
	Charges []Charge    // newest first
	Names   map[string]string
}

// Subscription reads one for staff.
func (s *Shop) Subscription(ctx context.Context, actor Staff, no SubscriptionNo) (SubscriptionStory, error) {
	if err := actor.must(RightChargeBillingKeys); err != nil {
		return SubscriptionStory{}, err
	}
	sub, err := s.Store.Subscription(ctx, no)
	if err != nil {
		return SubscriptionStory{}, err
	}
	st, err := s.subscriptionStory(ctx, sub)
	if err != nil {
		return st, err
	}
	st.Names, err = s.names(ctx)
	return st, err
}

// CustomersSubscription reads the one that a customer's link is for. ErrNotFound: no such link.
func (s *Shop) CustomersSubscription(ctx context.Context, token string) (SubscriptionStory, error) {
	sub, err := s.Store.SubscriptionByToken(ctx, token)
	if err != nil {
		return SubscriptionStory{}, err
	}
	return s.subscriptionStory(ctx, sub)
}

func (s *Shop) subscriptionStory(ctx context.Context, sub Subscription) (SubscriptionStory, error) {
	st := SubscriptionStory{Subscription: sub}
	var err error
	if st.Shop, err = s.Info(ctx); err != nil {
		return st, err
	}
	if st.Charges, err = s.Store.ChargesOf(ctx, sub.No); err != nil {
		return st, err
	}
	window, err := s.Store.LastCardWindow(ctx, sub.No)
	if err == nil {
		st.Window = &window
	} else if !errors.Is(err, ErrNotFound) {
		return st, err
	}
	if sub.KeyID == "" {
		return st, nil
	}
	card, err := s.Store.Card(ctx, sub.No, sub.KeyID)
	if err != nil {
		return st, err
	}
	card.Key = "" // who reads a page has no use for it
	st.Card = &card
	return st, nil
}

// PauseSubscription and ResumeSubscription hold the charges back, and go on with the next one that is due. ErrConflict:
// it is in another state.
func (s *Shop) PauseSubscription(ctx context.Context, actor Staff, no SubscriptionNo) error {
	return s.changeSubscription(ctx, actor, no, func(tx Tx, sub *Subscription) error {
		if sub.State != SubscriptionActive {
			return fmt.Errorf("subscription %s is %s: %w", no, sub.State, ErrConflict)
		}
		sub.State, sub.NextAt = SubscriptionPaused, time.Time{}
		return nil
	})
}

// ResumeSubscription goes on with the next period that is due.
func (s *Shop) ResumeSubscription(ctx context.Context, actor Staff, no SubscriptionNo) error {
	return s.changeSubscription(ctx, actor, no, func(tx Tx, sub *Subscription) error {
		if sub.State != SubscriptionPaused {
			return fmt.Errorf("subscription %s is %s: %w", no, sub.State, ErrConflict)
		}
		sub.State = SubscriptionActive
		return s.planNext(ctx, tx, sub, s.latest())
	})
}

// StopSubscription ends it for good: nothing that was not sent yet is charged, and the billing key is destroyed after its
// term.
func (s *Shop) StopSubscription(ctx context.Context, actor Staff, no SubscriptionNo) error {
	return s.changeSubscription(ctx, actor, no, func(tx Tx, sub *Subscription) error { return s.stop(ctx, tx, sub, actor.ID) })
}

// CustomerStops is the customer's own word, by the link.
func (s *Shop) CustomerStops(ctx context.Context, token string) error {
	sub, err := s.Store.SubscriptionByToken(ctx, token)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		sub, err := tx.LockSubscription(ctx, sub.No)
		if err != nil {
			return err
		}
		if err := s.stop(ctx, tx, &sub, StoppedByCustomer); err != nil {
			return err
		}
		return tx.SaveSubscription(ctx, sub)
	})
}

// stop is the same word said once or twice.
func (s *Shop) stop(ctx context.Context, tx Tx, sub *Subscription, by string) error {
	if sub.State == SubscriptionStopped {
		return nil
	}
	sub.State, sub.NextAt, sub.StoppedAt, sub.StoppedBy = SubscriptionStopped, time.Time{}, s.Now(), by
	if sub.KeyID == "" {
		return nil
	}
	return s.retire(ctx, tx, sub.No, sub.KeyID)
}

// changeSubscription is a change of staff's, under the subscription's lock.
func (s *Shop) changeSubscription(ctx context.Context, actor Staff, no SubscriptionNo, change func(Tx, *Subscription) error) error {
	if err := actor.must(RightChargeBillingKeys); err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		sub, err := tx.LockSubscription(ctx, no)
		if err != nil {
			return err
		}
		if err := change(tx, &sub); err != nil {
			return err
		}
		return tx.SaveSubscription(ctx, sub)
	})
}

// SeeSubscriber records that a person looks at a subscription's customer, and why.
func (s *Shop) SeeSubscriber(ctx context.Context, actor Staff, no SubscriptionNo, why Why) error {
	if err := actor.must(RightSeeBuyers); err != nil {
		return err
	}
	if _, err := s.Store.Subscription(ctx, no); err != nil {
		return err
	}
	why, err := why.read()
	if err != nil {
		return err
	}
	return s.look(ctx, actor, why, Access{Kind: SawSubscriber, Subject: string(no)})
}
