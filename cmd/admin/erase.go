package main

import (
	"context"
	"errors"
	"time"

	"gage/app"
)

// eraseHour is when what is past its term is destroyed, in Korea: before the night's check and its backup.
const eraseHour = 2

// eraseNightly destroys each night what is personal and older than so many years.
func (h *house) eraseNightly(years int) part {
	return func(ctx context.Context) error {
		tick := time.NewTicker(checkLooks)
		defer tick.Stop()
		return h.eraseAt(ctx, tick.C, years)
	}
}

func (h *house) eraseAt(ctx context.Context, ticks <-chan time.Time, years int) error {
	return h.eachNight(ctx, ticks, eraseHour, false, func() (again time.Duration, err error) {
		done, err := h.shop.EraseOld(ctx, years)
		if done != (app.ErasedCount{}) {
			h.shop.Log.Info("personal data past its term was destroyed", "orders", done.Orders, "messages", done.Messages, "subscriptions", done.Subscriptions)
		}
		switch {
		case err == nil, ctx.Err() != nil:
		case errors.Is(err, app.ErrClockUnconfirmed), errors.Is(err, app.ErrFrozen):
			h.shop.Log.Warn("personal data past its term waits to be destroyed", "why", err)
		default:
			h.shop.Log.Error("destroying personal data past its term failed: it is tried again the next night", "error", err)
		}
		return 0, nil
	})
}
