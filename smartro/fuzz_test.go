package smartro_test

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"gage/smartro"
)

// FuzzParseNotice: an error leaves nothing to act on, and a notice written out again reads the same.
//
// proves S3
func FuzzParseNotice(f *testing.F) {
	for _, cs := range []smartro.Charset{smartro.EUCKR, smartro.UTF8} {
		f.Add(smartro.EncodeForm(message(false), cs), cs == smartro.UTF8)
		f.Add(smartro.EncodeForm(message(true), cs), cs == smartro.UTF8)
	}
	f.Add([]byte("TID=%&Amt=1&Amt=2"), true)
	f.Fuzz(func(t *testing.T, raw []byte, isUTF8 bool) {
		cs := smartro.EUCKR
		if isUTF8 {
			cs = smartro.UTF8
		}
		n, err := smartro.ParseNotice(raw, cs)
		if err != nil {
			if !reflect.DeepEqual(n, smartro.Notice{}) {
				t.Fatalf("error %v, yet the notice says %+v", err, n)
			}
			return
		}
		if name := toldTwice(raw, cs, "tid", "amt", "resultcode", "mid", "signvalue"); name != "" {
			t.Fatalf("%q came twice, and one was taken: %+v", name, n)
		}
		if string(n.Raw) != string(raw) || n.TID != "" && len(n.TID) != 30 || n.Amt < 0 || n.Amt > 999_999_999_999 || !utf8.ValidString(n.BuyerName) {
			t.Fatalf("%+v", n)
		}
		if n.Verify(merchant()) == nil && !strings.Contains(n.SignValue, "=") {
			t.Fatalf("believed %+v", n)
		}
		for _, x := range n.Fields {
			if strings.Contains(x.Value, "%") {
				return // would be decoded once more
			}
		}
		again, err := smartro.ParseNotice(smartro.EncodeForm(n.Fields, smartro.UTF8), smartro.UTF8)
		if err != nil {
			return // composing may make two names one, which is then refused
		}
		if again.TID != n.TID || again.Amt != n.Amt || again.ResultCode != n.ResultCode || again.Moid != n.Moid || again.MID != n.MID {
			t.Fatalf("wrote %+v, read %+v", n, again)
		}
	})
}

// toldTwice names a field that stands more than once in a form, in whatever spelling.
func toldTwice(raw []byte, cs smartro.Charset, names ...string) string {
	fields, err := smartro.DecodeForm(raw, cs)
	if err != nil {
		return ""
	}
	count := map[string]int{}
	for _, x := range fields {
		count[strings.ToLower(strings.ReplaceAll(x.Name, "_", ""))]++
	}
	for _, name := range names {
		if count[name] > 1 {
			return name
		}
	}
	return ""
}

// FuzzParseCancelAnswer: nothing but a result code of its own line is ever an outcome.
func FuzzParseCancelAnswer(f *testing.F) {
	f.Add([]byte(doneAnswer))
	f.Add([]byte("ResultCode=2013"))
	f.Add([]byte("<a href='?x=1&ResultCode=2001'>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := smartro.ParseCancelAnswer(raw)
		if err != nil && !reflect.DeepEqual(a, smartro.CancelAnswer{}) {
			t.Fatalf("error %v, yet the answer says %+v", err, a)
		}
		if name := toldTwice(raw, smartro.EUCKR, "resultcode", "cancelamt", "tid"); err == nil && name != "" {
			t.Fatalf("%q came twice, and one was taken: %+v", name, a)
		}
		if err == nil && (a.ResultCode == "" || a.Amt < 0 || a.Amt > 999_999_999_999 || string(a.Raw) != string(raw)) {
			t.Fatalf("%+v", a)
		}
	})
}

// FuzzParseInquiry: what is proven has a transaction, an amount and a state.
func FuzzParseInquiry(f *testing.F) {
	f.Add([]byte(`{"ResultCode":"0000","Tid":"` + string(cardTID) + `","Amt":11000,"StateCd":"0"}`))
	f.Add([]byte(`{"tid":null,"a":[1],"a":{"b":1}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		q, err := smartro.Merchant{}.ParseInquiry(raw)
		if err != nil && !reflect.DeepEqual(q, smartro.Inquiry{}) {
			t.Fatalf("error %v, yet the inquiry says %+v", err, q)
		}
		if err == nil && (len(q.TID) != 30 || q.Amt < 0 || q.Amt > 999_999_999_999 || len(q.State) != 1) {
			t.Fatalf("%+v", q)
		}
	})
}

// FuzzIDs: what a parser lets in is what was written, and only of the allowed characters.
func FuzzIDs(f *testing.F) {
	f.Add(string(cardTID))
	f.Add("000000001004")
	f.Add("１")
	f.Fuzz(func(t *testing.T, s string) {
		if w, err := smartro.ParseWon(s); err == nil && (w < 0 || len(s) > 12 || w.String() != strings.TrimLeft(s[:len(s)-1], "0")+s[len(s)-1:]) {
			t.Fatalf("ParseWon(%q) = %d", s, w)
		}
		if tid, err := smartro.ParseTID(s); err == nil && (string(tid) != s || len(s) != 30 || string(tid.MID()) != s[:10]) {
			t.Fatalf("ParseTID(%q) = %q", s, tid)
		}
		if moid, err := smartro.ParseMoid(s); err == nil && (string(moid) != s || len(s) > 40) {
			t.Fatalf("ParseMoid(%q) = %q", s, moid)
		}
	})
}

// FuzzForm: text that a charset carries comes back from a form as it went in.
func FuzzForm(f *testing.F) {
	f.Add("책 & 화환=100%+", true)
	f.Add("홍창호 똠 \xff", false)
	f.Fuzz(func(t *testing.T, s string, isUTF8 bool) {
		cs := smartro.EUCKR
		if isUTF8 {
			cs = smartro.UTF8
		}
		carried, _ := cs.Encode(s)
		want := cs.Decode(carried)
		raw := smartro.EncodeForm([]smartro.Field{{Name: "GoodsName", Value: s}}, cs)
		got, err := smartro.DecodeForm(raw, cs)
		if len(raw) > smartro.MaxMessage {
			return
		}
		if err != nil || len(got) != 1 || got[0].Value != want {
			t.Fatalf("%q as % x came back as %+v, %v; want %q", s, raw, got, err, want)
		}
		smartro.DecideCharset([]byte(s))
		if _, err := smartro.DecodeForm([]byte(s), cs); err != nil && len(s) <= smartro.MaxMessage {
			t.Fatal(err)
		}
	})
}
