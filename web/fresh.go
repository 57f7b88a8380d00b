package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
)

// freshFor is how long a typed password stands for the person at the desk, in what moves money or gives rights.
const freshFor = 10 * time.Minute

// The fields of the page that asks for the password again.
const (
	fieldKept  = "kept" // the form that waits, sealed
	fieldAgain = "password_again"
	fieldCode  = "code_again"
)

// isFresh says whether the session's password, and a code with it where there is a second factor, was typed just now. A time
// that has not come yet is none.
func (s *Server) isFresh(ses *sessions.Session) bool {
	text, _ := ses.Values[keyTyped].(string)
	typed, err := time.Parse(time.RFC3339Nano, text)
	age := s.Now().Sub(typed)
	return err == nil && age >= 0 && age < freshFor
}

// freshly does what was asked only if the password was typed just now, or a passkey was shown. Otherwise it asks for that, on a page that keeps
// the form: sealed, for this session and this address, because keys and accounts are typed into some of them.
func (s *Server) freshly(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		ses, err := s.session(c)
		if err != nil {
			return err
		}
		kept, password, code := c.FormValue(fieldKept), c.FormValue(fieldAgain), c.FormValue(fieldCode)
		question, answer := c.FormValue(fieldQuestion), c.FormValue(fieldAnswer)
		if kept != "" {
			if err := s.bringBack(c, ses, kept); err != nil {
				return err
			}
		}
		if s.isFresh(ses) {
			return next(c)
		}
		if kept == "" && password == "" {
			return s.askAgain(c, ses, http.StatusUnauthorized, "")
		}
		if kept != "" && answer != "" && s.passkeys != nil {
			err = s.passkeys.ShowAgain(c.Request().Context(), staffOf(c), question, answer)
		} else {
			err = s.Shop.TypeAgain(c.Request().Context(), staffOf(c), password, code)
		}
		if errors.Is(err, app.ErrSignIn) || errors.Is(err, app.ErrThrottled) || errors.Is(err, app.ErrClock) || errors.Is(err, app.ErrPasskeyLate) {
			a := answerFor(err)
			if a.word == "sign_in" && answer != "" {
				a.word = "passkey"
			}
			return s.askAgain(c, ses, a.status, a.word)
		}
		if err != nil {
			return err
		}
		ses.Values[keyTyped] = s.Now().Format(time.RFC3339Nano)
		if err := s.renewSession(c, ses); err != nil {
			return err
		}
		return next(c)
	}
}

// keptPlace is where a waiting form belongs: nobody else can send it, no other sign-in, and it does nothing elsewhere. The
// session's key is not in it: forms wait in several tabs, and it changes when the password is typed in one of them.
func keptPlace(c echo.Context, ses *sessions.Session) string {
	began, _ := ses.Values[keyCreated].(time.Time)
	return fmt.Sprintf("form/%s/%d%s", staffOf(c).ID, began.UnixMicro(), c.Request().URL.Path)
}

// bringBack makes the form that waited the request's own.
func (s *Server) bringBack(c echo.Context, ses *sessions.Session, kept string) error {
	plain, err := s.Shop.Keys.Open(keptPlace(c, ses), kept)
	if err != nil {
		return fmt.Errorf("form: %w: %w", app.ErrBadInput, err)
	}
	values := url.Values{}
	if err := json.Unmarshal(plain, &values); err != nil {
		return fmt.Errorf("form: %w", err)
	}
	c.Request().PostForm, c.Request().Form = values, values
	return nil
}

// askAgain shows the page that asks for the password; word says why it does so once more.
func (s *Server) askAgain(c echo.Context, ses *sessions.Session, status int, word string) error {
	ctx := c.Request().Context()
	if wantsJSON(c) {
		return errStale
	}
	form, err := c.FormParams()
	if err != nil {
		return app.ErrBadInput
	}
	form.Del(fieldAgain)
	form.Del(fieldCode)
	plain, err := json.Marshal(form)
	if err != nil {
		return fmt.Errorf("form: %w", err)
	}
	frame, err := s.staffFrame(c, "", "staff.again.title")
	if err != nil {
		return err
	}
	page := templates.AgainPage{
		StaffFrame: frame, Action: c.Request().URL.Path, Kept: s.Shop.Keys.Seal(keptPlace(c, ses), plain), Email: staffOf(c).Email,
		Code: staffOf(c).HasSecond,
	}
	if s.passkeyPlace(c).Here {
		q, err := s.passkeys.AskAgain(ctx, staffOf(c))
		if err != nil && !errors.Is(err, app.ErrNotFound) {
			return err
		}
		page.Ask = templates.PasskeyAsk{Options: q.Options, Question: q.Kept}
	}
	switch word {
	case "":
	case "sign_in":
		page.Error = text.T(ctx, "staff.again.wrong")
		if page.Code {
			page.Error = text.T(ctx, "staff.again.wrong_code")
		}
	default:
		page.Error = text.T(ctx, "error."+word+".text")
	}
	return s.render(c, status, templates.Again(page))
}
