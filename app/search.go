package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// Clock says by which of its times a payment is listed: a period is one of that clock, and so is the order.
type Clock string

// The clocks.
const (
	ClockOpened    Clock = ""          // when the gateway's window was opened
	ClockPaid      Clock = "paid"      // when the gateway took the money, by its own clock where it told
	ClockDeposited Clock = "deposited" // the same, of virtual accounts alone
	ClockCancelled Clock = "cancelled" // when money last went back
)

// Clocks lists them.
func Clocks() []Clock { return []Clock{ClockOpened, ClockPaid, ClockDeposited, ClockCancelled} }

// Filter narrows the list of payments.
type Filter struct {
	Clock    Clock
	From, To time.Time // zero: no bound
	Methods  []Method
	States   []State
	Mode     Mode   // empty: both
	MID      MID    // empty: all
	Device   Device // empty: all
	Proofs   []Proof
	Staff    string // ID of who asked for the payment or for a cancel of it; empty: all
	After    Cursor
	Limit    int // at most 200; zero: 50
}

// query is what the store is asked. A period that the search box names is meant instead of the filter's.
func (f Filter) query(a Asked) PaymentQuery {
	if !a.From.IsZero() || !a.To.IsZero() {
		f.From, f.To = a.From, a.To
	}
	return PaymentQuery{
		Terms: a.Terms, Clock: f.Clock, From: f.From, To: f.To, Methods: f.Methods, States: f.States, Mode: f.Mode, MID: f.MID, Device: f.Device,
		Proofs: f.Proofs, Staff: f.Staff, After: f.After, Limit: f.Limit,
	}
}

// Page is a page of the list, newest first.
type Page struct {
	Rows []PaymentRow
	Next Cursor // zero: the last page
	Read Asked  // how the search box was read
}

// Sums are those of one mode's payments, in won. Practice and real money are never in one.
type Sums struct {
	Mode  Mode
	Count int64 // payments
	Paid  int64 // of them paid, whatever went back later
	Sales Won   // what was paid
	Back  Won   // of that gone back; by [ClockCancelled] what went back in the period
	Held  Won   // kept apart: it is in no other sum
}

// Net is what is left of what was paid.
func (s Sums) Net() Won { return s.Sales - s.Back }

// Add counts one row.
func (s *Sums) Add(r PaymentRow) {
	s.Count++
	s.Back += r.Back
	if !r.PaidAt.IsZero() {
		s.Paid++
		s.Sales += r.Approved
	}
	if r.State == Held {
		s.Held += r.Approved
	}
}

// AddUp are the sums of the rows, by mode.
func AddUp(rows []PaymentRow) []Sums {
	var list []Sums
	for _, r := range rows {
		i := slices.IndexFunc(list, func(s Sums) bool { return s.Mode == r.Mode })
		if i < 0 {
			i, list = len(list), append(list, Sums{Mode: r.Mode})
		}
		list[i].Add(r)
	}
	slices.SortFunc(list, func(a, b Sums) int { return strings.Compare(string(a.Mode), string(b.Mode)) })
	return list
}

// How many payments the list adds up while somebody waits: by the database alone, or each opened to compare its words.
const (
	sumAtMost      = 20_000
	sumAtMostFound = 2_000
)

// Search lists payments. An empty q lists all that f lets through. ErrBadInput: f.After is no place in the list.
func (s *Shop) Search(ctx context.Context, q string, f Filter) (Page, error) {
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	page := Page{Read: ReadSearch(q, s.Now())}
	if !isID(f.After.ID) {
		return page, fmt.Errorf("cursor %q: %w", f.After.ID, ErrBadInput)
	}
	if page.Read.Nothing {
		return page, nil
	}
	more := f
	more.Limit++
	rows, err := s.Store.SearchPayments(ctx, more.query(page.Read))
	if err != nil {
		return page, err
	}
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		last := rows[len(rows)-1]
		page.Next = Cursor{At: last.When, ID: string(last.Moid)}
	}
	page.Rows = rows
	return page, nil
}

// Sums adds up all that Search lists, page or not. whole is false where that is more than can be added up while
// somebody waits: an export tells it, or a shorter period.
func (s *Shop) Sums(ctx context.Context, q string, f Filter) (sums []Sums, whole bool, err error) {
	read := ReadSearch(q, s.Now())
	if read.Nothing {
		return nil, true, nil
	}
	most := int64(sumAtMost)
	if len(read.Terms) > 0 {
		most = sumAtMostFound
	}
	f.After, f.Limit = Cursor{}, int(most)+1
	sums, err = s.Store.SumPayments(ctx, f.query(read))
	count := int64(0)
	for _, one := range sums {
		count += one.Count
	}
	if err != nil || count > most {
		return nil, false, err
	}
	return sums, true, nil
}

// FoldSearch makes equal what a person takes for equal: composed or not, full width or half, upper or lower case, spaced
// or not. Text is indexed, asked for and compared in this form.
func FoldSearch(s string) string {
	return norm.NFC.String(strings.Join(strings.Fields(strings.ToLower(width.Fold.String(s))), "")) // what a space kept apart is composed, too
}

// Meets says whether the row meets every term. The store's index tells of pieces of words; this looks at the words.
func Meets(r PaymentRow, terms []Find) bool {
	return !slices.ContainsFunc(terms, func(f Find) bool { return len(f.metBy(r)) == 0 })
}

// MatchedBy names the fields of a row that the terms met: tid, order, approval, phone, card, account, amount, name,
// goods, mail, mid.
func MatchedBy(r PaymentRow, terms []Find) []string {
	var by []string
	for _, f := range terms {
		for _, name := range f.metBy(r) {
			if !slices.Contains(by, name) {
				by = append(by, name)
			}
		}
	}
	return by
}

func (f Find) metBy(r PaymentRow) []string {
	var by []string
	add := func(ok bool, name string) {
		if ok && (f.Field == "" || f.Field == name) {
			by = append(by, name)
		}
	}
	has := func(s, part string) bool { return part != "" && strings.Contains(FoldSearch(s), FoldSearch(part)) }
	add(strings.EqualFold(string(r.TID), f.Exact) && f.Exact != "" || has(string(r.TID), f.Part), "tid")
	add(has(string(r.Moid), f.Part) || f.Exact != "" && strings.EqualFold(string(r.OrderNo), f.Exact), "order")
	add(f.Exact != "" && strings.EqualFold(r.AuthCode, f.Exact), "approval")
	add(has(r.BuyerTel, f.Digits), "phone")
	add(len(f.Digits) >= 3 && strings.HasSuffix(CardTail(r.Payment), f.Digits), "card")
	add(has(digitsOf(r.VbankNum), f.Digits), "account")
	add(f.HasAmt && r.Amount >= f.Amount && r.Amount <= f.Most, "amount")
	add(has(r.BuyerName, f.Text), "name")
	add(has(r.Goods, f.Text), "goods")
	add(has(r.BuyerEmail, f.Text), "mail")
	add(f.Field == "mid" && string(r.MID) == f.Exact, "mid")
	return by
}

// CardTail is the end of the card's number, as far as the gateway tells it without a mask.
func CardTail(p Payment) string {
	rest := strings.TrimRight(p.CardNum, "0123456789")
	return p.CardNum[len(rest):]
}
