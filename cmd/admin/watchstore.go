package main

import (
	"context"
	"fmt"
	"time"
)

// How often the store is asked whether it can write, and how many times in a row it may say no: after that the
// program ends, so that whoever started it starts it anew (a broken disk or database does not heal in here).
const (
	storeAskedEvery = 5 * time.Second
	storeMayFail    = 6
)

// watchStore ends with an error when the store can't write for half a minute.
func (h *house) watchStore(ctx context.Context) error {
	tick := time.NewTicker(storeAskedEvery)
	defer tick.Stop()
	failed := 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := h.store.Ready(ctx)
		if err == nil || ctx.Err() != nil {
			failed = 0
			continue
		}
		failed++
		h.shop.Log.Error("the store can't write", "error", err, "times", failed)
		if failed == storeMayFail {
			return fmt.Errorf("the store can't write: %w", err)
		}
	}
}
