package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// getAccount handles GET /admin/account: where a person is signed in.
func (s *Server) getAccount(c echo.Context) error {
	ctx, who := c.Request().Context(), staffOf(c)
	frame, err := s.staffFrame(c, "account", "staff.account.title")
	if err != nil {
		return err
	}
	p := templates.AccountPage{StaffFrame: frame, Email: who.Email, Role: text.T(ctx, "staff.role."+string(who.Role))}
	second, err := s.Shop.Second(ctx, who)
	if err != nil {
		return err
	}
	p.HasSecond, p.HasApp, p.RecoveryLeft = who.HasSecond, second.App, second.RecoveryLeft
	p.PasskeyPlace = s.passkeyPlace(c)
	p.Passkeys = s.passkeyRows(second.Passkeys)
	switch c.QueryParam("passkey") {
	case "added":
		p.Saved = text.T(ctx, "passkey.added")
	case "removed":
		p.Saved = text.T(ctx, "passkey.removed")
	}
	if c.QueryParam("second") == "off" {
		p.Saved = text.T(ctx, "staff.second.is_off")
	}
	if c.QueryParam("ended") != "" {
		p.Saved = text.T(ctx, "staff.account.ended")
	}
	ses, err := s.session(c)
	if err != nil {
		return err
	}
	list, err := s.Shop.Sessions(ctx, who)
	if err != nil {
		return err
	}
	for _, v := range list {
		data, err := s.sessions.data(v)
		if err != nil {
			return err
		}
		row := templates.SessionRow{ID: v.Hash, Peer: data[keyPeer], Began: v.CreatedAt, Seen: v.SeenAt, Self: v.Hash == hashOf(ses)}
		if row.Browser = view.Browser(data[keyAgent]); row.Browser == "" {
			row.Browser = text.T(ctx, "staff.account.browser")
		}
		p.Sessions = append(p.Sessions, row)
	}
	return s.render(c, http.StatusOK, templates.MyAccount(p))
}

// postEndSessions handles POST /admin/account/sessions: ends one of a person's sessions, or all but this one.
func (s *Server) postEndSessions(c echo.Context) error {
	ctx, who := c.Request().Context(), staffOf(c)
	ses, err := s.session(c)
	if err != nil {
		return err
	}
	if c.FormValue("all") == "yes" {
		err = s.Shop.EndOtherSessions(ctx, who, hashOf(ses))
	} else {
		err = s.Shop.EndSession(ctx, who, c.FormValue("session"))
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin/account?ended=1")
}
