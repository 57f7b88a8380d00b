// Package sim is the harness SIM: the whole shop over a real store, against the simulated gateway and its faults, on a
// clock of its own, through random histories. The histories themselves are a test of the product; here they are walked
// with other seeds, as many as there is time for, and with planted mistakes.
package sim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gage/bench/proof/harness"
)

// Harness is SIM.
func Harness() harness.Harness {
	return harness.Harness{
		Name: "sim", What: "random histories of the whole shop: honest, lost, late, doubled, reordered and forged messages, cancels, cash receipts, restarts, clock steps",
		Proves: []string{
			"R2", "R5", "R7", "R8", "R10", "R11", "R13", "R14", "R17", "R18", "R28", "R35", "R37", "R41", "R42", "R43", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I10",
		},
		Defects: defects, Run: run,
	}
}

// width is how many histories a run of the test walks, and how many buyers take the ordinary way beside what each tells
// step by step; a third of the histories has none of them. A slice, and what is planted, wants many dense histories.
func width(span time.Duration) (histories uint64, buyers int) {
	if span < long {
		return 24, 1
	}
	return 6, 1200
}

// long is from which length on a run has many buyers.
const long = 5 * time.Minute

// seeds is how many different histories there are: the test reads 32 bits.
const seeds = 1 << 32

func run(ctx context.Context, o harness.Options) (harness.Report, error) {
	var report harness.Report
	program := filepath.Join(o.Work, "app.test")
	if err := harness.BuildTest(ctx, o.Repo, program, "./app", o.Plant...); err != nil {
		return report, err
	}
	t := tally{sums: make([]int64, len(counted))}
	var next atomic.Uint64
	next.Store(o.Seed)
	until := time.Now().Add(o.For)
	histories, buyers := width(o.For)
	var walkers sync.WaitGroup
	for range runtime.NumCPU() {
		walkers.Go(func() {
			for more := true; more; {
				said, failed, err := walk(ctx, o, program, (next.Add(histories)-histories)%seeds, histories, buyers)
				more = t.add(o, said, failed, err) && time.Now().Before(until) && ctx.Err() == nil
			}
		})
	}
	walkers.Wait()
	report.Violations = t.violations
	report.Figures = []harness.Figure{{Name: "histories", N: t.histories}}
	for i, name := range counted {
		report.Figures = append(report.Figures, harness.Figure{Name: name, N: t.sums[i]})
	}
	if t.histories == 0 && len(report.Violations) == 0 {
		t.err = errors.Join(t.err, errors.New("sim: no history was walked"))
	}
	return report, errors.Join(t.err, ctx.Err())
}

// tally is what all walkers reached.
type tally struct {
	mu         sync.Mutex
	histories  int64
	sums       []int64
	violations []string
	err        error
}

// add counts a run of the test. more: another one has a point.
func (t *tally) add(o harness.Options, said string, failed []string, err error) (more bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = errors.Join(t.err, err)
	t.violations = append(t.violations, failed...)
	for _, v := range failed { // whoever waits for a long run wants to look at it now
		fmt.Fprintln(o.Log, "sim: VIOLATION", v)
	}
	for _, m := range walked.FindAllStringSubmatch(said, -1) {
		t.histories++
		for i := range counted {
			n, err := strconv.ParseInt(m[i+1], 10, 64)
			t.sums[i] += n
			t.err = errors.Join(t.err, err)
		}
	}
	fmt.Fprintf(o.Log, "sim: %d histories, %d payments, %d violations\n", t.histories, t.sums[0], len(t.violations))
	return t.err == nil && (!o.First || len(t.violations) == 0)
}

// walked is what the test says of a history that it walked to its end, and counted what it counts there.
var (
	walked  = regexp.MustCompile(`walked: (\d+) payments, (\d+) rows of the log, (\d+) records`)
	counted = []string{"simulated payments", "rows of the log verified", "records verified"}
)

// walk runs the test once. Each history that fails is a violation, told by its seed and the first complaint.
func walk(ctx context.Context, o harness.Options, program string, seed, histories uint64, buyers int) (said string, failed []string, err error) {
	cmd := exec.CommandContext(ctx, program, "-test.v", "-test.run", "^TestHistories$/^sqlite$", "-test.timeout", "30m")
	cmd.Dir = filepath.Join(o.Repo, "app")
	cmd.Env = append(os.Environ(), fmt.Sprintf("GAGE_HISTORIES=%d", histories), fmt.Sprintf("GAGE_SEED=%d", seed), fmt.Sprintf("GAGE_BUYERS=%d", buyers),
		"GOMAXPROCS=1", "GOGC=off", "GOMEMLIMIT=768MiB") // each core has a walker of its own
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() { // what a power cut does to a disk is another harness's
		cmd.Env = append(cmd.Env, "TMPDIR=/dev/shm")
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err == nil || !errors.As(err, &exit) {
		return string(out), nil, err
	}
	name := ""
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "=== RUN   TestHistories/sqlite/"); ok {
			name = rest
		}
		if (strings.Contains(line, "_test.go:") || strings.HasPrefix(line, "panic:")) && !strings.Contains(line, "walked: ") && name != "" {
			failed = append(failed, fmt.Sprintf("%s: %.300s", name, line))
			name = "" // the rest tells how it came to that
		}
	}
	if len(failed) == 0 && ctx.Err() == nil {
		failed = []string{fmt.Sprintf("seeds %d to %d: %v", seed, seed+histories-1, err)}
	}
	return string(out), failed, nil
}
