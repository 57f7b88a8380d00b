package app_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"gage/app"
)

// TestRandomHistories drives random messages, repeats and cancels through the pure state machine: an approved
// payment is never lost, never doubled, never goes back; remaining = approved - cancelled >= 0, always.
//
// proves I3
func TestRandomHistories(t *testing.T) {
	for seed := range uint64(20_000) {
		walk(t, rand.New(rand.NewPCG(seed, 1)))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func walk(t *testing.T, r *rand.Rand) {
	p := inState(app.New)
	p.OpenedAt = at
	effects := map[string]bool{}
	approved := app.Won(0)
	now := at
	kinds := app.InputKinds()
	for range 30 {
		now = now.Add(time.Duration(r.IntN(3600)) * time.Second)
		in := inputOf(kinds[r.IntN(len(kinds))], p)
		in.At, in.Level = now, app.Level(r.IntN(5))
		in.TID = []app.TID{tidA, tidB}[r.IntN(2)]
		in.Amount = []app.Won{0, 1, 1000, 11000, 12000}[r.IntN(5)]
		in.Release = min(in.Amount, p.Reserved) * app.Won(r.IntN(2))
		f := app.Facts{OrderPaid: r.IntN(20) == 0, TIDTaken: r.IntN(20) == 0, OrderClosed: r.IntN(50) == 0}
		if in.Kind == app.Approved || in.Kind == app.Deposited {
			in.EffectKey = string(in.Kind) + string(in.TID)
			f.KnownEffect = effects[in.EffectKey]
		}
		out := app.Decide(p, in, f)
		if out.Event == nil {
			continue
		}
		was := p
		p = p.Apply(*out.Event)
		if in.EffectKey != "" {
			effects[in.EffectKey] = true
		}
		switch {
		case was.State != app.Paid && p.State == app.Paid && in.Level < app.T2:
			t.Errorf("paid on level %d", in.Level)
		case approved > 0 && p.Approved != approved:
			t.Errorf("approved went from %d to %d", approved, p.Approved)
		case p.Cancelled < was.Cancelled:
			t.Errorf("cancelled went back from %d to %d", was.Cancelled, p.Cancelled)
		case p.Approved > 0 && p.Left() < 0:
			t.Errorf("left %d", p.Left())
		case was.State == app.Cancelled && p.State != app.Cancelled:
			t.Errorf("cancelled became %s", p.State)
		}
		approved = max(approved, p.Approved)
	}
}
