package web_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
	"gage/web"
)

// counter is one of several programs that serve the same shop.
type counter struct {
	*buyerShop
	store *db.Store
}

// newCounters opens the shop on the first store, and a program more beside it on each other one.
func newCounters(t *testing.T, stores []*db.Store) []counter {
	t.Helper()
	first := newBuyerShopOn(t, stores[0], false)
	quiet := slog.New(slog.DiscardHandler) // a line for each of a million requests helps nobody
	var all []counter
	for _, store := range stores {
		b := &buyerShop{t: t, log: first.log, at: first.at, owner: first.owner}
		b.Shop = &app.Shop{
			Store: store, Keys: first.Keys, PublicURL: first.PublicURL, Now: b.now, Log: quiet, MallIP: first.MallIP,
			Gateway: first.Gateway, KnownSenders: first.KnownSenders,
		}
		s, err := web.New(web.Config{Shop: b.Shop, PublicURL: b.PublicURL, Log: quiet, Now: b.now})
		if err != nil {
			t.Fatal(err)
		}
		b.server, b.handler = s, s.Handler()
		all = append(all, counter{b, store})
	}
	return all
}

// told is one notice that the gateway keeps sending until it is answered.
type told struct {
	moid app.Moid
	no   app.OrderNo
	body url.Values
}

// tellAll opens n payments, half of them of virtual accounts that are issued already, and gives what is then told of them.
func tellAll(t *testing.T, b *buyerShop, n int) []told {
	t.Helper()
	notice, err := b.NoticeURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []told
	for i := range n {
		method, code, tidCode := smartro.Card, "3001", "01"
		if i%2 == 1 {
			method, code, tidCode = smartro.Vbank, "4110", "03"
		}
		o := b.order(known())
		p, _, err := b.Pay(t.Context(), o.Token, app.PayInput{Method: method, Device: smartro.PC, UserIP: "192.0.2.7"})
		if err != nil {
			t.Fatal(err)
		}
		tid := smartro.TID(fmt.Sprintf("gagedemo1m%s01%016d", tidCode, i))
		says := func(code string) url.Values {
			return url.Values{
				"PayMethod": {string(method)}, "MID": {"gagedemo1m"}, "TID": {string(tid)}, "OID": {string(p.Moid)}, "Amt": {p.Amount.String()},
				"ResultCode": {code}, "ResultMsg": {"message"}, "AuthDate": {"261123140512"}, "AuthCode": {"30012345"},
				"SignValue": {smartro.SignValue(smartro.MD5, tid, code, demoKey)}, "MallReserved": {"rt=" + p.ReturnToken},
			}
		}
		if method == smartro.Vbank {
			if w := b.do("POST", path(t, notice), says("4100").Encode()); w.Body.String() != "OK" {
				t.Fatal(w.Code, w.Body)
			}
		}
		all = append(all, told{moid: p.Moid, no: o.No, body: says(code)})
	}
	return all
}

// sideFields is in how many wordings a notice is told: the same but for a field that decides nothing.
const sideFields = 3

// TestRaceNotices: however many workers tell the same payments at once, through as many programs as there are, each
// payment is paid once, whoever is answered OK finds it paid, and every copy is counted.
//
// proves R7, R43, R38, I1, I2
func TestRaceNotices(t *testing.T) {
	workers := dbtest.Scale(t, "GAGE_RACE_WORKERS", 16)
	copies := dbtest.Scale(t, "GAGE_RACE_COPIES", 6)
	notices := dbtest.Scale(t, "GAGE_RACE_NOTICES", 6)
	dbtest.EachCrowd(t, func(t *testing.T, stores []*db.Store) {
		counters := newCounters(t, stores)
		all := tellAll(t, counters[0].buyerShop, notices)
		notice, err := counters[0].NoticeURL(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		target := path(t, notice)
		var queue []int
		for i := range all {
			queue = append(queue, slices.Repeat([]int{i}, copies)...)
		}
		r := rand.New(rand.NewPCG(uint64(dbtest.Scale(t, "GAGE_SEED", 1)), 7))
		r.Shuffle(len(queue), func(i, j int) { queue[i], queue[j] = queue[j], queue[i] })
		var next, oks, refused atomic.Int64
		sent := make([][sideFields]atomic.Int64, len(all))
		var crowd sync.WaitGroup
		for range workers {
			crowd.Go(func() {
				for {
					n := int(next.Add(1)) - 1
					if n >= len(queue) {
						return
					}
					c, m, wording := counters[n%len(counters)], all[queue[n]], n%sideFields
					body := url.Values{"extra": {fmt.Sprint(wording)}}
					for name, v := range m.body {
						body[name] = v
					}
					for { // as the gateway does: until it reads OK
						w := c.do("POST", target, body.Encode())
						if w.Code == http.StatusServiceUnavailable && w.Body.String() != "OK" {
							refused.Add(1)
							continue
						}
						if w.Code != http.StatusOK || w.Body.String() != "OK" {
							t.Errorf("answered %d %q", w.Code, w.Body)
							return
						}
						break
					}
					oks.Add(1)
					sent[queue[n]][wording].Add(1)
					// Another program sees only what is durable.
					if p, err := counters[(n+1)%len(counters)].store.Payment(t.Context(), m.moid); err != nil || p.State != app.Paid {
						t.Errorf("OK was said of %s, and it is %s, %v", m.moid, p.State, err)
					}
				}
			})
		}
		crowd.Wait()
		if t.Failed() {
			return
		}
		for _, c := range counters {
			if err := c.store.Ready(t.Context()); err != nil { // repeats are counted by the next write
				t.Error(err)
			}
		}
		for i, m := range all {
			wording := 0
			for n := range sent[i] {
				if sent[i][n].Load() > 0 {
					wording++
				}
			}
			onePaid(t, stores[0], m, wording, int64(copies))
		}
		dbtest.Whole(t, stores[0])
		t.Logf("reached: %d notifications", len(all))
		t.Logf("reached: %d answers OK", oks.Load())
		t.Logf("reached: %d times told to come later", refused.Load())
	})
}

// onePaid demands that what was told copies times had one effect: one event, nothing held or left to be judged, and a
// message for each wording.
func onePaid(t *testing.T, s *db.Store, m told, wordings int, copies int64) {
	t.Helper()
	p, err := s.Payment(t.Context(), m.moid)
	if err != nil || p.State != app.Paid || p.Approved != p.Amount {
		t.Errorf("%s is %s with %d won, %v", m.moid, p.State, p.Approved, err)
	}
	events, err := s.Events(t.Context(), m.no)
	if err != nil {
		t.Error(err)
	}
	effects := 0
	for _, e := range events {
		if e.Kind == app.Approved || e.Kind == app.Deposited || e.Kind == app.MoneyApart {
			effects++
		}
	}
	holds, err := s.HoldsOf(t.Context(), m.no)
	if err != nil || effects != 1 || len(holds) > 0 {
		t.Errorf("%s: %d effects, %d holds, %v; want one effect", m.moid, effects, len(holds), err)
	}
	messages, err := s.Messages(t.Context(), m.no)
	if err != nil {
		t.Error(err)
	}
	var came, kept int64
	for _, msg := range messages {
		if msg.Verdict == app.VerdictUnjudged {
			t.Errorf("%s: a copy could not be judged", m.moid)
		}
		if msg.Code == "4100" {
			continue
		}
		kept++
		came += msg.Copies
	}
	if kept != int64(wordings) || came < copies {
		t.Errorf("%s: %d messages of %d wordings, %d copies of %d", m.moid, kept, wordings, came, copies)
	}
}

// TestRaceReturns: however often the browser brings the same result at once, by reload, Back or a second tab, beside
// the gateway's own notice, each gets the same page and it is one event.
//
// proves R6, R7, I2
func TestRaceReturns(t *testing.T) {
	returns := dbtest.Scale(t, "GAGE_RACE_RETURNS", 60)
	dbtest.EachCrowd(t, func(t *testing.T, stores []*db.Store) {
		counters := newCounters(t, stores)
		m := tellAll(t, counters[0].buyerShop, 1)[0]
		notice, err := counters[0].NoticeURL(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var crowd sync.WaitGroup
		pages := make([]string, returns)
		for i := range returns {
			crowd.Go(func() {
				for {
					w := counters[i%len(counters)].do("POST", "/smartro/return", m.body.Encode(), "Sec-Fetch-Site", "cross-site")
					if w.Code == http.StatusServiceUnavailable {
						continue
					}
					if w.Code != http.StatusSeeOther {
						t.Errorf("return: %d %s", w.Code, w.Body)
					}
					pages[i] = w.Header().Get("Location")
					return
				}
			})
		}
		crowd.Go(func() {
			for w := counters[0].do("POST", path(t, notice), m.body.Encode()); w.Body.String() != "OK"; {
				w = counters[0].do("POST", path(t, notice), m.body.Encode())
			}
		})
		crowd.Wait()
		for _, page := range pages {
			if page != pages[0] {
				t.Errorf("one return led to %s, another to %s", pages[0], page)
			}
		}
		events, err := stores[0].Events(t.Context(), m.no)
		if err != nil {
			t.Fatal(err)
		}
		n := map[app.EventKind]int{}
		for _, e := range events {
			n[e.Kind]++
		}
		if n[app.Approved] != 1 || n[app.ReturnSuccess] > 1 {
			t.Errorf("events %v, want one approval and at most one claim", n)
		}
		messages, err := stores[0].Messages(t.Context(), m.no)
		if err != nil || len(messages) != 2 {
			t.Errorf("%d messages, %v; want the return and the notice", len(messages), err)
		}
		if p, err := stores[0].Payment(t.Context(), m.moid); err != nil || p.State != app.Paid {
			t.Errorf("the payment is %s, %v", p.State, err)
		}
		dbtest.Whole(t, stores[0])
		t.Logf("reached: %d returns", returns)
	})
}
