package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/smartro"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// typedHook is what the owner typed on the page of the hook, or what came of it.
type typedHook struct {
	mode   app.Mode
	url    *string // nil: nothing was typed
	news   []app.News
	faults map[string]string
	secret app.Secret // shown this once
	tried  *app.Tried
	saved  string
}

const deliveriesShown = 50

// getHook handles GET /admin/settings/hook: what the shop's own system is told, in one mode.
func (s *Server) getHook(c echo.Context) error {
	ctx := c.Request().Context()
	typed := typedHook{mode: app.Mode(c.QueryParam("mode"))}
	if typed.mode != smartro.Test && typed.mode != smartro.Real {
		typed.mode = smartro.Test
		if m, err := s.Shop.Merchant(ctx); err == nil {
			typed.mode = m.Mode
		} else if !errors.Is(err, app.ErrNoGateway) {
			return err
		}
	}
	switch c.QueryParam("saved") {
	case "on":
		typed.saved = text.T(ctx, "hook.saved")
	case "off":
		typed.saved = text.T(ctx, "hook.off")
	}
	return s.showHook(c, http.StatusOK, typed)
}

func (s *Server) showHook(c echo.Context, status int, typed typedHook) error {
	ctx := c.Request().Context()
	frame, err := s.staffFrame(c, "settings", "hook.title")
	if err != nil {
		return err
	}
	h, err := s.Shop.Hook(ctx, staffOf(c), typed.mode)
	if err != nil {
		return err
	}
	p := templates.HookPage{
		StaffFrame: frame, Mode: string(typed.mode), On: h.On(), Saved: typed.saved, Secret: typed.secret.Reveal(), Fault: typed.faults["news"],
	}
	for _, m := range []app.Mode{smartro.Test, smartro.Real} {
		p.Chips = append(p.Chips, templates.Chip{Label: text.T(ctx, "hook.mode."+string(m)), Href: hookPath(m), On: m == typed.mode})
	}
	address, news := h.URL, h.News
	if typed.url != nil {
		address, news = *typed.url, typed.news
	} else if !h.On() {
		news = app.AllNews()
	}
	p.URL = templates.FieldView{
		Name: "url", Label: text.T(ctx, "hook.url"), Value: address, Hint: text.T(ctx, "hook.url.hint"), Error: typed.faults["url"], Type: "url", Autocomplete: "off",
	}
	for _, n := range app.AllNews() {
		p.News = append(p.News, templates.Choice{Value: string(n), Label: text.T(ctx, "hook.news."+string(n)), On: slices.Contains(news, n)})
	}
	if h.Old != "" && s.Now().Before(h.OldUntil) {
		p.Overlap = view.When(ctx, h.OldUntil)
	}
	if t := typed.tried; t != nil {
		p.Tried = &templates.TriedView{Good: t.Fault == "", Text: triedText(ctx, *t)}
	}
	list, err := s.Shop.Deliveries(ctx, staffOf(c), typed.mode, deliveriesShown)
	if err != nil {
		return err
	}
	for _, d := range list {
		p.Rows = append(p.Rows, deliveryRow(ctx, d))
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return s.render(c, status, templates.StaffHook(p))
}

func hookPath(m app.Mode) string { return "/admin/settings/hook?mode=" + string(m) }

func triedText(ctx context.Context, t app.Tried) string {
	if t.Fault != "" {
		said := text.T(ctx, "hook.fault."+string(t.Fault))
		if t.Status != 0 {
			said += " (" + strconv.Itoa(t.Status) + ")"
		}
		return said
	}
	return text.T(ctx, "hook.test.good.text", t.Status, fmt.Sprintf("%.1f", t.Took.Seconds()))
}

func deliveryRow(ctx context.Context, d app.Delivery) templates.DeliveryRow {
	row := templates.DeliveryRow{
		At: d.At, News: text.T(ctx, "hook.news."+string(d.News)), State: string(d.State), Order: string(d.OrderNo), Href: "/admin/requests/" + string(d.OrderNo),
		About: " · #" + strconv.Itoa(d.Seq),
	}
	if d.Moid != "" {
		row.Href = paymentPath(d.Moid)
	}
	if d.Tries > 0 {
		row.About += " · " + text.T(ctx, "hook.tries", d.Tries)
	}
	if d.Status != 0 {
		row.About += " · " + text.T(ctx, "hook.answered", d.Status)
	}
	if d.Fault != "" && d.State == app.DeliveryWaiting {
		row.Detail = text.T(ctx, "hook.fault."+string(d.Fault))
	}
	return row
}

// postHook handles POST /admin/settings/hook. A new hook's secret is shown on the answer, and never again.
func (s *Server) postHook(c echo.Context) error {
	ctx := c.Request().Context()
	form, err := c.FormParams()
	if err != nil {
		return app.ErrBadInput
	}
	address := form.Get("url")
	typed := typedHook{mode: app.Mode(form.Get("mode")), url: &address}
	if typed.mode != smartro.Test && typed.mode != smartro.Real {
		return app.ErrBadInput
	}
	for _, name := range form["news"] {
		typed.news = append(typed.news, app.News(name))
	}
	secret, err := s.Shop.SetHook(ctx, staffOf(c), typed.mode, address, typed.news)
	switch {
	case errors.Is(err, app.ErrBadInput):
		typed.faults = inputFaults(ctx, err)
		return s.showHook(c, http.StatusUnprocessableEntity, typed)
	case err != nil:
		return err
	case secret != "":
		return s.showHook(c, http.StatusOK, typedHook{mode: typed.mode, secret: secret})
	}
	h, err := s.Shop.Hook(ctx, staffOf(c), typed.mode)
	if err != nil {
		return err
	}
	saved := "on"
	if !h.On() {
		saved = "off"
	}
	return c.Redirect(http.StatusSeeOther, hookPath(typed.mode)+"&saved="+saved)
}

// postHookSecret handles POST /admin/settings/hook/secret: a new secret, shown this once.
func (s *Server) postHookSecret(c echo.Context) error {
	mode := app.Mode(c.FormValue("mode"))
	secret, err := s.Shop.RotateHookSecret(c.Request().Context(), staffOf(c), mode)
	if err != nil {
		return err
	}
	return s.showHook(c, http.StatusOK, typedHook{mode: mode, secret: secret})
}

// postHookTest handles POST /admin/settings/hook/test: sends a document that says test, and shows the answer.
func (s *Server) postHookTest(c echo.Context) error {
	mode := app.Mode(c.FormValue("mode"))
	tried, err := s.Shop.TryHook(c.Request().Context(), staffOf(c), mode)
	if err != nil {
		return err
	}
	return s.showHook(c, http.StatusOK, typedHook{mode: mode, tried: &tried})
}
