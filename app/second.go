package app

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"gage/smartro"
)

// SecondFactor is what a person shows besides the password: the codes of an app (TOTP, RFC 6238) or a passkey, and
// recovery codes for the day on which the device is gone.
type SecondFactor struct {
	StaffID   string
	Secret    Secret    // of the app, base32; sealed at rest; empty: there is no app
	Recovery  []string  // SHA-256 of those that are left, hex; sealed at rest
	Passkeys  []Passkey // sealed at rest, for they name devices
	LastStep  int64     // of the last code that was taken: neither it nor an older one is taken again
	CreatedAt time.Time
}

// What is recorded about roles and second factors.
const (
	ChangedRole       AccessKind = "changed_role" // Words: before and after
	AddedSecond       AccessKind = "added_second"
	DroppedSecond     AccessKind = "dropped_second" // by the person
	ResetSecond       AccessKind = "reset_second"   // by somebody else
	NewRecoveryCodes  AccessKind = "new_recovery_codes"
	ChangedSecondRule AccessKind = "changed_second_rule"
)

// What codes are like.
const (
	codeStep      = 30 * time.Second
	codeDigits    = 6
	recoveryCodes = 10
	recoveryLen   = 24 // letters and digits that can be read out: 115 bits, so that a plain digest keeps them
	clockSlack    = time.Minute
)

// NewSecond makes a secret for a person's app, and the address that its picture holds. Nothing is stored.
func (s *Shop) NewSecond(ctx context.Context, who Staff) (secret Secret, url string, err error) {
	info, err := s.Info(ctx)
	if err != nil {
		return "", "", err
	}
	if info.Name == "" {
		info.Name = "Gage"
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: strings.ReplaceAll(info.Name, ":", " "), AccountName: who.Email})
	if err != nil {
		return "", "", fmt.Errorf("second factor: %w", err)
	}
	return Secret(key.Secret()), key.URL(), nil
}

// Enrol takes a secret from [Shop.NewSecond] as the person's second factor, once a code shows that their app has it. It
// returns the recovery codes, which nobody can see again. All sessions but keep are ended: they began without it.
// ErrSignIn: the code is wrong. ErrConflict: there is an app already.
func (s *Shop) Enrol(ctx context.Context, who Staff, secret Secret, code, keep string) (recovery []string, err error) {
	err = s.Store.Update(ctx, func(tx Tx) error {
		f, err := tx.LockSecondFactor(ctx, who.ID)
		switch {
		case errors.Is(err, ErrNotFound):
			f = SecondFactor{StaffID: who.ID, CreatedAt: s.Now()}
		case err != nil:
			return err
		case f.Secret != "":
			return fmt.Errorf("second factor of %s: %w", who.ID, ErrConflict)
		}
		f.Secret, f.LastStep = secret, 0
		if err := s.takeCode(ctx, tx, &f, code); err != nil {
			return err
		}
		recovery = f.newRecovery()
		return errors.Join(tx.SaveSecondFactor(ctx, f), tx.DeleteSessionsOf(ctx, who.ID, keep), s.note(ctx, tx, who, Access{Kind: AddedSecond, Subject: who.ID}))
	})
	return recovery, err
}

// newRecovery gives f new recovery codes in place of those that it had.
func (f *SecondFactor) newRecovery() []string {
	list := make([]string, recoveryCodes)
	f.Recovery = make([]string, recoveryCodes)
	for i := range list {
		code := speakableText(recoveryLen)
		f.Recovery[i] = digest([]byte(code))
		for part := range slices.Chunk([]byte(code), 4) {
			list[i] = strings.TrimPrefix(list[i]+"-"+string(part), "-")
		}
	}
	return list
}

// NewRecovery gives a person new recovery codes; the old ones are worth nothing from now on.
func (s *Shop) NewRecovery(ctx context.Context, who Staff) (recovery []string, err error) {
	err = s.Store.Update(ctx, func(tx Tx) error {
		f, err := tx.LockSecondFactor(ctx, who.ID)
		if err != nil {
			return err
		}
		recovery = f.newRecovery()
		return errors.Join(tx.SaveSecondFactor(ctx, f), s.note(ctx, tx, who, Access{Kind: NewRecoveryCodes, Subject: who.ID}))
	})
	return recovery, err
}

// DropSecond takes a person's app away, on their own word; passkeys stay. ErrNotFound: they have no app.
func (s *Shop) DropSecond(ctx context.Context, who Staff) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		f, err := tx.LockSecondFactor(ctx, who.ID)
		if err != nil {
			return err
		}
		if f.Secret == "" {
			return fmt.Errorf("app of %s: %w", who.ID, ErrNotFound)
		}
		f.Secret = ""
		return errors.Join(saveOrClear(ctx, tx, f), s.note(ctx, tx, who, Access{Kind: DroppedSecond, Subject: who.ID}))
	})
}

// ResetSecond takes away the second factor of a person who lost it, and ends their sessions. ErrNotFound: there is no
// such person, or they have none.
func (s *Shop) ResetSecond(ctx context.Context, actor Staff, email string) error {
	if err := actor.must(RightManagePeople); err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		p, err := tx.StaffByEmail(ctx, strings.ToLower(strings.TrimSpace(email)))
		if err != nil {
			return err
		}
		if err := tx.ClearSecondFactor(ctx, p.ID); err != nil {
			return err
		}
		return errors.Join(tx.DeleteSessionsOf(ctx, p.ID, ""), s.note(ctx, tx, actor, Access{Kind: ResetSecond, Subject: p.ID}))
	})
}

// SecondRule says who has to have a second factor: an app's codes or a passkey.
type SecondRule string

// The rules, from the least to the most.
const (
	SecondForNobody SecondRule = "nobody"
	SecondForMoney  SecondRule = "required" // who moves money
	SecondForAll    SecondRule = "everybody"
)

// SecondRules are all of them.
func SecondRules() []SecondRule { return []SecondRule{SecondForNobody, SecondForMoney, SecondForAll} }

func (r SecondRule) asks(who Staff) bool {
	return r == SecondForAll || r == SecondForMoney && who.Role.MovesMoney()
}

const settingSecond = "second_factor"

// SecondRule is the owner's choice. Before there is one, everybody has to from the day on which real money can come:
// an account is worth stealing then, and who practises should not be held up.
func (s *Shop) SecondRule(ctx context.Context) (SecondRule, error) { return s.secondRule(ctx, s.Store) }

func (s *Shop) secondRule(ctx context.Context, r Reader) (SecondRule, error) {
	v, err := r.Setting(ctx, settingSecond)
	switch {
	case err == nil && v == "": // as a choice for nobody was written before there were three
		return SecondForNobody, nil
	case !errors.Is(err, ErrNotFound):
		return SecondRule(v), err
	}
	all, err := s.contracts(ctx, r)
	if err != nil || !slices.ContainsFunc(all, func(c contract) bool { return c.Mode == smartro.Real }) {
		return SecondForNobody, err
	}
	return SecondForAll, nil
}

// SetSecondRule is the owner's choice of who has to have a second factor. Who asks others must have one: ErrConflict.
// ErrBadInput: there is no such rule.
func (s *Shop) SetSecondRule(ctx context.Context, actor Staff, rule SecondRule) error {
	if err := actor.must(RightManagePeople); err != nil {
		return err
	}
	if !slices.Contains(SecondRules(), rule) {
		return fmt.Errorf("rule of the second factor: %w", ErrBadInput)
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		had, err := s.secondRule(ctx, tx)
		if err != nil {
			return err
		}
		if rule != SecondForNobody {
			if _, err := tx.SecondFactor(ctx, actor.ID); errors.Is(err, ErrNotFound) {
				return fmt.Errorf("%s has no second factor: %w", actor.ID, ErrConflict)
			} else if err != nil {
				return err
			}
		}
		var did changes
		did.see("required", string(had), string(rule))
		return errors.Join(tx.SetSetting(ctx, settingSecond, string(rule)),
			s.note(ctx, tx, actor, Access{Kind: ChangedSecondRule, Subject: string(rule), Words: did.words()}))
	})
}

// MustEnrol says whether a person has to get a second factor before anything else.
func (s *Shop) MustEnrol(ctx context.Context, who Staff) (bool, error) {
	if who.HasSecond {
		return false, nil
	}
	rule, err := s.SecondRule(ctx)
	return rule.asks(who), err
}

// takeCode takes one of the app's codes or one of the recovery codes, each once. ErrSignIn: it is wrong, or was taken
// before. ErrClock: the server's clock went back, so that a code that was seen long ago would be good again; recovery
// codes know no time.
func (s *Shop) takeCode(ctx context.Context, tx Tx, f *SecondFactor, code string) error {
	code = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code))
	if len(code) != codeDigits {
		return f.takeRecovery(code)
	}
	if f.Secret == "" { // of an empty secret anybody knows the codes
		return ErrSignIn
	}
	highest, err := s.keepLatest(ctx, tx)
	if err != nil {
		return err
	}
	now := s.Now()
	step := now.Unix() / int64(codeStep/time.Second)
	if highest.Sub(now) > clockSlack || step+1 < f.LastStep {
		return ErrClock
	}
	for n := step - 1; n <= step+1; n++ {
		want, err := hotp.GenerateCodeCustom(f.Secret.Reveal(), uint64(n), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}) //nolint:gosec // G115: times before 1970 are refused above
		if err != nil {
			return fmt.Errorf("second factor: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && n > f.LastStep {
			f.LastStep = n
			return nil
		}
	}
	return ErrSignIn
}

func (f *SecondFactor) takeRecovery(code string) error {
	given := digest([]byte(code))
	for i, kept := range f.Recovery {
		if subtle.ConstantTimeCompare([]byte(kept), []byte(given)) == 1 {
			f.Recovery = slices.Delete(slices.Clone(f.Recovery), i, i+1)
			return nil
		}
	}
	return ErrSignIn
}
