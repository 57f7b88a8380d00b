package web

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/smartro"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// monthForm is how an address writes a month.
const monthForm = "2006-01"

// getReport handles GET /admin/reports?day=yyyy-mm-dd or ?month=yyyy-mm: the close of a day or a month, to be printed.
func (s *Server) getReport(c echo.Context) error {
	ctx := c.Request().Context()
	frame, err := s.staffFrame(c, "payments", "staff.report.title")
	if err != nil {
		return err
	}
	mode := app.Mode(c.QueryParam("mode"))
	if !slices.Contains(modes(), mode) {
		mode = smartro.Test
		if m, err := s.Shop.Merchant(ctx); err == nil {
			mode = m.Mode
		}
	}
	from, monthly := dayStart(s.Now()), false
	if t, err := time.ParseInLocation(monthForm, c.QueryParam("month"), app.KST); err == nil {
		from, monthly = t, true
	} else if t, err := time.ParseInLocation(time.DateOnly, c.QueryParam("day"), app.KST); err == nil {
		from = t
	}
	step := func(n int) time.Time {
		if monthly {
			return from.AddDate(0, n, 0)
		}
		return from.AddDate(0, 0, n)
	}
	href := func(monthly bool, at time.Time, mode app.Mode) string {
		v := url.Values{"day": {at.Format(time.DateOnly)}, "mode": {string(mode)}}
		if monthly {
			v = url.Values{"month": {at.Format(monthForm)}, "mode": {string(mode)}}
		}
		return "/admin/reports?" + v.Encode()
	}
	r, err := s.Shop.Report(ctx, staffOf(c), mode, from, step(1))
	if err != nil {
		return err
	}
	list := listState{mode: string(mode), from: from.Format(time.DateOnly), to: step(1).AddDate(0, 0, -1).Format(time.DateOnly)}
	paid, back := list, list
	paid.clock, back.clock = string(app.ClockPaid), string(app.ClockCancelled)
	p := templates.ReportPage{
		StaffFrame: frame, Mode: text.T(ctx, "staff.mode."+string(mode)), Real: mode == smartro.Real, Monthly: monthly,
		Before: href(monthly, step(-1), mode), After: href(monthly, step(1), mode), OtherSpan: href(!monthly, from, mode),
		PaidHref: paid.href(), BackHref: back.href(), Holds: r.Holds, Held: int64(r.HeldWon), Made: view.Stamp(s.Now()), Total: reportRow(r.Total, ""),
	}
	if p.Title = from.Format("2006-01-02"); monthly {
		p.Title = from.Format(monthForm)
	}
	for _, m := range modes() {
		p.Modes = append(p.Modes, templates.Chip{Label: text.T(ctx, "staff.mode."+string(m)), Href: href(monthly, from, m), On: m == mode})
	}
	for _, row := range r.Rows {
		p.Rows = append(p.Rows, reportRow(row, text.T(ctx, "method."+string(row.Method))))
	}
	return s.render(c, http.StatusOK, templates.Report(p))
}

func reportRow(r app.ReportRow, method string) templates.ReportRow {
	return templates.ReportRow{
		Method: method, Company: r.Company, Paid: view.Comma(r.Paid), Sales: int64(r.Sales), Backs: view.Comma(r.Backs), Back: int64(r.Back), Net: int64(r.Net()),
	}
}
