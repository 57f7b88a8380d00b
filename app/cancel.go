package app

import (
	"strings"
	"time"

	"gage/smartro"
)

// CancelState is how far money on its way back has come.
type CancelState string

// The states of a cancel. requested and sent may be found after a crash: sent without an answer becomes unknown.
const (
	CancelStateRequested CancelState = "requested" // amount set aside, nothing sent
	CancelStateSent      CancelState = "sent"      // the call is on its way
	CancelStateDone      CancelState = "done"
	CancelStateAccepted  CancelState = "accepted" // the gateway took it, the payout follows
	CancelStateRefused   CancelState = "refused"
	CancelStateUnknown   CancelState = "unknown" // no readable answer: the amount stays set aside
)

// OwnCode says why nothing is known of the gateway's answer. With a mark before it, it stands where the gateway's code
// stands; the text beside it is for the log.
type OwnCode string

// The codes of our own.
const (
	NotSent     OwnCode = "not_sent"     // the call never left
	NoAnswer    OwnCode = "no_answer"    // none came in time
	Unreadable  OwnCode = "unreadable"   // one came that can't be read
	OtherAmount OwnCode = "other_amount" // it speaks of another amount
	NotThere    OwnCode = "not_there"    // the gateway's own record does not show it
	TooLate     OwnCode = "too_late"     // due so long ago that nobody expects it any more
	Withdrawn   OwnCode = "withdrawn"    // the subscription was stopped or paused before
	NoCard      OwnCode = "no_card"      // its billing key is gone

	LostInRestore OwnCode = "lost_in_restore" // it may have happened after the backup was made
)

const ownMark = "gage."

// Code is how c stands among the gateway's codes, none of which has a dot.
func (c OwnCode) Code() string { return ownMark + string(c) }

// ReadOwnCode tells a code of our own from the gateway's.
func ReadOwnCode(code string) (OwnCode, bool) {
	own, ok := strings.CutPrefix(code, ownMark)
	return OwnCode(own), ok
}

// Open says whether the outcome is still to come: the amount is set aside and no other cancel may start.
func (s CancelState) Open() bool {
	return s == CancelStateRequested || s == CancelStateSent || s == CancelStateUnknown || s == CancelStateAccepted
}

// granted is what it means that the gateway took the cancel: done, but for a refund to an account, which it only took
// on. That one is done when the gateway says that it paid out, days later maybe.
func (c Cancel) granted() EventKind {
	if c.ToAccount {
		return CancelAccepted
	}
	return CancelDone
}

// withdraws says that c was asked for while p was an account without a deposit: the gateway closes the account, and
// takes no such call once money came. What went back of a deposit is another cancel.
func (c Cancel) withdraws(p Payment) bool {
	return p.Method == smartro.Vbank && !c.ToAccount && !c.External
}

// Cancel is money on its way back to the buyer.
type Cancel struct {
	ID         string // one-time key of the form that asked for it
	OrderNo    OrderNo
	Moid       Moid
	TID        TID // the approval's
	Amount     Won
	Whole      bool // everything that was approved, in one
	Reason     string
	By         string // staff ID; empty: made at the gateway's own site
	External   bool   // made at the gateway's own site, known by its notice
	State      CancelState
	ToAccount  bool   // a deposit that is paid back to the buyer's account; it stays when the account is forgotten
	RefundBank string // bank code, for a paid virtual account; these three are forgotten 30 days after the refund
	RefundAcct string // digits
	RefundName string
	ResultCode string
	ResultMsg  string
	CancelNum  string
	PTID       TID // the partial cancel's own
	Noticed    bool
	Sends      int // calls made: more than one only for a whole cancel sent again by a person
	CreatedAt  time.Time
	SentAt     time.Time
	SettledAt  time.Time
	SettledBy  string    // how: answer, notice, inquiry, or a staff ID
	GatewayAt  time.Time // when it happened, by the gateway's own clock; zero: it did not say
}
