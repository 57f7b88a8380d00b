package kill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"gage/app"
	"gage/smartro"
)

// clerkLimit is how much the clerk cancels alone; the owner approves what is above.
const clerkLimit = 200

var invitePath = regexp.MustCompile(`/invite/[A-Za-z0-9_-]+`)

// limit says how much a clerk may cancel alone.
func (s *staff) limit(ctx context.Context) error {
	const path = "/admin/settings/staff/limits"
	p, err := s.page(ctx, "/admin/settings/staff")
	if err != nil {
		return err
	}
	f, err := p.form(path)
	if err != nil {
		return err
	}
	f.set("limit_staff", smartro.Won(clerkLimit).String())
	if p, err = s.submit(ctx, f); err == nil && p.status != http.StatusSeeOther {
		err = fmt.Errorf("the clerk's limit was not taken: HTTP %d", p.status)
	}
	return err
}

// invite makes the account of another person, who lets themselves in by the link.
func (s *staff) invite(ctx context.Context, other *staff, role app.Role) error {
	p, err := s.page(ctx, "/admin/settings/staff")
	if err != nil {
		return err
	}
	f, err := p.form("/admin/settings/staff")
	if err != nil {
		return err
	}
	f.set("email", other.email)
	f.set("role", string(role))
	if p, err = s.submit(ctx, f); err != nil {
		return err
	}
	link := invitePath.FindString(p.text)
	if link == "" {
		return fmt.Errorf("the invitation was not taken: HTTP %d", p.status)
	}
	return other.begin(ctx, link)
}

// decision is what the owner said to a cancel that a clerk asked for.
type decision struct {
	approved, declined bool // the shop answered with a redirect
	over               bool // there was nothing to decide: within the clerk's limit, or the answer that decided it was lost
}

// someAsked picks a cancel that waits for the owner as far as the world knows; empty: there is none.
func (t *truth) someAsked(r *rand.Rand) (reason, key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var waiting []string
	for reason, in := range t.intents {
		if in.clerk && in.acked && in.decided == (decision{}) {
			waiting = append(waiting, reason)
		}
	}
	if len(waiting) == 0 {
		return "", ""
	}
	reason = waiting[r.IntN(len(waiting))]
	return reason, t.intents[reason].key
}

// decide answers what a clerk asked for, now and then from two tabs at once.
func (s *staff) decide(ctx context.Context, reason, key string, r *rand.Rand) error {
	path := "/admin/approvals/" + key
	p, err := s.page(ctx, path)
	if err != nil {
		return err
	}
	deed := "/approve"
	if r.IntN(6) == 0 {
		deed = "/decline"
	}
	f, err := p.form(path + deed)
	if err != nil {
		s.t.mu.Lock()
		defer s.t.mu.Unlock()
		if p.status != http.StatusOK && p.status != http.StatusNotFound {
			return err
		}
		s.t.intents[reason].decided.over = true
		return nil
	}
	if deed == "/decline" {
		f.set("reason", "no")
	}
	faults := make([]error, 1+r.IntN(2))
	var tabs sync.WaitGroup
	for i := range faults {
		tabs.Go(func() {
			p, err := s.submit(ctx, f)
			if faults[i] = err; err == nil && p.status == http.StatusSeeOther {
				s.t.mu.Lock()
				defer s.t.mu.Unlock()
				d := &s.t.intents[reason].decided
				d.approved = d.approved || deed == "/approve" && strings.HasPrefix(p.to, "/admin/payments/")
				d.declined = d.declined || deed == "/decline" && p.to == path
			}
		})
	}
	tabs.Wait()
	return errors.Join(faults...)
}

// approve answers what the clerk asked for, life after life.
func (l *lane) approve(ctx context.Context, r *rand.Rand) {
	for l.alive.wait(ctx) {
		reason, key := l.t.someAsked(r)
		if key == "" {
			pause(ctx)
			continue
		}
		select {
		case <-l.approvals:
		case <-ctx.Done():
			return
		}
		l.notFine(ctx, l.staff.decide(ctx, reason, key, r))
	}
}

// asked: what a clerk asked for above their limit is known once it was acknowledged, and leaves the shop only once
// another person approved it (S17, I8). It says whether there is such a request.
func (c *comparison) asked(ctx context.Context, reason string, in *intent, cancel bool) bool {
	q, err := c.store.CancelRequest(ctx, in.key)
	if errors.Is(err, app.ErrNotFound) {
		if in.decided.approved || in.decided.declined {
			c.wrong("the cancel %q of %s was decided (%+v), and there is no record that it was asked for", reason, in.moid, in.decided)
		}
		return false
	}
	if err != nil {
		c.wrong("the request %q: %v", reason, err)
		return false
	}
	if c.settled && q.State == app.RequestApproved {
		c.count("cancels approved", 1)
	}
	switch approved := q.State == app.RequestApproved; {
	case string(q.Moid) != in.moid || in.amount != 0 && q.Amount != in.amount:
		c.wrong("the cancel %q of %d won for %s is asked for as %d won for %s", reason, in.amount, in.moid, q.Amount, q.Moid)
	case approved != cancel:
		c.wrong("the cancel %q of %s is %s as a request, and made: %t", reason, in.moid, q.State, cancel)
	case in.decided.approved && !approved || in.decided.declined && q.State != app.RequestDeclined:
		c.wrong("the cancel %q of %s was decided (%+v), and is %s", reason, in.moid, in.decided, q.State)
	}
	return true
}
