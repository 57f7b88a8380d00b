package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Passkey is a key that a person's device keeps and gives to no site but this one (WebAuthn Level 3). The device asks
// for a finger, a face or its own PIN before it signs, so a passkey stands for the password and the second factor at once.
type Passkey struct {
	Name       string // in the person's words: which device
	Host       string // the site's name that it belongs to; under another it is worth nothing
	CreatedAt  time.Time
	UsedAt     time.Time // zero: never yet
	AskedAt    time.Time // when its last challenge was made: neither that one nor an older one is taken again
	Credential webauthn.Credential
}

// ID names a passkey among a person's.
func (p Passkey) ID() string { return digest(p.Credential.ID)[:16] }

// What is recorded about passkeys.
const (
	SignedInByPasskey AccessKind = "signed_in_by_passkey"
	ShowedPasskey     AccessKind = "showed_passkey" // before something that matters
	AddedPasskey      AccessKind = "added_passkey"
	DroppedPasskey    AccessKind = "dropped_passkey"
)

// What passkeys are like.
const (
	maxPasskeys    = 10
	maxPasskeyName = 40 // characters
	askFor         = 5 * time.Minute
	offerFor       = 10 * time.Minute // making one asks for the device, and perhaps for its PIN to be set
)

// Passkeys makes and takes passkeys for one site. Make it with [NewPasskeys].
type Passkeys struct {
	Origin string // the site as browsers call it: scheme, host and port
	shop   *Shop
	auth   *webauthn.WebAuthn
}

// NewPasskeys serves the site of a public URL. Browsers know passkeys for names with a dot only: this machine's own
// addresses are called localhost, and for any other address, or a name of the shop's own network, it returns nil.
func NewPasskeys(shop *Shop, public *url.URL) (*Passkeys, error) {
	host, origin := strings.ToLower(public.Hostname()), *public
	origin.Host = strings.ToLower(origin.Host)
	if addr, err := netip.ParseAddr(host); err == nil {
		if !addr.IsLoopback() {
			return nil, nil
		}
		host, origin.Host = "localhost", "localhost"
		if port := public.Port(); port != "" {
			origin.Host += ":" + port
		}
	}
	origin.Path = ""
	if host != "localhost" && !strings.Contains(host, ".") {
		return nil, nil
	}
	auth, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: host, RPOrigins: []string{origin.String()},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return &Passkeys{Origin: origin.String(), shop: shop, auth: auth}, nil
}

// Serves says whether a passkey belongs to this site.
func (ps *Passkeys) Serves(k Passkey) bool { return k.Host == ps.auth.Config.RPID }

// passkeyUser is a person as the library wants to know them.
type passkeyUser struct {
	who  Staff
	keys []Passkey
	host string
}

func (u passkeyUser) WebAuthnID() []byte          { return []byte(u.who.ID) }
func (u passkeyUser) WebAuthnName() string        { return u.who.Email }
func (u passkeyUser) WebAuthnDisplayName() string { return u.who.Name }

// WebAuthnCredentials are those of this site.
func (u passkeyUser) WebAuthnCredentials() []webauthn.Credential {
	var list []webauthn.Credential
	for _, k := range u.keys {
		if k.Host == u.host {
			list = append(list, k.Credential)
		}
	}
	return list
}

func (ps *Passkeys) user(who Staff, keys []Passkey) passkeyUser {
	return passkeyUser{who, keys, ps.auth.Config.RPID}
}

// Challenge is what a browser is asked, and what comes back with its answer.
type Challenge struct {
	Options string // JSON, for parseCreationOptionsFromJSON or parseRequestOptionsFromJSON
	Kept    string // sealed: what the answer is checked against
}

// asked is a challenge while a browser has it.
type asked struct {
	Session webauthn.SessionData
	At      time.Time
}

// The purposes of a challenge: an answer for one is none for another.
const (
	forSignIn  = "passkey/sign-in"
	forAgain   = "passkey/again/"
	forAnother = "passkey/add/"
)

func (ps *Passkeys) challenge(purpose string, options any, session *webauthn.SessionData, err error) (Challenge, error) {
	if err != nil {
		return Challenge{}, fmt.Errorf("passkey: %w", err)
	}
	told, err := json.Marshal(options)
	if err != nil {
		return Challenge{}, fmt.Errorf("passkey: %w", err)
	}
	kept, err := json.Marshal(asked{*session, ps.shop.Now()})
	if err != nil {
		return Challenge{}, fmt.Errorf("passkey: %w", err)
	}
	return Challenge{Options: string(told), Kept: ps.shop.Keys.Seal(purpose, kept)}, nil
}

// reopen opens a challenge that came back. ErrPasskeyLate: it is too old, or of another purpose or person.
func (ps *Passkeys) reopen(purpose, kept string, most time.Duration) (asked, error) {
	var a asked
	plain, err := ps.shop.Keys.Open(purpose, kept)
	if err == nil {
		err = json.Unmarshal(plain, &a)
	}
	if err != nil {
		return a, fmt.Errorf("passkey: %w: %w", ErrPasskeyLate, err)
	}
	if age := ps.shop.Now().Sub(a.At); age < 0 || age > most {
		return a, fmt.Errorf("passkey: a challenge %s old: %w", age, ErrPasskeyLate)
	}
	return a, nil
}

// Offer begins a new passkey for a person.
func (ps *Passkeys) Offer(ctx context.Context, who Staff) (Challenge, error) {
	keys, err := ps.shop.passkeysOf(ctx, who)
	if err != nil {
		return Challenge{}, err
	}
	u := ps.user(who, keys)
	var known []protocol.CredentialDescriptor
	for _, c := range u.WebAuthnCredentials() {
		known = append(known, c.Descriptor())
	}
	options, session, err := ps.auth.BeginRegistration(u, webauthn.WithExclusions(known))
	if err != nil {
		return Challenge{}, fmt.Errorf("passkey: %w", err)
	}
	return ps.challenge(forAnother+who.ID, options.Response, session, nil)
}

// Add takes the passkey that a device made for an offer. With a person's first second factor it returns recovery codes,
// which nobody can see again, and ends all sessions but keep: they began without it. ErrPasskeyLate: the offer is too old.
// ErrPasskey: the answer does not fit the offer. ErrConflict: there are too many, or this one is known.
func (ps *Passkeys) Add(ctx context.Context, who Staff, kept, answer, name, keep string) (recovery []string, err error) {
	name = strings.Join(strings.Fields(strings.ToValidUTF8(name, "")), " ")
	switch {
	case name == "":
		return nil, &InputError{Field: "name", Code: "required"}
	case utf8.RuneCountInString(name) > maxPasskeyName:
		return nil, &InputError{Field: "name", Code: "too_long", Value: name}
	}
	a, err := ps.reopen(forAnother+who.ID, kept, offerFor)
	if err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	made, err := ps.auth.CreateCredential(ps.user(who, nil), a.Session, parsed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	made.Attestation = webauthn.CredentialAttestation{} // nothing is judged by it, and it is long
	s := ps.shop
	err = s.Store.Update(ctx, func(tx Tx) error {
		f, err := tx.LockSecondFactor(ctx, who.ID)
		first := errors.Is(err, ErrNotFound)
		if err != nil && !first {
			return err
		}
		known := slices.ContainsFunc(f.Passkeys, func(k Passkey) bool { return string(k.Credential.ID) == string(made.ID) })
		if known || len(f.Passkeys) >= maxPasskeys {
			return fmt.Errorf("passkeys of %s: %w", who.ID, ErrConflict)
		}
		if first {
			f = SecondFactor{StaffID: who.ID, CreatedAt: s.Now()}
			recovery = f.newRecovery()
			if err := tx.DeleteSessionsOf(ctx, who.ID, keep); err != nil {
				return err
			}
		}
		f.Passkeys = append(slices.Clone(f.Passkeys), Passkey{Name: name, Host: ps.auth.Config.RPID, CreatedAt: s.Now(), AskedAt: a.At, Credential: *made})
		return errors.Join(tx.SaveSecondFactor(ctx, f), s.note(ctx, tx, who, Access{Kind: AddedPasskey, Subject: who.ID, Words: name}))
	})
	return recovery, err
}

// Ask asks anybody for a passkey of theirs, to sign in with.
func (ps *Passkeys) Ask() (Challenge, error) {
	options, session, err := ps.auth.BeginDiscoverableLogin()
	if err != nil {
		return Challenge{}, fmt.Errorf("passkey: %w", err)
	}
	return ps.challenge(forSignIn, options.Response, session, nil)
}

// SignIn takes an answer to [Passkeys.Ask], under the limits of [Shop.SignIn]. ErrPasskeyLate: it came too late. ErrSignIn: it
// is nobody's.
func (ps *Passkeys) SignIn(ctx context.Context, kept, answer string, peer netip.Addr) (Staff, error) {
	a, err := ps.reopen(forSignIn, kept, askFor)
	if err != nil {
		return Staff{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return Staff{}, fmt.Errorf("%w: %w", ErrSignIn, err)
	}
	handle := string(parsed.Response.UserHandle)
	if !utf8.ValidString(handle) || strings.ContainsRune(handle, 0) { // a device says what it likes, and not every database takes it
		handle = ""
	}
	who, err := ps.shop.Store.StaffByID(ctx, handle)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Staff{}, err
	}
	take := func(f *SecondFactor) error {
		return ps.take(f, who, a, func(u passkeyUser) (*webauthn.Credential, error) {
			_, c, err := ps.auth.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return u, nil }, a.Session, parsed)
			return c, err
		})
	}
	return ps.shop.checkPerson(ctx, who.Email, peer, SignedInByPasskey, shown{passkey: take})
}

// AskAgain asks a person who is signed in for one of their passkeys. ErrNotFound: they have none here.
func (ps *Passkeys) AskAgain(ctx context.Context, who Staff) (Challenge, error) {
	keys, err := ps.shop.passkeysOf(ctx, who)
	if err != nil {
		return Challenge{}, err
	}
	u := ps.user(who, keys)
	if len(u.WebAuthnCredentials()) == 0 {
		return Challenge{}, fmt.Errorf("passkeys of %s: %w", who.ID, ErrNotFound)
	}
	options, session, err := ps.auth.BeginLogin(u)
	if err != nil {
		return Challenge{}, fmt.Errorf("passkey: %w", err)
	}
	return ps.challenge(forAgain+who.ID, options.Response, session, nil)
}

// ShowAgain takes an answer to [Passkeys.AskAgain] in place of what [Shop.TypeAgain] takes.
func (ps *Passkeys) ShowAgain(ctx context.Context, who Staff, kept, answer string) error {
	a, err := ps.reopen(forAgain+who.ID, kept, askFor)
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignIn, err)
	}
	take := func(f *SecondFactor) error {
		return ps.take(f, who, a, func(u passkeyUser) (*webauthn.Credential, error) {
			return ps.auth.ValidateLogin(u, a.Session, parsed)
		})
	}
	_, err = ps.shop.checkPerson(ctx, who.Email, who.From, ShowedPasskey, shown{passkey: take})
	return err
}

// take checks an answer against a person's passkeys, and remembers it. ErrSignIn: it is none of theirs, was taken
// before, or is of a copy of the device.
func (ps *Passkeys) take(f *SecondFactor, who Staff, a asked, check func(passkeyUser) (*webauthn.Credential, error)) error {
	c, err := check(ps.user(who, f.Passkeys))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignIn, err)
	}
	i := slices.IndexFunc(f.Passkeys, func(k Passkey) bool { return string(k.Credential.ID) == string(c.ID) })
	if i < 0 || c.Authenticator.CloneWarning || !a.At.After(f.Passkeys[i].AskedAt) {
		return fmt.Errorf("%w: a passkey that was copied, or an answer that was taken", ErrSignIn)
	}
	f.Passkeys = slices.Clone(f.Passkeys)
	f.Passkeys[i].Credential, f.Passkeys[i].AskedAt, f.Passkeys[i].UsedAt = *c, a.At, ps.shop.Now()
	return nil
}

// DropPasskey forgets one of a person's passkeys, on their own word. ErrNotFound: they have no such one.
func (s *Shop) DropPasskey(ctx context.Context, who Staff, id string) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		f, err := tx.LockSecondFactor(ctx, who.ID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(f.Passkeys, func(k Passkey) bool { return k.ID() == id })
		if i < 0 {
			return fmt.Errorf("passkey %s: %w", id, ErrNotFound)
		}
		name := f.Passkeys[i].Name
		f.Passkeys = slices.Delete(slices.Clone(f.Passkeys), i, i+1)
		return errors.Join(saveOrClear(ctx, tx, f), s.note(ctx, tx, who, Access{Kind: DroppedPasskey, Subject: who.ID, Words: name}))
	})
}

// saveOrClear keeps what is left of a second factor. Recovery codes alone are none.
func saveOrClear(ctx context.Context, tx Tx, f SecondFactor) error {
	if f.Secret == "" && len(f.Passkeys) == 0 {
		return tx.ClearSecondFactor(ctx, f.StaffID)
	}
	return tx.SaveSecondFactor(ctx, f)
}

// passkeysOf are a person's passkeys, of every site.
func (s *Shop) passkeysOf(ctx context.Context, who Staff) ([]Passkey, error) {
	f, err := s.Store.SecondFactor(ctx, who.ID)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return f.Passkeys, err
}

// SecondView is what a person may see of their second factor.
type SecondView struct {
	App          bool // an app's codes
	RecoveryLeft int
	Passkeys     []Passkey
}

// Second is what a person has besides the password; nothing: the zero view.
func (s *Shop) Second(ctx context.Context, who Staff) (SecondView, error) {
	f, err := s.Store.SecondFactor(ctx, who.ID)
	if errors.Is(err, ErrNotFound) {
		return SecondView{}, nil
	}
	return SecondView{App: f.Secret != "", RecoveryLeft: len(f.Recovery), Passkeys: f.Passkeys}, err
}
