package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// eachWorld runs f on both engines, against the simulated gateway over HTTP. Missing receipts the shop issues itself.
func eachWorld(t *testing.T, f func(t *testing.T, w *world)) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, engine, 1)
			w.say("a script")
			f(t, w)
		})
	}
}

// paysInWindow is a payment of amt won that the gateway has approved and not told; receipt is what the buyer chose in
// its window.
func (w *world) paysInWindow(method app.Method, amt app.Won, receipt string) app.Payment {
	w.t.Helper()
	o, err := w.shop.CreateOrder(w.ctx(), w.owner, app.OrderInput{Goods: "맛동산 한 봉지", Amount: amt, BuyerName: "홍길동", BuyerTel: "010-9999-1111", BuyerEmail: "hong@example.com"})
	if err != nil {
		w.t.Fatal(err)
	}
	p, form, err := w.shop.Pay(w.ctx(), o.Token, app.PayInput{Method: method, Device: smartro.PC, UserIP: "192.0.2.7"})
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(form.Action)
	if err != nil {
		w.t.Fatal(err)
	}
	_, page := w.post(u.Path, "application/x-www-form-urlencoded", string(form.Encode()))
	w.post("/window", "application/x-www-form-urlencoded", url.Values{"session": {field(hidden(page), "session")}, "action": {"approve"}, "receipt": {receipt}}.Encode())
	return p
}

// paidBy is a payment in the window that the gateway has told.
func (w *world) paidBy(method app.Method, amt app.Won, receipt string) app.Payment {
	w.t.Helper()
	p := w.paysInWindow(method, amt, receipt)
	w.deliver()
	if method == smartro.Vbank {
		w.order("deposit", map[string]any{"tid": w.payment(p.Moid).TID, "amt": amt})
		w.deliver()
	}
	if p = w.payment(p.Moid); p.State != app.Paid {
		w.t.Fatalf("%s is %s", p.Moid, p.State)
	}
	return p
}

func (w *world) payment(moid app.Moid) app.Payment {
	w.t.Helper()
	p, err := w.shop.Store.Payment(w.ctx(), moid)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// receiptIn is the payment's newest receipt that is in the state.
func (w *world) receiptIn(moid app.Moid, st app.ReceiptState) app.CashReceipt {
	w.t.Helper()
	list := w.receipts()
	slices.Reverse(list)
	for _, c := range list {
		if c.Payment == moid && c.State == st {
			return c
		}
	}
	w.t.Fatalf("%s has no receipt that is %s: %+v", moid, st, list)
	return app.CashReceipt{}
}

func (w *world) standing(moid app.Moid) (sum app.Won) {
	for _, c := range w.receipts() {
		if c.Payment == moid && c.State == app.ReceiptStateIssued {
			sum += c.Amount
		}
	}
	return sum
}

func receiptFor(p app.Payment, key string) app.CashReceiptInput {
	return app.CashReceiptInput{Key: strings.Repeat(key, 26), Payment: p.Moid, Purpose: smartro.IncomeDeduction, Identity: "010-1234-5678"}
}

func (w *world) cancelSome(p app.Payment, key string, amt app.Won) {
	w.t.Helper()
	in := app.CancelInput{Key: strings.Repeat(key, 26), Amount: amt, Whole: amt == 0, Reason: "단순 변심", RefundBank: "088", RefundAcct: "110123456789", RefundName: "홍길동"}
	if _, err := w.shop.Cancel(w.ctx(), w.owner, p.Moid, in); err != nil {
		w.t.Fatal(err)
	}
	w.deliver()
}

// later lets the shop do what it owes within a minute.
func (w *world) later() {
	w.pass(time.Minute)
	w.work()
	w.deliver()
}

// TestCashReceiptFollowsThePayment: a receipt that our call issued is taken back by our call when its payment is
// cancelled, and issued again over what is left; the gateway's own goes with the payment, and no call is made for it.
//
// proves R35 I10
func TestCashReceiptFollowsThePayment(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ours := w.paidBy(smartro.Bank, 33_000, "0")
		c, err := w.shop.IssueCashReceipt(w.ctx(), w.owner, receiptFor(ours, "a"))
		if err != nil || c.State != app.ReceiptStateIssued || c.Number == "" || c.TID == "" || c.Amount != 33_000 || c.VAT != 3000 {
			t.Fatalf("issued: %+v, %v", c, err)
		}
		if again, err := w.shop.IssueCashReceipt(w.ctx(), w.owner, receiptFor(ours, "a")); err != nil || again.ID != c.ID {
			t.Errorf("the same form again: %+v, %v", again, err)
		}
		if _, err := w.shop.IssueCashReceipt(w.ctx(), w.owner, receiptFor(ours, "b")); !errors.Is(err, app.ErrReceiptThere) {
			t.Errorf("a second receipt: %v", err)
		}
		w.cancelSome(ours, "c", 11_000)
		if c := w.receiptIn(ours.Moid, app.ReceiptStateIssued); c.Amiss != app.ReceiptOrphan {
			t.Errorf("over more than is left, before the jobs: %+v", c)
		}
		w.later()
		w.later()
		next := w.receiptIn(ours.Moid, app.ReceiptStateIssued)
		if old := w.receiptIn(ours.Moid, app.ReceiptStateCancelled); old.ID != c.ID || old.CancelNumber == "" || next.Amount != 22_000 || next.VAT != 2000 || next.Identity != c.Identity || next.Amiss != "" {
			t.Errorf("over the rest: %+v after %+v", next, old)
		}
		w.cancelSome(ours, "d", 0)
		w.later()
		if sum := w.standing(ours.Moid); sum != 0 {
			t.Errorf("%d won stand over a cancelled payment", sum)
		}

		theirs := w.paidBy(smartro.Vbank, 55_000, "2")
		asked, backs := w.front.asked, w.front.calls
		if c := w.receiptIn(theirs.Moid, app.ReceiptStateIssued); c.Source != app.ReceiptByWindow || c.Amount != 55_000 || c.Purpose != smartro.ExpenseProof || c.Number == "" {
			t.Errorf("of the window: %+v", c)
		}
		if _, err := w.shop.CancelCashReceipt(w.ctx(), w.owner, w.receiptIn(theirs.Moid, app.ReceiptStateIssued).ID, "취소"); !errors.Is(err, app.ErrReceiptNotTaken) {
			t.Errorf("taken back by a call: %v", err)
		}
		w.cancelSome(theirs, "e", 5000)
		w.later()
		if sum := w.standing(theirs.Moid); sum != 50_000 {
			t.Errorf("after a part: %d won", sum)
		}
		w.cancelSome(theirs, "f", 0)
		w.later()
		if c := w.receiptIn(theirs.Moid, app.ReceiptStateCancelled); c.CancelNumber == "" {
			t.Errorf("withdrawn with the payment: %+v", c)
		}
		if w.front.asked != asked || w.front.calls != backs+2 {
			t.Errorf("%d calls for receipts, %d cancels", w.front.asked-asked, w.front.calls-backs)
		}
		w.checkReceipts()
		w.compareReceipts()
	})
}

// TestCashReceiptLostAnswer: an answer that is lost, garbled or never came makes the receipt unknown: it is never asked for
// again. The notice settles it; where none comes, a person does, by what the gateway's site shows.
//
// proves R35 I8
func TestCashReceiptLostAnswer(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		for i, fault := range []string{"receipt_never", "receipt_500", "receipt_garbage"} {
			p := w.paidBy(smartro.Bank, 33_000, "0")
			w.order("faults", map[string]any{"fault": fault, "scope": "next"})
			c, err := w.shop.IssueCashReceipt(w.ctx(), w.owner, receiptFor(p, string(rune('a'+i))))
			if err != nil || c.State != app.ReceiptStateUnknown {
				t.Fatalf("%s: %+v, %v", fault, c, err)
			}
			if _, err := w.shop.IssueCashReceipt(w.ctx(), w.owner, receiptFor(p, "z")); !errors.Is(err, app.ErrReceiptThere) {
				t.Errorf("%s: another one: %v", fault, err)
			}
			w.pass(time.Hour)
			w.work()
			work, err := w.shop.Worklist(w.ctx())
			if err != nil || len(work.Receipts) != 1 {
				t.Errorf("%s: on the list %+v, %v", fault, work.Receipts, err)
			}
			w.deliver()
			if c := w.receiptIn(p.Moid, app.ReceiptStateIssued); c.SettledBy != "notice" || c.Number == "" || c.Sends != 1 {
				t.Errorf("%s: %+v", fault, c)
			}
		}
		p := w.paidBy(smartro.Bank, 33_000, "0")
		w.front.lose = true
		c, err := w.shop.IssueCashReceipt(w.ctx(), w.owner, receiptFor(p, "y"))
		if err != nil || c.State != app.ReceiptStateUnknown {
			t.Fatalf("lost on the way: %+v, %v", c, err)
		}
		if _, err := w.shop.SettleCashReceipt(w.ctx(), w.owner, c.ID, app.ReceiptWord{Happened: true, Reason: "화면에서 봄"}); !errors.Is(err, app.ErrBadInput) {
			t.Errorf("issued without a number: %v", err)
		}
		if c, err = w.shop.SettleCashReceipt(w.ctx(), w.owner, c.ID, app.ReceiptWord{Reason: "화면에 없음"}); err != nil || c.State != app.ReceiptStateRefused {
			t.Errorf("a person says that it is not there: %+v, %v", c, err)
		}
		if c, err := w.shop.IssueCashReceipt(w.ctx(), w.owner, receiptFor(p, "x")); err != nil || c.State != app.ReceiptStateIssued {
			t.Errorf("a new one: %+v, %v", c, err)
		}
		w.checkReceipts()
	})
}

// TestCashReceiptNeeded: a payment of 100,000 won in cash without a receipt is on the list on the third day, by the days of
// Korea and the gateway's own time, and before the fifth the shop issues one itself, where the owner wants that.
//
// proves R35 I10 R27
func TestCashReceiptNeeded(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		own, err := w.shop.ReceiptRules(w.ctx())
		if err != nil || !own.Own {
			t.Fatalf("%+v, %v", own, err)
		}
		w.now = time.Date(2026, 11, 23, 14, 59, 0, 0, time.UTC) // 23:59 in Korea
		big, small := w.paidBy(smartro.Bank, 100_000, "0"), w.paidBy(smartro.Bank, 99_999, "0")
		card, asked := w.paidBy(smartro.Card, 250_000, "0"), w.paidBy(smartro.Vbank, 250_000, "1")
		listed := func() (list []app.Moid) {
			work, err := w.shop.Worklist(w.ctx())
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range work.Needs {
				list = append(list, n.Moid)
			}
			return list
		}
		day := func(d int, hour int) time.Time { return time.Date(2026, 11, 23+d, hour-9, 0, 0, 0, time.UTC) }
		for _, c := range []struct {
			at     time.Time
			listed bool
		}{{day(1, 12), false}, {day(3, 0).Add(-time.Second), false}, {day(3, 0), true}, {day(4, 9).Add(-time.Second), true}} {
			w.now = c.at
			w.work()
			if got := listed(); len(got) == 1 != c.listed || c.listed && got[0] != big.Moid {
				t.Errorf("at %s: %v", c.at.In(app.KST), got)
			}
		}
		w.now = day(4, 9)
		w.work()
		w.later()
		c := w.receiptIn(big.Moid, app.ReceiptStateIssued)
		if c.Purpose != smartro.SelfIssued || c.Identity.Masked() != "010-000-1234" || c.Amount != 100_000 || c.By != "" || !c.IssuedAt.Before(day(5, 0)) {
			t.Errorf("the shop's own: %+v", c)
		}
		if got := listed(); len(got) != 0 {
			t.Errorf("still on the list: %v", got)
		}
		for _, p := range []app.Payment{small, card} {
			if sum := w.standing(p.Moid); sum != 0 {
				t.Errorf("%s of %d: a receipt over %d", p.Method, p.Amount, sum)
			}
		}
		if sum := w.standing(asked.Moid); sum != 250_000 || w.front.asked != 1 {
			t.Errorf("the window's: %d won, %d calls", sum, w.front.asked)
		}
		if _, err := w.shop.IssueCashReceipt(w.ctx(), w.owner, receiptFor(card, "c")); !errors.Is(err, app.ErrReceiptNotCash) {
			t.Errorf("for a card: %v", err)
		}

		refused := w.paidBy(smartro.Bank, 110_000, "0")
		w.order("faults", map[string]any{"fault": "receipt_refused", "scope": "always"})
		w.pass(5 * 24 * time.Hour)
		for range 4 {
			w.later()
		}
		if got := listed(); w.front.asked != 2 || len(got) != 1 || got[0] != refused.Moid {
			t.Errorf("refused by the gateway: asked %d times, on the list %v", w.front.asked, got)
		}
		w.order("faults", map[string]any{"fault": "receipt_refused", "scope": "off"})
		if c, err := w.shop.IssueCashReceipt(w.ctx(), w.owner, receiptFor(refused, "r")); err != nil || c.State != app.ReceiptStateIssued {
			t.Errorf("by a person then: %+v, %v", c, err)
		}

		own.Own = false
		if err := w.shop.SetReceiptRules(w.ctx(), w.owner, own, true); err != nil {
			t.Fatal(err)
		}
		late := w.paidBy(smartro.Bank, 120_000, "0")
		w.pass(7 * 24 * time.Hour)
		w.work()
		w.later()
		if got := listed(); len(got) != 1 || w.standing(late.Moid) != 0 {
			t.Errorf("switched off: %v", got)
		}
		own.Own = true
		if err := w.shop.SetReceiptRules(w.ctx(), w.owner, own, true); err != nil {
			t.Fatal(err)
		}
		w.work()
		w.later()
		if w.standing(late.Moid) != 120_000 {
			t.Error("switched on: the payments of before are forgotten")
		}
		w.checkReceipts()
	})
}

// TestCashReceiptByHand: until somebody has the gateway's word for the call, receipts are issued at its site and written
// down; nothing is called, and what a person issued only a person takes back.
//
// proves R35
func TestCashReceiptByHand(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		if err := w.shop.SetReceiptRules(w.ctx(), w.owner, app.ReceiptRules{Rounding: smartro.VATDown, Own: true}, false); err != nil {
			t.Fatal(err)
		}
		p := w.paidBy(smartro.Bank, 120_000, "0")
		if _, err := w.shop.IssueCashReceipt(w.ctx(), w.owner, receiptFor(p, "a")); !errors.Is(err, app.ErrReceiptByHand) {
			t.Errorf("by an unconfirmed call: %v", err)
		}
		in := receiptFor(p, "b")
		in.Number, in.Date = "H1234 5", "2027-01-01"
		if _, err := w.shop.RecordCashReceipt(w.ctx(), w.owner, in); !errors.Is(err, app.ErrBadInput) || !strings.Contains(err.Error(), "number") || !strings.Contains(err.Error(), "date") {
			t.Errorf("a number with a blank, a day to come: %v", err)
		}
		in.Number, in.Date, in.Identity = "h12345", "2026-11-23", ""
		c, err := w.shop.RecordCashReceipt(w.ctx(), w.owner, in)
		if err != nil || c.State != app.ReceiptStateIssued || c.Number != "H12345" || c.Source != app.ReceiptByHand {
			t.Fatalf("%+v, %v", c, err)
		}
		w.cancelSome(p, "c", 0)
		w.later()
		work, err := w.shop.Worklist(w.ctx())
		if err != nil || len(work.Receipts) != 1 || work.Receipts[0].Amiss != app.ReceiptOrphan {
			t.Errorf("alive over a cancelled payment: %+v, %v", work.Receipts, err)
		}
		if _, err := w.shop.CancelCashReceipt(w.ctx(), w.owner, c.ID, "취소"); !errors.Is(err, app.ErrReceiptNotTaken) {
			t.Errorf("by a call: %v", err)
		}
		back := app.ReceiptWord{Number: "C1", Date: "2026-11-23", Reason: "결제 취소"}
		if c, err = w.shop.RecordReceiptCancel(w.ctx(), w.owner, c.ID, back); err != nil || c.State != app.ReceiptStateCancelled || c.CancelNumber != "C1" {
			t.Errorf("taken back by hand: %+v, %v", c, err)
		}
		if w.front.asked != 0 {
			t.Errorf("%d calls", w.front.asked)
		}
		for _, who := range []app.Staff{{}, {ID: "v", Role: app.RoleViewer}} {
			_, err1 := w.shop.RecordCashReceipt(w.ctx(), who, in)
			_, err2 := w.shop.CancelCashReceipt(w.ctx(), who, c.ID, "취소")
			_, err3 := w.shop.SettleCashReceipt(w.ctx(), who, c.ID, back)
			_, err4 := w.shop.IssueCashReceipt(w.ctx(), who, in)
			for _, err := range []error{err1, err2, err3, err4} {
				if !errors.Is(err, app.ErrForbidden) {
					t.Errorf("%q may: %v", who.Role, err)
				}
			}
		}
	})
}

// TestCashReceiptToldTwice: the gateway's own notice of the window's receipt writes no second one; a stranger's word about
// a receipt changes nothing; where the window's comes to be known beside ours, ours is taken back.
//
// proves R35 R43 I10
func TestCashReceiptToldTwice(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		p := w.paidBy(smartro.Bank, 33_000, "0")
		c, err := w.shop.IssueCashReceipt(w.ctx(), w.owner, receiptFor(p, "a"))
		if err != nil {
			t.Fatal(err)
		}
		n := notice(p, p.TID, "7001", 33_000, smartro.Field{Name: "ReceiptType", Value: "2"}, smartro.Field{Name: "RcptAppNo", Value: "W777"})
		body := smartro.EncodeForm(n, smartro.EUCKR)
		w.arrive(app.Arrival{Channel: app.ChannelReturn, Peer: strangerAddr, Headers: browserHeaders, Body: smartro.EncodeForm(n, smartro.UTF8)})
		w.arrive(app.Arrival{Channel: app.ChannelNotify, Secret: w.secret, Peer: strangerAddr, Body: body})
		back := notice(p, c.TID, "2001", 33_000, smartro.Field{Name: "OTID", Value: string(c.TID)})
		w.arrive(app.Arrival{Channel: app.ChannelReturn, Peer: strangerAddr, Headers: browserHeaders, Body: smartro.EncodeForm(back, smartro.UTF8)})
		if got := w.receiptIn(p.Moid, app.ReceiptStateIssued); len(w.receipts()) != 1 || got.ID != c.ID || got.Amiss != "" {
			t.Errorf("after a stranger's words: %+v", w.receipts())
		}
		for range 3 {
			w.arrive(w.trusted(body))
			body = append(body, "&x=1"...)
		}
		for _, got := range w.receipts() {
			if mine := got.ID == c.ID; mine != (got.Amiss == app.ReceiptSecond) || mine == (got.Number == "W777") || len(w.receipts()) != 2 {
				t.Errorf("beside ours: %+v", got)
			}
		}
		w.later()
		w.later()
		if got := w.receiptIn(p.Moid, app.ReceiptStateCancelled); got.ID != c.ID || w.standing(p.Moid) != 33_000 {
			t.Errorf("ours beside the window's: %+v", w.receipts())
		}
	})
}

// TestCashReceiptOfAnImport: money that the shop knows of only from the gateway's list, because its notice was lost for
// good, has the receipt that the buyer asked for in the window, and gets none beside it.
func TestCashReceiptOfAnImport(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.order("faults", map[string]any{"fault": "notify_lost", "scope": "always"})
		with, without := w.paysInWindow(smartro.Bank, 33_000, "1"), w.paysInWindow(smartro.Bank, 44_000, "0")
		w.deliver()
		w.broughtList("")
		for _, moid := range []app.Moid{with.Moid, without.Moid} {
			if p := w.payment(moid); p.State != app.Paid || p.Proof != app.ProofStaff {
				t.Fatalf("after the list: %+v", p)
			}
		}
		if w.standing(with.Moid) != 0 {
			t.Fatal("the list tells of receipts, so this test shows nothing")
		}
		w.later()
		if c := w.receiptIn(with.Moid, app.ReceiptStateIssued); c.Source != app.ReceiptByWindow || c.Amount != 33_000 || len(w.receipts()) != 1 {
			t.Errorf("after the gateway was asked: %+v", w.receipts())
		}
		if _, err := w.shop.IssueCashReceipt(w.ctx(), w.owner, receiptFor(with, "a")); !errors.Is(err, app.ErrReceiptThere) {
			t.Errorf("a second receipt over the same money: %v", err)
		}
	})
}

// TestCashReceiptOfAnAccept: so has a deposit that a person accepted by what the gateway's own site shows.
func TestCashReceiptOfAnAccept(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		p := w.paysInWindow(smartro.Vbank, 33_000, "1")
		w.deliver()
		w.order("faults", map[string]any{"fault": "notify_lost", "scope": "always"})
		w.order("deposit", map[string]any{"tid": w.payment(p.Moid).TID, "amt": 33_000})
		w.deliver()
		if err := w.shop.AcceptPayment(w.ctx(), w.owner, p.Moid, "결제사 화면에서 확인"); err != nil {
			t.Fatal(err)
		}
		w.later()
		if c := w.receiptIn(p.Moid, app.ReceiptStateIssued); c.Source != app.ReceiptByWindow || c.Amount != 33_000 || len(w.receipts()) != 1 {
			t.Errorf("after the gateway was asked: %+v", w.receipts())
		}
	})
}

// TestRaceCashReceipts: everybody issues for one payment at once, by the same form and by others, from several programs:
// one receipt, one call.
//
// proves R35 I8
func TestRaceCashReceipts(t *testing.T) {
	callers := dbtest.Scale(t, "GAGE_RACE_CALLERS", 24)
	rounds := dbtest.Scale(t, "GAGE_RACE_ROUNDS", 3)
	dbtest.EachCrowd(t, func(t *testing.T, stores []*db.Store) {
		counter := &receiptCounter{calls: map[app.Moid]int{}}
		crowd := newCrowd(t, stores, nil)
		for _, r := range crowd {
			r.Gateway = func(m smartro.Merchant) app.Gateway { return receiptDesk{smartro.WEBLink{Merchant: m}, counter} }
		}
		r := crowd[0]
		if err := r.SetReceiptRules(t.Context(), r.owner, app.ReceiptRules{Rounding: smartro.VATDown}, true); err != nil {
			t.Fatal(err)
		}
		for round := range rounds {
			p, tid := r.open(33_000, smartro.Bank), r.tid(smartro.Bank)
			r.notify(notice(p, tid, "4000", 33_000))
			counter.reset()
			var all sync.WaitGroup
			for i := range callers {
				all.Go(func() {
					in := receiptFor(p, string(rune('A'+round%20)))
					in.Key = in.Key[:20] + string(rune('a'+i%5))
					c, err := crowd[i%len(crowd)].IssueCashReceipt(t.Context(), r.owner, in)
					if err != nil && !errors.Is(err, app.ErrReceiptThere) && !errors.Is(err, app.ErrOverload) {
						t.Errorf("%+v, %v", c, err)
					}
				})
				all.Go(func() {
					if _, err := crowd[i%len(crowd)].WorkOnce(t.Context()); err != nil && !errors.Is(err, app.ErrOverload) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			list, err := r.Store.CashReceiptsOf(t.Context(), p.OrderNo)
			if err != nil || len(list) != 1 || list[0].State != app.ReceiptStateIssued || counter.total() != 1 {
				t.Errorf("round %d: %d calls, %+v, %v", round, counter.total(), list, err)
			}
		}
	})
}

// receiptCounter counts the calls for receipts.
type receiptCounter struct {
	mu     sync.Mutex
	calls  map[app.Moid]int
	serial int
}

func (c *receiptCounter) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.calls)
}

func (c *receiptCounter) total() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.calls {
		n += k
	}
	return n
}

// receiptDesk issues what it is asked for.
type receiptDesk struct {
	smartro.WEBLink
	*receiptCounter
}

func (d receiptDesk) IssueCashReceipt(_ context.Context, q smartro.CashReceiptRequest) (smartro.CashReceiptAnswer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls[q.Moid]++
	d.serial++
	tid := app.TID(fmt.Sprintf("%s0401261123140000%04d", smartro.DemoMID, d.serial))
	return smartro.CashReceiptAnswer{
		TID: tid, Moid: q.Moid, Amt: q.Amt, AuthDate: "261123140001", AuthCode: "Z1", ResultCode: "7001", Outcome: smartro.CashReceiptIssued, Raw: []byte(tid),
	}, nil
}
