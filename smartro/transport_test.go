package smartro_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"gage/smartro"
)

// tlsGateway answers every cancel as done, with a certificate of its own.
func tlsGateway(t *testing.T, change func(*tls.Config)) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var asked atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, doneAnswer)
	}))
	srv.TLS = &tls.Config{}
	change(srv.TLS)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv, &asked
}

// trusting is the client that the shop uses, on a machine that trusts that one authority besides.
func trusting(t *testing.T, cert *x509.Certificate) *http.Client {
	t.Helper()
	c := smartro.NewHTTPClient()
	transport := c.Transport.(*http.Transport)
	transport.TLSClientConfig.RootCAs = x509.NewCertPool()
	transport.TLSClientConfig.RootCAs.AddCert(cert)
	return c
}

// TestTLSPeers: the gateway has to show who it is, by a certificate that this machine trusts, in its own name, over
// TLS 1.2 or newer. Else nothing is sent at all.
//
// proves S25
func TestTLSPeers(t *testing.T) {
	for name, c := range map[string]struct {
		tls   func(*tls.Config)
		trust bool
		host  string // under which it is asked
		done  bool
	}{
		"right, TLS 1.3":       {func(*tls.Config) {}, true, "", true},
		"right, TLS 1.2":       {func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, true, "", true},
		"another's authority":  {func(*tls.Config) {}, false, "", false},
		"another name":         {func(*tls.Config) {}, true, "localhost", false},
		"TLS 1.1":              {func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, true, "", false},
		"TLS 1.0":              {func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 }, true, "", false},
		"another's, in TLS1.2": {func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, false, "", false},
	} {
		srv, asked := tlsGateway(t, c.tls)
		client := smartro.NewHTTPClient()
		if c.trust {
			client = trusting(t, srv.Certificate())
		}
		m, at := merchant(), srv.URL
		if c.host != "" {
			_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			at = "https://" + net.JoinHostPort(c.host, port)
		}
		m.Endpoints = smartro.EndpointsAt(at)
		a, err := smartro.Client{HTTP: client}.Cancel(t.Context(), m, partOf1000())
		if done := err == nil && a.Outcome() == smartro.CancelDone; done != c.done || (asked.Load() == 1) != c.done {
			t.Errorf("%s: %v, %v, asked %d times; want done %t", name, a, err, asked.Load(), c.done)
		}
		if !c.done && !errors.Is(err, smartro.ErrNotSent) {
			t.Errorf("%s: nothing was sent, and yet %v", name, err)
		}
	}
}

// TestNoSwitchSkipsTLS: nothing in the source can turn the check off.
//
// proves S25
func TestNoSwitchSkipsTLS(t *testing.T) {
	read := 0
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		if d.Name() == "defects.go" && strings.Contains(filepath.ToSlash(name), "/bench/proof/") {
			return nil // mistakes to plant, which the harness catches
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		read++
		for _, word := range []string{"InsecureSkipVerify", "VerifyPeerCertificate", "VerifyConnection", "tls.VersionTLS10", "tls.VersionTLS11", "tls.VersionSSL30", "RootCAs"} {
			if word == "RootCAs" && strings.HasSuffix(filepath.ToSlash(name), "web/hook/hook.go") && strings.Contains(string(raw), "RootCAs: c.roots}") {
				continue // a field that only the package's own tests can reach
			}
			if strings.Contains(string(raw), word) {
				t.Errorf("%s has %s", name, word)
			}
		}
		return nil
	})
	if err != nil || read < 100 {
		t.Errorf("read %d files, %v", read, err)
	}
}

// TestOutgoingLimits: the client that the shop uses follows no redirect to another host, reads no endless answer, and
// has an end to every wait. Who asks for a cancel learns that nothing is known.
//
// proves S26
func TestOutgoingLimits(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	c := smartro.NewHTTPClient()
	transport := c.Transport.(*http.Transport)
	if c.Timeout <= 0 || transport.TLSHandshakeTimeout <= 0 || transport.MaxResponseHeaderBytes <= 0 || !transport.DisableKeepAlives {
		t.Errorf("the client lacks a limit: %+v", transport)
	}
	for name, answer := range map[string]http.HandlerFunc{
		"301": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusMovedPermanently)
		},
		"302": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) },
		"303": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusSeeOther) },
		"307": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		},
		"308": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusPermanentRedirect)
		},
		"an endless answer": func(w http.ResponseWriter, _ *http.Request) {
			for _, err := io.WriteString(w, doneAnswer); err == nil; {
				_, err = io.WriteString(w, strings.Repeat("x", 4096))
			}
		},
		"endless headers": func(w http.ResponseWriter, _ *http.Request) {
			for i := range 200 {
				w.Header().Add("X-"+strings.Repeat("x", i+1), strings.Repeat("y", 4096))
			}
			_, _ = io.WriteString(w, doneAnswer)
		},
	} {
		srv := httptest.NewServer(answer)
		m := merchant()
		m.Endpoints = smartro.EndpointsAt(srv.URL)
		if a, err := (smartro.Client{HTTP: c}).Cancel(t.Context(), m, partOf1000()); err == nil || errors.Is(err, smartro.ErrNotSent) {
			t.Errorf("%s: %v, %v, want an answer that says nothing", name, a, err)
		}
		srv.Close()
	}
	if n := elsewhere.Load(); n > 0 {
		t.Errorf("followed to another host %d times", n)
	}
}
