// Package app holds the shop's rules: orders, payments, cancels, holds, staff, and the use cases over them.
// There is no HTTP and no SQL in it. What it needs of the world it declares as interfaces beside their user
// ([Store], [Gateway]) and takes as values: the time is always an argument or [Shop].Now.
//
// Start at [Shop]. Everything that arrives from outside goes through [Shop.Receive]; what a message does to a
// payment is decided by the pure functions [Decide] and [Payment.Apply].
package app

import "gage/smartro"

// The protocol's own words, so that nobody outside needs two imports for one noun.
type (
	MID    = smartro.MID
	TID    = smartro.TID
	Moid   = smartro.Moid
	Won    = smartro.Won
	Method = smartro.Method
	Device = smartro.Device
	Mode   = smartro.Mode
	Secret = smartro.Secret
)
