package app

import (
	"context"
	"fmt"
	"reflect"
	"slices"
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
// with what its payments say (invariant I5). It tells each difference to fault, by names of fields and never by their
// values, and returns how many payments it looked at.
func VerifyPayments(ctx context.Context, r Reader, fault func(string)) (int, error) {
	looked := 0
	q := OrderQuery{Limit: 500}
	for {
		orders, err := r.Orders(ctx, q)
		if err != nil {
			return looked, err
		}
		for _, o := range orders {
			n, err := verifyOrder(ctx, r, o, fault)
			looked += n
			if err != nil {
				return looked, err
			}
		}
		if len(orders) < q.Limit {
			return looked, nil
		}
		last := orders[len(orders)-1]
		q.After = Cursor{At: last.CreatedAt, ID: string(last.No)}
	}
}

func verifyOrder(ctx context.Context, r Reader, o Order, fault func(string)) (int, error) {
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
	paid := 0
	for _, p := range payments {
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
