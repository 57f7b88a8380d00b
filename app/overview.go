package app

import (
	"context"
	"errors"
	"time"
)

// SpanSum is what was paid or went back within one span of a period: N is its place, from 0.
type SpanSum struct {
	N     int
	Count int64
	Won   Won
}

// Span is one bar of a chart.
type Span struct {
	From        time.Time
	Paid, Backs int64
	Sales, Back Won
}

// Lost says how the gateway's word came for what was paid: each payment is told by the buyer's browser and by a
// notification, and either may be lost.
type Lost struct {
	Paid     int64
	NoNotice int64 // proved by an inquiry or by a person
	NoReturn int64 // no browser came back with the result
}

// Deposits are virtual accounts that wait.
type Deposits struct {
	Waiting    int64
	WaitingWon Won
	Today      int64 // of them, due today
	TodayWon   Won
}

// Overview is the shop's day and month, of the mode in which it takes payments today.
type Overview struct {
	Mode         Mode
	Today, Month Report
	Hours        []Span // of today, all 24
	Days         []Span // of this month, until today
	Deposits     Deposits
	Lost         Lost // of the last seven days
}

// lostDays is how far back the loss of messages is looked at.
const lostDays = 7

// Overview adds it up.
func (s *Shop) Overview(ctx context.Context, actor Staff) (o Overview, err error) {
	if err := actor.must(RightSeeReports); err != nil {
		return o, err
	}
	m, err := s.Merchant(ctx)
	switch {
	case errors.Is(err, ErrNoGateway):
	case err != nil:
		return o, err
	default:
		o.Mode = m.Mode
	}
	today := startOfDay(s.Now()).In(KST)
	tomorrow, first := today.AddDate(0, 0, 1), today.AddDate(0, 0, 1-today.Day())
	if o.Today, err = s.Report(ctx, actor, o.Mode, today, tomorrow); err != nil {
		return o, err
	}
	if o.Month, err = s.Report(ctx, actor, o.Mode, first, tomorrow); err != nil {
		return o, err
	}
	if o.Hours, err = s.spans(ctx, o.Mode, today, tomorrow, time.Hour); err != nil {
		return o, err
	}
	if o.Days, err = s.spans(ctx, o.Mode, first, tomorrow, 24*time.Hour); err != nil {
		return o, err
	}
	if o.Deposits, err = s.Store.Deposits(ctx, o.Mode, tomorrow); err != nil {
		return o, err
	}
	o.Lost, err = s.Store.Lost(ctx, o.Mode, today.AddDate(0, 0, 1-lostDays))
	return o, err
}

// spans are the bars of a period, those without anything too. Korea has no summer time: every day has 24 hours.
func (s *Shop) spans(ctx context.Context, mode Mode, from, to time.Time, width time.Duration) ([]Span, error) {
	list := make([]Span, to.Sub(from)/width)
	for i := range list {
		list[i].From = from.Add(time.Duration(i) * width)
	}
	q := PaymentQuery{Clock: ClockPaid, From: from, To: to, Mode: mode}
	paid, err := s.Store.Spans(ctx, q, width)
	if err != nil {
		return nil, err
	}
	q.Clock = ClockCancelled
	back, err := s.Store.Spans(ctx, q, width)
	for _, one := range paid {
		list[one.N].Paid, list[one.N].Sales = one.Count, one.Won
	}
	for _, one := range back {
		list[one.N].Backs, list[one.N].Back = one.Count, one.Won
	}
	return list, err
}
