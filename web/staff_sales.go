package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

const salesPath = "/admin/sales"

// getSales handles GET /admin/sales: the day and the month.
func (s *Server) getSales(c echo.Context) error {
	ctx := c.Request().Context()
	o, err := s.Shop.Overview(ctx, staffOf(c))
	if err != nil {
		return err
	}
	frame, err := s.staffFrame(c, "sales", "staff.nav.sales")
	if err != nil {
		return err
	}
	p := templates.SalesPage{
		StaffFrame: frame, Today: reportRow(o.Today.Total, ""), Month: reportRow(o.Month.Total, ""),
		TodayHref: listState{period: "today", clock: string(app.ClockPaid)}.href(), MonthHref: listState{period: "month", clock: string(app.ClockPaid)}.href(),
		Hours: chart(ctx, "sales.hours", o.Hours, func(t time.Time) string { return t.Format("15") }, 6),
		Days:  chart(ctx, "sales.days", o.Days, func(t time.Time) string { return t.Format("2") }, 5),
	}
	for _, r := range byMethod(o.Month.Rows) {
		p.Methods = append(p.Methods, reportRow(r, text.T(ctx, "method."+string(r.Method))))
	}
	d := o.Deposits
	p.Facts = []templates.SalesFact{
		{Label: text.T(ctx, "sales.work"), Value: text.T(ctx, "sales.count", waitingHands(frame)), Href: "/admin/work", Bad: waitingHands(frame) > 0},
		{Label: text.T(ctx, "sales.deposits"), Value: text.T(ctx, "sales.deposits.value", d.Today, view.Won(ctx, d.TodayWon), d.Waiting), Href: accountsPath},
		{Label: text.T(ctx, "sales.lost.notice"), Value: share(ctx, o.Lost.NoNotice, o.Lost.Paid), Href: inboxPath},
		{Label: text.T(ctx, "sales.lost.return"), Value: share(ctx, o.Lost.NoReturn, o.Lost.Paid), Href: inboxPath},
	}
	return s.render(c, http.StatusOK, templates.Sales(p))
}

// waitingHands is how many things wait for a person, as the rail counts them.
func waitingHands(f templates.StaffFrame) int {
	for _, l := range f.Links {
		if l.Name == "work" {
			return l.Count
		}
	}
	return 0
}

// byMethod adds up a report's lines, which are by method and company.
func byMethod(rows []app.ReportRow) (list []app.ReportRow) {
	for _, r := range rows {
		if n := len(list); n > 0 && list[n-1].Method == r.Method {
			last := &list[n-1]
			last.Paid, last.Sales, last.Backs, last.Back = last.Paid+r.Paid, last.Sales+r.Sales, last.Backs+r.Backs, last.Back+r.Back
			continue
		}
		list = append(list, r)
	}
	return list
}

func share(ctx context.Context, part, whole int64) string {
	if whole == 0 {
		return text.T(ctx, "sales.share.none")
	}
	return text.T(ctx, "sales.share", part, whole, fmt.Sprintf("%.1f%%", 100*float64(part)/float64(whole)))
}

// The measures of a chart, in its own units.
const (
	chartWide, chartHigh = 720, 140
)

// chart draws what was paid and what went back, a bar each. Every step-th is named below.
func chart(ctx context.Context, key string, spans []app.Span, name func(time.Time) string, step int) templates.Chart {
	ch := templates.Chart{Title: text.T(ctx, key), Wide: chartWide, High: chartHigh}
	most := app.Won(1)
	var sales, back app.Won
	for _, s := range spans {
		most, sales, back = max(most, s.Sales, s.Back), sales+s.Sales, back+s.Back
	}
	if sales+back > 0 {
		ch.Most = view.Won(ctx, most)
	}
	ch.Says = text.T(ctx, "sales.chart.says", ch.Title, view.Won(ctx, sales), view.Won(ctx, back))
	slot := float64(chartWide) / float64(len(spans))
	for i, s := range spans {
		high := func(w app.Won) float64 { return float64(w) / float64(most) * chartHigh }
		bar := templates.Bar{
			Name: text.T(ctx, key+".one", name(s.From.In(app.KST))), Paid: s.Paid, Sales: int64(s.Sales), Backs: s.Backs, Back: int64(s.Back),
			X: fmt.Sprintf("%.1f", float64(i)*slot+slot*0.15), W: fmt.Sprintf("%.1f", slot*0.45), BackX: fmt.Sprintf("%.1f", float64(i)*slot+slot*0.62), BackW: fmt.Sprintf("%.1f", slot*0.23),
			Y: fmt.Sprintf("%.1f", chartHigh-high(s.Sales)), H: fmt.Sprintf("%.1f", high(s.Sales)), BackY: fmt.Sprintf("%.1f", chartHigh-high(s.Back)), BackH: fmt.Sprintf("%.1f", high(s.Back)),
			Middle: fmt.Sprintf("%.1f", (float64(i)+0.5)*slot),
		}
		if i%step == 0 || i == len(spans)-1 && i%step > step/2 {
			bar.Label = name(s.From.In(app.KST))
		}
		ch.Bars = append(ch.Bars, bar)
	}
	return ch
}
