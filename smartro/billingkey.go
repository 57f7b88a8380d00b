package smartro

import (
	"bytes"
	"crypto/des"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// BillingKey is a customer's card at the gateway (빌링키, BillTid on the wire). It is as good as the card: whoever has it
// and the merchant key can take money. It prints as [redacted], as [Secret] does.
type BillingKey string

// Reveal returns the key, for sealing and for sending it.
func (k BillingKey) Reveal() string { return string(k) }

// String returns [redacted].
func (k BillingKey) String() string { return redacted }

// Format writes [redacted] whatever the verb and its flags.
func (k BillingKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns [redacted]; JSON and XML encoders use it.
func (k BillingKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns [redacted].
func (k BillingKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// billingKeyMax bounds a key, in characters; no source tells its length. The one that the reference shows has 29.
const billingKeyMax = 100

// ParseBillingKey reads a key: 1 to 100 visible ASCII characters. Its error does not hold the value.
func ParseBillingKey(s string) (BillingKey, error) {
	if s == "" || len(s) > billingKeyMax || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", &FieldError{Field: "BillTid", Value: redacted, Want: "1 to 100 visible ASCII characters"}
	}
	return BillingKey(s), nil
}

// The cipher of BillKeyMode=0 (billing §1): Triple DES, ECB, PKCS#5, its keys cut out of the printed merchant key. It
// hides the key from logs on the way; what protects it is TLS. The one place where DES is spoken.
const (
	prefixFromGateway = "smt01"
	prefixToGateway   = "smt02"
	cipherKeyLen      = 88 // characters that the merchant key must have at least
)

// keyFromGateway and keyToGateway are the 24 characters of each direction.
func (m Merchant) keyFromGateway() ([]byte, error) { return m.cipherKey(6, 30) }
func (m Merchant) keyToGateway() ([]byte, error)   { return m.cipherKey(40, 64) }

func (m Merchant) cipherKey(from, to int) ([]byte, error) {
	key := m.Key.Reveal()
	if len(key) < cipherKeyLen {
		return nil, &FieldError{Field: "merchantKey", Value: redacted, Want: "88 characters or more for BillKeyMode=0"}
	}
	return []byte(key[from:to]), nil
}

// OpenBillingKey decrypts a BillTid as it comes with BillKeyMode=0. The gateway's prefix smt01 is [inferred]: its own class
// writes smt02 with the same key, so either is read. Its errors say nothing about the content.
func (m Merchant) OpenBillingKey(sealed string) (BillingKey, error) {
	key, err := m.keyFromGateway()
	if err != nil {
		return "", err
	}
	body, ok := strings.CutPrefix(sealed, prefixFromGateway)
	if !ok {
		body, ok = strings.CutPrefix(sealed, prefixToGateway)
	}
	raw, err := base64.StdEncoding.DecodeString(body)
	if !ok || err != nil {
		return "", &FieldError{Field: "BillTid", Value: redacted, Want: "smt01 or smt02 and Base64"}
	}
	plain, err := tripleDES(key, raw, false)
	if err != nil {
		return "", &FieldError{Field: "BillTid", Value: redacted, Want: "a value encrypted with this merchant's key"}
	}
	return ParseBillingKey(string(plain))
}

// SealBillingKey encrypts a key as BL_TID carries it with BillKeyMode=0: smt02 and Base64, and that in Base64 once more.
func (m Merchant) SealBillingKey(k BillingKey) (string, error) {
	key, err := m.keyToGateway()
	if err != nil {
		return "", err
	}
	raw, err := tripleDES(key, []byte(k.Reveal()), true)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString([]byte(prefixToGateway + base64.StdEncoding.EncodeToString(raw))), nil
}

var errPadding = errors.New("no whole blocks with a padding")

// tripleDES is ECB with PKCS#5, which the standard library leaves out for good reason: the protocol wants it.
func tripleDES(key, text []byte, seal bool) ([]byte, error) {
	block, err := des.NewTripleDESCipher(key)
	if err != nil {
		return nil, err
	}
	size := block.BlockSize()
	if seal {
		n := size - len(text)%size
		text = append(bytes.Clone(text), bytes.Repeat([]byte{byte(n)}, n)...)
	}
	if len(text) == 0 || len(text)%size != 0 {
		return nil, errPadding
	}
	out := make([]byte, len(text))
	for i := 0; i < len(text); i += size {
		if seal {
			block.Encrypt(out[i:], text[i:])
		} else {
			block.Decrypt(out[i:], text[i:])
		}
	}
	if seal {
		return out, nil
	}
	n := int(out[len(out)-1])
	if n < 1 || n > size || !bytes.Equal(out[len(out)-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, errPadding
	}
	return out[:len(out)-n], nil
}
