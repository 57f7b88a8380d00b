package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gage/smartro"
)

// CancelPlan is what staff are told before they cancel.
type CancelPlan struct {
	Payment            Payment
	Left               Won
	Key                string         // one-time key of the form: the same key is the same cancel
	SameDay            bool           // of the approval, by the gateway's own time, in Korea: before acquisition, back at once
	Rule               CancelRule     // that stands for it now
	DaysOff            DaysOff        // that don't count until the buyer sees the money
	PartAllowed        bool           // by the rule
	Nth                int            // which cancel of this payment it would be: 1 is the first
	NeedsRefundAccount bool           // a deposit came: it is paid back to an account
	WithdrawsAccount   bool           // no deposit came: the account is closed
	Open               *Cancel        // one is under way: no other may start
	Request            *CancelRequest // one waits for another person: no other may start
}

// PrepareCancel says what cancelling a payment would do. ErrNotPaid: there is nothing to cancel. ErrFrozen: nothing
// may be cancelled now.
func (s *Shop) PrepareCancel(ctx context.Context, moid Moid) (CancelPlan, error) {
	if err := notFrozen(ctx, s.Store); err != nil {
		return CancelPlan{}, err
	}
	p, err := s.Store.Payment(ctx, moid)
	if err != nil {
		return CancelPlan{}, err
	}
	if p.Erased {
		return CancelPlan{}, fmt.Errorf("cancel %s: %w", moid, ErrErased)
	}
	rules, err := s.CancelRules(ctx)
	if err != nil {
		return CancelPlan{}, err
	}
	plan := planCancel(p, rules, s.Now())
	plan.Key = newToken()
	if plan.DaysOff, err = s.DaysOff(ctx); err != nil {
		return CancelPlan{}, err
	}
	all, err := s.Store.Cancels(ctx, p.OrderNo)
	if err != nil {
		return CancelPlan{}, err
	}
	plan.Nth = 1
	for _, c := range all {
		if c.Moid == p.Moid && c.State == CancelStateDone {
			plan.Nth++
		}
	}
	if plan.Open, err = openCancel(ctx, s.Store, p); err != nil {
		return CancelPlan{}, err
	}
	if plan.Request, err = s.requestThatWaits(ctx, s.Store, p); err != nil {
		return CancelPlan{}, err
	}
	if plan.Left <= 0 && plan.Open == nil {
		return plan, fmt.Errorf("cancel %s: %w", moid, ErrNotPaid)
	}
	return plan, nil
}

// openCancel is the payment's cancel whose outcome is still to come; nil: none.
func openCancel(ctx context.Context, r Reader, p Payment) (*Cancel, error) {
	list, err := r.Cancels(ctx, p.OrderNo)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Moid == p.Moid && list[i].State.Open() {
			return &list[i], nil
		}
	}
	return nil, nil
}

// notBusy is ErrBusy while a cancel of p is open. It is asked before anything else: what is set aside for that one
// is not "not paid".
func notBusy(ctx context.Context, r Reader, p Payment) error {
	open, err := openCancel(ctx, r, p)
	if err == nil && open != nil {
		err = fmt.Errorf("cancel %s: %s is %s: %w", p.Moid, open.ID, open.State, ErrBusy)
	}
	return err
}

func planCancel(p Payment, rules []CancelRule, now time.Time) CancelPlan {
	plan := CancelPlan{Payment: p, Rule: ruleFor(rules, p, now)}
	switch {
	case p.State == WaitingDeposit:
		plan.Left, plan.WithdrawsAccount = p.Amount, true
	case p.HasMoney():
		plan.Left = p.Left()
		plan.PartAllowed = plan.Rule.Parts
		plan.NeedsRefundAccount = p.Method == smartro.Vbank
	}
	at := p.MoneyAt()
	plan.SameDay = !at.IsZero() && kstDay(now) <= kstDay(at) // our clock may be behind the gateway's
	return plan
}

// CheckCancel says what of a cancel would be refused, without doing anything: see [Shop.Cancel].
func (s *Shop) CheckCancel(ctx context.Context, actor Staff, moid Moid, in CancelInput) error {
	p, err := s.Store.Payment(ctx, moid)
	if err != nil {
		return err
	}
	c, err := s.mayCancel(ctx, s.Store, p, in)
	if err != nil {
		return err
	}
	return withinCancel(ctx, s.Store, actor, p, c.Amount)
}

// CancelInput is a cancel as staff ask for it.
type CancelInput struct {
	Key        string // from [CancelPlan]
	Amount     Won
	Whole      bool // all that is left; Amount is then ignored
	Reason     string
	RefundBank string // bank code, 3 digits
	RefundAcct string // digits
	RefundName string
	RefundAsk  string // ID of the [RefundAsk] whose account it is, in place of these
}

// Cancel gives money back: it sets the amount aside and records the intent durably, calls the gateway once, and
// settles what it answers. It waits for the answer for CancelWait at most; the Cancel that it returns says how far
// it is, sent and unknown included. The same Key again is the same cancel: nothing is sent a second time.
// ErrNotPaid, ErrBusy, ErrFrozen, *AmountError and joined *InputError are refusals before anything was sent; so are
// ErrWaits, while another person is asked for a cancel of the payment, and ErrAboveLimit: see [Shop.AskCancel].
func (s *Shop) Cancel(ctx context.Context, actor Staff, moid Moid, in CancelInput) (Cancel, error) {
	if err := actor.must(RightCancel); err != nil {
		return Cancel{}, err
	}
	c, m, fresh, err := s.intend(ctx, actor, moid, in)
	if err != nil || !fresh {
		return c, err
	}
	// crash point: cancel intended, not called
	s.changed(c.OrderNo)
	return s.cancelAndWait(ctx, m, c)
}

// checkKey says whether the form carried its one-time key.
func (in CancelInput) checkKey() error {
	if len(in.Key) < 16 || len(in.Key) > 64 {
		return &InputError{Field: "key", Code: "required"}
	}
	return nil
}

// intend records the cancel and sets its amount aside, before anybody outside hears of it.
func (s *Shop) intend(ctx context.Context, actor Staff, moid Moid, in CancelInput) (c Cancel, m smartro.Merchant, fresh bool, err error) {
	if err := in.checkKey(); err != nil {
		return c, m, false, err
	}
	first, err := s.Store.Payment(ctx, moid)
	if err != nil {
		return c, m, false, err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		fresh = false
		if _, err := tx.LockOrder(ctx, first.OrderNo); err != nil {
			return err
		}
		if c, err = tx.Cancel(ctx, in.Key); !errors.Is(err, ErrNotFound) {
			if err == nil && c.Moid != moid {
				return fmt.Errorf("cancel key of another payment: %w", ErrConflict)
			}
			return err
		}
		p, err := tx.Payment(ctx, moid)
		if err != nil {
			return err
		}
		if c, err = s.mayCancel(ctx, tx, p, in); err != nil {
			return err
		}
		if err := withinCancel(ctx, tx, actor, p, c.Amount); err != nil {
			return err
		}
		c.By = actor.ID
		fresh = true
		if err := useAsked(ctx, tx, p.Moid, in); err != nil {
			return err
		}
		m, err = s.setAside(ctx, tx, p, c)
		return err
	})
	return c, m, fresh, err
}

// mayCancel reads what is asked for, if p may be cancelled now.
func (s *Shop) mayCancel(ctx context.Context, r Reader, p Payment, in CancelInput) (Cancel, error) {
	if err := notFrozen(ctx, r); err != nil {
		return Cancel{}, err
	}
	if err := notBusy(ctx, r, p); err != nil {
		return Cancel{}, err
	}
	if err := s.noneWaits(ctx, r, p); err != nil {
		return Cancel{}, err
	}
	rules, err := s.cancelRules(ctx, r)
	if err != nil {
		return Cancel{}, err
	}
	if in, err = withAsked(ctx, r, p.Moid, in); err != nil {
		return Cancel{}, err
	}
	return readCancel(p, rules, in, s.Now())
}

// setAside stores the intent with its amount, and with the job that looks after it. It returns the contract to call by.
func (s *Shop) setAside(ctx context.Context, tx Tx, p Payment, c Cancel) (smartro.Merchant, error) {
	signed, err := s.contractOf(ctx, tx, p.MID, p.Mode)
	if err != nil {
		return smartro.Merchant{}, err
	}
	if err := tx.CreateCancel(ctx, c); err != nil {
		return smartro.Merchant{}, err
	}
	if c.ToAccount {
		if err := forgetLater(ctx, tx, c.ID, c.CreatedAt); err != nil {
			return smartro.Merchant{}, err
		}
	}
	_, err = s.record(ctx, tx, p, Input{
		Kind: StaffCancel, Level: T4, At: c.CreatedAt, TID: c.TID, Amount: c.Amount, Text: c.Reason, CancelID: c.ID, Actor: c.By,
		Detail: Detail{KeyVersion: signed.keyN()},
	})
	if err != nil {
		return smartro.Merchant{}, err
	}
	return signed.Merchant, tx.AddJob(ctx, Job{
		ID: newToken(), Kind: JobInquireCancel, Ref: c.ID, DueAt: c.SentAt.Add(answerBy), CreatedAt: c.CreatedAt,
	})
}

// answerBy is when a sent cancel without an answer is no longer waited for: the call's own limit and a margin.
const answerBy = 75 * time.Second

// readCancel checks what staff ask against what the payment allows.
func readCancel(p Payment, rules []CancelRule, in CancelInput, now time.Time) (Cancel, error) {
	if p.Erased {
		return Cancel{}, fmt.Errorf("cancel %s: %w", p.Moid, ErrErased)
	}
	plan := planCancel(p, rules, now)
	if plan.Left <= 0 {
		return Cancel{}, fmt.Errorf("cancel %s: it is %s: %w", p.Moid, p.State, ErrNotPaid)
	}
	if in.Whole {
		in.Amount = plan.Left
	}
	var errs []error
	bad := func(field, code, value string) {
		errs = append(errs, &InputError{Field: field, Code: code, Value: value})
	}
	switch {
	case p.HasMoney() && !plan.Rule.Allowed:
		bad("amount", "rule."+string(plan.Rule.Case), in.Amount.String())
	case in.Amount <= 0:
		bad("amount", "range", in.Amount.String())
	case in.Amount > plan.Left:
		errs = append(errs, &AmountError{Asked: in.Amount, Left: plan.Left})
	case in.Amount < plan.Left && !plan.PartAllowed:
		bad("amount", "no_part", in.Amount.String())
	}
	reason := strings.Join(strings.Fields(in.Reason), " ")
	switch {
	case reason == "":
		bad("reason", "required", "")
	case utf8.RuneCountInString(reason) > 100 || !utf8.ValidString(reason):
		bad("reason", "too_long", reason)
	}
	c := Cancel{
		ID: in.Key, OrderNo: p.OrderNo, Moid: p.Moid, TID: p.TID, Amount: in.Amount,
		Whole:  plan.WithdrawsAccount || in.Amount == p.Approved,
		Reason: reason, State: CancelStateSent, Sends: 1, CreatedAt: now, SentAt: now,
	}
	if plan.NeedsRefundAccount {
		a, err := RefundAccount{in.RefundBank, in.RefundAcct, in.RefundName}.read()
		if err != nil {
			errs = append(errs, err)
		}
		c.ToAccount, c.RefundBank, c.RefundAcct, c.RefundName = true, a.Bank, a.Number, a.Holder
	}
	return c, errors.Join(errs...)
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// SettleCancel is a person's word, by name and with a reason, about a cancel whose outcome is unknown or a refund that
// was accepted: he looked at the gateway's own record, whether the money went out. ErrConflict: the outcome is known,
// or still awaited.
func (s *Shop) SettleCancel(ctx context.Context, actor Staff, id string, happened bool, reason string) (Cancel, error) {
	if err := actor.must(RightSettle); err != nil {
		return Cancel{}, err
	}
	reason = strings.TrimSpace(reason)
	if reason == "" || utf8.RuneCountInString(reason) > 200 {
		return Cancel{}, &InputError{Field: "reason", Code: "required", Value: reason}
	}
	c, err := s.Store.Cancel(ctx, id)
	if err != nil {
		return c, err
	}
	kind := CancelRefused
	if happened {
		kind = CancelDone
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockOrder(ctx, c.OrderNo); err != nil {
			return err
		}
		if c, err = tx.Cancel(ctx, id); err != nil {
			return err
		}
		if c.State != CancelStateUnknown && c.State != CancelStateAccepted {
			return fmt.Errorf("cancel %s is %s: %w", id, c.State, ErrConflict)
		}
		if err := within(ctx, tx, actor, c.Amount); err != nil {
			return err
		}
		return s.settle(ctx, tx, c, kind, actor.ID, Input{Level: T4, Text: reason, Actor: actor.ID})
	})
	if err != nil {
		return c, err
	}
	s.changed(c.OrderNo)
	return s.Store.Cancel(ctx, id)
}
