package web_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/app/apptest"
	"gage/smartro"
)

// kept reads the form that waits on the page that asks for the password.
func kept(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	m := regexp.MustCompile(`name="kept" value="([^"]*)"`).FindStringSubmatch(w.Body.String())
	if m == nil {
		t.Fatalf("%d: no form waits: %s", w.Code, brief(w))
	}
	return m[1]
}

// TestFreshLogin: what moves money or gives rights asks for the password when it was typed ten minutes ago; what was
// entered before waits, in nobody's sight, and is done once.
//
// proves S17, S19
func TestFreshLogin(t *testing.T) {
	b := newBuyerShop(t, false)
	boss, clerk := b.desk(app.RoleOwner), b.desk(app.RoleStaff)
	form := url.Values{
		"mid": {"gagedemo2m"}, "mode": {"test"}, "hash": {"md5"}, "key": {demoKey}, "cancel_password": {"654321"},
		"base": {"http://gateway.test:9090"}, "method": {"CARD", "BANK"},
	}
	const path = "/admin/settings/gateway"
	b.pass(10*time.Minute - time.Second)
	says(t, boss.get("/admin/settings"), 200, "/smartro/notify/")
	b.pass(time.Second)
	if page := boss.get("/admin/settings"); strings.Contains(page.Body.String(), "/smartro/notify/") {
		t.Error("the notification URL is shown to who signed in long ago")
	}
	w := boss.post(path, form)
	says(t, w, 401, "비밀번호를 한 번 더", `action="`+path+`"`)
	for _, secret := range []string{string(demoKey), "654321", goodPassword} {
		if strings.Contains(w.Body.String(), secret) {
			t.Error("the page that asks tells what was typed")
		}
	}
	waiting := kept(t, w)
	again := func(d *desk, at, waiting, password string) *httptest.ResponseRecorder {
		t.Helper()
		return d.post(at, url.Values{"kept": {waiting}, "password_again": {password}})
	}
	w = again(boss, path, waiting, "not the password")
	says(t, w, 401, "비밀번호가 맞지 않아요")
	if strings.Contains(w.Body.String(), "not the password") {
		t.Error("the page gives a wrong password back")
	}
	says(t, again(boss, path, kept(t, w), ""), 401)
	says(t, again(boss, "/admin/settings/notice", waiting, goodPassword), 400)
	says(t, again(boss, path, waiting[:len(waiting)-4]+"AAAA", goodPassword), 400)
	says(t, clerk.post(path, form), 403)
	if m, err := b.Merchant(t.Context()); err != nil || m.MID != "gagedemo1m" {
		t.Fatalf("it was done without the password: %v, %v", m.MID, err)
	}
	leads(t, again(boss, path, waiting, goodPassword), "/admin/settings?saved=gateway#gateway")
	m, err := b.Merchant(t.Context())
	if err != nil || m.MID != "gagedemo2m" || m.CancelPassword.Reveal() != "654321" || len(m.Methods) != 2 {
		t.Errorf("what waited was lost: %v, %v", m.MID, err)
	}
	form.Set("mid", "gagedemo3m")
	leads(t, boss.post(path, form), "/admin/settings?saved=gateway#gateway")
	says(t, boss.get("/admin/settings"), 200, "/smartro/notify/")

	for range 3 { // the owner was wrong twice, from the same address
		says(t, again(clerk, "/admin/holds/none/close", kept(t, clerk.post("/admin/holds/none/close", nil)), "wrong wrong wrong"), 401)
	}
	says(t, again(clerk, "/admin/holds/none/close", kept(t, clerk.post("/admin/holds/none/close", nil)), goodPassword), 429, "15분 동안 막았어요")
	says(t, b.do("POST", "/admin/holds/none/close", "", "Cookie", clerk.cookie, "Sec-Fetch-Site", "same-origin", "Accept", "application/json"), 401, `"error":"stale"`)
}

// TestFreshLoginWhere goes through all posts of the back office: each either asks, or stands here with a reason why not.
//
// proves S17
func TestFreshLoginWhere(t *testing.T) {
	calm := map[string]string{
		"/admin/payments/:moid/reveal":         "shows, with a reason, and is recorded",
		"/admin/payments/:moid/receipt":        "shows, and is recorded",
		"/admin/messages/:id":                  "shows, with a reason, and is recorded",
		"/admin/payments/:moid/ask":            "asks the gateway, moves nothing",
		"/admin/payments/:moid/cancel":         "its second step asks: see TestFreshCancel",
		"/admin/subscriptions/new":             "takes nothing before the customer registers a card",
		"/admin/subscriptions/:no/reveal":      "shows, with a reason, and is recorded",
		"/admin/subscriptions/:no/pause":       "takes nothing any more: must be quick",
		"/admin/subscriptions/:no/stop":        "takes nothing any more: must be quick",
		"/admin/charges/:id/away":              "says that it was seen, moves nothing",
		"/admin/imports":                       "reads a file and changes nothing: its last step asks",
		"/admin/imports/:id/columns":           "reads the file anew and changes nothing",
		"/admin/receipts/new":                  "a clerk at the counter issues one after another, and no money moves",
		"/admin/receipts/:id/slip":             "shows, and is recorded",
		"/admin/requests/new":                  "asks for money that nobody has paid",
		"/admin/requests/:no/close":            "withdraws what nobody has paid",
		"/admin/approvals/:id/withdraw":        "gives nothing back",
		"/admin/account/sessions":              "must be quick when something is wrong",
		"/admin/messages/:id/try":              "tells what would become of it, and changes nothing",
		"/admin/views":                         "keeps a person's own list, and moves nothing",
		"/admin/views/drop":                    "forgets a person's own list, and moves nothing",
		"/admin/payments/:moid/refund-account": "asks the buyer where to: the cancel asks",
		"/admin/jobs/:id/retry":                "has the program try again what it owes already",
		"/admin/settings/shop":                 "what stands at the foot of a checkout",
	}
	b := newBuyerShop(t, false)
	owner := caller{cookie: b.desk(app.RoleOwner).cookie}
	b.pass(11 * time.Minute)
	asked := 0
	for _, r := range b.server.Routes() {
		if r.Method != http.MethodPost || r.Right == "public" || r.Right == "gateway" || r.Right == "halfway" {
			continue
		}
		w := owner.ask(b, r.Method, at(r))
		asks := w.Code == http.StatusUnauthorized && strings.Contains(w.Body.String(), "비밀번호를 한 번 더")
		if _, ok := calm[r.Path]; ok == asks {
			t.Errorf("%s asks for the password: %v", r.Path, asks)
		}
		if asks {
			asked++
		}
	}
	if asked < 10 {
		t.Errorf("%d routes ask", asked)
	}
}

// TestFreshCancel: the first step of a cancel asks for nothing, the second for the password; then it is one cancel.
//
// proves S17
func TestFreshCancel(t *testing.T) {
	l := newTill(t)
	p := l.pays(smartro.Card, known())
	at := "/admin/payments/" + string(p.Moid) + "/cancel"
	l.pass(11 * time.Minute)
	v := l.form(p, "1000", "일부 반품")
	says(t, l.post(at, v), 200, `name="confirm" value="yes"`)
	v.Set("confirm", "yes")
	w := l.post(at, v)
	says(t, w, 401, "비밀번호를 한 번 더")
	l.stands(p, app.Paid, 0, 0, 0)
	v = url.Values{"kept": {kept(t, w)}, "password_again": {goodPassword}}
	for range 2 { // pressed twice
		leads(t, l.post(at, v), "/admin/payments/"+string(p.Moid))
	}
	l.stands(p, app.PartlyCancelled, 1000, 0, 1)
}

// TestTypingAgainRenews: who types the password again gets another session key, the one before is worth nothing, the
// session lasts no longer for it, and what waits in another tab is not lost.
//
// proves S14, S17
func TestTypingAgainRenews(t *testing.T) {
	b := newBuyerShop(t, false)
	boss := b.desk(app.RoleOwner)
	began := boss.cookie
	for range 50 { // in use all the time
		b.pass(9 * time.Minute)
		says(t, boss.get("/admin"), 200)
	}
	rotate := kept(t, boss.post("/admin/settings/notice", nil))
	show := kept(t, boss.post("/admin/settings/notice/show", nil))
	leads(t, boss.post("/admin/settings/notice", url.Values{"kept": {rotate}, "password_again": {goodPassword}}), "/admin/settings?saved=notice#notice")
	if boss.cookie == began {
		t.Fatal("the key is the old one")
	}
	if w := b.do("GET", "/admin", "", "Cookie", began); w.Code != 303 {
		t.Errorf("the old key still opens: %d", w.Code)
	}
	leads(t, boss.post("/admin/settings/notice/show", url.Values{"kept": {show}}), "/admin/settings#notice")
	b.pass(9 * time.Minute)
	says(t, boss.get("/admin"), 200)
	b.pass(9 * time.Minute)
	says(t, boss.get("/admin"), 200)
	b.pass(9 * time.Minute)
	says(t, boss.get("/admin"), 200)
	b.pass(9 * time.Minute)
	if w := boss.get("/admin"); w.Code != 303 {
		t.Errorf("typing the password made eight hours longer: %d", w.Code)
	}
}

// TestOwnPassword: everybody changes their own password, for the one they have, however short ago it was typed; what is
// easy to guess is refused; every other session ends.
//
// proves S14, S15, S17
func TestOwnPassword(t *testing.T) {
	b := newBuyerShop(t, false)
	clerk := b.desk(app.RoleStaff)
	elsewhere := sessionCookie(t, b.signIn("staff@example.com", goodPassword))
	const path, next = "/admin/account/password", "서른세 번째 봄날의 노래"
	says(t, clerk.get("/admin/account"), 200, path)
	says(t, clerk.get(path), 200, `autocomplete="new-password"`, `type="password"`)
	change := func(next, now string) *httptest.ResponseRecorder {
		t.Helper()
		w := clerk.post(path, url.Values{"password": {next}})
		says(t, w, 401, "비밀번호를 한 번 더")
		if strings.Contains(w.Body.String(), next) {
			t.Error("the page shows the new password")
		}
		return clerk.post(path, url.Values{"kept": {kept(t, w)}, "password_again": {now}})
	}
	says(t, change(next, "not the password"), 401, "비밀번호가 맞지 않아요")
	says(t, change("password1234", goodPassword), 422, "남이 먼저 떠올릴 만한")
	says(t, change("짧은 말", goodPassword), 422, "12자 이상")
	if w := b.signIn("staff@example.com", next); w.Code == 303 {
		t.Fatal("it was changed without the old one")
	}
	leads(t, change(next, goodPassword), path+"?saved=1")
	says(t, clerk.get(path+"?saved=1"), 200, "바꿨어요")
	if w := b.do("GET", "/admin", "", "Cookie", elsewhere); w.Code != 303 {
		t.Errorf("another session goes on: %d", w.Code)
	}
	if w := b.signIn("staff@example.com", goodPassword); w.Code == 303 {
		t.Error("the old password still opens")
	}
	if w := b.signIn("staff@example.com", next); w.Code != 303 {
		t.Errorf("the new password does not open: %d", w.Code)
	}
}

var question = regexp.MustCompile(`data-options="([^"]+)"[\s\S]*?name="passkey_question" value="([^"]+)"`)

// asked is what a page has the browser ask its passkeys.
func asked(t *testing.T, w *httptest.ResponseRecorder) app.Challenge {
	t.Helper()
	m := question.FindStringSubmatch(w.Body.String())
	if m == nil {
		t.Fatalf("%d: no passkey is asked for: %s", w.Code, brief(w))
	}
	return app.Challenge{Options: html.UnescapeString(m[1]), Kept: m[2]}
}

// TestFreshByPasskey: a passkey stands for the password where that is asked again, once.
//
// proves S16, S17
func TestFreshByPasskey(t *testing.T) {
	b := newBuyerShop(t, false)
	boss := b.desk(app.RoleOwner)
	d := apptest.NewDevice(t, b.PublicURL)
	q := asked(t, boss.post("/admin/account/passkeys/new", nil))
	says(t, boss.post("/admin/account/passkeys", url.Values{"name": {""}, "passkey_question": {q.Kept}, "passkey_answer": {d.Create(q)}}), 422, "이름")
	w := boss.post("/admin/account/passkeys", url.Values{"name": {"laptop"}, "passkey_question": {q.Kept}, "passkey_answer": {d.Create(q)}})
	says(t, w, 200, "복구 코드")
	says(t, boss.get("/admin/account"), 200, "laptop")

	b.pass(10 * time.Minute)
	const path = "/admin/settings/staff"
	w = boss.post(path, url.Values{"email": {"new@example.com"}, "role": {"staff"}})
	says(t, w, 401, "패스키로 확인")
	q, waiting := asked(t, w), kept(t, w)
	if strings.Contains(w.Body.String(), "new@example.com") {
		t.Error("the page that asks tells what was typed")
	}
	show := func(answer string) *httptest.ResponseRecorder {
		return boss.post(path, url.Values{"kept": {waiting}, "passkey_question": {q.Kept}, "passkey_answer": {answer}})
	}
	says(t, show(apptest.NewDevice(t, b.PublicURL).Sign(q)), 401, "패스키가 맞지 않아요")
	answer := d.Sign(q)
	says(t, show(answer), 200, "/invite/")
	b.pass(10 * time.Minute)
	says(t, show(answer), 409, "시간이 지났어요")
	w = boss.post(path, url.Values{"email": {"new@example.com"}, "role": {"staff"}})
	q, waiting = asked(t, w), kept(t, w)
	says(t, show(answer), 401, "패스키가 맞지 않아요")
}
