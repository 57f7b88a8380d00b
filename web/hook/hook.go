// Package hook takes what the shop owes to its own system there, and nowhere else: HTTPS only, to an address that is on
// the Internet or that the owner of the machine has listed, without redirects and proxies, in bounded time and size.
// A name is resolved once, and the address that was looked at is the one that is connected to, so that a name whose
// answer changes reaches nothing either.
//
// Start at [Client].
package hook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gage/app"
	"gage/smartro"
)

// What a call may take.
const (
	callTimeout = 10 * time.Second
	maxAnswer   = 64 << 10 // bytes of header, and again of body, that are read
)

// Client carries parcels. It is safe for concurrent use.
type Client struct {
	Listed []netip.Prefix // addresses beside the Internet's that may be reached
	Agent  string         // sent as User-Agent

	// Lookup resolves a name, once for each call; nil: the machine's resolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

	roots *x509.CertPool // nil, as it is outside tests: the machine's
}

var _ app.Carrier = Client{}

func fault(code app.CarryCode, err error) error { return &app.CarryError{Code: code, Err: err} }

// Check says whether parcels of a mode could go to an address: absolute, HTTPS, without a user and a fragment. Plain
// HTTP is for practice on this machine, where it is listed. A name is not resolved here: its answer may change.
func (c Client) Check(mode app.Mode, address string) error {
	_, err := c.read(mode, address)
	return err
}

func (c Client) read(mode app.Mode, address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" || strings.ContainsAny(address, " \\\t\r\n") {
		return nil, fault(app.CarryBadURL, nil)
	}
	if n, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || n == 0) {
		return nil, fault(app.CarryBadURL, nil)
	}
	literal, ipErr := netip.ParseAddr(u.Hostname())
	switch {
	case ipErr == nil && !c.allowed(literal):
		return nil, fault(app.CarryPrivate, nil)
	case ipErr != nil && !isName(u.Hostname()):
		return nil, fault(app.CarryBadURL, nil)
	case u.Scheme == "https":
	case u.Scheme != "http":
		return nil, fault(app.CarryBadURL, nil)
	case mode != smartro.Test || ipErr != nil || !literal.IsLoopback():
		return nil, fault(app.CarryPlain, nil)
	}
	return u, nil
}

// isName says whether a host is a name as the DNS has them: labels of letters, digits and hyphens, the last of which
// is no number. What else resolvers take for an address (127.1, 0x7f000001, 017700000001) is none.
func isName(host string) bool {
	host = strings.TrimSuffix(host, ".")
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return false
		}
	}
	last := labels[len(labels)-1]
	number := last[0] >= '0' && last[0] <= '9'
	return !number && len(host) <= 253
}

// Carry posts a parcel and returns the status of the answer; see [app.Carrier].
func (c Client) Carry(ctx context.Context, p app.Parcel) (int, error) {
	u, err := c.read(p.Mode, p.URL)
	if err != nil {
		return 0, err
	}
	ctx, stop := context.WithTimeout(ctx, callTimeout)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(p.Body))
	if err != nil {
		return 0, fault(app.CarryBadURL, nil)
	}
	req.GetBody = nil // nothing may rewind and repeat the call
	for name, v := range p.Header {
		req.Header.Set(name, v)
	}
	req.Header.Set("User-Agent", c.Agent)
	res, err := c.client().Do(req)
	if err != nil {
		return 0, c.explain(ctx, err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)); err != nil {
		return res.StatusCode, c.explain(ctx, err)
	}
	return res.StatusCode, nil
}

// client is made anew for each call: no connection is kept, so that each goes through dial.
func (c Client) client() *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  nil, // whatever the environment says: a proxy would resolve the name again
			DialContext:            c.dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.roots},
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxAnswer,
		},
	}
}

// dial resolves the host once and connects to what it looked at. One address that may not be reached is enough to
// reach none: an honest name has no such.
func (c Client) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, fault(app.CarryBadURL, err)
	}
	addrs, err := c.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, a := range addrs {
		if !c.allowed(a) {
			return nil, fault(app.CarryPrivate, nil)
		}
	}
	d := net.Dialer{Control: c.look}
	var errs []error
	for _, a := range addrs[:min(len(addrs), maxAddrs)] {
		conn, err := d.DialContext(ctx, network, net.JoinHostPort(a.String(), port))
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// look is the last look at an address, between making the socket and connecting it.
func (c Client) look(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !c.allowed(ap.Addr()) {
		return fault(app.CarryPrivate, err)
	}
	return nil
}

// maxAddrs is how many addresses of a name are tried at most.
const maxAddrs = 4

// resolve gives the addresses of a host. IPv4 comes as IPv4, however the resolver writes it.
func (c Client) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	lookup := c.Lookup
	if lookup == nil {
		lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	addrs, err := lookup(ctx, host)
	if err != nil || len(addrs) == 0 {
		return nil, fault(app.CarryHost, err)
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, nil
}

// explain says in one word what went wrong.
func (c Client) explain(ctx context.Context, err error) error {
	var known *app.CarryError
	var timeout net.Error
	var unknown *tls.CertificateVerificationError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &known):
		return known
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return fault(app.CarryTimeout, err)
	case errors.As(err, &unknown), errors.As(err, &alert), errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch), strings.Contains(err.Error(), "tls: "):
		return fault(app.CarryTLS, err)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fault(app.CarryRefused, err)
	}
	return fault(app.CarryBroken, err)
}
