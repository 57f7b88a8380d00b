package web

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"gage/app"
)

// pageCSP is the policy of every page. The checkout page sets its own: it may also post to the gateway.
const pageCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const requestIDKey = "request id"

// requestID gives each request a name that a page may show and the logs know. What the client calls it is ignored.
func (s *Server) requestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := rand.Text()[:16]
		c.Set(requestIDKey, id)
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		r := c.Request()
		c.SetRequest(r.WithContext(app.From(r.Context(), app.Origin{Peer: peer(c), RequestID: id})))
		return next(c)
	}
}

func requestIDOf(c echo.Context) string {
	id, _ := c.Get(requestIDKey).(string)
	return id
}

// accessLog writes one line for each answer. It names the route's pattern, never the path or the query: both may
// carry tokens.
func (s *Server) accessLog(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := s.Now()
		err := next(c)
		if err != nil {
			c.Error(err) // writes the answer, so that its status can be told
		}
		status, level := c.Response().Status, slog.LevelInfo
		if status >= http.StatusInternalServerError {
			level = slog.LevelError
		}
		s.Log.Log(c.Request().Context(), level, "request", "method", c.Request().Method, "route", routeName(c),
			"status", status, "bytes", c.Response().Size, "took", s.Now().Sub(began).Round(time.Microsecond),
			"peer", c.RealIP(), "id", requestIDOf(c))
		return nil
	}
}

// routeName is the pattern of the route in the table, or a word for what is in no table.
func routeName(c echo.Context) string {
	if p := c.Path(); p != "" {
		return p
	}
	return "none"
}

// recoverPanics turns a panic into the 500 page: the log has the stack, the page its request's id.
func (s *Server) recoverPanics(next echo.HandlerFunc) echo.HandlerFunc {
	return middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisableStackAll:     true,
		DisableErrorHandler: true,
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			s.Log.Error("panic", "id", requestIDOf(c), "route", routeName(c), "err", err, "stack", string(stack))
			return fmt.Errorf("panic: %w", err)
		},
	})(next)
}

// securityHeaders sets what every answer carries; a handler may replace what its page needs otherwise.
func (s *Server) securityHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	hsts := s.hsts()
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", pageCSP)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		if strings.HasPrefix(c.Request().URL.Path, "/pay/") {
			h.Set("Referrer-Policy", "no-referrer")
		}
		if strings.HasPrefix(c.Request().URL.Path, "/admin") {
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("X-Robots-Tag", "noindex, nofollow")
		}
		if s.https() {
			h.Set("Strict-Transport-Security", hsts)
		}
		return next(c)
	}
}

// checkHost answers only for the shop's own host: links are built from it, and a foreign name pointed at us must
// not look like the shop. The probes are asked by address.
func (s *Server) checkHost(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		switch c.Request().URL.Path {
		case "/healthz", "/readyz":
			return next(c)
		}
		if !s.ownHost(c.Request().Host) {
			return errForeignHost
		}
		return next(c)
	}
}

// ownHost says whether a Host header names the shop. The names of this machine are one: a shop on 127.0.0.1 may
// be called localhost.
func (s *Server) ownHost(host string) bool {
	got, err := url.Parse(s.public.Scheme + "://" + host)
	if err != nil || got.Host != host || portOf(got) != portOf(s.public) {
		return false
	}
	if loopback(s.public.Hostname()) {
		return loopback(got.Hostname())
	}
	return strings.EqualFold(strings.TrimSuffix(got.Hostname(), "."), s.public.Hostname())
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}

// crossOrigin refuses what another site makes a browser send, except on the gateway's own routes.
func (s *Server) crossOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := s.guard.Check(c.Request()); err != nil {
			return fmt.Errorf("%w: %w", errCrossOrigin, err)
		}
		return next(c)
	}
}

// saysWhence refuses what changes something and does not say which site it was sent from, where a session may come with it:
// every browser says so in one header or the other, and one that has neither would get past crossOrigin.
func saysWhence(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if h := c.Request().Header; h.Get("Sec-Fetch-Site") == "" && h.Get("Origin") == "" {
			return errNoOrigin
		}
		return next(c)
	}
}

// routeMiddleware is what one line of the table asks for.
func (s *Server) routeMiddleware(r route) []echo.MiddlewareFunc {
	var ms []echo.MiddlewareFunc
	if r.authority == anonymous {
		ms = append(ms, withoutCookies)
	} else if r.method == http.MethodPost {
		ms = append(ms, saysWhence)
	}
	ms = append(ms, s.paceStrangers(r))
	if r.budget.room != uploads {
		ms = append(ms, readBody(r.budget.body))
	}
	if r.budget.wait > 0 {
		ms = append(ms, middleware.ContextTimeout(r.budget.wait))
	}
	if r.budget.wait > quick {
		ms = append(ms, widerDeadlines)
	}
	if r.budget.room == uploads {
		ms = append(ms, s.boundBody(r.budget.body))
	}
	ms = append(ms, s.takeRoom(r))
	if r.right != gateway { // what comes there is kept as it came
		ms = append(ms, readableAddress)
	}
	switch r.right {
	case gateway, public:
	case halfway:
		ms = append(ms, s.requireHalf)
	default:
		ms = append(ms, s.requireStaff(r.right))
	}
	if r.right != gateway && r.method == http.MethodPost && r.budget.room != uploads {
		ms = append(ms, readForm)
	}
	return ms
}

// isText says whether s is text that can be stored: the databases take no other.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// readableAddress finds nothing under an address whose parts are no text.
func readableAddress(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if slices.ContainsFunc(c.ParamValues(), func(v string) bool { return !isText(v) }) {
			return app.ErrNotFound
		}
		return next(c)
	}
}

// readForm reads the posted form before the handler does: one that is broken or of another type is told as that, and
// never taken for a form whose fields are empty.
func readForm(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.ContentLength == 0 {
			return next(c)
		}
		kind, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
		if err != nil || kind != echo.MIMEApplicationForm && kind != echo.MIMEMultipartForm {
			return echo.ErrUnsupportedMediaType
		}
		if _, err := c.FormParams(); err != nil {
			return fmt.Errorf("form: %w: %w", app.ErrBadInput, err)
		}
		for name, values := range r.PostForm {
			if !isText(name) || slices.ContainsFunc(values, func(v string) bool { return !isText(v) }) {
				return fmt.Errorf("form: a field is no text: %w", app.ErrBadInput)
			}
		}
		return next(c)
	}
}

// lastByte is how long the client may take to read an answer that was ready at the end of its time.
const lastByte = 15 * time.Second

// widerDeadlines lets an answer take as long as its budget says where that is longer than the server's own timeouts.
// Behind the budget's end the client has a moment left to read it, and no more. The server's timeout for reading would
// end the request when it passes, though all was read.
func widerDeadlines(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		var until time.Time // an event stream: as long as the client stays
		if end, ok := c.Request().Context().Deadline(); ok {
			until = end.Add(lastByte)
		}
		rc := http.NewResponseController(c.Response())
		for _, err := range []error{rc.SetWriteDeadline(until), rc.SetReadDeadline(time.Time{})} {
			if err != nil && !errors.Is(err, http.ErrNotSupported) {
				return fmt.Errorf("deadline: %w", err)
			}
		}
		return next(c)
	}
}

// ipExtractor believes X-Forwarded-For of the listed proxies only; private networks get no trust of their own.
func (s *Server) ipExtractor() echo.IPExtractor {
	if len(s.TrustedProxies) == 0 {
		return echo.ExtractIPDirect()
	}
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range s.TrustedProxies {
		trust = append(trust, echo.TrustIPRange(&net.IPNet{
			IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
		}))
	}
	return echo.ExtractIPFromXFFHeader(trust...)
}

// seeProxy notes, and says once, that a proxy seems to stand in front of a shop which lists none: everybody then comes from
// its address, and five wrong passwords of a stranger shut the door for all staff. A stranger on the internet is no proxy.
func (s *Server) seeProxy(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if len(s.TrustedProxies) > 0 || c.Request().Header.Get(echo.HeaderXForwardedFor) == "" || s.unlisted.Load() {
			return next(c)
		}
		if from := peer(c); (from.IsLoopback() || from.IsPrivate()) && s.unlisted.CompareAndSwap(false, true) {
			s.Log.Warn("X-Forwarded-For from a proxy that is not listed: everybody counts as one sender; list it with --trusted-proxy", "proxy", from)
		}
		return next(c)
	}
}

// peer is the sender's address; the zero Addr if it can't be read, which no rule believes.
func peer(c echo.Context) netip.Addr {
	addr, err := netip.ParseAddr(c.RealIP())
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap()
}
