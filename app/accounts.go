package app

import (
	"context"
	"errors"
	"slices"
	"time"
)

// AccountList is one list of virtual accounts.
type AccountList string

// The lists.
const (
	AccountsWaiting   AccountList = "waiting"   // for the deposit: due soonest first
	AccountsDeposited AccountList = "deposited" // latest first
	AccountsExpired   AccountList = "expired"   // without a deposit in time
	AccountsOdd       AccountList = "odd"       // with money kept apart: late, in another amount, after a cancel
	AccountsOwed      AccountList = "owed"      // with a refund under way
)

// AccountLists lists them, in the order in which they are worked off.
func AccountLists() []AccountList {
	return []AccountList{AccountsWaiting, AccountsOdd, AccountsOwed, AccountsDeposited, AccountsExpired}
}

// AccountQuery asks for a page of a list.
type AccountQuery struct {
	List  AccountList
	Mode  Mode // empty: both
	After Cursor
	Limit int
}

// Accounts lists payments by virtual account, of the mode in which the shop takes payments today. Row.When is the due
// time of those that wait or expired, the deposit of those paid, and the opening of the others. ErrBadInput: no such list.
func (s *Shop) Accounts(ctx context.Context, q AccountQuery) (rows []PaymentRow, next Cursor, err error) {
	if q.Limit <= 0 || q.Limit > 200 {
		q.Limit = 50
	}
	if !isID(q.After.ID) || !slices.Contains(AccountLists(), q.List) {
		return nil, next, ErrBadInput
	}
	m, err := s.Merchant(ctx)
	if err != nil && !errors.Is(err, ErrNoGateway) {
		return nil, next, err
	}
	q.Mode = m.Mode
	more := q
	more.Limit++
	if rows, err = s.Store.Accounts(ctx, more); err != nil || len(rows) <= q.Limit {
		return rows, next, err
	}
	rows = rows[:q.Limit]
	last := rows[len(rows)-1]
	return rows, Cursor{At: last.When, ID: string(last.Moid)}, nil
}

// DueOn says whether a virtual account's time ends on the day of t in Korea.
func (p Payment) DueOn(t time.Time) bool {
	return !p.VbankDue.IsZero() && kstDay(p.VbankDue) == kstDay(t)
}
