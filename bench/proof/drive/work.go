package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"gage/app"
	"gage/db"
	"gage/smartro"
	"gage/web"
)

const publicURL = "http://127.0.0.1:8080"

// house is a shop without a network.
type house struct {
	*app.Shop
	store   *db.Store
	site    http.Handler
	notices string // path of the gateway's notices
	seed    uint64
	serial  atomic.Int64
	acks    *os.File
}

var merchant = smartro.Merchant{
	MID: smartro.DemoMID, Key: smartro.DemoKey, CancelPassword: smartro.DemoCancelPassword,
	Mode: smartro.Test, Hash: smartro.MD5, Endpoints: smartro.EndpointsAt("http://127.0.0.1:9"),
}

// openHouse opens the shop in a folder, which may hold an older one.
func openHouse(ctx context.Context, folder string, log *slog.Logger) (*house, error) {
	keys, err := app.NewKeyring(bytes.Repeat([]byte{7}, app.KeySize))
	if err != nil {
		return nil, err
	}
	store, err := db.Open(ctx, db.Config{Path: filepath.Join(folder, "gage.db"), Keys: keys, Log: log})
	if err != nil {
		return nil, err
	}
	h := &house{store: store}
	here := netip.MustParsePrefix("127.0.0.1/32")
	h.Shop = &app.Shop{
		Store: store, Keys: keys, PublicURL: publicURL, MallIP: "192.0.2.1", Now: time.Now, Log: log,
		Gateway:      func(m smartro.Merchant) app.Gateway { return gateway{smartro.WEBLink{Merchant: m}, h} },
		KnownSenders: func(app.Mode) []netip.Prefix { return []netip.Prefix{here} },
	}
	return h, nil
}

// furnish gives the shop its contract and its pages.
func (h *house) furnish(ctx context.Context) error {
	if _, err := h.Merchant(ctx); errors.Is(err, app.ErrNoGateway) {
		if err := h.SetMerchant(ctx, app.Staff{ID: "owner", Role: app.RoleOwner}, merchant); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	notices, err := h.NoticeURL(ctx)
	if err != nil {
		return err
	}
	u, err := url.Parse(notices)
	if err != nil {
		return err
	}
	h.notices = u.Path
	site, err := web.New(web.Config{Shop: h.Shop, PublicURL: publicURL, Log: h.Log, Now: time.Now, Version: "drive"})
	if err != nil {
		return err
	}
	h.site = site.Handler()
	return nil
}

// say writes a line to the acknowledgements: what was told to somebody, at the moment of telling.
func (h *house) say(words ...any) {
	if _, err := h.acks.WriteString(fmt.Sprintln(words...)); err != nil {
		fmt.Fprintln(os.Stderr, "drive: acknowledgements:", err)
		os.Exit(1)
	}
}

const exitGaveUp = 3

func work(ctx context.Context, args []string) int {
	f := flag.NewFlagSet("work", flag.ExitOnError)
	data := f.String("data", "", "folder of the shop")
	acks := f.String("acks", "", "file for acknowledgements")
	seed := f.Uint64("seed", 1, "of the choices")
	hands := f.Int("hands", 1, "how many work at once")
	rounds := f.Int("rounds", 0, "how many orders each hand makes; 0: until killed")
	watch := f.Duration("watch", 0, "how often to say whether the shop is ready and its pages can be read; 0: never")
	_ = f.Parse(args) // it exits by itself

	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	h, err := openHouse(ctx, *data, log)
	if err != nil {
		fmt.Fprintln(os.Stderr, "drive:", err)
		return 1
	}
	h.seed = *seed
	if h.acks, err = os.OpenFile(*acks, os.O_WRONLY, 0); err != nil {
		fmt.Fprintln(os.Stderr, "drive:", err)
		return 1
	}
	if err := h.furnish(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "drive:", err)
		return 1
	}
	h.say("up")
	giveUp := sync.OnceValue(func() int { // as the program ends
		if err := h.store.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "drive:", err)
		}
		return exitGaveUp
	})
	go func() {
		<-h.store.GaveUp()
		os.Exit(giveUp())
	}()
	stop, over := context.WithCancel(ctx)
	defer over()
	if *watch > 0 {
		if err := h.hire(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "drive:", err)
			return 1
		}
		go h.watch(stop, *watch)
	}
	var all sync.WaitGroup
	for i := range *hands {
		all.Go(func() {
			hand := &hand{house: h, rnd: rand.New(rand.NewPCG(*seed, uint64(i)))}
			for n := 0; *rounds == 0 || n < *rounds; n++ {
				hand.round(ctx)
			}
		})
	}
	all.Wait()
	over()
	select {
	case <-h.store.GaveUp():
		return giveUp()
	default:
	}
	h.say("closing")
	if err := h.store.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "drive:", err)
	}
	return 0
}

// The owner's account, as far as there is one.
const ownerMail, ownerPassword = "owner@shop.example", "the people of this shop"

// hire makes the owner's account, if there is none.
func (h *house) hire(ctx context.Context) error {
	token, err := h.OwnerInvite(ctx)
	if err != nil || token == "" {
		return err
	}
	_, err = h.AcceptInvite(ctx, token, ownerMail, "주인", ownerPassword, netip.Addr{})
	return err
}

// watch says again and again whether the shop calls itself ready, whether its pages can be read, and, while it is not
// ready, whether the owner can sign in.
func (h *house) watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		ready := h.ask(http.MethodGet, "/readyz", nil)
		page, err := h.Store.Orders(ctx, app.OrderQuery{Limit: 1})
		if ctx.Err() == nil {
			in := ready.Code == http.StatusOK
			if !in {
				_, err := h.SignIn(ctx, ownerMail, ownerPassword, netip.MustParseAddr("127.0.0.1"))
				in = err == nil
			}
			h.say("watch", ready.Code == http.StatusOK, err == nil && len(page) == 1, in)
		}
	}
}

// ask sends a request to the shop's handlers as the gateway or a browser on this machine would.
func (h *house) ask(method, path string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, publicURL+path, bytes.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4000"
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	h.site.ServeHTTP(w, r)
	return w
}

// hand is one of those that work at once.
type hand struct {
	*house
	rnd *rand.Rand
}

// chance is true so many times in a hundred.
func (h *hand) chance(percent int) bool { return h.rnd.IntN(100) < percent }

// round is an order from its making to its money, and sometimes back.
func (h *hand) round(ctx context.Context) {
	o, err := h.CreateOrder(ctx, app.Staff{}, app.OrderInput{
		Goods: "찻잔", Amount: app.Won(1000 + h.rnd.IntN(100000)), BuyerName: "김서도", BuyerTel: "01012345678", BuyerEmail: "buyer@example.com",
	})
	if err != nil {
		h.refused("order", err)
		return
	}
	h.say("order", o.No)
	p, _, err := h.Pay(ctx, o.Token, app.PayInput{Method: smartro.Card, Device: smartro.PC, UserIP: "127.0.0.1"})
	if err != nil {
		h.refused("form", err)
		return
	}
	h.say("form", p.Moid)
	tid, body := h.approval(p)
	if h.chance(30) {
		if w := h.ask(http.MethodPost, "/smartro/return?t="+p.ReturnToken, body); w.Code == http.StatusSeeOther {
			h.say("claim", p.Moid, tid)
		} else {
			h.say("refused claim", w.Code)
		}
	}
	paid := h.notify(p, tid, body)
	if h.chance(30) {
		paid = h.notify(p, tid, body) || paid
	}
	if paid && h.chance(40) {
		h.cancel(ctx, p)
	}
}

// approval is the gateway's signed word that p was approved.
func (h *hand) approval(p app.Payment) (app.TID, []byte) {
	n := h.serial.Add(1)
	at := time.Now().In(app.KST).Format("060102150405")
	// A shop that was cut off starts again within the second: the seed keeps the two apart.
	tid := smartro.TID(fmt.Sprintf("%s0101%s%04d", merchant.MID, at, (h.seed%10*1000+uint64(n)%1000)%10000))
	return tid, smartro.EncodeForm([]smartro.Field{
		{Name: "PayMethod", Value: "CARD"}, {Name: "MID", Value: string(merchant.MID)}, {Name: "TID", Value: string(tid)},
		{Name: "OID", Value: string(p.Moid)}, {Name: "Amt", Value: fmt.Sprint(int64(p.Amount))}, {Name: "name", Value: p.BuyerName},
		{Name: "ResultCode", Value: "3001"}, {Name: "ResultMsg", Value: "카드 결제 성공"}, {Name: "AuthDate", Value: at},
		{Name: "AuthCode", Value: fmt.Sprintf("%08d", n)}, {Name: "StateCd", Value: "0"},
		{Name: "SignValue", Value: smartro.SignValue(merchant.Hash, tid, "3001", merchant.Key)},
	}, smartro.EUCKR)
}

// notify brings the gateway's notice. The answer OK is what must never be untrue.
func (h *hand) notify(p app.Payment, tid app.TID, body []byte) bool {
	w := h.ask(http.MethodPost, h.notices, body)
	switch said := w.Body.String(); {
	case w.Code == http.StatusOK && said == "OK":
		h.say("notice", p.Moid, tid)
		return true
	case w.Code == http.StatusOK || bytes.Contains(bytes.ToUpper(w.Body.Bytes()), []byte("OK")):
		h.say("WRONG", "status", w.Code, "and a body that says OK:", fmt.Sprintf("%q", said))
	default:
		h.say("refused notice", w.Code)
	}
	return false
}

// cancel gives all or half of the money back.
func (h *hand) cancel(ctx context.Context, p app.Payment) {
	plan, err := h.PrepareCancel(ctx, p.Moid)
	if err != nil {
		h.refused("cancel", err)
		return
	}
	in := app.CancelInput{Key: plan.Key, Whole: h.chance(50), Amount: p.Amount / 2, Reason: "단순 변심"}
	c, err := h.Cancel(ctx, app.Staff{ID: "owner", Role: app.RoleOwner}, p.Moid, in)
	switch {
	case err != nil:
		h.refused("cancel", err)
	case c.State == app.CancelStateDone:
		h.say("cancelled", p.Moid, c.ID)
	default:
		h.say("intended", p.Moid, c.ID)
	}
}

// refused says that something was not done, and whether the shop called itself overloaded.
func (h *hand) refused(what string, err error) {
	h.say("refused", what, errors.Is(err, app.ErrOverload), fmt.Sprintf("%q", err.Error()))
}

// gateway answers cancels by itself; each call that reaches it is an acknowledgement that the intent is stored.
type gateway struct {
	smartro.WEBLink
	house *house
}

// Cancel says that it was done.
func (g gateway) Cancel(_ context.Context, r smartro.CancelRequest) (smartro.CancelAnswer, error) {
	g.house.say("called", r.TID, int64(r.Amt))
	n := g.house.serial.Add(1)
	return smartro.CancelAnswer{
		PayMethod: smartro.Card, MID: merchant.MID, TID: r.TID, Amt: r.Amt, ResultCode: "2001", ResultMsg: "취소 성공",
		CancelNum: fmt.Sprintf("%08d", n), Raw: fmt.Appendf(nil, "cancel %s %d", r.TID, n),
	}, nil
}
