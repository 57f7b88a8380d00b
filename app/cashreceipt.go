package app

import (
	"errors"
	"log/slog"
	"math/bits"
	"slices"
	"time"

	"gage/smartro"
)

// ReceiptState is how far a cash receipt (현금영수증) has come.
type ReceiptState string

// The states of a cash receipt. What is requested was not sent yet, and is sent by a job if nobody else does; what was sent
// and not answered becomes unknown, and is never sent again. The same goes for its cancel, which is the receipt as a whole.
const (
	ReceiptStateRequested     ReceiptState = "requested"
	ReceiptStateSent          ReceiptState = "sent"
	ReceiptStateUnknown       ReceiptState = "unknown"
	ReceiptStateIssued        ReceiptState = "issued"
	ReceiptStateRefused       ReceiptState = "refused"
	ReceiptStateCancelling    ReceiptState = "cancelling"
	ReceiptStateCancelUnknown ReceiptState = "cancel_unknown"
	ReceiptStateCancelled     ReceiptState = "cancelled"
)

// ReceiptStates lists them in the order in which they come.
func ReceiptStates() []ReceiptState {
	return []ReceiptState{
		ReceiptStateRequested, ReceiptStateSent, ReceiptStateUnknown, ReceiptStateIssued, ReceiptStateRefused, ReceiptStateCancelling,
		ReceiptStateCancelUnknown, ReceiptStateCancelled,
	}
}

// Live says that there is a receipt, or may be one: no other is made for the same payment.
func (s ReceiptState) Live() bool { return s != ReceiptStateRefused && s != ReceiptStateCancelled }

// Open says that something is on its way, or that its outcome is unknown.
func (s ReceiptState) Open() bool { return s.Live() && s != ReceiptStateIssued }

// ReceiptSource is who issued a receipt, which says who takes it back.
type ReceiptSource string

// The sources. What the gateway issued in its window it withdraws with the payment; what our call issued our call takes
// back; what a person issued at the gateway's site a person takes back there.
const (
	ReceiptByCall   ReceiptSource = "call"
	ReceiptByWindow ReceiptSource = "window"
	ReceiptByHand   ReceiptSource = "hand"
)

// ReceiptAmiss is what is wrong about a receipt that stands; empty: nothing.
type ReceiptAmiss string

// What can be wrong.
const (
	ReceiptOrphan ReceiptAmiss = "orphan" // it stands over more than its payment has left
	ReceiptSecond ReceiptAmiss = "second" // the payment has another one
)

// CashReceipt is a cash receipt, of a payment or of money that came at the counter.
type CashReceipt struct {
	ID       string // one-time key of the form that asked for it
	Moid     Moid   // that its call was made under; empty: not by call
	OrderNo  OrderNo
	Payment  Moid // both empty: stand-alone
	MID      MID
	Mode     Mode
	Source   ReceiptSource
	Purpose  smartro.CashReceiptPurpose
	Identity smartro.Identity // whom it is for; empty where only the gateway knows
	Goods    string
	Name     string // of the buyer; may be empty
	Tel      string // digits; may be empty

	// Amount is the whole sum in won: Supply + VAT + Service. TaxFree is part of Supply.
	Amount, Supply, VAT, Service, TaxFree Won

	State        ReceiptState
	Second       bool // beside another live one of the same payment
	Amiss        ReceiptAmiss
	Again        bool   // the program takes it back, to issue it over what is left
	TID          TID    // the receipt's own; one of the window has its payment's, and none here
	Number       string // approval number
	CancelNumber string
	ResultCode   string
	ResultMsg    string
	By           string // staff ID; empty: the program, or the buyer in the window
	CancelBy     string
	Reason       string // why it is taken back
	Sends        int    // calls made to issue it: at most one
	CancelSends  int    // calls made to take it back: more than one only by a person
	CreatedAt    time.Time
	SentAt       time.Time
	IssuedAt     time.Time // by the gateway's clock, or the day that a person wrote down
	CancelSentAt time.Time
	CancelledAt  time.Time
	SettledBy    string // how the last outcome became known: answer, notice, inquiry, or a staff ID
	Erased       bool   // what was personal was destroyed after its term
}

// LogValue finds the receipt in a log, never whom it is for.
func (c CashReceipt) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", c.ID), slog.String("payment", string(c.Payment)), slog.String("tid", string(c.TID)),
		slog.Int64("won", int64(c.Amount)), slog.String("state", string(c.State)))
}

// Cash receipts are refused for reasons of their own.
var (
	ErrReceiptThere    = errors.New("a cash receipt is there already")
	ErrReceiptByHand   = errors.New("the cash-receipt call is not confirmed by the gateway")
	ErrReceiptNotCash  = errors.New("not paid in a way that gets a cash receipt")
	ErrReceiptNotTaken = errors.New("this receipt can't be taken back by a call")
)

// CashLike says whether the method is one that cash receipts are issued for.
func CashLike(m Method) bool { return m == smartro.Bank || m == smartro.Vbank }

// CashNet is what a payment has left of what came in cash, in won: what its receipt has to say.
func (p Payment) CashNet() Won {
	if !CashLike(p.Method) {
		return 0
	}
	return p.Approved - p.Cancelled
}

// cashDay is the day that a payment counts from: of the gateway's own time, where it told one.
func (p Payment) cashDay() time.Time {
	if p.ApprovedAt.IsZero() {
		return p.PaidAt
	}
	return p.ApprovedAt
}

// ReceiptNeededFrom is the amount in won from which certain trades must issue a cash receipt (cash-receipt §4).
const ReceiptNeededFrom Won = 100_000

// Days of the obligation, counted from the day of the payment in Korea.
const (
	ReceiptRemindDay = 3
	ReceiptOwnDay    = 4 // the last one before the fifth
	ReceiptLastDay   = 5
)

// ReceiptNeed is a payment that needs a cash receipt and has none.
type ReceiptNeed struct {
	Moid    Moid
	OrderNo OrderNo
	Since   time.Time // of the payment, by the gateway's clock
	Amount  Won       // what it has left
}

// Day is how many days in Korea have passed since the payment.
func (n ReceiptNeed) Day(now time.Time) int {
	return int(startOfDay(now).Sub(startOfDay(n.Since)) / (24 * time.Hour))
}

// startOfDay is midnight of t's Korean day, in UTC.
func startOfDay(t time.Time) time.Time {
	y, m, d := t.In(KST).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, KST).UTC()
}

// ownReceiptAt is when the shop issues a receipt itself, where the owner wants that: in the morning of the last day.
func ownReceiptAt(since time.Time) time.Time {
	return startOfDay(since).AddDate(0, 0, ReceiptOwnDay).Add(9 * time.Hour)
}

// split parts the receipt's amount: as the order says, where the receipt is over the whole of it, else in proportion.
func (c *CashReceipt) split(amount Won, o Order, r smartro.VATRounding) {
	if c.Amount = amount; amount == o.Amount && r != smartro.SupplyNear {
		c.TaxFree, c.VAT, c.Service = o.TaxFree, o.VAT, o.Service
		c.Supply = amount - c.VAT - c.Service
		return
	}
	c.TaxFree, c.Service = o.TaxFree, o.Service
	if amount != o.Amount && o.Amount > 0 {
		c.TaxFree, c.Service = share(amount, o.TaxFree, o.Amount), share(amount, o.Service, o.Amount)
	}
	c.Supply, c.VAT = smartro.SplitVAT(amount-c.Service, c.TaxFree, r)
}

// share is amount × part / whole, rounded down: part is no more than whole, and the product may be large.
func share(amount, part, whole Won) Won {
	hi, lo := bits.Mul64(uint64(amount), uint64(part))
	n, _ := bits.Div64(hi, lo, uint64(whole))
	return Won(n)
}

// CashReceiptQuery asks for a page of cash receipts, newest first. Empty fields ask for all.
type CashReceiptQuery struct {
	States  []ReceiptState
	Sources []ReceiptSource
	Unknown bool // only those of unknown outcome
	Amiss   bool // only those that something is wrong about
	From    time.Time
	To      time.Time
	After   Cursor
	Limit   int
}

// liveOf is the payment's own receipt among those of its order; nil: none.
func liveOf(list []CashReceipt, moid Moid) *CashReceipt {
	i := slices.IndexFunc(list, func(c CashReceipt) bool { return c.Payment == moid && c.State.Live() && !c.Second })
	if i < 0 {
		return nil
	}
	return &list[i]
}
