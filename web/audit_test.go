package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gage/app"
	"gage/smartro"
)

// TestAudit: a look needs a reason and is recorded; the original of a message is hidden until then; the owner reads it
// all, and finds it by person, kind, day and order.
//
// proves S20, S21
func TestAudit(t *testing.T) {
	l := newTill(t)
	boss := l.buyerShop.desk(app.RoleOwner)
	p := l.pays(smartro.Card, known())
	at := "/admin/payments/" + string(p.Moid)
	for _, form := range []url.Values{nil, {"reason": {"whim"}}, {"reason": {"other"}}} {
		w := l.post(at+"/reveal", form)
		says(t, w, 422, "꼭 필요해요")
		if strings.Contains(w.Body.String(), "hong@example.com") {
			t.Errorf("%v shows the buyer", form)
		}
	}
	says(t, l.post(at+"/reveal", url.Values{"reason": {"other"}, "words": {"경찰 공문"}}), 200, "hong@example.com")
	messages, err := l.Store.Messages(t.Context(), p.OrderNo)
	if err != nil || len(messages) == 0 {
		t.Fatal(messages, err)
	}
	raw := "/admin/messages/" + messages[0].ID
	w := l.get(raw)
	says(t, w, 200, "•••", string(p.Moid))
	for _, secret := range []string{"hong@example.com", "hong%40example.com", "01099991111", "%C8%AB"} {
		if strings.Contains(w.Body.String(), secret) {
			t.Errorf("the message shows %q to who gave no reason", secret)
		}
	}
	says(t, l.post(raw, nil), 422, "꼭 필요해요")
	says(t, l.post(raw, url.Values{"reason": {"check"}}), 200, "hong%40example.com")
	says(t, l.post(at+"/receipt", url.Values{"kind": {"slip"}}), 200, "data-onward", "TID="+string(l.payment(p.Moid).TID))

	says(t, l.get("/admin/audit"), http.StatusForbidden)
	says(t, boss.get("/admin/audit"), 200, "구매자 정보 봄", "경찰 공문", "그 밖의 이유", "원문 봄", "영수증 봄", "로그인", "192.0.2.1", string(p.Moid))
	for filter, want := range map[string]bool{
		"kind=saw_buyer": true, "kind=saw_message": false, "order=" + string(p.OrderNo): true, "order=NOSUCH": false, "person=" + l.who.ID: true,
		"person=" + boss.who.ID: false, "from=2026-11-23&to=2026-11-23": true, "from=2026-11-24": false, "to=2026-11-22": false, "from=x&to=y&after=z": true,
	} {
		w := boss.get("/admin/audit?" + filter)
		if got := strings.Contains(w.Body.String(), "경찰 공문"); w.Code != 200 || got != want {
			t.Errorf("%s: %d, found %v", filter, w.Code, got)
		}
	}
}

// TestMonthReview: the owner sees last month's record in sums, says once that it was looked through, and is asked to
// until then.
//
// proves S21
func TestMonthReview(t *testing.T) {
	b := newBuyerShop(t, false)
	boss, clerk := b.desk(app.RoleOwner), b.desk(app.RoleStaff)
	const page = "/admin/audit/review"
	says(t, clerk.get(page), 403)
	if w := boss.get("/admin/work"); strings.Contains(w.Body.String(), "접속 기록을 아직 점검하지 않았어요") {
		t.Error("it is asked for too early, or of who may not")
	}
	month := b.at.In(app.KST).Format("2006-01")
	says(t, boss.get(page+"?month="+month), 200, month, "달이 끝나면")
	says(t, boss.post(page, url.Values{"month": {month}}), 400)
	b.at = b.at.AddDate(0, 1, 0)
	for _, d := range []*desk{boss, clerk} {
		d.cookie = sessionCookie(t, b.signIn(d.who.Email, goodPassword))
	}
	says(t, boss.get("/admin/work"), 200, month+" 접속 기록을 아직 점검하지 않았어요")
	if w := clerk.get("/admin/work"); strings.Contains(w.Body.String(), "접속 기록을 아직 점검하지 않았어요") {
		t.Error("it is asked for too early, or of who may not")
	}
	says(t, boss.get(page), 200, month, "이 달 점검을 마쳤어요", "/admin/audit?from="+month+"-01")
	leads(t, boss.again(boss.post(page, url.Values{"month": {month}})), page+"?month="+month)
	says(t, boss.get(page), 200, "점검함")
	if w := boss.get("/admin/work"); strings.Contains(w.Body.String(), "접속 기록을 아직 점검하지 않았어요") {
		t.Error("it is asked for too early, or of who may not")
	}
	says(t, boss.get("/admin/audit?kind=reviewed_accesses"), 200, "한 달 접속 기록 점검", month)
	says(t, boss.get(page+"?month=1899-01"), 200, month)
	says(t, boss.get(page+"?month=%27x"), 200, month)
}
