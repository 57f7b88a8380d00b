// Package kill is the harness that kills: it runs the real program on SQLite beside the simulated gateway, ends it by
// SIGKILL at random moments, at every crash point that the source names and while the gateway handles its calls, starts
// it again, and compares what it still knows with what it had acknowledged.
//
// Start at [Harness].
package kill

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"gage/bench/proof/harness"
)

// Harness is the kill loop.
func Harness() harness.Harness {
	return harness.Harness{
		Name:    "kill",
		What:    "kill -9 and SIGTERM of the program at random, at every crash point and during calls; nothing acknowledged is lost or doubled",
		Proves:  []string{"I1", "I2", "I5", "I8", "R1", "R17", "R20", "R33", "R34", "R35", "R36", "R39", "S17"},
		Defects: defects(),
		Run:     run,
	}
}

// lanes is how many shops are killed side by side.
const lanes = 4

// hunt is one run.
type hunt struct {
	harness.Options
	bin    string                 // the program
	next   func() (string, error) // the program of the next version, with more migrations
	points []string
	stop   context.CancelFunc

	mu         sync.Mutex
	hit        map[string]int // how often each crash point ended a life
	figures    map[string]int64
	violations []string
	err        error
}

// A run goes on after its time while a crash point is missing, some more each round, for a busy machine comes by fewer in
// the same time.
const (
	patience = 4 * time.Minute
	more     = 15 * time.Second
)

func run(ctx context.Context, o harness.Options) (harness.Report, error) {
	h := &hunt{
		Options: o, bin: filepath.Join(o.Work, "admin"),
		hit: map[string]int{}, figures: map[string]int64{},
	}
	var err error
	if h.points, err = harness.CrashPoints(o.Repo); err != nil {
		return harness.Report{}, err
	}
	for _, d := range o.Plant {
		h.points = slices.Compact(slices.Sorted(slices.Values(append(h.points, harness.CrashPointsIn(d.New)...))))
	}
	changes := append(timeScale(), o.Plant...)
	err = harness.BuildTarget(ctx, o.Repo, harness.Target{Package: "./cmd/admin", Out: h.bin, Defects: changes})
	if err != nil {
		return harness.Report{}, err
	}
	h.next = sync.OnceValues(func() (string, error) {
		out := filepath.Join(o.Work, "admin-next")
		return out, harness.BuildTarget(ctx, o.Repo, harness.Target{Package: "./cmd/admin", Out: out, Defects: changes, Files: nextVersion()})
	})
	ctx, h.stop = context.WithCancel(ctx)
	defer h.stop()
	began := time.Now()
	var all sync.WaitGroup
	for n := range lanes {
		all.Go(func() {
			for round := 0; ctx.Err() == nil && (round == 0 || time.Since(began) < o.For || h.missing() && time.Since(began) < patience); round++ {
				until := began.Add(o.For)
				if round > 0 && time.Since(began) > o.For {
					until = time.Now().Add(more)
				}
				l := newLane(h, n, round)
				if err := l.run(ctx, until); err != nil && !errors.Is(err, errOver) && ctx.Err() == nil {
					h.fail(fmt.Errorf("lane %d, round %d: %w", n, round, err))
				}
			}
		})
	}
	all.Wait()
	return h.report(ctx)
}

// report sums up. A crash point that was never reached is a violation of R20, unless the run ended early.
func (h *hunt) report(ctx context.Context) (harness.Report, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	exercised := 0
	for _, p := range h.points {
		if h.hit[p] > 0 {
			exercised++
		} else if ctx.Err() == nil {
			h.violations = append(h.violations, fmt.Sprintf("seed %d: the crash point %q was never reached", h.Seed, p))
		}
	}
	r := harness.Report{Violations: h.violations}
	for _, name := range slices.Sorted(maps.Keys(h.figures)) {
		r.Figures = append(r.Figures, harness.Figure{Name: name, N: h.figures[name]})
	}
	r.Figures = append(r.Figures, harness.Figure{Name: fmt.Sprintf("of %d crash points", len(h.points)), N: int64(exercised)})
	if len(h.violations) > 0 {
		return r, nil // what was found counts, whatever broke after it
	}
	return r, h.err
}

// fail ends the run: it could not go on.
func (h *hunt) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = errors.Join(h.err, err)
	h.stop()
}

// violation takes down what must never be.
func (h *hunt) violation(where, format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := fmt.Sprintf("seed %d, %s: %s", h.Seed, where, fmt.Sprintf(format, args...))
	h.violations = append(h.violations, v)
	fmt.Fprintln(h.Log, "VIOLATION", v)
	if h.First || len(h.violations) >= 20 {
		h.stop()
	}
}

func (h *hunt) count(name string, n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.figures[name] += n
	if name == "kills" && h.figures[name]%50 == 0 {
		fmt.Fprintf(h.Log, "kill: %d kills, %d notifications answered OK\n", h.figures[name], h.figures["notifications OK"])
	}
}

// reached takes down that a life ended at a crash point.
func (h *hunt) reached(point string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hit[point]++
}

// rarest picks one of the crash points that ended the fewest lives, of those that ok lets through.
func (h *hunt) rarest(r *rand.Rand, ok func(string) bool) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var best []string
	for _, p := range h.points {
		switch {
		case !ok(p):
		case len(best) == 0 || h.hit[p] < h.hit[best[0]]:
			best = []string{p}
		case h.hit[p] == h.hit[best[0]]:
			best = append(best, p)
		}
	}
	if len(best) == 0 {
		return ""
	}
	return best[r.IntN(len(best))]
}

// missing says whether some crash point has not been reached yet.
func (h *hunt) missing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.points, func(p string) bool { return h.hit[p] == 0 })
}

// Crash points that an ordinary life does not come by.
func atFirstStart(point string) bool { return strings.HasPrefix(point, "key ") }
func atStop(point string) bool       { return strings.HasPrefix(point, "serving stopped") }
func inLife(point string) bool       { return !atFirstStart(point) && !atStop(point) }
