// Package hook is the harness that tries to be reached: addresses in every spelling, names whose answer changes,
// redirects, proxies and old TLS, against the client that tells the shop's own system. The tries are tests of the
// product; here they are run with other seeds for as long as there is time, and with planted mistakes.
package hook

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

// Harness is HOOK.
func Harness() harness.Harness {
	return harness.Harness{
		Name: "hook", What: "addresses, names, redirects, proxies and TLS that the client to the shop's own system must not fall for",
		Proves: []string{"S12", "S25", "S26"}, Defects: defects, Run: run,
	}
}

// atOnce is how many random addresses one run of the tests looks at.
const atOnce = 1_000_000

var reached = regexp.MustCompile(`_test\.go:\d+: reached: (\d+) addresses`)

func run(ctx context.Context, o harness.Options) (harness.Report, error) {
	var report harness.Report
	program := filepath.Join(o.Work, "hook.test")
	if err := harness.BuildTest(ctx, o.Repo, program, "./web/hook", o.Plant...); err != nil {
		return report, err
	}
	var rounds, addresses int64
	for until, seed := time.Now().Add(o.For), o.Seed; ; seed++ {
		cmd := exec.CommandContext(ctx, program, "-test.v", "-test.timeout", "5m")
		cmd.Dir = filepath.Join(o.Repo, "web", "hook")
		cmd.Env = append(os.Environ(), fmt.Sprintf("GAGE_ADDRESSES=%d", atOnce), fmt.Sprintf("GAGE_SEED=%d", seed))
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
			return report, errors.Join(err, ctx.Err())
		}
		rounds++
		if m := reached.FindSubmatch(out); m != nil {
			n, err := strconv.ParseInt(string(m[1]), 10, 64)
			if err != nil {
				return report, err
			}
			addresses += n
		}
		if err != nil {
			report.Violations = append(report.Violations, fmt.Sprintf("seed %d: %s", seed, complaint(string(out), err)))
		}
		fmt.Fprintf(o.Log, "hook: %d rounds, %d violations\n", rounds, len(report.Violations))
		if time.Now().After(until) || o.First && err != nil {
			break
		}
	}
	report.Figures = []harness.Figure{{Name: "rounds", N: rounds}, {Name: "random addresses", N: addresses}}
	return report, nil
}

// complaint is the first thing that a test said.
func complaint(out string, err error) string {
	for line := range strings.Lines(out) {
		if strings.Contains(line, "_test.go:") && !reached.MatchString(line) || strings.HasPrefix(line, "panic:") {
			return strings.TrimSpace(line)
		}
	}
	return err.Error()
}
