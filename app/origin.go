package app

import (
	"context"
	"net/netip"
)

// Origin is from where somebody asked for what happens: it stands in the events that come of it.
type Origin struct {
	Peer      netip.Addr // the sender's
	RequestID string     // by which the program's own log names the request
}

type originKey struct{}

// From marks what is done in a request with where that came from.
func From(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// from completes an event by the request in which it happens. A message that is judged later has its own sender, and what
// the gateway answers to our call has none.
func (e Event) from(ctx context.Context) Event {
	o, _ := ctx.Value(originKey{}).(Origin)
	e.RequestID = o.RequestID
	if e.Peer == "" && e.Level != T3 && o.Peer.IsValid() {
		e.Peer = o.Peer.Unmap().String()
	}
	return e
}
