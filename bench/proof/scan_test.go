package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gage/bench/proof/harness"
)

// source writes files into a fresh folder.
func source(t *testing.T, files map[string]string) string {
	t.Helper()
	repo := t.TempDir()
	for name, text := range files {
		path := filepath.Join(repo, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return repo
}

const goTests = `package shop

import "testing"

// TestPaid pays.
// proves R5, I6
func TestPaid(t *testing.T) { t.Log() }

// proves R7 I2
func FuzzNotice(f *testing.F) { f.Add(1) }

// proves R1: nothing is lost.
func TestWhole(t *testing.T) { t.Log() }

// TestLater proves R8 one day.
func TestLater(t *testing.T) { t.Log() }

// proves R9
func helper(t *testing.T) { t.Log() }

// proves R10
func TestNothing(t *testing.T) {}

// proves R11
func TestSkipped(t *testing.T) { t.Skip("not now"); t.Log() }

// proves R13

func TestApart(t *testing.T) {
	// proves R14
	t.Log("// proves R15")
}
`

const browserTests = `import test from "node:test";
// a lost return
// proves R5, R9
test("a lost return", async () => {});
test("no tag", async () => {});
// proves R6
const x = 1;
// this proves R7 somehow
test("in a sentence", async () => {});
// proves R8
`

// TestScan: a tag counts directly above a test that runs; any other is told.
func TestScan(t *testing.T) {
	repo := source(t, map[string]string{
		"shop/shop_test.go":           goTests,
		"shop/plan9_test.go":          "//go:build plan9\n\npackage shop\n\nimport \"testing\"\n\n// proves R16\nfunc TestPlan9(t *testing.T) { t.Log() }\n",
		"shop/race_test.go":           "//go:build race\n\npackage shop\n\nimport \"testing\"\n\n// proves R4\nfunc TestRace(t *testing.T) { t.Log() }\n",
		"shop/testdata/x_test.go":     "package x\n\n// proves R17\nfunc TestData() {}\n",
		"other/go.mod":                "module other\n",
		"other/x_test.go":             "package other\n\n// proves R18\nfunc TestOther() {}\n",
		"shop/shop.go":                "package shop\n\n// proves R19\nfunc TestNoTest() {}\n",
		"e2e/tests/buyer.test.mjs":    browserTests,
		"e2e/lib/walk.mjs":            "// proves R20\ntest(\"never run\", () => {});\n",
		"e2e/node_modules/a/test.mjs": "// proves R21\ntest(\"not ours\", () => {});\n",
	})
	proofs, faults, err := scan(repo)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range proofs {
		got = append(got, p.Name+" "+strings.Join(p.IDs, " "))
	}
	slices.Sort(got)
	want := []string{"browser: a lost return R5 R9", "shop: FuzzNotice R7 I2", "shop: TestPaid R5 I6", "shop: TestRace R4", "shop: TestWhole R1"}
	if !slices.Equal(got, want) {
		t.Errorf("proofs %q, want %q", got, want)
	}
	slices.Sort(faults)
	var where []string
	for _, f := range faults {
		at, _, _ := strings.Cut(f, ": ")
		where = append(where, at)
	}
	wantFaults := []string{
		"e2e/lib/walk.mjs:1", "e2e/tests/buyer.test.mjs:10", "e2e/tests/buyer.test.mjs:6", "e2e/tests/buyer.test.mjs:8",
		"shop/plan9_test.go:7", "shop/shop_test.go:15", "shop/shop_test.go:18", "shop/shop_test.go:21", "shop/shop_test.go:24",
		"shop/shop_test.go:27", "shop/shop_test.go:30",
	}
	if !slices.Equal(where, wantFaults) {
		t.Errorf("faults at %q, want %q:\n%s", where, wantFaults, strings.Join(faults, "\n"))
	}
}

// TestCheck: all proved and nothing wrong is well; a gap, an unknown ID, a stale defect and a harness without defects
// are not.
func TestCheck(t *testing.T) {
	wanted, err := readRequirements(requirementsText)
	if err != nil {
		t.Fatal(err)
	}
	if len(wanted) != 10+5+43+30 {
		t.Errorf("%d requirements: want I1 to I10, E1 to E5, R1 to R43, S1 to S30", len(wanted))
	}
	var ids []string
	for _, r := range wanted {
		ids = append(ids, r.ID)
	}
	unbuilt := "" // none is unbuilt any more: then nothing is to be tried
	for _, r := range wanted {
		if r.Part != nil && r.ID != "E5" {
			unbuilt = r.ID
		}
	}
	good := harness.Defect{Name: "double", File: "shop.go", Old: "n", New: "2*n"}
	stale := harness.Defect{Name: "gone", File: "shop.go", Old: "m", New: "2*m"}
	test := func(ids string) string {
		return "package shop\n\nimport \"testing\"\n\n// proves " + ids + "\nfunc TestAll(t *testing.T) { t.Log() }\n"
	}
	for name, c := range map[string]struct {
		tags    string
		h       harness.Harness
		ok      bool
		printed string
	}{
		"all":        {strings.Join(ids, ", "), harness.Harness{Name: "kill", Defects: []harness.Defect{good}}, true, "0 not proved, 0 of parts that are not built, 0 faults"},
		"harness":    {strings.Join(ids[1:], ", "), harness.Harness{Name: "kill", Proves: ids[:1], Defects: []harness.Defect{good}}, true, "I1   harness kill\n"},
		"gap":        {strings.Join(ids[1:], ", "), harness.Harness{Name: "kill", Defects: []harness.Defect{good}}, false, "I1   NOT PROVED: "},
		"unbuilt":    {strings.Join(without(ids, unbuilt), ", "), harness.Harness{Name: "kill", Defects: []harness.Defect{good}}, true, unbuiltLine(unbuilt)},
		"built now":  {strings.Join(without(ids, "E5"), ", "), harness.Harness{Name: "kill", Defects: []harness.Defect{good}}, false, "E5   NOT PROVED: "},
		"unknown":    {strings.Join(ids, ", ") + ", R44", harness.Harness{Name: "kill", Defects: []harness.Defect{good}}, false, "R44"},
		"stale":      {strings.Join(ids, ", "), harness.Harness{Name: "kill", Defects: []harness.Defect{stale}}, false, `"gone" is stale`},
		"no defects": {strings.Join(ids, ", "), harness.Harness{Name: "kill"}, false, "kill has no planted defect"},
	} {
		repo := source(t, map[string]string{"shop_test.go": test(c.tags), "shop.go": "package shop // n", "db/part.go": "package db // Mirror",
			"docs/asvs.tsv": asvsOfNothing(), "docs/security.md": asvsSaid()})
		var out strings.Builder
		ok, err := check(repo, []harness.Harness{c.h}, &out)
		if err != nil || ok != c.ok || !strings.Contains(out.String(), c.printed) {
			t.Errorf("%s: ok %t, %v, want %t and %q in:\n%s", name, ok, err, c.ok, c.printed, out.String())
		}
	}
}

func without(ids []string, id string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(other string) bool { return other == id })
}

func TestReadRequirementsRefuses(t *testing.T) {
	for _, bad := range []string{"R1 a\nR1 b\n", "no ID here\n", "X1 a\n", "R1 a | unbuilt as long as nothing matches (\n"} {
		if _, err := readRequirements(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// TestRecord: rows go to the end of their own table, and a cell can't break it.
func TestRecord(t *testing.T) {
	repo := source(t, map[string]string{"docs/keep": ""})
	for _, r := range []struct {
		section string
		row     []string
	}{
		{runsSection, []string{"one"}},
		{defectsSection, []string{"a|b\nc"}},
		{runsSection, []string{"two", "three"}},
	} {
		if err := record(repo, r.section, r.row); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(filepath.Join(repo, "docs", "proof.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	if !strings.Contains(text, "|---|\n| one |\n| two | three |\n\n"+defectsSection) || !strings.HasSuffix(text, "|---|\n| a/b c |\n") {
		t.Errorf("the record is:\n%s", text)
	}
	if _, err := withRow("# no section\n", runsSection, nil); err == nil {
		t.Error("a record without the section was taken")
	}
}

func unbuiltLine(id string) string {
	if id == "" {
		return "0 of parts that are not built"
	}
	return fmt.Sprintf("%-4s NOT BUILT: ", id)
}

// asvsOfNothing is a whole list of which nothing is of the program.
func asvsOfNothing() string {
	var b strings.Builder
	for chapter, n := range asvsItems {
		for i := range n {
			fmt.Fprintf(&b, "V%d.1.%d\t1\tn/a\tnothing\n", chapter, i+1)
		}
	}
	return b.String()
}

// asvsSaid is what the page on security says of it.
func asvsSaid() string {
	all := 0
	for _, n := range asvsItems {
		all += n
	}
	return fmt.Sprintf("%[1]d items: 0 met, 0 not met, %[1]d not of this program", all)
}
