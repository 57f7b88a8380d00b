package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// allowedModules are the modules that may be asked for directly, each at the version that is pinned. A new one is a
// decision: write it here with the reason for which it is needed.
var allowedModules = map[string]string{
	"filippo.io/age":                  "backups are encrypted with it",
	"github.com/a-h/templ":            "the pages",
	"github.com/alecthomas/kong":      "the command line",
	"github.com/boombuler/barcode":    "QR codes of pay links",
	"github.com/gorilla/sessions":     "sessions",
	"github.com/fxamacker/cbor/v2":    "passkeys in tests; webauthn brings it",
	"github.com/go-webauthn/webauthn": "passkeys",
	"github.com/hanwen/go-fuse/v2":    "the harnesses' disk: not in the binary",
	"github.com/jackc/pgx/v5":         "PostgreSQL",
	"github.com/labstack/echo/v4":     "routes; 4.16.0 or newer",
	"github.com/pquerna/otp":          "codes of a second factor",
	"github.com/pressly/goose/v3":     "migrations",
	"github.com/xuri/excelize/v2":     "spreadsheets",
	"go.uber.org/goleak":              "tests: not in the binary",
	"golang.org/x/crypto":             "argon2id",
	"golang.org/x/net":                "names of hosts: registered ones, and in ASCII",
	"golang.org/x/sys":                "what the standard library leaves out of the operating system",
	"golang.org/x/term":               "reading a passphrase",
	"golang.org/x/text":               "EUC-KR, NFC",
	"golang.org/x/time":               "how fast strangers may post",
	"modernc.org/sqlite":              "SQLite",
}

// neverInTheBinary are packages that have no business in what a shop runs.
var neverInTheBinary = regexp.MustCompile(`^(net/http/pprof|expvar|testing|net/http/httptest|plugin|gage/(bench|e2e|db/dbtest)(/.*)?|github\.com/hanwen/.*|go\.uber\.org/goleak)$`)

// TestModules: only modules that somebody decided for are used, all at one version whose content is pinned, and every
// build looks for known vulnerabilities.
//
// proves S28
func TestModules(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", "../../go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path, Version string
			Indirect      bool
		}
		Replace, Exclude []any
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	if len(mod.Replace) > 0 || len(mod.Exclude) > 0 {
		t.Errorf("go.mod replaces %v and excludes %v", mod.Replace, mod.Exclude)
	}
	sums, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		if !r.Indirect && allowedModules[r.Path] == "" {
			t.Errorf("nobody decided for %s: see allowedModules", r.Path)
		}
		if !regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+`).MatchString(r.Version) || !strings.Contains(string(sums), r.Path+" "+r.Version) {
			t.Errorf("%s %s is not pinned in go.sum", r.Path, r.Version)
		}
		if r.Path == "github.com/labstack/echo/v4" && r.Version < "v4.16.0" {
			t.Errorf("echo %s trusts what it should not: want v4.16.0 or newer", r.Version)
		}
	}
	lines := bufio.NewScanner(strings.NewReader(string(sums)))
	for lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) != 3 || !strings.HasPrefix(f[2], "h1:") {
			t.Errorf("go.sum has the line %q", lines.Text())
		}
	}
	script, err := os.ReadFile("../../.ci/run")
	if err != nil || !regexp.MustCompile(`(?m)^step vulnerabilities `).Match(script) || !strings.Contains(string(script), "govulncheck ./...") {
		t.Errorf("the build does not look for known vulnerabilities: %v", err)
	}
}

// TestNothingForDebuggingInTheBinary: what is not linked can't be switched on.
//
// proves S30
func TestNothingForDebuggingInTheBinary(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "gage/cmd/admin").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Fields(string(out))
	if !slices.Contains(all, "gage/web") {
		t.Fatal("this test looks at nothing")
	}
	for _, name := range all {
		if neverInTheBinary.MatchString(name) {
			t.Errorf("%s is linked into the binary", name)
		}
	}
}

// TestServeHasNoSideDoors walks what a running shop answers to: no profiles, no metrics, no simulated gateway, no
// forced deposits, no sample checkout; and no flag turns them on.
//
// proves S30
func TestServeHasNoSideDoors(t *testing.T) {
	s := start(t, nil, "serve", "--listen", "127.0.0.1:0", "--public-url", "http://127.0.0.1:8080", "--data", t.TempDir())
	defer func() {
		if code := s.stop(); code != exitOK {
			t.Errorf("exit code %d: %s", code, s.stderr)
		}
	}()
	for _, path := range []string{
		"/debug", "/debug/pprof", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/profile?seconds=1", "/debug/vars", "/debug/requests", "/metrics", "/stats",
		"/control", "/control/", "/control/api/faults", "/control/api/deposit", "/window", "/interfaceURL.jsp", "/pay/interfaceURL", "/cancel/payCancelNVProcess.jsp",
		"/issue/IssueLoader.jsp", "/receipt", "/deposit", "/sandbox", "/admin/sandbox", "/admin/debug", "/admin/deposit", "/sample", "/test", "/swagger.json",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			req, err := http.NewRequestWithContext(t.Context(), method, s.Shop+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = "127.0.0.1:8080"
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d", method, path, resp.StatusCode)
			}
		}
	}
	flags, _ := commandLine(t)
	for flag, of := range flags {
		if of["serve"] && regexp.MustCompile(`debug|pprof|profile|insecure|skip|no-verify|sample|unsafe`).MatchString(flag) {
			t.Errorf("serve has the flag --%s", flag)
		}
	}
}
