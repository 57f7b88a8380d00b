package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gage/app"
)

// When the database is read through for damage, and how often it is looked whether that time has come.
const (
	checkHour  = 3 // in Korea: before the night's backup
	checkLooks = time.Minute
)

// checkNightly reads the database through each night, and at once when it was too large for that before it opened. It
// ends with an error when it is damaged: what is written onto damage makes it worse.
func (h *house) checkNightly(ctx context.Context) error {
	tick := time.NewTicker(checkLooks)
	defer tick.Stop()
	return h.checkAt(ctx, tick.C)
}

func (h *house) checkAt(ctx context.Context, ticks <-chan time.Time) error {
	check := func() error {
		err := h.check(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("the program ends, since its database is damaged: keep the data folder as it is, and restore the newest backup into a new one: %w", err)
	}
	if !h.store.Checked() {
		if err := check(); err != nil {
			return err
		}
	}
	return h.eachNight(ctx, ticks, checkHour, check)
}

// eachNight calls do once each day at that hour in Korea, until ctx is done or do fails. It looks at each tick whether
// the time has come, for clocks step and machines sleep.
func (h *house) eachNight(ctx context.Context, ticks <-chan time.Time, hour int, do func() error) error {
	next := nextAt(h.shop.Now(), hour)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks:
		}
		if h.shop.Now().Before(next) {
			continue
		}
		if err := do(); err != nil {
			return err
		}
		next = nextAt(h.shop.Now(), hour)
	}
}

// check reads through the file, where pages can be damaged, and through the log, which knows what stands on them.
func (h *house) check(ctx context.Context) error {
	if err := h.store.Check(ctx); err != nil {
		return err
	}
	kept, err := readHeads(h.heads)
	if err != nil {
		return err
	}
	var found []error
	_, err = h.store.Verify(ctx, kept, func(fault string) {
		h.shop.Log.Error("the records and their log differ", "fault", fault)
		if len(found) < 5 {
			found = append(found, errors.New(fault))
		}
	})
	return errors.Join(append(found, err)...)
}

// nextAt is the first time after now when it is that hour in Korea.
func nextAt(now time.Time, hour int) time.Time {
	k := now.In(app.KST)
	next := time.Date(k.Year(), k.Month(), k.Day(), hour, 0, 0, 0, app.KST)
	if !next.After(now) {
		next = next.AddDate(0, 0, 1)
	}
	return next
}
