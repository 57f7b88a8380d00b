package app

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// inviteFor is how long a one-time link is good.
const inviteFor = 72 * time.Hour

// OwnerInvite makes the one-time token of the first start; empty when there is an owner already.
func (s *Shop) OwnerInvite(ctx context.Context) (token string, err error) {
	owned, err := hasOwner(ctx, s.Store)
	if err != nil || owned {
		return "", err
	}
	return s.invite(ctx, Staff{}, Invite{Role: RoleOwner}, Access{Kind: InvitedStaff})
}

// InviteStaff makes a one-time token with which a new person sets a password. ErrConflict: the address is taken.
func (s *Shop) InviteStaff(ctx context.Context, actor Staff, email string, role Role) (token string, err error) {
	if err := actor.must(RightManagePeople); err != nil {
		return "", err
	}
	email, err = readMail(email)
	if err != nil {
		return "", err
	}
	if !slices.Contains(Roles(), role) {
		return "", &InputError{Field: "role", Code: "role", Value: string(role)}
	}
	if _, err := s.Store.StaffByEmail(ctx, email); !errors.Is(err, ErrNotFound) {
		return "", errors.Join(err, fmt.Errorf("%s: %w", email, ErrConflict))
	}
	return s.invite(ctx, actor, Invite{Email: email, Role: role}, Access{Kind: InvitedStaff, Words: email})
}

// ResetPassword makes a one-time token with which a person sets a new password. The old one works until then.
func (s *Shop) ResetPassword(ctx context.Context, actor Staff, email string) (token string, err error) {
	if err := actor.must(RightManagePeople); err != nil {
		return "", err
	}
	p, err := s.Store.StaffByEmail(ctx, strings.ToLower(strings.TrimSpace(email)))
	if err != nil {
		return "", err
	}
	return s.invite(ctx, actor, Invite{Email: p.Email, Role: p.Role}, Access{Kind: ResetStaff, Subject: p.ID})
}

func (s *Shop) invite(ctx context.Context, actor Staff, i Invite, a Access) (string, error) {
	token := newToken()
	i.Hash, i.CreatedAt = digest([]byte(token)), s.Now()
	i.ExpiresAt = i.CreatedAt.Add(inviteFor)
	return token, s.Store.Update(ctx, func(tx Tx) error {
		return errors.Join(tx.CreateInvite(ctx, i), s.note(ctx, tx, actor, a))
	})
}

// CheckInvite reads an invite that may still be used. ErrNotFound: unknown, used or too old.
func (s *Shop) CheckInvite(ctx context.Context, token string) (Invite, error) {
	i, err := s.Store.Invite(ctx, digest([]byte(token)))
	if err != nil {
		return i, err
	}
	return i, s.usable(ctx, s.Store, i)
}

// usable refuses what was used or is too old, and the link of an earlier start once there is an owner: every start
// without an owner prints another one.
func (s *Shop) usable(ctx context.Context, r Reader, i Invite) error {
	if !i.UsedAt.IsZero() || s.latest().After(i.ExpiresAt) {
		return fmt.Errorf("invite: used or too old: %w", ErrNotFound)
	}
	if i.Email != "" {
		return nil
	}
	owned, err := hasOwner(ctx, r)
	if err == nil && owned {
		err = fmt.Errorf("invite: there is an owner already: %w", ErrNotFound)
	}
	return err
}

func hasOwner(ctx context.Context, r Reader) (bool, error) {
	all, err := r.AllStaff(ctx)
	return slices.ContainsFunc(all, func(p Staff) bool { return p.Role == RoleOwner && p.DisabledAt.IsZero() }), err
}

// AcceptInvite sets the password of the invited person, who is made if new. The token works once; every session
// that the person had is ended. An email is only taken where the invite leaves it open.
func (s *Shop) AcceptInvite(ctx context.Context, token, email, name, password string, peer netip.Addr) (Staff, error) {
	i, err := s.CheckInvite(ctx, token)
	if err != nil {
		return Staff{}, err
	}
	if i.Email != "" {
		email = i.Email
	}
	p, err := readPerson(email, name, password)
	if err != nil {
		return Staff{}, err
	}
	if guessable(password, p.Email, p.Name) {
		return Staff{}, &InputError{Field: "password", Code: "password.common"}
	}
	p.Role, p.PasswordHash, p.From = i.Role, s.newHash(password), peer
	err = s.Store.Update(ctx, func(tx Tx) error {
		i, err := tx.Invite(ctx, i.Hash)
		if err != nil {
			return err
		}
		if err := s.usable(ctx, tx, i); err != nil {
			return err
		}
		i.UsedAt = s.Now()
		if err := tx.SaveInvite(ctx, i); err != nil {
			return err
		}
		old, err := tx.StaffByEmail(ctx, p.Email)
		switch {
		case errors.Is(err, ErrNotFound):
			p.ID, p.CreatedAt = newToken(), s.Now()
			return errors.Join(tx.CreateStaff(ctx, p), s.note(ctx, tx, p, Access{Kind: SetPassword, Subject: p.ID}))
		case err != nil:
			return err
		case i.Email == "":
			return fmt.Errorf("%s: %w", p.Email, ErrConflict)
		}
		old.Name, old.PasswordHash, old.From = p.Name, p.PasswordHash, peer
		p = old
		if err := tx.SaveStaff(ctx, p); err != nil {
			return err
		}
		return errors.Join(tx.DeleteSessionsOf(ctx, p.ID, ""), s.note(ctx, tx, p, Access{Kind: SetPassword, Subject: p.ID}))
	})
	return p, err
}

// AddStaff makes a person with a password at once. It is for the demo, whose password everybody knows: of a password
// only the length is asked.
func (s *Shop) AddStaff(ctx context.Context, email, name string, role Role, password string) (Staff, error) {
	p, err := readPerson(email, name, password)
	if err != nil {
		return Staff{}, err
	}
	p.ID, p.Role, p.CreatedAt, p.PasswordHash = newToken(), role, s.Now(), s.newHash(password)
	return p, s.Store.Update(ctx, func(tx Tx) error { return tx.CreateStaff(ctx, p) })
}

// DisableStaff ends a person's access and sessions, or gives access back. The last owner can't be disabled.
func (s *Shop) DisableStaff(ctx context.Context, actor Staff, email string, disabled bool) error {
	if err := actor.must(RightManagePeople); err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		if err := tx.LockStaff(ctx); err != nil {
			return err
		}
		p, err := tx.StaffByEmail(ctx, strings.ToLower(strings.TrimSpace(email)))
		if err != nil {
			return err
		}
		p.DisabledAt = time.Time{}
		kind := EnabledStaff
		if disabled {
			p.DisabledAt, kind = s.Now(), DisabledStaff
			if err := lastOwner(ctx, tx, p); err != nil {
				return err
			}
			if err := tx.DeleteSessionsOf(ctx, p.ID, ""); err != nil {
				return err
			}
		}
		return errors.Join(tx.SaveStaff(ctx, p), s.note(ctx, tx, actor, Access{Kind: kind, Subject: p.ID}))
	})
}

// SetRole gives a person another role and ends their sessions. Nobody changes their own, and the last owner stays one:
// ErrForbidden.
func (s *Shop) SetRole(ctx context.Context, actor Staff, email string, role Role) error {
	if err := actor.must(RightManagePeople); err != nil {
		return err
	}
	if !slices.Contains(Roles(), role) {
		return &InputError{Field: "role", Code: "role", Value: string(role)}
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		if err := tx.LockStaff(ctx); err != nil {
			return err
		}
		p, err := tx.StaffByEmail(ctx, strings.ToLower(strings.TrimSpace(email)))
		if err != nil || p.Role == role {
			return err
		}
		if p.ID == actor.ID {
			return fmt.Errorf("%s would change their own role: %w", p.Email, ErrForbidden)
		}
		if err := lastOwner(ctx, tx, p); err != nil {
			return err
		}
		before := p.Role
		p.Role = role
		return errors.Join(tx.SaveStaff(ctx, p), tx.DeleteSessionsOf(ctx, p.ID, ""),
			s.note(ctx, tx, actor, Access{Kind: ChangedRole, Subject: p.ID, Words: string(before) + " → " + string(role)}))
	})
}

func lastOwner(ctx context.Context, tx Tx, p Staff) error {
	all, err := tx.AllStaff(ctx)
	if err != nil {
		return err
	}
	for _, q := range all {
		if q.ID != p.ID && q.Role == RoleOwner && q.DisabledAt.IsZero() {
			return nil
		}
	}
	if p.Role != RoleOwner {
		return nil
	}
	return fmt.Errorf("%s is the last owner: %w", p.Email, ErrForbidden)
}

// Staff lists the people.
func (s *Shop) Staff(ctx context.Context) ([]Staff, error) { return s.Store.AllStaff(ctx) }

func readPerson(email, name, password string) (Staff, error) {
	var errs []error
	email, err := readMail(email)
	if err != nil {
		errs = append(errs, err)
	}
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || utf8.RuneCountInString(name) > 40 {
		errs = append(errs, &InputError{Field: "name", Code: "required", Value: name})
	}
	if n := utf8.RuneCountInString(password); n < MinPassword || n > maxPassword || !utf8.ValidString(password) {
		errs = append(errs, &InputError{Field: "password", Code: "password"})
	}
	return Staff{Email: email, Name: name}, errors.Join(errs...)
}

func readMail(email string) (string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	if a, err := mail.ParseAddress(email); err != nil || a.Address != email || len(email) > 100 {
		return "", &InputError{Field: "email", Code: "email", Value: email}
	}
	return email, nil
}
