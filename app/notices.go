package app

import (
	"context"
	"time"

	"gage/smartro"
)

// NoticeState says whether the gateway's notifications reach the shop, under one contract.
type NoticeState struct {
	Mode    Mode
	LastAt  time.Time // when the last one came that is believed; zero: none ever did
	Opened  int       // payments opened since then, a while ago, that no browser said were stopped or refused; at most silentOpened are counted
	Claimed int       // those of them that the buyer's browser said were paid
}

// What makes silence strange: one payment that a browser said was paid, or so many windows of which not one came to
// anything (failure model, R9).
const (
	silentAfter  = claimedTooLong
	silentOpened = 10
	silentSince  = 14 * 24 * time.Hour // what is older belongs to another set-up
)

// Silent says that notifications should have come, and none did.
func (n NoticeState) Silent() bool { return n.Claimed > 0 || n.Opened >= silentOpened }

// Notices looks whether notifications come, under each contract: the one of today is the first.
func (s *Shop) Notices(ctx context.Context) ([]NoticeState, error) {
	all, err := s.contracts(ctx, s.Store)
	if err != nil {
		return nil, err
	}
	list := make([]NoticeState, len(all))
	for i, c := range all {
		if list[i], err = s.notices(ctx, c.Merchant); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s *Shop) notices(ctx context.Context, m smartro.Merchant) (n NoticeState, err error) {
	n.Mode = m.Mode
	if n.LastAt, err = s.Store.LastNotice(ctx, m.MID); err != nil {
		return n, err
	}
	now := s.latest()
	from := now.Add(-silentSince)
	if n.LastAt.After(from) {
		from = n.LastAt
	}
	n.Opened, n.Claimed, err = s.Store.Unheard(ctx, m.MID, m.Mode, from, now.Add(-silentAfter), silentOpened)
	return n, err
}
