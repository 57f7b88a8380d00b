package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"gage/smartro"
)

// Shop runs the use cases. Its fields are all that they need of the world; set them before the first call.
type Shop struct {
	Store        Store
	Keys         *Keyring
	Gateway      func(smartro.Merchant) Gateway
	Carrier      Carrier                   // to the shop's own system
	PublicURL    string                    // https://shop.example: no slash behind it
	KnownSenders func(Mode) []netip.Prefix // addresses that are believed to be the gateway without asking
	Now          func() time.Time          //
	Log          *slog.Logger              //
	CancelWait   time.Duration             // how long [Shop.Cancel] and [Shop.ChargeNow] wait for the gateway; zero: 8 s
	MallIP       string                    // IPv4 address of this server, sent in the form
	calls        sync.WaitGroup            // cancels and charges on their way
	charging     chan struct{}             // bounds the charges among them
	chargingOnce sync.Once                 //
	hub          hub                       // who watches which order
	highest      highest                   // time
	hashing      chan struct{}             // bounds the memory that password hashing takes
	hashingOnce  sync.Once                 //
	attempts     attempts                  // sign-ins under way
	// derive is argon2id; tests count how often it is asked.
	derive func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte
}

// KST is the time zone of the shop and the gateway: UTC+9, without summer time since 1988.
var KST = time.FixedZone("KST", 9*60*60)

// Drain waits until the cancels and charges that are on their way are settled, or ctx is done.
func (s *Shop) Drain(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.calls.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// newToken is a secret nobody guesses: 26 letters and digits, 130 bits.
func newToken() string { return rand.Text() }

// speakable has no 0/O, 1/I/L, U/V: an order number is read out on the phone.
const speakable = "23456789ABCDEFGHJKMNPQRSTWXYZ"

func newOrderNo() OrderNo { return OrderNo(speakableText(8)) }

// speakableText is n random characters that a person can read out.
func speakableText(n int) string {
	var b strings.Builder
	buf := make([]byte, 1)
	for b.Len() < n {
		rand.Read(buf)
		if c := int(buf[0]); c < 256/len(speakable)*len(speakable) {
			b.WriteByte(speakable[c%len(speakable)])
		}
	}
	return b.String()
}

// digest is SHA-256 in hex.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// kstDay is the calendar day in Korea.
func kstDay(t time.Time) string { return t.In(KST).Format(time.DateOnly) }
