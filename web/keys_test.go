package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
)

const nextKey = "TmV4dCBtZXJjaGFudCBrZXkgb2YgdGhlIHBhZ2VzJyB0ZXN0cywgNjQgYnl0ZXMgbG9uZyAuLi4uLi4uLi4uLg=="

// TestKeyChangedOnThePage: the gateway signs with another key; the notification is put aside with an alarm, the owner
// enters the key and has it judged again, and stops the key before. No page has a key in it.
//
// proves R28, R2, S19
func TestKeyChangedOnThePage(t *testing.T) {
	b := newBuyerShop(t, false)
	boss := b.desk(app.RoleOwner)
	o := b.order(known())
	_, form := b.open(o, "device=pc&method=CARD")
	notice, err := b.NoticeURL(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	says(t, boss.get("/admin/settings"), 200, "통보가 아직 한 번도 오지 않았어요 (연습)", "1번 키", "지금 쓰는 키", "80과 443")

	told := result(form, "3001")
	told.Set("SignValue", smartro.SignValue(smartro.MD5, smartro.TID(told.Get("TID")), "3001", nextKey))
	if w := b.do("POST", path(t, notice), told.Encode()); w.Body.String() != "OK" {
		t.Fatal(w.Code, w.Body)
	}
	says(t, boss.get("/admin/work"), 200, "서명이 틀린 통보가 1건 있어요", "지금 키로 다시 검사하기")
	leads(t, boss.post("/admin/work/again", url.Values{}), "/admin/work?good=0&left=1")

	contract := url.Values{
		"mid": {"gagedemo1m"}, "key": {nextKey}, "cancel_password": {""}, "mode": {"test"}, "hash": {"md5"}, "base": {"http://gateway.test:9090"},
	}
	leads(t, boss.post("/admin/settings/gateway", contract), "/admin/settings?saved=key#keys")
	leads(t, boss.post("/admin/settings/gateway", contract), "/admin/settings?saved=gateway#gateway")
	says(t, boss.get("/admin/settings?saved=key"), 200, "새 상점키로 바꿨어요", "2번 키", "까지 믿어요", "지금부터 믿지 않기")
	leads(t, boss.post("/admin/work/again", url.Values{}), "/admin/work?good=1&left=0")
	says(t, boss.get("/admin/work?good=1&left=0"), 200, "1건이 이제 맞아서 반영했어요", "지금 손댈 일이 없어요")
	wants(t, b.do("GET", "/pay/"+o.Token, ""), "결제됐어요")
	says(t, boss.get("/admin/payments/"+form.get("Moid")), 200, "결제창의 상점키", "1번 키")
	says(t, boss.get("/admin/settings"), 200, "마지막 통보 (연습): 11월 23일")

	stop := url.Values{"mid": {"gagedemo1m"}, "mode": {"test"}, "n": {"1"}}
	b.pass(11 * time.Minute)
	asked := boss.post("/admin/settings/key/stop", stop)
	says(t, asked, 401, "비밀번호를 한 번 더")
	leads(t, boss.post("/admin/settings/key/stop", url.Values{"kept": {kept(t, asked)}, "password_again": {goodPassword}}), "/admin/settings?saved=stopped#keys")
	says(t, boss.get("/admin/settings?saved=stopped"), 200, "그 키는 이제 믿지 않아요", "부터 믿지 않아요")
	if w := boss.post("/admin/settings/key/stop", stop); w.Code != http.StatusConflict {
		t.Errorf("twice: %d", w.Code)
	}
	says(t, boss.get("/admin/audit"), 200, "상점키 바꿈", "gagedemo1m (test) #2", "이전 상점키 끊음", "서명 틀린 통보 다시 검사")

	for _, target := range []string{"/admin/settings", "/admin/work", "/admin/audit", "/admin/payments/" + form.get("Moid")} {
		for _, key := range []string{nextKey, demoKey} {
			if strings.Contains(boss.get(target).Body.String(), key) {
				t.Errorf("%s shows a merchant key", target)
			}
		}
	}
}

// TestStaleSignatureOnThePage: a message signed with a key that was stopped is told as that, not as a forgery.
//
// proves R28
func TestStaleSignatureOnThePage(t *testing.T) {
	b := newBuyerShop(t, false)
	boss := b.desk(app.RoleOwner)
	_, form := b.open(b.order(known()), "device=pc&method=CARD")
	m, err := b.Merchant(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	m.Key = nextKey
	if err := b.SetMerchant(context.Background(), b.owner, m); err != nil {
		t.Fatal(err)
	}
	if err := b.StopKey(context.Background(), b.owner, m.MID, m.Mode, 1); err != nil {
		t.Fatal(err)
	}
	if w := b.do("POST", path(t, form.get("ReturnURL")), result(form, "3001").Encode()); w.Code != http.StatusSeeOther {
		t.Fatal(w.Code, w.Body)
	}
	page := boss.get("/admin/payments/" + form.get("Moid"))
	says(t, page, 200, "이제 믿지 않는 상점키로 서명됨")
	_, rest, _ := strings.Cut(page.Body.String(), `href="/admin/messages/`)
	id, _, _ := strings.Cut(rest, `"`)
	says(t, boss.get("/admin/messages/"+id), 200, "서명에 맞는 상점키", "1번 키")
}

// TestMisfitsOnTheWorkList: what came on the gateway's way and fits nothing stands on the work list, leads to the messages,
// and goes when somebody says that they have looked.
//
// proves R2
func TestMisfitsOnTheWorkList(t *testing.T) {
	b := newBuyerShop(t, false)
	boss, clerk := b.desk(app.RoleOwner), b.desk(app.RoleViewer)
	notice, err := b.NoticeURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const about = "통보 주소로 온 것 가운데 맞는 데가 없는 것 1건"
	b.do("POST", strings.TrimPrefix(notice, b.PublicURL), "PayMethod=CARD&MID=gagedemo1m&OID=NOBODY01&Amt=1000&ResultCode=3001", "Content-Type", "application/x-www-form-urlencoded")
	says(t, boss.get("/admin/work"), 200, about, "/admin/messages?channel=notify&amp;show=misfit", "모두 봤어요")
	says(t, boss.get("/admin/messages?channel=notify&show=misfit"), 200, "NOBODY01", "서명 없음")
	if page := clerk.get("/admin/work"); page.Code != 403 && strings.Contains(page.Body.String(), "모두 봤어요") {
		t.Error("who only looks may put it away")
	}
	says(t, clerk.post("/admin/work/seen", nil), 403)
	leads(t, boss.again(boss.post("/admin/work/seen", nil)), "/admin/work")
	if page := boss.get("/admin/work").Body.String(); strings.Contains(page, about) {
		t.Error("it stays after somebody looked")
	}
	says(t, boss.get("/admin/audit?kind=saw_misfits"), 200, "어긋난 통보를 확인함")
}
