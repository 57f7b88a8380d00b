package web

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/smartro"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// payAsk is what the buyer asked of the page, or typed into it.
type payAsk struct {
	method  string            // preselected
	again   bool              // shows the form where it would be put away: a waiting account may be paid otherwise
	already bool              // the buyer pressed pay on an order that is paid
	fault   string            // of the whole
	faults  map[string]string // by field
	typed   map[string]string // by field
}

// payPage draws the order as it stands: what happened, then the form if it may still be paid.
func (s *Server) payPage(c echo.Context, co app.Checkout, ask payAsk) templates.PayPage {
	ctx, self := c.Request().Context(), payPath(co.Order.Token)
	link := s.Shop.PayLink(co.Order)
	page := templates.PayPage{
		BuyerFrame: s.frame(ctx, co.Shop, co.Order.Mode),
		Status:     string(co.Status), Version: payVersion(co),
		Paths: templates.PayPaths{
			Self: self, Open: self + "/open", Status: self + "/status", Events: self + "/events", Link: link,
		},
		Goods: co.Order.Goods, Amount: int64(co.Order.Amount), Due: co.Order.DueAt,
		Kakao: kakaoOut(c.Request().UserAgent(), link),
	}
	page.Script, page.LangHref = true, otherLangHref(ctx, self)
	page.Result = payResult(ctx, co, ask)
	if co.Status.Payable() || co.Status == app.BuyerWaiting && ask.again {
		page.Form = payForm(ctx, co, ask)
	} else if busy(co.Status) {
		page.Refresh = "5" // without scripts the page asks again by itself
	}
	if page.Result != nil && page.Form == nil {
		page.Title = page.Result.Title + " · " + page.Title
	}
	return page
}

// payVersion changes whenever the page would look different.
func payVersion(co app.Checkout) string {
	if co.Current == nil {
		return string(co.Status)
	}
	return fmt.Sprintf("%s-%s-%d", co.Status, co.Current.Moid[max(0, len(co.Current.Moid)-2):], co.Current.Seq)
}

func busy(st app.BuyerStatus) bool {
	return st == app.BuyerConfirming || st == app.BuyerWaiting || st == app.BuyerOpened
}

func payForm(ctx context.Context, co app.Checkout, ask payAsk) *templates.PayForm {
	f := &templates.PayForm{
		Methods: templates.RadioView{Name: "method", Legend: text.T(ctx, "pay.method"), Value: chosen(co, ask.method)},
		Deed:    text.T(ctx, "pay.deed", won(ctx, co.Order.Amount)),
		Before:  payBefore(ctx, co),
		Fault:   ask.fault,
	}
	for _, m := range co.Methods {
		f.Methods.Options = append(f.Methods.Options, templates.RadioOption{
			Value: string(m), Label: text.T(ctx, "method."+string(m)), Icon: templates.MethodIcon(string(m)),
		})
	}
	if fault, bad := ask.faults["method"]; bad {
		f.Methods.Error = fault
	}
	if co.Status == app.BuyerStopped || co.Status == app.BuyerDeclined {
		f.Deed = text.T(ctx, "pay.deed_again", won(ctx, co.Order.Amount))
		f.Vbank = slices.Contains(co.Methods, smartro.Vbank) && co.Current != nil && co.Current.Method != smartro.Vbank
	}
	f.Fields = buyerFields(ctx, co.Order, ask)
	return f
}

// payBefore says what became of an account that the buyer may still have at hand, or of money that came and was no payment.
func payBefore(ctx context.Context, co app.Checkout) string {
	p := co.Current
	switch {
	case p == nil || co.Status != app.BuyerOpen:
	case (p.State == app.Expired || p.State == app.Claimed) && p.VbankNum != "":
		return text.T(ctx, "pay.before.expired", p.VbankName)
	case p.State == app.Cancelled && p.Approved > 0:
		return text.T(ctx, "pay.before.returned", won(ctx, p.Approved))
	case p.State == app.Cancelled && p.VbankNum != "":
		return text.T(ctx, "pay.before.withdrawn", p.VbankName)
	}
	return ""
}

// chosen is the method to begin with: what was asked for, what was tried last, or the first.
func chosen(co app.Checkout, asked string) string {
	if slices.Contains(co.Methods, app.Method(asked)) {
		return asked
	}
	if co.Current != nil && co.Status != app.BuyerWaiting && slices.Contains(co.Methods, co.Current.Method) {
		return string(co.Current.Method)
	}
	if len(co.Methods) > 0 {
		return string(co.Methods[0])
	}
	return ""
}

// buyerFields asks only for what the order lacks.
func buyerFields(ctx context.Context, o app.Order, ask payAsk) []templates.FieldView {
	all := []struct {
		have  string
		field templates.FieldView
	}{
		{o.BuyerName, templates.FieldView{Name: "buyer_name", Autocomplete: "name"}},
		{o.BuyerTel, templates.FieldView{Name: "buyer_tel", Type: "tel", Autocomplete: "tel", InputMode: "tel", Placeholder: "010-0000-0000"}},
		{o.BuyerEmail, templates.FieldView{Name: "buyer_email", Type: "email", Autocomplete: "email", Placeholder: "name@example.com"}},
	}
	var fields []templates.FieldView
	for _, one := range all {
		if one.have != "" && ask.faults[one.field.Name] == "" {
			continue
		}
		f := one.field
		f.Label, f.Required = text.T(ctx, "pay."+f.Name), true
		f.Value, f.Error = ask.typed[f.Name], ask.faults[f.Name]
		fields = append(fields, f)
	}
	return fields
}

// payResult is what happened so far: nil while nothing did.
func payResult(ctx context.Context, co app.Checkout, ask payAsk) *templates.Result {
	r := &templates.Result{Amount: int64(co.Order.Amount), Tone: "back"}
	say := func(key, tone, icon string) {
		r.Title, r.Sentence, r.Tone, r.Icon = text.T(ctx, key+".title"), text.T(ctx, key+".sentence"), tone, icon
	}
	switch co.Status {
	case app.BuyerOpened:
		say("pay.opened", "wait", "monitor")
		r.Warn = text.T(ctx, "pay.opened.warn")
	case app.BuyerConfirming:
		say("pay.confirming", "wait", "loader-circle")
		r.Warn, r.Busy, r.Keep = text.T(ctx, "pay.confirming.warn"), true, true
	case app.BuyerWaiting:
		say("pay.waiting", "wait", "hourglass")
		waitingResult(ctx, co, ask, r)
	case app.BuyerPaid:
		say("pay.paid", "good", "circle-check")
		if ask.already {
			say("pay.already", "good", "circle-check")
		}
		r.Keep = true
	case app.BuyerPartlyCancelled:
		say("pay.partly", "back", "undo-2")
		r.Facts = append(r.Facts,
			templates.Fact{Name: text.T(ctx, "pay.partly.back"), Value: won(ctx, co.Current.Cancelled)},
			templates.Fact{Name: text.T(ctx, "pay.partly.left"), Value: won(ctx, co.Current.Approved-co.Current.Cancelled)})
	case app.BuyerCancelled:
		say("pay.cancelled", "back", "undo-2")
		r.Back = true
	case app.BuyerHeld:
		say("pay.held", "wait", "triangle-alert")
		r.Warn = text.T(ctx, "pay.held.warn")
	case app.BuyerDeclined:
		if stoppedInWindow(co.Current.HintCode) {
			say("pay.stopped", "back", "ban")
			break
		}
		say("pay.declined", "wrong", "circle-x")
		if co.Current.HintMsg != "" {
			r.Small = text.T(ctx, "pay.declined.small", clip(co.Current.HintMsg, 100)+" ("+clip(co.Current.HintCode, 10)+")")
		}
	case app.BuyerStopped:
		say("pay.stopped", "back", "ban")
	case app.BuyerExpired:
		say("pay.expired", "back", "clock")
	case app.BuyerClosed:
		say("pay.closed", "back", "ban")
	default:
		return nil
	}
	if ask.already && r.Warn == "" && co.Status != app.BuyerPaid && !co.Status.Payable() && co.Status != app.BuyerExpired && co.Status != app.BuyerClosed {
		r.Warn = text.T(ctx, "pay.already.again")
	}
	paidFacts(ctx, co, r)
	return r
}

// stoppedInWindow says whether the code is one that is known for a buyer who closed the PC window (weblink §4). Only
// the words depend on it: the codes are not published.
func stoppedInWindow(code string) bool { return code == "W034" || code == "U999" }

// waitingResult shows the account, or warns who would rather pay in another way.
func waitingResult(ctx context.Context, co app.Checkout, ask payAsk, r *templates.Result) {
	p := co.Current
	r.Warn = text.T(ctx, "pay.waiting.warn")
	r.Account = &templates.Account{Bank: p.VbankName, Number: p.VbankNum, Amount: int64(p.Amount), Due: p.VbankDue}
	if ask.again {
		r.Warn = text.T(ctx, "pay.waiting.again_warn")
		return
	}
	r.Keep = true
	if len(co.Methods) > 1 {
		r.Again, r.AgainLabel = payPath(co.Order.Token)+"?again=1", text.T(ctx, "pay.waiting.again")
	}
}

// paidFacts adds how and when it was paid, the receipt, and what a second approval for the same order means.
func paidFacts(ctx context.Context, co app.Checkout, r *templates.Result) {
	switch co.Status {
	case app.BuyerPaid, app.BuyerPartlyCancelled, app.BuyerCancelled, app.BuyerHeld:
	default:
		return
	}
	add := func(key, value string) {
		if value != "" {
			r.Facts = append(r.Facts, templates.Fact{Name: text.T(ctx, key), Value: value})
		}
	}
	p := co.Current
	how := text.T(ctx, "method."+string(p.Method))
	if c := p.Company(); c != "" {
		how += " · " + c
	}
	add("pay.fact.method", how)
	add("pay.fact.when", view.When(ctx, p.MoneyAt()))
	add("pay.fact.auth", p.AuthCode)
	add("pay.fact.order", string(co.Order.No))
	if co.Cash != nil {
		add("pay.fact.cash_receipt", strings.TrimSpace(text.T(ctx, "receipt.purpose."+string(co.Cash.Purpose))+" "+co.Cash.Number))
		r.CashReceipt = co.CashURL
	}
	r.Receipt = co.Receipt
	if co.Status == app.BuyerHeld {
		return
	}
	if slices.ContainsFunc(co.Payments, func(other app.Payment) bool { return other.State == app.Held }) {
		r.Warn = text.T(ctx, "pay.twice")
	}
}

// clip keeps the first n characters of what a stranger may have written, control characters out.
func clip(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
