package smartro

import "context"

// WEBLink is one merchant's contract on the legacy module: everything that a shop asks of the gateway. The newer
// module can stand in its place with the same methods.
type WEBLink struct {
	Merchant
	Client
}

// ReadNotice parses a result or retry notification; it verifies nothing. See [ParseNotice].
func (w WEBLink) ReadNotice(raw []byte, cs Charset) (Notice, error) { return ParseNotice(raw, cs) }

// Cancel asks the gateway once to give money back. See [Client.Cancel].
func (w WEBLink) Cancel(ctx context.Context, r CancelRequest) (CancelAnswer, error) {
	return w.Client.Cancel(ctx, w.Merchant, r)
}

// Inquire asks what the gateway's record says. See [Client.Inquire].
func (w WEBLink) Inquire(ctx context.Context, tid TID) (Inquiry, error) {
	return w.Client.Inquire(ctx, w.Merchant, tid)
}
