package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// target is a running demo, with the owner signed in.
type target struct {
	surface
	cmd   *exec.Cmd
	ended chan error
	log   *lockedBuffer
	shop  string // http://127.0.0.1:PORT
	pay   string // URL of an order's page

	mu     sync.Mutex
	cookie string // of the owner
	notice string // URL of the notification path, with its secret
}

// lockedBuffer is written by the demo and read by us.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

var shopLine = regexp.MustCompile(`(http://127\.0\.0\.1:[0-9]+)/admin`)

// startDemo builds the program, starts its demo on free ports of this machine, and signs in.
func startDemo(ctx context.Context, folder string) (*target, error) {
	admin := filepath.Join(folder, "admin")
	if said, err := exec.CommandContext(ctx, "go", "build", "-o", admin, "gage/cmd/admin").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w: %s", err, said)
	}
	t := &target{ended: make(chan error, 1), log: new(lockedBuffer)}
	t.cmd = exec.Command(admin, "demo", "--listen", "127.0.0.1:0", "--sandbox-listen", "127.0.0.1:0", "--data", filepath.Join(folder, "demo"))
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	t.cmd.Stderr = t.log
	if err := t.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for t.shop == "" && lines.Scan() {
		if m := shopLine.FindStringSubmatch(lines.Text()); m != nil {
			t.shop = m[1]
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, out)
		t.ended <- t.cmd.Wait()
	}()
	if t.shop == "" {
		return nil, fmt.Errorf("the demo does not start: %w: %s", <-t.ended, t.log)
	}
	if err := t.prepare(ctx); err != nil {
		return nil, errors.Join(err, t.stop())
	}
	return t, nil
}

var (
	noticeURL = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+/smartro/notify/[A-Za-z0-9]+`)
	payLink   = regexp.MustCompile(`^/pay/[A-Z0-9]+$`)
)

// prepare signs in, reads the notification path, makes an order, and walks the pages.
func (t *target) prepare(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return err
	}
	if t.routes, err = readRoutes(strings.TrimSpace(string(out))); err != nil {
		return err
	}
	if err := t.signIn(ctx); err != nil {
		return err
	}
	status, header, _, err := t.ask(ctx, "POST", t.shop+"/sample", url.Values{"goods": {"1"}})
	if err != nil {
		return err
	}
	if !payLink.MatchString(header.Get("Location")) {
		return fmt.Errorf("the sample order: %d %s", status, header.Get("Location"))
	}
	t.pay = t.shop + header.Get("Location")
	if err := t.walk(ctx, &t.surface, t.shop+"/admin", t.shop+"/admin/work", t.shop+"/admin/settings", t.shop+"/", t.pay); err != nil {
		return err
	}
	if len(t.aims) < 25 {
		return fmt.Errorf("the walk met only %d routes", len(t.aims))
	}
	t.guess()
	return nil
}

// signIn signs in as the owner and reads the notification path, which is shown to who has just typed the password. Each
// attack begins with it: what one of them did to the session before is the next one's no concern.
func (t *target) signIn(ctx context.Context) error {
	status, header, _, err := t.ask(ctx, "POST", t.shop+"/admin/sign-in", url.Values{"email": {"demo@example.com"}, "password": {"demo-demo-demo"}})
	if err != nil {
		return err
	}
	cookie, _, _ := strings.Cut(header.Get("Set-Cookie"), ";")
	if status != http.StatusSeeOther || cookie == "" {
		return fmt.Errorf("sign-in: %d", status)
	}
	t.mu.Lock()
	t.cookie = cookie
	t.mu.Unlock()
	_, _, page, err := t.ask(ctx, "GET", t.shop+"/admin/settings", nil)
	if err != nil {
		return err
	}
	notice := noticeURL.FindString(page)
	if notice == "" {
		return errors.New("the settings do not show the notification path")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notice = notice
	return nil
}

// secretPath is the notification path as it is now.
func (t *target) secretPath() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.notice
}

// ask sends one request as the owner, from the shop's own page.
func (t *target) ask(ctx context.Context, method, at string, form url.Values) (int, http.Header, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, at, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, nil, "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !strings.Contains(at, "/smartro/") {
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if cookie := t.ownCookie(); cookie != "" && !strings.Contains(at, "/smartro/") && at != t.shop+"/admin/sign-in" {
		req.Header.Set("Cookie", cookie)
	}
	c := &http.Client{
		Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, string(body), err
}

// stop ends the demo as a person would.
func (t *target) stop() error {
	if err := t.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case err := <-t.ended:
		return err
	case <-time.After(20 * time.Second):
		return errors.Join(errors.New("it had to be killed"), t.cmd.Process.Kill(), <-t.ended)
	}
}

// complaints are the lines of the demo's log that tell of an error of ours, one of a kind.
func (t *target) complaints() []string {
	var list []string
	for line := range strings.Lines(t.log.String()) {
		if !strings.Contains(line, "level=ERROR") && !strings.Contains(line, "panic") && !strings.Contains(line, "DATA RACE") {
			continue
		}
		if strings.Contains(line, "status=503") { // overload is told so
			continue
		}
		list = append(list, regexp.MustCompile(`(time|took|id|peer|bytes)=\S+ ?`).ReplaceAllString(strings.TrimSpace(line), ""))
	}
	slices.Sort(list)
	list = slices.Compact(list)
	return list[:min(len(list), 20)]
}

// watching is what the shop answered to others meanwhile.
type watching struct {
	asked  int
	took   []time.Duration // of the notification route
	faults []string
}

// String says how the notification route did.
func (w watching) String() string {
	if len(w.took) == 0 {
		return "nothing was asked"
	}
	slices.Sort(w.took)
	at := func(part float64) time.Duration {
		return w.took[int(part*float64(len(w.took)-1))].Round(time.Millisecond)
	}
	return fmt.Sprintf("%d notifications answered, p50 %s, p99 %s, slowest %s", len(w.took), at(.5), at(.99), at(1))
}

// watch asks the notification route and the probes until it is called off. The message is none, so 400 is the answer.
func (t *target) watch(ctx context.Context) func() watching {
	ctx, stop := context.WithCancel(ctx)
	var w watching
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			w.asked++
			began := time.Now()
			status, _, _, err := t.ask(ctx, "POST", t.secretPath(), url.Values{"n": {fmt.Sprint(w.asked)}})
			if ctx.Err() != nil {
				return
			}
			w.took = append(w.took, time.Since(began))
			if err != nil || status != http.StatusBadRequest {
				w.fault("the notification route answered %d, %v", status, err)
			}
			if status, _, _, err := t.ask(ctx, "GET", t.shop+"/readyz", nil); ctx.Err() == nil && (err != nil || status != http.StatusOK) {
				w.fault("readiness answered %d, %v", status, err)
			}
		}
	}()
	return func() watching {
		stop()
		<-done
		if n := len(w.took); n > 0 {
			slices.Sort(w.took)
			if p99 := w.took[(n-1)*99/100]; p99 >= time.Second {
				w.fault("99 of 100 notifications took up to %s", p99)
			}
		}
		return w
	}
}

func (w *watching) fault(format string, args ...any) {
	if line := fmt.Sprintf(format, args...); !slices.Contains(w.faults, line) && len(w.faults) < 10 {
		w.faults = append(w.faults, line)
	}
}
