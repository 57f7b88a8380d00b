//go:build !movableclock

package main

import "time"

// now is the machine's clock.
var now = time.Now
