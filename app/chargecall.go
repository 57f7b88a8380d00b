package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gage/smartro"
)

// sendCharge asks the gateway for a charge, once: the call leaves only in the process that made it sent. What was sent
// and not answered in time becomes unknown. again: its answer is still to come.
func (s *Shop) sendCharge(ctx context.Context, id string) (again bool, err error) {
	first, err := s.Store.Charge(ctx, id)
	if err != nil || !first.State.Open() || first.State == ChargeUnknown {
		return false, err
	}
	if first.State == ChargeSent {
		if s.latest().Sub(first.SentAt) < answerBy {
			return true, nil
		}
		return false, s.settleCharge(ctx, first, Input{Kind: ChargeLost, Level: T3, Code: NoAnswer.Code()}, nil)
	}
	done, err := s.startCharge(ctx, id)
	return done != nil, err
}

// startCharge makes a requested charge sent and calls. done is closed when it is settled, and nil if it was not this
// process that sent it.
func (s *Shop) startCharge(ctx context.Context, id string) (done <-chan struct{}, err error) {
	first, err := s.Store.Charge(ctx, id)
	if err != nil {
		return nil, err
	}
	select {
	case s.callSlot() <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var c Charge
	var r smartro.ChargeRequest
	var m smartro.Merchant
	err = s.Store.Update(ctx, func(tx Tx) error {
		r = smartro.ChargeRequest{}
		c, m, r, err = s.markSent(ctx, tx, first)
		return err
	})
	if err != nil || c.State != ChargeSent || r.Key == "" {
		<-s.callSlot()
		return nil, err
	}
	// crash point: charge sent, not called
	settled := make(chan struct{})
	s.calls.Go(func() {
		defer func() {
			<-s.callSlot()
			close(settled)
		}()
		call, stop := context.WithTimeout(context.WithoutCancel(ctx), answerBy)
		defer stop()
		s.callCharge(call, m, c, r)
	})
	return settled, nil
}

// callSlot bounds how many charges are on their way at once.
func (s *Shop) callSlot() chan struct{} {
	s.chargingOnce.Do(func() { s.charging = make(chan struct{}, chargesWide) })
	return s.charging
}

// markSent makes a requested charge sent and returns what to ask, or settles it where it may not be sent any more: then
// the request is empty. Whoever comes second finds it sent.
func (s *Shop) markSent(ctx context.Context, tx Tx, first Charge) (c Charge, m smartro.Merchant, r smartro.ChargeRequest, err error) {
	sub, err := tx.LockSubscription(ctx, first.Subscription)
	if err != nil {
		return c, m, r, err
	}
	if _, err = tx.LockOrder(ctx, first.OrderNo); err != nil {
		return c, m, r, err
	}
	if c, err = tx.Charge(ctx, first.ID); err != nil || c.State != ChargeRequested {
		return c, m, r, err
	}
	epoch, err := epochOf(ctx, tx)
	if err != nil {
		return c, m, r, err
	}
	if epoch.Frozen() {
		return c, m, r, ErrFrozen
	}
	if m, err = s.merchantOf(ctx, tx, sub.MID, sub.Mode); err != nil {
		return c, m, r, err
	}
	card, err := tx.Card(ctx, c.Subscription, c.CardID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return c, m, r, err
	}
	switch {
	case !epoch.RestoredAt.IsZero() && !c.CreatedAt.After(epoch.BackupAt):
		// It was about to be sent when the backup was made.
		return c, m, r, s.settleIn(ctx, tx, &c, Input{Kind: ChargeLost, Level: T3, Code: LostInRestore.Code()})
	case sub.State != SubscriptionActive:
		return c, m, r, s.settleIn(ctx, tx, &c, Input{Kind: ChargeDenied, Level: T3, Code: Withdrawn.Code()})
	case card.Key == "":
		return c, m, r, s.settleIn(ctx, tx, &c, Input{Kind: ChargeDenied, Level: T3, Code: NoCard.Code()})
	}
	c.State, c.SentAt = ChargeSent, s.Now()
	r = smartro.ChargeRequest{
		Key: card.Key, Moid: c.Moid, Amt: c.Amount, GoodsName: sub.Goods, UserID: string(sub.No), BuyerName: sub.Name, BuyerTel: sub.Tel,
		BuyerEmail: sub.Email, MallIP: s.MallIP, EdiDate: c.SentAt,
	}
	return c, m, r, tx.SaveCharge(ctx, c)
}

// callCharge asks the gateway once and settles by what it answers.
func (s *Shop) callCharge(ctx context.Context, m smartro.Merchant, c Charge, r smartro.ChargeRequest) {
	a, callErr := s.Gateway(m).Charge(ctx, r)
	// crash point: charge answered, not settled
	in := Input{Kind: ChargeLost, Level: T3, MID: m.MID, Mode: m.Mode, Code: a.ResultCode, Text: a.ResultMsg}
	switch outcome := a.Outcome(m); {
	case errors.Is(callErr, smartro.ErrNotSent):
		in.Kind, in.Code, in.Text = ChargeDenied, NotSent.Code(), callErr.Error()
	case callErr != nil && len(a.Raw) == 0:
		in.Code, in.Text = NoAnswer.Code(), callErr.Error()
	case callErr != nil:
		in.Code, in.Text = Unreadable.Code(), callErr.Error()
	case outcome == smartro.ChargeDone:
		in.Kind, in.Method, in.TID, in.Amount, in.HasAmount, in.GatewayTime = Approved, smartro.Card, a.TID, a.Amt, true, a.AuthDate
		in.Detail = Detail{AuthCode: a.AuthCode, CardCode: a.CardCode, CardName: a.CardName}
		if at, ok := a.Time(); ok {
			in.Detail.ApprovedAt = at.UTC()
		}
		in.EffectKey = effectKey(in)
	case outcome == smartro.ChargeRefused:
		in.Kind = ChargeDenied
	}
	if err := s.settleCharge(ctx, c, in, a.Raw); err != nil { // it stays sent: the job that looks after it makes it unknown
		s.Log.Error("the outcome of a charge could not be stored", "charge", c.ID, "moid", c.Moid, "error", err)
	}
	// crash point: charge settled, nobody told
}

// settleCharge stores the gateway's answer as it came and what it means, in one transaction.
func (s *Shop) settleCharge(ctx context.Context, c Charge, in Input, raw []byte) error {
	err := s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockOrder(ctx, c.OrderNo); err != nil {
			return err
		}
		now, err := tx.Charge(ctx, c.ID)
		if err != nil {
			return err
		}
		in := in
		if in.MessageID, err = s.keepCharged(ctx, tx, now, in, raw); err != nil {
			return err
		}
		return s.settleIn(ctx, tx, &now, in)
	})
	if err == nil {
		s.changed(c.OrderNo)
	}
	return err
}

// keepCharged stores an answer as it came. The billing key is not in it.
func (s *Shop) keepCharged(ctx context.Context, tx Tx, c Charge, in Input, raw []byte) (string, error) {
	if len(raw) == 0 {
		return "", nil
	}
	verdict := VerdictGood
	if in.Kind == ChargeLost {
		verdict = VerdictUnreadable
	}
	id, _, err := tx.AddMessage(ctx, Message{
		ID: newToken(), Channel: ChannelAnswer, At: s.Now(), Raw: raw, RawLen: len(raw), SHA256: digest(raw),
		Dedupe: digest(fmt.Appendf(nil, "charge|%s|%x", c.ID, raw)), MID: in.MID, Moid: c.Moid, TID: in.TID,
		Code: in.Code, Amount: in.Amount, Kind: messageCharge, Level: T3, Verdict: verdict, OrderNo: c.OrderNo, About: c.Moid,
	})
	return id, err
}

// messageCharge is the kind of a message that answers a charge.
const messageCharge = "charge"

// settleIn writes what became of a charge. c and its payment were read under the order's lock. Money that came is told by
// the payment's own event, whichever way it was learned: see [Shop.chargeCame].
func (s *Shop) settleIn(ctx context.Context, tx Tx, c *Charge, in Input) error {
	p, err := tx.Payment(ctx, c.Moid)
	if err != nil {
		return err
	}
	in.At = s.Now()
	if in.Kind == Approved {
		verdict, err := s.apply(ctx, tx, p, in)
		if err != nil || verdict == VerdictGood || verdict == VerdictHeld || verdict == VerdictDuplicate {
			return err
		}
		return fmt.Errorf("charge %s: the payment is %s: %s: %w", c.ID, p.State, verdict, ErrConflict)
	}
	if !c.State.Open() {
		return nil // a notice was faster
	}
	in.Amount = 0
	if _, err := s.apply(ctx, tx, p, in); err != nil {
		return err
	}
	c.ResultCode, c.ResultMsg = in.Code, in.Text
	if in.Kind == ChargeLost {
		c.State, c.Hand = ChargeUnknown, true
		return tx.SaveCharge(ctx, *c)
	}
	c.State, c.Hand, c.SettledAt, c.SettledBy = ChargeRefused, false, in.At, "answer"
	if in.Actor != "" {
		c.SettledBy = in.Actor
	}
	if in.Code == Withdrawn.Code() {
		c.State = ChargeWithdrawn
	} else if err := s.planRetry(ctx, tx, c); err != nil {
		return err
	}
	if err := tx.AddJob(ctx, Job{ID: newToken(), Kind: JobExpire, Ref: string(c.Moid), DueAt: p.OpenedAt.Add(OpenFor), CreatedAt: in.At}); err != nil {
		return err
	}
	return tx.SaveCharge(ctx, *c)
}

// chargeCame settles the charge of a payment whose money came, whichever way that was told. A charge that was taken for
// refused, and whose period was charged again since, stays what it is: its payment tells of the money.
func (s *Shop) chargeCame(ctx context.Context, tx Tx, p Payment, e Event) error {
	if p.Device != byKey {
		return nil
	}
	c, err := tx.ChargeByMoid(ctx, p.Moid)
	if err != nil || c.State == ChargePaid {
		return err
	}
	list, err := tx.ChargesOf(ctx, c.Subscription)
	if err != nil {
		return err
	}
	for _, other := range list {
		if other.Period == c.Period && other.ID != c.ID && (other.State.Open() || other.State == ChargePaid) {
			return nil
		}
	}
	c.State, c.Hand, c.SettledAt, c.RetryAt, c.ResultCode, c.ResultMsg = ChargePaid, false, e.At, time.Time{}, e.Code, e.Text
	switch {
	case e.Actor != "":
		c.SettledBy = e.Actor
	case e.Level == T2:
		c.SettledBy = "notice"
	default:
		c.SettledBy = "answer"
	}
	return tx.SaveCharge(ctx, c)
}
