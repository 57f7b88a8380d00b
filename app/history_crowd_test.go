package app_test

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"

	"gage/app"
	"gage/smartro"
)

// regularly is one in how many of the buyers who take the ordinary way meets something that is not: the ordinary must
// hold beside it.
const regularly = 12

// buyer is one who takes the ordinary way, as far as he has come.
type buyer struct {
	order   app.Order
	amount  app.Won
	goods   string
	odd     bool // from now on anything may happen to his order
	payment app.Payment
	form    smartro.Form
	result  *app.Arrival // that his browser carries just now
	paid    bool
}

// crowd lets n buyers pay in the ordinary way, all at the same time: an order, a window or two, an approval, a return
// and the gateway's notice, here and there a cancel. What happens to them is little and known, so that there can be many.
func (w *world) crowd(r *rand.Rand, n int) {
	if n == 0 {
		return
	}
	w.say("   %d buyers", n)
	w.enterKey(true) // under another key than the gateway's no window opens
	all := make([]*buyer, n)
	for i := range all {
		goods, _ := pick(r, []string{"맛동산 한 봉지", "찻잔", "Espresso 200g", "손뜨개 목도리 (회색)"})
		all[i] = &buyer{goods: goods, amount: app.Won(1 + r.Int64N(200_000)), odd: r.IntN(regularly) == 0}
	}
	w.together(all, func(b *buyer) (err error) {
		b.order, err = w.shop.CreateOrder(w.ctx(), w.owner, app.OrderInput{
			Goods: b.goods, Amount: b.amount, BuyerName: "홍길동", BuyerTel: "010-9999-1111", BuyerEmail: "hong@example.com",
		})
		return err
	})
	for _, b := range all {
		if b.odd {
			w.orders = append(w.orders, b.order)
		} else {
			w.regulars = append(w.regulars, b.order)
		}
	}
	rest := all
	for range 2 { // who was refused tries again, once
		w.attempt(r, rest)
		var again []*buyer
		for _, b := range rest {
			if !b.paid {
				again = append(again, b)
			}
		}
		rest = again
	}
	for _, b := range all {
		if b.paid && r.IntN(20) == 0 {
			w.changesMind(r, b.payment)
		}
	}
}

// together has all buyers do something at the same time.
func (w *world) together(all []*buyer, f func(*buyer) error) {
	var every sync.WaitGroup
	for _, b := range all {
		every.Go(func() {
			if err := f(b); err != nil {
				w.t.Error(err)
			}
		})
	}
	every.Wait()
}

// attempt opens a window for each buyer and takes it to its end.
func (w *world) attempt(r *rand.Rand, all []*buyer) {
	for _, b := range all {
		b.payment.Method, _ = pick(r, []app.Method{smartro.Card, smartro.Card, smartro.Card, smartro.Card, smartro.Vbank, smartro.Bank, smartro.Kakao})
		b.payment.Device, _ = pick(r, []app.Device{smartro.PC, smartro.Mobile})
	}
	w.together(all, func(b *buyer) (err error) {
		b.payment, b.form, err = w.shop.Pay(w.ctx(), b.order.Token, app.PayInput{Method: b.payment.Method, Device: b.payment.Device, UserIP: "192.0.2.7"})
		return err
	})
	if w.t.Failed() {
		return
	}
	var back []*buyer
	for _, b := range all {
		w.opened[b.payment.Moid] = b.payment
		if b.odd {
			w.moids = append(w.moids, b.payment.Moid)
			w.noticeFault(r)
		}
		if w.window(r, b); b.result != nil {
			back = append(back, b)
		}
	}
	if r.IntN(2) == 0 {
		w.deliver()
	}
	w.together(back, func(b *buyer) error {
		_, err := w.receive(*b.result)
		return err
	})
	w.deliver()
}

// window is what a buyer does at the gateway. Some browsers never come back, and some later.
func (w *world) window(r *rand.Rand, b *buyer) {
	u, err := url.Parse(b.form.Action)
	if err != nil {
		w.t.Fatal(err)
	}
	status, page := w.post(u.Path, "application/x-www-form-urlencoded", string(b.form.Encode()))
	if status != http.StatusOK {
		w.t.Fatalf("window: %d %s", status, page)
	}
	action := "approve"
	if r.IntN(10) == 0 {
		action, _ = pick(r, []string{"decline", "close"})
	}
	_, page = w.post("/window", "application/x-www-form-urlencoded", url.Values{"session": {field(hidden(page), "session")}, "action": {action}}.Encode())
	b.result, b.paid = nil, action == "approve"
	m := resultForm.FindStringSubmatch(page)
	if m == nil { // by a fault that somebody ordered
		return
	}
	fields := hidden(page)
	a := w.arrivalOf(fields, m[1], m[2])
	w.results = append(w.results, a)
	switch r.IntN(8) {
	case 0, 1, 2: // the buyer closed the browser
	case 3:
		w.coming = append(w.coming, a)
	default:
		b.result = &a
	}
	if b.paid && b.payment.Method == smartro.Vbank && r.IntN(6) > 0 {
		w.order("deposit", map[string]any{"tid": field(fields, "TID"), "amt": b.payment.Amount})
	}
}

// changesMind is a cancel by the way.
func (w *world) changesMind(r *rand.Rand, p app.Payment) {
	in := w.cancelInput(r, p)
	if in.Whole = r.IntN(2) == 0; !in.Whole {
		in.Amount = 1 + p.Amount/3
	}
	c, err := w.shop.Cancel(w.ctx(), w.owner, p.Moid, in)
	w.note("%d of %s: %s %v", in.Amount, p.Moid, c.State, err)
	if err != nil && !refused(err) {
		w.t.Error(err)
	}
}
