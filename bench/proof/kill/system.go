package kill

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gage/app"
	"gage/smartro"
)

// system is the shop's own system, which is told what becomes of its orders. It takes a document once only in its own
// way: some it refuses the first time, of some the shop never sees the answer.
type system struct {
	t      *truth
	server *httptest.Server

	mu    sync.Mutex
	key   string
	came  int
	taken []toldDocument // in the order of their first coming
}

// toldDocument is what came under an ID, and whether its taking was answered.
type toldDocument struct {
	id, body, order string
	seq             int
}

func newSystem(t *truth) *system {
	s := &system{t: t}
	s.server = httptest.NewServer(s)
	return s
}

// wrong takes down what the shop may never tell.
func (s *system) wrong(format string, args ...any) {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	s.t.wrong = append(s.t.wrong, fmt.Sprintf(format, args...))
}

func (s *system) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.t.calm.RLock()
	defer s.t.calm.RUnlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the shop died on the way
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id, doc := r.Header.Get("Gage-Id"), struct {
		ID    string
		Order struct {
			Number   string
			Sequence int
		}
	}{}
	mac := hmac.New(sha256.New, []byte(s.key))
	mac.Write([]byte(r.Header.Get("Gage-Time") + "." + id + "." + string(body)))
	if r.Header.Get("Gage-Signature") != "v1="+hex.EncodeToString(mac.Sum(nil)) {
		s.wrong("the document %s is not signed with the key that the owner was shown", id)
	}
	if err := json.Unmarshal(body, &doc); err != nil || doc.ID != id {
		s.wrong("the document %s says that it is %q: %v", id, doc.ID, err)
	}
	if s.came++; s.came%7 == 3 {
		http.Error(w, "later", http.StatusServiceUnavailable)
		return
	}
	i := slices.IndexFunc(s.taken, func(d toldDocument) bool { return d.id == id })
	if i < 0 {
		s.taken = append(s.taken, toldDocument{id, string(body), doc.Order.Number, doc.Order.Sequence})
	} else if s.taken[i].body != string(body) {
		s.wrong("the document %s came with two bodies: %s and %s", id, s.taken[i].body, body)
	}
	if s.came%7 == 5 {
		panic(http.ErrAbortHandler) // the shop never hears that it was taken
	}
}

var signingKey = regexp.MustCompile(`\b[A-Z2-7]{52}\b`)

// hook has the owner enter the address of the shop's own system, and gives that the key that is shown.
func (s *staff) hook(ctx context.Context, sys *system) error {
	p, err := s.page(ctx, "/admin/settings/hook")
	if err != nil {
		return err
	}
	f, err := p.form("/admin/settings/hook")
	if err != nil {
		return err
	}
	f.fields = keep(f.fields, "news")
	for _, n := range app.AllNews() {
		f.fields = append(f.fields, smartro.Field{Name: "news", Value: string(n)})
	}
	f.set("url", sys.server.URL+"/gage")
	if p, err = s.submit(ctx, f); err != nil {
		return err
	}
	sys.mu.Lock()
	defer sys.mu.Unlock()
	if sys.key = signingKey.FindString(p.text); sys.key == "" {
		return fmt.Errorf("the hook was not taken: HTTP %d", p.status)
	}
	return nil
}

// documents: what the shop's own system took stands in the records as it came, each order's one after the other; when
// all is over nothing is owed to it any more (R33, I8).
func (c *comparison) documents(ctx context.Context) {
	c.system.mu.Lock()
	defer c.system.mu.Unlock()
	last, stored := map[string]int{}, map[string][]app.Delivery{}
	for _, d := range c.system.taken {
		if d.seq != last[d.order]+1 {
			c.wrong("document %d of the order %s came after %d", d.seq, d.order, last[d.order])
		}
		last[d.order] = d.seq
		if stored[d.order] == nil {
			list, err := c.store.DeliveriesOf(ctx, app.OrderNo(d.order))
			if err != nil && !errors.Is(err, app.ErrNotFound) {
				c.wrong("documents of %s: %v", d.order, err)
			}
			stored[d.order] = list
		}
		if !slices.ContainsFunc(stored[d.order], func(k app.Delivery) bool { return k.ID == d.id && k.Body == d.body }) {
			c.wrong("the shop told %s, and has no record of it", strings.TrimSpace(d.body))
		}
	}
	if !c.settled {
		return
	}
	list, err := c.store.Deliveries(ctx, smartro.Test, 1_000_000)
	if err != nil {
		c.wrong("documents: %v", err)
	}
	for _, k := range list {
		if k.State != app.DeliveryDone || !slices.ContainsFunc(c.system.taken, func(d toldDocument) bool { return d.id == k.ID }) {
			c.wrong("the document %s of %s is %s after all is over", k.ID, k.OrderNo, k.State)
		}
	}
	c.count("documents told", int64(len(list)))
}
