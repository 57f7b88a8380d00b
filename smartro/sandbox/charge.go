package sandbox

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"

	"gage/smartro"
)

// chargeAnswer is what a charge is answered with; payment is zero unless something of it is known.
type chargeAnswer struct {
	code, text string
	fields     map[string]string
	payment    payment
	key        smartro.BillingKey
}

// charge handles billPayTrans.jsp: everything in the query as the gateway's sample has it, or the body of a form.
func (g *Gateway) charge(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		g.refuse(w, r, nil, refusal{
			status: http.StatusMethodNotAllowed, Title: "잘못된 호출 방식", Field: "method", Got: r.Method, Want: "POST",
			Why: "정기결제 승인은 상점 서버가 POST로 부릅니다.",
		})
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "정기결제 요청이 너무 큽니다.", http.StatusRequestEntityTooLarge)
		return
	}
	a := g.readCharge(string(body), r.URL.RawQuery)
	if a.code == "" {
		if err := g.chargeCard(&a); err != nil {
			g.fail(w, err)
			return
		}
	}
	g.cfg.Log.Info("charge", "tid", a.payment.TID, "code", a.code, "won", int64(a.payment.Amt))
	if a.payment.TID != "" {
		g.wakeSender()
		if g.misbehave(w, r, chargeNever, charge500, chargeGarbage, chargeDelay) {
			return
		}
	}
	g.answerCharge(w, a)
}

// refused refuses with one of [OwnCodes], the field and the reason.
func (a *chargeAnswer) refused(g *Gateway, own, field, why string) {
	if a.code == "" {
		a.code, a.text = g.code(own), field+": "+why+ownCode
	}
}

// readCharge reads a request; a.code is set when it can't be, or when a field is missing or wrong (billing §2).
func (g *Gateway) readCharge(body, query string) chargeAnswer {
	a := chargeAnswer{fields: map[string]string{}}
	source := body
	if !strings.Contains(source, "=") {
		source = query
	}
	came, ok := splitForm(source)
	if !ok {
		a.refused(g, "SB50", "form", "퍼센트 인코딩 오류")
		return a
	}
	lengths := map[string]int{}
	for _, f := range came {
		if _, twice := a.fields[f.name]; twice {
			a.refused(g, "SB50", f.name, "항목 중복")
		}
		text, problem := decodeText(f.raw, smartro.EUCKR, false)
		if problem != fine {
			a.refused(g, "SB50", f.name, "EUC-KR이 아닙니다")
		}
		a.fields[f.name], lengths[f.name] = text, len(f.raw)
	}
	for _, r := range chargeRules() {
		v := a.fields[r.name]
		switch {
		case v == "" && r.need == always:
			a.refused(g, "SB51", r.name, "필수 항목 누락")
		case v != "" && lengths[r.name] > r.max:
			a.refused(g, "SB51", r.name, fmt.Sprintf("%d byte 이하", r.max))
		case v != "" && r.check != nil && r.check(v) != "":
			a.refused(g, "SB51", r.name, r.check(v))
		}
	}
	if got := a.fields["MID"]; got != string(g.cfg.MID) {
		a.refused(g, "SB51", "MID", "등록되지 않은 상점 ID입니다")
	}
	return a
}

// chargeRules are the fields of a charge; those that are required are what the sample always sends.
func chargeRules() []rule {
	return []rule{
		{name: "PayMethod", max: 10, need: always, check: oneOf(string(smartro.CardBill))},
		{name: "ediDate", max: 14, need: always, check: ediDate},
		{name: "GoodsCnt", max: 2, need: always, check: positiveDigits},
		{name: "GoodsName", max: 80, need: always},
		{name: "Amt", max: 12, need: always, check: positiveDigits},
		{name: "Moid", max: 64, need: always, check: moid},
		{name: "MID", max: 10, need: always, check: mid},
		{name: "BL_TID", max: 500, need: always},
		{name: "CardQuota", max: 2, need: always, check: quota},
		{name: "ChannelType", max: 3, check: oneOf("WBL")},
		{name: "VERIFY_V", max: 44, need: always},
		{name: "MallIP", max: 20, check: ipAddress},
		{name: "UserIP", max: 20, check: ipAddress},
		{name: "MallReserved", max: 500, check: reserved},
		{name: "MallUserID", max: 10, need: always},
		{name: "BuyerName", max: 30},
		{name: "BuyerTel", max: 40, check: phone},
		{name: "BuyerEmail", max: 60, check: email},
		{name: "BillKeyMode", max: 1, check: oneOf("0", "1")},
		{name: "CardPoint", max: 1, check: oneOf("0", "1")},
	}
}

// chargeCard checks the hash and the key, takes the money and queues the notification. err is a fault of our own.
func (g *Gateway) chargeCard(a *chargeAnswer) error {
	f := a.fields
	amt, err := smartro.ParseWon(f["Amt"])
	if err != nil {
		return err // reported by its rule
	}
	a.key = smartro.BillingKey(g.openKey(f["BL_TID"], f["BillKeyMode"]))
	if !smartro.EqualHash(f["VERIFY_V"], smartro.VerifyV(g.cfg.Hash, g.cfg.MID, g.key(), f["ediDate"], amt, a.key)) {
		a.refused(g, "SB52", "VERIFY_V", "HASH 유효성 확인 실패 (MID + merchantKey + ediDate + Amt + 빌링키)")
		return nil
	}
	return g.ledger.update(func(v *view) (entry, error) {
		window, ok := v.payments[v.keys[a.key.Reveal()]]
		switch {
		case !ok:
			a.refused(g, "SB53", "BL_TID", "발급되지 않은 빌링키입니다")
			return entry{}, nil
		case window.field("mallUserID") != f["MallUserID"]:
			a.refused(g, "SB53", "MallUserID", "다른 고객에게 발급된 빌링키입니다")
			return entry{}, nil
		}
		if _, refuse := g.faults.take(chargeRefused); refuse {
			a.code, a.text = g.code(codeDeclinedCard), "한도초과"+ownCode
			return entry{}, nil
		}
		p := payment{
			Session: rand.Text(), Method: smartro.Card, Moid: f["Moid"], Charged: true, Amt: amt, OpenedAt: g.now(), DecidedAt: g.now(), State: paid,
			ResultCode: g.approvedCode(smartro.Card), ResultMsg: approvedText(smartro.Card), AuthCode: randomDigits(8),
			Paid: paidWith{CardCode: window.Paid.CardCode, CardNum: window.Paid.CardNum, AcquirerCode: window.Paid.AcquirerCode, Quota: f["CardQuota"]},
		}
		for _, r := range chargeRules() {
			if v := f[r.name]; v != "" && r.name != "BL_TID" && r.name != "VERIFY_V" {
				p.Fields = append(p.Fields, smartro.Field{Name: r.name, Value: v})
			}
		}
		if p.TID, err = v.mint(string(g.cfg.MID)+methodCode(smartro.Card)+"01", p.OpenedAt); err != nil {
			return entry{}, err
		}
		a.payment, a.code, a.text = p, p.ResultCode, p.ResultMsg
		return entry{At: p.DecidedAt, Payment: &p, Notices: g.newNotices(v, p, g.approvalNotice(p), p.DecidedAt)}, nil
	})
}

// answerCharge writes the 17 values, texts as EUC-KR percent text.
func (g *Gateway) answerCharge(w http.ResponseWriter, a chargeAnswer) {
	p, f := a.payment, a.fields
	date, sign := "", ""
	if p.TID != "" {
		date = shortTime(p.DecidedAt)
		sign = smartro.VerifyValue(g.cfg.Hash, g.cfg.MID, g.key(), date, p.AuthCode, p.Amt.String(), a.key)
	}
	amt, err := smartro.ParseWon(f["Amt"])
	if err != nil {
		amt = 0 // what is no amount is not sent back as one
	}
	values := []string{
		f["PayMethod"], f["MID"], amt.String(), f["BuyerName"], f["GoodsName"], f["MallUserID"], string(p.TID), f["Moid"], date, p.AuthCode,
		a.code, a.text, f["MallReserved"], p.Paid.CardCode, cardName(p.Paid.CardCode), f["BuyerEmail"], sign,
	}
	for i, v := range values {
		values[i] = percentText(v, smartro.EUCKR)
	}
	w.Header().Set("Content-Type", "text/html; charset=EUC-KR")
	_, _ = io.WriteString(w, "\r\n"+strings.Join(values, "!@#")+"\r\n")
}
