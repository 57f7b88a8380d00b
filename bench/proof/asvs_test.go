package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestASVSFaults: a list that leaves an item out, names a test that is not there, or calls met what nothing shows, fails
// the check, and so does a page that tells other numbers.
func TestASVSFaults(t *testing.T) {
	raw, err := os.ReadFile("../../" + asvsFile)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	by := map[string][]string{}
	for _, id := range requirementsIn(t) {
		by[id] = []string{"a test"}
	}
	look := func(list, page string) string {
		t.Helper()
		repo := t.TempDir()
		for name, text := range map[string]string{
			asvsFile: list, "docs/security.md": page, "docs/hook.md": "x", "docs/operations.md": "x", "docs/architecture.md": "x",
		} {
			at := filepath.Join(repo, name)
			if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, dir := range []string{"app", "web", "db", "hook", "cmd", "smartro"} {
			source, err := filepath.Abs("../../" + dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(source, filepath.Join(repo, dir)); err != nil {
				t.Fatal(err)
			}
		}
		faults, err := asvsFaults(repo, by)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(faults, "\n")
	}
	list := string(raw)
	if got := look(list, string(page)); got != "" {
		t.Fatalf("the list as it is: %s", got)
	}
	change := func(old, new string) string {
		t.Helper()
		if !strings.Contains(list, old) {
			t.Fatalf("the list has no %q", old)
		}
		return strings.Replace(list, old, new, 1)
	}
	first, rest, _ := strings.Cut(list, "\n")
	for name, c := range map[string]struct{ list, page, want string }{
		"an item left out":    {rest, string(page), "chapter V1 has 26 items, want 27"},
		"an item twice":       {first + "\n" + list, string(page), "stands twice"},
		"an item of no level": {change("\t1\tmet", "\t3\tmet"), string(page), "want an ID"},
		"no such item":        {change("V1.1.1\t", "V18.1.1\t"), string(page), "is no ID"},
		"no such test":        {change("web: TestRights", "web: TestWrongs"), string(page), "not there"},
		"no such ID":          {change("\tS11", "\tS111"), string(page), "not there"},
		"no such document":    {change("doc: hook.md", "doc: hooks.md"), string(page), "not there"},
		"met by nothing":      {change("\tS11\n", "\n"), string(page), "nothing shows it"},
		"another state":       {change("\tmet\t", "\tsurely\t"), string(page), "is no state"},
		"other numbers":       {list, strings.ReplaceAll(string(page), " met, ", " nearly met, "), "does not say"},
		"an unmet one hidden": {list, strings.ReplaceAll(string(page), "V11.4.1", "V11"), "does not say that V11.4.1"},
	} {
		if got := look(c.list, c.page); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q in it", name, got, c.want)
		}
	}
}

func requirementsIn(t *testing.T) (ids []string) {
	t.Helper()
	all, err := readRequirements(requirementsText)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		ids = append(ids, r.ID)
	}
	return ids
}
