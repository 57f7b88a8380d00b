package db

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"gage/app"
)

// Personal data stands in the database encrypted, each order's and each message's under a data key of its own. The
// data keys stand in data_keys, sealed with the shop's keyring: rotating that one seals them anew and touches nothing
// else, and destroying a data key destroys what it sealed, backups included, without touching the event log.

// IDs of the data keys that belong to no order and no message.
const (
	keyIndex = "index" // for the words of the search index
	keyRing  = "ring"  // for the ring of strangers' messages
	keyShop  = "shop"  // for events that are no order's
)

// erased is what stands in data_keys in place of a key that was destroyed.
const erased = ""

// dataKey seals what belongs to one order or one message.
type dataKey struct {
	aead cipher.AEAD
	raw  []byte
}

func newDataKey(raw []byte) (*dataKey, error) {
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &dataKey{aead, raw}, err
}

// seal encrypts plain for one place: a table, a column and a row.
func (k *dataKey) seal(place string, plain []byte) string {
	return base64.RawStdEncoding.EncodeToString(k.aead.Seal(nil, nil, plain, []byte(place)))
}

// open decrypts what seal made. Its errors say nothing about the content.
func (k *dataKey) open(place, sealed string) ([]byte, error) {
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, fmt.Errorf("db: %s is %w", place, ErrDamaged)
	}
	plain, err := k.aead.Open(nil, nil, raw, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("db: %s is %w, moved, or sealed with another key", place, ErrDamaged)
	}
	return plain, nil
}

// blind names a word of the search index without telling it: the same word, the same name.
func (k *dataKey) blind(word string) string {
	mac := hmac.New(sha256.New, k.raw)
	mac.Write([]byte(word))
	return blindText.EncodeToString(mac.Sum(nil)[:blindBytes])
}

// blindBytes of 40 bits: two words meet by chance once in 10^12 pairs, and a met row is compared in the clear anyway.
const blindBytes = 5

var blindText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// unwrap opens a data key as it stands in the table; nil if it was destroyed.
func (d queries) unwrap(id, sealed string) (*dataKey, error) {
	if sealed == erased {
		return nil, nil
	}
	raw, err := d.keys.Open("data_keys/"+id, sealed)
	if err != nil {
		return nil, err
	}
	return newDataKey(raw)
}

// dataKey reads a key; nil if it was destroyed or never made.
func (d queries) dataKey(ctx context.Context, id string) (*dataKey, error) {
	sealed, err := one(ctx, d, scanText, "SELECT sealed FROM data_keys WHERE id = $1", id)
	if errors.Is(err, app.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return d.unwrap(id, sealed)
}

// makeKey reads a key, or makes it. It is nil if it was destroyed: what it sealed must not come back.
func (t *transaction) makeKey(ctx context.Context, id string) (*dataKey, error) {
	if k := t.opened[id]; k != nil {
		return k, nil
	}
	k, err := t.findKey(ctx, id)
	if k != nil {
		t.opened[id] = k
	}
	return k, err
}

func (t *transaction) findKey(ctx context.Context, id string) (*dataKey, error) {
	const find = "SELECT sealed FROM data_keys WHERE id = $1"
	sealed, err := one(ctx, t.queries, scanText, find, id)
	if err == nil {
		return t.unwrap(id, sealed)
	}
	if !errors.Is(err, app.ErrNotFound) {
		return nil, err
	}
	raw := make([]byte, app.KeySize)
	rand.Read(raw)
	n, err := t.exec(ctx, "INSERT INTO data_keys (id, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING", id, t.keys.Seal("data_keys/"+id, raw))
	if err != nil {
		return nil, err
	}
	if n == 1 {
		return newDataKey(raw)
	}
	return t.dataKey(ctx, id)
}

// sealJSON is v sealed for a place; "" where the key was destroyed.
func sealJSON(k *dataKey, place string, v any) (string, error) {
	if k == nil {
		return "", nil
	}
	plain, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return k.seal(place, plain), nil
}

// sealWords is sealJSON for what a person just typed: where the key was destroyed it is refused, not dropped. What
// the gateway adds to an old order is dropped, for its message has to be taken.
func sealWords[T comparable](k *dataKey, place string, v T) (string, error) {
	var none T
	if k == nil && v != none {
		return "", fmt.Errorf("%s: %w", place, app.ErrErased)
	}
	return sealJSON(k, place, v)
}

// openJSON reads what sealJSON wrote; nothing where the key was destroyed.
func openJSON(k *dataKey, place, sealed string, into any) error {
	if k == nil || sealed == "" {
		return nil
	}
	plain, err := k.open(place, sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, into)
}

// orderPrivate is what an order knows of a person.
type orderPrivate struct {
	Name, Tel, Email string
}

// paymentPrivate is what a payment knows of a person.
type paymentPrivate struct {
	Name, Tel, Email  string
	CardNum, VbankNum string `json:",omitempty"`
}

// refundPrivate is the account that a refund goes to.
type refundPrivate struct {
	Bank, Account, Holder string
}

// eventPrivate is what an event knows of a person: words that people typed, card and account numbers, addresses. The log's
// hash covers it as it is sealed, so that what is added here leaves older rows as they were.
type eventPrivate struct {
	Text   string `json:",omitempty"`
	Detail app.Detail

	GatewayTime, Peer, RequestID string `json:",omitempty"`
}

// ErrKeyring says that the store's keys are missing.
var ErrKeyring = errors.New("db: no keyring: personal data is never stored in the clear")
