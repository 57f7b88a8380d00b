package harness

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// product writes a small program with two crash points and returns its root.
func product(t *testing.T) string {
	t.Helper()
	repo := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module product\n\ngo 1.26\n",
		"main.go": `package main

import (
	"fmt"
	"product/till"
)

func main() {
	for range 3 {
		// crash point: before the till
		till.Add(1)
	}
	fmt.Print(till.Sum())
}
`,
		"till/till.go": `package till

var sum int

// Add adds.
func Add(n int) {
	sum += n
	// crash point: added
}

// Sum is what is in it.
func Sum() int { return sum }
`,
		"till/till_test.go": `package till

import "testing"

func TestAdd(t *testing.T) {
	// crash point: in a test, which is no product
	if Add(2); sum != 2 {
		t.Fatal(sum)
	}
}
`,
	} {
		path := filepath.Join(repo, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return repo
}

func outcome(t *testing.T, bin string, env ...string) (out string, sig syscall.Signal, code int) {
	t.Helper()
	cmd := exec.Command(bin)
	cmd.Env = append(os.Environ(), env...)
	raw, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		sig = status.Signal()
	}
	return string(raw), sig, cmd.ProcessState.ExitCode()
}

// TestCrashPoints: a binary dies at the point and the passing that its environment names, and nowhere otherwise.
func TestCrashPoints(t *testing.T) {
	repo, bin := product(t), filepath.Join(t.TempDir(), "product")
	points, err := CrashPoints(repo)
	if err != nil || !slices.Equal(points, []string{"added", "before the till"}) {
		t.Fatalf("CrashPoints = %q, %v", points, err)
	}
	if err := Build(t.Context(), repo, bin, "."); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env  []string
		dies bool
	}{
		{nil, false},
		{[]string{CrashAt + "=nowhere"}, false},
		{[]string{CrashAt + "=added"}, true},
		{[]string{CrashAt + "=before the till", CrashHit + "=3"}, true},
		{[]string{CrashAt + "=before the till", CrashHit + "=4"}, false},
	} {
		out, sig, _ := outcome(t, bin, c.env...)
		if c.dies != (sig == syscall.SIGKILL) || c.dies != (out == "") {
			t.Errorf("with %q it printed %q and ended by signal %v", c.env, out, sig)
		}
	}
	if raw, err := os.ReadFile(filepath.Join(repo, "main.go")); err != nil || strings.Contains(string(raw), "crashPoint(") {
		t.Errorf("the product's own source was changed: %v", err)
	}
}

// TestCrashPointTwice: a name that stands twice could be exercised at one place only.
func TestCrashPointTwice(t *testing.T) {
	repo := product(t)
	more := "package till\n\nfunc more() {\n\t// crash point: added\n}\n"
	if err := os.WriteFile(filepath.Join(repo, "till", "more.go"), []byte(more), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := CrashPoints(repo); err == nil {
		t.Error("a crash point that stands twice was taken")
	}
}

// TestDefects: a defect is in the binary that was built with it and in no other; a stale one is told.
func TestDefects(t *testing.T) {
	repo, bin := product(t), filepath.Join(t.TempDir(), "product")
	d := Defect{Name: "adds double", File: "till/till.go", Old: "sum += n", New: "sum += 2 * n"}
	if err := Build(t.Context(), repo, bin, ".", d); err != nil {
		t.Fatal(err)
	}
	if out, _, _ := outcome(t, bin); out != "6" {
		t.Errorf("with the defect it prints %q, want 6", out)
	}
	if _, sig, _ := outcome(t, bin, CrashAt+"=added"); sig != syscall.SIGKILL {
		t.Error("the defect took the crash point of its file away")
	}
	test := filepath.Join(t.TempDir(), "till.test")
	if err := BuildTest(t.Context(), repo, test, "./till", d); err != nil {
		t.Fatal(err)
	}
	if _, _, code := outcome(t, test); code != 1 {
		t.Errorf("the tests with the defect ended with %d, want 1", code)
	}
	for _, stale := range []Defect{
		{Name: "gone", File: "till/till.go", Old: "sum -= n", New: "sum += n"},
		{Name: "twice", File: "till/till.go", Old: "sum", New: "total"},
		{Name: "no such file", File: "till/gone.go", Old: "sum", New: "total"},
		{Name: "no change", File: "till/till.go", Old: "sum += n", New: "sum += n"},
	} {
		if stale.Check(repo) == nil {
			t.Errorf("the defect %q passes for fresh", stale.Name)
		}
		if Build(t.Context(), repo, bin, ".", stale) == nil {
			t.Errorf("a product was built with the stale defect %q", stale.Name)
		}
	}
	if err := d.Check(repo); err != nil {
		t.Error(err)
	}
}

// TestFiles: a file that the source lacks can be built in.
func TestFiles(t *testing.T) {
	repo, bin := product(t), filepath.Join(t.TempDir(), "product")
	err := BuildTarget(t.Context(), repo, Target{
		Package: ".", Out: bin,
		Files: map[string]string{"till/more.go": "package till\n\nfunc init() { sum = 10 }\n"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if out, _, _ := outcome(t, bin); out != "13" {
		t.Errorf("it prints %q, want 13", out)
	}
}
