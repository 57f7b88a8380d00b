package app

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Limits of signing in.
const (
	maxFailures = 5 // by account and by address; the last of them locks
	failWindow  = 15 * time.Minute
)

// SignIn checks a person's password. ErrSignIn: the pair is wrong, whichever of the two. ErrSecond, with the person: it
// is right, and [Shop.SignInSecond] comes next. ErrThrottled: five failures in fifteen minutes, for this account or from
// this address; it lasts fifteen minutes from the last one.
func (s *Shop) SignIn(ctx context.Context, email, password string, peer netip.Addr) (Staff, error) {
	return s.checkPerson(ctx, email, peer, SignedIn, shown{password: &password})
}

// SignInSecond checks the second factor of a person whose password was right just now, under the same limits.
func (s *Shop) SignInSecond(ctx context.Context, who Staff, code string, peer netip.Addr) (Staff, error) {
	return s.checkPerson(ctx, who.Email, peer, SignedIn, shown{code: &code})
}

// TypeAgain checks the password of a person who is signed in, and a code where they have a second factor, under the
// same limits.
func (s *Shop) TypeAgain(ctx context.Context, who Staff, password, code string) error {
	_, err := s.checkPerson(ctx, who.Email, who.From, TypedAgain, shown{password: &password, code: &code})
	return err
}

// shown is what somebody shows to be a person; nil: that was not asked for. A passkey stands for both others.
type shown struct {
	password, code *string
	passkey        func(*SecondFactor) error // takes it, or says ErrSignIn
}

func (s *Shop) checkPerson(ctx context.Context, email string, peer netip.Addr, kind AccessKind, given shown) (Staff, error) {
	ctx = Essential(ctx)
	email = strings.ToLower(strings.TrimSpace(email))
	account, address := "account "+digest([]byte(email)), "address "+network(peer)
	if err := s.beginAttempt(ctx, account, address); err != nil {
		return Staff{}, err
	}
	defer s.attempts.end(account, address)
	p, err := s.Store.StaffByEmail(ctx, email)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Staff{}, err
	}
	if given.password != nil && !s.passwordOK(p.PasswordHash, *given.password) || p.ID == "" || !p.DisabledAt.IsZero() {
		return Staff{}, s.refused(ctx, p, account, peer)
	}
	p.From = peer
	half := false
	err = s.Store.Update(ctx, func(tx Tx) error {
		half, err = s.checkSecond(ctx, tx, p, given)
		switch {
		case err != nil:
			return err
		case half: // who has a password only must not try codes for ever: the account's failures stand
			return errors.Join(tx.TakeBackAttempt(ctx, account), tx.TakeBackAttempt(ctx, address))
		}
		// The address gets back what this attempt took, and no more: who has one password must not try others for ever.
		return errors.Join(tx.ClearAttempts(ctx, account), tx.TakeBackAttempt(ctx, address),
			s.note(ctx, tx, p, Access{Kind: kind, Subject: p.ID}))
	})
	switch {
	case errors.Is(err, ErrSignIn):
		return Staff{}, s.refused(ctx, p, account, peer)
	case err != nil:
		return Staff{}, err
	case half:
		return p, ErrSecond
	}
	return p, nil
}

// refused says no, whatever was wrong.
func (s *Shop) refused(ctx context.Context, p Staff, account string, peer netip.Addr) error {
	s.Log.Warn("a sign-in was refused", "peer", peer)
	return errors.Join(ErrSignIn, s.lockedOut(ctx, p, account, peer))
}

// checkSecond takes the code or the passkey of who has a second factor. half: it is still to be shown.
func (s *Shop) checkSecond(ctx context.Context, tx Tx, p Staff, given shown) (half bool, err error) {
	f, err := tx.LockSecondFactor(ctx, p.ID)
	switch {
	case errors.Is(err, ErrNotFound) && given.password == nil:
		return false, ErrSignIn // nothing was shown at all
	case errors.Is(err, ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case given.passkey != nil:
		err = given.passkey(&f)
	case given.code == nil:
		return true, nil
	default:
		err = s.takeCode(ctx, tx, &f, *given.code)
	}
	if err != nil {
		return false, err
	}
	return false, tx.SaveSecondFactor(ctx, f)
}

// network is what counts as one address: of IPv6 the /64, which one household or office has.
func network(peer netip.Addr) string {
	peer = peer.Unmap()
	if peer.Is6() {
		if p, err := peer.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return peer.String()
}

// beginAttempt counts an attempt before its password is looked at: of many guesses that come at the same moment no
// more are taken than of guesses one after the other. Where only attempts that are still under way fill the limit,
// it waits for them: people who come to work at the same minute are not turned away.
func (s *Shop) beginAttempt(ctx context.Context, keys ...string) error {
	for {
		wait, err := s.attempts.begin(keys, func() error { return s.countAttempt(ctx, keys) })
		if wait == nil {
			return err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Shop) countAttempt(ctx context.Context, keys []string) error {
	now := s.Now()
	return s.Store.Update(ctx, func(tx Tx) error {
		for _, k := range keys {
			if n, err := tx.Attempts(ctx, k, now.Add(-failWindow)); err != nil {
				return err
			} else if n >= maxFailures {
				return ErrThrottled
			}
		}
		for _, k := range keys {
			if _, err := tx.CountAttempt(ctx, k, now.Add(-failWindow), now, maxFailures); err != nil {
				return err
			}
		}
		return nil
	})
}

// attempts are the sign-ins under way in this process.
type attempts struct {
	mu      sync.Mutex
	running map[string]int // by account and by address
	ended   chan struct{}  // closed when one of them ends
}

// begin counts one more, by count. If that is throttled while others of the same account or address are under way it
// gives what to wait for before the next try: some of those may turn out right, and be taken back.
func (a *attempts) begin(keys []string, count func() error) (wait <-chan struct{}, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running == nil {
		a.running = map[string]int{}
	}
	err = count()
	for _, k := range keys {
		if err == nil {
			a.running[k]++
		} else if errors.Is(err, ErrThrottled) && a.running[k] > 0 {
			if a.ended == nil {
				a.ended = make(chan struct{})
			}
			return a.ended, nil
		}
	}
	return nil, err
}

func (a *attempts) end(keys ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, k := range keys {
		if a.running[k]--; a.running[k] == 0 {
			delete(a.running, k)
		}
	}
	if a.ended != nil {
		close(a.ended)
		a.ended = nil
	}
}
