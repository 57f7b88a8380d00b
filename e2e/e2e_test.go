// Package e2e drives the demo in a real browser. The tests themselves are in JavaScript, beside this file: this one
// builds the binary, installs what they need and runs them, when asked.
package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestBrowser runs every test in tests/ against one build of the binary, and one whose clock can be moved. Two files run
// side by side, each with a shop and a browser of its own.
func TestBrowser(t *testing.T) {
	if os.Getenv("GAGE_E2E") != "1" {
		t.Skip("browser tests are skipped: they need Chromium and Node.js; ask for them with GAGE_E2E=1 go test ./e2e")
	}
	admin := filepath.Join(t.TempDir(), "admin")
	movable := admin + "-movable"
	command(t, nil, "go", "build", "-o", admin, "../cmd/admin")
	command(t, nil, "go", "build", "-tags", "movableclock", "-o", movable, "../cmd/admin")
	command(t, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	tests, err := filepath.Glob("tests/*.test.mjs")
	if err != nil || len(tests) == 0 {
		t.Fatalf("no browser tests: %v", err)
	}
	const longest = "tests/look.test.mjs" // begins first, so that it does not run alone at the end
	tests = slices.Insert(slices.DeleteFunc(tests, func(name string) bool { return name == longest }), 0, longest)
	args := append([]string{"--test", "--test-concurrency=2", "--test-reporter=spec"}, tests...)
	command(t, []string{"GAGE_ADMIN=" + admin, "GAGE_ADMIN_MOVABLE=" + movable}, "node", args...)
}

func command(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	t.Logf("%s %v\n%s", name, args, out)
}
