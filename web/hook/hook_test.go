package hook_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
	"gage/web/hook"
)

// init names a proxy, before anything reads the environment: nobody listens there, and nobody is to ask it.
func init() {
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY"} {
		if err := os.Setenv(name, "http://127.0.0.1:1"); err != nil {
			panic(err)
		}
	}
}

func codeOf(err error) app.CarryCode {
	var fault *app.CarryError
	if errors.As(err, &fault) {
		return fault.Code
	}
	if err != nil {
		return app.CarryCode("other: " + err.Error())
	}
	return ""
}

// denied are addresses that must not be reached, as a resolver tells them.
var denied = []string{
	"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1", "127.0.0.2",
	"127.255.255.254", "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1",
	"192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
	"203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
	"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
	"64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::1", "2002:a9fe:a9fe::1", "2620:4f:8000::1",
	"3fff::1", "5f00::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "4000::1",
}

// open are addresses on the Internet, close to those that are not.
var open = []string{
	"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.0", "172.15.255.255",
	"172.32.0.0", "192.0.1.1", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "211.193.35.7", "223.255.255.255", "168.63.129.17",
	"2001:200::1", "2001:4860:4860::8888", "2400::1", "2606:4700::1111", "2a00::1", "3ffe::1",
}

// TestAddresses: no name that resolves to an address outside the Internet is connected to, however it is written; one
// such among good ones is enough.
//
// proves S12
func TestAddresses(t *testing.T) {
	if len(denied) < 60 {
		t.Fatalf("only %d addresses", len(denied))
	}
	dial := func(c hook.Client, told ...string) app.CarryCode {
		c.Lookup = func(context.Context, string) (list []netip.Addr, err error) {
			for _, text := range told {
				list = append(list, netip.MustParseAddr(text))
			}
			return list, nil
		}
		// The call is over before anything could be connected to: what is refused by its address is told so all the same.
		ctx, stop := context.WithTimeout(t.Context(), time.Nanosecond)
		defer stop()
		conn, err := c.Dial(ctx, "tcp", "system.example:443")
		if err == nil {
			conn.Close()
			t.Errorf("%v was connected to", told)
		}
		return codeOf(err)
	}
	for _, a := range denied {
		if got := dial(hook.Client{}, a); got != app.CarryPrivate {
			t.Errorf("%s: %s", a, got)
		}
		if got := dial(hook.Client{}, "1.1.1.1", a); got != app.CarryPrivate {
			t.Errorf("1.1.1.1 and %s: %s", a, got)
		}
		if netip.MustParseAddr(a).Zone() != "" {
			continue
		}
		for _, scheme := range []string{"http", "https"} {
			at := url.URL{Scheme: scheme, Host: net.JoinHostPort(a, "443"), Path: "/"}
			if got := codeOf(hook.Client{}.Check(smartro.Test, at.String())); got != app.CarryPrivate {
				t.Errorf("%s: %s", at.String(), got)
			}
		}
	}
	for _, a := range open {
		if got := dial(hook.Client{}, a); got == app.CarryPrivate {
			t.Errorf("%s is on the Internet", a)
		}
	}
	listed := hook.Client{Listed: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}}
	for a, want := range map[string]bool{"10.1.2.3": true, "10.2.0.1": false, "fd00:1::1": true, "fd00:2::1": false, "::ffff:10.2.0.1": false} {
		if got := dial(listed, a); (got != app.CarryPrivate) != want {
			t.Errorf("%s with a list: %s", a, got)
		}
	}
}

// TestURLs: what is typed as an address is one, of HTTPS, without tricks. Plain HTTP is for practice on this machine,
// where that was listed.
//
// proves S12
func TestURLs(t *testing.T) {
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for _, c := range []struct {
		url  string
		mode app.Mode
		list []netip.Prefix
		want app.CarryCode
	}{
		{"https://shop.example/gage?key=1", smartro.Real, nil, ""},
		{"https://shop.example:8443/", smartro.Real, nil, ""},
		{"https://xn--9n2bp8q.example/", smartro.Real, nil, ""},
		{"https://211.193.35.7/gage", smartro.Real, nil, ""},
		{"http://shop.example/gage", smartro.Real, nil, app.CarryPlain},
		{"http://shop.example/gage", smartro.Test, local, app.CarryPlain},
		{"http://211.193.35.7/", smartro.Test, local, app.CarryPlain},
		{"http://localhost:3000/", smartro.Test, local, app.CarryPlain},
		{"http://127.0.0.1:3000/gage", smartro.Test, nil, app.CarryPrivate},
		{"http://127.0.0.1:3000/gage", smartro.Test, local, ""},
		{"http://[::1]:3000/gage", smartro.Test, local, ""},
		{"http://127.0.0.1:3000/gage", smartro.Real, local, app.CarryPlain},
		{"https://127.0.0.1/gage", smartro.Real, local, ""},
		{"http://10.0.0.1/", smartro.Test, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, app.CarryPlain},
		{"", smartro.Test, nil, app.CarryBadURL},
		{"shop.example/gage", smartro.Test, nil, app.CarryBadURL},
		{"//shop.example/gage", smartro.Test, nil, app.CarryBadURL},
		{"https:///gage", smartro.Test, nil, app.CarryBadURL},
		{"https:shop.example", smartro.Test, nil, app.CarryBadURL},
		{"https://user@shop.example/", smartro.Test, nil, app.CarryBadURL},
		{"https://user:pw@shop.example/", smartro.Test, nil, app.CarryBadURL},
		{"https://shop.example/#a", smartro.Test, nil, app.CarryBadURL},
		{"https://shop.example\\@127.0.0.1/", smartro.Test, nil, app.CarryBadURL},
		{"https://shop.example/a b", smartro.Test, nil, app.CarryBadURL},
		{"https://127.1/", smartro.Test, local, app.CarryBadURL},
		{"https://2130706433/", smartro.Test, local, app.CarryBadURL},
		{"https://0x7f000001/", smartro.Test, local, app.CarryBadURL},
		{"https://0x7f.0.0.1/", smartro.Test, local, app.CarryBadURL},
		{"https://0177.0.0.1/", smartro.Test, local, app.CarryBadURL},
		{"https://127.0.0.1./", smartro.Test, local, app.CarryBadURL},
		{"https://127。0。0。1/", smartro.Test, local, app.CarryBadURL},
		{"https://①②⑦.0.0.1/", smartro.Test, local, app.CarryBadURL},
		{"https://[::ffff:127.0.0.1]/", smartro.Test, local, app.CarryPrivate},
		{"https://[::ffff:1.1.1.1]/", smartro.Test, local, app.CarryPrivate},
		{"https://[fe80::1%25eth0]/", smartro.Test, nil, app.CarryPrivate},
		{"https://.example/", smartro.Test, nil, app.CarryBadURL},
		{"https://a..example/", smartro.Test, nil, app.CarryBadURL},
		{"file:///etc/passwd", smartro.Test, nil, app.CarryBadURL},
		{"gopher://shop.example/", smartro.Test, nil, app.CarryBadURL},
		{"javascript:alert(1)", smartro.Test, nil, app.CarryBadURL},
		{"https://shop.example:99999/", smartro.Test, nil, app.CarryBadURL},
	} {
		client := hook.Client{Listed: c.list}
		if got := codeOf(client.Check(c.mode, c.url)); got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.url, c.mode, got, c.want)
		}
		if c.want == "" {
			continue
		}
		if status, err := client.Carry(t.Context(), app.Parcel{URL: c.url, Mode: c.mode}); codeOf(err) != c.want || status != 0 {
			t.Errorf("%s in %s is carried: %v", c.url, c.mode, err)
		}
	}
}

// TestRebinding: a name is resolved once for each call, and what was looked at is connected to, so that a name which
// answers otherwise the second time reaches nothing.
//
// proves S12
func TestRebinding(t *testing.T) {
	var reached atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer inside.Close()
	port := inside.Listener.Addr().(*net.TCPAddr).Port
	answers := []string{"127.0.0.9", "127.0.0.1"}
	asked := 0
	c := hook.Client{Listed: []netip.Prefix{netip.MustParsePrefix("127.0.0.9/32")}} // where nobody listens
	c.Lookup = func(context.Context, string) ([]netip.Addr, error) {
		a := netip.MustParseAddr(answers[asked%2])
		asked++
		return []netip.Addr{a}, nil
	}
	carry := func() app.CarryCode {
		ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer stop()
		_, err := c.Carry(ctx, app.Parcel{URL: fmt.Sprintf("https://rebind.example:%d/", port), Mode: smartro.Real, Body: []byte("{}")})
		return codeOf(err)
	}
	if got := carry(); got == app.CarryPrivate || got == "" || asked != 1 {
		t.Errorf("%s after %d questions, want one", got, asked)
	}
	if got := carry(); got != app.CarryPrivate || asked != 2 {
		t.Errorf("%s after %d questions", got, asked)
	}
	if reached.Load() != 0 {
		t.Error("this machine was reached")
	}
}

// receiver is a shop's own system over HTTPS on this machine, and a client that may reach it.
func receiver(t *testing.T, h http.HandlerFunc, change func(*tls.Config)) (string, hook.Client) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{}
	if change != nil {
		change(s.TLS)
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s.URL, hook.Client{Listed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Agent: "Gage/test"}.Trusting(roots)
}

// TestCarry: over real HTTPS what was signed arrives as it is, and each way not to take it is told in one word; no
// redirect and no proxy is followed, and no answer keeps a call for long.
//
// proves S12, S25, S26
func TestCarry(t *testing.T) {
	var got *http.Request
	var body string
	var elsewhere atomic.Int32
	answer := func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got, body = r, string(raw)
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/elsewhere", http.StatusSeeOther)
		case "/elsewhere":
			elsewhere.Add(1)
		case "/refuse":
			w.WriteHeader(http.StatusUnprocessableEntity)
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<14)); err != nil {
					return
				}
			}
		case "/headers":
			w.Header().Set("X-Long", strings.Repeat("x", 80<<10))
		case "/gone":
			panic(http.ErrAbortHandler)
		case "/silent":
			<-r.Context().Done()
		}
	}
	base, c := receiver(t, answer, nil)
	carry := func(c hook.Client, at string, within time.Duration) (int, app.CarryCode) {
		ctx, stop := context.WithTimeout(t.Context(), within)
		defer stop()
		status, err := c.Carry(ctx, app.Parcel{URL: at, Mode: smartro.Real, Body: []byte(`{"a":1}`), Header: map[string]string{"Gage-Id": "A", "Content-Type": "application/json"}})
		if err != nil && strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("the fault tells the address: %v", err)
		}
		return status, codeOf(err)
	}
	for path, want := range map[string]struct {
		status int
		code   app.CarryCode
	}{
		"/gage?key=1": {200, ""}, "/moved": {303, ""}, "/refuse": {422, ""}, "/endless": {200, ""}, "/headers": {0, app.CarryBroken}, "/gone": {0, app.CarryBroken},
	} {
		status, code := carry(c, base+path, 5*time.Second)
		if status != want.status || code != want.code {
			t.Errorf("%s: %d %s, want %v", path, status, code, want)
		}
		if path == "/gage?key=1" && (got.Method != "POST" || body != `{"a":1}` || got.Header.Get("Gage-Id") != "A" || got.Header.Get("User-Agent") != "Gage/test" || got.URL.RawQuery != "key=1") {
			t.Errorf("arrived as %s %v %s", got.Method, got.Header, body)
		}
	}
	if elsewhere.Load() != 0 {
		t.Error("a redirect was followed")
	}
	if _, code := carry(c, base+"/silent", 50*time.Millisecond); code != app.CarryTimeout {
		t.Errorf("silence: %s", code)
	}
	stranger := c
	stranger = stranger.Trusting(x509.NewCertPool())
	if _, code := carry(stranger, base+"/", 5*time.Second); code != app.CarryTLS {
		t.Errorf("a certificate that nobody vouches for: %s", code)
	}
	named := c
	named.Lookup = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	port := base[strings.LastIndex(base, ":"):]
	if _, code := carry(named, "https://another.test"+port+"/", 5*time.Second); code != app.CarryTLS {
		t.Errorf("another's certificate: %s", code)
	}
	if status, code := carry(named, "https://example.com"+port+"/", 5*time.Second); status != 200 {
		t.Errorf("a name of the certificate's: %s", code)
	}
	old, oldClient := receiver(t, answer, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 })
	if _, code := carry(oldClient, old+"/", 5*time.Second); code != app.CarryTLS {
		t.Errorf("TLS 1.1: %s", code)
	}
	plain := httptest.NewServer(http.HandlerFunc(answer))
	defer plain.Close()
	if _, code := carry(c, strings.Replace(plain.URL, "http:", "https:", 1)+"/", 5*time.Second); code != app.CarryTLS {
		t.Errorf("HTTP where HTTPS was asked for: %s", code)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if _, code := carry(c, "https://"+ln.Addr().String()+"/", 5*time.Second); code != app.CarryRefused {
		t.Errorf("nobody there: %s", code)
	}
	named.Lookup = func(context.Context, string) ([]netip.Addr, error) {
		return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	}
	if _, code := carry(named, "https://nobody.test/", 5*time.Second); code != app.CarryHost {
		t.Errorf("no such name: %s", code)
	}
}

// TestRandomAddresses: among random addresses, those near the borders of special networks more often, none that the
// standard library knows to be private, this machine's, a link's or a group's is ever let through, in any spelling.
//
// GAGE_ADDRESSES=n looks at n of them; GAGE_SEED=s begins elsewhere.
// proves S12
func TestRandomAddresses(t *testing.T) {
	n, seed := number(t, "GAGE_ADDRESSES", 20_000), number(t, "GAGE_SEED", 1)
	r := rand.New(rand.NewPCG(seed, 12))
	inside := 0
	for range n {
		a := randomAddress(r)
		err := hook.Client{}.Check(smartro.Test, (&url.URL{Scheme: "https", Host: net.JoinHostPort(a.String(), "443"), Path: "/"}).String())
		bare := a.Unmap()
		special := bare.IsPrivate() || bare.IsLoopback() || bare.IsLinkLocalUnicast() || bare.IsMulticast() || bare.IsUnspecified() || !bare.IsGlobalUnicast()
		if special || a.Is4In6() {
			inside++
			if codeOf(err) != app.CarryPrivate {
				t.Errorf("%s: %v", a, err)
			}
		}
	}
	t.Logf("reached: %d addresses", n)
	if inside < int(n)/20 {
		t.Errorf("only %d of %d addresses were special: that shows little", inside, n)
	}
}

func number(t *testing.T, name string, otherwise uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%q is not a number", name, text)
	}
	return n
}

// randomAddress is any address, a known one with some bits changed, or an IPv4 one written as IPv6.
func randomAddress(r *rand.Rand) netip.Addr {
	var b [16]byte
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	near := netip.MustParseAddr(denied[r.IntN(len(denied))]).WithZone("")
	switch r.IntN(4) {
	case 0:
		return netip.AddrFrom4([4]byte(b[:4]))
	case 1:
		return netip.AddrFrom16(b)
	case 2:
		a4 := netip.AddrFrom4([4]byte(b[:4]))
		return netip.AddrFrom16(a4.As16())
	}
	raw := near.AsSlice()
	raw[r.IntN(len(raw))] ^= 1 << r.IntN(8)
	a, _ := netip.AddrFromSlice(raw)
	return a
}
