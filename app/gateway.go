package app

import (
	"context"

	"gage/smartro"
)

// Gateway is all that the shop asks of the payment gateway, narrow enough for both of its generations.
type Gateway interface {
	// PayForm makes the signed form that opens the payment window.
	PayForm(r smartro.PayRequest) (smartro.Form, error)
	// ReadNotice reads a result or notice; it believes nothing.
	ReadNotice(raw []byte, cs smartro.Charset) (smartro.Notice, error)
	// Cancel asks once. An error means that the outcome is unknown, unless it is smartro.ErrNotSent.
	Cancel(ctx context.Context, r smartro.CancelRequest) (smartro.CancelAnswer, error)
	// Inquire asks what the gateway's own record says of a TID.
	Inquire(ctx context.Context, tid TID) (smartro.Inquiry, error)
	// ReceiptURL is the gateway's page of the slip or the cash receipt.
	ReceiptURL(tid TID, kind smartro.ReceiptKind) string
}
