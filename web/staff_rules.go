package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
)

const rulesPath = "/admin/settings/rules"

// getRules handles GET /admin/settings/rules: what may be cancelled, and when the buyer sees it.
func (s *Server) getRules(c echo.Context) error {
	rules, err := s.Shop.CancelRules(c.Request().Context())
	if err != nil {
		return err
	}
	off, err := s.Shop.DaysOff(c.Request().Context())
	if err != nil {
		return err
	}
	return s.showRules(c, http.StatusOK, rules, strings.Join(off, "\n"), nil, c.QueryParam("saved") != "")
}

func (s *Server) showRules(c echo.Context, status int, rules []app.CancelRule, off string, faults map[string]string, saved bool) error {
	ctx := c.Request().Context()
	frame, err := s.staffFrame(c, "settings", "rules.title")
	if err != nil {
		return err
	}
	p := templates.RulesPage{StaffFrame: frame, Action: rulesPath, Saved: saved, DaysOff: templates.FieldView{
		Name: "days_off", Label: text.T(ctx, "rules.days_off"), Hint: text.T(ctx, "rules.days_off.text"), Value: off, Error: faults["days_off"], Type: "textarea",
		Autocomplete: "off", Placeholder: "2028-04-12", Attrs: templ.Attributes{"rows": "4", "maxlength": "2000"},
	}}
	for i, r := range rules {
		n := strconv.Itoa(i)
		p.Rules = append(p.Rules, templates.RuleRow{
			N: n, Method: text.T(ctx, "method."+string(r.Method)), Case: text.T(ctx, "rules.case."+string(r.Case)), Allowed: r.Allowed, Parts: r.Parts,
			From: strconv.Itoa(r.From), To: strconv.Itoa(r.To), Source: r.Source, Date: r.Date, DaysFault: faults["to."+n], SourceFault: faults["source."+n],
		})
	}
	return s.render(c, status, templates.Rules(p))
}

// postRules handles POST /admin/settings/rules. A number of days that is none counts as less than none, and is refused.
func (s *Server) postRules(c echo.Context) error {
	ctx := c.Request().Context()
	rules, err := s.Shop.CancelRules(ctx)
	if err != nil {
		return err
	}
	days := func(name string) int {
		n, err := strconv.Atoi(c.FormValue(name))
		if err != nil {
			return -1
		}
		return n
	}
	for i := range rules {
		r := &rules[i]
		r.Allowed, r.Parts = c.FormValue(fmt.Sprintf("allowed.%d", i)) != "", c.FormValue(fmt.Sprintf("parts.%d", i)) != ""
		r.From, r.To, r.Source = days(fmt.Sprintf("from.%d", i)), days(fmt.Sprintf("to.%d", i)), c.FormValue(fmt.Sprintf("source.%d", i))
	}
	off := c.FormValue("days_off")
	err = s.Shop.SetCancelRules(ctx, staffOf(c), rules, off)
	if faults := inputFaults(ctx, err); len(faults) > 0 {
		return s.showRules(c, http.StatusUnprocessableEntity, rules, off, faults, false)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, rulesPath+"?saved=yes")
}
