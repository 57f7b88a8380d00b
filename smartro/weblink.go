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

// IssueCashReceipt asks once for a cash receipt. See [Client.IssueCashReceipt].
func (w WEBLink) IssueCashReceipt(ctx context.Context, r CashReceiptRequest) (CashReceiptAnswer, error) {
	return w.Client.IssueCashReceipt(ctx, w.Merchant, r)
}

// CancelCashReceipt asks once to take a cash receipt back. See [Client.CancelCashReceipt].
func (w WEBLink) CancelCashReceipt(ctx context.Context, tid TID, amt Won, reason string) (CancelAnswer, error) {
	return w.Client.CancelCashReceipt(ctx, w.Merchant, tid, amt, reason)
}

// InquireCashReceipt asks what the gateway's record says of a receipt. See [Client.InquireCashReceipt].
func (w WEBLink) InquireCashReceipt(ctx context.Context, tid TID) (Inquiry, error) {
	return w.Client.InquireCashReceipt(ctx, w.Merchant, tid)
}

// Charge takes money from a registered card once. See [Client.Charge].
func (w WEBLink) Charge(ctx context.Context, r ChargeRequest) (ChargeAnswer, error) {
	return w.Client.Charge(ctx, w.Merchant, r)
}
