package app_test

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"gage/app"
	"gage/smartro"
)

// onward is where each state may lead (failure model, section 2).
func onward(from, to app.State) bool {
	return from == to || slices.Contains(map[app.State][]app.State{
		app.New:             {app.Opened},
		app.Opened:          {app.Claimed, app.WaitingDeposit, app.Paid, app.Held, app.Expired},
		app.Claimed:         {app.Opened, app.WaitingDeposit, app.Paid, app.Held, app.Expired},
		app.WaitingDeposit:  {app.Paid, app.Held, app.Expired, app.Cancelled},
		app.Expired:         {app.Paid, app.Held},
		app.Held:            {app.Paid, app.Cancelled},
		app.Paid:            {app.PartlyCancelled, app.Cancelled},
		app.PartlyCancelled: {app.Cancelled},
	}[from], to)
}

// check holds the shop's books against what was told it and against the gateway's.
func (w *world) check() {
	w.t.Helper()
	theirs := map[app.TID]bookPayment{}
	for _, b := range w.book().Payments {
		theirs[b.TID] = b
	}
	ours, sends := map[app.TID]app.Payment{}, int64(0)
	for _, o := range w.orders {
		sends += w.checkOrder(o.No, theirs, ours)
	}
	w.checkProofs(ours)
	if sends != w.front.calls {
		w.t.Errorf("%d cancels were recorded as sent, the gateway was called %d times", sends, w.front.calls)
	}
	if err := w.shop.Store.Ready(w.ctx()); err != nil { // repeats are counted by the next write
		w.t.Error(err)
	}
	var stored int64
	err := w.raw.QueryRowContext(w.ctx(), `SELECT
		(SELECT CAST(COALESCE(SUM(copies), 0) AS BIGINT) FROM messages WHERE channel <> 'answer') + (SELECT COUNT(*) FROM stranger_ring)`).Scan(&stored)
	if err != nil || stored != w.received {
		w.t.Errorf("%d messages were acknowledged, %d are stored: %v", w.received, stored, err)
	}
}

// checkOrder checks one order and its payments, and returns how often its cancels were sent.
func (w *world) checkOrder(no app.OrderNo, theirs map[app.TID]bookPayment, ours map[app.TID]app.Payment) (sends int64) {
	o, err1 := w.shop.Store.Order(w.ctx(), no)
	ps, err2 := w.shop.Store.PaymentsOf(w.ctx(), no)
	cs, err3 := w.shop.Store.Cancels(w.ctx(), no)
	if err1 != nil || err2 != nil || err3 != nil {
		w.t.Fatal(err1, err2, err3)
	}
	if st := app.Derive(o, ps); st != o.State {
		w.t.Errorf("order %s is stored as %s, its payments say %s", no, o.State, st)
	}
	paid := 0
	for _, p := range ps {
		if !p.PaidAt.IsZero() {
			paid++
		}
		if p.TID != "" {
			ours[p.TID] = p
		}
		w.checkPayment(p, theirs[p.TID])
		sends += w.checkCancels(p, cs)
	}
	if paid > 1 {
		w.t.Errorf("order %s was paid %d times", no, paid)
	}
	return sends
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
		known = w.accepts[p.TID]
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
		if p.Method == smartro.Vbank && c.RefundAcct == "" && !c.External {
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

// checkProofs: what the gateway itself told us is a payment's money, or kept apart, and never both.
func (w *world) checkProofs(ours map[app.TID]app.Payment) {
	holds, err := w.shop.Store.Holds(w.ctx(), false, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	apart := map[app.TID]int{}
	for _, h := range holds {
		if !h.Own && h.Reason != app.HoldReview {
			apart[h.TID]++
		}
	}
	for tid, moid := range w.proofs {
		places := apart[tid]
		if ours[tid].Approved > 0 {
			places++
		}
		if places != 1 {
			w.t.Errorf("the approval %s of %s, proved, is in %d places: payment %+v, holds %+v", tid, moid, places, ours[tid], holds)
		}
	}
}

// checkEvents: the payments are the fold of their events, which have no gap and lead only onward.
func (w *world) checkEvents() {
	w.t.Helper()
	fold := map[app.Moid]app.Payment{}
	for _, o := range w.orders {
		events, err := w.shop.Store.Events(w.ctx(), o.No)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, e := range events {
			p, begun := fold[e.Moid]
			if !begun {
				p = w.opened[e.Moid]
				p.State, p.Proof = app.New, app.ProofNone
			}
			if e.From != p.State || !onward(e.From, e.To) {
				w.t.Errorf("%s was %s: the event %+v leads from elsewhere, or not onward", e.Moid, p.State, e)
			}
			fold[e.Moid] = p.Apply(e)
		}
	}
	for _, moid := range w.moids {
		if p, err := w.shop.Store.Payment(w.ctx(), moid); err != nil || p != fold[moid] {
			w.t.Errorf("stored:\n%+v, derived:\n%+v, %v", p, fold[moid], err)
		}
	}
	var total, last int64
	if err := w.raw.QueryRowContext(w.ctx(), "SELECT COUNT(*), COALESCE(MAX(seq), 0) FROM events").Scan(&total, &last); err != nil || last != total {
		w.t.Errorf("%d events, the last has the number %d: %v", total, last, err)
	}
}

// settleDown ends the faults and lets everything that is under way arrive: a day and a half of jobs and retries.
func (w *world) settleDown(r *rand.Rand) {
	req, err := http.NewRequestWithContext(w.ctx(), http.MethodDelete, strings.TrimSuffix(w.m.Endpoints.ReceiptData, "/receipt")+"/control/api/faults", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusNoContent {
		w.t.Fatal(res, err)
	}
	res.Body.Close()
	w.answer()
	for _, a := range w.coming {
		w.arrive(a)
	}
	again := r.IntN(2) == 0
	w.say("lost notices are told again: %t", again)
	for _, n := range w.book().Notices {
		if (n.State == "lost" || n.State == "given_up") && (again || w.sites[n.TID]) {
			w.arrive(w.trusted([]byte(n.Body)))
		}
	}
	later := func() {
		w.pass(3 * time.Hour)
		w.deliver()
		w.work()
	}
	for range 12 {
		later()
	}
	w.settleByHand()
	later()
}

// settleByHand is a person who settles by the gateway's record what its balance alone can't tell: cancels beside one
// at the merchant site, the withdrawing of accounts, and refunds whose notice was lost for good.
func (w *world) settleByHand() {
	for _, c := range append(w.cancelsIn(app.CancelStateUnknown), w.cancelsIn(app.CancelStateAccepted)...) {
		var b bookPayment
		for _, b = range w.book().Payments {
			if b.TID == c.TID {
				break
			}
		}
		if c.State == app.CancelStateUnknown && !w.sites[c.TID] && (b.Method != smartro.Vbank || c.RefundAcct != "") {
			continue
		}
		known := w.doneByShop(c.TID)
		happened := b.backByShop()-known >= c.Amount
		if _, err := w.shop.SettleCancel(w.ctx(), w.owner, c.ID, happened, "결제사 화면에서 확인"); err != nil {
			w.t.Error(err)
		}
		w.note("a person settled %d of %s: %t", c.Amount, c.Moid, happened)
	}
}

// doneByShop is what the shop says went back of a transaction by its own cancels.
func (w *world) doneByShop(tid app.TID) (sum app.Won) {
	for _, c := range w.cancelsIn(app.CancelStateDone) {
		if c.TID == tid && !c.External {
			sum += c.Amount
		}
	}
	return sum
}

// compareBooks: after the faults every payment that we can know of is what the gateway says it is.
func (w *world) compareBooks() {
	w.t.Helper()
	for _, st := range []app.CancelState{app.CancelStateRequested, app.CancelStateSent, app.CancelStateUnknown, app.CancelStateAccepted} {
		for _, c := range w.cancelsIn(st) {
			w.t.Errorf("the cancel is still %s: %+v", st, c)
		}
	}
	for _, b := range w.book().Payments {
		p, err := w.shop.Store.PaymentByTID(w.ctx(), smartro.Test, b.TID)
		if err != nil || p.Approved == 0 && (w.proofs[b.TID] != "" || b.came() > 0) {
			continue // never told us, or kept apart: check has seen that it is
		}
		if got := w.doneByShop(b.TID); got != b.backByShop() && !w.sites[b.TID] {
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
		if w.sites[b.TID] && w.askedAbout(b.TID) {
			continue // one of two cancels could be the other told again: a person was asked
		}
		if !slices.Contains(want, p.State) || p.Approved != b.came() || p.Cancelled != b.back() || p.Reserved != 0 {
			w.t.Errorf("the books differ: payment %+v; the gateway: %+v", p, b)
		}
	}
}

// askedAbout says whether a person was asked to look at a transaction's cancels.
func (w *world) askedAbout(tid app.TID) bool {
	holds, err := w.shop.Store.Holds(w.ctx(), true, 10_000)
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.ContainsFunc(holds, func(h app.Hold) bool { return h.TID == tid && h.Reason == app.HoldReview })
}
