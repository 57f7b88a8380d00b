package app

import (
	"time"

	"gage/smartro"
)

// SubscriptionNo is a subscription's number: 8 capital letters and digits as [OrderNo] has them. The gateway knows the
// customer by it (mallUserID), so that a billing key belongs to one subscription.
type SubscriptionNo string

// Subscription is an agreement to take the same amount from a customer's card again and again (정기결제).
type Subscription struct {
	No               SubscriptionNo
	Token            string // of the customer's link: 26 letters and digits, 130 bits
	MID              MID
	Mode             Mode
	Name, Tel, Email string // the customer's; Tel in digits only. None is empty
	Goods            string
	Amount, TaxFree  Won       // of one charge; TaxFree is contained in Amount
	Day              int       // of the month: 1 to 28, [LastDay], or [OnDemand]
	Start            time.Time // the first Korean day on which it may be charged, at its begin
	End              time.Time // the last one; zero: none
	State            SubscriptionState
	KeyID            string    // of the [Card] that is charged; empty: none was registered
	NextAt           time.Time // when it is charged next; zero: it is not
	CreatedAt        time.Time
	CreatedBy        string // staff ID
	StoppedAt        time.Time
	StoppedBy        string // staff ID, or [StoppedByCustomer], or [StoppedByEnd]
	Erased           bool   // as the order's
}

// The days that are no day of the month.
const (
	OnDemand = 0  // charged when staff say so
	LastDay  = 31 // whatever day that is
)

// Who stopped a subscription, if it was nobody of the staff.
const (
	StoppedByCustomer = "customer"
	StoppedByEnd      = "end" // its last day is over
)

// SubscriptionState is how far a subscription is.
type SubscriptionState string

// The states. Only an active one is charged; a stopped one stays so.
const (
	SubscriptionWaiting SubscriptionState = "no_card" // the customer has not registered one yet
	SubscriptionActive  SubscriptionState = "active"
	SubscriptionPaused  SubscriptionState = "paused"
	SubscriptionStopped SubscriptionState = "stopped"
)

// Card is a customer's card at the gateway: what of it may be seen, and the billing key, which may not.
type Card struct {
	ID           string
	Subscription SubscriptionNo
	Key          smartro.BillingKey // empty once it was destroyed
	CardName     string             // of the company
	CardNum      string             // masked by the gateway
	TID          TID                // of the window that registered it
	RegisteredAt time.Time
	GoneAt       time.Time // replaced, or the subscription stopped; zero: it is charged
	Erased       bool
}

// CardWindow is one opening of the gateway's window in which a customer registers a card.
type CardWindow struct {
	Moid         Moid
	Subscription SubscriptionNo
	MID          MID
	Mode         Mode
	ReturnToken  string // says whose window it was; who knows it had the form
	State        CardWindowState
	ResultCode   string
	ResultMsg    string
	OpenedAt     time.Time
	ClosedAt     time.Time
}

// CardWindowState is what came of a window.
type CardWindowState string

// The states of a window. A window that never comes back stays opened.
const (
	CardWindowOpened  CardWindowState = "opened"
	CardWindowDone    CardWindowState = "done"
	CardWindowRefused CardWindowState = "refused"
)

// chargeHour is when a charge is due, in Korea: after the card companies' nightly works, before the shops open.
const chargeHour = 9

// firstDue is the first time at or after the Korean day of from when a charge is due by day; zero: never.
func firstDue(day int, from time.Time) time.Time {
	if day == OnDemand {
		return time.Time{}
	}
	y, m, d := from.In(KST).Date()
	due := dueIn(y, m, day)
	if due.In(KST).Day() < d {
		due = dueIn(y, m+1, day)
	}
	return due
}

// dueIn is when a charge is due in a month, which may be counted past December.
func dueIn(y int, m time.Month, day int) time.Time {
	last := time.Date(y, m+1, 0, chargeHour, 0, 0, 0, KST)
	if day >= last.Day() {
		return last.UTC()
	}
	return time.Date(y, m, day, chargeHour, 0, 0, 0, KST).UTC()
}

// dueFrom is when the subscription is charged first at or after the Korean day of from; zero: never.
func (s Subscription) dueFrom(from time.Time) time.Time {
	if s.Start.After(from) {
		from = s.Start
	}
	due := firstDue(s.Day, from)
	if due.IsZero() || !s.End.IsZero() && due.After(endOfDay(s.End)) {
		return time.Time{}
	}
	return due
}

// periodOf names the period that a due time pays for.
func periodOf(due time.Time) string { return due.In(KST).Format("2006-01") }

// nextDay is the begin of the Korean day after t's.
func nextDay(t time.Time) time.Time {
	y, m, d := t.In(KST).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, KST).UTC()
}
