package web

import (
	"fmt"
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

const accessesPerPage = 50

// getAudit handles GET /admin/audit: who looked at whose data, who came in, who changed rights.
func (s *Server) getAudit(c echo.Context) error {
	ctx := c.Request().Context()
	frame, err := s.staffFrame(c, "settings", "staff.audit.title")
	if err != nil {
		return err
	}
	p := templates.AuditPage{StaffFrame: frame, From: c.QueryParam("from"), To: c.QueryParam("to"), Order: strings.ToUpper(strings.TrimSpace(c.QueryParam("order")))}
	q := app.AccessQuery{
		StaffID: c.QueryParam("person"), OrderNo: app.OrderNo(p.Order), After: readCursor(c.QueryParam("after")), Limit: accessesPerPage + 1,
	}
	if !isText(q.StaffID) || !isText(p.Order) || !isText(q.After.ID) {
		return app.ErrNotFound
	}
	if kind := app.AccessKind(c.QueryParam("kind")); slices.Contains(app.AccessKinds(), kind) {
		q.Kinds = []app.AccessKind{kind}
	}
	if q.From, err = time.ParseInLocation(time.DateOnly, p.From, app.KST); err != nil {
		p.From = ""
	}
	if q.To, err = time.ParseInLocation(time.DateOnly, p.To, app.KST); err != nil {
		p.To = ""
	} else {
		q.To = q.To.AddDate(0, 0, 1)
	}
	people, err := s.Shop.Staff(ctx)
	if err != nil {
		return err
	}
	names := map[string]string{"operator": text.T(ctx, "staff.audit.operator"), "": "–"}
	p.Person = templates.SelectView{Name: "person", Label: text.T(ctx, "staff.audit.person"), Value: q.StaffID, Required: true, Options: []templates.Option{{Label: text.T(ctx, "staff.audit.all")}}}
	for _, h := range people {
		names[h.ID] = h.Name
		p.Person.Options = append(p.Person.Options, templates.Option{Value: h.ID, Label: h.Name})
	}
	p.Kind = templates.SelectView{Name: "kind", Label: text.T(ctx, "staff.audit.kind"), Value: c.QueryParam("kind"), Required: true, Options: []templates.Option{{Label: text.T(ctx, "staff.audit.all")}}}
	for _, k := range app.AccessKinds() {
		p.Kind.Options = append(p.Kind.Options, templates.Option{Value: string(k), Label: text.T(ctx, "staff.access."+string(k))})
	}
	list, err := s.Shop.Accesses(ctx, staffOf(c), q)
	if err != nil {
		return err
	}
	if len(list) > accessesPerPage {
		list = list[:accessesPerPage]
		last := list[len(list)-1]
		v := url.Values{"person": {q.StaffID}, "kind": {p.Kind.Value}, "order": {p.Order}, "from": {p.From}, "to": {p.To}}
		v.Set("after", fmt.Sprintf("%d-%s", last.At.UnixMicro(), last.ID))
		p.Next = "/admin/audit?" + v.Encode()
	}
	for _, a := range list {
		row := templates.AuditRow{At: a.At, Who: names[a.StaffID], Peer: a.Peer, What: text.T(ctx, "staff.access."+string(a.Kind)), About: a.Subject, Words: a.Words}
		if row.Who == "" {
			row.Who = a.StaffID
		}
		if name, ok := names[a.Subject]; ok {
			row.About = name
		}
		switch a.Kind {
		case app.SawBuyer, app.SawReceipt:
			row.Href = paymentPath(app.Moid(a.Subject))
		case app.SawMessage:
			row.Href, row.About = "/admin/messages/"+a.Subject, string(a.OrderNo)
		}
		if a.Reason != "" {
			row.Why = text.T(ctx, "staff.why."+string(a.Reason))
		}
		p.Rows = append(p.Rows, row)
	}
	return s.render(c, http.StatusOK, templates.Audit(p))
}
