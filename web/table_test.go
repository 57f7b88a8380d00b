package web

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
)

// TestUndeclaredRoutes: a line of the table that leaves something out is never mounted: the server is not even made.
//
// proves S16, R38
func TestUndeclaredRoutes(t *testing.T) {
	good := route{
		http.MethodGet, "/x", public, anonymous, budget{noBody, quick, pages},
		func(c echo.Context) error { return c.NoContent(http.StatusOK) },
	}
	built := func(lines ...route) error {
		_, err := (&Server{guard: http.NewCrossOriginProtection()}).build(lines)
		return err
	}
	if err := built(good); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*route){
		"want GET or POST":              func(r *route) { r.method = "" },
		"a path":                        func(r *route) { r.path = "" },
		"a handler":                     func(r *route) { r.handler = nil },
		"it declares no right":          func(r *route) { r.right = "" },
		"it declares no authority":      func(r *route) { r.authority = "" },
		"there is no right":             func(r *route) { r.right, r.authority = "see everything", session },
		"a gateway's route is anonymou": func(r *route) { r.right, r.authority = gateway, session },
		"only come with a session":      func(r *route) { r.right = app.RightSettle },
		"no limit of the body":          func(r *route) { r.budget.body = 0 },
		"limit of the body":             func(r *route) { r.budget.body = maxBody + 1 },
		"no time":                       func(r *route) { r.budget.wait = 0 },
		"no room":                       func(r *route) { r.budget.room = "" },
		"its budget has no room":        func(r *route) { r.budget.room = "attic" },
	} {
		bad := good
		change(&bad)
		if err := built(good, bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	other := good
	other.path = "/a/:x"
	again := good
	again.path = "/a/:y"
	if err := built(other, again); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("two lines for one address: %v", err)
	}
	if err := built(route{}); err == nil {
		t.Error("an empty line was mounted")
	}
}

// TestAnonymousRoutesSeeNoCookie: whatever a handler does, it finds no cookie where the table says that none counts.
//
// proves S18, S7
func TestAnonymousRoutesSeeNoCookie(t *testing.T) {
	for a, want := range map[authority]string{anonymous: "", session: "sid=secret; lang=ko"} {
		saw, marked := "", false
		s := &Server{
			Config: Config{Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Unix(1, 0) }},
			public: &url.URL{Scheme: "http", Host: "shop.test"}, guard: http.NewCrossOriginProtection(),
			rooms: openRooms(), paces: newPaces(Pace{}),
		}
		e, err := s.build([]route{{http.MethodGet, "/x", public, a, budget{noBody, quick, pages}, func(c echo.Context) error {
			saw, marked = c.Request().Header.Get("Cookie"), app.FromBrowser(evidence(c.Request()))
			return c.NoContent(http.StatusOK)
		}}})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "/x", nil)
		r.Host = "shop.test"
		r.Header.Set("Cookie", "sid=secret; lang=ko")
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code != http.StatusOK || saw != want || !marked {
			t.Errorf("%s: %d, saw %q, want %q; a browser: %t", a, w.Code, saw, want, marked)
		}
	}
}

// TestPacesAreBounded: strangers with many addresses can't fill the memory either.
//
// proves S22
func TestPacesAreBounded(t *testing.T) {
	p, now := newPaces(Pace{PerSecond: 1, Burst: 1}), time.Unix(1, 0)
	from := netip.MustParseAddr("198.51.100.1")
	for range 5 * maxPaces {
		if from = from.Next(); !p.allow(from, now) {
			t.Fatalf("%s was refused", from)
		}
		if p.allow(from, now) {
			t.Fatalf("%s was not counted", from)
		}
	}
	if n := len(p.young) + len(p.old); n > 2*maxPaces {
		t.Errorf("%d addresses remembered, want at most %d", n, 2*maxPaces)
	}
}
