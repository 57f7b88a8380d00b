package app

import (
	"context"
	"slices"
	"time"

	"gage/smartro"
)

// MismatchKind says how something does not fit.
type MismatchKind string

// The kinds, what is about money first.
const (
	MismatchPaidWithoutOrder MismatchKind = "paid_without_order"    // the gateway tells of money for an order that is none of ours
	MismatchTwoApprovals     MismatchKind = "two_approvals"         // of one order
	MismatchAmountDiffers    MismatchKind = "amount_differs"        // from what was asked for
	MismatchOrderDiffers     MismatchKind = "order_differs"         // what was told is not what our form said, or can't be read
	MismatchLateDeposit      MismatchKind = "late_deposit"          // after its due time, or after a cancel
	MismatchClaimedUnproved  MismatchKind = "claimed_unproved"      // a browser says that it was paid, and the gateway says nothing
	MismatchCancelUnknown    MismatchKind = "cancel_unknown"        // asked for, and nobody knows whether it happened
	MismatchCancelledThere   MismatchKind = "cancelled_there"       // the gateway tells of a cancel that fits nothing here
	MismatchRefundOwed       MismatchKind = "refund_owed"           // the gateway took it on, and has not paid it out
	MismatchOrphanReceipt    MismatchKind = "orphan_receipt"        // a cash receipt that stands over more than is left of its payment
	MismatchNoReturn         MismatchKind = "notice_without_return" // the gateway tells that it was paid, and no browser came back
)

// MismatchKinds lists them.
func MismatchKinds() []MismatchKind {
	return []MismatchKind{
		MismatchPaidWithoutOrder, MismatchTwoApprovals, MismatchAmountDiffers, MismatchOrderDiffers, MismatchLateDeposit, MismatchClaimedUnproved, MismatchCancelUnknown, MismatchCancelledThere, MismatchRefundOwed, MismatchOrphanReceipt, MismatchNoReturn,
	}
}

// Mismatch is one thing that does not fit.
type Mismatch struct {
	Kind    MismatchKind
	OrderNo OrderNo // empty: of none of ours
	Moid    Moid    // of the payment that it is about; empty: of none of ours
	TID     TID
	Amount  Won
	Since   time.Time
}

// Books are records as they stand: of some orders everything, and what belongs to no order.
type Books struct {
	At       time.Time
	Payments []Payment
	Messages []Message // without their bytes
	Cancels  []Cancel
	Holds    []Hold
	Receipts []CashReceipt
}

// Mismatches finds what in the books does not fit, each once. It looks at nothing else: the same books have the same
// mismatches, whoever asks and whenever.
func Mismatches(b Books) []Mismatch {
	var list []Mismatch
	add := func(m Mismatch) {
		same := func(have Mismatch) bool {
			return have.Kind == m.Kind && have.Moid == m.Moid && have.TID == m.TID && have.Amount == m.Amount
		}
		if !slices.ContainsFunc(list, same) {
			list = append(list, m)
		}
	}
	payments, returned, live := map[Moid]Payment{}, map[Moid]bool{}, map[OrderNo]int{}
	for _, p := range b.Payments {
		payments[p.Moid] = p
		if p.Approved > p.Cancelled {
			live[p.OrderNo]++
		}
	}
	for _, m := range b.Messages {
		if m.Channel == ChannelReturn && m.Level >= T1 {
			returned[m.About] = true
		}
		if isCancelKind(m.Kind) && m.Level >= T2 && (m.Verdict == VerdictReview || m.Verdict == VerdictParked) {
			add(Mismatch{MismatchCancelledThere, m.OrderNo, m.About, m.TID, m.Amount, m.At})
		}
	}
	for _, h := range b.Holds {
		if h.Open() { // each is money of its own, whatever else looks like it
			list = append(list, Mismatch{kindOfHold(h.Reason), h.OrderNo, h.Moid, h.TID, h.Amount, h.CreatedAt})
		}
	}
	for _, p := range b.Payments {
		m := Mismatch{OrderNo: p.OrderNo, Moid: p.Moid, TID: p.TID, Amount: p.Approved}
		switch {
		case p.State == Claimed && b.At.Sub(p.ClaimedAt) >= claimedTooLong:
			m.Kind, m.Amount, m.Since = MismatchClaimedUnproved, p.Amount, p.ClaimedAt
		case p.State == Held && live[p.OrderNo] > 1:
			m.Kind, m.Since = MismatchTwoApprovals, p.UpdatedAt
		case p.State == Held && p.Approved != p.Amount:
			m.Kind, m.Since = MismatchAmountDiffers, p.UpdatedAt
		case !p.PaidAt.IsZero() && p.Method != smartro.CardBill && !returned[p.Moid]:
			m.Kind, m.Since = MismatchNoReturn, p.PaidAt
		default:
			continue
		}
		add(m)
	}
	for _, c := range b.Cancels {
		m := Mismatch{OrderNo: c.OrderNo, Moid: c.Moid, TID: c.TID, Amount: c.Amount, Since: c.SentAt}
		switch {
		case c.State == CancelStateUnknown, c.State == CancelStateSent && b.At.Sub(c.SentAt) >= claimedTooLong:
			m.Kind = MismatchCancelUnknown
		case c.State == CancelStateAccepted:
			m.Kind = MismatchRefundOwed
		default:
			continue
		}
		add(m)
	}
	for _, c := range b.Receipts {
		p, known := payments[c.Payment]
		if c.State == ReceiptStateIssued && known && c.Amount > p.CashNet() {
			add(Mismatch{MismatchOrphanReceipt, c.OrderNo, c.Payment, p.TID, c.Amount, c.IssuedAt})
		}
	}
	slices.SortStableFunc(list, func(a, b Mismatch) int { return b.Since.Compare(a.Since) })
	return list
}

func isCancelKind(kind string) bool {
	return slices.Contains([]smartro.Kind{smartro.Cancelled, smartro.Refunded, smartro.AlreadyCancelled}, smartro.Kind(kind))
}

func kindOfHold(r HoldReason) MismatchKind {
	switch r {
	case HoldUnknown:
		return MismatchPaidWithoutOrder
	case HoldDuplicate:
		return MismatchTwoApprovals
	case HoldAmount:
		return MismatchAmountDiffers
	case HoldLate, HoldAfterCancel:
		return MismatchLateDeposit
	}
	return MismatchOrderDiffers
}

// What the board looks through at most: who has more has another trouble than the single payment.
const (
	mismatchesShown = 200
	noReturnDays    = 7
)

// MismatchBoard finds what does not fit in the orders that anything is open of, and in what belongs to none. A payment
// whose browser did not come back is looked for among those of the last days.
func (s *Shop) MismatchBoard(ctx context.Context) ([]Mismatch, error) {
	w, err := s.Worklist(ctx)
	if err != nil {
		return nil, err
	}
	parked, err := s.Store.Inbox(ctx, InboxQuery{Channels: []Channel{ChannelNotify}, Verdicts: []Verdict{VerdictParked, VerdictReview}, Limit: mismatchesShown})
	if err != nil {
		return nil, err
	}
	nos, err := s.Store.NotReturned(ctx, s.latest().AddDate(0, 0, -noReturnDays), mismatchesShown)
	if err != nil {
		return nil, err
	}
	holds, err := s.Store.Holds(ctx, true, mismatchesShown)
	if err != nil {
		return nil, err
	}
	b := Books{At: s.latest()}
	for _, p := range w.Claimed {
		nos = append(nos, p.OrderNo)
	}
	for _, c := range w.Cancels {
		nos = append(nos, c.OrderNo)
	}
	for _, c := range w.Receipts {
		nos = append(nos, c.OrderNo)
	}
	for _, m := range parked {
		if nos = append(nos, m.OrderNo); m.OrderNo == "" {
			b.Messages = append(b.Messages, m)
		}
	}
	for _, h := range holds {
		if nos = append(nos, h.OrderNo); h.OrderNo == "" {
			b.Holds = append(b.Holds, h)
		}
	}
	slices.Sort(nos)
	for _, no := range slices.Compact(nos) {
		if no != "" {
			if err := s.addBooks(ctx, &b, no); err != nil {
				return nil, err
			}
		}
	}
	return Mismatches(b), nil
}

// addBooks adds everything of an order.
func (s *Shop) addBooks(ctx context.Context, b *Books, no OrderNo) error {
	payments, err := s.Store.PaymentsOf(ctx, no)
	if err != nil {
		return err
	}
	messages, err := s.Store.Messages(ctx, no)
	if err != nil {
		return err
	}
	cancels, err := s.Store.Cancels(ctx, no)
	if err != nil {
		return err
	}
	holds, err := s.Store.HoldsOf(ctx, no)
	if err != nil {
		return err
	}
	receipts, err := s.Store.CashReceiptsOf(ctx, no)
	b.Payments, b.Messages, b.Cancels = append(b.Payments, payments...), append(b.Messages, messages...), append(b.Cancels, cancels...)
	b.Holds, b.Receipts = append(b.Holds, holds...), append(b.Receipts, receipts...)
	return err
}
