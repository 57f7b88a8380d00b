package app

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// RetentionYears is how long the records of payments are kept readable at least: the law's term.
const RetentionYears = 5

// ErrClockUnconfirmed says that nothing of the gateway's confirms the clock: what can't be undone is not done by it.
var ErrClockUnconfirmed = errors.New("no approval of the last weeks confirms the clock")

// confirmedFor is how long an approval by the gateway's own time vouches for our clock.
const confirmedFor = 45 * 24 * time.Hour

const eraseAtOnce = 100

// ErasedCount is what [Shop.EraseOld] did.
type ErasedCount struct{ Orders, Messages, Subscriptions, Receipts int }

// EraseOld destroys the keys of what is personal in orders and messages to which nothing happened for that many years,
// RetentionYears at least. What the log says of them stays, and so does the proof that nothing else was changed.
// ErrFrozen: not before the restored records were compared. ErrClockUnconfirmed: there is something to destroy, and a
// clock that is wrong by years must not do it.
func (s *Shop) EraseOld(ctx context.Context, years int) (done ErasedCount, err error) {
	if years < RetentionYears {
		return done, fmt.Errorf("keep records for %d years: %w: the law wants %d", years, ErrBadInput, RetentionYears)
	}
	if err := notFrozen(ctx, s.Store); err != nil {
		return done, err
	}
	now := s.Now()
	before := now.AddDate(-years, 0, 0)
	for {
		orders, messages, err := s.Store.DueForErasure(ctx, before, eraseAtOnce)
		if err != nil {
			return done, err
		}
		subs, err := s.Store.SubscriptionsDueForErasure(ctx, before, eraseAtOnce)
		if err != nil {
			return done, err
		}
		receipts, err := s.Store.ReceiptsDueForErasure(ctx, before, eraseAtOnce)
		if err != nil || len(orders)+len(messages)+len(subs)+len(receipts) == 0 {
			return done, err
		}
		if done == (ErasedCount{}) {
			newest, err := s.Store.NewestApproval(ctx)
			if err != nil {
				return done, err
			}
			if now.After(newest.Add(confirmedFor)) {
				return done, ErrClockUnconfirmed
			}
		}
		if err := s.erase(ctx, now, before, orders, messages, receipts, subs); err != nil {
			return done, err
		}
		done.Orders += len(orders)
		done.Messages += len(messages)
		done.Subscriptions += len(subs)
		done.Receipts += len(receipts)
	}
}

func (s *Shop) erase(ctx context.Context, now, before time.Time, orders []OrderNo, messages, receipts []string, subs []SubscriptionNo) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		for _, no := range orders {
			if _, err := tx.LockOrder(ctx, no); err != nil {
				return err
			}
			if err := tx.EraseOrder(ctx, no); err != nil {
				return err
			}
			if _, err := tx.AppendEvent(ctx, Event{At: now, Kind: Erased, Level: T4, OrderNo: no}); err != nil {
				return err
			}
		}
		for _, id := range messages {
			if err := tx.EraseMessage(ctx, id); err != nil {
				return err
			}
			if _, err := tx.AppendEvent(ctx, Event{At: now, Kind: Erased, Level: T4, MessageID: id}); err != nil {
				return err
			}
		}
		for _, no := range subs {
			if err := tx.EraseSubscription(ctx, no); err != nil {
				return err
			}
			if _, err := tx.AppendEvent(ctx, Event{At: now, Kind: Erased, Level: T4, Text: "subscription " + string(no)}); err != nil {
				return err
			}
		}
		for _, id := range receipts { // those of no order
			if err := tx.EraseCashReceipt(ctx, id); err != nil {
				return err
			}
			if _, err := tx.AppendEvent(ctx, Event{At: now, Kind: Erased, Level: T4, CancelID: id}); err != nil {
				return err
			}
		}
		return tx.EraseRing(ctx, before)
	})
}
