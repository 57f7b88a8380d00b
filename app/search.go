package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// ReadSearch reads the one search box: whatever a caller says. A number may be a part of a phone number, an
// amount or an approval number, so its readings are alternatives.
func ReadSearch(q string) Find {
	q = strings.TrimSpace(q)
	if q == "" {
		return Find{}
	}
	var f Find
	bare := strings.NewReplacer("-", "", " ", "", ",", "", ".", "", "원", "", "₩", "").Replace(q)
	if bare != "" && strings.Trim(bare, "0123456789") == "" {
		if len(bare) >= 4 && len(bare) <= 11 {
			f.Digits = bare
		}
		if n, err := readWon(bare); err == nil && n > 0 {
			f.Amount, f.HasAmt = n, true
		}
		f.Exact = bare
		if len(bare) >= 4 {
			f.Prefix = bare
		}
		return f
	}
	if isID(q) {
		f.Exact = strings.ToUpper(q)
		if len(q) >= 4 {
			f.Prefix = q
		}
	}
	if letters(q) >= 3 || hangul(q) >= 2 {
		f.Text = q
	}
	f.Nothing = f.IsZero()
	return f
}

func readWon(digits string) (Won, error) {
	var n Won
	if len(digits) > 12 {
		return 0, ErrBadInput
	}
	for _, r := range digits {
		n = n*10 + Won(r-'0')
	}
	return n, nil
}

func isID(s string) bool {
	return len(s) <= 40 && strings.IndexFunc(s, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) < 0
}

func letters(s string) int { return utf8.RuneCountInString(strings.ReplaceAll(s, " ", "")) }

func hangul(s string) (n int) {
	for _, r := range s {
		if unicode.Is(unicode.Hangul, r) {
			n++
		}
	}
	return n
}

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
	Mode     Mode // empty: both
	After    Cursor
	Limit    int // at most 200; zero: 50
}

func (f Filter) query(find Find) PaymentQuery {
	return PaymentQuery{
		Find: find, Clock: f.Clock, From: f.From, To: f.To, Methods: f.Methods, States: f.States, Mode: f.Mode, After: f.After, Limit: f.Limit,
	}
}

// Page is a page of the list, newest first.
type Page struct {
	Rows []PaymentRow
	Next Cursor // zero: the last page
	Find Find   // how the search box was read
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
	page := Page{Find: ReadSearch(q)}
	if !isID(f.After.ID) {
		return page, fmt.Errorf("cursor %q: %w", f.After.ID, ErrBadInput)
	}
	if page.Find.Nothing {
		return page, nil
	}
	more := f
	more.Limit++
	rows, err := s.Store.SearchPayments(ctx, more.query(page.Find))
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
	find := ReadSearch(q)
	if find.Nothing {
		return nil, true, nil
	}
	most := int64(sumAtMost)
	if !find.IsZero() {
		most = sumAtMostFound
	}
	f.After, f.Limit = Cursor{}, int(most)+1
	sums, err = s.Store.SumPayments(ctx, f.query(find))
	count := int64(0)
	for _, one := range sums {
		count += one.Count
	}
	if err != nil || count > most {
		return nil, false, err
	}
	return sums, true, nil
}

// FoldSearch makes equal what a person takes for equal: composed or not, upper or lower case, spaced or not. Text is
// indexed, asked for and compared in this form.
func FoldSearch(s string) string {
	return norm.NFC.String(strings.Join(strings.Fields(strings.ToLower(s)), "")) // what a space kept apart is composed, too
}

// MatchedBy names the fields of a row that the search met: tid, order, approval, phone, amount, name, goods, mail.
func MatchedBy(r PaymentRow, f Find) []string {
	var by []string
	add := func(ok bool, name string) {
		if ok {
			by = append(by, name)
		}
	}
	has := func(s, part string) bool { return part != "" && strings.Contains(FoldSearch(s), FoldSearch(part)) }
	add(strings.EqualFold(string(r.TID), f.Exact) && f.Exact != "" || has(string(r.TID), f.Prefix), "tid")
	add(has(string(r.Moid), f.Prefix) || f.Exact != "" && strings.EqualFold(string(r.OrderNo), f.Exact), "order")
	add(f.Exact != "" && strings.EqualFold(r.AuthCode, f.Exact), "approval")
	add(has(r.BuyerTel, f.Digits), "phone")
	add(f.HasAmt && r.Amount == f.Amount, "amount")
	add(has(r.BuyerName, f.Text), "name")
	add(has(r.Goods, f.Text), "goods")
	add(has(r.BuyerEmail, f.Text), "mail")
	return by
}
