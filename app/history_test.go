package app_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"gage/db/dbtest"
)

// How many histories a plain go test walks on each engine, how many steps each has, and after how many of them all
// books are held against each other. Buyers who take the ordinary way come between the steps.
const (
	historiesPlain = 9
	historySteps   = 80
	historyAll     = 10
	historyBuyers  = 20
	historyCrowd   = 5 // steps between two crowds of them
)

// TestHistories drives the whole shop, over a real store and against the simulated gateway with its faults, through
// random histories of honest, repeated, reordered, lost and forged messages, cancels, restarts and clock steps. After
// every step no approval that was proved is lost or doubled, nothing goes back, and no more is cancelled than the
// gateway gave back; when the faults are over both books agree.
//
// GAGE_HISTORIES=n walks n of them; GAGE_SEED=s begins with that seed, and walks it alone unless told a number;
// GAGE_BUYERS=n is how many buyers pay in the ordinary way beside what is told step by step: a third of the seeds has none.
// Beside it a few subscriptions are charged: see walkCharges.
// proves R1 R2 R5 R6 R7 R8 R9 R10 R11 R13 R14 R16 R17 R18 R26 R28 R33 R34 R35 R37 R41 R42 R43 I2 I3 I4 I5 I6 I7 I8 I10
func TestHistories(t *testing.T) {
	first, n := seeds(t)
	buyers := dbtest.Scale(t, "GAGE_BUYERS", historyBuyers)
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			for seed := first; seed < first+n; seed++ {
				t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
					newWorld(t, engine, seed).live(buyers)
					walkCharges(t, engine, seed)
				})
			}
		})
	}
}

func seeds(t *testing.T) (first, n uint64) {
	read := func(name string, otherwise uint64) uint64 {
		text := os.Getenv(name)
		if text == "" {
			return otherwise
		}
		v, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			t.Fatalf("%s=%q is not a number", name, text)
		}
		return v
	}
	n = historiesPlain
	if os.Getenv("GAGE_SEED") != "" {
		n = 1
	}
	if testing.Short() {
		n = min(n, 5)
	}
	return read("GAGE_SEED", 0), read("GAGE_HISTORIES", n)
}

// live walks the history, beside so many buyers who pay in the ordinary way. Every step draws from a source of its own, so that a step does not depend on how many
// numbers the ones before it drew.
func (w *world) live(buyers int) {
	w.buyers = buyers
	if w.seed%3 == 0 {
		buyers = 0
	}
	all := historyAll
	if buyers > historySteps { // a look at everything takes as long as the shop has grown: one at the end is enough
		all = historySteps + 1
	}
	if buyers <= historySteps { // with thousands of orders the system would be told more than it is asked
		w.hookUp()
	}
	moves := w.moves()
	var bag []move
	for _, m := range moves {
		for range m.weight {
			bag = append(bag, m)
		}
	}
	defer w.tell()
	for i := range historySteps {
		r := rand.New(rand.NewPCG(w.seed, uint64(i)+1))
		m := bag[r.IntN(len(bag))]
		if i%historyCrowd == 0 {
			w.crowd(r, buyers*(i+historyCrowd)/historySteps-buyers*i/historySteps)
		}
		w.say("%2d %s", i+1, m.name)
		m.do(r)
		w.check()
		if i%all == all-1 {
			w.checkAll()
			w.checkTold()
		}
		if w.t.Failed() {
			return
		}
	}
	w.say("all faults end")
	w.settleDown(rand.New(rand.NewPCG(w.seed, historySteps+1)))
	w.compareBooks(w.checkAll())
	w.compareTold()
	w.compareReceipts()
	v, err := w.store.Verify(w.ctx(), nil, func(text string) { w.t.Error(text) })
	if err != nil {
		w.t.Error(err)
	}
	w.t.Logf("walked: %d payments, %d rows of the log, %d records", v.Payments, v.Head.Seq, v.Records)
}

// tell prints what happened, and how to see it again.
func (w *world) tell() {
	if !w.t.Failed() {
		return
	}
	for _, line := range w.story {
		w.t.Log(line)
	}
	w.t.Logf("again: GAGE_SEED=%d GAGE_BUYERS=%d go test ./app -run 'TestHistories/%s'", w.seed, w.buyers, w.engine)
}

func (w *world) say(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.story = append(w.story, fmt.Sprintf(format, args...))
}

// note adds to the step that is being told.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.story[len(w.story)-1] += "; " + fmt.Sprintf(format, args...)
}
