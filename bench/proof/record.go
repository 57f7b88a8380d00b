package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const recordFile = "docs/proof.md"

// The sections of the record, each with one table.
const (
	runsSection    = "## Runs"
	defectsSection = "## Planted defects"
)

const recordStart = `# What the harnesses reached

Written by ` + "`go run ./bench/proof -for DURATION NAME…`" + ` and ` + "`-defects -record`" + `; what each harness is, ` + "`-list`" + ` tells. A plus behind
the commit says that the source had been changed since. A seed replays the choices of its run.

` + runsSection + `

| Day | Harness | Took | Seed | Commit | Reached | Violations |
|---|---|---|---|---|---|---|

` + defectsSection + `

A harness that can't catch a mistake planted for it proves nothing. Each of these was built into the product and caught.

| Day | Harness | Defect | Took | Commit |
|---|---|---|---|---|
`

// record appends a row to the table of a section.
func record(repo, section string, row []string) error {
	path := filepath.Join(repo, filepath.FromSlash(recordFile))
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = []byte(recordStart), nil
	}
	if err != nil {
		return err
	}
	text, err := withRow(string(raw), section, row)
	if err != nil {
		return fmt.Errorf("%s: %w", recordFile, err)
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// withRow puts the row behind the last one of the section's table.
func withRow(text, section string, row []string) (string, error) {
	lines := strings.Split(text, "\n")
	at := slices.Index(lines, section)
	if at < 0 {
		return "", fmt.Errorf("no section %q", section)
	}
	last := -1
	for i := at + 1; i < len(lines) && !strings.HasPrefix(lines[i], "#"); i++ {
		if strings.HasPrefix(lines[i], "|") {
			last = i
		}
	}
	if last < 0 {
		return "", fmt.Errorf("no table in section %q", section)
	}
	cells := make([]string, len(row))
	for i, c := range row {
		cells[i] = strings.NewReplacer("|", "/", "\n", " ").Replace(c)
	}
	return strings.Join(slices.Insert(lines, last+1, "| "+strings.Join(cells, " | ")+" |"), "\n"), nil
}
