package app

import (
	"errors"
	"fmt"
)

// Each of these is answered differently; anything else is our own fault.
var (
	ErrBadInput   = errors.New("not understood")
	ErrNotFound   = errors.New("not found")
	ErrConflict   = errors.New("already exists")
	ErrNotPaid    = errors.New("not paid")
	ErrPaid       = errors.New("already paid")                      // the order is paid: no second window is opened
	ErrClosed     = errors.New("order closed")                      // cancelled, or past its due date
	ErrBusy       = errors.New("another cancel is open")            // one open cancel a payment
	ErrWaits      = errors.New("a cancel waits for another person") // one for a payment
	ErrDecided    = errors.New("it does not wait any more")
	ErrVoid       = errors.New("who asked may not do it any more")
	ErrAboveLimit = errors.New("above the limit: another person has to approve")
	ErrErased     = errors.New("personal data erased") // its term is over: nothing is written about the person any more
	ErrFrozen     = errors.New("restored from a backup and not yet compared with the gateway's list")
	ErrForbidden  = errors.New("not allowed")
	ErrSignIn     = errors.New("sign-in refused")
	ErrSecond     = errors.New("the second factor is still to be shown")
	ErrClock      = errors.New("the clock went back: codes can't be told from old ones")

	ErrPasskey     = errors.New("the answer is no new passkey for this site")
	ErrPasskeyLate = errors.New("the passkey's question is too old, or was another's")
	ErrThrottled   = errors.New("too many attempts")
	ErrOverload    = errors.New("too busy")                                                   // nothing was stored: ask again
	ErrStopped     = errors.New("a rule about money was broken: nothing is written any more") // until the program is started anew
	ErrNoGateway   = errors.New("no gateway contract is set up")
)

// InputError is a field that a person can mend: the page says beside Field what Code means. It is an [ErrBadInput].
type InputError struct {
	Field string // the form's field name
	Code  string // message key of what is wanted, such as "amount.range"
	Value string // what came, never a secret
}

// Error leaves Value out: errors end in logs, and the value may be a buyer's name.
func (e *InputError) Error() string { return e.Field + ": " + e.Code }

// Is makes every InputError an ErrBadInput.
func (e *InputError) Is(target error) bool { return target == ErrBadInput }

// AmountError is a cancel of more than is left. It is a type because the page shows Left.
type AmountError struct{ Asked, Left Won }

// Error names both amounts.
func (e *AmountError) Error() string { return fmt.Sprintf("asked %d won, %d left", e.Asked, e.Left) }

// Is makes every AmountError an ErrBadInput.
func (e *AmountError) Is(target error) bool { return target == ErrBadInput }
