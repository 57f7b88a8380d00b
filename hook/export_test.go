package hook

import (
	"context"
	"net"
)

// Dial is dial, for the tests.
func (c Client) Dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	return c.dial(ctx, network, hostPort)
}
