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
	"strconv"
	"strings"
	"time"

	"gage/bench/proof/harness"
)

// Harness is SIM.
func Harness() harness.Harness {
	return harness.Harness{
		Name: "sim", What: "random histories of the whole shop: honest, lost, late, doubled, reordered and forged messages, cancels, restarts, clock steps",
		Proves: []string{
			"R2", "R5", "R7", "R8", "R10", "R11", "R13", "R14", "R17", "R18", "R37", "R41", "R42", "R43", "I2", "I3", "I4", "I5", "I6", "I7", "I8",
		},
		Defects: defects, Run: run,
	}
}

// atOnce is how many histories one run of the test walks.
const atOnce = 25

// seeds is how many different histories there are: the test reads 32 bits.
const seeds = 1 << 32

func run(ctx context.Context, o harness.Options) (harness.Report, error) {
	var report harness.Report
	program := filepath.Join(o.Work, "app.test")
	if err := harness.BuildTest(ctx, o.Repo, program, "./app", o.Plant...); err != nil {
		return report, err
	}
	var histories int64
	sums := make([]int64, len(counted))
	for until, seed := time.Now().Add(o.For), o.Seed%seeds; ; seed = (seed + atOnce) % seeds {
		said, failed, err := walk(ctx, o, program, seed)
		if err != nil {
			return report, err
		}
		report.Violations = append(report.Violations, failed...)
		for _, m := range walked.FindAllStringSubmatch(said, -1) {
			histories++
			for i := range counted {
				n, err := strconv.ParseInt(m[i+1], 10, 64)
				if err != nil {
					return report, err
				}
				sums[i] += n
			}
		}
		fmt.Fprintf(o.Log, "sim: %d histories, %d payments, %d violations\n", histories, sums[0], len(report.Violations))
		if time.Now().After(until) || o.First && len(report.Violations) > 0 || ctx.Err() != nil {
			break
		}
	}
	report.Figures = []harness.Figure{{Name: "histories", N: histories}}
	for i, name := range counted {
		report.Figures = append(report.Figures, harness.Figure{Name: name, N: sums[i]})
	}
	if histories == 0 && len(report.Violations) == 0 {
		return report, errors.Join(errors.New("sim: no history was walked"), ctx.Err())
	}
	return report, ctx.Err()
}

// walked is what the test says of a history that it walked to its end, and counted what it counts there.
var (
	walked  = regexp.MustCompile(`walked: (\d+) payments, (\d+) rows of the log, (\d+) records`)
	counted = []string{"simulated payments", "rows of the log verified", "records verified"}
)

// walk runs the test once. Each history that fails is a violation, told by its seed and the first complaint.
func walk(ctx context.Context, o harness.Options, program string, seed uint64) (said string, failed []string, err error) {
	cmd := exec.CommandContext(ctx, program, "-test.v", "-test.run", "^TestHistories$/^sqlite$", "-test.timeout", "10m")
	cmd.Dir = filepath.Join(o.Repo, "app")
	cmd.Env = append(os.Environ(), fmt.Sprintf("GAGE_HISTORIES=%d", atOnce), fmt.Sprintf("GAGE_SEED=%d", seed))
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
		failed = []string{fmt.Sprintf("seeds %d to %d: %v", seed, seed+atOnce-1, err)}
	}
	return string(out), failed, nil
}
