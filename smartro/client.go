package smartro

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"
)

// Client calls the gateway. The zero Client is ready to use. No call is ever repeated, not even by the
// transport, because a repeated cancel may cancel twice.
type Client struct {
	HTTP *http.Client // nil means NewHTTPClient; redirects are refused whatever it says
}

// The time that a call may take (cancel §1). A caller's context may end it earlier.
const (
	dialTimeout = 5 * time.Second
	callTimeout = 60 * time.Second
)

// NewHTTPClient returns a client for the gateway: 5 s to connect, 60 s overall, TLS 1.2 or newer, no
// redirects, and a connection of its own for every call, since a transport repeats a request by itself only
// on a connection that it used before.
func NewHTTPClient() *http.Client {
	return &http.Client{
		Timeout:       callTimeout,
		CheckRedirect: noRedirect,
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    dialTimeout,
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: MaxMessage,
		},
	}
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// post sends one POST and returns the body of a 200 answer. Any other answer is an error, with its body. The
// error is ErrNotSent if no connection came about.
func (c Client) post(ctx context.Context, address, contentType string, body []byte, header http.Header) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, notSent(err)
	}
	ctx, stop := context.WithTimeout(ctx, callTimeout)
	defer stop()
	var asked, connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, notSent(withoutURL(err))
	}
	req.GetBody = nil // nothing may rewind and repeat the call
	for name, v := range header {
		req.Header[name] = v
	}
	req.Header.Set("Content-Type", contentType)
	hc := NewHTTPClient()
	if c.HTTP != nil {
		own := *c.HTTP
		own.CheckRedirect = noRedirect
		hc = &own
	}
	res, err := hc.Do(req)
	if err != nil {
		err = withoutURL(err)
		if asked.Load() && !connected.Load() {
			return nil, notSent(err)
		}
		return nil, fmt.Errorf("smartro: %w", err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, MaxMessage+1))
	switch {
	case err != nil:
		return raw, fmt.Errorf("smartro: read answer: %w", err)
	case len(raw) > MaxMessage:
		return raw[:MaxMessage], ErrTooLarge
	case res.StatusCode != http.StatusOK:
		return raw, fmt.Errorf("smartro: status %d: %w", res.StatusCode, ErrUnreadable)
	}
	return raw, nil
}

// withoutURL takes the address out of an error: some calls have personal data in it, and errors end in logs.
func withoutURL(err error) error {
	var in *url.Error
	if errors.As(err, &in) {
		return in.Err
	}
	return err
}

func notSent(err error) error { return errors.Join(ErrNotSent, err) }
