package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/smartro"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

var (
	errForeignHost = errors.New("asked under a name that is not the shop's")
	errCrossOrigin = errors.New("sent by another site")
	errNoOrigin    = errors.New("sent with neither Sec-Fetch-Site nor Origin")
	errSignedOut   = errors.New("not signed in")
	errMustEnrol   = errors.New("a second factor has to be set up first")
	errStale       = errors.New("the password was typed too long ago")
	errExports     = errors.New("two files are being made already")
)

// answer says how an error is told: its status, and the key of its words in the catalogue.
type answer struct {
	err    error
	status int
	word   string
}

// answers is the whole of it. What it lacks is our fault: 500, nothing shown but the request's id.
func answers() []answer {
	return []answer{
		{errForeignHost, http.StatusMisdirectedRequest, "foreign_host"},
		{errCrossOrigin, http.StatusForbidden, "cross_origin"},
		{errNoOrigin, http.StatusForbidden, "no_origin"},
		{errSignedOut, http.StatusUnauthorized, "signed_out"},
		{errMustEnrol, http.StatusForbidden, "must_enrol"},
		{errStale, http.StatusUnauthorized, "stale"},
		{errExports, http.StatusServiceUnavailable, "exports"},
		{app.ErrNotFound, http.StatusNotFound, "not_found"},
		{app.ErrNotPaid, http.StatusConflict, "not_paid"},
		{app.ErrPaid, http.StatusConflict, "paid"},
		{app.ErrClosed, http.StatusGone, "closed"},
		{app.ErrBusy, http.StatusConflict, "busy"},
		{app.ErrReceiptThere, http.StatusConflict, "receipt_there"},
		{app.ErrReceiptByHand, http.StatusConflict, "receipt_by_hand"},
		{app.ErrReceiptNotCash, http.StatusConflict, "receipt_not_cash"},
		{app.ErrReceiptNotTaken, http.StatusConflict, "receipt_not_taken"},
		{app.ErrWaits, http.StatusConflict, "waits"},
		{app.ErrDecided, http.StatusConflict, "decided"},
		{app.ErrVoid, http.StatusConflict, "void"},
		{app.ErrAboveLimit, http.StatusForbidden, "above_limit"},
		{app.ErrErased, http.StatusGone, "erased"},
		{app.ErrFrozen, http.StatusConflict, "frozen"},
		{app.ErrConflict, http.StatusConflict, "conflict"},
		{app.ErrForbidden, http.StatusForbidden, "forbidden"},
		{app.ErrSignIn, http.StatusUnauthorized, "sign_in"},
		{app.ErrClock, http.StatusServiceUnavailable, "clock"},
		{app.ErrPasskey, http.StatusUnprocessableEntity, "passkey"},
		{app.ErrPasskeyLate, http.StatusConflict, "passkey_late"},
		{app.ErrThrottled, http.StatusTooManyRequests, "throttled"},
		{app.ErrOverload, http.StatusServiceUnavailable, "overload"},
		{app.ErrStopped, http.StatusServiceUnavailable, "stopped"},
		{app.ErrNoGateway, http.StatusConflict, "no_gateway"},
		{app.ErrBadInput, http.StatusBadRequest, "bad_input"},
		{context.DeadlineExceeded, http.StatusServiceUnavailable, "overload"},
		{context.Canceled, http.StatusServiceUnavailable, "overload"},
	}
}

// statusWords tells what the router itself refuses.
func statusWord(status int) string {
	switch status {
	case http.StatusNotFound:
		return "not_found"
	case http.StatusMethodNotAllowed:
		return "method"
	case http.StatusRequestEntityTooLarge:
		return "too_large"
	case http.StatusServiceUnavailable:
		return "overload"
	}
	if status < http.StatusInternalServerError {
		return "bad_input"
	}
	return "ours"
}

// answerFor reads the table.
func answerFor(err error) answer {
	for _, a := range answers() {
		if errors.Is(err, a.err) {
			return a
		}
	}
	var field *smartro.FieldError
	if errors.As(err, &field) {
		return answer{err, http.StatusBadRequest, "bad_input"}
	}
	var he *echo.HTTPError
	if errors.As(err, &he) {
		return answer{err, he.Code, statusWord(he.Code)}
	}
	return answer{err, http.StatusInternalServerError, "ours"}
}

// answerError writes err as a page, as JSON for scripts, or as plain text for the gateway's server.
func (s *Server) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		s.Log.Error("failed after the answer began", "id", requestIDOf(c), "route", routeName(c), "err", err)
		return
	}
	a := answerFor(err)
	if a.status >= http.StatusInternalServerError {
		s.Log.Error("failed", "id", requestIDOf(c), "route", routeName(c), "status", a.status, "err", err)
	}
	if a.status == http.StatusServiceUnavailable {
		c.Response().Header().Set(echo.HeaderRetryAfter, "5")
	}
	if werr := s.writeError(c, a); werr != nil {
		s.Log.Error("the error page failed", "id", requestIDOf(c), "err", werr)
		if !c.Response().Committed {
			_ = c.String(http.StatusInternalServerError, "internal error, request "+requestIDOf(c))
		}
	}
}

func (s *Server) writeError(c echo.Context, a answer) error {
	ctx, path := c.Request().Context(), c.Request().URL.Path
	if a.err == errSignedOut && !wantsJSON(c) {
		return c.Redirect(http.StatusSeeOther, signInURL(c))
	}
	if a.err == errMustEnrol && !wantsJSON(c) {
		return c.Redirect(http.StatusSeeOther, secondPath)
	}
	title := text.T(ctx, "error."+a.word+".title")
	what := text.T(ctx, "error."+a.word+".text")
	if a.word == "foreign_host" {
		what = text.T(ctx, "error.foreign_host.text", s.PublicURL)
	}
	switch {
	case strings.HasPrefix(path, "/smartro/notify"):
		// The gateway takes the two letters of its receipt, wherever they stand, for a receipt: none of these has them.
		return c.String(a.status, "refused: "+strings.ReplaceAll(a.word, "_", " "))
	case c.Request().Method == http.MethodHead:
		return c.NoContent(a.status)
	case wantsJSON(c):
		return c.JSON(a.status, map[string]string{
			"error": a.word, "title": title, "text": what, "request": requestIDOf(c),
		})
	}
	back, label := "/", text.T(ctx, "error.home")
	if strings.HasPrefix(path, "/admin") {
		back, label = "/admin", text.T(ctx, "error.admin")
	}
	if a.err == app.ErrNoGateway && may(c, app.RightChangeGateway) {
		back, label = "/admin/settings", text.T(ctx, "staff.nav.settings")
	}
	return s.render(c, a.status, templates.ErrorPage(templates.Failure{
		Status: a.status, Title: title, Text: what, Request: requestIDOf(c), Back: back, BackLabel: label,
		Ours: a.status >= http.StatusInternalServerError,
	}))
}

// wantsJSON says whether a script asked.
func wantsJSON(c echo.Context) bool {
	return strings.Contains(c.Request().Header.Get(echo.HeaderAccept), echo.MIMEApplicationJSON)
}

// inputFaults lists the fields that err, joined or not, finds fault with, in the reader's language.
func inputFaults(ctx context.Context, err error) map[string]string {
	found := map[string]string{}
	eachError(err, func(e error) {
		switch e := e.(type) {
		case *app.InputError:
			found[e.Field] = text.T(ctx, "input."+e.Code)
		case *app.AmountError:
			found["amount"] = text.T(ctx, "input.amount.left", view.Won(ctx, e.Left))
		case *smartro.FieldError:
			found[e.Field] = text.T(ctx, "input.field", e.Field, e.Want)
		}
	})
	return found
}

// eachError walks the tree of err.
func eachError(err error, visit func(error)) {
	if err == nil {
		return
	}
	visit(err)
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			eachError(inner, visit)
		}
	case interface{ Unwrap() error }:
		eachError(e.Unwrap(), visit)
	}
}
