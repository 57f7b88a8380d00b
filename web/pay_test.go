package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gage/app"
	"gage/db/dbtest"
	"gage/smartro"
	"gage/web"
	"gage/web/sheet"
)

const demoKey = "AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dzj6vH4/wYNFBsiKTA3PkVMU1phaG92fYSLkpmgp661vA=="

// buyerShop is a real shop on a real database behind the real handler.
type buyerShop struct {
	*app.Shop
	t       *testing.T
	server  *web.Server
	handler http.Handler
	owner   app.Staff
	log     *logged
	clock   sync.Mutex
	at      time.Time
	scratch string
}

// logged keeps what the shop logs, and shows it when the test fails.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
	t    *testing.T
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	return l.t.Output().Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (b *buyerShop) now() time.Time {
	b.clock.Lock()
	defer b.clock.Unlock()
	return b.at
}

func (b *buyerShop) pass(d time.Duration) {
	b.clock.Lock()
	defer b.clock.Unlock()
	b.at = b.at.Add(d)
}

func newBuyerShop(t *testing.T, sample bool) *buyerShop {
	t.Helper()
	return newBuyerShopOn(t, dbtest.SQLite(t), sample)
}

func newBuyerShopOn(t *testing.T, store app.Store, sample bool) *buyerShop {
	t.Helper()
	kept := &logged{t: t}
	ctx, log := context.Background(), slog.New(slog.NewTextHandler(kept, nil))
	keys, err := app.NewKeyring(make([]byte, app.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	b := &buyerShop{t: t, log: kept, at: time.Date(2026, 11, 23, 5, 5, 12, 0, time.UTC), owner: app.Staff{ID: "o", Role: app.RoleOwner}, scratch: t.TempDir()}
	b.Shop = &app.Shop{
		Store: store, Keys: keys, PublicURL: "http://shop.test", Now: b.now, Log: log, MallIP: "127.0.0.1",
		Gateway: func(m smartro.Merchant) app.Gateway { return smartro.WEBLink{Merchant: m} },
		KnownSenders: func(smartro.Mode) []netip.Prefix {
			return []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		},
	}
	err = b.SetMerchant(ctx, b.owner, smartro.Merchant{
		MID: "gagedemo1m", Key: demoKey, CancelPassword: "123456", Mode: smartro.Test, Hash: smartro.MD5,
		Endpoints: smartro.EndpointsAt("http://gateway.test:9090"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.SetInfo(ctx, b.owner, app.ShopInfo{Name: "산들바람 <상점>", Tel: "0212345678"}); err != nil {
		t.Fatal(err)
	}
	s, err := web.New(web.Config{Shop: b.Shop, PublicURL: b.PublicURL, Sample: sample, Log: log, Now: b.now, Pace: web.Pace{PerSecond: 1e6, Burst: 1e6}, Scratch: sheet.Scratch(b.scratch)})
	if err != nil {
		t.Fatal(err)
	}
	b.server, b.handler = s, s.Handler()
	return b
}

func (b *buyerShop) order(in app.OrderInput) app.Order {
	b.t.Helper()
	if in.Goods == "" {
		in.Goods = "제주 감귤"
	}
	in.Amount = 33_000
	o, err := b.CreateOrder(context.Background(), b.owner, in)
	if err != nil {
		b.t.Fatal(err)
	}
	return o
}

func known() app.OrderInput {
	return app.OrderInput{BuyerName: "홍길동", BuyerTel: "01099991111", BuyerEmail: "hong@example.com"}
}

func (b *buyerShop) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "shop.test"
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.send(r)
}

func (b *buyerShop) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

type opened struct {
	Action, Charset, URL, Text string
	Fields                     [][2]string
	Faults                     map[string]string
}

func (o opened) get(name string) string {
	for _, f := range o.Fields {
		if f[0] == name {
			return f[1]
		}
	}
	return ""
}

func (b *buyerShop) open(o app.Order, body string) (int, opened) {
	b.t.Helper()
	w := b.do("POST", "/pay/"+o.Token+"/open", body, "Accept", "application/json", "Sec-Fetch-Site", "same-origin")
	var got opened
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		b.t.Fatalf("%v: %s", err, w.Body)
	}
	return w.Code, got
}

// result is what the gateway would send for a form of ours.
func result(form opened, code string) url.Values {
	tid := smartro.TID("gagedemo1m01012611231405123881")
	if form.get("PayMethod") == "VBANK" {
		tid = "gagedemo1m03012611231405123881"
	}
	return url.Values{
		"PayMethod": {form.get("PayMethod")}, "MID": {"gagedemo1m"}, "TID": {string(tid)}, "OID": {form.get("Moid")},
		"Amt": {form.get("Amt")}, "ResultCode": {code}, "ResultMsg": {"message"}, "AuthDate": {"261123140512"}, "AuthCode": {"30012345"},
		"SignValue": {smartro.SignValue(smartro.MD5, tid, code, demoKey)}, "MallReserved": {form.get("MallReserved")},
	}
}

func path(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u.RequestURI()
}

var markup = regexp.MustCompile(`(?s)<svg.*?</svg>|<[^>]*>`)

// brief is what a page says, without its frame.
func brief(page *httptest.ResponseRecorder) string {
	text := page.Body.String()
	if _, main, ok := strings.Cut(text, "<main"); ok {
		_, text, _ = strings.Cut(main, ">")
	}
	text = strings.Join(strings.Fields(markup.ReplaceAllString(text, " ")), " ")
	return text[:min(len(text), 400)]
}

func wants(t *testing.T, page *httptest.ResponseRecorder, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(page.Body.String(), word) {
			t.Errorf("%d: the page does not say %q: %s", page.Code, word, brief(page))
		}
	}
}

func TestCheckoutPage(t *testing.T) {
	b := newBuyerShop(t, false)
	o := b.order(app.OrderInput{Goods: `<script>alert(1)</script>`})
	w := b.do("GET", "/pay/"+o.Token, "")
	if w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body)
	}
	wants(t, w, "33,000원 결제하기", `value="VBANK"`, `name="buyer_name"`, "연습", "&lt;script&gt;alert(1)&lt;/script&gt;", "산들바람 &lt;상점&gt;", "02-1234-5678")
	csp := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(csp, "form-action 'self' http://gateway.test:9090;") || !strings.Contains(csp, "script-src 'self';") {
		t.Errorf("CSP is %q", csp)
	}
	if bad := regexp.MustCompile(`(?i)<[^>]*\s(style|on[a-z]+)\s*=`).FindString(w.Body.String()); bad != "" {
		t.Errorf("inline style or script: %s", bad)
	}
	if got := w.Header().Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("Referrer-Policy %q: the link would leak", got)
	}
	if c := w.Result().Cookies(); len(c) != 0 {
		t.Errorf("cookies %v", c)
	}
	if w := b.do("GET", "/pay/"+b.order(known()).Token, ""); strings.Contains(w.Body.String(), "buyer_name") || strings.Contains(w.Body.String(), "홍길동") {
		t.Error("asks for what the order has, or shows it")
	}
	if w := b.do("GET", "/pay/NOSUCHTOKENNOSUCHTOKENNOSU", ""); w.Code != http.StatusNotFound {
		t.Error("unknown link:", w.Code)
	}
	if w := b.do("GET", "/pay/"+o.Token, "", "User-Agent", "Mozilla/5.0 (iPhone) KAKAOTALK 10"); !strings.Contains(w.Body.String(), "kakaotalk://web/openExternal?url=http%3A%2F%2Fshop.test") {
		t.Error("no way out of KakaoTalk")
	}
}

func TestOpenRefusesWhatItCannotSend(t *testing.T) {
	b := newBuyerShop(t, false)
	o := b.order(app.OrderInput{})
	good := "device=pc&method=CARD&buyer_name=%ED%99%8D%EA%B8%B8%EB%8F%99&buyer_tel=010-9999-1111&buyer_email=hong%40example.com"
	for body, field := range map[string]string{
		"":                                      "method",
		"device=pc&method=GOLD":                 "method",
		"device=tv&" + good[len("device=pc&"):]: "device",
		"device=pc&method=CARD":                 "buyer_name",
		strings.Replace(good, "010-9999-1111", "abc", 1):      "buyer_tel",
		strings.Replace(good, "hong%40example.com", "no", 1):  "buyer_email",
		strings.Replace(good, "method=CARD", "method=%3C", 1): "method",
	} {
		code, got := b.open(o, body)
		if code != http.StatusUnprocessableEntity || got.Faults[field] == "" || got.Text == "" {
			t.Errorf("%q: %d %+v, want a fault of %s", body, code, got, field)
		}
	}
	w := b.do("POST", "/pay/"+o.Token+"/open", "device=pc&method=VBANK&buyer_name=Kim&buyer_tel=abc&buyer_email=k%40example.com", "Sec-Fetch-Site", "same-origin")
	if w.Code != http.StatusUnprocessableEntity {
		t.Error(w.Code)
	}
	wants(t, w, `value="Kim"`, `aria-invalid="true"`, `value="VBANK" required checked`)
	if w := b.do("POST", "/pay/"+o.Token+"/open", good, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Error("another site may press the button:", w.Code)
	}
	if code, got := b.open(o, good); code != http.StatusOK || got.Charset != "EUC-KR" || got.Action == "" || got.get("EncryptData") == "" {
		t.Errorf("%d %+v", code, got)
	}
}

func TestOpenWithoutScripts(t *testing.T) {
	b := newBuyerShop(t, false)
	o := b.order(known())
	phone := "Mozilla/5.0 (Linux; Android 15) Mobile Safari"
	for ua, charset := range map[string]string{"Mozilla/5.0 (Windows NT 10.0)": "EUC-KR", phone: "UTF-8"} {
		w := b.do("POST", "/pay/"+o.Token+"/open", "method=CARD", "User-Agent", ua, "Sec-Fetch-Site", "same-origin")
		if w.Code != http.StatusOK {
			t.Fatal(w.Code, w.Body)
		}
		wants(t, w, `accept-charset="`+charset+`"`, "결제창 열기", `name="EncryptData"`)
		if strings.Contains(w.Body.String(), demoKey[:40]) {
			t.Error("the merchant key left the server")
		}
	}
	w := b.do("POST", "/pay/"+o.Token+"/open", "method=CARD&use=VBANK", "Sec-Fetch-Site", "same-origin")
	wants(t, w, `name="PayMethod" value="VBANK"`)
}

// TestPayment follows one order: claimed by the browser, proved by the notice, and never opened again.
func TestPayment(t *testing.T) {
	b := newBuyerShop(t, false)
	o := b.order(known())
	_, form := b.open(o, "device=pc&method=CARD")
	wants(t, b.do("GET", "/pay/"+o.Token, ""), `data-status="opened"`)
	res := result(form, "3001").Encode()

	w := b.do("POST", path(t, form.get("ReturnURL")), res, "Origin", "http://gateway.test:9090", "Sec-Fetch-Site", "cross-site")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/pay/"+o.Token+"/back" {
		t.Fatal(w.Code, w.Header(), w.Body)
	}
	wants(t, b.do("GET", "/pay/"+o.Token+"/back", ""), "data-pay-back", "http-equiv=\"refresh\"")
	wants(t, b.do("GET", "/pay/"+o.Token, ""), "확인 중이에요", "이 화면을 닫아도 괜찮아요")
	if code, got := b.open(o, "device=pc&method=CARD"); code != http.StatusConflict || got.URL != "/pay/"+o.Token+"?already=1" {
		t.Errorf("a second window while the first may be paid: %d %+v", code, got)
	}

	notice, err := b.NoticeURL(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w := b.do("POST", path(t, notice), res)
		if w.Code != http.StatusOK || w.Body.String() != "OK" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
			t.Fatal(w.Code, w.Body)
		}
	}
	wants(t, b.do("GET", "/pay/"+o.Token, ""), "결제됐어요", "33,000원", "30012345", "영수증 보기", `rel="noopener noreferrer"`)
	wants(t, b.do("GET", "/pay/"+o.Token+"?already=1&lang=en", ""), "Already paid", "₩33,000")
	w = b.do("POST", "/pay/"+o.Token+"/open", "method=CARD", "Sec-Fetch-Site", "same-origin")
	if w.Code != http.StatusSeeOther {
		t.Error("no script, paid order:", w.Code)
	}
	if w := b.do("POST", path(t, form.get("ReturnURL")), res); w.Code != http.StatusSeeOther {
		t.Error("the result told again:", w.Code)
	}
}

func TestDeclinedAndStopped(t *testing.T) {
	b := newBuyerShop(t, false)
	o := b.order(known())
	_, form := b.open(o, "device=mobile&method=CARD")
	w := b.do("POST", path(t, form.get("ReturnURL")), result(form, "3011").Encode())
	if w.Header().Get("Location") != "/pay/"+o.Token {
		t.Error("a phone has no popup to close:", w.Header().Get("Location"))
	}
	wants(t, b.do("GET", "/pay/"+o.Token, ""), "결제하지 못했어요", "돈은 나가지 않았습니다", "가상계좌로 내기", "33,000원 다시 결제하기")

	o = b.order(known())
	_, form = b.open(o, "device=pc&method=CARD")
	b.do("POST", path(t, form.get("ReturnURL")), result(form, "W034").Encode())
	wants(t, b.do("GET", "/pay/"+o.Token, ""), "결제하지 않았어요", "돈은 나가지 않았습니다", "가상계좌로 내기")

	o = b.order(known())
	_, form = b.open(o, "device=mobile&method=CARD")
	w = b.do("GET", path(t, form.get("StopURL")), "")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/pay/"+o.Token {
		t.Fatal(w.Code, w.Header())
	}
	wants(t, b.do("GET", "/pay/"+o.Token+"?lang=en", ""), "You did not pay", "No money left your account")
}

// proves R1, S7
func TestStrangersAtTheGatewaysDoors(t *testing.T) {
	b := newBuyerShop(t, false)
	o := b.order(known())
	_, form := b.open(o, "device=pc&method=CARD")
	forged := result(form, "3001")
	forged.Set("SignValue", "bm90IGEgc2lnbmF0dXJl")
	huge := strings.Repeat("a=b&", 20_000)
	for _, c := range []struct {
		method, target, body string
		status               int
	}{
		{"POST", "/smartro/notify", "garbage", 400},
		{"POST", "/smartro/notify/wrong-secret", "a=b", 400},
		{"GET", "/smartro/notify", "", 400},
		{"POST", "/smartro/notify", "%zz=%", 400},
		{"POST", "/smartro/notify", "TID=a&TID=b&tid=c", 400},
		{"POST", "/smartro/notify", huge, 413},
		{"POST", "/smartro/return", "garbage", 400},
		{"POST", "/smartro/return", "", 400},
		{"GET", "/smartro/return", "", 400},
		{"POST", "/smartro/return", huge, 413},
		{"POST", "/smartro/return?t=nothing", "a=%ff%fe", 400},
		{"POST", "/smartro/return", forged.Encode(), 303},
		{"PUT", "/smartro/notify", "a=b", 405},
	} {
		w := b.do(c.method, c.target, c.body)
		if w.Code != c.status {
			t.Errorf("%s %s: %d, want %d: %s", c.method, c.target, w.Code, c.status, w.Body)
		}
		if strings.Contains(c.target, "notify") && strings.Contains(strings.ToUpper(w.Body.String()), "OK") {
			t.Errorf("%s %s reads as a receipt: %s", c.method, c.target, w.Body)
		}
	}
	delete(forged, "MallReserved")
	if w := b.do("POST", "/smartro/return", forged.Encode()); w.Header().Get("Location") != "/pay/received" {
		t.Error("a forged result learned a page:", w.Header().Get("Location"))
	}
	wants(t, b.do("GET", "/pay/received", ""), "받은 결제 링크를 다시 열면")
	wants(t, b.do("GET", "/pay/"+o.Token, ""), `data-version="opened`)
}

// TestEvents: the stream tells at once how it stands, and again when that changes.
func TestEvents(t *testing.T) {
	b := newBuyerShop(t, false)
	o := b.order(known())
	server := httptest.NewServer(b.handler)
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/pay/"+o.Token+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "shop.test"
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatal(resp.Status, got)
	}
	lines := bufio.NewReader(resp.Body)
	next := func() string {
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				return data
			}
		}
	}
	if got := next(); !strings.Contains(got, `"status":"open"`) {
		t.Error(got)
	}
	b.open(o, "device=pc&method=CARD")
	if got := next(); !strings.Contains(got, `"status":"opened"`) {
		t.Error(got)
	}
	w := b.do("GET", "/pay/"+o.Token+"/status", "", "Accept", "application/json")
	wants(t, w, `"status":"opened"`, `"version":"opened-01-`)
}

func TestLanguage(t *testing.T) {
	b := newBuyerShop(t, false)
	at := "/pay/" + b.order(known()).Token
	wants(t, b.do("GET", at, "", "Accept-Language", "en-US,en;q=0.9"), `<html lang="en">`, "Pay ₩33,000")
	wants(t, b.do("GET", at, "", "Accept-Language", "en", "Cookie", "lang=ko"), `<html lang="ko">`)
	wants(t, b.do("GET", at+"?lang=xx", "", "Cookie", "lang=%00"), `<html lang="ko">`)
	w := b.do("GET", at+"?lang=en", "")
	if c := w.Result().Cookies(); len(c) != 1 || c[0].Value != "en" || !c[0].HttpOnly || c[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("cookies %v", c)
	}
}

func TestHome(t *testing.T) {
	plain := newBuyerShop(t, false)
	wants(t, plain.do("GET", "/", ""), "산들바람", "결제 링크를 받으셨다면")
	if w := plain.do("POST", "/sample", "goods=1", "Sec-Fetch-Site", "same-origin"); w.Code != http.StatusNotFound {
		t.Error("a production shop sells samples:", w.Code)
	}
	demo := newBuyerShop(t, true)
	wants(t, demo.do("GET", "/", ""), "33,000원", "연습")
	w := demo.do("POST", "/sample", "goods=1", "Sec-Fetch-Site", "same-origin")
	if w.Code != http.StatusSeeOther {
		t.Fatal(w.Code, w.Body)
	}
	wants(t, demo.do("GET", w.Header().Get("Location"), ""), "33,000원 결제하기", "제주 감귤")
	if w := demo.do("POST", "/sample", "goods=9", "Sec-Fetch-Site", "same-origin"); w.Code != http.StatusUnprocessableEntity {
		t.Error(w.Code)
	}
}

// TestExpired: what the clock decides is told without a change in the store.
func TestExpired(t *testing.T) {
	b := newBuyerShop(t, false)
	in := known()
	in.DueDate = "2026-11-23"
	o := b.order(in)
	b.pass(48 * time.Hour)
	wants(t, b.do("GET", "/pay/"+o.Token, ""), "결제 기한이 지났어요", "돈은 나가지 않았습니다")
	if code, got := b.open(o, "device=pc&method=CARD"); code != http.StatusConflict || got.URL == "" {
		t.Error(code, got)
	}
	if _, err := io.ReadAll(b.do("GET", "/pay/"+o.Token+"?already=1", "").Body); err != nil {
		t.Error(err)
	}
}

func TestWaitingForDeposit(t *testing.T) {
	b := newBuyerShop(t, false)
	o := b.order(known())
	_, form := b.open(o, "device=pc&method=VBANK")
	issued := result(form, "4100")
	issued.Set("VbankNum", "1002345678901")
	issued.Set("VbankName", "우리은행")
	if w := b.do("POST", path(t, form.get("ReturnURL")), issued.Encode()); w.Code != http.StatusSeeOther {
		t.Fatal(w.Code, w.Body)
	}
	wants(t, b.do("GET", "/pay/"+o.Token, ""), "입금을 기다리고 있어요", "우리은행", `data-copy="1002345678901"`, `data-copy="33000"`,
		"11월 26일(목) 23:59", "금액이 다르면 입금되지 않아요", "다른 방법으로 결제하기")
	wants(t, b.do("GET", "/pay/"+o.Token+"?again=1", ""), "이미 입금했다면 다시 결제하지 마세요", "33,000원 결제하기")

	notice, err := b.NoticeURL(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	deposit := result(form, "4110")
	if w := b.do("POST", path(t, notice), deposit.Encode()); w.Body.String() != "OK" {
		t.Fatal(w.Code, w.Body)
	}
	wants(t, b.do("GET", "/pay/"+o.Token, ""), "결제됐어요", "가상계좌")
}

// TestTwoTabsPayOneOrder: the second approval is held, and the buyer is told.
//
// proves R11
func TestTwoTabsPayOneOrder(t *testing.T) {
	b := newBuyerShop(t, false)
	o := b.order(known())
	_, first := b.open(o, "device=pc&method=CARD")
	_, second := b.open(o, "device=pc&method=CARD")
	notice, err := b.NoticeURL(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	again := result(second, "3001")
	tid := smartro.TID("gagedemo1m01012611231406009999")
	again.Set("TID", string(tid))
	again.Set("SignValue", smartro.SignValue(smartro.MD5, tid, "3001", demoKey))
	for _, told := range []url.Values{result(first, "3001"), again} {
		if w := b.do("POST", path(t, notice), told.Encode()); w.Body.String() != "OK" {
			t.Fatal(w.Code, w.Body)
		}
	}
	wants(t, b.do("GET", "/pay/"+o.Token, ""), "결제됐어요", "결제가 한 번 더 들어왔어요")
}
