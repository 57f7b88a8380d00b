package hook

import (
	"context"
	"crypto/x509"
	"net"
)

// Trusting is c for a server whose certificate is in roots alone.
func (c Client) Trusting(roots *x509.CertPool) Client {
	c.roots = roots
	return c
}

// Dial is dial, for the tests.
func (c Client) Dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	return c.dial(ctx, network, hostPort)
}
