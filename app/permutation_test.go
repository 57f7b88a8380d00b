package app_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// ledger folds inputs into one payment as the shop does: an effect happens once, and what is parked waits for its
// approval or deposit.
type ledger struct {
	p      app.Payment
	seen   map[string]bool
	parked []app.Input
	held   int
}

func (l *ledger) take(in app.Input) {
	out := app.Decide(l.p, in, app.Facts{KnownEffect: in.EffectKey != "" && l.seen[in.EffectKey]})
	if out.Hold != nil {
		l.held++
	}
	if out.Verdict == app.VerdictParked {
		l.parked = append(l.parked, in)
	}
	if out.Event == nil {
		return
	}
	l.p = l.p.Apply(*out.Event)
	l.seen[in.EffectKey] = true
	switch in.Kind {
	case app.Approved, app.Deposited, app.VbankIssued:
		waiting := l.parked
		l.parked = nil
		for _, w := range waiting {
			l.take(w)
		}
	}
}

// ended is what must not depend on the order of the messages: all but when and by which of them.
func ended(p app.Payment, parked, held int) string {
	return fmt.Sprintf("%s%s: %d approved, %d reserved, %d cancelled, proof %s, paid %t, TID %s; %d parked, %d held",
		p.State, p.HoldReason, p.Approved, p.Reserved, p.Cancelled, p.Proof, !p.PaidAt.IsZero(), p.TID, parked, held)
}

// chatter is seven things that come to be told of one payment.
func chatter(m app.Method) (names []string, all []app.Input) {
	add := func(name string, k app.EventKind, l app.Level, tid app.TID, amt app.Won, key string) {
		names = append(names, name)
		all = append(all, app.Input{
			Kind: k, Level: l, MID: "gagedemo1m", Mode: smartro.Test, Method: m, TID: tid, Amount: amt, HasAmount: true, EffectKey: key, Mine: true,
		})
	}
	if m == smartro.Card {
		add("return", app.ReturnSuccess, app.T1, tidA, 11000, "")
		add("stop", app.Stop, app.T0, "", 0, "")
		add("approval", app.Approved, app.T2, tidA, 11000, "approval")
		add("approval, worded otherwise", app.Approved, app.T2, tidA, 11000, "approval")
		add("cancel of 1000", app.CancelNotice, app.T2, tidB, 1000, "back 1")
		add("cancel of 1000, worded otherwise", app.CancelNotice, app.T2, tidB, 1000, "back 1")
		add("cancel of 10000", app.CancelNotice, app.T2, tidB, 10000, "back 2")
		return names, all
	}
	add("return", app.VbankIssued, app.T1, tidA, 11000, "")
	add("issue", app.VbankIssued, app.T2, tidA, 11000, "issue")
	add("deposit", app.Deposited, app.T2, tidA, 11000, "deposit")
	add("deposit, worded otherwise", app.Deposited, app.T2, tidA, 11000, "deposit")
	add("refund of 1000", app.RefundNotice, app.T2, tidB, 1000, "back 1")
	add("refund of 10000", app.RefundNotice, app.T2, tidB, 10000, "back 2")
	add("receipt", app.ReceiptNotice, app.T2, tidA, 11000, "receipt")
	return names, all
}

// TestEveryOrder: whatever of seven messages about one payment comes, and in whatever order: it ends the same.
//
// proves R8, I6
func TestEveryOrder(t *testing.T) {
	for _, m := range []app.Method{smartro.Card, smartro.Vbank} {
		names, all := chatter(m)
		for set := 1; set < 1<<len(all); set++ {
			var some []int
			for i := range all {
				if set&(1<<i) != 0 {
					some = append(some, i)
				}
			}
			want := ""
			inOrder(len(some), 5040, nil, func(order []int) {
				l := ledger{p: inState(app.Opened), seen: map[string]bool{}}
				l.p.Method = m
				var told []string
				for n, i := range order {
					in := all[some[i]]
					in.At = at.Add(time.Duration(n) * time.Minute)
					l.take(in)
					told = append(told, names[some[i]])
				}
				got := ended(l.p, len(l.parked), l.held)
				if want == "" {
					want = got
				}
				if got != want {
					t.Fatalf("%s: %q ended as %s; another order as %s", m, told, got, want)
				}
			})
		}
	}
}

// TestRaceOrders: the same through the whole shop over a real store, in an order drawn by chance, each message told
// once, and after it the jobs that it left are done now or at the end.
//
// proves R8, I6
func TestRaceOrders(t *testing.T) {
	most := dbtest.Scale(t, "GAGE_RACE_ORDERS", 6)
	r := rand.New(rand.NewPCG(uint64(dbtest.Scale(t, "GAGE_SEED", 1)), 8))
	const amt = 11_000
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		desk := newRig(t, s)
		for _, m := range []app.Method{smartro.Card, smartro.Vbank} {
			want := ""
			n := inOrder(7, most, r, func(order []int) {
				p := desk.open(amt, m)
				tid, one, rest := desk.tid(m), desk.tid(m), desk.tid(m)
				extra := smartro.Field{Name: "extra", Value: "1"}
				of := smartro.Field{Name: "OTID", Value: string(tid)}
				codes := map[app.Method][2]string{smartro.Card: {"3001", "2001"}, smartro.Vbank: {"4110", "2211"}}[m]
				money, back := notice(p, tid, codes[0], amt), notice(p, one, codes[1], 1000, of)
				arrivals := []app.Arrival{
					desk.returned(money, p.ReturnToken), {Channel: app.ChannelStop, Peer: strangerAddr, Token: p.ReturnToken},
					desk.told(money), desk.told(append(money, extra)), desk.told(back), desk.told(append(back, extra)),
					desk.told(notice(p, rest, codes[1], amt-1000, of)),
				}
				if m == smartro.Vbank {
					arrivals[0] = desk.returned(notice(p, tid, "4100", amt), p.ReturnToken)
					arrivals[1] = desk.told(notice(p, tid, "4100", amt))
				}
				for _, i := range order {
					if v := desk.receive(arrivals[i]); v == app.VerdictUnjudged {
						t.Errorf("%s in the order %v: message %d could not be judged", m, order, i)
					}
					if r.IntN(2) == 0 {
						desk.settled()
					}
				}
				desk.settled()
				got, parked := desk.payment(p.Moid), 0
				list, err := s.Messages(t.Context(), p.OrderNo)
				if err != nil {
					t.Fatal(err)
				}
				for _, told := range list {
					if told.Verdict == app.VerdictParked {
						parked++
					}
				}
				holds, err := s.HoldsOf(t.Context(), p.OrderNo)
				if err != nil {
					t.Fatal(err)
				}
				if got.TID != tid {
					t.Errorf("%s in the order %v: TID %s", m, order, got.TID)
				}
				got.TID = ""
				end := ended(got, parked, len(holds))
				if want == "" {
					want = end
				}
				if end != want || got.State != app.Cancelled {
					t.Fatalf("%s in the order %v ended as %s; another order as %s", m, order, end, want)
				}
			})
			t.Logf("reached: %d orders of seven messages", n)
		}
		dbtest.Whole(t, s)
	})
}
