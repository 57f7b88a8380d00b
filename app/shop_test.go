package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

var (
	gatewayAddr  = netip.MustParseAddr("211.193.35.7")
	strangerAddr = netip.MustParseAddr("203.0.113.9")
)

// gateway answers cancels and inquiries as a test sets them; forms and notices are the real library's.
type gateway struct {
	smartro.WEBLink
	mu      sync.Mutex
	calls   int
	cancel  func(smartro.CancelRequest) (smartro.CancelAnswer, error)
	inquire func(app.TID) (smartro.Inquiry, error)
	charge  func(smartro.ChargeRequest) (smartro.ChargeAnswer, error)
}

func (g *gateway) Charge(_ context.Context, r smartro.ChargeRequest) (smartro.ChargeAnswer, error) {
	return g.charge(r)
}

func (g *gateway) Cancel(_ context.Context, r smartro.CancelRequest) (smartro.CancelAnswer, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls++
	return g.cancel(r)
}

func (g *gateway) Inquire(_ context.Context, tid app.TID) (smartro.Inquiry, error) {
	return g.inquire(tid)
}

// rig is a shop over a real store, with a clock and a gateway that the test holds.
type rig struct {
	*app.Shop
	t      *testing.T
	now    time.Time
	gw     *gateway
	owner  app.Staff
	secret string
	serial int
}

// rigOn puts a shop over a store that has one's records already.
func rigOn(t *testing.T, s *db.Store) *rig {
	t.Helper()
	keys, err := app.NewKeyring(bytes.Repeat([]byte{7}, app.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, now: at, gw: &gateway{}}
	r.Shop = &app.Shop{
		Store: s, Keys: keys, PublicURL: "https://shop.example", MallIP: "192.0.2.1", Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return r.now },
		Gateway: func(m smartro.Merchant) app.Gateway {
			r.gw.WEBLink = smartro.WEBLink{Merchant: m}
			return r.gw
		},
		KnownSenders: func(app.Mode) []netip.Prefix { return []netip.Prefix{netip.PrefixFrom(gatewayAddr, 32)} },
	}
	return r
}

func newRig(t *testing.T, s *db.Store) *rig {
	t.Helper()
	r := rigOn(t, s)
	ctx := t.Context()
	var err error
	if r.owner, err = r.AddStaff(ctx, "owner@shop.example", "김주인", app.RoleOwner, "long enough pass"); err != nil {
		t.Fatal(err)
	}
	err = r.SetMerchant(ctx, r.owner, smartro.Merchant{
		MID: smartro.DemoMID, Key: smartro.DemoKey, CancelPassword: smartro.DemoCancelPassword, Mode: smartro.Test,
		Hash: smartro.MD5, Endpoints: smartro.EndpointsAt("http://127.0.0.1:1"), InquiryProves: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	u, err := r.NoticeURL(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r.secret = u[strings.LastIndex(u, "/")+1:]
	return r
}

// open makes an order of amt won and opens its window.
func (r *rig) open(amt app.Won, m app.Method) app.Payment {
	r.t.Helper()
	o, err := r.CreateOrder(r.t.Context(), r.owner, app.OrderInput{
		Goods: "맛동산 한 봉지", Amount: amt, BuyerName: "홍길동", BuyerTel: "010-9999-1111", BuyerEmail: "hong@example.com",
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return r.again(o.Token, m)
}

func (r *rig) again(token string, m app.Method) app.Payment {
	r.t.Helper()
	p, _, err := r.Pay(r.t.Context(), token, app.PayInput{Method: m, Device: smartro.PC, UserIP: "192.0.2.7"})
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// tid mints a transaction ID as the gateway does.
func (r *rig) tid(m app.Method) app.TID {
	r.serial++
	code := map[app.Method]string{smartro.Card: "01", smartro.Bank: "02", smartro.Vbank: "03", smartro.Cellphone: "05", smartro.CLGift: "04"}[m]
	return app.TID(fmt.Sprintf("%s%s01261123140000%04d", smartro.DemoMID, code, r.serial))
}

// notice is what the gateway would say about p, correctly signed.
func notice(p app.Payment, tid app.TID, code string, amt app.Won, more ...smartro.Field) []smartro.Field {
	return append([]smartro.Field{
		{Name: "PayMethod", Value: string(p.Method)}, {Name: "MID", Value: string(p.MID)}, {Name: "TID", Value: string(tid)},
		{Name: "OID", Value: string(p.Moid)}, {Name: "Amt", Value: amt.String()}, {Name: "name", Value: "홍길동"},
		{Name: "ResultCode", Value: code}, {Name: "ResultMsg", Value: "정상"}, {Name: "AuthDate", Value: "261123140001"},
		{Name: "AuthCode", Value: "12345678"}, {Name: "fn_name", Value: "신한"},
		{Name: "SignValue", Value: smartro.SignValue(smartro.MD5, tid, code, smartro.DemoKey)},
	}, more...)
}

func (r *rig) receive(a app.Arrival) app.Verdict {
	r.t.Helper()
	got, err := r.Receive(r.t.Context(), a)
	if err != nil {
		r.t.Fatal(err)
	}
	return got.Verdict
}

// notify delivers fields on the secret path from the gateway's own address.
func (r *rig) notify(fields []smartro.Field) app.Verdict {
	r.t.Helper()
	return r.receive(app.Arrival{Channel: app.ChannelNotify, Secret: r.secret, Peer: gatewayAddr, Body: smartro.EncodeForm(fields, smartro.EUCKR)})
}

// browser delivers fields as the buyer's browser does.
func (r *rig) browser(fields []smartro.Field, token string) app.Verdict {
	r.t.Helper()
	return r.receive(app.Arrival{Channel: app.ChannelReturn, Peer: strangerAddr, Body: smartro.EncodeForm(fields, smartro.UTF8), Token: token})
}

func (r *rig) payment(moid app.Moid) app.Payment {
	r.t.Helper()
	p, err := r.Store.Payment(r.t.Context(), moid)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *rig) want(moid app.Moid, st app.State) app.Payment {
	r.t.Helper()
	p := r.payment(moid)
	if p.State != st {
		r.t.Errorf("%s is %s, want %s", moid, p.State, st)
	}
	return p
}

// TestPayment walks the main road: a claim makes confirming, the gateway's word pays, every repeat changes nothing.
//
// proves R7, R43
func TestPayment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.open(33000, smartro.Card)
		n := notice(p, r.tid(smartro.Card), "3001", 33000)
		if v := r.browser(n, p.ReturnToken); v != app.VerdictClaim {
			t.Errorf("browser: %s", v)
		}
		r.want(p.Moid, app.Claimed)
		if v := r.notify(n); v != app.VerdictGood {
			t.Errorf("notice: %s", v)
		}
		paid := r.want(p.Moid, app.Paid)
		if paid.Proof != app.ProofNotification || paid.Approved != 33000 || paid.AuthCode != "12345678" {
			t.Errorf("paid as %+v", paid)
		}
		for range 3 {
			if v := r.notify(n); v != app.VerdictDuplicate {
				t.Errorf("repeat: %s", v)
			}
		}
		if v := r.notify(append(n, smartro.Field{Name: "extra", Value: "1"})); v != app.VerdictDuplicate {
			t.Errorf("repeat with a changed side field: %s", v)
		}
		if _, _, err := r.Pay(t.Context(), mustToken(r, p.OrderNo), app.PayInput{Method: smartro.Card, Device: smartro.PC}); !errors.Is(err, app.ErrPaid) {
			t.Errorf("a second window: %v", err)
		}
	})
}

func mustToken(r *rig, no app.OrderNo) string {
	r.t.Helper()
	o, err := r.Store.Order(r.t.Context(), no)
	if err != nil {
		r.t.Fatal(err)
	}
	return o.Token
}

// TestForged: whatever comes without the gateway's proof pays nothing and stays to be seen.
//
// proves R13, R37
func TestForged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		cheap, dear := r.open(1000, smartro.Card), r.open(99000, smartro.Card)
		tid := r.tid(smartro.Card)
		mine := notice(cheap, tid, "3001", 1000)
		asDear := notice(dear, tid, "3001", 99000)
		unsigned := notice(dear, tid, "3001", 99000)
		unsigned[len(unsigned)-1].Value = strings.Repeat("A", 43) + "="
		for name, c := range map[string]struct {
			got, want app.Verdict
		}{
			"bad signature":        {r.browser(unsigned, dear.ReturnToken), app.VerdictBadSignature},
			"another amount":       {r.browser(notice(dear, tid, "3001", 1000), dear.ReturnToken), app.VerdictWrongAmount},
			"unknown order":        {r.browser(notice(app.Payment{Moid: "NOBODY01", MID: dear.MID, Method: smartro.Card}, tid, "3001", 1), ""), app.VerdictUnknownOrder},
			"garbage":              {r.browser([]smartro.Field{{Name: "a", Value: "b"}}, ""), app.VerdictUnreadable},
			"recombined":           {r.browser(asDear, dear.ReturnToken), app.VerdictClaim},
			"no secret in the URL": {r.receive(app.Arrival{Channel: app.ChannelNotify, Peer: gatewayAddr, Body: smartro.EncodeForm(asDear, smartro.EUCKR)}), app.VerdictDuplicate},
		} {
			if c.got != c.want {
				t.Errorf("%s: %s, want %s", name, c.got, c.want)
			}
		}
		if v := r.notify(mine); v != app.VerdictGood {
			t.Errorf("the honest notice after the forged claim: %s", v)
		}
		r.want(cheap.Moid, app.Paid)
		if p := r.want(dear.Moid, app.Opened); p.TID != "" {
			t.Errorf("the forged claim keeps the TID %s", p.TID)
		}
	})
}

// TestUnknownSender: the right path and signature from an address nobody knows waits for a person.
//
// proves R37
func TestUnknownSender(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.open(5000, smartro.Card)
		a := app.Arrival{
			Channel: app.ChannelNotify, Secret: r.secret, Peer: strangerAddr,
			Body: smartro.EncodeForm(notice(p, r.tid(smartro.Card), "3001", 5000), smartro.EUCKR),
		}
		if v := r.receive(a); v != app.VerdictUnknownSender {
			t.Errorf("verdict %s", v)
		}
		if p := r.payment(p.Moid); p.State == app.Paid {
			t.Error("paid by an unknown sender")
		}
		if err := r.DecideSender(t.Context(), app.Staff{ID: "x", Role: app.RoleStaff}, strangerAddr.String(), true); !errors.Is(err, app.ErrForbidden) {
			t.Errorf("staff may decide: %v", err)
		}
		if err := r.DecideSender(t.Context(), r.owner, strangerAddr.String(), true); err != nil {
			t.Fatal(err)
		}
		r.want(p.Moid, app.Paid)
		a.Headers = browserHeaders
		a.Body = smartro.EncodeForm(notice(r.open(1, smartro.Card), r.tid(smartro.Card), "3001", 1), smartro.EUCKR)
		if v := r.receive(a); v != app.VerdictSecretLeaked {
			t.Errorf("a browser on the secret path: %s", v)
		}
	})
}

// TestUnknownSenderAfterClaims: what a buyer's browser said of the same transaction, however often, does not put what a new
// address of the gateway brought out of the reach of the person who decides about it.
//
// proves R37, I7
func TestUnknownSenderAfterClaims(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.open(5000, smartro.Card)
		n := notice(p, r.tid(smartro.Card), "3001", 5000)
		for i := range 25 {
			r.browser(append(n, smartro.Field{Name: "n", Value: strconv.Itoa(i)}), p.ReturnToken)
		}
		a := app.Arrival{Channel: app.ChannelNotify, Secret: r.secret, Peer: strangerAddr, Body: smartro.EncodeForm(n, smartro.EUCKR)}
		if v := r.receive(a); v != app.VerdictUnknownSender {
			t.Fatalf("verdict %s", v)
		}
		if err := r.DecideSender(t.Context(), r.owner, strangerAddr.String(), true); err != nil {
			t.Fatal(err)
		}
		r.want(p.Moid, app.Paid)
	})
}

// TestTwoTabs: both approvals are recorded, the second is held until all of it went back.
//
// proves R11
func TestTwoTabs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		one := r.open(7000, smartro.Card)
		two := r.again(mustToken(r, one.OrderNo), smartro.Card)
		r.notify(notice(one, r.tid(smartro.Card), "3001", 7000))
		if v := r.notify(notice(two, r.tid(smartro.Card), "3001", 7000)); v != app.VerdictHeld {
			t.Errorf("second approval: %s", v)
		}
		r.want(one.Moid, app.Paid)
		if p := r.want(two.Moid, app.Held); p.HoldReason != app.HoldDuplicate || p.Approved != 7000 {
			t.Errorf("second: %+v", p)
		}
		w, err := r.Worklist(t.Context())
		if err != nil || len(w.Holds) != 1 {
			t.Errorf("worklist %+v, %v", w.Holds, err)
		}
		for _, part := range []app.Won{2000, 5000} {
			if w, err := r.Worklist(t.Context()); err != nil || len(w.Holds) != 1 {
				t.Errorf("before all of it went back: %+v, %v", w.Holds, err)
			}
			r.gives("2001")
			r.cancels(two, app.CancelInput{Amount: part})
		}
		r.want(two.Moid, app.Cancelled)
		if w, err := r.Worklist(t.Context()); err != nil || len(w.Holds) != 0 {
			t.Errorf("all of it went back, and a person is still asked: %+v, %v", w.Holds, err)
		}
	})
}

// TestVirtualAccount: an issued account is no payment; the deposit is, once.
func TestVirtualAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.open(20000, smartro.Vbank)
		tid := r.tid(smartro.Vbank)
		bank := []smartro.Field{{Name: "VbankNum", Value: "110123456789"}, {Name: "VbankName", Value: "신한은행"}}
		r.browser(notice(p, tid, "4100", 20000, bank...), p.ReturnToken)
		if got := r.want(p.Moid, app.Claimed); got.VbankNum != "110123456789" {
			t.Errorf("account %q", got.VbankNum)
		}
		r.notify(notice(p, tid, "4100", 20000, bank...))
		r.want(p.Moid, app.WaitingDeposit)
		r.notify(notice(p, tid, "4110", 20000, bank...))
		r.want(p.Moid, app.Paid)
		late := r.open(20000, smartro.Vbank)
		tid = r.tid(smartro.Vbank)
		r.notify(notice(late, tid, "4100", 20000, bank...))
		r.now = r.now.Add(5 * 24 * time.Hour)
		if _, err := r.WorkOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.want(late.Moid, app.Expired)
	})
}

// TestCancel: the amount is set aside before the call, the answer and the notice are one cancel, the same key is one
// call, more than what is left is refused.
//
// proves R16, R42, I8
func TestCancel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.open(10000, smartro.Card)
		tid := r.tid(smartro.Card)
		r.notify(notice(p, tid, "3001", 10000))
		part := r.tid(smartro.Card)
		r.gw.cancel = func(q smartro.CancelRequest) (smartro.CancelAnswer, error) {
			if got := r.payment(p.Moid); got.Reserved != q.Amt {
				t.Errorf("called with %d won set aside, want %d", got.Reserved, q.Amt)
			}
			return smartro.CancelAnswer{TID: q.TID, PTID: part, Amt: q.Amt, ResultCode: "2001", Raw: []byte("ResultCode=2001")}, nil
		}
		in := app.CancelInput{Key: strings.Repeat("k", 26), Amount: 1000, Reason: "단순 변심"}
		for range 3 {
			c, err := r.Cancel(t.Context(), r.owner, p.Moid, in)
			if err != nil || c.State != app.CancelStateDone {
				t.Fatalf("cancel: %+v, %v", c, err)
			}
		}
		if r.gw.calls != 1 {
			t.Errorf("%d calls, want 1", r.gw.calls)
		}
		told := notice(p, part, "2001", 1000, smartro.Field{Name: "OTID", Value: string(tid)})
		r.notify(told)
		r.notify(append(told, smartro.Field{Name: "extra", Value: "1"}))
		if got := r.want(p.Moid, app.PartlyCancelled); got.Cancelled != 1000 || got.Reserved != 0 {
			t.Errorf("cancelled %d, reserved %d", got.Cancelled, got.Reserved)
		}
		var left *app.AmountError
		_, err := r.Cancel(t.Context(), r.owner, p.Moid, app.CancelInput{Key: strings.Repeat("m", 26), Amount: 9001, Reason: "단순 변심"})
		if !errors.As(err, &left) || left.Left != 9000 {
			t.Errorf("too much: %v", err)
		}
		other := r.tid(smartro.Card)
		r.now = r.now.Add(time.Minute)
		r.notify(notice(p, other, "2001", 9000, smartro.Field{Name: "OTID", Value: string(tid)}))
		r.want(p.Moid, app.Cancelled)
		list, err := r.Store.Cancels(t.Context(), p.OrderNo)
		if err != nil || len(list) != 2 || !list[1].External {
			t.Errorf("cancels %+v, %v", list, err)
		}
	})
}

// TestUnknownCancel: no answer keeps the amount set aside and is never sent again by itself.
//
// proves R17, R18
func TestUnknownCancel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.open(10000, smartro.Card)
		tid := r.tid(smartro.Card)
		r.notify(notice(p, tid, "3001", 10000))
		r.gw.cancel = func(smartro.CancelRequest) (smartro.CancelAnswer, error) {
			return smartro.CancelAnswer{}, errors.New("connection reset")
		}
		c, err := r.Cancel(t.Context(), r.owner, p.Moid, app.CancelInput{Key: strings.Repeat("k", 26), Amount: 4000, Reason: "품절"})
		if err != nil || c.State != app.CancelStateUnknown {
			t.Fatalf("cancel: %+v, %v", c, err)
		}
		if got := r.payment(p.Moid); got.Reserved != 4000 || got.Left() != 6000 {
			t.Errorf("reserved %d, left %d", got.Reserved, got.Left())
		}
		_, err = r.Cancel(t.Context(), r.owner, p.Moid, app.CancelInput{Key: strings.Repeat("n", 26), Amount: 1000, Reason: "품절"})
		if !errors.Is(err, app.ErrBusy) {
			t.Errorf("a second cancel beside an unknown one: %v", err)
		}
		if _, err := r.ResendCancel(t.Context(), r.owner, c.ID); !errors.Is(err, app.ErrForbidden) {
			t.Errorf("a partial cancel was sent again: %v", err)
		}
		balance := app.Won(10000)
		r.gw.inquire = func(tid app.TID) (smartro.Inquiry, error) {
			return smartro.Inquiry{TID: tid, Amt: 10000, Balance: balance, HasBalance: true, State: "0", Raw: []byte(balance.String())}, nil
		}
		r.now = r.now.Add(2 * time.Minute)
		r.WorkOnce(t.Context())
		if c, _ = r.Store.Cancel(t.Context(), c.ID); c.State != app.CancelStateUnknown {
			t.Errorf("settled as %s by an inquiry that came too early", c.State)
		}
		balance = 6000
		r.now = r.now.Add(time.Hour)
		r.WorkOnce(t.Context())
		if c, _ = r.Store.Cancel(t.Context(), c.ID); c.State != app.CancelStateDone || c.SettledBy != "inquiry" {
			t.Errorf("cancel %s by %q", c.State, c.SettledBy)
		}
		r.want(p.Moid, app.PartlyCancelled)
		if r.gw.calls != 1 {
			t.Errorf("%d calls, want 1", r.gw.calls)
		}
	})
}

// TestLostNotice: a claim is paid by the gateway's answer to our question.
func TestLostNotice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.open(10000, smartro.Card)
		r.browser(notice(p, r.tid(smartro.Card), "3001", 10000), p.ReturnToken)
		r.gw.inquire = func(tid app.TID) (smartro.Inquiry, error) {
			return smartro.Inquiry{TID: tid, MID: p.MID, Moid: p.Moid, Amt: 10000, State: "0", Method: smartro.Card, Raw: []byte("{}")}, nil
		}
		r.now = r.now.Add(time.Minute)
		if _, err := r.WorkOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := r.want(p.Moid, app.Paid); got.Proof != app.ProofInquiry {
			t.Errorf("proof %s", got.Proof)
		}
	})
}

// TestCancelBeforeApproval: the cancel waits for the approval that it is about.
func TestCancelBeforeApproval(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.open(10000, smartro.Card)
		tid := r.tid(smartro.Card)
		if v := r.notify(notice(p, tid, "2001", 10000, smartro.Field{Name: "OTID", Value: string(tid)})); v != app.VerdictParked {
			t.Errorf("verdict %s", v)
		}
		r.notify(notice(p, tid, "3001", 10000))
		if _, err := r.WorkOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.want(p.Moid, app.Cancelled)
	})
}

// TestSearch finds a payment by whatever a caller says, and says by what.
func TestSearch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.open(33000, smartro.Card)
		r.notify(notice(p, r.tid(smartro.Card), "3001", 33000))
		p = r.payment(p.Moid)
		for q, by := range map[string]string{
			string(p.TID): "tid", string(p.TID)[14:24]: "tid", string(p.OrderNo): "order", strings.ToLower(string(p.OrderNo)): "order", string(p.Moid): "order",
			"길동": "name", "홍길동": "name", "9999": "phone", "99-11": "phone", "010-9999-1111": "phone",
			"33,000": "amount", "33000원": "amount", "12345678": "approval", "맛동산": "goods", "hong@": "mail",
			"999": "phone", "길동 33000": "amount", "봉지 9999 홍길동": "phone", "동 맛동산": "name", "10000..50000": "amount", "3만3천원": "amount",
			"name:길동": "name", "오늘 길동": "name", "승인:12345678": "approval", "mid:" + string(p.MID) + " 오늘": "mid", "맛동산 한 봉지": "goods", "010 9999 1111": "phone",
			"ＨＯＮＧ@": "mail", "2019-12-01.. hong": "mail",
		} {
			page, err := r.Search(t.Context(), q, app.Filter{})
			if err != nil || len(page.Rows) != 1 {
				t.Errorf("%q: %d rows, %v", q, len(page.Rows), err)
				continue
			}
			if got := app.MatchedBy(page.Rows[0], page.Read.Terms); !strings.Contains(strings.Join(got, " "), by) {
				t.Errorf("%q matched by %v, want %s", q, got, by)
			}
		}
		for _, q := range []string{"길돌", "철수", "7777", "34000", "김", "%%%", "name:봉지", "goods:길동", "길동 34000", "50000..", "어제 길동", "길동 12월 25일", "mid:nobody0m", "전화:33000", "'; drop table payments; --"} {
			if page, err := r.Search(t.Context(), q, app.Filter{}); err != nil || len(page.Rows) != 0 {
				t.Errorf("%q: %d rows, %v", q, len(page.Rows), err)
			}
		}
	})
}

// TestSignIn: five failures lock, the right password before that does not.
func TestSignIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		if _, err := r.SignIn(t.Context(), "Owner@shop.example", "long enough pass", strangerAddr); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if _, err := r.SignIn(t.Context(), "owner@shop.example", "wrong", strangerAddr); !errors.Is(err, app.ErrSignIn) {
				t.Errorf("wrong password: %v", err)
			}
		}
		if _, err := r.SignIn(t.Context(), "owner@shop.example", "long enough pass", strangerAddr); !errors.Is(err, app.ErrThrottled) {
			t.Errorf("after five failures: %v", err)
		}
		r.now = r.now.Add(16 * time.Minute)
		if _, err := r.SignIn(t.Context(), "owner@shop.example", "long enough pass", strangerAddr); err != nil {
			t.Errorf("a quarter of an hour later: %v", err)
		}
	})
}
