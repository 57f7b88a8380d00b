package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// subscriptionsPerPage is how many subscriptions a page lists.
const subscriptionsPerPage = 50

func staffSubscriptionPath(no app.SubscriptionNo) string { return "/admin/subscriptions/" + string(no) }

func subscriptionOf(c echo.Context) app.SubscriptionNo { return app.SubscriptionNo(c.Param("no")) }

// getSubscriptions handles GET /admin/subscriptions.
func (s *Server) getSubscriptions(c echo.Context) error {
	ctx := c.Request().Context()
	list, err := s.Shop.Subscriptions(ctx, app.SubscriptionQuery{Limit: subscriptionsPerPage + 1, After: readCursor(c.QueryParam("after"))})
	if err != nil {
		return err
	}
	w, err := s.Shop.Worklist(ctx)
	if err != nil {
		return err
	}
	waits := map[app.SubscriptionNo]bool{}
	for _, ch := range w.Charges {
		waits[ch.Subscription] = true
	}
	frame, err := s.staffFrame(c, "subscriptions", "staff.nav.subscriptions")
	if err != nil {
		return err
	}
	p := templates.SubscriptionsPage{StaffFrame: frame}
	if len(list) > subscriptionsPerPage {
		list = list[:subscriptionsPerPage]
		last := list[len(list)-1]
		p.Next = fmt.Sprintf("/admin/subscriptions?after=%d-%s", last.CreatedAt.UnixMicro(), last.No)
	}
	for _, sub := range list {
		p.Rows = append(p.Rows, templates.SubscriptionRow{
			Href: staffSubscriptionPath(sub.No), No: string(sub.No), State: string(sub.State), Goods: sub.Goods, Customer: view.MaskName(sub.Name),
			When: when(ctx, sub.Day), Amount: int64(sub.Amount), NextAt: sub.NextAt, Hand: waits[sub.No],
		})
	}
	return s.render(c, http.StatusOK, templates.Subscriptions(p))
}

// getNewSubscription handles GET /admin/subscriptions/new.
func (s *Server) getNewSubscription(c echo.Context) error {
	return s.showNewSubscription(c, http.StatusOK, templates.SubscriptionForm{}, "1")
}

func (s *Server) showNewSubscription(c echo.Context, status int, p templates.SubscriptionForm, day string) error {
	ctx := c.Request().Context()
	frame, err := s.staffFrame(c, "subscriptions", "staff.sub.new")
	if err != nil {
		return err
	}
	p.StaffFrame = frame
	p.Day = templates.SelectView{Name: "day", Label: text.T(ctx, "sub.when"), Value: day, Error: p.Errors["day"], Required: true, Width: "short"}
	for n := 1; n <= 28; n++ {
		p.Day.Options = append(p.Day.Options, templates.Option{Value: strconv.Itoa(n), Label: when(ctx, n)})
	}
	for _, n := range []int{app.LastDay, app.OnDemand} {
		p.Day.Options = append(p.Day.Options, templates.Option{Value: strconv.Itoa(n), Label: when(ctx, n)})
	}
	return s.render(c, status, templates.NewSubscription(p))
}

// postNewSubscription handles POST /admin/subscriptions/new.
func (s *Server) postNewSubscription(c echo.Context) error {
	ctx := c.Request().Context()
	p := templates.SubscriptionForm{
		Name: c.FormValue("buyer_name"), Tel: c.FormValue("buyer_tel"), Email: c.FormValue("buyer_email"), Goods: c.FormValue("goods"),
		Amount: c.FormValue("amount"), TaxFree: c.FormValue("tax_free"), Start: c.FormValue("start"), End: c.FormValue("end"),
	}
	day, err := strconv.Atoi(c.FormValue("day"))
	if err != nil {
		day = -1 // which is refused
	}
	sub, err := s.Shop.CreateSubscription(ctx, staffOf(c), app.SubscriptionInput{
		Name: p.Name, Tel: p.Tel, Email: p.Email, Goods: p.Goods, Amount: typedWon(p.Amount), TaxFree: typedWon(p.TaxFree), Day: day, Start: p.Start, End: p.End,
	})
	if errors.Is(err, app.ErrBadInput) {
		p.Errors = inputFaults(ctx, err)
		return s.showNewSubscription(c, http.StatusUnprocessableEntity, p, c.FormValue("day"))
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, staffSubscriptionPath(sub.No))
}

// getSubscription handles GET /admin/subscriptions/{no}.
func (s *Server) getSubscription(c echo.Context) error {
	return s.showSubscription(c, http.StatusOK, subscriptionLook{no: subscriptionOf(c)})
}

// postRevealSubscriber handles POST /admin/subscriptions/{no}/reveal, as postReveal does of a buyer.
func (s *Server) postRevealSubscriber(c echo.Context) error {
	ctx, why := c.Request().Context(), readWhy(c)
	err := s.Shop.SeeSubscriber(ctx, staffOf(c), subscriptionOf(c), why)
	if errors.Is(err, app.ErrBadInput) {
		return s.showSubscription(c, http.StatusUnprocessableEntity, subscriptionLook{
			no: subscriptionOf(c), typed: templates.RevealForm{Reason: string(why.Reason), Words: why.Words, Errors: inputFaults(ctx, err)},
		})
	}
	if err != nil {
		return err
	}
	return s.showSubscription(c, http.StatusOK, subscriptionLook{no: subscriptionOf(c), reveal: true})
}

// subscriptionLook is how one subscription's page is shown.
type subscriptionLook struct {
	no       app.SubscriptionNo
	reveal   bool
	typed    templates.RevealForm // why somebody wants to see the customer, if that was refused
	settling string               // the charge whose form was refused; faults by field
	faults   map[string]string
}

func (s *Server) showSubscription(c echo.Context, status int, look subscriptionLook) error {
	ctx := c.Request().Context()
	st, err := s.Shop.Subscription(ctx, staffOf(c), look.no)
	if err != nil {
		return err
	}
	frame, err := s.staffFrame(c, "subscriptions", "staff.nav.subscriptions")
	if err != nil {
		return err
	}
	frame.Title = st.Goods
	p := templates.SubscriptionPage{
		StaffFrame: frame, No: string(st.No), State: string(st.State), Amount: int64(st.Amount), Sentence: staffSentence(ctx, st),
		CanReveal: !look.reveal && !st.Erased && may(c, app.RightSeeBuyers), Reveal: revealForm(ctx, staffSubscriptionPath(st.No)+"/reveal", look.typed), Settles: may(c, app.RightSettle),
		Customer: customerFacts(ctx, st.Subscription, look.reveal), Terms: termFacts(ctx, st.Subscription), Card: cardFacts(ctx, st),
	}
	if c.QueryParam("done") == "charged" {
		p.Flash = text.T(ctx, "staff.sub.charged")
	}
	if st.State != app.SubscriptionStopped {
		p.Link, p.QR = s.Shop.SubscriptionLink(st.Subscription), staffSubscriptionPath(st.No)+"/qr.svg"
	}
	open := false
	for _, ch := range st.Charges {
		p.Charges = append(p.Charges, chargeRow(ctx, ch, st.Names))
		open = open || ch.State.Open()
		if ch.Hand {
			h := chargeHand(ctx, ch)
			if ch.ID == look.settling {
				h.TID, h.Reason, h.Errors = c.FormValue("tid"), c.FormValue("reason"), look.faults
			}
			p.Hands = append(p.Hands, h)
		}
	}
	if st.State == app.SubscriptionActive && !open {
		p.Key = rand.Text()
	}
	return s.render(c, status, templates.Subscription(p))
}

func staffSentence(ctx context.Context, st app.SubscriptionStory) string {
	switch {
	case st.State == app.SubscriptionWaiting:
		return text.T(ctx, "staff.sub.say.no_card")
	case st.State == app.SubscriptionPaused:
		return text.T(ctx, "sub.say.paused")
	case st.State == app.SubscriptionStopped:
		who := st.Names[st.StoppedBy]
		switch st.StoppedBy {
		case app.StoppedByCustomer:
			who = text.T(ctx, "staff.sub.customer")
		case app.StoppedByEnd:
			who = text.T(ctx, "staff.sub.by_end")
		}
		return text.T(ctx, "staff.sub.say.stopped", view.When(ctx, st.StoppedAt), who)
	case !st.NextAt.IsZero():
		return text.T(ctx, "staff.sub.say.next", view.When(ctx, st.NextAt))
	case st.Day == app.OnDemand:
		return text.T(ctx, "staff.sub.say.demand")
	}
	return text.T(ctx, "sub.say.last")
}

func customerFacts(ctx context.Context, sub app.Subscription, reveal bool) []templates.Detail {
	if sub.Erased {
		return []templates.Detail{{Name: text.T(ctx, "staff.sub.customer"), Value: text.T(ctx, "staff.erased")}}
	}
	name, tel, email := view.MaskName(sub.Name), view.MaskTel(sub.Tel), view.MaskEmail(sub.Email)
	if reveal {
		name, tel, email = sub.Name, view.Phone(sub.Tel), sub.Email
	}
	return []templates.Detail{
		{Name: text.T(ctx, "staff.name"), Value: name}, {Name: text.T(ctx, "staff.tel"), Value: tel}, {Name: text.T(ctx, "staff.email"), Value: email},
	}
}

func termFacts(ctx context.Context, sub app.Subscription) []templates.Detail {
	list := []templates.Detail{
		{Name: text.T(ctx, "staff.col.goods"), Value: sub.Goods}, {Name: text.T(ctx, "staff.sub.amount"), Value: won(ctx, sub.Amount)},
		{Name: text.T(ctx, "sub.when"), Value: when(ctx, sub.Day)}, {Name: text.T(ctx, "sub.start"), Value: view.Day(ctx, sub.Start)},
	}
	if !sub.End.IsZero() {
		list = append(list, templates.Detail{Name: text.T(ctx, "sub.end"), Value: view.Day(ctx, sub.End)})
	}
	return append(list, templates.Detail{Name: text.T(ctx, "staff.sub.no"), Value: string(sub.No)})
}

func cardFacts(ctx context.Context, st app.SubscriptionStory) []templates.Detail {
	switch {
	case st.Card == nil:
		return []templates.Detail{{Name: text.T(ctx, "sub.card"), Value: text.T(ctx, "staff.sub.card.none")}}
	case st.Card.Erased:
		return []templates.Detail{{Name: text.T(ctx, "sub.card"), Value: text.T(ctx, "staff.sub.card.erased")}}
	}
	return []templates.Detail{
		{Name: text.T(ctx, "sub.card"), Value: cardWords(*st.Card)},
		{Name: text.T(ctx, "staff.sub.card.at"), Value: view.When(ctx, st.Card.RegisteredAt)},
	}
}

// chargeRow is a charge as staff read it: the period or the person who asked, and what was said.
func chargeRow(ctx context.Context, ch app.Charge, names map[string]string) templates.ChargeRow {
	row := templates.ChargeRow{State: string(ch.State), Title: ch.Period, At: chargedAt(ch), Amount: int64(ch.Amount)}
	if ch.OnDemand() {
		row.Title = text.T(ctx, "staff.sub.by", names[ch.By])
	}
	if ch.Moid != "" {
		row.Href = paymentPath(ch.Moid)
	}
	if own, ok := app.ReadOwnCode(ch.ResultCode); ok {
		row.Why = text.T(ctx, "staff.own."+string(own))
	} else if ch.State == app.ChargeRefused {
		row.Why = clip(ch.ResultMsg, 100) + " (" + clip(ch.ResultCode, 10) + ")"
	}
	if !ch.RetryAt.IsZero() && ch.State == app.ChargeRefused {
		row.Why += " · " + text.T(ctx, "staff.sub.retry", view.When(ctx, ch.RetryAt))
	}
	return row
}

func chargeHand(ctx context.Context, ch app.Charge) templates.ChargeHand {
	h := templates.ChargeHand{ID: ch.ID, Settle: ch.State == app.ChargeUnknown}
	key := "staff.sub.hand.refused"
	switch ch.State {
	case app.ChargeUnknown:
		key = "staff.sub.hand.unknown"
	case app.ChargeSkipped:
		key = "staff.sub.hand.skipped"
	}
	h.Title, h.Text = text.T(ctx, key, won(ctx, ch.Amount), view.Day(ctx, ch.DueAt)), text.T(ctx, key+".text")
	return h
}

// getSubscriptionQR handles GET /admin/subscriptions/{no}/qr.svg: the customer's link as a picture.
func (s *Server) getSubscriptionQR(c echo.Context) error {
	st, err := s.Shop.Subscription(c.Request().Context(), staffOf(c), subscriptionOf(c))
	if err != nil {
		return err
	}
	return drawQR(c, s.Shop.SubscriptionLink(st.Subscription))
}

// changeSubscription does one of the changes and shows the page again.
func (s *Server) changeSubscription(change func(context.Context, app.Staff, app.SubscriptionNo) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := change(c.Request().Context(), staffOf(c), subscriptionOf(c)); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, staffSubscriptionPath(subscriptionOf(c)))
	}
}

// postPause, postResume and postStopSubscription handle the buttons of the page.
func (s *Server) postPause(c echo.Context) error {
	return s.changeSubscription(s.Shop.PauseSubscription)(c)
}

func (s *Server) postResume(c echo.Context) error {
	return s.changeSubscription(s.Shop.ResumeSubscription)(c)
}

func (s *Server) postStopSubscription(c echo.Context) error {
	return s.changeSubscription(s.Shop.StopSubscription)(c)
}

// postCharge handles POST /admin/subscriptions/{no}/charge: takes one period's money now, once for each form.
func (s *Server) postCharge(c echo.Context) error {
	ch, err := s.Shop.ChargeNow(c.Request().Context(), staffOf(c), subscriptionOf(c), c.FormValue("key"))
	if err != nil {
		return err
	}
	to := staffSubscriptionPath(ch.Subscription)
	if ch.State == app.ChargePaid {
		to += "?done=charged"
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// postSettleCharge handles POST /admin/charges/{id}/settle: what the gateway's own record says of a charge.
func (s *Server) postSettleCharge(c echo.Context) error {
	answer := c.FormValue("happened")
	if answer != "yes" && answer != "no" {
		return app.ErrBadInput
	}
	ctx := c.Request().Context()
	ch, err := s.Shop.Store.Charge(ctx, c.Param("id"))
	if err != nil {
		return err
	}
	_, err = s.Shop.SettleCharge(ctx, staffOf(c), ch.ID, answer == "yes", c.FormValue("tid"), c.FormValue("reason"))
	if errors.Is(err, app.ErrBadInput) {
		return s.showSubscription(c, http.StatusUnprocessableEntity, subscriptionLook{no: ch.Subscription, settling: ch.ID, faults: inputFaults(ctx, err)})
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, staffSubscriptionPath(ch.Subscription))
}

// postChargeAway handles POST /admin/charges/{id}/away: a person has looked at it.
func (s *Server) postChargeAway(c echo.Context) error {
	ctx := c.Request().Context()
	ch, err := s.Shop.Store.Charge(ctx, c.Param("id"))
	if err != nil {
		return err
	}
	if err := s.Shop.PutChargeAway(ctx, staffOf(c), ch.ID); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, staffSubscriptionPath(ch.Subscription))
}
