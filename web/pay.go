package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/smartro"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// getPay handles GET /pay/{token}: the order as it stands. The link alone opens it; no cookie is needed.
func (s *Server) getPay(c echo.Context) error {
	co, err := s.Shop.Checkout(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	return s.renderPay(c, http.StatusOK, co, payAsk{
		method:  c.QueryParam("method"),
		again:   c.QueryParam("again") != "",
		already: c.QueryParam("already") != "",
	})
}

func (s *Server) renderPay(c echo.Context, status int, co app.Checkout, ask payAsk) error {
	allowForms(c, co.Origins)
	page := s.payPage(c, co, ask)
	return s.render(c, status, templates.Pay(page))
}

// allowForms lets this one page's form go to the gateway's windows too.
func allowForms(c echo.Context, windows []string) {
	allowed := "form-action 'self'"
	for _, w := range windows {
		u, err := url.Parse(w)
		if err != nil || u.Host == "" || strings.ContainsAny(u.Host, "; '\"*") {
			continue
		}
		if origin := u.Scheme + "://" + u.Host; !strings.Contains(allowed+" ", " "+origin+" ") {
			allowed += " " + origin
		}
	}
	c.Response().Header().Set("Content-Security-Policy", strings.Replace(pageCSP, "form-action 'self'", allowed, 1))
}

// openAnswer is what POST /pay/{token}/open tells the script: the signed form, or what to do instead.
type openAnswer struct {
	Action  string            `json:"action,omitempty"`
	Charset string            `json:"charset,omitempty"` // for accept-charset
	Fields  [][2]string       `json:"fields,omitempty"`
	URL     string            `json:"url,omitempty"`    // go there: the order is not payable any more
	Text    string            `json:"text,omitempty"`   // what was wrong, money included
	Faults  map[string]string `json:"faults,omitempty"` // by field
}

// postOpen handles POST /pay/{token}/open: it opens a payment and answers the gateway's form, as JSON for the
// script, as a page with a button for browsers without scripts.
func (s *Server) postOpen(c echo.Context) error {
	ctx, token := c.Request().Context(), c.Param("token")
	in := payInput(c)
	_, form, err := s.Shop.Pay(ctx, token, in)
	switch {
	case errors.Is(err, app.ErrPaid), errors.Is(err, app.ErrClosed):
		self := payPath(token) + "?already=1"
		if wantsJSON(c) {
			return c.JSON(http.StatusConflict, openAnswer{URL: self})
		}
		return c.Redirect(http.StatusSeeOther, self)
	case err != nil:
		return s.refuseOpen(c, token, in, err)
	}
	if wantsJSON(c) {
		answer := openAnswer{Action: form.Action, Charset: formCharset(form.Charset)}
		for _, f := range form.Fields {
			answer.Fields = append(answer.Fields, [2]string{f.Name, f.Value})
		}
		return c.JSON(http.StatusOK, answer)
	}
	co, err := s.Shop.Checkout(ctx, token)
	if err != nil {
		return err
	}
	allowForms(c, append(co.Origins, form.Action))
	page := templates.HandOver{
		BuyerFrame: s.frame(ctx, co.Shop, co.Order.Mode), Action: form.Action, Charset: formCharset(form.Charset),
		Goods: co.Order.Goods, Amount: int64(co.Order.Amount), Self: payPath(token),
	}
	for _, f := range form.Fields {
		page.Fields = append(page.Fields, templates.HiddenField{Name: f.Name, Value: f.Value})
	}
	return s.render(c, http.StatusOK, templates.PayHandOver(page))
}

// refuseOpen says what the buyer can mend: 422, what was typed kept. Anything else goes to the table of errors.
func (s *Server) refuseOpen(c echo.Context, token string, in app.PayInput, err error) error {
	ctx := c.Request().Context()
	faults := inputFaults(ctx, err)
	if len(faults) == 0 {
		return err
	}
	said := text.T(ctx, "pay.fault.fields")
	if _, bad := faults["method"]; bad {
		said = text.T(ctx, "pay.fault.choice")
	}
	var field *smartro.FieldError
	if errors.As(err, &field) {
		said = text.T(ctx, "pay.fault.form", field.Field)
	}
	if wantsJSON(c) {
		return c.JSON(http.StatusUnprocessableEntity, openAnswer{Text: said, Faults: faults})
	}
	co, err := s.Shop.Checkout(ctx, token)
	if err != nil {
		return err
	}
	return s.renderPay(c, http.StatusUnprocessableEntity, co, payAsk{
		method: string(in.Method), again: true, fault: said, faults: faults,
		typed: map[string]string{"buyer_name": in.BuyerName, "buyer_tel": in.BuyerTel, "buyer_email": in.BuyerEmail},
	})
}

func payInput(c echo.Context) app.PayInput {
	in := app.PayInput{
		Method: app.Method(c.FormValue("method")), Device: app.Device(c.FormValue("device")),
		BuyerName: c.FormValue("buyer_name"), BuyerTel: c.FormValue("buyer_tel"), BuyerEmail: c.FormValue("buyer_email"),
	}
	if use := c.FormValue("use"); use != "" { // a button that names its method itself
		in.Method = app.Method(use)
	}
	if in.Device == "" { // no script said which: the browser's own name decides
		in.Device = smartro.PC
		if ua := c.Request().UserAgent(); strings.Contains(ua, "Mobile") || strings.Contains(ua, "Android") {
			in.Device = smartro.Mobile
		}
	}
	if addr := peer(c); addr.IsValid() {
		in.UserIP = addr.WithZone("").String()
	}
	return in
}

// formCharset is the charset in the words of accept-charset.
func formCharset(cs smartro.Charset) string {
	if cs == smartro.EUCKR {
		return "EUC-KR"
	}
	return "UTF-8"
}

// getBack handles GET /pay/{token}/back, where the gateway's popup ends: it tells the page behind it and closes.
// It says nothing about the order.
func (s *Server) getBack(c echo.Context) error {
	ctx, token := c.Request().Context(), c.Param("token")
	co, err := s.Shop.Checkout(ctx, token)
	if err != nil {
		return err
	}
	frame := s.frame(ctx, co.Shop, co.Order.Mode)
	frame.Script, frame.Refresh = true, "0; url="+payPath(token)
	return s.render(c, http.StatusOK, templates.PayBack(templates.BackPage{BuyerFrame: frame, Self: payPath(token)}))
}

// getReceived handles GET /pay/received: a result came, but nothing proved whose.
func (s *Server) getReceived(c echo.Context) error {
	return s.renderNeutral(c, http.StatusOK, "wait", "circle-check", "pay.received")
}

func (s *Server) renderNeutral(c echo.Context, status int, tone, icon, key string) error {
	ctx := c.Request().Context()
	info, err := s.Shop.Info(ctx)
	if err != nil {
		return err
	}
	frame := s.frame(ctx, info, "")
	return s.render(c, status, templates.NeutralPage(templates.Neutral{
		BuyerFrame: frame, Tone: tone, Icon: icon,
		Title: text.T(ctx, key+".title"), Sentence: text.T(ctx, key+".sentence"),
	}))
}

// frame is what stands around every page that a buyer sees. A page that is no order's has no mode.
func (s *Server) frame(ctx context.Context, info app.ShopInfo, mode app.Mode) templates.BuyerFrame {
	title := text.T(ctx, "pay.title_plain")
	if info.Name != "" {
		title = text.T(ctx, "pay.title", info.Name)
	}
	return templates.BuyerFrame{
		Shop: templates.ShopFoot{
			Name: info.Name, Owner: info.Owner, BusinessNo: info.BusinessNo, Address: info.Address, Tel: info.Tel,
		},
		Practice: mode == smartro.Test,
		Title:    title,
	}
}

func payPath(token string) string { return "/pay/" + url.PathEscape(token) }

// sampleGoods is what the demo sells, in won.
func sampleGoods(ctx context.Context) []templates.SampleGoods {
	return []templates.SampleGoods{
		{ID: "1", Name: text.T(ctx, "pay.sample.1"), Icon: "inbox", Amount: 33_000},
		{ID: "2", Name: text.T(ctx, "pay.sample.2"), Icon: "gift", Amount: 11_000},
		{ID: "3", Name: text.T(ctx, "pay.sample.3"), Icon: "zap", Amount: 48_500},
	}
}

// getHome handles GET /: the demo's sample checkout, else the plain front of the shop.
func (s *Server) getHome(c echo.Context) error { return s.renderHome(c, http.StatusOK, "") }

func (s *Server) renderHome(c echo.Context, status int, fault string) error {
	ctx := c.Request().Context()
	info, err := s.Shop.Info(ctx)
	if err != nil {
		return err
	}
	page := templates.HomePage{BuyerFrame: s.frame(ctx, info, ""), Fault: fault}
	page.LangHref = otherLangHref(ctx, "/")
	page.Title = info.Name
	if page.Title == "" {
		page.Title = text.T(ctx, "pay.home.name")
	}
	if s.Sample {
		page.Practice, page.Goods = true, sampleGoods(ctx)
	}
	return s.render(c, status, templates.Home(page))
}

// postSample handles POST /sample: one press makes an order and opens its checkout. Only the demo has it.
func (s *Server) postSample(c echo.Context) error {
	ctx := c.Request().Context()
	if !s.Sample {
		return app.ErrNotFound
	}
	for _, g := range sampleGoods(ctx) {
		if g.ID != c.FormValue("goods") {
			continue
		}
		o, err := s.Shop.CreateOrder(ctx, app.Staff{}, app.OrderInput{
			Goods: g.Name, GoodsCnt: 1, Amount: app.Won(g.Amount),
			BuyerName: text.T(ctx, "pay.sample.buyer"), BuyerTel: "01099991111", BuyerEmail: "hong@example.com",
		})
		if err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, payPath(o.Token))
	}
	return s.renderHome(c, http.StatusUnprocessableEntity, text.T(ctx, "pay.sample.unknown"))
}

// kakaoOut is the address by which KakaoTalk's own browser opens a page in the phone's browser; empty elsewhere.
func kakaoOut(userAgent, link string) string {
	if !strings.Contains(userAgent, "KAKAOTALK") {
		return ""
	}
	return "kakaotalk://web/openExternal?url=" + url.QueryEscape(link)
}

// won is the amount in the request's language.
func won(ctx context.Context, w app.Won) string { return view.Won(ctx, w) }
