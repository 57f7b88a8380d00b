package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gage/app"
	"gage/db"
)

// When the database is read through for damage, and how often it is looked whether that time has come.
const (
	checkHour  = 3 // in Korea: before the night's backup
	checkLooks = time.Minute
	checkAgain = time.Hour // after nobody could look
)

// checkNightly reads the database through each night, and at once when it was too large for that before it opened. It
// ends with an error when it is damaged: what is written onto damage makes it worse. Where nobody could look, it is looked
// again later.
func (h *house) checkNightly(ctx context.Context) error {
	tick := time.NewTicker(checkLooks)
	defer tick.Stop()
	return h.checkAt(ctx, tick.C)
}

func (h *house) checkAt(ctx context.Context, ticks <-chan time.Time) error {
	return h.eachNight(ctx, ticks, checkHour, !h.store.Checked(), func() (again time.Duration, err error) {
		found, err := h.check(ctx)
		switch {
		case ctx.Err() != nil:
			return 0, nil
		case found != nil:
			h.store.Abandon(found)
			return 0, fmt.Errorf("the program ends, since its database is damaged: keep the data folder as it is, and restore the newest backup into a new one: %w", errors.Join(found, err))
		case err != nil:
			h.shop.Log.Error("the database could not be read through for damage: it is tried again in an hour", "error", err)
			return checkAgain, nil
		}
		h.shop.Log.Info("the database was read through, and nothing is damaged")
		return 0, nil
	})
}

// eachNight calls do once each day at that hour in Korea, and at once if told so, until ctx is done or do fails. Before the
// next night it is called again only when it says after how long. It looks at each tick whether the time has come, for
// clocks step and machines sleep.
func (h *house) eachNight(ctx context.Context, ticks <-chan time.Time, hour int, atOnce bool, do func() (again time.Duration, err error)) error {
	next := nextAt(h.shop.Now(), hour)
	for due := atOnce; ; due = !h.shop.Now().Before(next) {
		if due {
			again, err := do()
			if err != nil {
				return err
			}
			now := h.shop.Now()
			if next = nextAt(now, hour); again > 0 {
				next = now.Add(again)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticks:
		}
	}
}

// check reads through the file, where pages can be damaged, and through the log, which knows what stands on them. found is
// damage; err is what kept it from looking, at all of it or at a part.
func (h *house) check(ctx context.Context) (found, err error) {
	if err := h.store.Check(ctx); db.Damaged(err) {
		return err, nil
	} else if err != nil {
		return nil, err
	}
	kept, unread := readHeads(h.heads) // without them the log can still be compared with the records
	var faults []error
	_, err = h.store.VerifyApart(ctx, kept, func(fault string) {
		h.shop.Log.Error("the records and their log differ", "fault", fault)
		if len(faults) < 5 {
			faults = append(faults, errors.New(fault))
		}
	}, func(what string) { // no reason to keep a shop from working
		h.shop.Log.Error("the records are whole, but what follows from them is not all there: please report it with what `admin verify` tells", "missing", what)
	})
	if db.Damaged(err) {
		faults, err = append(faults, err), nil
	}
	return errors.Join(faults...), errors.Join(err, unread)
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
