package db

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"gage/app"
)

// halt ends all writing of this process once an assertion failed: a program that is wrong about money must do no more to
// it. Only another start begins anew.
type halt struct {
	log   *slog.Logger
	cause atomic.Pointer[error]
}

// err is why nothing is written any more; nil: it is.
func (h *halt) err() error {
	if cause := h.cause.Load(); cause != nil {
		return *cause
	}
	return nil
}

// at looks at how a caller's transaction ended, and stops everything if it was an assertion.
func (h *halt) at(err error) error {
	var broken *app.Broken
	if !errors.As(err, &broken) {
		return err
	}
	err = fmt.Errorf("%w: %w", app.ErrStopped, broken)
	if h.cause.CompareAndSwap(nil, &err) {
		h.log.Error("a rule about money was broken: nothing is written any more until the program is started anew; verify the records first",
			"rule", broken.Rule, "moid", broken.Moid, "kind", broken.Kind)
	}
	return err
}
