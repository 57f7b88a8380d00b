package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Sessions are the browsers in which a person is signed in now, the last used first.
func (s *Shop) Sessions(ctx context.Context, who Staff) ([]Session, error) {
	now := s.Now()
	list, err := s.Store.SessionsOf(ctx, who.ID)
	return slices.DeleteFunc(list, func(v Session) bool { return !now.Before(v.ExpiresAt) }), err
}

// ForgetSession deletes a session, if there is one, and what is left of those that ended by themselves.
func (s *Shop) ForgetSession(ctx context.Context, hash string) error {
	return s.Store.Update(Essential(ctx), func(tx Tx) error {
		if err := tx.DeleteExpiredSessions(ctx, s.Now()); err != nil {
			return err
		}
		return tx.DeleteSession(ctx, hash)
	})
}

// EndSession ends one of a person's own sessions. ErrNotFound: it is nobody's, or somebody else's.
func (s *Shop) EndSession(ctx context.Context, who Staff, hash string) error {
	return s.Store.Update(Essential(ctx), func(tx Tx) error {
		v, err := tx.Session(ctx, hash)
		if err != nil {
			return err
		}
		if v.StaffID != who.ID {
			return fmt.Errorf("session of somebody else: %w", ErrNotFound)
		}
		return errors.Join(tx.DeleteSession(ctx, hash), s.note(ctx, tx, who, Access{Kind: EndedSessions, Subject: who.ID}))
	})
}

// EndOtherSessions ends all of a person's sessions but the one that asks.
func (s *Shop) EndOtherSessions(ctx context.Context, who Staff, keep string) error {
	return s.Store.Update(Essential(ctx), func(tx Tx) error {
		return errors.Join(tx.DeleteSessionsOf(ctx, who.ID, keep), s.note(ctx, tx, who, Access{Kind: EndedSessions, Subject: who.ID}))
	})
}
