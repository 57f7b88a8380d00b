package web_test

import (
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
)

// TestSales: the day and the month as the lists add them up, by the hour and by the day; a lost message counts.
func TestSales(t *testing.T) {
	l := newTill(t)
	manager := l.buyerShop.desk(app.RoleManager)
	says(t, manager.get("/admin/sales"), 200, "오늘", "0원", "결제가 없어요", "대기 0건")
	l.pays(smartro.Card, known())
	l.pass(26 * time.Hour)
	manager = &desk{l.buyerShop, sessionCookie(t, l.signIn("manager@example.com", goodPassword)), manager.who}
	l.desk = &desk{l.buyerShop, sessionCookie(t, l.signIn(staffMail, goodPassword)), l.who}
	p := l.pays(smartro.Bank, known())
	says(t, l.cancel(p, l.form(p, "3000", "품절")), 200)
	l.fault("notify_lost")
	lost := l.paysUntold(l.order(known()), smartro.Card)
	l.deliver()
	if lost = l.payment(lost.Moid); lost.State == app.Paid {
		t.Fatal("the notification was not lost")
	}
	w := manager.get("/admin/sales")
	says(t, w, 200, "30,000원", "결제 1건 33,000원 · 취소 1건 3,000원", "63,000원", "결제 2건 66,000원", "0 / 2건 · 0.0%", "계좌이체", "오늘 시간별", "24일", "표로 보기")
	if body := w.Body.String(); strings.Count(body, `class="bar-sales"`) != 24+24 {
		t.Errorf("%d bars, want 24 hours and 24 days", strings.Count(body, `class="bar-sales"`))
	}
	if w := l.buyerShop.desk(app.RoleViewer).get("/admin/sales"); w.Code == 200 != app.RoleViewer.May(app.RightSeeReports) {
		t.Errorf("a viewer: %d", w.Code)
	}
}
