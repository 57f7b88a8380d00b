package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/smartro"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// requestsPerPage is how many payment requests a page lists.
const requestsPerPage = 50

// getRequests handles GET /admin/requests.
func (s *Server) getRequests(c echo.Context) error {
	ctx := c.Request().Context()
	list, err := s.Shop.Orders(ctx, app.OrderQuery{Asked: true, Limit: requestsPerPage + 1, After: readCursor(c.QueryParam("after"))})
	if err != nil {
		return err
	}
	frame, err := s.staffFrame(c, "requests", "staff.nav.requests")
	if err != nil {
		return err
	}
	p := templates.RequestsPage{StaffFrame: frame, CanAsk: may(c, app.RightRequestPayments)}
	if len(list) > requestsPerPage {
		list = list[:requestsPerPage]
		last := list[len(list)-1]
		p.Next = fmt.Sprintf("/admin/requests?after=%d-%s", last.CreatedAt.UnixMicro(), last.No)
	}
	for _, o := range list {
		p.Rows = append(p.Rows, templates.RequestRow{
			Href: requestPath(o.No), No: string(o.No), State: s.requestState(o), Goods: o.Goods, Buyer: view.MaskName(o.BuyerName),
			Amount: int64(o.Amount), Due: o.DueAt, At: o.CreatedAt,
		})
	}
	return s.render(c, http.StatusOK, templates.Requests(p))
}

func requestPath(no app.OrderNo) string { return "/admin/requests/" + string(no) }

// requestState is the order's state by today's clock.
func (s *Server) requestState(o app.Order) string {
	if o.State == app.OrderOpen && !o.DueAt.IsZero() && s.Now().After(o.DueAt) {
		return string(app.OrderExpired)
	}
	return string(o.State)
}

// getNewRequest handles GET /admin/requests/new.
func (s *Server) getNewRequest(c echo.Context) error {
	return s.showNewRequest(c, http.StatusOK, templates.RequestForm{}, nil)
}

func (s *Server) showNewRequest(c echo.Context, status int, p templates.RequestForm, ticked []app.Method) error {
	ctx := c.Request().Context()
	frame, err := s.staffFrame(c, "requests", "staff.requests.new")
	if err != nil {
		return err
	}
	p.StaffFrame = frame
	m, err := s.Shop.Merchant(ctx)
	if err != nil {
		return err
	}
	allowed := m.Methods
	if len(allowed) == 0 {
		allowed = smartro.Methods()
	}
	for _, method := range allowed {
		p.Methods = append(p.Methods, templates.Choice{
			Value: string(method), Label: text.T(ctx, "method."+string(method)), On: len(ticked) == 0 || slices.Contains(ticked, method),
		})
	}
	return s.render(c, status, templates.NewRequest(p))
}

// typedWon reads an amount as people type it. What is no amount is -1, which every use case refuses.
func typedWon(s string) app.Won {
	s = view.BareWon(s)
	if s == "" {
		return 0
	}
	n, err := smartro.ParseWon(s)
	if err != nil {
		return -1
	}
	return n
}

// postNewRequest handles POST /admin/requests/new.
func (s *Server) postNewRequest(c echo.Context) error {
	ctx := c.Request().Context()
	p := templates.RequestForm{
		Goods: c.FormValue("goods"), Amount: c.FormValue("amount"), TaxFree: c.FormValue("tax_free"), BuyerName: c.FormValue("buyer_name"),
		BuyerTel: c.FormValue("buyer_tel"), BuyerEmail: c.FormValue("buyer_email"), DueDate: c.FormValue("due_date"),
	}
	form, err := c.FormParams()
	if err != nil {
		return app.ErrBadInput
	}
	var methods []app.Method
	for _, name := range form["method"] {
		m, err := smartro.ParseMethod(name)
		if err != nil {
			return app.ErrBadInput
		}
		methods = append(methods, m)
	}
	o, err := s.Shop.CreateOrder(ctx, staffOf(c), app.OrderInput{
		Goods: p.Goods, Amount: typedWon(p.Amount), TaxFree: typedWon(p.TaxFree), BuyerName: p.BuyerName, BuyerTel: p.BuyerTel,
		BuyerEmail: p.BuyerEmail, Methods: methods, DueDate: p.DueDate,
	})
	if errors.Is(err, app.ErrBadInput) {
		p.Errors = inputFaults(ctx, err)
		return s.showNewRequest(c, http.StatusUnprocessableEntity, p, methods)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, requestPath(o.No))
}

// getRequest handles GET /admin/requests/{no}.
func (s *Server) getRequest(c echo.Context) error {
	ctx := c.Request().Context()
	o, err := s.Shop.Order(ctx, app.OrderNo(c.Param("no")))
	if err != nil {
		return err
	}
	ps, err := s.Shop.Store.PaymentsOf(ctx, o.No)
	if err != nil {
		return err
	}
	frame, err := s.staffFrame(c, "requests", "staff.nav.requests")
	if err != nil {
		return err
	}
	frame.Title = o.Goods
	p := templates.RequestPage{
		StaffFrame: frame, No: string(o.No), State: s.requestState(o), Link: s.Shop.PayLink(o), QR: requestPath(o.No) + "/qr.svg",
		Amount: int64(o.Amount), Facts: orderFacts(ctx, app.Story{Order: o}), CanClose: o.State == app.OrderOpen && may(c, app.RightRequestPayments),
	}
	if o.Erased {
		p.Facts = append(p.Facts, templates.Detail{Name: text.T(ctx, "staff.buyer"), Value: text.T(ctx, "staff.erased")})
	}
	if o.BuyerName != "" {
		p.Facts = append(p.Facts, templates.Detail{Name: text.T(ctx, "staff.buyer"), Value: view.MaskName(o.BuyerName)})
	}
	for _, q := range slices.Backward(ps) {
		p.Payments = append(p.Payments, templates.ListRow{Href: paymentPath(q.Moid), State: shownState(q), Moid: string(q.Moid), At: q.OpenedAt})
	}
	return s.render(c, http.StatusOK, templates.Request(p))
}

// getRequestQR handles GET /admin/requests/{no}/qr.svg: the pay link as a picture.
func (s *Server) getRequestQR(c echo.Context) error {
	o, err := s.Shop.Order(c.Request().Context(), app.OrderNo(c.Param("no")))
	if err != nil {
		return err
	}
	return drawQR(c, s.Shop.PayLink(o))
}

// drawQR answers a link as a picture.
func drawQR(c echo.Context, link string) error {
	picture, err := qrSVG(link)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "image/svg+xml", picture)
}

// postCloseRequest handles POST /admin/requests/{no}/close: withdraws a request that nobody paid.
func (s *Server) postCloseRequest(c echo.Context) error {
	no := app.OrderNo(c.Param("no"))
	if err := s.Shop.CloseOrder(c.Request().Context(), staffOf(c), no); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, requestPath(no))
}
