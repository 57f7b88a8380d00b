package kill

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gage/app"
	"gage/db"
	"gage/smartro"
	"gage/smartro/sandbox"
)

// livesPerRound is how often one shop is ended before a fresh one takes its place.
const livesPerRound = 24

// lane is one shop in its own folder, with a gateway and people of its own, from its first start to its last.
type lane struct {
	*hunt
	name    string
	first   bool       // of all rounds in this lane
	rand    *rand.Rand // of the lane's own goroutine
	data    string
	site    string
	t       *truth
	gateway *sandbox.Gateway
	control http.Handler // the gateway's own pages
	gateURL string
	staff   *staff // the owner
	clerk   *staff
	buyer   *buyer
	system  *system

	heads     []db.Head // of the log, as each life left it: every later log passes through them
	alive     gate
	proc      atomic.Pointer[process]
	killCalls atomic.Bool // the next cancel or charge call is the shop's last act
	orders    chan struct{}
	cancels   chan struct{}
	charges   chan struct{}
	issues    chan struct{} // of cash receipts
	approvals chan struct{}
}

func newLane(h *hunt, n, round int) *lane {
	name := fmt.Sprintf("lane %d, round %d", n, round)
	return &lane{
		hunt: h, name: name, first: round == 0, rand: rand.New(rand.NewPCG(h.Seed, uint64(n)<<32|uint64(round))),
		data: filepath.Join(h.Work, fmt.Sprintf("shop-%d-%d", n, round)), t: newTruth(),
		alive: newGate(), orders: make(chan struct{}, 8), cancels: make(chan struct{}, 5), charges: make(chan struct{}, 4), issues: make(chan struct{}, 3), approvals: make(chan struct{}, 3),
	}
}

// run is a whole round: kills during the first start, an owner, lives, the settling of all that is open, and an upgrade.
func (l *lane) run(ctx context.Context, until time.Time) (err error) {
	defer func() { err = errors.Join(err, os.RemoveAll(l.data)) }()
	closeWorld, err := l.openWorld(ctx)
	if err != nil {
		return err
	}
	defer closeWorld()
	if err := l.firstStarts(ctx); err != nil {
		return err
	}
	if err := l.furnish(ctx); err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	var people sync.WaitGroup
	for i := range 2 {
		r := rand.New(rand.NewPCG(l.Seed, l.rand.Uint64()+uint64(i)))
		people.Go(func() { l.buy(work, r) })
	}
	r := rand.New(rand.NewPCG(l.Seed, l.rand.Uint64()))
	people.Go(func() { l.giveBack(work, l.staff, r) })
	r = rand.New(rand.NewPCG(l.Seed, l.rand.Uint64()))
	people.Go(func() { l.giveBack(work, l.clerk, r) })
	r = rand.New(rand.NewPCG(l.Seed, l.rand.Uint64()))
	people.Go(func() { l.approve(work, r) })
	r = rand.New(rand.NewPCG(l.Seed, l.rand.Uint64()))
	people.Go(func() { l.charge(work, r) })
	r = rand.New(rand.NewPCG(l.Seed, l.rand.Uint64()))
	people.Go(func() { l.receipts(work, r) })
	for i := 0; i < livesPerRound && ctx.Err() == nil && (i < 6 || time.Now().Before(until) || l.missing() && i < livesPerRound); i++ {
		how := l.plan()
		if i == 3 && l.first {
			how = plan{signal: syscall.SIGTERM, after: 300 * time.Millisecond, slow: true}
		}
		if err = l.life(ctx, how); err != nil {
			break
		}
	}
	stop()
	l.alive.open() // whoever waits sees that it is over
	people.Wait()
	l.alive.shut()
	if err != nil {
		return err
	}
	if err := l.settle(ctx); err != nil {
		return err
	}
	return l.upgrade(ctx)
}

// openWorld starts the gateway and the people's browsers.
func (l *lane) openWorld(ctx context.Context) (func(), error) {
	if err := os.MkdirAll(l.data, 0o700); err != nil {
		return nil, err
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	l.site = "http://" + port
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	way := toShop{l.t, transport}
	l.gateway, err = sandbox.New(sandbox.Config{
		HTTP: &http.Client{Transport: way}, NotifyEvery: 30 * time.Millisecond, NotifyCount: 1_000_000,
	})
	if err != nil {
		return nil, err
	}
	l.control = l.gateway.Handler()
	server := httptest.NewServer(calls{l.t, l.control, l.duringCall})
	l.gateURL = server.URL
	running, stop := context.WithCancel(ctx)
	var sender sync.WaitGroup
	sender.Go(func() {
		if err := l.gateway.Run(running); err != nil {
			l.fail(err)
		}
	})
	l.staff = &staff{newBrowser(way), l.site, "owner@shop.example", false, l.t}
	l.clerk = &staff{newBrowser(way), l.site, "clerk@shop.example", true, l.t}
	l.buyer = &buyer{newBrowser(way), l.site, l.t}
	l.system = newSystem(l.t)
	return func() {
		if p := l.proc.Load(); p != nil {
			p.kill()
		}
		stop()
		sender.Wait()
		server.CloseClientConnections()
		server.Close()
		l.system.server.CloseClientConnections()
		l.system.server.Close()
		transport.CloseIdleConnections()
		if err := l.gateway.Close(); err != nil {
			l.fail(err)
		}
	}, nil
}

func freePort(ctx context.Context) (string, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

// duringCall runs while the gateway handles a cancel or a charge: it may be the moment at which the shop dies.
func (l *lane) duringCall() {
	if l.killCalls.CompareAndSwap(true, false) {
		l.proc.Load().kill()
	}
}

// start launches the shop.
func (l *lane) start(bin, point string, hit int) (*process, error) {
	p, err := launch(bin, []string{
		"serve", "--data", l.data, "--listen", strings.TrimPrefix(l.site, "http://"), "--public-url", l.site, "--gateway", l.gateURL,
		"--hook-network", "127.0.0.1",
	}, point, hit)
	if err == nil {
		l.proc.Store(p)
	}
	return p, err
}

// firstStarts kills the very first start a few times: the key file and the schema are made in it.
func (l *lane) firstStarts(ctx context.Context) error {
	for range 1 + l.rand.IntN(3) {
		point := ""
		if l.rand.IntN(2) == 0 {
			point = l.rarest(l.rand, atFirstStart)
		}
		p, err := l.start(l.bin, point, 1)
		if err != nil {
			return err
		}
		wait := time.NewTimer(time.Duration(l.rand.IntN(120)) * time.Millisecond)
		if point != "" {
			wait.Reset(startedWithin)
		}
		select {
		case <-p.ended:
			if p.wasKilled() {
				l.reached(point)
			}
		case <-p.ready:
		case <-wait.C:
		}
		p.kill()
		if !p.wasKilled() {
			l.violation(l.name, "killed in its first start, it can't start again: %s", p.lastWords())
			return ctx.Err()
		}
		l.count("kills", 1)
	}
	return nil
}

// furnish makes the accounts of owner and clerk and gives the gateway the notification address, in a life without a crash.
func (l *lane) furnish(ctx context.Context) error {
	p, err := l.start(l.bin, "", 0)
	if err != nil {
		return err
	}
	if ok, err := p.up(ctx); err != nil || !ok {
		if !ok && err == nil {
			l.violation(l.name, "killed in its first start, it can't start again: %s", p.lastWords())
		}
		return errors.Join(err, ctx.Err(), errOver)
	}
	var token string
	select {
	case token = <-p.owner:
	case <-p.ended:
	case <-ctx.Done():
	}
	err = l.staff.begin(ctx, "/start/"+token)
	var u string
	if err == nil {
		u, err = l.staff.notifyURL(ctx)
	}
	if err == nil {
		err = l.staff.hook(ctx, l.system)
	}
	if err == nil {
		err = l.staff.invite(ctx, l.clerk, app.RoleStaff)
	}
	if err == nil {
		err = l.staff.limit(ctx)
	}
	if err != nil && ctx.Err() == nil {
		l.violation(l.name, "the link that it printed does not let its owner in: %v", err)
		return errOver
	}
	l.gateway.SetNotifyURL(u)
	p.kill()
	l.count("kills", 1)
	return nil
}

// errOver ends a round whose violation is written down.
var errOver = errors.New("the round is over")

// plan is how a life ends.
type plan struct {
	point  string // at this crash point
	hit    int    // the how manieth time it is passed
	after  time.Duration
	signal syscall.Signal // sent after that time; SIGKILL also where the point was not reached
	onCall bool           // killed while the gateway handles a cancel or charge call
	slow   bool           // a slow client is in the middle of a request
}

func (l *lane) plan() plan {
	r := l.rand
	p := plan{signal: syscall.SIGKILL, after: time.Duration(20+r.IntN(700)) * time.Millisecond}
	switch n := r.IntN(100); {
	case n < 50:
		p.point, p.hit, p.after = l.rarest(r, inLife), 1+r.IntN(2), 3500*time.Millisecond
		if strings.Contains(p.point, "committed") {
			p.hit = 1 + r.IntN(60)
		}
	case n < 60:
		p.onCall, p.after = true, 3*time.Second
	case n < 72:
		p.signal = syscall.SIGTERM
		p.slow = r.IntN(4) == 0
		if r.IntN(3) == 0 {
			p.point, p.hit, p.slow = l.rarest(r, atStop), 1, false
		}
	}
	return p
}

// exitWithin is how long a stop may take (R39).
const exitWithin = 10 * time.Second

// life starts the shop, lets people and gateway work, ends it as planned, and checks what it knows.
func (l *lane) life(ctx context.Context, how plan) error {
	l.misbehave()
	if strings.HasPrefix(how.point, "inquiry") {
		l.misdo("notify_lost") // a claim without its proof is asked about
	}
	p, err := l.start(l.bin, how.point, how.hit)
	if err != nil {
		return err
	}
	up, err := p.up(ctx)
	if err != nil {
		p.kill()
		return err
	}
	if up {
		l.fill()
		l.killCalls.Store(how.onCall)
		l.alive.open()
		l.await(ctx, p, how)
		l.alive.shut()
		l.killCalls.Store(false)
	}
	switch {
	case p.wasKilled():
		l.count("kills", 1)
		if how.point != "" && !p.ours.Load() {
			l.reached(how.point)
		}
	case how.signal == syscall.SIGTERM && up:
	case !up:
		l.violation(l.name, "it does not start (HTTP was never served): %s", p.lastWords())
		return errOver
	default:
		l.violation(l.name, "it ended by itself with %d: %s", p.exitCode(), p.lastWords())
		return errOver
	}
	return l.compare(ctx, false)
}

// await waits for the end of a life, and brings it about when its time has come.
func (l *lane) await(ctx context.Context, p *process, how plan) {
	over := time.NewTimer(how.after)
	defer over.Stop()
	select {
	case <-p.ended:
		return
	case <-over.C:
	case <-ctx.Done():
	}
	if how.signal != syscall.SIGTERM {
		p.ours.Store(true)
		p.kill()
		return
	}
	if how.slow {
		conn, err := net.Dial("tcp", strings.TrimPrefix(l.site, "http://"))
		if err == nil {
			defer conn.Close()
			fmt.Fprintf(conn, "POST /smartro/return HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000\r\n\r\nTID=", strings.TrimPrefix(l.site, "http://"))
		}
	}
	l.terminate(p)
}

// terminate asks the shop to stop, and expects it to in time, with its log of writes put away.
func (l *lane) terminate(p *process) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may be gone already
	late := time.NewTimer(exitWithin)
	defer late.Stop()
	select {
	case <-p.ended:
	case <-late.C:
		l.violation(l.name, "it had not stopped %v after SIGTERM", exitWithin)
		p.ours.Store(true)
		p.kill()
		return
	}
	if p.wasKilled() {
		return // at a crash point
	}
	l.count("stops", 1)
	if code := p.exitCode(); code != 0 {
		l.violation(l.name, "stopped, it ended with %d: %s", code, p.lastWords())
	}
	if info, err := os.Stat(filepath.Join(l.data, "gage.db-wal")); err == nil && info.Size() > 0 {
		l.violation(l.name, "stopped, it left %d bytes that are not in the database file", info.Size())
	}
}

// misbehave orders a fault of the gateway for some lives.
func (l *lane) misbehave() {
	faults := []string{"notify_doubled", "notify_before_return", "notify_lost", "cancel_500", "cancel_garbage", "cancel_delay", "cancel_never",
		"charge_refused", "charge_500", "charge_garbage", "charge_delay", "charge_never"}
	if l.rand.IntN(2) == 0 {
		l.misdo(faults[l.rand.IntN(len(faults))])
	}
}

// misdo orders a fault for the next time.
func (l *lane) misdo(fault string) {
	l.order("POST", "/control/api/faults", map[string]any{"fault": fault, "scope": "next", "delay_ms": 50})
}

// order presses a button of the gateway.
func (l *lane) order(method, path string, body any) []byte {
	raw, err := json.Marshal(body)
	if err != nil {
		l.fail(err)
		return nil
	}
	w := httptest.NewRecorder()
	l.control.ServeHTTP(w, httptest.NewRequest(method, path, bytes.NewReader(raw)))
	return w.Body.Bytes()
}

// fill lets people do so much in the coming life.
func (l *lane) fill() {
	for _, c := range []chan struct{}{l.orders, l.cancels, l.charges, l.issues, l.approvals} {
		for len(c) < cap(c) {
			c <- struct{}{}
		}
	}
}

// buy makes payment requests and pays them, life after life.
func (l *lane) buy(ctx context.Context, r *rand.Rand) {
	for l.alive.wait(ctx) {
		select {
		case <-l.orders:
		case <-ctx.Done():
			return
		}
		methods := []smartro.Method{smartro.Card, smartro.Card, smartro.Card, smartro.Bank, smartro.Vbank}
		method := methods[r.IntN(len(methods))]
		token, err := l.staff.request(ctx, 1000*(1+r.IntN(90)), method)
		if err == nil {
			var tid string
			tid, err = l.buyer.pay(ctx, token, method, r.IntN(3) > 0)
			if method == smartro.Vbank && tid != "" {
				l.order("POST", "/control/api/deposit", map[string]any{"tid": tid})
			}
		}
		l.notFine(ctx, err)
	}
}

// giveBack cancels what was paid, and presses again where no answer came.
func (l *lane) giveBack(ctx context.Context, who *staff, r *rand.Rand) {
	var again *form
	var reason string
	for n := 0; l.alive.wait(ctx); n++ {
		select {
		case <-l.cancels:
		case <-ctx.Done():
			return
		}
		if again != nil && r.IntN(2) == 0 {
			err := who.press(ctx, again, reason)
			l.notFine(ctx, err)
			if err == nil {
				again = nil
			}
			continue
		}
		moid := l.t.somePaid(r)
		if moid == "" {
			select {
			case l.cancels <- struct{}{}:
			default:
			}
			pause(ctx)
			continue
		}
		reason = fmt.Sprintf("%s%d", strings.TrimSuffix(who.email, "@shop.example"), n)
		var err error
		again, err = who.cancel(ctx, moid, reason, r)
		l.notFine(ctx, err)
		if err == nil {
			again = nil
		}
	}
}

// pause lets others go on before the next look.
func pause(ctx context.Context) {
	t := time.NewTimer(10 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// notFine takes down a fault of the shop's own; that it was gone or had no time is expected.
func (l *lane) notFine(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	if strings.Contains(err.Error(), "HTTP 500") {
		l.violation(l.name, "%v: %s", err, l.proc.Load().lastWords())
	}
	pause(ctx)
}

// gate lets through while the shop is alive.
type gate struct {
	mu sync.Mutex
	ch chan struct{}
	up bool
}

func newGate() gate { return gate{ch: make(chan struct{})} }

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.up {
		g.up = true
		close(g.ch)
	}
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.up {
		g.up = false
		g.ch = make(chan struct{})
	}
}

// wait returns true when the gate is open, false when ctx is done.
func (g *gate) wait(ctx context.Context) bool {
	g.mu.Lock()
	ch := g.ch
	g.mu.Unlock()
	select {
	case <-ch:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
