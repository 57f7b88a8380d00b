package app

import (
	"context"
	"slices"
	"strings"
	"time"
)

// ReportLine is what was paid, or went back, by one method and company.
type ReportLine struct {
	Method  Method
	Company string // of the card, or the account's bank; empty: none is known
	N       int64
	Won     Won
}

// ReportRow is a line of a close: what was paid in the period, and what went back in it, whenever it had been paid.
type ReportRow struct {
	Method  Method
	Company string
	Paid    int64 // payments
	Sales   Won
	Backs   int64 // cancels
	Back    Won
}

// Net is what came in the period after all that went back in it; it may be below zero.
func (r ReportRow) Net() Won { return r.Sales - r.Back }

// Report is the close of a day or a month, of one mode.
type Report struct {
	Mode     Mode
	From, To time.Time // To is the first moment after it
	Rows     []ReportRow
	Total    ReportRow
	Holds    int // open now
	HeldWon  Won
}

// Report adds up a period, by the gateway's own clock where it told: what was paid and what went back in it. Its totals
// are those of the list by [ClockPaid] and by [ClockCancelled].
func (s *Shop) Report(ctx context.Context, actor Staff, mode Mode, from, to time.Time) (Report, error) {
	r := Report{Mode: mode, From: from, To: to}
	if err := actor.must(RightSeeReports); err != nil {
		return r, err
	}
	row := func(l ReportLine) *ReportRow {
		i := slices.IndexFunc(r.Rows, func(have ReportRow) bool { return have.Method == l.Method && have.Company == l.Company })
		if i < 0 {
			i, r.Rows = len(r.Rows), append(r.Rows, ReportRow{Method: l.Method, Company: l.Company})
		}
		return &r.Rows[i]
	}
	paid, err := s.Store.ReportPayments(ctx, PaymentQuery{Clock: ClockPaid, From: from, To: to, Mode: mode})
	if err != nil {
		return r, err
	}
	for _, l := range paid {
		have := row(l)
		have.Paid, have.Sales = l.N, l.Won
		r.Total.Paid, r.Total.Sales = r.Total.Paid+l.N, r.Total.Sales+l.Won
	}
	back, err := s.Store.ReportPayments(ctx, PaymentQuery{Clock: ClockCancelled, From: from, To: to, Mode: mode})
	if err != nil {
		return r, err
	}
	for _, l := range back {
		have := row(l)
		have.Backs, have.Back = l.N, l.Won
		r.Total.Backs, r.Total.Back = r.Total.Backs+l.N, r.Total.Back+l.Won
	}
	slices.SortFunc(r.Rows, func(a, b ReportRow) int {
		if c := strings.Compare(string(a.Method), string(b.Method)); c != 0 {
			return c
		}
		return strings.Compare(a.Company, b.Company)
	})
	holds, err := s.Store.Holds(ctx, true, 10_000)
	for _, h := range holds {
		if h.Mode == mode {
			r.Holds++
			r.HeldWon += h.Amount
		}
	}
	return r, err
}
