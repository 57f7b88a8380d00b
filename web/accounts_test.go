package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
)

// TestAccounts: a virtual account stands in the list of what becomes of it: waiting by its due time, expired by our own
// clock, deposited, with late money apart, and with a refund under way.
func TestAccounts(t *testing.T) {
	l := newTill(t)
	shows := func(list app.AccountList, want ...app.Moid) {
		t.Helper()
		w := l.get("/admin/accounts?show=" + string(list))
		if got := found(w); w.Code != 200 || strings.Join(texts(got), " ") != strings.Join(texts(want), " ") {
			t.Errorf("%s: %d, %v, want %v", list, w.Code, got, want)
		}
	}
	says(t, l.get("/admin/accounts"), 200, "여기에 있는 가상계좌가 없어요")
	in := app.OrderInput{Goods: "감귤", Amount: 33_000, BuyerName: "홍길동", BuyerTel: "01099991111", BuyerEmail: "hong@example.com"}
	long := l.paysUntold(l.ordered(in), smartro.Vbank)
	l.deliver()
	in.DueDate = l.now().In(app.KST).Format(time.DateOnly)
	short := l.paysUntold(l.ordered(in), smartro.Vbank)
	l.deliver()
	shows(app.AccountsWaiting, short.Moid, long.Moid)
	says(t, l.get("/admin/accounts"), 200, "오늘 마감 1건 · 33,000원", "시간 남음", "일 남음", "까지 입금해 주세요", "/pay/")
	for _, bad := range []string{"?show=x", "?show=waiting&after=x", "?after=1-%00"} {
		if w := l.get("/admin/accounts" + bad); w.Code != 200 && w.Code != 400 {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}

	l.ask("/control/api/deposit", "application/json", `{"tid":"`+string(l.payment(long.Moid).TID)+`"}`)
	l.deliver()
	shows(app.AccountsDeposited, long.Moid)
	l.pass(26 * time.Hour)
	l.desk = &desk{l.buyerShop, sessionCookie(t, l.signIn(staffMail, goodPassword)), l.who}
	if _, err := l.WorkOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	shows(app.AccountsExpired, short.Moid)
	shows(app.AccountsWaiting)
	shows(app.AccountsOdd)
	l.ask("/control/api/deposit", "application/json", `{"tid":"`+string(l.payment(short.Moid).TID)+`"}`)
	l.deliver()
	shows(app.AccountsOdd, short.Moid) // late: no payment
	v := l.form(l.payment(long.Moid), "", "단순 변심")
	for name, value := range (url.Values{"refund_bank": {"088"}, "refund_acct": {"110123456789"}, "refund_name": {"홍길동"}}) {
		v[name] = value
	}
	l.cancel(l.payment(long.Moid), v)
	shows(app.AccountsOwed, long.Moid) // the gateway took it on: it is done at its notice
	l.deliver()
	shows(app.AccountsOwed)
	if st := l.payment(long.Moid).State; st != app.Cancelled {
		t.Errorf("after the refund's notice it is %s", st)
	}
}

func texts(list []app.Moid) (s []string) {
	for _, m := range list {
		s = append(s, string(m))
	}
	return s
}
