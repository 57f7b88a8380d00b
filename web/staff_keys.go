package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/smartro"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// fillKeys shows the merchant keys of the contract and when notifications came last.
func (s *Server) fillKeys(c echo.Context, p *templates.SettingsPage, m smartro.Merchant) error {
	ctx := c.Request().Context()
	keys, err := s.Shop.KeysOf(ctx, staffOf(c), m.MID, m.Mode)
	if err != nil {
		return err
	}
	p.Keys = templates.KeysView{MID: string(m.MID), Mode: string(m.Mode), Ends: s.Now().Add(app.KeyOverlap)}
	for i, k := range keys {
		row := templates.KeyRow{N: k.N, Mark: k.Mark, Current: i == 0, Believed: k.Believed, Since: text.T(ctx, "keys.first")}
		if !k.From.IsZero() {
			row.Since = text.T(ctx, "keys.since", view.When(ctx, k.From))
		}
		switch {
		case row.Current:
		case k.Believed:
			row.Until = text.T(ctx, "keys.until", view.When(ctx, k.Until))
		default:
			row.Until = text.T(ctx, "keys.over", view.When(ctx, k.Until))
		}
		p.Keys.Rows = append(p.Keys.Rows, row)
	}
	all, err := s.Shop.Notices(ctx)
	if err != nil {
		return err
	}
	for _, n := range all {
		p.Notices.Lines = append(p.Notices.Lines, noticeLine(ctx, n))
	}
	p.Notices.Never = all[0].LastAt.IsZero()
	return nil
}

// keyName names a merchant key by its number; empty: none is known.
func keyName(ctx context.Context, n int) string {
	if n == 0 {
		return ""
	}
	return text.T(ctx, "keys.row", n)
}

func noticeLine(ctx context.Context, n app.NoticeState) string {
	mode := text.T(ctx, "notices.mode."+string(n.Mode))
	if n.LastAt.IsZero() {
		return text.T(ctx, "notices.never", mode)
	}
	return text.T(ctx, "notices.last", mode, view.When(ctx, n.LastAt))
}

// postStopKey handles POST /admin/settings/key/stop: a replaced key is not believed any more, from now on.
func (s *Server) postStopKey(c echo.Context) error {
	n, err := strconv.Atoi(c.FormValue("n"))
	if err != nil {
		return app.ErrBadInput
	}
	if err := s.Shop.StopKey(c.Request().Context(), staffOf(c), app.MID(c.FormValue("mid")), app.Mode(c.FormValue("mode")), n); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin/settings?saved=stopped#keys")
}

// fillAlarms lists what is wrong with notifications as a whole: they fit no key, or don't come.
func fillAlarms(ctx context.Context, p *templates.WorkPage, w app.Worklist) {
	if w.Quarantined > 0 {
		p.Quarantined = &templates.WorkRow{Title: text.T(ctx, "keys.wrong", w.Quarantined), Text: text.T(ctx, "keys.wrong.text")}
	}
	if w.Misfits > 0 {
		p.Misfits = &templates.WorkRow{
			Title: text.T(ctx, "misfits", w.Misfits), Text: text.T(ctx, "misfits.text"),
			Href: inboxState{show: "misfit", channel: string(app.ChannelNotify)}.href(), Deed: text.T(ctx, "misfits.open"),
		}
	}
	if w.Silent == nil {
		return
	}
	p.Silent = &templates.WorkRow{Title: text.T(ctx, "notices.silent"), Text: text.T(ctx, "notices.silent.never")}
	if at := w.Silent.LastAt; !at.IsZero() {
		p.Silent.Text = text.T(ctx, "notices.silent.since", view.When(ctx, at))
	}
	if p.Owner {
		p.Silent.Href, p.Silent.Deed = "/admin/settings#notice", text.T(ctx, "notices.settings")
	}
}

// postJudgeAgain handles POST /admin/work/again: what fitted no key is checked with today's.
func (s *Server) postJudgeAgain(c echo.Context) error {
	done, err := s.Shop.JudgeAgain(c.Request().Context(), staffOf(c))
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin/work?good="+strconv.Itoa(done.Good)+"&left="+strconv.Itoa(done.Left))
}

// postSeeMisfits handles POST /admin/work/seen: somebody has looked at what fits nothing.
func (s *Server) postSeeMisfits(c echo.Context) error {
	if err := s.Shop.SeeMisfits(c.Request().Context(), staffOf(c)); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin/work")
}

// judgedAgain says what came of it, by the numbers in the address; empty: nothing was judged just now.
func judgedAgain(c echo.Context) string {
	ctx, words := c.Request().Context(), []string{}
	good, err1 := strconv.Atoi(c.QueryParam("good"))
	left, err2 := strconv.Atoi(c.QueryParam("left"))
	if err1 != nil || err2 != nil {
		return ""
	}
	if good > 0 {
		words = append(words, text.T(ctx, "keys.again.good", good))
	}
	if left > 0 {
		words = append(words, text.T(ctx, "keys.again.left", left))
	}
	if len(words) == 0 {
		words = append(words, text.T(ctx, "keys.again.none"))
	}
	return strings.Join(words, " ")
}
