package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"gage/bench/proof/harness"
)

//go:embed requirements.txt
var requirementsText string

// requirement is one line of the failure model.
type requirement struct{ ID, Text string }

var requirementLine = regexp.MustCompile(`^([IERS][0-9]+) (.+)$`)

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
		all = append(all, requirement{m[1], m[2]})
	}
	return all, nil
}

// proof is a test or harness that shows requirements.
type proof struct {
	Name string // where and what: db: TestKill
	IDs  []string
}

// check lists every requirement with its proofs and everything that is wrong. ok: each has one, and nothing is wrong.
func check(repo string, all []harness.Harness, w io.Writer) (ok bool, err error) {
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
	gaps := 0
	var out errWriter
	out.w = w
	for _, r := range wanted {
		list := by[r.ID]
		if len(list) == 0 {
			gaps++
			list = []string{"NOT PROVED: " + r.Text}
		}
		slices.Sort(list)
		out.printf("%-4s %s\n", r.ID, strings.Join(slices.Compact(list), "; "))
	}
	for _, f := range faults {
		out.printf("WRONG %s\n", f)
	}
	out.printf("%d requirements, %d not proved, %d faults\n", len(wanted), gaps, len(faults))
	return gaps == 0 && len(faults) == 0, out.err
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
