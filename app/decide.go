package app

import (
	"time"
	"unicode/utf8"
)

// Input is something that happened to a payment, as far as it is believed.
type Input struct {
	Kind        EventKind
	Level       Level
	At          time.Time
	MID         MID
	Mode        Mode
	Method      Method // as the message says; empty: it does not say
	TID         TID
	Amount      Won
	HasAmount   bool
	Code, Text  string
	GatewayTime string // as it was written; part of a deposit's effect key
	EffectKey   string
	Detail      Detail
	MessageID   string
	Peer        string // who sent that message
	CancelID    string // the intent that this settles; empty: none
	Release     Won    // of what was set aside for that intent
	Actor       string
	Import      string // the row of an imported list that says it; empty: no list does
	Edited      bool   // what it echoes of the form is not what ours said
	Mine        bool   // it carried the return token: it comes from the browser that we gave the form
}

// Facts is what [Decide] needs to know of the world besides the payment.
type Facts struct {
	OrderPaid   bool // another payment of the order is, or was, paid
	OrderClosed bool // staff withdrew the order
	KnownEffect bool // an event with the input's effect key is there
	TIDTaken    bool // another payment holds this TID with proof
	Told        bool // the gateway told of the payment's money itself, or a list did and at another time: in is other money
	TakeLate    bool // a deposit after its due date pays
	Hints       int  // refusals and stops that browsers told of the payment, and that were written down
	Grace       time.Duration
}

// Outcome is what an input does: at most one event, at most one hold.
type Outcome struct {
	Event   *Event // nil: nothing happened to the payment
	Hold    *Hold  // nil: no money to keep apart
	Verdict Verdict
}

// Decide says what in does to p: the failure model's table of states and events. It is pure. What the row of a list
// says does what the gateway's own word would do, and is told as the row's.
func Decide(p Payment, in Input, f Facts) Outcome {
	out := decide(p, in, f)
	if in.Import != "" && out.Event != nil {
		out.Event.Kind, out.Event.Code, out.Event.MessageID = ImportRow, string(out.Event.Kind), in.Import
	}
	return out
}

func decide(p Payment, in Input, f Facts) Outcome {
	if f.KnownEffect {
		return Outcome{Verdict: VerdictDuplicate}
	}
	switch in.Kind {
	case FormServed, ChargeIntended:
		if p.State == New {
			return become(p, in, Opened)
		}
	case ReturnSuccess:
		return claim(p, in, f)
	case ReturnUnsigned, ReturnFailure, Stop:
		return hint(p, in, f)
	case VbankIssued:
		return issue(p, in, f)
	case Approved, Deposited:
		return money(p, in, f)
	case CancelNotice, RefundNotice, CancelDone:
		return moneyBack(p, in)
	case AlreadyCancelled:
		return alreadyBack(p, in)
	case CancelRefused, ChargeDenied, ChargeLost:
		return become(p, in, p.State)
	case CancelUnknown, CancelAccepted, ReceiptNotice, CancelConfirmed, CancelResent, CancelAsked, CancelApproved, CancelDeclined, CancelWithdrawn, CancelLapsed,
		ReceiptAsked, ReceiptIssued, ReceiptRefused, ReceiptUnknown, ReceiptCancelAsked, ReceiptCancelled, ReceiptCancelRefused, ReceiptCancelUnknown:
		return become(p, in, p.State)
	case Timer:
		return timer(p, in, f)
	case StaffAccept:
		return accept(p, in, f)
	case StaffCancel:
		return reserve(p, in)
	case ClaimVoided:
		switch {
		case p.State == Claimed:
			return become(p, in, Opened)
		case p.State == Expired && p.Proof == ProofNone:
			return become(p, in, Expired)
		}
	case Amended:
		if in.Level >= T4 && p.State == Held {
			return become(p, in, Held)
		}
	}
	return Outcome{Verdict: VerdictHint}
}

// become is the event that moves p to a state (which may be the one that it is in).
func become(p Payment, in Input, to State) Outcome {
	e := Event{
		At: in.At, Kind: in.Kind, Level: in.Level, OrderNo: p.OrderNo, Moid: p.Moid, Mode: p.Mode, MID: p.MID,
		TID: in.TID, Amount: in.Amount, Code: in.Code, Text: in.Text, From: p.State, To: to, Hold: p.HoldReason,
		Proof: p.Proof, MessageID: in.MessageID, CancelID: in.CancelID, Actor: in.Actor, EffectKey: in.EffectKey,
		Detail: in.Detail, GatewayTime: in.GatewayTime, Peer: in.Peer,
	}
	return Outcome{Event: &e, Verdict: VerdictGood}
}

// misfit names what of in is not what p's form said; "" if it fits. The order matters: the amount is what staff
// can act on, so it is told first.
func misfit(p Payment, in Input, f Facts) HoldReason {
	switch {
	case !in.HasAmount || in.Amount != p.Amount:
		return HoldAmount
	case in.MID != p.MID || in.Mode != p.Mode || in.TID.MID() != p.MID,
		in.Method != "" && in.Method != p.Method, in.Edited:
		return HoldFormChanged
	case f.TIDTaken, f.OrderPaid:
		return HoldDuplicate
	case f.OrderClosed:
		return HoldLate
	}
	return ""
}

// claim handles a browser's word that it was approved: never more than claimed.
func claim(p Payment, in Input, f Facts) Outcome {
	if f.TIDTaken {
		return Outcome{Verdict: VerdictOtherTID}
	}
	if in.HasAmount && in.Amount != p.Amount {
		return Outcome{Verdict: VerdictWrongAmount}
	}
	if p.State != Opened {
		if p.TID == in.TID {
			return Outcome{Verdict: VerdictDuplicate}
		}
		return Outcome{Verdict: VerdictClaim}
	}
	switch misfit(p, in, f) {
	case "", HoldDuplicate, HoldLate:
		out := become(p, in, Claimed)
		out.Verdict = VerdictClaim
		return out
	case HoldAmount:
		return Outcome{Verdict: VerdictWrongAmount}
	}
	return Outcome{Verdict: VerdictReview}
}

// What browsers may have written down of one payment that no signature vouches for.
const (
	hintsMost = 5
	hintText  = 200 // bytes of the message beside a refusal's code
)

// clipBytes cuts s to at most n bytes, between two characters.
func clipBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// hint keeps a refusal or a stop for the page to show, if it came from the browser that holds the form.
// A stranger's word about somebody else's payment leaves no trace on it, and the buyer's own only one that the page
// would show otherwise than before, and few of them: the log is for ever, and nobody signed for it.
func hint(p Payment, in Input, f Facts) Outcome {
	told := in.Kind == Stop && p.Stopped || in.Kind == ReturnFailure && in.Code == p.HintCode
	if !in.Mine || in.Kind == ReturnUnsigned || p.State != Opened && p.State != Claimed || told || f.Hints >= hintsMost {
		return Outcome{Verdict: VerdictHint}
	}
	in.Text, in.Detail = clipBytes(in.Text, hintText), Detail{KeyVersion: in.Detail.KeyVersion}
	out := become(p, in, p.State)
	out.Verdict = VerdictHint
	return out
}

// issue handles an issued virtual account. The gateway's own notice makes it waiting; a browser's word only
// shows it to that browser, as a claim.
func issue(p Payment, in Input, f Facts) Outcome {
	if p.State != Opened && p.State != Claimed {
		if p.TID == in.TID {
			return Outcome{Verdict: VerdictDuplicate}
		}
		return Outcome{Verdict: VerdictReview}
	}
	switch reason := misfit(p, in, f); {
	case reason == HoldAmount:
		return Outcome{Verdict: VerdictWrongAmount}
	case reason == HoldFormChanged:
		return Outcome{Verdict: VerdictReview}
	case f.TIDTaken:
		return Outcome{Verdict: VerdictOtherTID}
	case in.Level >= T2:
		return become(p, in, WaitingDeposit)
	case !in.Mine || p.State == Claimed:
		return Outcome{Verdict: VerdictClaim}
	}
	out := become(p, in, Claimed)
	out.Verdict = VerdictClaim
	return out
}

// money handles proof that the gateway took money: it pays the order once, or is held for a person.
func money(p Payment, in Input, f Facts) Outcome {
	if in.Level < T2 {
		return Outcome{Verdict: VerdictClaim}
	}
	if f.TIDTaken {
		return apart(p, in, HoldDuplicate)
	}
	if sameAsVouched(p, in) && !f.Told {
		out := become(p, in, p.State) // the gateway says itself what a person had read in its record
		out.Event.Proof = proofOf(in.Level)
		return out
	}
	switch p.State {
	case Cancelled:
		return apart(p, in, HoldAfterCancel)
	case Paid, PartlyCancelled, Held:
		return apart(p, in, HoldDuplicate)
	}
	reason := misfit(p, in, f)
	late := tooLate(p, in, f)
	if reason == "" && late && !f.TakeLate {
		reason = HoldLate
	}
	if reason == "" && (p.State == New || p.State == WaitingDeposit && in.Kind == Approved) {
		reason = HoldReview
	}
	to := Paid
	if reason != "" {
		to = Held
	}
	out := become(p, in, to)
	out.Event.Hold, out.Event.Proof = reason, proofOf(in.Level)
	out.Event.Detail.Late = late || p.State == Expired
	if reason != "" {
		out.Verdict = VerdictHeld
		out.Hold = holdFor(p, in, reason)
		out.Hold.Own = true
	}
	return out
}

// sameAsVouched says that in may be what a person vouched for before the gateway told of it.
func sameAsVouched(p Payment, in Input) bool {
	return p.Proof == ProofStaff && !p.PaidAt.IsZero() && in.TID == p.TID && in.Amount == p.Approved
}

// tooLate says that a deposit came after 23:59:59 KST of the due date, by the gateway's own time where it told one.
func tooLate(p Payment, in Input, f Facts) bool {
	if in.Kind != Deposited || p.VbankDue.IsZero() {
		return false
	}
	at := in.At.Add(-f.Grace)
	if !in.Detail.ApprovedAt.IsZero() {
		at = in.Detail.ApprovedAt
	}
	return at.After(p.VbankDue)
}

func proofOf(l Level) Proof {
	switch l {
	case T2:
		return ProofNotification
	case T3:
		return ProofInquiry
	case T4:
		return ProofStaff
	}
	return ProofNone
}

// apart keeps money beside a payment that it doesn't change.
func apart(p Payment, in Input, reason HoldReason) Outcome {
	if in.TID == p.TID && in.Kind == Approved {
		return Outcome{Verdict: VerdictDuplicate}
	}
	out := Outcome{Hold: holdFor(p, in, reason), Verdict: VerdictHeld}
	in.Kind = MoneyApart
	out.Event = become(p, in, p.State).Event // it has the effect's key: told again it is a repeat, whatever p is then
	return out
}

func holdFor(p Payment, in Input, reason HoldReason) *Hold {
	return &Hold{
		Reason: reason, OrderNo: p.OrderNo, Moid: p.Moid, MID: in.MID, Mode: p.Mode, TID: in.TID,
		Amount: in.Amount, MessageID: in.MessageID, CreatedAt: in.At,
	}
}

// moneyBack handles a cancel or refund that happened: by our own call, by its notice, or at the gateway's site.
func moneyBack(p Payment, in Input) Outcome {
	if in.Level < T2 {
		return Outcome{Verdict: VerdictClaim}
	}
	switch p.State {
	case New, Opened, Claimed, Expired:
		if in.CancelID != "" && in.TID == p.TID && in.Kind != RefundNotice { // an account that we withdrew, expired meanwhile
			out := become(p, in, p.State)
			out.Event.Amount = 0
			return out
		}
		return Outcome{Verdict: VerdictParked} // its approval is still to come
	case WaitingDeposit:
		if in.Kind == RefundNotice {
			return Outcome{Verdict: VerdictParked} // what is refunded was deposited: that is still to be told
		}
		out := become(p, in, Cancelled) // the account is withdrawn: no money had come
		out.Event.Amount = 0
		return out
	}
	if fits := p.Approved - p.Cancelled; in.Level == T2 && 0 < in.Amount && in.Amount <= fits && in.Amount > fits-(p.Reserved-in.Release) {
		return Outcome{Verdict: VerdictParked} // beside a cancel of ours that may not have happened: that must turn out first
	}
	if in.Amount <= 0 || in.Amount > p.Approved-p.Cancelled-(p.Reserved-in.Release) {
		return Outcome{Hold: holdFor(p, in, HoldReview), Verdict: VerdictReview}
	}
	to := PartlyCancelled
	switch {
	case p.Cancelled+in.Amount == p.Approved:
		to = Cancelled
	case p.State == Held:
		to = Held
	}
	out := become(p, in, to)
	out.Event.Detail.Released = in.Release
	return out
}

// alreadyBack handles "already cancelled" from the gateway: it settles a whole cancel of ours, else it is news.
func alreadyBack(p Payment, in Input) Outcome {
	if in.Level < T2 {
		return Outcome{Verdict: VerdictClaim}
	}
	if in.CancelID != "" {
		in.Kind = CancelDone
		return moneyBack(p, in)
	}
	if p.State == Cancelled {
		return Outcome{Verdict: VerdictDuplicate}
	}
	return Outcome{Hold: holdFor(p, in, HoldReview), Verdict: VerdictReview}
}

// OpenFor is how long an opened window without any result is waited for.
const OpenFor = 24 * time.Hour

// timer expires what nobody paid. What a browser claims is never expired: a person or the gateway says.
func timer(p Payment, in Input, f Facts) Outcome {
	switch {
	case !p.Expires():
	case p.State == Opened && in.At.Sub(p.OpenedAt) >= OpenFor,
		p.State == WaitingDeposit && !p.VbankDue.IsZero() && in.At.After(p.VbankDue.Add(f.Grace)):
		return become(p, in, Expired)
	}
	return Outcome{Verdict: VerdictHint}
}

// Expires says whether time alone can still change the payment.
func (p Payment) Expires() bool {
	return p.State == Opened || p.State == WaitingDeposit
}

// runsOut is when time changes the payment: [timer] says how.
func (p Payment) runsOut() time.Time {
	open, due := p.OpenedAt.Add(OpenFor), p.VbankDue.Add(depositGrace+time.Second)
	if !p.VbankDue.IsZero() && (p.State == WaitingDeposit || due.After(open)) {
		return due
	}
	return open
}

// accept is a person's word, by name and with a reason, that the gateway's own record shows this payment.
func accept(p Payment, in Input, f Facts) Outcome {
	if in.Level < T4 || f.OrderPaid || p.TID == "" ||
		p.State != Claimed && p.State != WaitingDeposit && p.State != Held || p.Reserved > 0 {
		return Outcome{Verdict: VerdictReview}
	}
	in.TID = p.TID
	in.Amount = p.Amount
	if p.State == Held {
		in.Amount = p.Approved
	}
	to := Paid
	if p.Cancelled > 0 { // what was too much went back: the rest is accepted
		to = PartlyCancelled
	}
	out := become(p, in, to)
	out.Event.Hold, out.Event.Proof = "", ProofStaff
	return out
}

// reserve sets an amount aside for a cancel before the gateway is asked: nobody can cancel it twice.
func reserve(p Payment, in Input) Outcome {
	withdraw := p.State == WaitingDeposit && in.Amount == p.Amount
	if !withdraw && (!p.HasMoney() || in.Amount <= 0 || in.Amount > p.Left()) {
		return Outcome{Verdict: VerdictReview}
	}
	return become(p, in, p.State)
}

// Derive is the order's state as its payments tell it.
func Derive(o Order, ps []Payment) OrderState {
	rank := map[OrderState]int{OrderOpen: 0, OrderConfirming: 1, OrderWaiting: 2, OrderCancelled: 3, OrderHeld: 4, OrderPartlyCancelled: 5, OrderPaid: 6}
	best := OrderOpen
	for _, p := range ps {
		s := OrderOpen
		switch p.State {
		case Paid:
			s = OrderPaid
		case PartlyCancelled:
			s = OrderPartlyCancelled
		case Held:
			s = OrderHeld
		case Cancelled:
			if !p.PaidAt.IsZero() {
				s = OrderCancelled
			}
		case WaitingDeposit:
			s = OrderWaiting
		case Claimed:
			s = OrderConfirming
			if p.VbankNum != "" {
				s = OrderWaiting
			}
		}
		if rank[s] > rank[best] {
			best = s
		}
	}
	if best == OrderOpen && !o.ClosedAt.IsZero() {
		return OrderClosed
	}
	return best
}
