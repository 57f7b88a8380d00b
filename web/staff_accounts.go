package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

const accountsPath = "/admin/accounts"

func accountsHref(list app.AccountList) string { return accountsPath + "?show=" + string(list) }

// getAccounts handles GET /admin/accounts: virtual accounts by what becomes of them.
func (s *Server) getAccounts(c echo.Context) error {
	ctx := c.Request().Context()
	show := app.AccountList(c.QueryParam("show"))
	q := app.AccountQuery{List: show, After: readCursor(c.QueryParam("after"))}
	rows, next, err := s.Shop.Accounts(ctx, q)
	if errors.Is(err, app.ErrBadInput) {
		q = app.AccountQuery{List: app.AccountsWaiting}
		rows, next, err = s.Shop.Accounts(ctx, q)
	}
	if err != nil {
		return err
	}
	frame, err := s.staffFrame(c, "accounts", "staff.nav.accounts")
	if err != nil {
		return err
	}
	p := templates.AccountsPage{StaffFrame: frame, Show: string(q.List), Explain: text.T(ctx, "accounts."+string(q.List)+".text")}
	for _, l := range app.AccountLists() {
		p.Lists = append(p.Lists, templates.Chip{Label: text.T(ctx, "accounts."+string(l)), Href: accountsHref(l), On: l == q.List})
	}
	now, today, sum := s.Now(), 0, app.Won(0)
	shop, err := s.Shop.Info(ctx)
	if err != nil {
		return err
	}
	for _, r := range rows {
		row := templates.AccountRow{ListRow: listRow(ctx, r, nil), Bank: r.VbankName, Due: r.VbankDue}
		row.At = r.When
		if q.List == app.AccountsWaiting {
			row.Left, row.Soon = leftUntil(ctx, r.VbankDue, now), r.DueOn(now)
			if row.Soon {
				today, sum = today+1, sum+r.Amount
			}
			o, err := s.Shop.Store.Order(ctx, r.OrderNo)
			if err != nil {
				return err
			}
			row.Remind = text.T(ctx, "accounts.remind", shop.Name, o.Goods, view.Won(ctx, r.Amount), view.When(ctx, r.VbankDue), s.Shop.PayLink(o))
		}
		p.Rows = append(p.Rows, row)
	}
	if today > 0 {
		p.Today = text.T(ctx, "accounts.today", today, view.Won(ctx, sum))
	}
	if next != (app.Cursor{}) {
		p.Next = accountsHref(q.List) + "&after=" + strconv.FormatInt(next.At.UnixMicro(), 10) + "-" + next.ID
	}
	return s.render(c, http.StatusOK, templates.Accounts(p))
}

// leftUntil says how long there is until then, in the largest unit that says something.
func leftUntil(ctx context.Context, then, now time.Time) string {
	switch d := then.Sub(now); {
	case d <= 0:
		return text.T(ctx, "accounts.left.none")
	case d < time.Hour:
		return text.T(ctx, "accounts.left.minutes", fmt.Sprint(int(d.Minutes())+1))
	case d < 24*time.Hour:
		return text.T(ctx, "accounts.left.hours", fmt.Sprint(int(d.Hours())))
	default:
		return text.T(ctx, "accounts.left.days", fmt.Sprint(int(d.Hours()/24)))
	}
}
