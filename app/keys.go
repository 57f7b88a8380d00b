package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"gage/smartro"
)

// retrySpan is the longest in which the gateway may repeat one notification: ten times, every ten minutes (weblink §7).
const retrySpan = 100 * time.Minute

// KeyOverlap is how long a merchant key is believed after another took its place: an account that was opened with it
// may be paid until the end of its term (vbankDays, to the end of that day), and that may be told until the last repeat.
const KeyOverlap = (vbankDays+1)*24*time.Hour + depositGrace + retrySpan

// KeyVersion is one merchant key that a contract has or had. None is ever forgotten: what an old one signed can be
// explained for as long as it is kept.
type KeyVersion struct {
	N         int // 1 is the contract's first
	Key       Secret
	From      time.Time // when it was entered; zero: before versions were counted
	Until     time.Time // it is believed before that; zero: it is the current one
	StoppedBy string    // staff ID of who ended the belief in it before its time; empty: nobody
}

// believed says whether a signature by k still counts.
func (k KeyVersion) believed(now time.Time) bool { return k.Until.IsZero() || now.Before(k.Until) }

// storedKey is a KeyVersion inside the seal.
type storedKey struct {
	N         int       `json:"n"`
	Key       string    `json:"key"`
	From      time.Time `json:"from,omitzero"`
	Until     time.Time `json:"until,omitzero"`
	StoppedBy string    `json:"stopped_by,omitempty"`
}

// contract is a merchant with all keys that it ever had, the current one first.
type contract struct {
	smartro.Merchant
	keys []KeyVersion
	salt string // of the marks by which people tell keys apart
}

// keyN is the number of the current key.
func (c contract) keyN() int { return c.keys[0].N }

func (c contract) is(mid MID, mode Mode) bool { return c.MID == mid && c.Mode == mode }

// stored is c as it stands inside the seal.
func (c contract) stored() storedMerchant {
	m := storedMerchant{Merchant: c.Merchant, Key: c.Key.Reveal(), CancelPassword: c.CancelPassword.Reveal(), Salt: c.salt}
	for _, k := range c.keys {
		m.Keys = append(m.Keys, storedKey{k.N, k.Key.Reveal(), k.From, k.Until, k.StoppedBy})
	}
	return m
}

// contract is what stored made. One that was stored before versions were counted has its one key.
func (m storedMerchant) contract() contract {
	c := contract{Merchant: m.Merchant, salt: m.Salt}
	c.Key, c.CancelPassword = Secret(m.Key), Secret(m.CancelPassword)
	for _, k := range m.Keys {
		c.keys = append(c.keys, KeyVersion{k.N, Secret(k.Key), k.From, k.Until, k.StoppedBy})
	}
	if len(c.keys) == 0 {
		c.keys = []KeyVersion{{N: 1, Key: c.Key}}
	}
	return c
}

// replaceKey makes key the current one. The one before stays believed for [KeyOverlap].
func (c *contract) replaceKey(key Secret, now, latest time.Time) {
	c.Key = key
	if len(c.keys) == 0 {
		c.keys, c.salt = []KeyVersion{{N: 1, Key: key, From: now}}, newToken()
		return
	}
	c.keys[0].Until = latest.Add(KeyOverlap)
	c.keys = append([]KeyVersion{{N: c.keyN() + 1, Key: key, From: now}}, c.keys...)
}

// errOldKey says that a message was signed well, with a key that is not believed any more, or never was for its payment.
var errOldKey = errors.New("signed with a key that is not believed any more")

// verify checks n's signature: the current key is good for every message, an older one while it is believed, and then
// only for a payment whose form it signed itself, or one before it (attempt: that key's number; 0: not known). For the
// gateway never goes back to a key that was replaced when the window opened. It returns the number of the key that
// fits, with errOldKey where it is not believed.
func (c contract) verify(n smartro.Notice, attempt int, now time.Time) (keyN int, err error) {
	err = n.Verify(c.Merchant)
	if err == nil {
		return c.keyN(), nil
	}
	if !errors.Is(err, smartro.ErrSignature) {
		return 0, err
	}
	for _, k := range c.keys[1:] {
		m := c.Merchant
		m.Key = k.Key
		switch {
		case n.Verify(m) != nil:
			continue
		case !k.believed(now), attempt > k.N:
			return k.N, errOldKey
		}
		return k.N, nil
	}
	return 0, err
}

// contractFor is the contract that n is about, and the number of the key that signed its payment's form; 0: not known.
// Where practice and real have the same MID the payment says which of them it is.
func (s *Shop) contractFor(ctx context.Context, r Reader, all []contract, n smartro.Notice) (contract, int, error) {
	own := slices.DeleteFunc(slices.Clone(all), func(c contract) bool {
		return c.MID != n.MID && (n.MID != "" || c.MID != n.TID.MID())
	})
	switch {
	case len(own) == 0:
		return all[0], 0, nil
	case len(own) == 1 && len(own[0].keys) == 1:
		return own[0], 0, nil
	}
	p, err := spokenOf(ctx, r, own, n)
	if errors.Is(err, ErrNotFound) {
		return own[0], 0, nil
	}
	for _, c := range own {
		if c.is(p.MID, p.Mode) {
			return c, p.KeyVersion, err
		}
	}
	return own[0], 0, err
}

// spokenOf is the payment that a notice speaks of, as [Shop.match] finds it: a cancel's by the TID that it cancels.
func spokenOf(ctx context.Context, r Reader, own []contract, n smartro.Notice) (Payment, error) {
	for _, c := range own {
		if !isCancel(eventKind(n.Kind(c.Merchant), T1, ChannelNotify)) {
			continue
		}
		for _, tid := range []TID{n.OTID, n.TID} {
			if p, err := r.PaymentByTID(ctx, c.Mode, tid); !errors.Is(err, ErrNotFound) {
				return p, err
			}
		}
	}
	return r.Payment(ctx, n.Moid)
}

// KeyView is a key as people may see it.
type KeyView struct {
	N           int
	Mark        string // the same for the same key, and tells nothing of it
	From, Until time.Time
	Believed    bool
	StoppedBy   string // staff ID; empty: it ran out by itself
}

// markDigits is the length of a key's mark: enough to tell a few keys apart, and too little to try guesses against.
const markDigits = 6

// KeysOf lists the keys of a contract, the current one first.
func (s *Shop) KeysOf(ctx context.Context, actor Staff, mid MID, mode Mode) ([]KeyView, error) {
	if err := actor.must(RightChangeGateway); err != nil {
		return nil, err
	}
	c, err := s.contractOf(ctx, s.Store, mid, mode)
	if err != nil {
		return nil, err
	}
	now, list := s.latest(), []KeyView{}
	for _, k := range c.keys {
		mac := hmac.New(sha256.New, []byte(c.salt))
		mac.Write([]byte(k.Key.Reveal()))
		list = append(list, KeyView{k.N, hex.EncodeToString(mac.Sum(nil))[:markDigits], k.From, k.Until, k.believed(now), k.StoppedBy})
	}
	return list, nil
}

// StopKey ends the belief in a replaced key at once: it is in other hands. ErrConflict: it is the
// current one, which another has to replace first, or it is not believed any more.
func (s *Shop) StopKey(ctx context.Context, actor Staff, mid MID, mode Mode, n int) error {
	if err := actor.must(RightChangeGateway); err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		all, err := s.contracts(ctx, tx)
		if err != nil {
			return err
		}
		for _, c := range all {
			i := slices.IndexFunc(c.keys, func(k KeyVersion) bool { return c.is(mid, mode) && k.N == n })
			if i < 0 {
				continue
			}
			if k := &c.keys[i]; i == 0 || !k.believed(s.latest()) {
				return fmt.Errorf("key %d of %s: %w", n, mid, ErrConflict)
			} else {
				k.Until, k.StoppedBy = s.Now(), actor.ID
			}
			return errors.Join(s.writeContracts(ctx, tx, all), s.note(ctx, tx, actor, Access{Kind: StoppedKey, Subject: keySubject(c, n)}))
		}
		return fmt.Errorf("key %d of %s: %w", n, mid, ErrNotFound)
	})
}

// keySubject names a key in the record of who did what.
func keySubject(c contract, n int) string { return fmt.Sprintf("%s (%s) #%d", c.MID, c.Mode, n) }
