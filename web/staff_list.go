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
	mid, device, proof, staff             string
	from, to                              string // yyyy-mm-dd, of a period of one's own
	after                                 string // cursor: microseconds and Moid
}

func readListState(v url.Values) listState {
	return listState{
		q: strings.TrimSpace(clip(v.Get("q"), 100)), period: v.Get("period"), clock: v.Get("clock"), method: v.Get("method"), state: v.Get("state"),
		mode: v.Get("mode"), from: v.Get("from"), to: v.Get("to"), after: v.Get("after"),
		mid: v.Get("mid"), device: v.Get("device"), proof: v.Get("proof"), staff: v.Get("staff"),
	}.known()
}

// idLetters are those of an ID that the shop gave.
const idLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

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
	if _, err := smartro.ParseMID(l.mid); err != nil {
		l.mid = ""
	}
	if !slices.Contains(devices(), l.device) {
		l.device = ""
	}
	if !slices.Contains(proofs(), app.Proof(l.proof)) {
		l.proof = ""
	}
	if len(l.staff) > 40 || strings.Trim(l.staff, idLetters) != "" {
		l.staff = ""
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
		{Name: "mid", Value: l.mid}, {Name: "device", Value: l.device}, {Name: "proof", Value: l.proof}, {Name: "staff", Value: l.staff},
	}
}

// without are the parts that are set, but for those named.
func (l listState) without(names ...string) []templates.Hidden {
	return slices.DeleteFunc(l.parts(), func(h templates.Hidden) bool { return h.Value == "" || slices.Contains(names, h.Name) })
}

// periods are the spans that are one click away.
func periods() []string { return []string{"", "today", "week", "month"} }

func modes() []app.Mode { return []app.Mode{smartro.Test, smartro.Real} }

func devices() []string { return []string{string(smartro.PC), string(smartro.Mobile)} }

func proofs() []app.Proof {
	return []app.Proof{app.ProofNotification, app.ProofInquiry, app.ProofStaff, app.ProofNone}
}

// stateGroups are the filters by state, and what each lets through.
func stateGroups() map[string][]app.State {
	return map[string][]app.State{
		"paid": {app.Paid}, "cancelled": {app.PartlyCancelled, app.Cancelled}, "waiting": {app.WaitingDeposit}, "confirming": {app.Claimed},
		"held": {app.Held}, "unpaid": {app.New, app.Opened, app.Expired},
	}
}

// filter translates the list's state for the use case.
func (l listState) filter(now time.Time) app.Filter {
	f := app.Filter{Clock: app.Clock(l.clock), Mode: app.Mode(l.mode), MID: app.MID(l.mid), Device: app.Device(l.device), Staff: l.staff}
	if l.proof != "" {
		f.Proofs = []app.Proof{app.Proof(l.proof)}
	}
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
	return s.showPayments(c, http.StatusOK, readListState(c.QueryParams()), templates.ViewForm{})
}

// showPayments is the list as l says; typed is a name for it that was refused.
func (s *Server) showPayments(c echo.Context, status int, l listState, typed templates.ViewForm) error {
	ctx := c.Request().Context()
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
		StaffFrame: frame, Groups: s.chips(ctx, l, sums), Sums: sumRows(ctx, sums, l.clock), TooMany: !whole, From: l.from, To: l.to, ReadAs: readAs(ctx, found.Read, l.clock),
		Filtered: l != listState{}, CanAsk: may(c, app.RightRequestPayments), FreshHref: "/admin/fresh",
	}
	p.Keep = l.without("from", "to", "after", "period")
	if p.More, err = s.moreFilters(ctx, l); err != nil {
		return err
	}
	if err := s.views(ctx, staffOf(c), l, &p); err != nil {
		return err
	}
	for _, r := range found.Rows {
		p.Rows = append(p.Rows, listRow(ctx, r, found.Read.Terms))
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
	p.View = typed
	if len(typed.Errors) > 0 {
		p.CanKeep, p.More.Open = true, true
	}
	return s.render(c, status, templates.List(p))
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

// moreFilters are those that are asked for less often. A choice of one is none.
func (s *Server) moreFilters(ctx context.Context, l listState) (more templates.MoreFilters, err error) {
	all := func(key string) []templates.Option { return []templates.Option{{Label: text.T(ctx, key)}} }
	pick := func(name, have string, options []templates.Option) {
		if len(options) > 2 {
			more.Selects = append(more.Selects, templates.SelectView{Name: name, Label: text.T(ctx, "staff.filter."+name), Value: have, Options: options})
		}
		more.Open = more.Open || have != ""
	}
	options := all("staff.filter.any")
	for _, v := range proofs() {
		options = append(options, templates.Option{Value: string(v), Label: text.T(ctx, "staff.proof."+string(v))})
	}
	pick("proof", l.proof, options)
	options = all("staff.filter.any")
	for _, v := range devices() {
		options = append(options, templates.Option{Value: v, Label: text.T(ctx, "staff.device."+v)})
	}
	pick("device", l.device, options)
	people, err := s.Shop.Staff(ctx)
	if err != nil {
		return more, err
	}
	options = all("staff.filter.any")
	for _, v := range people {
		options = append(options, templates.Option{Value: v.ID, Label: v.Name})
	}
	pick("staff", l.staff, options)
	mids, err := s.Shop.MIDs(ctx)
	if err != nil {
		return more, err
	}
	options = all("staff.filter.any")
	for _, v := range mids {
		options = append(options, templates.Option{Value: string(v), Label: string(v)})
	}
	pick("mid", l.mid, options)
	more.Keep = l.without("proof", "device", "staff", "mid", "after")
	return more, nil
}

// views are the person's own, each a link; the one that is shown can be forgotten, another one kept.
func (s *Server) views(ctx context.Context, person app.Staff, l listState, p *templates.ListPage) error {
	list, err := s.Shop.Views(ctx, person)
	if err != nil {
		return err
	}
	l.after = ""
	here := l.href()
	for _, v := range list {
		chip := templates.Chip{Label: v.Name, Href: "/admin?" + v.Query}
		if chip.On = chip.Href == here; chip.On {
			p.ViewHere = v.Name
		}
		p.Views = append(p.Views, chip)
	}
	p.CanKeep = l != listState{} && p.ViewHere == ""
	p.KeepParts = l.without("after")
	return nil
}

// postView handles POST /admin/views: keeps what the list shows under a name.
func (s *Server) postView(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return app.ErrBadInput
	}
	l := readListState(form)
	l.after = ""
	href := l.href()
	_, query, _ := strings.Cut(href, "?")
	if query == "" {
		return app.ErrBadInput
	}
	ctx, name := c.Request().Context(), form.Get("name")
	err = s.Shop.SaveView(ctx, staffOf(c), app.View{Name: name, Query: query})
	if faults := inputFaults(ctx, err); len(faults) > 0 {
		return s.showPayments(c, http.StatusUnprocessableEntity, l, templates.ViewForm{Name: name, Errors: faults})
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, href)
}

// postDropView handles POST /admin/views/drop.
func (s *Server) postDropView(c echo.Context) error {
	if err := s.Shop.DropView(c.Request().Context(), staffOf(c), c.FormValue("name")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/admin")
}

// readAs says how the search box was read: its period, and each of its words.
func readAs(ctx context.Context, a app.Asked, clock string) []string {
	var list []string
	if !a.From.IsZero() || !a.To.IsZero() {
		list = append(list, spanOf(a.From, a.To)+" · "+text.T(ctx, "staff.clock."+clock))
	}
	for _, f := range a.Terms {
		var by []string
		add := func(ok bool, words string) {
			if ok {
				by = append(by, words)
			}
		}
		add(f.HasAmt && f.Amount == f.Most, view.Won(ctx, f.Amount))
		add(f.HasAmt && f.Amount < f.Most, rangeOf(ctx, f.Amount, f.Most))
		if f.Field == "" {
			add(f.Digits != "", text.T(ctx, "staff.by.phone"))
			add(f.Text != "", text.T(ctx, "staff.by.name"))
			add(f.Part != "" || f.Exact != "", text.T(ctx, "staff.by.id"))
		} else if !f.HasAmt {
			add(true, text.T(ctx, "staff.matched."+f.Field))
		}
		word := f.Word
		if _, value, ok := strings.Cut(word, ":"); ok && f.Field != "" {
			word = value
		}
		list = append(list, word+" → "+strings.Join(by, ", "))
	}
	return list
}

// spanOf writes a period by its first and last day in Seoul; an open end is left out.
func spanOf(from, to time.Time) string {
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(app.KST).Format(time.DateOnly)
	}
	if !to.IsZero() {
		to = to.AddDate(0, 0, -1)
	}
	if first, last := day(from), day(to); first != last {
		return first + " ~ " + last
	}
	return day(from)
}

func rangeOf(ctx context.Context, low, high app.Won) string {
	switch {
	case high == app.MaxAmount:
		return text.T(ctx, "staff.by.from", view.Won(ctx, low))
	case low == 0:
		return text.T(ctx, "staff.by.to", view.Won(ctx, high))
	}
	return view.Won(ctx, low) + " ~ " + view.Won(ctx, high)
}

func listRow(ctx context.Context, r app.PaymentRow, terms []app.Find) templates.ListRow {
	row := templates.ListRow{
		Href: "/admin/payments/" + string(r.Moid), State: shownState(r.Payment), Buyer: view.MaskName(r.BuyerName), Goods: r.Goods, Moid: string(r.Moid),
		Method: text.T(ctx, "method."+string(r.Method)), MethodCode: string(r.Method), Company: r.Company(), At: r.When, Amount: int64(r.Amount),
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
	for _, by := range app.MatchedBy(r, terms) {
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
