package sandbox_test

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"gage/smartro"
	"gage/smartro/sandbox"
)

func TestRoundTrip(t *testing.T) {
	codes := map[smartro.Method]string{
		smartro.Card: "3001", smartro.Bank: "4000", smartro.Vbank: "4100", smartro.Cellphone: "A000", smartro.CLGift: "B000",
		smartro.Kakao: "3001", smartro.Toss: "3001",
	}
	for _, c := range []struct {
		hash    smartro.HashForm
		charset smartro.Charset
	}{{smartro.MD5, smartro.UTF8}, {smartro.MD5, smartro.EUCKR}, {smartro.SHA256, smartro.UTF8}} {
		for _, d := range []smartro.Device{smartro.PC, smartro.Mobile} {
			for _, m := range smartro.Methods() {
				t.Run(string(c.hash)+"/"+string(c.charset)+"/"+string(d)+"/"+string(m), func(t *testing.T) {
					w := newWorld(t, func(cfg *sandbox.Config) { cfg.Hash = c.hash })
					r := w.request(d, m)
					r.ResultCharset, r.PlainResult, r.MallReserved = c.charset, c.charset == smartro.EUCKR, "k=1&v=2"
					form, err := w.m.PayForm(r)
					if err != nil {
						t.Fatal(err)
					}
					n, to, label, _ := w.press(w.open(form), "approve")
					if err := n.Verify(w.m); err != nil {
						t.Fatal(err)
					}
					if n.ResultCode != codes[m] || n.Moid != "A1" || n.Amt != 33000 || n.GoodsName != "맛동산 한 봉지" || n.BuyerName != "홍길동" ||
						n.MallReserved != "k=1&v=2" || to != "https://shop.example/return" || label != c.charset.Label() {
						t.Errorf("result to %s in %s: %+v", to, label, n)
					}
					w.deliver()
					if w.codes() != codes[m] {
						t.Fatalf("notices %q", w.codes())
					}
					got := w.notices[0]
					if err := got.Verify(w.m); err != nil || got.TID != n.TID || got.BuyerName != "홍길동" || got.Amt != 33000 {
						t.Errorf("notice %+v: %v", got, err)
					}
				})
			}
		}
	}
}

func TestDeclineAndClose(t *testing.T) {
	for _, d := range []smartro.Device{smartro.PC, smartro.Mobile} {
		w := newWorld(t, nil)
		n, _, _, _ := w.press(w.open(w.form(d, smartro.Card)), "decline")
		if n.Kind(w.m) != smartro.Failed || n.Verify(w.m) != nil {
			t.Errorf("%s declined: %+v", d, n)
		}
		_, to, _, page := w.press(w.open(w.form(d, smartro.Card)), "close")
		want := "https://shop.example/return"
		if d == smartro.Mobile {
			want = "https://shop.example/stop"
		}
		if to != want || !strings.Contains(page, "W034") || (len(hidden(page)) == 0) != (d == smartro.Mobile) {
			t.Errorf("%s closed: to %s with %v, want %s", d, to, hidden(page), want)
		}
		w.deliver()
		if w.codes() != "" {
			t.Errorf("%s: failures were notified: %s", d, w.codes())
		}
	}
}

func TestReloadAfterApproval(t *testing.T) {
	w := newWorld(t, nil)
	sess := w.open(w.form(smartro.PC, smartro.Card))
	first, _, _, _ := w.press(sess, "approve")
	again, _, _, page := w.press(sess, "approve")
	if again.TID != first.TID || again.Kind(w.m) == smartro.Approved || !strings.Contains(page, "승인 TID 중복") || again.Verify(w.m) != nil {
		t.Errorf("again: %+v", again)
	}
	w.deliver()
	if w.codes() != "3001" {
		t.Errorf("notices %q, want one approval", w.codes())
	}
}

func TestConfirmAndResultPages(t *testing.T) {
	w := newWorld(t, nil)
	f := w.form(smartro.PC, smartro.Card)
	body := strings.Replace(string(f.Encode()), "MallResultFWD=Y", "MallResultFWD=N", 1)
	status, page := w.post(f.Action, body)
	if status != http.StatusOK {
		t.Fatal(page)
	}
	sess := session(t, page)
	if n, _, _, page := w.press(sess, "approve"); n.TID != "" || !strings.Contains(page, "결제 내용 확인") {
		t.Fatalf("no confirm page: %s", page)
	}
	_, page = w.post(w.srv.URL+"/window", "action=approve&step=confirm&session="+sess)
	if !strings.Contains(page, `id="tranMgr"`) || strings.Contains(page, "back.js") {
		t.Errorf("the result page must wait for the buyer: %s", page)
	}
}

func TestEncodingOfResult(t *testing.T) {
	for _, c := range []struct {
		device                   smartro.Device
		encoding, percent, label string
	}{
		{smartro.PC, "", "N", "EUC-KR"}, {smartro.PC, "utf8", "N", "UTF-8"}, {smartro.PC, "utf8", "Y", "UTF-8"}, {smartro.PC, "euckr", "Y", "EUC-KR"},
		{smartro.Mobile, "", "N", "UTF-8"}, {smartro.Mobile, "euckr", "N", "EUC-KR"},
	} {
		w := newWorld(t, nil)
		f := w.form(c.device, smartro.Card)
		for i := range f.Fields {
			switch f.Fields[i].Name {
			case "EncodingType":
				f.Fields[i].Value = c.encoding
			case "UrlEncode":
				f.Fields[i].Value = c.percent
			}
		}
		n, _, label, page := w.press(w.open(f), "approve")
		if label != c.label || n.BuyerName != "홍길동" {
			t.Errorf("%+v: label %s, name %q", c, label, n.BuyerName)
		}
		if percent := strings.Contains(page, `name="BuyerName" value="%`); percent != (c.percent == "Y") {
			t.Errorf("%+v: percent text %v", c, percent)
		}
	}
}

func TestRefusals(t *testing.T) {
	sum := md5.Sum([]byte("20261124120000" + sandbox.DefaultMID + "33000" + sandbox.DefaultMerchantKey))
	key, err := base64.StdEncoding.DecodeString(sandbox.DefaultMerchantKey)
	if err != nil {
		t.Fatal(err)
	}
	set := func(name, value string) func(smartro.Form) string {
		return func(f smartro.Form) string {
			for i := range f.Fields {
				if f.Fields[i].Name == name {
					f.Fields[i].Value = value
					return string(f.Encode())
				}
			}
			return string(f.Encode()) + "&" + name + "=" + value
		}
	}
	for name, c := range map[string]struct {
		device smartro.Device
		method smartro.Method
		change func(smartro.Form) string
		want   []string
	}{
		"hash":      {smartro.PC, smartro.Card, set("EncryptData", strings.Repeat("A", 43)+"="), []string{"HASH 유효성 확인 실패", "EncryptData"}},
		"hash cut":  {smartro.PC, smartro.Card, set("EncryptData", strings.Repeat("A", 40)), []string{"HASH 유효성 확인 실패", "40자"}},
		"amount":    {smartro.PC, smartro.Card, set("Amt", "34000"), []string{"HASH 유효성 확인 실패"}},
		"comma":     {smartro.PC, smartro.Card, set("Amt", "33,000"), []string{"Amt", "33,000", "쉼표"}},
		"mid":       {smartro.PC, smartro.Card, set("MID", "othershop1"), []string{"상점 ID 확인 실패", "othershop1"}},
		"mid short": {smartro.PC, smartro.Card, set("MID", "short"), []string{"MID", "10자리"}},
		"moid":      {smartro.PC, smartro.Card, set("Moid", "A_1"), []string{"Moid", "A_1"}},
		"url":       {smartro.PC, smartro.Card, set("ReturnURL", "shop.example/return"), []string{"ReturnURL", "http://"}},
		"stop":      {smartro.Mobile, smartro.Card, set("StopURL", ""), []string{"StopURL", "필수 항목 누락"}},
		"tel":       {smartro.PC, smartro.Card, set("BuyerTel", ""), []string{"BuyerTel", "필수 항목 누락"}},
		"long pc":   {smartro.PC, smartro.Card, set("GoodsName", strings.Repeat("가", 41)), []string{"byte length over", "82 byte", "80 byte"}},
		"long m":    {smartro.Mobile, smartro.Card, set("GoodsName", strings.Repeat("가", 27)), []string{"byte length over", "81 byte", "80 byte"}},
		"expiry":    {smartro.PC, smartro.Vbank, set("VbankExpDate", ""), []string{"VbankExpDate"}},
		"goods":     {smartro.PC, smartro.Cellphone, set("GoodsCl", ""), []string{"GoodsCl"}},
		"member":    {smartro.PC, smartro.CLGift, set("mallUserID", ""), []string{"mallUserID"}},
		"twice":     {smartro.PC, smartro.Card, func(f smartro.Form) string { return string(f.Encode()) + "&Amt=1" }, []string{"항목 중복", "Amt"}},
		"sha form":  {smartro.PC, smartro.Card, set("EncryptData", smartro.EncryptData(smartro.SHA256, "20261124120000", sandbox.DefaultMID, 33000, sandbox.DefaultMerchantKey)), []string{"HASH 유효성 확인 실패", "형식이 다릅니다", "sha256"}},
		"bare md5":  {smartro.PC, smartro.Card, set("EncryptData", base64.StdEncoding.EncodeToString(sum[:])), []string{"HASH 유효성 확인 실패", "16바이트를 그대로"}},
		"hex md5":   {smartro.PC, smartro.Card, set("EncryptData", hex.EncodeToString(sum[:])), []string{"HASH 유효성 확인 실패", "한 번 더 Base64"}},
		"plain key": {smartro.PC, smartro.Card, set("EncryptData", smartro.EncryptData(smartro.MD5, "20261124120000", sandbox.DefaultMID, 33000, smartro.Secret(key))), []string{"HASH 유효성 확인 실패", "Base64로 풀어서"}},
		"case":      {smartro.PC, smartro.Card, func(f smartro.Form) string { return strings.Replace(string(f.Encode()), "Moid=", "moid=", 1) }, []string{"Moid", "대소문자"}},
		"escrow":    {smartro.PC, smartro.Card, set("EscrowCD", "1"), []string{"DeliveryCode", "SellerName", "에스크로"}},
		"split":     {smartro.PC, smartro.Card, set("DivideInfo", "eyJEaXZpZGVJbmZvIjpbeyJBbXQiOiIxIn1dfQ=="), []string{"DivideInfo", "33000"}},
		"two steps": {smartro.PC, smartro.Card, set("SocketYN", "Y"), []string{"SocketYN", "WEBLink"}},
		"ip":        {smartro.Mobile, smartro.Card, set("UserIP", "2001:db8::1"), []string{"UserIP", "IPv4"}},
		"app":       {smartro.Mobile, smartro.Card, set("clientType", "HYB"), []string{"urlScheme"}},
		"past":      {smartro.Mobile, smartro.Vbank, set("VbankExpDate", "20261123"), []string{"VbankExpDate", "기한"}},
		"wallet":    {smartro.PC, smartro.Card, set("PayType", "KPCD"), []string{"PayType", "KAKAO"}},
		"method":    {smartro.PC, smartro.Card, set("PayMethod", "PAYCO"), []string{"PayMethod", "CARD"}},
		"firewall":  {smartro.PC, smartro.Card, set("GoodsName", "<b>"), []string{"The requested URL was rejected", "GoodsName"}},
		"utf8 pc": {smartro.PC, smartro.Card, func(f smartro.Form) string {
			return string(smartro.EncodeForm(f.Fields, smartro.UTF8))
		}, []string{"문자셋", "EUC-KR", "GoodsName"}},
		"euckr m": {smartro.Mobile, smartro.Card, func(f smartro.Form) string {
			return string(smartro.EncodeForm(f.Fields, smartro.EUCKR))
		}, []string{"문자셋", "UTF-8", "GoodsName"}},
		"percent": {smartro.PC, smartro.Card, func(smartro.Form) string { return "Amt=%zz" }, []string{"인코딩"}},
		"empty":   {smartro.PC, smartro.Card, func(smartro.Form) string { return "" }, []string{"필수 항목 누락", "PayMethod"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			f := w.form(c.device, c.method)
			status, page := w.post(f.Action, c.change(f))
			if status < 400 || status > 499 {
				t.Errorf("status %d", status)
			}
			for _, want := range c.want {
				if !strings.Contains(page, want) {
					t.Errorf("no %q in %s", want, page)
				}
			}
		})
	}
}

func TestLenientAndStrict(t *testing.T) {
	for strict, want := range map[bool]int{false: http.StatusOK, true: http.StatusBadRequest} {
		w := newWorld(t, func(c *sandbox.Config) { c.Strict = strict })
		f := w.form(smartro.PC, smartro.Card)
		status, page := w.post(f.Action, strings.Replace(string(f.Encode()), "TransType=0", "x=0", 1))
		if status != want {
			t.Errorf("strict %v: %d, want %d: %s", strict, status, want, page)
		}
	}
}

func TestPercentTextOnPC(t *testing.T) {
	w := newWorld(t, nil)
	f := w.form(smartro.PC, smartro.Card)
	for i := range f.Fields {
		if f.Fields[i].Name == "GoodsName" {
			f.Fields[i].Value = "%C8%AB%B1%E6%B5%BF" // 홍길동
		}
	}
	if n, _, _, _ := w.press(w.open(f), "approve"); n.GoodsName != "홍길동" {
		t.Errorf("GoodsName %q", n.GoodsName)
	}
}

func TestTooLarge(t *testing.T) {
	w := newWorld(t, nil)
	if status, _ := w.post(w.m.Endpoints.PCWindow, strings.Repeat("a", 70<<10)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", status)
	}
}

// TestWarnings: what the sandbox lets pass though it hurts elsewhere is told.
func TestWarnings(t *testing.T) {
	w := newWorld(t, nil)
	w.m.WideEUCKR = true
	r := w.request(smartro.PC, smartro.Card)
	r.GoodsName = "똠양꿍"
	form, err := w.m.PayForm(r)
	if err != nil {
		t.Fatal(err)
	}
	form.Fields = append(form.Fields, smartro.Field{Name: "merchantKey", Value: "k"}, smartro.Field{Name: "BuyerAddr", Value: "&#128512;"})
	w.press(w.open(form), "approve")
	_, state := w.get("/control/api/state")
	for _, want := range []string{"KS X 1001에 없는 글자가 있습니다: 똠 ", "merchantKey가 브라우저를", "BuyerAddr에 \\u0026#NNNN;"} {
		if !strings.Contains(state, want) {
			t.Errorf("no %q in %s", want, state)
		}
	}
}

// TestFullForm: every field of the reference passes, and the strict sandbox takes what the library makes.
func TestFullForm(t *testing.T) {
	for _, d := range []smartro.Device{smartro.PC, smartro.Mobile} {
		for _, m := range smartro.Methods() {
			w := newWorld(t, func(c *sandbox.Config) { c.Strict, c.Hash = true, smartro.SHA256 })
			w.m.SendSecureType = true
			r := w.request(d, m)
			r.ParentEmail, r.BuyerAddr, r.BuyerPostNo, r.OfferPeriod = "p@example.com", "서울시 중구", "04524", "2026112320261223"
			r.RetryURL, r.PayType, r.ReceiptType = "https://shop.example/n", "KPCD", "Y"
			r.CardCompany, r.CardQuota, r.CardPoint, r.SspMallID = "06", "03", "1", "gagessp01"
			r.ShopTax, r.SvcAmt, r.Tax, r.SkinColor, r.OpenType, r.Language = true, 100, 3000, "VIOLET", "EN", "EN"
			r.ClientType, r.URLScheme, r.ProductInfo = "HYB", "teashop://pay", "홍차"
			r.Divide = []smartro.DividePart{{MID: "gagesub01m", Amt: 33000, GoodsName: "홍차"}}
			r.Escrow = &smartro.Escrow{
				DeliveryCode: "04", DeliveryNumber: "1", DeliveryAddr1: "서울", DeliveryAddr2: "1", DeliveryPost: "04524", ReceiverName: "홍길동", ReceiverTel: "010",
				SellerAddr1: "부산", SellerAddr2: "1", SellerPost: "47545", SellerTel: "051", SellerID: "s", SellerName: "찻집",
			}
			form, err := w.m.PayForm(r)
			if err != nil {
				t.Fatal(d, m, err)
			}
			if n, _, _, page := w.press(w.open(form), "approve"); n.Verify(w.m) != nil || !strings.Contains(page, "DivideInfo") {
				t.Errorf("%s %s: %+v", d, m, n)
			}
		}
	}
}

// TestFirewallAgrees: what the library makes of a label passes the firewall, unless the library has said that it may not.
func TestFirewallAgrees(t *testing.T) {
	for _, goods := range []string{`<b>"책"</b>`, "it's", "a--b /* c", "JavaScript: the parts", "a;drop b", "`x`", "a\\b", "A & B = C (50%)", "x or 1=1", "union select"} {
		w := newWorld(t, nil)
		r := w.request(smartro.PC, smartro.Card)
		r.GoodsName = goods
		form, err := w.m.PayForm(r)
		if err != nil {
			t.Fatal(err)
		}
		told := len(form.Notes) > 0
		changed := form.Get("GoodsName") != goods
		if status, page := w.post(form.Action, string(form.Encode())); (status == http.StatusForbidden) != (told && !changed) {
			t.Errorf("%q sent as %q with notes %+v: %d %.200s", goods, form.Get("GoodsName"), form.Notes, status, page)
		}
	}
}
