package app_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
	"gage/smartro/sandbox"
)

// newGatewayAddr is an address of the gateway that nobody published: it is believed once the owner says so.
var newGatewayAddr = netip.MustParseAddr("198.51.100.20")

// world is a shop, its store, the simulated gateway and everybody's messages between them, with a clock that only
// the history moves.
type world struct {
	t        *testing.T
	seed     uint64
	buyers   int // who take the ordinary way
	engine   string
	config   db.Config
	raw      *sql.DB // looks at the tables past the store
	store    *db.Store
	shop     *app.Shop
	closed   atomic.Bool // the shop is restarting
	owner    app.Staff
	secret   string
	m        smartro.Merchant
	gw       *sandbox.Gateway
	front    *front
	http     *http.Client // everybody's way to everybody
	system   *system      // the shop's own; nil: it has none
	systemIs int

	mu       sync.Mutex
	now      time.Time     // the gateway's clock
	skew     time.Duration // how far the shop's is off
	serial   int
	story    []string
	received int64 // messages that the shop acknowledged

	orders   []app.Order              // that something may go on happening to
	regulars []app.Order              // of buyers who took the ordinary way, and are left in peace
	opened   map[app.Moid]app.Payment // as they were just opened
	moids    []app.Moid               // of orders, in the order of opening
	windows  []window                 // at the gateway, not used up
	coming   []app.Arrival            // browsers on their way back
	results  []app.Arrival            // every result that a browser ever carried
	notices  [][]byte                 // every notice that the gateway ever sent
	proofs   map[app.TID]app.Moid     // approvals and deposits that the gateway itself told us
	unknown  [][]byte                 // notices from the address nobody vouched for yet
	vouched  bool
	states   map[app.Moid]app.State
	sites    map[app.TID]bool // cancelled at the gateway's own site too
	accepts  map[app.TID]bool // by a person who had seen the gateway's record
	listed   map[app.TID]bool // told by the gateway's list that somebody brought
	looked   looked

	keys     []worldKey // the shop's, the current one first
	theirKey app.Secret // the gateway's
	unsigned []heard    // on the secret path
}

type window struct {
	session string
	method  app.Method
}

func newWorld(t *testing.T, engine string, seed uint64) *world {
	t.Helper()
	w := &world{
		t: t, seed: seed, engine: engine, now: at, owner: app.Staff{ID: "owner", Role: app.RoleOwner},
		opened: map[app.Moid]app.Payment{}, proofs: map[app.TID]app.Moid{}, states: map[app.Moid]app.State{},
		sites: map[app.TID]bool{}, accepts: map[app.TID]bool{}, listed: map[app.TID]bool{}, looked: newLooked(),
	}
	w.config.Keys, w.config.Now = dbtest.Keys(t), w.shopClock
	driver, dsn := "sqlite", ""
	if engine == "sqlite" {
		w.config.Path = filepath.Join(t.TempDir(), "gage.db")
		dsn = "file:" + w.config.Path + "?_query_only=1"
	} else {
		w.config.URL = dbtest.PostgresURL(t)
		driver, dsn = "pgx", w.config.URL.Reveal()
	}
	ways := wire{}
	w.http = &http.Client{Transport: ways}
	w.start()
	var err error
	if w.raw, err = sql.Open(driver, dsn); err != nil {
		t.Fatal(err)
	}
	if w.gw, err = sandbox.New(sandbox.Config{Now: w.clock, HTTP: w.http}); err != nil {
		t.Fatal(err)
	}
	w.front = &front{inner: w.gw.Handler()}
	ways["gateway.example"], ways["shop.example"] = w.front, http.HandlerFunc(w.notify)
	t.Cleanup(func() {
		w.front.letGo()
		w.drain()
		err := errors.Join(w.gw.Close(), w.looked.close(), w.raw.Close(), w.store.Close())
		if err != nil {
			t.Error(err)
		}
	})
	w.m = smartro.Merchant{
		MID: sandbox.DefaultMID, Key: sandbox.DefaultMerchantKey, CancelPassword: sandbox.DefaultCancelPassword, Mode: smartro.Test,
		Hash: smartro.MD5, Endpoints: smartro.EndpointsAt("http://gateway.example"), InquiryProves: true,
	}
	w.keys, w.theirKey = []worldKey{{n: 1, key: w.m.Key}}, w.m.Key
	w.m.CashReceipt.Confirmed = true
	if err := w.shop.SetMerchant(w.ctx(), w.owner, w.m); err != nil {
		t.Fatal(err)
	}
	rounding := []smartro.VATRounding{smartro.VATDown, smartro.SupplyNear}[seed%2]
	if err := w.shop.SetReceiptRules(w.ctx(), w.owner, app.ReceiptRules{Rounding: rounding, Own: seed%3 > 0}, true); err != nil {
		t.Fatal(err)
	}
	u, err := w.shop.NoticeURL(w.ctx())
	if err != nil {
		t.Fatal(err)
	}
	w.secret = u[strings.LastIndex(u, "/")+1:]
	w.gw.SetNotifyURL("http://shop.example/smartro/notify/" + w.secret)
	return w
}

// start opens the store and a shop over it, as a process does that begins.
func (w *world) start() {
	w.t.Helper()
	var err error
	if w.store, err = db.Open(context.Background(), w.config); err != nil {
		w.t.Fatal(err)
	}
	w.shop = &app.Shop{
		Store: patient{w.store, &w.closed}, Keys: w.config.Keys, PublicURL: "https://shop.example", MallIP: "192.0.2.1", Log: slog.New(slog.DiscardHandler),
		Now: w.shopClock,
		Gateway: func(m smartro.Merchant) app.Gateway {
			return smartro.WEBLink{Merchant: m, Client: smartro.Client{HTTP: w.http}}
		},
		KnownSenders: func(app.Mode) []netip.Prefix { return []netip.Prefix{netip.PrefixFrom(gatewayAddr, 32)} },
		CancelWait:   time.Hour, // the history decides when to stop waiting
	}
	if w.system != nil {
		w.shop.Carrier = w.system
	}
}

// patient is the store of somebody who comes again when he is told to come later, for nothing was done then: on a machine
// that has no time for us it is always later.
type patient struct {
	*db.Store
	closed *atomic.Bool
}

// Update implements app.Store.
func (p patient) Update(ctx context.Context, f func(app.Tx) error) error {
	for {
		err := p.Store.Update(ctx, f)
		if !errors.Is(err, app.ErrOverload) || p.closed.Load() {
			return err
		}
	}
}

func (w *world) ctx() context.Context { return w.t.Context() }

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) shopClock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now.Add(w.skew)
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// drain waits for the cancels that are on their way. It is used by the clean-up, too, when the test's context is done.
func (w *world) drain() {
	if err := w.shop.Drain(context.Background()); err != nil {
		w.t.Error(err)
	}
}

// notify is the shop's notification door, as the web layer has it.
func (w *world) notify(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Error(err)
	}
	w.mu.Lock()
	w.notices = append(w.notices, body)
	w.mu.Unlock()
	v, err := w.receive(app.Arrival{Channel: app.ChannelNotify, Secret: r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], Peer: gatewayAddr, Body: body})
	switch {
	case err != nil:
		http.Error(rw, "later", http.StatusServiceUnavailable)
	case v == app.VerdictUnreadable:
		http.Error(rw, "refused", http.StatusBadRequest)
	default:
		_, _ = io.WriteString(rw, "OK")
	}
}

// receive hands an arrival to the shop and remembers what must not be forgotten from now on.
func (w *world) receive(a app.Arrival) (app.Verdict, error) {
	if w.closed.Load() {
		return "", app.ErrOverload
	}
	got, err := w.shop.Receive(w.ctx(), a)
	if err != nil {
		w.t.Errorf("%s: %v", a.Channel, err)
		return "", err
	}
	if got.Verdict == app.VerdictUnjudged {
		w.t.Errorf("%s was kept but not judged: %s", a.Channel, a.Body)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.received++
	if a.Channel == app.ChannelNotify && a.Secret == w.secret && a.Headers == "" {
		w.hear(a.Peer, a.Body, got.Verdict)
	}
	return got.Verdict, nil
}

// proved remembers the approval or deposit that a believed message tells. The caller holds mu.
func (w *world) proved(body []byte) {
	n, err := smartro.ParseNotice(body, smartro.EUCKR)
	if err != nil {
		return
	}
	if k := n.Kind(w.m); (k == smartro.Approved || k == smartro.Deposited) && w.proofs[n.TID] == "" {
		w.proofs[n.TID] = n.Moid
		w.looked.told[n.Moid] = append(w.looked.told[n.Moid], n.TID)
		w.looked.fresh = append(w.looked.fresh, n.TID)
	}
}

// wire carries requests to whoever serves their host, by name, with no network between: a handler that aborts is a
// connection that breaks, and who stops waiting is gone.
type wire map[string]http.Handler

// RoundTrip implements http.RoundTripper.
func (n wire) RoundTrip(r *http.Request) (*http.Response, error) {
	to := n[r.URL.Host]
	if to == nil {
		return nil, errors.New("nobody is at " + r.URL.Host)
	}
	in := r.Clone(r.Context())
	in.RequestURI, in.Host, in.RemoteAddr = r.URL.RequestURI(), r.URL.Host, "192.0.2.200:1"
	in.Header = http.Header{}
	for name, v := range r.Header { // on a wire names have no case
		in.Header[http.CanonicalHeaderKey(name)] = v
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	answered := make(chan *http.Response, 1)
	go func() {
		defer in.Body.Close()
		defer func() {
			if v := recover(); v == http.ErrAbortHandler {
				answered <- nil
			} else if v != nil {
				panic(v)
			}
		}()
		answer := httptest.NewRecorder()
		to.ServeHTTP(answer, in)
		answered <- answer.Result()
	}()
	select {
	case res := <-answered:
		if res == nil {
			return nil, io.ErrUnexpectedEOF
		}
		return res, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// front stands before the gateway: it counts the shop's calls for cancels and cash receipts, and lets one get lost or its
// answer wait.
type front struct {
	inner http.Handler
	mu    sync.Mutex
	calls int64
	asked int64         // calls for a cash receipt
	lose  bool          // the next cancel, or cash receipt, never reaches the gateway
	hold  chan struct{} // the next cancel's answer waits until it is closed
	held  chan struct{} // closed when it waits
}

const siteHeader = "X-Merchant-Site"

func (f *front) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	receipt := strings.HasPrefix(r.URL.Path, "/cashreceipt/")
	if !receipt && !strings.HasPrefix(r.URL.Path, "/cancel/") {
		f.inner.ServeHTTP(rw, r)
		return
	}
	// Nobody waits for an answer that never comes: the gateway finds the caller gone as soon as it looks.
	gone, leave := context.WithCancel(r.Context())
	leave()
	r = r.WithContext(gone)
	if r.Header.Get(siteHeader) != "" {
		f.inner.ServeHTTP(rw, r)
		return
	}
	f.mu.Lock()
	lose, hold, held := f.lose, f.hold, f.held
	if f.lose = false; receipt {
		f.asked++
		held = nil // only a cancel's answer waits
	} else {
		f.calls++
		f.held = nil
	}
	f.mu.Unlock()
	if lose {
		panic(http.ErrAbortHandler)
	}
	if held == nil {
		f.inner.ServeHTTP(rw, r)
		return
	}
	answer := httptest.NewRecorder()
	f.inner.ServeHTTP(answer, r)
	close(held)
	<-hold
	rw.WriteHeader(answer.Code)
	_, _ = rw.Write(answer.Body.Bytes())
}

// holdNext makes the next cancel's answer wait. The channel closes when it does.
func (f *front) holdNext() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hold, f.held = make(chan struct{}), make(chan struct{})
	return f.held
}

// letGo lets the answer go that waits, and reports whether one did or could.
func (f *front) letGo() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	was := f.hold != nil
	if was {
		close(f.hold)
	}
	f.hold, f.held = nil, nil
	return was
}

func (f *front) waiting() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hold != nil
}

// book is what the simulated gateway's own record says.
type book struct {
	Payments []bookPayment `json:"payments"`
	Notices  []struct {
		TID   app.TID `json:"tid"`
		Code  string  `json:"code"`
		Body  string  `json:"body"`
		State string  `json:"state"`
	} `json:"notifications"`
	Receipts []bookReceipt `json:"cash_receipts"`
}

type bookPayment struct {
	TID       app.TID    `json:"tid"`
	Moid      app.Moid   `json:"moid"`
	Method    app.Method `json:"method"`
	Amt       app.Won    `json:"amt"`
	State     string     `json:"state"`
	Deposited app.Won    `json:"deposited"`
	Receipt   string     `json:"cash_receipt"` // number of the one that was asked for in the window
	Cancels   []struct {
		Amt    app.Won `json:"amt"`
		Reason string  `json:"reason"`
	} `json:"cancels"`
}

// came is the money that the gateway took, back its part that it gave back.
func (p bookPayment) came() app.Won {
	switch {
	case p.State == "opened" || p.State == "declined" || p.State == "closed":
		return 0
	case p.Method == smartro.Vbank:
		return p.Deposited
	}
	return p.Amt
}

func (p bookPayment) back() (sum app.Won) {
	if p.State == "withdrawn" {
		return 0
	}
	for _, c := range p.Cancels {
		sum += c.Amt
	}
	return sum
}

// backByShop is the part of it, withdrawn accounts included, that the shop had asked for.
func (p bookPayment) backByShop() (sum app.Won) {
	for _, c := range p.Cancels {
		if c.Reason != siteReason {
			sum += c.Amt
		}
	}
	return sum
}

// newest is how many of the gateway's payments somebody looks through who seeks one.
const newest = 100

// book is the newest part of the gateway's record.
func (w *world) book() book {
	w.t.Helper()
	return w.bookOf(url.Values{"newest": {strconv.Itoa(newest)}})
}

// bookOf is the part of the gateway's record that the control API is asked for; all of it, if for nothing.
func (w *world) bookOf(which url.Values) (b book) {
	w.t.Helper()
	res, err := w.http.Get(w.at("/control/api/state?" + which.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&b); err != nil {
		w.t.Fatal(err)
	}
	return b
}

// at is a path's URL at the gateway.
func (w *world) at(path string) string {
	return strings.TrimSuffix(w.m.Endpoints.ReceiptData, "/receipt") + path
}

// order tells the gateway's control API something.
func (w *world) order(path string, q any) (status int) {
	w.t.Helper()
	body, err := json.Marshal(q)
	if err != nil {
		w.t.Fatal(err)
	}
	status, _ = w.post("/control/api/"+path, "application/json", string(body))
	return status
}

func (w *world) post(path, kind, body string) (int, string) {
	w.t.Helper()
	res, err := w.http.Post(w.at(path), kind, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

var (
	hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	resultForm  = regexp.MustCompile(`<form name="tranMgr" id="tranMgr" method="post" action="([^"]*)" accept-charset="([^"]*)">`)
)

func hidden(page string) (list []smartro.Field) {
	for _, m := range hiddenInput.FindAllStringSubmatch(page, -1) {
		list = append(list, smartro.Field{Name: html.UnescapeString(m[1]), Value: html.UnescapeString(m[2])})
	}
	return list
}

func field(list []smartro.Field, name string) string {
	for _, f := range list {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// with is list with one field changed.
func with(list []smartro.Field, name, value string) []smartro.Field {
	out := make([]smartro.Field, 0, len(list))
	for _, f := range list {
		if f.Name == name {
			f.Value = value
		}
		out = append(out, f)
	}
	return out
}
