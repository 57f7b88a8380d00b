package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gage/app"
	"gage/db/dbtest"
)

// TestMain lets a test start this binary as the program itself, in a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv(asAdmin) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// output collects what a command prints while it runs.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// started is a command that serves.
type started struct {
	addresses
	stdout, stderr *output
	stop           func() int // asks it to stop and returns its exit code
}

// start runs a command that serves, on real ports, until the test stops it or ends.
func start(t *testing.T, env map[string]string, args ...string) *started {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &started{stdout: new(output), stderr: new(output)}
	ready, done := make(chan addresses, 1), make(chan int, 1)
	go func() {
		done <- run(ctx, args, getenv(env), s.stdout, s.stderr, func(a addresses) { ready <- a })
	}()
	s.stop = sync.OnceValue(func() int {
		cancel()
		return <-done
	})
	t.Cleanup(func() { s.stop() })
	select {
	case s.addresses = <-ready:
	case code := <-done:
		done <- code
		t.Fatalf("admin %v ended with %d before it was ready: %s", args, code, s.stderr)
	}
	return s
}

func getenv(env map[string]string) func(string) string {
	env = maps.Clone(env)
	return func(name string) string { return env[name] }
}

// try runs a command to its end.
func try(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs output
	code = run(t.Context(), args, getenv(env), &out, &errs, func(addresses) {})
	return code, out.String(), errs.String()
}

// visit gets a page and returns its status and text.
func visit(t *testing.T, url string) (int, string) {
	t.Helper()
	client := newBuyer().http
	defer client.CloseIdleConnections()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestUsage: what is wrong with the command line or the environment is told with exit code 2, all of it at once.
func TestUsage(t *testing.T) {
	secretFile := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secretFile, []byte("mysql://nobody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env  map[string]string
		args string
		code int
		want []string // in stderr, or in stdout where the code is 0
	}{
		"no command":   {args: "", want: []string{"demo", "serve", "sandbox", "staff", "version"}},
		"help":         {args: "serve --help", want: []string{"--public-url", "GAGE_PUBLIC_URL", "Examples:"}},
		"sandbox help": {args: "sandbox --help", want: []string{"gagedemo1m", "AwoRGB8m", "123456", "W034"}},
		"version":      {args: "version", want: []string{"gage ", "go1."}},
		"unknown":      {args: "sreve", code: exitUsage, want: []string{"sreve", "--help"}},
		"unknown flag": {args: "serve --public", code: exitUsage, want: []string{"--public"}},
		"all faults at once": {
			args: "serve --listen 8080 --trusted-proxy x --notice-sender y --gateway z", code: exitUsage,
			want: []string{"--public-url", "GAGE_PUBLIC_URL", "--listen", "--trusted-proxy", "--notice-sender", "--gateway"},
		},
		"plain http":  {args: "serve --public-url http://shop.example", code: exitUsage, want: []string{"not encrypted"}},
		"with a path": {args: "serve --public-url https://shop.example/pay", code: exitUsage, want: []string{"path"}},
		"environment": {env: map[string]string{"GAGE_PUBLIC_URL": "ftp://x"}, args: "serve", code: exitUsage, want: []string{"ftp://x"}},
		"flag wins": {
			env: map[string]string{"GAGE_PUBLIC_URL": "ftp://x"}, args: "serve --public-url gopher://y", code: exitUsage, want: []string{"gopher://y"},
		},
		"file": {
			env: map[string]string{"GAGE_DATABASE_URL_FILE": secretFile}, args: "serve --public-url https://shop.example",
			code: exitUsage, want: []string{"--database-url"},
		},
		"file and value": {
			env:  map[string]string{"GAGE_DATABASE_URL_FILE": secretFile, "GAGE_DATABASE_URL": "postgres://x"},
			args: "serve", code: exitUsage, want: []string{"keep one"},
		},
		"no such file":  {env: map[string]string{"GAGE_DATA_FILE": "/nowhere/at/all"}, args: "serve", code: exitUsage, want: []string{"GAGE_DATA_FILE"}},
		"demo for all":  {args: "demo --listen 0.0.0.0:0", code: exitUsage, want: []string{"not on this machine"}},
		"sandbox MID":   {args: "sandbox --mid short", code: exitUsage, want: []string{"--mid"}},
		"sandbox count": {args: "sandbox --notify-count 0 --notify-every 0s", code: exitUsage, want: []string{"--notify-count", "--notify-every"}},
		"sandbox codes": {
			args: "sandbox --code 3001=9 --wallet-code K_00 --state-cd 0,1 --refund-fields bankCd", code: exitUsage,
			want: []string{"--code", `"3001"`, "--wallet-code", "--state-cd", "--refund-fields"},
		},
		"no such shop": {args: "staff list --data /nowhere/at/all", code: exitUsage, want: []string{"there is no shop"}},
		"not healthy":  {args: "healthcheck --listen 127.0.0.1:1", code: exitFailed, want: []string{"no answer"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := try(t, c.env, strings.Fields(c.args)...)
			said := stderr
			if c.code == exitOK {
				said = stdout
			}
			if code != c.code {
				t.Errorf("exit code %d, want %d: %s", code, c.code, stderr)
			}
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not in:\n%s", want, said)
				}
			}
			if strings.Contains(stderr, "nobody") {
				t.Error("a secret was printed")
			}
		})
	}
}

// TestPortInUse: the message says what to do.
func TestPortInUse(t *testing.T) {
	taken := start(t, nil, "sandbox", "--listen", "127.0.0.1:0")
	addr := strings.TrimPrefix(taken.Gateway, "http://")
	for _, args := range [][]string{
		{"sandbox", "--listen", addr},
		{"demo", "--listen", addr, "--sandbox-listen", "127.0.0.1:0"},
		{"demo", "--listen", "127.0.0.1:0", "--sandbox-listen", addr},
	} {
		code, _, stderr := try(t, nil, args...)
		if code != exitFailed || !strings.Contains(stderr, "in use") || !strings.Contains(stderr, "listen 127.0.0.1:0") {
			t.Errorf("admin %v: exit code %d: %s", args, code, stderr)
		}
	}
}

// TestServe: the first start prints the owner's link, makes private files, answers, stops cleanly, and starts again.
func TestServe(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	args := []string{"serve", "--listen", "127.0.0.1:0", "--public-url", "http://127.0.0.1:8080", "--data", data}
	for range 2 {
		s := start(t, nil, args...)
		if out := s.stdout.String(); !strings.Contains(out, "http://127.0.0.1:8080/start/") {
			t.Errorf("no owner's link in %q", out)
		}
		if strings.Contains(s.stderr.String(), "/start/") {
			t.Error("the owner's link is in the log")
		}
		if code, _ := visit(t, s.Shop+"/healthz"); code != http.StatusOK {
			t.Errorf("/healthz: HTTP %d", code)
		}
		listen := strings.TrimPrefix(s.Shop, "http://")
		if code, out, stderr := try(t, nil, "healthcheck", "--listen", listen); code != exitOK {
			t.Errorf("healthcheck: %d %s%s", code, out, stderr)
		}
		if code := s.stop(); code != exitOK {
			t.Errorf("exit code %d: %s", code, s.stderr)
		}
	}
	for path, want := range map[string]os.FileMode{data: 0o700, filepath.Join(data, "gage.key"): 0o600, filepath.Join(data, "gage.db"): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want mode %o", path, info.Mode(), err, want)
		}
	}
	if err := os.Remove(filepath.Join(data, "gage.key")); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := try(t, nil, args...); code != exitFailed || !strings.Contains(stderr, "backup") {
		t.Errorf("without its key: exit code %d: %s", code, stderr)
	}
}

// TestStaff: people are added, reset, listed and disabled, whether or not the shop runs.
func TestStaff(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	env := map[string]string{"GAGE_DATA": data, "GAGE_PUBLIC_URL": "http://127.0.0.1:8080", "GAGE_LISTEN": "127.0.0.1:0"}
	s := start(t, env, "serve")
	for _, running := range []bool{true, false} {
		if !running {
			s.stop()
		}
		code, stdout, stderr := try(t, env, "staff", "add", "kim@shop.example")
		if code != exitOK || !strings.Contains(stdout, "http://127.0.0.1:8080/invite/") {
			t.Errorf("add: %d %s%s", code, stdout, stderr)
		}
		code, stdout, stderr = try(t, env, "staff", "list")
		if code != exitOK {
			t.Errorf("list: %d %s%s", code, stdout, stderr)
		}
		code, _, stderr = try(t, env, "staff", "reset", "nobody@shop.example")
		if code != exitFailed || !strings.Contains(stderr, "staff list") {
			t.Errorf("reset of nobody: %d %s", code, stderr)
		}
	}
}

// TestStreamsEnd: an open event stream does not hold a stop up.
func TestStreamsEnd(t *testing.T) {
	streams, end := context.WithCancel(t.Context())
	began, ended := make(chan struct{}), make(chan struct{})
	h := endingStreams(streams, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		close(ended)
	}))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	go h.ServeHTTP(nil, req)
	<-began
	end()
	<-ended
}

// TestPartsStopInOrder: the last part stops first, and a failing part stops all.
func TestPartsStopInOrder(t *testing.T) {
	var mu sync.Mutex
	var order []string
	named := func(name string) part {
		return func(ctx context.Context) error {
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			order = append(order, name)
			return nil
		}
	}
	err := runParts(t.Context(), named("store"), named("server"), func(context.Context) error { return io.ErrUnexpectedEOF })
	if err == nil || strings.Join(order, " ") != "server store" {
		t.Errorf("%v, %v; want the failure, and server before store", err, order)
	}
}

// TestDemoClock: stopped, moved by hand, and let go.
func TestDemoClock(t *testing.T) {
	real := time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
	c := &demoClock{real: func() time.Time { return real }}
	past := real.Add(-time.Hour)
	c.set(past)
	c.forward(time.Minute)
	if got := c.Now(); !got.Equal(past.Add(time.Minute)) {
		t.Errorf("stopped clock: %v", got)
	}
	c.set(time.Time{})
	if got := c.Now(); !got.Equal(real) {
		t.Errorf("running clock: %v", got)
	}
}

// TestAnotherKey: a shop whose secrets were sealed with another key does not start, on either engine.
func TestAnotherKey(t *testing.T) {
	gateway := start(t, nil, "sandbox", "--listen", "127.0.0.1:0")
	serve := func(data string, more ...string) []string {
		return append([]string{"serve", "--listen", "127.0.0.1:0", "--public-url", "http://127.0.0.1:8080", "--data", data, "--gateway", gateway.Gateway}, more...)
	}
	refused := func(t *testing.T, args []string) {
		t.Helper()
		if code, _, stderr := try(t, nil, args...); code != exitFailed || !strings.Contains(stderr, "gage.key") || !strings.Contains(stderr, "backup") {
			t.Errorf("with another key: exit code %d: %s", code, stderr)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		data := t.TempDir()
		start(t, nil, serve(data)...).stop()
		key := filepath.Join(data, "gage.key")
		if err := os.WriteFile(key, []byte(strings.Repeat("ab", app.KeySize)), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, serve(data))
	})
	t.Run("postgres", func(t *testing.T) {
		database := dbtest.PostgresURL(t).Reveal()
		start(t, nil, serve(t.TempDir(), "--database-url", database)...).stop()
		refused(t, serve(t.TempDir(), "--database-url", database))
	})
}
