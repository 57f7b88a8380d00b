package app

import (
	"strings"
	"time"
)

// HoldReason is why money is kept apart.
type HoldReason string

// The reasons of the failure model.
const (
	HoldAmount      HoldReason = "amount"       // another amount than ordered
	HoldDuplicate   HoldReason = "duplicate"    // the order is paid already, or the TID is another payment's
	HoldLate        HoldReason = "late"         // deposited after the due date
	HoldFormChanged HoldReason = "form_changed" // method, MID, goods, customer or return token is not what our form said
	HoldUnknownCode HoldReason = "unknown_code" // a code that we can't read, from the gateway itself
	HoldUnknown     HoldReason = "unknown"      // no order of ours
	HoldAfterCancel HoldReason = "money_after_cancel"
	HoldReview      HoldReason = "review" // two readings are possible: a person decides
)

// holdReasons are all of them.
var holdReasons = []HoldReason{
	HoldAmount, HoldDuplicate, HoldLate, HoldFormChanged, HoldUnknownCode, HoldUnknown, HoldAfterCancel, HoldReview,
}

// Hold is money, or a message about money, that fits nowhere: a person decides.
// When a payment itself is held its Moid is set and Own is true: it is then cancelled or accepted as that payment.
type Hold struct {
	ID        string // see holdID
	Reason    HoldReason
	OrderNo   OrderNo // empty: unknown
	Moid      Moid    // as the gateway said it; may be no payment of ours
	Own       bool    // the payment Moid is in state hold because of this
	MID       MID
	Mode      Mode
	TID       TID
	Amount    Won
	MessageID string
	CreatedAt time.Time
	ClosedAt  time.Time // zero: open
	ClosedBy  string    // staff ID; empty: nobody, all of the money went back
	Note      string    // what was done about it
}

// holdID names a hold by what it is about: the effect, or what a list said. Told again it is the same hold, whether it is
// still open or was closed; another deposit into the same account is another.
func holdID(about ...string) string { return digest([]byte(strings.Join(about, "\x00")))[:32] }

// Open says whether a person still has to decide.
func (h Hold) Open() bool { return h.ClosedAt.IsZero() }
