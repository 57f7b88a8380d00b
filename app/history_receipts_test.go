package app_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"gage/app"
	"gage/smartro"
)

// bookReceipt is a cash receipt of a call in the gateway's record.
type bookReceipt struct {
	TID       app.TID  `json:"tid"`
	Moid      app.Moid `json:"moid"`
	Amt       app.Won  `json:"amt"`
	Number    string   `json:"number"`
	Cancelled *struct {
		Amt app.Won `json:"amt"`
	} `json:"cancelled"`
}

// receipts are those of the shop, oldest first; stand-alone ones, too.
func (w *world) receipts() []app.CashReceipt {
	w.t.Helper()
	var list []app.CashReceipt
	q := app.CashReceiptQuery{Limit: 7}
	for { // by pages, as the list does
		page, err := w.shop.Store.CashReceipts(w.ctx(), q)
		if err != nil {
			w.t.Fatal(err)
		}
		list = append(list, page...)
		if len(page) < q.Limit {
			slices.Reverse(list)
			return list
		}
		last := page[len(page)-1]
		q.After = app.Cursor{At: last.CreatedAt, ID: last.ID}
	}
}

// cashPaid is a payment that a cash receipt can be issued for, or that looks like one.
func (w *world) cashPaid(r *rand.Rand) (app.Payment, bool) {
	return pick(r, slices.DeleteFunc(w.payments(app.Paid, app.PartlyCancelled, app.Cancelled, app.Held), func(p app.Payment) bool { return !app.CashLike(p.Method) }))
}

func (w *world) receiptInput(r *rand.Rand) app.CashReceiptInput {
	w.serial++
	in := app.CashReceiptInput{Key: fmt.Sprintf("keyOfAReceiptForm%05d", w.serial), Purpose: smartro.IncomeDeduction, Identity: "010-9999-1111"}
	switch r.IntN(4) {
	case 0:
		in.Purpose, in.Identity = smartro.ExpenseProof, "123-45-67891"
	case 1:
		in.Purpose, in.Identity = smartro.SelfIssued, ""
	}
	if p, ok := w.cashPaid(r); ok && r.IntN(8) > 0 {
		in.Payment = p.Moid
		return in
	}
	in.Amount, _ = pick(r, []app.Won{1, 1100, 55_000, 230_000})
	in.TaxFree, in.Goods = in.Amount/3, "맛동산 현금 판매"
	return in
}

// receiptRefused says whether a receipt was refused before anything was sent, as it may be.
func receiptRefused(err error) bool {
	return errors.Is(err, app.ErrReceiptThere) || errors.Is(err, app.ErrReceiptNotCash) || errors.Is(err, app.ErrNotPaid) ||
		errors.Is(err, app.ErrConflict) || errors.Is(err, app.ErrReceiptNotTaken)
}

// issueReceipt is a person who issues a receipt, whose call or answer may get lost.
func (w *world) issueReceipt(r *rand.Rand) {
	in := w.receiptInput(r)
	w.noticeFault(r)
	switch how := r.IntN(6); how {
	case 0:
		w.front.lose = true
		w.note("the call gets lost")
	case 1, 2:
		w.fault(r, "receipt_never", "receipt_500", "receipt_garbage", "receipt_refused")
	}
	c, err := w.shop.IssueCashReceipt(w.ctx(), w.owner, in)
	w.front.lose = false
	w.note("of %q: %d %s %s %v", in.Payment, c.Amount, c.State, c.ResultCode, err)
	if err != nil && !receiptRefused(err) {
		w.t.Error(err)
	}
}

// receiptsAtOnce are several people who issue for one payment, two of them by the same form.
func (w *world) receiptsAtOnce(r *rand.Rand) {
	p, ok := w.cashPaid(r)
	if !ok {
		return
	}
	list := []app.CashReceiptInput{w.receiptInput(r), w.receiptInput(r), w.receiptInput(r)}
	for i := range list {
		list[i].Payment = p.Moid
	}
	list = append(list, list[0])
	var all sync.WaitGroup
	for _, in := range list {
		all.Go(func() {
			if _, err := w.shop.IssueCashReceipt(w.ctx(), w.owner, in); err != nil && !receiptRefused(err) {
				w.t.Error(err)
			}
		})
	}
	all.Wait()
}

func (w *world) takeReceiptBack(r *rand.Rand) {
	c, ok := pick(r, w.receipts())
	if !ok {
		return
	}
	w.noticeFault(r)
	switch how := r.IntN(5); how {
	case 0:
		w.front.lose = true
	case 1, 2:
		w.fault(r, "cancel_never", "cancel_500", "cancel_garbage")
	}
	var err error
	if c.State == app.ReceiptStateCancelUnknown && r.IntN(2) == 0 {
		c, err = w.shop.ResendReceiptCancel(w.ctx(), w.owner, c.ID)
	} else {
		c, err = w.shop.CancelCashReceipt(w.ctx(), w.owner, c.ID, "잘못 발급")
	}
	w.front.lose = false
	w.note("of %q: %s %s %v", c.Payment, c.State, c.ResultCode, err)
	if err != nil && !receiptRefused(err) {
		w.t.Error(err)
	}
}

// receiptByHand is a person at the gateway's own site: he issues one there, or takes one back that was issued there.
func (w *world) receiptByHand(r *rand.Rand) {
	for _, c := range w.receipts() {
		if c.Source != app.ReceiptByHand || c.State != app.ReceiptStateIssued || c.Amiss == "" {
			continue
		}
		c, err := w.shop.RecordReceiptCancel(w.ctx(), w.owner, c.ID, app.ReceiptWord{Reason: "결제 취소", Date: w.shopClock().In(app.KST).Format(time.DateOnly)})
		w.note("taken back by hand, of %s: %s %v", c.Payment, c.State, err)
		if err != nil {
			w.t.Error(err)
		}
		return
	}
	in := w.receiptInput(r)
	in.Number, in.Date = fmt.Sprintf("H%08d", w.serial), w.shopClock().In(app.KST).Format(time.DateOnly)
	c, err := w.shop.RecordCashReceipt(w.ctx(), w.owner, in)
	w.note("of %q: %s %v", in.Payment, c.State, err)
	if err != nil && !receiptRefused(err) {
		w.t.Error(err)
	}
}

// checkReceipts: each receipt was asked for once at most, a payment has one live at most, and what the shop takes for
// issued the gateway has issued, once, over that amount.
func (w *world) checkReceipts() {
	theirs := map[app.TID]bookReceipt{}
	issued := map[app.Moid]int{}
	for _, b := range w.bookOf(nil).Receipts {
		theirs[b.TID] = b
		issued[b.Moid]++
	}
	live, asked := map[app.Moid]int{}, int64(0)
	for _, c := range w.receipts() {
		asked += int64(c.Sends)
		if c.Sends > 1 || issued[c.Moid] > 1 {
			w.t.Errorf("issued twice: %+v", c)
		}
		if c.Payment != "" && c.State.Live() && !c.Second {
			live[c.Payment]++
		}
		if c.Supply+c.VAT+c.Service != c.Amount || c.VAT < 0 || c.TaxFree > c.Supply {
			w.t.Errorf("the sum is wrong: %+v", c)
		}
		b, known := theirs[c.TID]
		switch {
		case c.Source != app.ReceiptByCall || c.TID == "":
		case !known || b.Amt != c.Amount || b.Number != c.Number && c.Number != "" || b.Moid != c.Moid:
			w.t.Errorf("receipt %+v; the gateway: %+v", c, b)
		case c.State == app.ReceiptStateCancelled && b.Cancelled == nil:
			w.t.Errorf("it stands at the gateway: %+v", c)
		case c.State == app.ReceiptStateIssued && b.Cancelled != nil:
			w.t.Errorf("it is taken back at the gateway: %+v", c)
		}
	}
	for moid, n := range live {
		if n > 1 {
			w.t.Errorf("%s has %d live receipts", moid, n)
		}
	}
	if asked != w.front.asked {
		w.t.Errorf("%d receipts were recorded as sent, the gateway was called %d times", asked, w.front.asked)
	}
}

// settleReceiptsByHand is a person who looks at the gateway's record for what nobody told, and takes back by hand what was
// issued by hand.
func (w *world) settleReceiptsByHand() {
	byMoid := map[app.Moid]bookReceipt{}
	for _, b := range w.bookOf(nil).Receipts {
		byMoid[b.Moid] = b
	}
	today := w.shopClock().In(app.KST).Format(time.DateOnly)
	for _, c := range w.receipts() {
		b, happened := byMoid[c.Moid]
		word := app.ReceiptWord{Reason: "결제사 화면에서 확인", Date: today}
		var err error
		switch {
		case c.State == app.ReceiptStateUnknown:
			word.Happened, word.Number, word.TID = happened, b.Number, string(b.TID)
			_, err = w.shop.SettleCashReceipt(w.ctx(), w.owner, c.ID, word)
		case c.State == app.ReceiptStateCancelUnknown:
			word.Happened = b.Cancelled != nil
			_, err = w.shop.SettleCashReceipt(w.ctx(), w.owner, c.ID, word)
		case c.State == app.ReceiptStateIssued && c.Amiss != "" && c.Source == app.ReceiptByHand:
			_, err = w.shop.RecordReceiptCancel(w.ctx(), w.owner, c.ID, word)
		case c.State == app.ReceiptStateIssued && c.Amiss != "" && c.CancelSends > 0: // the program tried, and was refused
			_, err = w.shop.CancelCashReceipt(w.ctx(), w.owner, c.ID, "취소된 결제")
		default:
			continue
		}
		w.note("a person settled the receipt %s of %q, it was %s: %v", c.Moid, c.Payment, c.State, err)
		if err != nil {
			w.t.Error(err)
		}
	}
}

// compareReceipts: when the faults are over, what stands at the gateway is what the shop says stands, and over each
// cash payment it is what is left of it (I10); a payment that needs one has one, or is on the list.
func (w *world) compareReceipts() {
	w.t.Helper()
	stands := map[app.Moid]app.Won{} // by payment, at the gateway or issued by hand
	theirs, refused := map[app.Moid]bool{}, map[app.Moid]bool{}
	byMoid, book := map[app.Moid]bookReceipt{}, w.bookOf(nil)
	for _, b := range book.Receipts {
		byMoid[b.Moid] = b
	}
	for _, c := range w.receipts() {
		if c.State.Open() {
			w.t.Errorf("the receipt is still %s: %+v", c.State, c)
		}
		b, known := byMoid[c.Moid]
		if c.Source == app.ReceiptByCall && (known && b.Cancelled == nil) != (c.State == app.ReceiptStateIssued) {
			w.t.Errorf("the books differ: receipt %+v; the gateway: %+v", c, b)
		}
		refused[c.Payment] = refused[c.Payment] || c.State == app.ReceiptStateRefused
		if c.State == app.ReceiptStateIssued {
			stands[c.Payment] += c.Amount
			theirs[c.Payment] = theirs[c.Payment] || c.Source == app.ReceiptByWindow
		}
	}
	needs := map[app.Moid]bool{}
	list, err := w.shop.Store.ReceiptNeeds(w.ctx(), time.Time{}, app.Cursor{}, 10_000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, n := range list {
		needs[n.Moid] = true
	}
	rules, err := w.shop.ReceiptRules(w.ctx())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, b := range book.Payments {
		p, err := w.shop.Store.PaymentByTID(w.ctx(), smartro.Test, b.TID)
		if err != nil || !app.CashLike(p.Method) || p.Approved == 0 {
			continue
		}
		if b.Receipt != "" && !theirs[p.Moid] && p.CashNet() > 0 {
			w.t.Errorf("the window's receipt is not known: %+v; the gateway: %+v", p, b)
		}
		net, sum := p.CashNet(), stands[p.Moid]
		paid := p.State == app.Paid || p.State == app.PartlyCancelled
		switch {
		case sum != 0 && sum != net:
			w.t.Errorf("receipts over %d won stand, %d are left of %+v", sum, net, p)
		case sum == 0 && paid && net >= app.ReceiptNeededFrom && !needs[p.Moid]:
			w.t.Errorf("a payment that needs a receipt is not on the list: %+v", p)
		case sum == 0 && paid && net >= app.ReceiptNeededFrom && rules.Own && !refused[p.Moid] && w.clock().Sub(p.ApprovedAt) < 30*24*time.Hour:
			w.t.Errorf("the shop should have issued a receipt of its own: %+v", p)
		case sum > 0 && needs[p.Moid]:
			w.t.Errorf("a payment with a receipt is on the list of those without: %+v", p)
		}
	}
}
