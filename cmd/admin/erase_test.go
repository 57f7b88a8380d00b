package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gage/app"
)

// TestEraseNightly: what is past its term is looked for once a night; without anything that confirms the clock it waits
// and says so.
//
// proves E3
func TestEraseNightly(t *testing.T) {
	clock := &demoClock{real: time.Now}
	clock.set(time.Date(2026, 11, 25, 12, 0, 0, 0, app.KST))
	var log bytes.Buffer
	h, err := openHouse(t.Context(), houseConfig{
		Data: t.TempDir(), Name: "gage", PublicURL: "http://127.0.0.1:8080", Now: clock.Now, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	if err := h.shop.SetMerchant(t.Context(), operator(), sandboxMerchant()); err != nil {
		t.Fatal(err)
	}
	_, err = h.shop.CreateOrder(t.Context(), operator(), app.OrderInput{
		Goods: "맛동산", Amount: 1000, BuyerName: "홍길동", BuyerTel: "010-9999-1111", BuyerEmail: "hong@example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	clock.set(time.Date(2031, 11, 26, 1, 59, 0, 0, app.KST))
	ticks, ended := make(chan time.Time), make(chan error, 1)
	go func() { ended <- h.eraseAt(t.Context(), ticks, app.RetentionYears) }()
	look := func() int {
		for range 2 { // the second is taken when the first was done
			ticks <- time.Time{}
		}
		return strings.Count(log.String(), "waits to be destroyed")
	}
	for _, c := range []struct {
		forward time.Duration
		want    int
	}{{0, 0}, {time.Minute, 1}, {time.Hour, 1}, {23 * time.Hour, 2}} {
		clock.forward(c.forward)
		if n := look(); n != c.want {
			t.Errorf("at %s: looked %d times, want %d", clock.Now().In(app.KST), n, c.want)
		}
	}
	select {
	case err := <-ended:
		t.Errorf("it ended: %v", err)
	default:
	}
}
