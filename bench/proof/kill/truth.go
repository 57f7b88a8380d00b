package kill

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"

	"gage/smartro"
)

// truth is what the world outside the shop knows: what the shop acknowledged to whom, and what it asked of the gateway.
// Everything that the shop must still know after a crash is in here.
type truth struct {
	// calm is held for reading by whoever has a request on its way, and for writing by who compares: an answer that the
	// shop gave before it died is read to its end before anybody looks.
	calm sync.RWMutex

	mu      sync.Mutex
	told    map[string]toldNotice // by SHA-256 of the body: notifications answered OK
	orders  map[string]string     // number of each order whose making was acknowledged, to its pay token
	opened  map[string]bool       // Moid of each payment whose form was served
	intents map[string]*intent    // by reason: cancels that staff asked for
	pressed map[string]*pressed   // by the form's key: charges that staff asked for

	chargeCalls map[string]int // by Moid: charge calls that arrived at the gateway

	paid  []string // Moids of approvals answered OK, to be cancelled
	bank  []string // of them, those that a cash receipt can be issued for
	wrong []string // answers that may never be given
	oks   int64

	receipts receiptCalls
}

type toldNotice struct {
	notice smartro.Notice
	copies int
}

// intent is one cancel that staff asked for. Its reason is its own, so that the gateway's calls can be told apart.
type intent struct {
	moid   string
	amount smartro.Won
	key    string
	acked  bool // the shop answered with a redirect to the payment
	calls  int  // that arrived at the gateway

	clerk   bool // wanted it, and may have had to ask the owner
	decided decision
}

func newTruth() *truth {
	return &truth{told: map[string]toldNotice{}, orders: map[string]string{}, opened: map[string]bool{}, intents: map[string]*intent{},
		pressed: map[string]*pressed{}, chargeCalls: map[string]int{}, receipts: receiptCalls{},
	}
}

// toShop is the way of notifications to the shop; it takes down which of them were answered OK.
type toShop struct {
	t    *truth
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (s toShop) RoundTrip(r *http.Request) (*http.Response, error) {
	s.t.calm.RLock()
	defer s.t.calm.RUnlock()
	var sent []byte
	if r.Body != nil {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		sent = raw
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(raw))
	}
	resp, err := s.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err := resp.Body.Close(); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(got))
	if err != nil {
		return nil, err
	}
	if strings.Contains(r.URL.Path, "/smartro/notify/") {
		s.t.answered(sent, resp.StatusCode, string(got))
	}
	return resp, nil
}

// answered takes down the shop's answer to a notification.
func (t *truth) answered(body []byte, status int, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	said := strings.Contains(strings.ToLower(text), "ok")
	switch {
	case status == http.StatusOK && text != "OK":
		t.wrong = append(t.wrong, "a notification was answered 200 and not OK: "+text)
		return
	case status != http.StatusOK && said:
		t.wrong = append(t.wrong, "an answer that is no OK has OK in it: "+text)
		return
	case status != http.StatusOK:
		return
	}
	t.oks++
	sum := sha256.Sum256(body)
	id := hex.EncodeToString(sum[:])
	n, known := t.told[id]
	n.copies++
	if !known {
		var err error
		if n.notice, err = smartro.ParseNotice(body, smartro.EUCKR); err != nil {
			t.wrong = append(t.wrong, "what can't be read was answered OK: "+err.Error())
			return
		}
		if n.notice.ResultCode == "3001" || n.notice.ResultCode == "4000" {
			t.paid = append(t.paid, string(n.notice.Moid))
		}
		if n.notice.ResultCode == "4000" {
			t.bank = append(t.bank, string(n.notice.Moid))
		}
	}
	t.told[id] = n
}

// calls is the gateway's handler with an ear at the cancel and charge calls.
type calls struct {
	t      *truth
	next   http.Handler
	during func() // runs while a call is being handled
}

// ServeHTTP implements http.Handler.
func (c calls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/cashreceipt/") {
		c.t.askedReceipt(r.URL.Query())
		c.during()
	}
	if strings.HasPrefix(r.URL.Path, "/billcard/") {
		c.t.charged(r.URL.RawQuery)
		c.during()
	}
	if !strings.HasPrefix(r.URL.Path, "/cancel/") {
		c.next.ServeHTTP(w, r)
		return
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxPage))
	if err != nil {
		return // the shop died while it was calling: nothing arrived
	}
	c.t.called(raw)
	r.Body = io.NopCloser(bytes.NewReader(raw))
	c.during()
	c.next.ServeHTTP(w, r)
}

func (t *truth) called(body []byte) {
	fields, err := smartro.DecodeForm(body, smartro.EUCKR)
	if t.ofReceipt(fields) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.wrong = append(t.wrong, "a cancel call can't be read: "+err.Error())
		return
	}
	for _, f := range fields {
		if f.Name != "CancelMSG" {
			continue
		}
		in := t.intents[f.Value]
		if in == nil {
			t.wrong = append(t.wrong, "the gateway was asked to cancel what nobody asked for: "+f.Value)
			return
		}
		in.calls++
	}
}

// somePaid picks a payment to cancel; empty: none is paid yet.
func (t *truth) somePaid(r *rand.Rand) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.paid) == 0 {
		return ""
	}
	return t.paid[r.IntN(len(t.paid))]
}
