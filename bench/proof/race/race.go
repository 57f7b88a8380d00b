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

// wide is from which length on a run goes at full width.
const wide = 5 * time.Minute

func run(ctx context.Context, o harness.Options) (harness.Report, error) {
	var report harness.Report
	if _, err := exec.LookPath("gcc"); err != nil {
		report.Skipped = "the race detector needs gcc (Debian: apt-get install gcc libc6-dev)"
		return report, nil
	}
	for _, d := range races {
		t := harness.Target{Package: "./" + d.pkg, Out: filepath.Join(o.Work, d.pkg+".test"), Test: true, Race: true, Defects: o.Plant}
		if err := harness.BuildTarget(ctx, o.Repo, t); err != nil {
			return report, err
		}
	}
	reached := map[string]int64{}
	seed := o.Seed % (1 << 31) // the tests read small ones
	for until := time.Now().Add(o.For); ; seed++ {
		for _, d := range races {
			told, failed, err := once(ctx, o, d.pkg, d.tests, seed%(1<<31)+1)
			if err != nil {
				return report, err
			}
			for _, m := range figure.FindAllStringSubmatch(told, -1) {
				n, err := strconv.ParseInt(m[1], 10, 64)
				if err != nil {
					return report, err
				}
				reached[m[2]] += n
			}
			if n := strings.Count(told, noPostgres); n > 0 {
				reached["races SKIPPED without PostgreSQL"] += int64(n)
			}
			report.Violations = append(report.Violations, failed...)
			if o.First && len(failed) > 0 {
				return report, nil
			}
		}
		reached["rounds of all races"]++
		fmt.Fprintf(o.Log, "race: %d rounds, %d violations\n", reached["rounds of all races"], len(report.Violations))
		if time.Now().After(until) || ctx.Err() != nil {
			break
		}
	}
	for name, n := range reached {
		report.Figures = append(report.Figures, harness.Figure{Name: name, N: n})
	}
	slices.SortFunc(report.Figures, func(a, b harness.Figure) int { return strings.Compare(a.Name, b.Name) })
	return report, ctx.Err()
}

// noPostgres is what a test says that could not run on PostgreSQL: it counts as skipped, and the figures say so.
const noPostgres = "PostgreSQL is not installed here"

// figure is how a race tells how much of something it had.
var figure = regexp.MustCompile(`(?m)_test\.go:\d+: reached: (\d+) (.+)$`)

// once runs the races of one package. Each line that a test complains with is a violation, and so is a data race.
func once(ctx context.Context, o harness.Options, pkg, tests string, seed uint64) (told string, failed []string, err error) {
	cmd := exec.CommandContext(ctx, filepath.Join(o.Work, pkg+".test"), "-test.v", "-test.run", tests, "-test.timeout", "15m")
	cmd.Dir = filepath.Join(o.Repo, pkg)
	cmd.Env = append(os.Environ(), fmt.Sprintf("GAGE_SEED=%d", seed))
	for name, n := range scale(o.For >= wide) {
		cmd.Env = append(cmd.Env, fmt.Sprintf("GAGE_RACE_%s=%d", name, n))
	}
	out, err := cmd.CombinedOutput()
	told = string(out)
	for line := range strings.Lines(told) {
		complains := strings.Contains(line, "_test.go:") || strings.Contains(line, "dbtest.go:")
		if complains && !figure.MatchString(line) && !strings.Contains(line, noPostgres) ||
			strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "WARNING: DATA RACE") {
			failed = append(failed, fmt.Sprintf("seed %d, %s: %s", o.Seed, pkg, strings.TrimSpace(line)))
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
		failed = []string{fmt.Sprintf("seed %d, %s: %v", o.Seed, pkg, err)}
	}
	return told, failed[:min(len(failed), 5)], nil
}
