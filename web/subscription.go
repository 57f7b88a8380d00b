package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

func subscriptionPath(token string) string { return "/subscription/" + url.PathEscape(token) }

// getCustomer handles GET /subscription/{token}: what is taken from the customer's card, and when. The link alone opens it.
func (s *Server) getCustomer(c echo.Context) error {
	ctx := c.Request().Context()
	st, err := s.Shop.CustomersSubscription(ctx, c.Param("token"))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, templates.Customer(s.customerPage(ctx, st, c.QueryParam("back") != "")))
}

// shownCharges is how many of the past a customer's page lists.
const shownCharges = 12

func (s *Server) customerPage(ctx context.Context, st app.SubscriptionStory, back bool) templates.CustomerPage {
	self, state := subscriptionPath(st.Token), string(st.State)
	p := templates.CustomerPage{
		BuyerFrame: s.frame(ctx, st.Shop, st.Mode), State: state, Tone: templates.SubscriptionTone(state), Icon: templates.SubscriptionIcon(state),
		Title: text.T(ctx, "sub.state."+state), Goods: st.Goods, Amount: int64(st.Amount), Sentence: customerSentence(ctx, st.Subscription),
	}
	p.LangHref = otherLangHref(ctx, self)
	if st.Shop.Name != "" {
		p.BuyerFrame.Title = text.T(ctx, "sub.title") + " · " + st.Shop.Name
	}
	add := func(key, value string) {
		if value != "" {
			p.Terms = append(p.Terms, templates.Fact{Name: text.T(ctx, key), Value: value})
		}
	}
	add("sub.when", when(ctx, st.Day))
	if !st.NextAt.IsZero() {
		add("sub.next", view.Day(ctx, st.NextAt))
	}
	if st.StoppedAt.IsZero() && !st.End.IsZero() {
		add("sub.end", view.Day(ctx, st.End))
	}
	if st.Card != nil && st.State != app.SubscriptionStopped {
		add("sub.card", cardWords(*st.Card))
	}
	for i, ch := range st.Charges {
		if i == shownCharges {
			break
		}
		if ch.State == app.ChargeWithdrawn || ch.State == app.ChargeSkipped || ch.State == app.ChargeRequested {
			continue
		}
		p.Charges = append(p.Charges, templates.ChargeRow{
			State: string(ch.State), Title: text.T(ctx, "sub.charge."+string(ch.State)), At: chargedAt(ch), Amount: int64(ch.Amount),
		})
	}
	p.Warn = customerWarning(ctx, st)
	if back && st.Window != nil {
		switch st.Window.State {
		case app.CardWindowDone:
			p.Good = text.T(ctx, "sub.card.done")
		case app.CardWindowRefused:
			p.Warn = text.T(ctx, "sub.card.refused")
		case app.CardWindowOpened:
			p.Warn = text.T(ctx, "sub.card.nothing")
		}
	}
	if st.State != app.SubscriptionStopped {
		p.CardAction, p.CardLabel, p.StopAction = self+"/card", text.T(ctx, "sub.card.new"), self+"/stop"
		if st.Card != nil {
			p.CardLabel = text.T(ctx, "sub.card.change")
		}
	}
	return p
}

func customerSentence(ctx context.Context, sub app.Subscription) string {
	switch {
	case sub.State == app.SubscriptionWaiting:
		return text.T(ctx, "sub.say.no_card")
	case sub.State == app.SubscriptionPaused:
		return text.T(ctx, "sub.say.paused")
	case sub.State == app.SubscriptionStopped:
		return text.T(ctx, "sub.say.stopped")
	case !sub.NextAt.IsZero():
		return text.T(ctx, "sub.say.next", view.Day(ctx, sub.NextAt), won(ctx, sub.Amount))
	case sub.Day == app.OnDemand:
		return text.T(ctx, "sub.say.demand")
	}
	return text.T(ctx, "sub.say.last")
}

// customerWarning tells of the newest charge, if it did not go well.
func customerWarning(ctx context.Context, st app.SubscriptionStory) string {
	if len(st.Charges) == 0 || st.State == app.SubscriptionStopped {
		return ""
	}
	switch ch := st.Charges[0]; {
	case ch.State == app.ChargeRefused && !ch.RetryAt.IsZero():
		return text.T(ctx, "sub.warn.retry", view.Day(ctx, ch.RetryAt))
	case ch.State == app.ChargeRefused:
		return text.T(ctx, "sub.warn.refused")
	case ch.State == app.ChargeUnknown:
		return text.T(ctx, "sub.warn.unknown")
	}
	return ""
}

// when says on which day it is charged.
func when(ctx context.Context, day int) string {
	switch day {
	case app.OnDemand:
		return text.T(ctx, "sub.when.demand")
	case app.LastDay:
		return text.T(ctx, "sub.when.last")
	}
	return text.T(ctx, "sub.when.day", day)
}

func cardWords(card app.Card) string {
	if card.CardName == "" {
		return card.CardNum
	}
	return card.CardName + " " + card.CardNum
}

func chargedAt(ch app.Charge) time.Time {
	if !ch.SettledAt.IsZero() {
		return ch.SettledAt
	}
	return ch.CreatedAt
}

// postCustomerCard handles POST /subscription/{token}/card: the gateway's window in which the customer registers a card.
// It is the mobile one on every device, and takes the same tab.
func (s *Server) postCustomerCard(c echo.Context) error {
	ctx, token := c.Request().Context(), c.Param("token")
	in := app.CardWindowInput{Language: "KR"}
	if text.Of(ctx) != text.Korean {
		in.Language = "EN"
	}
	if addr := peer(c); addr.IsValid() {
		in.UserIP = addr.WithZone("").String()
	}
	form, err := s.Shop.OpenCardWindow(ctx, token, in)
	if err != nil {
		return err
	}
	st, err := s.Shop.CustomersSubscription(ctx, token)
	if err != nil {
		return err
	}
	allowForms(c, []string{form.Action})
	page := templates.HandOver{
		BuyerFrame: s.frame(ctx, st.Shop, st.Mode), Action: form.Action, Charset: formCharset(form.Charset), Self: subscriptionPath(token),
	}
	page.Script = true
	for _, f := range form.Fields {
		page.Fields = append(page.Fields, templates.HiddenField{Name: f.Name, Value: f.Value})
	}
	return s.render(c, http.StatusOK, templates.CardHandOver(page))
}

// postCustomerStop handles POST /subscription/{token}/stop.
func (s *Server) postCustomerStop(c echo.Context) error {
	token := c.Param("token")
	if err := s.Shop.CustomerStops(c.Request().Context(), token); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, subscriptionPath(token))
}

// receiveCard handles POST and GET /smartro/card and /smartro/card/stop: the browser comes back from the window in which a
// card is registered. The return token says whose it was; without one nothing is shown.
func (s *Server) receiveCard(c echo.Context) error {
	a, err := arrival(c, app.ChannelReturn)
	if err != nil {
		return err
	}
	if len(a.Body) == 0 {
		a.Body = []byte(a.Query)
	}
	link, err := s.Shop.ReceiveCard(c.Request().Context(), a.Token, a.Body)
	if errors.Is(err, app.ErrNotFound) { // nobody's, as far as anything proves
		return c.Redirect(http.StatusSeeOther, "/pay/received")
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, subscriptionPath(link)+"?back=1")
}
