package sandbox_test

import (
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gage/smartro"
	"gage/smartro/sandbox"
)

// world is a gateway with a shop that records its notifications, and a clock that stands still.
type world struct {
	t       *testing.T
	g       *sandbox.Gateway
	srv     *httptest.Server
	m       smartro.Merchant
	mu      sync.Mutex
	now     time.Time
	notices []smartro.Notice
	bodies  []string
	answer  string
}

func newWorld(t *testing.T, change func(*sandbox.Config)) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC), answer: "OK"}
	shop := httptest.NewServer(http.HandlerFunc(w.receive))
	t.Cleanup(shop.Close)
	cfg := sandbox.Config{NotifyURL: shop.URL + "/notify", Now: w.clock}
	if change != nil {
		change(&cfg)
	}
	g, err := sandbox.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.g, w.srv = g, httptest.NewServer(g.Handler())
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		w.srv.Close()
	})
	hash := cfg.Hash
	if hash == "" {
		hash = smartro.MD5
	}
	w.m = smartro.Merchant{
		MID: sandbox.DefaultMID, Key: sandbox.DefaultMerchantKey, CancelPassword: sandbox.DefaultCancelPassword,
		Mode: smartro.Test, Hash: hash, Endpoints: smartro.EndpointsAt(w.srv.URL), InquiryProves: true,
	}
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) receive(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Error(err)
	}
	if r.Method == http.MethodGet {
		body = []byte(r.URL.RawQuery)
	}
	cs := smartro.EUCKR
	if strings.Contains(r.Header.Get("Content-Type"), "UTF-8") {
		cs = smartro.UTF8
	}
	n, err := smartro.ParseNotice(body, cs)
	if err != nil {
		w.t.Errorf("notice %s: %v", body, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notices, w.bodies = append(w.notices, n), append(w.bodies, string(body))
	_, _ = io.WriteString(rw, w.answer)
}

func (w *world) codes() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var codes []string
	for _, n := range w.notices {
		codes = append(codes, n.ResultCode)
	}
	return strings.Join(codes, " ")
}

func (w *world) deliver() {
	w.t.Helper()
	if _, err := w.g.Deliver(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) request(d smartro.Device, m smartro.Method) smartro.PayRequest {
	return smartro.PayRequest{
		Device: d, Method: m, Moid: "A1", Amt: 33000, GoodsName: "맛동산 한 봉지", GoodsCnt: 1, BuyerName: "홍길동", BuyerTel: "01099991111",
		BuyerEmail: "buyer@example.com", ReturnURL: "https://shop.example/return", StopURL: "https://shop.example/stop", MallUserID: "user1",
		UserIP: "192.0.2.1", MallIP: "192.0.2.10", EdiDate: w.clock(), VbankExpDate: w.clock().Add(24 * time.Hour), GoodsCl: "1",
	}
}

func (w *world) form(d smartro.Device, m smartro.Method) smartro.Form {
	w.t.Helper()
	f, err := w.m.PayForm(w.request(d, m))
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// post sends a form and returns the status and the page.
func (w *world) post(url, body string) (int, string) {
	w.t.Helper()
	resp, err := http.Post(url, "application/x-www-form-urlencoded", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

var (
	input   = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	formTag = regexp.MustCompile(`<form name="tranMgr" id="tranMgr" method="post" action="([^"]*)" accept-charset="([^"]*)">`)
)

func hidden(page string) []smartro.Field {
	var f []smartro.Field
	for _, m := range input.FindAllStringSubmatch(page, -1) {
		f = append(f, smartro.Field{Name: html.UnescapeString(m[1]), Value: html.UnescapeString(m[2])})
	}
	return f
}

func session(t *testing.T, page string) string {
	t.Helper()
	for _, f := range hidden(page) {
		if f.Name == "session" {
			return f.Value
		}
	}
	t.Fatalf("no session in %s", page)
	return ""
}

func (w *world) open(f smartro.Form) (sess string) {
	w.t.Helper()
	status, page := w.post(f.Action, string(f.Encode()))
	if status != http.StatusOK {
		w.t.Fatalf("window: %d %s", status, page)
	}
	return session(w.t, page)
}

// press presses a button of the window and reads what the browser would post to the shop.
func (w *world) press(sess, action string) (n smartro.Notice, to, label, page string) {
	w.t.Helper()
	status, page := w.post(w.srv.URL+"/window", url.Values{"session": {sess}, "action": {action}}.Encode())
	if status != http.StatusOK {
		w.t.Fatalf("%s: %d %s", action, status, page)
	}
	m := formTag.FindStringSubmatch(page)
	if m == nil {
		return n, "", "", page
	}
	cs := smartro.UTF8
	if m[2] == "EUC-KR" {
		cs = smartro.EUCKR
	}
	fields := hidden(page)
	if len(fields) == 0 { // StopURL, which is told nothing
		return n, html.UnescapeString(m[1]), m[2], page
	}
	n, err := smartro.ParseNotice(smartro.EncodeForm(fields, cs), cs)
	if err != nil {
		w.t.Fatalf("result: %v", err)
	}
	return n, html.UnescapeString(m[1]), m[2], page
}

func (w *world) pay(m smartro.Method) smartro.Notice {
	w.t.Helper()
	n, _, _, _ := w.press(w.open(w.form(smartro.PC, m)), "approve")
	return n
}

func (w *world) order(fault, scope string) {
	w.t.Helper()
	w.api("/control/api/faults", map[string]any{"fault": fault, "scope": scope, "delay_ms": 1}, http.StatusOK)
}

func (w *world) api(path string, q any, want int) {
	w.t.Helper()
	body, err := json.Marshal(q)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := http.Post(w.srv.URL+path, "application/json", strings.NewReader(string(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != want {
		b, _ := io.ReadAll(resp.Body)
		w.t.Fatalf("%s: %d %s", path, resp.StatusCode, b)
	}
}
