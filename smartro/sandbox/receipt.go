package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"gage/smartro"
)

// receiptPage is IssueLoader: type 0 is the slip of any method, 2 a cash receipt (receipts-and-queries §1).
func (g *Gateway) receiptPage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	kind := q.Get("type")
	if kind != "0" && kind != "2" {
		g.refuse(w, r, nil, refusal{Title: "영수증 종류 오류", Field: "type", Got: kind, Want: "0(매출전표), 2(현금영수증)", Why: "type이 없거나 알 수 없는 값이면 영수증을 열 수 없습니다."})
		return
	}
	p, ok := g.byTID(q.Get("TID"))
	if own, is := g.receiptByTID(q.Get("TID")); is && kind == "2" {
		p, ok = own, true
	}
	if !ok || p.came() == 0 { // neither a window that was left nor an account without a deposit has one
		g.refuse(w, r, nil, refusal{
			status: http.StatusNotFound, Title: "거래를 찾을 수 없습니다", Field: "TID", Got: q.Get("TID"), Want: "결제가 끝난 거래의 TID (30자리)",
			Why: "결제되지 않은 거래에는 영수증이 없습니다. TID를 끝까지 복사했는지, 이름을 대문자(TID)로 썼는지 확인해 주세요.",
		})
		return
	}
	if kind == "2" && p.Paid.RcptAppNo == "" {
		g.refuse(w, r, nil, refusal{
			status: http.StatusNotFound, Title: "현금영수증이 없습니다", Field: "type", Got: "2", Want: "0(매출전표)",
			Why: "이 거래로 발급된 현금영수증이 없습니다. 계좌이체·가상계좌 결제창에서 현금영수증을 신청한 거래만 볼 수 있습니다.",
		})
		return
	}
	g.pages.render(w, http.StatusOK, "receipt.html", g.slip(p, kind == "2"))
}

// slip is what a receipt shows.
type slip struct {
	payment
	MID         smartro.MID
	Cash        bool
	Total       smartro.Won // what was paid
	Supply, VAT smartro.Won
	Service     smartro.Won
	Cancelled   smartro.Won
	Left        smartro.Won
	At          time.Time
}

func (g *Gateway) slip(p payment, cash bool) slip {
	s := slip{payment: p, MID: g.cfg.MID, Cash: cash, Total: p.came(), Left: p.balance(), At: p.DecidedAt}
	s.Supply, s.VAT, s.Service = p.taxes()
	for _, c := range p.Cancels {
		s.Cancelled += c.Amt
	}
	if p.Method == smartro.Vbank {
		s.At = p.DepositedAt
	}
	return s
}

// taxes splits what was paid: as the shop said where it computes VAT itself, else one eleventh is VAT.
func (p payment) taxes() (supply, vat, service smartro.Won) {
	if p.field("TaxCD") == "2" {
		vat, _ = smartro.ParseWon(p.field("Tax"))
		service, _ = smartro.ParseWon(p.field("SvcAmt"))
		if vat+service <= p.came() {
			return p.came() - vat - service, vat, service
		}
	}
	vat = (p.came() + 5) / 11
	return p.came() - vat, vat, 0
}

func (g *Gateway) byTID(tid string) (p payment, ok bool) {
	g.ledger.read(func(v *view) { p, ok = v.payments[smartro.TID(tid)] })
	return p, ok
}

// receiptData is the receipt-data API (receipts-and-queries §2). A payment that is not paid has no StateCd
// and no ResultCode 0000, so that nobody can read one into it.
func (g *Gateway) receiptData(w http.ResponseWriter, r *http.Request) {
	refused := func(status int, own, text string) {
		writeJSON(w, status, map[string]string{"ResultCode": g.code(own), "ResultMsg": text + ownCode})
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refused(http.StatusMethodNotAllowed, "SB05", "POST로 불러 주세요")
		return
	}
	if !smartro.EqualHash(r.Header.Get("apikey"), g.key().Reveal()) {
		refused(http.StatusUnauthorized, "SB01", "apikey 헤더가 이 상점의 merchantKey가 아닙니다")
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refused(http.StatusRequestEntityTooLarge, "SB03", "요청이 너무 큽니다")
		return
	}
	var q map[string]any
	if err := json.Unmarshal(bytes.TrimSpace(body), &q); err != nil {
		refused(http.StatusBadRequest, "SB02", `본문은 JSON입니다: {"tid":"…","type":"0"}`)
		return
	}
	tid, kind := "", "0"
	for name, v := range q {
		text, _ := v.(string)
		switch strings.ToLower(name) {
		case "tid":
			tid = text
		case "type":
			kind = text
		}
	}
	if kind != "0" && kind != "2" {
		refused(http.StatusBadRequest, "SB02", "type은 0 또는 2입니다")
		return
	}
	p, ok := g.byTID(tid)
	if own, is := g.receiptByTID(tid); is && kind == "2" {
		p, ok = own, true
	}
	if !ok || !p.approved() {
		refused(http.StatusNotFound, "2012", "해당 거래가 없습니다")
		return
	}
	if p.State == waiting {
		writeJSON(w, http.StatusOK, map[string]string{"ResultCode": codeIssued, "ResultMsg": "입금 대기 중인 가상계좌입니다" + ownCode, "Tid": tid})
		return
	}
	writeJSON(w, http.StatusOK, g.receiptAnswer(p))
}

func (g *Gateway) receiptAnswer(p payment) map[string]string {
	s := g.slip(p, false)
	amt, stateCd, cancelDate := p.Amt, "0", ""
	if p.Method == smartro.Vbank && p.Deposited > 0 {
		amt = p.Deposited
	}
	switch p.State {
	case cancelled, withdrawn:
		stateCd = "1"
	case partlyCancelled:
		stateCd = "2"
	}
	if n := len(p.Cancels); n > 0 {
		cancelDate = shortTime(p.Cancels[n-1].At)
	}
	left := s.Left
	card, bank := p.Paid.CardCode, p.Paid.BankCode
	answer := map[string]string{
		"ResultCode": "0000", "ResultMsg": "조회 성공", "Tid": string(p.TID), "Mid": string(g.cfg.MID), "Moid": p.Moid,
		"PayMethod": string(p.Method), "Amt": amt.String(), "BalanceAmt": left.String(), "StateCd": stateCd, "AuthCode": p.AuthCode,
		"CancelDate": cancelDate, "GoodsName": p.field("GoodsName"), "BuyerName": p.field("BuyerName"), "FnCd": card, "FnName": cardName(card),
		"CardNum": p.Paid.CardNum, "CardQuota": p.Paid.Quota, "AcquCardCode": p.Paid.AcquirerCode, "AcquCardName": cardName(p.Paid.AcquirerCode),
		"VbankNum": p.Paid.VbankNum, "VbankName": "", "SupplyAmt": s.Supply.String(), "VatAmt": s.VAT.String(), "SvcAmt": s.Service.String(),
		"TaxFreeAmt": "0", "ReceiptType": p.Paid.ReceiptType, "RcptAppNo": p.Paid.RcptAppNo, "AuthDate": "",
	}
	if !s.At.IsZero() {
		answer["AuthDate"] = shortTime(s.At)
	}
	if bank != "" {
		answer["FnCd"], answer["FnName"] = bank, bankName(bank)
	}
	if p.Paid.VbankNum != "" {
		answer["VbankName"] = bankName(bank)
	}
	return answer
}
