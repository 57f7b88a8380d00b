// Package browser is the harness BR: a real Chromium does what buyers, staff and those who must be kept out do, against
// the binary itself. The walks are the browser tests of e2e; here they are repeated with other payloads for as long as
// there is time, and with planted mistakes.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gage/bench/proof/harness"
)

// Harness is BR.
func Harness() harness.Harness {
	return harness.Harness{
		Name: "browser", What: "a real browser as buyer, as staff and as who must be kept out",
		Proves:  []string{"R5", "R6", "R11", "R16", "S7", "S9", "S14", "S18", "I4"},
		Defects: defects, Run: run,
	}
}

// walks are the tests of e2e that show what is asked of this harness; those of the look and of the README are not here.
var walks = []string{"tests/keepout.test.mjs", "tests/buyer.test.mjs", "tests/staff.test.mjs"}

// mostPerWalk ends a file of tests that hangs: that is an error of the tests.
const mostPerWalk = time.Hour

// How many texts that want to run are typed in one round: a handful, or what the failure model names.
const (
	fewPayloads  = 12
	manyPayloads = 2000
	// wide is from which length on a run types that many.
	wide = 20 * time.Minute
)

func run(ctx context.Context, o harness.Options) (harness.Report, error) {
	var report harness.Report
	for _, need := range []string{"node", "npm", chromium()} {
		if _, err := exec.LookPath(need); err != nil {
			report.Skipped = "it needs " + need + " (Debian: apt-get install chromium nodejs npm)"
			return report, nil
		}
	}
	admin := filepath.Join(o.Work, "admin")
	if err := harness.Build(ctx, o.Repo, admin, "./cmd/admin", o.Plant...); err != nil {
		return report, err
	}
	if err := driver(ctx, o.Repo); err != nil {
		return report, err
	}
	payloads := fewPayloads
	if o.For >= wide {
		payloads = manyPayloads
	}
	reached := map[string]int64{}
	for until, round := time.Now().Add(o.For), uint64(0); ; round++ {
		// Two thousand once: the rounds after it are for the walks.
		if round > 0 {
			payloads = fewPayloads
		}
		for _, walk := range walks {
			said, err := once(ctx, o, admin, walk, payloads, o.Seed%(1<<31)+round)
			if err != nil {
				return report, err
			}
			count(reached, said)
			report.Violations = append(report.Violations, failures(said, o.Seed)...)
			if o.First && len(report.Violations) > 0 {
				return report, nil
			}
			if ctx.Err() != nil {
				return report, ctx.Err()
			}
		}
		fmt.Fprintf(o.Log, "browser: %d rounds, %d violations\n", round+1, len(report.Violations))
		if time.Now().After(until) {
			break
		}
	}
	report.Figures = harness.Figures(reached)
	return report, nil
}

func chromium() string {
	if path := os.Getenv("GAGE_CHROMIUM"); path != "" {
		return path
	}
	return "/usr/bin/chromium"
}

// driver installs what the tests drive the browser with, as their own runner does.
func driver(ctx context.Context, repo string) error {
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = filepath.Join(repo, "e2e")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, said)
	}
	return nil
}

// once runs one file of tests. That tests fail is no error: it is what they say.
func once(ctx context.Context, o harness.Options, admin, walk string, payloads int, seed uint64) (said string, err error) {
	ctx, stop := context.WithTimeout(ctx, mostPerWalk)
	defer stop()
	cmd := exec.CommandContext(ctx, "node", "--test", "--test-reporter=tap", walk)
	cmd.Dir = filepath.Join(o.Repo, "e2e")
	cmd.Env = append(os.Environ(), "GAGE_ADMIN="+admin, fmt.Sprintf("GAGE_PAYLOADS=%d", payloads), fmt.Sprintf("GAGE_SEED=%d", seed))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return string(out), err
	}
	if !strings.Contains(string(out), "\n# tests ") {
		return string(out), fmt.Errorf("%s was not run to its end:\n%s", walk, out)
	}
	return string(out), nil
}

var (
	passed = regexp.MustCompile(`(?m)^ok \d+ - `)
	failed = regexp.MustCompile(`(?ms)^not ok \d+ - ([^\n]+)\n.*?  error: (?:\|-\n +)?([^\n]+)`)
	figure = regexp.MustCompile(`(?m)^# reached: (\d+) (.+)$`)
)

func count(reached map[string]int64, said string) {
	reached["browser tests passed"] += int64(len(passed.FindAllString(said, -1)))
	for _, m := range figure.FindAllStringSubmatch(said, -1) {
		n, _ := strconv.ParseInt(m[1], 10, 64) // the expression lets digits through alone; what overflows counts as nothing
		reached[m[2]] += n
	}
}

func failures(said string, seed uint64) (list []string) {
	for _, m := range failed.FindAllStringSubmatch(said, -1) {
		list = append(list, fmt.Sprintf("seed %d: %s: %s", seed, m[1], strings.Trim(m[2], "'")))
	}
	return list
}
