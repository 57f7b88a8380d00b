package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// getCashReceipt handles GET /admin/receipts/{id}.
func (s *Server) getCashReceipt(c echo.Context) error {
	return s.showCashReceipt(c, http.StatusOK, nil)
}

func (s *Server) showCashReceipt(c echo.Context, status int, faults map[string]string) error {
	ctx := c.Request().Context()
	r, err := s.Shop.CashReceipt(ctx, c.Param("id"))
	if err != nil {
		return err
	}
	frame, err := s.staffFrame(c, "receipts", "staff.nav.receipts")
	if err != nil {
		return err
	}
	names, err := s.staffNames(ctx)
	if err != nil {
		return err
	}
	p := templates.ReceiptPage{
		StaffFrame: frame, ID: r.ID, State: string(r.State), Amiss: string(r.Amiss), Amount: int64(r.Amount), Struck: r.State == app.ReceiptStateCancelled,
		Back: "/admin/receipts?show=all", Live: r.State == app.ReceiptStateRequested || r.State == app.ReceiptStateSent || r.State == app.ReceiptStateCancelling,
		Facts: receiptFacts(ctx, r, names), Sums: receiptSums(ctx, r), Errors: faults, Slip: s.hasSlip(r) && may(c, app.RightSeeBuyers),
		Today: s.Now().In(app.KST).Format(time.DateOnly), Typed: map[string]string{},
	}
	for _, name := range []string{"number", "tid", "reason"} {
		p.Typed[name] = c.FormValue(name)
	}
	if date := c.FormValue("date"); date != "" {
		p.Today = date
	}
	p.Title = text.T(ctx, "receipt.purpose."+string(r.Purpose))
	if whom := r.Identity.Masked(); whom != "" {
		p.Title += " · " + whom
	}
	p.Title += " · " + text.T(ctx, "receipt.source."+string(r.Source))
	if r.Payment != "" {
		p.Back = paymentPath(r.Payment)
	}
	p.NoticeKind, p.Notice, p.NoticeHow = receiptNotice(ctx, r)
	if may(c, app.RightIssueCashReceipts) {
		byCall := r.Source == app.ReceiptByCall && r.TID != "" && s.receiptCall(ctx)
		p.Cancel = byCall && r.State == app.ReceiptStateIssued
		p.Resend = byCall && r.State == app.ReceiptStateCancelUnknown
		p.TakenBack = r.Source != app.ReceiptByWindow && r.State == app.ReceiptStateIssued
		p.SettleIssue, p.SettleCancel = r.State == app.ReceiptStateUnknown, r.State == app.ReceiptStateCancelUnknown
	}
	return s.render(c, status, templates.ReceiptView(p))
}

// hasSlip says whether the gateway has a page of the receipt.
func (s *Server) hasSlip(r app.CashReceipt) bool {
	issued := r.State == app.ReceiptStateIssued || r.State == app.ReceiptStateCancelling || r.State == app.ReceiptStateCancelUnknown || r.State == app.ReceiptStateCancelled
	return issued && (r.TID != "" || r.Source == app.ReceiptByWindow)
}

// receiptNotice says what has to be done about a receipt, in one sentence with its one safe step.
func receiptNotice(ctx context.Context, r app.CashReceipt) (kind, title, how string) {
	say := func(kind, what string, args ...any) (string, string, string) {
		return kind, text.T(ctx, "receipt.note."+what), text.T(ctx, "receipt.note."+what+".text", args...)
	}
	switch {
	case r.State == app.ReceiptStateUnknown:
		return say("warn", "unknown")
	case r.State == app.ReceiptStateCancelUnknown:
		return say("warn", "cancel_unknown")
	case r.State == app.ReceiptStateRequested, r.State == app.ReceiptStateSent:
		return say("info", "sent")
	case r.State == app.ReceiptStateCancelling:
		return say("info", "cancelling")
	case r.State == app.ReceiptStateRefused:
		return say("error", "refused", said(ctx, r.ResultCode, r.ResultMsg))
	case r.Amiss == app.ReceiptOrphan:
		return say("error", "orphan")
	case r.Amiss == app.ReceiptSecond:
		return say("error", "second")
	case r.State == app.ReceiptStateIssued && r.CancelSends > 0:
		return say("error", "cancel_refused", said(ctx, r.ResultCode, r.ResultMsg))
	}
	return "", "", ""
}

// receiptFault is which of the notes tells why a receipt is on the list of what needs a hand.
func receiptFault(r app.CashReceipt) string {
	if r.State == app.ReceiptStateIssued {
		return string(r.Amiss)
	}
	return string(r.State)
}

func receiptFacts(ctx context.Context, r app.CashReceipt, names map[string]string) []templates.Detail {
	var list []templates.Detail
	add := func(key, value string, copied bool) {
		if value != "" {
			list = append(list, templates.Detail{Name: text.T(ctx, key), Value: value, Copy: copied, Mono: copied})
		}
	}
	when := func(key string, at time.Time) {
		if !at.IsZero() {
			add(key, view.When(ctx, at), false)
		}
	}
	add("receipt.number", r.Number, true)
	add("receipt.purpose", text.T(ctx, "receipt.purpose."+string(r.Purpose)), false)
	add("receipt.identity", r.Identity.Masked(), false)
	add("staff.col.goods", r.Goods, false)
	add("staff.name", view.MaskName(r.Name), false)
	if r.Erased {
		add("receipt.identity", text.T(ctx, "staff.erased"), false)
	}
	add("receipt.payment", string(r.Payment), true)
	add("staff.tid", string(r.TID), true)
	when("receipt.asked_at", r.CreatedAt)
	add("receipt.by", names[r.By], false)
	when("receipt.issued_at", r.IssuedAt)
	if r.State == app.ReceiptStateCancelled {
		when("receipt.cancelled_at", r.CancelledAt)
		add("receipt.cancel_number", r.CancelNumber, true)
	}
	add("receipt.cancel_by", names[r.CancelBy], false)
	add("receipt.cancel.reason", r.Reason, false)
	return list
}

func receiptSums(ctx context.Context, r app.CashReceipt) []templates.Detail {
	list := []templates.Detail{
		{Name: text.T(ctx, "receipt.total"), Value: view.Won(ctx, r.Amount)}, {Name: text.T(ctx, "receipt.supply"), Value: view.Won(ctx, r.Supply)},
		{Name: text.T(ctx, "staff.order.vat"), Value: view.Won(ctx, r.VAT)},
	}
	if r.TaxFree > 0 {
		list = append(list, templates.Detail{Name: text.T(ctx, "staff.order.tax_free"), Value: view.Won(ctx, r.TaxFree)})
	}
	if r.Service > 0 {
		list = append(list, templates.Detail{Name: text.T(ctx, "receipt.service"), Value: view.Won(ctx, r.Service)})
	}
	return list
}

// staffNames are the people's names by their IDs.
func (s *Server) staffNames(ctx context.Context) (map[string]string, error) {
	people, err := s.Shop.Staff(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, h := range people {
		names[h.ID] = h.Name
	}
	return names, nil
}

// postReceiptSlip handles POST /admin/receipts/{id}/slip: leads on to the gateway's page, once the look is recorded.
func (s *Server) postReceiptSlip(c echo.Context) error {
	link, err := s.Shop.SeeCashReceipt(c.Request().Context(), staffOf(c), c.Param("id"))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, templates.Receipt(link))
}

// afterReceipt answers what a person did to a receipt: its page, with what was wrong about the form.
func (s *Server) afterReceipt(c echo.Context, r app.CashReceipt, err error) error {
	if errors.Is(err, app.ErrBadInput) {
		return s.showCashReceipt(c, http.StatusUnprocessableEntity, inputFaults(c.Request().Context(), err))
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, receiptPath(r.ID))
}

// postReceiptCancel handles POST /admin/receipts/{id}/cancel: our call takes back what our call issued.
func (s *Server) postReceiptCancel(c echo.Context) error {
	r, err := s.Shop.CancelCashReceipt(c.Request().Context(), staffOf(c), c.Param("id"), c.FormValue("reason"))
	return s.afterReceipt(c, r, err)
}

// postReceiptResend handles POST /admin/receipts/{id}/resend, for a cancel of unknown outcome.
func (s *Server) postReceiptResend(c echo.Context) error {
	r, err := s.Shop.ResendReceiptCancel(c.Request().Context(), staffOf(c), c.Param("id"))
	return s.afterReceipt(c, r, err)
}

// receiptWord reads what a person saw at the gateway's site.
func receiptWord(c echo.Context) app.ReceiptWord {
	return app.ReceiptWord{
		Happened: c.FormValue("happened") == "yes", Number: c.FormValue("number"), TID: c.FormValue("tid"), Date: c.FormValue("date"), Reason: c.FormValue("reason"),
	}
}

// postReceiptSettle handles POST /admin/receipts/{id}/settle: a person says what the gateway's own record shows.
func (s *Server) postReceiptSettle(c echo.Context) error {
	if v := c.FormValue("happened"); v != "yes" && v != "no" {
		return app.ErrBadInput
	}
	r, err := s.Shop.SettleCashReceipt(c.Request().Context(), staffOf(c), c.Param("id"), receiptWord(c))
	return s.afterReceipt(c, r, err)
}

// postReceiptTakenBack handles POST /admin/receipts/{id}/taken-back: a person took it back at the gateway's site.
func (s *Server) postReceiptTakenBack(c echo.Context) error {
	r, err := s.Shop.RecordReceiptCancel(c.Request().Context(), staffOf(c), c.Param("id"), receiptWord(c))
	return s.afterReceipt(c, r, err)
}
