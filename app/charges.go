package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gage/smartro"
)

// planNext sets when an active subscription is charged next: the first due time at or after the Korean day of from whose
// period has no charge yet.
func (s *Shop) planNext(ctx context.Context, tx Tx, sub *Subscription, from time.Time) error {
	list, err := tx.ChargesOf(ctx, sub.No)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, c := range list {
		taken[c.Period] = true
	}
	due := sub.dueFrom(from)
	for !due.IsZero() && taken[periodOf(due)] {
		due = sub.dueFrom(nextDay(due))
	}
	sub.NextAt = due
	switch {
	case !due.IsZero():
	case sub.Day == OnDemand && sub.End.IsZero():
		return nil
	case sub.End.IsZero():
		return fmt.Errorf("subscription %s has no day: %w", sub.No, ErrBadInput)
	default:
		due = endOfDay(sub.End).Add(time.Second)
	}
	return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobSubscription, Ref: dueRef(sub.No, due), DueAt: due, CreatedAt: s.Now()})
}

// dueRef names a subscription's job of one day, so that planning the next is not undone when this one is put away.
func dueRef(no SubscriptionNo, due time.Time) string { return string(no) + "@" + kstDay(due) }

// lookAtSubscription writes the charge down that is due, or ends a subscription whose last day is over. again: an earlier
// charge of it is still open, and two are never on their way at once.
func (s *Shop) lookAtSubscription(ctx context.Context, ref string) (again bool, err error) {
	no := SubscriptionNo(ref[:max(len(ref)-len("@2006-01-02"), 0)])
	err = s.Store.Update(ctx, func(tx Tx) error {
		again = false
		sub, err := tx.LockSubscription(ctx, no)
		if err != nil || sub.State != SubscriptionActive {
			return err
		}
		now := s.latest()
		if sub.NextAt.IsZero() {
			if sub.End.IsZero() || !now.After(endOfDay(sub.End)) {
				return nil
			}
			if err := s.stop(ctx, tx, &sub, StoppedByEnd); err != nil {
				return err
			}
			return tx.SaveSubscription(ctx, sub)
		}
		if dueRef(no, sub.NextAt) != ref {
			return nil // it was planned anew meanwhile
		}
		if again = now.Before(sub.NextAt); again {
			return nil
		}
		due := sub.NextAt
		c := Charge{Subscription: no, CardID: sub.KeyID, Period: periodOf(due), Try: 1, Amount: sub.Amount, DueAt: due}
		_, err = s.intendCharge(ctx, tx, sub, c)
		switch {
		case errors.Is(err, ErrBusy):
			again = true
			return nil
		case err != nil && !errors.Is(err, ErrConflict): // its period has one
			return err
		}
		if err := s.planNext(ctx, tx, &sub, nextDay(due)); err != nil {
			return err
		}
		return tx.SaveSubscription(ctx, sub)
	})
	return again, err
}

// intendCharge writes a charge down with the order and the payment that it is for, before anybody outside hears of it. The
// subscription is locked. ErrConflict: the period has a charge. ErrBusy: another charge of the subscription is open.
func (s *Shop) intendCharge(ctx context.Context, tx Tx, sub Subscription, c Charge) (Charge, error) {
	now := s.Now()
	c.ID, c.CreatedAt, c.State = newToken(), now, ChargeRequested
	all, err := epochs(ctx, tx)
	if err != nil {
		return c, err
	}
	epoch := all[len(all)-1]
	lost := lostIn(all, c.DueAt)
	if !c.OnDemand() && !lost && s.latest().Sub(c.DueAt) > chargeLate {
		c.State, c.Hand, c.SettledAt, c.ResultCode = ChargeSkipped, true, now, TooLate.Code()
		return c, tx.CreateCharge(ctx, c)
	}
	o := Order{
		Token: newToken(), MID: sub.MID, Mode: sub.Mode, Goods: sub.Goods, GoodsCnt: 1, Amount: c.Amount, TaxFree: sub.TaxFree,
		VAT: (c.Amount - sub.TaxFree) / 11, BuyerName: sub.Name, BuyerTel: sub.Tel, BuyerEmail: sub.Email, Methods: []Method{smartro.Card},
		CreatedAt: now, CreatedBy: c.By, Subscription: sub.No, State: OrderOpen,
	}
	if c.OrderNo == "" {
		if o.No, err = freeOrderNo(ctx, tx); err != nil {
			return c, err
		}
	} else if o, err = tx.LockOrder(ctx, c.OrderNo); err != nil {
		return c, err
	}
	o.Attempts++
	c.OrderNo, c.Moid = o.No, epoch.moid(o.No, o.Attempts)
	if lost { // it may have been charged after the backup was made: only a person can look that up
		c.State, c.Hand, c.SentAt, c.ResultCode = ChargeUnknown, true, now, LostInRestore.Code()
	}
	if err := tx.CreateCharge(ctx, c); err != nil {
		return c, err
	}
	if o.Attempts == 1 {
		err = tx.CreateOrder(ctx, o)
	} else {
		err = tx.SaveOrder(ctx, o)
	}
	if err != nil {
		return c, fmt.Errorf("order %s of a charge: %w", o.No, notConflict(err))
	}
	p := Payment{
		Moid: c.Moid, OrderNo: o.No, MID: o.MID, Mode: o.Mode, Device: byKey, Method: smartro.Card, EdiDate: now, Amount: o.Amount, GoodsName: o.Goods,
		BuyerName: o.BuyerName, BuyerTel: o.BuyerTel, BuyerEmail: o.BuyerEmail, ReturnToken: newToken(), State: New, Proof: ProofNone,
		OpenedAt: now, UpdatedAt: now,
	}
	if err := tx.CreatePayment(ctx, p); err != nil {
		return c, fmt.Errorf("payment %s of a charge: %w", p.Moid, notConflict(err))
	}
	if _, err = s.record(ctx, tx, p, Input{Kind: ChargeIntended, Level: T0, At: now, Amount: p.Amount, Actor: c.By}); err != nil {
		return c, err
	}
	if c.State == ChargeUnknown {
		return c, nil
	}
	return c, tx.AddJob(ctx, Job{ID: newToken(), Kind: JobCharge, Ref: c.ID, DueAt: now, CreatedAt: now})
}

// freeOrderNo is a number that no order has.
func freeOrderNo(ctx context.Context, tx Tx) (OrderNo, error) {
	for range 5 {
		no := newOrderNo()
		if _, err := tx.Order(ctx, no); errors.Is(err, ErrNotFound) {
			return no, nil
		} else if err != nil {
			return "", err
		}
	}
	return "", errors.New("no free order number")
}

// notConflict keeps a conflict that is our own fault from being taken for a period that has its charge.
func notConflict(err error) error {
	if errors.Is(err, ErrConflict) {
		return errors.New(err.Error())
	}
	return err
}

// lostIn says whether what was due then may have happened in records that a restore left behind.
func lostIn(all []Epoch, due time.Time) bool {
	for _, e := range all {
		if !e.RestoredAt.IsZero() && due.After(e.BackupAt) && !due.After(e.RestoredAt) {
			return true
		}
	}
	return false
}

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

// planRetry sets the day of the next attempt after a refusal, or leaves the period to a person after the last one. A
// charge that a person asked for is the person's to repeat. What never left the house counts as no try.
func (s *Shop) planRetry(ctx context.Context, tx Tx, c *Charge) error {
	list, err := tx.ChargesOf(ctx, c.Subscription)
	if err != nil {
		return err
	}
	tries := 0
	for _, other := range list {
		if other.Period == c.Period && other.ResultCode != NotSent.Code() && other.ID != c.ID {
			tries++
		}
	}
	if c.ResultCode != NotSent.Code() {
		tries++
	}
	if c.OnDemand() || c.Try >= 3*maxTries || tries >= maxTries {
		c.Hand = true
		return nil
	}
	c.RetryAt = nextDay(c.SettledAt).Add(chargeHour * time.Hour)
	if c.ResultCode == NotSent.Code() {
		c.RetryAt = c.SettledAt.Add(time.Hour)
	}
	return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobRetryCharge, Ref: c.ID, DueAt: c.RetryAt, CreatedAt: c.SettledAt})
}

// retryCharge makes the next attempt of a period whose last one was refused, and settled as refused.
func (s *Shop) retryCharge(ctx context.Context, id string) (again bool, err error) {
	first, err := s.Store.Charge(ctx, id)
	if err != nil {
		return false, err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		again = false
		sub, err := tx.LockSubscription(ctx, first.Subscription)
		if err != nil {
			return err
		}
		if _, err := tx.LockOrder(ctx, first.OrderNo); err != nil {
			return err
		}
		c, err := tx.Charge(ctx, id)
		if err != nil || c.State != ChargeRefused || c.RetryAt.IsZero() {
			return err
		}
		late := s.latest().Sub(c.RetryAt) > chargeLate
		if sub.State != SubscriptionActive || late {
			c.RetryAt, c.Hand = time.Time{}, sub.State != SubscriptionStopped
			return tx.SaveCharge(ctx, c)
		}
		_, err = s.intendCharge(ctx, tx, sub, Charge{
			Subscription: sub.No, CardID: sub.KeyID, Period: c.Period, Try: c.Try + 1, OrderNo: c.OrderNo, Amount: c.Amount, DueAt: c.RetryAt,
		})
		switch {
		case errors.Is(err, ErrBusy):
			again = true
			return nil
		case errors.Is(err, ErrConflict): // it was paid after all, or is tried already
			return nil
		}
		return err
	})
	return again, err
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

// ChargeNow has a subscription charged on a person's word, once for each key of a form. It waits for the answer for
// CancelWait at most. ErrBusy: a charge of it is open. ErrClosed: it is not active. ErrFrozen: nothing may be charged now.
func (s *Shop) ChargeNow(ctx context.Context, actor Staff, no SubscriptionNo, key string) (Charge, error) {
	if err := actor.must(RightChargeBillingKeys); err != nil {
		return Charge{}, err
	}
	if len(key) < 16 || len(key) > 64 || !isID(key) {
		return Charge{}, &InputError{Field: "key", Code: "required"}
	}
	var c Charge
	err := s.Store.Update(ctx, func(tx Tx) error {
		sub, err := tx.LockSubscription(ctx, no)
		if err != nil {
			return err
		}
		list, err := tx.ChargesOf(ctx, no)
		if err != nil {
			return err
		}
		for _, c = range list {
			if c.Period == key {
				return nil
			}
		}
		if err := notFrozen(ctx, tx); err != nil {
			return err
		}
		if sub.State != SubscriptionActive {
			return fmt.Errorf("subscription %s is %s: %w", no, sub.State, ErrClosed)
		}
		c, err = s.intendCharge(ctx, tx, sub, Charge{
			Subscription: no, CardID: sub.KeyID, Period: key, Try: 1, Amount: sub.Amount, By: actor.ID, DueAt: s.Now(),
		})
		return err
	})
	if err != nil {
		return c, err
	}
	if c.State == ChargeRequested {
		done, err := s.startCharge(ctx, c.ID)
		if err != nil {
			return c, err
		}
		s.await(ctx, done)
	}
	return s.Store.Charge(context.WithoutCancel(ctx), c.ID)
}

// SettleCharge is a person's word, by name and with a reason, about a charge of unknown outcome: he looked at the
// gateway's own record, and found the money under this TID, or nothing. ErrConflict: its outcome is known, or the TID is
// another payment's.
func (s *Shop) SettleCharge(ctx context.Context, actor Staff, id string, happened bool, tid, reason string) (Charge, error) {
	if err := actor.must(RightSettle); err != nil {
		return Charge{}, err
	}
	reason, err := readReason(reason)
	if err != nil {
		return Charge{}, err
	}
	in := Input{Kind: ChargeDenied, Level: T4, Code: NotThere.Code(), Text: reason, Actor: actor.ID}
	if happened {
		in.Kind, in.Code, in.HasAmount = Approved, "", true
		if in.TID, err = smartro.ParseTID(strings.TrimSpace(tid)); err != nil {
			return Charge{}, &InputError{Field: "tid", Code: "tid", Value: tid}
		}
	}
	first, err := s.Store.Charge(ctx, id)
	if err != nil {
		return first, err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockOrder(ctx, first.OrderNo); err != nil {
			return err
		}
		c, err := tx.Charge(ctx, id)
		if err != nil {
			return err
		}
		p, err := tx.Payment(ctx, c.Moid)
		if err != nil {
			return err
		}
		if c.State != ChargeUnknown {
			return fmt.Errorf("charge %s is %s: %w", id, c.State, ErrConflict)
		}
		in := in
		if happened {
			if in.TID.MID() != p.MID {
				return &InputError{Field: "tid", Code: "tid", Value: tid}
			}
			in.MID, in.Mode, in.Amount = p.MID, p.Mode, c.Amount
			in.EffectKey = effectKey(in)
		}
		return s.settleIn(ctx, tx, &c, in)
	})
	if err != nil {
		return first, err
	}
	s.changed(first.OrderNo)
	return s.Store.Charge(ctx, id)
}

// PutChargeAway says that a person has looked at a charge that waits for one: it was refused for the last time, or
// skipped. ErrConflict: it does not wait, or its outcome is unknown.
func (s *Shop) PutChargeAway(ctx context.Context, actor Staff, id string) error {
	if err := actor.must(RightChargeBillingKeys); err != nil {
		return err
	}
	first, err := s.Store.Charge(ctx, id)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockSubscription(ctx, first.Subscription); err != nil {
			return err
		}
		c, err := tx.Charge(ctx, id)
		if err != nil {
			return err
		}
		if !c.Hand || c.State.Open() {
			return fmt.Errorf("charge %s is %s: %w", id, c.State, ErrConflict)
		}
		c.Hand = false
		return tx.SaveCharge(ctx, c)
	})
}

// eraseKey destroys a billing key whose term is over. ErrBusy: a charge by it is still open, which a person has to settle.
func (s *Shop) eraseKey(ctx context.Context, ref string) error {
	no, id, _ := strings.Cut(ref, "/")
	return s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockSubscription(ctx, SubscriptionNo(no)); err != nil {
			return err
		}
		card, err := tx.Card(ctx, SubscriptionNo(no), id)
		if err != nil || card.GoneAt.IsZero() || card.Erased {
			return err
		}
		list, err := tx.ChargesOf(ctx, SubscriptionNo(no))
		if err != nil {
			return err
		}
		for _, c := range list {
			if c.CardID == id && c.State.Open() {
				return fmt.Errorf("charge %s is %s: %w", c.ID, c.State, ErrBusy)
			}
		}
		if err := tx.EraseCard(ctx, id); err != nil {
			return err
		}
		_, err = tx.AppendEvent(ctx, Event{At: s.Now(), Kind: Erased, Level: T4, Text: "billing key of " + no})
		return err
	})
}
