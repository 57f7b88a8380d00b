package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gage/smartro"
)

// judge lets a stored message change what it may, and writes into msg what it turned out to be. It returns the
// orders that changed.
func (s *Shop) judge(ctx context.Context, tx Tx, rd reading, msg *Message, token string) ([]OrderNo, error) {
	if c, err := receiptOf(ctx, tx, rd); err == nil {
		return s.judgeReceipt(ctx, tx, rd, c, msg)
	} else if !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	mine, err := s.paymentOfToken(ctx, tx, token, rd.notice)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	p, err := s.match(ctx, tx, rd, mine)
	if errors.Is(err, ErrNotFound) {
		return nil, s.orphan(ctx, tx, rd, msg)
	}
	if err != nil {
		return nil, err
	}
	locked, err := s.lockAll(ctx, tx, rd, p)
	if err != nil {
		return nil, err
	}
	if p, err = tx.Payment(ctx, p.Moid); err != nil {
		return nil, err
	}
	msg.OrderNo, msg.About = p.OrderNo, p.Moid
	if unclear(rd, *msg) {
		return locked, s.holdUnclear(ctx, tx, p, s.input(rd, p, *msg), msg)
	}
	if rd.kind == "" || msg.Level == T0 && rd.kind != Stop && rd.kind != ReturnFailure {
		return locked, nil
	}
	in := s.input(rd, p, *msg)
	in.Mine = mine.Moid == p.Moid
	if isCancel(rd.kind) && msg.Level >= T2 {
		if ofAnother(p, rd.notice) {
			return locked, s.cancelOfAnother(ctx, tx, p, in, rd.notice, msg)
		}
		return locked, errors.Join(s.judgeCancel(ctx, tx, p, in, rd.notice, msg), s.receiptWithdrawn(ctx, tx, p, rd.notice))
	}
	if rd.kind == ReceiptNotice && msg.Level >= T2 && p.Approved == 0 {
		msg.Verdict = VerdictParked // of money that is still to be told
		return locked, nil
	}
	if in.Kind == Approved && msg.Level == T1 {
		in.Kind = ReturnSuccess
	}
	asked := msg.Verdict == VerdictUnknownSender
	verdict, err := s.apply(ctx, tx, p, in)
	if err != nil {
		return nil, err
	}
	switch verdict {
	case VerdictGood, VerdictHint, VerdictClaim:
		if msg.Verdict == VerdictGood || msg.Verdict == VerdictClaim || msg.Verdict == VerdictHint {
			msg.Verdict = verdict
		} else if msg.Level == T0 && in.Kind == ReturnFailure && in.Mine {
			msg.Verdict = VerdictHint
		}
	default:
		msg.Verdict = verdict
	}
	if err := s.receiptTold(ctx, tx, p.Moid, rd.notice.TID, toldReceipt{rd.notice.RcptAppNo, rd.notice.ReceiptType}, in); err != nil {
		return nil, err
	}
	if wrong := in.HasAmount && in.Amount != p.Amount; wrong && msg.Level == T1 {
		msg.Verdict = VerdictWrongAmount
	}
	if asked { // whatever else it is: by this verdict it is found again when a person has decided about its sender
		msg.Verdict = VerdictUnknownSender
	}
	return locked, nil
}

func isCancel(k EventKind) bool {
	return k == CancelNotice || k == RefundNotice || k == AlreadyCancelled
}

// match finds the payment that a message speaks of: by Moid, for a cancel also by the TID that it cancels. A stop
// is matched by the return token alone.
func (s *Shop) match(ctx context.Context, tx Tx, rd reading, mine Payment) (Payment, error) {
	if rd.kind == Stop {
		if mine.Moid == "" {
			return Payment{}, ErrNotFound
		}
		return mine, nil
	}
	if isCancel(rd.kind) {
		for _, tid := range []TID{rd.notice.OTID, rd.notice.TID} {
			if tid == "" {
				continue
			}
			p, err := tx.PaymentByTID(ctx, rd.merchant.Mode, tid)
			if errors.Is(err, ErrNotFound) || err == nil && p.State == Claimed && rd.notice.Moid != "" && rd.notice.Moid != p.Moid {
				continue // a browser's claim on the TID is no proof that it is p's: the gateway's Moid decides
			}
			return p, err
		}
	}
	if rd.notice.Moid == "" {
		return Payment{}, ErrNotFound
	}
	return tx.Payment(ctx, rd.notice.Moid)
}

// lockAll locks the payment's order, and that of another payment that claims the same TID.
func (s *Shop) lockAll(ctx context.Context, tx Tx, rd reading, p Payment) ([]OrderNo, error) {
	nos := []OrderNo{p.OrderNo}
	if rd.notice.TID != "" {
		q, err := tx.PaymentByTID(ctx, rd.merchant.Mode, rd.notice.TID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if err == nil && q.OrderNo != p.OrderNo {
			nos = append(nos, q.OrderNo)
		}
	}
	return lockInOrder(ctx, tx, nos...)
}

// lockInOrder locks each order once, always in the same sequence so that two transactions can't wait for one another.
// An empty number is none.
func lockInOrder(ctx context.Context, tx Tx, nos ...OrderNo) ([]OrderNo, error) {
	slices.Sort(nos)
	nos = slices.DeleteFunc(slices.Compact(nos), func(no OrderNo) bool { return no == "" })
	for _, no := range nos {
		if _, err := tx.LockOrder(ctx, no); err != nil {
			return nil, err
		}
	}
	return nos, nil
}

// input is what the message says happened to p.
func (s *Shop) input(rd reading, p Payment, msg Message) Input {
	n := rd.notice
	in := Input{
		Kind: rd.kind, Level: msg.Level, At: msg.At, MID: n.MID, Mode: rd.merchant.Mode, Method: paidBy(n.PayMethod),
		TID: n.TID, Amount: n.Amt, HasAmount: n.HasAmt, Code: n.ResultCode, Text: n.ResultMsg,
		GatewayTime: n.AuthDate, MessageID: msg.ID, Peer: msg.Peer, Edited: edited(p, n),
		Detail: Detail{
			AuthCode: n.AuthCode, CardCode: n.CardCode, CardName: n.CardName, CardNum: n.CardNum,
			CardQuota: n.CardQuota, VbankName: n.VbankName, VbankNum: n.VbankNum, KeyVersion: msg.KeyVersion,
		},
	}
	if at, ok := n.AuthTime(); ok {
		in.Detail.ApprovedAt = at.UTC()
	}
	if msg.Level >= T2 {
		in.EffectKey = effectKey(in)
	}
	return in
}

// paidBy is the method of the payment that a message is about. The gateway may say of a charge by a billing key that it is
// one; what paid is a card.
func paidBy(m Method) Method {
	if m == smartro.CardBill {
		return smartro.Card
	}
	return m
}

// effectKey names the effect, so that it happens once however often and however varied it is told (E4).
func effectKey(in Input) string {
	switch in.Kind {
	case Approved:
		return fmt.Sprintf("approval|%s|%s", in.Mode, in.TID)
	case Deposited:
		return fmt.Sprintf("deposit|%s|%s|%s|%d", in.Mode, in.TID, in.when(), in.Amount) // two may come in one second
	case VbankIssued:
		return fmt.Sprintf("issue|%s|%s", in.Mode, in.TID)
	case ReceiptNotice:
		return fmt.Sprintf("receipt_notice|%s|%s|%s", in.Mode, in.TID, in.GatewayTime)
	}
	return ""
}

// when tells apart what happened to one transaction more than once: the gateway's time, or, where it told none, the
// approval number.
func (in Input) when() string {
	if in.GatewayTime != "" {
		return in.GatewayTime
	}
	return "-|" + in.Detail.AuthCode
}

// apply decides, and writes what was decided: the event, the payment, a hold, the order's state, the jobs that
// follow. p must have been read under the order's lock.
func (s *Shop) apply(ctx context.Context, tx Tx, p Payment, in Input) (Verdict, error) {
	f, err := s.facts(ctx, tx, p, in)
	if err != nil {
		return "", err
	}
	out := Decide(p, in, f)
	if out.Hold != nil {
		out.Hold.ID = holdID(string(out.Hold.Reason), in.EffectKey)
		err := tx.CreateHold(ctx, *out.Hold)
		if errors.Is(err, ErrConflict) && out.Event == nil {
			return VerdictDuplicate, nil
		}
		if err != nil && !errors.Is(err, ErrConflict) {
			return "", err
		}
	}
	if out.Event == nil {
		return out.Verdict, nil
	}
	if p, err = s.write(ctx, tx, p, *out.Event); err != nil {
		return "", err
	}
	return out.Verdict, s.followUp(ctx, tx, p, *out.Event)
}

// facts looks up what the decision needs; it takes an unproved claim on the same TID away from its payment, since
// the gateway's own word decides whose the transaction is.
func (s *Shop) facts(ctx context.Context, tx Tx, p Payment, in Input) (Facts, error) {
	f := Facts{Grace: depositGrace}
	o, err := tx.Order(ctx, p.OrderNo)
	if err != nil {
		return f, err
	}
	f.OrderClosed = !o.ClosedAt.IsZero()
	if in.Kind == Deposited {
		info, err := infoOf(ctx, tx)
		if err != nil {
			return f, err
		}
		f.TakeLate = info.TakeLate
	}
	ps, err := tx.PaymentsOf(ctx, p.OrderNo)
	if err != nil {
		return f, err
	}
	for _, q := range ps {
		f.OrderPaid = f.OrderPaid || q.Moid != p.Moid && !q.PaidAt.IsZero()
	}
	if in.Kind == Stop || in.Kind == ReturnFailure {
		if f.Hints, err = tx.CountHints(ctx, p.OrderNo, p.Moid); err != nil {
			return f, err
		}
	}
	if in.EffectKey != "" {
		if f.KnownEffect, err = tx.HasEffect(ctx, in.EffectKey); err != nil {
			return f, err
		}
	}
	if sameAsVouched(p, in) && in.Level >= T2 {
		f.Told, err = toldOf(ctx, tx, p, in)
		return f, err
	}
	if in.TID == "" || in.TID == p.TID {
		return f, nil
	}
	q, err := tx.PaymentByTID(ctx, p.Mode, in.TID)
	if errors.Is(err, ErrNotFound) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	switch claim, err := claimsOnly(ctx, tx, q); {
	case err != nil:
		return f, err
	case in.Level < T2 || !claim:
		f.TIDTaken = true
		return f, nil
	}
	return f, s.voidClaim(ctx, tx, q, in)
}

// toldOf says whether the gateway told of p's money before, or a list did to the second and at another time than in.
func toldOf(ctx context.Context, r Reader, p Payment, in Input) (bool, error) {
	events, err := r.Events(ctx, p.OrderNo)
	return slices.ContainsFunc(events, func(e Event) bool {
		switch {
		case e.Moid != p.Moid || e.TID != in.TID || e.What() != Approved && e.What() != Deposited:
			return false
		case e.Kind != ImportRow:
			return e.Level == T2 || e.Level == T3
		}
		exact := e.EffectKey != effectKey(Input{Kind: e.What(), Mode: e.Mode, TID: e.TID, Amount: e.Amount, Detail: e.Detail})
		return exact && in.Kind == Deposited && in.GatewayTime != "" && in.Detail.ApprovedAt.Sub(e.Detail.ApprovedAt).Abs() > otherClock
	}), err
}

// claimsOnly says that q has its TID on a browser's word alone. An expired one may: versions before the clock left every
// claim alone let it end those of accounts.
func claimsOnly(ctx context.Context, r Reader, q Payment) (bool, error) {
	if q.State != Expired || q.Proof != ProofNone {
		return q.State == Claimed, nil
	}
	events, err := r.Events(ctx, q.OrderNo)
	return slices.ContainsFunc(events, func(e Event) bool { return e.Moid == q.Moid && e.From == Claimed && e.To == Expired }), err
}

// voidClaim takes the claimed TID away from q: in, which is believed, says that it is another payment's. The clock then
// goes on for q.
func (s *Shop) voidClaim(ctx context.Context, tx Tx, q Payment, in Input) error {
	s.Log.Warn("a claim was void: the gateway says that its TID belongs to another payment", "claim", q)
	q, err := s.record(ctx, tx, q, Input{Kind: ClaimVoided, Level: in.Level, At: in.At, TID: q.TID, GatewayTime: in.GatewayTime, MessageID: in.MessageID, Peer: in.Peer})
	if err != nil || !q.Expires() {
		return err
	}
	return s.expireLater(ctx, tx, q)
}

// record is apply for an input that can't be refused: it returns the payment as it is then.
func (s *Shop) record(ctx context.Context, tx Tx, p Payment, in Input) (Payment, error) {
	out := Decide(p, in, Facts{Grace: depositGrace})
	if out.Event == nil {
		return p, fmt.Errorf("payment %s is %s: %s: %w", p.Moid, p.State, in.Kind, ErrNotPaid)
	}
	return s.write(ctx, tx, p, *out.Event)
}

// write stores an event, its payment's new row, and the state of the order that follows from it.
func (s *Shop) write(ctx context.Context, tx Tx, p Payment, e Event) (Payment, error) {
	next := p.Apply(e)
	if err := s.deriveOrder(ctx, tx, next, e); err != nil {
		return p, err
	}
	seq, err := tx.AppendEvent(ctx, e.from(ctx))
	if err != nil {
		return p, err
	}
	next.Seq = seq
	if err := tx.SavePayment(ctx, next); err != nil {
		return next, err
	}
	if err := s.matchReceipts(ctx, tx, next); err != nil {
		return next, err
	}
	if next.State == Cancelled && p.State != Cancelled { // nothing is left that a person could decide about
		if err := s.closeHolds(ctx, tx, next, e.Actor, ""); err != nil {
			return next, err
		}
	}
	return next, s.tell(ctx, tx, next.OrderNo, &next, newsOf(p, next, e), e.At)
}

// deriveOrder writes the state of the order that next belongs to, next being about to be saved after e.
func (s *Shop) deriveOrder(ctx context.Context, tx Tx, next Payment, e Event) error {
	o, err := tx.Order(ctx, next.OrderNo)
	if err != nil {
		return err
	}
	ps, err := tx.PaymentsOf(ctx, next.OrderNo)
	if err != nil {
		return err
	}
	checkPaid(ps, next, e)
	for i := range ps {
		if ps[i].Moid == next.Moid {
			ps[i] = next
		}
	}
	if st := Derive(o, ps); st != o.State {
		o.State = st
		return tx.SaveOrder(ctx, o)
	}
	return nil
}

// inquireAfter is how long a claim waits for the notice before the gateway is asked.
const inquireAfter = 10 * time.Second

// followUp owes what an event brings with it: an inquiry for a claim, and for cash that a person vouched for (only the
// gateway can tell of the buyer's receipt), the judging of cancels that had to wait for it.
func (s *Shop) followUp(ctx context.Context, tx Tx, p Payment, e Event) error {
	if e.What() == Approved {
		if err := s.chargeCame(ctx, tx, p, e); err != nil {
			return err
		}
	}
	if e.To == Claimed && e.From != Claimed || e.Level == T4 && mayHaveReceipt(p, e) {
		err := tx.AddJob(ctx, Job{
			ID: newToken(), Kind: JobInquirePayment, Ref: string(p.Moid), DueAt: e.At.Add(inquireAfter), CreatedAt: e.At,
		})
		if err != nil {
			return err
		}
	}
	if e.To == WaitingDeposit && e.From == Claimed { // which no clock ended: nothing looks at it any more
		if err := s.expireLater(ctx, tx, p); err != nil {
			return err
		}
	}
	if !turnsOut(e) {
		return nil
	}
	list, err := tx.Messages(ctx, p.OrderNo)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.Verdict != VerdictParked || m.About != p.Moid {
			continue
		}
		err := tx.AddJob(ctx, Job{ID: newToken(), Kind: JobRejudge, Ref: m.ID, DueAt: e.At, CreatedAt: e.At})
		if err != nil {
			return err
		}
	}
	return nil
}

// turnsOut says that e settles what a parked cancel may have waited for: its approval or account, or the outcome of
// another cancel.
func turnsOut(e Event) bool {
	switch e.What() {
	case Approved, Deposited, VbankIssued:
		return true
	case CancelDone, CancelRefused, CancelNotice, RefundNotice:
		return e.CancelID != ""
	}
	return false
}

// receiptURLs are the gateway's pages that a payment may have; that of a receipt which our call issued is the receipt's.
func (s *Shop) receiptURLs(m smartro.Merchant, p Payment, receipts []CashReceipt) (slip, cash string) {
	if p.TID == "" || p.PaidAt.IsZero() && p.State != Held {
		return "", ""
	}
	g := s.Gateway(m)
	slip = g.ReceiptURL(p.TID, smartro.Slip)
	if slices.ContainsFunc(receipts, func(c CashReceipt) bool { return c.Payment == p.Moid && c.Source == ReceiptByWindow }) {
		cash = g.ReceiptURL(p.TID, smartro.CashReceiptSlip)
	}
	return slip, cash
}
