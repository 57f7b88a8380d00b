package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gage/smartro"
)

// CancelRequest is a cancel above the limit of who wants it: another person approves or declines it. Nothing is set aside
// and nobody outside hears of it before it is approved; then it is a [Cancel] of the same ID, so that one request is one
// call at most, whoever approves it how often.
type CancelRequest struct {
	ID         string // one-time key of the form that asked for it, and of the cancel that it becomes
	OrderNo    OrderNo
	Moid       Moid
	Amount     Won
	Whole      bool // everything that was approved by the gateway, in one
	Reason     string
	RefundBank string
	RefundAcct string
	RefundName string
	By         string // staff ID
	State      RequestState
	CreatedAt  time.Time
	ExpiresAt  time.Time
	DecidedAt  time.Time
	DecidedBy  string // staff ID; empty: nobody, its time ran out
	Note       string // why it was declined
}

// RequestState is what became of a cancel that waits for another person.
type RequestState string

// The states of such a request.
const (
	RequestWaiting   RequestState = "waiting"
	RequestApproved  RequestState = "approved" // what became of the cancel stands at the cancel
	RequestDeclined  RequestState = "declined"
	RequestWithdrawn RequestState = "withdrawn"
	RequestLapsed    RequestState = "lapsed" // nobody decided in time
)

// requestFor is how long a cancel waits for another person.
const requestFor = 24 * time.Hour

// Waits says whether somebody can still decide.
func (r CancelRequest) Waits(now time.Time) bool {
	return r.State == RequestWaiting && now.Before(r.ExpiresAt)
}

// input is what was asked for, as [Shop.Cancel] takes it: the amount is the one that was asked, whatever is left now.
func (r CancelRequest) input() CancelInput {
	return CancelInput{
		Key: r.ID, Amount: r.Amount, Reason: r.Reason, RefundBank: r.RefundBank, RefundAcct: r.RefundAcct, RefundName: r.RefundName,
	}
}

// requestThatWaits is the cancel of p that waits for another person; nil: none.
func (s *Shop) requestThatWaits(ctx context.Context, r Reader, p Payment) (*CancelRequest, error) {
	list, err := r.CancelRequests(ctx, p.OrderNo)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Moid == p.Moid && list[i].Waits(s.latest()) {
			return &list[i], nil
		}
	}
	return nil, nil
}

// noneWaits is ErrWaits while a cancel of p waits for another person.
func (s *Shop) noneWaits(ctx context.Context, r Reader, p Payment) error {
	q, err := s.requestThatWaits(ctx, r, p)
	if err == nil && q != nil {
		err = fmt.Errorf("cancel %s: %s waits: %w", p.Moid, q.ID, ErrWaits)
	}
	return err
}

// AskCancel asks another person for a cancel that is above the actor's limit. The same Key again is the same request.
// Its refusals are those of [Shop.Cancel].
func (s *Shop) AskCancel(ctx context.Context, actor Staff, moid Moid, in CancelInput) (q CancelRequest, err error) {
	if err := in.checkKey(); err != nil {
		return q, err
	}
	first, err := s.Store.Payment(ctx, moid)
	if err != nil {
		return q, err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockOrder(ctx, first.OrderNo); err != nil {
			return err
		}
		if q, err = tx.CancelRequest(ctx, in.Key); !errors.Is(err, ErrNotFound) {
			if err == nil && (q.Moid != moid || q.By != actor.ID) {
				return fmt.Errorf("cancel key of another request: %w", ErrConflict)
			}
			return err
		}
		if _, err := tx.Cancel(ctx, in.Key); !errors.Is(err, ErrNotFound) {
			return errors.Join(err, fmt.Errorf("cancel key of a cancel: %w", ErrConflict))
		}
		p, err := tx.Payment(ctx, moid)
		if err != nil {
			return err
		}
		c, err := s.mayCancel(ctx, tx, p, in)
		if err != nil {
			return err
		}
		if _, err := stillMay(ctx, tx, actor.ID, RightCancel); err != nil {
			return err
		}
		if err := s.lapseOld(ctx, tx, p); err != nil {
			return err
		}
		q = CancelRequest{
			ID: in.Key, OrderNo: p.OrderNo, Moid: moid, Amount: c.Amount, Whole: c.Whole, Reason: c.Reason, RefundBank: c.RefundBank,
			RefundAcct: c.RefundAcct, RefundName: c.RefundName, By: actor.ID, State: RequestWaiting, CreatedAt: c.CreatedAt, ExpiresAt: c.CreatedAt.Add(requestFor),
		}
		if err := tx.CreateCancelRequest(ctx, q); err != nil {
			return err
		}
		if c.ToAccount {
			if err := forgetLater(ctx, tx, q.ID, q.CreatedAt); err != nil {
				return err
			}
		}
		if err := useAsked(ctx, tx, moid, in); err != nil {
			return err
		}
		if err := s.writeStep(ctx, tx, p, q, CancelAsked, actor.ID, q.Reason); err != nil {
			return err
		}
		return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobLapse, Ref: q.ID, DueAt: q.ExpiresAt, CreatedAt: q.CreatedAt})
	})
	if err == nil {
		s.changed(q.OrderNo)
	}
	return q, err
}

// writeStep writes down by name what happened to a request. It moves nothing.
func (s *Shop) writeStep(ctx context.Context, tx Tx, p Payment, q CancelRequest, kind EventKind, by, text string) error {
	_, err := s.record(ctx, tx, p, Input{Kind: kind, Level: T4, At: s.Now(), TID: p.TID, Amount: q.Amount, CancelID: q.ID, Text: text, Actor: by})
	return err
}

// stillMay reads a person as they stand now: who was disabled or lost the right meanwhile counts for nothing.
func stillMay(ctx context.Context, r Reader, id string, right Right) (Staff, error) {
	p, err := r.StaffByID(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return p, fmt.Errorf("%s: %w", right, ErrForbidden)
	}
	if err == nil && !p.DisabledAt.IsZero() {
		err = fmt.Errorf("%s is disabled: %w", p.Email, ErrForbidden)
	}
	if err != nil {
		return p, err
	}
	return p, p.must(right)
}

// lapseOld ends the request of a payment whose time ran out, in case the job that does so has not come by yet.
func (s *Shop) lapseOld(ctx context.Context, tx Tx, p Payment) error {
	list, err := tx.CancelRequests(ctx, p.OrderNo)
	if err != nil {
		return err
	}
	for _, q := range list {
		if q.Moid == p.Moid && q.State == RequestWaiting && !q.Waits(s.latest()) {
			if err := s.decide(ctx, tx, p, q, RequestLapsed, CancelLapsed, "", ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// decide writes down what became of a request.
func (s *Shop) decide(ctx context.Context, tx Tx, p Payment, q CancelRequest, to RequestState, kind EventKind, by, note string) error {
	q.State, q.DecidedAt, q.DecidedBy, q.Note = to, s.Now(), by, note
	return errors.Join(tx.SaveCancelRequest(ctx, q), s.writeStep(ctx, tx, p, q, kind, by, note))
}

// waiting reads a request in a transaction that nobody else can decide it in. ErrClosed: it does not wait any more.
func (s *Shop) waiting(ctx context.Context, tx Tx, id string) (CancelRequest, Payment, error) {
	q, err := tx.CancelRequest(ctx, id)
	if err != nil {
		return q, Payment{}, err
	}
	if _, err := tx.LockOrder(ctx, q.OrderNo); err != nil {
		return q, Payment{}, err
	}
	if q, err = tx.CancelRequest(ctx, id); err != nil {
		return q, Payment{}, err
	}
	p, err := tx.Payment(ctx, q.Moid)
	if err == nil && !q.Waits(s.latest()) {
		err = fmt.Errorf("request %s is %s, until %s: %w", id, q.State, q.ExpiresAt, ErrDecided)
	}
	return q, p, err
}

// ApproveCancel is the second person's yes: the cancel is made, as whoever asked for it wanted it, if the money is still
// there. Nobody approves their own: ErrForbidden. ErrAboveLimit: it is above the approver's limit, too. ErrVoid: who asked
// may not cancel any more. ErrDecided: it does not wait any more; of two who approve at once the other gets that. The
// refusals of [Shop.Cancel] leave it waiting.
func (s *Shop) ApproveCancel(ctx context.Context, actor Staff, id string) (Cancel, error) {
	var c Cancel
	var m smartro.Merchant
	err := s.Store.Update(ctx, func(tx Tx) error {
		q, p, err := s.waiting(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := s.maySecond(ctx, tx, actor, q); err != nil {
			return err
		}
		if err := notFrozen(ctx, tx); err != nil {
			return err
		}
		if err := notBusy(ctx, tx, p); err != nil {
			return err
		}
		rules, err := s.cancelRules(ctx, tx)
		if err != nil {
			return err
		}
		if c, err = readCancel(p, rules, q.input(), s.Now()); err != nil {
			return err
		}
		c.By = q.By
		if err := s.decide(ctx, tx, p, q, RequestApproved, CancelApproved, actor.ID, ""); err != nil {
			return err
		}
		if p, err = tx.Payment(ctx, q.Moid); err != nil {
			return err
		}
		m, err = s.setAside(ctx, tx, p, c)
		return err
	})
	if err != nil {
		return c, err
	}
	s.changed(c.OrderNo)
	return s.cancelAndWait(ctx, m, c)
}

// maySecond says whether actor may be the second person of q: another than who asked, with the right, and within their
// own limit; and whether who asked still counts.
func (s *Shop) maySecond(ctx context.Context, tx Tx, actor Staff, q CancelRequest) error {
	second, err := stillMay(ctx, tx, actor.ID, RightApproveCancels)
	if err != nil {
		return err
	}
	if second.ID == q.By {
		return fmt.Errorf("request %s is their own: %w", q.ID, ErrForbidden)
	}
	limits, err := limitsOf(ctx, tx)
	if err != nil {
		return err
	}
	if limits.Above(second.Role, q.Amount) {
		return fmt.Errorf("request %s: %w", q.ID, ErrAboveLimit)
	}
	if _, err := stillMay(ctx, tx, q.By, RightCancel); errors.Is(err, ErrForbidden) {
		return fmt.Errorf("request %s: %w", q.ID, ErrVoid)
	} else if err != nil {
		return err
	}
	return nil
}

// DeclineCancel is the second person's no, with a reason.
func (s *Shop) DeclineCancel(ctx context.Context, actor Staff, id, reason string) error {
	reason, err := readReason(reason)
	if err != nil {
		return err
	}
	return s.end(ctx, id, func(tx Tx, q CancelRequest, p Payment) error {
		if _, err := stillMay(ctx, tx, actor.ID, RightApproveCancels); err != nil {
			return err
		}
		if q.By == actor.ID {
			return fmt.Errorf("request %s is their own: %w", q.ID, ErrForbidden)
		}
		return s.decide(ctx, tx, p, q, RequestDeclined, CancelDeclined, actor.ID, reason)
	})
}

// WithdrawCancel takes one's own request back.
func (s *Shop) WithdrawCancel(ctx context.Context, actor Staff, id string) error {
	if err := actor.must(RightCancel); err != nil {
		return err
	}
	return s.end(ctx, id, func(tx Tx, q CancelRequest, p Payment) error {
		if q.By != actor.ID {
			return fmt.Errorf("request %s is another's: %w", q.ID, ErrForbidden)
		}
		return s.decide(ctx, tx, p, q, RequestWithdrawn, CancelWithdrawn, actor.ID, "")
	})
}

// lapse ends a request that nobody decided in time.
func (s *Shop) lapse(ctx context.Context, id string) (again bool, err error) {
	q, err := s.Store.CancelRequest(ctx, id)
	if err != nil || q.State != RequestWaiting {
		return false, err
	}
	if q.Waits(s.latest()) {
		return true, nil
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockOrder(ctx, q.OrderNo); err != nil {
			return err
		}
		p, err := tx.Payment(ctx, q.Moid)
		if err != nil {
			return err
		}
		return s.lapseOld(ctx, tx, p)
	})
	if err == nil {
		s.changed(q.OrderNo)
	}
	return false, err
}

// end lets f end a request that waits.
func (s *Shop) end(ctx context.Context, id string, f func(Tx, CancelRequest, Payment) error) error {
	var no OrderNo
	err := s.Store.Update(ctx, func(tx Tx) error {
		q, p, err := s.waiting(ctx, tx, id)
		if err != nil {
			return err
		}
		no = q.OrderNo
		return f(tx, q, p)
	})
	if err == nil {
		s.changed(no)
	}
	return err
}
