package main

import (
	"context"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// guide stands between a tool and the shop and keeps the tool signed in as the owner: it brings the cookie with every
// request, signs in anew when the session was ended, and hides the way out. The tools can't: wapiti sends no cookie of
// an address with a port, follows the way out like any other form, and fails at a path that it is told to leave alone.
type guide struct {
	*target
	server  *http.Server
	site    string
	signing sync.Mutex
	again   int // sign-ins on the way

	counting sync.Mutex
	answers  map[string]int // that each route gave to the owner, other than sending them to the door
}

// hidden are the paths that a guided tool never sees.
var hidden = []string{"/admin/sign-out", "/admin/sign-in"}

func (t *target) guided(ctx context.Context) (*guide, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	shop, err := url.Parse(t.shop)
	if err != nil {
		return nil, err
	}
	g := &guide{target: t, site: "http://" + ln.Addr().String(), answers: map[string]int{}}
	proxy := &httputil.ReverseProxy{
		ErrorLog: log.New(io.Discard, "", 0), // a tool that hangs up is none of ours
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(shop)
			r.Out.Header.Del("Cookie")
			r.Out.Header.Del("Origin")
			if !strings.HasPrefix(r.In.URL.Path, "/smartro/") {
				r.Out.Header.Set("Cookie", g.ownCookie())
				r.Out.Header.Set("Sec-Fetch-Site", "same-origin")
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if to := r.Header.Get("Location"); strings.HasPrefix(to, "/admin/sign-in") || r.StatusCode == http.StatusUnauthorized {
				return g.comeBack(ctx, r.Request.Header.Get("Cookie"))
			}
			g.count(r)
			return nil
		},
	}
	g.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, path := range hidden {
			if r.URL.Path == path {
				http.NotFound(w, r)
				return
			}
		}
		proxy.ServeHTTP(w, r)
	})}
	go func() { _ = g.server.Serve(ln) }() // it ends when it is closed
	return g, nil
}

func (t *target) ownCookie() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cookie
}

// comeBack signs in anew, once for all who were sent away with the same cookie.
func (g *guide) comeBack(ctx context.Context, lost string) error {
	g.signing.Lock()
	defer g.signing.Unlock()
	if g.ownCookie() != lost {
		return nil
	}
	g.again++
	return g.signIn(ctx)
}

func (g *guide) count(r *http.Response) {
	switch r.StatusCode {
	case http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusServiceUnavailable:
		return
	}
	if route := g.routeOf(r.Request.Method, r.Request.URL.Path); route != "" {
		g.counting.Lock()
		defer g.counting.Unlock()
		g.answers[route]++
	}
}

// met are the routes that answered until now.
func (g *guide) met() map[string]int {
	g.counting.Lock()
	defer g.counting.Unlock()
	return maps.Clone(g.answers)
}

// pressAll posts every form that has no field once: there is nothing in it to attack, and a tool that looks for fields
// passes it by.
func (g *guide) pressAll(ctx context.Context) error {
	for _, one := range g.aims {
		if one.form == nil || len(one.form) > 0 || spoils[one.route] != "" {
			continue
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.site+strings.TrimPrefix(one.url, g.shop), nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			return err
		}
		if err := res.Body.Close(); err != nil {
			return err
		}
	}
	return nil
}
