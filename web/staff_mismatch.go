package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
)

const mismatchesPath = "/admin/mismatches"

// getMismatches handles GET /admin/mismatches: what does not fit, by how it does not.
func (s *Server) getMismatches(c echo.Context) error {
	ctx := c.Request().Context()
	list, err := s.Shop.MismatchBoard(ctx)
	if err != nil {
		return err
	}
	frame, err := s.staffFrame(c, "work", "mismatch.title")
	if err != nil {
		return err
	}
	p := templates.MismatchPage{StaffFrame: frame}
	for _, kind := range app.MismatchKinds() {
		g := templates.MismatchGroup{Title: text.T(ctx, "mismatch."+string(kind)), Text: text.T(ctx, "mismatch."+string(kind)+".text"), Quiet: kind == app.MismatchNoReturn}
		for _, m := range list {
			if m.Kind != kind {
				continue
			}
			row := templates.MismatchRow{Name: string(m.Moid), TID: string(m.TID), Amount: int64(m.Amount), Since: m.Since}
			if m.OrderNo == "" {
				row.Href = "/admin/work"
			} else {
				row.Href = paymentPath(m.Moid)
			}
			if row.Name == "" {
				row.Name = string(m.TID)
			}
			g.Rows = append(g.Rows, row)
		}
		if len(g.Rows) > 0 {
			p.Groups = append(p.Groups, g)
		}
	}
	return s.render(c, http.StatusOK, templates.Mismatches(p))
}
