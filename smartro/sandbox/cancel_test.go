package sandbox_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gage/smartro"
)

func (w *world) cancel(tid smartro.TID, amt smartro.Won, part bool, to *smartro.RefundAccount) (smartro.CancelAnswer, error) {
	return smartro.Client{HTTP: &http.Client{Timeout: 500 * time.Millisecond}}.Cancel(context.Background(), w.m,
		smartro.CancelRequest{TID: tid, Amt: amt, Partial: part, Reason: "고객 변심", Refund: to})
}

func (w *world) wantCancel(code string, tid smartro.TID, amt smartro.Won, part bool, to *smartro.RefundAccount) smartro.CancelAnswer {
	w.t.Helper()
	a, err := w.cancel(tid, amt, part, to)
	if err != nil || a.ResultCode != code {
		w.t.Fatalf("cancel of %d: %s %s, %v; want %s", amt, a.ResultCode, a.ResultMsg, err, code)
	}
	return a
}

func TestCancelMatrix(t *testing.T) {
	w := newWorld(t, nil)
	n := w.pay(smartro.Card)
	good := w.m
	w.m.Key = "d3Jvbmcta2V5LXRoYXQtaXMtbG9uZy1lbm91Z2gtZm9yLWEtdGVzdA=="
	w.wantCancel("A211", n.TID, 33000, false, nil)
	w.m = good
	w.m.CancelPassword = "654321"
	w.wantCancel("2024", n.TID, 33000, false, nil)
	w.m = good
	w.wantCancel("2012", n.TID[:26]+"zzzz", 33000, false, nil)
	w.wantCancel("2034", n.TID, 33001, true, nil)
	w.wantCancel("2011", n.TID, 1000, false, nil)
	part := w.wantCancel("2001", n.TID, 11000, true, nil)
	if part.PTID == "" || part.PTID == n.TID || part.Amt != 11000 {
		t.Errorf("part %+v", part)
	}
	w.wantCancel("2034", n.TID, 22001, true, nil)
	w.wantCancel("2001", n.TID, 22000, false, nil)
	w.wantCancel("2013", n.TID, 22000, false, nil)
	w.deliver()
	if w.codes() != "3001 2001 2001" {
		t.Fatalf("notices %s", w.codes())
	}
	for i, tid := range []smartro.TID{part.PTID, n.TID} {
		got := w.notices[i+1]
		if got.OTID != n.TID || got.TID != tid || got.Verify(w.m) != nil {
			t.Errorf("notice of cancel %d: %+v", i, got)
		}
	}
	q, err := smartro.Client{}.Inquire(context.Background(), w.m, n.TID)
	if err != nil || q.State != "1" || q.Balance != 0 || q.Amt != 33000 {
		t.Errorf("inquiry %+v, %v", q, err)
	}
}

func TestCancelByMethod(t *testing.T) {
	for m, want := range map[smartro.Method]string{smartro.Card: "2001", smartro.Bank: "2211", smartro.Cellphone: "2030", smartro.Kakao: "2030", smartro.CLGift: "2030"} {
		w := newWorld(t, nil)
		w.wantCancel(want, w.pay(m).TID, 1000, true, nil)
	}
}

func TestCancelInQuery(t *testing.T) {
	w := newWorld(t, nil)
	n := w.pay(smartro.Card)
	q := url.Values{
		"TID": {string(n.TID)}, "CancelAmt": {"33000"}, "Cancelpw": {"123456"}, "PartialCancelCode": {"0"},
		"CancelMSG": {"%B0%ED%B0%B4"}, "hashData": {smartro.HashData(smartro.MD5, n.TID, w.m.Key, 33000, "0")},
	}
	resp, err := http.Post(w.m.Endpoints.Cancel+"?"+q.Encode(), "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if err := resp.Write(&b); err != nil || !strings.Contains(b.String(), "ResultCode=2001") || !strings.Contains(b.String(), "CancelMSG=%B0%ED%B0%B4") {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestVirtualAccount(t *testing.T) {
	w := newWorld(t, nil)
	taken := w.pay(smartro.Vbank)
	w.wantCancel("2001", taken.TID, 33000, false, nil)
	w.api("/control/api/deposit", map[string]any{"tid": taken.TID}, http.StatusNotFound)

	w.deliver()
	n := w.pay(smartro.Vbank)
	if len(n.VbankNum) < 12 || n.VbankName == "" {
		t.Errorf("account %q of %q", n.VbankNum, n.VbankName)
	}
	if _, err := (smartro.Client{}).Inquire(context.Background(), w.m, n.TID); !errors.Is(err, smartro.ErrNotProven) {
		t.Errorf("inquiry before the deposit: %v", err)
	}
	status, page := w.post(w.srv.URL+"/payTest/vbank_deposit_notice.jsp", "TID="+n.VbankNum)
	if status != http.StatusOK || !strings.Contains(page, "33,000원") {
		t.Fatalf("deposit page: %d %s", status, page)
	}
	w.deliver()
	if w.codes() != "4100 2001 4100 4110" {
		t.Fatalf("notices %s", w.codes())
	}
	if d := w.notices[3]; d.TID != n.TID || d.Amt != 33000 || d.Verify(w.m) != nil {
		t.Errorf("deposit notice %+v", d)
	}
	w.wantCancel("SB27", n.TID, 33000, false, nil)
	to := &smartro.RefundAccount{BankCode: "088", Number: "110123456789", Holder: "홍길동"}
	w.wantCancel("2211", n.TID, 3000, true, to)
	w.wantCancel("2211", n.TID, 30000, false, to)
	w.wantCancel("2013", n.TID, 30000, false, to)
}

func TestCancelFaults(t *testing.T) {
	for fault, answered := range map[string]bool{"cancel_delay": true, "cancel_never": false, "cancel_500": false, "cancel_garbage": false} {
		t.Run(fault, func(t *testing.T) {
			w := newWorld(t, nil)
			n := w.pay(smartro.Card)
			w.order(fault, "next")
			a, err := w.cancel(n.TID, 33000, false, nil)
			if (err == nil) != answered || errors.Is(err, smartro.ErrNotSent) {
				t.Errorf("answer %+v, %v", a, err)
			}
			w.wantCancel("2013", n.TID, 33000, false, nil)
		})
	}
}

func TestReceipts(t *testing.T) {
	w := newWorld(t, nil)
	n := w.pay(smartro.Card)
	sess := w.open(w.form(smartro.PC, smartro.Bank))
	_, page := w.post(w.srv.URL+"/window", "action=approve&receipt=1&session="+sess)
	var bank string
	for _, f := range hidden(page) {
		if f.Name == "TID" {
			bank = f.Value
		}
	}
	for path, c := range map[string]struct {
		status int
		want   string
	}{
		"TID=" + string(n.TID) + "&type=0": {200, "3,000원"},
		"TID=" + string(n.TID) + "&type=2": {404, "현금영수증이 없습니다"},
		"TID=" + bank + "&type=2":          {200, "소득공제"},
		"TID=" + string(n.TID) + "&type=1": {400, "영수증 종류"},
		"TID=nothing&type=0":               {404, "거래를 찾을 수 없습니다"},
	} {
		status, page := w.get("/issue/IssueLoader.jsp?" + path)
		if status != c.status || !strings.Contains(page, c.want) {
			t.Errorf("%s: %d, want %d with %q: %s", path, status, c.status, c.want, page)
		}
	}
	w.m.Key = "d3Jvbmcta2V5LXRoYXQtaXMtbG9uZy1lbm91Z2gtZm9yLWEtdGVzdA=="
	if q, err := (smartro.Client{}).Inquire(context.Background(), w.m, n.TID); err == nil {
		t.Errorf("a wrong key was answered: %+v", q)
	}
}

// TestReasonIsDecodedTwice: what the client wrote is what the merchant's list shows.
func TestReasonIsDecodedTwice(t *testing.T) {
	for sent, want := range map[string]string{"sold out": "sold out", "50% 할인 철회": "50% 할인 철회", "a+b 100%": "a+b 100%", "품절": "품절"} {
		w := newWorld(t, nil)
		n := w.pay(smartro.Card)
		a, err := smartro.Client{}.Cancel(context.Background(), w.m, smartro.CancelRequest{TID: n.TID, Amt: 33000, Reason: sent})
		if err != nil || a.ResultCode != "2001" {
			t.Fatal(a, err)
		}
		if _, state := w.get("/control/api/state"); !strings.Contains(state, `"reason":"`+want+`"`) {
			t.Errorf("%q arrived in %s", sent, state)
		}
	}
}

// TestSlipsOfAccounts: an account that nobody paid into has no slip; one that got another amount shows what came.
func TestSlipsOfAccounts(t *testing.T) {
	w := newWorld(t, nil)
	left := w.pay(smartro.Vbank)
	slip := func(tid smartro.TID) (int, string) { return w.get("/issue/IssueLoader.jsp?type=0&TID=" + string(tid)) }
	if status, _ := slip(left.TID); status != http.StatusNotFound {
		t.Errorf("slip before the deposit: %d", status)
	}
	w.wantCancel("2001", left.TID, 33000, false, nil)
	if status, _ := slip(left.TID); status != http.StatusNotFound {
		t.Errorf("slip of an account that was withdrawn: %d", status)
	}
	w.deliver() // notices of several payments have no order among themselves
	paid := w.pay(smartro.Vbank)
	w.api("/control/api/deposit", map[string]any{"tid": paid.VbankNum, "amt": 11000}, http.StatusOK)
	status, page := slip(paid.TID)
	if status != http.StatusOK || !strings.Contains(page, "11,000원") || !strings.Contains(page, "10,000원") || strings.Contains(page, "33,000원") {
		t.Errorf("slip of 11,000 won: %d %s", status, page)
	}
	w.deliver()
	if d := w.notices[len(w.notices)-1]; d.ResultCode != "4110" || d.Amt != 11000 {
		t.Errorf("deposit notice %+v", d)
	}
}
