package sandbox

import (
	"slices"
	"time"

	"gage/smartro"
)

// state is where a payment stands at the simulated gateway.
type state string

const (
	opened          state = "opened"           // the window is open, nothing decided
	waiting         state = "waiting"          // virtual account issued, no deposit yet
	paid            state = "paid"             // approved, or deposited
	declined        state = "declined"         // refused by the card company or bank
	closed          state = "closed"           // the buyer gave up
	registered      state = "registered"       // a card for recurring payments: no money moved
	partlyCancelled state = "partly_cancelled" // some of it went back
	cancelled       state = "cancelled"        // all of it went back
	withdrawn       state = "withdrawn"        // virtual account taken back before a deposit
)

// payment is one opening of the window, with all that became of it. A stored value is never changed: a
// change makes a copy, and the ledger keeps the last one.
type payment struct {
	TID      smartro.TID     `json:"tid"`
	Session  string          `json:"session"` // names the window to the browser: nobody else can press its buttons
	Device   smartro.Device  `json:"device"`
	Method   smartro.Method  `json:"method"`
	Moid     string          `json:"moid"`
	Charged  bool            `json:"charged,omitempty"` // by a billing key, without a window
	Amt      smartro.Won     `json:"amt"`
	Fields   []smartro.Field `json:"fields"` // the request as decoded, without EncryptData
	Warnings []string        `json:"warnings,omitempty"`
	OpenedAt time.Time       `json:"opened_at"`

	State      state     `json:"state"`
	DecidedAt  time.Time `json:"decided_at,omitzero"`
	ResultCode string    `json:"result_code,omitempty"`
	ResultMsg  string    `json:"result_msg,omitempty"`
	AuthCode   string    `json:"auth_code,omitempty"`
	Paid       paidWith  `json:"paid_with,omitzero"`

	Deposited   smartro.Won  `json:"deposited,omitempty"` // what came into the virtual account
	DepositedAt time.Time    `json:"deposited_at,omitzero"`
	Cancels     []cancelling `json:"cancels,omitempty"`
	Faults      []fault      `json:"faults,omitempty"` // what was ordered to go wrong with it
}

// paidWith is what the buyer chose in the window.
type paidWith struct {
	CardCode     string `json:"card_code,omitempty"`
	CardNum      string `json:"card_num,omitempty"` // masked, invented
	Quota        string `json:"quota,omitempty"`
	AcquirerCode string `json:"acquirer_code,omitempty"`
	BankCode     string `json:"bank_code,omitempty"`
	VbankNum     string `json:"vbank_num,omitempty"`
	Carrier      string `json:"carrier,omitempty"`
	Funding      string `json:"funding,omitempty"` // of a wallet: money or card
	ReceiptType  string `json:"receipt_type,omitempty"`
	RcptAppNo    string `json:"rcpt_app_no,omitempty"`
	BillingKey   string `json:"billing_key,omitempty"` // that the window issued
}

// cancelling is one accepted cancel (취소) or refund (환불).
type cancelling struct {
	TID    smartro.TID `json:"tid"` // the payment's, or a partial cancel's own
	Amt    smartro.Won `json:"amt"`
	Part   bool        `json:"part"`
	Code   string      `json:"code"` // 2001 or 2211
	Reason string      `json:"reason,omitempty"`
	Num    string      `json:"num"`
	At     time.Time   `json:"at"`
	To     string      `json:"to,omitempty"` // refund account, masked
}

// field is a field of the request, empty when it was not sent.
func (p payment) field(name string) string {
	for _, f := range p.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// came is the money that reached the shop.
func (p payment) came() smartro.Won {
	switch {
	case !p.approved():
		return 0
	case p.Method == smartro.Vbank:
		return p.Deposited
	}
	return p.Amt
}

// balance is what can still be cancelled, in won. Of a virtual account that waits it is the amount asked for.
func (p payment) balance() smartro.Won {
	if p.State == waiting {
		return p.Amt
	}
	left := p.came()
	for _, c := range p.Cancels {
		left -= c.Amt
	}
	return max(left, 0)
}

// decided says whether the window has been used up.
func (p payment) decided() bool { return p.State != opened }

// approved says whether the buyer's approval went through, whatever was cancelled later.
func (p payment) approved() bool {
	return p.State != opened && p.State != declined && p.State != closed && p.State != registered
}

// withCancel is p after c.
func (p payment) withCancel(c cancelling) payment {
	wasWaiting := p.State == waiting
	p.Cancels = append(slices.Clone(p.Cancels), c)
	switch {
	case wasWaiting:
		p.State = withdrawn
	case p.balance() == 0:
		p.State = cancelled
	default:
		p.State = partlyCancelled
	}
	return p
}

// skipsResultPage says whether the shop asked to be called straight away (MallResultFWD, weblink §2.1).
func (p payment) skipsResultPage() bool { return p.field("MallResultFWD") == "Y" }

// charset is the encoding in which the browser posts the result (weblink §4).
func (p payment) charset() smartro.Charset {
	switch normalEncoding(p.field("EncodingType")) {
	case "utf8":
		return smartro.UTF8
	case "euckr":
		return smartro.EUCKR
	}
	if p.Device == smartro.PC {
		return smartro.EUCKR
	}
	return smartro.UTF8
}

// percentTexts says whether Hangul values are percent-encoded inside the form. The guide's text and its forms
// spell the field differently, so both spellings count.
func (p payment) percentTexts() bool {
	return p.field("UrlEncode") == "Y" || p.field("URLEncode") == "Y"
}

// Form is field under the name that the templates use.
func (p payment) Form(name string) string { return p.field(name) }
