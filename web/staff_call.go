package web

import (
	"context"
	"strings"
	"time"

	"gage/app"
	"gage/smartro"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// callCard answers what callers ask: paid? how much? when? cancelled? when does the money come back? As one text it is
// what staff send to the buyer.
func callCard(ctx context.Context, st app.Story) templates.CallCard {
	var card templates.CallCard
	add := func(question, answer string) {
		if answer != "" {
			card.Lines = append(card.Lines, templates.Answer{Question: text.T(ctx, "call."+question), Answer: answer})
		}
	}
	p := st.Payment
	add("paid", paidAnswer(ctx, p))
	if p.Approved > 0 {
		add("amount", amountAnswer(ctx, p))
		when := "call.when.at"
		if p.State == app.Held {
			when = "call.when.held"
		}
		add("when", text.T(ctx, when, view.When(ctx, p.MoneyAt()), howPaid(ctx, p)))
		add("cancelled", cancelledAnswer(ctx, st))
		add("back", backAnswer(ctx, st))
	} else {
		add("amount", text.T(ctx, "call.amount.asked", view.Won(ctx, p.Amount)))
	}
	words := []string{st.Order.Goods + " (" + string(p.OrderNo) + ")"}
	for _, l := range card.Lines {
		words = append(words, l.Answer)
	}
	card.Copy = strings.Join(words, "\n")
	return card
}

func howPaid(ctx context.Context, p app.Payment) string {
	how := text.T(ctx, "method."+string(p.Method))
	if c := p.Company(); c != "" {
		how += " (" + c + ")"
	}
	return how
}

func paidAnswer(ctx context.Context, p app.Payment) string {
	key := map[app.State]string{
		app.Paid: "yes", app.PartlyCancelled: "yes", app.Cancelled: "was", app.Held: "held", app.Claimed: "claimed", app.Expired: "expired",
	}[p.State]
	switch {
	case p.State == app.WaitingDeposit:
		return text.T(ctx, "call.paid.waiting", view.When(ctx, p.VbankDue), p.VbankName, view.Won(ctx, p.Amount))
	case p.State == app.Cancelled && p.Approved == 0:
		key = "withdrawn"
	case key == "" && p.HintCode != "":
		return text.T(ctx, "call.paid.declined", strings.TrimSpace(p.HintMsg))
	case key == "":
		key = "no"
	}
	return text.T(ctx, "call.paid."+key)
}

func amountAnswer(ctx context.Context, p app.Payment) string {
	if p.Cancelled == 0 {
		return text.T(ctx, "call.amount.whole", view.Won(ctx, p.Approved))
	}
	return text.T(ctx, "call.amount.part", view.Won(ctx, p.Approved), view.Won(ctx, p.Cancelled), view.Won(ctx, p.Approved-p.Cancelled))
}

func cancelledAnswer(ctx context.Context, st app.Story) string {
	var parts []string
	for _, c := range st.Cancels {
		switch {
		case c.State == app.CancelStateDone:
			parts = append(parts, text.T(ctx, "call.cancelled.done", view.Day(ctx, cancelledAt(c)), view.Won(ctx, c.Amount)))
		case c.State.Open():
			parts = append(parts, text.T(ctx, "call.cancelled.open", view.Won(ctx, c.Amount)))
		}
	}
	if st.Request != nil {
		parts = append(parts, text.T(ctx, "call.cancelled.waits", view.Won(ctx, st.Request.Amount)))
	}
	if len(parts) == 0 {
		return text.T(ctx, "call.cancelled.no")
	}
	return strings.Join(parts, " ")
}

func cancelledAt(c app.Cancel) time.Time {
	if c.GatewayAt.IsZero() {
		return c.SettledAt
	}
	return c.GatewayAt
}

// backAnswer is about the last money that went back; empty: none did.
func backAnswer(ctx context.Context, st app.Story) string {
	for i := len(st.Cancels) - 1; i >= 0; i-- {
		if c := st.Cancels[i]; c.State == app.CancelStateDone || c.State.Open() {
			if c.State != app.CancelStateDone {
				return text.T(ctx, "call.back.open")
			}
			return backWhen(ctx, st.Rule(c), cancelledAt(c), st.DaysOff)
		}
	}
	return ""
}

// backWhen says when the buyer sees the money of a cancel that is made at that time.
func backWhen(ctx context.Context, r app.CancelRule, at time.Time, off app.DaysOff) string {
	first, last := r.Back(at, off)
	switch {
	case r.To == 0 && r.Method == smartro.Card:
		return text.T(ctx, "advice.back.card_now")
	case r.To == 0:
		return text.T(ctx, "advice.back.now")
	case first.Equal(last):
		return text.T(ctx, "advice.back.day", view.Day(ctx, last))
	case r.From == 0:
		return text.T(ctx, "advice.back.by", view.Day(ctx, last))
	case r.Method == smartro.Card:
		return text.T(ctx, "advice.back.card", view.Day(ctx, first), view.Day(ctx, last))
	}
	return text.T(ctx, "advice.back.days", view.Day(ctx, first), view.Day(ctx, last))
}

// otherRows are the same person's other payments, what is open there first.
func otherRows(ctx context.Context, list []app.PaymentRow) []templates.ListRow {
	var rows []templates.ListRow
	for _, r := range list {
		rows = append(rows, listRow(ctx, r, nil))
	}
	return rows
}
