package smartro_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"gage/smartro"
)

const cardTID = smartro.TID("gagedemo1m01012611231000001234")

// message is a signed result; legacy and newer spell the names their way.
func message(newer bool) []smartro.Field {
	names := []string{"PayMethod", "MID", "TID", "OID", "Amt", "ResultCode", "ResultMsg", "AuthDate", "AuthCode", "SignValue",
		"state_cd", "fn_cd", "fn_name", "GoodsName", "name", "BuyerTel", "pinNo", "addedLater"}
	if newer {
		names = []string{"payMethod", "Mid", "Tid", "Moid", "Amt", "ResultCode", "ResultMsg", "AuthDate", "AuthCode", "SignValue",
			"StateCd", "FnCd", "FnName", "GoodsName", "BuyerName", "BuyerTel", "CardNum", "addedLater"}
	}
	values := []string{"CARD", smartro.DemoMID, string(cardTID), "A20261123001", "000000011000", "3001", "정상 승인", "261123100030", "30001234",
		smartro.SignValue(smartro.MD5, cardTID, "3001", smartro.DemoKey), "0", "06", "신한", "책과 화환", "홍창호", "01012345678", "1234********5678", "새 값"}
	fields := make([]smartro.Field, len(names))
	for i := range names {
		fields[i] = smartro.Field{Name: names[i], Value: values[i]}
	}
	return fields
}

// TestNoticeRoundTrip: either charset, either naming, with or without the second encoding, one notice.
func TestNoticeRoundTrip(t *testing.T) {
	for _, cs := range []smartro.Charset{smartro.EUCKR, smartro.UTF8} {
		for _, newer := range []bool{false, true} {
			for _, twice := range []bool{false, true} {
				fields := message(newer)
				sent := fields
				if twice {
					sent = make([]smartro.Field, len(fields))
					for i, f := range fields {
						body := smartro.EncodeForm([]smartro.Field{{Value: f.Value}}, cs)
						sent[i] = smartro.Field{Name: f.Name, Value: strings.TrimPrefix(string(body), "=")}
						if !strings.Contains(sent[i].Value, "%") {
							sent[i].Value = f.Value
						}
					}
				}
				raw := smartro.EncodeForm(sent, cs)
				n, err := smartro.ParseNotice(raw, cs)
				if err != nil {
					t.Fatal(cs, newer, twice, err)
				}
				if err := n.Verify(merchant()); err != nil {
					t.Error(cs, newer, twice, err)
				}
				when, _ := n.AuthTime()
				if n.Moid != "A20261123001" || n.Amt != 11000 || !n.HasAmt || n.BuyerName != "홍창호" || n.GoodsName != "책과 화환" ||
					n.CardName != "신한" || n.CardNum != "1234********5678" || n.StateCd != "0" || n.Kind(merchant()) != smartro.Approved ||
					!when.Equal(at().Add(30*time.Second)) {
					t.Errorf("%s newer=%t twice=%t: %+v", cs, newer, twice, n)
				}
				if !reflect.DeepEqual(n.Fields, fields) || string(n.Raw) != string(raw) {
					t.Errorf("%s newer=%t twice=%t: fields %+v", cs, newer, twice, n.Fields)
				}
			}
		}
	}
}

// TestParseNoticeRefuses: what two readers could read in two ways, nobody reads.
//
// proves S3
func TestParseNoticeRefuses(t *testing.T) {
	base := string(smartro.EncodeForm(message(false), smartro.EUCKR))
	for _, c := range []struct {
		raw       string
		ambiguous bool
		field     string
	}{
		{base + "&Amt=1", true, ""}, {base + "&amt=11000", true, ""}, {base + "&Moid=A20261123001", true, ""},
		{base + "&oid=B1", true, ""}, {base + "&T_I_D=" + string(cardTID), true, ""}, {base + "&%54ID=x", true, ""},
		{base + "&StateCd=1", true, ""}, {base + "&resultcode=3001", true, ""}, {base + "&Sign_Value=", true, ""},
		{strings.Replace(base, "Amt=0000", "Amt=-", 1), false, "Amt"}, {strings.Replace(base, "Amt=0000", "Amt=1%2C", 1), false, "Amt"},
		{strings.Replace(base, "TID=gage", "TID=gagee", 1), false, "TID"}, {strings.Replace(base, "MID=gage", "MID=ga", 1), false, "MID"},
		{strings.Replace(base, "ResultCode=3001", "ResultCode=3001%00", 1), false, "ResultCode"},
		{strings.Replace(base, "OID=A2", "OID=%A2", 1), false, "Moid"}, {"", false, "ResultCode"}, {"hello", false, "ResultCode"},
	} {
		n, err := smartro.ParseNotice([]byte(c.raw), smartro.EUCKR)
		if err == nil || errors.Is(err, smartro.ErrAmbiguous) != c.ambiguous || faultFields(err) != c.field {
			t.Errorf("%.60q…%.30q: %v", c.raw, c.raw[max(0, len(c.raw)-30):], err)
		}
		if !reflect.DeepEqual(n, smartro.Notice{}) {
			t.Errorf("refused, yet the notice says %+v", n)
		}
	}
	if _, err := smartro.ParseNotice(make([]byte, smartro.MaxMessage+1), smartro.UTF8); !errors.Is(err, smartro.ErrTooLarge) {
		t.Errorf("64 KiB and a byte: %v", err)
	}
	n, err := smartro.ParseNotice([]byte(base+"&FnName=%BD%C5%C7%D1&StateCd=0&name2=100%"), smartro.EUCKR)
	if err != nil || n.CardName != "신한" {
		t.Errorf("harmless doubles and a stray %%: %v", err)
	}
}

func TestVerifyMID(t *testing.T) {
	m := merchant()
	n, err := smartro.ParseNotice(smartro.EncodeForm(message(false), smartro.UTF8), smartro.UTF8)
	if err != nil {
		t.Fatal(err)
	}
	m.MID = "gageother1"
	if err := n.Verify(m); !errors.Is(err, smartro.ErrMID) {
		t.Errorf("another merchant: %v", err)
	}
	if n.SignValue, m = "", merchant(); !errors.Is(n.Verify(m), smartro.ErrSignature) {
		t.Error("no signature, believed")
	}
}

// TestKind: a code is a success for its own method alone.
func TestKind(t *testing.T) {
	for in, want := range map[string]smartro.Kind{
		"CARD 3001": smartro.Approved, "BANK 4000": smartro.Approved, "CELLPHONE A000": smartro.Approved, "CLGIFT B000": smartro.Approved,
		"VBANK 4100": smartro.Issued, "VBANK 4110": smartro.Deposited, "KAKAO 3001": smartro.Approved, "TOSS TP00": smartro.Approved,
		"NAVER 0000": smartro.Approved, "KAKAO W034": smartro.Failed, "CARD 4110": smartro.Unknown, "VBANK 3001": smartro.Unknown,
		"CARD KP00": smartro.Unknown, "CARD W034": smartro.Failed, "CARD 1614": smartro.Failed, "CARD 2001": smartro.Cancelled,
		"BANK 2211": smartro.Refunded, "CARD 2013": smartro.AlreadyCancelled, "BANK 7001": smartro.ReceiptIssued,
		"CARD ": smartro.Unknown, "CARD H000": smartro.Unknown, " 3001": smartro.Unknown, "CARD 3002": smartro.Failed,
	} {
		method, code, _ := strings.Cut(in, " ")
		n := smartro.Notice{PayMethod: smartro.Method(method), ResultCode: code}
		if got := n.Kind(merchant()); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
	n := smartro.Notice{PayMethod: smartro.Card, ResultCode: "3001", TID: "gagedemo1m03012611231000001234"}
	if got := n.Kind(merchant()); got != smartro.Unknown {
		t.Errorf("CARD with a VBANK's TID is %q", got)
	}
	m := merchant()
	m.WalletCodes = []string{"K100"}
	if n := (smartro.Notice{PayMethod: smartro.Kakao, ResultCode: "K100"}); n.Kind(m) != smartro.Approved {
		t.Error("a shop's own wallet code is no success")
	}
}

// TestCharsets: all syllables survive, and no EUC-KR word is taken for UTF-8.
//
// proves R29
func TestCharsets(t *testing.T) {
	narrow := 0
	for r := '가'; r <= '힣'; r++ {
		word := string(r)
		euc, replaced := smartro.EUCKR.Encode(word)
		if len(euc) != 2 || len(replaced) != 0 || smartro.EUCKR.Decode(euc) != word {
			t.Fatalf("%s in EUC-KR is % x", word, euc)
		}
		if got := smartro.DecideCharset(append([]byte("name="), euc...)); got != smartro.EUCKR {
			t.Errorf("%s in EUC-KR taken for %s", word, got)
		}
		if got := smartro.DecideCharset([]byte("name=" + word)); got != smartro.UTF8 {
			t.Errorf("%s in UTF-8 taken for %s", word, got)
		}
		if euc[0] >= 0xA1 && euc[1] >= 0xA1 {
			narrow++
		}
	}
	if narrow != 2350 {
		t.Errorf("%d syllables in KS X 1001, want 2350", narrow)
	}
	for _, word := range []string{"책", "화환", "홍창호"} {
		for _, cs := range []smartro.Charset{smartro.EUCKR, smartro.UTF8} {
			raw := smartro.EncodeForm([]smartro.Field{{Name: "MID", Value: smartro.DemoMID}, {Name: "name", Value: word}}, cs)
			if got := smartro.DecideCharset(raw); got != cs {
				t.Errorf("%s in %s taken for %s", word, cs, got)
			}
		}
	}
	rnd := rand.New(rand.NewPCG(29, 1))
	for range 20000 {
		var text strings.Builder
		text.WriteRune('가' + rnd.Int32N('힣'-'가'+1)) // one syllable at least, else the two are the same or ambiguous
		for range rnd.IntN(20) {
			switch rnd.IntN(3) {
			case 0:
				text.WriteByte("abcXYZ0189 -._()"[rnd.IntN(16)])
			default:
				text.WriteRune('가' + rnd.Int32N('힣'-'가'+1))
			}
		}
		for _, cs := range []smartro.Charset{smartro.EUCKR, smartro.UTF8} {
			raw := smartro.EncodeForm([]smartro.Field{{Name: "MID", Value: smartro.DemoMID}, {Name: "name", Value: text.String()}}, cs)
			if got := smartro.DecideCharset(raw); got != cs {
				t.Errorf("%q in %s taken for %s", text.String(), cs, got)
			}
			plain, _ := cs.Encode(text.String())
			if got := cs.Decode(plain); got != text.String() {
				t.Errorf("%q in %s comes back as %q", text.String(), cs, got)
			}
		}
	}
	if got := smartro.UTF8.Decode([]byte{'a', 0xB0, 0xA1, 'b'}); got != "a\uFFFDb" {
		t.Errorf("EUC-KR in UTF-8 shown as %q", got)
	}
	if b, replaced := smartro.EUCKR.Encode("é—"); string(b) != "?-" || string(replaced) != "é" {
		t.Errorf("é— is %q, replaced %q", b, string(replaced))
	}
}
