package web_test

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
)

// taker is the shop's own system, as a test has it answer.
type taker struct {
	status int
	err    error
	got    []app.Parcel
}

func (k *taker) Check(_ app.Mode, address string) error {
	if !strings.HasPrefix(address, "https://") {
		return &app.CarryError{Code: app.CarryPlain}
	}
	return nil
}

func (k *taker) Carry(_ context.Context, p app.Parcel) (int, error) {
	k.got = append(k.got, p)
	return k.status, k.err
}

var shownSecret = regexp.MustCompile(`[A-Z2-7]{52}`)

// TestHookPage: the owner says where news go, after the password; the secret is shown once; a test says in plain words
// what was answered; what was sent is listed.
//
// proves S12, S17, S19
func TestHookPage(t *testing.T) {
	b := newBuyerShop(t, false)
	k := &taker{status: 200}
	b.Carrier = k
	boss := b.desk(app.RoleOwner)
	const path = "/admin/settings/hook"
	says(t, boss.get("/admin/settings"), 200, path)
	says(t, boss.get(path), 200, "쇼핑몰에 알리기", `name="mode" value="test"`, "아직 보낸 소식이 없어요")
	form := url.Values{"mode": {"test"}, "url": {"http://shop.example/gage"}, "news": {"paid", "cancelled"}}
	says(t, boss.post(path, form), 422, "https://로 시작하는 주소를", `value="http://shop.example/gage"`)
	form.Set("url", "https://shop.example/gage?key=1")
	form["news"] = []string{"paid", "everything"}
	says(t, boss.post(path, form), 422, "꼭 필요해요")
	form["news"] = []string{"paid", "cancelled"}
	form.Set("mode", "both")
	says(t, boss.post(path, form), 400)
	form.Set("mode", "test")
	b.pass(10 * time.Minute)
	says(t, boss.post(path, form), 401, "비밀번호를 한 번 더")
	if h, err := b.Hook(t.Context(), app.Staff{ID: "owner", Role: app.RoleOwner}, smartro.Test); err != nil || h.On() {
		t.Fatalf("set without the password: %v", err)
	}
	w := boss.post(path, url.Values{"kept": {kept(t, boss.post(path, form))}, "password_again": {goodPassword}})
	says(t, w, 200, "지금 한 번만 보입니다")
	secret := shownSecret.FindString(w.Body.String())
	if secret == "" {
		t.Fatal("the secret is not shown")
	}
	if shownSecret.MatchString(boss.get(path).Body.String()) {
		t.Error("the secret is shown again")
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Error("a browser may keep the secret")
	}
	says(t, boss.post(path+"/test", url.Values{"mode": {"test"}}), 200, "받았어요", "200로 답했습니다")
	if len(k.got) != 1 || k.got[0].URL != "https://shop.example/gage?key=1" {
		t.Errorf("%+v", k.got)
	}
	k.status, k.err = 0, &app.CarryError{Code: app.CarryPrivate}
	says(t, boss.post(path+"/test", url.Values{"mode": {"test"}}), 200, "받지 못했어요", "인터넷에 있는 주소가 아니에요")
	k.status, k.err = 302, nil
	says(t, boss.post(path+"/test", url.Values{"mode": {"test"}}), 200, "다른 주소로 가라고", "(302)")
	says(t, boss.post(path+"/test", url.Values{"mode": {"real"}}), 404)

	w = boss.post(path+"/secret", url.Values{"mode": {"test"}})
	says(t, w, 200, "지금 한 번만 보입니다", "전의 열쇠로도")
	if s := shownSecret.FindString(w.Body.String()); s == "" || s == secret {
		t.Error("no new secret")
	}
	form["news"] = []string{"paid"}
	leads(t, boss.post(path, form), path+"?mode=test&saved=on")
	form.Set("url", "")
	leads(t, boss.post(path, form), path+"?mode=test&saved=off")
	says(t, boss.get(path+"?mode=real"), 200, `name="mode" value="real"`)
	says(t, b.desk(app.RoleStaff).get(path), 403)
}
