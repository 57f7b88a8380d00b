package main

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestConnectionCaps: one address has its share of the connections and no more; all together have an end too.
//
// proves S22
func TestConnectionCaps(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	b := bound(ln, []netip.Prefix{netip.MustParsePrefix("198.51.100.7/32")})
	b.all, b.perAddress = 6, 2
	stranger, proxy, us := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("127.0.0.1")
	for _, step := range []struct {
		from netip.Addr
		want bool
	}{{stranger, true}, {stranger, true}, {stranger, false}, {proxy, true}, {proxy, true}, {proxy, true}, {us, true}, {us, false}, {proxy, false}} {
		if got := b.take(step.from); got != step.want {
			t.Fatalf("%s: taken %t, want %t", step.from, got, step.want)
		}
	}
	b.leave(stranger)
	if b.take(netip.MustParseAddr("203.0.113.10")); b.take(stranger) {
		t.Error("more than all together")
	}
	for range 2 {
		b.leave(us)
		b.leave(proxy)
		b.take(us)
		b.take(proxy)
	}
	if len(b.from) > 4 {
		t.Errorf("addresses that left are remembered: %v", b.from)
	}
}

// TestConnectionsBeyondTheCapAreClosed: over a real socket; a place is free again when a connection ends.
//
// proves S22
func TestConnectionsBeyondTheCapAreClosed(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := bound(ln, nil)
	b.all = 2
	srv := newServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }), slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- srv.Serve(b) }()
	defer func() {
		if err := errors.Join(srv.Close(), <-served); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	ask := func(conn net.Conn) error {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			return err
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return errors.Join(err, resp.Body.Close())
	}
	var held []net.Conn
	for i := range 3 {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := ask(conn); (err == nil) != (i < 2) {
			t.Fatalf("connection %d: %v", i+1, err)
		}
		held = append(held, conn)
	}
	held[0].Close()
	for { // the server learns of the end by reading it
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		err = ask(conn)
		conn.Close()
		if err == nil {
			return
		}
	}
}

// TestSlowClients: a client that stops in the middle of its headers, of its body, or after its answer is cut off. The
// times are the server's own, made short.
//
// proves S22
func TestSlowClients(t *testing.T) {
	srv := newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			http.Error(w, "ended early", http.StatusBadRequest)
		}
	}), slog.New(slog.DiscardHandler))
	for name, d := range map[string]*time.Duration{
		"header": &srv.ReadHeaderTimeout, "read": &srv.ReadTimeout, "write": &srv.WriteTimeout, "idle": &srv.IdleTimeout,
	} {
		if *d <= 0 || *d > 2*time.Minute {
			t.Errorf("the %s timeout is %s", name, *d)
		}
		*d /= 50
	}
	if srv.MaxHeaderBytes <= 0 || srv.MaxHeaderBytes > 64<<10 {
		t.Errorf("headers of %d bytes", srv.MaxHeaderBytes)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	for name, said := range map[string]string{
		"nothing":          "",
		"half a line":      "GET / HT",
		"half a header":    "GET / HTTP/1.1\r\nHost: x\r\nX-",
		"half a body":      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\na",
		"half a chunk":     "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na",
		"and then nothing": "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"too long a head":  "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, said); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") { // ends when we are cut off
			t.Errorf("%s: %v", name, err)
		}
		conn.Close()
	}
	if err := errors.Join(srv.Close(), <-served); !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}
