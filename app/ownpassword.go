package app

import (
	"context"
	"errors"
	"fmt"
)

// ChangePassword gives a person another password, of their own choice. All their sessions but the one that asks end. Who
// calls it has just had the present password typed. Faults are joined *InputError.
func (s *Shop) ChangePassword(ctx context.Context, who Staff, keep, password string) error {
	if who.ID == "" {
		return ErrForbidden
	}
	if _, err := readPerson(who.Email, who.Name, password); err != nil {
		return err
	}
	if guessable(password, who.Email, who.Name) {
		return &InputError{Field: "password", Code: "password.common"}
	}
	hash := s.newHash(password)
	return s.Store.Update(ctx, func(tx Tx) error {
		p, err := tx.StaffByID(ctx, who.ID)
		if err != nil {
			return err
		}
		if !p.DisabledAt.IsZero() {
			return fmt.Errorf("%s is disabled: %w", p.ID, ErrForbidden)
		}
		p.PasswordHash, p.From = hash, who.From
		return errors.Join(tx.SaveStaff(ctx, p), tx.DeleteSessionsOf(ctx, p.ID, keep), s.note(ctx, tx, p, Access{Kind: SetPassword, Subject: p.ID}))
	})
}
