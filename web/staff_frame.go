package web

import (
	"context"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/smartro"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// staffFrame is what surrounds a page of the back office; active is payments, work, requests, subscriptions or settings.
func (s *Server) staffFrame(c echo.Context, active, titleKey string) (templates.StaffFrame, error) {
	ctx, who := c.Request().Context(), staffOf(c)
	f := templates.StaffFrame{
		Title: text.T(ctx, titleKey), Active: active, Person: who.Name, LangHref: inOtherLang(ctx, c.Request()),
	}
	if m, err := s.Shop.Merchant(ctx); err == nil {
		f.Practice = m.Mode != smartro.Real
	}
	if err := s.fillRestored(c, &f); err != nil {
		return f, err
	}
	backup, err := s.Shop.BackupState(ctx)
	if err != nil {
		return f, err
	}
	w, err := s.Shop.Worklist(ctx)
	if err != nil {
		return f, err
	}
	hands := toApprove(who, w.Requests) + len(w.Claimed) + len(w.Cancels) + len(w.Holds) + len(w.GivenUp) + w.Unjudged + len(w.Receipts) + len(w.Needs)
	if may(c, app.RightCancel) {
		hands += len(w.Refunds)
	}
	if may(c, app.RightChargeBillingKeys) {
		hands += len(w.Charges)
	}
	if may(c, app.RightChangeGateway) {
		hands += len(w.Senders)
	}
	for _, alarm := range []bool{backup.Failed(), w.Quarantined > 0, w.Misfits > 0, w.Silent != nil, s.unlisted.Load()} {
		if alarm {
			hands++
		}
	}
	f.Links = []templates.NavLink{
		{Name: "payments", Href: "/admin", Icon: "list"},
		{Name: "work", Href: "/admin/work", Icon: "hand", Count: hands},
		{Name: "requests", Href: "/admin/requests", Icon: "link"},
		{Name: "accounts", Href: accountsPath, Icon: "landmark"},
		{Name: "receipts", Href: "/admin/receipts", Icon: "receipt"},
		{Name: "inbox", Href: inboxPath, Icon: "inbox"},
	}
	if may(c, app.RightSeeReports) { // after the two that a phone's bar always shows
		f.Links = slices.Insert(f.Links, 2, templates.NavLink{Name: "sales", Href: salesPath, Icon: "house"})
	}
	if may(c, app.RightChargeBillingKeys) {
		f.Links = append(f.Links, templates.NavLink{Name: "subscriptions", Href: "/admin/subscriptions", Icon: "calendar"})
	}
	if may(c, app.RightChangeShop) {
		f.Links = append(f.Links, templates.NavLink{Name: "settings", Href: "/admin/settings", Icon: "settings"})
	}
	fold(f.Links)
	return f, nil
}

// barHolds is how many entries a phone's bar has room for, the one that opens the rest among them.
const barHolds = 4

// fold puts what has no room in a phone's bar behind its last entry.
func fold(links []templates.NavLink) {
	if len(links) <= barHolds {
		return
	}
	for i := barHolds - 1; i < len(links); i++ {
		links[i].Folded = true
	}
}

// fillRestored puts on every page that the records are a backup's, as long as nobody has compared them.
func (s *Server) fillRestored(c echo.Context, f *templates.StaffFrame) error {
	ctx := c.Request().Context()
	e, err := s.Shop.Epoch(ctx)
	if err != nil || !e.Frozen() {
		return err
	}
	f.Restored = &templates.RestoredView{
		Imports: may(c, app.RightImport),
		Title:   text.T(ctx, "staff.restored", view.When(ctx, e.BackupAt)), Owner: may(c, app.RightChangeGateway),
		Text: text.T(ctx, "staff.restored.text", view.When(ctx, e.BackupAt), view.When(ctx, e.RestoredAt)),
	}
	return nil
}

// postReconciled handles POST /admin/settings/reconciled: the owner has compared the restored records with the
// gateway's list.
func (s *Server) postReconciled(c echo.Context) error {
	if err := s.Shop.Reconcile(c.Request().Context(), staffOf(c), c.FormValue("reason")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin/settings?saved=reconciled")
}

// inOtherLang is the page that is shown, in the other language: its filters stay.
func inOtherLang(ctx context.Context, r *http.Request) string {
	q := r.URL.Query()
	q.Set("lang", string(text.Korean))
	if text.Of(ctx) == text.Korean {
		q.Set("lang", string(text.English))
	}
	return r.URL.Path + "?" + q.Encode()
}
