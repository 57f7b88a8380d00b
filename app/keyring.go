package app

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Keyring seals what must not stand readable in the database: the merchant key, the cancel password, the secret
// of the notification path, session contents. AES-256-GCM with a random nonce; the place that a value stands in
// is authenticated with it, so that a sealed value can't be moved to another row.
type Keyring struct {
	id   string
	aead map[string]cipher.AEAD // by key ID
}

// ErrWrongKey says that something was sealed with a key that is not on the ring.
var ErrWrongKey = errors.New("sealed with another key")

// RecordKeyRing writes down that the records are sealed with another key from now on.
func (s *Shop) RecordKeyRing(ctx context.Context, actor Staff) error {
	if err := actor.must(RightChangeGateway); err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error { return s.note(ctx, tx, actor, Access{Kind: ChangedKeyRing}) })
}

// KeySize is the length of a key in bytes.
const KeySize = 32

// NewKeyring makes a ring whose first key seals; all of them open. Keys are [KeySize] bytes.
func NewKeyring(keys ...[]byte) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("keyring: no key")
	}
	r := &Keyring{aead: map[string]cipher.AEAD{}}
	for i, k := range keys {
		if len(k) != KeySize {
			return nil, fmt.Errorf("keyring: a key has %d bytes, want %d", len(k), KeySize)
		}
		block, err := aes.NewCipher(k)
		if err != nil {
			return nil, err
		}
		gcm, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		id := digest(k)[:keyIDLen]
		r.aead[id] = gcm
		if i == 0 {
			r.id = id
		}
	}
	return r, nil
}

// First is the ID of the key that seals. It is a digest, and tells nothing of the key.
func (r *Keyring) First() string { return r.id }

// Many says whether there are keys on the ring that only open.
func (r *Keyring) Many() bool { return len(r.aead) > 1 }

// keyIDLen is the length of a key's ID, in hexadecimal digits.
const keyIDLen = 8

// SealedBy is the ID of the key that sealed a text; ok is false for what [Keyring.Seal] did not make.
func SealedBy(text string) (id string, ok bool) {
	id, _, ok = strings.Cut(text, ".")
	ok = ok && len(id) == keyIDLen && strings.Trim(id, "0123456789abcdef") == ""
	return id, ok
}

// Seal encrypts plain for one place, such as "setting/merchant".
func (r *Keyring) Seal(place string, plain []byte) string {
	return r.id + "." + base64.RawStdEncoding.EncodeToString(r.aead[r.id].Seal(nil, nil, plain, []byte(place)))
}

// Open decrypts what Seal made for the same place. Its errors say nothing about the content.
func (r *Keyring) Open(place, sealed string) ([]byte, error) {
	id, body, _ := strings.Cut(sealed, ".")
	gcm, ok := r.aead[id]
	if !ok {
		return nil, fmt.Errorf("open %s: %w", place, ErrWrongKey)
	}
	raw, err := base64.RawStdEncoding.DecodeString(body)
	if err != nil {
		return nil, fmt.Errorf("open %s: damaged", place)
	}
	plain, err := gcm.Open(nil, nil, raw, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("open %s: damaged, moved, or sealed with another key", place)
	}
	return plain, nil
}
