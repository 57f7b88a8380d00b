package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
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
		"a gateway's route is anonymou": func(r *route) { r.right, r.authority = gateway, session },
		"only come with a session":      func(r *route) { r.right = owner },
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
