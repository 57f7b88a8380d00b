package smartro_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gage/smartro"
)

const doneAnswer = "\r\n PayMethod=CARD&PayName=%BD%C5%BF%EB%C4%AB%B5%E5&MID=gagedemo1m&TID=" + string(cardTID) +
	"&Moid=A1&CancelAmt=000000001000&ResultCode=2001&ResultMsg=%C3%EB%BC%D2+%BC%BA%B0%F8&CancelDate=20261123&CancelTime=101500&CancelNum=&Pad=YWI=\n\n"

func partOf1000() smartro.CancelRequest {
	return smartro.CancelRequest{TID: cardTID, Amt: 1000, Partial: true, Reason: "품절"}
}

// TestCancelOnce drives each way a cancel's answer can go wrong: one POST each, and never a wrong "refused".
//
// proves R17
func TestCancelOnce(t *testing.T) {
	say := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); _, _ = io.WriteString(w, body) }
	}
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		outcome smartro.CancelOutcome
		err     error // nil: none wanted
	}{
		"done":         {say(200, doneAnswer), smartro.CancelDone, nil},
		"already":      {say(200, "ResultCode=2013&TID="+string(cardTID)), smartro.CancelAlready, nil},
		"refused":      {say(200, "ResultCode=2024&ResultMsg=x"), smartro.CancelRefused, nil},
		"system error": {say(200, "ResultCode=9999"), smartro.CancelUnknown, nil},
		"500":          {say(500, doneAnswer), smartro.CancelUnknown, smartro.ErrUnreadable},
		"garbage":      {say(200, "<html>ResultCode=2001&x</html>"), smartro.CancelUnknown, smartro.ErrUnreadable},
		"empty":        {say(200, ""), smartro.CancelUnknown, smartro.ErrUnreadable},
		"java's 1":     {say(200, "1"), smartro.CancelUnknown, smartro.ErrUnreadable},
		"doubled":      {say(200, "ResultCode=2024&"+doneAnswer), smartro.CancelUnknown, smartro.ErrAmbiguous},
		"huge":         {say(200, strings.Repeat("x", smartro.MaxMessage+1)), smartro.CancelUnknown, smartro.ErrTooLarge},
		"other TID":    {say(200, strings.Replace(doneAnswer, "1234&Moid", "9999&Moid", 1)), smartro.CancelUnknown, smartro.ErrMismatch},
		"other amount": {say(200, strings.Replace(doneAnswer, "1000&Res", "2000&Res", 1)), smartro.CancelUnknown, smartro.ErrMismatch},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
		}, smartro.CancelUnknown, smartro.ErrUnreadable},
		"hang up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, smartro.CancelUnknown, io.EOF},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9999")
			_, _ = io.WriteString(w, doneAnswer)
		}, smartro.CancelUnknown, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			var posts atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				posts.Add(1)
				c.answer(w, r)
			}))
			defer srv.Close()
			m := merchant()
			m.Endpoints = smartro.EndpointsAt(srv.URL)
			a, err := smartro.Client{}.Cancel(t.Context(), m, partOf1000())
			if !errors.Is(err, c.err) || errors.Is(err, smartro.ErrNotSent) || posts.Load() != 1 {
				t.Errorf("%d posts, err %v", posts.Load(), err)
			}
			if err == nil && a.Outcome() != c.outcome {
				t.Errorf("outcome %s, want %s", a.Outcome(), c.outcome)
			}
		})
	}
}

// TestCancelWire pins what is sent, and that an answer's parts are all read.
func TestCancelWire(t *testing.T) {
	var body, contentType string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		body, contentType = r.URL.Path+"\n"+string(raw), r.Header.Get("Content-Type")
		_, _ = io.WriteString(w, doneAnswer)
	}))
	defer srv.Close()
	m := merchant()
	m.Endpoints = smartro.EndpointsAt(srv.URL)
	r := partOf1000()
	r.Refund = &smartro.RefundAccount{BankCode: "088", Number: "110-123-456789", Holder: "홍길동"}
	a, err := smartro.WEBLink{Merchant: m}.Cancel(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "cancel_part.golden", []byte(contentType+"\n"+strings.ReplaceAll(body, "&", "\n&")+"\n"))
	if a.ResultMsg != "취소 성공" || a.Amt != 1000 || a.CancelDate != "20261123" || a.CancelTime != "101500" || a.Moid != "A1" {
		t.Errorf("answer %+v", a)
	}
	if last := a.Fields[len(a.Fields)-1]; last.Value != "YWI=" {
		t.Errorf("lost Base64 padding: %q", last.Value)
	}
}

// TestCancelNotSent: only what surely never left may be called so.
func TestCancelNotSent(t *testing.T) {
	var posts atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { posts.Add(1) }))
	m := merchant()
	m.Endpoints = smartro.EndpointsAt(srv.URL)
	gone, stop := context.WithCancel(t.Context())
	stop()
	for name, c := range map[string]struct {
		ctx    context.Context
		change func(*smartro.CancelRequest)
		want   string
	}{
		"no amount":     {t.Context(), func(r *smartro.CancelRequest) { r.Amt = 0 }, "CancelAmt"},
		"bad TID":       {t.Context(), func(r *smartro.CancelRequest) { r.TID = "x" }, "TID"},
		"other's TID":   {t.Context(), func(r *smartro.CancelRequest) { r.TID = "gageother101012611231000001234" }, "TID"},
		"long reason":   {t.Context(), func(r *smartro.CancelRequest) { r.Reason = strings.Repeat("가", 16) }, "CancelMSG"},
		"bad account":   {t.Context(), func(r *smartro.CancelRequest) { r.Refund = &smartro.RefundAccount{} }, "RefundBankCd RefundAcctNo RefundAcctNm"},
		"already ended": {gone, func(*smartro.CancelRequest) {}, ""},
	} {
		r := partOf1000()
		c.change(&r)
		_, err := smartro.Client{}.Cancel(c.ctx, m, r)
		if !errors.Is(err, smartro.ErrNotSent) || faultFields(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), smartro.DemoCancelPassword) {
			t.Errorf("%s: the error tells the password", name)
		}
	}
	srv.Close()
	if _, err := (smartro.Client{}).Cancel(t.Context(), m, partOf1000()); !errors.Is(err, smartro.ErrNotSent) {
		t.Errorf("nobody listens: %v", err)
	}
	if n := posts.Load(); n != 0 {
		t.Errorf("%d posts", n)
	}
	if got := smartro.CancelReason(strings.Repeat("가", 14) + "a나다"); got != strings.Repeat("가", 14)+"a" {
		t.Errorf("CancelReason = %q", got)
	}
}

// TestCancelTimeout: an answer that never comes leaves the outcome unknown.
//
// proves R17
func TestCancelTimeout(t *testing.T) {
	arrived, done := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(arrived); <-done }))
	defer srv.Close()
	defer close(done)
	m := merchant()
	m.Endpoints = smartro.EndpointsAt(srv.URL)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	go func() { <-arrived; stop() }()
	_, err := smartro.Client{}.Cancel(ctx, m, partOf1000())
	if err == nil || errors.Is(err, smartro.ErrNotSent) || !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}

// failing is a transport that fails in its own way: nobody can say that nothing was sent.
type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, net.ErrClosed }

func TestCancelForeignTransport(t *testing.T) {
	_, err := smartro.Client{HTTP: &http.Client{Transport: failing{}}}.Cancel(t.Context(), merchant(), partOf1000())
	if err == nil || errors.Is(err, smartro.ErrNotSent) {
		t.Errorf("err = %v", err)
	}
}

func TestInquire(t *testing.T) {
	for answer, want := range map[string]error{
		`{"ResultCode":"0000","Tid":"` + string(cardTID) + `","mid":"gagedemo1m","Amt":11000,"BalanceAmt":"10000","state_cd":"2","FnName":"신한"}`: nil,
		`{"Tid":"` + string(cardTID) + `","Amt":11000}`:                                               smartro.ErrNotProven,
		`{"Tid":"gagedemo1m01012611231000009999","Amt":11000,"StateCd":"0"}`:                          smartro.ErrNotProven,
		`{"Tid":"` + string(cardTID) + `","Amt":11000,"StateCd":"0","ResultCode":"9999"}`:             smartro.ErrNotProven,
		`{"Tid":"` + string(cardTID) + `","Amt":11000,"StateCd":"0","tid":"` + string(cardTID) + `"}`: smartro.ErrAmbiguous,
		`<html>`: smartro.ErrUnreadable,
	} {
		var key string
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			key = r.Header.Get("apikey")
			_, _ = io.WriteString(w, answer)
		}))
		m := merchant()
		m.Endpoints = smartro.EndpointsAt(srv.URL)
		q, err := smartro.Client{}.Inquire(t.Context(), m, cardTID)
		srv.Close()
		if !errors.Is(err, want) || key != smartro.DemoKey || len(q.Raw) == 0 {
			t.Errorf("%s: %v", answer, err)
		}
		if want == nil && (q.Amt != 11000 || q.Balance != 10000 || q.State != "2" || q.CardName != "신한") {
			t.Errorf("inquiry %+v", q)
		}
	}
}

// TestEndpointsOneByOne: each URL can be changed alone, and only the call that it is for goes there.
func TestEndpointsOneByOne(t *testing.T) {
	const own = "http://127.0.0.1:9/own"
	used := func(m smartro.Merchant) map[string]string {
		t.Helper()
		to := map[string]string{"ReceiptPage": m.ReceiptURL(cardTID, smartro.Slip)}
		for name, device := range map[string]smartro.Device{"PCWindow": smartro.PC, "MobileWindow": smartro.Mobile} {
			form, err := m.PayForm(request(device, smartro.Card))
			if err != nil {
				t.Fatal(err)
			}
			to[name] = form.Action
		}
		for name, account := range map[string]*smartro.RefundAccount{"Cancel": nil, "Refund": {BankCode: "088", Number: "1", Holder: "홍"}} {
			r := partOf1000()
			r.Refund = account
			form, err := m.CancelForm(r)
			if err != nil {
				t.Fatal(err)
			}
			to[name] = form.Action
		}
		_, err := smartro.Client{HTTP: &http.Client{Transport: transport(func(r *http.Request) { to["ReceiptData"] = r.URL.String() })}}.Inquire(t.Context(), m, cardTID)
		if err == nil {
			t.Fatal("answered by nobody")
		}
		receipt := smartro.Client{HTTP: &http.Client{Transport: transport(func(r *http.Request) { to["CashReceipt"] = r.URL.Scheme + "://" + r.URL.Host + r.URL.Path })}}
		if _, err := receipt.IssueCashReceipt(t.Context(), m, receiptRequest(t)); err == nil {
			t.Fatal("answered by nobody")
		}
		back := smartro.Client{HTTP: &http.Client{Transport: transport(func(r *http.Request) { to["CashReceiptCancel"] = r.URL.String() })}}
		if _, err := back.CancelCashReceipt(t.Context(), m, receiptTID, 11000, "취소"); err == nil {
			t.Fatal("answered by nobody")
		}
		return to
	}
	before := used(merchant())
	for name, change := range map[string]func(*smartro.Endpoints){
		"PCWindow":     func(e *smartro.Endpoints) { e.PCWindow = own },
		"MobileWindow": func(e *smartro.Endpoints) { e.MobileWindow = own },
		"Cancel":       func(e *smartro.Endpoints) { e.Cancel = own },
		"Refund":       func(e *smartro.Endpoints) { e.Refund = own },
		"ReceiptPage":  func(e *smartro.Endpoints) { e.ReceiptPage = own },
		"ReceiptData":  func(e *smartro.Endpoints) { e.ReceiptData = own },

		"CashReceipt":       func(e *smartro.Endpoints) { e.CashReceipt = own },
		"CashReceiptCancel": func(e *smartro.Endpoints) { e.CashReceiptCancel = own },
	} {
		m := merchant()
		change(&m.Endpoints)
		for call, url := range used(m) {
			follows := call == name || name == "Cancel" && (call == "Refund" || call == "CashReceiptCancel") // their paths are the cancel's until they are told apart
			if follows != strings.HasPrefix(url, own) || !follows && url != before[call] {
				t.Errorf("%s changed: %s goes to %s", name, call, url)
			}
		}
	}
}

// transport tells of a request and answers nothing.
type transport func(*http.Request)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	f(r)
	return nil, net.ErrClosed
}

// TestRefundFields: the names of the refund account are the shop's to change.
func TestRefundFields(t *testing.T) {
	m := merchant()
	m.RefundFields = smartro.RefundFields{Bank: "bankCd", Number: "acctNo"}
	r := partOf1000()
	r.Refund = &smartro.RefundAccount{BankCode: "088", Number: "110-123", Holder: "홍길동"}
	form, err := m.CancelForm(r)
	if err != nil || form.Get("bankCd") != "088" || form.Get("acctNo") != "110123" || form.Get("RefundAcctNm") != "홍길동" || form.Get("RefundBankCd") != "" {
		t.Errorf("%+v, %v", form.Fields, err)
	}
}

// TestInquiryShape: an answer in another spelling is read once the shop has told how.
func TestInquiryShape(t *testing.T) {
	var asked string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		asked = string(raw)
		_, _ = io.WriteString(w, `{"trade_no":"`+string(cardTID)+`","Amt":11000,"remain":"10000","status":"PART"}`)
	}))
	defer srv.Close()
	m := merchant()
	m.Endpoints = smartro.EndpointsAt(srv.URL)
	if _, err := (smartro.Client{}).Inquire(t.Context(), m, cardTID); !errors.Is(err, smartro.ErrNotProven) {
		t.Errorf("another spelling, unknown: %v", err)
	}
	m.InquiryShape = smartro.InquiryShape{
		TID: "TID", Type: "slip", Names: map[string]string{"TradeNo": "TID", "remain": "BalanceAmt", "status": "StateCd"}, States: map[string]string{"PART": "2"},
	}
	q, err := smartro.Client{}.Inquire(t.Context(), m, cardTID)
	if err != nil || q.TID != cardTID || q.Amt != 11000 || q.Balance != 10000 || q.State != "2" || q.Fields[0].Name != "trade_no" {
		t.Errorf("%+v, %v", q, err)
	}
	if asked != `{"TID":"`+string(cardTID)+`","slip":"0"}` {
		t.Errorf("asked %s", asked)
	}
}
