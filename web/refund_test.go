package web_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gage/app"
)

// deposited is an order that was paid into a virtual account.
func (b *buyerShop) deposited() app.Payment {
	b.t.Helper()
	o := b.order(known())
	_, form := b.open(o, "device=pc&method=VBANK")
	notice, err := b.NoticeURL(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, code := range []string{"4100", "4110"} {
		if w := b.do("POST", path(b.t, notice), result(form, code).Encode()); w.Body.String() != "OK" {
			b.t.Fatal(w.Code, w.Body)
		}
	}
	list, err := b.Store.PaymentsOf(b.t.Context(), o.No)
	if err != nil || len(list) != 1 || list[0].State != app.Paid {
		b.t.Fatal(list, err)
	}
	return list[0]
}

// TestRefundLink: staff ask the buyer where a deposit goes back to; the buyer's page takes the account once and shows it
// masked; the cancel is offered with it, and sends all of it.
//
// proves S20
func TestRefundLink(t *testing.T) {
	b := newBuyerShop(t, false)
	p := b.deposited()
	page := "/admin/payments/" + string(p.Moid)
	boss := b.desk(app.RoleOwner)
	leads(t, boss.post(page+"/refund-account", nil), page+"/cancel#refund-account")
	old := regexp.MustCompile(`/refund/[A-Z0-9]{26}`).FindString(boss.get(page + "/cancel").Body.String())
	says(t, b.do("GET", old, ""), 200, "받으실 계좌")
	b.pass(7 * 24 * time.Hour)
	says(t, b.do("GET", old, ""), 410, "이 링크는 끝났어요")
	staff := b.desk(app.RoleStaff)
	says(t, b.desk(app.RoleViewer).post(page+"/refund-account", nil), 403)
	leads(t, staff.post(page+"/refund-account", nil), page+"/cancel#refund-account")
	w := staff.get(page + "/cancel")
	m := regexp.MustCompile(`http://shop\.test(/refund/[A-Z0-9]{26})`).FindStringSubmatch(w.Body.String())
	if m == nil {
		t.Fatalf("no link: %s", brief(w))
	}
	link := m[1]
	says(t, b.do("GET", link, ""), 200, "받으실 계좌", "33,000")
	says(t, b.do("GET", "/refund/NOSUCHTHINGNOSUCHTHINGNOSU", ""), 404)
	account := url.Values{"refund_bank": {"004"}, "refund_acct": {"123"}, "refund_name": {"<b>남"}}
	says(t, b.post(link, account), 422, `value="123"`, "&lt;b&gt;남")
	account.Set("refund_acct", "1234-56-789012")
	account.Set("refund_name", "남궁민수")
	leads(t, b.post(link, account), link)
	shown := b.do("GET", link, "")
	says(t, shown, 200, "***9012")
	if strings.Contains(shown.Body.String(), "123456789012") || strings.Contains(shown.Body.String(), "남궁민수") {
		t.Error("the buyer's page shows the whole account to whoever has the link")
	}
	account.Set("refund_acct", "999999999999")
	leads(t, b.post(link, account), link)
	says(t, b.do("GET", link, ""), 200, "***9012")

	says(t, staff.get("/admin/work"), 200, "환불받을 계좌를 적었어요", `<b class="count num">1</b>`)
	w = staff.get(page + "/cancel")
	says(t, w, 200, "***9012", "예금주가 구매자 이름과 다릅니다")
	ask := regexp.MustCompile(`name="refund_ask" value="([^"]+)"`).FindStringSubmatch(w.Body.String())
	key := regexp.MustCompile(`name="key" value="([^"]+)"`).FindStringSubmatch(w.Body.String())
	if ask == nil || key == nil || strings.Contains(w.Body.String(), "123456789012") {
		t.Fatalf("%s", brief(w))
	}
	form := url.Values{"key": {key[1]}, "how": {"whole"}, "reason": {"단순 변심"}, "refund_ask": {ask[1]}}
	w = staff.post(page+"/cancel", form)
	says(t, w, 200, "***9012")
	if strings.Contains(w.Body.String(), "123456789012") {
		t.Error("the last question shows the whole account")
	}
	form.Set("confirm", "yes")
	leads(t, staff.post(page+"/cancel", form), page)
	list, err := b.Store.Cancels(t.Context(), p.OrderNo)
	if err != nil || len(list) != 1 || list[0].RefundAcct != "123456789012" || list[0].RefundName != "남궁민수" {
		t.Errorf("%+v, %v", list, err)
	}
	says(t, b.do("GET", link, ""), 410, "이 링크는 끝났어요")
}
