package app

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"
)

// Replay folds a payment's events from its beginning. Of p it takes what its form fixed and no event changes.
func Replay(p Payment, events []Event) (replayed Payment, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("payment %s: %v", p.Moid, v)
		}
	}()
	if p.Erased {
		events = legible(events)
	}
	replayed = Payment{
		Moid: p.Moid, OrderNo: p.OrderNo, MID: p.MID, Mode: p.Mode, Device: p.Device, Method: p.Method, EdiDate: p.EdiDate, Amount: p.Amount,
		GoodsName: p.GoodsName, BuyerName: p.BuyerName, BuyerTel: p.BuyerTel, BuyerEmail: p.BuyerEmail, KeyVersion: p.KeyVersion, ReturnToken: p.ReturnToken,
		State: New, Proof: ProofNone,
	}
	for _, e := range events {
		if e.Moid != p.Moid {
			continue
		}
		if e.From != replayed.State {
			return replayed, fmt.Errorf("payment %s: event %d starts from %s, and the events before it end in %s", p.Moid, e.Seq, e.From, replayed.State)
		}
		replayed = replayed.Apply(e)
	}
	if p.Erased { // these were in what was destroyed
		replayed.AuthCode, replayed.CardCode, replayed.CardName, replayed.CardNum, replayed.CardQuota = p.AuthCode, p.CardCode, p.CardName, p.CardNum, p.CardQuota
		replayed.VbankName, replayed.VbankNum, replayed.VbankDue, replayed.ApprovedAt = p.VbankName, p.VbankNum, p.VbankDue, p.ApprovedAt
		replayed.Late, replayed.HintMsg, replayed.Erased = p.Late, p.HintMsg, true
	}
	return replayed, nil
}

// legible are the events with what can be told of their destroyed details: money is in none of them that is not in the
// amounts, for what a cancel of ours releases is what was set aside for it.
func legible(events []Event) []Event {
	reserved := map[Moid]Won{}
	list := slices.Clone(events)
	for i := range list {
		e := &list[i]
		switch e.What() {
		case StaffCancel:
			if e.To != WaitingDeposit {
				reserved[e.Moid] += e.Amount
			}
		case CancelDone, CancelNotice, RefundNotice, CancelRefused:
			if e.CancelID != "" {
				e.Detail.Released = min(e.Amount, reserved[e.Moid])
				reserved[e.Moid] -= e.Detail.Released
			}
		}
	}
	return list
}

// VerifyPayments replays every payment's events and compares what comes out with its row, and the state of every order
// with what its payments say, and the list of missing cash receipts (invariant I5). It tells each difference to fault, by names of fields and never by their
// values, and returns how many payments it looked at.
func VerifyPayments(ctx context.Context, r Reader, fault func(string)) (int, error) {
	looked := 0
	needs, err := receiptNeeds(ctx, r)
	if err != nil {
		return looked, err
	}
	q := OrderQuery{Limit: 500}
	for {
		orders, err := r.Orders(ctx, q)
		if err != nil {
			return looked, err
		}
		for _, o := range orders {
			n, err := verifyOrder(ctx, r, o, needs, fault)
			looked += n
			if err != nil {
				return looked, err
			}
		}
		if len(orders) < q.Limit {
			break
		}
		last := orders[len(orders)-1]
		q.After = Cursor{At: last.CreatedAt, ID: string(last.No)}
	}
	for _, moid := range slices.Sorted(maps.Keys(needs)) {
		fault(fmt.Sprintf("payment %s stands on the list of missing cash receipts, and there is no such payment", moid))
	}
	return looked, nil
}

// receiptNeeds is the whole list of missing cash receipts.
func receiptNeeds(ctx context.Context, r Reader) (map[Moid]ReceiptNeed, error) {
	needs := map[Moid]ReceiptNeed{}
	const limit = 1000
	for after := (Cursor{}); ; {
		list, err := r.ReceiptNeeds(ctx, time.Time{}, after, limit)
		if err != nil {
			return nil, err
		}
		for _, n := range list {
			needs[n.Moid] = n
			after = Cursor{At: n.Since, ID: string(n.Moid)}
		}
		if len(list) < limit {
			return needs, nil
		}
	}
}

// verifyNeed compares what stands on the list of missing cash receipts about a payment with what it and its receipts say,
// and takes it from the list.
func verifyNeed(p Payment, receipts []CashReceipt, needs map[Moid]ReceiptNeed, fault func(string)) {
	have := needs[p.Moid]
	delete(needs, p.Moid)
	want, needed := receiptNeed(p, receipts)
	if !needed {
		want = ReceiptNeed{}
	}
	if have != want {
		fault(fmt.Sprintf("payment %s: what stands about it on the list of missing cash receipts is not what its receipts say", p.Moid))
	}
}

func verifyOrder(ctx context.Context, r Reader, o Order, needs map[Moid]ReceiptNeed, fault func(string)) (int, error) {
	payments, err := r.PaymentsOf(ctx, o.No)
	if err != nil {
		return 0, err
	}
	events, err := r.Events(ctx, o.No)
	if err != nil {
		return 0, err
	}
	if want := Derive(o, payments); want != o.State && !o.Erased { // whether a claim is of an account was destroyed
		fault(fmt.Sprintf("order %s is %s, and its payments say %s", o.No, o.State, want))
	}
	var receipts []CashReceipt
	if slices.ContainsFunc(payments, func(p Payment) bool { return CashLike(p.Method) && p.Approved != 0 }) {
		if receipts, err = r.CashReceiptsOf(ctx, o.No); err != nil {
			return 0, err
		}
	}
	paid := 0
	for _, p := range payments {
		verifyNeed(p, receipts, needs, fault)
		replayed, err := Replay(p, events)
		if err != nil {
			fault(err.Error())
			continue
		}
		for _, name := range differences(p, replayed) {
			fault(fmt.Sprintf("payment %s: %s is not what its events say", p.Moid, name))
		}
		if p.State == Paid || p.State == PartlyCancelled {
			paid++
		}
	}
	if paid > 1 {
		fault(fmt.Sprintf("order %s has %d paid payments", o.No, paid))
	}
	return len(payments), nil
}

// differences names the fields in which two payments differ.
func differences(a, b Payment) []string {
	if a == b {
		return nil
	}
	var names []string
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		if va.Field(i).Interface() != vb.Field(i).Interface() {
			names = append(names, va.Type().Field(i).Name)
		}
	}
	return names
}
