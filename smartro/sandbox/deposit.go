package sandbox

import (
	"errors"
	"net/http"
	"strings"

	"gage/smartro"
)

// What a forced deposit can fail with.
var (
	errNoAccount  = errors.New("입금을 기다리는 가상계좌가 아닙니다 (no account waits under this TID or number)")
	errBadDeposit = errors.New("입금액은 0보다 큰 숫자여야 합니다 (amount: digits, more than 0)")
)

// deposit puts amt into a waiting virtual account, named by its TID or number; 0 means the amount asked for.
// Another amount is accepted as well: what the gateway does with it is not documented (weblink §8), and a
// shop must be able to see it happen.
func (g *Gateway) deposit(tidOrAccount string, amt smartro.Won) (payment, error) {
	key := strings.NewReplacer("-", "", " ", "").Replace(tidOrAccount)
	var p payment
	err := g.ledger.update(func(v *view) (entry, error) {
		tid, ok := v.accounts[key]
		if !ok {
			tid = smartro.TID(key)
		}
		if p, ok = v.payments[tid]; !ok || p.State != waiting {
			return entry{}, errNoAccount
		}
		p.State, p.Deposited, p.DepositedAt = paid, amt, g.now()
		if amt == 0 {
			p.Deposited = p.Amt
		}
		p.AuthCode = randomDigits(8)
		if p.Paid.ReceiptType == "1" || p.Paid.ReceiptType == "2" {
			p.Paid.RcptAppNo = "Z" + randomDigits(8)
		}
		return entry{At: p.DepositedAt, Payment: &p, Notices: g.newNotices(v, p, g.depositNotice(p), p.DepositedAt)}, nil
	})
	if err != nil {
		return payment{}, err
	}
	g.wakeSender()
	g.cfg.Log.Info("deposit", "tid", p.TID, "won", int64(p.Deposited))
	return p, nil
}

// depositAmount reads an optional amount; it returns errBadDeposit for anything but digits above zero.
func depositAmount(s string) (smartro.Won, error) {
	if s == "" {
		return 0, nil
	}
	amt, err := smartro.ParseWon(strings.ReplaceAll(s, ",", ""))
	if err != nil || amt <= 0 {
		return 0, errBadDeposit
	}
	return amt, nil
}

type depositPage struct {
	Waiting  []payment // newest first
	Done     payment
	Problem  string
	TID, Amt string
}

// depositPage is the test server's page that forces a deposit (guide 3.4).
func (g *Gateway) depositPage(w http.ResponseWriter, r *http.Request) {
	g.drawDepositPage(w, http.StatusOK, depositPage{TID: r.FormValue("TID")})
}

func (g *Gateway) drawDepositPage(w http.ResponseWriter, status int, page depositPage) {
	g.ledger.read(func(v *view) {
		for i := len(v.order) - 1; i >= 0; i-- {
			if p := v.payments[v.order[i]]; p.State == waiting {
				page.Waiting = append(page.Waiting, p)
			}
		}
	})
	g.pages.render(w, status, "deposit.html", page)
}

func (g *Gateway) depositFromPage(w http.ResponseWriter, r *http.Request) {
	page := depositPage{TID: strings.TrimSpace(r.FormValue("TID")), Amt: strings.TrimSpace(r.FormValue("Amt"))}
	amt, err := depositAmount(page.Amt)
	if err == nil {
		page.Done, err = g.deposit(page.TID, amt)
	}
	if err != nil {
		status, text := orderError(err)
		page.Problem = text
		g.drawDepositPage(w, status, page)
		return
	}
	page.TID, page.Amt = "", ""
	g.drawDepositPage(w, http.StatusOK, page)
}
