package web_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/web"
)

// login is a way in which somebody of a role may stand before a route.
type login struct {
	name  string
	live  bool // a session that counts: the table of rights says what it may
	fresh bool // the password was typed a moment ago
	half  bool // the password alone, where a second factor is asked for
	begin func(m *matrix, role app.Role) (cookie string)
}

// logins are all of them. What is no live session may do what nobody may, and nothing else.
var logins = []login{
	{name: "signed in", live: true, fresh: true, begin: (*matrix).signedIn},
	{name: "signed in a while ago", live: true, begin: func(m *matrix, role app.Role) string {
		cookie := m.signedIn(role)
		m.pass(11 * time.Minute)
		return cookie
	}},
	{name: "nobody", begin: func(*matrix, app.Role) string { return "" }},
	{name: "with a key that somebody planted", begin: func(*matrix, app.Role) string { return "sid=planted" }},
	{name: "with half a sign-in", half: true, begin: func(m *matrix, role app.Role) string {
		d := &desk{m.buyerShop, m.signedIn(role), app.Staff{}}
		d.enrols()
		return sessionCookie(m.t, m.signIn(m.mail, goodPassword))
	}},
	{name: "signed in and idle for too long", begin: func(m *matrix, role app.Role) string {
		cookie := m.signedIn(role)
		m.pass(16 * time.Minute)
		return cookie
	}},
	{name: "signed out", begin: func(m *matrix, role app.Role) string {
		cookie := m.signedIn(role)
		m.post("/admin/sign-out", nil, "Cookie", cookie)
		return cookie
	}},
	{name: "disabled meanwhile", begin: func(m *matrix, role app.Role) string {
		cookie := m.signedIn(role)
		m.must(m.DisableStaff(m.t.Context(), m.boss, m.mail, true))
		return cookie
	}},
	{name: "with another role meanwhile", begin: func(m *matrix, role app.Role) string {
		cookie := m.signedIn(role)
		other := app.RoleViewer
		if role == other {
			other = app.RoleStaff
		}
		m.must(m.SetRole(m.t.Context(), m.boss, m.mail, other))
		return cookie
	}},
}

// matrix is a shop with an owner who stays, and one person at a time who tries everything.
type matrix struct {
	*buyerShop
	boss app.Staff
	mail string
	n    int
}

func (m *matrix) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// signedIn makes a new person of the role, who signs in.
func (m *matrix) signedIn(role app.Role) string {
	m.t.Helper()
	m.n++
	m.pass(20 * time.Minute) // the one before may have typed wrong passwords: an empty form is one
	m.mail = strings.Repeat("x", m.n) + "@example.com"
	m.person(m.mail, role)
	w := m.signIn(m.mail, goodPassword)
	if w.Code != http.StatusSeeOther {
		m.t.Fatalf("sign-in as %s: %d %s", role, w.Code, w.Body)
	}
	return sessionCookie(m.t, w)
}

// TestRolesRoutesLogins calls every route by every method as every role in every state of its sign-in. What each cell
// must be follows from the table of rights and the table of routes alone.
//
// proves S16, S14, S17
func TestRolesRoutesLogins(t *testing.T) {
	b := newBuyerShop(t, false)
	m := &matrix{buyerShop: b, boss: b.person("boss@example.com", app.RoleOwner)}
	routes := b.server.Routes()
	byPath := map[string][]string{}
	for _, r := range routes {
		byPath[at(r)] = append(byPath[at(r)], r.Method)
	}
	cells := 0
	for _, role := range app.Roles() {
		for _, l := range logins {
			cookie := l.begin(m, role)
			who := caller{name: string(role) + ", " + l.name, cookie: cookie}
			if l.live {
				who.role = role
			}
			for _, r := range routes {
				if l.live && (r.Path == "/admin/sign-out" || strings.HasSuffix(r.Path, "/events")) {
					continue // the one ends the session that the rest is asked with, the other has no end
				}
				cells++
				m.cell(l, who, r, who.ask(b, r.Method, at(r)))
				for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
					if slices.Contains(byPath[at(r)], method) {
						continue
					}
					cells++
					if w := who.ask(b, method, at(r)); w.Code != http.StatusMethodNotAllowed && w.Code != http.StatusNotFound {
						t.Errorf("%s: %s %s, which is no route: %d", who.name, method, r.Path, w.Code)
					}
				}
			}
		}
	}
	t.Logf("reached: %d cells of role, route, method and sign-in", cells)
	if want := len(routes) * len(logins) * len(app.Roles()); cells < want {
		t.Errorf("%d cells, want %d and more", cells, want)
	}
}

// cell compares one answer with what the tables say.
func (m *matrix) cell(l login, who caller, r web.Declared, w *httptest.ResponseRecorder) {
	m.t.Helper()
	door := w.Code == http.StatusSeeOther && strings.HasPrefix(w.Header().Get("Location"), "/admin/sign-in")
	again := w.Code == http.StatusUnauthorized && strings.Contains(w.Body.String(), "비밀번호를 한 번 더")
	switch {
	case w.Code >= http.StatusInternalServerError:
		m.t.Errorf("%s: %s %s: %d", who.name, r.Method, r.Path, w.Code)
	case r.Right == "halfway":
		if l.half == door {
			m.t.Errorf("%s: %s %s: %d, to the door: %t", who.name, r.Method, r.Path, w.Code, door)
		}
	case who.may(r.Right):
		asks := r.Path == "/admin/account/password" // its own form asks for the password, whenever it was typed
		if door && r.Right != "public" || w.Code == http.StatusForbidden || again && l.fresh && !asks {
			m.t.Errorf("%s: %s %s: %d, want it allowed", who.name, r.Method, r.Path, w.Code)
		}
	case who.role != "":
		if w.Code != http.StatusForbidden {
			m.t.Errorf("%s: %s %s: %d, want it forbidden", who.name, r.Method, r.Path, w.Code)
		}
	case !door:
		m.t.Errorf("%s: %s %s: %d, want the way to the sign-in", who.name, r.Method, r.Path, w.Code)
	}
}
