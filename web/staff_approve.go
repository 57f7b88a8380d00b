package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/smartro"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

func approvalPath(id string) string { return "/admin/approvals/" + id }

// getApproval handles GET /admin/approvals/{id}: all that the second person needs to decide, on a phone, too.
func (s *Server) getApproval(c echo.Context) error {
	return s.showApproval(c, http.StatusOK, nil)
}

func (s *Server) showApproval(c echo.Context, status int, faults map[string]string) error {
	ctx := c.Request().Context()
	q, err := s.Shop.Store.CancelRequest(ctx, c.Param("id"))
	if err != nil {
		return err
	}
	st, err := s.Shop.Story(ctx, q.Moid)
	if err != nil {
		return err
	}
	names, err := s.namesOf(ctx)
	if err != nil {
		return err
	}
	limits, err := s.Shop.Limits(ctx)
	if err != nil {
		return err
	}
	frame, err := s.staffFrame(c, "work", "staff.approve.title")
	if err != nil {
		return err
	}
	who := staffOf(c)
	p := templates.ApprovalPage{
		StaffFrame: frame, Path: approvalPath(q.ID), Back: paymentPath(q.Moid), State: string(q.State),
		Title: text.T(ctx, "staff.approve.asks", names[q.By], view.Won(ctx, q.Amount)), Deed: text.T(ctx, "staff.approve.go", view.Won(ctx, q.Amount)),
		Facts: approvalFacts(ctx, q, st), Errors: faults,
	}
	if q.State == app.RequestWaiting && st.Request == nil {
		p.State = string(app.RequestLapsed)
	}
	p.Decided = text.T(ctx, "staff.request."+p.State)
	if name := names[q.DecidedBy]; name != "" {
		p.Decided += " · " + name
	}
	if q.Note != "" {
		p.Decided += " · " + q.Note
	}
	for _, cn := range st.Cancels {
		if cn.ID != q.ID {
			p.Cancels = append(p.Cancels, templates.Detail{Name: view.When(ctx, cn.CreatedAt), Value: view.Won(ctx, cn.Amount) + " · " + text.T(ctx, "state."+string(cn.State)) + " · " + cn.Reason})
		}
	}
	if p.State != string(app.RequestWaiting) {
		return s.render(c, status, templates.Approval(p))
	}
	if plan, err := s.Shop.PrepareCancel(ctx, q.Moid); err == nil {
		p.Happens = advice(ctx, plan, st.CashReceipts, st.Order, q.Amount, s.Now())
		p.Facts = append(p.Facts, templates.Detail{Name: text.T(ctx, "staff.cancel.remainder"), Value: view.Won(ctx, plan.Left-q.Amount)})
	} else if answerFor(err).status >= http.StatusInternalServerError {
		return err
	}
	own := q.By == who.ID
	p.CanWithdraw, p.CanApprove = own, !own && who.Role.May(app.RightApproveCancels) && !limits.Above(who.Role, q.Amount)
	p.CanDecline = !own && who.Role.May(app.RightApproveCancels)
	switch {
	case own:
		p.Why = text.T(ctx, "staff.approve.own")
	case p.CanDecline && !p.CanApprove:
		p.Why = text.T(ctx, "staff.approve.above")
	case !p.CanDecline:
		p.Why = text.T(ctx, "staff.approve.others")
	}
	return s.render(c, status, templates.Approval(p))
}

// namesOf are the people's names, by ID.
func (s *Server) namesOf(ctx context.Context) (map[string]string, error) {
	people, err := s.Shop.Staff(ctx)
	names := map[string]string{}
	for _, h := range people {
		names[h.ID] = h.Name
	}
	return names, err
}

// approvalFacts are what a cancel is about. Where the money goes is told as far as it takes to recognise it.
func approvalFacts(ctx context.Context, q app.CancelRequest, st app.Story) []templates.Detail {
	p := st.Payment
	list := []templates.Detail{
		{Name: text.T(ctx, "staff.cancel.amount"), Value: view.Won(ctx, q.Amount)},
		{Name: text.T(ctx, "staff.cancel.reason"), Value: q.Reason},
		{Name: text.T(ctx, "staff.approve.paid"), Value: view.Won(ctx, max(p.Amount, p.Approved)) + " · " + sentenceOf(ctx, p)},
		{Name: text.T(ctx, "staff.col.goods"), Value: st.Order.Goods},
		{Name: text.T(ctx, "staff.buyer"), Value: view.MaskName(p.BuyerName)},
	}
	if p.Cancelled > 0 {
		list = append(list, templates.Detail{Name: text.T(ctx, "staff.pay.cancelled"), Value: view.Won(ctx, p.Cancelled)})
	}
	if q.RefundAcct != "" {
		bank, _ := smartro.BankName(q.RefundBank)
		list = append(list, templates.Detail{Name: text.T(ctx, "staff.refund.account"), Value: bank + " ***" + q.RefundAcct[max(len(q.RefundAcct)-4, 0):] + " " + view.MaskName(q.RefundName)})
	}
	return append(list, templates.Detail{Name: text.T(ctx, "staff.approve.until"), Value: view.When(ctx, q.ExpiresAt)})
}

// postApprove handles POST /admin/approvals/{id}/approve: the second person's yes, and the cancel's one call.
func (s *Server) postApprove(c echo.Context) error {
	ctx := c.Request().Context()
	cn, err := s.Shop.ApproveCancel(ctx, staffOf(c), c.Param("id"))
	if errors.Is(err, app.ErrBadInput) {
		faults := inputFaults(ctx, err)
		faults["approve"] = text.T(ctx, "staff.approve.changed")
		return s.showApproval(c, http.StatusConflict, faults)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, paymentPath(cn.Moid))
}

// postDecline handles POST /admin/approvals/{id}/decline: the second person's no.
func (s *Server) postDecline(c echo.Context) error {
	err := s.Shop.DeclineCancel(c.Request().Context(), staffOf(c), c.Param("id"), c.FormValue("reason"))
	if errors.Is(err, app.ErrBadInput) {
		return s.showApproval(c, http.StatusUnprocessableEntity, inputFaults(c.Request().Context(), err))
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, approvalPath(c.Param("id")))
}

// postWithdraw handles POST /admin/approvals/{id}/withdraw: who asked does not want it any more.
func (s *Server) postWithdraw(c echo.Context) error {
	if err := s.Shop.WithdrawCancel(c.Request().Context(), staffOf(c), c.Param("id")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, approvalPath(c.Param("id")))
}

// toApprove is how many requests wait for this person.
func toApprove(who app.Staff, list []app.CancelRequest) (n int) {
	for _, q := range list {
		if q.By != who.ID && who.Role.May(app.RightApproveCancels) {
			n++
		}
	}
	return n
}

// postLimits handles POST /admin/settings/staff/limits. An empty field is no limit.
func (s *Server) postLimits(c echo.Context) error {
	ctx, typed, limits := c.Request().Context(), typedPeople{limits: map[app.Role]string{}}, app.Limits{}
	for _, r := range app.Roles() {
		if !r.May(app.RightCancel) {
			continue
		}
		typed.limits[r] = c.FormValue("limit_" + string(r))
		if bare := view.BareWon(typed.limits[r]); bare != "" {
			limits[r] = typedWon(bare)
		}
	}
	err := s.Shop.SetLimits(ctx, staffOf(c), limits)
	if errors.Is(err, app.ErrBadInput) {
		typed.faults = map[string]string{}
		for role, fault := range inputFaults(ctx, err) {
			typed.faults["limit_"+role] = fault
		}
		return s.showPeople(c, http.StatusUnprocessableEntity, typed)
	}
	return changedPeople(c, err)
}
