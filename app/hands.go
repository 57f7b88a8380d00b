package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// claimedTooLong is when a claim without proof, or a cancel without an answer, becomes a matter for staff.
const claimedTooLong = 15 * time.Minute

// refundTooLong is when an accepted refund that was not paid out becomes one.
const refundTooLong = 7 * 24 * time.Hour

// Worklist is what needs a person's hand now.
func (s *Shop) Worklist(ctx context.Context) (Worklist, error) {
	now := s.latest()
	w, err := s.Store.Worklist(ctx, now.Add(-claimedTooLong), now.Add(-refundTooLong), now.Add(-quarantineShown), 100)
	if err != nil {
		return w, err
	}
	w.Requests = slices.DeleteFunc(w.Requests, func(q CancelRequest) bool { return !q.Waits(now) })
	if w.Receipts, w.Needs, err = s.receiptHands(ctx, now); err != nil {
		return w, err
	}
	if w.Misfits, err = s.misfits(ctx, now); err != nil {
		return w, err
	}
	m, err := s.Merchant(ctx)
	if errors.Is(err, ErrNoGateway) {
		return w, nil
	}
	if err != nil {
		return w, err
	}
	n, err := s.notices(ctx, m)
	if err == nil && n.Silent() {
		w.Silent = &n
	}
	return w, err
}

// AcceptPayment is a person's word, by name and with a reason, that the gateway's own record shows this payment:
// it becomes the proof. ErrPaid: another payment paid the order. ErrNotPaid: there is nothing to accept.
func (s *Shop) AcceptPayment(ctx context.Context, actor Staff, moid Moid, reason string) error {
	if err := actor.must(RightSettle); err != nil {
		return err
	}
	reason, err := readReason(reason)
	if err != nil {
		return err
	}
	p, err := s.Store.Payment(ctx, moid)
	if err != nil {
		return err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		o, err := tx.LockOrder(ctx, p.OrderNo)
		if err != nil {
			return err
		}
		if p, err = tx.Payment(ctx, moid); err != nil {
			return err
		}
		if err := within(ctx, tx, actor, max(p.Amount, p.Approved)); err != nil {
			return err
		}
		if p.State == Held && p.Approved != p.Amount { // what is in force from now on stands in the log before it is used
			if p, err = s.record(ctx, tx, p, Input{Kind: Amended, Level: T4, At: s.Now(), TID: p.TID, Amount: p.Approved - p.Cancelled, Text: reason, Actor: actor.ID}); err != nil {
				return err
			}
		}
		verdict, err := s.apply(ctx, tx, p, Input{Kind: StaffAccept, Level: T4, At: s.Now(), Text: reason, Actor: actor.ID})
		if err != nil {
			return err
		}
		if verdict != VerdictGood {
			if o.State == OrderPaid || o.State == OrderPartlyCancelled {
				return fmt.Errorf("order %s: %w", o.No, ErrPaid)
			}
			return fmt.Errorf("payment %s is %s: %w", moid, p.State, ErrNotPaid)
		}
		return s.closeHolds(ctx, tx, p, actor.ID, reason)
	})
	if err == nil {
		s.changed(p.OrderNo)
	}
	return err
}

// closeHolds closes the holds that a payment itself was, once a person decided about it or all of it went back.
func (s *Shop) closeHolds(ctx context.Context, tx Tx, p Payment, by, note string) error {
	list, err := tx.HoldsOf(ctx, p.OrderNo)
	if err != nil {
		return err
	}
	for _, h := range list {
		if !h.Own || h.Moid != p.Moid || !h.Open() {
			continue
		}
		h.ClosedAt, h.ClosedBy, h.Note = s.Now(), by, note
		if err := tx.SaveHold(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// CloseHold says that money kept apart was dealt with, and how. It moves no money.
func (s *Shop) CloseHold(ctx context.Context, actor Staff, id, note string) error {
	if err := actor.must(RightSettle); err != nil {
		return err
	}
	note, err := readReason(note)
	if err != nil {
		return err
	}
	var h Hold
	err = s.Store.Update(ctx, func(tx Tx) error {
		if h, err = tx.Hold(ctx, id); err != nil {
			return err
		}
		if !h.Open() {
			return fmt.Errorf("hold %s: %w", id, ErrConflict)
		}
		h.ClosedAt, h.ClosedBy, h.Note = s.Now(), actor.ID, note
		return tx.SaveHold(ctx, h)
	})
	if err == nil {
		s.changed(h.OrderNo)
	}
	return err
}

func readReason(reason string) (string, error) {
	reason = strings.Join(strings.Fields(reason), " ")
	if reason == "" {
		return "", &InputError{Field: "reason", Code: "required"}
	}
	if utf8.RuneCountInString(reason) > 200 || !utf8.ValidString(reason) {
		return "", &InputError{Field: "reason", Code: "too_long", Value: reason}
	}
	return reason, nil
}
