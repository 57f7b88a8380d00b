package sandbox

import (
	"crypto/md5" // VerifyValue of the billing answer; nothing else here may use it
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"gage/smartro"
)

// cashReceipt is a cash receipt that was issued by its own call (cash-receipt §2). One that a buyer asked for in the
// window is part of its payment.
type cashReceipt struct {
	TID         smartro.TID                `json:"tid"`
	Moid        string                     `json:"moid"`
	Purpose     smartro.CashReceiptPurpose `json:"purpose"`
	Identity    string                     `json:"identity"` // masked: the sandbox keeps nobody's number
	Amt         smartro.Won                `json:"amt"`
	Supply      smartro.Won                `json:"supply"`
	VAT         smartro.Won                `json:"vat"`
	Service     smartro.Won                `json:"service"`
	GoodsName   string                     `json:"goods"`
	BuyerName   string                     `json:"buyer,omitempty"`
	Number      string                     `json:"number"` // RcptAppNo
	IssuedAt    time.Time                  `json:"issued_at"`
	Cancelled   *cancelling                `json:"cancelled,omitempty"`
	CancelledNo string                     `json:"cancel_number,omitempty"` // RcptCcNo
}

// asPayment is the receipt in the words of the slip, the cancel and the notification.
func (c cashReceipt) asPayment(method string) payment {
	p := payment{
		TID: c.TID, Method: smartro.Method(method), Moid: c.Moid, Amt: c.Amt, State: paid, DecidedAt: c.IssuedAt, OpenedAt: c.IssuedAt,
		Fields: newFields("GoodsName", c.GoodsName, "BuyerName", c.BuyerName, "TaxCD", "2", "Tax", c.VAT.String(), "SvcAmt", c.Service.String()),
		Paid:   paidWith{ReceiptType: string(c.Purpose), RcptAppNo: c.Number}, AuthCode: c.Number,
	}
	if c.Cancelled != nil {
		p = p.withCancel(*c.Cancelled)
	}
	return p
}

// Live says whether the receipt still stands.
func (c cashReceipt) Live() bool { return c.Cancelled == nil }

// issue handles the stand-alone call: the fields in the query, or in the body.
func (g *Gateway) issueCashReceipt(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		g.refuse(w, r, nil, refusal{
			status: http.StatusMethodNotAllowed, Title: "잘못된 호출 방식", Field: "method", Got: r.Method, Want: "POST",
			Why: "현금영수증은 상점 서버가 POST로 요청합니다.",
		})
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "현금영수증 요청이 너무 큽니다.", http.StatusRequestEntityTooLarge)
		return
	}
	source := string(body)
	if !strings.Contains(source, "=") {
		source = r.URL.RawQuery
	}
	q, refused := g.readCashReceipt(source)
	if refused == nil {
		refused = g.checkCashReceipt(q)
	}
	if _, ordered := g.faults.take(receiptRefused); ordered && refused == nil {
		refused = &receiptRefusal{"SB65", "국세청 점검 중"}
	}
	if refused != nil {
		g.answerCashReceipt(w, q, cashReceipt{}, g.code(refused.code), refused.text+ownCode)
		return
	}
	c, err := g.storeCashReceipt(q)
	if err != nil {
		g.fail(w, err)
		return
	}
	g.cfg.Log.Info("cash receipt", "tid", c.TID, "won", int64(c.Amt)) // never whom it is for
	g.wakeSender()
	if g.misbehave(w, r, receiptNever, receipt500, receiptGarbage, receiptDelay) {
		return
	}
	g.answerCashReceipt(w, q, c, g.cfg.Unpublished.cashReceipt().Success[0], "현금영수증 발급 성공")
}

// receiptQuery is a request as it came, by the names of the reference.
type receiptQuery map[string]string

// receiptRefusal is one of [OwnCodes] and the reason, naming the field.
type receiptRefusal struct{ code, text string }

// readCashReceipt decodes a request strictly: EUC-KR, each field once.
func (g *Gateway) readCashReceipt(source string) (receiptQuery, *receiptRefusal) {
	q := receiptQuery{}
	raw, ok := splitForm(source)
	if !ok {
		return q, &receiptRefusal{"SB60", "퍼센트 인코딩 오류"}
	}
	ours := map[string]string{}
	for name, theirs := range g.cfg.Unpublished.CashReceipt.Names {
		ours[theirs] = name
	}
	for _, f := range raw {
		name := f.name
		if n, ok := ours[name]; ok {
			name = n
		}
		if _, twice := q[name]; twice {
			return q, &receiptRefusal{"SB60", name + " 항목 중복"}
		}
		value, problem := decodeText(f.raw, smartro.EUCKR, true)
		if problem != fine {
			return q, &receiptRefusal{"SB60", name + ": EUC-KR이 아닙니다"}
		}
		q[name] = value
	}
	return q, nil
}

// receiptFields are the fields that must be there, each with the most bytes that it may have.
func receiptFields() []rule {
	return []rule{
		{name: "PayMethod", max: 10}, {name: "ediDate", max: 14, check: ediDate}, {name: "GoodsCnt", max: 2, check: positiveDigits},
		{name: "GoodsName", max: 80}, {name: "Amt", max: 12, check: positiveDigits}, {name: "Moid", max: 64, check: moid}, {name: "MID", max: 10, check: mid},
		{name: "ChannelType", max: 3}, {name: "VERIFY_V", max: 44}, {name: "CashReceiptType", max: 1, check: oneOf("1", "2", "3")},
		{name: "ReceiptIdentity", max: 19, check: anyDigits}, {name: "ReceiptAmt", max: 12, check: positiveDigits},
		{name: "ReceiptSupplyAmt", max: 12, check: anyDigits}, {name: "ReceiptVAT", max: 12, check: anyDigits}, {name: "ReceiptServiceAmt", max: 12, check: anyDigits},
	}
}

// checkCashReceipt judges field by field, then merchant, hash, sums and number.
func (g *Gateway) checkCashReceipt(q receiptQuery) *receiptRefusal {
	spec := g.cfg.Unpublished.cashReceipt()
	for _, r := range receiptFields() {
		v := q[r.name]
		switch {
		case v == "":
			return &receiptRefusal{"SB60", r.name + " 항목이 없습니다"}
		case smartro.EUCKR.Len(v) > r.max:
			return &receiptRefusal{"SB60", fmt.Sprintf("%s: EUC-KR %d byte 이하", r.name, r.max)}
		case r.check != nil && r.check(v) != "":
			return &receiptRefusal{"SB60", r.name + ": " + r.check(v)}
		}
	}
	switch {
	case q["PayMethod"] != spec.PayMethod:
		return &receiptRefusal{"SB60", "PayMethod: " + spec.PayMethod}
	case q["MID"] != string(g.cfg.MID):
		return &receiptRefusal{"SB60", "MID: 이 상점은 " + string(g.cfg.MID) + "입니다"}
	}
	var fields []smartro.Field
	for name, v := range q {
		fields = append(fields, smartro.Field{Name: name, Value: v})
	}
	if !smartro.EqualHash(q["VERIFY_V"], g.cfg.Unpublished.CashReceipt.VerifyValue(fields, g.key())) {
		return &receiptRefusal{"SB61", "HASH 유효성 확인 실패 (VERIFY_V = " + strings.Join(spec.VerifyOver, "+") + ")"}
	}
	if c, err := q.receipt(); err != nil || c.Supply+c.VAT+c.Service != c.Amt || q["ReceiptAmt"] != q["Amt"] {
		return &receiptRefusal{"SB62", "ReceiptSupplyAmt + ReceiptVAT + ReceiptServiceAmt = ReceiptAmt = Amt 이어야 합니다"}
	}
	if _, err := smartro.ParseIdentity(smartro.CashReceiptPurpose(q["CashReceiptType"]), q["ReceiptIdentity"]); err != nil {
		return &receiptRefusal{"SB63", "ReceiptIdentity가 CashReceiptType에 맞는 번호가 아닙니다"}
	}
	return nil
}

// receipt reads the sums.
func (q receiptQuery) receipt() (cashReceipt, error) {
	c := cashReceipt{Moid: q["Moid"], Purpose: smartro.CashReceiptPurpose(q["CashReceiptType"]), GoodsName: q["GoodsName"], BuyerName: q["BuyerName"]}
	c.Identity = smartro.Identity{Secret: smartro.Secret(q["ReceiptIdentity"])}.Masked()
	var errs []error
	for name, to := range map[string]*smartro.Won{"Amt": &c.Amt, "ReceiptSupplyAmt": &c.Supply, "ReceiptVAT": &c.VAT, "ReceiptServiceAmt": &c.Service} {
		w, err := smartro.ParseWon(q[name])
		*to, errs = w, append(errs, err)
	}
	return c, errors.Join(errs...)
}

// storeCashReceipt writes the receipt down and queues its notification, 7001.
func (g *Gateway) storeCashReceipt(q receiptQuery) (cashReceipt, error) {
	c, err := q.receipt()
	if err != nil {
		return c, err
	}
	spec := g.cfg.Unpublished.cashReceipt()
	c.IssuedAt, c.Number = g.now(), "Z"+randomDigits(8)
	err = g.ledger.update(func(v *view) (entry, error) {
		if c.TID, err = v.mint(string(g.cfg.MID)+receiptMethodCode+"01", c.IssuedAt); err != nil {
			return entry{}, err
		}
		p := c.asPayment(spec.PayMethod)
		about := noticeAbout{code: "7001", text: "현금영수증 발급", tid: c.TID, amt: c.Amt, at: c.IssuedAt}
		return entry{At: c.IssuedAt, CashReceipt: &c, Notices: g.newNotices(v, p, g.noticeFields(p, about), c.IssuedAt)}, nil
	})
	return c, err
}

// receiptMethodCode is TID[10:12] of a receipt, the sister platform's.
const receiptMethodCode = "04"

// answerCashReceipt writes the values that the contract names, in its order, joined by "!@#" (billing §2).
func (g *Gateway) answerCashReceipt(w http.ResponseWriter, q receiptQuery, c cashReceipt, code, text string) {
	at := ""
	if !c.IssuedAt.IsZero() {
		at = shortTime(c.IssuedAt)
	}
	x := md5.Sum([]byte(string(g.cfg.MID) + g.key().Reveal() + at + c.Number + q["Amt"]))
	say := map[string]string{
		"PayMethod": q["PayMethod"], "MID": string(g.cfg.MID), "Amt": q["Amt"], "Name": q["BuyerName"], "GoodsName": q["GoodsName"],
		"mallUserID": q["MallUserID"], "TID": string(c.TID), "OID": q["Moid"], "AuthDate": at, "AuthCode": c.Number, "ResultCode": code, "ResultMsg": text,
		"MallReserved": q["MallReserved"], "BuyerEmail": q["BuyerEmail"], "VerifyValue": base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(x[:]))),
	}
	var values []string
	for _, name := range g.cfg.Unpublished.cashReceipt().Answer {
		values = append(values, percentText(say[name], smartro.EUCKR))
	}
	w.Header().Set("Content-Type", "text/html; charset=EUC-KR")
	_, _ = io.WriteString(w, strings.Join(values, "!@#")+"\r\n")
}

// cancelReceipt takes a receipt back, whole (cash-receipt §2): the checks of a payment's cancel, and no part.
func (g *Gateway) cancelReceipt(v *view, c cashReceipt, f cancelForm) (cancelAnswer, entry, error) {
	p := c.asPayment(g.cfg.Unpublished.cashReceipt().PayMethod)
	amt, refused := g.checkCancel(p, f)
	if refused == nil && f.part == "1" {
		a := g.refusedCancel("SB64", "현금영수증은 전체만 취소합니다")
		refused = &a
	}
	if refused != nil {
		refused.payment = p
		return *refused, entry{}, nil
	}
	done, err := g.newCancel(v, p, f, amt)
	if err != nil {
		return cancelAnswer{}, entry{}, err
	}
	c.Cancelled, c.CancelledNo = &done, done.Num
	p = c.asPayment(string(p.Method))
	return cancelAnswer{code: done.Code, text: "취소 성공", payment: p, done: done},
		entry{At: done.At, CashReceipt: &c, Notices: g.newNotices(v, p, g.cancelNotice(p, done), done.At)}, nil
}

// receiptByTID finds a receipt of its own, in the words of a payment's slip.
func (g *Gateway) receiptByTID(tid string) (p payment, ok bool) {
	g.ledger.read(func(v *view) {
		var c cashReceipt
		if c, ok = v.receipts[smartro.TID(tid)]; ok {
			p = c.asPayment(g.cfg.Unpublished.cashReceipt().PayMethod)
		}
	})
	return p, ok
}

// cashReceipts are those that were issued by a call, newest first; limit 0 means all.
func (v *view) cashReceipts(limit int) []cashReceipt {
	list := []cashReceipt{}
	for _, tid := range slices.Backward(v.receiptOrder) {
		if limit > 0 && len(list) == limit {
			break
		}
		list = append(list, v.receipts[tid])
	}
	return list
}
