package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gage/smartro"
)

// CancelCashReceipt takes back a receipt that our call issued, by one call. Pressed again while it is on its way it does
// nothing. ErrReceiptNotTaken: the gateway's window issued it, or a person did, or we have no TID of it: it goes back with
// its payment, or by hand. ErrConflict: there is nothing to take back. ErrReceiptByHand, ErrFrozen: as when it is issued.
func (s *Shop) CancelCashReceipt(ctx context.Context, actor Staff, id, reason string) (CashReceipt, error) {
	if err := actor.must(RightIssueCashReceipts); err != nil {
		return CashReceipt{}, err
	}
	reason, err := readReason(reason)
	if err != nil {
		return CashReceipt{}, err
	}
	return s.takeBack(ctx, id, receiptCancel{by: actor.ID, reason: reason, from: ReceiptStateIssued})
}

// ResendReceiptCancel asks the gateway again to take back a receipt of which it is unknown whether it did: a receipt goes
// back as a whole, so that "already cancelled" then means done.
func (s *Shop) ResendReceiptCancel(ctx context.Context, actor Staff, id string) (CashReceipt, error) {
	if err := actor.must(RightIssueCashReceipts); err != nil {
		return CashReceipt{}, err
	}
	return s.takeBack(ctx, id, receiptCancel{by: actor.ID, from: ReceiptStateCancelUnknown})
}

// receiptCancel is who takes a receipt back, and why.
type receiptCancel struct {
	by, reason string
	from       ReceiptState
	again      bool // to issue it over what is left
}

// takeBack writes down that the receipt is being cancelled, calls once, and waits a little for the answer.
func (s *Shop) takeBack(ctx context.Context, id string, k receiptCancel) (CashReceipt, error) {
	c, m, mine, err := s.beginTakeBack(ctx, id, k)
	if err != nil || !mine {
		return c, err
	}
	// crash point: cash receipt cancel intended, not called
	s.receiptChanged(c)
	s.callAndWait(ctx, func(call context.Context) { s.callTakeBack(call, m, c) })
	return s.Store.CashReceipt(context.WithoutCancel(ctx), id)
}

func (s *Shop) beginTakeBack(ctx context.Context, id string, k receiptCancel) (c CashReceipt, m smartro.Merchant, mine bool, err error) {
	first, err := s.Store.CashReceipt(ctx, id)
	if err != nil {
		return c, m, false, err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		mine = false
		if c, err = lockReceipt(ctx, tx, first); err != nil {
			return err
		}
		switch {
		case c.State == ReceiptStateCancelling:
			return nil // it is on its way
		case c.Source != ReceiptByCall || c.TID == "" && c.State == k.from:
			return fmt.Errorf("cash receipt %s, by %s: %w", id, c.Source, ErrReceiptNotTaken)
		case c.State != k.from:
			return fmt.Errorf("cash receipt %s is %s: %w", id, c.State, ErrConflict)
		}
		if err := notFrozen(ctx, tx); err != nil {
			return err
		}
		if m, err = s.merchantOf(ctx, tx, c.MID, c.Mode); err != nil {
			return err
		}
		if !m.CashReceipt.Confirmed {
			return ErrReceiptByHand
		}
		now := s.Now()
		c.State, c.CancelSentAt, c.CancelSends, c.CancelBy, mine = ReceiptStateCancelling, now, c.CancelSends+1, k.by, true
		if k.from == ReceiptStateIssued {
			c.Reason, c.Again = k.reason, k.again
		}
		if err := tx.SaveCashReceipt(ctx, c); err != nil {
			return err
		}
		level := T4
		if k.by == "" {
			level = T3
		}
		in := Input{Kind: ReceiptCancelAsked, Level: level, Text: k.reason, Actor: k.by}
		if err := s.receiptEvent(ctx, tx, c, in); err != nil {
			return err
		}
		return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobCashReceipt, Ref: c.ID, DueAt: now.Add(answerBy), CreatedAt: now})
	})
	return c, m, mine, err
}

// callTakeBack asks the gateway once and settles by what it answers.
func (s *Shop) callTakeBack(ctx context.Context, m smartro.Merchant, c CashReceipt) {
	answer, callErr := s.Gateway(m).CancelCashReceipt(ctx, c.TID, c.Amount, smartro.CancelReason(c.Reason))
	// crash point: cash receipt cancel answered, not settled
	in := Input{Level: T3, Code: answer.ResultCode, Text: answer.ResultMsg}
	to := ReceiptStateCancelUnknown
	switch outcome := m.CashReceiptCancelled(answer); {
	case errors.Is(callErr, smartro.ErrNotSent):
		to, in.Code, in.Text = ReceiptStateIssued, NotSent.Code(), callErr.Error()
	case callErr != nil && len(answer.Raw) == 0:
		in.Code, in.Text = NoAnswer.Code(), callErr.Error()
	case callErr != nil:
		in.Code, in.Text = Unreadable.Code(), callErr.Error()
	case outcome == smartro.CancelDone, outcome == smartro.CancelAlready:
		to = ReceiptStateCancelled
	case outcome == smartro.CancelRefused:
		to = ReceiptStateIssued
	}
	s.settleAnswer(ctx, c, answer.Raw, answer.ResultCode, answer.Amt, in, func(now *CashReceipt) ReceiptState {
		if now.State != ReceiptStateCancelling && now.State != ReceiptStateCancelUnknown {
			return ""
		}
		if to == ReceiptStateCancelled {
			now.CancelNumber = answer.CancelNum
			now.CancelledAt, _ = answer.Time()
		}
		return to
	})
}

// ReceiptWord is a person's word about a receipt, who looked at the gateway's own record.
type ReceiptWord struct {
	Happened bool   // it was issued; or, where that is the question, taken back
	Number   string // approval or cancel number; of an issued one it is needed
	TID      string // of an issued one: with it our call can take it back; may be empty
	Date     string // of one taken back by hand: yyyy-mm-dd, Korean day
	Reason   string // what was seen
}

// SettleCashReceipt takes a person's word, by name and with a reason, about a receipt whose outcome is unknown.
// ErrConflict: the outcome is known, or still awaited.
func (s *Shop) SettleCashReceipt(ctx context.Context, actor Staff, id string, w ReceiptWord) (CashReceipt, error) {
	return s.byWord(ctx, actor, id, w, func(c *CashReceipt, errs *[]error) (ReceiptState, error) {
		switch {
		case c.State == ReceiptStateUnknown && w.Happened:
			c.Number, c.IssuedAt = readNumber(w.Number, "number", true, errs), s.Now()
			if w.TID = strings.TrimSpace(w.TID); w.TID != "" {
				tid, err := smartro.ParseTID(w.TID)
				if err != nil || tid.MID() != c.MID {
					*errs = append(*errs, &InputError{Field: "tid", Code: "tid"})
				}
				c.TID = tid
			}
			return ReceiptStateIssued, nil
		case c.State == ReceiptStateUnknown:
			return ReceiptStateRefused, nil
		case c.State == ReceiptStateCancelUnknown && w.Happened:
			c.CancelNumber = readNumber(w.Number, "number", false, errs)
			return ReceiptStateCancelled, nil
		case c.State == ReceiptStateCancelUnknown:
			return ReceiptStateIssued, nil
		}
		return "", fmt.Errorf("cash receipt %s is %s: %w", id, c.State, ErrConflict)
	})
}

// RecordReceiptCancel writes down that a person took a receipt back at the gateway's site. ErrReceiptNotTaken: the window
// issued it, and the gateway withdraws it with the payment.
func (s *Shop) RecordReceiptCancel(ctx context.Context, actor Staff, id string, w ReceiptWord) (CashReceipt, error) {
	return s.byWord(ctx, actor, id, w, func(c *CashReceipt, errs *[]error) (ReceiptState, error) {
		switch {
		case c.Source == ReceiptByWindow:
			return "", fmt.Errorf("cash receipt %s of the window: %w", id, ErrReceiptNotTaken)
		case c.State != ReceiptStateIssued:
			return "", fmt.Errorf("cash receipt %s is %s: %w", id, c.State, ErrConflict)
		}
		c.CancelNumber, c.CancelledAt = readNumber(w.Number, "number", false, errs), s.readReceiptDate(w.Date, errs)
		c.CancelBy, c.Reason = actor.ID, w.Reason
		return ReceiptStateCancelled, nil
	})
}

// byWord settles a receipt by what a person says; read checks it and says which state follows.
func (s *Shop) byWord(ctx context.Context, actor Staff, id string, w ReceiptWord, read func(*CashReceipt, *[]error) (ReceiptState, error)) (c CashReceipt, err error) {
	if err := actor.must(RightIssueCashReceipts); err != nil {
		return c, err
	}
	reason, reasonErr := readReason(w.Reason)
	first, err := s.Store.CashReceipt(ctx, id)
	if err != nil {
		return c, err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		if c, err = lockReceipt(ctx, tx, first); err != nil {
			return err
		}
		var errs []error
		to, err := read(&c, &errs)
		if err != nil {
			return err
		}
		if err := errors.Join(append(errs, reasonErr)...); err != nil {
			return err
		}
		return s.settleReceipt(ctx, tx, c, to, actor.ID, Input{Level: T4, Text: reason, Actor: actor.ID})
	})
	if err != nil {
		return c, err
	}
	s.receiptChanged(c)
	return s.Store.CashReceipt(ctx, id)
}

// lookAfterReceipt does what a receipt still owes: it is sent if nobody sent it, unknown if nobody heard of it, asked about
// if its cancel is unknown, and taken back where it stands over more than is left.
func (s *Shop) lookAfterReceipt(ctx context.Context, id string) (again bool, err error) {
	c, err := s.Store.CashReceipt(ctx, id)
	if err != nil {
		return false, err
	}
	switch c.State {
	case ReceiptStateRequested:
		s.sendReceipt(ctx, id)
		c, err = s.Store.CashReceipt(ctx, id)
		return c.State == ReceiptStateRequested || c.State.Open(), err
	case ReceiptStateSent, ReceiptStateCancelling:
		return s.noteSilence(ctx, c)
	case ReceiptStateCancelUnknown:
		settled, err := s.inquireReceipt(ctx, c)
		return !settled, err
	case ReceiptStateIssued:
		return s.takeBackOrphan(ctx, c)
	}
	return false, nil
}

// noteSilence makes unknown what was sent and not answered in time.
func (s *Shop) noteSilence(ctx context.Context, c CashReceipt) (again bool, err error) {
	sent, to := c.SentAt, ReceiptStateUnknown
	if c.State == ReceiptStateCancelling {
		sent, to = c.CancelSentAt, ReceiptStateCancelUnknown
	}
	if s.latest().Sub(sent) < answerBy {
		return true, nil
	}
	was := c.State
	err = s.Store.Update(ctx, func(tx Tx) error {
		if c, err = lockReceipt(ctx, tx, c); err != nil || c.State != was {
			return err
		}
		return s.settleReceipt(ctx, tx, c, to, "", Input{Level: T3, Code: NoAnswer.Code()})
	})
	if err == nil {
		s.receiptChanged(c)
	}
	return to == ReceiptStateCancelUnknown, err // that one can be asked about
}

// takeBackOrphan cancels a receipt of ours that stands over more than its payment has left, to issue it over the rest.
func (s *Shop) takeBackOrphan(ctx context.Context, c CashReceipt) (again bool, err error) {
	if !c.owedBack() {
		return false, nil
	}
	m, err := s.merchantOf(ctx, s.Store, c.MID, c.Mode)
	if err != nil || !m.CashReceipt.Confirmed {
		return false, err // it is on the list of a person
	}
	c, m, mine, err := s.beginTakeBack(ctx, c.ID, receiptCancel{reason: orphanReason, from: ReceiptStateIssued, again: true})
	if err != nil || !mine {
		return err == nil, err
	}
	// crash point: cash receipt orphan on its way back, not called
	s.callTakeBack(ctx, m, c)
	c, err = s.Store.CashReceipt(ctx, c.ID)
	return c.State.Open() || c.State == ReceiptStateIssued && c.ResultCode == NotSent.Code(), err
}

// orphanReason is what the gateway reads of why the program takes a receipt back.
const orphanReason = "결제 취소"
