package web_test

import (
	"html"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"gage/app"
)

// authenticator is somebody's app: it shows codes.
type authenticator string

func (a authenticator) code(t *testing.T, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(string(a), at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// enrols goes through the page that turns the second factor on. It returns the app and the recovery codes.
func (d *desk) enrols() (authenticator, []string) {
	d.t.Helper()
	page := d.get("/admin/account/second")
	says(d.t, page, 200, "data:image/svg+xml;base64,", "앱에서 이 그림을 찍어 주세요")
	secret := regexp.MustCompile(`<code class="tid">([A-Z2-7 ]+)</code>`).FindStringSubmatch(page.Body.String())
	kept := regexp.MustCompile(`name="secret" value="([^"]+)"`).FindStringSubmatch(page.Body.String())
	if secret == nil || kept == nil {
		d.t.Fatalf("no secret in %s", brief(page))
	}
	a := authenticator(strings.ReplaceAll(secret[1], " ", ""))
	form := url.Values{"secret": {html.UnescapeString(kept[1])}, "code": {"000000"}}
	wrong := d.post("/admin/account/second", form)
	says(d.t, wrong, 422, "숫자가 맞지 않아요", secret[1]) // the same secret: the picture was scanned already
	form.Set("code", a.code(d.t, d.now()))
	done := d.post("/admin/account/second", form)
	says(d.t, done, 200, "2단계 로그인이 켜졌어요")
	codes := regexp.MustCompile(`<li>((?:[2-9A-Z]{4}-){5}[2-9A-Z]{4})</li>`).FindAllStringSubmatch(done.Body.String(), -1)
	if len(codes) != 10 {
		d.t.Fatalf("%d recovery codes in %s", len(codes), brief(done))
	}
	var recovery []string
	for _, c := range codes {
		recovery = append(recovery, c[1])
	}
	return a, recovery
}

// codeAt posts the second step of a sign-in.
func (b *buyerShop) codeAt(half string, form url.Values) *httptest.ResponseRecorder {
	return b.post("/admin/sign-in/code", form, "Cookie", half)
}

// TestSecondStep: with a second factor nobody has a session before both steps, by whichever way in: the door, or a link
// for a new password. Half a sign-in opens nothing, lasts five minutes, and ends with the password that it was begun by.
//
// proves S15, S16, S14
func TestSecondStep(t *testing.T) {
	b := newBuyerShop(t, false)
	d, boss := b.desk(app.RoleStaff), b.desk(app.RoleOwner)
	other := sessionCookie(t, b.signIn(staffMail, goodPassword))
	mine, recovery := d.enrols()
	leads(t, b.do("GET", "/admin", "", "Cookie", other), "/admin/sign-in") // begun without it
	says(t, d.get("/admin/account"), 200, "켜져 있음", "복구 코드 10개 남음")

	begin := func() string {
		t.Helper()
		w := b.post("/admin/sign-in", url.Values{"email": {staffMail}, "password": {goodPassword}, "next": {"/admin/work"}})
		leads(t, w, "/admin/sign-in/code?next=%2Fadmin%2Fwork")
		return sessionCookie(t, w)
	}
	half := begin()
	for _, r := range b.server.Routes() {
		if r.Right == "public" || r.Right == "gateway" || r.Right == "halfway" {
			continue
		}
		w := caller{cookie: half}.ask(b, r.Method, at(r))
		if !strings.HasPrefix(w.Header().Get("Location"), "/admin/sign-in") {
			t.Errorf("half a sign-in: %s %s: %d", r.Method, r.Path, w.Code)
		}
	}
	says(t, b.do("GET", "/admin/sign-in/code", "", "Cookie", half), 200, "인증 코드를 입력해 주세요", `autocomplete="one-time-code"`)
	b.pass(time.Minute)
	says(t, b.codeAt(half, url.Values{"code": {"123456"}}), 401, "코드가 맞지 않거나")
	says(t, b.codeAt(half, nil), 401)
	w := b.codeAt(half, url.Values{"code": {mine.code(t, b.now())}, "next": {"//evil.example/"}})
	leads(t, w, "/admin")
	in := sessionCookie(t, w)
	says(t, b.do("GET", "/admin/account", "", "Cookie", in), 200, "김주인")
	leads(t, b.do("GET", "/admin", "", "Cookie", half), "/admin/sign-in") // another key
	leads(t, b.do("GET", "/admin/sign-in/code", "", "Cookie", half), "/admin/sign-in?next=%2Fadmin%2Fsign-in%2Fcode")

	half = begin()
	says(t, b.codeAt(half, url.Values{"code": {mine.code(t, b.now())}}), 401) // used
	leads(t, b.codeAt(half, url.Values{"code": {""}, "recovery": {" " + strings.ToLower(recovery[0]) + " "}}), "/admin")
	half = begin()
	says(t, b.codeAt(half, url.Values{"recovery": {recovery[0]}}), 401, `<details class="more" open`)
	b.pass(4 * time.Minute)
	says(t, b.do("GET", "/admin/sign-in/code", "", "Cookie", half), 200)
	b.pass(time.Minute)
	leads(t, b.codeAt(half, url.Values{"code": {mine.code(t, b.now())}}), "/admin/sign-in")

	half = begin()
	invite := boss.again(boss.post("/admin/settings/staff/reset", url.Values{"email": {staffMail}}))
	link := regexp.MustCompile(`/invite/[A-Z0-9]+`).FindString(invite.Body.String())
	const newPassword = "귤은 겨울에 더 달고 맛있다"
	w = b.post(link, url.Values{"name": {"김직원"}, "password": {newPassword}})
	leads(t, w, "/admin/sign-in/code")
	leads(t, b.codeAt(half, url.Values{"code": {mine.code(t, b.now())}}), "/admin/sign-in") // another password
	half = sessionCookie(t, w)
	leads(t, b.do("GET", "/admin", "", "Cookie", half), "/admin/sign-in")
	leads(t, b.codeAt(half, url.Values{"code": {mine.code(t, b.now())}}), "/admin")
	if log := b.log.String(); strings.Contains(log, string(mine)) || strings.Contains(log, recovery[1]) {
		t.Error("the log tells a secret")
	}
}

// again types the password where the page asks for it.
func (d *desk) again(w *httptest.ResponseRecorder, more ...string) *httptest.ResponseRecorder {
	d.t.Helper()
	m := regexp.MustCompile(`action="([^"]+)" class="stack"`).FindStringSubmatch(w.Body.String())
	if w.Code != 401 || m == nil {
		return w
	}
	form := url.Values{"kept": {kept(d.t, w)}, "password_again": {goodPassword}}
	if len(more) > 0 {
		form.Set("code_again", more[0])
	}
	return d.post(m[1], form)
}

// TestSecondAgain: what asks for the password once more asks who has a second factor for a code, too.
//
// proves S17, S15
func TestSecondAgain(t *testing.T) {
	b := newBuyerShop(t, false)
	d := b.desk(app.RoleStaff)
	mine, recovery := d.enrols()
	b.pass(11 * time.Minute)
	const path = "/admin/account/second/recovery"
	w := d.post(path, nil)
	says(t, w, 401, "비밀번호를 한 번 더", "code_again")
	says(t, d.again(w), 401, "비밀번호나 인증 코드가 맞지 않아요")
	says(t, d.again(w, "000000"), 401, "비밀번호나 인증 코드가 맞지 않아요")
	w = d.again(w, mine.code(t, b.now()))
	says(t, w, 200, "복구 코드")
	if strings.Contains(w.Body.String(), recovery[0]) {
		t.Error("an old recovery code is shown")
	}
	b.pass(11 * time.Minute)
	leads(t, d.again(d.post("/admin/account/second/off", nil), mine.code(t, b.now())), "/admin/account?second=off#second")
	leads(t, b.signIn(staffMail, goodPassword), "/admin")
}

// TestMustEnrol: where the owner asks for it, who moves money and has no second factor gets to the page that sets one
// up, an app or a passkey, and to nothing else; who moves none is not asked.
//
// proves S16
func TestMustEnrol(t *testing.T) {
	b := newBuyerShop(t, false)
	boss, clerk, viewer := b.desk(app.RoleOwner), b.desk(app.RoleStaff), b.desk(app.RoleViewer)
	rule := url.Values{"rule": {"required"}}
	says(t, boss.post("/admin/settings/staff/second-rule", rule), 409, "본인부터 2단계 로그인을 켜 주세요")
	boss.enrols()
	leads(t, boss.post("/admin/settings/staff/second-rule", rule), "/admin/settings/staff?saved=1")
	leadsTo := []string{"/admin/account/second", "/admin/account/passkeys/new", "/admin/account/passkeys"}
	for _, r := range b.server.Routes() {
		if r.Right == "public" || r.Right == "gateway" || r.Right == "halfway" || slices.Contains(leadsTo, r.Path) {
			continue
		}
		leads(t, caller{cookie: clerk.cookie}.ask(b, r.Method, at(r)), "/admin/account/second")
		says(t, caller{cookie: clerk.cookie}.ask(b, r.Method, at(r), "Accept", "application/json"), 403, `"error":"must_enrol"`)
	}
	says(t, viewer.get("/admin"), 200)
	says(t, boss.get("/admin"), 200)
	says(t, boss.post("/admin/settings/staff/second-rule", url.Values{"rule": {"no"}}), 400)
	says(t, boss.get("/admin/audit?kind=changed_second_rule"), 200, "아무도", "돈을 다루는 사람")
	leads(t, boss.post("/admin/settings/staff/second-rule", url.Values{"rule": {"everybody"}}), "/admin/settings/staff?saved=1")
	leads(t, viewer.get("/admin"), "/admin/account/second")
	leads(t, boss.post("/admin/settings/staff/second-rule", rule), "/admin/settings/staff?saved=1")
	says(t, clerk.get("/admin/account/second"), 200, "먼저 2단계 로그인을 켜 주세요")
	clerk.enrols()
	says(t, clerk.get("/admin"), 200)
	leads(t, boss.post("/admin/settings/staff/second", url.Values{"email": {staffMail}}), "/admin/settings/staff?saved=1")
	leads(t, clerk.get("/admin"), "/admin/sign-in") // it ended their sessions, too
	leads(t, b.do("GET", "/admin", "", "Cookie", sessionCookie(t, b.signIn(staffMail, goodPassword))), "/admin/account/second")
}

// TestPeoplePage: the owner gives people roles, and sees what each role may do as the table of rights says it.
//
// proves S14, S16
func TestPeoplePage(t *testing.T) {
	b := newBuyerShop(t, false)
	boss, clerk := b.desk(app.RoleOwner), b.desk(app.RoleStaff)
	page := boss.get("/admin/settings/staff")
	says(t, page, 200, staffMail, "점장", "경리", "보기만", "역할마다 할 수 있는 일", "다른 사람의 취소 승인")
	yes, cells := strings.Count(page.Body.String(), ">할 수 있음<"), 0
	for _, r := range app.Rights() {
		for _, role := range app.Roles() {
			if role.May(r) {
				cells++
			}
		}
	}
	if yes != cells {
		t.Errorf("the page says %d times that a role may, the table %d", yes, cells)
	}
	role := func(mail, role string) *httptest.ResponseRecorder {
		return boss.post("/admin/settings/staff/role", url.Values{"email": {mail}, "role": {role}})
	}
	leads(t, role(staffMail, "manager"), "/admin/settings/staff?saved=1")
	leads(t, clerk.get("/admin"), "/admin/sign-in")
	says(t, role(ownerMail, "viewer"), 403)
	says(t, role(staffMail, "king"), 400)
	says(t, role("nobody@example.com", "viewer"), 404)
	says(t, boss.get("/admin/audit?kind=changed_role"), 200, "역할 바꿈", "직원 → 점장")
	says(t, boss.post("/admin/settings/staff", url.Values{"email": {"x"}, "role": {"viewer"}}), 422, `value="x"`, `<option value="viewer" selected`)
}
