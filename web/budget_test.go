package web_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/web"
)

// gate is a store whose reads of a pay link and whose writes wait while it is shut.
type gate struct {
	app.Store
	mu      sync.Mutex
	reads   chan struct{} // nil: open
	writes  chan struct{}
	entered chan struct{} // one for each who waits
}

func (g *gate) pass(ctx context.Context, at *chan struct{}) error {
	g.mu.Lock()
	shut := *at
	g.mu.Unlock()
	if shut == nil {
		return nil
	}
	g.entered <- struct{}{}
	<-shut
	return ctx.Err()
}

func (g *gate) OrderByToken(ctx context.Context, token string) (app.Order, error) {
	if err := g.pass(ctx, &g.reads); err != nil {
		return app.Order{}, err
	}
	return g.Store.OrderByToken(ctx, token)
}

func (g *gate) Update(ctx context.Context, f func(app.Tx) error) error {
	if err := g.pass(ctx, &g.writes); err != nil {
		return err
	}
	return g.Store.Update(ctx, f)
}

// shut lets whoever comes from now on wait until the door that it returns is closed.
func (g *gate) shut(at *chan struct{}) (door chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	*at = make(chan struct{})
	return *at
}

// opened lets those pass who come from now on; who waits goes on waiting.
func (g *gate) opened(at *chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	*at = nil
}

// sayOK is the gateway's receipt, as it would look for it.
var sayOK = regexp.MustCompile(`(?i)ok`)

// TestOverload fills one room after the other with requests that don't end: what is too much is sent away with 503,
// and the other rooms answer as if nothing were.
//
// proves R38, R1
func TestOverload(t *testing.T) {
	const tooMany = 20
	g := &gate{Store: dbtest.SQLite(t), entered: make(chan struct{}, 4096)}
	b := newBuyerShopOn(t, g, false)
	staff := b.desk(app.RoleStaff)
	notice, err := b.NoticeURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o := b.order(known())
	nth := 0
	pay := func() string { // a notification that was not told before
		nth++
		_, form := b.open(b.order(known()), "device=pc&method=CARD")
		v := result(form, "3001")
		v.Set("ResultMsg", strconv.Itoa(nth))
		return v.Encode()
	}
	fine := map[string]func() error{
		"notices": func() error {
			if w := b.do("POST", path(t, notice), pay()); w.Code != 200 || w.Body.String() != "OK" {
				return fmt.Errorf("the notification: %d %s", w.Code, w.Body)
			}
			return nil
		},
		"claims": func() error {
			if w := b.do("POST", "/smartro/return", "TID=x&ResultCode=3001&MID=gagedemo1m"); w.Code >= 500 {
				return fmt.Errorf("a return: %d %s", w.Code, brief(w))
			}
			return nil
		},
		"pages": func() error {
			if w := b.do("GET", "/pay/"+o.Token, ""); w.Code != 200 {
				return fmt.Errorf("the pay page: %d %s", w.Code, brief(w))
			}
			return nil
		},
		"desks": func() error {
			if w := staff.get("/admin"); w.Code != 200 {
				return fmt.Errorf("the back office: %d %s", w.Code, brief(w))
			}
			return nil
		},
		"probes": func() error {
			if w := b.do("GET", "/readyz", ""); w.Code != 200 {
				return fmt.Errorf("readiness: %d %s", w.Code, w.Body)
			}
			return nil
		},
	}
	floods := []struct {
		room   string
		at     *chan struct{}
		method string
		target string
		body   string
	}{
		{"pages", &g.reads, "GET", "/pay/" + o.Token, ""},
		{"claims", &g.writes, "POST", "/smartro/return", "a=b"},
		{"claims", &g.writes, "POST", "/smartro/notify", "a=b"},
		{"claims", &g.writes, "POST", "/smartro/notify/GUESSEDGUESSEDGUESSEDGUESS", "a=b"},
		{"notices", &g.writes, "POST", path(t, notice), pay()},
	}
	for _, f := range floods {
		running, waiting := web.RoomSize(f.room)
		answers := make(chan *httptest.ResponseRecorder, running+waiting+tooMany)
		door := g.shut(f.at)
		for range running + waiting + tooMany {
			go func() { answers <- b.do(f.method, f.target, f.body) }()
		}
		refuse := func(w *httptest.ResponseRecorder) {
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
				t.Errorf("%s: %d, Retry-After %q, want 503 and when to come back: %s", f.target, w.Code, w.Header().Get("Retry-After"), brief(w))
			}
			if strings.HasPrefix(f.target, "/smartro/notify") && sayOK.MatchString(w.Body.String()) {
				t.Errorf("%s: overloaded, and yet it says %q", f.target, w.Body)
			}
		}
		for range tooMany {
			refuse(<-answers)
		}
		for range running {
			<-g.entered
		}
		g.opened(f.at) // those inside go on waiting, and hold their places
		for room, ask := range fine {
			if room == f.room {
				refuse(b.do(f.method, f.target, f.body))
				continue
			}
			if err := ask(); err != nil {
				t.Errorf("while %s is full of %s: %v", f.room, f.target, err)
			}
		}
		close(door)
		for range running + waiting {
			if w := <-answers; w.Code >= 500 || f.room == "notices" && w.Body.String() != "OK" {
				t.Errorf("%s: waited, and got %d %s", f.target, w.Code, brief(w))
			}
		}
		for room, ask := range fine {
			if err := ask(); err != nil {
				t.Errorf("after the flood of %s, %s: %v", f.target, room, err)
			}
		}
	}
}

// TestSlowBodies: who sends a body that never ends holds a connection, and no place in a room.
//
// proves S22, R38
func TestSlowBodies(t *testing.T) {
	b := newBuyerShop(t, false)
	notice, err := b.NoticeURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ room, target string }{
		{"claims", "/smartro/return"}, {"notices", path(t, notice)}, {"doors", "/admin/sign-in"},
	} {
		running, waiting := web.RoomSize(c.room)
		answers := make(chan int)
		var slow []*io.PipeWriter
		for range running + waiting + 1 {
			r, w := io.Pipe()
			slow = append(slow, w)
			go func() {
				req := httptest.NewRequest("POST", c.target, r)
				req.Host = "shop.test"
				req.Header.Set("Content-Type", asForm)
				req.Header.Set("Sec-Fetch-Site", "same-origin")
				answers <- b.send(req).Code
			}()
			if _, err := w.Write([]byte("a")); err != nil { // it is being read
				t.Fatal(err)
			}
		}
		if w := b.do("POST", c.target, "a=b"); w.Code >= 500 {
			t.Errorf("%s: %d while others send slowly", c.target, w.Code)
		}
		for _, w := range slow {
			w.CloseWithError(io.ErrUnexpectedEOF) // as a server does whose read timeout is over
			if code := <-answers; code != http.StatusBadRequest {
				t.Errorf("%s: a body that ended early: %d", c.target, code)
			}
		}
	}
}

// TestPace: what one address posts without being signed in is counted; reading, the gateway and everybody else are not.
//
// proves S22
func TestPace(t *testing.T) {
	b := newBuyerShop(t, false)
	s, err := web.New(web.Config{Shop: b.Shop, PublicURL: b.PublicURL, Log: b.Log, Now: b.now, Pace: web.Pace{PerSecond: 1, Burst: 3}})
	if err != nil {
		t.Fatal(err)
	}
	b.handler = s.Handler()
	notice, err := b.NoticeURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(from, method, target string) int {
		r := httptest.NewRequest(method, target, strings.NewReader("a=b"))
		r.Host, r.RemoteAddr = "shop.test", from
		r.Header.Set("Content-Type", asForm)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		return b.send(r).Code
	}
	posts := []string{"/smartro/return", "/smartro/stop", "/smartro/notify", "/smartro/notify/GUESS", "/admin/sign-in", "/pay/NOSUCH/open", "/start/NOSUCH"}
	refused := func(from string) (n int) {
		for _, target := range posts {
			if ask(from, "POST", target) == http.StatusServiceUnavailable {
				n++
			}
		}
		return n
	}
	if n := refused("203.0.113.9:1000"); n != len(posts)-3 {
		t.Errorf("%d of %d posts refused, want all but 3", n, len(posts))
	}
	if n := refused("203.0.113.9:2000"); n != len(posts) {
		t.Errorf("from another port of the same address %d of %d refused", n, len(posts))
	}
	if n := refused("203.0.113.10:1000"); n != len(posts)-3 {
		t.Errorf("the neighbour: %d refused", n)
	}
	if n := refused("[2001:db8:1:2::1]:1000") + refused("[2001:db8:1:2:ffff::9]:1000"); n != 2*len(posts)-3 {
		t.Errorf("two addresses of one line: %d refused", n)
	}
	if n := refused("127.0.0.1:1000"); n != 0 {
		t.Errorf("a proxy on this machine that was not listed: %d refused", n)
	}
	for range 10 {
		if code := ask("203.0.113.9:1000", "POST", path(t, notice)); code != http.StatusBadRequest {
			t.Errorf("the notification path: %d", code) // not a notice, but let in
		}
		if code := ask("203.0.113.9:1000", "GET", "/pay/received"); code != http.StatusOK {
			t.Errorf("a page: %d", code)
		}
	}
	b.pass(2 * time.Second)
	if n := refused("203.0.113.9:1000"); n != len(posts)-2 {
		t.Errorf("two seconds later %d refused", n)
	}
}

// TestForgedPostsDoNotFillTheDisk sends forgeries to all of the gateway's doors, those of a buyer with the token of his
// own form among them. GAGE_FORGED says how many.
//
// proves S22
func TestForgedPostsDoNotFillTheDisk(t *testing.T) {
	const most, mostEvents = 20 << 20, 60
	n := 3000 // more than the ring holds
	if text := os.Getenv("GAGE_FORGED"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	file := dbtest.File(t)
	store, err := db.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	b := newBuyerShopOn(t, store, false)
	_, form := b.open(b.order(known()), "device=pc&method=CARD")
	_, mine := b.open(b.order(known()), "device=mobile&method=CARD")
	token := "?t=" + strings.TrimPrefix(mine.get("MallReserved"), "rt=")
	genuine := result(form, "3001") // which the buyer may send as often as he likes, changed where no signature covers it
	long := strings.Repeat("x", 60<<10)
	var wg sync.WaitGroup
	work := make(chan int)
	for range 64 {
		wg.Go(func() {
			for i := range work {
				v := "TID=gagedemo1m010126112314051" + fmt.Sprint(10000+i%80000) + "&ResultCode=3001&SignValue=forged&n=" + strconv.Itoa(i) + "&x=" + long
				target := []string{"/smartro/return", "/smartro/notify", "/smartro/stop", "/smartro/notify/GUESS" + strconv.Itoa(i)}[i%4]
				switch i % 5 {
				case 0:
					v = genuine.Encode() + "&n=" + strconv.Itoa(i)
				case 1: // his own window, stopped and refused for ever other reasons
					v = "OID=" + mine.get("Moid") + "&ResultCode=" + strconv.Itoa(5000+i%4000) + "&ResultMsg=" + long + "&AuthCode=" + long
					target = []string{"/smartro/return", "/smartro/stop"}[i/5%2] + token
				}
				method := "POST"
				if i/10%2 == 0 && strings.HasSuffix(target, token) {
					method, target, v = "GET", target+"&"+v[:2000], ""
				}
				if w := b.do(method, target, v, "User-Agent", strings.Repeat("u", 3000)); w.Code >= 500 {
					t.Errorf("%s: %d", target, w.Code)
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
	tip, err := store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil { // how long its log was when it was looked at is chance
		t.Fatal(err)
	}
	var size int64
	files, err := filepath.Glob(file.Path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	t.Logf("%d forged posts left %d KiB and %d rows of the log", n, size>>10, tip.Seq)
	if tip.Seq > mostEvents {
		t.Errorf("%d forged posts left %d rows of the log, which nothing is ever taken from, want at most %d", n, tip.Seq, mostEvents)
	}
	if size > most {
		t.Errorf("%d forged posts left %d bytes in %v, want at most %d", n, size, files, most)
	}
}
