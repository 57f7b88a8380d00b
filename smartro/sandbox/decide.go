package sandbox

import (
	"context"
	"net/http"

	"gage/smartro"
)

// actOnWindow takes the buyer's button: approve, decline or close.
func (g *Gateway) actOnWindow(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		g.refuse(w, r, nil, refusal{Title: "form을 읽을 수 없습니다", Field: "body", Want: "결제창의 form", Why: "결제창의 단추로만 보낼 수 있습니다."})
		return
	}
	p, ok := g.bySession(r.PostForm.Get("session"))
	if !ok {
		g.refuse(w, r, nil, noWindow())
		return
	}
	if p.decided() {
		g.sendBack(w, p, g.claimAgain(p))
		return
	}
	var with paidWith
	action := r.PostForm.Get("action")
	switch action {
	case "approve":
		var err error
		if with, err = g.chosen(p, r.PostForm); err != nil {
			page := g.newWindowPage(p)
			page.Problem = err.Error()
			g.pages.render(w, http.StatusBadRequest, "window.html", page)
			return
		}
		if !p.skipsResultPage() && r.PostForm.Get("step") != "confirm" {
			page := g.newWindowPage(p)
			page.Chosen = with
			g.pages.render(w, http.StatusOK, "confirm.html", page)
			return
		}
	case "decline", "close":
	default:
		g.refuse(w, r, nil, refusal{Title: "항목 값 오류", Field: "action", Got: action, Want: "approve, decline, close", Why: "결제창의 단추로만 보낼 수 있습니다."})
		return
	}
	g.decide(r.Context(), w, p, action, with)
}

// decide writes the outcome down, queues its notification and sends the browser back. If two posts of one
// window race, the second finds it used up.
func (g *Gateway) decide(ctx context.Context, w http.ResponseWriter, p payment, action string, with paidWith) {
	var first []int64
	again := false
	err := g.ledger.update(func(v *view) (entry, error) {
		p = v.payments[p.TID]
		if again = p.decided(); again {
			return entry{}, nil
		}
		var err error
		if p, err = g.outcome(v, p, action, with); err != nil {
			return entry{}, err
		}
		p.Faults = g.faults.takeAll(returnLost, badSignature, forgedAmount, forgedOrder, wrongCharset)
		e := entry{At: p.DecidedAt, Payment: &p}
		if p.approved() {
			if _, ok := g.faults.take(notifyBeforeReturn); ok {
				p.Faults = append(p.Faults, notifyBeforeReturn)
			}
			e.Notices = g.newNotices(v, p, g.approvalNotice(p), p.DecidedAt)
			first = ids(e.Notices)
		}
		return e, nil
	})
	if err != nil {
		g.fail(w, err)
		return
	}
	if again {
		g.sendBack(w, p, g.claimAgain(p))
		return
	}
	if p.has(notifyBeforeReturn) {
		if _, err := g.deliverThese(ctx, first); err != nil {
			g.cfg.Log.Error("notification before return", "err", err)
		}
	}
	g.wakeSender()
	g.cfg.Log.Info("window decided", "tid", p.TID, "state", string(p.State), "code", p.ResultCode)
	g.sendBack(w, p, p.faultyClaim())
}

// outcome is p after the buyer's action.
func (g *Gateway) outcome(v *view, p payment, action string, with paidWith) (payment, error) {
	p.DecidedAt = g.now()
	switch action {
	case "decline":
		p.State = declined
		p.ResultCode, p.ResultMsg = declineOf(p.Method)
		p.ResultCode = g.code(p.ResultCode)
		return p, nil
	case "close":
		p.State = closed
		p.ResultCode, p.ResultMsg = g.code(codeAbort), "사용자가 결제를 취소했습니다"+ownCode
		return p, nil
	}
	p.ResultCode, p.ResultMsg, p.Paid = g.approvedCode(p.Method), approvedText(p.Method), with
	p.State = paid
	switch p.Method {
	case smartro.CardBill:
		return g.register(v, p)
	case smartro.Card:
		acquirer, _ := smartro.Acquirer(with.CardCode)
		p.Paid.CardNum = inventedCard()
		p.Paid.AcquirerCode = acquirer
	case smartro.Vbank:
		num, err := v.mintAccount(with.BankCode)
		if err != nil {
			return p, err
		}
		p.Paid.VbankNum, p.State = num, waiting
		return p, nil // an account that was issued has no approval number yet
	}
	p.AuthCode = randomDigits(8)
	if p.Paid.ReceiptType == "1" || p.Paid.ReceiptType == "2" {
		p.Paid.RcptAppNo = "Z" + randomDigits(8)
	}
	return p, nil
}

func (p payment) has(f fault) bool {
	for _, have := range p.Faults {
		if have == f {
			return true
		}
	}
	return false
}

// faultyClaim is what the browser is told, with the faults that were ordered.
func (p payment) faultyClaim() claim {
	c := p.claim()
	c.badSign = p.has(badSignature)
	if p.has(forgedAmount) {
		c.amt = max(c.amt/10, 1)
		if c.amt == p.Amt {
			c.amt++
		}
	}
	if p.has(forgedOrder) {
		c.oid = forgedOID(p.Moid)
	}
	return c
}

// forgedOID is another order number of the same length.
func forgedOID(moid string) string {
	last := moid[len(moid)-1]
	if last == '9' {
		return moid[:len(moid)-1] + "8"
	}
	return moid[:len(moid)-1] + "9"
}

// claimAgain answers a window that was used up: after an approval the same TID is a duplicate, which does
// not cancel the first (guide 6.28); after a failure it is that failure.
func (g *Gateway) claimAgain(p payment) claim {
	c := p.claim()
	if p.approved() || p.State == registered {
		c.code, c.text, c.duplicate = g.code(codeDuplicate), "승인 TID 중복"+ownCode, true
	}
	return c
}

// backPage is the self-posting form tranMgr.
type backPage struct {
	payment
	Charset   string // as accept-charset wants it
	Action    string
	Fields    []smartro.Field
	Auto      bool // post at once
	Claim     claimView
	Duplicate bool
}

type claimView struct {
	Code, Text string
	Good       bool
}

// sendBack answers the page that takes the browser back to the shop: ReturnURL, or StopURL after the buyer
// closed the mobile window.
func (g *Gateway) sendBack(w http.ResponseWriter, p payment, c claim) {
	cs := p.charset()
	if p.has(wrongCharset) {
		cs = otherCharsetOf(cs)
	}
	page := backPage{
		payment: p, Charset: cs.Label(), Action: p.field("ReturnURL"), Auto: p.skipsResultPage() || p.State == closed,
		Fields:    forBrowser(g.resultFields(p, c), cs, p.percentTexts()),
		Claim:     claimView{c.code, c.text, p.tells(c)},
		Duplicate: c.duplicate,
	}
	if p.Device == smartro.Mobile && p.State == closed {
		page.Action, page.Fields = p.field("StopURL"), g.stopFields(p)
	}
	if p.has(returnLost) && !page.Duplicate {
		g.pages.render(w, http.StatusOK, "lost.html", page)
		return
	}
	g.pages.render(w, http.StatusOK, "back.html", page)
}

func otherCharsetOf(cs smartro.Charset) smartro.Charset {
	if cs == smartro.UTF8 {
		return smartro.EUCKR
	}
	return smartro.UTF8
}
