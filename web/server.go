// Package web is the shop over HTTP: the buyer's pages, the gateway's endpoints, the staff's back office. A handler
// parses, calls one use case of package app, renders; it holds no rule about money.
//
// Start at [New] and at the table in routes.go, which declares for every route who may call it. Errors are
// returned, and become answers in errors.go.
package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
	"golang.org/x/net/publicsuffix"

	"gage/app"
	"gage/web/sheet"
)

// Config is what the server needs of the world.
type Config struct {
	Shop           *app.Shop
	PublicURL      string         // https://shop.example, no trailing slash: the only host that is answered for
	Sample         bool           // the demo's sample checkout at /
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed; empty: the direct peer is the sender
	Pace           Pace           // of what strangers post, by address; zero: [DefaultPace]
	Log            *slog.Logger
	Now            func() time.Time
	Version        string
	Scratch        sheet.Scratch // where files wait that are made or read; empty: the system's place for them
}

// Server answers for one shop. Make it with [New].
type Server struct {
	Config
	public   *url.URL
	sessions *sessionStore
	guard    *http.CrossOriginProtection
	echo     *echo.Echo
	rooms    map[roomName]*room
	paces    *paces
	secrets  knownSecrets
	exports  exportsUnderWay
	unlisted atomic.Bool   // a proxy that is not listed was seen since the start
	passkeys *app.Passkeys // nil: browsers take the public URL for no name
}

// New makes the server; it says all that is wrong with the configuration at once.
func New(cfg Config) (*Server, error) {
	var faults []error
	u, err := url.Parse(cfg.PublicURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		faults = append(faults, fmt.Errorf("public URL %q: want http(s)://host[:port] without a path", cfg.PublicURL))
	}
	if cfg.Shop == nil {
		faults = append(faults, errors.New("no shop"))
	}
	if cfg.Log == nil {
		faults = append(faults, errors.New("no log"))
	}
	if cfg.Now == nil {
		faults = append(faults, errors.New("no clock"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	s := &Server{Config: cfg, public: u, guard: http.NewCrossOriginProtection()}
	s.sessions = &sessionStore{store: cfg.Shop.Store, keys: cfg.Shop.Keys, now: cfg.Now, secure: s.https()}
	if s.passkeys, err = app.NewPasskeys(cfg.Shop, u); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	s.rooms, s.paces = openRooms(), newPaces(cfg.Pace)
	if s.echo, err = s.build(s.routes()); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	return s, nil
}

// Handler is the whole site.
func (s *Server) Handler() http.Handler { return s.echo }

func (s *Server) https() bool { return s.public.Scheme == "https" }

// hsts is what a browser is told of HTTPS: for a year, and of the names below the shop's own where that is a host's
// name (pay.shop.example). Where it is the registered name itself (shop.example), other hosts of the owner's are below
// it, of which we do not know whether they speak HTTPS.
func (s *Server) hsts() string {
	const year = "max-age=31536000"
	host := s.public.Hostname()
	registered, err := publicsuffix.EffectiveTLDPlusOne(host)
	if _, ipErr := netip.ParseAddr(host); ipErr == nil || err != nil || strings.EqualFold(registered, host) {
		return year
	}
	return year + "; includeSubDomains"
}

// build lays the routes of the table onto a router of its own. A line that does not declare all of right, authority
// and budget is an error, and then nothing is served.
func (s *Server) build(table []route) (*echo.Echo, error) {
	if err := incompleteTable(table); err != nil {
		return nil, err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.answerError
	e.IPExtractor = s.ipExtractor()
	e.SchemeExtractor = func(*http.Request) string { return s.public.Scheme }
	e.Use(s.requestID, s.accessLog, s.recoverPanics, s.securityHeaders, s.seeProxy, s.checkHost, s.language, s.crossOrigin)
	for _, r := range table {
		e.Add(r.method, r.path, r.handler, s.routeMiddleware(r)...)
		if r.right == gateway && r.method == http.MethodPost {
			s.guard.AddInsecureBypassPattern(http.MethodPost + " " + muxPattern(r.path))
		}
	}
	return e, nil
}

// muxPattern writes a route of the table the way net/http patterns are written.
func muxPattern(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, ":") {
			parts[i] = "{" + p[1:] + "}"
		}
	}
	return strings.Join(parts, "/")
}

// render draws component into memory first, so that a failing template is a clean 500 and never half a page.
func (s *Server) render(c echo.Context, status int, component templ.Component) error {
	var page bytes.Buffer
	// The page that says that the route's time is over has to be drawn after it.
	if err := component.Render(context.WithoutCancel(c.Request().Context()), &page); err != nil {
		return fmt.Errorf("render: %w", err)
	}
	return c.HTMLBlob(status, page.Bytes())
}

// getHealth handles GET /healthz: the process is alive.
func (s *Server) getHealth(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "alive", "version": s.Version})
}

// getReady handles GET /readyz: the store can write now.
func (s *Server) getReady(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 3*time.Second)
	defer cancel()
	if err := s.Shop.Store.Ready(ctx); err != nil {
		s.Log.Error("not ready", "err", err)
		return c.JSON(http.StatusServiceUnavailable, map[string]string{"status": "the store can't write"})
	}
	return c.JSON(http.StatusOK, map[string]string{"status": "ready"})
}
