package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// getWork handles GET /admin/work: what needs a person's hand.
func (s *Server) getWork(c echo.Context) error {
	ctx := c.Request().Context()
	w, err := s.Shop.Worklist(ctx)
	if err != nil {
		return err
	}
	frame, err := s.staffFrame(c, "work", "staff.nav.work")
	if err != nil {
		return err
	}
	p := templates.WorkPage{StaffFrame: frame, Imports: may(c, app.RightImport), Unjudged: w.Unjudged, Owner: may(c, app.RightChangeGateway), Settles: may(c, app.RightSettle), Again: judgedAgain(c)}
	fillAlarms(ctx, &p, w)
	if s.unlisted.Load() {
		p.Proxy = &templates.WorkRow{Title: text.T(ctx, "staff.proxy"), Text: text.T(ctx, "staff.proxy.text")}
	}
	if err := s.fillReview(c, &p); err != nil {
		return err
	}
	backup, err := s.Shop.BackupState(ctx)
	if err != nil {
		return err
	}
	if backup.Failed() {
		p.Backup = &templates.WorkRow{
			Title: text.T(ctx, "staff.backup.failed"), Text: text.T(ctx, "staff.backup.failed.text", view.When(ctx, backup.FailedAt)),
		}
		if backup.File != "" {
			p.Backup.Text += " " + text.T(ctx, "staff.backup.last", backup.File, view.When(ctx, backup.At))
		}
		if p.Owner {
			p.BackupError = backup.Error
		}
	}
	names, err := s.namesOf(ctx)
	if err != nil {
		return err
	}
	for _, q := range w.Requests {
		row := templates.WorkRow{
			Title: text.T(ctx, "staff.approve.asks", names[q.By], view.Won(ctx, q.Amount)), Text: q.Reason,
			About: string(q.Moid) + " · " + view.When(ctx, q.CreatedAt),
		}
		if may(c, app.RightCancel) {
			row.Href = approvalPath(q.ID)
		}
		p.Requests = append(p.Requests, row)
	}
	for _, a := range w.Refunds {
		row := templates.WorkRow{Title: text.T(ctx, "refund.hand"), Text: maskedAccount(a.Account), About: string(a.Moid) + " · " + view.When(ctx, a.EnteredAt)}
		if may(c, app.RightCancel) {
			row.Href = paymentPath(a.Moid) + "/cancel"
		}
		p.Refunds = append(p.Refunds, row)
	}
	for _, q := range w.Claimed {
		name := claimHand(q)
		p.Claimed = append(p.Claimed, templates.WorkRow{
			Title: text.T(ctx, name), Href: paymentPath(q.Moid),
			About: string(q.Moid) + " · " + view.Won(ctx, q.Amount) + " · " + view.When(ctx, q.ClaimedAt), Text: text.T(ctx, name+".text"),
		})
	}
	for _, cn := range w.Cancels {
		name := "staff.hand.unknown"
		if cn.State == app.CancelStateAccepted {
			name = "staff.hand.accepted"
		}
		p.Cancels = append(p.Cancels, templates.WorkRow{
			Title: text.T(ctx, name, view.Won(ctx, cn.Amount)), Href: paymentPath(cn.Moid),
			About: string(cn.Moid) + " · " + view.When(ctx, cn.SentAt), Text: text.T(ctx, name+".text"),
		})
	}
	if may(c, app.RightChargeBillingKeys) {
		for _, ch := range w.Charges {
			h := chargeHand(ctx, ch)
			p.Charges = append(p.Charges, templates.WorkRow{Title: h.Title, Text: h.Text, About: string(ch.Moid), Href: staffSubscriptionPath(ch.Subscription)})
		}
	}
	for _, r := range w.Receipts {
		what := "receipt.note." + receiptFault(r)
		p.Receipts = append(p.Receipts, templates.WorkRow{
			Title: text.T(ctx, what), Href: receiptPath(r.ID), Text: text.T(ctx, what+".text"),
			About: text.T(ctx, "receipt.purpose."+string(r.Purpose)) + " · " + view.Won(ctx, r.Amount) + " · " + view.When(ctx, r.CreatedAt),
		})
	}
	for _, n := range w.Needs {
		p.Needs = append(p.Needs, templates.WorkRow{
			Title: text.T(ctx, "receipt.needed", n.Day(s.Now()), app.ReceiptLastDay), Href: paymentPath(n.Moid), Text: text.T(ctx, "receipt.needed.text"),
			About: string(n.Moid) + " · " + view.Won(ctx, n.Amount) + " · " + view.When(ctx, n.Since),
		})
	}
	for _, h := range w.Holds {
		row := templates.WorkRow{
			ID: h.ID, Title: text.T(ctx, "staff.hold."+string(h.Reason), view.Won(ctx, h.Amount)),
			About: strings.Trim(string(h.Moid)+" · "+view.When(ctx, h.CreatedAt), " ·"), Text: text.T(ctx, "staff.hold.text"),
		}
		if h.OrderNo != "" {
			row.Href = paymentPath(h.Moid)
		} else if h.MessageID != "" {
			row.Href = "/admin/messages/" + h.MessageID
			if id, ok := app.ImportOf(h.MessageID); ok {
				row.Href = importPath(id)
			}
		}
		p.Holds = append(p.Holds, row)
	}
	for _, j := range w.GivenUp {
		p.GivenUp = append(p.GivenUp, templates.WorkRow{
			ID: j.ID, Title: text.T(ctx, "staff.job."+string(j.Kind)), About: j.Ref + " · " + view.When(ctx, j.CreatedAt),
			Text: text.T(ctx, "staff.job.text", j.Attempts), Detail: j.LastError,
		})
		if j.Kind == app.JobTell && staffOf(c).Role.May(app.RightChangeHooks) {
			p.GivenUp[len(p.GivenUp)-1].Href = "/admin/settings/hook" // where a test says what is wrong
		}
	}
	for _, sender := range w.Senders {
		p.Senders = append(p.Senders, templates.WorkRow{
			ID: sender.Addr, Title: text.T(ctx, "staff.sender.title", sender.Addr), Text: text.T(ctx, "staff.sender.text", view.Comma(sender.Count)),
		})
	}
	return s.render(c, http.StatusOK, templates.Work(p))
}

// postCloseHold handles POST /admin/holds/{id}/close.
func (s *Server) postCloseHold(c echo.Context) error {
	ctx := c.Request().Context()
	h, err := s.Shop.Store.Hold(ctx, c.Param("id"))
	if err != nil {
		return err
	}
	if err := s.Shop.CloseHold(ctx, staffOf(c), h.ID, c.FormValue("note")); err != nil {
		return err
	}
	if c.FormValue("from") == "work" || h.OrderNo == "" {
		return c.Redirect(http.StatusSeeOther, "/admin/work")
	}
	return c.Redirect(http.StatusSeeOther, paymentPath(h.Moid))
}

// postRetryJob handles POST /admin/jobs/{id}/retry.
func (s *Server) postRetryJob(c echo.Context) error {
	if err := s.Shop.RetryJob(c.Request().Context(), staffOf(c), c.Param("id")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin/work")
}

// postSender handles POST /admin/senders: whether an address is the gateway.
func (s *Server) postSender(c echo.Context) error {
	answer := c.FormValue("gateway")
	if answer != "yes" && answer != "no" {
		return app.ErrBadInput
	}
	err := s.Shop.DecideSender(c.Request().Context(), staffOf(c), c.FormValue("addr"), answer == "yes")
	if err != nil && !errors.Is(err, app.ErrConflict) {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin/work")
}
