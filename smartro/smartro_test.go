package smartro_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gage/smartro"
)

// at is the time of every test: 2026-11-23 10:00:00 in Seoul.
func at() time.Time { return time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC) }

func merchant() smartro.Merchant {
	return smartro.Merchant{
		MID: smartro.DemoMID, Key: smartro.DemoKey, CancelPassword: smartro.DemoCancelPassword,
		Mode: smartro.Test, Hash: smartro.MD5,
	}
}

func TestParseWon(t *testing.T) {
	const bad = -1 // stands for an error
	for in, want := range map[string]smartro.Won{
		"1004": 1004, "000000001004": 1004, "0": 0, "999999999999": 999999999999,
		"": bad, "-1": bad, "+1": bad, "1,004": bad, "1e3": bad, "１": bad, " 1": bad, "1000000000000": bad,
	} {
		got, err := smartro.ParseWon(in)
		if err != nil {
			got = bad
		}
		if got != want {
			t.Errorf("ParseWon(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
}

func TestParseIDs(t *testing.T) {
	long := strings.Repeat("a", 40)
	for in, want := range map[string]string{
		"gagedemo1m": "mid moid", "SMTNEW001m01012507251636283998": "tid moid", "t_2301101m": "mid",
		"t_2301101m01012301281347442061": "tid", "gagedemo1m01_12006091200011234": "", "A1": "moid", long: "moid",
		long + "a": "", "": "", "A-1": "", "가": "", "gagedemo1m ": "", "gagedemo1m0101200609120001123\n": "",
	} {
		var got []string
		if _, err := smartro.ParseMID(in); err == nil {
			got = append(got, "mid")
		}
		if _, err := smartro.ParseTID(in); err == nil {
			got = append(got, "tid")
		}
		if _, err := smartro.ParseMoid(in); err == nil {
			got = append(got, "moid")
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

// TestTID takes the examples of weblink §5 apart.
func TestTID(t *testing.T) {
	for tid, want := range map[smartro.TID]string{
		"smartro01m01011507291348513881": "smartro01m 01 01 2015-07-29 13:48:51 3881",
		"SMTPAY001m02011708251359568455": "SMTPAY001m 02 01 2017-08-25 13:59:56 8455",
		"t_2301101m01012301281347442061": "t_2301101m 01 01 2023-01-28 13:47:44 2061",
		"gagedemo1m01012613011200001234": "gagedemo1m 01 01 no date 1234",
		"short":                          "   no date ",
	} {
		when := "no date"
		if minted, ok := tid.MintedAt(); ok {
			when = minted.Format(time.DateTime)
		}
		got := fmt.Sprintf("%s %s %s %s %s", tid.MID(), tid.MethodCode(), tid.Media(), when, tid.Serial())
		if got != want {
			t.Errorf("%s: %q, want %q", tid, got, want)
		}
	}
}

func TestSecretNeverPrints(t *testing.T) {
	const value = "hunter2hunter2"
	s := smartro.Secret(value)
	holder := struct {
		Key  smartro.Secret
		Ptr  *smartro.Secret
		List []smartro.Secret
		Map  map[string]smartro.Secret
	}{s, &s, []smartro.Secret{s}, map[string]smartro.Secret{"k": s}}
	var out []string
	for _, verb := range "vsqxXdtbcoOUeEfFgGT" {
		for _, flags := range []string{"", "+", "#", "20", "-20", ".3", " "} {
			for _, arg := range []any{s, &s, holder, &holder} {
				out = append(out, fmt.Sprintf("%"+flags+string(verb), arg))
			}
		}
	}
	text, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s, "h", holder)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s, "h", holder)
	out = append(out, string(text), log.String(), errors.Join(fmt.Errorf("key %v", s)).Error())
	for _, o := range out {
		if strings.Contains(o, value) || strings.Contains(strings.ToLower(o), "68756e74657232") || strings.Contains(o, value[:3]) {
			t.Errorf("printed: %s", o)
		}
	}
	if s.Reveal() != value {
		t.Errorf("Reveal() = %q", s.Reveal())
	}
}

// TestValidate names what each fault names; real mode takes neither practice keys nor practice hosts.
//
// proves S2, S26
func TestValidate(t *testing.T) {
	const realKey = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg=="
	live := func(m *smartro.Merchant) {
		m.Mode, m.MID, m.Key, m.CancelPassword = smartro.Real, "gageshop1m", realKey, "903817"
	}
	for name, c := range map[string]struct {
		change func(*smartro.Merchant)
		want   string // fields, "" for none
	}{
		"demo in test":    {func(*smartro.Merchant) {}, ""},
		"demo in real":    {func(m *smartro.Merchant) { m.Mode = smartro.Real }, "MID merchantKey Cancelpw"},
		"real":            {live, ""},
		"short key":       {func(m *smartro.Merchant) { live(m); m.Key = "c2hvcnQ=" }, "merchantKey"},
		"real, test host": {func(m *smartro.Merchant) { live(m); m.Endpoints = smartro.EndpointsFor(smartro.Test) }, "PCWindow MobileWindow Cancel ReceiptPage ReceiptData CashReceipt Charge"},
		"real, http":      {func(m *smartro.Merchant) { live(m); m.Endpoints.Cancel = "http://example.com/c" }, "Cancel"},
		"real, elsewhere": {func(m *smartro.Merchant) { live(m); m.Endpoints.Cancel = "https://pay.smilepay.co.kr.example.com/c" }, "Cancel"},
		"real, a user": {func(m *smartro.Merchant) {
			live(m)
			m.Endpoints.ReceiptData = "https://api.smilepay.co.kr@example.com/"
		}, "ReceiptData"},
		"real, lookalike": {func(m *smartro.Merchant) { live(m); m.Endpoints.PCWindow = "https://notsmilepay.co.kr/" }, "PCWindow"},
		"real, own host":  {func(m *smartro.Merchant) { live(m); m.Endpoints.Cancel = "https://pay2.smilepay.co.kr/c" }, ""},
		"test, real host": {func(m *smartro.Merchant) { m.Endpoints.Cancel = "https://pay.smilepay.co.kr/x" }, "Cancel"},
		"sandbox":         {func(m *smartro.Merchant) { m.Endpoints = smartro.EndpointsAt("http://127.0.0.1:9090/") }, ""},
		"nothing":         {func(m *smartro.Merchant) { *m = smartro.Merchant{} }, "MID merchantKey mode hash form"},
	} {
		m := merchant()
		c.change(&m)
		if got := faultFields(m.Validate()); got != c.want {
			t.Errorf("%s: faults in %q, want %q", name, got, c.want)
		}
	}
}

// faultFields lists the fields that err names, in order.
func faultFields(err error) string {
	var list []string
	var walk func(error)
	walk = func(err error) {
		if f, ok := err.(*smartro.FieldError); ok {
			list = append(list, f.Field)
		}
		switch e := err.(type) {
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				walk(inner)
			}
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		}
	}
	walk(err)
	return strings.Join(list, " ")
}

func TestCodes(t *testing.T) {
	for code, want := range map[string]string{"06": "신한", "006": "신한", "6": "신한", "5": "", "": "", "x6": ""} {
		if got, ok := smartro.CardCompanyName(code); got != want || ok != (want != "") {
			t.Errorf("CardCompanyName(%q) = %q, %t; want %q", code, got, ok, want)
		}
	}
	for code, want := range map[string]string{
		"01": "01", "006": "06", "27": "07", "37": "02", "22": "02", "25": "03", "28": "04", "43": "01", "36": "", "72": "", "59": "", "": "",
	} {
		if got, ok := smartro.Acquirer(code); got != want || ok != (want != "") {
			t.Errorf("Acquirer(%q) = %q, %t; want %q", code, got, ok, want)
		}
	}
	for _, code := range smartro.Banks() {
		if _, ok := smartro.BankName(code); !ok || len(code) != 3 {
			t.Errorf("bank %q has no name", code)
		}
	}
	for _, code := range strings.Fields("3001 4000 4100 4110 A000 B000 7001 2001 2211 2013 0000 H000 T000 T001 BL00 KP00 NP00 PO00 TP00 2100 9999 W034 U999") {
		if _, ok := smartro.ResultText(code); !ok {
			t.Errorf("code %s has no text", code)
		}
	}
	if cards, banks := count(smartro.CardCompanyName, "%02d"), count(smartro.BankName, "%03d"); cards != 54 || banks != 26 {
		t.Errorf("%d card companies, %d banks; the reference has 54 and 26", cards, banks)
	}
	if got, _ := smartro.BankName("088"); got != "신한은행" {
		t.Errorf("BankName(088) = %q", got)
	}
	if got, ok := smartro.ResultText("2013"); !ok || !strings.Contains(got, "취소") {
		t.Errorf("ResultText(2013) = %q", got)
	}
	if test, live := smartro.PublishedSenders(smartro.Test), smartro.PublishedSenders(smartro.Real); len(test) != 2 || len(live) != 3 {
		t.Errorf("senders: %v, %v", test, live)
	}
}

// count is how many codes of up to three digits have a name.
func count(name func(string) (string, bool), format string) (n int) {
	for i := range 1000 {
		if _, ok := name(fmt.Sprintf(format, i)); ok {
			n++
		}
	}
	return n
}

func TestReceiptURL(t *testing.T) {
	m := merchant()
	const tid = "gagedemo1m01012611231000001234"
	if got, want := m.ReceiptURL(tid, smartro.Slip), "https://test.smilepay.co.kr/issue/IssueLoader.jsp?TID="+tid+"&type=0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	m.Mode = smartro.Real
	if got, want := m.ReceiptURL(tid, smartro.CashReceiptSlip), "https://www.smilepay.co.kr/issue/IssueLoader.jsp?TID="+tid+"&type=2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
