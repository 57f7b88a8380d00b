package templates

import "time"

// SubscriptionTone is the colour of a subscription's state, or of a charge's.
func SubscriptionTone(state string) string {
	switch state {
	case "active", "paid":
		return "good"
	case "no_card", "requested", "sent", "unknown":
		return "wait"
	case "refused", "skipped":
		return "wrong"
	}
	return "back"
}

// SubscriptionIcon is the picture beside its word.
func SubscriptionIcon(state string) string {
	switch state {
	case "active", "paid":
		return "circle-check"
	case "no_card":
		return "credit-card"
	case "requested", "sent", "unknown":
		return "circle-dashed"
	case "refused":
		return "circle-x"
	case "skipped":
		return "triangle-alert"
	}
	return "ban"
}

// SubscriptionsPage lists subscriptions.
type SubscriptionsPage struct {
	StaffFrame
	Rows []SubscriptionRow
	Next string
}

// SubscriptionRow is one subscription of the list.
type SubscriptionRow struct {
	Href, No, State, Goods, Customer, When string
	Amount                                 int64
	NextAt                                 time.Time
	Hand                                   bool
}

// SubscriptionForm makes a subscription, with what was typed.
type SubscriptionForm struct {
	StaffFrame
	Name, Tel, Email, Goods, Amount, TaxFree, Start, End string
	Day                                                  SelectView
	Errors                                               map[string]string
}

// SubscriptionPage is all that is known of one subscription.
type SubscriptionPage struct {
	StaffFrame
	No, State, Sentence, Flash string
	Amount                     int64
	Link, QR                   string // empty: it has ended
	Hands                      []ChargeHand
	Charges                    []ChargeRow // newest first
	Customer, Terms, Card      []Detail
	CanReveal                  bool
	Reveal                     RevealForm
	Key                        string // of the form that charges now; empty: nothing can be charged
	Settles                    bool
}

// ChargeRow is one charge of a story.
type ChargeRow struct {
	State, Title, Href, Why string
	At                      time.Time
	Amount                  int64
}

// ChargeHand is a charge that waits for a person.
type ChargeHand struct {
	ID, Title, Text string
	Settle          bool // its outcome is unknown: a person has to look it up
	TID, Reason     string
	Errors          map[string]string
}

// CustomerPage is what a customer sees by the link.
type CustomerPage struct {
	BuyerFrame
	State, Tone, Icon, Title, Sentence string
	Goods                              string
	Amount                             int64
	Good, Warn                         string // what happened just now; empty: nothing
	Terms                              []Fact
	Charges                            []ChargeRow // of the past, newest first
	CardAction, CardLabel              string      // empty: no card can be registered any more
	StopAction                         string      // empty: it has ended
}

// path is where a button of the page posts to.
func (p SubscriptionPage) path(deed string) string {
	return "/admin/subscriptions/" + p.No + "/" + deed
}

// customerKind makes the card's button the page's main one as long as there is no card.
func customerKind(state string) string {
	if state == "no_card" {
		return "primary"
	}
	return ""
}
