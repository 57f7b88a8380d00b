// Package iofault is the harness FS: the disk under a shop at work fails at its k-th write or sync, is full for a while,
// or takes its time. The shop must give itself up at the first failure, must get over a full disk by itself, and must
// say no rather than yes too early when the disk is slow; what it acknowledged must be there afterwards.
package iofault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gage/bench/proof/faultfs"
	"gage/bench/proof/harness"
	"gage/bench/proof/shop"
)

// Harness breaks the disk.
func Harness() harness.Harness {
	return harness.Harness{
		Name:    "iofault",
		What:    "failing writes and syncs, a full disk, slow syncs",
		Proves:  []string{"R1", "R22", "R23", "R24", "I1"},
		Defects: defects,
		Run:     run,
	}
}

// scenario is one way for a disk to be bad.
type scenario struct {
	name  string
	calls faultfs.Call // that fail with EIO; 0: see run
	times int          // how many in a row; 0: all that follow
	hands int
	fresh bool // on an empty disk: the first start
	ends  bool // the shop must give itself up
	run   func(r *runner, ctx context.Context, s *scenario, what string, rnd *rand.Rand) error
	count int // calls in a run without a fault: the k-th of them fails
	n     int // how often it was run
}

func scenarios() []*scenario {
	const either = faultfs.CallWrite | faultfs.CallSync
	return []*scenario{
		{name: "one sync fails", calls: faultfs.CallSync, times: 1, hands: 1, ends: true},
		{name: "one write fails", calls: faultfs.CallWrite, times: 1, hands: 1, ends: true},
		{name: "the disk is full", run: (*runner).full, hands: 3},
		{name: "syncs fail from one on", calls: faultfs.CallSync, hands: 1, ends: true},
		{name: "writes and syncs fail from one on", calls: either, hands: 1, ends: true},
		{name: "syncs are slow", run: (*runner).slow, hands: 6},
		{name: "one sync fails, many hands", calls: faultfs.CallSync, times: 1, hands: 5, ends: true},
		{name: "one write fails, many hands", calls: faultfs.CallWrite, times: 1, hands: 5, ends: true},
		{name: "writes and syncs fail from one on, many hands", calls: either, hands: 5, ends: true},
		// SQLite does not tell that the sync of a folder failed: what was acknowledged must be there all the same.
		{name: "one sync of a folder fails", calls: faultfs.CallSyncDir, times: 1, hands: 1},
		{name: "one sync of a folder of the first start fails", calls: faultfs.CallSyncDir, times: 1, hands: 1, fresh: true},
		{name: "one read fails", calls: faultfs.CallRead, times: 1, hands: 2},
		{name: "one file can't be made or shortened", calls: faultfs.CallCreate | faultfs.CallTruncate, times: 1, hands: 2},
		{name: "one write or sync of the first start fails", calls: either, times: 1, hands: 1, fresh: true, ends: true},
	}
}

// Sizes of a run.
const (
	orders  = 14               // of all hands together, in a scenario that counts
	patient = 20 * time.Second // after so long a shop hangs
)

func run(ctx context.Context, o harness.Options) (harness.Report, error) {
	bin, err := shop.Build(ctx, o)
	if err != nil {
		return harness.Report{}, err
	}
	j, err := shop.StartJudge(ctx, bin)
	if err != nil {
		return harness.Report{}, err
	}
	defer j.Stop()
	r := &runner{Options: o, bin: bin, judge: j, base: filepath.Join(o.Work, "base")}
	err = r.furnish(ctx)
	if errors.Is(err, faultfs.ErrNoFUSE) {
		return harness.Report{Skipped: err.Error()}, nil
	}
	if err != nil {
		return harness.Report{}, err
	}
	all := scenarios()
	until := time.Now().Add(o.For)
	for round := 0; round == 0 || time.Now().Before(until); round++ {
		for _, s := range all {
			if err := r.once(ctx, s); err != nil {
				return harness.Report{}, fmt.Errorf("%s: %w", s.name, err)
			}
			if o.First && len(r.violations) > 0 || round > 0 && time.Now().After(until) {
				return r.report(all), nil
			}
		}
		fmt.Fprintf(o.Log, "iofault: %d runs, %d faults, %d violations\n", r.runs, r.faults, len(r.violations))
	}
	return r.report(all), nil
}

// runner is one run of the harness.
type runner struct {
	harness.Options
	bin, base          string
	judge              *shop.Judge
	runs, faults, acks int64
	violations         []string
}

func (r *runner) report(all []*scenario) harness.Report {
	return harness.Report{
		Figures: []harness.Figure{
			{Name: "scenarios", N: int64(len(all))}, {Name: "runs", N: r.runs}, {Name: "runs with a fault", N: r.faults},
			{Name: "acknowledgements looked for", N: r.acks},
		},
		Violations: r.violations,
	}
}

// wrong notes a violation.
func (r *runner) wrong(format string, args ...any) {
	r.violations = append(r.violations, fmt.Sprintf(format, args...))
}

// furnish makes the shop that most scenarios begin with.
func (r *runner) furnish(ctx context.Context) error {
	if err := os.Mkdir(r.base, 0o700); err != nil {
		return err
	}
	d := faultfs.NewDisk()
	// Its TIDs have another seed than those of the scenarios that begin within the same second.
	run, err := r.start(ctx, d, shop.Work{Seed: r.Seed + 9, Hands: 1, Rounds: 3})
	if err != nil {
		return err
	}
	<-run.Ended
	code := run.End()
	if err := run.mounted.Close(); err != nil {
		return err
	}
	if code != shop.ExitDone {
		return fmt.Errorf("a shop on a good disk ended with %d: %s", code, run.Said())
	}
	return d.Write(r.base)
}

// running is a shop on a mounted disk.
type running struct {
	*shop.Shop
	mounted *faultfs.Mounted
}

func (r *runner) start(ctx context.Context, d *faultfs.Disk, w shop.Work) (*running, error) {
	w.Folder = filepath.Join(r.Work, "mounted")
	if err := os.MkdirAll(w.Folder, 0o700); err != nil {
		return nil, err
	}
	m, err := faultfs.Mount(d, w.Folder)
	if err != nil {
		return nil, err
	}
	p, err := shop.Start(ctx, r.bin, w)
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return &running{p, m}, nil
}

// disk is the disk that a scenario begins with.
func (r *runner) disk(s *scenario) (*faultfs.Disk, error) {
	if s.fresh {
		return faultfs.NewDisk(), nil
	}
	return faultfs.Load(r.base)
}

// once runs a scenario once more, with the next k.
func (r *runner) once(ctx context.Context, s *scenario) error {
	seed := r.Seed + uint64(s.n)
	rnd := rand.New(rand.NewPCG(seed, 1))
	s.n++
	r.runs++
	what := fmt.Sprintf("seed %d, %s", r.Seed, s.name)
	if s.run != nil {
		return s.run(r, ctx, s, fmt.Sprintf("%s, run %d", what, s.n), rnd)
	}
	if s.count == 0 { // how many there are to fail
		d, err := r.disk(s)
		if err != nil {
			return err
		}
		d.Rules(faultfs.Rule{Calls: s.calls, Not: "-shm"})
		if _, _, err := r.count(ctx, d, s, seed); err != nil {
			return err
		}
		s.count = d.Caught(0)
	}
	d, err := r.disk(s)
	if err != nil {
		return err
	}
	// Steps of the golden section reach every k in the end, and at first places that are far apart.
	k := 1 + int((uint64(s.n)*0x9E3779B97F4A7C15+r.Seed)>>11%uint64(s.count))
	d.Rules(faultfs.Rule{Calls: s.calls, Not: "-shm", From: k, Times: s.times, Errno: syscall.EIO})
	rec, code, err := r.count(ctx, d, s, seed)
	if err != nil {
		return err
	}
	what = fmt.Sprintf("%s, at number %d of about %d", what, k, s.count)
	r.story(rec, code, s, what)
	if again := rec.SyncedAgain(); len(again) > 0 {
		r.wrong("%s: synced again after that had failed: %s", what, strings.Join(again, ", "))
	}
	for _, e := range rec.Story() {
		if strings.TrimSpace(e.Text) == "closing" { // from there on all would be moved to its place
			rec = rec.Until(e.At)
		}
	}
	return r.look(rec, rnd, 1, what)
}

// count runs a shop that makes a number of orders.
func (r *runner) count(ctx context.Context, d *faultfs.Disk, s *scenario, seed uint64) (*faultfs.Recording, int, error) {
	run, err := r.start(ctx, d, shop.Work{Seed: seed, Hands: s.hands, Rounds: max(1, orders/s.hands)})
	if err != nil {
		return nil, 0, err
	}
	hung := time.NewTimer(patient)
	defer hung.Stop()
	select {
	case <-run.Ended:
	case <-hung.C:
		r.wrong("seed %d, %s: the shop hangs", r.Seed, s.name)
	}
	rec := d.Cut()
	code := run.End()
	return rec, code, run.mounted.Close()
}

// story judges what the shop did after the disk had failed.
func (r *runner) story(rec *faultfs.Recording, code int, s *scenario, what string) {
	up, failed, late := false, false, 0
	fault := ""
	seen := map[string]bool{}
	for _, e := range rec.Story() {
		word, _, _ := strings.Cut(strings.TrimSpace(e.Text), " ")
		switch {
		case e.Fault && failed:
		case e.Fault:
			r.faults++
			if failed, fault = true, e.Text; !up {
				return // it was not open yet, and what it acknowledged is looked for anyway
			}
		case word == "up":
			up = true
		case word == "closing" && !failed:
			return
		case failed && (word == "order" || word == "form" || word == "claim" || word == "notice") && !seen[e.Text]:
			late++
		}
		seen[e.Text] = true
	}
	if !failed || !s.ends {
		return
	}
	if code != shop.ExitGaveUp {
		r.wrong("%s (%s): the shop went on: it ended with %d", what, strings.TrimSpace(fault), code)
	}
	if late > s.hands { // what was durable before may be told after
		r.wrong("%s (%s): %d new things were acknowledged after the fault", what, strings.TrimSpace(fault), late)
	}
}

// look has the judge open what is left after the last operation when all that was not synced is lost, and what some
// power cuts on the way would have left.
func (r *runner) look(rec *faultfs.Recording, rnd *rand.Rand, cuts int, what string) error {
	each := func(img faultfs.Image) error {
		folder := filepath.Join(r.Work, "left")
		if err := errors.Join(os.RemoveAll(folder), os.Mkdir(folder, 0o700), img.Write(folder)); err != nil {
			return err
		}
		verdict, err := r.judge.Ask(folder, img.Acks)
		if err != nil {
			return err
		}
		r.acks += int64(len(img.Acks))
		if verdict != shop.Well {
			r.wrong("%s, %s left of what was not synced at operation %d: %s", what, img.How, img.At, verdict)
		}
		return nil
	}
	if err := rec.Images(rnd, cuts, each); err != nil {
		return err
	}
	return each(rec.End("nothing"))
}

// full takes the disk's room away, and gives it back.
func (r *runner) full(ctx context.Context, s *scenario, what string, rnd *rand.Rand) error {
	return r.passing(ctx, s, what, rnd, func(d *faultfs.Disk, wait func(why string, match func(string) bool) bool) {
		d.Limit(d.Used() + int64(rnd.IntN(256<<10)))
		ok := wait("a full disk was not told", func(t string) bool { return strings.HasPrefix(t, "refused") }) &&
			wait("the shop calls itself ready on a full disk", func(t string) bool { return strings.HasPrefix(t, "watch false") }) &&
			wait("staff can't sign in on a full disk", func(t string) bool { return strings.HasPrefix(t, "watch false true true") })
		r.faults++
		d.Limit(0)
		if ok {
			wait("it is not ready when there is room again", func(t string) bool { return strings.HasPrefix(t, "watch true") })
		}
	})
}

// slow has every sync take long.
func (r *runner) slow(ctx context.Context, s *scenario, what string, rnd *rand.Rand) error {
	return r.passing(ctx, s, what, rnd, func(d *faultfs.Disk, wait func(why string, match func(string) bool) bool) {
		delay := time.Duration(100+rnd.IntN(1900)) * time.Millisecond
		d.Rules(faultfs.Rule{Calls: faultfs.CallSync, Delay: delay})
		if delay > time.Second { // twice what a caller waits for its turn
			wait("nobody was told that it takes too long", func(t string) bool { return strings.HasPrefix(t, "refused") })
		} else {
			wait("nothing was stored any more", func(t string) bool { return strings.HasPrefix(t, "order") })
		}
		r.faults++
		d.Rules()
	})
}

// passing runs a shop through a trouble that passes: it refuses with "overload" meanwhile, its pages can be read all the
// time, and it goes on by itself afterwards.
func (r *runner) passing(ctx context.Context, s *scenario, what string, rnd *rand.Rand, trouble func(*faultfs.Disk, func(string, func(string) bool) bool)) error {
	d, err := r.disk(s)
	if err != nil {
		return err
	}
	run, err := r.start(ctx, d, shop.Work{Seed: r.Seed + uint64(s.n), Hands: s.hands, Watch: 20 * time.Millisecond})
	if err != nil {
		return err
	}
	stop := make(chan struct{}) // closed when it hangs or has ended
	hung := time.AfterFunc(patient, func() { run.End() })
	defer hung.Stop()
	go func() {
		<-run.Ended
		close(stop)
	}()
	from := 0
	wait := func(why string, match func(string) bool) (ok bool) {
		hung.Reset(patient)
		if from, ok = d.WaitAck(from, match, stop); !ok {
			r.wrong("%s: %s", what, why)
		}
		return ok
	}
	stored := func(t string) bool { return strings.HasPrefix(t, "notice") }
	if wait("nothing was stored on a good disk", stored) {
		trouble(d, wait)
		wait("it does not go on by itself", stored)
	}
	gone := false
	select {
	case <-run.Ended: // on a disk that was cut off it may end by itself
		gone = true
	default:
	}
	rec := d.Cut()
	if code := run.End(); gone && code != shop.ExitKilled {
		r.wrong("%s: the shop ended by itself with %d: %s", what, code, run.Said())
	}
	if err := run.mounted.Close(); err != nil {
		return err
	}
	for _, e := range rec.Story() {
		words := strings.Fields(e.Text)
		switch {
		case e.Fault:
		case words[0] == "refused" && words[2] != "true" && words[2] != "503":
			r.wrong("%s: refused for another reason than too much work: %s", what, strings.TrimSpace(e.Text))
		case words[0] == "watch" && words[2] != "true":
			r.wrong("%s: the pages could not be read", what)
		}
	}
	return r.look(rec, rnd, 4, what)
}
