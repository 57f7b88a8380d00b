package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
)

const staffKey = "staff"

// freshPath is asked by an open list on its own: nobody uses it, so it keeps no session alive.
const freshPath = "/admin/fresh"

// requireStaff lets in who is signed in and has the right. It is the one gate of the back office.
func (s *Server) requireStaff(r app.Right) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			who, err := s.readStaff(c)
			if err != nil {
				return err
			}
			if must, err := s.Shop.MustEnrol(c.Request().Context(), who); err != nil {
				return err
			} else if must && !slices.Contains([]string{secondPath, newPasskeyPath, passkeysPath}, c.Path()) {
				return errMustEnrol
			}
			if r != signedIn && !who.Role.May(r) {
				return app.ErrForbidden
			}
			who.From = peer(c)
			c.Set(staffKey, who)
			return next(c)
		}
	}
}

// readStaff finds who the request's session belongs to, and keeps the session alive.
func (s *Server) readStaff(c echo.Context) (app.Staff, error) {
	ses, err := s.session(c)
	if err != nil {
		return app.Staff{}, err
	}
	id, _ := ses.Values[keyStaff].(string)
	if id == "" {
		return app.Staff{}, errSignedOut
	}
	who, err := s.Shop.Store.StaffByID(c.Request().Context(), id)
	if errors.Is(err, app.ErrNotFound) || err == nil && !who.DisabledAt.IsZero() {
		return app.Staff{}, errSignedOut
	}
	if err != nil {
		return app.Staff{}, err
	}
	if role, _ := ses.Values[keyRole].(string); role != string(who.Role) {
		return app.Staff{}, errSignedOut // other rights, another session
	}
	if seen, _ := ses.Values[keySeen].(time.Time); c.Path() != freshPath && s.Now().Sub(seen) >= sessionTouch {
		if err := s.saveSession(c, ses); err != nil {
			return app.Staff{}, err
		}
	}
	return who, nil
}

// staffOf is who the gate let in.
func staffOf(c echo.Context) app.Staff {
	who, _ := c.Get(staffKey).(app.Staff)
	return who
}

// may says whether who the gate let in has a right: pages show what a person may do, and hide the rest.
func may(c echo.Context, r app.Right) bool { return staffOf(c).Role.May(r) }

// signInURL remembers the page that was asked for, if it is one that can be shown again.
func signInURL(c echo.Context) string {
	if c.Request().Method != http.MethodGet || c.Request().URL.Path == "/admin" && c.QueryString() == "" {
		return "/admin/sign-in"
	}
	return "/admin/sign-in?next=" + url.QueryEscape(c.Request().URL.RequestURI())
}

// nextPage takes only pages of our own back office: anything else leads to its first page.
func nextPage(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.ContainsAny(next, "\\\r\n") {
		return "/admin"
	}
	if u.Path != "/admin" && !strings.HasPrefix(u.Path, "/admin/") {
		return "/admin"
	}
	return u.RequestURI()
}

// getSignIn handles GET /admin/sign-in.
func (s *Server) getSignIn(c echo.Context) error {
	if _, err := s.readStaff(c); err == nil {
		return c.Redirect(http.StatusSeeOther, nextPage(c.QueryParam("next")))
	} else if !errors.Is(err, errSignedOut) {
		return err
	}
	f := s.signInForm(c)
	f.Next, f.Bye = c.QueryParam("next"), c.QueryParam("bye") != ""
	return s.render(c, http.StatusOK, templates.SignIn(f))
}

func (s *Server) signInForm(c echo.Context) templates.SignInForm {
	return templates.SignInForm{Sample: s.Sample, Passkeys: s.passkeyPlace(c)}
}

// postSignIn handles POST /admin/sign-in. A refusal says the same for a wrong password and an unknown name.
func (s *Server) postSignIn(c echo.Context) error {
	email, next := c.FormValue("email"), c.FormValue("next")
	who, err := s.Shop.SignIn(c.Request().Context(), email, c.FormValue("password"), peer(c))
	if errors.Is(err, app.ErrSignIn) || errors.Is(err, app.ErrThrottled) {
		a := answerFor(err)
		f := s.signInForm(c)
		f.Email, f.Next, f.Error = email, next, text.T(c.Request().Context(), "error."+a.word+".text")
		return s.render(c, a.status, templates.SignIn(f))
	}
	if errors.Is(err, app.ErrSecond) {
		if err := s.beginHalf(c, who); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, codeURL(next))
	}
	if err != nil {
		return err
	}
	if err := s.beginSession(c, who); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, nextPage(next))
}

// postSignOut handles POST /admin/sign-out.
func (s *Server) postSignOut(c echo.Context) error {
	if err := s.endSession(c); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin/sign-in?bye=1")
}

// getInvite handles GET /start/{token}, the owner's first link, and GET /invite/{token}.
func (s *Server) getInvite(c echo.Context) error {
	invite, err := s.Shop.CheckInvite(c.Request().Context(), c.Param("token"))
	if err != nil {
		return s.deadInvite(c, err)
	}
	return s.render(c, http.StatusOK, templates.Invite(inviteForm(c, invite)))
}

// postInvite sets the password, makes the account if it is new, and signs in.
func (s *Server) postInvite(c echo.Context) error {
	ctx, token := c.Request().Context(), c.Param("token")
	invite, err := s.Shop.CheckInvite(ctx, token)
	if err != nil {
		return s.deadInvite(c, err)
	}
	f := inviteForm(c, invite)
	f.Name = c.FormValue("name")
	if invite.Email == "" {
		f.Email = c.FormValue("email")
	}
	who, err := s.Shop.AcceptInvite(ctx, token, f.Email, f.Name, c.FormValue("password"), peer(c))
	if errors.Is(err, app.ErrBadInput) {
		f.Errors = inputFaults(ctx, err)
		return s.render(c, http.StatusUnprocessableEntity, templates.Invite(f))
	}
	if errors.Is(err, app.ErrConflict) {
		f.Errors = map[string]string{"email": text.T(ctx, "input.email.taken")}
		return s.render(c, http.StatusUnprocessableEntity, templates.Invite(f))
	}
	if err != nil {
		return s.deadInvite(c, err)
	}
	if who.HasSecond { // a link stands for the password, and for no more
		if err := s.beginHalf(c, who); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, codeURL(""))
	}
	if err := s.beginSession(c, who); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin")
}

func inviteForm(c echo.Context, invite app.Invite) templates.InviteForm {
	return templates.InviteForm{
		Action: c.Request().URL.Path, Email: invite.Email, EmailFixed: invite.Email != "",
		Owner: invite.Role == app.RoleOwner && invite.Email == "",
	}
}

// deadInvite explains a link that opens nothing, and how to get one that does.
func (s *Server) deadInvite(c echo.Context, err error) error {
	if !errors.Is(err, app.ErrNotFound) && !errors.Is(err, app.ErrClosed) {
		return err
	}
	ctx := c.Request().Context()
	return s.render(c, http.StatusNotFound, templates.ErrorPage(templates.Failure{
		Status: http.StatusNotFound, Title: text.T(ctx, "staff.invite.dead.title"),
		Text: text.T(ctx, "staff.invite.dead.text"), Request: requestIDOf(c),
		Back: "/admin/sign-in", BackLabel: text.T(ctx, "staff.signin.title"),
	}))
}
