package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/smartro"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// listState is the whole state of the list: it stands in the URL, so that Back and a sent link work.
type listState struct {
	q, period, clock, method, state, mode string
	from, to                              string // yyyy-mm-dd, of a period of one's own
	after                                 string // cursor: microseconds and Moid
}

func readListState(v url.Values) listState {
	return listState{
		q: strings.TrimSpace(clip(v.Get("q"), 100)), period: v.Get("period"), clock: v.Get("clock"), method: v.Get("method"), state: v.Get("state"),
		mode: v.Get("mode"), from: v.Get("from"), to: v.Get("to"), after: v.Get("after"),
	}.known()
}

// known leaves out what is no filter: the page must not look filtered where nothing is.
func (l listState) known() listState {
	if !slices.Contains(periods(), l.period) {
		l.period = ""
	}
	if !slices.Contains(app.Clocks(), app.Clock(l.clock)) {
		l.clock = ""
	}
	if !slices.Contains(modes(), app.Mode(l.mode)) {
		l.mode = ""
	}
	if _, err := smartro.ParseMethod(l.method); err != nil {
		l.method = ""
	}
	if _, ok := stateGroups()[l.state]; !ok {
		l.state = ""
	}
	for _, day := range []*string{&l.from, &l.to} {
		if _, err := time.Parse(time.DateOnly, *day); err != nil {
			*day = ""
		}
	}
	if readCursor(l.after) == (app.Cursor{}) {
		l.after = ""
	}
	return l
}

// readCursor reads the end of the page before, microseconds and an ID; what is none is the start of the list.
func readCursor(s string) app.Cursor {
	us, id, ok := strings.Cut(s, "-")
	n, err := strconv.ParseInt(us, 10, 64)
	if !ok || err != nil {
		return app.Cursor{}
	}
	return app.Cursor{At: time.UnixMicro(n).UTC(), ID: id}
}

// href is the list's address; empty parts are left out.
func (l listState) href() string { return l.at("/admin") }

// at is the address of a page about what the list shows.
func (l listState) at(path string) string {
	v := url.Values{}
	for _, p := range l.parts() {
		if p.Value != "" {
			v.Set(p.Name, p.Value)
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

func (l listState) parts() []templates.Hidden {
	return []templates.Hidden{
		{Name: "q", Value: l.q}, {Name: "period", Value: l.period}, {Name: "clock", Value: l.clock}, {Name: "method", Value: l.method},
		{Name: "state", Value: l.state}, {Name: "mode", Value: l.mode}, {Name: "from", Value: l.from}, {Name: "to", Value: l.to}, {Name: "after", Value: l.after},
	}
}

// periods are the spans that are one click away.
func periods() []string { return []string{"", "today", "week", "month"} }

func modes() []app.Mode { return []app.Mode{smartro.Test, smartro.Real} }

// stateGroups are the filters by state, and what each lets through.
func stateGroups() map[string][]app.State {
	return map[string][]app.State{
		"paid": {app.Paid}, "cancelled": {app.PartlyCancelled, app.Cancelled}, "waiting": {app.WaitingDeposit}, "confirming": {app.Claimed},
		"held": {app.Held}, "unpaid": {app.New, app.Opened, app.Expired},
	}
}

// filter translates the list's state for the use case.
func (l listState) filter(now time.Time) app.Filter {
	f := app.Filter{Clock: app.Clock(l.clock), Mode: app.Mode(l.mode)}
	today := dayStart(now)
	switch l.period {
	case "today":
		f.From = today
	case "week":
		f.From = today.AddDate(0, 0, -6)
	case "month":
		y, m, _ := now.In(app.KST).Date()
		f.From = time.Date(y, m, 1, 0, 0, 0, 0, app.KST)
	}
	if t, err := time.ParseInLocation(time.DateOnly, l.from, app.KST); err == nil {
		f.From = t
	}
	if t, err := time.ParseInLocation(time.DateOnly, l.to, app.KST); err == nil {
		f.To = t.AddDate(0, 0, 1)
	}
	if m, err := smartro.ParseMethod(l.method); err == nil {
		f.Methods = []app.Method{m}
	}
	f.States = stateGroups()[l.state]
	f.After = readCursor(l.after)
	return f
}

func dayStart(t time.Time) time.Time {
	y, m, d := t.In(app.KST).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, app.KST)
}

// getPayments handles GET /admin: payments, newest first, by search and filters.
func (s *Server) getPayments(c echo.Context) error {
	ctx := c.Request().Context()
	l := readListState(c.QueryParams())
	frame, err := s.staffFrame(c, "payments", "staff.list.title")
	if err != nil {
		return err
	}
	frame.Query = l.q
	found, err := s.Shop.Search(ctx, l.q, l.filter(s.Now()))
	if err != nil {
		return err
	}
	sums, whole, err := s.Shop.Sums(ctx, l.q, l.filter(s.Now()))
	if err != nil {
		return err
	}
	p := templates.ListPage{
		StaffFrame: frame, Groups: s.chips(ctx, l, sums), Sums: sumRows(ctx, sums, l.clock), TooMany: !whole, From: l.from, To: l.to, ReadAs: readAs(ctx, found.Find),
		Filtered: l != listState{}, CanAsk: may(c, app.RightRequestPayments), FreshHref: "/admin/fresh",
	}
	for _, h := range l.parts() {
		if h.Value != "" && h.Name != "from" && h.Name != "to" && h.Name != "after" && h.Name != "period" {
			p.Keep = append(p.Keep, h)
		}
	}
	for _, r := range found.Rows {
		p.Rows = append(p.Rows, listRow(ctx, r, found.Find))
	}
	p.Reports = may(c, app.RightSeeReports)
	if may(c, app.RightExport) && len(found.Rows) > 0 {
		all := l
		all.after = ""
		p.ExportHref = all.at("/admin/export")
	}
	if l.after == "" && l.clock == "" && len(found.Rows) > 0 {
		p.Newest = strconv.FormatInt(found.Rows[0].OpenedAt.UnixMicro(), 10)
	}
	if found.Next != (app.Cursor{}) {
		next := l
		next.after = strconv.FormatInt(found.Next.At.UnixMicro(), 10) + "-" + found.Next.ID
		p.Next = next.href()
	}
	if l.q != "" {
		all := l
		all.q, all.after = "", ""
		p.All = all.href()
	}
	return s.render(c, http.StatusOK, templates.List(p))
}

// sumRows are the sums at the foot, one line for each mode. By the cancelled clock the line is about what went back.
func sumRows(ctx context.Context, sums []app.Sums, clock string) []templates.SumRow {
	var list []templates.SumRow
	for _, one := range sums {
		row := templates.SumRow{Text: text.T(ctx, "staff.list.sum", view.Comma(one.Count), view.Won(ctx, one.Sales), view.Won(ctx, one.Back)), Amount: int64(one.Net())}
		if app.Clock(clock) == app.ClockCancelled {
			row = templates.SumRow{Text: text.T(ctx, "staff.list.sum.back", view.Comma(one.Count)), Amount: int64(one.Back)}
		}
		if one.Held > 0 {
			row.Text += " · " + text.T(ctx, "staff.list.sum.held", view.Won(ctx, one.Held))
		}
		if app.Clock(clock) != app.ClockCancelled {
			row.Text += " · " + text.T(ctx, "staff.list.sum.left")
		}
		if len(sums) > 1 {
			row.Mode = text.T(ctx, "staff.mode."+string(one.Mode))
		}
		list = append(list, row)
	}
	return list
}

// chips are the filters, each a link that changes one part of the state. Practice and real are told apart where there
// are both.
func (s *Server) chips(ctx context.Context, l listState, sums []app.Sums) []templates.ChipGroup {
	group := func(name string, values []string, have string, with func(listState, string) listState, word func(string) string) templates.ChipGroup {
		g := templates.ChipGroup{Name: name}
		for _, v := range values {
			next := with(l, v)
			next.after = ""
			g.Chips = append(g.Chips, templates.Chip{Label: word(v), Href: next.href(), On: v == have})
		}
		return g
	}
	period := l.period
	if l.from != "" || l.to != "" {
		period = "custom"
	}
	methods := []string{""}
	for _, m := range smartro.Methods() {
		methods = append(methods, string(m))
	}
	var clocks []string
	for _, c := range app.Clocks() {
		clocks = append(clocks, string(c))
	}
	groups := []templates.ChipGroup{
		group("period", periods(), period, func(l listState, v string) listState {
			l.period, l.from, l.to = v, "", ""
			return l
		}, func(v string) string { return text.T(ctx, "staff.period."+v) }),
		group("method", methods, l.method, func(l listState, v string) listState { l.method = v; return l },
			func(v string) string {
				if v == "" {
					return text.T(ctx, "staff.filter.all")
				}
				return text.T(ctx, "method."+v)
			}),
		group("state", []string{"", "paid", "cancelled", "waiting", "confirming", "held", "unpaid"}, l.state,
			func(l listState, v string) listState { l.state = v; return l },
			func(v string) string { return text.T(ctx, "staff.state."+v) }),
		group("clock", clocks, l.clock, func(l listState, v string) listState { l.clock = v; return l },
			func(v string) string { return text.T(ctx, "staff.clock."+v) }),
	}
	if len(sums) > 1 || l.mode != "" {
		groups = append(groups, group("mode", []string{"", string(smartro.Test), string(smartro.Real)}, l.mode,
			func(l listState, v string) listState { l.mode = v; return l }, func(v string) string { return text.T(ctx, "staff.mode."+v) }))
	}
	return groups
}

// readAs says how the search box was read.
func readAs(ctx context.Context, f app.Find) []string {
	var list []string
	add := func(ok bool, key string) {
		if ok {
			list = append(list, text.T(ctx, "staff.by."+key))
		}
	}
	add(f.Prefix != "" || f.Exact != "", "id")
	add(f.Digits != "", "phone")
	add(f.HasAmt, "amount")
	add(f.Text != "", "name")
	return list
}

func listRow(ctx context.Context, r app.PaymentRow, f app.Find) templates.ListRow {
	row := templates.ListRow{
		Href: "/admin/payments/" + string(r.Moid), State: shownState(r.Payment), Buyer: view.MaskName(r.BuyerName), Goods: r.Goods, Moid: string(r.Moid),
		Method: text.T(ctx, "method."+string(r.Method)), MethodCode: string(r.Method), Company: r.CardName, At: r.When, Amount: int64(r.Amount),
		Back: r.State == app.Cancelled, Hold: r.OpenHolds > 0 && r.State != app.Held, OpenCancel: r.OpenCancel != "",
	}
	if r.Erased {
		row.Buyer = text.T(ctx, "staff.erased")
	}
	if r.State == app.Held {
		row.Amount = int64(r.Approved)
	}
	if row.Company == "" {
		row.Company = r.VbankName
	}
	for _, by := range app.MatchedBy(r, f) {
		row.Matched = append(row.Matched, text.T(ctx, "staff.matched."+by))
	}
	return row
}

// getFresh handles GET /admin/fresh?since=MICROSECONDS: how many payments were opened since. The page then offers
// them quietly instead of moving its rows.
func (s *Server) getFresh(c echo.Context) error {
	us, err := strconv.ParseInt(c.QueryParam("since"), 10, 64)
	if err != nil {
		return app.ErrBadInput
	}
	found, err := s.Shop.Search(c.Request().Context(), "", app.Filter{From: time.UnixMicro(us + 1).UTC(), Limit: 99})
	if err != nil {
		return err
	}
	n := len(slices.DeleteFunc(found.Rows, func(r app.PaymentRow) bool { return r.State == app.Opened }))
	return c.JSON(http.StatusOK, map[string]int{"fresh": n})
}
