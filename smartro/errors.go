package smartro

import "errors"

var (
	// ErrSignature says that a SignValue is absent, or not the one of this merchant's key and hash form.
	ErrSignature = errors.New("signature does not match")
	// ErrMID says that a message is about another merchant.
	ErrMID = errors.New("message of another merchant")
	// ErrAmbiguous says that a decisive field came more than once: whoever reads first and whoever reads
	// last would see different payments, so nobody may read it.
	ErrAmbiguous = errors.New("field given more than once")
	// ErrTooLarge says that a message is longer than MaxMessage bytes.
	ErrTooLarge = errors.New("message too large")
	// ErrUnreadable says that an answer is not what the gateway's reference describes.
	ErrUnreadable = errors.New("answer not understood")
	// ErrMismatch says that an answer is well formed but about another transaction or amount.
	ErrMismatch = errors.New("answer does not match the request")
	// ErrNotSent says that a call failed before one byte of it could reach the gateway.
	ErrNotSent = errors.New("not sent")
	// ErrNotProven says that an inquiry's answer lacks what it takes to believe it. It never means unpaid.
	ErrNotProven = errors.New("not proven")
)

// MaxMessage is the most bytes that a message of the gateway may have; longer ones are refused unread.
const MaxMessage = 64 << 10

// FieldError is a value that does not fit its protocol field.
type FieldError struct {
	Field string // protocol name, as on the wire: "BuyerName"
	Value string // what was given
	Want  string // what is wanted, in words; for a length also the length that was found
}

// Error leaves Value out: errors end in logs, and the value may be a buyer's name.
func (e *FieldError) Error() string { return e.Field + ": want " + e.Want }
