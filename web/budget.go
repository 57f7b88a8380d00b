package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"gage/app"
)

// roomName names a room: so many requests of its kinds are answered at the same time, so many more wait, and the rest
// is sent away with 503. Nobody who fills one room can keep a request out of another.
type roomName string

// The rooms.
const (
	probes  roomName = "probes"  // is it alive, is it ready
	notices roomName = "notices" // the gateway's notifications: the secret is in the path
	claims  roomName = "claims"  // what comes to the gateway's routes without it
	pages   roomName = "pages"   // what anybody may read
	forms   roomName = "forms"   // what buyers post
	streams roomName = "streams" // pages that listen for news of their order
	files   roomName = "files"
	doors   roomName = "doors" // passwords are hashed there, which is slow by design
	desks   roomName = "desks" // the back office
	calls   roomName = "calls" // staff wait for the gateway's answer
	exports roomName = "exports"
	uploads roomName = "uploads" // lists that staff bring
)

// size is how many a room holds.
type size struct{ running, waiting int }

// rooms are all rooms. Together they hold less than the store's queue of writes, so that no room can fill that either.
func rooms() map[roomName]size {
	return map[roomName]size{
		probes:  {16, 16},
		notices: {256, 512},
		claims:  {64, 128},
		pages:   {128, 256},
		forms:   {64, 128},
		streams: {4096, 0}, // more pages ask again and again instead
		files:   {128, 256},
		doors:   {8, 32},
		desks:   {64, 128},
		calls:   {32, 32},
		uploads: {2, 4},
		exports: {2, 0}, // each takes a file's worth of the disk, and of the processor for a minute
	}
}

// room counts who is in it.
type room struct{ running, waiting chan struct{} }

func openRooms() map[roomName]*room {
	all := map[roomName]*room{}
	for name, n := range rooms() {
		all[name] = &room{make(chan struct{}, n.running), make(chan struct{}, n.waiting)}
	}
	return all
}

// enter takes a place, or waits for one as long as ctx lasts. ErrOverload: there is none.
func (r *room) enter(ctx context.Context) error {
	select {
	case r.running <- struct{}{}:
		return nil
	default:
	}
	select {
	case r.waiting <- struct{}{}:
	default:
		return fmt.Errorf("no place left: %w", app.ErrOverload)
	}
	defer func() { <-r.waiting }()
	select {
	case r.running <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("no place in time: %w", app.ErrOverload)
	}
}

func (r *room) leave() { <-r.running }

// takeRoom answers in the room of the route. What comes to the notification path with a secret that is none goes to
// the strangers' room: guessing it is no way into the gateway's.
func (s *Server) takeRoom(r route) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx, name := c.Request().Context(), r.budget.room
			if name == notices && !s.secrets.has(ctx, s, c.Param("secret")) {
				name = claims
			}
			room := s.rooms[name]
			err := room.enter(ctx)
			if err != nil && name == exports {
				return errExports
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			defer room.leave()
			return next(c)
		}
	}
}

// readBody reads all that was sent before the request takes a place: who sends slowly holds a connection, never a
// place. What is more than limit is refused.
func readBody(limit int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.ContentLength > limit {
				return echo.ErrStatusRequestEntityTooLarge
			}
			raw, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
			if err != nil {
				return fmt.Errorf("the body ended early: %w: %w", app.ErrBadInput, err)
			}
			if int64(len(raw)) > limit {
				return echo.ErrStatusRequestEntityTooLarge
			}
			r.Body = io.NopCloser(bytes.NewReader(raw))
			return next(c)
		}
	}
}

// boundBody lets a handler read a large body by itself, to the limit and no longer than uploadFor: the file goes to the
// disk as it comes.
func (s *Server) boundBody(limit int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.ContentLength > limit {
				return echo.ErrStatusRequestEntityTooLarge
			}
			err := http.NewResponseController(c.Response()).SetReadDeadline(s.Now().Add(uploadFor))
			if err != nil && !errors.Is(err, http.ErrNotSupported) {
				return fmt.Errorf("deadline: %w", err)
			}
			r.Body = http.MaxBytesReader(c.Response(), r.Body, limit)
			return next(c)
		}
	}
}

// uploadFor is how long a file may take to come: 8 MB over a slow line.
const uploadFor = 2 * time.Minute

// withoutCookies takes a request's cookies away. That it had some stays to be seen: only browsers send them.
func withoutCookies(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if h := c.Request().Header; h["Cookie"] != nil {
			h["Cookie"] = []string{""}
		}
		return next(c)
	}
}

// Pace is how much one address may post without being signed in.
type Pace struct {
	PerSecond float64
	Burst     int // at once
}

// DefaultPace leaves room for the many phones that share a carrier's address.
func DefaultPace() Pace { return Pace{PerSecond: 10, Burst: 200} }

// paceStrangers bounds what one address may post to the route where nobody has to be signed in.
func (s *Server) paceStrangers(r route) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if r.right != gateway && (r.right != public || r.method != http.MethodPost) {
			return next
		}
		return func(c echo.Context) error {
			known := r.budget.room == notices && s.secrets.has(c.Request().Context(), s, c.Param("secret"))
			if !known && !s.paces.allow(peer(c), s.Now()) {
				return fmt.Errorf("%s posts too fast: %w", peer(c), app.ErrOverload)
			}
			return next(c)
		}
	}
}

// maxPaces is how many addresses are remembered at least; no more than twice as many are.
const maxPaces = 8192

// paces remembers how fast addresses post, in two generations: when the young one is full, the old one is forgotten.
type paces struct {
	pace       Pace
	mu         sync.Mutex
	young, old map[netip.Prefix]*rate.Limiter
}

func newPaces(p Pace) *paces {
	if p == (Pace{}) {
		p = DefaultPace()
	}
	return &paces{pace: p, young: map[netip.Prefix]*rate.Limiter{}}
}

// allow counts one post. This machine's own address is not counted: it is a proxy that was not listed, behind which
// everybody has the same one.
func (p *paces) allow(from netip.Addr, now time.Time) bool {
	if from.IsLoopback() {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	key := household(from)
	l := p.young[key]
	if l == nil {
		if l = p.old[key]; l == nil {
			l = rate.NewLimiter(rate.Limit(p.pace.PerSecond), p.pace.Burst)
		}
		if len(p.young) >= maxPaces {
			p.young, p.old = map[netip.Prefix]*rate.Limiter{}, p.young
		}
		p.young[key] = l
	}
	return l.AllowN(now, 1)
}

// household is what one sender can have: an IPv4 address, or the 64 bits of an IPv6 one that a line is given.
func household(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{} // of an address that could not be read: all those share one pace
	}
	return p
}

// knownSecrets remembers for a moment which secrets the notification path has, so that guessing costs no reading. It
// decides about rooms alone: what a message is worth is for the shop to say, each time.
type knownSecrets struct {
	mu      sync.Mutex
	readAt  time.Time
	digests map[[sha256.Size]byte]bool
}

// secretsFor is how long they are remembered.
const secretsFor = 5 * time.Second

// has says whether the path has that secret. If they can't be read it knows those that it knew.
func (k *knownSecrets) has(ctx context.Context, s *Server, secret string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if age := s.Now().Sub(k.readAt); k.digests == nil || age < 0 || age >= secretsFor {
		all, err := s.Shop.NoticeSecretDigests(ctx)
		if err == nil {
			k.digests, k.readAt = map[[sha256.Size]byte]bool{}, s.Now()
			for _, d := range all {
				k.digests[d] = true
			}
		} else if !errors.Is(err, context.Canceled) {
			s.Log.Error("the notification path's secrets could not be read", "err", err)
		}
	}
	return k.digests[sha256.Sum256([]byte(secret))]
}
