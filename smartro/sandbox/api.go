package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"gage/smartro"
)

type apiError struct {
	Error string `json:"error"`
}

// The answer of GET /control/api/state, of ?newest=N the newest N payments and notifications of it, of ?tid=T&tid=U those
// of these transactions alone. The merchant key is not in it: the control page shows it on request.
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

// shown says which payments and notifications are shown: the newest, 0 means all, or those of transactions.
type shown struct {
	newest int
	of     []smartro.TID
}

// stateNow is everything that the control page and the API show.
func (g *Gateway) stateNow(which shown) apiStateAnswer {
	a := apiStateAnswer{MID: g.cfg.MID, Hash: g.cfg.Hash, Strict: g.cfg.Strict, LastRefusals: g.recentRefusals(), Payments: []apiPayment{}, Cards: []apiCard{}}
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
		for _, p := range which.payments(v) {
			a.Payments = append(a.Payments, newAPIPayment(p))
			if p.State == registered {
				a.Cards = append(a.Cards, apiCard{maskedKey(p.Paid.BillingKey), p.field("mallUserID"), p.Paid.CardNum, p.DecidedAt})
			}
		}
		if which.of == nil {
			a.CashReceipts = v.cashReceipts(which.newest)
		}
		a.Notices = which.notices(v)
	})
	return a
}

func (s shown) payments(v *view) (list []payment) {
	if s.of != nil {
		for _, tid := range s.of {
			if p, ok := v.payments[tid]; ok {
				list = append(list, p)
			}
		}
		return list
	}
	for i := len(v.order) - 1; i >= 0 && (s.newest == 0 || len(list) < s.newest); i-- {
		list = append(list, v.payments[v.order[i]])
	}
	return list
}

func (s shown) notices(v *view) []notice {
	list, only := []notice{}, map[smartro.TID]bool{}
	for _, tid := range s.of {
		only[tid] = true
	}
	for id := v.lastID; id > 0 && (s.newest == 0 || len(list) < s.newest); id-- {
		if n, ok := v.notices[id]; ok && (s.of == nil || only[n.TID]) {
			list = append(list, n)
		}
	}
	return list
}

func (g *Gateway) apiState(w http.ResponseWriter, r *http.Request) {
	var which shown
	q := r.URL.Query()
	for _, tid := range q["tid"] {
		which.of = append(which.of, smartro.TID(tid))
	}
	if text := q.Get("newest"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			writeJSON(w, http.StatusBadRequest, apiError{fmt.Sprintf("newest %q: want a number from 1", text)})
			return
		}
		which.newest = n
	}
	writeJSON(w, http.StatusOK, g.stateNow(which))
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
	writeJSON(w, http.StatusOK, g.stateNow(shown{newest: 1}).Faults)
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
