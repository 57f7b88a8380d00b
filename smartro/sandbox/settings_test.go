package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gage/smartro"
	"gage/smartro/sandbox"
)

// TestRetryURL: without a URL in the merchant site the form's RetryURL is told, with one it is not.
func TestRetryURL(t *testing.T) {
	w := newWorld(t, func(c *sandbox.Config) { c.NotifyURL = "" })
	var got []string
	other := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		got = append(got, r.FormValue("ResultCode"))
		_, _ = io.WriteString(rw, "OK")
	}))
	defer other.Close()
	pay := func() {
		r := w.request(smartro.PC, smartro.Card)
		r.RetryURL = other.URL + "/retry"
		form, err := w.m.PayForm(r)
		if err != nil {
			t.Fatal(err)
		}
		w.press(w.open(form), "approve")
		w.deliver()
	}
	pay()
	if strings.Join(got, " ") != "3001" {
		t.Fatalf("RetryURL was told %q", got)
	}
	shop := httptest.NewServer(http.HandlerFunc(w.receive))
	defer shop.Close()
	w.saveMerchant(url.Values{"url": {shop.URL}, "minutes": {"1"}, "count": {"5"}, "charset": {"euckr"}, "method": {"POST"}})
	pay()
	if len(got) != 1 || w.codes() != "3001" {
		t.Errorf("RetryURL was told %q, the merchant site's URL %q", got, w.codes())
	}
}

// saveMerchant types into the merchant site.
func (w *world) saveMerchant(form url.Values) {
	w.t.Helper()
	status, page := w.post(w.srv.URL+"/merchant", form.Encode())
	if status != http.StatusOK || !strings.Contains(page, "저장했습니다") {
		w.t.Fatalf("merchant site: %d %s", status, page)
	}
}

// TestMerchantSite: URL, interval, count, charset, method and the rule for OK are the shop's to set, and stay.
func TestMerchantSite(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, func(c *sandbox.Config) { c.NotifyURL, c.Data = "", dir })
	var hits []*http.Request
	shop := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		hits = append(hits, r)
		_, _ = io.WriteString(rw, "<p>OK</p>")
	}))
	defer shop.Close()
	w.saveMerchant(url.Values{
		"url": {shop.URL + "/n?shop=1"}, "minutes": {"2"}, "count": {"3"}, "charset": {"utf8"}, "method": {"GET"}, "whole_ok": {"on"},
	})
	w.pay(smartro.Card)
	for range 9 {
		w.deliver()
		w.pass(time.Minute)
	}
	if len(hits) != 3 {
		t.Fatalf("%d tries in nine minutes, want 3: an OK between tags is not the whole answer", len(hits))
	}
	q := hits[0].URL.Query()
	if hits[0].Method != http.MethodGet || q.Get("shop") != "1" || q.Get("name") != "홍길동" || q.Get("ResultCode") != "3001" {
		t.Errorf("%s %s", hits[0].Method, hits[0].URL)
	}
	again := newWorld(t, func(c *sandbox.Config) { c.NotifyURL, c.Data = "", dir })
	if _, page := again.get("/merchant"); !strings.Contains(page, `value="2"`) || !strings.Contains(page, shop.URL) {
		t.Errorf("forgotten after a restart: %s", page)
	}
}

// TestStrictIsNotKept: a sandbox that was strict once accepts an OK among tags when it is started without.
func TestStrictIsNotKept(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		strict bool
		tries  int
	}{{true, 5}, {false, 1}} {
		w := newWorld(t, func(cfg *sandbox.Config) { cfg.Data, cfg.Strict = dir, c.strict })
		w.answer = "<b>OK</b>"
		w.pay(smartro.Card)
		for range 6 {
			w.deliver()
			w.pass(time.Minute)
		}
		if len(w.notices) != c.tries {
			t.Errorf("strict %t: %d tries, want %d", c.strict, len(w.notices), c.tries)
		}
		if err := w.g.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRedirectIsNoOK: a shop that answers with a redirect was not reached (weblink §7).
func TestRedirectIsNoOK(t *testing.T) {
	w := newWorld(t, nil)
	shop := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/moved" {
			http.Redirect(rw, r, "/moved", http.StatusPermanentRedirect)
			return
		}
		t.Error("the redirect was followed")
	}))
	defer shop.Close()
	w.g.SetNotifyURL(shop.URL)
	w.pay(smartro.Card)
	w.deliver()
	if _, state := w.get("/control/api/state"); !strings.Contains(state, `"status":308`) || strings.Contains(state, `"ok":true`) {
		t.Errorf("state %s", state)
	}
}

// TestModuleOpensPopup: with FORWARD=N the form goes to a hidden frame, and the module opens the window itself.
func TestModuleOpensPopup(t *testing.T) {
	w := newWorld(t, nil)
	r := w.request(smartro.PC, smartro.Card)
	r.Popup = "N"
	form, err := w.m.PayForm(r)
	if err != nil {
		t.Fatal(err)
	}
	_, page := w.post(form.Action, string(form.Encode()))
	_, rest, ok := strings.Cut(page, `target="payWindow" href="`)
	path, _, _ := strings.Cut(rest, `"`)
	if !ok || !strings.Contains(page, "popup.js") {
		t.Fatalf("no way to the window: %s", page)
	}
	_, window := w.get(path)
	if n, _, _, _ := w.press(session(t, window), "approve"); n.ResultCode != "3001" {
		t.Errorf("result %+v", n)
	}
	if status, again := w.get(path); status != http.StatusOK || !strings.Contains(again, "승인 TID 중복") {
		t.Errorf("the window again: %d %s", status, again)
	}
}

// TestUnpublished: what the gateway keeps to itself can be set as a shop has seen it.
func TestUnpublished(t *testing.T) {
	w := newWorld(t, func(c *sandbox.Config) {
		c.Unpublished = sandbox.Unpublished{
			Codes: map[string]string{"W034": "U999", "SB28": "DUP1", "3041": "1614", "2034": "2026"}, WalletCode: "KP00",
			StateCds: [3]string{"A", "B", "C"}, StopFields: true, EchoUnknown: true, PartsByOTID: true,
			RefundFields: smartro.RefundFields{Bank: "bankCd", Number: "acctNo", Holder: "acctNm"},
		}
	})
	if _, _, _, page := w.press(w.open(w.form(smartro.Mobile, smartro.Card)), "close"); !strings.Contains(page, `name="OID" value="A1"`) || !strings.Contains(page, `value="U999"`) {
		t.Errorf("StopURL: %s", page)
	}
	if n, _, _, _ := w.press(w.open(w.form(smartro.PC, smartro.Card)), "decline"); n.ResultCode != "1614" {
		t.Errorf("declined: %s", n.ResultCode)
	}
	form := w.form(smartro.PC, smartro.Kakao)
	form.Fields = append(form.Fields, smartro.Field{Name: "pay_tel", Value: "010"}, smartro.Field{Name: "TID", Value: "x"}, smartro.Field{Name: "merchantKey", Value: "k"})
	sess := w.open(form)
	n, _, _, page := w.press(sess, "approve")
	if n.ResultCode != "KP00" || n.Kind(w.m) != smartro.Approved || !strings.Contains(page, `name="pay_tel" value="010"`) || strings.Contains(page, "merchantKey") {
		t.Errorf("wallet: %s %s", n.ResultCode, page)
	}
	if again, _, _, _ := w.press(sess, "approve"); again.ResultCode != "DUP1" {
		t.Errorf("again: %s", again.ResultCode)
	}
	card := w.pay(smartro.Card)
	w.wantCancel("2026", card.TID, 40000, true, nil)
	w.wantCancel("2001", card.TID, 1000, true, nil)
	w.pass(24 * time.Hour)
	w.wantCancel("2001", card.TID, 2000, true, nil)
	account := w.pay(smartro.Vbank)
	w.deliver()
	var told []string
	for _, n := range w.notices {
		if n.TID == card.TID {
			told = append(told, n.StateCd)
		}
	}
	if strings.Join(told, "") != "ABC" {
		t.Errorf("state_cd %q under the payment's own TID, want A B C", told)
	}
	w.api("/control/api/deposit", map[string]any{"tid": account.TID}, http.StatusOK)
	to := &smartro.RefundAccount{BankCode: "088", Number: "110", Holder: "홍길동"}
	w.wantCancel("SB27", account.TID, 33000, false, to)
	w.m.RefundFields = smartro.RefundFields{Bank: "bankCd", Number: "acctNo", Holder: "acctNm"}
	w.wantCancel("2211", account.TID, 33000, false, to)
}

func TestUnpublishedRefused(t *testing.T) {
	for name, u := range map[string]sandbox.Unpublished{
		`"3001"`: {Codes: map[string]string{"3001": "X"}}, "W034": {Codes: map[string]string{"W034": "user abort"}}, "wallet": {WalletCode: "12345678901"},
		"state_cd": {StateCds: [3]string{"취소"}},
	} {
		if _, err := sandbox.New(sandbox.Config{Unpublished: u}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPartOfTheState: the control API tells the newest payments alone, or those that it is asked about.
func TestPartOfTheState(t *testing.T) {
	w := newWorld(t, nil)
	first, second := w.pay(smartro.Card).TID, w.pay(smartro.Bank).TID
	w.deliver()
	for query, want := range map[string][]smartro.TID{
		"?newest=1": {second}, "?newest=9": {second, first}, "?tid=" + string(first): {first},
		"?tid=" + string(first) + "&tid=" + string(second): {first, second}, "?tid=NOBODY": nil, "": {second, first},
	} {
		var state struct {
			Payments []struct{ TID smartro.TID } `json:"payments"`
			Notices  []struct{ TID smartro.TID } `json:"notifications"`
		}
		status, body := w.get("/control/api/state" + query)
		if err := json.Unmarshal([]byte(body), &state); err != nil || status != http.StatusOK {
			t.Fatalf("%s: %d, %v", query, status, err)
		}
		var got []smartro.TID
		for _, p := range state.Payments {
			got = append(got, p.TID)
		}
		if !slices.Equal(got, want) || len(state.Notices) != len(want) {
			t.Errorf("%s: payments %q, want %q; %d notifications", query, got, want, len(state.Notices))
		}
	}
	for _, wrong := range []string{"0", "-1", "many"} {
		if status, _ := w.get("/control/api/state?newest=" + wrong); status != http.StatusBadRequest {
			t.Errorf("newest=%s: %d", wrong, status)
		}
	}
}
