package web

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
)

// getPassword handles GET /admin/account/password: a person chooses another password.
func (s *Server) getPassword(c echo.Context) error {
	return s.showPassword(c, http.StatusOK, "")
}

func (s *Server) showPassword(c echo.Context, status int, fault string) error {
	ctx := c.Request().Context()
	frame, err := s.staffFrame(c, "account", "account.password")
	if err != nil {
		return err
	}
	return s.render(c, status, templates.OwnPassword(templates.OwnPasswordPage{
		StaffFrame: frame, Email: staffOf(c).Email, Saved: c.QueryParam("saved") != "",
		Password: templates.FieldView{
			Name: "password", Label: text.T(ctx, "account.password.new"), Type: "password", Autocomplete: "new-password", Required: true,
			Hint: text.T(ctx, "staff.password.hint"), Error: fault,
		},
	}))
}

// postPassword handles POST /admin/account/password.
func (s *Server) postPassword(c echo.Context) error {
	ctx := c.Request().Context()
	ses, err := s.session(c)
	if err != nil {
		return err
	}
	err = s.Shop.ChangePassword(ctx, staffOf(c), hashOf(ses), c.FormValue("password"))
	if errors.Is(err, app.ErrBadInput) {
		return s.showPassword(c, http.StatusUnprocessableEntity, inputFaults(ctx, err)["password"])
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin/account/password?saved=1")
}

// typedNow is [Server.freshly] for what the present password has to come with, however short ago it was typed.
func (s *Server) typedNow(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		ses, err := s.session(c)
		if err != nil {
			return err
		}
		delete(ses.Values, keyTyped)
		return s.freshly(next)(c)
	}
}
