package app_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// newCrowd is one shop served by a program on each store. All of them cancel at the purse.
func newCrowd(t *testing.T, stores []*db.Store, p *atomic.Pointer[purse]) []*rig {
	t.Helper()
	all := []*rig{newRig(t, stores[0])}
	for _, s := range stores[1:] {
		r := rigOn(t, s)
		r.owner, r.secret = all[0].owner, all[0].secret
		all = append(all, r)
	}
	for _, r := range all {
		r.Gateway = func(m smartro.Merchant) app.Gateway { return cashier{smartro.WEBLink{Merchant: m}, p} }
	}
	return all
}

// cashier asks the purse of the round, from many places at once.
type cashier struct {
	smartro.WEBLink
	purse *atomic.Pointer[purse]
}

func (c cashier) Cancel(_ context.Context, q smartro.CancelRequest) (smartro.CancelAnswer, error) {
	return c.purse.Load().cancel(q)
}

// till hands an arrival over until it is taken, as the gateway does.
func (r *rig) till(a app.Arrival) app.Verdict {
	for {
		got, err := r.Receive(r.t.Context(), a)
		if errors.Is(err, app.ErrOverload) {
			continue
		}
		if err != nil {
			r.t.Error(err)
		}
		return got.Verdict
	}
}

// told is a notice as it arrives from the gateway.
func (r *rig) told(fields []smartro.Field) app.Arrival {
	return app.Arrival{Channel: app.ChannelNotify, Secret: r.secret, Peer: gatewayAddr, Body: smartro.EncodeForm(fields, smartro.EUCKR)}
}

// returned is a result as the buyer's browser brings it.
func (r *rig) returned(fields []smartro.Field, token string) app.Arrival {
	return app.Arrival{Channel: app.ChannelReturn, Peer: strangerAddr, Body: smartro.EncodeForm(fields, smartro.UTF8), Token: token}
}

// purse is a gateway that gives money back, or refuses to, and notices what it must not be asked for.
type purse struct {
	t       *testing.T
	mu      sync.Mutex
	left    app.Won
	calls   map[string]int // by reason, which names the intent
	open    int            // calls that are being answered
	given   app.Won
	serial  int
	tid     func() app.TID
	refuses func(n int) bool // the n-th call
	check   func(app.Won)    // looks at the books while the call is on its way
}

func (p *purse) cancel(q smartro.CancelRequest) (smartro.CancelAnswer, error) {
	p.mu.Lock()
	p.serial++
	n := p.serial
	p.calls[string(q.Reason)]++
	if p.calls[string(q.Reason)] > 1 {
		p.t.Errorf("%d calls for the cancel %q", p.calls[string(q.Reason)], q.Reason)
	}
	if p.open++; p.open > 1 {
		p.t.Errorf("%d cancels of one payment are on their way", p.open)
	}
	p.mu.Unlock()
	p.check(q.Amt)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	a := smartro.CancelAnswer{TID: q.TID, Amt: q.Amt, ResultCode: "2001", Raw: fmt.Appendf(nil, "ResultCode=2001&n=%d", n)}
	if p.refuses(n) {
		a.ResultCode, a.Raw = "2010", fmt.Appendf(nil, "ResultCode=2010&n=%d", n)
		return a, nil
	}
	if q.Amt > p.left {
		p.t.Errorf("asked to give back %d won of %d", q.Amt, p.left)
	}
	p.left -= q.Amt
	p.given += q.Amt
	if q.Partial {
		a.PTID = p.tid()
	}
	return a, nil
}

// TestRaceCancels: two people cancel one payment from everywhere at once, wholly and partly, by the same form and by
// others. Each intent is one call at most, no two are on their way together, and no more goes back than came.
//
// proves R16, I3, I8
func TestRaceCancels(t *testing.T) {
	callers := dbtest.Scale(t, "GAGE_RACE_CALLERS", 24)
	rounds := dbtest.Scale(t, "GAGE_RACE_ROUNDS", 3)
	seed := uint64(dbtest.Scale(t, "GAGE_SEED", 1))
	dbtest.EachCrowd(t, func(t *testing.T, stores []*db.Store) {
		var at atomic.Pointer[purse]
		crowd := newCrowd(t, stores, &at)
		second, err := crowd[0].AddStaff(t.Context(), "second@shop.example", "이둘째", app.RoleStaff, "long enough pass")
		if err != nil {
			t.Fatal(err)
		}
		people := []app.Staff{crowd[0].owner, second}
		var asked, called int
		for round := range rounds {
			r := rand.New(rand.NewPCG(seed, uint64(round)))
			called += cancelAtOnce(t, crowd, &at, people, callers, r)
			asked += callers
			if t.Failed() {
				t.Fatalf("round %d of seed %d", round, seed)
			}
		}
		dbtest.Whole(t, stores[0])
		t.Logf("reached: %d rounds of cancels", rounds)
		t.Logf("reached: %d cancels asked for", asked)
		t.Logf("reached: %d calls", called)
	})
}

// cancelAtOnce is one round. It returns how often the gateway was called.
func cancelAtOnce(t *testing.T, crowd []*rig, asked *atomic.Pointer[purse], people []app.Staff, callers int, r *rand.Rand) int {
	const paid = 10_000
	desk := crowd[0]
	p := desk.open(paid, smartro.Card)
	tid := desk.tid(smartro.Card)
	desk.notify(notice(p, tid, "3001", paid))
	refuseEvery := 2 + r.IntN(4)
	g := &purse{t: t, left: paid, calls: map[string]int{}, refuses: func(n int) bool { return n%refuseEvery == 0 }}
	g.tid = func() app.TID { return desk.tid(smartro.Card) } // whoever asks holds the purse's lock
	g.check = func(amt app.Won) {
		got, err := desk.Store.Payment(t.Context(), p.Moid)
		if err != nil || got.Reserved < amt || got.Left() < 0 {
			t.Errorf("called for %d won with %d set aside and %d left, %v", amt, got.Reserved, got.Left(), err)
		}
	}
	asked.Store(g)
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range callers {
		form := r.IntN(1 + callers/3) // several callers hold the same form
		in := app.CancelInput{
			Key: fmt.Sprintf("%s%s%04d", strings.Repeat("k", 14), p.Moid, form), Reason: fmt.Sprintf("%s form%d", p.Moid, form),
			Amount: app.Won(1 + form*997%4000), Whole: form%7 == 3,
		}
		actor, at := people[i%len(people)], crowd[i%len(crowd)]
		all.Go(func() {
			<-start
			for busy := 0; ; {
				c, err := at.Cancel(t.Context(), actor, p.Moid, in)
				if errors.Is(err, app.ErrOverload) {
					continue
				}
				if busy++; errors.Is(err, app.ErrBusy) && busy < 4 {
					continue // the person tries again
				}
				var left *app.AmountError
				switch {
				case err == nil && c.ID != in.Key:
					t.Errorf("asked for %s, got %s", in.Key, c.ID)
				case err != nil && !errors.Is(err, app.ErrBusy) && !errors.Is(err, app.ErrNotPaid) && !errors.As(err, &left):
					t.Error(err)
				}
				return
			}
		})
	}
	close(start)
	all.Wait()
	for _, at := range crowd {
		if err := at.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	}
	got := desk.payment(p.Moid)
	if got.Approved != paid || got.Reserved != 0 || got.Cancelled != g.given || got.Left() != g.left {
		t.Errorf("%+v; the gateway gave %d back and keeps %d", got, g.given, g.left)
	}
	list, err := desk.Store.Cancels(t.Context(), p.OrderNo)
	if err != nil || len(list) != g.serial {
		t.Errorf("%d cancels in the books, %v; the gateway was called %d times", len(list), err, g.serial)
	}
	var sum app.Won
	for _, c := range list {
		if c.State.Open() || c.External {
			t.Errorf("cancel %s is %s, external %t", c.ID, c.State, c.External)
		}
		if c.State == app.CancelStateDone {
			sum += c.Amount
		}
	}
	if sum != g.given {
		t.Errorf("the books say that %d won went back; the gateway says %d", sum, g.given)
	}
	return g.serial
}

// TestRaceTabs: a buyer approves one order in several windows at the same instant. One approval pays; each other one's
// money is kept apart for a person.
//
// proves R11, I2, I3
func TestRaceTabs(t *testing.T) {
	rounds := dbtest.Scale(t, "GAGE_RACE_ROUNDS", 3)
	dbtest.EachCrowd(t, func(t *testing.T, stores []*db.Store) {
		crowd := newCrowd(t, stores, nil)
		for round := range rounds {
			tabs := 2 + round%4
			desk := crowd[0]
			first := desk.open(7000, smartro.Card)
			token := mustToken(desk, first.OrderNo)
			all := []app.Payment{first}
			for range tabs - 1 {
				all = append(all, desk.again(token, smartro.Card))
			}
			var ways sync.WaitGroup
			start := make(chan struct{})
			for i, p := range all {
				tid := desk.tid(smartro.Card)
				fields := notice(p, tid, "3001", 7000)
				at := crowd[i%len(crowd)]
				for _, a := range []app.Arrival{at.returned(fields, p.ReturnToken), at.told(fields), at.told(append(fields, smartro.Field{Name: "extra", Value: "1"}))} {
					ways.Go(func() {
						<-start
						if v := at.till(a); v == app.VerdictUnjudged {
							t.Errorf("tab %d: the %s could not be judged", i, a.Channel)
						}
					})
				}
			}
			close(start)
			ways.Wait()
			paid := 0
			for _, p := range all {
				switch got := desk.payment(p.Moid); {
				case got.State == app.Paid:
					paid++
				case got.State != app.Held || got.HoldReason != app.HoldDuplicate || got.Approved != 7000:
					t.Errorf("a further approval is %s (%s) with %d won", got.State, got.HoldReason, got.Approved)
				}
			}
			holds, err := desk.Store.HoldsOf(t.Context(), first.OrderNo)
			if err != nil || paid != 1 || len(holds) != tabs-1 {
				t.Errorf("%d of %d approvals paid, %d are held, %v", paid, tabs, len(holds), err)
			}
			if t.Failed() {
				t.Fatalf("round %d", round)
			}
		}
		dbtest.Whole(t, stores[0])
		t.Logf("reached: %d orders paid in several tabs", rounds)
	})
}

// inOrder calls f with every order of 0…n-1, or with so many drawn by chance if most is smaller than their number.
func inOrder(n, most int, r *rand.Rand, f func(order []int)) (count int) {
	all := 1
	for i := 2; i <= n; i++ {
		all *= i
	}
	if all > most {
		for range most {
			f(r.Perm(n))
		}
		return most
	}
	var walk func(head, rest []int)
	walk = func(head, rest []int) {
		if len(rest) == 0 {
			f(head)
		}
		for i := range rest {
			next := append(append([]int{}, rest[:i]...), rest[i+1:]...)
			walk(append(append([]int{}, head...), rest[i]), next)
		}
	}
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	walk(nil, numbers)
	return all
}

// settled works off what is owed until nothing is.
func (r *rig) settled() {
	r.t.Helper()
	for {
		n, err := r.WorkOnce(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// TestOneTransactionForTwoOrders: a buyer shows the transaction of one order for another one as well. In whatever order
// both returns, the gateway's notices and a stop come, the gateway's word decides whose it is.
//
// proves R13, I4, I6
func TestOneTransactionForTwoOrders(t *testing.T) {
	most := dbtest.Scale(t, "GAGE_RACE_ORDERS", 10)
	r := rand.New(rand.NewPCG(uint64(dbtest.Scale(t, "GAGE_SEED", 1)), 13))
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		desk := newRig(t, s)
		desk.gw.inquire = func(app.TID) (smartro.Inquiry, error) { return smartro.Inquiry{}, errors.New("no answer") }
		n := inOrder(6, most, r, func(order []int) {
			mine, other := desk.open(33_000, smartro.Card), desk.open(33_000, smartro.Card)
			tid, own := desk.tid(smartro.Card), desk.tid(smartro.Card)
			honest := notice(mine, tid, "3001", 33_000)
			arrivals := []app.Arrival{
				desk.returned(honest, mine.ReturnToken),
				desk.returned(notice(other, tid, "3001", 33_000), other.ReturnToken),
				desk.told(honest),
				desk.told(append(honest, smartro.Field{Name: "extra", Value: "1"})),
				desk.told(notice(other, own, "3001", 33_000)),
				{Channel: app.ChannelStop, Peer: strangerAddr, Token: mine.ReturnToken},
			}
			for done, i := range order {
				if v := desk.receive(arrivals[i]); v == app.VerdictUnjudged {
					t.Errorf("order %v: message %d could not be judged", order, done)
				}
				a, b := desk.payment(mine.Moid), desk.payment(other.Moid)
				if b.TID == tid && (b.State != app.Claimed || a.State == app.Paid) {
					t.Errorf("order %v, after %d: the other order is %s by a transaction that is not its own", order, done+1, b.State)
				}
			}
			if a, b := desk.want(mine.Moid, app.Paid), desk.want(other.Moid, app.Paid); a.TID != tid || b.TID != own {
				t.Errorf("order %v ended with %s and %s", order, a.TID, b.TID)
			}
			if holds, err := s.Holds(t.Context(), true, 10); err != nil || len(holds) > 0 {
				t.Errorf("order %v: %d holds, %v", order, len(holds), err)
			}
			if t.Failed() {
				t.FailNow()
			}
		})
		dbtest.Whole(t, s)
		t.Logf("reached: %d interleavings of one transaction for two orders", n)
	})
}
