package app

import (
	"context"
	"fmt"
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

// Filter narrows the list of payments.
type Filter struct {
	From, To time.Time // of opening; zero: no bound
	Methods  []Method
	States   []State
	After    Cursor
	Limit    int // at most 200; zero: 50
}

// Page is a page of the list, newest first.
type Page struct {
	Rows []PaymentRow
	Next Cursor // zero: the last page
	Find Find   // how the search box was read
}

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
	rows, err := s.Store.SearchPayments(ctx, PaymentQuery{
		Find: page.Find, From: f.From, To: f.To, Methods: f.Methods, States: f.States, After: f.After, Limit: f.Limit + 1,
	})
	if err != nil {
		return page, err
	}
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		last := rows[len(rows)-1]
		page.Next = Cursor{At: last.OpenedAt, ID: string(last.Moid)}
	}
	page.Rows = rows
	return page, nil
}

// FoldSearch makes equal what a person takes for equal: composed or not, upper or lower case, spaced or not. Text is
// indexed, asked for and compared in this form.
func FoldSearch(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(norm.NFC.String(s))), "")
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
