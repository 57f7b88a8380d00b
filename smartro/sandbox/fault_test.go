package sandbox_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gage/smartro"
	"gage/smartro/sandbox"
)

func (w *world) get(path string) (int, string) {
	w.t.Helper()
	resp, err := http.Get(w.srv.URL + path)
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

func TestBrowserFaults(t *testing.T) {
	for fault, ok := range map[string]func(n smartro.Notice, label, page string, m smartro.Merchant) bool{
		"return_lost": func(n smartro.Notice, _, page string, _ smartro.Merchant) bool {
			return n.TID == "" && !strings.Contains(page, "tranMgr")
		},
		"bad_signature": func(n smartro.Notice, _, _ string, m smartro.Merchant) bool { return n.Verify(m) != nil },
		"forged_amount": func(n smartro.Notice, _, _ string, m smartro.Merchant) bool {
			return n.Verify(m) == nil && n.Amt != 33000
		},
		"forged_order": func(n smartro.Notice, _, _ string, m smartro.Merchant) bool {
			return n.Verify(m) == nil && n.Moid != "A1" && n.Amt == 33000
		},
		"wrong_charset": func(_ smartro.Notice, label, _ string, _ smartro.Merchant) bool { return label == "EUC-KR" },
	} {
		t.Run(fault, func(t *testing.T) {
			w := newWorld(t, nil)
			w.order(fault, "next")
			n, _, label, page := w.press(w.open(w.form(smartro.PC, smartro.Card)), "approve")
			if !ok(n, label, page, w.m) {
				t.Errorf("%s: %+v %s", label, n, page)
			}
			w.deliver()
			if bad := w.notices[0].Verify(w.m) != nil; bad != (fault == "bad_signature") || w.notices[0].Amt != 33000 || w.notices[0].Moid != "A1" {
				t.Errorf("notice %+v", w.notices[0])
			}
			if n, _, _, page := w.press(w.open(w.form(smartro.PC, smartro.Card)), "approve"); ok(n, "UTF-8", page, w.m) {
				t.Error("the fault happened twice")
			}
		})
	}
}

func TestNoticeFaults(t *testing.T) {
	for fault, want := range map[string]string{"notify_lost": "", "notify_doubled": "3001 3001", "notify_late": "", "notify_before_return": "3001"} {
		w := newWorld(t, nil)
		w.order(fault, "always")
		w.pay(smartro.Card)
		if got := w.codes(); (got != "") != (fault == "notify_before_return") {
			t.Errorf("%s: %q before the return", fault, got)
		}
		w.deliver()
		if w.codes() != want {
			t.Errorf("%s: %q, want %q", fault, w.codes(), want)
		}
		w.pass(time.Second)
		w.deliver()
		if fault == "notify_late" {
			want = "3001"
		}
		if w.codes() != want {
			t.Errorf("%s later: %q, want %q", fault, w.codes(), want)
		}
	}
}

func TestNoticesOutOfOrder(t *testing.T) {
	w := newWorld(t, nil)
	w.api("/control/api/faults", map[string]any{"fault": "notify_out_of_order", "scope": "next"}, http.StatusOK)
	n := w.pay(smartro.Vbank)
	w.deliver()
	w.api("/control/api/deposit", map[string]any{"tid": n.TID}, http.StatusOK)
	w.deliver()
	if w.codes() != "4110 4100" {
		t.Errorf("notices %q", w.codes())
	}
}

func TestRepeatUntilOK(t *testing.T) {
	for answer, want := range map[string]int{
		"OK": 1, "a<br>b<html><body>\n OK </body>": 1, "FAIL": 5, "NOTOK": 5, "": 5, "ok": 5,
	} {
		w := newWorld(t, nil)
		w.answer = answer
		w.pay(smartro.Card)
		for range 8 {
			w.deliver()
			w.pass(time.Minute)
		}
		if len(w.notices) != want {
			t.Errorf("answer %q: %d tries, want %d", answer, len(w.notices), want)
		}
	}
}

func TestNoticeIsEUCKR(t *testing.T) {
	w := newWorld(t, nil)
	w.pay(smartro.Card)
	w.deliver()
	if want := "name=%C8%AB%B1%E6%B5%BF&"; !strings.Contains(w.bodies[0], want) {
		t.Errorf("no %s in %s", want, w.bodies[0])
	}
}

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	keep := func(c *sandbox.Config) { c.Data = dir }
	w := newWorld(t, keep)
	w.answer = "FAIL"
	n := w.pay(smartro.Card)
	w.deliver()
	sess := w.open(w.form(smartro.PC, smartro.Card))
	if err := w.g.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "sandbox-ledger.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"at":"2026-11-`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	again := newWorld(t, keep)
	again.pass(time.Minute)
	again.deliver()
	if w.codes() != "3001 3001" { // to the URL that was in force when the payment was made
		t.Errorf("pending notice after a restart: %q", w.codes())
	}
	if r, _, _, _ := again.press(sess, "approve"); r.ResultCode != "3001" {
		t.Errorf("open window after a restart: %+v", r)
	}
	again.wantCancel("2001", n.TID, 1000, true, nil)
	third := newWorld(t, keep)
	third.wantCancel("2001", n.TID, 32000, false, nil)
}

func TestDamagedLedgerIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sandbox-ledger.jsonl"), []byte("{\nnot json\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sandbox.New(sandbox.Config{Data: dir}); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("error %v", err)
	}
}

func TestControl(t *testing.T) {
	w := newWorld(t, nil)
	w.pay(smartro.Card)
	w.order("notify_lost", "always")
	for path, want := range map[string]string{
		"/control": "고장 주문", "/merchant": "재통보 설정", "/payTest/vbank_deposit_notice.jsp": "강제 입금", "/": "모의 게이트웨이",
		"/control/api/state": `"fault":"notify_lost","scope":"always"`, "/control/static/sandbox.css": "--accent",
	} {
		if status, page := w.get(path); status != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("%s: %d, no %q: %s", path, status, want, page)
		}
	}
	if _, page := w.get("/control"); strings.Contains(page, sandbox.DefaultMerchantKey[:20]) {
		t.Error("the key is shown without being asked for")
	}
	w.api("/control/api/faults", map[string]any{"fault": "nonsense", "scope": "next"}, http.StatusBadRequest)
	w.api("/control/api/deposit", map[string]any{"tid": "nonsense"}, http.StatusNotFound)
	w.api("/control/api/notify", map[string]any{"tid": "nonsense"}, http.StatusNotFound)
	w.api("/control/api/notify-url", map[string]any{"url": "nonsense"}, http.StatusBadRequest)
	if status, _ := w.post(w.srv.URL+"/merchant", "url=x&minutes=1&count=5&charset=euckr"); status != http.StatusBadRequest {
		t.Errorf("merchant page: %d", status)
	}
}

func TestRunSendsAtOnce(t *testing.T) {
	got := make(chan string, 1)
	shop := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		got <- r.FormValue("ResultCode")
		_, _ = io.WriteString(rw, "OK")
	}))
	defer shop.Close()
	w := newWorld(t, func(c *sandbox.Config) { c.NotifyURL = "" })
	w.g.SetNotifyURL(shop.URL)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.g.Run(ctx) }()
	w.pay(smartro.Card)
	if code := <-got; code != "3001" {
		t.Errorf("notice %s", code)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
