package app

import (
	"context"
	"sync"
	"time"
)

// highest is the highest time that the shop has seen. What runs out goes by it, so that a clock that steps back brings
// nothing back that had run out; what happened is written down with the clock's own time, and put in order by numbers.
type highest struct {
	mu     sync.Mutex
	at     time.Time
	looked time.Time // at the clock
}

// clockWrong is how far back a clock may step at most: beyond it the time before was the wrong one, and waiting for it
// to come again would leave everything run out.
const clockWrong = 24 * time.Hour

// latest is the time by which things run out. It goes on while the clock is behind it, at half the pace, so that what
// is owed is done and the clock catches up.
func (s *Shop) latest() time.Time {
	now := s.Now()
	wall := now.Round(0) // without the process's own count of time, which sees no step
	h := &s.highest
	h.mu.Lock()
	defer h.mu.Unlock()
	passed := now.Sub(h.looked)
	h.looked = now
	switch ahead := h.at.Sub(wall); {
	case ahead <= 0 || ahead > clockWrong:
		h.at = wall
	case passed > 0:
		h.at = h.at.Add(passed / 2)
	}
	return h.at
}

// keepLatest makes the highest time known to the other processes and to the next start, and learns theirs.
func (s *Shop) keepLatest(ctx context.Context, tx Tx) (time.Time, error) {
	mine := s.latest()
	known, err := tx.SeeTime(ctx, mine, clockWrong)
	if err != nil || !known.After(mine) {
		return mine, err
	}
	s.highest.mu.Lock()
	defer s.highest.mu.Unlock()
	if known.After(s.highest.at) {
		s.highest.at = known
	}
	return s.highest.at, nil
}
