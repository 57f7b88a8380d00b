package web

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
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

func moidOf(c echo.Context) app.Moid { return app.Moid(c.Param("moid")) }

func paymentPath(moid app.Moid) string { return "/admin/payments/" + string(moid) }

// getPayment handles GET /admin/payments/{moid}: the whole story of one payment.
func (s *Server) getPayment(c echo.Context) error {
	return s.showPayment(c, http.StatusOK, false, templates.RevealForm{})
}

// postReveal handles POST /admin/payments/{moid}/reveal: the same page with the buyer unmasked. It is a post, so
// that no link and no reload shows a person by accident; who looked, and why, is recorded before.
func (s *Server) postReveal(c echo.Context) error {
	ctx, why := c.Request().Context(), readWhy(c)
	err := s.Shop.SeeBuyer(ctx, staffOf(c), moidOf(c), why)
	if errors.Is(err, app.ErrBadInput) {
		return s.showPayment(c, http.StatusUnprocessableEntity, false, templates.RevealForm{Reason: string(why.Reason), Words: why.Words, Errors: inputFaults(ctx, err)})
	}
	if err != nil {
		return err
	}
	return s.showPayment(c, http.StatusOK, true, templates.RevealForm{})
}

func readWhy(c echo.Context) app.Why {
	return app.Why{Reason: app.Reason(c.FormValue("reason")), Words: c.FormValue("words")}
}

// revealForm offers the reasons for a look.
func revealForm(ctx context.Context, action string, typed templates.RevealForm) templates.RevealForm {
	typed.Action = action
	for _, r := range app.Reasons() {
		typed.Reasons = append(typed.Reasons, templates.Option{Value: string(r), Label: text.T(ctx, "staff.why."+string(r))})
	}
	return typed
}

// postReceipt handles POST /admin/payments/{moid}/receipt: leads on to the gateway's page, once the look is recorded.
func (s *Server) postReceipt(c echo.Context) error {
	kind := smartro.Slip
	if c.FormValue("kind") == "cash" {
		kind = smartro.CashReceiptSlip
	}
	url, err := s.Shop.SeeReceipt(c.Request().Context(), staffOf(c), moidOf(c), kind)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, templates.Receipt(url))
}

func (s *Server) showPayment(c echo.Context, status int, reveal bool, typed templates.RevealForm) error {
	ctx := c.Request().Context()
	st, err := s.Shop.Story(ctx, moidOf(c))
	if err != nil {
		return err
	}
	frame, err := s.staffFrame(c, "payments", "staff.list.title")
	if err != nil {
		return err
	}
	p := st.Payment
	if reveal {
		s.Log.Info("a buyer was shown", "staff", staffOf(c).ID, "moid", p.Moid)
	}
	typed = revealForm(ctx, paymentPath(p.Moid)+"/reveal", typed)
	frame.Title = string(p.Moid)
	page := templates.PaymentPage{
		StaffFrame: frame, Moid: string(p.Moid), State: shownState(p), OrderNo: string(p.OrderNo), Amount: int64(p.Amount),
		Approved: int64(p.Approved), Cancelled: int64(p.Cancelled), Reserved: int64(p.Reserved), Left: int64(p.Left()),
		HasMoney: p.Approved > 0, CanReveal: !reveal && may(c, app.RightSeeBuyers), Reveal: typed,
		Receipt: st.ReceiptURL != "" && may(c, app.RightSeeBuyers), CashReceipt: st.CashReceiptURL != "" && may(c, app.RightSeeBuyers),
		Sentence: sentenceOf(ctx, p), Buyer: buyerFacts(ctx, p, reveal), Order: orderFacts(ctx, st), Money: gatewayFacts(ctx, p, reveal),
	}
	if p.Approved > 0 {
		page.Amount = page.Approved
	}
	open := false
	for _, cn := range st.Cancels {
		open = open || cn.State.Open()
		page.Live = page.Live || cn.State == app.CancelStateSent || cn.State == app.CancelStateRequested
	}
	page.Live = page.Live || p.State == app.Claimed
	page.CanCancel = may(c, app.RightCancel) && !open && st.Request == nil && (p.State == app.WaitingDeposit || p.HasMoney() && p.Left() > 0)
	page.Hands, page.CanAsk = hands(ctx, staffOf(c), st), may(c, app.RightSettle)
	page.CashReceipts = s.receiptBlock(c, st)
	page.Entries = timelineEntries(ctx, st.Timeline)
	page.Call = callCard(ctx, st)
	page.Others = otherRows(ctx, st.Others)
	for _, q := range st.Siblings {
		page.Siblings = append(page.Siblings, templates.ListRow{Href: paymentPath(q.Moid), State: shownState(q), Moid: string(q.Moid), At: q.OpenedAt})
	}
	return s.render(c, status, templates.Payment(page))
}

// shownState is the payment's state as a badge says it. While the window is open, a browser may have told that it came
// to nothing: nobody believes it, but the buyer saw it, so a clerk has to.
func shownState(p app.Payment) string {
	switch {
	case p.State != app.Opened:
		return string(p.State)
	case p.Stopped, stoppedInWindow(p.HintCode):
		return "opened_stopped"
	case p.HintCode != "":
		return "opened_declined"
	}
	return string(p.State)
}

// sentenceOf is the second line: when, how, and why we believe it.
func sentenceOf(ctx context.Context, p app.Payment) string {
	at := p.MoneyAt()
	parts := []string{}
	if at.IsZero() {
		parts = append(parts, text.T(ctx, "staff.pay.opened", view.When(ctx, p.OpenedAt)))
	} else {
		parts = append(parts, view.When(ctx, at))
	}
	parts = append(parts, howPaid(ctx, p))
	if p.Proof != app.ProofNone {
		parts = append(parts, text.T(ctx, "staff.proof."+string(p.Proof)))
	}
	if p.HintCode != "" && p.PaidAt.IsZero() {
		parts = append(parts, text.T(ctx, "staff.pay.hint", p.HintMsg, p.HintCode))
	}
	return strings.Join(parts, " · ")
}

func buyerFacts(ctx context.Context, p app.Payment, reveal bool) []templates.Detail {
	name, tel, mail := view.MaskName(p.BuyerName), view.MaskTel(p.BuyerTel), view.MaskEmail(p.BuyerEmail)
	if reveal {
		name, tel, mail = p.BuyerName, view.Phone(p.BuyerTel), p.BuyerEmail
	}
	if p.Erased {
		name = text.T(ctx, "staff.erased")
		tel, mail = name, name
	}
	return []templates.Detail{
		{Name: text.T(ctx, "staff.name"), Value: name}, {Name: text.T(ctx, "staff.tel"), Value: tel}, {Name: text.T(ctx, "staff.email"), Value: mail},
	}
}

func orderFacts(ctx context.Context, st app.Story) []templates.Detail {
	list := []templates.Detail{
		{Name: text.T(ctx, "staff.col.goods"), Value: st.Order.Goods},
		{Name: text.T(ctx, "staff.order.no"), Value: string(st.Order.No), Copy: true, Mono: true},
		{Name: text.T(ctx, "staff.order.amount"), Value: view.Won(ctx, st.Order.Amount)},
		{Name: text.T(ctx, "staff.order.vat"), Value: view.Won(ctx, st.Order.VAT)},
	}
	if st.Order.TaxFree > 0 {
		list = append(list, templates.Detail{Name: text.T(ctx, "staff.order.tax_free"), Value: view.Won(ctx, st.Order.TaxFree)})
	}
	if !st.Order.DueAt.IsZero() {
		list = append(list, templates.Detail{Name: text.T(ctx, "staff.order.due"), Value: view.When(ctx, st.Order.DueAt)})
	}
	return list
}

func gatewayFacts(ctx context.Context, p app.Payment, reveal bool) []templates.Detail {
	var list []templates.Detail
	add := func(key, value string, copied bool) {
		if value != "" {
			list = append(list, templates.Detail{Name: text.T(ctx, key), Value: value, Copy: copied, Mono: copied})
		}
	}
	add("staff.tid", string(p.TID), true)
	add("staff.moid", string(p.Moid), true)
	add("staff.mid", string(p.MID), false)
	add("staff.auth_code", p.AuthCode, true)
	switch p.Method {
	case smartro.Vbank: // the bank stands with the account
	case smartro.Bank:
		add("staff.bank", p.CardName, false)
	default:
		add("staff.card", strings.TrimSpace(p.CardName+" "+p.CardNum), false)
	}
	if p.CardQuota != "" && p.CardQuota != "00" {
		add("staff.quota", text.T(ctx, "staff.quota.months", strings.TrimLeft(p.CardQuota, "0")), false)
	}
	account := p.VbankNum
	if !reveal {
		account = view.MaskAccount(account)
	}
	add("staff.vbank", strings.TrimSpace(p.VbankName+" "+account), reveal && account != "")
	if !p.VbankDue.IsZero() {
		add("staff.vbank.due", view.When(ctx, p.VbankDue), false)
	}
	add("staff.device", text.T(ctx, "device."+string(p.Device)), false)
	add("keys.payment", keyName(ctx, p.KeyVersion), false)
	return list
}

// hands are the things that need a person, each with those of the steps that can't lose money which who may take.
func hands(ctx context.Context, who app.Staff, st app.Story) []templates.Hand {
	var list []templates.Hand
	p, settles := st.Payment, who.Role.May(app.RightSettle)
	if q := st.Request; q != nil {
		hand := templates.Hand{Kind: "warn", Title: text.T(ctx, "staff.hand.waits", view.Won(ctx, q.Amount)), Text: text.T(ctx, "staff.hand.waits.text", view.When(ctx, q.ExpiresAt))}
		if who.Role.May(app.RightCancel) {
			hand.Href = approvalPath(q.ID)
		}
		list = append(list, hand)
	}
	for _, c := range st.Cancels {
		switch c.State {
		case app.CancelStateUnknown:
			list = append(list, templates.Hand{
				Kind: "warn", Title: text.T(ctx, "staff.hand.unknown", view.Won(ctx, c.Amount)), Text: text.T(ctx, "staff.hand.unknown.text"),
				CancelID: c.ID, Resend: c.Whole && who.Role.May(app.RightCancel), Settle: settles, Ask: settles,
			})
		case app.CancelStateAccepted:
			list = append(list, templates.Hand{
				Kind: "info", Title: text.T(ctx, "staff.hand.accepted", view.Won(ctx, c.Amount)), Text: text.T(ctx, "staff.hand.accepted.text"),
				CancelID: c.ID, Settle: settles,
			})
		case app.CancelStateSent, app.CancelStateRequested:
			list = append(list, templates.Hand{Kind: "info", Title: text.T(ctx, "staff.hand.sent", view.Won(ctx, c.Amount)), Text: text.T(ctx, "staff.hand.sent.text")})
		}
	}
	if n := len(st.Cancels); n > 0 && st.Cancels[n-1].State == app.CancelStateRefused {
		c := st.Cancels[n-1]
		list = append(list, templates.Hand{
			Kind: "error", Title: text.T(ctx, "staff.hand.refused", view.Won(ctx, c.Amount)),
			Text: text.T(ctx, "staff.hand.refused.text", said(ctx, c.ResultCode, c.ResultMsg)),
		})
	}
	for _, h := range st.Holds {
		if h.Open() && h.Moid == p.Moid {
			hand := templates.Hand{
				Kind: "error", Title: text.T(ctx, "staff.hold."+string(h.Reason), view.Won(ctx, h.Amount)),
				Text: text.T(ctx, "staff.hold.text"), Accept: settles && h.Own && p.State == app.Held,
			}
			if settles {
				hand.HoldID = h.ID
			}
			list = append(list, hand)
		}
	}
	if p.State == app.Claimed {
		name := claimHand(p)
		list = append(list, templates.Hand{Kind: "warn", Title: text.T(ctx, name), Text: text.T(ctx, name+".text"), Ask: settles, Accept: settles})
	}
	return list
}

// claimHand names the words for what only the buyer's browser told: a payment, or an account to pay into.
func claimHand(p app.Payment) string {
	if p.VbankNum != "" {
		return "staff.hand.issued"
	}
	return "staff.hand.claimed"
}

// timelineEntries are the lines of the timeline, newest first. What a message did stands on one line with it.
func timelineEntries(ctx context.Context, timeline []app.Entry) []templates.TimelineEntry {
	messages := map[string]*app.Message{}
	for _, e := range timeline {
		if e.Message != nil {
			messages[e.Message.ID] = e.Message
		}
	}
	told := map[string]bool{}
	var list []templates.TimelineEntry
	for _, e := range timeline {
		if e.Event == nil {
			continue
		}
		t := eventEntry(ctx, e)
		if m := messages[e.Event.MessageID]; m != nil && !told[m.ID] {
			told[m.ID] = true
			t.Copies, t.Href, t.Source = m.Copies, messagePath(m), sourceOf(ctx, m)
		}
		list = append(list, t)
	}
	for _, e := range timeline {
		if e.Message != nil && !told[e.Message.ID] {
			list = append(list, messageEntry(ctx, e.Message))
		}
	}
	slices.SortStableFunc(list, func(a, b templates.TimelineEntry) int { return b.At.Compare(a.At) })
	return list
}

func messagePath(m *app.Message) string { return inboxPath + "/" + m.ID }

// sourceOf says where a message came from, and what it is worth.
func sourceOf(ctx context.Context, m *app.Message) string {
	return text.T(ctx, "staff.channel."+string(m.Channel)) + " · " + worthOf(ctx, m)
}

func worthOf(ctx context.Context, m *app.Message) string {
	return strings.TrimSuffix(text.T(ctx, "staff.verdict."+string(m.Verdict))+" · "+m.Peer, " · ")
}

// messageEntry is a message that changed nothing.
func messageEntry(ctx context.Context, m *app.Message) templates.TimelineEntry {
	t := templates.TimelineEntry{
		At: m.At, Icon: "inbox", Title: text.T(ctx, "staff.channel."+string(m.Channel)), Text: m.Code, Tone: verdictTone(m.Verdict),
		Source: worthOf(ctx, m), Href: messagePath(m), Copies: m.Copies,
	}
	if m.Amount > 0 {
		t.Amount = view.Won(ctx, m.Amount)
	}
	return t
}

// said is what the gateway answered, with its code, or in our words why nothing is known of its answer.
func said(ctx context.Context, code, message string) string {
	if own, ok := app.ReadOwnCode(code); ok {
		return text.T(ctx, "staff.own."+string(own))
	}
	return strings.TrimSpace(message + " " + code)
}

// eventEntry is something that happened. The state that it led to is told unless the event's own name says it.
func eventEntry(ctx context.Context, e app.Entry) templates.TimelineEntry {
	ev := e.Event
	t := templates.TimelineEntry{
		At: e.At, Actor: e.Actor, Icon: eventIcon(ev.What()), Title: text.T(ctx, "staff.event."+string(ev.Kind)),
		Text: said(ctx, ev.Code, ev.Text), Tone: eventTone(ev),
	}
	if id, ok := app.ImportOf(ev.MessageID); ok { // the row's own text is somebody's: it stands with the list
		t.Text, t.Href, t.Source = text.T(ctx, "staff.event."+string(ev.What())), importPath(id), text.T(ctx, "staff.import.source")
	}
	if ev.Amount > 0 {
		t.Amount = view.Won(ctx, ev.Amount)
	}
	if to := text.T(ctx, "state."+string(ev.To)); ev.From != ev.To && !strings.Contains(strings.ToLower(t.Title), strings.ToLower(to)) {
		t.To = to
	}
	return t
}

func eventTone(ev *app.Event) string {
	switch {
	case ev.To == app.Held, ev.What() == app.CancelUnknown, ev.What() == app.CancelRefused, ev.What() == app.MoneyApart,
		ev.What() == app.ReceiptUnknown, ev.What() == app.ReceiptRefused, ev.What() == app.ReceiptCancelUnknown, ev.What() == app.ReceiptCancelRefused:
		return "wrong"
	case ev.What() == app.Approved, ev.What() == app.Deposited, ev.What() == app.StaffAccept:
		return "good"
	case ev.To == app.Claimed && ev.From != ev.To:
		return "wait"
	}
	return ""
}

func verdictTone(v app.Verdict) string {
	switch v {
	case app.VerdictGood, app.VerdictDuplicate:
		return "good"
	case app.VerdictClaim, app.VerdictHint, app.VerdictParked:
		return "wait"
	}
	return "wrong"
}

func eventIcon(k app.EventKind) string {
	switch k {
	case app.FormServed:
		return "monitor"
	case app.Approved, app.Deposited, app.StaffAccept:
		return "circle-check"
	case app.CancelAsked, app.CancelApproved:
		return "users"
	case app.CancelDeclined, app.CancelWithdrawn, app.CancelLapsed:
		return "ban"
	case app.StaffCancel, app.CancelDone, app.CancelNotice, app.RefundNotice, app.CancelConfirmed, app.CancelResent, app.CancelAccepted:
		return "undo-2"
	case app.CancelUnknown, app.ReturnUnsigned:
		return "circle-help"
	case app.VbankIssued:
		return "banknote"
	case app.ReceiptNotice, app.ReceiptAsked, app.ReceiptIssued, app.ReceiptCancelAsked, app.ReceiptCancelled:
		return "receipt"
	case app.ReceiptUnknown, app.ReceiptCancelUnknown:
		return "circle-help"
	case app.ReceiptRefused, app.ReceiptCancelRefused:
		return "ban"
	case app.Stop, app.ReturnFailure, app.CancelRefused:
		return "ban"
	case app.Timer:
		return "clock"
	}
	return "circle-dashed"
}

// postAsk handles POST /admin/payments/{moid}/ask: asks the gateway now.
func (s *Server) postAsk(c echo.Context) error {
	if err := s.Shop.AskAgain(c.Request().Context(), staffOf(c), moidOf(c)); err != nil {
		if answerFor(err).status < http.StatusInternalServerError {
			return err
		}
		s.Log.Warn("an inquiry failed", "moid", c.Param("moid"), "err", err) // the timeline shows what there is
	}
	return c.Redirect(http.StatusSeeOther, paymentPath(moidOf(c)))
}

// postAccept handles POST /admin/payments/{moid}/accept: a person vouches for the payment.
func (s *Server) postAccept(c echo.Context) error {
	if err := s.Shop.AcceptPayment(c.Request().Context(), staffOf(c), moidOf(c), c.FormValue("reason")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, paymentPath(moidOf(c)))
}

// getMessage handles GET /admin/messages/{id}: what is read in a message today, without what it tells of a person.
func (s *Server) getMessage(c echo.Context) error {
	return s.showMessage(c, http.StatusOK, messageView{})
}

// postMessage handles POST /admin/messages/{id}: the bytes as they came, once the look is recorded.
func (s *Server) postMessage(c echo.Context) error {
	ctx, why := c.Request().Context(), readWhy(c)
	err := s.Shop.SeeMessage(ctx, staffOf(c), c.Param("id"), why)
	if errors.Is(err, app.ErrBadInput) {
		return s.showMessage(c, http.StatusUnprocessableEntity, messageView{typed: templates.RevealForm{Reason: string(why.Reason), Words: why.Words, Errors: inputFaults(ctx, err)}})
	}
	if err != nil {
		return err
	}
	return s.showMessage(c, http.StatusOK, messageView{reveal: true})
}

// impersonal are the fields of the gateway's messages that tell of money and never of a person, in lower case.
func impersonal(name string) bool {
	return slices.Contains([]string{
		"paymethod", "mid", "tid", "oid", "moid", "amt", "goodsamt", "resultcode", "resultmsg", "authdate", "statecd", "fncd", "fnname", "fn_cd", "fn_name", "cardquota",
		"canceldate", "canceltime", "cancelnum", "cancelamt", "partialcancelcode", "errorcode", "errormsg", "signvalue", "vbankexpdate", "goodsname", "goodscnt",
	}, strings.ToLower(name))
}

// messageView is how a message is shown: its bytes once the look is recorded, and what was typed or came of a trial.
type messageView struct {
	reveal bool
	typed  templates.RevealForm
	tried  *templates.Notes
}

func (s *Server) showMessage(c echo.Context, status int, v messageView) error {
	ctx, reveal := c.Request().Context(), v.reveal
	m, fields, err := s.Shop.RawMessage(ctx, staffOf(c), c.Param("id"))
	if err != nil {
		return err
	}
	frame, err := s.staffFrame(c, "inbox", "staff.message.title")
	if err != nil {
		return err
	}
	page := templates.MessagePage{
		StaffFrame: frame, Back: inboxPath, Path: messagePath(&m), Tried: v.tried, Title: text.T(ctx, "staff.channel."+string(m.Channel)) + " · " + view.Stamp(m.At),
		RingCut: m.RawLen > len(m.Raw) && !m.Erased, Masked: !reveal && !m.Erased, CanReveal: may(c, app.RightSeeBuyers), Reveal: revealForm(ctx, messagePath(&m), v.typed),
		Facts: []templates.Detail{
			{Name: text.T(ctx, "staff.message.verdict"), Value: text.T(ctx, "staff.verdict."+string(m.Verdict))},
			{Name: text.T(ctx, "staff.message.level"), Value: fmt.Sprintf("T%d", m.Level)},
			{Name: text.T(ctx, "keys.message"), Value: keyName(ctx, m.KeyVersion)},
			{Name: text.T(ctx, "staff.message.peer"), Value: m.Peer, Mono: true},
			{Name: text.T(ctx, "staff.message.copies"), Value: view.Comma(m.Copies)},
			{Name: "Content-Type", Value: m.ContentType, Mono: true},
			{Name: "SHA-256", Value: m.SHA256, Mono: true},
		},
	}
	if reveal {
		s.Log.Info("a message was shown", "staff", staffOf(c).ID, "message", m.ID)
		page.Raw, page.Hex = printable(m.Raw), hex.Dump(m.Raw)
		page.Facts = append(page.Facts, templates.Detail{Name: text.T(ctx, "staff.message.headers"), Value: m.Headers, Mono: true})
	}
	page.CanTry = may(c, app.RightSettle) && m.Channel != app.ChannelAnswer && !m.Erased
	page.CanReplay = may(c, app.RightSettle) && m.Replays()
	if m.Erased {
		page.Raw = text.T(ctx, "staff.erased.text")
	}
	if m.About != "" {
		page.Back = paymentPath(m.About)
	}
	for _, f := range fields {
		d := templates.Detail{Name: f.Name, Value: f.Value}
		if !reveal && d.Value != "" && !impersonal(f.Name) {
			d.Value = "•••"
		}
		page.Fields = append(page.Fields, d)
	}
	return s.render(c, status, templates.Message(page))
}

// printable shows bytes as text; what is no ASCII shows as \xNN, so that nothing is guessed.
func printable(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		if c >= ' ' && c < 0x7f || c == '\n' {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, `\x%02X`, c)
		}
	}
	return out.String()
}
