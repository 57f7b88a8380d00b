package app

import "time"

// Level says how far a source is believed (failure model, section 1).
type Level int

// T0 to T4.
const (
	T0 Level = iota // a browser's post without a good signature: a hint for the page
	T1              // a browser's post with a good signature: a claim
	T2              // the gateway's notice on the secret path from a known sender
	T3              // the gateway's answer to our own call
	T4              // staff, by name, with a reason
)

// EventKind names what happened. The first block are the inputs of the failure model, the second are ours.
type EventKind string

// What can happen to a payment.
const (
	FormServed       EventKind = "form_served"
	ReturnSuccess    EventKind = "return_success"
	ReturnUnsigned   EventKind = "return_unsigned"
	ReturnFailure    EventKind = "return_failure"
	Stop             EventKind = "stop"
	VbankIssued      EventKind = "vbank_issued"
	Approved         EventKind = "approved"
	Deposited        EventKind = "deposited"
	CancelNotice     EventKind = "cancel_notice"
	RefundNotice     EventKind = "refund_notice"
	AlreadyCancelled EventKind = "already_cancelled"
	ReceiptNotice    EventKind = "receipt_notice"
	CancelDone       EventKind = "cancel_done"
	CancelUnknown    EventKind = "cancel_unknown"
	Timer            EventKind = "timer"
	StaffAccept      EventKind = "staff_accept"
	StaffCancel      EventKind = "staff_cancel" // the amount is set aside and the call leaves
	ImportRow        EventKind = "import_row"   // the gateway's own list says it, and a person brought the list: see [Event.What]

	CancelAsked     EventKind = "cancel_asked"     // of another person: nothing is set aside yet
	CancelApproved  EventKind = "cancel_approved"  // by another person: the cancel follows
	CancelDeclined  EventKind = "cancel_declined"  // by another person
	CancelWithdrawn EventKind = "cancel_withdrawn" // by who had asked
	CancelLapsed    EventKind = "cancel_lapsed"    // nobody decided in time
	CancelResent    EventKind = "cancel_resent"    // a person had an unknown whole cancel sent again
	CancelAccepted  EventKind = "cancel_accepted"  // the gateway took a refund on: the amount stays set aside until it is paid out
	CancelRefused   EventKind = "cancel_refused"   // the amount is free again
	CancelConfirmed EventKind = "cancel_confirmed" // the notice of a cancel that we knew: no second effect
	Restored        EventKind = "restored"         // of the shop, not of a payment: the records are a backup's
	Erased          EventKind = "erased"           // of an order, or the shop's: what was personal can't be read any more
	Reconciled      EventKind = "reconciled"       // of the shop: the owner compared them with the gateway's list
	Amended         EventKind = "amended"          // a person takes another amount than the order's for what it costs, and then accepts the payment
	ClaimVoided     EventKind = "claim_voided"     // its TID turned out to be another order's
	ChargeIntended  EventKind = "charge_intended"  // by a billing key: the call is about to leave
	ChargeDenied    EventKind = "charge_refused"   // no money moved
	ChargeLost      EventKind = "charge_unknown"   // no readable answer: it may have

	// What happens to a payment's cash receipt leaves the payment as it is.
	ReceiptAsked         EventKind = "receipt_asked"
	ReceiptIssued        EventKind = "receipt_issued"
	ReceiptRefused       EventKind = "receipt_refused"
	ReceiptUnknown       EventKind = "receipt_unknown"
	ReceiptCancelAsked   EventKind = "receipt_cancel_asked"
	ReceiptCancelled     EventKind = "receipt_cancelled"
	ReceiptCancelRefused EventKind = "receipt_cancel_refused"
	ReceiptCancelUnknown EventKind = "receipt_cancel_unknown"

	MoneyApart EventKind = "money_apart" // more money came, kept apart: the payment is as it was
)

// InputKinds lists the inputs of the failure model's table, in its order.
func InputKinds() []EventKind {
	return []EventKind{
		FormServed, ReturnSuccess, ReturnUnsigned, ReturnFailure, Stop, VbankIssued, Approved, Deposited,
		CancelNotice, RefundNotice, AlreadyCancelled, ReceiptNotice, CancelDone, CancelUnknown, Timer,
		StaffAccept, StaffCancel, ImportRow,
	}
}

// Detail is what a gateway's message adds to a payment besides its state.
type Detail struct {
	AuthCode   string    `json:"auth_code,omitempty"`
	CardCode   string    `json:"card_code,omitempty"`
	CardName   string    `json:"card_name,omitempty"`
	CardNum    string    `json:"card_num,omitempty"`
	CardQuota  string    `json:"card_quota,omitempty"`
	VbankName  string    `json:"vbank_name,omitempty"`
	VbankNum   string    `json:"vbank_num,omitempty"`
	VbankDue   time.Time `json:"vbank_due,omitzero"`
	ApprovedAt time.Time `json:"approved_at,omitzero"`
	Late       bool      `json:"late,omitempty"`
	Released   Won       `json:"released,omitempty"`    // of what was set aside for a cancel
	KeyVersion int       `json:"key_version,omitempty"` // of the merchant key that signed the form, the call or the message
}

// Event is one thing that happened to a payment: append-only. The payment's row is the fold of its events.
type Event struct {
	Seq       int64     // gapless over the whole shop, given by the store
	At        time.Time // received, UTC
	Kind      EventKind
	Level     Level
	OrderNo   OrderNo
	Moid      Moid
	Mode      Mode
	MID       MID
	TID       TID
	Amount    Won
	Code      string // the gateway's result code
	Text      string // its message, or a person's reason
	From, To  State
	Hold      HoldReason
	Proof     Proof
	MessageID string // what it was read from
	CancelID  string
	Actor     string // staff ID, empty for the program
	EffectKey string // unique: the same effect happens once (failure model E4); empty for hints
	Detail    Detail

	GatewayTime string // as the gateway wrote it: by its clock and in its form
	Peer        string // address of who sent the message or the form; empty: the program did it by itself, or it is older than this
	RequestID   string // of the request in which it happened; as Peer
}

// What is what happened: of an [ImportRow] that is what the row of the list says, which stands in Code.
func (e Event) What() EventKind {
	if e.Kind == ImportRow {
		return EventKind(e.Code)
	}
	return e.Kind
}
