package app

import (
	"context"
	"errors"
	"fmt"

	"gage/smartro"
)

// sendReceipt makes the call for a receipt that is requested, once: whoever comes second finds it sent.
func (s *Shop) sendReceipt(ctx context.Context, id string) {
	c, m, mine, err := s.takeReceipt(ctx, id)
	if err != nil || !mine {
		if err != nil {
			s.Log.Error("a cash receipt could not be sent: it is tried again", "receipt", id, "error", err)
		}
		return
	}
	// crash point: cash receipt sent, not called
	answer, callErr := s.Gateway(m).IssueCashReceipt(ctx, smartro.CashReceiptRequest{
		Moid: c.Moid, Purpose: c.Purpose, Identity: c.Identity, Amt: c.Amount, Supply: c.Supply, VAT: c.VAT, Service: c.Service,
		GoodsName: c.Goods, BuyerName: c.Name, BuyerTel: c.Tel, EdiDate: c.SentAt, MallIP: s.MallIP,
	})
	// crash point: cash receipt answered, not settled
	in := Input{Level: T3, Code: answer.ResultCode, Text: answer.ResultMsg}
	to := ReceiptStateUnknown
	switch {
	case errors.Is(callErr, smartro.ErrNotSent):
		to, in.Code, in.Text = ReceiptStateRefused, NotSent.Code(), callErr.Error()
		if c.By == "" {
			to = ReceiptStateRequested // nobody waits for it, and nothing reached the gateway: its job tries again
		}
	case callErr != nil && len(answer.Raw) == 0:
		in.Code, in.Text = NoAnswer.Code(), callErr.Error()
	case callErr != nil:
		in.Code, in.Text = Unreadable.Code(), callErr.Error()
	case answer.Outcome == smartro.CashReceiptIssued:
		to = ReceiptStateIssued
	case answer.Outcome == smartro.CashReceiptRefused:
		to = ReceiptStateRefused
	}
	s.settleAnswer(ctx, c, answer.Raw, answer.ResultCode, answer.Amt, in, func(now *CashReceipt) ReceiptState {
		if !now.awaitsIssue() {
			return ""
		}
		if to == ReceiptStateIssued {
			now.TID, now.Number = answer.TID, answer.AuthCode
			now.IssuedAt, _ = answer.Time()
		}
		return to
	})
}

// awaitsIssue says that it is not known yet whether the receipt was issued.
func (c CashReceipt) awaitsIssue() bool {
	return c.State == ReceiptStateSent || c.State == ReceiptStateUnknown
}

// takeReceipt marks a requested receipt as sent, and nobody else sends it then. One over an amount that its payment has no
// more is made anew over what is left, and dropped where nothing is.
func (s *Shop) takeReceipt(ctx context.Context, id string) (c CashReceipt, m smartro.Merchant, mine bool, err error) {
	first, err := s.Store.CashReceipt(ctx, id)
	if err != nil {
		return c, m, false, err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		mine = false
		if c, err = lockReceipt(ctx, tx, first); err != nil || c.State != ReceiptStateRequested {
			return err
		}
		if err := notFrozen(ctx, tx); err != nil {
			return err
		}
		if m, err = s.merchantOf(ctx, tx, c.MID, c.Mode); err != nil {
			return err
		}
		if c.Payment != "" {
			p, err := tx.Payment(ctx, c.Payment)
			if err != nil {
				return err
			}
			if p.CashNet() <= 0 {
				return s.settleReceipt(ctx, tx, c, ReceiptStateRefused, "", Input{Level: T3, Code: NotSent.Code()})
			}
			if err := s.resplit(ctx, tx, &c, p); err != nil {
				return err
			}
		}
		now := s.Now()
		c.State, c.SentAt, c.Sends, mine = ReceiptStateSent, now, c.Sends+1, true
		if err := tx.SaveCashReceipt(ctx, c); err != nil {
			return err
		}
		return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobCashReceipt, Ref: c.ID, DueAt: now.Add(answerBy), CreatedAt: now})
	})
	return c, m, mine, err
}

// resplit makes a receipt be over what its payment has left.
func (s *Shop) resplit(ctx context.Context, tx Tx, c *CashReceipt, p Payment) error {
	if c.Amount == p.CashNet() {
		return nil
	}
	rules, err := s.receiptRules(ctx, tx)
	if err != nil {
		return err
	}
	o, err := tx.Order(ctx, p.OrderNo)
	if err == nil {
		c.split(p.CashNet(), o, rules.Rounding)
	}
	return err
}

// settleAnswer keeps the gateway's answer to a receipt's call as it came, and settles the receipt by it: become changes it
// and says which state follows, none if somebody settled it before.
func (s *Shop) settleAnswer(ctx context.Context, c CashReceipt, raw []byte, code string, amt Won, in Input, become func(*CashReceipt) ReceiptState) {
	err := s.Store.Update(ctx, func(tx Tx) error {
		now, err := lockReceipt(ctx, tx, c)
		if err != nil {
			return err
		}
		to := become(&now)
		if in.MessageID, err = s.keepReceiptAnswer(ctx, tx, now, raw, code, amt, in.Code == Unreadable.Code()); err != nil || to == "" {
			return err
		}
		return s.settleReceipt(ctx, tx, now, to, "answer", in)
	})
	if err != nil { // it stays as it is: the job that looks after it makes it unknown
		s.Log.Error("the outcome of a cash receipt could not be stored", "receipt", c, "error", err)
		return
	}
	// crash point: cash receipt settled, nobody told
	s.receiptChanged(c)
}

func (s *Shop) keepReceiptAnswer(ctx context.Context, tx Tx, c CashReceipt, raw []byte, code string, amt Won, garbled bool) (string, error) {
	if len(raw) == 0 {
		return "", nil
	}
	kind, verdict := "cash_receipt", VerdictGood
	if c.State == ReceiptStateCancelling || c.State == ReceiptStateCancelUnknown || c.State == ReceiptStateCancelled {
		kind = "cancel"
	}
	if garbled {
		verdict = VerdictUnreadable
	}
	id, _, err := tx.AddMessage(ctx, Message{
		ID: newToken(), Channel: ChannelAnswer, At: s.Now(), Raw: raw, RawLen: len(raw), SHA256: digest(raw),
		Dedupe: digest(fmt.Appendf(nil, "%s|%s|%d|%x", kind, c.ID, c.CancelSends, raw)), MID: c.MID, Moid: c.Moid, TID: c.TID,
		Code: code, Amount: amt, Kind: kind, Level: T3, Verdict: verdict, OrderNo: c.OrderNo, About: c.Payment,
	})
	return id, err
}

// settleReceipt writes what became of a receipt. c must have been read under its lock. by is answer, notice, inquiry or a
// staff ID.
func (s *Shop) settleReceipt(ctx context.Context, tx Tx, c CashReceipt, to ReceiptState, by string, in Input) error {
	cancel := c.State == ReceiptStateCancelling || c.State == ReceiptStateCancelUnknown
	if to == ReceiptStateRequested {
		c.State, c.ResultCode, c.ResultMsg, c.Sends = to, in.Code, in.Text, c.Sends-1
		return tx.SaveCashReceipt(ctx, c)
	}
	c.State, c.ResultCode, c.ResultMsg = to, in.Code, in.Text
	if !to.Open() {
		c.SettledBy = by
	}
	again := c.Again
	switch to {
	case ReceiptStateIssued:
		in.Kind = ReceiptIssued
		in.EffectKey = receiptKey(c)
		if cancel { // it was not taken back
			in.Kind, in.EffectKey, c.Again = ReceiptCancelRefused, "", false
		} else if c.IssuedAt.IsZero() {
			c.IssuedAt = s.Now()
		}
	case ReceiptStateRefused:
		in.Kind = ReceiptRefused
	case ReceiptStateUnknown:
		in.Kind = ReceiptUnknown
	case ReceiptStateCancelUnknown:
		in.Kind = ReceiptCancelUnknown
	case ReceiptStateCancelled:
		in.Kind, c.Again = ReceiptCancelled, false
		if c.CancelledAt.IsZero() {
			c.CancelledAt = s.Now()
		}
	default:
		return fmt.Errorf("cash receipt %s becomes %s", c.ID, to)
	}
	if err := tx.SaveCashReceipt(ctx, c); err != nil {
		return err
	}
	if in.EffectKey != "" {
		if known, err := tx.HasEffect(ctx, in.EffectKey); err != nil || known {
			in.EffectKey = ""
		}
	}
	if err := s.receiptEvent(ctx, tx, c, in); err != nil || !again || to != ReceiptStateCancelled {
		return err
	}
	return s.issueAgain(ctx, tx, c)
}
