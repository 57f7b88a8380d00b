package sandbox

import (
	"slices"
	"strings"
	"time"

	"gage/smartro"
)

// Result codes that the sandbox gives out. The successes are published (codes §1), the last four are not: see
// [OwnCodes].
const (
	codeIssued    = "4100"
	codeDeposited = "4110"
	codeCancelled = "2001"
	codeRefunded  = "2211"

	codeAbort        = "W034"
	codeDuplicate    = "SB28"
	codeDeclinedCard = "3041"
	codeDeclined     = "SB40"
)

// ownCode marks the text of a code that the gateway does not publish.
const ownCode = " (모의 게이트웨이의 코드)"

func approvedText(m smartro.Method) string {
	switch m {
	case smartro.Card:
		return "카드 결제 성공"
	case smartro.Bank:
		return "계좌이체 결제 성공"
	case smartro.Vbank:
		return "가상계좌 발급 성공"
	case smartro.Cellphone:
		return "휴대폰 결제 성공"
	case smartro.CLGift:
		return "상품권 결제 성공"
	case smartro.Kakao:
		return "카카오페이 결제 성공"
	case smartro.CardBill:
		return "카드 등록 성공"
	}
	return "토스 결제 성공"
}

func declineOf(m smartro.Method) (code, text string) {
	switch m {
	case smartro.Card, smartro.CardBill:
		return codeDeclinedCard, "한도초과" + ownCode
	case smartro.Bank, smartro.Vbank:
		return codeDeclined, "은행 점검시간" + ownCode
	case smartro.Cellphone:
		return codeDeclined, "통신사 한도초과" + ownCode
	}
	return codeDeclined, "잔액부족" + ownCode
}

// claim is what one copy of a result says; faults and duplicates make it differ from the ledger.
type claim struct {
	code, text string
	amt        smartro.Won
	oid        string
	badSign    bool
	duplicate  bool // the window was used up before
}

// tells says whether c is p's approval, whatever a fault made of its amount or order.
func (p payment) tells(c claim) bool { return (p.approved() || p.State == registered) && !c.duplicate }

func (p payment) claim() claim {
	return claim{code: p.ResultCode, text: p.ResultMsg, amt: p.Amt, oid: p.Moid}
}

// resultFields are the fields of the result form (weblink §4), in Unicode.
func (g *Gateway) resultFields(p payment, c claim) []smartro.Field {
	f := newFields(
		"PayMethod", string(p.Method), "MID", string(g.cfg.MID), "TID", string(p.TID), "OID", c.oid, "Amt", c.amt.String(),
		"GoodsName", p.field("GoodsName"), "BuyerName", p.field("BuyerName"), "BuyerTel", p.field("BuyerTel"),
		"BuyerEmail", p.field("BuyerEmail"), "mallUserID", p.field("mallUserID"), "MallReserved", p.field("MallReserved"),
		"ResultCode", c.code, "ResultMsg", c.text,
	)
	success := p.tells(c)
	date, auth := "", ""
	if success {
		date, auth = shortTime(p.DecidedAt), p.AuthCode
	}
	f = append(f, newFields("AuthDate", date, "AuthCode", auth, "SignValue", g.sign(p.TID, c))...)
	if success {
		f = append(f, p.methodFields()...)
	}
	if success && p.State == registered {
		f = append(f, g.keyFields(p)...)
	}
	if p.Device == smartro.PC {
		f = append(f, newFields("TaxCD", p.field("TaxCD"), "SvcAmt", p.field("SvcAmt"), "Tax", p.field("Tax"))...)
	}
	if d := p.field("DivideInfo"); d != "" {
		f = append(f, newFields("DivideInfo", d)...)
	}
	for _, x := range g.unknownFields(p) {
		if !slices.ContainsFunc(f, func(have smartro.Field) bool { return have.Name == x.Name }) {
			f = append(f, x)
		}
	}
	return f
}

func (p payment) methodFields() []smartro.Field {
	switch p.Method {
	case smartro.Card:
		return newFields(
			"fn_cd", p.Paid.CardCode, "fn_name", cardName(p.Paid.CardCode), "CardQuota", p.Paid.Quota,
			"AcquCardCode", p.Paid.AcquirerCode, "AcquCardName", cardName(p.Paid.AcquirerCode),
			"CardUsePoint", "0", "CardNum", p.Paid.CardNum,
		)
	case smartro.Vbank:
		return newFields("VbankNum", p.Paid.VbankNum, "VbankName", bankName(p.Paid.BankCode), "ReceiptType", p.Paid.ReceiptType, "BuyerAuthNum", "")
	case smartro.Bank:
		return newFields("fn_cd", p.Paid.BankCode, "fn_name", bankName(p.Paid.BankCode), "ReceiptType", p.Paid.ReceiptType, "BuyerAuthNum", "")
	}
	return nil
}

// sign is the SignValue of a claim, or a well-formed wrong one.
func (g *Gateway) sign(tid smartro.TID, c claim) string {
	key := g.key()
	if c.badSign {
		key += "x"
	}
	return smartro.SignValue(g.cfg.Hash, tid, c.code, key)
}

// forBrowser writes texts as the request ordered (weblink §4): characters that cs lacks are replaced, and with
// UrlEncode=Y the texts are percent-encoded inside the form, spaces as %20.
func forBrowser(fields []smartro.Field, cs smartro.Charset, percent bool) []smartro.Field {
	out := make([]smartro.Field, len(fields))
	for i, f := range fields {
		b, _ := cs.Encode(f.Value)
		f.Value = cs.Decode(b)
		switch f.Name {
		case "GoodsName", "BuyerName", "ResultMsg", "fn_name", "AcquCardName", "VbankName", "MallReserved":
			if percent {
				f.Value = strings.ReplaceAll(percentText(f.Value, cs), "+", "%20")
			}
		}
		out[i] = f
	}
	return out
}

func newFields(namesAndValues ...string) []smartro.Field {
	f := make([]smartro.Field, 0, len(namesAndValues)/2)
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		f = append(f, smartro.Field{Name: namesAndValues[i], Value: namesAndValues[i+1]})
	}
	return f
}

// shortTime is yyMMddHHmmss, Korean local time, as AuthDate has it.
func shortTime(t time.Time) string { return t.In(kst()).Format("060102150405") }

func cardName(code string) string { n, _ := smartro.CardCompanyName(code); return n }
func bankName(code string) string { n, _ := smartro.BankName(code); return n }
