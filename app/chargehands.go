package app

import (
	"context"
	"fmt"
	"strings"

	"gage/smartro"
)

// ChargeNow has a subscription charged on a person's word, once for each key of a form. It waits for the answer for
// CancelWait at most. ErrBusy: a charge of it is open. ErrClosed: it is not active. ErrFrozen: nothing may be charged now.
func (s *Shop) ChargeNow(ctx context.Context, actor Staff, no SubscriptionNo, key string) (Charge, error) {
	if err := actor.must(RightChargeBillingKeys); err != nil {
		return Charge{}, err
	}
	if len(key) < 16 || len(key) > 64 || !isID(key) {
		return Charge{}, &InputError{Field: "key", Code: "required"}
	}
	var c Charge
	err := s.Store.Update(ctx, func(tx Tx) error {
		sub, err := tx.LockSubscription(ctx, no)
		if err != nil {
			return err
		}
		list, err := tx.ChargesOf(ctx, no)
		if err != nil {
			return err
		}
		for _, c = range list {
			if c.Period == key {
				return nil
			}
		}
		if err := notFrozen(ctx, tx); err != nil {
			return err
		}
		if sub.State != SubscriptionActive {
			return fmt.Errorf("subscription %s is %s: %w", no, sub.State, ErrClosed)
		}
		c, err = s.intendCharge(ctx, tx, sub, Charge{
			Subscription: no, CardID: sub.KeyID, Period: key, Try: 1, Amount: sub.Amount, By: actor.ID, DueAt: s.Now(),
		})
		return err
	})
	if err != nil {
		return c, err
	}
	if c.State == ChargeRequested {
		done, err := s.startCharge(ctx, c.ID)
		if err != nil {
			return c, err
		}
		s.await(ctx, done)
	}
	return s.Store.Charge(context.WithoutCancel(ctx), c.ID)
}

// SettleCharge is a person's word, by name and with a reason, about a charge of unknown outcome: he looked at the
// gateway's own record, and found the money under this TID, or nothing. ErrConflict: its outcome is known, or the TID is
// another payment's.
func (s *Shop) SettleCharge(ctx context.Context, actor Staff, id string, happened bool, tid, reason string) (Charge, error) {
	if err := actor.must(RightSettle); err != nil {
		return Charge{}, err
	}
	reason, err := readReason(reason)
	if err != nil {
		return Charge{}, err
	}
	in := Input{Kind: ChargeDenied, Level: T4, Code: NotThere.Code(), Text: reason, Actor: actor.ID}
	if happened {
		in.Kind, in.Code, in.HasAmount = Approved, "", true
		if in.TID, err = smartro.ParseTID(strings.TrimSpace(tid)); err != nil {
			return Charge{}, &InputError{Field: "tid", Code: "tid", Value: tid}
		}
	}
	first, err := s.Store.Charge(ctx, id)
	if err != nil {
		return first, err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockOrder(ctx, first.OrderNo); err != nil {
			return err
		}
		c, err := tx.Charge(ctx, id)
		if err != nil {
			return err
		}
		p, err := tx.Payment(ctx, c.Moid)
		if err != nil {
			return err
		}
		if c.State != ChargeUnknown {
			return fmt.Errorf("charge %s is %s: %w", id, c.State, ErrConflict)
		}
		in := in
		if happened {
			if in.TID.MID() != p.MID {
				return &InputError{Field: "tid", Code: "tid", Value: tid}
			}
			in.MID, in.Mode, in.Amount = p.MID, p.Mode, c.Amount
			in.EffectKey = effectKey(in)
		}
		return s.settleIn(ctx, tx, &c, in)
	})
	if err != nil {
		return first, err
	}
	s.changed(first.OrderNo)
	return s.Store.Charge(ctx, id)
}

// PutChargeAway says that a person has looked at a charge that waits for one: it was refused for the last time, or
// skipped. ErrConflict: it does not wait, or its outcome is unknown.
func (s *Shop) PutChargeAway(ctx context.Context, actor Staff, id string) error {
	if err := actor.must(RightChargeBillingKeys); err != nil {
		return err
	}
	first, err := s.Store.Charge(ctx, id)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockSubscription(ctx, first.Subscription); err != nil {
			return err
		}
		c, err := tx.Charge(ctx, id)
		if err != nil {
			return err
		}
		if !c.Hand || c.State.Open() {
			return fmt.Errorf("charge %s is %s: %w", id, c.State, ErrConflict)
		}
		c.Hand = false
		return tx.SaveCharge(ctx, c)
	})
}
