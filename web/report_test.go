package web_test

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
)

var closeFoot = regexp.MustCompile(`(?s)<tfoot>.*?</tfoot>`)

// TestClose: a day's and a month's close add up to the list and to the export, to the won; a cancel belongs to the day on
// which it happened.
func TestClose(t *testing.T) {
	l := newTill(t)
	clerk := l.desk
	l.desk = l.buyerShop.desk(app.RoleOwner)
	first := l.pays(smartro.Card, known())
	l.pays(smartro.Bank, known())
	l.pays(smartro.Vbank, known())
	l.pass(24 * time.Hour)
	l.desk.cookie = sessionCookie(t, l.signIn(ownerMail, goodPassword))
	l.pays(smartro.Card, known())
	says(t, l.cancel(first, l.form(first, "10000", "품절")), 200)
	today, yesterday := l.now().In(app.KST), l.now().In(app.KST).AddDate(0, 0, -1)
	foot := func(query string) string {
		w := l.get("/admin/reports?" + query)
		says(t, w, 200, "연습: 실제 돈이 아닙니다")
		return strings.Join(strings.Fields(html.UnescapeString(markup.ReplaceAllString(closeFoot.FindString(w.Body.String()), " "))), " ")
	}
	for query, want := range map[string]string{
		"day=" + yesterday.Format(time.DateOnly): "합계 3 99,000원 0 0원 99,000원",
		"day=" + today.Format(time.DateOnly):     "합계 1 33,000원 1 10,000원 23,000원",
		"":                                       "합계 1 33,000원 1 10,000원 23,000원",
		"month=2026-11":                          "합계 4 132,000원 1 10,000원 122,000원",
	} {
		if got := foot(query); got != want {
			t.Errorf("%s closes with %q, want %q", query, got, want)
		}
	}
	says(t, l.get("/admin/reports?month=2026-10"), 200, "이 기간에는 결제도 취소도 없어요")
	says(t, l.get("/admin/reports?mode=real&month=2026-11"), 200, "이 기간에는 결제도 취소도 없어요", "실제")
	span := fmt.Sprintf("&from=%s&to=%[1]s&mode=test", today.Format(time.DateOnly))
	says(t, l.get("/admin?clock=paid"+span), 200, "1건 · 결제 33,000원")
	says(t, l.get("/admin?clock=cancelled"+span), 200, "10,000")
	raw, _ := bookOf(t, l.post("/admin/export", exportForm("clock", "paid", "from", today.Format(time.DateOnly), "to", today.Format(time.DateOnly))))
	if sum := raw[len(raw)-1][17]; sum != "33000" {
		t.Errorf("the export sums up to %s", sum)
	}
	clerk.cookie = sessionCookie(t, l.signIn(staffMail, goodPassword))
	says(t, clerk.get("/admin/reports"), 403)
	for _, garbage := range []string{"day=x", "day=2026-13-40", "month=%00", "mode=%ff", "day=9999-12-31", "month=0001-01"} {
		if w := l.get("/admin/reports?" + garbage); w.Code != 200 {
			t.Errorf("%s: %d", garbage, w.Code)
		}
	}
}
