package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/smartro"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// getCancel handles GET /admin/payments/{moid}/cancel.
func (s *Server) getCancel(c echo.Context) error {
	return s.showCancel(c, http.StatusOK, app.CancelInput{Whole: true}, nil)
}

func (s *Server) showCancel(c echo.Context, status int, typed app.CancelInput, faults map[string]string) error {
	page, _, err := s.cancelPage(c, typed)
	if err != nil {
		return err
	}
	page.Errors = faults
	return s.render(c, status, templates.Cancel(page))
}

func (s *Server) cancelPage(c echo.Context, typed app.CancelInput) (templates.CancelPage, app.CancelPlan, error) {
	ctx := c.Request().Context()
	plan, err := s.Shop.PrepareCancel(ctx, moidOf(c))
	if err != nil {
		return templates.CancelPage{}, plan, err
	}
	frame, err := s.staffFrame(c, "payments", "staff.cancel.title")
	if err != nil {
		return templates.CancelPage{}, plan, err
	}
	page := templates.CancelPage{
		StaffFrame: frame, Moid: c.Param("moid"), Back: paymentPath(moidOf(c)), Key: plan.Key, Left: int64(plan.Left),
		Approved: int64(plan.Payment.Approved), PartAllowed: plan.PartAllowed, NeedsAccount: plan.NeedsRefundAccount,
		Withdraws: plan.WithdrawsAccount, Part: !typed.Whole, Reason: typed.Reason,
		RefundBank: typed.RefundBank, RefundAcct: typed.RefundAcct, RefundName: typed.RefundName,
		Refused: plan.Payment.HasMoney() && !plan.Rule.Allowed,
	}
	if page.Refused {
		page.RefusedWhy = text.T(ctx, "input.rule."+string(plan.Rule.Case))
	}
	st, err := s.Shop.Story(ctx, moidOf(c))
	if err != nil {
		return page, plan, err
	}
	amt := app.Won(0)
	if typed.Whole {
		amt = plan.Left
	} else if typed.Amount > 0 && typed.Amount <= plan.Left {
		amt = typed.Amount
	}
	page.Happens = advice(ctx, plan, st.CashReceipts, st.Order, amt, s.Now())
	if amt > 0 {
		page.Sentence = sentence(ctx, plan, st.Order, amt, s.Now())
	}
	if len(typed.Key) >= 16 {
		page.Key = typed.Key
	}
	if !typed.Whole {
		page.Amount = c.FormValue("amount") // as it was typed, be it a number or not
	}
	if plan.Open != nil {
		page.Open = string(plan.Open.State)
	}
	if plan.Request != nil {
		page.Waits = approvalPath(plan.Request.ID)
	}
	for i := range 5 {
		page.Reasons = append(page.Reasons, text.T(ctx, fmt.Sprintf("staff.reason.%d", i+1)))
	}
	if plan.NeedsRefundAccount {
		page.Banks = bankOptions(ctx)
		if page.Ask, err = s.refundAsk(ctx, st, plan.Left); err != nil {
			return page, plan, err
		}
		page.TypeAccount = c.QueryParam("account") == "typed" || typed.RefundAcct != ""
	}
	return page, plan, nil
}

// advice says what a cancel of amt won does, in the order in which a caller asks. amt 0: not known yet.
func advice(ctx context.Context, plan app.CancelPlan, receipts []app.CashReceipt, o app.Order, amt app.Won, now time.Time) []string {
	switch {
	case plan.WithdrawsAccount:
		return []string{text.T(ctx, "staff.happens.withdraw")}
	case plan.NeedsRefundAccount:
		return append([]string{text.T(ctx, "staff.happens.refund"), backWhen(ctx, plan.Rule, now, plan.DaysOff)}, around(ctx, plan, receipts, o, amt)...)
	}
	return append([]string{backWhen(ctx, plan.Rule, now, plan.DaysOff)}, around(ctx, plan, receipts, o, amt)...)
}

// around is what a cancel means beside its money.
func around(ctx context.Context, plan app.CancelPlan, receipts []app.CashReceipt, o app.Order, amt app.Won) []string {
	var list []string
	p := plan.Payment
	if !plan.PartAllowed {
		list = append(list, text.T(ctx, "advice.whole_only"))
	}
	if plan.Nth > 1 {
		list = append(list, text.T(ctx, "advice.nth", plan.Nth, view.Won(ctx, p.Cancelled)))
	}
	switch {
	case o.TaxFree > 0:
		list = append(list, text.T(ctx, "advice.tax", view.Won(ctx, o.VAT), view.Won(ctx, o.TaxFree)))
	case amt > 0 && o.VAT > 0 && o.Amount > 0:
		list = append(list, text.T(ctx, "advice.vat", view.Won(ctx, o.VAT*amt/o.Amount), view.Won(ctx, o.VAT)))
	}
	for _, r := range receipts {
		switch {
		case r.State != app.ReceiptStateIssued:
		case r.Source == app.ReceiptByWindow:
			list = append(list, text.T(ctx, "advice.receipt.window"))
		default:
			list = append(list, text.T(ctx, "advice.receipt.call", view.Won(ctx, r.Amount)))
		}
	}
	return append(list, text.T(ctx, "advice.rule", plan.Rule.Date, plan.Rule.Source))
}

// sentence is what to tell the buyer once amt won went back.
func sentence(ctx context.Context, plan app.CancelPlan, o app.Order, amt app.Won, now time.Time) string {
	what := o.Goods + " (" + string(o.No) + ")"
	if plan.WithdrawsAccount {
		return what + ": " + text.T(ctx, "call.paid.withdrawn")
	}
	if left := plan.Left - amt; left > 0 {
		return text.T(ctx, "advice.sentence.part", what, view.Won(ctx, amt), view.Won(ctx, left), backWhen(ctx, plan.Rule, now, plan.DaysOff))
	}
	return text.T(ctx, "advice.sentence.whole", what, view.Won(ctx, amt), backWhen(ctx, plan.Rule, now, plan.DaysOff))
}

// readCancelForm reads the first and the second step alike. An amount that is no number is 0, which is refused.
func readCancelForm(c echo.Context) app.CancelInput {
	in := app.CancelInput{
		Key: c.FormValue("key"), Whole: c.FormValue("how") != "part", Reason: c.FormValue("reason"),
		RefundBank: c.FormValue("refund_bank"), RefundAcct: c.FormValue("refund_acct"), RefundName: c.FormValue("refund_name"),
		RefundAsk: c.FormValue("refund_ask"),
	}
	if !in.Whole {
		in.Amount, _ = smartro.ParseWon(view.BareWon(c.FormValue("amount")))
	}
	return in
}

// postCancel handles POST /admin/payments/{moid}/cancel. The first post shows what will happen; the second, confirmed
// one does it, or leads back to what was typed. The key of the form makes both presses of a double click the same cancel.
func (s *Server) postCancel(c echo.Context) error {
	in := readCancelForm(c)
	if c.FormValue("change") != "" {
		return s.showCancel(c, http.StatusOK, in, nil)
	}
	if c.FormValue("confirm") == "yes" || c.FormValue(fieldKept) != "" { // what waits for the password was confirmed
		return s.freshly(s.doCancel)(c)
	}
	return s.confirmCancel(c, in)
}

// doCancel is what the confirmed form asks for.
func (s *Server) doCancel(c echo.Context) error {
	ctx, in := c.Request().Context(), readCancelForm(c)
	_, err := s.Shop.Cancel(ctx, staffOf(c), moidOf(c), in)
	if errors.Is(err, app.ErrAboveLimit) || errors.Is(err, app.ErrWaits) { // the same form twice is one request
		_, err = s.Shop.AskCancel(ctx, staffOf(c), moidOf(c), in)
	}
	if errors.Is(err, app.ErrBadInput) {
		return s.showCancel(c, http.StatusUnprocessableEntity, in, inputFaults(ctx, err))
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, paymentPath(moidOf(c)))
}

// confirmCancel is the second step: what will happen, and the button that says the deed.
func (s *Server) confirmCancel(c echo.Context, in app.CancelInput) error {
	ctx := c.Request().Context()
	err := s.Shop.CheckCancel(ctx, staffOf(c), moidOf(c), in)
	above := errors.Is(err, app.ErrAboveLimit)
	if errors.Is(err, app.ErrBadInput) {
		return s.showCancel(c, http.StatusUnprocessableEntity, in, inputFaults(ctx, err))
	}
	if err != nil && !above {
		return err
	}
	page, plan, err := s.cancelPage(c, in)
	if err != nil {
		return err
	}
	amount := plan.Left
	if !in.Whole {
		amount = in.Amount
	}
	page.Confirm = text.T(ctx, "staff.cancel.confirm", view.Won(ctx, amount))
	page.Deed = text.T(ctx, "staff.cancel.deed", view.Won(ctx, amount))
	if above {
		page.Confirm, page.Deed = text.T(ctx, "staff.approve.confirm", view.Won(ctx, amount)), text.T(ctx, "staff.approve.ask", view.Won(ctx, amount))
		page.Second = text.T(ctx, "staff.approve.why")
	}
	page.Summary = []templates.Detail{
		{Name: text.T(ctx, "staff.cancel.amount"), Value: view.Won(ctx, amount)},
		{Name: text.T(ctx, "staff.cancel.remainder"), Value: view.Won(ctx, plan.Left-amount)},
		{Name: text.T(ctx, "staff.cancel.reason"), Value: in.Reason},
	}
	if plan.NeedsRefundAccount {
		account := page.Ask.Account
		if in.RefundAsk == "" {
			bank, _ := smartro.BankName(in.RefundBank)
			account = bank + " " + in.RefundAcct + " " + in.RefundName
		}
		page.Summary = append(page.Summary, templates.Detail{Name: text.T(ctx, "staff.refund.account"), Value: account})
	}
	for _, name := range []string{"key", "how", "amount", "reason", "refund_bank", "refund_acct", "refund_name", "refund_ask"} {
		page.Keep = append(page.Keep, templates.Hidden{Name: name, Value: c.FormValue(name)})
	}
	return s.render(c, http.StatusOK, templates.Cancel(page))
}

// postResend handles POST /admin/cancels/{id}/resend, for whole cancels of unknown outcome.
func (s *Server) postResend(c echo.Context) error {
	cn, err := s.Shop.ResendCancel(c.Request().Context(), staffOf(c), c.Param("id"))
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, paymentPath(cn.Moid))
}

// postSettle handles POST /admin/cancels/{id}/settle: a person says what the gateway's own record shows.
func (s *Server) postSettle(c echo.Context) error {
	happened := c.FormValue("happened")
	if happened != "yes" && happened != "no" {
		return app.ErrBadInput
	}
	cn, err := s.Shop.SettleCancel(c.Request().Context(), staffOf(c), c.Param("id"), happened == "yes", c.FormValue("reason"))
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, paymentPath(cn.Moid))
}
