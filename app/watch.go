package app

import "sync"

// hub tells whoever watches an order in this process that it changed. It carries no data: the watcher reads the
// store, so that a lost or doubled tick harms nobody.
type hub struct {
	mu  sync.Mutex
	all map[OrderNo]map[chan struct{}]struct{}
}

// Watch returns a channel that ticks after the order changed in this process, and a function to stop.
// The empty order number watches every order.
func (s *Shop) Watch(no OrderNo) (ticks <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.hub.all == nil {
		s.hub.all = map[OrderNo]map[chan struct{}]struct{}{}
	}
	if s.hub.all[no] == nil {
		s.hub.all[no] = map[chan struct{}]struct{}{}
	}
	s.hub.all[no][ch] = struct{}{}
	return ch, func() {
		s.hub.mu.Lock()
		defer s.hub.mu.Unlock()
		delete(s.hub.all[no], ch)
		if len(s.hub.all[no]) == 0 {
			delete(s.hub.all, no)
		}
	}
}

func (s *Shop) changed(nos ...OrderNo) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	for _, no := range append(nos, "") {
		for ch := range s.hub.all[no] {
			select {
			case ch <- struct{}{}:
			default:
			}
		}
	}
}
