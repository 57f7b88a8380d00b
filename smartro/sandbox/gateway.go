package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"gage/smartro"
)

// The invented merchant that the sandbox serves unless told otherwise. None of it exists at the gateway.
const (
	DefaultMID            = "gagedemo1m"
	DefaultMerchantKey    = "AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dzj6vH4/wYNFBsiKTA3PkVMU1phaG92fYSLkpmgp661vA=="
	DefaultCancelPassword = "123456"
)

// maxBody bounds every request, in bytes: DivideInfo and Productinfo are the longest fields, 2,000 each.
const maxBody = 64 << 10

// Config is one merchant at the simulated gateway. Every field has a working zero value.
type Config struct {
	MID                         smartro.MID      // default DefaultMID
	MerchantKey, CancelPassword smartro.Secret   // default: the invented merchant's
	Hash                        smartro.HashForm // default MD5; the other form is refused, so that a wrong setting shows

	BaseURL string // absolute URL under which browsers reach the sandbox; empty: the Host of each request

	NotifyURL   string        // as if typed into the merchant site; empty: what was typed there, else the form's RetryURL
	NotifyEvery time.Duration // between two tries; default 1 minute
	NotifyCount int           // tries of one notification; default 5

	Data   string // folder of the ledger; empty: memory only
	Strict bool   // the kit's table of required fields, and OK must be the whole answer to a notification

	Unpublished Unpublished // what the gateway keeps to itself

	Now  func() time.Time // default time.Now
	HTTP *http.Client     // sends notifications; redirects are never followed
	Log  *slog.Logger     // default: discard
}

// Gateway is a running simulated gateway. Make it with [New].
type Gateway struct {
	cfg    Config
	ledger *ledger
	faults *faultOrders
	pages  *pages
	http   *http.Client
	wake   chan struct{} // a notification may be due earlier than the sender thinks

	merchantKey atomic.Pointer[smartro.Secret]

	released chan struct{} // closed when unanswered cancels should be let go
	release  func()

	refusedMu sync.Mutex
	refused   []refusedRequest // the last few, newest first: what an integrator looks for first
}

// New reads the ledger back and makes a gateway. It fails when cfg makes no sense or the ledger cannot be
// read: a damaged last line is dropped (it was never acknowledged), any other damage is an error.
func New(cfg Config) (*Gateway, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	pages, err := newPages()
	if err != nil {
		return nil, fmt.Errorf("sandbox pages: %w", err)
	}
	l, err := openLedger(cfg.Data)
	if err != nil {
		return nil, fmt.Errorf("sandbox ledger: %w", err)
	}
	g := &Gateway{
		cfg: cfg, ledger: l, faults: newFaultOrders(), pages: pages, http: notifyClient(cfg.HTTP),
		wake: make(chan struct{}, 1), released: make(chan struct{}),
	}
	g.release = sync.OnceFunc(func() { close(g.released) })
	key := cmp.Or(smartro.Secret(l.view.key), cfg.MerchantKey)
	g.merchantKey.Store(&key)
	if err := g.applyConfiguredSettings(); err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox settings: %w", err), l.close())
	}
	return g, nil
}

// complete fills the defaults in and reports everything that is wrong.
func (c *Config) complete() error {
	if c.MID == "" {
		c.MID = DefaultMID
	}
	if c.MerchantKey == "" {
		c.MerchantKey = DefaultMerchantKey
	}
	if c.CancelPassword == "" {
		c.CancelPassword = DefaultCancelPassword
	}
	if c.Hash == "" {
		c.Hash = smartro.MD5
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	var errs []error
	if _, err := smartro.ParseMID(string(c.MID)); err != nil {
		errs = append(errs, err)
	}
	if c.Hash != smartro.MD5 && c.Hash != smartro.SHA256 {
		errs = append(errs, fmt.Errorf("hash form %q: want %s or %s", c.Hash, smartro.MD5, smartro.SHA256))
	}
	if c.NotifyURL != "" && !isAbsoluteURL(c.NotifyURL) {
		errs = append(errs, fmt.Errorf("notify URL %q: want http:// or https:// and a host", c.NotifyURL))
	}
	if c.BaseURL != "" && !isAbsoluteURL(c.BaseURL) {
		errs = append(errs, fmt.Errorf("base URL %q: want http:// or https:// and a host", c.BaseURL))
	}
	if c.NotifyEvery < 0 || c.NotifyCount < 0 {
		errs = append(errs, errors.New("notification interval and count must not be negative"))
	}
	errs = append(errs, c.Unpublished.complete())
	return errors.Join(errs...)
}

// applyConfiguredSettings lets what was configured win over what was typed into the merchant site before.
func (g *Gateway) applyConfiguredSettings() error {
	return g.ledger.update(func(v *view) (entry, error) {
		s := v.settings
		if g.cfg.NotifyURL != "" {
			s.NotifyURL = g.cfg.NotifyURL
		}
		if g.cfg.NotifyEvery > 0 {
			s.Every = g.cfg.NotifyEvery
		}
		if g.cfg.NotifyCount > 0 {
			s.Count = g.cfg.NotifyCount
		}
		if s == v.settings {
			return entry{}, nil
		}
		return entry{At: g.now(), Settings: &s}, nil
	})
}

// SetNotifyURL does what typing u into the merchant site does; an empty u switches back to RetryURL. What is
// no absolute URL is ignored and logged.
func (g *Gateway) SetNotifyURL(u string) {
	if err := g.setNotifyURL(u); err != nil {
		g.cfg.Log.Error("notification URL not set", "err", err)
	}
}

func (g *Gateway) setNotifyURL(u string) error {
	if u != "" && !isAbsoluteURL(u) {
		return fmt.Errorf("notify URL %q: want http:// or https:// and a host", u)
	}
	return g.ledger.update(func(v *view) (entry, error) {
		s := v.settings
		s.NotifyURL = u
		return entry{At: g.now(), Settings: &s}, nil
	})
}

// Close lets unanswered cancels go and closes the ledger. Serve nothing after it.
func (g *Gateway) Close() error {
	g.release()
	return g.ledger.close()
}

// Run sends notifications when they are due, and returns nil when ctx is done.
func (g *Gateway) Run(ctx context.Context) error {
	defer g.release()
	for ctx.Err() == nil {
		_, err := g.Deliver(ctx)
		wait := g.untilNextDue()
		if err != nil {
			g.cfg.Log.Error("notifications", "err", err)
			wait = max(wait, time.Second) // a ledger that cannot be written must not be tried in a tight loop
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-g.wake:
		case <-t.C:
		}
		t.Stop()
	}
	return nil
}

func (g *Gateway) now() time.Time { return g.cfg.Now().UTC() }

func isAbsoluteURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}
