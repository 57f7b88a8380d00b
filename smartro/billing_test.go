package smartro_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gage/smartro"
)

const (
	billingKey = smartro.BillingKey("gagedemo1mBILL000000000000001")
	chargeTID  = smartro.TID("gagedemo1m01012006091200051234")
	// The VerifyValue of a good answer to a charge of 1,004 won (billing §2).
	chargeVerifyHex = "YjU2MGVjNDU5ZTQ3NGFkYWRjZDUzMDA1Zjg3OWFhYTE="
)

func billingRequest() smartro.BillingRequest {
	return smartro.BillingRequest{
		Moid: "B1", UserID: "CUST000001", BuyerName: "홍길동", BuyerTel: "010-9999-1111", BuyerEmail: "hong@example.com",
		ReturnURL: "https://shop.example/card", StopURL: "https://shop.example/stop", UserIP: "192.0.2.10", MallIP: "192.0.2.1",
		EdiDate: at(), MallReserved: "rt=x",
	}
}

func chargeRequest() smartro.ChargeRequest {
	return smartro.ChargeRequest{
		Key: billingKey, Moid: "C1", Amt: 1004, GoodsName: "우유 배달", UserID: "CUST000001", BuyerName: "홍길동", BuyerTel: "01099991111",
		BuyerEmail: "hong@example.com", EdiDate: time.Date(2020, 6, 9, 3, 0, 0, 0, time.UTC), MallIP: "192.0.2.1",
	}
}

// answerValues are the 17 values of a good answer, in EUC-KR percent text.
func answerValues() []string {
	return []string{
		"CARDBILL", "gagedemo1m", "1004", "%C8%AB%B1%E6%B5%BF", "%BF%EC%C0%AF", "CUST000001", string(chargeTID), "C1", "200609120005", "12345678",
		"3001", "%BC%BA%B0%F8", "", "06", "%BD%C5%C7%D1", "hong@example.com", url.QueryEscape(chargeVerifyHex),
	}
}

func answerText(change map[int]string) string {
	v := answerValues()
	for i, s := range change {
		v[i] = s
	}
	return strings.Join(v, "!@#")
}

// TestBillingForm: what the window that registers a card is told: the fixed amount and goods, the customer, no money.
func TestBillingForm(t *testing.T) {
	form, err := merchant().BillingForm(billingRequest())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"PayMethod": "CARDBILL", "BillType": "AR", "Amt": "100", "GoodsName": "빌링키인증", "BillKeyMode": "1", "mallUserID": "CUST000001",
		"StopURL": "https://shop.example/stop", "merchantKey": "",
		"EncryptData": smartro.EncryptData(merchant().Hash, smartro.EdiDate(at()), merchant().MID, 100, merchant().Key),
	} {
		if got := form.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if form.Action != smartro.EndpointsFor(smartro.Test).MobileWindow || form.Charset != smartro.UTF8 {
		t.Errorf("to %s in %s", form.Action, form.Charset)
	}
	r := billingRequest()
	r.EncryptedKey = true
	if form, err = merchant().BillingForm(r); err != nil || form.Get("BillKeyMode") != "0" {
		t.Errorf("mode %q, %v", form.Get("BillKeyMode"), err)
	}
	for field, change := range map[string]func(*smartro.BillingRequest){
		"mallUserID": func(r *smartro.BillingRequest) { r.UserID = "" }, "StopURL": func(r *smartro.BillingRequest) { r.StopURL = "" },
		"BuyerTel": func(r *smartro.BillingRequest) { r.BuyerTel = "" }, "Moid": func(r *smartro.BillingRequest) { r.Moid = "B_1" },
	} {
		r := billingRequest()
		change(&r)
		var fault *smartro.FieldError
		if _, err := merchant().BillingForm(r); !errors.As(err, &fault) || fault.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	long := billingRequest()
	long.UserID = "CUST0000001"
	if _, err := merchant().BillingForm(long); err == nil {
		t.Error("a customer's ID that no charge can carry was taken")
	}
	short := merchant()
	short.Key = short.Key[:64]
	if _, err := short.BillingForm(r); err == nil {
		t.Error("a key too short for the cipher was taken")
	}
}

// result is what the browser brings back, with a VerifyValue.
func result(change map[string]string) []byte {
	fields := []smartro.Field{
		{Name: "PayMethod", Value: "CARDBILL"}, {Name: "MID", Value: "gagedemo1m"}, {Name: "TID", Value: string(chargeTID)}, {Name: "OID", Value: "B1"},
		{Name: "Amt", Value: "100"}, {Name: "mallUserID", Value: "CUST000001"}, {Name: "ResultCode", Value: "3001"}, {Name: "AuthDate", Value: "200609120005"},
		{Name: "AuthCode", Value: "12345678"}, {Name: "CardNum", Value: "912345******1234"}, {Name: "BillTid", Value: billingKey.Reveal()},
		{Name: "BillKeyMode", Value: "1"}, {Name: "VerifyValue", Value: "1C/0XFrSYXWPYSvPnH2X7w=="}, {Name: "SignValue"},
	}
	for i, f := range fields {
		if f.Name == "SignValue" {
			fields[i].Value = smartro.SignValue(smartro.MD5, chargeTID, "3001", smartro.DemoKey)
		}
		if v, ok := change[f.Name]; ok {
			fields[i].Value = v
		}
	}
	return smartro.EncodeForm(fields, smartro.UTF8)
}

// TestBillingResult: the key is taken only with both signatures, in each documented reading, and stands nowhere else in
// what was read.
//
// proves S4, S20
func TestBillingResult(t *testing.T) {
	const sealed = "smt01q2Bzjh7ydWx9HKJZKxJQqaQqzVlzwvYm/+mKEDxi2Ek="
	for name, c := range map[string]struct {
		change map[string]string
		want   error
	}{
		"plain":                {nil, nil},
		"encrypted":            {map[string]string{"BillKeyMode": "0", "BillTid": sealed, "VerifyValue": "jZVyANoiSjuJdl+xTLDINA=="}, nil},
		"encrypted, Amt too":   {map[string]string{"BillKeyMode": "0", "BillTid": sealed}, nil},
		"the other prefix":     {map[string]string{"BillKeyMode": "0", "BillTid": strings.Replace(sealed, "smt01", "smt02", 1)}, nil},
		"another key":          {map[string]string{"BillTid": "gagedemo1mBILL000000000000002"}, smartro.ErrSignature},
		"plain without Amt":    {map[string]string{"VerifyValue": "jZVyANoiSjuJdl+xTLDINA=="}, smartro.ErrSignature},
		"no VerifyValue":       {map[string]string{"VerifyValue": ""}, smartro.ErrSignature},
		"no SignValue":         {map[string]string{"SignValue": ""}, smartro.ErrSignature},
		"another code":         {map[string]string{"ResultCode": "3041"}, smartro.ErrSignature},
		"another approval":     {map[string]string{"AuthCode": "12345679"}, smartro.ErrSignature},
		"another merchant":     {map[string]string{"MID": "gagedemo2m"}, smartro.ErrMID},
		"refused, well signed": {map[string]string{"ResultCode": "3041", "SignValue": smartro.SignValue(smartro.MD5, chargeTID, "3041", smartro.DemoKey)}, smartro.ErrNotProven},
	} {
		r, err := smartro.ParseBillingResult(result(c.change), smartro.UTF8)
		if err != nil {
			t.Fatal(name, err)
		}
		key, err := r.Key(merchant())
		if !errors.Is(err, c.want) || (err == nil) != (key == billingKey) {
			t.Errorf("%s: %q, %v, want %v", name, key.Reveal(), err, c.want)
		}
		told := fmt.Sprintf("%+v %s", r, r.Raw)
		if text, err := json.Marshal(r); err != nil || strings.Contains(told+string(text), "BILL0000") || strings.Contains(told+string(text), sealed) {
			t.Errorf("%s: the key can be read: %s %s %v", name, told, text, err)
		}
	}
	twice := append(result(nil), "&BillTid=x"...)
	if _, err := smartro.ParseBillingResult(twice, smartro.UTF8); !errors.Is(err, smartro.ErrAmbiguous) {
		t.Errorf("two keys: %v", err)
	}
	if _, err := smartro.ParseBillingResult(result(map[string]string{"BillKeyMode": "2"}), smartro.UTF8); err == nil {
		t.Error("a mode that is none was read")
	}
	m := merchant()
	m.BillingCodes = []string{"0000"}
	if r, err := smartro.ParseBillingResult(result(nil), smartro.UTF8); err != nil || r.Issued(m) {
		t.Error("3001 is a success though the contract says otherwise")
	}
}

// TestBillingKeyOnTheWire pins the worked values of billing §1 and §2 for the invented merchant, which OpenSSL made.
func TestBillingKeyOnTheWire(t *testing.T) {
	m := merchant()
	const wire = "c210MDJ3dWJEbVBtT0VGQW5oWXAyZ2pqOUNZMHd1VVdSRnlIdjJZTUJQbUpsRE1VPQ=="
	if got, err := m.SealBillingKey(billingKey); err != nil || got != wire {
		t.Errorf("BL_TID = %s, %v", got, err)
	}
	form, err := m.ChargeForm(chargeRequest())
	if err != nil || form.Get("VERIFY_V") != "MWUzODgxZTYwMzFkMDIzZDZhZWU3OTI2MGM3YzQ5YjU=" || form.Get("BL_TID") != billingKey.Reveal() || form.Get("BillKeyMode") != "1" {
		t.Errorf("%v %v", form, err)
	}
	m.EncryptedBillingKeys = true
	form, err = m.ChargeForm(chargeRequest())
	if err != nil || form.Get("VERIFY_V") != "MWUzODgxZTYwMzFkMDIzZDZhZWU3OTI2MGM3YzQ5YjU=" || form.Get("BL_TID") != wire || form.Get("BillKeyMode") != "0" {
		t.Errorf("%v %v", form, err)
	}
	for _, damaged := range []string{"", "smt01", "smt01q2Bz", "q2Bzjh7ydWx9HKJZKxJQqaQqzVlzwvYm/+mKEDxi2Ek=", "smt01AAAAAAAAAAA=", "smt03q2Bzjh7ydWw="} {
		if k, err := m.OpenBillingKey(damaged); err == nil {
			t.Errorf("%q was opened: %q", damaged, k.Reveal())
		}
	}
}

// TestChargeOnce drives each way a charge's answer can go wrong: one POST each, and never a wrong yes or no.
//
// proves R34
func TestChargeOnce(t *testing.T) {
	say := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); _, _ = io.WriteString(w, body) }
	}
	good := answerText(nil)
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		outcome smartro.ChargeOutcome
		err     error
	}{
		"done":              {say(200, "\r\n"+good+"\n"), smartro.ChargeDone, nil},
		"raw hash":          {say(200, answerText(map[int]string{16: "tWDsRZ5HStrc1TAF%2BHmqoQ%3D%3D"})), smartro.ChargeDone, nil},
		"encoded as whole":  {say(200, url.QueryEscape(decoded(good))), smartro.ChargeDone, nil},
		"refused":           {say(200, answerText(map[int]string{10: "3041", 6: "", 9: "", 16: ""})), smartro.ChargeRefused, nil},
		"system error":      {say(200, answerText(map[int]string{10: "9999"})), smartro.ChargeUnknown, nil},
		"sixteen":           {say(200, strings.TrimSuffix(good, "!@#"+answerValues()[16])), smartro.ChargeUnknown, smartro.ErrUnreadable},
		"eighteen":          {say(200, good+"!@#x"), smartro.ChargeUnknown, smartro.ErrUnreadable},
		"no code":           {say(200, answerText(map[int]string{10: ""})), smartro.ChargeUnknown, smartro.ErrUnreadable},
		"another amount":    {say(200, answerText(map[int]string{2: "1005"})), smartro.ChargeDone, smartro.ErrMismatch},
		"no amount":         {say(200, answerText(map[int]string{2: ""})), smartro.ChargeDone, smartro.ErrMismatch},
		"another order":     {say(200, answerText(map[int]string{7: "C2"})), smartro.ChargeDone, smartro.ErrMismatch},
		"no transaction":    {say(200, answerText(map[int]string{6: ""})), smartro.ChargeDone, smartro.ErrMismatch},
		"another merchant":  {say(200, answerText(map[int]string{1: "gagedemo2m"})), smartro.ChargeDone, smartro.ErrMismatch},
		"refusal elsewhere": {say(200, answerText(map[int]string{10: "3041", 7: "C2"})), smartro.ChargeRefused, smartro.ErrMismatch},
		"wrong signature":   {say(200, answerText(map[int]string{16: "YjU2MGVjNDU5ZTQ3NGFkYWRjZDUzMDA1Zjg3OWFhYTI="})), smartro.ChargeDone, smartro.ErrSignature},
		"unsigned":          {say(200, answerText(map[int]string{16: ""})), smartro.ChargeDone, smartro.ErrSignature},
		"500":               {say(500, good), smartro.ChargeUnknown, smartro.ErrUnreadable},
		"page":              {say(200, "<html>3001</html>"), smartro.ChargeUnknown, smartro.ErrUnreadable},
		"empty":             {say(200, ""), smartro.ChargeUnknown, smartro.ErrUnreadable},
		"huge":              {say(200, strings.Repeat("x", smartro.MaxMessage+1)), smartro.ChargeUnknown, smartro.ErrTooLarge},
		"hang up":           {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, smartro.ChargeUnknown, io.EOF},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
		}, smartro.ChargeUnknown, smartro.ErrUnreadable},
	} {
		for _, inBody := range []bool{false, true} {
			var posts atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				posts.Add(1)
				if body, _ := io.ReadAll(r.Body); (len(body) > 0) != inBody || (r.URL.RawQuery == "") != inBody {
					t.Errorf("in body %t: query %q, body %q", inBody, r.URL.RawQuery, body)
				}
				c.answer(w, r)
			}))
			m := merchant()
			m.Endpoints, m.ChargeInBody = smartro.EndpointsAt(srv.URL), inBody
			a, err := (smartro.Client{}).Charge(t.Context(), m, chargeRequest())
			srv.Close()
			if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || a.Outcome(m) != c.outcome || errors.Is(err, smartro.ErrNotSent) {
				t.Errorf("%s: %v %v, want %s %v", name, a.Outcome(m), err, c.outcome, c.err)
			}
			if posts.Load() != 1 {
				t.Errorf("%s: %d posts", name, posts.Load())
			}
		}
	}
}

// decoded is a text of values without its percent form.
func decoded(s string) string {
	s, _ = url.QueryUnescape(s)
	return s
}

// TestChargeTellsNobodyItsKey: the key stands in the query of the call, and in no error of it, however it fails.
//
// proves S20
func TestChargeTellsNobodyItsKey(t *testing.T) {
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.Close()
	hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hung.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer cut.Close()
	for name, base := range map[string]string{
		"refused": "http://" + dead.Addr().String(), "hung": hung.URL, "cut": cut.URL, "no such host": "http://%zz", "no port": "http://127.0.0.1:x",
	} {
		m := merchant()
		m.Endpoints = smartro.EndpointsAt(base)
		ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := (smartro.Client{}).Charge(ctx, m, chargeRequest())
		stop()
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v %q", err, err, err), "BILL00") {
			t.Errorf("%s: %v", name, err)
		}
		if before := name != "hung" && name != "cut"; errors.Is(err, smartro.ErrNotSent) != before {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := chargeRequest()
	bad.Key = "gagedemo1mBILL00 0000"
	if _, err := (smartro.Client{}).Charge(t.Context(), merchant(), bad); !errors.Is(err, smartro.ErrNotSent) || strings.Contains(err.Error(), "BILL00") {
		t.Error(err)
	}
	if text, err := json.Marshal(chargeRequest()); err != nil || strings.Contains(string(text)+fmt.Sprintf("%+v %#v %d", chargeRequest(), chargeRequest(), billingKey), "BILL00") {
		t.Errorf("%s %v", text, err)
	}
}

// FuzzParseChargeAnswer: an error leaves nothing to act on, and nothing without its result code is an answer.
//
// proves S3
func FuzzParseChargeAnswer(f *testing.F) {
	f.Add([]byte(answerText(nil)))
	f.Add([]byte(url.QueryEscape(decoded(answerText(nil)))))
	f.Add([]byte(strings.Repeat("!@#", 16)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := smartro.ParseChargeAnswer(raw)
		if err != nil && a.ResultCode+string(a.TID)+string(a.Moid) != "" {
			t.Fatalf("error %v, yet the answer says %+v", err, a)
		}
		if err == nil && (a.ResultCode == "" || a.Amt < 0 || a.TID != "" && len(a.TID) != 30 || string(a.Raw) != string(raw)) {
			t.Fatalf("%+v", a)
		}
	})
}

// FuzzParseBillingResult: no key comes out of what the merchant's key did not sign, and none can be read in what was kept.
//
// proves S3
func FuzzParseBillingResult(f *testing.F) {
	f.Add(result(nil), true)
	f.Add(result(map[string]string{"BillKeyMode": "0", "BillTid": "smt01q2Bzjh7ydWx9HKJZKxJQqaQqzVlzwvYm/+mKEDxi2Ek="}), false)
	f.Add([]byte(string(result(nil))+"&x"+billingKey.Reveal()+"y=1"), true)
	f.Fuzz(func(t *testing.T, raw []byte, isUTF8 bool) {
		cs := smartro.EUCKR
		if isUTF8 {
			cs = smartro.UTF8
		}
		r, err := smartro.ParseBillingResult(raw, cs)
		if err != nil {
			if r.BillTid != "" || r.TID != "" {
				t.Fatalf("error %v, yet it says %+v", err, r)
			}
			return
		}
		if key, err := r.Key(merchant()); err == nil && key != billingKey {
			t.Fatalf("believed %q of %+v", key.Reveal(), r)
		}
		if k := r.BillTid.Reveal(); len(k) > 20 && strings.Contains(string(r.Raw), k) {
			t.Fatalf("the key is in %q", r.Raw)
		}
	})
}
