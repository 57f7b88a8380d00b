package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/smartro"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// getRefund handles GET /refund/{token}: the buyer of a deposit enters where it goes back to. The link alone opens it.
func (s *Server) getRefund(c echo.Context) error {
	return s.showRefund(c, http.StatusOK, app.RefundAccount{}, nil)
}

func (s *Server) showRefund(c echo.Context, status int, typed app.RefundAccount, faults map[string]string) error {
	ctx := c.Request().Context()
	st, err := s.Shop.RefundByToken(ctx, c.Param("token"))
	closed := errors.Is(err, app.ErrClosed)
	if err != nil && !closed {
		return err
	}
	self := refundPath(c.Param("token"))
	p := templates.RefundPage{
		BuyerFrame: s.frame(ctx, st.Shop, st.Payment.Mode), Action: self, Goods: st.Order.Goods, Left: int64(st.Payment.Left()),
		Closed: closed, Banks: bankOptions(ctx), Bank: typed.Bank, Number: typed.Number, Holder: typed.Holder, Errors: faults,
	}
	p.LangHref = otherLangHref(ctx, self)
	p.BuyerFrame.Title = text.T(ctx, "refund.title")
	if st.State == app.RefundEntered && !closed {
		p.Entered = maskedAccount(st.Account)
	}
	if closed && status == http.StatusOK {
		status = http.StatusGone
	}
	return s.render(c, status, templates.Refund(p))
}

// postRefund handles POST /refund/{token}.
func (s *Server) postRefund(c echo.Context) error {
	ctx := c.Request().Context()
	in := app.RefundAccount{Bank: c.FormValue("refund_bank"), Number: c.FormValue("refund_acct"), Holder: c.FormValue("refund_name")}
	err := s.Shop.EnterRefundAccount(ctx, c.Param("token"), in)
	if errors.Is(err, app.ErrBadInput) {
		return s.showRefund(c, http.StatusUnprocessableEntity, in, inputFaults(ctx, err))
	}
	if err != nil && !errors.Is(err, app.ErrConflict) && !errors.Is(err, app.ErrClosed) { // the page says what stands
		return err
	}
	return c.Redirect(http.StatusSeeOther, refundPath(c.Param("token")))
}

func refundPath(token string) string { return "/refund/" + url.PathEscape(token) }

// maskedAccount is an account as it is shown to whoever need not know all of it.
func maskedAccount(a app.RefundAccount) string {
	bank, _ := smartro.BankName(a.Bank)
	return bank + " ***" + a.Number[max(len(a.Number)-4, 0):] + " " + view.MaskName(a.Holder)
}

// bankOptions are the banks that a refund can go to, and before them the question which.
func bankOptions(ctx context.Context) []templates.Option {
	list := []templates.Option{{Value: "", Label: text.T(ctx, "staff.refund.choose")}}
	for _, code := range smartro.Banks() {
		name, _ := smartro.BankName(code)
		list = append(list, templates.Option{Value: code, Label: name})
	}
	return list
}

// postRefundAsk handles POST /admin/payments/{moid}/refund-account: makes the link for the buyer.
func (s *Server) postRefundAsk(c echo.Context) error {
	if _, err := s.Shop.AskRefundAccount(c.Request().Context(), staffOf(c), moidOf(c)); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, paymentPath(moidOf(c))+"/cancel#refund-account")
}

// refundAsk is what the page of a cancel says of the buyer's account.
func (s *Server) refundAsk(ctx context.Context, st app.Story, left app.Won) (templates.RefundAskView, error) {
	a, err := s.Shop.RefundAskOf(ctx, st.Payment.Moid)
	if err != nil || a == nil {
		return templates.RefundAskView{}, err
	}
	v := templates.RefundAskView{ID: a.ID, Entered: a.EnteredAt}
	switch {
	case a.Usable():
		v.Account = maskedAccount(a.Account)
		v.Stranger = a.Account.Holder != st.Order.BuyerName
	case a.State == app.RefundAsked && s.Now().Before(a.ExpiresAt):
		info, err := s.Shop.Info(ctx)
		if err != nil {
			return v, err
		}
		v.Until, v.Link = a.ExpiresAt, s.Shop.RefundLink(*a)
		v.Message = text.T(ctx, "refund.message", info.Name, st.Order.Goods, view.Won(ctx, left), v.Link)
	}
	return v, nil
}
