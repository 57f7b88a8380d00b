package app

import (
	"cmp"
	"context"
	"time"

	"golang.org/x/crypto/argon2"
)

// OnHash has each of the shop's password hashes told to f before it is computed.
func (s *Shop) OnHash(f func(password string, memory uint32)) {
	s.derive = func(password, salt []byte, passes, memory uint32, threads uint8, keyLen uint32) []byte {
		f(string(password), memory)
		return argon2.IDKey(password, salt, passes, memory, threads, keyLen)
	}
}

// Breached is the list of stolen passwords.
var Breached = breached

// Guessable says whether a password is refused as one that is tried first.
func Guessable(password, email, name string) bool { return guessable(password, email, name) }

func (s Subscription) DueFrom(from time.Time) time.Time { return s.dueFrom(from) }

// ReadOrder is what of an order's form is taken.
func (s *Shop) ReadOrder(in OrderInput) (Order, error) { return s.readOrder(in) }

// KeepOneNoticeURL writes the secrets as they were kept when there was one URL for both modes.
func (s *Shop) KeepOneNoticeURL(ctx context.Context, secrets ...string) error {
	return s.Store.Update(ctx, func(tx Tx) error { return s.writeSealed(ctx, tx, settingSecrets, secrets) })
}

// NoticeModes are the modes that a secret is of.
func (s *Shop) NoticeModes(ctx context.Context, secret string) ([]string, error) {
	var list []string
	modes, err := s.secretModes(ctx, secret)
	for _, m := range modes {
		list = append(list, cmp.Or(string(m), "both"))
	}
	return list, err
}

// CheckPaid asserts that at most one of an order's payments is paid, once next is.
func CheckPaid(ps []Payment, next Payment) { checkPaid(ps, next, Event{}) }
