package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"gage/smartro"
)

// Story is all that is known of one payment.
type Story struct {
	Order                      Order
	Payment                    Payment
	Siblings                   []Payment // the order's other attempts
	Timeline                   []Entry   // newest first
	Cancels                    []Cancel  // of this payment, oldest first
	Holds                      []Hold    // of the order
	ReceiptURL, CashReceiptURL string    // the gateway's pages; empty: none

	Request      *CancelRequest // a cancel of this payment that waits for another person; nil: none
	CashReceipts []CashReceipt  // of this payment, oldest first
	Others       []PaymentRow   // the same phone number's other payments of the mode, newest first
	DaysOff      DaysOff        // of banks, beside those of the law

	rules []CancelRule
}

// Rule is the one that stood for c when it was made.
func (st Story) Rule(c Cancel) CancelRule {
	at := c.GatewayAt
	if at.IsZero() {
		at = c.CreatedAt
	}
	return ruleFor(st.rules, st.Payment, at)
}

// othersShown is how many other payments of a person a page shows.
const othersShown = 6

// othersOf are the payments of the same phone number, without those of p's own order.
func (s *Shop) othersOf(ctx context.Context, p Payment) ([]PaymentRow, error) {
	if len(p.BuyerTel) < 8 || p.Erased {
		return nil, nil
	}
	q := PaymentQuery{Terms: []Find{{Field: "phone", Digits: p.BuyerTel}}, Mode: p.Mode, Limit: 4 * othersShown}
	rows, err := s.Store.SearchPayments(ctx, q)
	rows = slices.DeleteFunc(rows, func(r PaymentRow) bool { return r.OrderNo == p.OrderNo || r.BuyerTel != p.BuyerTel })
	return rows[:min(len(rows), othersShown)], err
}

// Entry is one line of the timeline: exactly one of the pointers is set.
type Entry struct {
	At      time.Time
	Event   *Event
	Message *Message
	Actor   string // the name of the person who did it; empty: nobody

	place time.Time // in the timeline
}

// Story reads one payment with everything that touched it.
func (s *Shop) Story(ctx context.Context, moid Moid) (Story, error) {
	p, err := s.Store.Payment(ctx, moid)
	if err != nil {
		return Story{}, err
	}
	st := Story{Payment: p}
	if st.Order, err = s.Store.Order(ctx, p.OrderNo); err != nil {
		return st, err
	}
	all, err := s.Store.PaymentsOf(ctx, p.OrderNo)
	if err != nil {
		return st, err
	}
	st.Siblings = slices.DeleteFunc(all, func(q Payment) bool { return q.Moid == moid })
	if st.Cancels, err = s.Store.Cancels(ctx, p.OrderNo); err != nil {
		return st, err
	}
	st.Cancels = slices.DeleteFunc(st.Cancels, func(c Cancel) bool { return c.Moid != moid })
	if st.CashReceipts, err = s.Store.CashReceiptsOf(ctx, p.OrderNo); err != nil {
		return st, err
	}
	st.CashReceipts = slices.DeleteFunc(st.CashReceipts, func(c CashReceipt) bool { return c.Payment != moid })
	if st.Request, err = s.requestThatWaits(ctx, s.Store, p); err != nil {
		return st, err
	}
	if st.Holds, err = s.Store.HoldsOf(ctx, p.OrderNo); err != nil {
		return st, err
	}
	if st.Timeline, err = s.timeline(ctx, p); err != nil {
		return st, err
	}
	if st.Others, err = s.othersOf(ctx, p); err != nil {
		return st, err
	}
	if st.rules, err = s.CancelRules(ctx); err != nil {
		return st, err
	}
	if st.DaysOff, err = s.DaysOff(ctx); err != nil {
		return st, err
	}
	m, err := s.merchantOf(ctx, s.Store, p.MID, p.Mode)
	if err != nil && !errors.Is(err, ErrNoGateway) {
		return st, err
	}
	if err == nil {
		st.ReceiptURL, st.CashReceiptURL = s.receiptURLs(m, p, st.CashReceipts)
	}
	return st, nil
}

func (s *Shop) timeline(ctx context.Context, p Payment) ([]Entry, error) {
	events, err := s.Store.Events(ctx, p.OrderNo)
	if err != nil {
		return nil, err
	}
	messages, err := s.Store.Messages(ctx, p.OrderNo)
	if err != nil {
		return nil, err
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	var list []Entry
	// Events stand as they are numbered, whatever the clock did, and a message before what it brought about.
	byID := map[string]*Message{}
	for i := range messages {
		if messages[i].About == p.Moid {
			byID[messages[i].ID] = &messages[i]
		}
	}
	var place time.Time
	for i := range events {
		e := &events[i]
		if e.At.After(place) {
			place = e.At
		}
		if m := byID[e.MessageID]; m != nil {
			list = append(list, Entry{At: m.At, Message: m, place: place})
			delete(byID, m.ID)
		}
		if e.Moid == p.Moid {
			list = append(list, Entry{At: e.At, Event: e, Actor: names[e.Actor], place: place})
		}
	}
	for i := range messages {
		if m := &messages[i]; byID[m.ID] != nil { // it changed nothing
			list = append(list, Entry{At: m.At, Message: m, place: m.At})
		}
	}
	slices.SortStableFunc(list, func(a, b Entry) int { return a.place.Compare(b.place) })
	slices.Reverse(list)
	return list, nil
}

func (s *Shop) names(ctx context.Context) (map[string]string, error) {
	all, err := s.Store.AllStaff(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, p := range all {
		names[p.ID] = p.Name
	}
	return names, nil
}

// RawMessage reads one message with its bytes, and its fields as they are decoded today; nil if they can't be.
func (s *Shop) RawMessage(ctx context.Context, actor Staff, id string) (Message, []smartro.Field, error) {
	if err := actor.must(RightSeePayments); err != nil {
		return Message{}, nil, err
	}
	m, err := s.Store.Message(ctx, id)
	if err != nil {
		return m, nil, err
	}
	merchant, err := s.Merchant(ctx)
	if err != nil {
		return m, nil, err
	}
	switch {
	case m.Channel == ChannelAnswer && m.Kind == "cancel":
		a, _ := smartro.ParseCancelAnswer(m.Raw)
		return m, a.Fields, nil
	case m.Channel == ChannelAnswer && m.Kind == messageCharge:
		a, _ := smartro.ParseChargeAnswer(m.Raw)
		return m, a.Fields, nil
	case m.Channel == ChannelAnswer && m.Kind == "cash_receipt":
		a, _ := merchant.ParseCashReceiptAnswer(m.Raw)
		return m, a.Fields, nil
	case m.Channel == ChannelAnswer:
		q, _ := merchant.ParseInquiry(m.Raw)
		return m, q.Fields, nil
	}
	n, err := s.Gateway(merchant).ReadNotice(m.Raw, charsetOf(Arrival{Channel: m.Channel}, merchant))
	if err != nil {
		return m, nil, nil
	}
	return m, n.Fields, nil
}
