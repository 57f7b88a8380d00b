package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// asvsFile lists every item of OWASP's ASVS 5.0.0 of the levels 1 and 2, one a line: its ID, its level, whether it is
// met, unmet or not of this program (n/a), a few words of our own, and what shows it: IDs of the failure model, tests
// ("web: TestRights") and documents ("doc: hook.md"), with semicolons between them.
const asvsFile = "docs/asvs.tsv"

// asvsItems is how many items each chapter has on the two levels, so that none can be left out.
var asvsItems = [...]int{1: 27, 2: 11, 3: 19, 4: 10, 5: 9, 6: 35, 7: 18, 8: 7, 9: 7, 10: 29, 11: 14, 12: 9, 13: 13, 14: 9, 15: 13, 16: 16, 17: 7}

// asvsItem is a line of the list.
type asvsItem struct {
	ID, State string
	Shown     []string
}

var asvsID = regexp.MustCompile(`^V([1-9][0-9]?)\.[1-9][0-9]?\.[1-9][0-9]?$`)

// readASVS reads the list. faults are lines that are none, and items that are missing.
func readASVS(text string) (items []asvsItem, faults []string) {
	var seen [len(asvsItems)]int
	for n, line := range strings.Split(strings.TrimSpace(text), "\n") {
		bad := func(format string, args ...any) {
			faults = append(faults, fmt.Sprintf("%s:%d: %s", asvsFile, n+1, fmt.Sprintf(format, args...)))
		}
		cells := strings.Split(line, "\t")
		if len(cells) < 4 || len(cells) > 5 || strings.TrimSpace(cells[3]) == "" || cells[1] != "1" && cells[1] != "2" {
			bad("want an ID, 1 or 2, a state, words, and what shows it")
			continue
		}
		m := asvsID.FindStringSubmatch(cells[0])
		chapter := 0
		if m != nil {
			chapter, _ = strconv.Atoi(m[1]) // it is digits
		}
		if chapter == 0 || chapter >= len(asvsItems) {
			bad("%q is no ID", cells[0])
			continue
		}
		if slices.ContainsFunc(items, func(i asvsItem) bool { return i.ID == cells[0] }) {
			bad("%s stands twice", cells[0])
			continue
		}
		seen[chapter]++
		item := asvsItem{ID: cells[0], State: cells[2]}
		if len(cells) == 5 {
			for part := range strings.SplitSeq(cells[4], ";") {
				item.Shown = append(item.Shown, strings.TrimSpace(part))
			}
		}
		switch {
		case item.State == "met" && len(item.Shown) == 0:
			bad("%s is met, and nothing shows it", item.ID)
		case item.State == "n/a" && len(item.Shown) > 0:
			bad("%s is not of this program, and something shows it", item.ID)
		case item.State != "met" && item.State != "unmet" && item.State != "n/a":
			bad("%q is no state", item.State)
		}
		items = append(items, item)
	}
	for chapter, want := range asvsItems {
		if seen[chapter] != want {
			faults = append(faults, fmt.Sprintf("%s: chapter V%d has %d items, want %d", asvsFile, chapter, seen[chapter], want))
		}
	}
	return items, faults
}

// asvsFaults says what is wrong with the list: with itself, with what it names, and with what docs/security.md says of it.
// by are the proofs of each ID of the failure model.
func asvsFaults(repo string, by map[string][]string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(repo, filepath.FromSlash(asvsFile)))
	if err != nil {
		return nil, err
	}
	items, faults := readASVS(string(text))
	count := map[string]int{}
	page, err := os.ReadFile(filepath.Join(repo, "docs", "security.md"))
	if err != nil {
		return nil, err
	}
	for _, i := range items {
		count[i.State]++
		if i.State == "unmet" && !strings.Contains(string(page), i.ID) {
			faults = append(faults, fmt.Sprintf("docs/security.md does not say that %s is unmet", i.ID))
		}
		for _, what := range i.Shown {
			ok, err := shows(repo, by, what)
			if err != nil {
				return nil, err
			}
			if !ok {
				faults = append(faults, fmt.Sprintf("%s: %s is shown by %s, which is not there or not proved", asvsFile, i.ID, what))
			}
		}
	}
	said := fmt.Sprintf("%d items: %d met, %d not met, %d not of this program", len(items), count["met"], count["unmet"], count["n/a"])
	if !strings.Contains(string(page), said) {
		faults = append(faults, fmt.Sprintf("docs/security.md does not say %q", said))
	}
	return faults, nil
}

var (
	requirementID = regexp.MustCompile(`^[IERS][0-9]+$`)
	namedTest     = regexp.MustCompile(`^([a-z/]+): ((?:Test|Fuzz)[A-Za-z0-9]+)$`)
)

// shows says whether there is what an item names.
func shows(repo string, by map[string][]string, what string) (bool, error) {
	if requirementID.MatchString(what) {
		return len(by[what]) > 0, nil
	}
	if name, ok := strings.CutPrefix(what, "doc: "); ok {
		_, err := os.Stat(filepath.Join(repo, "docs", name))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	}
	m := namedTest.FindStringSubmatch(what)
	if m == nil {
		return false, nil
	}
	files, err := filepath.Glob(filepath.Join(repo, filepath.FromSlash(m[1]), "*_test.go"))
	if err != nil {
		return false, err
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return false, err
		}
		if strings.Contains(string(raw), "\nfunc "+m[2]+"(") {
			return true, nil
		}
	}
	return false, nil
}
