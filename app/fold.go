package app

import "fmt"

// Apply folds one event into the payment. It decides nothing; it panics on what the failure model forbids,
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
	if err := p.check(was, e); err != nil {
		panic(err)
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

// check is the run-time assertion of the failure model's forbidden transitions and of the balance.
func (p Payment) check(was Payment, e Event) error {
	bad := func(what string) error { return fmt.Errorf("payment %s, %s: %s", p.Moid, e.Kind, what) }
	hadMoney := was.State == Paid || was.State == PartlyCancelled || was.State == Cancelled
	switch {
	case p.State == Paid && p.Proof == ProofNone:
		return bad("paid without proof")
	case was.State == Cancelled && p.State != Cancelled, was.State == PartlyCancelled && p.State == Paid:
		return bad("money came back from a cancel")
	case hadMoney && (p.State == Opened || p.State == Claimed || p.State == Expired || p.State == WaitingDeposit):
		return bad("a paid payment was forgotten")
	case p.Reserved < 0 || p.Cancelled < 0 || p.Left() < 0 && p.Approved > 0 || p.Approved < 0:
		return bad(fmt.Sprintf("balance broken: approved %d, cancelled %d, reserved %d", p.Approved, p.Cancelled, p.Reserved))
	case hadMoney && p.TID != was.TID:
		return bad("TID changed")
	}
	return nil
}
