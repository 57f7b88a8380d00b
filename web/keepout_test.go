package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
	"gage/web"
)

// forwarding are the headers in which proxies tell whom they speak for, and in which anybody may lie.
var forwarding = []string{
	"X-Forwarded-For", "Forwarded", "X-Real-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "Fastly-Client-Ip",
	"X-Forwarded", "Forwarded-For", "X-Original-Forwarded-For", "X-Azure-Clientip",
}

// TestForwardingHeaders: a stranger who says that he is the gateway is a stranger; only what a listed proxy adds counts.
//
// proves S1, R37
func TestForwardingHeaders(t *testing.T) {
	const known = "192.0.2.7" // see newBuyerShop
	for name, c := range map[string]struct {
		peer    string
		proxies []string
		header  map[string]string
		sender  string
		paid    bool
	}{
		"the gateway itself":               {known, nil, nil, known, true},
		"a proxy that nobody listed":       {"203.0.113.9", nil, map[string]string{"X-Forwarded-For": known}, "203.0.113.9", false},
		"a listed proxy":                   {"203.0.113.9", []string{"203.0.113.9/32"}, map[string]string{"X-Forwarded-For": known}, known, true},
		"two listed proxies":               {"203.0.113.9", []string{"203.0.113.9/32", "10.0.0.1/32"}, map[string]string{"X-Forwarded-For": known + ", 10.0.0.1"}, known, true},
		"behind a listed proxy, lying":     {"203.0.113.9", []string{"203.0.113.9/32"}, map[string]string{"X-Forwarded-For": known + ", 198.51.100.66"}, "198.51.100.66", false},
		"the proxy's neighbour":            {"203.0.113.8", []string{"203.0.113.9/32"}, map[string]string{"X-Forwarded-For": known}, "203.0.113.8", false},
		"a listed proxy, the wrong header": {"203.0.113.9", []string{"203.0.113.9/32"}, map[string]string{"X-Real-Ip": known, "Forwarded": "for=" + known}, "203.0.113.9", false},
		"a private address, not listed":    {"10.0.0.1", nil, map[string]string{"X-Forwarded-For": known}, "10.0.0.1", false},
		"this machine, not listed":         {"127.0.0.1", nil, map[string]string{"X-Forwarded-For": known}, "127.0.0.1", false},
	} {
		checkSender(t, name, c.peer, c.proxies, c.header, c.sender, c.paid)
	}
	for _, header := range forwarding {
		for _, value := range []string{known, "for=" + known, known + ", " + known, "203.0.113.9, " + known} {
			checkSender(t, header+": "+value, "203.0.113.9", nil, map[string]string{header: value}, "203.0.113.9", false)
		}
	}
	all := map[string]string{}
	for _, header := range forwarding {
		all[header] = known
	}
	checkSender(t, "all headers", "203.0.113.9", nil, all, "203.0.113.9", false)
}

// checkSender lets a notification that is right in every way come from peer.
func checkSender(t *testing.T, name, peer string, proxies []string, header map[string]string, sender string, paid bool) {
	t.Helper()
	kept := &recorder{Store: dbtest.SQLite(t)}
	b := newBuyerShopOn(t, kept, false)
	var listed []netip.Prefix
	for _, p := range proxies {
		listed = append(listed, netip.MustParsePrefix(p))
	}
	s, err := web.New(web.Config{Shop: b.Shop, PublicURL: b.PublicURL, Log: b.Log, Now: b.now, TrustedProxies: listed})
	if err != nil {
		t.Fatal(err)
	}
	b.handler = s.Handler()
	notice, err := b.NoticeURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, form := b.open(b.order(known()), "device=pc&method=CARD")
	kept.kept = nil
	r := httptest.NewRequest("POST", path(t, notice), strings.NewReader(result(form, "3001").Encode()))
	r.Host, r.RemoteAddr = "shop.test", withPort(peer)
	r.Header.Set("Content-Type", asForm)
	for k, v := range header {
		r.Header.Set(k, v)
	}
	if w := b.send(r); w.Code != 200 || w.Body.String() != "OK" {
		t.Fatalf("%s: %d %s", name, w.Code, w.Body)
	}
	m, err := b.Store.Message(t.Context(), kept.kept[0])
	if err != nil || m.Peer != sender {
		t.Errorf("%s: the sender is %q, %v, want %q", name, m.Peer, err, sender)
	}
	p, err := b.Store.Payment(t.Context(), app.Moid(form.get("Moid")))
	if err != nil || (p.State == app.Paid) != paid {
		t.Errorf("%s: the payment is %s, %v, want paid %t", name, p.State, err, paid)
	}
	asked, err := b.Senders(t.Context())
	if err != nil || !paid && (len(asked) != 1 || asked[0].Addr != sender) {
		t.Errorf("%s: staff are asked about %v, %v", name, asked, err)
	}
}

// withPort is an address as net/http tells it.
func withPort(addr string) string { return addr + ":40000" }

// TestNoticeSecretIsNotTold: the notification path's secret is long, is on the settings page for the owner to copy, and
// nowhere else: in no form, page, header or line of the log.
//
// proves S1
func TestNoticeSecretIsNotTold(t *testing.T) {
	b := newBuyerShop(t, true)
	d := b.desk(app.RoleOwner)
	notice, err := b.NoticeURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	secret := notice[strings.LastIndex(notice, "/")+1:]
	if len(secret) < 26 { // of 32 letters each: 130 bits
		t.Errorf("the secret has %d characters", len(secret))
	}
	o := b.order(known())
	var said []string
	for _, body := range []string{"device=pc&method=CARD", "device=mobile&method=CARD", "device=pc&method=VBANK"} {
		code, form := b.open(b.order(known()), body)
		if code != 200 {
			t.Fatal(code, form)
		}
		said = append(said, fmt.Sprint(form))
		b.do("POST", path(t, notice), result(form, "3001").Encode())
		b.do("POST", path(t, notice), result(form, "3001").Encode(), "Origin", "http://evil.example", "Referer", notice)
	}
	b.do("POST", path(t, notice), "garbage")
	b.do("PUT", path(t, notice), "garbage")
	b.do("POST", path(t, notice)+"/x", "garbage")
	for _, r := range b.server.Routes() {
		if r.Method != "GET" || strings.HasSuffix(r.Path, "/settings") || strings.HasSuffix(r.Path, "/events") {
			continue
		}
		target := strings.ReplaceAll(strings.ReplaceAll(r.Path, ":token", o.Token), ":no", string(o.No))
		w := d.get(parameter.ReplaceAllString(target, "x"))
		said = append(said, w.Body.String(), fmt.Sprint(w.Header()))
	}
	said = append(said, b.log.String())
	for _, text := range said {
		if strings.Contains(text, secret) {
			t.Errorf("the secret is in %.300s", text)
		}
	}
	wants(t, d.get("/admin/settings"), secret)
}

// TestPricesAreOurs: whatever the buyer's form says, the amount and the quantity that go to the gateway are those of
// the order; what is no amount makes no order.
//
// proves S5
func TestPricesAreOurs(t *testing.T) {
	b := newBuyerShop(t, false)
	d := b.desk(app.RoleStaff)
	rng := rand.New(rand.NewPCG(5, 5))
	m, err := b.Merchant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := []string{
		"Amt", "amt", "amount", "Amount", "price", "total", "GoodsCnt", "goods_cnt", "quantity", "qty", "coupon", "discount", "TaxAmt", "tax_free", "VatAmt",
		"SvcAmt", "DutyFreeAmt", "EncryptData", "MID", "Moid", "currency", "goods", "GoodsName", "order", "OID", "ediDate",
	}
	values := []string{"-1", "0", "1", "100", "999999999999", "9223372036854775807", "1e9", "0x10", "1,000", "", "NaN", "-0", "１"}
	for range 60 {
		amount := app.Won(1 + rng.Int64N(int64(app.MaxAmount)))
		count := 1 + rng.IntN(99)
		o, err := b.CreateOrder(t.Context(), b.owner, app.OrderInput{
			Goods: "귤", GoodsCnt: count, Amount: amount, BuyerName: "홍길동", BuyerTel: "01099991111", BuyerEmail: "hong@example.com",
		})
		if err != nil {
			t.Fatal(err)
		}
		device := []string{"pc", "mobile"}[rng.IntN(2)]
		typed := url.Values{"device": {device}, "method": {"CARD"}}
		for range 1 + rng.IntN(8) {
			typed.Add(names[rng.IntN(len(names))], values[rng.IntN(len(values))])
		}
		w := b.do("POST", "/pay/"+o.Token+"/open?"+typed.Encode(), typed.Encode(), "Accept", asJSON, "Sec-Fetch-Site", "same-origin")
		var form opened
		if err := json.Unmarshal(w.Body.Bytes(), &form); err != nil || w.Code != 200 {
			t.Fatalf("%v: %d %s", typed, w.Code, w.Body)
		}
		edi := form.get("ediDate")
		if form.get("Amt") != strconv.FormatInt(int64(amount), 10) || form.get("GoodsCnt") != strconv.Itoa(count) || form.get("MID") != string(m.MID) ||
			form.get("EncryptData") != smartro.EncryptData(m.Hash, edi, m.MID, amount, m.Key) {
			t.Errorf("%v changed the form: %v", typed, form.Fields)
		}
		p, err := b.Store.Payment(t.Context(), app.Moid(form.get("Moid")))
		if err != nil || p.Amount != amount {
			t.Errorf("%v: the payment is of %d, %v, want %d", typed, p.Amount, err, amount)
		}
	}
	before, err := b.Orders(t.Context(), app.OrderQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, amount := range []string{"-1", "0", "-33000", "1000000000000", "9223372036854775808", "18446744073709551617", "1e5", "0x10", "1.5", "NaN", "", "--1", "+-1"} {
		w := d.post("/admin/requests/new", url.Values{"goods": {"귤"}, "amount": {amount}})
		if w.Code != http.StatusUnprocessableEntity {
			t.Errorf("an order of %q won: %d", amount, w.Code)
		}
	}
	for _, free := range []string{"-1", "33001", "9223372036854775808"} {
		if w := d.post("/admin/requests/new", url.Values{"goods": {"귤"}, "amount": {"33000"}, "tax_free": {free}}); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%q won free of tax: %d", free, w.Code)
		}
	}
	if after, err := b.Orders(t.Context(), app.OrderQuery{Limit: 1000}); err != nil || len(after) != len(before) {
		t.Errorf("%d orders, %v, want %d", len(after), err, len(before))
	}
}

// TestFailuresTouchNobodyElse: what says that a payment failed or was stopped changes no other order, pays nothing back,
// and takes nothing from one that is paid.
//
// proves S6
func TestFailuresTouchNobodyElse(t *testing.T) {
	l := newTill(t)
	paid := l.pays(smartro.Card, known())
	_, open := l.open(l.order(known()), "device=pc&method=CARD")
	mine := l.order(known())
	_, own := l.open(mine, "device=mobile&method=CARD")
	calls := l.calls.Load()
	type look struct {
		Payment app.Payment
		Cancels []app.Cancel
		Holds   []app.Hold
	}
	looks := func() (all [2]look) {
		for i, moid := range []app.Moid{paid.Moid, app.Moid(open.get("Moid"))} {
			p := l.payment(moid)
			cancels, err := l.Store.Cancels(t.Context(), p.OrderNo)
			holds, herr := l.Store.HoldsOf(t.Context(), p.OrderNo)
			if err != nil || herr != nil {
				t.Fatal(err, herr)
			}
			all[i] = look{p, cancels, holds}
		}
		return all
	}
	before := looks()
	token := strings.TrimPrefix(own.get("MallReserved"), "rt=")
	for _, code := range []string{"3011", "9999", "2001", "2211", "3301", "", "\x00"} {
		for _, victim := range []string{string(paid.Moid), open.get("Moid")} {
			for _, tid := range []string{string(paid.TID), "gagedemo1m01012611231405129999"} {
				v := url.Values{
					"PayMethod": {"CARD"}, "MID": {"gagedemo1m"}, "TID": {tid}, "OID": {victim}, "Moid": {victim}, "Amt": {"33000"}, "ResultCode": {code},
					"ResultMsg": {"x"}, "CancelAmt": {"33000"}, "SignValue": {"Zm9yZ2Vk"}, "MallReserved": {"rt=" + token},
				}
				for _, target := range []string{"/smartro/return?t=" + token, "/smartro/return", "/smartro/stop?t=" + token, "/smartro/stop", "/smartro/notify"} {
					for _, method := range []string{"POST", "GET"} {
						where, body := target, v.Encode()
						if method == "GET" {
							sep := "?"
							if strings.Contains(target, "?") {
								sep = "&"
							}
							where, body = target+sep+body, ""
						}
						if w := l.do(method, where, body, "Sec-Fetch-Site", "cross-site"); w.Code >= 500 {
							t.Errorf("%s %s: %d", method, where, w.Code)
						}
					}
				}
			}
		}
	}
	if after := looks(); !reflect.DeepEqual(before, after) {
		t.Errorf("others' orders changed:\n%+v\n%+v", before, after)
	}
	if n := l.calls.Load(); n != calls {
		t.Errorf("%d cancels were sent", n-calls)
	}
	if p := l.payment(app.Moid(own.get("Moid"))); p.Cancelled != 0 || p.State != app.Opened {
		t.Errorf("one's own is %s", p.State)
	}
}

// opens says that an answer shows or leads to something that is not everybody's.
func opens(w *httptest.ResponseRecorder) bool {
	to := w.Header().Get("Location")
	return w.Code == 200 || w.Code >= 500 || w.Code == 303 && to != "/pay/received" && !strings.HasPrefix(to, "/admin/sign-in")
}

// TestGuesses: order numbers, Moids and TIDs open nothing, and tokens can't be guessed: those of payments, refunds and
// subscriptions, and what the gateway brings back. GAGE_GUESSES says how many tries.
//
// proves S8, S7, S29
func TestGuesses(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 1000
	}
	if text := os.Getenv("GAGE_GUESSES"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	l := newTill(t)
	l.KnownSenders = func(smartro.Mode) []netip.Prefix {
		return []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("192.0.2.0/24")}
	}
	p := l.pays(smartro.Card, known())
	o, err := l.Store.Order(t.Context(), p.OrderNo)
	if err != nil {
		t.Fatal(err)
	}
	sub, err := l.CreateSubscription(t.Context(), l.owner, app.SubscriptionInput{
		Name: "홍길동", Tel: "010-9999-1111", Email: "hong@example.com", Goods: "우유", Amount: 33_000, Day: app.OnDemand,
	})
	if err != nil {
		t.Fatal(err)
	}
	card, err := l.OpenCardWindow(t.Context(), sub.Token, app.CardWindowInput{UserIP: "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	ask, err := l.AskRefundAccount(t.Context(), l.who, l.deposited().Moid)
	if err != nil {
		t.Fatal(err)
	}
	refund := ask.Token
	for _, link := range []string{"/pay/" + o.Token, "/subscription/" + sub.Token, "/refund/" + refund} {
		if w := l.do("GET", link, ""); w.Code != 200 {
			t.Errorf("%s itself: %d", link, w.Code)
		}
	}
	tokens := []string{o.Token, p.ReturnToken, sub.Token, strings.TrimPrefix(card.Get("MallReserved"), "rt="), refund}
	for _, token := range tokens {
		if len(token) < 26 || strings.Contains(l.log.String(), token) {
			t.Errorf("the token %q is short, or in the log", token)
		}
	}
	page := l.do("GET", "/pay/"+o.Token, "")
	if !strings.Contains(page.Body.String(), "noreferrer") || strings.Contains(l.log.String(), "IssueLoader") {
		t.Error("the receipt would learn the link, or the log has the receipt's")
	}
	public := []string{
		"/pay/%s", "/pay/%s/status", "/pay/%s/back", "/pay/%s/events", "/start/%s", "/invite/%s", "/admin/payments/%s", "/admin/requests/%s",
		"/admin/messages/%s", "/admin/requests/%s/qr.svg", "/smartro/return?t=%s", "/smartro/stop?t=%s",
		"/refund/%s", "/subscription/%s", "/smartro/card?t=%s", "/smartro/card/stop?t=%s",
		"/admin/subscriptions/%s", "/admin/subscriptions/%s/qr.svg", "/admin/receipts/%s", "/admin/approvals/%s",
	}
	try := func(id string) {
		for _, pattern := range public {
			if w := l.do("GET", fmt.Sprintf(pattern, url.PathEscape(id)), "", "Accept", "*/*"); opens(w) {
				t.Errorf("%s as %s: %d %s", id, pattern, w.Code, w.Header().Get("Location"))
			}
		}
		for _, name := range []string{"OID", "Moid", "TID", "MallReserved"} {
			v := url.Values{"ResultCode": {"3001"}, "MID": {"gagedemo1m"}, "TID": {string(p.TID)}, "SignValue": {"x"}, "Amt": {"33000"}}
			v.Set(name, id)
			for _, door := range []string{"/smartro/return", "/smartro/card"} {
				if w := l.do("POST", door, v.Encode()); w.Code == 303 && opens(w) {
					t.Errorf("%s as %s opens %s", id, name, w.Header().Get("Location"))
				}
			}
		}
	}
	for _, id := range []string{
		string(o.No), string(p.Moid), string(p.TID), strings.ToLower(string(o.No)), string(sub.No), card.Get("Moid"), "", "%", "*", p.ReturnToken[:25],
	} {
		try(id)
	}
	for _, token := range tokens {
		for _, id := range []string{token[:len(token)-1], token + "A", strings.ToLower(token), token[1:], token + "\x00", token[:25] + "_"} {
			try(id)
		}
	}
	rng := rand.New(rand.NewPCG(8, 8))
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	for i := range n {
		id := []byte(tokens[i%len(tokens)])
		for range 1 + rng.IntN(len(id)) { // from one letter off to all of them
			id[rng.IntN(len(id))] = letters[rng.IntN(len(letters))]
		}
		if slices.Contains(tokens, string(id)) {
			continue
		}
		target := fmt.Sprintf(public[rng.IntN(len(public))], id)
		if w := l.do("GET", target, ""); opens(w) {
			t.Errorf("guessed %s: %d %s", target, w.Code, w.Header().Get("Location"))
		}
	}
}

// payloads try to become markup, script, a style, an address or an end of what they stand in.
func payloads() []string {
	list := []string{
		`<script>xss()</script>`, `"><script src=//x.example>`, `'><img src=x onerror=xss()>`, `<svg/onload=xss()>`, `<svg><script>xss()</script>`,
		`</title><script>xss()</script>`, `</textarea><xss>`, `</script><script>xss()</script>`, `<!--<xss>`, `--><xss>`, `]]><xss>`, `<iframe src=javascript:xss()>`,
		`javascript:xss()`, `JaVaScRiPt:xss()`, "java\tscript:xss()", `data:text/html,<xss>`, `vbscript:xss`, `//x.example/xss`, `" onmouseover="xss()`,
		`' onfocus='xss()' autofocus='`, "` onerror=xss() `", `x onclick=xss()`, `" style="background:url(//x)`, `<style>@import'//x'</style>`,
		`<base href=//x.example>`, `<meta http-equiv=refresh content=0;//x>`, `<form action=//x><input name=xss>`, `<a href=javascript:xss()>x</a>`,
		`<math><xss>`, `<xss onpointerrawupdate=xss()>`, `{{7*7}}<xss>`, `${7*7}<xss>`, `<%= 7*7 %><xss>`, `&lt;script&gt;xss()&lt;/script&gt;`,
		`&#60;xss&#62;`, `\u003cxss\u003e`, `%3Cxss%3E`, `＜xss＞`, "\u2028<xss>", "<\u200bxss>", `<xss x=`, `<details open ontoggle=xss()>`, `"}]<xss>`, `\"><xss>`, `"-xss()-"`,
	}
	for _, tag := range []string{"a", "b", "body", "button", "embed", "frame", "input", "link", "marquee", "object", "select", "template", "textarea", "video"} {
		list = append(list, "<"+tag+" onload=xss()>", `"><`+tag+" src=x href=javascript:xss() onerror=xss()>")
	}
	return list
}

// live says what in a page could run, load or lead to something that we did not write; empty: nothing.
func live(page string) string {
	z := html.NewTokenizer(strings.NewReader(page))
	inScript := false
	for {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.EndTagToken:
			inScript = false
		case html.TextToken:
			if text := strings.TrimSpace(string(z.Text())); inScript && text != "" {
				return "a script in the page: " + text
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			if why := liveTag(tok); why != "" {
				return why + ": " + tok.String()
			}
			inScript = tok.Data == "script" && !slicesHave(tok.Attr, "type", "application/json")
		}
	}
}

func slicesHave(attrs []html.Attribute, name, value string) bool {
	for _, a := range attrs {
		if a.Key == name && a.Val == value {
			return true
		}
	}
	return false
}

var (
	ourAddress = regexp.MustCompile(`^(/[^/\\]|/$|#|\?|https?://(shop|gateway)\.test|http://127\.0\.0\.1:|tel:|mailto:|kakaotalk:|intent:|data:image/svg)`)
	strange    = regexp.MustCompile(`xss|style|^on|srcdoc|http-equiv`)
)

func liveTag(tok html.Token) string {
	switch tok.Data {
	case "xss", "base", "iframe", "object", "embed", "frame", "style", "math", "marquee", "video", "details2":
		return "a tag that we don't write"
	}
	for _, a := range tok.Attr {
		switch {
		case strange.MatchString(a.Key):
			return "an attribute that we don't write"
		case a.Key == "href" || a.Key == "src" || a.Key == "action" || a.Key == "formaction" || a.Key == "poster":
			if !ourAddress.MatchString(a.Val) {
				return "an address that is not ours"
			}
		}
	}
	return ""
}

// TestPayloads puts every payload into every field that somebody else may fill, and looks at every page that could
// show it.
//
// proves S9
func TestPayloads(t *testing.T) {
	whole(t)
	l := newTill(t)
	d := l.buyerShop.desk(app.RoleOwner)
	fit := func(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }
	check := func(what string, w *httptest.ResponseRecorder) {
		t.Helper()
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			if why := live(w.Body.String()); why != "" {
				t.Errorf("%s (%d): %s", what, w.Code, why)
			}
		}
	}
	if live(`<p title="x"><script>xss()</script>`) == "" || live(`<a href="javascript:xss()">`) == "" || live(`<p onclick=xss()>`) == "" || live(`<xss>`) == "" {
		t.Fatal("this test would see nothing")
	}
	l.pass(time.Minute)
	for i, x := range payloads() {
		if err := l.SetInfo(t.Context(), l.owner, app.ShopInfo{Name: fit(x, 60), Owner: fit(x, 30), Address: fit(x, 100), Tel: "0212345678"}); err != nil {
			var in *app.InputError
			if !errors.As(err, &in) {
				t.Fatal(err)
			}
		}
		o := l.order(app.OrderInput{Goods: fit(x, 100), BuyerName: fit(x, 30), BuyerTel: "01099991111", BuyerEmail: "hong@example.com"})
		_, form := l.open(o, "device=pc&method=CARD")
		pages := map[string]*httptest.ResponseRecorder{
			"pay":             l.do("GET", "/pay/"+o.Token, "", "User-Agent", "KAKAOTALK "+x, "Accept-Language", x),
			"handover":        l.post("/pay/"+o.Token+"/open", url.Values{"method": {"CARD"}, "device": {"pc"}}),
			"handover, wrong": l.post("/pay/"+o.Token+"/open", url.Values{"method": {x}, "device": {x}, "buyer_name": {x}, "buyer_tel": {x}, "buyer_email": {x}}),
			"sign-in":         l.do("GET", "/admin/sign-in?next="+url.QueryEscape(x), ""),
			"sign-in, wrong":  l.do("POST", "/admin/sign-in", url.Values{"email": {x}, "password": {x}, "next": {x}}.Encode(), "Sec-Fetch-Site", "same-origin"),
			"not found":       l.do("GET", "/"+url.PathEscape(x), ""),
		}
		if form.Action != "" {
			res := result(form, "3011")
			for _, name := range []string{"ResultMsg", "BuyerName", "GoodsName", "AuthCode", "fn_name", "appCardName", "VbankName", "Extra", x} {
				res.Set(name, x)
			}
			l.do("POST", "/smartro/return", res.Encode(), "User-Agent", x, "Referer", x, "Origin", x)
			moid := app.Moid(form.get("Moid"))
			pay := "/admin/payments/" + string(moid)
			pages["declined"] = l.do("GET", "/pay/"+o.Token, "")
			pages["payment"] = d.get(pay)
			pages["revealed"] = d.post(pay+"/reveal", url.Values{"reason": {"other"}, "words": {x}})
			pages["reveal, wrong"] = d.post(pay+"/reveal", url.Values{"reason": {x}, "words": {x}})
			pages["audit"] = d.get("/admin/audit?person=" + url.QueryEscape(x) + "&kind=" + url.QueryEscape(x) + "&order=" + url.QueryEscape(x))
			pages["accept"] = d.post(pay+"/accept", url.Values{"reason": {x}, "note": {x}, "tid": {x}})
			messages, err := l.Store.Messages(t.Context(), o.No)
			if err != nil || len(messages) == 0 {
				t.Fatalf("%q: no message, %v", x, err)
			}
			pages["message"] = d.post("/admin/messages/"+messages[len(messages)-1].ID, url.Values{"reason": {"check"}})
		}
		q := url.QueryEscape(x)
		for _, target := range []string{
			"/admin?q=" + q, "/admin?period=" + q + "&method=" + q + "&state=" + q + "&from=" + q + "&to=" + q + "&after=" + q, "/admin/requests?after=" + q + "&state=" + q,
			"/admin/requests/" + string(o.No), "/admin/work", "/admin/settings", "/admin/requests/new?goods=" + q, "/?lang=" + q, "/pay/received?lang=" + q,
		} {
			pages[target] = d.get(target)
		}
		for _, target := range []string{"/admin/requests/new", "/admin/settings/shop", "/admin/settings/gateway", "/admin/settings/staff"} {
			v := url.Values{}
			for _, name := range []string{"goods", "amount", "tax_free", "buyer_name", "buyer_tel", "buyer_email", "due_date", "name", "owner", "address", "tel", "business_no", "mid", "base", "email", "role"} {
				v.Set(name, x)
			}
			pages["post "+target] = d.post(target, v)
		}
		for what, w := range pages {
			if w.Code >= 500 {
				t.Errorf("%q: %s: %d", x, what, w.Code)
			}
			check(fmt.Sprintf("%q (%d): %s", x, i, what), w)
		}
	}
}

// TestHSTS: over HTTPS a browser comes back by HTTPS alone for a year, to the names below the shop's own host, too. What
// is below a registered name belongs to other programs of the owner's and is left alone.
//
// proves S9
func TestHSTS(t *testing.T) {
	b := newBuyerShop(t, false)
	const year, below = "max-age=31536000", "max-age=31536000; includeSubDomains"
	for address, want := range map[string]string{
		"https://pay.shop.example": below, "https://PAY.shop.co.kr:8443": below, "https://a.b.sandeul.kr": below,
		"https://shop.example": year, "https://Shop.co.kr": year, "https://sandeul.kr": year, "https://co.kr": year,
		"https://192.0.2.7": year, "https://[2001:db8::7]:8443": year, "https://gateway": year,
		"http://pay.shop.example": "", "http://127.0.0.1:8080": "",
	} {
		s, err := web.New(web.Config{Shop: b.Shop, PublicURL: address, Log: b.Log, Now: b.now})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest("GET", address+"/admin/sign-in", nil))
		if got := w.Header().Get("Strict-Transport-Security"); w.Code != 200 || got != want {
			t.Errorf("%s: %d, %q; want %q", address, w.Code, got, want)
		}
	}
}

// TestHeadersOnEveryAnswer: whatever is asked, and whatever becomes of it.
//
// proves S9
func TestHeadersOnEveryAnswer(t *testing.T) {
	b := newBuyerShop(t, true)
	s, err := web.New(web.Config{Shop: b.Shop, PublicURL: "https://shop.test", Log: b.Log, Now: b.now})
	if err != nil {
		t.Fatal(err)
	}
	cookie := b.desk(app.RoleOwner).cookie
	b.handler = s.Handler()
	o := b.order(known())
	seen := map[int]bool{}
	check := func(what string, w *httptest.ResponseRecorder) {
		t.Helper()
		seen[w.Code] = true
		h := w.Header()
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
			if !strings.Contains(csp+";", want) {
				t.Errorf("%s: %d: CSP lacks %s: %q", what, w.Code, want, csp)
			}
		}
		for _, bad := range []string{"unsafe", "*", "http:", "blob:", "strict-dynamic"} {
			if strings.Contains(strings.ReplaceAll(csp, "http://gateway.test:9090", ""), bad) {
				t.Errorf("%s: %d: CSP has %s: %q", what, w.Code, bad, csp)
			}
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %d: %s is %q", what, w.Code, name, h.Get(name))
			}
		}
		if got := h.Get("Referrer-Policy"); got != "no-referrer" && (strings.Contains(what, " /pay/") || got != "same-origin") {
			t.Errorf("%s: %d: Referrer-Policy %q", what, w.Code, got)
		}
		if strings.HasPrefix(h.Get("Content-Type"), "text/html") && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d: Cache-Control %q", what, w.Code, h.Get("Cache-Control"))
		}
		if h.Get("Server") != "" || h.Get("X-Powered-By") != "" {
			t.Errorf("%s: it says what it runs on: %v", what, h)
		}
	}
	for _, r := range b.server.Routes() {
		if strings.HasSuffix(r.Path, "/events") {
			continue // a stream; see TestEvents
		}
		for _, target := range []string{at(r), strings.ReplaceAll(parameter.ReplaceAllString(strings.ReplaceAll(r.Path, ":token", o.Token), string(o.No)), "//", "/")} {
			for _, method := range []string{r.Method, "PUT", "HEAD", "OPTIONS"} {
				check(method+" "+target, b.do(method, target, "a=b", "Cookie", cookie, "Sec-Fetch-Site", "same-origin"))
				check(method+" "+target+" as a stranger", b.do(method, target, "", "Sec-Fetch-Site", "cross-site"))
				check(method+" "+target+" too much", b.do(method, target, strings.Repeat("a=b&", 20_000), "Sec-Fetch-Site", "same-origin"))
				check(method+" "+target+" as a script", b.do(method, target, "{}", "Content-Type", asJSON, "Accept", asJSON))
			}
		}
	}
	for _, target := range []string{"/nothing", "/admin/nothing", "/smartro/nothing", "/static/nothing.css", "/static/", "/pay/%00"} {
		check("GET "+target, b.do("GET", target, ""))
	}
	r := httptest.NewRequest("GET", "/admin", nil)
	r.Host = "evil.example"
	check("a foreign host", b.send(r))
	for _, code := range []int{200, 303, 400, 403, 404, 405, 413, 415, 421} {
		if !seen[code] {
			t.Errorf("no answer was a %d", code)
		}
	}
}

// injections try to end a text or a number in a query and go on with words of their own.
var injections = []string{
	"'", "''", `"`, "')", "';--", "' OR '1'='1", "' OR 1=1--", "1 OR 1=1", "1;DROP TABLE payments", "'; DROP TABLE payments;--", "' UNION SELECT sealed FROM data_keys--",
	"1 UNION SELECT password_hash FROM staff", "%' OR '%'='", "_%", "%", `\`, `\'`, "$1", "?", ":x", "@x", "{x}", "x'||(SELECT 1)||'", "1/0", "pg_sleep(9)", "';SELECT pg_sleep(9)--",
	"randomblob(999999999)", "' AND 1=(SELECT COUNT(*) FROM staff)--", "created_at DESC", "(CASE WHEN 1=1 THEN 1 ELSE 2 END)", "NULL", "'\x00", "\u2019 OR \u20191\u2019=\u20191",
	"/*", "*/ OR 1=1", "#", "--", "\n;", "0x27", "CHAR(39)", "1e309", "-1", "9223372036854775808", "'::text", "* FROM staff", "NEAR/1", "AND", "a OR b", `"a" AND`, "col:", "^x", "a*",
}

// TestInjections asks every route with every injection in its path, its query, its form and its cookies, on both engines:
// none is an error of ours, and none finds more than a word that nobody wrote.
//
// proves S11
func TestInjections(t *testing.T) {
	whole(t)
	names := []string{"q", "period", "method", "state", "from", "to", "after", "sort", "order", "by", "limit", "page", "lang", "next", "t", "bye", "again", "seq"}
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		b := newBuyerShopOn(t, store, true)
		d := b.desk(app.RoleOwner)
		o := b.order(known())
		_, form := b.open(o, "device=pc&method=CARD")
		nothing := found(d.get("/admin?q=" + url.QueryEscape("없는말이에요")))
		for _, x := range injections {
			all := url.Values{}
			for _, name := range names {
				all.Set(name, x)
			}
			for _, r := range b.server.Routes() {
				if strings.HasSuffix(r.Path, "/events") || r.Method != "GET" && r.Right != "gateway" && r.Path != "/admin/sign-in" {
					continue // forms have a test of their own: TestStaffFormsTakeGarbage
				}
				target := parameter.ReplaceAllLiteralString(r.Path, url.PathEscape(x))
				w := b.do(r.Method, target+"?"+all.Encode(), all.Encode(), "Cookie", d.cookie+"; lang="+url.QueryEscape(x), "Sec-Fetch-Site", "same-origin")
				if w.Code >= 500 {
					t.Errorf("%s %s with %q: %d", r.Method, r.Path, x, w.Code)
				}
			}
			if strings.TrimSpace(x) != "" && len(nothing) == 0 && !strings.ContainsAny(x, "19") && x != "%" && x != "_%" {
				if got := found(d.get("/admin?q=" + url.QueryEscape("홍길동"+x+"홍길동"))); len(got) > 0 {
					t.Errorf("%q finds %v", x, got)
				}
			}
			for _, name := range names[1:7] {
				if got := found(d.get("/admin?q=" + url.QueryEscape("없는말이에요") + "&" + name + "=" + url.QueryEscape(x))); len(got) > 0 {
					t.Errorf("%s=%q finds %v", name, x, got)
				}
			}
		}
		if p, err := store.Payment(t.Context(), app.Moid(form.get("Moid"))); err != nil || p.OrderNo != o.No {
			t.Errorf("the payment: %v", err)
		}
		if _, err := store.Verify(t.Context(), nil, func(what string) { t.Error(what) }); err != nil {
			t.Error(err)
		}
	})
}

// counting counts the transactions of a store.
type counting struct {
	app.Store
	writes int
}

func (c *counting) Update(ctx context.Context, f func(app.Tx) error) error {
	c.writes++
	return c.Store.Update(ctx, f)
}

// TestReadingChangesNothing: a GET writes nothing, but for the gateway's routes, where a message may come by GET.
//
// proves S18
func TestReadingChangesNothing(t *testing.T) {
	c := &counting{Store: dbtest.SQLite(t)}
	b := newBuyerShopOn(t, c, true)
	d := b.desk(app.RoleOwner)
	o := b.order(known())
	_, form := b.open(o, "device=pc&method=CARD")
	invite, err := b.InviteStaff(t.Context(), d.who, "new@example.com", app.RoleStaff)
	if err != nil {
		t.Fatal(err)
	}
	d.get("/admin") // remembers when the session was used last
	fill := strings.NewReplacer(":moid", form.get("Moid"), ":no", string(o.No))
	for _, r := range b.server.Routes() {
		if r.Method != "GET" || r.Right == "gateway" || strings.HasSuffix(r.Path, "/events") {
			continue
		}
		token := o.Token
		if strings.HasPrefix(r.Path, "/invite") || strings.HasPrefix(r.Path, "/start") {
			token = invite
		}
		target := strings.ReplaceAll(fill.Replace(r.Path), ":token", token)
		before := c.writes
		w := d.get(parameter.ReplaceAllString(target, "NOSUCH") + "?a=b&confirm=yes&how=whole&disabled=yes&_method=POST")
		if c.writes != before {
			t.Errorf("GET %s (%d) wrote", r.Path, w.Code)
		}
	}
}

// TestErrorsFailClosed: with the store gone, and with a store that makes the code panic, nobody is let in, nothing is
// acknowledged, and nothing is told but the request's ID.
//
// proves S24, R1
func TestErrorsFailClosed(t *testing.T) {
	for name, broken := range map[string]func(*testing.T, *buyerShop){
		"closed": func(t *testing.T, b *buyerShop) {
			if err := b.Store.(*db.Store).Close(); err != nil {
				t.Fatal(err)
			}
		},
		"panics":  func(_ *testing.T, b *buyerShop) { b.Store = nil },
		"no keys": func(*testing.T, *buyerShop) {},
	} {
		file := dbtest.File(t)
		store, err := db.Open(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		b := newBuyerShopOn(t, store, true)
		cookie := b.desk(app.RoleOwner).cookie
		o := b.order(known())
		_, form := b.open(o, "device=pc&method=CARD")
		notice, err := b.NoticeURL(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if name == "no keys" {
			if b.Keys, err = app.NewKeyring(bytes.Repeat([]byte{9}, app.KeySize)); err != nil {
				t.Fatal(err)
			}
		}
		broken(t, b)
		s, err := web.New(web.Config{Shop: b.Shop, PublicURL: b.PublicURL, Sample: true, Log: b.Log, Now: b.now})
		if err != nil {
			t.Fatal(err)
		}
		b.handler = s.Handler()
		for _, target := range []string{path(t, notice), "/smartro/notify", "/smartro/return"} {
			w := b.do("POST", target, result(form, "3001").Encode())
			if w.Code < 500 || sayOK.MatchString(w.Body.String()) && strings.Contains(target, "notify") {
				t.Errorf("%s: a notification: %d %s", name, w.Code, w.Body)
			}
		}
		for _, r := range b.server.Routes() {
			if strings.HasPrefix(r.Path, "/static") || r.Path == "/healthz" || r.Path == "/pay/received" || strings.HasPrefix(r.Path, "/smartro") {
				continue
			}
			target := parameter.ReplaceAllString(strings.ReplaceAll(r.Path, ":token", o.Token), "NOSUCHTHINGNOSUCHTHING")
			w := b.do(r.Method, target, "email=owner@example.com&password=x", "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
			if name != "no keys" && w.Code < 400 && r.Path != "/" && r.Path != "/admin/sign-in" && r.Path != "/admin/sign-in/passkey/question" {
				t.Errorf("%s: %s %s: %d", name, r.Method, r.Path, w.Code)
			}
			if strings.Contains(w.Header().Get("Set-Cookie"), "sid=") && !strings.Contains(w.Header().Get("Set-Cookie"), "sid=;") {
				t.Errorf("%s: %s %s begins a session", name, r.Method, r.Path)
			}
			if w.Code < 500 {
				continue
			}
			id := w.Header().Get("X-Request-Id")
			if r.Path != "/readyz" && (id == "" || !strings.Contains(w.Body.String(), id)) {
				t.Errorf("%s: %s %s: %d without the request's ID: %s", name, r.Method, r.Path, w.Code, brief(w))
			}
			body := strings.ReplaceAll(w.Body.String(), id, "")
			for _, told := range []string{"sql", "database", "nil pointer", "runtime error", "goroutine", ".go:", "keyring", "wrong key"} {
				if strings.Contains(strings.ToLower(body), told) {
					t.Errorf("%s: %s %s tells %q: %s", name, r.Method, r.Path, told, brief(w))
				}
			}
		}
		if name == "panics" {
			b.Store = store
		}
		if err := store.Close(); err != nil && name != "closed" {
			t.Error(err)
		}
	}
}

// FuzzLogLines: whatever stands in a request, each line of the log is one JSON object that we began.
//
// proves S23
func FuzzLogLines(f *testing.F) {
	for _, s := range []string{
		"x", "\n{\"msg\":\"forged\"}", "\r\nlevel=ERROR", "\x00\x1b[31m", "\u2028\u2029", `","msg":"forged`, "\xff\xfe", "%0a%0d", strings.Repeat("a", 5000), "홍길동", "}\n{",
	} {
		f.Add(s)
	}
	store := dbtest.SQLite(f)
	var b *buyerShop
	var out bytes.Buffer
	f.Fuzz(func(t *testing.T, s string) {
		if b == nil {
			b = newBuyerShopOn(t, store, false)
			b.Log = slog.New(slog.NewJSONHandler(&out, nil))
			server, err := web.New(web.Config{Shop: b.Shop, PublicURL: b.PublicURL, Log: b.Log, Now: b.now})
			if err != nil {
				t.Fatal(err)
			}
			b.handler = server.Handler()
		}
		out.Reset()
		for _, target := range []string{"/smartro/return", "/smartro/notify/" + s, "/admin/sign-in", "/pay/" + s, "/" + s} {
			r := httptest.NewRequest("POST", "/", strings.NewReader("email="+url.QueryEscape(s)+"&password=x&TID="+url.QueryEscape(s)+"&"+s))
			r.URL = &url.URL{Path: target, RawQuery: s}
			r.Host, r.RemoteAddr = "shop.test", s
			if strings.HasPrefix(target, "/pay") {
				r.Method, r.Host = s, s
			}
			r.Header.Set("Content-Type", asForm)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			for _, name := range []string{"User-Agent", "Referer", "X-Forwarded-For", "X-Request-Id", "Accept-Language", "Cookie"} {
				r.Header[name] = []string{s}
			}
			b.send(r)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		for _, line := range lines {
			var said struct{ Time, Level, Msg string }
			if err := json.Unmarshal([]byte(line), &said); err != nil || said.Time == "" || said.Level == "" || said.Msg == "forged" {
				t.Fatalf("%q made the line %q: %v", s, line, err)
			}
		}
		if n := strings.Count(out.String(), `"msg":"request"`); n != 5 {
			t.Fatalf("%q: %d requests in %d lines", s, n, len(lines))
		}
	})
}
