package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

const (
	passkeySignInPath = "/admin/sign-in/passkey"
	passkeysPath      = "/admin/account/passkeys"
	newPasskeyPath    = passkeysPath + "/new"
)

// The fields of every form that brings a passkey's answer.
const (
	fieldQuestion = "passkey_question" // the challenge, sealed
	fieldAnswer   = "passkey_answer"   // what the browser says, JSON
)

// passkeyPlace says whether passkeys work at the address that the browser asked for, and at which they do.
func (s *Server) passkeyPlace(c echo.Context) templates.PasskeyPlace {
	if s.passkeys == nil {
		return templates.PasskeyPlace{}
	}
	if strings.EqualFold(s.public.Scheme+"://"+c.Request().Host, s.passkeys.Origin) {
		return templates.PasskeyPlace{Here: true}
	}
	return templates.PasskeyPlace{Elsewhere: s.passkeys.Origin}
}

// postPasskeyQuestion handles POST /admin/sign-in/passkey/question: what the browser asks its passkeys, as JSON.
func (s *Server) postPasskeyQuestion(c echo.Context) error {
	if s.passkeys == nil {
		return app.ErrNotFound
	}
	q, err := s.passkeys.Ask()
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"options": json.RawMessage(q.Options), "question": q.Kept})
}

// postPasskeySignIn handles POST /admin/sign-in/passkey: a passkey is password and second factor at once.
func (s *Server) postPasskeySignIn(c echo.Context) error {
	if s.passkeys == nil {
		return app.ErrNotFound
	}
	ctx, next := c.Request().Context(), c.FormValue("next")
	who, err := s.passkeys.SignIn(ctx, c.FormValue(fieldQuestion), c.FormValue(fieldAnswer), peer(c))
	if errors.Is(err, app.ErrSignIn) || errors.Is(err, app.ErrThrottled) || errors.Is(err, app.ErrPasskeyLate) {
		a := answerFor(err)
		f := s.signInForm(c)
		f.Next, f.Error = next, text.T(ctx, "error."+a.word+".text")
		if a.word == "sign_in" {
			f.Error = text.T(ctx, "passkey.unknown")
		}
		return s.render(c, a.status, templates.SignIn(f))
	}
	if err != nil {
		return err
	}
	if err := s.beginSession(c, who); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, nextPage(next))
}

// postNewPasskey handles POST /admin/account/passkeys/new: the page on which a device makes a passkey.
func (s *Server) postNewPasskey(c echo.Context) error {
	return s.showNewPasskey(c, http.StatusOK, view.Browser(c.Request().UserAgent()), nil)
}

func (s *Server) showNewPasskey(c echo.Context, status int, name string, faults map[string]string) error {
	place := s.passkeyPlace(c)
	if !place.Here {
		return c.Redirect(http.StatusSeeOther, "/admin/account#passkeys")
	}
	frame, err := s.staffFrame(c, "account", "passkey.new")
	if err != nil {
		return err
	}
	q, err := s.passkeys.Offer(c.Request().Context(), staffOf(c))
	if err != nil {
		return err
	}
	return s.render(c, status, templates.NewPasskey(templates.NewPasskeyPage{
		StaffFrame: frame, Ask: templates.PasskeyAsk{Options: q.Options, Question: q.Kept}, Name: name, Errors: faults,
	}))
}

// postPasskey handles POST /admin/account/passkeys: takes the passkey that the device made.
func (s *Server) postPasskey(c echo.Context) error {
	if s.passkeys == nil {
		return app.ErrNotFound
	}
	ctx, name := c.Request().Context(), c.FormValue("name")
	ses, err := s.session(c)
	if err != nil {
		return err
	}
	recovery, err := s.passkeys.Add(ctx, staffOf(c), c.FormValue(fieldQuestion), c.FormValue(fieldAnswer), name, hashOf(ses))
	switch {
	case errors.Is(err, app.ErrBadInput):
		return s.showNewPasskey(c, http.StatusUnprocessableEntity, name, inputFaults(ctx, err))
	case errors.Is(err, app.ErrPasskey), errors.Is(err, app.ErrPasskeyLate), errors.Is(err, app.ErrConflict):
		a := answerFor(err)
		said := text.T(ctx, "error."+a.word+".text")
		if a.word == "conflict" {
			said = text.T(ctx, "passkey.too_many")
		}
		return s.showNewPasskey(c, a.status, name, map[string]string{"": said})
	case err != nil:
		return err
	}
	if recovery != nil {
		return s.showRecovery(c, recovery)
	}
	return c.Redirect(http.StatusSeeOther, "/admin/account?passkey=added#passkeys")
}

// postDropPasskey handles POST /admin/account/passkeys/remove.
func (s *Server) postDropPasskey(c echo.Context) error {
	if err := s.Shop.DropPasskey(c.Request().Context(), staffOf(c), c.FormValue("passkey")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin/account?passkey=removed#passkeys")
}

// passkeyRows are a person's passkeys as their page lists them.
func (s *Server) passkeyRows(list []app.Passkey) []templates.PasskeyRow {
	var rows []templates.PasskeyRow
	for _, k := range list {
		rows = append(rows, templates.PasskeyRow{ID: k.ID(), Name: k.Name, Host: k.Host, Made: k.CreatedAt, Used: k.UsedAt, Dead: s.passkeys == nil || !s.passkeys.Serves(k)})
	}
	return rows
}
