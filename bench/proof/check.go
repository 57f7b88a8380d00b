package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gage/bench/proof/harness"
)

//go:embed requirements.txt
var requirementsText string

// requirement is one line of the failure model.
type requirement struct {
	ID, Text string
	Part     *regexp.Regexp // words of the part that it asks something of, as long as that may be missing; nil: it is there
}

var requirementLine = regexp.MustCompile(`^([IERS][0-9]+) (.+?)(?: \| unbuilt as long as nothing matches (.+))?$`)

func readRequirements(text string) ([]requirement, error) {
	var all []requirement
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := requirementLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("requirements.txt: %q has no ID", line)
		}
		if slices.ContainsFunc(all, func(r requirement) bool { return r.ID == m[1] }) {
			return nil, fmt.Errorf("requirements.txt: %s stands twice", m[1])
		}
		r := requirement{ID: m[1], Text: m[2]}
		if m[3] != "" {
			var err error
			if r.Part, err = regexp.Compile(m[3]); err != nil {
				return nil, fmt.Errorf("requirements.txt: %s: %w", r.ID, err)
			}
		}
		all = append(all, r)
	}
	return all, nil
}

// proof is a test or harness that shows requirements.
type proof struct {
	Name string // where and what: db: TestKill
	IDs  []string
}

// check lists every requirement with its proofs and everything that is wrong, in the lists as well that others make of
// the proofs. ok: each requirement has one, and nothing is wrong.
func check(repo string, all []harness.Harness, w io.Writer, others ...func(repo string, by map[string][]string) ([]string, error)) (ok bool, err error) {
	wanted, err := readRequirements(requirementsText)
	if err != nil {
		return false, err
	}
	proofs, faults, err := scan(repo)
	if err != nil {
		return false, err
	}
	for _, h := range all {
		proofs = append(proofs, proof{"harness " + h.Name, h.Proves})
		faults = append(faults, harnessFaults(repo, h)...)
	}
	if _, err := harness.CrashPoints(repo); err != nil {
		faults = append(faults, err.Error())
	}
	by := map[string][]string{}
	for _, p := range proofs {
		for _, id := range p.IDs {
			if !slices.ContainsFunc(wanted, func(r requirement) bool { return r.ID == id }) {
				faults = append(faults, fmt.Sprintf("%s proves %s, which is no requirement", p.Name, id))
			}
			by[id] = append(by[id], p.Name)
		}
	}
	for _, other := range others {
		more, err := other(repo, by)
		if err != nil {
			return false, err
		}
		faults = append(faults, more...)
	}
	gaps, unbuilt := 0, 0
	var out errWriter
	out.w = w
	for _, r := range wanted {
		list := by[r.ID]
		if len(list) == 0 {
			where, err := built(repo, r.Part)
			if err != nil {
				return false, err
			}
			if where == "" {
				unbuilt++
				list = []string{"NOT BUILT: " + r.Text}
			} else {
				gaps++
				list = []string{"NOT PROVED: " + r.Text + where}
			}
		}
		slices.Sort(list)
		out.printf("%-4s %s\n", r.ID, strings.Join(slices.Compact(list), "; "))
	}
	for _, f := range faults {
		out.printf("WRONG %s\n", f)
	}
	out.printf("%d requirements, %d not proved, %d of parts that are not built, %d faults\n", len(wanted), gaps, unbuilt, len(faults))
	return gaps == 0 && len(faults) == 0, out.err
}

// built says where the product has the part of a requirement; empty: nowhere. A requirement without a part is of all.
func built(repo string, part *regexp.Regexp) (where string, err error) {
	if part == nil {
		return " ", nil
	}
	for _, dir := range []string{"app", "cmd", "db", "smartro", "web"} {
		err := filepath.WalkDir(filepath.Join(repo, dir), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || d.IsDir() || where != "" || strings.HasSuffix(path, "_test.go") || !slices.Contains([]string{".go", ".sql", ".templ"}, filepath.Ext(path)) {
				return err
			}
			text, err := os.ReadFile(path)
			if err == nil && part.Match(text) {
				where = fmt.Sprintf(" (%s has %q)", path, part.Find(text))
			}
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return where, nil
}

// harnessFaults says why a harness would be no proof.
func harnessFaults(repo string, h harness.Harness) []string {
	var faults []string
	if len(h.Defects) == 0 {
		faults = append(faults, fmt.Sprintf("harness %s has no planted defect that it must catch", h.Name))
	}
	for _, d := range h.Defects {
		if err := d.Check(repo); err != nil {
			faults = append(faults, fmt.Sprintf("harness %s: %v", h.Name, err))
		}
	}
	return faults
}

// errWriter prints until the first error.
type errWriter struct {
	w   io.Writer
	err error
}

func (e *errWriter) printf(format string, args ...any) {
	if e.err == nil {
		_, err := fmt.Fprintf(e.w, format, args...)
		e.err = errors.Join(e.err, err)
	}
}
