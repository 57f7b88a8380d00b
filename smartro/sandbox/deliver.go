package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"gage/smartro"
)

const (
	notifyTimeout  = 10 * time.Second
	answerBytes    = 64 << 10 // of the shop's answer that are looked at
	answerKept     = 200      // of those, in runes, that the log keeps
	idleWait       = time.Hour
	parallelOrders = 8 // payments that are notified at once; the notices of one go one after another
)

// notifyClient is base without redirects (weblink §7) and with a time limit.
func notifyClient(base *http.Client) *http.Client {
	c := http.Client{}
	if base != nil {
		c = *base
	}
	if c.Timeout == 0 {
		c.Timeout = notifyTimeout
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// Deliver sends every notification that is due now, once. sent counts the tries, answered OK or not; err is
// about the ledger, never about a shop that does not answer.
func (g *Gateway) Deliver(ctx context.Context) (sent int, err error) {
	now := g.now()
	var due []int64
	g.ledger.read(func(v *view) {
		for id := range v.unsettled {
			if !v.notices[id].Due.After(now) {
				due = append(due, id)
			}
		}
	})
	return g.deliverThese(ctx, due)
}

// deliverThese sends the notices with these IDs: those of one payment in order, payments side by side.
func (g *Gateway) deliverThese(ctx context.Context, list []int64) (sent int, err error) {
	byPayment := map[smartro.TID][]notice{}
	for _, n := range g.claim(list) {
		byPayment[n.TID] = append(byPayment[n.TID], n)
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
		slot = make(chan struct{}, parallelOrders)
	)
	for _, queue := range byPayment {
		slot <- struct{}{}
		wg.Go(func() {
			defer func() { <-slot }()
			for _, n := range queue {
				tried, err := g.try(ctx, n)
				mu.Lock()
				if tried {
					sent++
				}
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return sent, errors.Join(errs...)
}

// claim takes the notices that nobody else is sending just now, in order of sending.
func (g *Gateway) claim(list []int64) []notice {
	var mine []notice
	g.ledger.read(func(v *view) {
		for _, id := range list {
			if v.unsettled[id] && !v.sending[id] {
				v.sending[id] = true
				mine = append(mine, v.notices[id])
			}
		}
	})
	slices.SortFunc(mine, func(a, b notice) int { return cmp.Compare(a.Seq, b.Seq) })
	return mine
}

// try sends n once and writes down what came of it. A try that our own stop cut off does not count.
func (g *Gateway) try(ctx context.Context, n notice) (tried bool, err error) {
	defer g.ledger.read(func(v *view) { delete(v.sending, n.ID) })
	if ctx.Err() != nil {
		return false, nil
	}
	var wholeOK bool
	g.ledger.read(func(v *view) { wholeOK = v.settings.WholeOK || g.cfg.Strict })
	a := g.post(ctx, n, wholeOK)
	if !a.OK && ctx.Err() != nil {
		return false, nil
	}
	err = g.ledger.update(func(v *view) (entry, error) {
		n = v.notices[n.ID]
		n.Attempts = append(slices.Clone(n.Attempts), a)
		switch {
		case a.OK:
			n.State = noticeDelivered
		case len(n.Attempts) >= v.settings.Count:
			n.State = noticeGivenUp
		default:
			n.State, n.Due = noticeWaiting, a.At.Add(v.settings.Every)
		}
		return entry{At: a.At, Notices: []notice{n}}, nil
	})
	g.cfg.Log.Info("notification", "tid", n.TID, "code", n.Code, "status", a.Status, "ok", a.OK, "try", len(n.Attempts))
	return true, err
}

func (g *Gateway) post(ctx context.Context, n notice, wholeOK bool) attempt {
	a := attempt{At: g.now()}
	req, err := notifyRequest(ctx, n)
	if err != nil {
		a.Error = err.Error()
		return a
	}
	resp, err := g.http.Do(req)
	if err != nil {
		a.Error = err.Error()
		return a
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerBytes))
	a.Status, a.Answer = resp.StatusCode, kept(string(body))
	if err != nil {
		a.Error = err.Error()
		return a
	}
	a.OK = resp.StatusCode == http.StatusOK && saysOK(string(body), wholeOK)
	return a
}

func notifyRequest(ctx context.Context, n notice) (*http.Request, error) {
	if n.ByGET {
		sep := "?"
		if strings.Contains(n.URL, "?") {
			sep = "&"
		}
		return http.NewRequestWithContext(ctx, http.MethodGet, n.URL+sep+n.Body, nil)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.URL, strings.NewReader(n.Body))
	if err != nil {
		return nil, fmt.Errorf("notification URL: %w", err)
	}
	req.Header.Set("Content-Type", n.Type)
	return req, nil
}

var (
	tag    = regexp.MustCompile(`<[^>]*>`)
	wordOK = regexp.MustCompile(`\bOK\b`)
)

// saysOK applies the matching rule (weblink §7, "Simulator"): without tags and white space the answer is OK,
// or has OK as a word; whole asks for an answer that is OK and nothing else.
func saysOK(body string, whole bool) bool {
	if whole {
		return strings.TrimSpace(body) == "OK"
	}
	return wordOK.MatchString(tag.ReplaceAllString(body, " "))
}

func kept(s string) string {
	r := []rune(strings.ToValidUTF8(s, "\uFFFD"))
	return string(r[:min(len(r), answerKept)])
}

// untilNextDue is how long nothing has to be sent.
func (g *Gateway) untilNextDue() time.Duration {
	now, wait := g.now(), idleWait
	g.ledger.read(func(v *view) {
		for id := range v.unsettled {
			if !v.sending[id] {
				wait = min(wait, v.notices[id].Due.Sub(now))
			}
		}
	})
	return max(wait, 0)
}

// wakeSender tells Run that something may be due.
func (g *Gateway) wakeSender() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// sendAgain queues the last notification of a payment once more, to the URL that is set now.
func (g *Gateway) sendAgain(tid smartro.TID) (notice, error) {
	var n notice
	err := g.ledger.update(func(v *view) (entry, error) {
		p, ok := v.payments[tid]
		if _, own := v.receipts[tid]; !ok && !own {
			return entry{}, errUnknownTID
		}
		for _, have := range v.notices {
			if have.TID == tid && have.ID > n.ID {
				n = have
			}
		}
		if n.ID == 0 {
			return entry{}, errNoNotice
		}
		n.ID, n.Seq, n.At, n.Due = v.lastID+1, v.lastSeq+1, g.now(), g.now()
		n.State, n.Fault, n.Attempts = noticeWaiting, "", nil
		n.URL = cmp.Or(v.settings.NotifyURL, p.field("RetryURL"))
		if n.URL == "" {
			return entry{}, errNowhere
		}
		return entry{At: n.At, Notices: []notice{n}}, nil
	})
	if err == nil {
		g.wakeSender()
	}
	return n, err
}

// What an order from the control page can fail with.
var (
	errUnknownTID = errors.New("모르는 거래입니다 (no such TID)")
	errNoNotice   = errors.New("아직 보낸 통보가 없는 거래입니다 (nothing to repeat)")
	errNowhere    = errors.New("통보를 보낼 주소가 없습니다 (neither a notification URL nor RetryURL)")
)
