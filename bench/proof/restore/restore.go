// Package restore is the harness RESTORE: shops with random histories lose their disk at random points after random
// backups, and go on from the backup. The drills themselves are tests of the product; here they are repeated with other
// seeds, and with planted mistakes.
package restore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gage/bench/proof/harness"
)

// Harness is RESTORE.
func Harness() harness.Harness {
	return harness.Harness{
		Name: "restore", What: "restore backups of random moments into empty databases, and go on",
		Proves: []string{"R30", "R40"}, Defects: defects, Run: run,
	}
}

// drills are the tests to repeat.
var drills = []struct{ pkg, tests string }{
	{"app", "^(TestRestorePoints|TestTwoRestoresOfOneBackup)$"},
	{"db", "^(TestRestore|TestDumpWhileWritersRun)$"},
}

// pointsAtOnce is how many restore points one run of the drills has.
const pointsAtOnce = 10

func run(ctx context.Context, o harness.Options) (harness.Report, error) {
	var report harness.Report
	for _, d := range drills {
		if err := harness.BuildTest(ctx, o.Repo, filepath.Join(o.Work, d.pkg+".test"), "./"+d.pkg, o.Plant...); err != nil {
			return report, err
		}
	}
	var points, dumps int64
	for until := time.Now().Add(o.For); ; o.Seed += pointsAtOnce {
		for _, d := range drills {
			passed, failed, err := drill(ctx, o, d.pkg, d.tests)
			if err != nil {
				return report, err
			}
			points += int64(strings.Count(passed, "--- PASS: TestRestorePoints/"))
			dumps += int64(strings.Count(passed, "--- PASS: TestDumpWhileWritersRun/"))
			report.Violations = append(report.Violations, failed...)
		}
		fmt.Fprintf(o.Log, "restore: %d points, %d violations\n", points, len(report.Violations))
		if time.Now().After(until) || o.First && len(report.Violations) > 0 || ctx.Err() != nil {
			break
		}
	}
	report.Figures = []harness.Figure{{Name: "restore points", N: points}, {Name: "backups beside writers", N: 5 * dumps}}
	return report, ctx.Err()
}

// drill runs one program of tests. Each line that a test complains with is a violation.
func drill(ctx context.Context, o harness.Options, pkg, tests string) (passed string, failed []string, err error) {
	cmd := exec.CommandContext(ctx, filepath.Join(o.Work, pkg+".test"), "-test.v", "-test.run", tests, "-test.timeout", "10m")
	cmd.Dir = filepath.Join(o.Repo, pkg)
	cmd.Env = append(os.Environ(), fmt.Sprintf("GAGE_RESTORE_POINTS=%d", pointsAtOnce), fmt.Sprintf("GAGE_SEED=%d", o.Seed))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err == nil || !errors.As(err, &exit) {
		return string(out), nil, err
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "_test.go:") || strings.HasPrefix(line, "panic:") {
			failed = append(failed, fmt.Sprintf("seed %d, %s: %s", o.Seed, pkg, strings.TrimSpace(line)))
		}
	}
	if len(failed) == 0 && ctx.Err() == nil {
		failed = []string{fmt.Sprintf("seed %d, %s: %v", o.Seed, pkg, err)}
	}
	return string(out), failed, nil
}
