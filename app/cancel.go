package app

import "time"

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

// Open says whether the outcome is still to come: the amount is set aside and no other cancel may start.
func (s CancelState) Open() bool {
	return s == CancelStateRequested || s == CancelStateSent || s == CancelStateUnknown || s == CancelStateAccepted
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
	RefundBank string // bank code, for a paid virtual account
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
	SettledBy  string // how: answer, notice, inquiry, or a staff ID
}
