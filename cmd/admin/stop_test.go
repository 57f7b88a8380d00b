package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gage/smartro"
	"gage/smartro/sandbox"
)

// asAdmin in the environment makes the test binary the program itself: see TestMain.
const asAdmin = "GAGE_TEST_AS_ADMIN"

// TestTermination: a real process that is told to stop while notifications are half sent takes no new ones, stores
// and acknowledges those, ends with 0 within ten seconds, and has them all after that.
//
// proves R39
func TestTermination(t *testing.T) {
	data := t.TempDir()
	gateway := "http://127.0.0.1:1" // nobody is asked for anything here
	notify := noticePath(t, data, gateway)
	p := startProcess(t, "serve", "--listen", "127.0.0.1:0", "--public-url", "http://127.0.0.1:8080", "--data", data, "--gateway", gateway)

	const many = 8
	var waiting []*halfSent
	for i := range many {
		waiting = append(waiting, sendHalf(t, p.listen, notify, strangeApproval(i)))
	}
	told := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	untilRefused(t, p.listen)
	for i, w := range waiting {
		if status, text := w.finish(t); status != http.StatusOK || text != "OK" {
			t.Errorf("notification %d: HTTP %d %q", i, status, text)
		}
	}
	if err := <-p.ended; err != nil {
		t.Errorf("the process ended with %v: %s", err, p.log)
	}
	if took := time.Since(told); took > 10*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	if _, err := os.Stat(filepath.Join(data, "gage.db-wal")); err == nil {
		t.Error("a write-ahead log is left behind a clean stop")
	}
	store, err := openReader(t.Context(), houseConfig{Data: data, Name: "gage"})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	holds, err := store.Holds(t.Context(), true, 2*many)
	if err != nil || len(holds) != many {
		t.Errorf("%d of %d acknowledged notifications are stored, %v", len(holds), many, err)
	}
}

// noticePath makes a shop with the sandbox's contract and returns the path of its notification URL.
func noticePath(t *testing.T, data, gateway string) string {
	t.Helper()
	h, err := openStore(t.Context(), houseConfig{
		Data: data, Name: "gage", PublicURL: "http://127.0.0.1:8080", Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	if err := h.practise(t.Context(), gateway); err != nil {
		t.Fatal(err)
	}
	full, err := h.shop.NoticeURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(full)
	if err != nil {
		t.Fatal(err)
	}
	return u.Path
}

// strangeApproval is a signed notification of money for an order that the shop does not know: a hold.
func strangeApproval(i int) string {
	tid := smartro.TID(fmt.Sprintf("%s01012611251200000%03d", sandbox.DefaultMID, i))
	return string(smartro.EncodeForm([]smartro.Field{
		{Name: "PayMethod", Value: "CARD"}, {Name: "MID", Value: string(sandbox.DefaultMID)}, {Name: "TID", Value: string(tid)},
		{Name: "OID", Value: fmt.Sprintf("ELSEWHERE%02d", i)}, {Name: "Amt", Value: "1004"}, {Name: "ResultCode", Value: "3001"},
		{Name: "AuthDate", Value: "261125120000"}, {Name: "AuthCode", Value: "12345678"},
		{Name: "SignValue", Value: smartro.SignValue(smartro.MD5, tid, "3001", sandbox.DefaultMerchantKey)},
	}, smartro.EUCKR))
}

// process is the program in a process of its own.
type process struct {
	cmd    *exec.Cmd
	listen string
	log    *output
	ended  chan error // how, once
}

func startProcess(t *testing.T, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.CommandContext(t.Context(), self, args...), log: new(output), ended: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), asAdmin+"=1")
	pipe, w := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = p.log, io.MultiWriter(p.log, w)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		p.ended <- p.cmd.Wait()
		w.Close()
	}()
	t.Cleanup(func() { <-gone }) // a process that still runs is killed with the test's context
	lines := bufio.NewScanner(pipe)
	for p.listen == "" && lines.Scan() {
		var said struct{ Msg, Listen string }
		if err := json.Unmarshal(lines.Bytes(), &said); err == nil && said.Msg == "serving" {
			p.listen = said.Listen
		}
	}
	if p.listen == "" {
		t.Fatalf("admin %v does not serve: %s", args, p.log)
	}
	go io.Copy(io.Discard, pipe)
	return p
}

// halfSent is a request whose handler waits for the rest of the body.
type halfSent struct {
	conn net.Conn
	read *bufio.Reader
	rest string
}

// sendHalf posts half of the body and returns when the handler reads it: the server then asks for more.
func sendHalf(t *testing.T, addr, path, body string) *halfSent {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	half := len(body) / 2
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", path, len(body))
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	line, err := r.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("the handler did not ask for the body: %q, %v", line, err)
	}
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, body[:half]); err != nil {
		t.Fatal(err)
	}
	return &halfSent{conn, r, body[half:]}
}

func (h *halfSent) finish(t *testing.T) (status int, text string) {
	t.Helper()
	if _, err := io.WriteString(h.conn, h.rest); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(h.read, nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// untilRefused returns when nothing listens on addr any more.
func untilRefused(t *testing.T, addr string) {
	t.Helper()
	for {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			return
		}
		conn.Close()
	}
}
