package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"gage/smartro"
)

// The keys under which settings stand in the store. What is secret is sealed.
const (
	settingInfo      = "shop"
	settingMerchants = "merchants" // sealed
)

// ShopInfo is what the law and the card companies want at the foot of a checkout, and the class of its goods.
type ShopInfo struct {
	Name       string `json:"name"`
	Owner      string `json:"owner"`
	BusinessNo string `json:"business_no"`
	Address    string `json:"address"`
	Tel        string `json:"tel"`
	Digital    bool   `json:"digital"`   // sells content, not things: must match the MID's registration for phone payments
	TakeLate   bool   `json:"take_late"` // a deposit after its due date pays its order, as late; else it is held
}

// Info reads the shop's facts; all empty before the owner entered them.
func (s *Shop) Info(ctx context.Context) (ShopInfo, error) { return infoOf(ctx, s.Store) }

func infoOf(ctx context.Context, r Reader) (ShopInfo, error) {
	return setting(ctx, r, settingInfo, ShopInfo{})
}

// setting reads a setting that is kept as JSON; first is what stands before it was set.
func setting[T any](ctx context.Context, r Reader, name string, first T) (v T, err error) {
	text, err := r.Setting(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return first, nil
	}
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal([]byte(text), &v)
}

// SetInfo stores the shop's facts.
func (s *Shop) SetInfo(ctx context.Context, actor Staff, info ShopInfo) error {
	if err := actor.must(RightChangeShop); err != nil {
		return err
	}
	var errs []error
	for _, f := range []struct {
		name string
		val  *string
		max  int
	}{
		{"name", &info.Name, 60}, {"owner", &info.Owner, 60}, {"business_no", &info.BusinessNo, 20},
		{"address", &info.Address, 200}, {"tel", &info.Tel, 30},
	} {
		*f.val = strings.TrimSpace(*f.val)
		if len([]rune(*f.val)) > f.max {
			errs = append(errs, &InputError{Field: f.name, Code: "too_long", Value: *f.val})
		}
	}
	if info.Name == "" {
		errs = append(errs, &InputError{Field: "name", Code: "required"})
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	text, err := json.Marshal(info)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		before, err := infoOf(ctx, tx)
		if err != nil {
			return err
		}
		return errors.Join(tx.SetSetting(ctx, settingInfo, string(text)),
			s.note(ctx, tx, actor, Access{Kind: ChangedShop, Words: changesOfShop(before, info).words()}))
	})
}

// storedMerchant is a contract as it stands, sealed, in the settings: secrets in the clear inside the seal.
type storedMerchant struct {
	smartro.Merchant
	Key            string
	CancelPassword string
	Keys           []storedKey `json:",omitempty"`
	Salt           string      `json:",omitempty"`
}

func (s *Shop) contracts(ctx context.Context, r Reader) ([]contract, error) {
	var stored []storedMerchant
	if err := s.readSealed(ctx, r, settingMerchants, &stored); err != nil {
		return nil, err
	}
	out := make([]contract, 0, len(stored))
	for _, m := range stored {
		out = append(out, m.contract())
	}
	return out, nil
}

func (s *Shop) writeContracts(ctx context.Context, tx Tx, all []contract) error {
	stored := make([]storedMerchant, 0, len(all))
	for _, c := range all {
		stored = append(stored, c.stored())
	}
	return s.writeSealed(ctx, tx, settingMerchants, stored)
}

// Merchant is the contract under which new payments are made. ErrNoGateway: the owner has not entered one yet.
func (s *Shop) Merchant(ctx context.Context) (smartro.Merchant, error) {
	return s.merchant(ctx, s.Store)
}

func (s *Shop) merchant(ctx context.Context, r Reader) (smartro.Merchant, error) {
	all, err := s.contracts(ctx, r)
	if err != nil || len(all) == 0 {
		return smartro.Merchant{}, errors.Join(err, ErrNoGateway)
	}
	return all[0].Merchant, nil
}

// contractOf is the contract under which a payment was made, whichever is current today.
func (s *Shop) contractOf(ctx context.Context, r Reader, mid MID, mode Mode) (contract, error) {
	all, err := s.contracts(ctx, r)
	if err != nil {
		return contract{}, err
	}
	for _, c := range all {
		if c.is(mid, mode) {
			return c, nil
		}
	}
	return contract{}, fmt.Errorf("MID %s (%s): %w", mid, mode, ErrNoGateway)
}

// MIDs are those of all contracts that the shop has or had, the one of new payments first.
func (s *Shop) MIDs(ctx context.Context) ([]MID, error) {
	all, err := s.contracts(ctx, s.Store)
	var list []MID
	for _, c := range all {
		if !slices.Contains(list, c.MID) {
			list = append(list, c.MID)
		}
	}
	return list, err
}

// merchantOf is contractOf with its current key, for who does not ask about keys.
func (s *Shop) merchantOf(ctx context.Context, r Reader, mid MID, mode Mode) (smartro.Merchant, error) {
	c, err := s.contractOf(ctx, r, mid, mode)
	return c.Merchant, err
}

// SetMerchant makes m the contract of new payments; older ones keep theirs. An empty Key or CancelPassword keeps
// the stored one of the same MID and mode; another Key begins a new version, and the one before is believed for
// [KeyOverlap]. Faults are joined *smartro.FieldError.
func (s *Shop) SetMerchant(ctx context.Context, actor Staff, m smartro.Merchant) error {
	if err := actor.must(RightChangeGateway); err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error { return s.setMerchant(ctx, tx, actor, m) })
}

func (s *Shop) setMerchant(ctx context.Context, tx Tx, actor Staff, m smartro.Merchant) error {
	all, err := s.contracts(ctx, tx)
	if err != nil {
		return err
	}
	c := contract{Merchant: m}
	next := []contract{{}}
	var before smartro.Merchant
	for _, old := range all {
		if !old.is(m.MID, m.Mode) {
			next = append(next, old)
			continue
		}
		c.Key, c.CancelPassword = cmp.Or(m.Key, old.Key), cmp.Or(m.CancelPassword, old.CancelPassword)
		before = old.Merchant
		c.keys, c.salt = old.keys, cmp.Or(old.salt, newToken())
	}
	if err := c.Validate(); err != nil {
		return err
	}
	did := Access{Kind: ChangedGateway, Subject: string(m.MID), Words: changesOfMerchant(before, c.Merchant).words()}
	if len(c.keys) == 0 {
		c.replaceKey(c.Key, s.Now(), s.latest())
	} else if c.Key != c.keys[0].Key {
		c.replaceKey(c.Key, s.Now(), s.latest())
		did.Kind, did.Subject = ChangedKey, keySubject(c, c.keyN())
	}
	next[0] = c
	if err := s.writeContracts(ctx, tx, next); err != nil {
		return err
	}
	_, err = s.noticeSecrets(ctx, tx, m.Mode)
	return errors.Join(err, s.note(ctx, tx, actor, did))
}

func (s *Shop) readSealed(ctx context.Context, r Reader, key string, into any) error {
	sealed, err := r.Setting(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	plain, err := s.Keys.Open("setting/"+key, sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, into)
}

func (s *Shop) writeSealed(ctx context.Context, tx Tx, key string, v any) error {
	plain, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return tx.SetSetting(ctx, key, s.Keys.Seal("setting/"+key, plain))
}

// Senders lists the addresses that used the secret notification path and were not known before.
func (s *Shop) Senders(ctx context.Context) ([]Sender, error) { return s.Store.Senders(ctx) }

// DecideSender says whether an address is the gateway. Yes judges again what it sent until now.
func (s *Shop) DecideSender(ctx context.Context, actor Staff, addr string, isGateway bool) error {
	if err := actor.must(RightChangeGateway); err != nil {
		return err
	}
	var waiting []Message
	err := s.Store.Update(ctx, func(tx Tx) error {
		all, err := tx.Senders(ctx)
		if err != nil {
			return err
		}
		for _, sender := range all {
			if sender.Addr != addr {
				continue
			}
			var decided changes
			was := sender.State
			sender.State, sender.DecidedBy, sender.DecidedAt = SenderRefused, actor.ID, s.Now()
			if isGateway {
				sender.State = SenderApproved
			}
			decided.see("sender", was, sender.State)
			if waiting, err = tx.MessagesFrom(ctx, addr, VerdictUnknownSender, 1000); err != nil {
				return err
			}
			return errors.Join(tx.SaveSender(ctx, sender), s.note(ctx, tx, actor, Access{Kind: DecidedSender, Subject: addr, Words: decided.words()}))
		}
		return fmt.Errorf("sender %s: %w", addr, ErrNotFound)
	})
	if err != nil || !isGateway {
		return err
	}
	var errs []error
	for _, m := range waiting {
		errs = append(errs, s.rejudge(ctx, m.ID))
	}
	return errors.Join(errs...)
}

// knownSender says whether addr is published, listed by the owner of the machine, or approved by a person.
func (s *Shop) knownSender(ctx context.Context, r Reader, mode Mode, addr netip.Addr) (SenderState, error) {
	for _, p := range s.KnownSenders(mode) {
		if p.Contains(addr.Unmap()) {
			return SenderApproved, nil
		}
	}
	all, err := r.Senders(ctx)
	if err != nil {
		return "", err
	}
	for _, sender := range all {
		if sender.Addr == addr.Unmap().String() {
			return sender.State, nil
		}
	}
	return "", nil
}
