package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gage/app"
	"gage/db"
)

// How often the store is asked whether it can write, and how many times in a row it may say no: after that the
// program ends, so that whoever started it starts it anew (a broken database does not heal in here).
const (
	storeAskedEvery = 5 * time.Second
	storeMayFail    = 6
)

// watchStore ends with an error when the store has given itself up, which it does at the first failed write or sync, or
// when it can't write for half a minute for another reason than a full disk or too much work. A store that a failed
// assertion stopped is none of these: a program that was started anew by itself would write on.
func (h *house) watchStore(ctx context.Context) error {
	tick := time.NewTicker(storeAskedEvery)
	defer tick.Stop()
	failed := 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.store.GaveUp():
			if err := h.store.Ready(ctx); errors.Is(err, db.ErrAbandoned) {
				return nil // who abandoned it says why
			}
			return fmt.Errorf("the program ends, since the disk failed: look at it before you start again: %w", h.store.Ready(ctx))
		case <-tick.C:
		}
		err := h.store.Ready(ctx)
		if err == nil || ctx.Err() != nil {
			failed = 0
			continue
		}
		if errors.Is(err, app.ErrOverload) { // a full disk, or more work than it can do: both may pass
			h.shop.Log.Warn("the store can't write now", "error", err)
			failed = 0
			continue
		}
		if errors.Is(err, app.ErrStopped) {
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
