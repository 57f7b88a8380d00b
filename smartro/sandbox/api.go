package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"gage/smartro"
)

type apiError struct {
	Error string `json:"error"`
}

// The answer of GET /control/api/state. The merchant key is not in it: the control page shows it on request.
type (
	apiStateAnswer struct {
		MID          smartro.MID      `json:"mid"`
		Hash         smartro.HashForm `json:"hash"`
		Strict       bool             `json:"strict"`
		NotifyURL    string           `json:"notify_url"`
		NotifyEvery  string           `json:"notify_every"`
		NotifyCount  int              `json:"notify_count"`
		Faults       []apiFault       `json:"faults"`
		Payments     []apiPayment     `json:"payments"` // newest first
		Cards        []apiCard        `json:"cards"`    // registered for recurring payments, newest first
		Notices      []notice         `json:"notifications"`
		LastRefusals []refusedRequest `json:"refusals"`
		CashReceipts []cashReceipt    `json:"cash_receipts"` // by their own call, newest first
	}
	apiFault struct {
		Fault   fault  `json:"fault"`
		Scope   string `json:"scope"` // off, next, always
		DelayMS int64  `json:"delay_ms"`
		Korean  string `json:"ko"`
		English string `json:"en"`
	}
	apiCard struct {
		Key        string    `json:"key"` // masked
		MallUserID string    `json:"mall_user_id"`
		CardNum    string    `json:"card_num"`
		At         time.Time `json:"at"`
	}
	apiPayment struct {
		TID         smartro.TID    `json:"tid"`
		Moid        string         `json:"moid"`
		Method      smartro.Method `json:"method"`
		Device      smartro.Device `json:"device"`
		Amt         smartro.Won    `json:"amt"`
		Balance     smartro.Won    `json:"balance"`
		State       state          `json:"state"`
		ResultCode  string         `json:"result_code"`
		AuthCode    string         `json:"auth_code,omitempty"`
		VbankNum    string         `json:"vbank_num,omitempty"`
		OpenedAt    time.Time      `json:"opened_at"`
		Deposited   smartro.Won    `json:"deposited,omitempty"`
		Cancels     []cancelling   `json:"cancels,omitempty"`
		Faults      []fault        `json:"faults,omitempty"`
		Warnings    []string       `json:"warnings,omitempty"`
		ReceiptPath string         `json:"receipt"`
		CashReceipt string         `json:"cash_receipt,omitempty"` // approval number of the one asked for in the window
	}
)

func newAPIPayment(p payment) apiPayment {
	return apiPayment{
		TID: p.TID, Moid: p.Moid, Method: p.Method, Device: p.Device, Amt: p.Amt, Balance: p.balance(), State: p.State,
		ResultCode: p.ResultCode, AuthCode: p.AuthCode, VbankNum: p.Paid.VbankNum, OpenedAt: p.OpenedAt, Deposited: p.Deposited,
		Cancels: p.Cancels, Faults: p.Faults, Warnings: p.Warnings, ReceiptPath: "/issue/IssueLoader.jsp?TID=" + string(p.TID) + "&type=0",
		CashReceipt: p.Paid.RcptAppNo,
	}
}

// stateNow is everything that the control page and the API show; limit 0 means all payments.
func (g *Gateway) stateNow(limit int) apiStateAnswer {
	a := apiStateAnswer{MID: g.cfg.MID, Hash: g.cfg.Hash, Strict: g.cfg.Strict, LastRefusals: g.recentRefusals(), Payments: []apiPayment{}, Cards: []apiCard{}, Notices: []notice{}}
	standing := g.faults.standing()
	for _, info := range faultList() {
		f := apiFault{Fault: info.Name, Scope: scopeOff, DelayMS: info.Delay.Milliseconds(), Korean: info.Korean, English: info.English}
		if o, ok := standing[info.Name]; ok {
			f.Scope, f.DelayMS = o.Scope, o.Delay.Milliseconds()
		}
		a.Faults = append(a.Faults, f)
	}
	g.ledger.read(func(v *view) {
		s := v.settings
		a.NotifyURL, a.NotifyEvery, a.NotifyCount = s.NotifyURL, s.Every.String(), s.Count
		for i := len(v.order) - 1; i >= 0 && (limit == 0 || len(a.Payments) < limit); i-- {
			p := v.payments[v.order[i]]
			a.Payments = append(a.Payments, newAPIPayment(p))
			if p.State == registered {
				a.Cards = append(a.Cards, apiCard{maskedKey(p.Paid.BillingKey), p.field("mallUserID"), p.Paid.CardNum, p.DecidedAt})
			}
		}
		a.CashReceipts = v.cashReceipts(limit)
		for id := v.lastID; id > 0 && (limit == 0 || len(a.Notices) < limit); id-- {
			if n, ok := v.notices[id]; ok {
				a.Notices = append(a.Notices, n)
			}
		}
	})
	return a
}

func (g *Gateway) apiState(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, g.stateNow(0))
}

func (g *Gateway) apiOrderFault(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Fault   fault  `json:"fault"`
		Scope   string `json:"scope"`
		DelayMS int64  `json:"delay_ms"`
	}
	if !readJSON(w, r, &q) {
		return
	}
	if q.DelayMS < 0 || q.DelayMS > maxDelay.Milliseconds() {
		writeJSON(w, http.StatusBadRequest, apiError{fmt.Sprintf("delay_ms %d: want 0 to %d", q.DelayMS, maxDelay.Milliseconds())})
		return
	}
	if err := g.faults.order(q.Fault, q.Scope, time.Duration(q.DelayMS)*time.Millisecond); err != nil {
		writeJSON(w, http.StatusBadRequest, apiError{err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, g.stateNow(1).Faults)
}

func (g *Gateway) apiClearFaults(w http.ResponseWriter, _ *http.Request) {
	g.faults.clear()
	w.WriteHeader(http.StatusNoContent)
}

func (g *Gateway) apiDeposit(w http.ResponseWriter, r *http.Request) {
	var q struct {
		TID string      `json:"tid"`
		Amt smartro.Won `json:"amt"`
	}
	if !readJSON(w, r, &q) {
		return
	}
	if q.Amt < 0 {
		writeJSON(w, http.StatusBadRequest, apiError{errBadDeposit.Error()})
		return
	}
	p, err := g.deposit(q.TID, q.Amt)
	if err != nil {
		status, text := orderError(err)
		writeJSON(w, status, apiError{text})
		return
	}
	writeJSON(w, http.StatusOK, newAPIPayment(p))
}

func (g *Gateway) apiNotify(w http.ResponseWriter, r *http.Request) {
	var q struct {
		TID smartro.TID `json:"tid"`
	}
	if !readJSON(w, r, &q) {
		return
	}
	n, err := g.sendAgain(q.TID)
	if err != nil {
		status, text := orderError(err)
		writeJSON(w, status, apiError{text})
		return
	}
	writeJSON(w, http.StatusAccepted, n)
}

func (g *Gateway) apiNotifyURL(w http.ResponseWriter, r *http.Request) {
	var q struct {
		URL string `json:"url"`
	}
	if !readJSON(w, r, &q) {
		return
	}
	if err := g.setNotifyURL(q.URL); err != nil {
		writeJSON(w, http.StatusBadRequest, apiError{err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"notify_url": q.URL})
}

// orderError turns what an order failed with into a status and a text. What it does not know is our fault.
func orderError(err error) (int, string) {
	switch {
	case errors.Is(err, errUnknownTID), errors.Is(err, errNoAccount):
		return http.StatusNotFound, err.Error()
	case errors.Is(err, errNoNotice), errors.Is(err, errNowhere):
		return http.StatusConflict, err.Error()
	case errors.Is(err, errBadDeposit):
		return http.StatusBadRequest, err.Error()
	}
	return http.StatusServiceUnavailable, "장부를 쓰지 못했습니다 (ledger not written)"
}

func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		writeJSON(w, http.StatusBadRequest, apiError{"JSON: " + err.Error()})
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone if this fails
}
