package db

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"gage/app"
)

// TestWaitInAll: who waits for a place in the queue, and then for his turn, waits as long as the gateway is patient, once.
//
// proves R4
func TestWaitInAll(t *testing.T) {
	for name, free := range map[string]time.Duration{"never": 0, "soon": time.Second, "late": queueWait - time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &writer{queue: make(chan *write, 1)}
				w.queue <- &write{} // whose disk takes for ever
				if free > 0 {
					time.AfterFunc(free, func() { <-w.queue })
				}
				began := time.Now()
				err := w.do(t.Context(), func(app.Tx) error { return nil })
				if took := time.Since(began); took != queueWait || !errors.Is(err, app.ErrOverload) {
					t.Errorf("waited %v: %v", took, err)
				}
			})
		})
	}
}
