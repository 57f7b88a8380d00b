package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gage/smartro"
)

// planNext sets when an active subscription is charged next: the first due time at or after the Korean day of from whose
// period has no charge yet.
func (s *Shop) planNext(ctx context.Context, tx Tx, sub *Subscription, from time.Time) error {
	list, err := tx.ChargesOf(ctx, sub.No)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, c := range list {
		taken[c.Period] = true
	}
	due := sub.dueFrom(from)
	for !due.IsZero() && taken[periodOf(due)] {
		due = sub.dueFrom(nextDay(due))
	}
	sub.NextAt = due
	switch {
	case !due.IsZero():
	case sub.Day == OnDemand && sub.End.IsZero():
		return nil
	case sub.End.IsZero():
		return fmt.Errorf("subscription %s has no day: %w", sub.No, ErrBadInput)
	default:
		due = endOfDay(sub.End).Add(time.Second)
	}
	return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobSubscription, Ref: dueRef(sub.No, due), DueAt: due, CreatedAt: s.Now()})
}

// dueRef names a subscription's job of one day, so that planning the next is not undone when this one is put away.
func dueRef(no SubscriptionNo, due time.Time) string { return string(no) + "@" + kstDay(due) }

// lookAtSubscription writes the charge down that is due, or ends a subscription whose last day is over. again: an earlier
// charge of it is still open, and two are never on their way at once.
func (s *Shop) lookAtSubscription(ctx context.Context, ref string) (again bool, err error) {
	no := SubscriptionNo(ref[:max(len(ref)-len("@2006-01-02"), 0)])
	err = s.Store.Update(ctx, func(tx Tx) error {
		again = false
		sub, err := tx.LockSubscription(ctx, no)
		if err != nil || sub.State != SubscriptionActive {
			return err
		}
		now := s.latest()
		if sub.NextAt.IsZero() {
			if sub.End.IsZero() || !now.After(endOfDay(sub.End)) {
				return nil
			}
			if err := s.stop(ctx, tx, &sub, StoppedByEnd); err != nil {
				return err
			}
			return tx.SaveSubscription(ctx, sub)
		}
		if dueRef(no, sub.NextAt) != ref {
			return nil // it was planned anew meanwhile
		}
		if again = now.Before(sub.NextAt); again {
			return nil
		}
		due := sub.NextAt
		c := Charge{Subscription: no, CardID: sub.KeyID, Period: periodOf(due), Try: 1, Amount: sub.Amount, DueAt: due}
		_, err = s.intendCharge(ctx, tx, sub, c)
		switch {
		case errors.Is(err, ErrBusy):
			again = true
			return nil
		case err != nil && !errors.Is(err, ErrConflict): // its period has one
			return err
		}
		if err := s.planNext(ctx, tx, &sub, nextDay(due)); err != nil {
			return err
		}
		return tx.SaveSubscription(ctx, sub)
	})
	return again, err
}

// intendCharge writes a charge down with the order and the payment that it is for, before anybody outside hears of it. The
// subscription is locked. ErrConflict: the period has a charge. ErrBusy: another charge of the subscription is open.
func (s *Shop) intendCharge(ctx context.Context, tx Tx, sub Subscription, c Charge) (Charge, error) {
	now := s.Now()
	c.ID, c.CreatedAt, c.State = newToken(), now, ChargeRequested
	all, err := epochs(ctx, tx)
	if err != nil {
		return c, err
	}
	epoch := all[len(all)-1]
	lost := lostIn(all, c.DueAt)
	if !c.OnDemand() && !lost && s.latest().Sub(c.DueAt) > chargeLate {
		c.State, c.Hand, c.SettledAt, c.ResultCode = ChargeSkipped, true, now, TooLate.Code()
		return c, tx.CreateCharge(ctx, c)
	}
	o := Order{
		Token: newToken(), MID: sub.MID, Mode: sub.Mode, Goods: sub.Goods, GoodsCnt: 1, Amount: c.Amount, TaxFree: sub.TaxFree,
		VAT: (c.Amount - sub.TaxFree) / 11, BuyerName: sub.Name, BuyerTel: sub.Tel, BuyerEmail: sub.Email, Methods: []Method{smartro.Card},
		CreatedAt: now, CreatedBy: c.By, Subscription: sub.No, State: OrderOpen,
	}
	if c.OrderNo == "" {
		if o.No, err = freeOrderNo(ctx, tx); err != nil {
			return c, err
		}
	} else if o, err = tx.LockOrder(ctx, c.OrderNo); err != nil {
		return c, err
	}
	o.Attempts++
	c.OrderNo, c.Moid = o.No, epoch.moid(o.No, o.Attempts)
	if lost { // it may have been charged after the backup was made: only a person can look that up
		c.State, c.Hand, c.SentAt, c.ResultCode = ChargeUnknown, true, now, LostInRestore.Code()
	}
	if err := tx.CreateCharge(ctx, c); err != nil {
		return c, err
	}
	if o.Attempts == 1 {
		err = tx.CreateOrder(ctx, o)
	} else {
		err = tx.SaveOrder(ctx, o)
	}
	if err != nil {
		return c, fmt.Errorf("order %s of a charge: %w", o.No, notConflict(err))
	}
	signed, err := s.contractOf(ctx, tx, o.MID, o.Mode)
	if err != nil {
		return c, err
	}
	p := Payment{
		Moid: c.Moid, OrderNo: o.No, MID: o.MID, Mode: o.Mode, Device: byKey, Method: smartro.Card, EdiDate: now, Amount: o.Amount, GoodsName: o.Goods,
		BuyerName: o.BuyerName, BuyerTel: o.BuyerTel, BuyerEmail: o.BuyerEmail, KeyVersion: signed.keyN(), ReturnToken: newToken(), State: New, Proof: ProofNone,
		OpenedAt: now, UpdatedAt: now,
	}
	if err := tx.CreatePayment(ctx, p); err != nil {
		return c, fmt.Errorf("payment %s of a charge: %w", p.Moid, notConflict(err))
	}
	if _, err = s.record(ctx, tx, p, Input{Kind: ChargeIntended, Level: T0, At: now, Amount: p.Amount, Actor: c.By, Detail: Detail{KeyVersion: p.KeyVersion}}); err != nil {
		return c, err
	}
	if c.State == ChargeUnknown {
		return c, nil
	}
	return c, tx.AddJob(ctx, Job{ID: newToken(), Kind: JobCharge, Ref: c.ID, DueAt: now, CreatedAt: now})
}

// freeOrderNo is a number that no order has.
func freeOrderNo(ctx context.Context, tx Tx) (OrderNo, error) {
	for range 5 {
		no := newOrderNo()
		if _, err := tx.Order(ctx, no); errors.Is(err, ErrNotFound) {
			return no, nil
		} else if err != nil {
			return "", err
		}
	}
	return "", errors.New("no free order number")
}

// notConflict keeps a conflict that is our own fault from being taken for a period that has its charge.
func notConflict(err error) error {
	if errors.Is(err, ErrConflict) {
		return errors.New(err.Error())
	}
	return err
}

// lostIn says whether what was due then may have happened in records that a restore left behind.
func lostIn(all []Epoch, due time.Time) bool {
	for _, e := range all {
		if !e.RestoredAt.IsZero() && due.After(e.BackupAt) && !due.After(e.RestoredAt) {
			return true
		}
	}
	return false
}

// planRetry sets the day of the next attempt after a refusal, or leaves the period to a person after the last one. A
// charge that a person asked for is the person's to repeat. What never left the house counts as no try.
func (s *Shop) planRetry(ctx context.Context, tx Tx, c *Charge) error {
	list, err := tx.ChargesOf(ctx, c.Subscription)
	if err != nil {
		return err
	}
	tries := 0
	for _, other := range list {
		if other.Period == c.Period && other.ResultCode != NotSent.Code() && other.ID != c.ID {
			tries++
		}
	}
	if c.ResultCode != NotSent.Code() {
		tries++
	}
	if c.OnDemand() || c.Try >= 3*maxTries || tries >= maxTries {
		c.Hand = true
		return nil
	}
	c.RetryAt = nextDay(c.SettledAt).Add(chargeHour * time.Hour)
	if c.ResultCode == NotSent.Code() {
		c.RetryAt = c.SettledAt.Add(time.Hour)
	}
	return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobRetryCharge, Ref: c.ID, DueAt: c.RetryAt, CreatedAt: c.SettledAt})
}

// retryCharge makes the next attempt of a period whose last one was refused, and settled as refused.
func (s *Shop) retryCharge(ctx context.Context, id string) (again bool, err error) {
	first, err := s.Store.Charge(ctx, id)
	if err != nil {
		return false, err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		again = false
		sub, err := tx.LockSubscription(ctx, first.Subscription)
		if err != nil {
			return err
		}
		if _, err := tx.LockOrder(ctx, first.OrderNo); err != nil {
			return err
		}
		c, err := tx.Charge(ctx, id)
		if err != nil || c.State != ChargeRefused || c.RetryAt.IsZero() {
			return err
		}
		late := s.latest().Sub(c.RetryAt) > chargeLate
		if sub.State != SubscriptionActive || late {
			c.RetryAt, c.Hand = time.Time{}, sub.State != SubscriptionStopped
			return tx.SaveCharge(ctx, c)
		}
		_, err = s.intendCharge(ctx, tx, sub, Charge{
			Subscription: sub.No, CardID: sub.KeyID, Period: c.Period, Try: c.Try + 1, OrderNo: c.OrderNo, Amount: c.Amount, DueAt: c.RetryAt,
		})
		switch {
		case errors.Is(err, ErrBusy):
			again = true
			return nil
		case errors.Is(err, ErrConflict): // it was paid after all, or is tried already
			return nil
		}
		return err
	})
	return again, err
}
