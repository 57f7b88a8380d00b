package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gage/smartro"
)

// receiptOf finds the receipt of our own call that a notice speaks of: by its TID, or by the order ID of the call.
// ErrNotFound: it speaks of no such receipt.
func receiptOf(ctx context.Context, tx Tx, rd reading) (CashReceipt, error) {
	n := rd.notice
	if rd.kind != ReceiptNotice && !isCancel(rd.kind) {
		return CashReceipt{}, ErrNotFound
	}
	for _, tid := range []TID{n.OTID, n.TID} {
		if tid == "" {
			continue
		}
		if c, err := tx.CashReceiptByTID(ctx, rd.merchant.Mode, tid); !errors.Is(err, ErrNotFound) {
			return c, err
		}
	}
	if n.Moid == "" {
		return CashReceipt{}, ErrNotFound
	}
	return tx.CashReceiptByMoid(ctx, n.Moid)
}

// judgeReceipt handles the gateway's own word about a receipt of our call: that it was issued, or taken back. A call's
// answer and its notice are one.
func (s *Shop) judgeReceipt(ctx context.Context, tx Tx, rd reading, c CashReceipt, msg *Message) ([]OrderNo, error) {
	c, err := lockReceipt(ctx, tx, c)
	if err != nil {
		return nil, err
	}
	msg.OrderNo, msg.About = c.OrderNo, c.Payment
	touched := []OrderNo{}
	if c.OrderNo != "" {
		touched = append(touched, c.OrderNo)
	}
	if msg.Level < T2 {
		return touched, nil
	}
	n := rd.notice
	tid := n.TID
	if isCancel(rd.kind) && n.OTID != "" {
		tid = n.OTID
	}
	in := Input{Level: msg.Level, Code: n.ResultCode, Text: n.ResultMsg, MessageID: msg.ID}
	switch {
	case n.HasAmt && n.Amt != c.Amount:
		msg.Verdict = VerdictWrongAmount
		return touched, nil
	case tid.MID() != c.MID, c.TID != "" && tid != c.TID:
		msg.Verdict = VerdictReview // there would be two of one call
		return touched, nil
	}
	known := c.TID != "" && c.Number != ""
	c.TID = tid
	if n.RcptAppNo != "" {
		c.Number = n.RcptAppNo
	}
	at, _ := n.AuthTime()
	switch {
	case isCancel(rd.kind) && c.State != ReceiptStateCancelled:
		c.CancelNumber, c.CancelledAt = n.RcptCcNo, at.UTC()
		return touched, s.settleReceipt(ctx, tx, c, ReceiptStateCancelled, "notice", in)
	case isCancel(rd.kind) && c.CancelNumber == "":
		c.CancelNumber = n.RcptCcNo
	case isCancel(rd.kind):
		msg.Verdict = VerdictDuplicate
		return touched, nil
	case c.awaitsIssue(), c.State == ReceiptStateRefused:
		c.IssuedAt = at.UTC()
		if c.Payment != "" && c.State == ReceiptStateRefused {
			list, err := tx.CashReceiptsOf(ctx, c.OrderNo)
			if err != nil {
				return nil, err
			}
			c.Second = liveOf(list, c.Payment) != nil
		}
		return touched, s.settleReceipt(ctx, tx, c, ReceiptStateIssued, "notice", in)
	case known:
		msg.Verdict = VerdictDuplicate
		return touched, nil
	}
	return touched, tx.SaveCashReceipt(ctx, c)
}

// toldReceipt is what the gateway tells of a receipt that the buyer asked for in its window.
type toldReceipt struct{ number, purpose string }

// receiptTold writes down the receipt of the window, told with an approval or a deposit, by a notice of its own, or by an
// inquiry. It is told often, and written once.
func (s *Shop) receiptTold(ctx context.Context, tx Tx, moid Moid, tid TID, told toldReceipt, in Input) error {
	if told.number == "" || in.Level < T2 || !isID(told.number) || len(told.number) > 30 {
		return nil
	}
	p, err := tx.Payment(ctx, moid)
	if err != nil {
		return err
	}
	if !CashLike(p.Method) || p.Approved == 0 || p.TID != tid || p.Erased {
		return nil
	}
	list, err := tx.CashReceiptsOf(ctx, p.OrderNo)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(list, func(c CashReceipt) bool { return c.Payment == moid && c.Number == told.number }) {
		return nil
	}
	purpose, err := smartro.ParseCashReceiptPurpose(told.purpose)
	if err != nil {
		purpose = smartro.IncomeDeduction // it says that there is one, and not which
	}
	o, err := tx.Order(ctx, p.OrderNo)
	if err != nil {
		return err
	}
	c := CashReceipt{
		ID: newToken(), OrderNo: p.OrderNo, Payment: moid, MID: p.MID, Mode: p.Mode, Source: ReceiptByWindow, Purpose: purpose, Goods: o.Goods,
		Name: p.BuyerName, State: ReceiptStateIssued, Number: told.number, CreatedAt: s.Now(), IssuedAt: p.cashDay(), SettledBy: "notice",
	}
	c.split(p.Approved, o, smartro.VATDown)
	if err := s.resplit(ctx, tx, &c, p); err != nil {
		return err
	}
	if p.CashNet() <= 0 {
		c.split(p.Approved, o, smartro.VATDown)
	}
	if other := liveOf(list, moid); other != nil {
		if other.State == ReceiptStateRequested { // nobody has asked for that one yet
			if err := s.settleReceipt(ctx, tx, *other, ReceiptStateRefused, "notice", Input{Level: in.Level, Code: NotSent.Code()}); err != nil {
				return err
			}
		} else {
			other.Second = true // the buyer's own stays: ours is one too many
			if err := tx.SaveCashReceipt(ctx, *other); err != nil {
				return err
			}
		}
	}
	return s.createReceipt(ctx, tx, c, Input{Level: in.Level, MessageID: in.MessageID})
}

// mayHaveReceipt says that e is money for which the gateway may have issued a receipt in its window.
func mayHaveReceipt(p Payment, e Event) bool {
	what := e.What()
	return CashLike(p.Method) && (what == Approved || what == Deposited || what == StaffAccept)
}

// inquireWindowReceipt asks what receipt the buyer had of the gateway for a payment that a person, and not the gateway,
// told us of. Unasked, the shop would issue a second one over the same money (I10).
func (s *Shop) inquireWindowReceipt(ctx context.Context, p Payment) error {
	q, m, id, err := s.ask(ctx, p)
	if err != nil || !m.InquiryProves || q.TID != p.TID || q.Moid != "" && q.Moid != p.Moid {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockOrder(ctx, p.OrderNo); err != nil {
			return err
		}
		in := Input{Level: T3, MessageID: id}
		return s.receiptTold(ctx, tx, p.Moid, q.TID, toldReceipt{q.RcptAppNo, q.ReceiptType}, in)
	})
}

// receiptWithdrawn takes down the number under which the gateway withdrew the window's receipt with its payment.
func (s *Shop) receiptWithdrawn(ctx context.Context, tx Tx, p Payment, n smartro.Notice) error {
	if n.RcptCcNo == "" || !CashLike(p.Method) {
		return nil
	}
	list, err := tx.CashReceiptsOf(ctx, p.OrderNo)
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.Payment == p.Moid && c.Source == ReceiptByWindow && c.State == ReceiptStateCancelled && c.CancelNumber == "" {
			c.CancelNumber = n.RcptCcNo
			return tx.SaveCashReceipt(ctx, c)
		}
	}
	return nil
}

// inquireReceipt asks whether a receipt of which that is unknown was taken back.
func (s *Shop) inquireReceipt(ctx context.Context, c CashReceipt) (settled bool, err error) {
	m, err := s.merchantOf(ctx, s.Store, c.MID, c.Mode)
	if err != nil {
		return false, err
	}
	q, err := s.Gateway(m).InquireCashReceipt(ctx, c.TID)
	if err != nil {
		return false, fmt.Errorf("inquiry about cash receipt %s: %w", c.ID, err)
	}
	to := ReceiptState("")
	in := Input{Level: T3, Code: q.ResultCode, Text: q.ResultMsg}
	switch {
	case !m.InquiryProves || q.TID != c.TID:
	case q.State == inquiryCancelled:
		to = ReceiptStateCancelled
	case q.State == inquiryApproved && s.latest().Sub(c.CancelSentAt) >= notHappenedAfter:
		to, in.Code = ReceiptStateIssued, NotThere.Code()
	}
	if to == "" {
		return false, nil
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		if c, err = lockReceipt(ctx, tx, c); err != nil || c.State != ReceiptStateCancelUnknown {
			return err
		}
		return s.settleReceipt(ctx, tx, c, to, "inquiry", in)
	})
	if err == nil {
		s.receiptChanged(c)
	}
	return true, err
}
