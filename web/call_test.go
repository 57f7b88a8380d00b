package web_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
)

// TestCallCard: the five answers to a caller, before and after a cancel, and the same phone number's other payments.
func TestCallCard(t *testing.T) {
	l := newTill(t)
	p, other := l.pays(smartro.Card, known()), l.pays(smartro.Bank, known())
	stranger := l.paysFor(l.ordered(app.OrderInput{Goods: "남의 것", Amount: 5_000, BuyerName: "홍길동", BuyerTel: "01077776666", BuyerEmail: "x@example.com"}), smartro.Card)
	path := "/admin/payments/" + string(p.Moid)
	says(t, l.get(path), 200, "결제됐나요?", "네, 결제되었습니다.", "33,000원입니다.", "신용카드 (", "취소된 적이 없습니다.", "같은 전화번호의 다른 결제", "/admin/payments/"+string(other.Moid))
	if body := l.get(path).Body.String(); strings.Contains(body, string(stranger.Moid)) || strings.Contains(body, "돈은 언제 돌아오나요?") {
		t.Error("it tells of a stranger, or of money that did not go back")
	}
	l.pass(24 * time.Hour) // 24 November, a Tuesday
	l.desk = &desk{l.buyerShop, sessionCookie(t, l.signIn(staffMail, goodPassword)), l.who}
	says(t, l.cancel(p, l.form(p, "10000", "품절")), 200)
	says(t, l.get(path), 200, "33,000원 가운데 10,000원이 취소되어 23,000원이 남았습니다.", "11월 24일(화)에 10,000원이 취소되었습니다.", "카드 명세에는 11월 27일(금)에서 12월 1일(화) 사이에")
	if other := l.get("/admin/payments/" + string(stranger.Moid)).Body.String(); strings.Contains(other, "같은 전화번호") {
		t.Error("the stranger's page tells of others")
	}
}

// TestCancelAdvice: what a cancel does is said before it is made, with the sentence for the buyer.
func TestCancelAdvice(t *testing.T) {
	l := newTill(t)
	p := l.pays(smartro.Card, known())
	says(t, l.cancel(p, l.form(p, "10000", "품절")), 200)
	w := l.post("/admin/payments/"+string(p.Moid)+"/cancel", l.form(p, "3000", "품절"))
	says(t, w, 200, "3,000원을 취소할까요?", "매입 전", "2번째 취소입니다. 지금까지 10,000원이 돌아갔습니다.", "부가세는 272원입니다", "3,000원을 취소했고 20,000원이 남았습니다.", "기준 규칙입니다")
}

// TestRulesPage: the owner changes a rule, staff see it at once; nonsense is said where it stands, with what was typed.
func TestRulesPage(t *testing.T) {
	l := newTill(t)
	p := l.pays(smartro.Card, known())
	filled := l.form(p, "", "품절") // before the rule changes
	owner := l.buyerShop.desk(app.RoleOwner)
	rules, err := l.CancelRules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{}
	for i, r := range rules {
		n := fmt.Sprint(i)
		form.Set("from."+n, fmt.Sprint(r.From))
		form.Set("to."+n, fmt.Sprint(r.To))
		form.Set("source."+n, r.Source)
		if r.Allowed {
			form.Set("allowed."+n, "yes")
		}
	}
	form.Set("to.1", "x")
	form.Set("source.2", "")
	w := owner.post("/admin/settings/rules", form)
	says(t, w, 422, "0에서 60 사이로", "어디서 확인했는지")
	form.Set("days_off", "2028-04-12\n임시공휴일")
	form.Set("to.1", "9")
	form.Set("source.2", "은행")
	says(t, owner.post("/admin/settings/rules", form), 422, "날짜가 아닌 것이 있어요", "임시공휴일", `value="9"`)
	form.Set("days_off", "2028-04-12")
	form.Del("allowed.0")
	if w := owner.post("/admin/settings/rules", form); w.Code != 303 {
		t.Fatalf("saved: %d %s", w.Code, brief(w))
	}
	says(t, owner.get("/admin/settings/rules"), 200, `value="9"`, `value="은행"`, ">2028-04-12</textarea>")
	says(t, l.get("/admin/payments/"+string(p.Moid)+"/cancel"), 200, "여기서는 취소할 수 없어요", "결제한 날에 취소하지 않아요")
	says(t, l.cancel(p, filled), 422, "결제한 날에 취소하지 않아요")
	l.stands(p, app.Paid, 0, 0, 0)
}
