package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/smartro"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

const receiptsPerPage = 50

func receiptPath(id string) string { return "/admin/receipts/" + id }

// newReceiptPath is the form for a payment; by hand, where nobody has the gateway's word for the call.
func newReceiptPath(moid app.Moid, hand bool) string {
	q := url.Values{}
	if moid != "" {
		q.Set("payment", string(moid))
	}
	if hand {
		q.Set("hand", "yes")
	}
	return strings.TrimSuffix("/admin/receipts/new?"+q.Encode(), "?")
}

// receiptLists are the lists of the page, in the order of its chips.
func receiptLists() []string { return []string{"need", "amiss", "unknown", "issued", "all"} }

// getReceipts handles GET /admin/receipts: cash receipts by what has to be done about them.
func (s *Server) getReceipts(c echo.Context) error {
	ctx := c.Request().Context()
	frame, err := s.staffFrame(c, "receipts", "staff.nav.receipts")
	if err != nil {
		return err
	}
	show, source := c.QueryParam("show"), app.ReceiptSource(c.QueryParam("source"))
	p := templates.ReceiptsPage{StaffFrame: frame, CanIssue: may(c, app.RightIssueCashReceipts), ByHand: !s.receiptCall(ctx)}
	known := false
	for _, name := range receiptLists() {
		known = known || name == show
	}
	if !known {
		show = "need"
	}
	for _, name := range receiptLists() {
		p.Chips = append(p.Chips, templates.Chip{Label: text.T(ctx, "receipt.list."+name), Href: receiptsPath(name, ""), On: name == show})
	}
	p.Explain = text.T(ctx, "receipt.list."+show+".text")
	after := readCursor(c.QueryParam("after"))
	if !isText(after.ID) {
		return app.ErrNotFound
	}
	if p.NeedsList = show == "need"; p.NeedsList {
		if err := s.fillNeeds(ctx, &p, after); err != nil {
			return err
		}
		return s.render(c, http.StatusOK, templates.Receipts(p))
	}
	q := app.CashReceiptQuery{Amiss: show == "amiss", Unknown: show == "unknown", After: after, Limit: receiptsPerPage + 1}
	if show == "issued" {
		q.States = []app.ReceiptState{app.ReceiptStateIssued}
	}
	for _, one := range []app.ReceiptSource{"", app.ReceiptByCall, app.ReceiptByWindow, app.ReceiptByHand} {
		if one != "" && one == source {
			q.Sources = []app.ReceiptSource{source}
		}
		word := "receipt.source.all"
		if one != "" {
			word = "receipt.source." + string(one)
		}
		p.Sources = append(p.Sources, templates.Chip{Label: text.T(ctx, word), Href: receiptsPath(show, one), On: one == source || one == "" && len(q.Sources) == 0 && source != app.ReceiptByHand})
	}
	if err := s.fillReceipts(ctx, &p, q, receiptsPath(show, source)); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, templates.Receipts(p))
}

func receiptsPath(show string, source app.ReceiptSource) string {
	q := url.Values{"show": {show}}
	if source != "" {
		q.Set("source", string(source))
	}
	return "/admin/receipts?" + q.Encode()
}

// receiptCall says whether somebody has the gateway's word for the call under today's contract.
func (s *Server) receiptCall(ctx context.Context) bool {
	m, err := s.Shop.Merchant(ctx)
	return err == nil && m.CashReceipt.Confirmed
}

func (s *Server) fillNeeds(ctx context.Context, p *templates.ReceiptsPage, after app.Cursor) error {
	list, err := s.Shop.ReceiptNeeds(ctx, after, receiptsPerPage+1)
	if err != nil {
		return err
	}
	if len(list) > receiptsPerPage {
		list = list[:receiptsPerPage]
		last := list[len(list)-1]
		p.Next = receiptsPath("need", "") + fmt.Sprintf("&after=%d-%s", last.Since.UnixMicro(), last.Moid)
	}
	for _, n := range list {
		day := n.Day(s.Now())
		p.Needs = append(p.Needs, templates.NeedRow{
			Href: paymentPath(n.Moid), Moid: string(n.Moid), Day: text.T(ctx, "receipt.day.n", day, app.ReceiptLastDay), Late: day >= app.ReceiptRemindDay,
			IssueHref: newReceiptPath(n.Moid, p.ByHand), Amount: int64(n.Amount), Since: n.Since,
		})
	}
	return nil
}

func (s *Server) fillReceipts(ctx context.Context, p *templates.ReceiptsPage, q app.CashReceiptQuery, here string) error {
	list, err := s.Shop.CashReceipts(ctx, q)
	if err != nil {
		return err
	}
	if len(list) == q.Limit {
		list = list[:q.Limit-1]
		last := list[len(list)-1]
		p.Next = here + fmt.Sprintf("&after=%d-%s", last.CreatedAt.UnixMicro(), last.ID)
	}
	for _, r := range list {
		p.Rows = append(p.Rows, receiptRow(ctx, r))
	}
	return nil
}

// receiptRow is a receipt on one line, whom it is for masked.
func receiptRow(ctx context.Context, r app.CashReceipt) templates.ReceiptRow {
	row := templates.ReceiptRow{
		Href: receiptPath(r.ID), State: string(r.State), Amiss: string(r.Amiss), Purpose: text.T(ctx, "receipt.purpose."+string(r.Purpose)),
		Source: text.T(ctx, "receipt.source."+string(r.Source)), Whom: shortMask(r.Identity), Number: r.Number, About: r.Goods, Amount: int64(r.Amount), At: r.CreatedAt,
	}
	if row.About == "" {
		row.About = string(r.Payment)
	}
	if r.Erased {
		row.About = text.T(ctx, "staff.erased")
	}
	return row
}

// shortMask is a masked number for a narrow column: how long it is says little.
func shortMask(id smartro.Identity) string {
	s := id.Masked()
	if stars := strings.LastIndex(s, "*"); stars > 1 {
		return "**" + s[stars+1:]
	}
	return s
}

// receiptBlock is what a payment's page says of its cash receipt; nil: it is not paid in a way that gets one.
func (s *Server) receiptBlock(c echo.Context, st app.Story) *templates.ReceiptBlock {
	ctx, p := c.Request().Context(), st.Payment
	if !app.CashLike(p.Method) || p.Approved == 0 && len(st.CashReceipts) == 0 {
		return nil
	}
	b := &templates.ReceiptBlock{}
	live := false
	for _, r := range st.CashReceipts {
		live = live || r.State.Live()
		b.Rows = append(b.Rows, receiptRow(ctx, r))
	}
	if live || p.State != app.Paid && p.State != app.PartlyCancelled {
		if len(b.Rows) == 0 {
			b.None = text.T(ctx, "receipt.none")
		}
		return b
	}
	b.None = text.T(ctx, "receipt.none")
	if p.CashNet() >= app.ReceiptNeededFrom {
		at := p.ApprovedAt
		if at.IsZero() {
			at = p.PaidAt
		}
		day := app.ReceiptNeed{Since: at}.Day(s.Now())
		b.None, b.Late = text.T(ctx, "receipt.needed", day, app.ReceiptLastDay), day >= app.ReceiptRemindDay
	}
	if may(c, app.RightIssueCashReceipts) && !p.Erased {
		if s.receiptCall(ctx) {
			b.IssueHref = newReceiptPath(p.Moid, false)
		}
		b.HandHref = newReceiptPath(p.Moid, true)
	}
	return b
}

// getNewReceipt handles GET /admin/receipts/new.
func (s *Server) getNewReceipt(c echo.Context) error {
	return s.showNewReceipt(c, http.StatusOK, nil)
}

// postNewReceipt handles POST /admin/receipts/new: issues, or takes down what was issued at the gateway's site.
func (s *Server) postNewReceipt(c echo.Context) error {
	ctx := c.Request().Context()
	in := app.CashReceiptInput{
		Key: c.FormValue("key"), Payment: app.Moid(c.FormValue("payment")), Purpose: smartro.CashReceiptPurpose(c.FormValue("purpose")), Identity: c.FormValue("identity"),
		Amount: typedWon(c.FormValue("amount")), TaxFree: typedWon(c.FormValue("tax_free")), Goods: c.FormValue("goods"), Name: c.FormValue("buyer_name"),
		Number: c.FormValue("number"), Date: c.FormValue("date"),
	}
	act := s.Shop.IssueCashReceipt
	if c.FormValue("hand") == "yes" {
		act = s.Shop.RecordCashReceipt
	}
	r, err := act(ctx, staffOf(c), in)
	if errors.Is(err, app.ErrBadInput) {
		return s.showNewReceipt(c, http.StatusUnprocessableEntity, inputFaults(ctx, err))
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, receiptPath(r.ID))
}

// showNewReceipt shows the form with what was typed.
func (s *Server) showNewReceipt(c echo.Context, status int, faults map[string]string) error {
	ctx := c.Request().Context()
	confirmed := s.receiptCall(ctx)
	p := templates.ReceiptForm{Key: c.FormValue("key"), Payment: c.FormValue("payment"), Confirmed: confirmed, ByHand: c.FormValue("hand") == "yes" || !confirmed, Back: "/admin/receipts"}
	if p.Key == "" {
		p.Key = app.NewReceiptKey()
	}
	title := "receipt.new"
	p.Deed = text.T(ctx, "receipt.deed")
	if p.ByHand {
		title, p.Deed = "receipt.new.hand", text.T(ctx, "receipt.deed.hand")
	}
	var err error
	if p.StaffFrame, err = s.staffFrame(c, "receipts", title); err != nil {
		return err
	}
	if p.Payment != "" {
		st, err := s.Shop.Story(ctx, app.Moid(p.Payment))
		if err != nil {
			return err
		}
		p.Back = paymentPath(st.Payment.Moid)
		p.Paid = []templates.Detail{
			{Name: text.T(ctx, "staff.moid"), Value: p.Payment, Mono: true}, {Name: text.T(ctx, "staff.col.goods"), Value: st.Order.Goods},
			{Name: text.T(ctx, "receipt.over"), Value: view.Won(ctx, st.Payment.CashNet())},
		}
		if !p.ByHand {
			p.Deed = text.T(ctx, "receipt.deed.of", view.Won(ctx, st.Payment.CashNet()))
		}
	}
	p.OtherHref = newReceiptPath(app.Moid(p.Payment), !p.ByHand)
	fillReceiptFields(ctx, &p, c, faults)
	if p.ByHand && p.Date.Value == "" {
		p.Date.Value = s.Now().In(app.KST).Format(time.DateOnly)
	}
	return s.render(c, status, templates.NewReceipt(p))
}

// fillReceiptFields puts the typed words into the form.
func fillReceiptFields(ctx context.Context, p *templates.ReceiptForm, c echo.Context, faults map[string]string) {
	field := func(name, label string) templates.FieldView {
		return templates.FieldView{Name: name, Label: text.T(ctx, label), Value: c.FormValue(name), Error: faults[name], Autocomplete: "off"}
	}
	p.Purposes = templates.RadioView{Name: "purpose", Legend: text.T(ctx, "receipt.purpose"), Value: c.FormValue("purpose"), Error: faults["purpose"]}
	if p.Purposes.Value == "" {
		p.Purposes.Value = string(smartro.IncomeDeduction)
	}
	for _, purpose := range []smartro.CashReceiptPurpose{smartro.IncomeDeduction, smartro.ExpenseProof, smartro.SelfIssued} {
		p.Purposes.Options = append(p.Purposes.Options, templates.RadioOption{
			Value: string(purpose), Label: text.T(ctx, "receipt.purpose."+string(purpose)), Hint: text.T(ctx, "receipt.purpose.hint."+string(purpose)),
		})
	}
	p.Identity = field("identity", "receipt.identity")
	p.Identity.Hint, p.Identity.InputMode, p.Identity.Needed, p.Identity.Width = text.T(ctx, "receipt.identity.hint"), "numeric", true, "middle"
	p.Goods = field("goods", "staff.col.goods")
	p.Goods.Required = true
	p.Amount, p.TaxFree = field("amount", "staff.col.amount"), field("tax_free", "staff.requests.tax_free")
	p.Amount.Required = true
	for _, f := range []*templates.FieldView{&p.Amount, &p.TaxFree} {
		f.Unit, f.InputMode, f.Width = text.T(ctx, "common.won"), "numeric", "short"
	}
	p.Name = field("buyer_name", "staff.name")
	p.Number, p.Date = field("number", "receipt.number"), field("date", "receipt.date")
	p.Number.Required, p.Number.Hint = true, text.T(ctx, "receipt.number.hint")
	p.Date.Required, p.Date.Type = true, "date"
}

// fillReceiptRules puts the owner's rules for receipts on the settings page.
func (s *Server) fillReceiptRules(ctx context.Context, p *templates.SettingsPage) error {
	rules, err := s.Shop.ReceiptRules(ctx)
	if err != nil {
		return err
	}
	p.Receipts = templates.ReceiptSettings{Confirmed: s.receiptCall(ctx), Own: rules.Own, Rounding: templates.SelectView{
		Name: "rounding", Label: text.T(ctx, "receipt.rounding"), Value: string(rules.Rounding), Required: true, Hint: text.T(ctx, "receipt.rounding.hint"),
		Options: []templates.Option{
			{Value: string(smartro.VATDown), Label: text.T(ctx, "receipt.rounding.vat_down")}, {Value: string(smartro.SupplyNear), Label: text.T(ctx, "receipt.rounding.supply_near")},
		},
	}}
	return nil
}

// postReceiptRules handles POST /admin/settings/receipts.
func (s *Server) postReceiptRules(c echo.Context) error {
	rules := app.ReceiptRules{Rounding: smartro.VATRounding(c.FormValue("rounding")), Own: c.FormValue("own") == "yes"}
	if err := s.Shop.SetReceiptRules(c.Request().Context(), staffOf(c), rules, c.FormValue("confirmed") == "yes"); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin/settings?saved=receipts#receipts")
}
