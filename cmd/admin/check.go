package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// faults collects everything that is wrong with a configuration, so that it is told at once.
type faults struct{ all []error }

func (f *faults) add(flag, format string, args ...any) {
	f.all = append(f.all, fmt.Errorf("--%s (%s): %s", flag, envName(flag), fmt.Sprintf(format, args...)))
}

// err is nil, or a usageError with one line for each fault.
func (f *faults) err() error {
	if len(f.all) == 0 {
		return nil
	}
	return usageError{fmt.Errorf("the configuration is wrong:\n%w", errors.Join(f.all...))}
}

// listen checks an address to listen on: host:port, where port 0 picks a free one.
func (f *faults) listen(flag, addr string) {
	if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
		f.add(flag, "%q is no address: want host:port, such as 127.0.0.1:8080", addr)
	}
}

// site checks the root of a web site and returns it without a slash behind it, its name as browsers ask for it. Plain HTTP is for this machine only:
// sign-in cookies and payment results must not travel in the open.
func (f *faults) site(flag, raw string) string {
	u, err := url.Parse(raw)
	host, ascii := "", ""
	if err == nil {
		host = u.Hostname()
		ascii, err = asciiHost(host)
	}
	switch {
	case raw == "":
		f.add(flag, "is missing: the address that buyers see, such as https://shop.example")
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil:
		f.add(flag, "%q is no address: want https://host, such as https://shop.example", raw)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		f.add(flag, "%q has a path: want the host alone, such as https://shop.example", raw)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		f.add(flag, "%q is not encrypted: want https:// (plain http:// is for 127.0.0.1 and localhost only)", raw)
	}
	return strings.Replace(strings.TrimRight(raw, "/"), host, ascii, 1)
}

// asciiHost is a host as browsers ask for it: 산들바람.kr is xn--py1bk4coyf2yf.kr to them.
func asciiHost(host string) (string, error) {
	if strings.IndexFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) < 0 {
		return host, nil
	}
	return idna.Lookup.ToASCII(host)
}

// address checks an absolute http or https URL; empty is fine.
func (f *faults) address(flag, raw string) {
	u, err := url.Parse(raw)
	if raw != "" && (err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "") {
		f.add(flag, "%q is no address: want http://host:port", raw)
	}
}

// networks reads IP addresses and ranges.
func (f *faults) networks(flag string, raw []string) []netip.Prefix {
	var all []netip.Prefix
	for _, s := range raw {
		p, err := netip.ParsePrefix(s)
		if addr, err2 := netip.ParseAddr(s); err2 == nil {
			p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			f.add(flag, "%q is no address range: want 10.0.0.0/8 or 10.1.2.3", s)
			continue
		}
		all = append(all, p.Masked())
	}
	return all
}

// isLoopback says whether a host name means this machine.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}
