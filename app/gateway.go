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
	// IssueCashReceipt asks once. An error means that the outcome is unknown, unless it is smartro.ErrNotSent.
	IssueCashReceipt(ctx context.Context, r smartro.CashReceiptRequest) (smartro.CashReceiptAnswer, error)
	// CancelCashReceipt asks once to take a whole cash receipt back; the same goes for its errors.
	CancelCashReceipt(ctx context.Context, tid TID, amt Won, reason string) (smartro.CancelAnswer, error)
	// InquireCashReceipt asks what the gateway's own record says of a cash receipt.
	InquireCashReceipt(ctx context.Context, tid TID) (smartro.Inquiry, error)
	// ReceiptURL is the gateway's page of the slip or the cash receipt.
	ReceiptURL(tid TID, kind smartro.ReceiptKind) string
}
