package web

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

const peoplePath = "/admin/settings/staff"

// typedPeople is what was typed into one of the forms of the page, with what was wrong about it.
type typedPeople struct {
	email  string
	role   app.Role
	faults map[string]string
	fault  string
	invite string              // a fresh one-time link
	limits map[app.Role]string // as they were typed; nil: those that there are
}

// getPeople handles GET /admin/settings/staff.
func (s *Server) getPeople(c echo.Context) error {
	return s.showPeople(c, http.StatusOK, typedPeople{})
}

func (s *Server) showPeople(c echo.Context, status int, typed typedPeople) error {
	ctx := c.Request().Context()
	frame, err := s.staffFrame(c, "settings", "staff.people.title")
	if err != nil {
		return err
	}
	people, err := s.Shop.Staff(ctx)
	if err != nil {
		return err
	}
	p := templates.PeoplePage{StaffFrame: frame, Invite: typed.invite, InviteFor: typed.email, Fault: typed.fault}
	if c.QueryParam("saved") != "" {
		p.Saved = text.T(ctx, "staff.saved")
	}
	rule, err := s.Shop.SecondRule(ctx)
	if err != nil {
		return err
	}
	p.SecondRule = templates.RadioView{Name: "rule", Legend: text.T(ctx, "staff.second.rule"), Value: string(rule)}
	for _, r := range app.SecondRules() {
		word := string(r)
		p.SecondRule.Options = append(p.SecondRule.Options, templates.RadioOption{
			Value: word, Label: text.T(ctx, "staff.second.rule."+word), Hint: text.T(ctx, "staff.second.rule."+word+".hint"),
		})
	}
	roles := make([]templates.Option, 0, len(app.Roles()))
	for _, r := range app.Roles() {
		roles = append(roles, templates.Option{Value: string(r), Label: text.T(ctx, "staff.role."+string(r))})
		p.RoleNames = append(p.RoleNames, text.T(ctx, "staff.role."+string(r)))
	}
	for _, h := range people {
		p.People = append(p.People, templates.PersonRow{
			ID: h.ID, Email: h.Email, Name: h.Name, RoleName: text.T(ctx, "staff.role."+string(h.Role)), Second: h.HasSecond,
			Disabled: !h.DisabledAt.IsZero(), Self: h.ID == staffOf(c).ID,
			Role: templates.SelectView{Name: "role", Label: text.T(ctx, "staff.role"), Value: string(h.Role), Required: true, Options: roles, Attrs: map[string]any{"id": "role-" + h.ID}},
		})
	}
	for _, r := range app.Rights() {
		row := templates.RightRow{Name: text.T(ctx, "staff.right."+string(r))}
		for _, role := range app.Roles() {
			row.Roles = append(row.Roles, role.May(r))
		}
		p.Rights = append(p.Rights, row)
	}
	limits, err := s.Shop.Limits(ctx)
	if err != nil {
		return err
	}
	for _, r := range app.Roles() {
		if !r.May(app.RightCancel) {
			continue
		}
		name, value := "limit_"+string(r), typed.limits[r]
		if most, limited := limits[r]; limited && typed.limits == nil {
			value = view.Comma(int64(most))
		}
		p.Limits = append(p.Limits, templates.FieldView{
			Name: name, Label: text.T(ctx, "staff.role."+string(r)), Value: value, Error: typed.faults[name], Unit: text.T(ctx, "common.won"), InputMode: "numeric",
			Placeholder: text.T(ctx, "staff.limits.none"), Autocomplete: "off", Width: "short",
		})
	}
	p.Email = templates.FieldView{Name: "email", Label: text.T(ctx, "staff.email"), Type: "email", Required: true, Error: typed.faults["email"], Autocomplete: "off"}
	if typed.faults["email"] != "" || typed.faults["role"] != "" {
		p.Email.Value = typed.email
	}
	p.Roles = templates.SelectView{Name: "role", Label: text.T(ctx, "staff.role"), Value: string(app.RoleStaff), Required: true, Options: roles, Error: typed.faults["role"]}
	if typed.role != "" {
		p.Roles.Value = string(typed.role)
	}
	return s.render(c, status, templates.People(p))
}

// postInviteStaff handles POST /admin/settings/staff: shows the new person's one-time link, this once.
func (s *Server) postInviteStaff(c echo.Context) error {
	ctx, typed := c.Request().Context(), typedPeople{email: c.FormValue("email"), role: app.Role(c.FormValue("role"))}
	token, err := s.Shop.InviteStaff(ctx, staffOf(c), typed.email, typed.role)
	switch {
	case errors.Is(err, app.ErrConflict):
		typed.faults = map[string]string{"email": text.T(ctx, "input.email.taken")}
	case errors.Is(err, app.ErrBadInput):
		typed.faults = inputFaults(ctx, err)
	case err != nil:
		return err
	default:
		return s.showPeople(c, http.StatusOK, typedPeople{invite: s.PublicURL + "/invite/" + token, email: typed.email})
	}
	return s.showPeople(c, http.StatusUnprocessableEntity, typed)
}

// postResetStaff handles POST /admin/settings/staff/reset: shows a one-time link for a new password, this once.
func (s *Server) postResetStaff(c echo.Context) error {
	email := c.FormValue("email")
	token, err := s.Shop.ResetPassword(c.Request().Context(), staffOf(c), email)
	if err != nil {
		return err
	}
	return s.showPeople(c, http.StatusOK, typedPeople{invite: s.PublicURL + "/invite/" + token, email: email})
}

// changedPeople leads back to the page once something was changed.
func changedPeople(c echo.Context, err error) error {
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, peoplePath+"?saved=1")
}

// postDisableStaff handles POST /admin/settings/staff/disable.
func (s *Server) postDisableStaff(c echo.Context) error {
	return changedPeople(c, s.Shop.DisableStaff(c.Request().Context(), staffOf(c), c.FormValue("email"), c.FormValue("disabled") == "yes"))
}

// postSetRole handles POST /admin/settings/staff/role.
func (s *Server) postSetRole(c echo.Context) error {
	return changedPeople(c, s.Shop.SetRole(c.Request().Context(), staffOf(c), c.FormValue("email"), app.Role(c.FormValue("role"))))
}

// postResetSecond handles POST /admin/settings/staff/second: somebody lost theirs.
func (s *Server) postResetSecond(c echo.Context) error {
	return changedPeople(c, s.Shop.ResetSecond(c.Request().Context(), staffOf(c), c.FormValue("email")))
}

// postSecondRule handles POST /admin/settings/staff/second-rule: who must have one.
func (s *Server) postSecondRule(c echo.Context) error {
	ctx := c.Request().Context()
	err := s.Shop.SetSecondRule(ctx, staffOf(c), app.SecondRule(c.FormValue("rule")))
	if errors.Is(err, app.ErrConflict) {
		return s.showPeople(c, http.StatusConflict, typedPeople{fault: text.T(ctx, "staff.second.rule.self")})
	}
	return changedPeople(c, err)
}
