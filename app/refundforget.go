package app

import (
	"context"
	"errors"
	"strings"
	"time"
)

// forgetAccount destroys what a buyer entered, once its refund is long done or never came.
func (s *Shop) forgetAccount(ctx context.Context, ref string) error {
	id, _, _ := strings.Cut(ref, "/")
	return s.Store.Update(ctx, func(tx Tx) error {
		a, err := tx.RefundAskByID(ctx, id)
		if err != nil || a.Erased {
			return err
		}
		due, err := keepAccountUntil(ctx, tx, a)
		if err != nil {
			return err
		}
		if now := s.Now(); now.Before(due) {
			return lookAgain(ctx, tx, JobForgetAccount, id, due, now)
		}
		return tx.EraseRefundAsk(ctx, id)
	})
}

// keepAccountUntil is when an account is not needed any more: its term after the refund is over, or after it was asked
// for or entered and nothing came of it.
func keepAccountUntil(ctx context.Context, r Reader, a RefundAsk) (time.Time, error) {
	if a.State != RefundUsed && a.State != RefundEntered {
		return a.ExpiresAt, nil
	}
	cancels, err := r.Cancels(ctx, a.OrderNo)
	if err != nil {
		return time.Time{}, err
	}
	last := a.EnteredAt.Add(refundKeptMax)
	for _, c := range cancels {
		if c.Moid != a.Moid || !c.ToAccount || c.CreatedAt.Before(a.EnteredAt) {
			continue
		}
		if until := c.SettledAt.Add(refundKept); c.State == CancelStateDone && until.Before(last) {
			last = until
		}
	}
	return last, nil
}

// forgetLater has the account of a cancel, or of a request for one, looked after.
func forgetLater(ctx context.Context, tx Tx, id string, at time.Time) error {
	return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobForgetRefund, Ref: id, DueAt: at.Add(refundKept), CreatedAt: at})
}

// lookAgain looks within a day: the refund may be told to be done meanwhile, which brings its term nearer.
func lookAgain(ctx context.Context, tx Tx, kind JobKind, id string, due, now time.Time) error {
	if next := now.Add(24 * time.Hour); next.Before(due) {
		due = next
	}
	return tx.AddJob(ctx, Job{ID: newToken(), Kind: kind, Ref: id + "/" + due.Format(time.RFC3339), DueAt: due, CreatedAt: now})
}

// forgetRefund destroys the account that a cancel paid to, its term after the cancel was settled. Of one whose outcome is
// open it is kept, for a person may have to send it again.
func (s *Shop) forgetRefund(ctx context.Context, ref string) error {
	id, _, _ := strings.Cut(ref, "/")
	return s.Store.Update(ctx, func(tx Tx) error {
		now := s.Now()
		due, err := keepRefundUntil(ctx, tx, id, now)
		if err != nil {
			return err
		}
		if now.Before(due) {
			return lookAgain(ctx, tx, JobForgetRefund, id, due, now)
		}
		return tx.EraseRefund(ctx, id)
	})
}

func keepRefundUntil(ctx context.Context, r Reader, id string, now time.Time) (time.Time, error) {
	c, err := r.Cancel(ctx, id)
	if errors.Is(err, ErrNotFound) { // it waits for another person, or nobody approved it
		q, err := r.CancelRequest(ctx, id)
		if err == nil && q.State == RequestWaiting {
			return now.Add(refundKept), nil
		}
		return q.DecidedAt.Add(refundKept), err
	}
	if err == nil && c.State.Open() {
		return now.Add(refundKept), nil
	}
	return c.SettledAt.Add(refundKept), err
}
