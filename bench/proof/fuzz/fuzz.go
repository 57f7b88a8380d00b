// Package fuzz is the harness FUZZ: it finds every fuzz target of the module by itself and lets them take turns until each
// has had a million executions, and on while there is time. What strangers send is read by their parsers; a target that fails is a violation.
// Go's engine draws by itself: a run is not replayed by its seed but by the input that it names.
package fuzz

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gage/bench/proof/harness"
)

// Harness is FUZZ.
func Harness() harness.Harness {
	return harness.Harness{
		Name: "fuzz", What: "inputs that nobody thought of, for every parser of what comes from outside",
		Proves:  []string{"S3", "S23", "S27"},
		Defects: defects, Run: run,
	}
}

// turn is how long a target runs at a time: longer than it takes to go through what was found before.
func turn(span time.Duration, targets int) time.Duration {
	return min(max(span*time.Duration(runtime.NumCPU())/time.Duration(max(targets, 1)), 2*time.Second), time.Minute)
}

// target is one fuzz function, in the program of its package's tests.
type target struct {
	name, pkg string // pkg as a folder of the repository
	program   string
	execs     int64
	turns     int
	busy      bool
	failed    bool
}

func run(ctx context.Context, o harness.Options) (harness.Report, error) {
	var report harness.Report
	all, err := build(ctx, o)
	if err != nil {
		return report, err
	}
	if only := os.Getenv("GAGE_FUZZ_ONLY"); only != "" { // a long run goes on where another ended
		want, err := regexp.Compile(only)
		if err != nil {
			return report, err
		}
		if all = slices.DeleteFunc(all, func(t *target) bool { return !want.MatchString(t.name) }); len(all) == 0 {
			return report, fmt.Errorf("GAGE_FUZZ_ONLY=%s names no target", only)
		}
	}
	q := queue{all: all, until: time.Now().Add(o.For), turn: turn(o.For, len(all)), first: o.First}
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Go(func() {
			for t := q.take(); t != nil && ctx.Err() == nil; t = q.take() {
				n, found, err := t.run(ctx, o, q.turn)
				q.put(t, n, found, err)
				fmt.Fprintf(o.Log, "fuzz: %s: %d executions\n", t.name, t.execs)
			}
		})
	}
	workers.Wait()
	if err := errors.Join(q.err, ctx.Err()); err != nil {
		return report, err
	}
	report.Violations, report.Figures = q.found, figures(all)
	return report, nil
}

// figures are the fewest executions of any target, and those of each.
func figures(all []*target) []harness.Figure {
	slices.SortFunc(all, func(a, b *target) int { return strings.Compare(a.name, b.name) })
	fewest := slices.MinFunc(all, func(a, b *target) int { return int(a.execs - b.execs) })
	list := []harness.Figure{{Name: "targets", N: int64(len(all))}, {Name: "executions of each at least", N: fewest.execs}}
	for _, t := range all {
		list = append(list, harness.Figure{Name: "of " + t.name, N: t.execs})
	}
	return list
}

// queue hands out turns.
type queue struct {
	mu    sync.Mutex
	all   []*target
	until time.Time
	turn  time.Duration
	first bool
	found []string
	err   error
}

// enough is how many executions a target has before one that has had fewer is always preferred.
const enough = 1_000_000

// before says whose turn comes first.
func (t *target) before(u *target) bool {
	if t.execs < enough != (u.execs < enough) {
		return t.execs < enough
	}
	return t.turns < u.turns
}

// take gives the next target its turn; nil when time is over. Every target has one turn.
func (q *queue) take() *target {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil || q.first && len(q.found) > 0 {
		return nil
	}
	var next *target
	for _, t := range q.all {
		if !t.busy && !t.failed && (next == nil || t.before(next)) {
			next = t
		}
	}
	if next == nil || next.turns > 0 && time.Now().After(q.until) {
		return nil
	}
	next.busy, next.turns = true, next.turns+1
	return next
}

func (q *queue) put(t *target, n int64, found string, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t.busy = false
	t.execs += n
	q.err = errors.Join(q.err, err)
	if found != "" {
		t.failed = true
		q.found = append(q.found, found)
	}
}

// holder is a test file that has a fuzz target.
var holder = regexp.MustCompile(`(?m)^func Fuzz\w*\(\w+ \*testing\.F\)`)

// packages are the folders of the repository with fuzz targets. Planted mistakes are looked for in their own package and
// in those that read with it.
func packages(repo string) ([]string, error) {
	var list []string
	err := filepath.WalkDir(repo, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != repo && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "bench") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(d.Name(), "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil || !holder.Match(text) {
			return err
		}
		pkg, err := filepath.Rel(repo, filepath.Dir(path))
		if !slices.Contains(list, pkg) {
			list = append(list, pkg)
		}
		return err
	})
	return list, err
}

// build makes the instrumented tests of each package and asks them for their targets.
func build(ctx context.Context, o harness.Options) ([]*target, error) {
	list, err := packages(o.Repo)
	if err != nil {
		return nil, err
	}
	if len(o.Plant) > 0 {
		list = slices.DeleteFunc(list, func(pkg string) bool {
			return !slices.ContainsFunc(o.Plant, func(d harness.Defect) bool { return filepath.Dir(d.File) == pkg })
		})
	}
	var all []*target
	for i, pkg := range list {
		t := harness.Target{Package: "./" + filepath.ToSlash(pkg), Out: filepath.Join(o.Work, strconv.Itoa(i)+".test"), Test: true, Fuzz: true, Defects: o.Plant}
		if err := harness.BuildTarget(ctx, o.Repo, t); err != nil {
			return nil, err
		}
		names, err := exec.CommandContext(ctx, t.Out, "-test.list", "^Fuzz").Output()
		if err != nil {
			return nil, fmt.Errorf("%s: list: %w", pkg, err)
		}
		for name := range strings.FieldsSeq(string(names)) {
			all = append(all, &target{name: name, pkg: pkg, program: t.Out})
		}
	}
	if len(all) == 0 {
		return nil, errors.New("fuzz: no target")
	}
	return all, nil
}

// executed is how the engine tells how far it is.
var executed = regexp.MustCompile(`execs: (\d+)`)

// run gives the target a turn in a folder of its own, so that a planted mistake leaves nothing behind. What grew of the
// corpus is kept where go test -fuzz keeps it; what fails the product becomes a test of the package.
func (t *target) run(ctx context.Context, o harness.Options, span time.Duration) (n int64, found string, err error) {
	dir, err := os.MkdirTemp(o.Work, "turn-")
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	pkg := filepath.Join(o.Repo, t.pkg)
	if err := os.CopyFS(filepath.Join(dir, "testdata"), os.DirFS(filepath.Join(pkg, "testdata"))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, "", err
	}
	corpus := filepath.Join(o.Work, "corpus", t.pkg)
	if len(o.Plant) == 0 {
		cache, err := exec.CommandContext(ctx, "go", "env", "GOCACHE").Output()
		if err != nil {
			return 0, "", err
		}
		corpus = filepath.Join(strings.TrimSpace(string(cache)), "fuzz", "gage", t.pkg)
	}
	// The turn ends as a person ends it, by an interrupt: at the end of -test.fuzztime the engine now and then fails a target
	// that has found nothing, "context deadline exceeded" (go.dev/issue/75804).
	over, cancel := context.WithTimeout(ctx, span)
	defer cancel()
	cmd := exec.CommandContext(over, t.program, "-test.run", "^$", "-test.fuzz", "^"+t.name+"$",
		"-test.fuzzminimizetime", "1x", "-test.parallel", "1", "-test.fuzzcachedir", corpus)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute // an input that hangs is a finding
	cmd.Dir = dir
	raw, err := cmd.CombinedOutput()
	said := string(raw)
	if m := executed.FindAllStringSubmatch(said, -1); m != nil {
		if n, err = strconv.ParseInt(m[len(m)-1][1], 10, 64); err != nil {
			return 0, "", err
		}
	}
	if cmd.ProcessState.Success() || ctx.Err() != nil {
		return n, "", nil
	}
	return n, t.complaint(said), t.keep(o, dir)
}

// complaint is the first line that tells what went wrong.
func (t *target) complaint(said string) string {
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "_test.go:") || strings.HasPrefix(line, "panic:") {
			return fmt.Sprintf("%s: %.300s", t.name, line)
		}
	}
	return fmt.Sprintf("%s: %.600s", t.name, said[max(0, len(said)-600):])
}

// keep puts the inputs that failed among the package's tests, where each go test tries them again.
func (t *target) keep(o harness.Options, dir string) error {
	from := filepath.Join(dir, "testdata", "fuzz", t.name)
	list, err := os.ReadDir(from)
	if len(o.Plant) > 0 || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	to := filepath.Join(o.Repo, t.pkg, "testdata", "fuzz", t.name)
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, e := range list {
		raw, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, e.Name()), raw, 0o644); err != nil {
			return err
		}
	}
	return nil
}
