package smartro

import (
	"net/url"
	"strconv"
)

// ReceiptKind is the type of a receipt page (receipts-and-queries §1).
type ReceiptKind int

// A slip of any method, and the cash receipt of a transfer.
const (
	Slip            ReceiptKind = 0
	CashReceiptSlip ReceiptKind = 2
)

// ReceiptURL is the gateway's page for a transaction. It needs no key: link to it only where the viewer may
// see that payment, with Referrer-Policy: no-referrer.
func (m Merchant) ReceiptURL(tid TID, kind ReceiptKind) string {
	return m.endpoints().ReceiptPage + "?TID=" + url.QueryEscape(string(tid)) + "&type=" + strconv.Itoa(int(kind))
}
