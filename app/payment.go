package app

import (
	"log/slog"
	"time"
)

// State of a payment: one opening of the gateway's window.
type State string

// The nine states of the failure model (section 2).
const (
	New             State = "new"
	Opened          State = "opened"
	Claimed         State = "claimed" // a browser said so, with a good signature
	WaitingDeposit  State = "waiting_deposit"
	Paid            State = "paid"
	PartlyCancelled State = "partly_cancelled"
	Cancelled       State = "cancelled"
	Held            State = "hold"
	Expired         State = "expired"
)

// States lists all of them in the order of the failure model.
func States() []State {
	return []State{New, Opened, Claimed, WaitingDeposit, Paid, PartlyCancelled, Cancelled, Held, Expired}
}

// Proof is why we believe that a payment's money came.
type Proof string

// The proofs, weakest first.
const (
	ProofNone         Proof = "none"
	ProofNotification Proof = "notification"
	ProofInquiry      Proof = "inquiry"
	ProofStaff        Proof = "staff"
)

// Payment is one opening of the gateway's window for an order. It is the fold of its events: only
// [Payment.Apply] changes it.
type Payment struct {
	Moid        Moid
	OrderNo     OrderNo
	MID         MID
	Mode        Mode
	Device      Device
	Method      Method
	EdiDate     time.Time // the time that was hashed into the form
	Amount      Won       // what was asked for
	GoodsName   string    // as it was sent, shortened if need be
	BuyerName   string
	BuyerTel    string // digits
	BuyerEmail  string
	KeyVersion  int    // of the merchant key that signed its form, or that its charge was intended with; 0: from before versions were counted
	ReturnToken string // echoed by the browser's return and stop: which page to show, proof of nothing

	State      State
	HoldReason HoldReason
	Late       bool // paid after it had expired
	Proof      Proof
	TID        TID
	Approved   Won // what the gateway says it took: equal to Amount unless held
	Reserved   Won // asked back, not yet known to be back
	Cancelled  Won // back

	AuthCode, CardCode, CardName, CardNum, CardQuota string
	VbankName, VbankNum                              string
	VbankDue                                         time.Time // 23:59:59 KST of the due date
	ApprovedAt                                       time.Time // by the gateway's clock

	HintCode, HintMsg string // the last refusal that a browser told: shown, believed by nobody
	Stopped           bool   // the buyer stopped it, says the browser

	OpenedAt, ClaimedAt, PaidAt, UpdatedAt time.Time
	Seq                                    int64 // of its last event
	Erased                                 bool  // as the order's
}

// Left is what can still be cancelled, in won.
func (p Payment) Left() Won { return p.Approved - p.Cancelled - p.Reserved }

// HasMoney says whether the gateway holds money for p that has not all gone back.
func (p Payment) HasMoney() bool {
	return p.State == Paid || p.State == PartlyCancelled || p.State == Held
}

// LogValue finds the payment in a log, never the buyer.
func (p Payment) LogValue() slog.Value {
	return slog.GroupValue(slog.String("moid", string(p.Moid)), slog.String("tid", string(p.TID)),
		slog.Int64("won", int64(p.Amount)), slog.String("state", string(p.State)))
}
