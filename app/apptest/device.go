// Package apptest has what tests of the shop's rules and of its pages share.
package apptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"gage/app"
)

// Device is an authenticator in software: one key of the P-256 curve, as WebAuthn Level 3 has it.
type Device struct {
	t       *testing.T
	ID      []byte
	key     *ecdsa.PrivateKey
	Handle  []byte // whose passkey it is
	Counter uint32

	Origin     string
	Unverified bool // the person was not checked by the device
}

// NewDevice is a device that has the browser say it is at origin.
func NewDevice(t *testing.T, origin string) *Device {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	rand.Read(id)
	return &Device{t: t, ID: id, key: key, Origin: origin}
}

// data is what an authenticator signs: the site's digest, flags (present 1, verified 4, attested 0x40) and its counter.
func (d *Device) data(host string, flags byte) []byte {
	if !d.Unverified {
		flags |= 4
	}
	d.Counter++
	sum := sha256.Sum256([]byte(host))
	return binary.BigEndian.AppendUint32(append(sum[:], flags|1), d.Counter)
}

func (d *Device) client(kind, challenge string) []byte {
	text, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": d.Origin, "crossOrigin": false})
	if err != nil {
		d.t.Fatal(err)
	}
	return text
}

func (d *Device) answer(response map[string][]byte) string {
	parts := map[string]string{}
	for k, v := range response {
		parts[k] = base64.RawURLEncoding.EncodeToString(v)
	}
	id := base64.RawURLEncoding.EncodeToString(d.ID)
	text, err := json.Marshal(map[string]any{
		"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": map[string]any{}, "response": parts,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

// Create answers an offer.
func (d *Device) Create(q app.Challenge) string {
	var o struct {
		Challenge string
		RP        struct{ ID string }
		User      struct{ ID string }
	}
	if err := json.Unmarshal([]byte(q.Options), &o); err != nil {
		d.t.Fatal(err)
	}
	var err error
	if d.Handle, err = base64.RawURLEncoding.DecodeString(o.User.ID); err != nil {
		d.t.Fatal(err)
	}
	public, err := d.key.PublicKey.Bytes()
	if err != nil {
		d.t.Fatal(err)
	}
	cose, err := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: public[1:33], -3: public[33:]})
	if err != nil {
		d.t.Fatal(err)
	}
	data := append(d.data(o.RP.ID, 0x40), make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(d.ID)))
	data = append(append(data, d.ID...), cose...)
	object, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	if err != nil {
		d.t.Fatal(err)
	}
	return d.answer(map[string][]byte{"clientDataJSON": d.client("webauthn.create", o.Challenge), "attestationObject": object})
}

// Sign answers a question.
func (d *Device) Sign(q app.Challenge) string {
	var o struct{ Challenge, RPID string }
	if err := json.Unmarshal([]byte(q.Options), &o); err != nil {
		d.t.Fatal(err)
	}
	data, client := d.data(o.RPID, 0), d.client("webauthn.get", o.Challenge)
	sum := sha256.Sum256(client)
	sum = sha256.Sum256(append(append([]byte{}, data...), sum[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, sum[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return d.answer(map[string][]byte{"authenticatorData": data, "clientDataJSON": client, "signature": signature, "userHandle": d.Handle})
}
