package sandbox

import (
	"time"

	"gage/smartro"
)

// noticeState is where a notification (재통보) stands.
type noticeState string

const (
	noticeWaiting   noticeState = "waiting"   // to be sent at Due
	noticeHeld      noticeState = "held"      // waits for the payment's next one, at most until Due
	noticeDelivered noticeState = "delivered" // the shop answered OK
	noticeGivenUp   noticeState = "given_up"  // it never did
	noticeLost      noticeState = "lost"      // a fault swallowed it
	noticeNowhere   noticeState = "nowhere"   // there was no URL to send it to
)

// notice is one notification with all its tries. A stored value is never changed, only replaced.
type notice struct {
	ID       int64       `json:"id"`
	Seq      int64       `json:"seq"` // order of sending among those that are due
	TID      smartro.TID `json:"tid"` // of the payment
	Code     string      `json:"code"`
	URL      string      `json:"url"`
	ByGET    bool        `json:"by_get,omitempty"`
	Type     string      `json:"type"` // Content-Type, with the charset
	Body     string      `json:"body"` // x-www-form-urlencoded, ASCII
	At       time.Time   `json:"at"`
	Due      time.Time   `json:"due"`
	State    noticeState `json:"state"`
	Fault    fault       `json:"fault,omitempty"`
	Attempts []attempt   `json:"attempts,omitempty"`
}

// attempt is one try of a notification.
type attempt struct {
	At     time.Time `json:"at"`
	Status int       `json:"status,omitempty"` // HTTP; 0: no answer
	Answer string    `json:"answer,omitempty"` // its beginning
	Error  string    `json:"error,omitempty"`
	OK     bool      `json:"ok"`
}

// approvalNotice tells an approval or an issued account.
func (g *Gateway) approvalNotice(p payment) []smartro.Field {
	return g.noticeFields(p, noticeAbout{code: p.ResultCode, text: p.ResultMsg, tid: p.TID, amt: p.Amt, at: p.DecidedAt})
}

// depositNotice tells what came into a virtual account: the TID is that of the issue (weblink §7).
func (g *Gateway) depositNotice(p payment) []smartro.Field {
	return g.noticeFields(p, noticeAbout{
		code: codeDeposited, text: "가상계좌 입금 완료", tid: p.TID, amt: p.Deposited, at: p.DepositedAt,
	})
}

// cancelNotice tells a cancel: OTID is the payment's TID, TID the cancel's own for a part (weblink §7).
func (g *Gateway) cancelNotice(p payment, c cancelling) []smartro.Field {
	text := "취소 성공"
	if c.Code == codeRefunded {
		text = "환불 성공"
	}
	tid := c.TID
	if g.cfg.Unpublished.PartsByOTID {
		tid = p.TID
	}
	return g.noticeFields(p, noticeAbout{
		code: c.Code, text: text, tid: tid, otid: p.TID, amt: c.Amt, at: c.At, phase: acquired(p.DecidedAt, c.At), rcptCc: c.Num,
	})
}

// phase is what state_cd tells apart (승인취소구분).
type phase int

const (
	approval     phase = iota
	cancelBefore       // acquisition (매입 전)
	cancelAfter
)

// acquired says whether a cancel came on the Korean day of the approval or later.
func acquired(approved, cancelled time.Time) phase {
	const day = "20060102"
	if approved.In(kst()).Format(day) == cancelled.In(kst()).Format(day) {
		return cancelBefore
	}
	return cancelAfter
}

type noticeAbout struct {
	code, text, rcptCc string
	phase              phase
	tid, otid          smartro.TID
	amt                smartro.Won
	at                 time.Time
}

// noticeFields are the fields of weblink §7, signed, in the kit's order.
func (g *Gateway) noticeFields(p payment, a noticeAbout) []smartro.Field {
	bankOrCard := newFields("fn_cd", "", "fn_name", "")
	switch p.Method {
	case smartro.Card:
		bankOrCard = newFields("fn_cd", p.Paid.CardCode, "fn_name", cardName(p.Paid.CardCode))
	case smartro.Bank, smartro.Vbank:
		bankOrCard = newFields("fn_cd", p.Paid.BankCode, "fn_name", bankName(p.Paid.BankCode))
	}
	if p.Paid.RcptAppNo == "" {
		a.rcptCc = ""
	}
	vbankName := ""
	if p.Paid.VbankNum != "" {
		vbankName = bankName(p.Paid.BankCode)
	}
	sign := g.sign(a.tid, claim{code: a.code, badSign: p.has(badSignature) && a.otid == ""})
	method, user := p.Method, p.field("mallUserID")
	if p.Charged {
		user = p.field("MallUserID")
		if g.cfg.Unpublished.ChargesAsCardBill {
			method = smartro.CardBill
		}
	}
	f := newFields(
		"PayMethod", string(method), "MID", string(g.cfg.MID), "mallUserID", user, "Amt", a.amt.String(),
		"name", p.field("BuyerName"), "GoodsName", p.field("GoodsName"), "TID", string(a.tid), "OTID", string(a.otid), "OID", p.Moid,
		"AuthDate", shortTime(a.at), "AuthCode", p.AuthCode, "ResultCode", a.code, "ResultMsg", a.text, "state_cd", g.cfg.Unpublished.StateCds[a.phase],
	)
	f = append(f, bankOrCard...)
	return append(f, newFields(
		"pinNo", p.Paid.CardNum, "CardQuota", p.Paid.Quota, "CardUsePoint", "", "VbankNum", p.Paid.VbankNum, "VbankName", vbankName,
		"BuyerEmail", p.field("BuyerEmail"), "BuyerTel", p.field("BuyerTel"), "BuyerAuthNum", "", "ReceiptType", p.Paid.ReceiptType,
		"RcptAppNo", p.Paid.RcptAppNo, "RcptCcNo", a.rcptCc, "SignValue", sign,
	)...)
}

// newNotices queues a notification of p, with the faults ordered for it. What an earlier fault held back goes
// behind it. It uses up orders, so what it returns must be stored.
func (g *Gateway) newNotices(v *view, p payment, fields []smartro.Field, at time.Time) []notice {
	n := notice{
		ID: v.lastID + 1, Seq: v.lastSeq + 1, TID: p.TID, Code: fieldOf(fields, "ResultCode"), URL: v.settings.NotifyURL,
		ByGET: v.settings.ByGET, Type: "application/x-www-form-urlencoded; charset=" + v.settings.Charset.Label(),
		Body: string(smartro.EncodeForm(fields, v.settings.Charset)), At: at, Due: at, State: noticeWaiting,
	}
	if n.URL == "" {
		n.URL = p.field("RetryURL")
	}
	if n.URL == "" {
		n.State = noticeNowhere
		return []notice{n}
	}
	list := []notice{n}
	name, order, ordered := g.faults.takeFirst(notifyLost, notifyOutOfOrder, notifyLate, notifyDoubled)
	if ordered {
		list[0].Fault = name
		switch name {
		case notifyLost:
			list[0].State = noticeLost
		case notifyOutOfOrder:
			list[0].State, list[0].Due = noticeHeld, at.Add(order.Delay)
		case notifyLate:
			list[0].Due = at.Add(order.Delay)
		case notifyDoubled:
			twin := list[0]
			twin.ID, twin.Seq = n.ID+1, n.Seq+1
			list = append(list, twin)
		}
	}
	if list[0].State == noticeHeld {
		return list
	}
	seq := list[len(list)-1].Seq
	for id := range v.unsettled {
		if held := v.notices[id]; held.State == noticeHeld && held.TID == p.TID {
			seq++
			held.State, held.Seq, held.Due = noticeWaiting, seq, at
			list = append(list, held)
		}
	}
	return list
}

func fieldOf(fields []smartro.Field, name string) string {
	for _, f := range fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func ids(notices []notice) []int64 {
	list := make([]int64, len(notices))
	for i, n := range notices {
		list[i] = n.ID
	}
	return list
}
