package app

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// AccessCount is how often a person did one thing.
type AccessCount struct {
	StaffID string
	Kind    AccessKind
	N       int
}

// MonthReview is the access record of a month in sums, and who looked through it. The law asks for a look each month.
type MonthReview struct {
	From, To   time.Time // the month in Korea: from, and before
	Counts     []AccessCount
	ReviewedBy string // staff ID; empty: nobody yet
	ReviewedAt time.Time
}

const reviewMonth = "2006-01"

// Name is the month as 2006-01.
func (m MonthReview) Name() string { return m.From.Format(reviewMonth) }

// Due says that the month is over, holds something, and was looked through by nobody.
func (m MonthReview) Due(now time.Time) bool {
	return !now.Before(m.To) && len(m.Counts) > 0 && m.ReviewedBy == ""
}

// startOfMonth is the first moment in Korea of the month of t.
func startOfMonth(t time.Time) time.Time {
	k := t.In(KST)
	return time.Date(k.Year(), k.Month(), 1, 0, 0, 0, 0, KST)
}

// LastMonth is the month before now, the one to look through.
func (s *Shop) LastMonth() time.Time { return startOfMonth(s.latest()).AddDate(0, -1, 0) }

// ReviewOf sums up the record of the month that holds at.
func (s *Shop) ReviewOf(ctx context.Context, actor Staff, at time.Time) (MonthReview, error) {
	m := MonthReview{From: startOfMonth(at)}
	m.To = m.From.AddDate(0, 1, 0)
	if err := actor.must(RightSeeAudit); err != nil {
		return m, err
	}
	var err error
	if m.Counts, err = s.Store.AccessCounts(ctx, m.From, m.To); err != nil {
		return m, err
	}
	done, err := s.Store.Review(ctx, m.Name())
	if errors.Is(err, ErrNotFound) {
		return m, nil
	}
	m.ReviewedBy, m.ReviewedAt = done.StaffID, done.At
	return m, err
}

// Reviewed writes down that a person looked through the record of a month, once. ErrBadInput: the month is not over.
func (s *Shop) Reviewed(ctx context.Context, actor Staff, at time.Time) error {
	m, err := s.ReviewOf(ctx, actor, at)
	if err != nil || m.ReviewedBy != "" {
		return err
	}
	if s.latest().Before(m.To) {
		return fmt.Errorf("the month %s is not over: %w", m.Name(), ErrBadInput)
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		return s.note(ctx, tx, actor, Access{Kind: ReviewedAccesses, Subject: m.Name()})
	})
}
