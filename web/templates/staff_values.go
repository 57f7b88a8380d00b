package templates

import (
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"
)

// StaffFrame is what surrounds a page of the back office.
type StaffFrame struct {
	Title, Active, Person, Query, LangHref string
	Practice                               bool
	Restored                               *RestoredView // nil: the records are not an unchecked backup's
	Links                                  []NavLink
}

// RestoredView says on every page that the records are a backup's and have not been compared with the gateway's.
type RestoredView struct {
	Title, Text string
	Owner       bool
	Imports     bool // may bring the gateway's list, which tells what is missing
}

// NavLink is an entry of the rail; Count is shown when above zero.
type NavLink struct {
	Name, Href, Icon string
	Count            int
	Folded           bool // on a phone behind the bar's last entry
}

// CountText is the count, "99+" when it is longer.
func (l NavLink) CountText() string {
	if l.Count > 99 {
		return "99+"
	}
	return strconv.Itoa(l.Count)
}

// folds says whether a phone's bar has not room for every entry.
func (f StaffFrame) folds() bool {
	return slices.ContainsFunc(f.Links, func(l NavLink) bool { return l.Folded })
}

// SignInForm is the door with what was typed.
type SignInForm struct {
	Passkeys           PasskeyPlace
	Email, Next, Error string
	Sample, Bye        bool
}

// InviteForm sets a password.
type InviteForm struct {
	Action, Email, Name string
	EmailFixed, Owner   bool
	Errors              map[string]string
}

// Failure is an error as a person reads it.
type Failure struct {
	Status                                int
	Title, Text, Request, Back, BackLabel string
	Ours                                  bool
}

// StatusText is the HTTP status in digits.
func (f Failure) StatusText() string { return strconv.Itoa(f.Status) }

func readOnly(yes bool) templ.Attributes {
	if !yes {
		return nil
	}
	return templ.Attributes{"readonly": true}
}

// Chip is a filter that is one click away.
type Chip struct {
	Label, Href string
	On          bool
}

// ListPage is the list of payments.
type ListPage struct {
	StaffFrame
	Groups    []ChipGroup
	From, To  string // yyyy-mm-dd of a period of one's own
	Keep      []Hidden
	Rows      []ListRow
	Next, All string // links; empty: none
	ReadAs    []string
	Filtered  bool
	CanAsk    bool   // make a payment request
	FreshHref string // where the page asks for newer payments
	Newest    string // time of the newest row, for that question
	Sums      []SumRow
	TooMany   bool // more than could be added up
	More      MoreFilters

	Views     []Chip // lists that the person keeps
	ViewHere  string // the name of the one that is shown; empty: none of them
	CanKeep   bool   // what is shown can be kept as one
	KeepParts []Hidden
	View      ViewForm

	ExportHref string // empty: not for this person, or there is nothing
	Reports    bool   // may see the close of a day
}

// ViewForm is a name for a list, as it was typed.
type ViewForm struct {
	Name   string
	Errors map[string]string
}

// MoreFilters are those behind a click.
type MoreFilters struct {
	Selects []SelectView
	Keep    []Hidden
	Open    bool // one of them is set
}

// SumRow is one mode's sums at the foot of a list.
type SumRow struct {
	Mode   string // empty: there is only one
	Text   string
	Amount int64
}

// ChipGroup is one kind of filter.
type ChipGroup struct {
	Name  string
	Chips []Chip
}

// Hidden is a form field that keeps a filter.
type Hidden struct{ Name, Value string }

// ListRow is one payment of the list.
type ListRow struct {
	Href, State, Buyer, Goods, Method, MethodCode, Company, Moid string
	At                                                           time.Time
	Amount                                                       int64
	Back                                                         bool
	Matched                                                      []string
	Hold, OpenCancel                                             bool
}

// Hand is something that needs a person, with its safe steps.
type Hand struct {
	Kind, Title, Text string
	CancelID          string
	Resend, Settle    bool
	Accept, Ask       bool
	HoldID            string
	Href              string // the page on which it is decided; empty: none
}

// Detail is a line of a list of facts.
type Detail struct {
	Name, Value string
	Copy        bool
	Mono        bool
}

// PaymentPage is the story of one payment.
type PaymentPage struct {
	StaffFrame
	CashReceipts                *ReceiptBlock // nil: it is not paid in cash
	Moid, State, OrderNo        string
	Amount, Approved            int64
	Cancelled, Reserved, Left   int64
	HasMoney, CanCancel, CanAsk bool
	CanReveal                   bool // the buyer is masked, and may be looked at
	Sentence                    string
	Hands                       []Hand
	Entries                     []TimelineEntry
	Buyer, Order, Money         []Detail
	Receipt, CashReceipt        bool
	Reveal                      RevealForm
	Siblings                    []ListRow
	Others                      []ListRow // the same person's
	Call                        CallCard
	Flash                       string
	Live                        bool // something is under way: the page asks again
}

// CallCard answers what callers ask.
type CallCard struct {
	Lines []Answer
	Copy  string // all of it as one text
}

// Answer is one line of a [CallCard].
type Answer struct{ Question, Answer string }

// TimelineEntry is one thing that happened.
type TimelineEntry struct {
	At                             time.Time
	Icon, Title, Text, Actor, Tone string
	Amount, To                     string // what it moved, and the state that it led to; empty: nothing new
	Source, Href                   string // the message it was read from, and its raw bytes; empty: none
	Copies                         int64
}

// MessagePage is one message with its bytes.
type MessagePage struct {
	StaffFrame
	Back, Title string
	Facts       []Detail
	Fields      []Detail
	Raw, Hex    string // empty while masked
	RingCut     bool
	Masked      bool
	CanReveal   bool
	Reveal      RevealForm

	Path              string
	CanTry, CanReplay bool
	Tried             *Notes // what today's program makes of it; nil: nobody asked
}

// RevealForm asks why somebody's data is looked at, with what was typed.
type RevealForm struct {
	Action, Reason, Words string
	Reasons               []Option
	Errors                map[string]string
}

// CancelPage asks how much goes back and why.
type CancelPage struct {
	StaffFrame
	Moid, Back, Key                      string
	Left, Approved                       int64
	PartAllowed, NeedsAccount, Withdraws bool
	Open                                 string // state of a cancel under way; empty: none
	Part                                 bool
	Amount, Reason                       string
	RefundBank, RefundAcct, RefundName   string
	Ask                                  RefundAskView
	TypeAccount                          bool // staff type another account than the buyer entered
	Banks                                []Option
	Reasons                              []string
	Errors                               map[string]string
	Happens                              []string
	Sentence                             string // for the buyer
	Refused                              bool   // by the shop's rules, and
	RefusedWhy                           string
	Confirm, Deed                        string // the question and the button of the second step; empty: the first step
	Summary                              []Detail
	Keep                                 []Hidden
	Waits                                string // the page of a request that waits for another person; empty: none
	Second                               string // why this will be a request; empty: it is a cancel
}
