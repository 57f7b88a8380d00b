package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"gage/app"
	"gage/smartro"
)

func goodSubscription() url.Values {
	return url.Values{
		"goods": {"우유 배달"}, "amount": {"33,000"}, "day": {"15"}, "buyer_name": {"홍길동"}, "buyer_tel": {"010-9999-1111"}, "buyer_email": {"hong@example.com"},
	}
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// TestSubscriptionPages: staff make one and send its link; the customer sees what is taken and registers a card; nobody
// else's link, number or result reaches that card, by any route; staff without the right see nothing of it.
//
// proves S29, S20
func TestSubscriptionPages(t *testing.T) {
	shop := newBuyerShop(t, false)
	l := shop.desk(app.RoleManager)
	written := func() app.Subscription {
		w := l.post("/admin/subscriptions/new", goodSubscription())
		at := w.Header().Get("Location")
		leads(t, w, at)
		sub, err := l.Shop.Store.Subscription(t.Context(), app.SubscriptionNo(strings.TrimPrefix(at, "/admin/subscriptions/")))
		if err != nil {
			t.Fatal(err)
		}
		return sub
	}
	bad := goodSubscription()
	bad.Set("amount", "many")
	bad.Set("day", "30")
	bad.Set("end", "2020-01-01")
	says(t, l.post("/admin/subscriptions/new", bad), 422, `id="amount-error"`, `id="day-error"`, `id="end-error"`, "우유 배달")
	a, b := written(), written()
	open := l.do("GET", "/subscription/"+a.Token, "")
	says(t, open, 200, "33,000원", "우유 배달", "매월 15일", "카드 등록하기")
	for _, secret := range []string{"홍길동", "9999", string(a.No), b.Token} {
		if strings.Contains(open.Body.String(), secret) {
			t.Errorf("the customer's page shows %q", secret)
		}
	}
	for _, nobody := range []string{string(a.No), strings.ToLower(a.Token), a.Token[:25], "x"} {
		for _, at := range []struct{ method, path string }{{"GET", ""}, {"POST", "/card"}, {"POST", "/stop"}} {
			says(t, l.do(at.method, "/subscription/"+nobody+at.path, "", "Origin", "http://shop.test"), 404)
		}
	}
	window := func(sub app.Subscription) url.Values { // what the browser brings back of that customer's window
		form := l.do("POST", "/subscription/"+sub.Token+"/card", "", "Origin", "http://shop.test")
		says(t, form, 200, "CARDBILL", `name="mallUserID" value="`+string(sub.No)+`"`)
		v := url.Values{}
		for _, f := range hiddenField.FindAllStringSubmatch(form.Body.String(), -1) {
			v.Set(f[1], f[2])
		}
		key := smartro.BillingKey(smartro.DemoMID + "BILL" + strings.Repeat("0", 7) + string(sub.No))
		tid := smartro.TID(smartro.DemoMID + "01012611241200001" + map[bool]string{true: "111", false: "222"}[sub.No == a.No])
		return url.Values{
			"PayMethod": {"CARDBILL"}, "MID": {smartro.DemoMID}, "TID": {string(tid)}, "OID": {v.Get("Moid")}, "Amt": {"100"}, "mallUserID": {string(sub.No)},
			"ResultCode": {"3001"}, "AuthDate": {"261124120001"}, "AuthCode": {"12345678"}, "CardNum": {"912345******1234"}, "BillTid": {key.Reveal()},
			"BillKeyMode": {"1"}, "MallReserved": {v.Get("MallReserved")},
			"VerifyValue": {smartro.RawVerifyValue(smartro.MD5, smartro.DemoMID, smartro.DemoKey, "261124120001", "12345678", "100", key)},
			"SignValue":   {smartro.SignValue(smartro.MD5, tid, "3001", smartro.DemoKey)},
		}
	}
	ofA, ofB := window(a), window(b)
	token := func(v url.Values) string { return strings.TrimPrefix(v.Get("MallReserved"), "rt=") }
	card := func(sub app.Subscription) string {
		got, err := l.Shop.Store.Subscription(t.Context(), sub.No)
		if err != nil {
			t.Fatal(err)
		}
		return got.KeyID
	}
	leads(t, l.do("POST", "/smartro/card?t="+token(ofB), ofA.Encode(), "Sec-Fetch-Site", "cross-site"), "/subscription/"+b.Token+"?back=1")
	if card(b) != "" {
		t.Error("A's result registered a card for B")
	}
	leads(t, l.do("POST", "/smartro/card?t="+strings.Repeat("A", 26), ofA.Encode()), "/pay/received")
	leads(t, l.do("POST", "/smartro/card?t="+token(ofA), ofA.Encode(), "Sec-Fetch-Site", "cross-site"), "/subscription/"+a.Token+"?back=1")
	if card(a) == "" {
		t.Fatal("A's own result registered nothing")
	}
	says(t, l.do("GET", "/subscription/"+a.Token+"?back=1", ""), 200, "카드를 등록했습니다", "912345******1234", "카드 바꾸기")
	says(t, l.do("GET", "/subscription/"+b.Token, ""), 200, "카드 등록하기")
	page := l.get("/admin/subscriptions/" + string(a.No))
	says(t, page, 200, "912345******1234", "홍*동", a.Token, "지금 결제하기")
	for _, target := range []string{"/admin/subscriptions", "/admin/subscriptions/" + string(a.No), "/admin/messages/" + card(a)} {
		if w := l.get(target); strings.Contains(w.Body.String(), "BILL000") || strings.Contains(w.Body.String(), "홍길동") {
			t.Errorf("%s shows a key or a name", target)
		}
	}
	says(t, l.post("/admin/subscriptions/"+string(a.No)+"/reveal", url.Values{"reason": {"call"}}), 200, "홍길동", "010-9999-1111")
	clerk := shop.desk(app.RoleStaff)
	for _, target := range []string{"/admin/subscriptions", "/admin/subscriptions/" + string(a.No), "/admin/subscriptions/new"} {
		says(t, clerk.get(target), http.StatusForbidden)
	}
	says(t, clerk.post("/admin/subscriptions/"+string(a.No)+"/stop", nil), http.StatusForbidden)
	leads(t, l.do("POST", "/subscription/"+a.Token+"/stop", "", "Origin", "http://shop.test"), "/subscription/"+a.Token)
	says(t, l.do("GET", "/subscription/"+a.Token, ""), 200, "정기결제가 끝났습니다")
	says(t, l.do("POST", "/subscription/"+a.Token+"/card", "", "Origin", "http://shop.test"), http.StatusGone)
	if strings.Contains(l.log.String(), "BILL000") || strings.Contains(l.log.String(), "홍길동") {
		t.Error("the log shows a key or a name")
	}
}
