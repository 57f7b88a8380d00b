package web_test

import (
	"regexp"
	"strings"
	"testing"

	"gage/app"
	"gage/smartro"
)

var messageLink = regexp.MustCompile(`href="(/admin/messages/[A-Z0-9]+)"`)

// TestInbox: everything that came stands in the list with its verdict, by groups and ways, page by page, and shows nobody.
func TestInbox(t *testing.T) {
	l := newTill(t)
	says(t, l.get("/admin/messages"), 200, "여기에는 온 것이 없어요", "아직 믿을 수 있는 통보가 온 적이 없어요")
	p := l.pays(smartro.Card, known())
	_, form := l.open(l.order(known()), "device=pc&method=CARD")
	forged := result(form, "3001")
	forged.Set("SignValue", "bm90IGEgc2lnbmF0dXJl")
	l.buyerShop.post("/smartro/return", forged)
	w := l.get("/admin/messages")
	says(t, w, 200, "통보", "맞음", string(p.Moid), string(p.TID), "33,000원", "마지막 통보 11월 23일")
	if body := w.Body.String(); strings.Contains(body, "홍길동") || strings.Contains(body, "서명 틀림</span>") {
		t.Error("it shows a buyer, or a stranger's message among the others")
	}
	says(t, l.get("/admin/messages?show=good&channel=notify"), 200, string(p.Moid))
	says(t, l.get("/admin/messages?show=signature"), 200, "서명 틀림", form.get("Moid"))
	says(t, l.get("/admin/messages?show=strangers"), 200, "서명 틀림")
	for _, query := range []string{"?show=amount", "?show=order", "?channel=stop", "?show=good&channel=stop"} {
		says(t, l.get("/admin/messages"+query), 200, "여기에는 온 것이 없어요")
	}
	for _, bad := range []string{"?show=x", "?channel=%00", "?after=1-%00", "?after=x"} {
		if w := l.get("/admin/messages" + bad); w.Code != 200 && w.Code != 400 {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}

	at := messageLink.FindStringSubmatch(l.get("/admin/messages?show=good&channel=notify").Body.String())
	if at == nil {
		t.Fatal("no message")
	}
	manager := l.buyerShop.desk(app.RoleManager)
	says(t, manager.post(at[1]+"/try", nil), 200, "지금 받는다면", "이미 아는 내용", "결제됨", "바뀌는 것은 없습니다.")
	if w := l.buyerShop.desk(app.RoleViewer).post(at[1]+"/try", nil); w.Code != 403 {
		t.Errorf("a viewer tries: %d", w.Code)
	}
}
