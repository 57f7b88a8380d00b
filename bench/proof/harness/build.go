package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Target says what to build.
type Target struct {
	Package string // such as ./cmd/admin
	Out     string // the binary
	Test    bool   // the package's tests instead of its program
	Race    bool   // with the race detector; needs cgo
	Fuzz    bool   // the tests, so that the fuzz engine sees which way its inputs go
	Defects []Defect
	Files   map[string]string // more or other files: path in the repository to text
}

// Build builds the program of a package with the defects planted and its crash points armed.
func Build(ctx context.Context, repo, out, pkg string, defects ...Defect) error {
	return BuildTarget(ctx, repo, Target{Package: pkg, Out: out, Defects: defects})
}

// BuildTest builds the tests of a package as a program, with the defects planted and the crash points armed.
func BuildTest(ctx context.Context, repo, out, pkg string, defects ...Defect) error {
	return BuildTarget(ctx, repo, Target{Package: pkg, Out: out, Test: true, Defects: defects})
}

// BuildTarget builds t by way of an overlay in a temporary folder: nothing in repo is touched.
func BuildTarget(ctx context.Context, repo string, t Target) (err error) {
	repo, err = filepath.Abs(repo)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "gage-overlay-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	texts, err := edited(repo, t.Defects)
	if err != nil {
		return err
	}
	for file, text := range t.Files {
		texts[file] = text
	}
	if err := arm(repo, texts); err != nil {
		return err
	}
	overlay, err := writeOverlay(repo, tmp, texts)
	if err != nil {
		return err
	}
	args := []string{"build"}
	if t.Test {
		args = []string{"test", "-c"}
	}
	if t.Race {
		args = append(args, "-race")
	}
	if t.Fuzz { // as -fuzz does, but for our own packages alone: whose are not, the engine would look at after each input
		args = append(args, "-gcflags=gage/...=-d=libfuzzer")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "-overlay", overlay, "-o", t.Out, t.Package)...)
	cmd.Dir, cmd.Env = repo, os.Environ()
	if t.Race {
		cmd.Env = append(cmd.Env, "CGO_ENABLED=1")
	}
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s with %s: %w\n%s", t.Package, names(t.Defects), err, said)
	}
	return nil
}

func names(defects []Defect) string {
	if len(defects) == 0 {
		return "no defect"
	}
	all := make([]string, len(defects))
	for i, d := range defects {
		all[i] = strconv.Quote(d.Name)
	}
	return strings.Join(all, ", ")
}

// Check says whether the defect still fits the source.
func (d Defect) Check(repo string) error {
	_, err := edited(repo, []Defect{d})
	return err
}

// edited gives the texts of the files that the defects change.
func edited(repo string, defects []Defect) (map[string]string, error) {
	texts := map[string]string{}
	for _, d := range defects {
		text, ok := texts[d.File]
		if !ok {
			raw, err := os.ReadFile(filepath.Join(repo, filepath.FromSlash(d.File)))
			if err != nil {
				return nil, fmt.Errorf("defect %q is stale: %w", d.Name, err)
			}
			text = string(raw)
		}
		if n := strings.Count(text, d.Old); n != 1 {
			return nil, fmt.Errorf("defect %q is stale: what it replaces stands %d times in %s, want once", d.Name, n, d.File)
		}
		if d.Old == d.New {
			return nil, fmt.Errorf("defect %q changes nothing", d.Name)
		}
		texts[d.File] = strings.Replace(text, d.Old, d.New, 1)
	}
	return texts, nil
}

// writeOverlay writes the texts into tmp, and the list of them that the go command reads.
func writeOverlay(repo, tmp string, texts map[string]string) (string, error) {
	replace := map[string]string{}
	for i, file := range slices.Sorted(maps.Keys(texts)) {
		to := filepath.Join(tmp, strconv.Itoa(i)+"-"+path.Base(file))
		if err := os.WriteFile(to, []byte(texts[file]), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(repo, filepath.FromSlash(file))] = to
	}
	raw, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list := filepath.Join(tmp, "overlay.json")
	return list, os.WriteFile(list, raw, 0o600)
}

// crashPoint is a line of its own in the product: a comment there, a place to die at in a harness's binary.
var crashPoint = regexp.MustCompile(`(?m)^[ \t]*// crash point: (.+)$`)

// CrashPoints lists the names of the crash points in the source, sorted. A name stands once.
func CrashPoints(repo string) ([]string, error) {
	var all []string
	where := map[string]string{}
	err := sources(repo, func(file, text string) error {
		for _, name := range CrashPointsIn(text) {
			if first, twice := where[name]; twice {
				return fmt.Errorf("crash point %q stands twice: in %s and in %s", name, first, file)
			}
			where[name] = file
			all = append(all, name)
		}
		return nil
	})
	slices.Sort(all)
	return all, err
}

// CrashPointsIn lists the names of the crash points in a text.
func CrashPointsIn(text string) []string {
	var all []string
	for _, m := range crashPoint.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// arm replaces every crash point by a call, and gives each package that has one the function that it calls.
func arm(repo string, texts map[string]string) error {
	return sources(repo, func(file, text string) error {
		if changed, ok := texts[file]; ok {
			text = changed
		}
		if !crashPoint.MatchString(text) {
			return nil
		}
		texts[file] = crashPoint.ReplaceAllString(text, `crashPoint("$1")`)
		texts[path.Join(path.Dir(file), "crashpoint_generated.go")] = "package " + packageOf(text) + crashPointFunc
		return nil
	})
}

var packageClause = regexp.MustCompile(`(?m)^package (\w+)`)

func packageOf(text string) string {
	if m := packageClause.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return "main"
}

// The environment of a binary with armed crash points.
const (
	CrashAt  = "GAGE_CRASH_AT"  // name of the point to die at
	CrashHit = "GAGE_CRASH_HIT" // at which passing of it, counted from 1; empty: the first
)

const crashPointFunc = `

import (
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
)

var crashPassed atomic.Int64

func crashPoint(name string) {
	if name != os.Getenv("` + CrashAt + `") {
		return
	}
	hit, _ := strconv.ParseInt(os.Getenv("` + CrashHit + `"), 10, 64)
	if crashPassed.Add(1) >= max(hit, 1) {
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
		select {}
	}
}
`

// sources calls f for every Go file of the product: no tests, nothing under bench or e2e.
func sources(repo string, f func(file, text string) error) error {
	return filepath.WalkDir(repo, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(repo, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			base := d.Name()
			if rel != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata" || rel == "bench" || rel == "e2e") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return f(rel, string(raw))
	})
}
