package app

import "time"

// Charge is the intent to take one period's money from a card, written down before the gateway is asked. There is one
// call for it at most. Its payment is an order's like any other: the order is the period's, an attempt after a refusal
// another payment of it.
type Charge struct {
	ID           string
	Subscription SubscriptionNo
	CardID       string
	Period       string // 2026-11, or of a charge on demand the key of its form
	Try          int    // 1 is the first of its period
	OrderNo      OrderNo
	Moid         Moid // empty: nothing was asked for, see [ChargeSkipped]
	Amount       Won
	State        ChargeState
	ResultCode   string
	ResultMsg    string
	Hand         bool      // a person has to look at it
	By           string    // staff ID of who had it charged; empty: the program
	DueAt        time.Time // when it was to be charged
	CreatedAt    time.Time
	SentAt       time.Time
	SettledAt    time.Time
	SettledBy    string    // how: answer, notice, or a staff ID
	RetryAt      time.Time // of the next attempt after this refusal; zero: there is none
}

// OnDemand says whether a person had it charged.
func (c Charge) OnDemand() bool { return c.By != "" }

// ChargeState is how far a charge is.
type ChargeState string

// The states of a charge. What was sent without a readable answer is unknown until a notice or a person says.
const (
	ChargeRequested ChargeState = "requested" // written down, nothing sent
	ChargeSent      ChargeState = "sent"      // the call is on its way
	ChargePaid      ChargeState = "paid"
	ChargeRefused   ChargeState = "refused"
	ChargeUnknown   ChargeState = "unknown"
	ChargeWithdrawn ChargeState = "withdrawn" // the subscription was stopped or paused before it was sent
	ChargeSkipped   ChargeState = "skipped"   // due too long ago to be taken without a word
)

// Open says whether its outcome is still to come.
func (s ChargeState) Open() bool {
	return s == ChargeRequested || s == ChargeSent || s == ChargeUnknown
}

// byKey is the device of a payment that was made without a window, by a billing key.
const byKey Device = "key"

const (
	maxTries    = 3                   // of a period, after refusals, each on another day
	chargeLate  = 2 * 24 * time.Hour  // after this a period that was not charged waits for a person; a job is tried for longer
	keyTerm     = 30 * 24 * time.Hour // a billing key that is charged no more is destroyed after it
	chargesWide = 8                   // calls at the same time
)
