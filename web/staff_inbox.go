package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

const inboxPath = "/admin/messages"

// inboxGroups are the filters by verdict, and what each lets through.
func inboxGroups() []string {
	return []string{"", "good", "duplicate", "signature", "order", "amount", "browser", "review", "misfit", "strangers"}
}

func inboxVerdicts(group string) []app.Verdict {
	switch group {
	case "good":
		return []app.Verdict{app.VerdictGood}
	case "duplicate":
		return []app.Verdict{app.VerdictDuplicate}
	case "signature":
		return []app.Verdict{app.VerdictUnsigned, app.VerdictBadSignature, app.VerdictOldKey, app.VerdictUnreadable}
	case "order":
		return []app.Verdict{app.VerdictUnknownOrder, app.VerdictOtherTID, app.VerdictWrongMID}
	case "misfit":
		return []app.Verdict{
			app.VerdictUnsigned, app.VerdictUnreadable, app.VerdictWrongMID, app.VerdictUnknownOrder, app.VerdictOtherTID, app.VerdictWrongAmount, app.VerdictSecretLeaked,
		}
	case "amount":
		return []app.Verdict{app.VerdictWrongAmount}
	case "browser":
		return []app.Verdict{app.VerdictClaim, app.VerdictHint}
	case "review":
		return []app.Verdict{app.VerdictHeld, app.VerdictParked, app.VerdictReview, app.VerdictUnjudged, app.VerdictUnknownSender, app.VerdictSecretLeaked}
	}
	return nil
}

// inboxState is what the list shows: it stands in the address.
type inboxState struct{ show, channel, after string }

func (i inboxState) href() string {
	v := url.Values{}
	for name, value := range map[string]string{"show": i.show, "channel": i.channel, "after": i.after} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return strings.TrimSuffix(inboxPath+"?"+v.Encode(), "?")
}

// getInbox handles GET /admin/messages: everything that came, with what it turned out to be.
func (s *Server) getInbox(c echo.Context) error {
	ctx := c.Request().Context()
	i := inboxState{show: c.QueryParam("show"), channel: c.QueryParam("channel"), after: c.QueryParam("after")}
	if !slices.Contains(inboxGroups(), i.show) {
		i.show = ""
	}
	channels := []app.Channel{"", app.ChannelNotify, app.ChannelReturn, app.ChannelStop, app.ChannelAnswer}
	if !slices.Contains(channels, app.Channel(i.channel)) {
		i.channel = ""
	}
	frame, err := s.staffFrame(c, "inbox", "staff.nav.inbox")
	if err != nil {
		return err
	}
	q := app.InboxQuery{Strangers: i.show == "strangers", Both: i.show == "signature", Verdicts: inboxVerdicts(i.show), After: readCursor(i.after)}
	if i.channel != "" {
		q.Channels = []app.Channel{app.Channel(i.channel)}
	}
	list, next, err := s.Shop.Inbox(ctx, q)
	if err != nil {
		return err
	}
	p := templates.InboxPage{StaffFrame: frame}
	for _, g := range inboxGroups() {
		p.Groups = append(p.Groups, templates.Chip{Label: text.T(ctx, "inbox.show."+g), Href: inboxState{show: g, channel: i.channel}.href(), On: g == i.show})
	}
	for _, ch := range channels {
		label := text.T(ctx, "inbox.channel.all")
		if ch != "" {
			label = text.T(ctx, "staff.channel."+string(ch))
		}
		p.Channels = append(p.Channels, templates.Chip{Label: label, Href: inboxState{show: i.show, channel: string(ch)}.href(), On: string(ch) == i.channel})
	}
	for _, m := range list {
		p.Rows = append(p.Rows, inboxRow(ctx, m))
	}
	if next != (app.Cursor{}) {
		p.Next = inboxState{i.show, i.channel, strconv.FormatInt(next.At.UnixMicro(), 10) + "-" + next.ID}.href()
	}
	states, err := s.Shop.Notices(ctx)
	if err != nil {
		return err
	}
	p.Alarm, p.Heard = noticeWords(ctx, states)
	return s.render(c, http.StatusOK, templates.Inbox(p))
}

// noticeWords say whether the gateway's notifications reach the shop that takes payments today.
func noticeWords(ctx context.Context, states []app.NoticeState) (alarm, heard string) {
	if len(states) == 0 {
		return "", ""
	}
	n := states[0]
	heard = text.T(ctx, "inbox.never")
	if !n.LastAt.IsZero() {
		heard = text.T(ctx, "inbox.last", view.When(ctx, n.LastAt))
	}
	if n.Silent() {
		alarm = text.T(ctx, "inbox.silent", n.Opened, n.Claimed)
	}
	return alarm, heard
}

func inboxRow(ctx context.Context, m app.Message) templates.InboxRow {
	row := templates.InboxRow{
		Href: messagePath(&m), At: m.At, Channel: text.T(ctx, "staff.channel."+string(m.Channel)), Verdict: text.T(ctx, "staff.verdict."+string(m.Verdict)),
		Tone: verdictTone(m.Verdict), Code: m.Code, Moid: string(m.Moid), TID: string(m.TID), Amount: int64(m.Amount), Copies: m.Copies, Peer: m.Peer,
	}
	if m.About != "" {
		row.Payment = paymentPath(m.About)
		row.Moid = string(m.About)
	}
	return row
}

// postTry handles POST /admin/messages/{id}/try: what today's program makes of a message; nothing changes.
func (s *Server) postTry(c echo.Context) error {
	ctx := c.Request().Context()
	t, err := s.Shop.TryMessage(ctx, staffOf(c), c.Param("id"))
	if errors.Is(err, app.ErrBadInput) {
		return s.showMessage(c, http.StatusUnprocessableEntity, messageView{tried: &templates.Notes{Kind: "warn", Text: text.T(ctx, "inbox.try.cant")}})
	}
	if err != nil {
		return err
	}
	words := []string{text.T(ctx, "staff.verdict."+string(t.Verdict)), "T" + strconv.Itoa(int(t.Level))}
	if t.To != "" {
		words = append(words, text.T(ctx, "inbox.try.to", text.T(ctx, "state."+string(t.To))))
	}
	tried := &templates.Notes{Kind: "info", Text: strings.Join(words, " · ") + ". " + text.T(ctx, "inbox.try.nothing")}
	if t.Changes {
		tried.Kind, tried.Text = "warn", strings.Join(words, " · ")+". "+text.T(ctx, "inbox.try.changes")
	}
	return s.showMessage(c, http.StatusOK, messageView{tried: tried})
}

// postReplay handles POST /admin/messages/{id}/replay: judges a message again, for good.
func (s *Server) postReplay(c echo.Context) error {
	if err := s.Shop.ReplayMessage(c.Request().Context(), staffOf(c), c.Param("id")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, inboxPath)
}
