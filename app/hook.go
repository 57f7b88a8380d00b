package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gage/smartro"
)

// The keys under which the hooks stand in the store, sealed: the secret is in them, and the address may hold another.
const (
	settingHookTest = "hook_test"
	settingHookReal = "hook_real"
)

// Hook is how the shop's own system hears what became of an order. Practice and real have one each, with a secret of
// its own, so that neither ever hears of the other's money.
type Hook struct {
	URL    string // empty: nobody is told
	News   []News // that are told, in the order of [AllNews]
	Secret Secret // that the documents are signed with
	// Old signed them before Secret was made. It signs as well until OldUntil, so that the other side can change over.
	Old      Secret
	OldUntil time.Time
}

// On says whether anybody is told.
func (h Hook) On() bool { return h.URL != "" }

// hookOverlap is how long the secret before the present one still signs.
const hookOverlap = 7 * 24 * time.Hour

// News is what became of an order.
type News string

// The news. What a browser only claims is none.
const (
	NewsPaid            News = "paid"
	NewsWaiting         News = "waiting_deposit"  // an account was issued
	NewsExpired         News = "expired"          // nobody paid into it in time
	NewsPartlyCancelled News = "partly_cancelled" // a part went back
	NewsCancelled       News = "cancelled"        // all went back, or the account was withdrawn
	NewsHeld            News = "held"             // money came that does not fit: a person decides
	NewsMoneyApart      News = "money_apart"      // more money came for a payment that it does not change
	NewsClosed          News = "closed"           // withdrawn before anybody paid
)

// AllNews lists them in the order of an order's life.
func AllNews() []News {
	return []News{NewsPaid, NewsWaiting, NewsExpired, NewsPartlyCancelled, NewsCancelled, NewsHeld, NewsMoneyApart, NewsClosed}
}

// Delivery is one document that the shop's own system is owed. It is written in the transaction that makes the news,
// and its body is never changed: sent again it is the same bytes under the same ID.
type Delivery struct {
	ID      string
	OrderNo OrderNo
	Epoch   int // the [Epoch] in which it was written, and its number within the order: a later state has a later pair
	Seq     int
	Mode    Mode
	News    News
	Moid    Moid // empty: it is of no payment
	Body    string
	At      time.Time // written

	State  DeliveryState
	Tries  int
	Tried  time.Time // last; zero: never
	Status int       // of the last answer; 0: there was none
	Fault  CarryCode // of the last try; empty: none
}

// DeliveryState is what became of a delivery.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryWaiting DeliveryState = "waiting"
	DeliveryDone    DeliveryState = "done"
	DeliveryDropped DeliveryState = "dropped" // the hook was taken away before it was told
)

// Parcel is a request to the shop's own system.
type Parcel struct {
	URL    string
	Mode   Mode
	Header map[string]string
	Body   []byte
}

// Carrier takes parcels to the shop's own system, and only there where it may be.
type Carrier interface {
	// Check says whether parcels of a mode could go to an address. Faults are *CarryError.
	Check(mode Mode, url string) error
	// Carry takes a parcel there and returns the status of the answer. Faults are *CarryError.
	Carry(ctx context.Context, p Parcel) (status int, err error)
}

// CarryCode says in one word why a parcel did not arrive.
type CarryCode string

// Why a parcel did not arrive.
const (
	CarryBadURL   CarryCode = "url"      // it is no address
	CarryPlain    CarryCode = "plain"    // not HTTPS
	CarryHost     CarryCode = "host"     // the name is unknown
	CarryPrivate  CarryCode = "private"  // the address is not on the Internet and nobody listed it
	CarryRefused  CarryCode = "refused"  // nothing listens there
	CarryTLS      CarryCode = "tls"      // the certificate is not its
	CarryTimeout  CarryCode = "timeout"  // no answer in time
	CarryBroken   CarryCode = "broken"   // the connection ended, or the answer is none
	CarryRedirect CarryCode = "redirect" // it points elsewhere
	CarryStatus   CarryCode = "status"   // it answers that it did not take it
)

// CarryError is a parcel that did not arrive.
type CarryError struct {
	Code CarryCode
	Err  error // may be nil
}

// Error leaves the address out: a secret may be in it.
func (e *CarryError) Error() string { return "hook: " + string(e.Code) }

// Unwrap is the cause.
func (e *CarryError) Unwrap() error { return e.Err }

// storedHook is a hook as it stands in the settings: secrets in the clear inside the seal.
type storedHook struct {
	URL      string    `json:"url"`
	News     []News    `json:"news"`
	Secret   string    `json:"secret"`
	Old      string    `json:"old,omitempty"`
	OldUntil time.Time `json:"old_until,omitzero"`
}

func hookSetting(mode Mode) string {
	if mode == smartro.Real {
		return settingHookReal
	}
	return settingHookTest
}

func (s *Shop) hook(ctx context.Context, r Reader, mode Mode) (Hook, error) {
	var h storedHook
	if mode != smartro.Test && mode != smartro.Real {
		return Hook{}, fmt.Errorf("hook of mode %q: %w", mode, ErrBadInput)
	}
	err := s.readSealed(ctx, r, hookSetting(mode), &h)
	return Hook{URL: h.URL, News: h.News, Secret: Secret(h.Secret), Old: Secret(h.Old), OldUntil: h.OldUntil}, err
}

func (s *Shop) saveHook(ctx context.Context, tx Tx, mode Mode, h Hook) error {
	return s.writeSealed(ctx, tx, hookSetting(mode), storedHook{h.URL, h.News, h.Secret.Reveal(), h.Old.Reveal(), h.OldUntil})
}

// Hook reads the hook of a mode.
func (s *Shop) Hook(ctx context.Context, actor Staff, mode Mode) (Hook, error) {
	if err := actor.must(RightChangeHooks); err != nil {
		return Hook{}, err
	}
	return s.hook(ctx, s.Store, mode)
}

// maxHookURL is the longest address of a hook, in bytes.
const maxHookURL = 500

// SetHook says where a mode's news go and which. A new hook gets a secret, which is returned this once; one that stays
// keeps its own, and "" is returned. An empty address takes the hook away: what it was owed is dropped. Faults are
// joined *InputError.
func (s *Shop) SetHook(ctx context.Context, actor Staff, mode Mode, address string, news []News) (Secret, error) {
	if err := actor.must(RightChangeHooks); err != nil {
		return "", err
	}
	address = strings.TrimSpace(address)
	news, err := s.readHook(mode, address, news)
	if err != nil {
		return "", err
	}
	var made Secret
	err = s.Store.Update(ctx, func(tx Tx) error {
		made = ""
		h, err := s.hook(ctx, tx, mode)
		if err != nil {
			return err
		}
		before := h
		if address == "" {
			h = Hook{}
			if err := tx.DropDeliveries(ctx, mode); err != nil {
				return err
			}
		} else {
			if h.URL, h.News = address, news; h.Secret == "" {
				made = newHookSecret()
				h.Secret = made
			}
		}
		return errors.Join(s.saveHook(ctx, tx, mode, h), s.note(ctx, tx, actor, Access{Kind: ChangedHook, Subject: string(mode), Words: changesOfHook(before, h).words()}))
	})
	return made, err
}

func (s *Shop) readHook(mode Mode, address string, chosen []News) ([]News, error) {
	var errs []error
	if address == "" {
		return nil, nil
	}
	var fault *CarryError
	if err := s.Carrier.Check(mode, address); errors.As(err, &fault) {
		errs = append(errs, &InputError{Field: "url", Code: string(fault.Code)})
	} else if err != nil {
		return nil, err
	}
	if len(address) > maxHookURL {
		errs = append(errs, &InputError{Field: "url", Code: "too_long"})
	}
	var news []News
	for _, n := range AllNews() {
		if slices.Contains(chosen, n) {
			news = append(news, n)
		}
	}
	if len(news) == 0 || len(news) < len(chosen) {
		errs = append(errs, &InputError{Field: "news", Code: "required"})
	}
	return news, errors.Join(errs...)
}

// newHookSecret is 260 bits.
func newHookSecret() Secret { return Secret(newToken() + newToken()) }

// RotateHookSecret makes a new secret, which is returned this once. The one before signs as well for a week.
// ErrNotFound: there is no hook.
func (s *Shop) RotateHookSecret(ctx context.Context, actor Staff, mode Mode) (Secret, error) {
	if err := actor.must(RightChangeHooks); err != nil {
		return "", err
	}
	made := newHookSecret()
	err := s.Store.Update(ctx, func(tx Tx) error {
		h, err := s.hook(ctx, tx, mode)
		if err != nil {
			return err
		}
		if !h.On() {
			return fmt.Errorf("hook of %s: %w", mode, ErrNotFound)
		}
		h.Old, h.OldUntil, h.Secret = h.Secret, s.Now().Add(hookOverlap), made
		return errors.Join(s.saveHook(ctx, tx, mode, h), s.note(ctx, tx, actor, Access{Kind: ChangedHook, Subject: string(mode), Words: changesOfHook(Hook{}, Hook{Secret: made}).words()}))
	})
	return made, err
}

// Deliveries are the newest documents of a mode.
func (s *Shop) Deliveries(ctx context.Context, actor Staff, mode Mode, limit int) ([]Delivery, error) {
	if err := actor.must(RightChangeHooks); err != nil {
		return nil, err
	}
	return s.Store.Deliveries(ctx, mode, limit)
}
