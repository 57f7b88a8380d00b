package app

import "fmt"

// Broken is a failed assertion: an event would do to a payment what the failure model forbids (section 2), whatever was
// decided. The program is then wrong about money, and nobody knows what else is: a [Store] whose transaction ends in it
// writes nothing any more.
type Broken struct {
	Moid Moid
	Kind EventKind
	Rule string // what was broken, in words
}

// Error names the payment and the rule, never the buyer.
func (b *Broken) Error() string {
	return fmt.Sprintf("broken rule: payment %s, %s: %s", b.Moid, b.Kind, b.Rule)
}

// Apply folds one event into the payment. It decides nothing; it panics with [*Broken] on what the failure model forbids,
// because a store that holds such a payment must not be written on.
func (p Payment) Apply(e Event) Payment {
	was := p
	p.State, p.HoldReason, p.Proof = e.To, e.Hold, e.Proof
	p.UpdatedAt, p.Seq = e.At, e.Seq
	switch e.What() {
	case FormServed, ChargeIntended:
		p.OpenedAt = e.At
		p.detail(e.Detail)
	case ReturnSuccess:
		p.TID, p.ClaimedAt = e.TID, e.At
		p.detail(e.Detail)
	case ReturnFailure, ChargeDenied:
		p.HintCode, p.HintMsg = e.Code, e.Text
	case Stop:
		p.Stopped = true
	case VbankIssued:
		p.TID = e.TID
		if e.To == Claimed {
			p.ClaimedAt = e.At
		}
		p.detail(e.Detail)
	case Approved, Deposited:
		p.TID, p.Approved, p.Late = e.TID, e.Amount, e.Detail.Late
		p.detail(e.Detail)
		if e.To == Paid && was.PaidAt.IsZero() {
			p.PaidAt = e.At
		}
	case StaffAccept:
		p.Approved, p.PaidAt = e.Amount, e.At
	case StaffCancel:
		if p.State != WaitingDeposit {
			p.Reserved += e.Amount
		}
	case CancelDone, CancelNotice, RefundNotice:
		p.Reserved -= e.Detail.Released
		p.Cancelled += e.Amount
	case CancelRefused:
		p.Reserved -= e.Detail.Released
	case ClaimVoided:
		p.TID, p.AuthCode, p.CardCode, p.CardName, p.CardNum, p.VbankNum, p.VbankName = "", "", "", "", "", "", ""
	}
	if rule := p.check(was, e); rule != "" {
		panic(&Broken{p.Moid, e.Kind, rule})
	}
	return p
}

// detail takes over what the message says and keeps what it does not say.
func (p *Payment) detail(d Detail) {
	for _, f := range []struct {
		to  *string
		val string
	}{
		{&p.AuthCode, d.AuthCode}, {&p.CardCode, d.CardCode}, {&p.CardName, d.CardName}, {&p.CardNum, d.CardNum},
		{&p.CardQuota, d.CardQuota}, {&p.VbankName, d.VbankName}, {&p.VbankNum, d.VbankNum},
	} {
		if f.val != "" {
			*f.to = f.val
		}
	}
	if !d.VbankDue.IsZero() {
		p.VbankDue = d.VbankDue
	}
	if !d.ApprovedAt.IsZero() {
		p.ApprovedAt = d.ApprovedAt
	}
}

// check is the run-time assertion of what the failure model forbids of one payment: it returns the rule that e broke, or
// nothing. What it forbids of several, [checkPaid] asserts and unique keys of the database do.
func (p Payment) check(was Payment, e Event) string {
	hadMoney := was.State == Paid || was.State == PartlyCancelled || was.State == Cancelled
	moved := p.Approved != was.Approved || p.Cancelled != was.Cancelled || p.State == Paid && was.State != Paid
	switch {
	case moved && e.Level < T2:
		return "money moved on a browser's word"
	case p.State == Paid && p.Proof == ProofNone:
		return "paid without proof"
	case was.State == Cancelled && p.State != Cancelled, was.State == PartlyCancelled && p.State == Paid:
		return "money came back from a cancel"
	case hadMoney && (p.State == New || p.State == Opened || p.State == Claimed || p.State == Expired || p.State == WaitingDeposit):
		return "a paid payment was forgotten"
	case p.Approved < 0 || p.Reserved < 0 || p.Cancelled < 0 || p.Left() < 0:
		return fmt.Sprintf("the balance is broken: approved %d, cancelled %d, reserved %d", p.Approved, p.Cancelled, p.Reserved)
	case hadMoney && p.TID != was.TID:
		return "the TID changed"
	}
	return ""
}

// checkPaid is the run-time assertion that at most one of an order's payments is paid, once next is.
func checkPaid(ps []Payment, next Payment, e Event) {
	paid := func(p Payment) bool { return p.State == Paid || p.State == PartlyCancelled }
	for _, p := range ps {
		if paid(next) && paid(p) && p.Moid != next.Moid {
			panic(&Broken{next.Moid, e.Kind, "two paid payments of one order"})
		}
	}
}
