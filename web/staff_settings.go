package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/smartro"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// typedSettings is what the owner typed into one of the forms of the page, with what was wrong about it.
type typedSettings struct {
	info     *app.ShopInfo
	merchant *smartro.Merchant
	base     string
	faults   map[string]string
	fault    string
}

// getSettings handles GET /admin/settings.
func (s *Server) getSettings(c echo.Context) error {
	return s.showSettings(c, http.StatusOK, typedSettings{})
}

func (s *Server) showSettings(c echo.Context, status int, typed typedSettings) error {
	ctx := c.Request().Context()
	frame, err := s.staffFrame(c, "settings", "staff.nav.settings")
	if err != nil {
		return err
	}
	p := templates.SettingsPage{StaffFrame: frame}
	if saved := c.QueryParam("saved"); slices.Contains([]string{"shop", "gateway", "receipts", "notice", "reconciled"}, saved) {
		p.Saved = text.T(ctx, "staff.saved")
	} else if saved == "key" {
		p.Saved, p.SavedText = text.T(ctx, "keys.saved"), text.T(ctx, "keys.saved.text", view.When(ctx, s.Now().Add(app.KeyOverlap)))
	} else if saved == "stopped" {
		p.Saved = text.T(ctx, "keys.stopped")
	}
	if err := s.fillShop(ctx, &p, typed); err != nil {
		return err
	}
	if err := s.fillGateway(c, &p, typed); err != nil {
		return err
	}
	if err := s.fillReceiptRules(ctx, &p); err != nil {
		return err
	}
	return s.finishSettings(c, status, p)
}

func (s *Server) fillShop(ctx context.Context, p *templates.SettingsPage, typed typedSettings) error {
	info, err := s.Shop.Info(ctx)
	if err != nil {
		return err
	}
	p.ShopNamed = info.Name != ""
	if typed.info != nil {
		info = *typed.info
	}
	p.Digital, p.TakeLate = info.Digital, info.TakeLate
	for _, f := range []struct{ name, value, width string }{
		{"name", info.Name, ""}, {"owner", info.Owner, ""}, {"business_no", info.BusinessNo, ""}, {"tel", info.Tel, ""}, {"address", info.Address, "full"},
	} {
		p.ShopFields = append(p.ShopFields, templates.FieldView{
			Name: f.name, Label: text.T(ctx, "staff.shop."+f.name), Value: f.value, Required: f.name == "name", Error: typed.faults[f.name], Width: f.width,
		})
	}
	return nil
}

func (s *Server) fillGateway(c echo.Context, p *templates.SettingsPage, typed typedSettings) error {
	ctx := c.Request().Context()
	m, err := s.Shop.Merchant(ctx)
	if err != nil && !errors.Is(err, app.ErrNoGateway) {
		return err
	}
	stored := err == nil
	if stored && may(c, app.RightChangeGateway) {
		if err := s.fillKeys(c, p, m); err != nil {
			return err
		}
	}
	base := baseOf(m)
	if typed.merchant != nil {
		m, base = *typed.merchant, typed.base
	}
	keep := ""
	if stored {
		keep = text.T(ctx, "staff.gw.keep")
	}
	allowed := m.Methods
	if len(allowed) == 0 {
		allowed = smartro.Methods()
	}
	g := &p.Gateway
	g.Stored, g.Fault, g.SecureType, g.Inquiry = stored, typed.fault, m.SendSecureType, m.InquiryProves
	g.Fields = []templates.FieldView{
		{Name: "mid", Label: text.T(ctx, "staff.mid"), Value: string(m.MID), Required: true, Error: typed.faults["MID"], Autocomplete: "off", Width: "middle"},
		{Name: "key", Label: text.T(ctx, "staff.gw.key"), Type: "password", Required: !stored, Hint: keep, Error: typed.faults["merchantKey"], Autocomplete: "off"},
		{Name: "cancel_password", Label: text.T(ctx, "staff.gw.cancel_password"), Type: "password", Required: !stored, Hint: keep, Error: typed.faults["Cancelpw"], Autocomplete: "off", Width: "middle"},
	}
	g.Base = templates.FieldView{
		Name: "base", Label: text.T(ctx, "staff.gw.base"), Value: base, Hint: text.T(ctx, "staff.gw.base.text"), Error: typed.faults["PCWindow"], Autocomplete: "off",
	}
	g.Mode = templates.SelectView{Name: "mode", Label: text.T(ctx, "staff.gw.mode"), Value: string(m.Mode), Required: true, Options: []templates.Option{
		{Value: string(smartro.Test), Label: text.T(ctx, "staff.gw.mode.test")}, {Value: string(smartro.Real), Label: text.T(ctx, "staff.gw.mode.real")},
	}}
	g.Hash = templates.SelectView{Name: "hash", Label: text.T(ctx, "staff.gw.hash"), Value: string(m.Hash), Required: true, Options: []templates.Option{
		{Value: string(smartro.MD5), Label: text.T(ctx, "staff.gw.hash.md5")}, {Value: string(smartro.SHA256), Label: text.T(ctx, "staff.gw.hash.sha256")},
	}}
	for _, method := range smartro.Methods() {
		g.Methods = append(g.Methods, templates.Choice{Value: string(method), Label: text.T(ctx, "method."+string(method)), On: slices.Contains(allowed, method)})
	}
	return nil
}

// baseOf is the one host that all paths stand on, where they do: a simulator's.
func baseOf(m smartro.Merchant) string {
	for _, suffix := range []string{"/interfaceURL.jsp"} {
		if base, ok := strings.CutSuffix(m.Endpoints.PCWindow, suffix); ok && m.Endpoints == smartro.EndpointsAt(base) {
			return base
		}
	}
	return ""
}

func (s *Server) finishSettings(c echo.Context, status int, p templates.SettingsPage) error {
	ctx := c.Request().Context()
	ses, err := s.session(c)
	if err != nil {
		return err
	}
	if s.isFresh(ses) {
		if p.NoticeURL, err = s.Shop.NoticeURL(ctx); err != nil {
			return err
		}
	}
	senders, err := s.Shop.Senders(ctx)
	if err != nil {
		return err
	}
	for _, v := range senders {
		p.Senders = append(p.Senders, templates.SenderRow{Addr: v.Addr, State: string(v.State), Count: view.Comma(v.Count)})
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return s.render(c, status, templates.Settings(p))
}

// postShopInfo handles POST /admin/settings/shop.
func (s *Server) postShopInfo(c echo.Context) error {
	ctx := c.Request().Context()
	info := app.ShopInfo{
		Name: c.FormValue("name"), Owner: c.FormValue("owner"), BusinessNo: c.FormValue("business_no"), Address: c.FormValue("address"),
		Tel: c.FormValue("tel"), Digital: c.FormValue("digital") == "yes", TakeLate: c.FormValue("take_late") == "yes",
	}
	err := s.Shop.SetInfo(ctx, staffOf(c), info)
	if errors.Is(err, app.ErrBadInput) {
		return s.showSettings(c, http.StatusUnprocessableEntity, typedSettings{info: &info, faults: inputFaults(ctx, err)})
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin/settings?saved=shop#shop")
}

// postMerchant handles POST /admin/settings/gateway. An empty key or password keeps the stored one.
func (s *Server) postMerchant(c echo.Context) error {
	ctx := c.Request().Context()
	m, err := s.Shop.Merchant(ctx)
	if err != nil && !errors.Is(err, app.ErrNoGateway) {
		return err
	}
	form, err := c.FormParams()
	if err != nil {
		return app.ErrBadInput
	}
	had := m
	m.MID, m.Mode, m.Hash = app.MID(strings.TrimSpace(form.Get("mid"))), app.Mode(form.Get("mode")), smartro.HashForm(form.Get("hash"))
	m.Key, m.CancelPassword = app.Secret(strings.TrimSpace(form.Get("key"))), app.Secret(form.Get("cancel_password"))
	m.SendSecureType, m.InquiryProves = form.Get("secure_type") == "yes", form.Get("inquiry") == "yes"
	m.Methods = nil
	for _, name := range form["method"] {
		m.Methods = append(m.Methods, app.Method(name))
	}
	base := strings.TrimRight(strings.TrimSpace(form.Get("base")), "/")
	m.Endpoints = smartro.EndpointsFor(m.Mode)
	if base != "" {
		m.Endpoints = smartro.EndpointsAt(base)
	}
	changes := had.MID == m.MID && had.Mode == m.Mode && m.Key != "" && m.Key != had.Key
	if err = s.Shop.SetMerchant(ctx, staffOf(c), m); err == nil {
		if changes {
			return c.Redirect(http.StatusSeeOther, "/admin/settings?saved=key#keys")
		}
		return c.Redirect(http.StatusSeeOther, "/admin/settings?saved=gateway#gateway")
	}
	if faults := inputFaults(ctx, err); len(faults) > 0 {
		typed := typedSettings{merchant: &m, base: base, faults: faults}
		for _, field := range []string{"mode", "Mode", "HashForm", "MobileWindow", "Cancel", "ReceiptPage", "ReceiptData", "PayMethod"} {
			if typed.fault == "" {
				typed.fault = faults[field]
			}
		}
		return s.showSettings(c, http.StatusUnprocessableEntity, typed)
	}
	return err
}

// postRotateNotice handles POST /admin/settings/notice: a new notification URL; the one before stays valid.
func (s *Server) postRotateNotice(c echo.Context) error {
	if err := s.Shop.RotateNoticeSecret(c.Request().Context(), staffOf(c)); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin/settings?saved=notice#notice")
}

// postShowNotice handles POST /admin/settings/notice/show: the page shows the notification URL to who has just typed
// the password.
func (s *Server) postShowNotice(c echo.Context) error {
	return c.Redirect(http.StatusSeeOther, "/admin/settings#notice")
}
