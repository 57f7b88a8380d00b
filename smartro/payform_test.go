package smartro_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gage/smartro"
)

var update = flag.Bool("update", false, "write the golden files; review their diff")

// request is a complete request for a method and device. 똠 is outside KS X 1001.
func request(device smartro.Device, method smartro.Method) smartro.PayRequest {
	r := smartro.PayRequest{
		Device: device, Method: method, Moid: "A20261123001", Amt: 11000, GoodsName: "똠양꿍 & 홍차 — 2인분", GoodsCnt: 2,
		BuyerName: "홍길동", BuyerTel: "010-1234-5678", BuyerEmail: "buyer@example.com",
		ReturnURL: "https://shop.example.com/smartro/return", MallIP: "192.0.2.10", UserIP: "192.0.2.77", EdiDate: at(),
	}
	if device == smartro.Mobile {
		r.StopURL = "https://shop.example.com/smartro/stop"
	}
	switch method {
	case smartro.Vbank:
		r.VbankExpDate = at().AddDate(0, 0, 3)
	case smartro.Cellphone:
		r.GoodsCl = "1"
	case smartro.CLGift:
		r.MallUserID = "user001"
	}
	return r
}

// TestPayFormGolden pins every byte that a browser posts, for each method on each device.
func TestPayFormGolden(t *testing.T) {
	for _, device := range []smartro.Device{smartro.PC, smartro.Mobile} {
		for _, method := range smartro.Methods() {
			form, err := merchant().PayForm(request(device, method))
			if err != nil {
				t.Fatal(device, method, err)
			}
			name := "pay_" + string(device) + "_" + strings.ToLower(string(method)) + ".golden"
			golden(t, name, []byte(form.Action+"\n"+strings.ReplaceAll(string(form.Encode()), "&", "\n&")+"\n"))
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs:\n%s\nwant\n%s", name, got, want)
	}
}

// TestFormCarriesNoKey: neither key nor password, and no notification URL unless it was asked for.
func TestFormCarriesNoKey(t *testing.T) {
	form, err := merchant().PayForm(request(smartro.PC, smartro.Card))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range form.Fields {
		if strings.Contains(f.Value, smartro.DemoKey) || f.Value == smartro.DemoCancelPassword || f.Name == "RetryURL" {
			t.Errorf("form has %s = %q", f.Name, f.Value)
		}
	}
	r := request(smartro.PC, smartro.Card)
	r.RetryURL = "https://shop.example.com/n"
	m := merchant()
	m.SendSecureType, m.Hash = true, smartro.SHA256
	if form, err = m.PayForm(r); err != nil {
		t.Fatal(err)
	}
	want := smartro.EncryptData(smartro.SHA256, "20261123100000", m.MID, r.Amt, m.Key)
	if form.Get("RetryURL") != r.RetryURL || form.Get("SecureType") != "S2" || form.Get("EncryptData") != want {
		t.Errorf("form = %+v", form.Fields)
	}
}

// TestPayFormRefuses lists what is no request, and the field that each fault names.
func TestPayFormRefuses(t *testing.T) {
	type R = smartro.PayRequest
	for name, c := range map[string]struct {
		device smartro.Device
		method smartro.Method
		change func(*R)
		want   string
	}{
		"nothing wrong":         {smartro.PC, smartro.Card, func(*R) {}, ""},
		"no stop page, mobile":  {smartro.Mobile, smartro.Card, func(r *R) { r.StopURL = "" }, "StopURL"},
		"no address, mobile":    {smartro.Mobile, smartro.Card, func(r *R) { r.UserIP = "" }, "UserIP"},
		"no address, PC":        {smartro.PC, smartro.Card, func(r *R) { r.UserIP = "" }, ""},
		"no buyer, goods, mail": {smartro.PC, smartro.Card, func(r *R) { r.BuyerName, r.GoodsName, r.BuyerEmail = "", " ", "" }, "GoodsName BuyerName BuyerEmail"},
		"no expiry":             {smartro.PC, smartro.Vbank, func(r *R) { r.VbankExpDate = r.VbankExpDate.AddDate(-1, 0, 0) }, "VbankExpDate"},
		"no goods class":        {smartro.PC, smartro.Cellphone, func(r *R) { r.GoodsCl = "" }, "GoodsCl"},
		"goods class 2":         {smartro.PC, smartro.Cellphone, func(r *R) { r.GoodsCl = "2" }, "GoodsCl"},
		"no user for gift":      {smartro.PC, smartro.CLGift, func(r *R) { r.MallUserID = "" }, "mallUserID"},
		"11 bytes of user, PC":  {smartro.PC, smartro.CLGift, func(r *R) { r.MallUserID = "user0000001" }, "mallUserID"},
		"11 bytes of user":      {smartro.Mobile, smartro.CLGift, func(r *R) { r.MallUserID = "user0000001" }, ""},
		"app without scheme":    {smartro.Mobile, smartro.Card, func(r *R) { r.ClientType = "HYB" }, "urlScheme"},
		"no scheme in URL":      {smartro.PC, smartro.Card, func(r *R) { r.ReturnURL = "/return" }, "ReturnURL"},
		"Moid with _":           {smartro.PC, smartro.Card, func(r *R) { r.Moid = "A_1" }, "Moid"},
		"no money":              {smartro.PC, smartro.Card, func(r *R) { r.Amt = 0 }, "Amt"},
		"13 digits":             {smartro.PC, smartro.Card, func(r *R) { r.Amt = 1e12 }, "Amt"},
		"card without quota":    {smartro.PC, smartro.Card, func(r *R) { r.CardCompany = "06" }, "CardQuota"},
		"tax without TaxCD":     {smartro.PC, smartro.Card, func(r *R) { r.Tax = 1000 }, "TaxCD"},
		"Hangul in reserved":    {smartro.PC, smartro.Card, func(r *R) { r.MallReserved = "a=가" }, "MallReserved"},
		"parts lack a won":      {smartro.PC, smartro.Card, func(r *R) { r.Divide = []smartro.DividePart{{"gagesub01m", 10999, "홍차"}} }, "DivideInfo"},
		"letters in phone":      {smartro.PC, smartro.Card, func(r *R) { r.BuyerTel = "call me" }, "BuyerTel"},
		"shop on IPv6":          {smartro.PC, smartro.Card, func(r *R) { r.MallIP = "2001:db8::1" }, "MallIP"},
		"unknown method":        {smartro.PC, smartro.Naver, func(*R) {}, "PayMethod"},
		"no clock":              {smartro.PC, smartro.Card, func(r *R) { r.EdiDate = time.Time{} }, "ediDate"},
	} {
		r := request(c.device, c.method)
		c.change(&r)
		form, err := merchant().PayForm(r)
		if got := faultFields(err); got != c.want {
			t.Errorf("%s: faults in %q, want %q (%v)", name, got, c.want, err)
		}
		if err != nil && len(form.Fields) > 0 {
			t.Errorf("%s: refused, yet there is a form", name)
		}
	}
}

// TestTextNotes: what a device's charset or the firewall would not take is changed in sight.
func TestTextNotes(t *testing.T) {
	for _, c := range []struct {
		device     smartro.Device
		goods      string
		sent       string
		noteKinds  []string
		noteDetail string // of the first note
	}{
		{smartro.PC, "홍차", "홍차", nil, ""},
		{smartro.PC, "홍차\u1100\u1161", "홍차가", nil, ""},
		{smartro.PC, "A—B–C ₩1\u00a0D", "A-B-C ￦1 D", []string{smartro.NoteReplaced}, "—–₩\u00a0"},
		{smartro.PC, "café 😀", "caf? ?", []string{smartro.NoteReplaced}, "é😀"},
		{smartro.Mobile, "café 😀", "café 😀", nil, ""},
		{smartro.PC, "똠펲뷁가", "???가", []string{smartro.NoteReplaced}, "똠펲뷁"},
		{smartro.Mobile, "똠펲뷁가", "똠펲뷁가", nil, ""},
		{smartro.PC, `<b>"책"</b>`, "＜b＞＂책＂＜/b＞", []string{smartro.NoteFirewall}, `< > " " < >`},
		{smartro.Mobile, "a--b; drop table x", "a－－b； drop table x", []string{smartro.NoteFirewall}, "; -- drop table"},
		{smartro.Mobile, "JavaScript: 핵심", "JavaScript： 핵심", []string{smartro.NoteFirewall}, "JavaScript:"},
		{smartro.PC, strings.Repeat("가", 41), strings.Repeat("가", 40), []string{smartro.NoteShortened}, "가"},
		{smartro.PC, "a" + strings.Repeat("가", 40), "a" + strings.Repeat("가", 39), []string{smartro.NoteShortened}, "가"},
		{smartro.Mobile, strings.Repeat("가", 27), strings.Repeat("가", 26), []string{smartro.NoteShortened}, "가"},
	} {
		r := request(c.device, smartro.Card)
		r.GoodsName = c.goods
		form, err := merchant().PayForm(r)
		if err != nil {
			t.Errorf("%q: %v", c.goods, err)
			continue
		}
		var kinds []string
		detail := ""
		for i, n := range form.Notes {
			kinds = append(kinds, n.Kind)
			if i == 0 {
				detail = n.Detail
			}
		}
		if got := form.Get("GoodsName"); got != c.sent || !slices.Equal(kinds, c.noteKinds) || detail != c.noteDetail {
			t.Errorf("%q sent as %q with notes %+v; want %q, %q %q", c.goods, got, form.Notes, c.sent, c.noteKinds, c.noteDetail)
		}
	}
}

// TestLongNames: a name or an address that the window has no room for is cut on a character, as it will be sent, and the
// form says what is missing: 30 bytes are 15 syllables on a PC, 10 on a phone, and a look-alike is wider than what it
// stands for.
func TestLongNames(t *testing.T) {
	for _, c := range []struct {
		device           smartro.Device
		name, sent, rest string
	}{
		{smartro.PC, strings.Repeat("홍", 15), strings.Repeat("홍", 15), ""},
		{smartro.PC, strings.Repeat("홍", 16), strings.Repeat("홍", 15), "홍"},
		{smartro.Mobile, strings.Repeat("홍", 10), strings.Repeat("홍", 10), ""},
		{smartro.Mobile, strings.Repeat("홍", 11), strings.Repeat("홍", 10), "홍"},
		{smartro.PC, "a" + strings.Repeat("홍", 15), "a" + strings.Repeat("홍", 14), "홍"},
		{smartro.PC, strings.Repeat("<", 16), strings.Repeat("＜", 15), "＜"},
		{smartro.PC, strings.Repeat("a", 31), strings.Repeat("a", 30), "a"},
	} {
		r := request(c.device, smartro.Card)
		r.BuyerName, r.BuyerAddr = c.name, strings.Repeat(c.name, 10)
		form, err := merchant().PayForm(r)
		if err != nil {
			t.Errorf("%s %q: %v", c.device, c.name, err)
			continue
		}
		rest := ""
		for _, n := range form.Notes {
			if n.Field == "BuyerName" && n.Kind == smartro.NoteShortened {
				rest = n.Detail
			}
		}
		if got := form.Get("BuyerName"); got != c.sent || rest != c.rest {
			t.Errorf("%s %q: sent %q, cut off %q; want %q, %q", c.device, c.name, got, rest, c.sent, c.rest)
		}
		if n := form.Charset.Len(form.Get("BuyerAddr")); n > 100 || n < 97 {
			t.Errorf("%s %q: the address is sent with %d bytes, want 100 at most and no more lost than a character", c.device, c.name, n)
		}
	}
}

// TestWideEUCKR: a shop whose gateway shows all syllables may have them sent.
func TestWideEUCKR(t *testing.T) {
	m := merchant()
	m.WideEUCKR = true
	r := request(smartro.PC, smartro.Card)
	r.GoodsName = "똠양꿍 😀"
	form, err := m.PayForm(r)
	if err != nil {
		t.Fatal(err)
	}
	want := []smartro.Note{{Field: "GoodsName", Kind: smartro.NoteReplaced, Detail: "😀"}, {Field: "GoodsName", Kind: smartro.NoteCP949, Detail: "똠"}}
	if form.Get("GoodsName") != "똠양꿍 ?" || !slices.Equal(form.Notes, want) {
		t.Errorf("sent %q, notes %+v", form.Get("GoodsName"), form.Notes)
	}
	if raw := string(form.Encode()); !strings.Contains(raw, "GoodsName=%8Cc%BE%E7%B2%E1+%3F&") {
		t.Errorf("bytes %s", raw)
	}
}

// TestNotesOfEveryLabel: what people read is cleaned in each field, and each change is told.
func TestNotesOfEveryLabel(t *testing.T) {
	r := request(smartro.PC, smartro.Card)
	r.GoodsName, r.BuyerName, r.BuyerAddr = "홍차", "오'브 é", "\"별관\" 3층"
	form, err := merchant().PayForm(r)
	if err != nil {
		t.Fatal(err)
	}
	if form.Get("BuyerName") != "오＇브 ?" || form.Get("BuyerAddr") != "＂별관＂ 3층" {
		t.Errorf("sent %q, %q", form.Get("BuyerName"), form.Get("BuyerAddr"))
	}
	want := []smartro.Note{
		{Field: "BuyerName", Kind: smartro.NoteReplaced, Detail: "é"}, {Field: "BuyerName", Kind: smartro.NoteFirewall, Detail: "'"},
		{Field: "BuyerAddr", Kind: smartro.NoteFirewall, Detail: "\" \""},
	}
	if !slices.Equal(form.Notes, want) {
		t.Errorf("notes %+v", form.Notes)
	}
	cancel, err := merchant().CancelForm(smartro.CancelRequest{TID: cardTID, Amt: 1000, Reason: "품절 😀"})
	if err != nil {
		t.Fatal(err)
	}
	if len(cancel.Notes) != 1 || cancel.Notes[0] != (smartro.Note{Field: "CancelMSG", Kind: smartro.NoteReplaced, Detail: "😀"}) {
		t.Errorf("cancel notes %+v", cancel.Notes)
	}
}

// full is a request that sends every field of the device, for the contracts that have them.
func full(device smartro.Device, method smartro.Method) smartro.PayRequest {
	r := request(device, method)
	r.ParentEmail, r.BuyerAddr, r.BuyerPostNo, r.RetryURL = "parent@example.com", "서울시 중구 세종대로 110", "045-24", "https://shop.example.com/n"
	r.MallUserID, r.MallReserved, r.SkinColor, r.OfferPeriod = "user001", "key=7", "GREEN", "2026112320261223"
	r.PayType, r.ReceiptType = "KPCD", "Y"
	r.CardCompany, r.CardQuota, r.CardPoint = "06", "03", "1"
	r.SspMallID, r.ShopTax, r.SvcAmt, r.Tax = "gagessp01", true, 100, 1000
	r.Divide = []smartro.DividePart{{MID: "gagesub01m", Amt: 5000, GoodsName: "홍차"}, {MID: "gagesub02m", Amt: 6000, GoodsName: "찻잔"}}
	r.ProductInfo = "홍차와 찻잔"
	r.Escrow = &smartro.Escrow{
		DeliveryCode: "04", DeliveryNumber: "-", DeliveryAddr1: "서울시 중구", DeliveryAddr2: "세종대로 110", DeliveryPost: "04524",
		ReceiverName: "홍길동", ReceiverTel: "01012345678", SellerAddr1: "부산시", SellerAddr2: "중앙대로 1", SellerPost: "47545",
		SellerTel: "0511234567", SellerID: "seller1", SellerName: "찻집",
	}
	r.OpenType, r.Language, r.ClientType, r.URLScheme = "KR", "KR", "HYB", "teashop://pay"
	return r
}

// TestEveryField: each field of weblink §2 is sent on the devices that have it, in no other form, and never empty.
func TestEveryField(t *testing.T) {
	const (
		common = "PayMethod PayType GoodsCnt GoodsName Amt Moid MID ReturnURL RetryURL mallUserID BuyerName BuyerTel BuyerEmail ParentEmail " +
			"BuyerAddr BuyerPostNo UserIP MallIP ediDate EncryptData TransType SocketYN MallResultFWD EncodingType UrlEncode SecureType MallReserved " +
			"VbankExpDate GoodsCl OfferPeriod ReceiptType fn_cd CardQuota CardPoint TaxCD SvcAmt Tax DivideInfo Productinfo EscrowCD " +
			"DeliveryCode DeliveryNumber DeliveryAddr1 DeliveryAddr2 DeliveryPost ReceiverName ReceiverTel " +
			"SellerAddr1 SellerAddr2 SellerPost SellerTel SellerId SellerName"
		pcOnly     = " SkinColor SspMallID FORWARD OpenType"
		mobileOnly = " StopURL Language clientType urlScheme IspWapUrl IsBankPayBridge"
	)
	m := merchant()
	m.Hash, m.SendSecureType = smartro.SHA256, true
	for device, names := range map[smartro.Device]string{smartro.PC: common + pcOnly, smartro.Mobile: common + mobileOnly} {
		sent := map[string]bool{}
		for _, method := range smartro.Methods() {
			form, err := m.PayForm(full(device, method))
			if err != nil {
				t.Fatal(device, method, err)
			}
			if method == smartro.Card {
				golden(t, "pay_"+string(device)+"_full.golden", []byte(strings.ReplaceAll(string(form.Encode()), "&", "\n&")+"\n"))
			}
			once := map[string]bool{}
			for _, f := range form.Fields {
				if f.Value == "" || once[f.Name] {
					t.Errorf("%s %s: %s is empty or sent twice", device, method, f.Name)
				}
				once[f.Name], sent[f.Name] = true, true
			}
		}
		for _, name := range strings.Fields(names) {
			if !sent[name] {
				t.Errorf("%s: no form has %s", device, name)
			}
			delete(sent, name)
		}
		if len(sent) > 0 {
			t.Errorf("%s: the reference does not have %v", device, sent)
		}
	}
}

// TestEveryLength: a byte more than the reference allows is an error that names the field, on each device.
func TestEveryLength(t *testing.T) {
	type R = smartro.PayRequest
	fill := func(n int) string { return strings.Repeat("a", n) }
	url := func(n int) string { return "https://shop.example.com/" + fill(n-len("https://shop.example.com/")) }
	for field, c := range map[string]struct {
		pc, mobile int // 0: not sent on that device
		set        func(r *R, n int)
	}{
		"ReturnURL":     {200, 200, func(r *R, n int) { r.ReturnURL = url(n) }},
		"RetryURL":      {200, 200, func(r *R, n int) { r.RetryURL = url(n) }},
		"StopURL":       {0, 200, func(r *R, n int) { r.StopURL = url(n) }},
		"mallUserID":    {10, 20, func(r *R, n int) { r.MallUserID = fill(n) }},
		"BuyerTel":      {30, 30, func(r *R, n int) { r.BuyerTel = strings.Repeat("0", n) }},
		"BuyerEmail":    {60, 60, func(r *R, n int) { r.BuyerEmail = fill(n-4) + "@a.b" }},
		"ParentEmail":   {60, 60, func(r *R, n int) { r.ParentEmail = fill(n-4) + "@a.b" }},
		"BuyerPostNo":   {6, 6, func(r *R, n int) { r.BuyerPostNo = strings.Repeat("1", n) }},
		"MallReserved":  {500, 500, func(r *R, n int) { r.MallReserved = fill(n) }},
		"Moid":          {40, 40, func(r *R, n int) { r.Moid = smartro.Moid(fill(n)) }},
		"OfferPeriod":   {16, 16, func(r *R, n int) { r.OfferPeriod = strings.Repeat("1", n) }},
		"fn_cd":         {3, 3, func(r *R, n int) { r.CardCompany, r.CardQuota = strings.Repeat("0", n), "00" }},
		"SspMallID":     {10, 0, func(r *R, n int) { r.SspMallID = fill(n) }},
		"Productinfo":   {2000, 2000, func(r *R, n int) { r.ProductInfo = fill(n) }},
		"urlScheme":     {0, 200, func(r *R, n int) { r.URLScheme = fill(n) }},
		"DeliveryAddr1": {100, 100, func(r *R, n int) { r.Escrow.DeliveryAddr1 = fill(n) }},
		"SellerName":    {100, 100, func(r *R, n int) { r.Escrow.SellerName = fill(n) }},
	} {
		for device, limit := range map[smartro.Device]int{smartro.PC: c.pc, smartro.Mobile: c.mobile} {
			if limit == 0 {
				continue
			}
			for n, want := range map[int]string{limit: "", limit + 1: field} {
				r := full(device, smartro.Card)
				c.set(&r, n)
				if _, err := merchant().PayForm(r); faultFields(err) != want {
					t.Errorf("%s of %d bytes on %s: %v", field, n, device, err)
				}
			}
		}
	}
	for device, want := range map[smartro.Device]string{smartro.PC: "", smartro.Mobile: "Tax"} {
		r := full(device, smartro.Card)
		r.Amt, r.Divide, r.Tax = 999999999999, nil, 1000000000
		if _, err := merchant().PayForm(r); faultFields(err) != want {
			t.Errorf("10 digits of tax on %s: %v", device, err)
		}
	}
	for name, without := range map[string]func(*smartro.Escrow){
		"DeliveryCode":  func(e *smartro.Escrow) { e.DeliveryCode = "" },
		"DeliveryAddr2": func(e *smartro.Escrow) { e.DeliveryAddr2 = " " },
		"SellerId":      func(e *smartro.Escrow) { e.SellerID = "" },
	} {
		r := full(smartro.PC, smartro.Card)
		without(r.Escrow)
		if _, err := merchant().PayForm(r); faultFields(err) != name {
			t.Errorf("escrow without %s: %v", name, err)
		}
	}
}
