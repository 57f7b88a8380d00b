// Package bench measures what a shop feels, as ratios that mean the same on every machine: how many notices a second
// the one door stores durably when they come together instead of one by one, and how search holds up as the shop grows.
//
//	go test -run "^$" -bench . -benchtime 3x ./bench
//	GAGE_BENCH_SIZES=10000,1000000,10000000 GAGE_BENCH_DIR=/a/large/disk go test -run "^$" -bench Lists -benchtime 1x -timeout 12h ./bench
package bench

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/smartro"
)

var gatewayAddr = netip.MustParseAddr("127.0.0.1")

var owner = app.Staff{ID: "bench", Role: app.RoleOwner}

// shop is a shop on a fresh SQLite file, with the invented merchant and a known notification secret.
type shop struct {
	*app.Shop
	merchant smartro.Merchant
	secret   string
	serial   atomic.Int64
}

func newShop(b *testing.B) *shop {
	b.Helper()
	return shopAt(b, filepath.Join(b.TempDir(), "bench.db"))
}

// shopAt goes on with the shop of a file, if there is one.
func shopAt(b *testing.B, path string) *shop {
	b.Helper()
	keys, err := app.NewKeyring(bytes.Repeat([]byte{7}, app.KeySize))
	if err != nil {
		b.Fatal(err)
	}
	store, err := db.Open(b.Context(), db.Config{Path: path, Keys: keys})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	s := &shop{merchant: smartro.Merchant{
		MID: smartro.DemoMID, Key: smartro.DemoKey, CancelPassword: smartro.DemoCancelPassword,
		Mode: smartro.Test, Hash: smartro.MD5, Endpoints: smartro.EndpointsAt("http://127.0.0.1:9"),
	}}
	s.Shop = &app.Shop{
		Store: store, Keys: keys, PublicURL: "http://127.0.0.1:8080", MallIP: "192.0.2.1", Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Gateway:      func(m smartro.Merchant) app.Gateway { return smartro.WEBLink{Merchant: m} },
		KnownSenders: func(app.Mode) []netip.Prefix { return []netip.Prefix{netip.PrefixFrom(gatewayAddr, 32)} },
	}
	if err := s.SetMerchant(b.Context(), owner, s.merchant); err != nil {
		b.Fatal(err)
	}
	url, err := s.NoticeURL(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	s.secret = url[strings.LastIndex(url, "/")+1:]
	return s
}

// open makes an order with one opened payment.
func (s *shop) open(ctx context.Context, i int) (app.Payment, error) {
	o, err := s.CreateOrder(ctx, app.Staff{}, app.OrderInput{
		Goods: "찻잔", Amount: app.Won(1000 + i%100000), BuyerName: buyerName(i),
		BuyerTel: fmt.Sprintf("0100%07d", i), BuyerEmail: "buyer@example.com",
	})
	if err != nil {
		return app.Payment{}, err
	}
	p, _, err := s.Pay(ctx, o.Token, app.PayInput{Method: smartro.Card, Device: smartro.PC, UserIP: "127.0.0.1"})
	return p, err
}

// buyerName spreads 3-syllable names over some ten thousand.
func buyerName(i int) string {
	const family, given = "김이박최정강조윤장임한오", "서도하지민준윤채원은우유아시예린현건나다"
	f, g := []rune(family), []rune(given)
	return string([]rune{f[i%len(f)], g[i/len(f)%len(g)], g[i/len(f)/len(g)%len(g)]})
}

// approval is the gateway's signed notice of p's approval.
func (s *shop) approval(p app.Payment) app.Arrival {
	n := s.serial.Add(1)
	at := time.Now().In(app.KST).Format("060102150405")
	tid := smartro.TID(fmt.Sprintf("%s0101%s%04d", s.merchant.MID, at, n%10000))
	body := smartro.EncodeForm([]smartro.Field{
		{Name: "PayMethod", Value: "CARD"}, {Name: "MID", Value: string(s.merchant.MID)}, {Name: "TID", Value: string(tid)},
		{Name: "OID", Value: string(p.Moid)}, {Name: "Amt", Value: fmt.Sprint(int64(p.Amount))}, {Name: "name", Value: p.BuyerName},
		{Name: "ResultCode", Value: "3001"}, {Name: "ResultMsg", Value: "카드 결제 성공"}, {Name: "AuthDate", Value: at},
		{Name: "AuthCode", Value: fmt.Sprintf("%08d", n)}, {Name: "StateCd", Value: "0"},
		{Name: "SignValue", Value: smartro.SignValue(s.merchant.Hash, tid, "3001", s.merchant.Key)},
	}, smartro.EUCKR)
	return app.Arrival{
		Channel: app.ChannelNotify, Secret: s.secret, Peer: gatewayAddr,
		ContentType: "application/x-www-form-urlencoded", Body: body,
	}
}

// receiveAll sends the notices by so many senders at once and checks that each was believed.
func (s *shop) receiveAll(b *testing.B, notices []app.Arrival, senders int) time.Duration {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range senders {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(notices)); i = next.Add(1) - 1 {
				got, err := s.Receive(b.Context(), notices[i])
				if err != nil || got.Verdict != app.VerdictGood {
					b.Errorf("notice %d: %q, %v", i, got.Verdict, err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(began)
}

// BenchmarkNotices compares 64 senders at once, whose notices share commits, with one sender, in one run.
func BenchmarkNotices(b *testing.B) {
	s := newShop(b)
	var alone, together time.Duration
	n := 0
	for b.Loop() {
		b.StopTimer()
		notices := make([]app.Arrival, 256)
		for i := range notices {
			p, err := s.open(b.Context(), n+i)
			if err != nil {
				b.Fatal(err)
			}
			notices[i] = s.approval(p)
		}
		n += len(notices)
		b.StartTimer()
		alone += s.receiveAll(b, notices[:128], 1)
		together += s.receiveAll(b, notices[128:], 64)
	}
	b.ReportMetric(float64(alone)/float64(together), "times-faster-together")
	b.ReportMetric(float64(n/2)/together.Seconds(), "notices/s-together")
	b.ReportMetric(float64(n/2)/alone.Seconds(), "notices/s-alone")
}
