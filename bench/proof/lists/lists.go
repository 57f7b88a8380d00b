// Package lists is the harness LISTS: files go out and come in. What people typed is written into spreadsheets and read
// back, and lists of the gateway's are brought, looked at and applied, again and again, on both databases. The tests
// are the product's; here they are repeated, and run with planted mistakes.
package lists

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gage/bench/proof/harness"
)

// Harness is LISTS.
func Harness() harness.Harness {
	return harness.Harness{
		Name: "lists", What: "write what people typed into spreadsheets, and apply the gateway's lists once and again",
		Proves: []string{"R9", "R18", "S10", "S27"}, Defects: defects, Run: run,
	}
}

// drills are the tests to repeat.
var drills = []struct{ pkg, tests string }{
	{"web/sheet", "^(TestNoFormulas|TestReadRefuses|TestReadLines|TestReadWorkbook)$"},
	{"app", "^(TestImport|TestImportOfWholePayments|TestImportGoesOn|TestImportTable)$"},
}

func run(ctx context.Context, o harness.Options) (harness.Report, error) {
	var report harness.Report
	for _, d := range drills {
		if err := harness.BuildTest(ctx, o.Repo, program(o, d.pkg), "./"+d.pkg, o.Plant...); err != nil {
			return report, err
		}
	}
	var files, imports int64
	for until := time.Now().Add(o.For); ; {
		for _, d := range drills {
			passed, failed, err := drill(ctx, o, d.pkg, d.tests)
			if err != nil {
				return report, err
			}
			files += int64(strings.Count(passed, "--- PASS: TestNoFormulas"))
			imports += int64(strings.Count(passed, "--- PASS: TestImport"))
			report.Violations = append(report.Violations, failed...)
		}
		fmt.Fprintf(o.Log, "lists: %d rounds of files, %d of imports, %d violations\n", files, imports, len(report.Violations))
		if time.Now().After(until) || o.First && len(report.Violations) > 0 || ctx.Err() != nil {
			break
		}
	}
	report.Figures = []harness.Figure{{Name: "rounds of written files", N: files}, {Name: "rounds of imports", N: imports}}
	return report, ctx.Err()
}

func program(o harness.Options, pkg string) string {
	return filepath.Join(o.Work, strings.ReplaceAll(pkg, "/", "-")+".test")
}

// drill runs one program of tests. Each line that a test complains with is a violation.
func drill(ctx context.Context, o harness.Options, pkg, tests string) (passed string, failed []string, err error) {
	cmd := exec.CommandContext(ctx, program(o, pkg), "-test.v", "-test.run", tests, "-test.timeout", "10m")
	cmd.Dir = filepath.Join(o.Repo, pkg)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err == nil || !errors.As(err, &exit) {
		return string(out), nil, err
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "_test.go:") || strings.HasPrefix(line, "panic:") {
			failed = append(failed, fmt.Sprintf("%s: %.300s", pkg, strings.TrimSpace(line)))
		}
	}
	if len(failed) == 0 && ctx.Err() == nil {
		failed = []string{fmt.Sprintf("%s: %v", pkg, err)}
	}
	return string(out), failed, nil
}
