package main

import (
	"net"
	"net/netip"
	"slices"
	"sync"
)

// How many connections are kept open at the same time: what comes over that is closed at once, so that who opens
// thousands and says nothing takes memory from nobody.
const (
	maxConnections = 8192
	maxPerAddress  = 512 // of them from one address; not for this machine and the listed proxies, behind which is everybody
)

// bounded is a listener that closes what comes over its bounds.
type bounded struct {
	net.Listener
	proxies         []netip.Prefix
	all, perAddress int

	mu   sync.Mutex
	open int
	from map[netip.Addr]int
}

func bound(ln net.Listener, proxies []netip.Prefix) *bounded {
	return &bounded{
		Listener: ln, proxies: proxies, all: maxConnections, perAddress: maxPerAddress, from: map[netip.Addr]int{},
	}
}

// Accept returns the next connection that is within the bounds.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		var from netip.Addr
		if ap, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
			from = ap.Addr().Unmap().WithZone("")
		}
		if b.take(from) {
			return &boundedConn{Conn: conn, leave: sync.OnceFunc(func() { b.leave(from) })}, nil
		}
		_ = conn.Close() // nothing was said on it
	}
}

func (b *bounded) take(from netip.Addr) bool {
	proxy := from.IsLoopback() || slices.ContainsFunc(b.proxies, func(p netip.Prefix) bool { return p.Contains(from) })
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open >= b.all || !proxy && b.from[from] >= b.perAddress {
		return false
	}
	b.open++
	b.from[from]++
	return true
}

func (b *bounded) leave(from netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open--
	if b.from[from]--; b.from[from] == 0 {
		delete(b.from, from)
	}
}

// boundedConn gives its place back when it is closed.
type boundedConn struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (c *boundedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
