package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
)

// TestSecondPerson: above a clerk's limit a cancel becomes a request; the clerk sees it waiting and can't approve it;
// the manager finds it on top of the work list, is asked for the password, and approves: once, however often pressed.
//
// proves S17, I8
func TestSecondPerson(t *testing.T) {
	l := newTill(t)
	boss, owner := l.buyerShop.desk(app.RoleManager), l.buyerShop.desk(app.RoleOwner)
	says(t, owner.post("/admin/settings/staff/limits", url.Values{"limit_staff": {"한도"}}), 422, "0원부터", `value="한도"`)
	says(t, owner.post("/admin/settings/staff/limits", url.Values{"limit_owner": {"1"}, "limit_manager": {"1"}}), 422, "큰 금액을 승인할 사람이 없어요")
	leads(t, owner.post("/admin/settings/staff/limits", url.Values{"limit_staff": {"500"}}), "/admin/settings/staff?saved=1")
	says(t, owner.get("/admin/settings/staff"), 200, `value="500"`)

	p := l.pays(smartro.Card, known())
	at := "/admin/payments/" + string(p.Moid)
	v := l.form(p, "1000", "일부 반품")
	says(t, l.post(at+"/cancel", v), 200, "다른 사람이 승인해야 해요", "1,000원 취소 승인 부탁하기")
	v.Set("confirm", "yes")
	for range 2 { // pressed twice
		leads(t, l.post(at+"/cancel", v), at)
	}
	l.stands(p, app.Paid, 0, 0, 0)
	page := l.get(at)
	says(t, page, 200, "1,000원 취소가 승인을 기다리고 있어요", "취소 승인 부탁")
	if strings.Contains(page.Body.String(), `href="`+at+`/cancel"`) {
		t.Error("another cancel is offered beside it")
	}
	says(t, l.get(at+"/cancel"), 200, "승인을 기다리는 취소가 있어요")
	says(t, boss.post(at+"/cancel", url.Values{"key": {"a-form-that-was-open-before"}, "how": {"part"}, "amount": {"100"}, "reason": {"하나 더"}}), http.StatusConflict, "승인을 기다리는 취소가 있어요")

	work := boss.get("/admin/work")
	link := regexp.MustCompile(`/admin/approvals/[A-Za-z0-9_-]+`).FindString(work.Body.String())
	says(t, work, 200, "김주인 님이 1,000원 취소 승인을 부탁했어요", "일부 반품", `<b class="count num">1</b>`)
	if strings.Contains(l.get("/admin/work").Body.String(), `<b class="count num">`) {
		t.Error("who asked is told to do something about it")
	}
	says(t, l.get(link), 200, "본인이 승인할 수 없어요", "부탁 거두기")
	says(t, l.post(link+"/approve", nil), 403)
	says(t, l.buyerShop.desk(app.RoleViewer).get(link), 403)
	says(t, boss.get(link), 200, "1,000원 취소 승인하기", "일부 반품", "홍*동", "승인하지 않기")

	l.pass(11 * time.Minute)
	w := boss.post(link+"/approve", nil)
	says(t, w, 401, "비밀번호를 한 번 더")
	l.stands(p, app.Paid, 0, 0, 0)
	leads(t, boss.again(w), at)
	l.stands(p, app.PartlyCancelled, 1000, 0, 1)
	says(t, boss.post(link+"/approve", nil), http.StatusConflict, "이미 끝난 요청이에요")
	says(t, boss.get(link), 200, "승인됨")
	says(t, boss.get(at), 200, "취소 승인", "취소됨")
	l.stands(p, app.PartlyCancelled, 1000, 0, 1)

	v = l.form(p, "2000", "또 반품")
	v.Set("confirm", "yes")
	leads(t, l.again(l.post(at+"/cancel", v)), at)
	link = regexp.MustCompile(`/admin/approvals/[A-Za-z0-9_-]+`).FindString(boss.get("/admin/work").Body.String())
	says(t, boss.post(link+"/decline", nil), 422, "꼭 필요해요")
	leads(t, boss.post(link+"/decline", url.Values{"reason": {"교환하기로 했어요"}}), link)
	says(t, l.get(link), 200, "승인하지 않음", "교환하기로 했어요")

	v = l.form(p, "2000", "마음이 바뀜")
	v.Set("confirm", "yes")
	leads(t, l.post(at+"/cancel", v), at)
	link = regexp.MustCompile(`/admin/approvals/[A-Za-z0-9_-]+`).FindString(l.get(at).Body.String())
	says(t, boss.post(link+"/withdraw", nil), 403)
	leads(t, l.post(link+"/withdraw", nil), link)
	says(t, l.get(link), 200, "부탁을 거둠")
	l.stands(p, app.PartlyCancelled, 1000, 0, 1)
}
