package web

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

const reviewPath = "/admin/audit/review"

// reviewColumns are what a month's sums tell of a person: what each column counts.
var reviewColumns = []struct {
	name  string
	kinds map[app.AccessKind]bool // nil: all that no other column counts
}{
	{"looks", map[app.AccessKind]bool{app.SawBuyer: true, app.SawMessage: true, app.SawReceipt: true, app.SawCashReceipt: true, app.SawSubscriber: true}},
	{"exports", map[app.AccessKind]bool{app.ExportedPayments: true, app.ExportedAccesses: true}},
	{"signins", map[app.AccessKind]bool{app.SignedIn: true, app.SignedInByPasskey: true}},
	{"locked", map[app.AccessKind]bool{app.LockedOut: true}},
	{"changes", nil},
}

func reviewColumn(k app.AccessKind) int {
	for i, c := range reviewColumns {
		if c.kinds[k] || c.kinds == nil {
			return i
		}
	}
	return 0
}

// readReviewMonth reads a month as 2006-01; anything else is the last one.
func (s *Server) readReviewMonth(v string) time.Time {
	if at, err := time.ParseInLocation(monthForm, v, app.KST); err == nil && at.Year() > 2000 && at.Year() < 2200 {
		return at
	}
	return s.Shop.LastMonth()
}

// getReview handles GET /admin/audit/review: a month's access record in sums, for the look that the law asks for.
func (s *Server) getReview(c echo.Context) error {
	ctx := c.Request().Context()
	frame, err := s.staffFrame(c, "settings", "review.title")
	if err != nil {
		return err
	}
	m, err := s.Shop.ReviewOf(ctx, staffOf(c), s.readReviewMonth(c.QueryParam("month")))
	if err != nil {
		return err
	}
	people, err := s.Shop.Staff(ctx)
	if err != nil {
		return err
	}
	names := auditNames(ctx, people)
	last := m.To.AddDate(0, 0, -1)
	p := templates.ReviewPage{
		StaffFrame: frame, Month: m.Name(), Over: !s.Now().Before(m.To), ListHref: auditHref("", m.From, last),
		Before: reviewHref(m.From.AddDate(0, -1, 0)), After: reviewHref(m.To),
	}
	for _, col := range reviewColumns {
		p.Columns = append(p.Columns, text.T(ctx, "review.col."+col.name))
	}
	if m.ReviewedBy != "" {
		p.Reviewed = text.T(ctx, "review.done", view.When(ctx, m.ReviewedAt), nameOr(names, m.ReviewedBy))
	}
	p.Rows = reviewRows(m, names, last)
	return s.render(c, http.StatusOK, templates.Review(p))
}

// reviewRows are the people of a month; the store lists the counts of one person behind one another.
func reviewRows(m app.MonthReview, names map[string]string, last time.Time) (rows []templates.ReviewRow) {
	sums := make([]int, len(reviewColumns))
	for i, n := range m.Counts {
		sums[reviewColumn(n.Kind)] += n.N
		if i+1 < len(m.Counts) && m.Counts[i+1].StaffID == n.StaffID {
			continue
		}
		row := templates.ReviewRow{Name: nameOr(names, n.StaffID), Href: auditHref(n.StaffID, m.From, last)}
		for _, sum := range sums {
			row.Sums = append(row.Sums, strconv.Itoa(sum))
		}
		rows, sums = append(rows, row), make([]int, len(reviewColumns))
	}
	return rows
}

func reviewHref(month time.Time) string { return reviewPath + "?month=" + month.Format(monthForm) }

func auditHref(person string, from, to time.Time) string {
	return "/admin/audit?" + url.Values{"person": {person}, "from": {from.Format(time.DateOnly)}, "to": {to.Format(time.DateOnly)}}.Encode()
}

// postReview handles POST /admin/audit/review: somebody looked through the month.
func (s *Server) postReview(c echo.Context) error {
	month := s.readReviewMonth(c.FormValue("month"))
	if err := s.Shop.Reviewed(c.Request().Context(), staffOf(c), month); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, reviewHref(month))
}

// fillReview asks who may to look through last month's record.
func (s *Server) fillReview(c echo.Context, p *templates.WorkPage) error {
	if !may(c, app.RightSeeAudit) {
		return nil
	}
	ctx := c.Request().Context()
	m, err := s.Shop.ReviewOf(ctx, staffOf(c), s.Shop.LastMonth())
	if err == nil && m.Due(s.Now()) {
		p.Review = &templates.WorkRow{
			Title: text.T(ctx, "review.due", m.Name()), Text: text.T(ctx, "review.due.text"), Href: reviewHref(m.From), Deed: text.T(ctx, "review.open"),
		}
	}
	return err
}
