package web_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/web"
)

// TestSessionCookie: on https the browser itself binds the cookie to this host, and the database does not know it.
//
// proves S14
func TestSessionCookie(t *testing.T) {
	b := newBuyerShop(t, false)
	b.person(staffMail, app.RoleStaff)
	s, err := web.New(web.Config{Shop: b.Shop, PublicURL: "https://shop.test", Log: b.Shop.Log, Now: b.now})
	if err != nil {
		t.Fatal(err)
	}
	b.handler = s.Handler()
	w := b.signIn(staffMail, goodPassword)
	leads(t, w, "/admin")
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("cookies %v", cookies)
	}
	c := cookies[0]
	if c.Name != "__Host-sid" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != int(web.SessionMax.Seconds()) {
		t.Errorf("the cookie is %v", c)
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(c.Value) {
		t.Errorf("the key %q is not 256 bits", c.Value)
	}
	says(t, b.do("GET", "/admin", "", "Cookie", c.Name+"="+c.Value), 200)
	leads(t, b.do("GET", "/admin", "", "Cookie", "sid="+c.Value), "/admin/sign-in")
	who, err := b.Store.StaffByEmail(context.Background(), staffMail)
	if err != nil {
		t.Fatal(err)
	}
	list, err := b.Sessions(context.Background(), who)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if row := list[0]; strings.Contains(row.Hash+row.Data, c.Value) || len(row.Hash) != 64 || strings.Contains(row.Data, "198.51") {
		t.Errorf("the row %+v tells the key or where it was begun", row)
	}
	leads(t, b.do("GET", "/admin", "", "Cookie", c.Name+"="+list[0].Hash), "/admin/sign-in")
}

// TestSessionIdle: use keeps a session, up to its absolute end; what an open page asks by itself is no use.
//
// proves S14
func TestSessionIdle(t *testing.T) {
	if web.SessionIdle != 15*time.Minute || web.SessionMax != 8*time.Hour {
		t.Errorf("idle %v, at most %v", web.SessionIdle, web.SessionMax)
	}
	d := newBuyerShop(t, false).desk(app.RoleStaff)
	for range 14 {
		d.pass(time.Minute)
		says(t, d.get("/admin/fresh?since=0"), 200)
	}
	d.pass(time.Minute)
	leads(t, d.get("/admin"), "/admin/sign-in")
}

// TestSessionClockBack: a clock that goes back gives a session no time.
//
// proves S14
func TestSessionClockBack(t *testing.T) {
	d := newBuyerShop(t, false).desk(app.RoleStaff)
	d.pass(-30 * time.Second)
	says(t, d.get("/admin"), 200)
	d.pass(-time.Hour)
	leads(t, d.get("/admin"), "/admin/sign-in")
}

// TestSessionEndsWithRights: whoever gets other rights signs in anew, and an old session does not get them.
//
// proves S14
func TestSessionEndsWithRights(t *testing.T) {
	b := newBuyerShop(t, false)
	d := b.desk(app.RoleStaff)
	set := func(role app.Role) {
		t.Helper()
		err := b.Store.Update(context.Background(), func(tx app.Tx) error {
			p, err := tx.StaffByID(context.Background(), d.who.ID)
			if err != nil {
				return err
			}
			p.Role = role
			return tx.SaveStaff(context.Background(), p)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	set(app.RoleOwner)
	leads(t, d.get("/admin/settings"), "/admin/sign-in?next=%2Fadmin%2Fsettings")
	boss := sessionCookie(t, b.signIn(staffMail, goodPassword))
	says(t, b.do("GET", "/admin/settings", "", "Cookie", boss), 200)
	set(app.RoleStaff)
	leads(t, b.do("GET", "/admin", "", "Cookie", boss), "/admin/sign-in")
}

// TestOwnSessions: a person sees where they are signed in, and ends what they choose: their own only.
//
// proves S14
func TestOwnSessions(t *testing.T) {
	b := newBuyerShop(t, false)
	const chrome = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
	d, boss := b.desk(app.RoleStaff), b.desk(app.RoleOwner)
	begin := func(agent string) string {
		return sessionCookie(t, b.signIn(staffMail, goodPassword, "User-Agent", agent))
	}
	office, phone := begin(chrome), begin("Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1")
	page := d.get("/admin/account")
	says(t, page, 200, "Chrome · Windows", "Safari · iPhone", "이 브라우저", "192.0.2.1", "알 수 없는 브라우저", "다른 곳 모두 로그아웃")
	rows := regexp.MustCompile(`name="session" value="([0-9a-f]{64})"`).FindAllStringSubmatch(page.Body.String(), -1)
	if len(rows) != 2 {
		t.Fatalf("%d sessions can be ended, want the two others", len(rows))
	}
	in := func(cookie string) bool {
		return b.do("GET", "/admin/account", "", "Cookie", cookie).Code == http.StatusOK
	}
	says(t, boss.post("/admin/account/sessions", url.Values{"session": {rows[0][1]}}), 404)
	says(t, boss.post("/admin/account/sessions", nil), 404)
	leads(t, boss.post("/admin/account/sessions", url.Values{"all": {"yes"}}), "/admin/account?ended=1")
	if !in(office) || !in(phone) || !in(d.cookie) {
		t.Fatal("somebody else ended a session")
	}
	leads(t, d.post("/admin/account/sessions", url.Values{"session": {rows[0][1]}}), "/admin/account?ended=1")
	if in(office) == in(phone) || !in(d.cookie) {
		t.Errorf("one of the two was to end: office %v, phone %v, this one %v", in(office), in(phone), in(d.cookie))
	}
	leads(t, d.post("/admin/account/sessions", url.Values{"all": {"yes"}}), "/admin/account?ended=1")
	if in(office) || in(phone) || !in(d.cookie) || !in(boss.cookie) {
		t.Error("all others were to end, and nobody else's")
	}
	if page := d.get("/admin/account?ended=1"); strings.Contains(page.Body.String(), "다른 곳 모두 로그아웃") {
		t.Error("there is nothing left to end")
	} else {
		says(t, page, 200, "끝냈어요")
	}
}

// TestSessionsDoNotPileUp: what ended by itself is deleted by the next sign-in.
//
// proves S14
func TestSessionsDoNotPileUp(t *testing.T) {
	b := newBuyerShop(t, false)
	d := b.desk(app.RoleStaff)
	for range 3 {
		leads(t, b.signIn(staffMail, goodPassword), "/admin")
		b.pass(web.SessionMax)
	}
	leads(t, b.signIn(staffMail, goodPassword), "/admin")
	list, err := b.Store.SessionsOf(context.Background(), d.who.ID)
	if err != nil || len(list) != 1 {
		t.Errorf("%d sessions are kept, %v", len(list), err)
	}
}
