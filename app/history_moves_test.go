package app_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"gage/app"
	"gage/smartro"
)

// move is something that may happen next; weight says how often.
type move struct {
	weight int
	name   string
	do     func(r *rand.Rand)
}

// cash says that the buyers of this history pay in cash, and ask for receipts.
func (w *world) cash() bool { return w.seed%3 == 2 }

func (w *world) moves() []move {
	cancels, receipts := 16, 8
	if w.cash() {
		cancels, receipts = 6, 24
	}
	return []move{
		{6, "an order", w.newOrder},
		{14, "a window opens", w.openWindow},
		{24, "a buyer decides", w.decide},
		{18, "the gateway tells", func(*rand.Rand) { w.deliver() }},
		{8, "a browser comes back", w.comeBack},
		{8, "time passes", w.wait},
		{8, "the shop does its jobs", func(*rand.Rand) { w.work() }},
		{cancels, "a cancel", w.cancel},
		{4, "cancels at once", w.cancelsAtOnce},
		{3, "a late answer", func(*rand.Rand) { w.answer() }},
		{3, "a cancel sent again", w.resend},
		{3, "a person asks the gateway", w.ask},
		{3, "a person accepts", w.accept},
		{1, "an order is withdrawn", w.closeOrder},
		{2, "the gateway's list is brought", w.bring},
		{10, "a deposit", w.deposit},
		{12, "a forged message", w.forge},
		{10, "a repeated notice", w.repeat},
		{5, "everything at once", w.rush},
		{4, "a cancel at the merchant site", w.cancelAtSite},
		{4, "a restart", w.restart},
		{3, "the shop's own system changes", w.changeSystem},
		{receipts, "a cash receipt", w.issueReceipt},
		{4, "a cash receipt taken back", w.takeReceiptBack},
		{2, "cash receipts at once", w.receiptsAtOnce},
		{2, "a cash receipt by hand", w.receiptByHand},
		{3, "a notice from a new address", w.fromNewAddress},
		{1, "the owner vouches for the new address", func(*rand.Rand) { w.vouch() }},
		{2, "the gateway's key changes", w.changeKey},
		{5, "the owner enters the key", func(r *rand.Rand) { w.enterKey(r.IntN(2) == 0) }},
		{2, "what was signed by nobody is judged again", func(*rand.Rand) { w.judgeAgain() }},
		{1, "a replaced key is stopped", w.stopKey},
		{4, "a replaced key signs", w.staleKey},
	}
}

func pick[T any](r *rand.Rand, list []T) (v T, ok bool) {
	if len(list) == 0 {
		return v, false
	}
	return list[r.IntN(len(list))], true
}

// payments are those of the shop that are in one of the states, oldest first.
func (w *world) payments(in ...app.State) []app.Payment {
	var list []app.Payment
	for _, moid := range w.moids {
		p, err := w.shop.Store.Payment(w.ctx(), moid)
		if err != nil {
			w.t.Fatal(err)
		}
		if slices.Contains(in, p.State) {
			list = append(list, p)
		}
	}
	return list
}

// goods are in Hangul, as nearly all are, or in ASCII, of which the shop can tell whether a form was changed.
func (w *world) goods() string {
	if len(w.orders)%3 == 2 {
		return "A toy for the dog"
	}
	return "맛동산 한 봉지"
}

func (w *world) newOrder(r *rand.Rand) {
	amt, _ := pick(r, []app.Won{1, 1000, 11000, 11000, 33000, 99000, 120_000})
	if w.cash() {
		amt, _ = pick(r, []app.Won{1100, 33_000, 120_000, 120_000, 250_000})
	}
	o, err := w.shop.CreateOrder(w.ctx(), w.owner, app.OrderInput{
		Goods: w.goods(), Amount: amt, BuyerName: "홍길동", BuyerTel: "010-9999-1111", BuyerEmail: "hong@example.com",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.orders = append(w.orders, o)
	w.note("%s of %d won", o.No, amt)
}

// openWindow opens a window or two with the form that the shop signed. What the form's hash does not cover a buyer
// may have changed on the way.
func (w *world) openWindow(r *rand.Rand) {
	if len(w.orders) == 0 {
		w.newOrder(r)
	}
	o, _ := pick(r, w.orders)
	methods := []app.Method{smartro.Card, smartro.Card, smartro.Card, smartro.Vbank, smartro.Vbank, smartro.Bank, smartro.Cellphone, smartro.Kakao}
	if w.cash() {
		methods = []app.Method{smartro.Bank, smartro.Bank, smartro.Vbank}
	}
	method, _ := pick(r, methods)
	device, _ := pick(r, []app.Device{smartro.PC, smartro.Mobile})
	p, form, err := w.shop.Pay(w.ctx(), o.Token, app.PayInput{Method: method, Device: device, UserIP: "192.0.2.7"})
	if errors.Is(err, app.ErrPaid) || errors.Is(err, app.ErrClosed) {
		w.note("%v", err)
		return
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.opened[p.Moid], w.moids = p, append(w.moids, p.Moid)
	w.note("%s %s %s %d won", p.Moid, device, method, p.Amount)
	times := 1
	switch r.IntN(10) {
	case 0:
		times = 2
	case 1:
		other, _ := pick(r, w.moids)
		form.Fields = with(form.Fields, "Moid", string(other))
		w.note("the buyer wrote %s into it", other)
	case 2:
		form.Fields = with(form.Fields, "Moid", "NOBODY01")
		w.note("the buyer wrote an order into it that nobody knows")
	case 3:
		form.Fields = with(form.Fields, "GoodsName", "A toy for the cat")
		w.note("the buyer wrote other goods into it")
	case 4:
		form.Fields = with(form.Fields, "mallUserID", "NOBODY01")
		w.note("the buyer wrote another customer into it")
	}
	for range times {
		u, err := url.Parse(form.Action)
		if err != nil {
			w.t.Fatal(err)
		}
		status, page := w.post(u.Path, "application/x-www-form-urlencoded", string(form.Encode()))
		if status != http.StatusOK && w.theirKey != w.keys[0].key {
			w.note("the window does not open: the gateway has another key")
			return
		}
		if status != http.StatusOK {
			w.t.Fatalf("window: %d %s", status, page)
		}
		w.windows = append(w.windows, window{session: field(hidden(page), "session"), method: method})
	}
}

// fault orders something to go wrong with what happens next at the gateway.
func (w *world) fault(r *rand.Rand, names ...string) {
	name, _ := pick(r, names)
	delay := time.Duration(1+r.IntN(20)) * time.Minute
	if status := w.order("faults", map[string]any{"fault": name, "scope": "next", "delay_ms": delay.Milliseconds()}); status != http.StatusOK {
		w.t.Fatalf("fault %s: %d", name, status)
	}
	w.note("%s", name)
}

func (w *world) noticeFault(r *rand.Rand) {
	if r.IntN(3) == 0 {
		w.fault(r, "notify_lost", "notify_late", "notify_doubled", "notify_out_of_order", "notify_before_return")
	}
}

func (w *world) decide(r *rand.Rand) {
	if len(w.windows) == 0 {
		w.openWindow(r)
	}
	if len(w.windows) == 0 {
		return
	}
	i := r.IntN(len(w.windows))
	win := w.windows[i]
	if r.IntN(8) > 0 { // else its button is pressed again later
		w.windows = slices.Delete(w.windows, i, i+1)
	}
	w.noticeFault(r)
	if r.IntN(3) == 0 {
		w.fault(r, "return_lost", "bad_signature", "forged_amount", "forged_order", "wrong_charset")
	}
	action, _ := pick(r, []string{"approve", "approve", "approve", "approve", "approve", "approve", "decline", "close"})
	_, page := w.post("/window", "application/x-www-form-urlencoded", url.Values{"session": {win.session}, "action": {action}, "receipt": {[]string{"0", "0", "1", "2"}[r.IntN(4)]}}.Encode())
	m := resultForm.FindStringSubmatch(page)
	if m == nil {
		w.note("%s, and the browser never returns", action)
		return
	}
	a := w.arrivalOf(hidden(page), m[1], m[2])
	w.results = append(w.results, a)
	w.note("%s %s", action, field(hidden(page), "OID"))
	if r.IntN(2) == 0 {
		w.coming = append(w.coming, a)
		return
	}
	w.arrive(a)
}

// arrivalOf is what the browser posts for a page of the gateway.
func (w *world) arrivalOf(fields []smartro.Field, action, label string) app.Arrival {
	w.t.Helper()
	u, err := url.Parse(strings.ReplaceAll(action, "&amp;", "&"))
	if err != nil {
		w.t.Fatal(err)
	}
	cs := smartro.UTF8
	if label == smartro.EUCKR.Label() {
		cs = smartro.EUCKR
	}
	a := app.Arrival{Channel: app.ChannelReturn, Peer: strangerAddr, Headers: browserHeaders, Body: smartro.EncodeForm(fields, cs), Token: u.Query().Get("t")}
	if strings.HasSuffix(u.Path, "/stop") {
		a.Channel = app.ChannelStop
	}
	return a
}

func (w *world) arrive(a app.Arrival) {
	if v, err := w.receive(a); err == nil {
		w.note("%s: %s", a.Channel, v)
	}
}

func (w *world) comeBack(r *rand.Rand) {
	if i := r.IntN(len(w.coming) + 1); i < len(w.coming) {
		w.arrive(w.coming[i])
		if r.IntN(4) > 0 { // else reload, or Back
			w.coming = slices.Delete(w.coming, i, i+1)
		}
	}
}

func (w *world) deliver() {
	sent, err := w.gw.Deliver(w.ctx())
	if err != nil {
		w.t.Error(err)
	}
	w.note("%d notices", sent)
}

// wait lets time pass; now and then the shop's own clock is set, too.
func (w *world) wait(r *rand.Rand) {
	d, _ := pick(r, []time.Duration{time.Second, 11 * time.Second, 80 * time.Second, 11 * time.Minute, 3 * time.Hour, 26 * time.Hour, 5 * 24 * time.Hour})
	w.pass(d)
	if r.IntN(4) == 0 {
		w.mu.Lock()
		w.skew, _ = pick(r, []time.Duration{0, -90 * time.Minute, -time.Minute, 5 * time.Second, 2 * time.Hour})
		w.mu.Unlock()
	}
	w.note("%v, the shop's clock is off by %v", d, w.skew)
}

func (w *world) work() {
	w.doJobs(w.shop.WorkOnce)
	w.doJobs(w.shop.TellOnce)
}

func (w *world) doJobs(once func(context.Context) (int, error)) {
	for {
		n, err := once(w.ctx())
		if err != nil {
			w.t.Error(err)
		}
		if n == 0 || err != nil {
			return
		}
		w.note("%d jobs", n)
	}
}

func (w *world) cancelInput(r *rand.Rand, p app.Payment) app.CancelInput {
	w.serial++
	in := app.CancelInput{
		Key: fmt.Sprintf("key-of-a-cancel-form-%05d", w.serial), Reason: "단순 변심", Whole: r.IntN(5) < 2,
		RefundBank: "088", RefundAcct: "110123456789", RefundName: "홍길동",
	}
	in.Amount, _ = pick(r, []app.Won{1, 100, p.Amount / 2, p.Amount / 2, p.Amount, p.Amount + 1})
	return in
}

// refused says whether a cancel was refused before anything was sent, as it may be.
func refused(err error) bool {
	var left *app.AmountError
	return errors.Is(err, app.ErrNotPaid) || errors.Is(err, app.ErrBusy) || errors.Is(err, app.ErrBadInput) || errors.As(err, &left)
}

func (w *world) cancel(r *rand.Rand) {
	p, ok := pick(r, w.payments(app.Paid, app.PartlyCancelled, app.Held, app.WaitingDeposit, app.Cancelled))
	if !ok {
		return
	}
	in := w.cancelInput(r, p)
	w.noticeFault(r)
	ctx, stop := context.WithCancel(w.ctx())
	defer stop()
	how := r.IntN(8)
	switch {
	case how == 0:
		w.front.lose = true
		w.note("the call gets lost")
	case how == 1 && !w.front.waiting():
		held := w.front.holdNext()
		go func() {
			select {
			case <-held:
				stop()
			case <-ctx.Done():
			}
		}()
		w.note("the answer waits")
	case how < 5:
		w.fault(r, "cancel_never", "cancel_500", "cancel_garbage", "cancel_delay")
	}
	c, err := w.shop.Cancel(ctx, w.owner, p.Moid, in)
	w.note("%d of %s (%t): %s %s %v", in.Amount, p.Moid, in.Whole, c.State, c.ResultCode, err)
	if err != nil && !refused(err) {
		w.t.Error(err)
	}
	if how == 0 {
		w.front.lose = false
	}
	if how == 1 && (err != nil || c.State != app.CancelStateSent) {
		w.answer() // it was never asked
	}
}

// cancelsAtOnce presses several cancel forms at the same moment, one of them twice.
func (w *world) cancelsAtOnce(r *rand.Rand) {
	p, ok := pick(r, w.payments(app.Paid, app.PartlyCancelled, app.Held))
	if !ok {
		return
	}
	list := []app.CancelInput{w.cancelInput(r, p), w.cancelInput(r, p), w.cancelInput(r, p)}
	list = append(list, list[0])
	w.noticeFault(r)
	w.note("%s", p.Moid)
	var all sync.WaitGroup
	for _, in := range list {
		all.Go(func() {
			if _, err := w.shop.Cancel(w.ctx(), w.owner, p.Moid, in); err != nil && !refused(err) {
				w.t.Error(err)
			}
		})
	}
	all.Wait()
}

// answer lets the answer go that waits.
func (w *world) answer() {
	if w.front.letGo() {
		w.drain()
	}
}

func (w *world) cancelsIn(st app.CancelState) []app.Cancel {
	var list []app.Cancel
	for _, no := range w.looked.cancelled {
		all, err := w.shop.Store.Cancels(w.ctx(), no)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range all {
			if c.State == st {
				list = append(list, c)
			}
		}
	}
	return list
}

func (w *world) resend(r *rand.Rand) {
	c, ok := pick(r, w.cancelsIn(app.CancelStateUnknown))
	if !ok {
		return
	}
	c, err := w.shop.ResendCancel(w.ctx(), w.owner, c.ID)
	w.note("%d of %s: %s %v", c.Amount, c.Moid, c.State, err)
	if c.Whole != (err == nil) || err != nil && !errors.Is(err, app.ErrForbidden) {
		w.t.Errorf("sent again: %+v, %v", c, err)
	}
}

func (w *world) ask(r *rand.Rand) {
	p, ok := pick(r, w.payments(app.States()...))
	if !ok {
		return
	}
	err := w.shop.AskAgain(w.ctx(), w.owner, p.Moid)
	w.note("about %s (%s): %v", p.Moid, p.State, err)
	if err != nil && !errors.Is(err, app.ErrNotFound) && !errors.Is(err, smartro.ErrNotProven) && !errors.Is(err, smartro.ErrUnreadable) {
		w.t.Error(err)
	}
}

// accept is a person who has seen the payment in the gateway's own record.
func (w *world) accept(r *rand.Rand) {
	p, ok := pick(r, w.payments(app.Claimed, app.WaitingDeposit, app.Held))
	if !ok {
		return
	}
	for _, b := range w.book().Payments {
		if b.TID != p.TID || b.Moid != p.Moid || b.back() > 0 || b.came() == 0 || b.came() != p.Amount && p.State != app.Held {
			continue
		}
		err := w.shop.AcceptPayment(w.ctx(), w.owner, p.Moid, "결제사 화면에서 확인")
		w.note("%s (%s): %v", p.Moid, p.State, err)
		if err == nil {
			w.accepts[p.TID] = true
		} else if !errors.Is(err, app.ErrPaid) && !errors.Is(err, app.ErrNotPaid) {
			w.t.Error(err)
		}
	}
}

func (w *world) closeOrder(r *rand.Rand) {
	o, ok := pick(r, w.orders)
	if !ok {
		return
	}
	err := w.shop.CloseOrder(w.ctx(), w.owner, o.No)
	w.note("%s: %v", o.No, err)
	if err != nil && !errors.Is(err, app.ErrPaid) {
		w.t.Error(err)
	}
}

// deposit pays into an account, now and then another amount than asked for.
func (w *world) deposit(r *rand.Rand) {
	var open []bookPayment
	for _, b := range w.book().Payments {
		if b.State == "waiting" {
			open = append(open, b)
		}
	}
	b, ok := pick(r, open)
	if !ok {
		return
	}
	amt := b.Amt
	if r.IntN(3) == 0 {
		amt = b.Amt/2 + 1
	}
	w.noticeFault(r)
	status := w.order("deposit", map[string]any{"tid": b.TID, "amt": amt})
	w.note("%d won for %s: %d", amt, b.Moid, status)
	if status != http.StatusOK {
		w.t.Errorf("deposit: %d", status)
	}
}

// foretold is the body of a notice that the gateway sent or is about to send.
func (w *world) foretold(r *rand.Rand) ([]byte, bool) {
	n, ok := pick(r, w.book().Notices)
	return []byte(n.Body), ok
}

// browserHeaders are what a browser sends with a form.
const browserHeaders = "Origin: https://pay.example\nSec-Fetch-Mode: navigate"

// forge sends what an attacker can make of messages that he saw: none of it comes in on the secret path from the
// gateway's address.
func (w *world) forge(r *rand.Rand) {
	a := app.Arrival{Channel: app.ChannelReturn, Peer: strangerAddr, Headers: browserHeaders}
	cs := smartro.UTF8
	if known, ok := pick(r, w.results); ok && r.IntN(2) == 0 {
		a.Body, a.Token = known.Body, known.Token
	} else if body, ok := w.foretold(r); ok {
		a.Body, cs = body, smartro.EUCKR
	} else {
		return
	}
	way := r.IntN(6)
	switch way {
	case 0: // the browser's way, as it is
	case 1:
		a.Channel, a.Headers = app.ChannelNotify, ""
	case 2:
		a.Channel, a.Headers, a.Secret = app.ChannelNotify, "", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	case 3:
		a.Channel, a.Secret, a.Peer = app.ChannelNotify, w.secret, gatewayAddr // but it is a browser
	case 4:
		a.Channel, a.Headers, a.Secret = app.ChannelNotify, "", w.secret
	case 5:
		a.Channel, a.Headers, a.Peer = app.ChannelNotify, "", gatewayAddr
	}
	fields, err := smartro.DecodeForm(a.Body, cs)
	if err != nil {
		w.t.Fatal(err)
	}
	what := r.IntN(9)
	switch other, ok := pick(r, w.moids); {
	case what < 3 && ok: // the same transaction for another payment, at its price
		fields = with(with(fields, "OID", string(other)), "Amt", w.opened[other].Amount.String())
		if r.IntN(2) == 0 {
			a.Token = w.opened[other].ReturnToken
			fields = with(fields, "PayMethod", string(w.opened[other].Method))
		}
	case what == 3:
		fields = with(fields, "Amt", "1")
	case what == 4:
		fields = with(fields, "SignValue", "bm90IGEgc2lnbmF0dXJlIG9mIHRoaXMgZ2F0ZXdheSE=")
	case what == 5:
		fields = with(fields, "ResultCode", "2001")
	case what == 6:
		fields = append(fields, smartro.Field{Name: "Amt", Value: "2"})
	case what == 7:
		fields = with(fields, "MID", "otherdemo1")
	}
	a.Body = smartro.EncodeForm(fields, cs)
	w.note("way %d, change %d, %s %s %s", way, what, field(fields, "OID"), field(fields, "ResultCode"), field(fields, "TID"))
	w.arrive(a)
}

func (w *world) trusted(body []byte) app.Arrival {
	return app.Arrival{Channel: app.ChannelNotify, Secret: w.secret, Peer: gatewayAddr, Body: body}
}

// repeat tells again what the gateway told before, exactly or with a side field changed.
func (w *world) repeat(r *rand.Rand) {
	body, ok := pick(r, w.notices)
	if !ok {
		return
	}
	switch r.IntN(3) {
	case 0:
		body = slices.Concat(body, []byte("&extra="+fmt.Sprint(r.IntN(3))))
	case 1:
		pairs := strings.Split(string(body), "&")
		r.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		body = []byte(strings.Join(pairs, "&"))
	}
	w.arrive(w.trusted(body))
}

// rush lets notices, returns, jobs and the gateway's own sender happen at the same moment.
func (w *world) rush(r *rand.Rand) {
	var all sync.WaitGroup
	for range 3 {
		if body, ok := pick(r, w.notices); ok {
			all.Go(func() { _, _ = w.receive(w.trusted(body)) })
		}
		if a, ok := pick(r, w.results); ok {
			all.Go(func() { _, _ = w.receive(a) })
		}
	}
	all.Go(func() {
		if _, err := w.shop.WorkOnce(w.ctx()); err != nil {
			w.t.Error(err)
		}
	})
	all.Go(func() {
		if _, err := w.gw.Deliver(w.ctx()); err != nil {
			w.t.Error(err)
		}
	})
	all.Wait()
}

const siteReason = "관리자 취소"

// siteTripper marks calls that the shop did not make.
type siteTripper struct{ http.RoundTripper }

func (s siteTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(siteHeader, "1")
	return s.RoundTripper.RoundTrip(r)
}

func (w *world) cancelAtSite(r *rand.Rand) {
	var open []bookPayment
	for _, b := range w.book().Payments {
		if b.came() > b.back() || b.State == "waiting" {
			open = append(open, b)
		}
	}
	b, ok := pick(r, open)
	if !ok {
		return
	}
	q := smartro.CancelRequest{TID: b.TID, Amt: max(b.came(), b.Amt) - b.back(), Reason: siteReason, Refund: &smartro.RefundAccount{BankCode: "088", Number: "110123456789", Holder: "홍길동"}}
	if b.State != "waiting" {
		q.Amt = b.came() - b.back()
	}
	if r.IntN(2) == 0 && q.Amt > 1 {
		q.Amt, q.Partial = q.Amt/2, true
	}
	// Two cancels of one amount in one moment, told without a TID of their own, are the same words twice.
	w.pass(3 * time.Second)
	w.noticeFault(r)
	c := smartro.Client{HTTP: &http.Client{Transport: siteTripper{w.http.Transport}}}
	got, err := c.Cancel(w.ctx(), w.merchantWith(w.theirKey), q)
	w.sites[b.TID] = true
	w.note("%d of %s, %s: %s %v", q.Amt, b.Moid, b.TID, got.ResultCode, err)
}

// restart closes the store and opens it again. A cancel's answer that waits comes before, or finds nobody.
func (w *world) restart(r *rand.Rand) {
	w.closed.Store(true)
	if r.IntN(2) == 0 {
		w.deliver()
	}
	if r.IntN(2) == 0 {
		w.answer()
	}
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
	w.answer()
	w.start()
	w.closed.Store(false)
}

func (w *world) fromNewAddress(r *rand.Rand) {
	if body, ok := w.foretold(r); ok {
		w.arrive(app.Arrival{Channel: app.ChannelNotify, Secret: w.secret, Peer: newGatewayAddr, Body: body})
	}
}

func (w *world) vouch() {
	err := w.shop.DecideSender(w.ctx(), w.owner, newGatewayAddr.String(), true)
	if errors.Is(err, app.ErrNotFound) {
		return
	}
	if err != nil {
		w.t.Error(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.vouched = true
	for _, body := range w.unknown {
		w.proved(body)
	}
	w.unknown = nil
}
