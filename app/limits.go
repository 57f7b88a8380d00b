package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Limits say up to how much a role may give back, or accept as paid, without a second person. A role that is not there
// has no limit.
type Limits map[Role]Won

// ChangedLimits is recorded with the limits before and after.
const ChangedLimits AccessKind = "changed_limits"

const settingLimits = "limits"

// Above says whether an amount is above the role's limit.
func (l Limits) Above(r Role, amt Won) bool {
	most, limited := l[r]
	return limited && amt > most
}

// Limits reads the limits; none before the owner set some.
func (s *Shop) Limits(ctx context.Context) (Limits, error) { return limitsOf(ctx, s.Store) }

func limitsOf(ctx context.Context, r Reader) (Limits, error) {
	return setting(ctx, r, settingLimits, Limits{})
}

// SetLimits puts limits in place of those that there are. Of the roles that approve one stays without a limit, or a large
// cancel would have nobody who may approve it: then it is an *InputError.
func (s *Shop) SetLimits(ctx context.Context, actor Staff, limits Limits) error {
	if err := actor.must(RightManagePeople); err != nil {
		return err
	}
	for r, most := range limits {
		if !r.May(RightCancel) || most < 0 || most > maxLimit {
			return &InputError{Field: string(r), Code: "limit", Value: most.String()}
		}
	}
	if !slices.ContainsFunc(Roles(), func(r Role) bool { _, limited := limits[r]; return r.May(RightApproveCancels) && !limited }) {
		return &InputError{Field: string(RoleOwner), Code: "limit.nobody"}
	}
	text, err := json.Marshal(limits)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		before, err := limitsOf(ctx, tx)
		if err != nil {
			return err
		}
		return errors.Join(tx.SetSetting(ctx, settingLimits, string(text)),
			s.note(ctx, tx, actor, Access{Kind: ChangedLimits, Words: changesOfLimits(before, limits).words()}))
	})
}

// maxLimit is the most that the gateway takes as an amount.
const maxLimit Won = 999_999_999_999

// within is ErrAboveLimit for an amount that the actor may not settle alone.
func within(ctx context.Context, r Reader, actor Staff, amt Won) error {
	limits, err := limitsOf(ctx, r)
	if err == nil && limits.Above(actor.Role, amt) {
		err = fmt.Errorf("%d won by %s: %w", amt, actor.Role, ErrAboveLimit)
	}
	return err
}

// withinCancel is ErrAboveLimit for a cancel that, with what the actor gave back of the same payment by themselves
// before, is above their limit: a large cancel in small parts is a large cancel.
func withinCancel(ctx context.Context, r Reader, actor Staff, p Payment, amt Won) error {
	cancels, err := r.Cancels(ctx, p.OrderNo)
	if err != nil {
		return err
	}
	requests, err := r.CancelRequests(ctx, p.OrderNo)
	if err != nil {
		return err
	}
	for _, c := range cancels {
		approved := slices.ContainsFunc(requests, func(q CancelRequest) bool { return q.ID == c.ID && q.State == RequestApproved })
		if c.Moid == p.Moid && c.By == actor.ID && c.State != CancelStateRefused && !approved {
			amt += c.Amount
		}
	}
	return within(ctx, r, actor, amt)
}
