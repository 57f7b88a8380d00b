package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gage/smartro"
)

// cancelAndWait sends the cancel, and reads how far it came.
func (s *Shop) cancelAndWait(ctx context.Context, m smartro.Merchant, c Cancel) (Cancel, error) {
	s.callAndWait(ctx, func(call context.Context) { s.call(call, m, c) })
	return s.Store.Cancel(context.WithoutCancel(ctx), c.ID)
}

// callAndWait makes a call to the gateway on its own, so that a closed browser does not stop it, and waits a little.
func (s *Shop) callAndWait(ctx context.Context, call func(context.Context)) {
	done := make(chan struct{})
	s.calls.Go(func() {
		defer close(done)
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), answerBy)
		defer stop()
		call(ctx)
	})
	s.await(ctx, done)
}

// await waits for a call to be settled, for CancelWait at most and no longer than somebody is there to be told.
func (s *Shop) await(ctx context.Context, done <-chan struct{}) {
	wait := s.CancelWait
	if wait == 0 {
		wait = 8 * time.Second
	}
	enough := time.NewTimer(wait)
	defer enough.Stop()
	select {
	case <-done:
	case <-enough.C:
	case <-ctx.Done():
	}
}

// call asks the gateway once and settles by what it answers.
func (s *Shop) call(ctx context.Context, m smartro.Merchant, c Cancel) {
	r := smartro.CancelRequest{TID: c.TID, Amt: c.Amount, Partial: !c.Whole, Reason: smartro.CancelReason(c.Reason)}
	if c.ToAccount {
		r.Refund = &smartro.RefundAccount{BankCode: c.RefundBank, Number: c.RefundAcct, Holder: c.RefundName}
	}
	answer, callErr := s.Gateway(m).Cancel(ctx, r)
	// crash point: cancel answered, not settled
	kind := CancelUnknown
	in := Input{Level: T3, MID: m.MID, Mode: m.Mode, Code: answer.ResultCode, Text: answer.ResultMsg, GatewayTime: answer.CancelDate + answer.CancelTime}
	switch outcome := answer.Outcome(); {
	case errors.Is(callErr, smartro.ErrNotSent):
		kind, in.Code, in.Text = CancelRefused, NotSent.Code(), callErr.Error()
	case callErr != nil && len(answer.Raw) == 0:
		in.Code, in.Text = NoAnswer.Code(), callErr.Error()
	case callErr != nil:
		in.Code, in.Text = Unreadable.Code(), callErr.Error()
	case outcome == smartro.CancelDone, outcome == smartro.CancelAlready && c.Whole:
		kind = c.granted()
	case c.Sends > 1: // this call did nothing; the one before it may have
	case outcome == smartro.CancelRefused, outcome == smartro.CancelAlready:
		kind = CancelRefused
	}
	if (kind == CancelDone || kind == CancelAccepted) && answer.ResultCode != "2013" && answer.Amt != 0 && answer.Amt != c.Amount {
		kind, in.Code, in.Text = CancelUnknown, OtherAmount.Code(), fmt.Sprintf("%d won: %s %s", answer.Amt, answer.ResultMsg, answer.ResultCode)
	}
	err := s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockOrder(ctx, c.OrderNo); err != nil {
			return err
		}
		now, err := tx.Cancel(ctx, c.ID)
		if err != nil {
			return err
		}
		if in.MessageID, err = s.keepAnswer(ctx, tx, now, answer, kind); err != nil {
			return err
		}
		now.CancelNum, now.PTID = answer.CancelNum, answer.PTID
		if at, ok := answer.Time(); ok {
			now.GatewayAt = at
		}
		return s.settle(ctx, tx, now, kind, "answer", in)
	})
	if err != nil { // it stays sent: the job that looks after it makes it unknown
		s.Log.Error("the outcome of a cancel could not be stored", "cancel", c.ID, "moid", c.Moid, "error", err)
		return
	}
	// crash point: cancel settled, nobody told
	s.changed(c.OrderNo)
}

// keepAnswer stores the gateway's answer to a cancel as it came.
func (s *Shop) keepAnswer(ctx context.Context, tx Tx, c Cancel, a smartro.CancelAnswer, kind EventKind) (string, error) {
	if len(a.Raw) == 0 {
		return "", nil
	}
	verdict := VerdictGood
	if kind == CancelUnknown {
		verdict = VerdictUnreadable
	}
	id, _, err := tx.AddMessage(ctx, Message{
		ID: newToken(), Channel: ChannelAnswer, At: s.Now(), Raw: a.Raw, RawLen: len(a.Raw), SHA256: digest(a.Raw),
		Dedupe: digest(fmt.Appendf(nil, "cancel|%s|%d|%x", c.ID, c.Sends, a.Raw)), MID: c.TID.MID(), Moid: c.Moid, TID: c.TID,
		Code: a.ResultCode, Amount: a.Amt, Kind: "cancel", Level: T3, Verdict: verdict, OrderNo: c.OrderNo, About: c.Moid,
	})
	return id, err
}

// ResendCancel asks the gateway again for a whole cancel whose outcome is unknown: "already cancelled" then means
// done. A partial one is never sent again: two equal requests would cancel twice. ErrForbidden says so. ErrConflict:
// its outcome is known, or it is on its way. ErrFrozen: nothing
// may be cancelled now.
func (s *Shop) ResendCancel(ctx context.Context, actor Staff, id string) (Cancel, error) {
	if err := actor.must(RightCancel); err != nil {
		return Cancel{}, err
	}
	c, err := s.Store.Cancel(ctx, id)
	if err != nil {
		return c, err
	}
	var m smartro.Merchant
	err = s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockOrder(ctx, c.OrderNo); err != nil {
			return err
		}
		if c, err = tx.Cancel(ctx, id); err != nil {
			return err
		}
		if !c.Whole {
			return fmt.Errorf("cancel %s is of a part: %w", id, ErrForbidden)
		}
		if err := within(ctx, tx, actor, c.Amount); err != nil {
			return err
		}
		if c.State != CancelStateUnknown {
			return fmt.Errorf("cancel %s is %s: %w", id, c.State, ErrConflict)
		}
		if err := notFrozen(ctx, tx); err != nil {
			return err
		}
		p, err := tx.Payment(ctx, c.Moid)
		if err != nil {
			return err
		}
		signed, err := s.contractOf(ctx, tx, p.MID, p.Mode)
		if err != nil {
			return err
		}
		m = signed.Merchant
		c.State, c.SentAt, c.Sends = CancelStateSent, s.Now(), c.Sends+1
		if err := tx.SaveCancel(ctx, c); err != nil {
			return err
		}
		_, err = s.record(ctx, tx, p, Input{
			Kind: CancelResent, Level: T4, At: c.SentAt, TID: c.TID, CancelID: c.ID, Actor: actor.ID, Detail: Detail{KeyVersion: signed.keyN()},
		})
		if err != nil {
			return err
		}
		return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobInquireCancel, Ref: c.ID, DueAt: c.SentAt.Add(answerBy), CreatedAt: c.SentAt})
	})
	if err != nil {
		return c, err
	}
	return s.cancelAndWait(ctx, m, c)
}
