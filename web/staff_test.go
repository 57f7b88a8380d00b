package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gage/app"
	"gage/web"
)

const (
	goodPassword = "감귤은 언제나 제주에서 온다"
	ownerMail    = "owner@example.com"
	staffMail    = "staff@example.com"
)

// desk is a browser in which somebody is signed in to the back office.
type desk struct {
	*buyerShop
	cookie string
	who    app.Staff
}

func (b *buyerShop) person(mail string, role app.Role) app.Staff {
	b.t.Helper()
	who, err := b.AddStaff(context.Background(), mail, "김주인", role, goodPassword)
	if err != nil {
		b.t.Fatal(err)
	}
	return who
}

// desk adds a person with that role and signs in.
func (b *buyerShop) desk(role app.Role) *desk {
	b.t.Helper()
	mail := string(role) + "@example.com"
	who := b.person(mail, role)
	w := b.signIn(mail, goodPassword)
	if w.Code != http.StatusSeeOther {
		b.t.Fatalf("sign-in: %d %s", w.Code, w.Body)
	}
	return &desk{b, sessionCookie(b.t, w), who}
}

// post sends a form as a page of this site does.
func (b *buyerShop) post(target string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	return b.do("POST", target, form.Encode(), append([]string{
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin",
	}, headers...)...)
}

func (b *buyerShop) signIn(mail, password string, headers ...string) *httptest.ResponseRecorder {
	return b.post("/admin/sign-in", url.Values{"email": {mail}, "password": {password}}, headers...)
}

func (d *desk) get(target string) *httptest.ResponseRecorder {
	return d.do("GET", target, "", "Cookie", d.cookie)
}

func (d *desk) post(target string, form url.Values) *httptest.ResponseRecorder {
	d.t.Helper()
	w := d.buyerShop.post(target, form, "Cookie", d.cookie)
	if strings.HasPrefix(w.Header().Get("Set-Cookie"), "sid=") && !strings.HasPrefix(w.Header().Get("Set-Cookie"), "sid=;") {
		d.cookie = sessionCookie(d.t, w)
	}
	return w
}

// sessionCookie is the cookie that w sets, as a browser sends it back.
func sessionCookie(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	for _, c := range w.Result().Cookies() {
		if c.Name == "sid" {
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
				t.Errorf("the session's cookie is %v", c)
			}
			return c.Name + "=" + c.Value
		}
	}
	t.Fatalf("no session in %v", w.Header())
	return ""
}

// leads checks that w sends the browser to target.
func leads(t *testing.T, w *httptest.ResponseRecorder, target string) {
	t.Helper()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != target {
		t.Errorf("%d %q, want 303 %q: %s", w.Code, w.Header().Get("Location"), target, brief(w))
	}
}

// says checks status and words of a page.
func says(t *testing.T, w *httptest.ResponseRecorder, status int, words ...string) {
	t.Helper()
	if w.Code != status {
		t.Errorf("status %d, want %d: %s", w.Code, status, brief(w))
	}
	wants(t, w, words...)
}

// proves S13
func TestSignIn(t *testing.T) {
	b := newBuyerShop(t, false)
	b.person(staffMail, app.RoleStaff)
	leads(t, b.do("GET", "/admin?q=%ED%99%8D%EA%B8%B8", ""), "/admin/sign-in?next="+url.QueryEscape("/admin?q=%ED%99%8D%EA%B8%B8"))
	leads(t, b.do("GET", "/admin", ""), "/admin/sign-in")
	says(t, b.do("GET", "/admin/sign-in", ""), 200, "관리자 로그인", `autocomplete="current-password"`)

	wrong, unknown := b.signIn(staffMail, "not the password"), b.signIn("nobody@example.com", "not the password")
	says(t, wrong, 401, "이메일이나 비밀번호가 맞지 않아요", `value="`+staffMail+`"`)
	if got := strings.ReplaceAll(unknown.Body.String(), "nobody@example.com", staffMail); unknown.Code != wrong.Code || got != wrong.Body.String() {
		t.Errorf("an unknown address is told otherwise than a wrong password: %d %s", unknown.Code, got)
	}
	for _, w := range []*httptest.ResponseRecorder{wrong, unknown} {
		if strings.Contains(w.Body.String(), "not the password") || len(w.Result().Cookies()) > 0 {
			t.Error("a refused sign-in gives the password back, or a session")
		}
	}
	for next, target := range map[string]string{
		"":                            "/admin",
		"/admin/requests":             "/admin/requests",
		"/admin?q=%ED%99%8D":          "/admin?q=%ED%99%8D",
		"https://evil.example/admin/": "/admin",
		"//evil.example/admin/":       "/admin",
		`/\evil.example/admin/`:       "/admin",
		"/admin/\r\nX: y":             "/admin",
		"/adminer":                    "/admin",
		"/pay/received":               "/admin",
		"javascript:alert(1)":         "/admin",
		"/admin/%zz":                  "/admin",
	} {
		w := b.post("/admin/sign-in", url.Values{"email": {" Staff@Example.com "}, "password": {goodPassword}, "next": {next}})
		leads(t, w, target)
		says(t, b.do("GET", "/admin", "", "Cookie", sessionCookie(t, w)), 200, "김주인", "아직 결제가 없어요")
	}
	if log := b.log.String(); strings.Contains(log, goodPassword) || strings.Contains(log, staffMail) {
		t.Error("the log tells who signs in with what")
	}
}

// TestSessionIsNew: a key that somebody planted before the sign-in opens nothing after it.
//
// proves S14
func TestSessionIsNew(t *testing.T) {
	b := newBuyerShop(t, false)
	d := b.desk(app.RoleStaff)
	again := sessionCookie(t, b.signIn(staffMail, goodPassword, "Cookie", d.cookie))
	if again == d.cookie {
		t.Error("the sign-in kept the session's key")
	}
	leads(t, d.get("/admin"), "/admin/sign-in")
	says(t, b.do("GET", "/admin", "", "Cookie", again), 200)
	planted := sessionCookie(t, b.signIn(staffMail, goodPassword, "Cookie", "sid=planted"))
	if planted == "sid=planted" {
		t.Error("the sign-in took a key that the browser brought")
	}
}

// proves S15
func TestSignInThrottle(t *testing.T) {
	for _, c := range []struct {
		what        string
		mail, peer  func(i int) string
		other, from string // who may still try, from where
	}{
		{"one account from many addresses",
			func(int) string { return staffMail }, func(i int) string { return "198.51.100." + string(rune('1'+i)) + ":1" },
			ownerMail, "198.51.100.9:1"},
		{"many accounts from one address",
			func(i int) string { return string(rune('a'+i)) + "@example.com" }, func(int) string { return "198.51.100.1:1" },
			staffMail, "198.51.100.9:1"},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := newBuyerShop(t, false)
			b.person(staffMail, app.RoleStaff)
			b.person(ownerMail, app.RoleOwner)
			try := func(mail, password, peer string) *httptest.ResponseRecorder {
				r := httptest.NewRequest("POST", "http://shop.test/admin/sign-in",
					strings.NewReader(url.Values{"email": {mail}, "password": {password}}.Encode()))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("Sec-Fetch-Site", "same-origin")
				r.Header.Set("X-Forwarded-For", "203.0.113.77") // believed of nobody here
				r.RemoteAddr = peer
				return b.send(r)
			}
			for i := range 5 {
				says(t, try(c.mail(i), "wrong wrong wrong", c.peer(i)), 401)
			}
			says(t, try(staffMail, goodPassword, c.peer(0)), 429, "15분 동안 막았어요")
			leads(t, try(c.other, goodPassword, c.from), "/admin")
			b.pass(14 * time.Minute)
			says(t, try(staffMail, goodPassword, c.peer(0)), 429)
			b.pass(2 * time.Minute)
			leads(t, try(staffMail, goodPassword, c.peer(0)), "/admin")
			says(t, try(staffMail, "wrong wrong wrong", c.peer(0)), 401)
		})
	}
}

// TestSignInAllAtOnce: guesses that come together are counted like guesses one after the other.
//
// proves S15
func TestSignInAllAtOnce(t *testing.T) {
	b := newBuyerShop(t, false)
	b.person(staffMail, app.RoleStaff)
	var all sync.WaitGroup
	var refused, throttled atomic.Int64
	for range 20 {
		all.Go(func() {
			switch w := b.signIn(staffMail, "wrong wrong wrong"); w.Code {
			case http.StatusUnauthorized:
				refused.Add(1)
			case http.StatusTooManyRequests:
				throttled.Add(1)
			default:
				t.Errorf("%d %s", w.Code, brief(w))
			}
		})
	}
	all.Wait()
	if refused.Load() != 5 || throttled.Load() != 15 {
		t.Errorf("%d guesses were taken, %d turned away; want 5, 15", refused.Load(), throttled.Load())
	}
}

func TestSignOut(t *testing.T) {
	b := newBuyerShop(t, false)
	d := b.desk(app.RoleStaff)
	w := d.post("/admin/sign-out", nil)
	leads(t, w, "/admin/sign-in?bye=1")
	if c := w.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 || c[0].Value != "" {
		t.Errorf("cookies %v", c)
	}
	says(t, b.do("GET", "/admin/sign-in?bye=1", ""), 200, "로그아웃했어요")
	leads(t, d.get("/admin"), "/admin/sign-in")
	leads(t, d.post("/admin/sign-out", nil), "/admin/sign-in?bye=1")
	leads(t, b.post("/admin/sign-out", nil), "/admin/sign-in?bye=1")
}

// TestSessionEnds: a session ends when nobody used it, when it is old, when its person may not come in, and when the
// clock can't say how old it is.
//
// proves S14, R26
func TestSessionEnds(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		d := newBuyerShop(t, false).desk(app.RoleStaff)
		d.pass(web.SessionIdle - time.Second)
		says(t, d.get("/admin"), 200)
		d.pass(web.SessionIdle - time.Second)
		says(t, d.get("/admin"), 200)
		d.pass(web.SessionIdle)
		leads(t, d.get("/admin"), "/admin/sign-in")
	})
	t.Run("however busy", func(t *testing.T) {
		d := newBuyerShop(t, false).desk(app.RoleStaff)
		for end := d.now().Add(web.SessionMax); d.now().Before(end); d.pass(10 * time.Minute) {
			says(t, d.get("/admin"), 200)
		}
		leads(t, d.get("/admin"), "/admin/sign-in")
	})
	t.Run("the clock stepped back", func(t *testing.T) {
		b := newBuyerShop(t, false)
		d := b.desk(app.RoleStaff)
		d.pass(-30 * time.Second) // as much as servers differ
		says(t, d.get("/admin"), 200)
		d.pass(-time.Hour)
		leads(t, d.get("/admin"), "/admin/sign-in")
		leads(t, b.signIn(staffMail, goodPassword), "/admin")
	})
	t.Run("disabled", func(t *testing.T) {
		b := newBuyerShop(t, false)
		boss, d := b.desk(app.RoleOwner), b.desk(app.RoleStaff)
		leads(t, boss.post("/admin/settings/staff/disable", url.Values{"email": {staffMail}, "disabled": {"yes"}}), "/admin/settings/staff?saved=1")
		leads(t, d.get("/admin"), "/admin/sign-in")
		says(t, b.signIn(staffMail, goodPassword), 401)
		leads(t, boss.post("/admin/settings/staff/disable", url.Values{"email": {staffMail}, "disabled": {"no"}}), "/admin/settings/staff?saved=1")
		leads(t, b.signIn(staffMail, goodPassword), "/admin")
		says(t, boss.post("/admin/settings/staff/disable", url.Values{"email": {ownerMail}, "disabled": {"yes"}}), 403)
	})
}

// TestOwnerLink: the first start's link makes the owner, once, and in time.
func TestOwnerLink(t *testing.T) {
	b := newBuyerShop(t, false)
	token, err := b.OwnerInvite(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	at := "/start/" + token
	earlier, err := b.OwnerInvite(context.Background()) // of another start, before there was an owner
	if err != nil {
		t.Fatal(err)
	}
	says(t, b.do("GET", at, ""), 200, "주인 계정 만들기", `name="email"`)
	for field, form := range map[string]url.Values{
		"email":    {"email": {"no address"}, "name": {"김주인"}, "password": {goodPassword}},
		"name":     {"email": {ownerMail}, "name": {" "}, "password": {goodPassword}},
		"password": {"email": {ownerMail}, "name": {"김주인"}, "password": {"too short"}},
	} {
		w := b.post(at, form)
		says(t, w, 422, `id="`+field+`"`, `aria-invalid="true"`, `value="`+form.Get("email")+`"`)
		if strings.Contains(w.Body.String(), form.Get("password")) {
			t.Error("the password comes back")
		}
	}
	says(t, b.post(at, url.Values{"email": {ownerMail}, "name": {"김주인"}, "password": {"비밀번호-1234567"}}), 422, "남이 먼저 떠올릴 만한")
	good := url.Values{"email": {ownerMail}, "name": {"김주인"}, "password": {goodPassword}}
	w := b.post(at, good)
	leads(t, w, "/admin")
	says(t, b.do("GET", "/admin/settings", "", "Cookie", sessionCookie(t, w)), 200, "스마트로 계약")
	leads(t, b.signIn(ownerMail, goodPassword), "/admin")

	const dead = "쓸 수 없는 링크예요"
	says(t, b.do("GET", at, ""), 404, dead)
	says(t, b.post(at, good), 404, dead)
	says(t, b.do("GET", "/start/NOSUCHTOKEN", ""), 404, dead)
	says(t, b.do("GET", "/start/"+earlier, ""), 404, dead)
	says(t, b.post("/start/"+earlier, url.Values{"email": {staffMail}, "name": {"김둘째"}, "password": {goodPassword}}), 404, dead)
	if again, err := b.OwnerInvite(context.Background()); err != nil || again != "" {
		t.Errorf("a second owner's link %q, %v", again, err)
	}

	late := newBuyerShop(t, false)
	if token, err = late.OwnerInvite(context.Background()); err != nil {
		t.Fatal(err)
	}
	late.pass(72*time.Hour + time.Second)
	says(t, late.do("GET", "/start/"+token, ""), 404, dead)
	says(t, late.post("/start/"+token, good), 404, dead)
	says(t, late.signIn(ownerMail, goodPassword), 401)
}

// TestInviteLink: the owner's page shows a link once; it works once, for the invited address only. A new password
// ends the sessions of the old one.
//
// proves S14
func TestInviteLink(t *testing.T) {
	b := newBuyerShop(t, false)
	boss := b.desk(app.RoleOwner)
	invited := func(target string, form url.Values) string {
		t.Helper()
		w := boss.post(target, form)
		says(t, w, 200, "지금 한 번만 보입니다")
		_, rest, _ := strings.Cut(w.Body.String(), "http://shop.test/invite/")
		if len(rest) < 26 {
			t.Fatal("no link")
		}
		return "/invite/" + rest[:26]
	}
	at := invited("/admin/settings/staff", url.Values{"email": {staffMail}, "role": {"staff"}})
	if strings.Contains(boss.get("/admin/settings").Body.String(), at) {
		t.Error("the link is shown twice")
	}
	says(t, b.do("GET", at, ""), 200, "비밀번호 정하기", staffMail, "readonly")
	w := b.post(at, url.Values{"email": {"other@example.com"}, "name": {"이직원"}, "password": {goodPassword}})
	leads(t, w, "/admin")
	cookie := sessionCookie(t, w)
	says(t, b.do("GET", "/admin", "", "Cookie", cookie), 200, "이직원")
	says(t, b.do("GET", "/admin/settings", "", "Cookie", cookie), 403)
	says(t, b.signIn("other@example.com", goodPassword), 401)
	says(t, b.post(at, url.Values{"name": {"이직원"}, "password": {goodPassword}}), 404, "쓸 수 없는 링크예요")

	says(t, boss.post("/admin/settings/staff", url.Values{"email": {staffMail}, "role": {"staff"}}), 422, "이미 쓰고 있는 이메일이에요")
	says(t, boss.post("/admin/settings/staff", url.Values{"email": {"no address"}, "role": {"staff"}}), 422, "이메일 주소를 확인해 주세요")
	says(t, boss.post("/admin/settings/staff/reset", url.Values{"email": {"nobody@example.com"}}), 404)

	reset := invited("/admin/settings/staff/reset", url.Values{"email": {staffMail}})
	leads(t, b.post(reset, url.Values{"name": {"이직원"}, "password": {"another password"}}), "/admin")
	leads(t, b.do("GET", "/admin", "", "Cookie", cookie), "/admin/sign-in")
	says(t, b.signIn(staffMail, goodPassword), 401)
	leads(t, b.signIn(staffMail, "another password"), "/admin")
}

// TestUnlistedProxy: a proxy on this machine that nobody listed makes all strangers one; staff are told, and the log is, once.
//
// proves S1, S15
func TestUnlistedProxy(t *testing.T) {
	b := newBuyerShop(t, false)
	d := b.desk(app.RoleStaff)
	from := func(peer string) {
		r := httptest.NewRequest("GET", "http://shop.test/admin/sign-in", nil)
		r.RemoteAddr = peer
		r.Header.Set("X-Forwarded-For", "203.0.113.77")
		b.send(r)
	}
	from("203.0.113.9:4000") // a stranger who writes what he likes
	if page := d.get("/admin/work").Body.String(); strings.Contains(page, "--trusted-proxy") {
		t.Error("a stranger is taken for a proxy")
	}
	from("127.0.0.1:4000")
	from("10.1.2.3:4000")
	says(t, d.get("/admin/work"), 200, "등록되지 않은 프록시", "--trusted-proxy")
	if n := strings.Count(b.log.String(), "--trusted-proxy"); n != 1 {
		t.Errorf("said %d times", n)
	}
}
