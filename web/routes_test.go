package web_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gage/app"
	"gage/web"
)

var parameter = regexp.MustCompile(`:[a-z]+|\*`)

// at is a concrete address of a route, of things that don't exist.
func at(r web.Declared) string { return parameter.ReplaceAllString(r.Path, "NOSUCHTHINGNOSUCHTHING") }

func (r caller) ask(b *buyerShop, method, target string, headers ...string) *httptest.ResponseRecorder {
	if r.cookie != "" {
		headers = append(headers, "Cookie", r.cookie)
	}
	return b.do(method, target, "", append(headers, "Sec-Fetch-Site", "same-origin")...)
}

// caller is one kind of visitor.
type caller struct {
	name   string
	cookie string
	role   app.Role // empty: nobody
}

// may says whether the tables let the caller call a route.
func (r caller) may(right app.Right) bool {
	return right == "public" || right == "gateway" || r.role != "" && (right == "signed in" || r.role.May(right))
}

// proves S16
func TestEveryRouteIsInTheTable(t *testing.T) {
	b := newBuyerShop(t, false)
	var declared []string
	for _, r := range b.server.Routes() {
		declared = append(declared, r.Method+" "+r.Path)
		if !slices.Contains(append(app.Rights(), "public", "gateway", "halfway", "signed in"), r.Right) {
			t.Errorf("%s %s declares the right %q", r.Method, r.Path, r.Right)
		}
		if r.Right == "public" && strings.HasPrefix(r.Path, "/admin") && !strings.HasPrefix(r.Path, "/admin/sign-") {
			t.Errorf("%s %s is open to strangers", r.Method, r.Path)
		}
		if (r.Right == "gateway") != strings.HasPrefix(r.Path, "/smartro/") {
			t.Errorf("%s %s declares the right %q", r.Method, r.Path, r.Right)
		}
	}
	mounted := b.server.Mounted()
	slices.Sort(declared)
	slices.Sort(mounted)
	if !slices.Equal(declared, mounted) {
		t.Errorf("mounted %v\ndeclared %v", mounted, declared)
	}
}

// TestRights calls every route as everybody.
//
// proves S16
func TestRights(t *testing.T) {
	b := newBuyerShop(t, false)
	callers := []caller{{"nobody", "", ""}, {"a planted key", "sid=planted; lang=ko", ""}}
	for _, r := range app.Roles() {
		callers = append(callers, caller{string(r), b.desk(r).cookie, r})
	}
	for _, c := range callers {
		for _, r := range b.server.Routes() {
			if r.Path == "/admin/sign-out" {
				continue // ends the session that the other routes are called with; see TestSignOut
			}
			w := c.ask(b, r.Method, at(r))
			toDoor := strings.HasPrefix(w.Header().Get("Location"), "/admin/sign-in")
			switch {
			case c.may(r.Right):
				if toDoor || w.Code == http.StatusForbidden || w.Code >= http.StatusInternalServerError {
					t.Errorf("%s: %s %s: %d, want it allowed", c.name, r.Method, r.Path, w.Code)
				}
			case c.role != "" && r.Right != "halfway":
				says(t, w, http.StatusForbidden, "권한이 없어요")
			default:
				if w.Code != http.StatusSeeOther || !toDoor {
					t.Errorf("%s: %s %s: %d, want the way to the sign-in", c.name, r.Method, r.Path, w.Code)
				}
				says(t, c.ask(b, r.Method, at(r), "Accept", "application/json"), http.StatusUnauthorized, `"error":"signed_out"`)
			}
		}
	}
}

func TestWrongMethods(t *testing.T) {
	b := newBuyerShop(t, false)
	owner := caller{cookie: b.desk(app.RoleOwner).cookie}
	known := map[string]bool{}
	for _, r := range b.server.Routes() {
		known[r.Method+" "+at(r)] = true
	}
	for _, r := range b.server.Routes() {
		for _, method := range []string{"HEAD", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"} {
			if known[method+" "+at(r)] {
				continue
			}
			w := owner.ask(b, method, at(r))
			switch w.Code {
			case http.StatusMethodNotAllowed:
				if !strings.Contains(w.Header().Get("Allow"), r.Method) {
					t.Errorf("%s %s: Allow is %q", method, r.Path, w.Header().Get("Allow"))
				}
			case http.StatusNoContent: // OPTIONS: says what there is
				if method != http.MethodOptions || !strings.Contains(w.Header().Get("Allow"), r.Method) {
					t.Errorf("%s %s: %d", method, r.Path, w.Code)
				}
			case http.StatusNotFound:
			default:
				t.Errorf("%s %s: %d", method, r.Path, w.Code)
			}
		}
	}
	says(t, b.do("PUT", "/pay/received", ""), 405, "잘못된 호출 방식이에요")
	for _, target := range []string{"/nothing", "/admin/nothing", "/smartro/nothing", "/pay", "/admin/payments/", "/../admin", "/admin/"} {
		says(t, b.do("GET", target, ""), 404, "찾을 수 없어요")
	}
}

// TestOtherSitesPostNothing: only the gateway's own routes take what another site makes a browser send,
// and what does not say where it comes from is refused wherever a session may come with it.
//
// proves S18
func TestOtherSitesPostNothing(t *testing.T) {
	b := newBuyerShop(t, true)
	cookie := b.desk(app.RoleOwner).cookie
	foreign := [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Origin", "https://evil.example"},
		{"Origin", "http://shop.test.evil.example"},
		{"Origin", "http://shop.test:8080"},
		{"Origin", "null"},
		{"Origin", "http://shop.test", "Sec-Fetch-Site", "cross-site"},
	}
	for _, r := range b.server.Routes() {
		if r.Method == http.MethodGet {
			continue
		}
		for _, headers := range foreign {
			w := b.do(r.Method, at(r), "a=b", append(headers, "Cookie", cookie)...)
			switch {
			case r.Right != "gateway":
				says(t, w, http.StatusForbidden, "다른 사이트에서 온 요청이에요")
			case w.Code == http.StatusForbidden || w.Code >= http.StatusInternalServerError:
				t.Errorf("%s %s with %v: %d", r.Method, r.Path, headers, w.Code)
			}
		}
	}
	unsaid := 0
	for _, r := range b.server.Routes() {
		if r.Method != http.MethodGet && r.Authority == "session" {
			says(t, b.do(r.Method, at(r), "a=b", "Cookie", cookie), http.StatusForbidden, "어디에서 온 요청인지 알 수 없어요")
			unsaid++
		}
	}
	if unsaid < 70 {
		t.Errorf("only %d routes asked for where they are called from", unsaid)
	}
	w := b.do("POST", "/sample", "goods=1", "Cookie", cookie, "Origin", "http://shop.test")
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/pay/") {
		t.Errorf("our own page's post: %d %s", w.Code, w.Body)
	}
}

// TestGatewayRoutesReadNoCookie: with the owner's cookie they answer as without, and set none.
//
// proves S18
func TestGatewayRoutesReadNoCookie(t *testing.T) {
	b := newBuyerShop(t, false)
	cookie := b.desk(app.RoleOwner).cookie
	for _, r := range b.server.Routes() {
		if r.Right != "gateway" {
			continue
		}
		plain := b.do(r.Method, at(r), "a=b", "Sec-Fetch-Site", "cross-site")
		with := b.do(r.Method, at(r)+"?lang=en", "a=b", "Sec-Fetch-Site", "cross-site", "Cookie", cookie+"; lang=en")
		if plain.Code != with.Code || plain.Body.String() != with.Body.String() || plain.Header().Get("Location") != with.Header().Get("Location") {
			t.Errorf("%s %s: %d %s\nwith a cookie %d %s", r.Method, r.Path, plain.Code, plain.Body, with.Code, with.Body)
		}
		if c := with.Result().Cookies(); len(c) > 0 {
			t.Errorf("%s %s sets %v", r.Method, r.Path, c)
		}
	}
}

// proves S13
func TestForeignHost(t *testing.T) {
	b := newBuyerShop(t, false)
	for host, status := range map[string]int{
		"shop.test": 200, "SHOP.test": 200, "shop.test:80": 200, "shop.test.": 200,
		"evil.example": 421, "shop.test:8080": 421, "shop.test.evil.example": 421, "": 421, "user@shop.test": 421, "shop.test/x": 421, "127.0.0.1": 421,
	} {
		r := httptest.NewRequest("GET", "/admin/sign-in", nil)
		r.Host = host
		w := b.send(r)
		if w.Code != status {
			t.Errorf("Host %q: %d, want %d", host, w.Code, status)
		}
		if status == 421 {
			wants(t, w, "이 상점의 주소는 http://shop.test 입니다")
		}
		r = httptest.NewRequest("GET", "/healthz", nil)
		r.Host = host
		says(t, b.send(r), 200)
	}
}
