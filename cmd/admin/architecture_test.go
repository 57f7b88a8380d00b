package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport is who knows whom, as docs/architecture.md says it: every folder of the module, and all that it may
// import of the module and of others. "gage/..." and "*" are everything of ours and everything of others.
var mayImport = map[string][]string{
	"gage/smartro":         {"golang.org/x/text/..."},
	"gage/smartro/sandbox": {"gage/smartro", "github.com/xuri/excelize/..."},
	"gage/app":             {"gage/smartro", "golang.org/x/crypto/...", "golang.org/x/text/...", "github.com/pquerna/otp/...", "github.com/go-webauthn/webauthn/..."},
	"gage/app/apptest":     {"gage/app", "github.com/fxamacker/cbor/v2"},
	"gage/db":              {"gage/app", "gage/smartro", "*"},
	"gage/web/hook":        {"gage/app", "gage/smartro"},
	"gage/db/dbtest":       {"gage/app", "gage/db", "gage/smartro"},
	"gage/web":             {"gage/app", "gage/smartro", "gage/web/...", "*"},
	"gage/web/templates":   {"gage/web/static", "gage/web/text", "gage/web/view", "github.com/a-h/templ/..."},
	"gage/web/text":        {"golang.org/x/text/..."},
	"gage/web/view":        {"gage/web/text"},
	"gage/web/sheet":       {"github.com/xuri/excelize/...", "golang.org/x/text/..."},
	"gage/web/static":      {},
	"gage/cmd/admin":       {"gage/app", "gage/db", "gage/web/hook", "gage/smartro", "gage/smartro/sandbox", "gage/web", "gage/web/sheet", "*"},
	"gage/bench":           {},
	"gage/bench/attack":    {},
	"gage/bench/proof":     {"gage/bench/proof/..."},

	"gage/bench/proof/browser": {"gage/bench/proof/harness"},
	"gage/bench/proof/harness": {},
	"gage/bench/proof/cut":     {"gage/bench/proof/faultfs", "gage/bench/proof/harness", "gage/bench/proof/shop"},
	"gage/bench/proof/drive":   {"gage/app", "gage/db", "gage/smartro", "gage/web"},
	"gage/bench/proof/lists":   {"gage/bench/proof/harness"},
	"gage/bench/proof/restore": {"gage/bench/proof/harness"},
	"gage/bench/proof/faultfs": {"github.com/hanwen/go-fuse/v2/..."},
	"gage/bench/proof/race":    {"gage/bench/proof/harness"},
	"gage/bench/proof/sim":     {"gage/bench/proof/harness"},
	"gage/bench/proof/hook":    {"gage/bench/proof/harness"},
	"gage/bench/proof/fuzz":    {"gage/bench/proof/harness"},
	"gage/bench/proof/kill":    {"gage/app", "gage/bench/proof/harness", "gage/db", "gage/smartro", "gage/smartro/sandbox", "*"},
	"gage/bench/proof/iofault": {"gage/bench/proof/faultfs", "gage/bench/proof/harness", "gage/bench/proof/shop"},
	"gage/bench/proof/shop":    {"gage/bench/proof/faultfs", "gage/bench/proof/harness"},
	"gage/e2e":                 {},
	"gage/e2e/shots":           {},
}

// mayNot are packages of the standard library that a folder has no business with.
var mayNot = map[string][]string{
	"gage/smartro":         {"database/sql", "math/rand", "math/rand/v2", "os", "os/exec"},
	"gage/smartro/sandbox": {"database/sql", "os/exec"},
	"gage/app":             {"database/sql", "html/template", "net", "net/http", "net/http/httptest", "os", "os/exec"},
	"gage/db":              {"html/template", "net/http"},
	"gage/web/hook":        {"database/sql", "os", "os/exec"},
	"gage/web":             {"database/sql", "html/template", "os", "os/exec"},
	"gage/web/templates":   {"database/sql", "net/http", "os"},
	"gage/web/text":        {"net/http", "os"},
	"gage/web/view":        {"net/http", "os"},
}

// TestImportsPointOneWay fails on every arrow between folders that mayImport lacks. Tests are free: they stand on
// real parts, a real store under the shop for one.
func TestImportsPointOneWay(t *testing.T) {
	std := listed(t, "{{.ImportPath}}", "std")
	packages := listed(t, `{{.ImportPath}} {{join .Imports " "}}`, "gage/...")
	found := map[string]bool{}
	for _, line := range packages {
		from, imports, _ := strings.Cut(line, " ")
		found[from] = true
		allowed, known := mayImport[from]
		if !known {
			t.Errorf("%s is a new folder: say here and in docs/architecture.md what it may import", from)
		}
		for to := range strings.FieldsSeq(imports) {
			if _, ok := slices.BinarySearch(std, to); ok {
				if slices.Contains(mayNot[from], to) {
					t.Errorf("%s imports %s, which is not its business", from, to)
				}
				continue
			}
			if !slices.ContainsFunc(allowed, func(pattern string) bool { return covers(pattern, to) }) {
				t.Errorf("%s imports %s: docs/architecture.md has no such arrow", from, to)
			}
		}
	}
	for from := range mayImport {
		if !found[from] {
			t.Errorf("%s is not there any more: take its line away", from)
		}
	}
}

// covers says whether pattern, a path or one with "/..." behind it or "*" for all that is not ours, includes path.
func covers(pattern, path string) bool {
	if pattern == "*" {
		return !strings.HasPrefix(path, "gage/")
	}
	if root, all := strings.CutSuffix(pattern, "/..."); all {
		return path == root || strings.HasPrefix(path, root+"/")
	}
	return path == pattern
}

// listed are the lines that go list prints, sorted.
func listed(t *testing.T, format, packages string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", format, packages).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", packages, err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	return lines
}
