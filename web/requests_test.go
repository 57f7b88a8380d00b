package web_test

import (
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
)

var inputTag = regexp.MustCompile(`<(?:input|select|textarea)[^>]*>`)

// field is the tag of the input with that name.
func field(w *httptest.ResponseRecorder, name string) string {
	for _, tag := range inputTag.FindAllString(w.Body.String(), -1) {
		if strings.Contains(tag, ` name="`+name+`"`) {
			return tag
		}
	}
	return ""
}

func goodRequest() url.Values {
	return url.Values{
		"goods": {"제주 감귤 5kg"}, "amount": {"33,000원"}, "tax_free": {"3,000"}, "due_date": {"2026-11-30"},
		"buyer_name": {"홍길동"}, "buyer_tel": {"010-9999-1111"}, "buyer_email": {"hong@example.com"},
	}
}

func TestNewRequest(t *testing.T) {
	d := newBuyerShop(t, false).desk(app.RoleStaff)
	says(t, d.get("/admin/requests"), 200, "아직 결제 요청이 없어요")
	says(t, d.get("/admin/requests/new"), 200, `name="goods"`)
	w := d.post("/admin/requests/new", goodRequest())
	at := w.Header().Get("Location")
	leads(t, w, "/admin/requests/"+at[strings.LastIndexByte(at, '/')+1:])
	o, err := d.Shop.Order(t.Context(), app.OrderNo(strings.TrimPrefix(at, "/admin/requests/")))
	if err != nil {
		t.Fatal(err)
	}
	if o.Amount != 33_000 || o.TaxFree != 3000 || o.VAT != 2727 || o.BuyerTel != "01099991111" || o.CreatedBy != d.who.ID ||
		!o.DueAt.Equal(time.Date(2026, 11, 30, 14, 59, 59, 0, time.UTC)) {
		t.Errorf("%+v", o)
	}
	page := d.get(at)
	says(t, page, 200, "33,000원", "제주 감귤 5kg", "http://shop.test/pay/"+o.Token, at+"/qr.svg", "11월 30일")
	list := d.get("/admin/requests")
	says(t, list, 200, "33,000원", "제주 감귤 5kg", at, "홍*동")
	for _, w := range []*httptest.ResponseRecorder{page, list} {
		if strings.Contains(w.Body.String(), "홍길동") || strings.Contains(w.Body.String(), "9999") {
			t.Error("the buyer is not masked")
		}
	}
	says(t, d.do("GET", "/pay/"+o.Token, ""), 200, "33,000원 결제하기", "제주 감귤 5kg")

	leads(t, d.post(at+"/close", nil), at)
	leads(t, d.post(at+"/close", nil), at)
	says(t, d.do("GET", "/pay/"+o.Token, ""), 200, "돈은 나가지 않았")
	if code, got := d.open(o, "device=pc&method=CARD"); code != 409 || got.URL == "" {
		t.Error("a withdrawn request can be paid:", code)
	}
	says(t, d.get("/admin/requests/NOSUCH"), 404)
	says(t, d.post("/admin/requests/NOSUCH/close", nil), 404)

	l := newTill(t)
	p := l.pays(smartro.Card, known())
	says(t, l.post("/admin/requests/"+string(p.OrderNo)+"/close", nil), 409, "이미 결제됐어요")
}

func TestNewRequestRefuses(t *testing.T) {
	const required, long, amount, tel, mail, date, past = "꼭 필요해요", "너무 길어요", "범위를 벗어났어요",
		"전화번호를 숫자로", "이메일 주소를 확인", "날짜를 확인", "지난 날짜예요"
	d := newBuyerShop(t, false).desk(app.RoleStaff)
	for _, c := range []struct{ field, value, word string }{
		{"goods", "", required}, {"goods", "  ", required}, {"goods", strings.Repeat("귤", 101), long},
		{"amount", "", amount}, {"amount", "0", amount}, {"amount", "-5", amount}, {"amount", "abc", amount}, {"amount", "1e3", amount},
		{"amount", "10.5", amount}, {"amount", "1000000000000", amount}, {"amount", "９００", amount}, {"amount", "<b>", amount},
		{"tax_free", "abc", amount}, {"tax_free", "33001", amount}, {"tax_free", "-1", amount},
		{"buyer_name", strings.Repeat("홍", 61), long},
		{"buyer_tel", "abc", tel}, {"buyer_tel", "123", tel}, {"buyer_tel", "010-9999-1111-2222-3333", tel}, {"buyer_tel", "010 9999 1111 <b>", tel},
		{"buyer_email", "no", mail}, {"buyer_email", "a@b c", mail}, {"buyer_email", "a+b@example.com", mail},
		{"buyer_email", strings.Repeat("a", 60) + "@example.com", mail}, {"buyer_email", `"><script>@example.com`, mail},
		{"due_date", "2026-11-22", past}, {"due_date", "2026-13-01", date}, {"due_date", "내일", date}, {"due_date", "2026-02-30", date},
	} {
		v := goodRequest()
		v.Set(c.field, c.value)
		w := d.post("/admin/requests/new", v)
		says(t, w, 422, c.word)
		for name := range v {
			tag := field(w, name)
			if !strings.Contains(tag, `value="`+html.EscapeString(v.Get(name))+`"`) && v.Get(name) != "" {
				t.Errorf("%s %q: what was typed for %s is gone: %s", c.field, c.value, name, tag)
			}
			invalid := strings.Contains(tag, `aria-invalid="true"`)
			if both := c.field == "amount" && name == "tax_free"; invalid != (name == c.field) && !both {
				t.Errorf("%s %q: %s is marked %t: %s", c.field, c.value, name, invalid, tag)
			}
		}
	}
	w := d.post("/admin/requests/new", url.Values{"goods": {""}, "amount": {"x"}, "buyer_tel": {"x"}, "buyer_email": {"x"}, "due_date": {"x"}})
	says(t, w, 422, required, amount, tel, mail, date)
	v := goodRequest()
	v.Set("method", "GOLD")
	says(t, d.post("/admin/requests/new", v), 400)
	if list, err := d.Orders(t.Context(), app.OrderQuery{Limit: 1}); err != nil || len(list) > 0 {
		t.Errorf("%v, %v", list, err)
	}
}

func TestRequestQR(t *testing.T) {
	d := newBuyerShop(t, false).desk(app.RoleStaff)
	o := d.order(known())
	w := d.get("/admin/requests/" + string(o.No) + "/qr.svg")
	says(t, w, 200)
	if got := w.Header().Get("Content-Type"); got != "image/svg+xml" {
		t.Errorf("Content-Type %q", got)
	}
	var svg struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		ViewBox string   `xml:"viewBox,attr"`
		Path    struct {
			D string `xml:"d,attr"`
		} `xml:"path"`
	}
	read := xml.NewDecoder(w.Body)
	if err := read.Decode(&svg); err != nil {
		t.Fatal(err)
	}
	if _, err := read.Token(); err != io.EOF {
		t.Errorf("something follows the picture: %v", err)
	}
	var side, end int
	if _, err := fmt.Sscanf(svg.ViewBox, "0 0 %d %d", &side, &end); err != nil || side != end || (side-8-17)%4 != 0 {
		t.Errorf("viewBox %q: want 17 modules and four more for each version, with a margin of four", svg.ViewBox)
	}
	dark := map[string]bool{}
	for _, module := range strings.Split(svg.Path.D, "h1v1h-1z") {
		dark[module] = true
	}
	for i := range 7 { // the upper left finder
		for _, edge := range []string{fmt.Sprintf("M%d 4", 4+i), fmt.Sprintf("M4 %d", 4+i), fmt.Sprintf("M%d 10", 4+i), fmt.Sprintf("M10 %d", 4+i)} {
			if !dark[edge] {
				t.Errorf("%s is light", edge)
			}
		}
	}
	leads(t, d.do("GET", "/admin/requests/"+string(o.No)+"/qr.svg", ""), "/admin/sign-in?next="+url.QueryEscape("/admin/requests/"+string(o.No)+"/qr.svg"))
	says(t, d.get("/admin/requests/NOSUCH/qr.svg"), 404)
}

// TestNothingTypedBecomesMarkup: goods, buyer and reason are shown as they were typed on every page that has them.
func TestNothingTypedBecomesMarkup(t *testing.T) {
	const goods, buyer, reason = `<script>alert("g")</script>'&`, `<img src=x onerror=b>`, `<script>alert("r")</script>`
	l := newTill(t)
	o := l.order(app.OrderInput{Goods: goods, BuyerName: buyer, BuyerTel: "01099991111", BuyerEmail: "hong@example.com"})
	checkout := l.do("GET", "/pay/"+o.Token, "")
	handOver := l.post("/pay/"+o.Token+"/open", url.Values{"method": {"CARD"}})
	p := l.paysFor(o, smartro.Card)
	pay := "/admin/payments/" + string(p.Moid)
	confirm := l.post(pay+"/cancel", l.form(p, "1000", reason))
	cancelled := l.cancel(p, l.form(p, "1000", reason))
	_, other := l.open(l.order(known()), "device=pc&method=CARD")
	res := result(other, "3011")
	res.Set("ResultMsg", reason)
	l.do("POST", path(t, other.get("ReturnURL")), res.Encode())
	messages, err := l.Store.Messages(t.Context(), l.payment(app.Moid(other.get("Moid"))).OrderNo)
	if err != nil || len(messages) != 1 {
		t.Fatalf("%v, %v", messages, err)
	}
	reveal := l.post(pay+"/reveal", url.Values{"reason": {"call"}})
	for what, c := range map[string]struct {
		w     *httptest.ResponseRecorder
		shows []string
	}{
		"checkout":           {checkout, []string{goods}},
		"without scripts":    {handOver, []string{goods}},
		"result":             {l.do("GET", "/pay/"+o.Token, ""), []string{goods}},
		"requests":           {l.get("/admin/requests"), []string{goods}},
		"request":            {l.get("/admin/requests/" + string(o.No)), []string{goods}},
		"new request":        {l.post("/admin/requests/new", url.Values{"goods": {goods}, "buyer_name": {buyer}, "amount": {reason}}), []string{goods, buyer, reason}},
		"list":               {l.get("/admin"), []string{goods}},
		"search":             {l.get("/admin?q=" + url.QueryEscape(goods)), []string{goods}},
		"payment":            {cancelled, []string{goods, reason}},
		"payment, unmasked":  {reveal, []string{goods, buyer, reason}},
		"cancel":             {l.post(pay+"/cancel", url.Values{"how": {"part"}, "amount": {buyer}, "reason": {reason}}), []string{buyer, reason}},
		"confirm the cancel": {confirm, []string{reason}},
		"message":            {l.post("/admin/messages/"+messages[0].ID, url.Values{"reason": {"check"}}), []string{reason}},
		"the buyer's no":     {l.get("/admin/payments/" + other.get("Moid")), nil},
		"sign-in":            {l.post("/admin/sign-in", url.Values{"email": {buyer}, "next": {reason}}), nil},
	} {
		body := c.w.Body.String()
		for _, bad := range []string{`<script>alert`, `<img src=x`, `alert("`} {
			if strings.Contains(body, bad) {
				t.Errorf("%s: %q came through", what, bad)
			}
		}
		for _, word := range c.shows {
			if !strings.Contains(html.UnescapeString(body), word) {
				t.Errorf("%s (%d) does not show %q: %s", what, c.w.Code, word, brief(c.w))
			}
		}
	}
}
