package main

import (
	"sync"
	"time"
)

// demoClock is the demo's time: set by hand while the sample payments of the last weeks are made, the real one
// after that.
type demoClock struct {
	mu   sync.Mutex
	real func() time.Time
	at   time.Time // zero: the real time
}

// Now is the time of the demo.
func (c *demoClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() {
		return c.real()
	}
	return c.at
}

// set stops the clock at t; the zero time lets it run.
func (c *demoClock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = t
}

// forward moves a stopped clock.
func (c *demoClock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
