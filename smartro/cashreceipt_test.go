package smartro_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gage/smartro"
)

// receiptTID is what the simulated gateway mints for a receipt: method 04.
const receiptTID smartro.TID = "gagedemo1m04012611231000001234"

func receiptRequest(t testing.TB) smartro.CashReceiptRequest {
	t.Helper()
	id, err := smartro.ParseIdentity(smartro.IncomeDeduction, "010-9999-1111")
	if err != nil {
		t.Fatal(err)
	}
	return smartro.CashReceiptRequest{
		Moid: "CRK7M2Q9AB", Purpose: smartro.IncomeDeduction, Identity: id, Amt: 11000, Supply: 10000, VAT: 1000,
		GoodsName: "맛동산 <한 봉지>", BuyerName: "홍길동", BuyerTel: "01099991111", EdiDate: at(), MallIP: "192.0.2.1",
	}
}

// receiptAnswer is one of the default layout, with a code, a TID and an amount.
func receiptAnswer(code string, tid smartro.TID, amt string) string {
	return "\r\nCASHRCPT!@#gagedemo1m!@#" + amt + "!@#%C8%AB%B1%E6%B5%BF!@#%B8%C0%B5%BF%BB%EA!@#!@#" + string(tid) + "!@#CRK7M2Q9AB!@#261123100000!@#Z12345678!@#" +
		code + "!@#%B9%DF%B1%DE!@#!@#!@#!@#!@#eA==\n"
}

// TestParseIdentity: what a person writes for a purpose, and what is refused; the number is in no error.
func TestParseIdentity(t *testing.T) {
	for _, c := range []struct {
		purpose smartro.CashReceiptPurpose
		in      string
		want    string // "": refused
	}{
		{smartro.IncomeDeduction, "010-9999-1111", "01099991111"},
		{smartro.IncomeDeduction, "011 999 1111", "0119991111"},
		{smartro.IncomeDeduction, "0109991111", ""},  // 010 has eight digits behind it
		{smartro.IncomeDeduction, "0100001234", ""},  // the tax office's own
		{smartro.IncomeDeduction, "02-999-1111", ""}, // no mobile number
		{smartro.IncomeDeduction, "01299991111", ""}, //
		{smartro.IncomeDeduction, "9445050000000009", "9445050000000009"},
		{smartro.IncomeDeduction, "9445050000000008", ""}, // Luhn
		{smartro.IncomeDeduction, "154412345678901234", "154412345678901234"},
		{smartro.IncomeDeduction, "1544123456789", "1544123456789"}, // thirteen, but no date of birth
		{smartro.IncomeDeduction, "9001011234567", ""},              // a resident number
		{smartro.IncomeDeduction, "900101-1234567", ""},             //
		{smartro.IncomeDeduction, "15441234567890123456", ""},       // 20 digits
		{smartro.IncomeDeduction, "", ""},
		{smartro.IncomeDeduction, "０１０９９９９１１１１", ""},
		{smartro.ExpenseProof, "123-45-67891", "1234567891"},
		{smartro.ExpenseProof, "1234567890", ""},
		{smartro.ExpenseProof, "01099991111", ""},
		{smartro.ExpenseProof, "", ""},
		{smartro.SelfIssued, "", "0100001234"},
		{smartro.SelfIssued, "010-000-1234", "0100001234"},
		{smartro.SelfIssued, "01099991111", ""},
		{"4", "01099991111", ""},
	} {
		id, err := smartro.ParseIdentity(c.purpose, c.in)
		if id.Reveal() != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s %q: %q, %v; want %q", c.purpose, c.in, id.Reveal(), err, c.want)
		}
		if err != nil && len(c.in) > 4 && strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), c.in) {
			t.Errorf("the error tells the number: %#v", err)
		}
	}
}

// TestIdentityIsNeverPrinted: whatever prints a request, its number stays away.
//
// proves I9
func TestIdentityIsNeverPrinted(t *testing.T) {
	r := receiptRequest(t)
	r.BuyerTel = ""
	for _, out := range []string{fmt.Sprint(r), fmt.Sprintf("%+v", r), fmt.Sprintf("%#v", r), fmt.Sprintf("%s %q %x", r.Identity, r.Identity, r.Identity)} {
		if strings.Contains(out, "9999") {
			t.Errorf("printed: %s", out)
		}
	}
	if got := r.Identity.Masked(); got != "*******1111" {
		t.Errorf("masked: %s", got)
	}
	own, err := smartro.ParseIdentity(smartro.SelfIssued, "")
	if err != nil || own.Masked() != "010-000-1234" {
		t.Errorf("%s, %v", own.Masked(), err)
	}
}

// TestSplitVAT: both roundings by their documented formulas, and the sum of both always the total.
func TestSplitVAT(t *testing.T) {
	differ := 0
	for total := smartro.Won(0); total < 20_000; total++ {
		for _, free := range []smartro.Won{0, total / 3, total} {
			supply, vat := smartro.SplitVAT(total, free, smartro.VATDown)
			near, rest := smartro.SplitVAT(total, free, smartro.SupplyNear)
			if supply+vat != total || near+rest != total || vat < 0 || rest < 0 {
				t.Fatalf("%d with %d free: %d + %d, %d + %d", total, free, supply, vat, near, rest)
			}
			if taxed := total - free; vat != taxed*100/1100 || rest != taxed-smartro.Won(float64(taxed)/1.1+0.5) {
				t.Fatalf("%d with %d free: VAT %d and %d", total, free, vat, rest)
			}
			if free == 0 && vat != rest {
				differ++
			}
		}
	}
	if differ < 9000 || differ > 9200 { // five of eleven amounts
		t.Errorf("the roundings differ for %d of 20000 amounts", differ)
	}
}

// TestCashReceiptVerifyValue: worked by another implementation with the invented merchant's key.
func TestCashReceiptVerifyValue(t *testing.T) {
	fields := []smartro.Field{{Name: "Amt", Value: "1004"}, {Name: "MID", Value: "SMTPAY001m"}, {Name: "ediDate", Value: "20200609120000"}}
	if got := (smartro.CashReceiptSpec{}).VerifyValue(fields, smartro.DemoKey); got != "OTI4NWUxYTNjNzdhM2ZjOTBkYzI2MzNlNzcyOGFhOTI=" {
		t.Errorf("by default: %s", got)
	}
	other := smartro.CashReceiptSpec{VerifyForm: smartro.SHA256, VerifyOver: []string{"MID", "Amt", "merchantKey"}}
	if got := other.VerifyValue(fields, "key"); got != "ehMcMkcFzv5qs/2daclcsSsnfRJGfIKiBdHMWP0WJf4=" {
		t.Errorf("SHA-256 over MID, Amt, key: %s", got)
	}
}

// TestCashReceiptGolden pins the request as this package reads the call, and as a contract may have it instead.
func TestCashReceiptGolden(t *testing.T) {
	other := merchant()
	other.CashReceipt = smartro.CashReceiptSpec{
		PayMethod: "CASH", Names: map[string]string{"ReceiptIdentity": "IdNo", "ReceiptVAT": "VatAmt"}, VerifyForm: smartro.SHA256, VerifyOver: []string{"Moid", "merchantKey"},
	}
	other.Endpoints.CashReceipt = "https://tpay.smilepay.co.kr/own/cash.jsp"
	for name, m := range map[string]smartro.Merchant{"cash_receipt": merchant(), "cash_receipt_other": other} {
		form, err := m.CashReceiptForm(receiptRequest(t))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".golden", []byte(form.Action+"\n"+strings.ReplaceAll(string(form.Encode()), "&", "\n&")+"\n"))
	}
}

// TestCashReceiptRefuses: nothing with a fault leaves, and the fault is named.
func TestCashReceiptRefuses(t *testing.T) {
	for want, change := range map[string]func(*smartro.Merchant, *smartro.CashReceiptRequest){
		"Moid":            func(_ *smartro.Merchant, r *smartro.CashReceiptRequest) { r.Moid = "" },
		"CashReceiptType": func(_ *smartro.Merchant, r *smartro.CashReceiptRequest) { r.Purpose = "0" },
		"ReceiptIdentity": func(_ *smartro.Merchant, r *smartro.CashReceiptRequest) { r.Purpose = smartro.ExpenseProof },
		"ReceiptAmt":      func(_ *smartro.Merchant, r *smartro.CashReceiptRequest) { r.VAT++ },
		"GoodsName":       func(_ *smartro.Merchant, r *smartro.CashReceiptRequest) { r.GoodsName = " " },
		"ediDate":         func(_ *smartro.Merchant, r *smartro.CashReceiptRequest) { r.EdiDate = time.Time{} },
		"Answer":          func(m *smartro.Merchant, _ *smartro.CashReceiptRequest) { m.CashReceipt.Answer = []string{"TID"} },
		"Success":         func(m *smartro.Merchant, _ *smartro.CashReceiptRequest) { m.CashReceipt.Success = []string{"70 1"} },
		"CashReceipt":     func(m *smartro.Merchant, _ *smartro.CashReceiptRequest) { m.Endpoints.CashReceipt = "/path" },
	} {
		m, r := merchant(), receiptRequest(t)
		change(&m, &r)
		_, err := smartro.Client{HTTP: &http.Client{Transport: transport(func(*http.Request) { t.Errorf("%s: it was sent", want) })}}.IssueCashReceipt(t.Context(), m, r)
		if !errors.Is(err, smartro.ErrNotSent) || !strings.Contains(faultFields(err), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestIssueCashReceiptOnce drives each way the answer can go wrong: one POST each, its fields in the query and nothing in
// the body, never a wrong "refused", and no error that tells whom it is for.
//
// proves R35 I8
func TestIssueCashReceiptOnce(t *testing.T) {
	good := receiptAnswer("7001", receiptTID, "000000011000")
	say := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); _, _ = io.WriteString(w, body) }
	}
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		outcome smartro.CashReceiptOutcome
		err     error
	}{
		"issued":       {say(200, good), smartro.CashReceiptIssued, nil},
		"refused":      {say(200, receiptAnswer("SB61", "", "11000")), smartro.CashReceiptRefused, nil},
		"system error": {say(200, receiptAnswer("9999", "", "11000")), smartro.CashReceiptUnknown, nil},
		"no code":      {say(200, receiptAnswer("", receiptTID, "11000")), smartro.CashReceiptUnknown, smartro.ErrUnreadable},
		"no TID":       {say(200, receiptAnswer("7001", "", "11000")), smartro.CashReceiptUnknown, smartro.ErrUnreadable},
		"a value more": {say(200, good[:len(good)-1]+"!@#"), smartro.CashReceiptUnknown, smartro.ErrUnreadable},
		"other amount": {say(200, receiptAnswer("7001", receiptTID, "1100")), smartro.CashReceiptUnknown, smartro.ErrMismatch},
		"other order":  {say(200, strings.Replace(good, "CRK7M2Q9AB", "CRK7M2Q9AC", 1)), smartro.CashReceiptUnknown, smartro.ErrMismatch},
		"500":          {say(500, good), smartro.CashReceiptUnknown, smartro.ErrUnreadable},
		"garbage":      {say(200, "<html>7001!@#</html>"), smartro.CashReceiptUnknown, smartro.ErrUnreadable},
		"empty":        {say(200, ""), smartro.CashReceiptUnknown, smartro.ErrUnreadable},
		"huge":         {say(200, strings.Repeat("!@#", smartro.MaxMessage)), smartro.CashReceiptUnknown, smartro.ErrTooLarge},
		"hang up":      {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, smartro.CashReceiptUnknown, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			var posts atomic.Int64
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				posts.Add(1)
				body, err := io.ReadAll(r.Body)
				if r.Method != http.MethodPost || err != nil || len(body) > 0 || r.URL.Query().Get("ReceiptIdentity") != "01099991111" {
					t.Errorf("%s with %d bytes, %v", r.Method, len(body), err)
				}
				c.answer(w, r)
			}))
			defer srv.Close()
			m := merchant()
			m.Endpoints = smartro.EndpointsAt(srv.URL)
			a, err := smartro.Client{}.IssueCashReceipt(t.Context(), m, receiptRequest(t))
			if posts.Load() != 1 || a.Outcome != c.outcome || !errors.Is(err, c.err) {
				t.Errorf("%d posts, %s, %v", posts.Load(), a.Outcome, err)
			}
			if err != nil && strings.Contains(fmt.Sprintf("%+v", err), "9999") {
				t.Errorf("the error tells the number: %v", err)
			}
			if name == "issued" && (a.TID != receiptTID || a.AuthCode != "Z12345678" || a.ResultMsg != "발급") {
				t.Errorf("%+v", a)
			}
		})
	}
}

// TestCashReceiptOtherLayout: a contract may have other names, codes and values.
func TestCashReceiptOtherLayout(t *testing.T) {
	m := merchant()
	m.CashReceipt.Answer, m.CashReceipt.Success = []string{"ResultCode", "TID", "Amt", "AuthCode"}, []string{"0000"}
	a, err := m.ParseCashReceiptAnswer([]byte("0000!@#" + string(receiptTID) + "!@#11000!@#A1"))
	if err != nil || a.Outcome != smartro.CashReceiptIssued || a.AuthCode != "A1" {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := m.ParseCashReceiptAnswer([]byte("7001!@#" + string(receiptTID) + "!@#11000!@#A1")); err != nil || a.Outcome != smartro.CashReceiptRefused {
		t.Errorf("%+v, %v", a, err)
	}
	m.CashReceipt.CancelSuccess = []string{"2100"}
	for code, want := range map[string]smartro.CancelOutcome{"2100": smartro.CancelDone, "2001": smartro.CancelDone, "2015": smartro.CancelAlready, "2034": smartro.CancelRefused, "9999": smartro.CancelUnknown} {
		if got := m.CashReceiptCancelled(smartro.CancelAnswer{ResultCode: code}); got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
}

// FuzzParseCashReceiptAnswer: an error leaves nothing to act on; an issued receipt has a TID and a code that says so.
//
// proves S3
func FuzzParseCashReceiptAnswer(f *testing.F) {
	f.Add([]byte(receiptAnswer("7001", receiptTID, "11000")))
	f.Add([]byte(receiptAnswer("SB61", "", "")))
	f.Add([]byte(strings.Repeat("!@#", 16)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := merchant().ParseCashReceiptAnswer(raw)
		if err != nil && !reflect.DeepEqual(a, smartro.CashReceiptAnswer{}) {
			t.Fatalf("error %v, yet the answer says %+v", err, a)
		}
		if err == nil && (a.ResultCode == "" || a.Amt < 0 || len(a.Fields) != 17 || a.Outcome == smartro.CashReceiptIssued && (a.ResultCode != "7001" || len(a.TID) != 30)) {
			t.Fatalf("%+v", a)
		}
	})
}
