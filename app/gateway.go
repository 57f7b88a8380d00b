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
	// BillingForm makes the signed form of the window in which a card is registered for recurring payments.
	BillingForm(r smartro.BillingRequest) (smartro.Form, error)
	// Charge takes money from a registered card, once. An error means that the outcome is unknown, unless it is
	// smartro.ErrNotSent.
	Charge(ctx context.Context, r smartro.ChargeRequest) (smartro.ChargeAnswer, error)
	// Inquire asks what the gateway's own record says of a TID.
	Inquire(ctx context.Context, tid TID) (smartro.Inquiry, error)
	// ReceiptURL is the gateway's page of the slip or the cash receipt.
	ReceiptURL(tid TID, kind smartro.ReceiptKind) string
}
