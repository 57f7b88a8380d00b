package sandbox

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"gage/smartro"
)

// cancelForm is a cancel request as it came, texts decoded (cancel §1).
type cancelForm struct {
	tid, amt, password, reason, part, hash string
	bank, account, holder                  string // where a virtual account's money goes back to
}

// cancelAnswer is what a cancel is answered with.
type cancelAnswer struct {
	code, text string
	form       cancelForm
	payment    payment
	done       cancelling
}

// refusedCancel refuses with one of [OwnCodes]; the text says whose they are.
func (g *Gateway) refusedCancel(own, text string) cancelAnswer {
	return cancelAnswer{code: g.code(own), text: text + ownCode}
}

// cancel handles payCancelNVProcess.jsp: the body of a form, or everything in the query as the JSP kit does.
func (g *Gateway) cancel(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		g.refuse(w, r, nil, refusal{
			status: http.StatusMethodNotAllowed, Title: "잘못된 호출 방식", Field: "method", Got: r.Method, Want: "POST",
			Why: "취소는 상점 서버가 POST로 부릅니다. 취소 비밀번호가 주소에 남으면 안 됩니다.",
		})
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "취소 요청이 너무 큽니다.", http.StatusRequestEntityTooLarge)
		return
	}
	form, problem := g.readCancelForm(string(body), r.URL.RawQuery)
	if problem != "" {
		a := g.refusedCancel("SB10", problem)
		a.form = form
		g.answerCancel(w, a)
		return
	}
	a, err := g.cancelPayment(form)
	if err != nil {
		g.fail(w, err)
		return
	}
	a.form = form
	g.cfg.Log.Info("cancel", "tid", a.payment.TID, "code", a.code, "won", int64(a.done.Amt))
	if a.done.Amt > 0 {
		g.wakeSender()
		if g.misbehave(w, r, cancelNever, cancel500, cancelGarbage, cancelDelay) {
			return
		}
	}
	g.answerCancel(w, a)
}

// readCancelForm reads the body if it has fields, the query otherwise. problem says what makes the request
// unreadable.
func (g *Gateway) readCancelForm(body, query string) (form cancelForm, problem string) {
	source := body
	if !strings.Contains(source, "=") {
		source = query
	}
	fields, ok := splitForm(source)
	if !ok {
		return cancelForm{}, "퍼센트 인코딩 오류"
	}
	refund := g.cfg.Unpublished.RefundFields
	into := map[string]*string{
		"TID": &form.tid, "CancelAmt": &form.amt, "Cancelpw": &form.password, "CancelMSG": &form.reason, "PartialCancelCode": &form.part,
		"hashData": &form.hash, refund.Bank: &form.bank, refund.Number: &form.account, refund.Holder: &form.holder,
	}
	seen := map[string]bool{}
	for _, f := range fields {
		to, known := into[f.name]
		if !known {
			continue
		}
		if seen[f.name] {
			return form, f.name + " 항목 중복"
		}
		seen[f.name] = true
		*to = f.raw
	}
	form.reason = twiceDecoded(form.reason)
	if s, ok := percentDecoded(form.holder); ok {
		form.holder = s
	}
	form.holder = smartro.EUCKR.Decode([]byte(form.holder))
	return form, ""
}

// twiceDecoded reads text that was percent-encoded before the form was (cancel §1). What can't have been, because
// it holds Hangul or a stray percent sign, was encoded once.
func twiceDecoded(raw string) string {
	if s, err := url.QueryUnescape(raw); err == nil && !strings.ContainsFunc(raw, func(r rune) bool { return r > unicode.MaxASCII }) {
		raw = s
	}
	return smartro.EUCKR.Decode([]byte(raw))
}

// cancelPayment judges in the order of cancel §9 and, if nothing is wrong, gives the money back and queues
// the notification. err is a fault of our own.
func (g *Gateway) cancelPayment(f cancelForm) (cancelAnswer, error) {
	var a cancelAnswer
	err := g.ledger.update(func(v *view) (entry, error) {
		tid, err := smartro.ParseTID(f.tid)
		if err != nil {
			a = g.refusedCancel("1652", "TID는 30자리입니다")
			return entry{}, nil
		}
		if c, ok := v.receipts[tid]; ok {
			var e entry
			a, e, err = g.cancelReceipt(v, c, f)
			return e, err
		}
		p, ok := v.payments[tid]
		if !ok || !p.approved() {
			a = g.refusedCancel("2012", "해당 거래가 없습니다")
			return entry{}, nil
		}
		amt, refused := g.checkCancel(p, f)
		if refused != nil {
			a = *refused
			a.payment = p
			return entry{}, nil
		}
		c, err := g.newCancel(v, p, f, amt)
		if err != nil {
			return entry{}, err
		}
		p = p.withCancel(c)
		a = cancelAnswer{code: c.Code, text: "취소 성공", payment: p, done: c}
		if c.Code == codeRefunded {
			a.text = "환불 성공"
		}
		return entry{At: c.At, Payment: &p, Notices: g.newNotices(v, p, g.cancelNotice(p, c), c.At)}, nil
	})
	return a, err
}

// checkCancel is everything after "the TID exists" of cancel §9.
func (g *Gateway) checkCancel(p payment, f cancelForm) (smartro.Won, *cancelAnswer) {
	no := func(code, text string) (smartro.Won, *cancelAnswer) {
		a := g.refusedCancel(code, text)
		return 0, &a
	}
	amt, err := smartro.ParseWon(f.amt)
	if err != nil {
		return no("2010", "CancelAmt는 숫자만 12자리 이하입니다")
	}
	if !smartro.EqualHash(f.hash, smartro.HashData(g.cfg.Hash, p.TID, g.key(), amt, f.part)) {
		return no("A211", "HASH 유효성 확인 실패 (hashData)")
	}
	if !smartro.EqualHash(f.password, g.cfg.CancelPassword.Reveal()) {
		return no("2024", "취소 비밀번호 불일치")
	}
	left := p.balance()
	switch {
	case left == 0:
		return 0, &cancelAnswer{code: "2013", text: "이미 취소된 거래입니다"}
	case amt <= 0:
		return no("2010", "취소금액은 0보다 커야 합니다")
	case amt > left:
		return no("2034", fmt.Sprintf("취소 가능 금액 초과: 남은 금액 %d원", left))
	case f.part != "" && f.part != "0" && f.part != "1":
		return no("SB11", "PartialCancelCode는 0(전체) 또는 1(부분)입니다")
	case f.part != "1" && amt != left:
		return no("2011", fmt.Sprintf("전체 취소(PartialCancelCode=0)는 남은 금액과 같아야 합니다: %d원", left))
	case f.part == "1" && !allowsParts(p.Method):
		return no("2030", "부분 취소를 할 수 없는 결제수단입니다")
	case f.part == "1" && p.State == waiting:
		return no("2014", "입금 전 가상계좌는 전체 취소(계좌 회수)만 됩니다")
	}
	if p.Method == smartro.Vbank && p.State != waiting {
		if text := refundProblem(f, g.cfg.Unpublished.RefundFields); text != "" {
			return no("SB27", text)
		}
	}
	return amt, nil
}

// allowsParts: the kit offers partial cancels for card, bank transfer and virtual account only (cancel §2).
func allowsParts(m smartro.Method) bool {
	return m == smartro.Card || m == smartro.Bank || m == smartro.Vbank
}

// refundProblem: money that was paid into a virtual account is refunded, not cancelled, and needs an account
// to go to (cancel §4).
func refundProblem(f cancelForm, names smartro.RefundFields) string {
	_, known := smartro.BankName(f.bank)
	switch {
	case f.bank == "" || f.account == "" || f.holder == "":
		return fmt.Sprintf("입금된 가상계좌는 환불 계좌가 필요합니다 (%s, %s, %s)", names.Bank, names.Number, names.Holder)
	case len(f.bank) != 3 || !known:
		return names.Bank + "는 은행 코드 3자리입니다"
	case !onlyDigits(f.account) || len(f.account) > 16:
		return names.Number + "는 숫자 16자리 이하입니다"
	case smartro.EUCKR.Len(f.holder) > 10:
		return names.Holder + "은 EUC-KR 10 byte 이하입니다"
	}
	return ""
}

func (g *Gateway) newCancel(v *view, p payment, f cancelForm, amt smartro.Won) (cancelling, error) {
	c := cancelling{TID: p.TID, Amt: amt, Part: f.part == "1", Code: codeCancelled, Reason: f.reason, Num: randomDigits(8), At: g.now()}
	if p.Method == smartro.Bank || p.Method == smartro.Vbank && p.State != waiting {
		c.Code = codeRefunded
	}
	if p.Method == smartro.Vbank && p.State != waiting {
		c.To = f.bank + " ****" + f.account[max(len(f.account)-4, 0):]
	}
	if acquired(p.DecidedAt, c.At) == cancelAfter && p.Method == smartro.Card {
		c.Num = "" // after acquisition nobody is asked, so there is no number (cancel §3)
	}
	if c.Part {
		tid, err := v.mint(string(p.TID[:14]), c.At)
		if err != nil {
			return c, err
		}
		c.TID = tid
	}
	return c, nil
}

// misbehave answers what has happened in the first of the wrong ways that is ordered: never, with 500, with garbage or
// late. false: answer properly.
func (g *Gateway) misbehave(w http.ResponseWriter, r *http.Request, never, status500, garbage, late fault) bool {
	name, order, ok := g.faults.takeFirst(never, status500, garbage, late)
	if !ok {
		return false
	}
	switch name {
	case never:
		select {
		case <-r.Context().Done():
		case <-g.released:
		}
		panic(http.ErrAbortHandler)
	case status500:
		http.Error(w, "<html><body><h1>500 Internal Server Error</h1></body></html>", http.StatusInternalServerError)
		return true
	case garbage:
		w.Header().Set("Content-Type", "text/html; charset=EUC-KR")
		_, _ = w.Write([]byte("\xc3\x00\xff<html><!-- \xb0\xa1 Resu"))
		return true
	}
	t := time.NewTimer(order.Delay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	case <-g.released:
	}
	return false
}

// answerCancel writes one line of k=v, with white space around it and Hangul as EUC-KR percent text.
func (g *Gateway) answerCancel(w http.ResponseWriter, a cancelAnswer) {
	at, ptid := a.done.At, smartro.TID("")
	date, clock := "", ""
	if !at.IsZero() {
		date, clock = at.In(kst()).Format("20060102"), at.In(kst()).Format("150405")
	}
	if a.done.Part {
		ptid = a.done.TID
	}
	fields := newFields(
		"PayMethod", string(a.payment.Method), "PayName", methodName(a.payment.Method), "MID", string(g.cfg.MID), "TID", a.form.tid,
		"Moid", a.payment.Moid, "CancelAmt", a.done.Amt.String(), "CancelMSG", a.form.reason, "ResultCode", a.code, "ResultMsg", a.text,
		"CancelDate", date, "CancelTime", clock, "CancelNum", a.done.Num, "PTID", string(ptid),
	)
	pairs := make([]string, len(fields))
	for i, f := range fields {
		if f.Name == "TID" {
			f.Value = url.QueryEscape(f.Value) // it came from outside and may be anything
		} else {
			f.Value = percentText(f.Value, smartro.EUCKR)
		}
		pairs[i] = f.Name + "=" + f.Value
	}
	w.Header().Set("Content-Type", "text/html; charset=EUC-KR")
	_, _ = io.WriteString(w, "\r\n\r\n"+strings.Join(pairs, "&")+"\r\n")
}

func methodName(m smartro.Method) string {
	switch m {
	case smartro.Card:
		return "신용카드"
	case smartro.CardBill:
		return "정기결제 카드"
	case smartro.Bank:
		return "계좌이체"
	case smartro.Vbank:
		return "가상계좌"
	case smartro.Cellphone:
		return "휴대폰"
	case smartro.CLGift:
		return "문화상품권"
	case smartro.Kakao:
		return "카카오페이"
	case smartro.Toss:
		return "토스"
	}
	return ""
}
