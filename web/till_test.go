package web_test

import (
	"context"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"gage/app"
	"gage/smartro"
	"gage/smartro/sandbox"
)

// till is a shop at the simulated gateway, with somebody at the desk.
type till struct {
	*desk
	gateway *sandbox.Gateway
	url     string       // of the gateway
	calls   atomic.Int64 // cancels that the gateway was asked for
}

func newTill(t *testing.T) *till {
	t.Helper()
	b := newBuyerShop(t, false)
	b.KnownSenders = func(smartro.Mode) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} }
	shop := httptest.NewServer(b.handler)
	t.Cleanup(shop.Close)
	toShop := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, shop.Listener.Addr().String())
	}}
	t.Cleanup(toShop.CloseIdleConnections)
	notice, err := b.NoticeURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g, err := sandbox.New(sandbox.Config{NotifyURL: notice, Now: b.now, HTTP: &http.Client{Transport: toShop}})
	if err != nil {
		t.Fatal(err)
	}
	l := &till{desk: b.desk(app.RoleStaff), gateway: g}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/cancel/payCancelNVProcess.jsp" {
			l.calls.Add(1)
		}
		g.Handler().ServeHTTP(w, r)
	}))
	l.url = server.URL
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		if err := b.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	l.contract(func(*smartro.Merchant) {})
	return l
}

// contract sets the shop up for the simulator, with one thing changed.
func (l *till) contract(change func(*smartro.Merchant)) {
	l.t.Helper()
	m := smartro.Merchant{
		MID: sandbox.DefaultMID, Key: sandbox.DefaultMerchantKey, CancelPassword: sandbox.DefaultCancelPassword,
		Mode: smartro.Test, Hash: smartro.MD5, Endpoints: smartro.EndpointsAt(l.url),
	}
	change(&m)
	if err := l.SetMerchant(context.Background(), l.owner, m); err != nil {
		l.t.Fatal(err)
	}
}

// ask posts to the gateway, as a browser or a person at its control page does.
func (l *till) ask(path, kind, body string) string {
	l.t.Helper()
	resp, err := http.Post(l.url+path, kind, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 400 {
		l.t.Fatalf("%s: %d %v %s", path, resp.StatusCode, err, page)
	}
	return string(page)
}

func (l *till) fault(name string) {
	l.t.Helper()
	l.ask("/control/api/faults", asJSON, `{"fault":"`+name+`","scope":"next"}`)
}

func (l *till) deliver() {
	l.t.Helper()
	if _, err := l.gateway.Deliver(context.Background()); err != nil {
		l.t.Fatal(err)
	}
}

var windowSession = regexp.MustCompile(`name="session" value="([^"]*)"`)

// pays lets a buyer pay a new order of 33,000 won.
func (l *till) pays(method app.Method, in app.OrderInput) app.Payment {
	l.t.Helper()
	return l.paysFor(l.order(in), method)
}

// paysFor lets a buyer pay an order through the gateway's window; a virtual account is paid in too.
func (l *till) paysFor(o app.Order, method app.Method) app.Payment {
	l.t.Helper()
	p := l.paysUntold(o, method)
	if method == smartro.Vbank {
		l.ask("/control/api/deposit", asJSON, `{"tid":"`+string(p.TID)+`"}`)
		l.deliver()
		p = l.payment(p.Moid)
	}
	if p.State != app.Paid {
		l.t.Fatalf("the payment is %s", p.State)
	}
	return p
}

// paysUntold is paysFor, whether the gateway's notice comes or not.
func (l *till) paysUntold(o app.Order, method app.Method) app.Payment {
	l.t.Helper()
	code, form := l.open(o, "device=pc&method="+string(method))
	if code != http.StatusOK {
		l.t.Fatalf("open: %d %+v", code, form)
	}
	var fields []smartro.Field
	for _, f := range form.Fields {
		fields = append(fields, smartro.Field{Name: f[0], Value: f[1]})
	}
	page := l.ask(path(l.t, form.Action), asForm, string(smartro.EncodeForm(fields, smartro.EUCKR)))
	found := windowSession.FindStringSubmatch(page)
	if found == nil {
		l.t.Fatalf("no window: %s", page)
	}
	l.ask("/window", asForm, url.Values{"session": {html.UnescapeString(found[1])}, "action": {"approve"}}.Encode())
	l.deliver()
	return l.payment(app.Moid(form.get("Moid")))
}

func (l *till) payment(moid app.Moid) app.Payment {
	l.t.Helper()
	p, err := l.Store.Payment(context.Background(), moid)
	if err != nil {
		l.t.Fatal(err)
	}
	return p
}
