// Package race is the harness that lets everything happen at once: notices, returns, cancels, several windows, readers
// and several processes, under Go's race detector, over real stores. The races themselves are tests of the product, named
// TestRace… and small in a plain go test; here they are run at full width with other seeds, and with planted mistakes.
package race

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gage/bench/proof/harness"
)

// Harness is RACE.
func Harness() harness.Harness {
	return harness.Harness{
		Name: "race", What: "notices, returns, cancels, windows, readers and processes all at once, under the race detector",
		Proves:  []string{"R4", "R6", "R7", "R8", "R11", "R13", "R16", "R31", "I1", "I2", "I3", "I6", "I8"},
		Defects: defects, Run: run,
	}
}

// races are the tests to run, by package.
var races = []struct{ pkg, tests string }{
	{"web", "^TestRace"},
	{"app", "^(TestRace.*|TestOneTransactionForTwoOrders|TestEveryOrder)$"},
	{"db", "^(TestRace.+|TestJobs)$"},
}

// widest are the races that are too wide for the detector, which makes everything ten times slower: in a long run they
// are run without it, on the store that most shops have.
var widest = []struct{ pkg, tests string }{
	{"web", "^TestRaceNotices$/^sqlite$"},
	{"app", "^TestRaceCancels$/^sqlite$"},
}

// scale is the width of a race: fast, for a slice and for planted mistakes, and full, of what the failure model names.
func scale(full bool) map[string]int {
	if full {
		return map[string]int{
			"WORKERS": 200, "COPIES": 50, "NOTICES": 20, "RETURNS": 1000, "CALLERS": 500, "ROUNDS": 4, "ORDERS": 40,
			"WRITERS": 16, "WRITES": 40, "THINGS": 200,
		}
	}
	return map[string]int{
		"WORKERS": 50, "COPIES": 10, "NOTICES": 4, "RETURNS": 100, "CALLERS": 100, "ROUNDS": 3, "ORDERS": 12, "WRITERS": 8, "WRITES": 10, "THINGS": 40,
	}
}

// widestScale is the width of one round of the widest.
func widestScale() map[string]int {
	return map[string]int{"WORKERS": 200, "COPIES": 50, "NOTICES": 2500, "CALLERS": 500, "ROUNDS": 320}
}

// wide is from which length on a run goes at full width.
const wide = 5 * time.Minute

func run(ctx context.Context, o harness.Options) (harness.Report, error) {
	r := runner{o: o, reached: map[string]int64{}, built: map[string]bool{}}
	if _, err := exec.LookPath("gcc"); err != nil {
		r.report.Skipped = "the race detector needs gcc (Debian: apt-get install gcc libc6-dev)"
		return r.report, nil
	}
	full, until := o.For >= wide, time.Now().Add(o.For)
	for round := uint64(0); ; round++ {
		seed := (o.Seed+round)%(1<<31) + 1 // the tests read small ones
		over := time.Now().After(until)
		if full {
			for _, d := range widest {
				if err := r.once(ctx, d.pkg, d.tests, false, widestScale(), ", without the detector", seed); err != nil {
					return r.report, err
				}
			}
		}
		if !full || over { // the detector's round ends a long run
			for _, d := range races {
				if err := r.once(ctx, d.pkg, d.tests, len(o.Plant) == 0, scale(full), "", seed); err != nil || r.caught() {
					return r.report, err
				}
			}
			r.reached["rounds of all races"]++
		}
		fmt.Fprintf(o.Log, "race: %d rounds, %d violations, %v\n", round+1, len(r.report.Violations), r.reached)
		if over || !full && time.Now().After(until) || ctx.Err() != nil {
			break
		}
	}
	for name, n := range r.reached {
		r.report.Figures = append(r.report.Figures, harness.Figure{Name: name, N: n})
	}
	slices.SortFunc(r.report.Figures, func(a, b harness.Figure) int { return strings.Compare(a.Name, b.Name) })
	return r.report, ctx.Err()
}

// runner is a run as far as it has come.
type runner struct {
	o       harness.Options
	report  harness.Report
	reached map[string]int64
	built   map[string]bool // programs, by path
}

// caught says whether there is a violation and more are not asked for.
func (r *runner) caught() bool { return r.o.First && len(r.report.Violations) > 0 }

// program builds the tests of a package, once. What is planted is caught by what comes of it, without the detector.
func (r *runner) program(ctx context.Context, pkg string, detector bool) (string, error) {
	t := harness.Target{Package: "./" + pkg, Out: filepath.Join(r.o.Work, pkg+".test"), Test: true, Race: detector, Defects: r.o.Plant}
	if detector {
		t.Out = filepath.Join(r.o.Work, pkg+"-race.test")
	}
	if r.built[t.Out] {
		return t.Out, nil
	}
	r.built[t.Out] = true
	return t.Out, harness.BuildTarget(ctx, r.o.Repo, t)
}

// noPostgres is what a test says that could not run on PostgreSQL: it counts as skipped, and the figures say so.
const noPostgres = "PostgreSQL is not installed here"

// figure is how a race tells how much of something it had.
var figure = regexp.MustCompile(`(?m)_test\.go:\d+: reached: (\d+) (.+)$`)

// once runs the races of one package and adds up what they reached.
func (r *runner) once(ctx context.Context, pkg, tests string, detector bool, width map[string]int, how string, seed uint64) error {
	program, err := r.program(ctx, pkg, detector)
	if err != nil {
		return err
	}
	told, failed, err := r.tests(ctx, program, pkg, tests, width, seed)
	if err != nil {
		return err
	}
	for _, m := range figure.FindAllStringSubmatch(told, -1) {
		n, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			return err
		}
		r.reached[m[2]+how] += n
	}
	if n := strings.Count(told, noPostgres); n > 0 {
		r.reached["races SKIPPED without PostgreSQL"] += int64(n)
	}
	for _, v := range failed {
		fmt.Fprintln(r.o.Log, "race: VIOLATION", v)
	}
	r.report.Violations = append(r.report.Violations, failed...)
	return nil
}

// tests runs a program of tests. Each line that a test complains with is a violation, and so is a data race.
func (r *runner) tests(ctx context.Context, program, pkg, tests string, width map[string]int, seed uint64) (told string, failed []string, err error) {
	cmd := exec.CommandContext(ctx, program, "-test.v", "-test.run", tests, "-test.timeout", "60m")
	cmd.Dir = filepath.Join(r.o.Repo, pkg)
	cmd.Env = append(os.Environ(), fmt.Sprintf("GAGE_SEED=%d", seed))
	for name, n := range width {
		cmd.Env = append(cmd.Env, fmt.Sprintf("GAGE_RACE_%s=%d", name, n))
	}
	out, err := cmd.CombinedOutput()
	told = string(out)
	for line := range strings.Lines(told) {
		complains := strings.Contains(line, "_test.go:") || strings.Contains(line, "dbtest.go:")
		if complains && !figure.MatchString(line) && !strings.Contains(line, noPostgres) ||
			strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "WARNING: DATA RACE") {
			failed = append(failed, fmt.Sprintf("seed %d, %s: %s", r.o.Seed, pkg, strings.TrimSpace(line)))
		}
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return told, nil, nil
	case !errors.As(err, &exit):
		return told, nil, err
	case ctx.Err() != nil:
		return told, nil, ctx.Err()
	case len(failed) == 0:
		failed = []string{fmt.Sprintf("seed %d, %s: %v", r.o.Seed, pkg, err)}
	}
	return told, failed[:min(len(failed), 5)], nil
}
