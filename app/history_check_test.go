package app_test

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"time"

	"gage/app"
	"gage/smartro"
)

// onward is where each state may lead (failure model, section 2).
func onward(from, to app.State) bool {
	return from == to || slices.Contains(map[app.State][]app.State{
		app.New:             {app.Opened},
		app.Opened:          {app.Claimed, app.WaitingDeposit, app.Paid, app.Held, app.Expired},
		app.Claimed:         {app.Opened, app.WaitingDeposit, app.Paid, app.Held},
		app.WaitingDeposit:  {app.Paid, app.Held, app.Expired, app.Cancelled},
		app.Expired:         {app.Paid, app.Held},
		app.Held:            {app.Paid, app.Cancelled},
		app.Paid:            {app.PartlyCancelled, app.Cancelled},
		app.PartlyCancelled: {app.Cancelled},
	}[from], to)
}

// check holds the shop's books against what was told it and against the gateway's, as far as something was touched
// since the last check.
func (w *world) check() {
	w.t.Helper()
	told := w.looked.fresh
	w.looked.fresh = nil
	if list := w.touched(); len(list) > 0 {
		b := w.read(list, false)
		w.checkBooks(b)
		for _, o := range b.orders {
			for _, p := range b.payments[o.No] {
				told = append(told, w.looked.told[p.Moid]...)
			}
		}
	}
	slices.Sort(told)
	for _, tid := range slices.Compact(told) {
		w.checkPlaces(tid, w.proofs[tid], w.places(tid))
	}
	sent := w.looked.sent + w.number("SELECT CAST(COALESCE(SUM(cancel_sends), 0) AS BIGINT) FROM cash_receipts")
	if sent != w.front.calls {
		w.t.Errorf("%d cancels were recorded as sent, the gateway was called %d times", sent, w.front.calls)
	}
}

// checkAll holds all books against each other, whatever was touched.
func (w *world) checkAll() books {
	w.t.Helper()
	w.check()
	b := w.read(w.everyOrder(), true)
	w.checkBooks(b)
	w.checkReceipts()
	apart := w.keptApart()
	for tid, moid := range w.proofs {
		n := apart[tid]
		if b.byTID[tid].Approved > 0 {
			n++
		}
		w.checkPlaces(tid, moid, n)
	}
	if total, last := w.number("SELECT COUNT(*) FROM events"), w.number("SELECT COALESCE(MAX(seq), 0) FROM events"); last != total {
		w.t.Errorf("%d events, the last has the number %d", total, last)
	}
	if err := w.shop.Store.Ready(w.ctx()); err != nil { // repeats are counted by the next write
		w.t.Error(err)
	}
	stored := w.number("SELECT CAST(COALESCE(SUM(copies), 0) AS BIGINT) FROM messages WHERE channel <> 'answer'") +
		w.number("SELECT COUNT(*) FROM stranger_ring")
	if stored != w.received {
		w.t.Errorf("%d messages were acknowledged, %d are stored", w.received, stored)
	}
	return b
}

func (w *world) checkBooks(b books) {
	w.t.Helper()
	for _, o := range b.orders {
		ps := b.payments[o.No]
		if st := app.Derive(o, ps); st != o.State {
			w.t.Errorf("order %s is stored as %s, its payments say %s", o.No, o.State, st)
		}
		w.checkEvents(ps, b.events[o.No])
		paid, sends := 0, int64(0)
		for _, p := range ps {
			if !p.PaidAt.IsZero() {
				paid++
			}
			w.checkPayment(p, b.theirs[p.TID])
			sends += w.checkCancels(p, b.cancels[o.No])
		}
		w.looked.sent += sends - w.looked.sends[o.No]
		w.looked.sends[o.No] = sends
		if paid > 1 {
			w.t.Errorf("order %s was paid %d times", o.No, paid)
		}
	}
}

func (w *world) checkPayment(p app.Payment, b bookPayment) {
	bad := func(what string) {
		w.t.Errorf("%s: payment %+v; the gateway: %+v", what, p, b)
	}
	if p.Left() < 0 || p.Cancelled < 0 || p.Reserved < 0 {
		bad("the balance is broken")
	}
	was := w.states[p.Moid]
	w.states[p.Moid] = p.State
	if money := []app.State{app.Held, app.Paid, app.PartlyCancelled, app.Cancelled}; slices.Index(money, p.State) < slices.Index(money, was) {
		bad("it went back from " + string(was))
	}
	if p.Approved == 0 {
		if p.State == app.Paid || p.State == app.PartlyCancelled || p.State == app.Held {
			bad("money without an amount")
		}
		return
	}
	known := false
	switch p.Proof {
	case app.ProofNotification:
		known = w.proofs[p.TID] == p.Moid
	case app.ProofInquiry:
		known = b.Moid == p.Moid
	case app.ProofStaff:
		known = w.accepts[p.TID] || w.listed[p.TID]
	}
	switch {
	case !known:
		bad("nobody who is believed has told that")
	case b.Moid != p.Moid || b.came() != p.Approved:
		bad("the gateway took something else")
	case !p.PaidAt.IsZero() && !w.accepts[p.TID] && p.Approved != p.Amount:
		bad("paid with another amount")
	case p.Cancelled > b.back():
		bad("more is cancelled than went back")
	}
}

// checkCancels compares a payment's sums with its cancels.
func (w *world) checkCancels(p app.Payment, list []app.Cancel) (sends int64) {
	var open, done app.Won
	for _, c := range list {
		if c.Moid != p.Moid {
			continue
		}
		if !c.External {
			sends += int64(c.Sends)
		}
		if p.Method == smartro.Vbank && !c.ToAccount && !c.External {
			continue // withdrawing an account moves no money
		}
		switch {
		case c.State.Open():
			open += c.Amount
		case c.State == app.CancelStateDone:
			done += c.Amount
		}
	}
	if p.Approved > 0 && (open != p.Reserved || done != p.Cancelled) {
		w.t.Errorf("%s has %d won reserved and %d cancelled; its cancels say %d and %d: %+v", p.Moid, p.Reserved, p.Cancelled, open, done, list)
	}
	return sends
}

// checkPlaces: what the gateway itself told us is a payment's money, or kept apart, and never both.
func (w *world) checkPlaces(tid app.TID, moid app.Moid, n int) {
	w.t.Helper()
	if n != 1 {
		p, err := w.shop.Store.PaymentByTID(w.ctx(), smartro.Test, tid)
		w.t.Errorf("the approval %s of %s, proved, is in %d places: payment %+v, %v", tid, moid, n, p, err)
	}
}

// checkEvents: an order's payments are the fold of its events, which lead only onward.
func (w *world) checkEvents(ps []app.Payment, events []app.Event) {
	w.t.Helper()
	fold := map[app.Moid]app.Payment{}
	for _, e := range events {
		p, begun := fold[e.Moid]
		if !begun {
			p = w.opened[e.Moid]
			p.State, p.Proof = app.New, app.ProofNone
		}
		w.checkForm(e)
		if e.From != p.State || !onward(e.From, e.To) {
			w.t.Errorf("%s was %s: the event %+v leads from elsewhere, or not onward", e.Moid, p.State, e)
		}
		fold[e.Moid] = p.Apply(e)
	}
	for _, p := range ps {
		if p != fold[p.Moid] {
			w.t.Errorf("stored:\n%+v, derived:\n%+v", p, fold[p.Moid])
		}
	}
}

// checkForm: what pays an order by the gateway's notification alone is what the order's own form asked for, as far as the
// notification tells of that form.
func (w *world) checkForm(e app.Event) {
	w.t.Helper()
	if e.To != app.Paid || e.From == app.Paid || e.Level != app.T2 || w.opened[e.Moid].Device == "key" {
		return
	}
	m, err := w.shop.Store.Message(w.ctx(), e.MessageID)
	if err != nil {
		w.t.Errorf("%s was paid by %s: %v", e.Moid, e.MessageID, err)
		return
	}
	n, err := smartro.ParseNotice(m.Raw, smartro.EUCKR)
	if err != nil {
		w.t.Error(err)
	}
	o, err := w.shop.Store.Order(w.ctx(), e.OrderNo)
	if err != nil {
		w.t.Error(err)
	}
	if n.MallUserID != string(o.No) || n.GoodsName != o.Goods && n.GoodsName == "A toy for the cat" && o.Goods == "A toy for the dog" {
		w.t.Errorf("%s of %s, %q, was paid by the form of %q, %q", e.Moid, o.No, o.Goods, n.MallUserID, n.GoodsName)
	}
}

// settleDown ends the faults and lets everything that is under way arrive: a day and a half of jobs and retries.
func (w *world) settleDown(r *rand.Rand) {
	req, err := http.NewRequestWithContext(w.ctx(), http.MethodDelete, w.at("/control/api/faults"), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := w.http.Do(req)
	if err != nil || res.StatusCode != http.StatusNoContent {
		w.t.Fatal(res, err)
	}
	res.Body.Close()
	w.answer()
	w.systemIs = systemUp
	w.enterKey(false)
	for _, a := range w.coming {
		w.arrive(a)
	}
	again := r.IntN(2) == 0
	w.say("lost notices are told again: %t", again)
	tellAgain := func() {
		for _, n := range w.bookOf(nil).Notices {
			if (n.State == "lost" || n.State == "given_up" || w.wentUnsigned(n.Body)) && (again || w.sites[n.TID]) {
				w.arrive(w.trusted(w.toldAnew([]byte(n.Body))))
			}
		}
	}
	tellAgain()
	later := func() {
		w.pass(3 * time.Hour)
		w.deliver()
		w.work()
	}
	for range 12 {
		later()
	}
	tellAgain() // one that was held back until now may carry a key that was stopped meanwhile
	later()
	w.check()
	if r.IntN(2) == 0 {
		w.say("the gateway's list is brought, and settles what it tells")
		w.bring(r)
		w.check()
	}
	w.settleByHand()
	later()
	w.pass(5 * 24 * time.Hour) // every receipt's day has come
	later()
	later()
	w.settleReceiptsByHand()
	later()
	later()
}

// settleByHand is a person who settles by the gateway's record what its balance alone can't tell: cancels beside one
// at the merchant site, the withdrawing of accounts, and refunds whose notice was lost for good.
func (w *world) settleByHand() {
	for _, c := range append(w.cancelsIn(app.CancelStateUnknown), w.cancelsIn(app.CancelStateAccepted)...) {
		var b bookPayment
		if list := w.bookOf(url.Values{"tid": {string(c.TID)}}).Payments; len(list) == 1 {
			b = list[0]
		}
		if c.State == app.CancelStateUnknown && !w.sites[c.TID] && (b.Method != smartro.Vbank || c.ToAccount) {
			continue
		}
		known := w.doneByShop()[c.TID]
		happened := b.backByShop()-known >= c.Amount
		if _, err := w.shop.SettleCancel(w.ctx(), w.owner, c.ID, happened, "결제사 화면에서 확인"); err != nil {
			w.t.Error(err)
		}
		w.note("a person settled %d of %s: %t", c.Amount, c.Moid, happened)
	}
}

// doneByShop is what the shop says went back of each transaction by its own cancels.
func (w *world) doneByShop() map[app.TID]app.Won {
	sums := map[app.TID]app.Won{}
	for _, c := range w.cancelsIn(app.CancelStateDone) {
		if !c.External {
			sums[c.TID] += c.Amount
		}
	}
	return sums
}

// compareBooks: after the faults every payment that we can know of is what the gateway says it is.
func (w *world) compareBooks(ours books) {
	w.t.Helper()
	for _, st := range []app.CancelState{app.CancelStateRequested, app.CancelStateSent, app.CancelStateUnknown, app.CancelStateAccepted} {
		for _, c := range w.cancelsIn(st) {
			w.t.Errorf("the cancel is still %s: %+v", st, c)
		}
	}
	byShop := w.doneByShop()
	for _, b := range ours.theirs {
		p, ok := ours.byTID[b.TID]
		if !ok || p.Approved == 0 && (w.proofs[b.TID] != "" || b.came() > 0) {
			continue // never told us, or kept apart: check has seen that it is
		}
		if got := byShop[b.TID]; got != b.backByShop() && !w.sites[b.TID] {
			w.t.Errorf("the shop's cancels took %d won back of %+v", got, b)
		}
		var want []app.State
		switch b.State {
		case "opened", "declined", "closed":
		case "waiting":
			want = []app.State{app.Claimed, app.WaitingDeposit, app.Expired}
		case "withdrawn":
			want = []app.State{app.Cancelled, app.Claimed, app.Expired}
		case "paid":
			want = []app.State{app.Paid, app.Held}
		case "partly_cancelled":
			want = []app.State{app.PartlyCancelled, app.Held}
		case "cancelled":
			want = []app.State{app.Cancelled}
		}
		if w.sites[b.TID] && w.askedAbout(b.Moid) {
			continue // one of two cancels could be the other told again: a person was asked
		}
		if !slices.Contains(want, p.State) || p.Approved != b.came() || p.Cancelled != b.back() || p.Reserved != 0 {
			w.t.Errorf("the books differ: payment %+v; the gateway: %+v", p, b)
		}
	}
}

// askedAbout says whether a person was asked to look at a payment's cancels. What is held may have the TID of a part.
func (w *world) askedAbout(moid app.Moid) bool {
	holds, err := w.shop.Store.Holds(w.ctx(), true, 10_000)
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.ContainsFunc(holds, func(h app.Hold) bool { return h.Moid == moid && h.Reason == app.HoldReview })
}
