package app

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Limits of signing in.
const (
	MinPassword  = 12 // characters
	maxFailures  = 5  // in failWindow, by account and by address
	failWindow   = 15 * time.Minute
	inviteFor    = 72 * time.Hour
	hashParallel = 4 // passwords hashed at the same time: each takes 19 MiB
)

// argon2id parameters: 19 MiB, two passes.
const (
	argonTime, argonMemory, argonThreads, argonLen = 2, 19 * 1024, 1, 32
)

// hash is argon2id in PHC form. It waits for a place, so that a burst of sign-ins does not take all memory.
func (s *Shop) hash(password string, salt []byte) string {
	s.hashingOnce.Do(func() { s.hashing = make(chan struct{}, hashParallel) })
	s.hashing <- struct{}{}
	defer func() { <-s.hashing }()
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonLen)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

func (s *Shop) newHash(password string) Secret {
	salt := make([]byte, 16)
	rand.Read(salt)
	return Secret(s.hash(password, salt))
}

// passwordOK takes the same time whether or not there is a hash to compare with.
func (s *Shop) passwordOK(stored Secret, password string) bool {
	parts := strings.Split(stored.Reveal(), "$")
	salt := make([]byte, 16)
	if len(parts) == 6 {
		if b, err := base64.RawStdEncoding.DecodeString(parts[4]); err == nil {
			salt = b
		}
	}
	again := s.hash(password, salt)
	return subtle.ConstantTimeCompare([]byte(again), []byte(stored.Reveal())) == 1
}

// SignIn checks a person's password. ErrSignIn: the pair is wrong, whichever of the two. ErrThrottled: five
// failures in fifteen minutes, for this account or from this address.
func (s *Shop) SignIn(ctx context.Context, email, password string, peer netip.Addr) (Staff, error) {
	ctx = Essential(ctx)
	email = strings.ToLower(strings.TrimSpace(email))
	keys := []string{"account " + digest([]byte(email)), "address " + peer.Unmap().String()}
	now := s.Now()
	// Counted before the password is looked at, and forgotten when it is right: of many guesses that come at the
	// same moment no more are taken than of guesses one after the other.
	err := s.Store.Update(ctx, func(tx Tx) error {
		for _, k := range keys {
			if n, err := tx.Attempts(ctx, k, now.Add(-failWindow)); err != nil {
				return err
			} else if n >= maxFailures {
				return ErrThrottled
			}
		}
		for _, k := range keys {
			if _, err := tx.CountAttempt(ctx, k, now.Add(-failWindow), now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Staff{}, err
	}
	p, err := s.Store.StaffByEmail(ctx, email)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Staff{}, err
	}
	if !s.passwordOK(p.PasswordHash, password) || p.ID == "" || !p.DisabledAt.IsZero() {
		s.Log.Warn("a sign-in was refused", "peer", peer)
		return Staff{}, ErrSignIn
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		return errors.Join(tx.ClearAttempts(ctx, keys[0]), tx.ClearAttempts(ctx, keys[1]))
	})
	if err != nil {
		return Staff{}, err
	}
	return p, nil
}

// OwnerInvite makes the one-time token of the first start; empty when there is an owner already.
func (s *Shop) OwnerInvite(ctx context.Context) (token string, err error) {
	owned, err := hasOwner(ctx, s.Store)
	if err != nil || owned {
		return "", err
	}
	return s.invite(ctx, "", RoleOwner)
}

// InviteStaff makes a one-time token with which a new person sets a password. ErrConflict: the address is taken.
func (s *Shop) InviteStaff(ctx context.Context, email string, role Role) (token string, err error) {
	email, err = readMail(email)
	if err != nil {
		return "", err
	}
	if role != RoleOwner && role != RoleStaff {
		return "", &InputError{Field: "role", Code: "role", Value: string(role)}
	}
	if _, err := s.Store.StaffByEmail(ctx, email); !errors.Is(err, ErrNotFound) {
		return "", errors.Join(err, fmt.Errorf("%s: %w", email, ErrConflict))
	}
	return s.invite(ctx, email, role)
}

// ResetPassword makes a one-time token with which a person sets a new password. The old one works until then.
func (s *Shop) ResetPassword(ctx context.Context, email string) (token string, err error) {
	p, err := s.Store.StaffByEmail(ctx, strings.ToLower(strings.TrimSpace(email)))
	if err != nil {
		return "", err
	}
	return s.invite(ctx, p.Email, p.Role)
}

func (s *Shop) invite(ctx context.Context, email string, role Role) (string, error) {
	token := newToken()
	now := s.Now()
	return token, s.Store.Update(ctx, func(tx Tx) error {
		return tx.CreateInvite(ctx, Invite{
			Hash: digest([]byte(token)), Email: email, Role: role, CreatedAt: now, ExpiresAt: now.Add(inviteFor),
		})
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
	if !i.UsedAt.IsZero() || s.Now().After(i.ExpiresAt) {
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
func (s *Shop) AcceptInvite(ctx context.Context, token, email, name, password string) (Staff, error) {
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
	p.Role, p.PasswordHash = i.Role, s.newHash(password)
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
			return tx.CreateStaff(ctx, p)
		case err != nil:
			return err
		case i.Email == "":
			return fmt.Errorf("%s: %w", p.Email, ErrConflict)
		}
		old.Name, old.PasswordHash = p.Name, p.PasswordHash
		p = old
		if err := tx.SaveStaff(ctx, p); err != nil {
			return err
		}
		return tx.DeleteSessionsOf(ctx, p.ID, "")
	})
	return p, err
}

// AddStaff makes a person with a password at once, for the command line and the demo.
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
	if actor.Role != RoleOwner {
		return ErrForbidden
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		p, err := tx.StaffByEmail(ctx, strings.ToLower(strings.TrimSpace(email)))
		if err != nil {
			return err
		}
		p.DisabledAt = time.Time{}
		if disabled {
			p.DisabledAt = s.Now()
			if err := lastOwner(ctx, tx, p); err != nil {
				return err
			}
			if err := tx.DeleteSessionsOf(ctx, p.ID, ""); err != nil {
				return err
			}
		}
		return tx.SaveStaff(ctx, p)
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
	if n := utf8.RuneCountInString(password); n < MinPassword || n > 200 || strings.EqualFold(password, email) {
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
