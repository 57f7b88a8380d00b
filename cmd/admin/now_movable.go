//go:build movableclock

package main

import (
	"os"
	"strings"
	"time"
)

// now is the machine's clock, and as far ahead of it as the file that GAGE_CLOCK_AHEAD names says ("96h"): the browser
// tests see days go by. No released binary is built with this file.
func now() time.Time {
	ahead, err := os.ReadFile(os.Getenv("GAGE_CLOCK_AHEAD"))
	if err != nil {
		panic(err)
	}
	d, err := time.ParseDuration(strings.TrimSpace(string(ahead)))
	if err != nil {
		panic(err)
	}
	return time.Now().Add(d)
}
