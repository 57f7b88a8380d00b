package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gage/smartro"
)

// AskAgain asks the gateway now what it knows of a payment, on a person's word. ErrNotFound: there is no TID to
// ask by. What the gateway says counts as proof only where the MID's inquiry is confirmed to mean what we read.
func (s *Shop) AskAgain(ctx context.Context, actor Staff, moid Moid) error {
	if err := actor.must(RightSettle); err != nil {
		return err
	}
	p, err := s.Store.Payment(ctx, moid)
	if err != nil {
		return err
	}
	if p.TID == "" {
		return fmt.Errorf("payment %s has no TID: %w", moid, ErrNotFound)
	}
	list, err := s.Store.Cancels(ctx, p.OrderNo)
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.Moid == moid && (c.State == CancelStateUnknown || s.unanswered(c)) {
			_, err := s.lookAfterCancel(ctx, c.ID)
			return err
		}
	}
	_, err = s.inquirePayment(ctx, p)
	return err
}

// ask puts the question and keeps the answer as it came.
func (s *Shop) ask(ctx context.Context, p Payment) (smartro.Inquiry, smartro.Merchant, string, error) {
	m, err := s.merchantOf(ctx, s.Store, p.MID, p.Mode)
	if err != nil {
		return smartro.Inquiry{}, m, "", err
	}
	q, askErr := s.Gateway(m).Inquire(ctx, p.TID)
	if len(q.Raw) == 0 {
		return q, m, "", askErr
	}
	// crash point: inquiry answered, not stored
	verdict := VerdictGood
	switch {
	case askErr != nil:
		verdict = VerdictUnreadable
	case !m.InquiryProves:
		verdict = VerdictHint
	}
	var id string
	err = s.Store.Update(ctx, func(tx Tx) (err error) {
		id, _, err = tx.AddMessage(ctx, Message{
			ID: newToken(), Channel: ChannelAnswer, At: s.Now(), Raw: q.Raw, RawLen: len(q.Raw), SHA256: digest(q.Raw),
			Dedupe: digest(fmt.Appendf(nil, "inquiry|%s|%x", p.TID, q.Raw)), MID: p.MID, Moid: p.Moid, TID: p.TID,
			Code: q.ResultCode, Amount: q.Amt, Kind: "inquiry", Level: T3, Verdict: verdict, OrderNo: p.OrderNo, About: p.Moid,
		})
		return err
	})
	return q, m, id, errors.Join(askErr, err)
}

// The states of the gateway's inquiry (receipts-and-queries §2).
const (
	inquiryApproved  = "0"
	inquiryCancelled = "1"
	inquiryPart      = "2"
)

// inquirePayment asks about a claim. It reports whether the answer settled it. The gateway may know the transaction
// under another order: then the claim was void, and the answer is that order's proof.
func (s *Shop) inquirePayment(ctx context.Context, p Payment) (settled bool, err error) {
	q, m, id, err := s.ask(ctx, p)
	if err != nil || !m.InquiryProves || q.TID != p.TID {
		return false, err
	}
	about := p.Moid
	if q.Moid != "" {
		about = q.Moid
	}
	in, money := approvalIn(q, m, s.Now(), id)
	if !money && about == p.Moid {
		return false, nil
	}
	var touched []OrderNo
	err = s.Store.Update(ctx, func(tx Tx) error {
		owner, err := tx.Payment(ctx, about)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		known := err == nil
		if touched, err = lockInOrder(ctx, tx, p.OrderNo, owner.OrderNo); err != nil {
			return err
		}
		if p, err = tx.Payment(ctx, p.Moid); err != nil {
			return err
		}
		settled = true
		if about != p.Moid && p.State == Claimed && p.TID == q.TID {
			if err := s.voidClaim(ctx, tx, p, in); err != nil {
				return err
			}
		}
		switch {
		case !money:
			return nil
		case !known:
			if err := holdUnknown(ctx, tx, about, in); !errors.Is(err, ErrConflict) {
				return err
			}
			return nil
		}
		if owner, err = tx.Payment(ctx, about); err != nil {
			return err
		}
		verdict, err := s.apply(ctx, tx, owner, in)
		settled = verdict == VerdictGood || verdict == VerdictHeld || verdict == VerdictDuplicate
		if err != nil {
			return err
		}
		return s.receiptTold(ctx, tx, about, q.TID, toldReceipt{q.RcptAppNo, q.ReceiptType}, in)
	})
	if err == nil {
		s.changed(touched...)
	}
	return settled, err
}

// approvalIn reads what the gateway's record says of a transaction's money. money is false if none came, or all of
// it went back.
func approvalIn(q smartro.Inquiry, m smartro.Merchant, now time.Time, messageID string) (in Input, money bool) {
	in = Input{
		Kind: Approved, Level: T3, At: now, MID: m.MID, Mode: m.Mode, Method: q.Method, TID: q.TID, Amount: q.Amt,
		HasAmount: true, Code: q.ResultCode, Text: q.ResultMsg, GatewayTime: q.AuthDate, MessageID: messageID,
		Detail: Detail{AuthCode: q.AuthCode, CardCode: q.CardCode, CardName: q.CardName, VbankName: q.VbankName, VbankNum: q.VbankNum},
	}
	if at, ok := (smartro.Notice{AuthDate: q.AuthDate}).AuthTime(); ok {
		in.Detail.ApprovedAt = at.UTC()
	}
	money = q.State == inquiryApproved || q.State == inquiryPart
	if q.Method == smartro.Vbank || q.VbankNum != "" {
		in.Kind = Deposited
		money = money && (q.AuthCode != "" || q.AuthDate != "") // else the account is there, the deposit is not
	}
	in.EffectKey = effectKey(in)
	return in, money
}

// notHappenedAfter is how long the gateway's record must show no cancel before its silence means that it never
// happened: longer than it could still be working on our call.
const notHappenedAfter = 10 * time.Minute

// inquireCancel asks whether a cancel of unknown outcome happened: the gateway's balance says so.
func (s *Shop) inquireCancel(ctx context.Context, c Cancel) (settled bool, err error) {
	p, err := s.Store.Payment(ctx, c.Moid)
	if err != nil {
		return false, err
	}
	q, m, id, err := s.ask(ctx, p)
	if err != nil || !m.InquiryProves || q.TID != p.TID || !q.HasBalance {
		return false, err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		settled = false
		if _, err := tx.LockOrder(ctx, c.OrderNo); err != nil {
			return err
		}
		if c, err = tx.Cancel(ctx, c.ID); err != nil || c.State != CancelStateUnknown {
			settled = err == nil && c.State != CancelStateSent // sent again meanwhile: its answer is still to come
			return err
		}
		if p, err = tx.Payment(ctx, c.Moid); err != nil {
			return err
		}
		before := p.Approved - p.Cancelled
		in := Input{Level: T3, MessageID: id, Code: q.ResultCode, Text: q.ResultMsg}
		switch {
		case p.Approved == 0: // an account without a deposit has no balance that could tell
			if settled = q.State == inquiryCancelled; settled {
				return s.settle(ctx, tx, c, CancelDone, "inquiry", in)
			}
		case c.withdraws(p): // the deposit was first: whatever went back since, this call did not do it
			if settled = s.latest().Sub(c.SentAt) >= notHappenedAfter; settled {
				in.Code, in.Text = NotThere.Code(), strings.TrimSpace(q.ResultMsg+" "+q.ResultCode)
				return s.settle(ctx, tx, c, CancelRefused, "inquiry", in)
			}
		case q.Balance == before-c.Amount:
			settled = true
			return s.settle(ctx, tx, c, c.granted(), "inquiry", in)
		case q.Balance > before-c.Amount && s.latest().Sub(c.SentAt) >= notHappenedAfter: // less went back than c alone
			settled = true
			in.Code, in.Text = NotThere.Code(), strings.TrimSpace(q.ResultMsg+" "+q.ResultCode)
			return s.settle(ctx, tx, c, CancelRefused, "inquiry", in)
		}
		return nil
	})
	if err == nil {
		s.changed(c.OrderNo)
	}
	return settled, err
}
