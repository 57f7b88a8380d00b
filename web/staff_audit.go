package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/sheet"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

const accessesPerPage = 50

// auditFilter reads which part of the record is asked for; p keeps it for the form.
func auditFilter(v url.Values, p *templates.AuditPage) (q app.AccessQuery, err error) {
	p.From, p.To, p.Order = v.Get("from"), v.Get("to"), strings.ToUpper(strings.TrimSpace(v.Get("order")))
	q = app.AccessQuery{StaffID: v.Get("person"), OrderNo: app.OrderNo(p.Order), After: readCursor(v.Get("after")), Limit: accessesPerPage + 1}
	if !isText(q.StaffID) || !isText(p.Order) || !isText(q.After.ID) {
		return q, app.ErrNotFound
	}
	if kind := app.AccessKind(v.Get("kind")); slices.Contains(app.AccessKinds(), kind) {
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
	return q, nil
}

// getAudit handles GET /admin/audit: who looked at whose data, who came in, who changed rights.
func (s *Server) getAudit(c echo.Context) error {
	return s.showAudit(c, http.StatusOK, c.QueryParams(), templates.ExportForm{Format: formatXLSX})
}

func (s *Server) showAudit(c echo.Context, status int, v url.Values, export templates.ExportForm) error {
	ctx := c.Request().Context()
	frame, err := s.staffFrame(c, "settings", "staff.audit.title")
	if err != nil {
		return err
	}
	p := templates.AuditPage{StaffFrame: frame, Export: export}
	q, err := auditFilter(v, &p)
	if err != nil {
		return err
	}
	p.Export.Action, p.Export.Key, p.Export.Reasons = "/admin/audit/export", rand.Text(), exportReasons(ctx)
	for _, name := range []string{"person", "kind", "order", "from", "to"} {
		p.Export.Keep = append(p.Export.Keep, templates.Hidden{Name: name, Value: v.Get(name)})
	}
	people, err := s.Shop.Staff(ctx)
	if err != nil {
		return err
	}
	names := auditNames(ctx, people)
	p.Person = templates.SelectView{Name: "person", Label: text.T(ctx, "staff.audit.person"), Value: q.StaffID, Required: true, Options: []templates.Option{{Label: text.T(ctx, "staff.audit.all")}}}
	for _, h := range people {
		p.Person.Options = append(p.Person.Options, templates.Option{Value: h.ID, Label: h.Name})
	}
	p.Kind = templates.SelectView{Name: "kind", Label: text.T(ctx, "staff.audit.kind"), Value: v.Get("kind"), Required: true, Options: []templates.Option{{Label: text.T(ctx, "staff.audit.all")}}}
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
		next := url.Values{"person": {q.StaffID}, "kind": {p.Kind.Value}, "order": {p.Order}, "from": {p.From}, "to": {p.To}}
		next.Set("after", fmt.Sprintf("%d-%s", last.At.UnixMicro(), last.ID))
		p.Next = "/admin/audit?" + next.Encode()
	}
	for _, a := range list {
		row := templates.AuditRow{At: a.At, Who: nameOr(names, a.StaffID), Peer: a.Peer, What: text.T(ctx, "staff.access."+string(a.Kind)), About: auditSubject(ctx, names, a), Words: a.Words}
		switch a.Kind {
		case app.SawBuyer, app.SawReceipt:
			row.Href = paymentPath(app.Moid(a.Subject))
		case app.SawSubscriber:
			row.Href = staffSubscriptionPath(app.SubscriptionNo(a.Subject))
		case app.ChangedRole:
			before, after, _ := strings.Cut(a.Words, " → ")
			row.Words = text.T(ctx, "staff.role."+before) + " → " + text.T(ctx, "staff.role."+after)
		case app.SawCashReceipt:
			row.Href, row.About = receiptPath(a.Subject), string(a.OrderNo)
		case app.AppliedImport:
			row.Href, row.About = importPath(a.Subject), text.T(ctx, "staff.import.source")
		case app.SawMessage:
			row.Href, row.About = "/admin/messages/"+a.Subject, string(a.OrderNo)
		}
		if list := app.ReadChanges(a); len(list) > 0 {
			row.Words = ""
			for _, v := range list {
				row.Changes = append(row.Changes, templates.ChangeRow{Field: fieldName(ctx, v.Field), Before: changed(ctx, v.Before), After: changed(ctx, v.After)})
			}
		}
		if a.Reason != "" {
			row.Why = text.T(ctx, "staff.why."+string(a.Reason))
		}
		p.Rows = append(p.Rows, row)
	}
	return s.render(c, status, templates.Audit(p))
}

// fieldName is what a field of a setting is called.
func fieldName(ctx context.Context, field string) string {
	if role, ok := strings.CutPrefix(field, "limit."); ok {
		return text.T(ctx, "staff.role."+role)
	}
	return text.T(ctx, "change."+field)
}

// changed is a value of a setting as a person reads it.
func changed(ctx context.Context, value string) string {
	switch value {
	case "true":
		return text.T(ctx, "change.yes")
	case "false":
		return text.T(ctx, "change.no")
	case string(app.SecondForNobody), string(app.SecondForMoney), string(app.SecondForAll):
		return text.T(ctx, "staff.second.rule."+value)
	case string(app.SenderApproved), string(app.SenderRefused), string(app.SenderAsked):
		return text.T(ctx, "change.sender."+value)
	}
	return value
}

// auditNames are people by their ID.
func auditNames(ctx context.Context, people []app.Staff) map[string]string {
	names := map[string]string{"operator": text.T(ctx, "staff.audit.operator"), "": "–"}
	for _, h := range people {
		names[h.ID] = h.Name
	}
	return names
}

func nameOr(names map[string]string, id string) string {
	if name := names[id]; name != "" {
		return name
	}
	return id
}

// auditSubject is what a line is about, as a person reads it.
func auditSubject(ctx context.Context, names map[string]string, a app.Access) string {
	e, ok := app.ReadExported(a)
	switch {
	case a.Subject == "":
		return ""
	case !ok && names[a.Subject] != "":
		return names[a.Subject]
	case !ok:
		return a.Subject
	}
	about := text.T(ctx, "staff.audit.file", strings.ToUpper(e.Format), view.Comma(e.Rows))
	if e.Mode != "" {
		about += " · " + text.T(ctx, "staff.mode."+string(e.Mode))
	}
	if e.Personal {
		return about + " · " + text.T(ctx, "staff.audit.personal")
	}
	return about + " · " + text.T(ctx, "staff.audit.masked")
}

// postAuditExport handles POST /admin/audit/export: the record as a file, made and recorded as one of payments is.
func (s *Server) postAuditExport(c echo.Context) error {
	ctx := c.Request().Context()
	v, err := c.FormParams()
	if err != nil {
		return app.ErrBadInput
	}
	q, err := auditFilter(v, &templates.AuditPage{})
	if err != nil {
		return err
	}
	people, err := s.Shop.Staff(ctx)
	if err != nil {
		return err
	}
	names, title := auditNames(ctx, people), text.T(ctx, "staff.audit.title")
	asked := url.Values{}
	for _, name := range []string{"person", "kind", "order", "from", "to"} {
		if v.Get(name) != "" {
			asked.Set(name, v.Get(name))
		}
	}
	out, err := s.newTable(ctx, v.Get("format"), title, []string{title, text.T(ctx, "staff.export.made", view.Stamp(s.Now()), asked.Encode())}, []sheet.Column{
		{Title: text.T(ctx, "staff.col.time"), Width: 19}, {Title: text.T(ctx, "staff.audit.person"), Width: 14}, {Title: text.T(ctx, "staff.audit.peer"), Width: 16},
		{Title: text.T(ctx, "staff.audit.kind"), Width: 22}, {Title: text.T(ctx, "staff.audit.about"), Width: 40}, {Title: text.T(ctx, "staff.why"), Width: 20},
		{Title: text.T(ctx, "staff.why.words"), Width: 40},
	})
	if err != nil {
		return err
	}
	defer out.discard(s)
	done := s.exports.begin(v.Get("key"), staffOf(c).ID, 0)
	defer done.end()
	rows := int64(0)
	_, err = s.Shop.ExportAccesses(ctx, staffOf(c), q, v.Get("format"), asked.Encode(), readWhy(c), func(a app.Access) error {
		done.rows.Add(1)
		rows++
		why := ""
		if a.Reason != "" {
			why = text.T(ctx, "staff.why."+string(a.Reason))
		}
		return out.Row(a.At, nameOr(names, a.StaffID), a.Peer, text.T(ctx, "staff.access."+string(a.Kind)), auditSubject(ctx, names, a), why, a.Words)
	}, func() error {
		return out.finish(text.T(ctx, "staff.export.sum", view.Comma(rows)), nil, v.Get("lossy") == "yes")
	})
	if err == nil {
		return s.sendFile(c, out, title+"-"+s.Now().In(app.KST).Format("20060102-1504"))
	}
	form := templates.ExportForm{Format: v.Get("format"), Reason: v.Get("reason"), Words: v.Get("words"), Errors: inputFaults(ctx, err)}
	var lost *lostError
	if errors.As(err, &lost) {
		form.Lost = lost.words(ctx)
	} else if len(form.Errors) == 0 {
		return err
	}
	return s.showAudit(c, http.StatusUnprocessableEntity, v, form)
}
