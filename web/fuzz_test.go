package web_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"gage/app"
	"gage/db/dbtest"
	"gage/web"
)

// quietShop is a shop that keeps nothing of its log: it has to tell a million times.
func quietShop(t *testing.T, store app.Store) *buyerShop {
	b := newBuyerShopOn(t, store, false)
	b.Log = slog.New(slog.DiscardHandler)
	s, err := web.New(web.Config{Shop: b.Shop, PublicURL: b.PublicURL, Log: b.Log, Now: b.now, Pace: web.Pace{PerSecond: 1e6, Burst: 1e6}})
	if err != nil {
		t.Fatal(err)
	}
	b.server, b.handler = s, s.Handler()
	return b
}

// The gateway's doors: what strangers reach without a page of ours before it.
var doors = []string{"/smartro/notify", "/smartro/notify/ABCDEFGHIJKLMNOPQRSTUVWXYZ", "/smartro/return", "/smartro/stop"}

// FuzzDoors: whatever arrives at the gateway's doors, the answer is a page or a word, never a fault of ours, and never
// OK but for a notification that was stored.
//
// proves R1, S3
func FuzzDoors(f *testing.F) {
	const signed = "PayMethod=CARD&MID=gagedemo1m&TID=gagedemo1m01012611231405120001&OID=ABC&Amt=33000&ResultCode=3001&SignValue=x"
	for i := range doors {
		f.Add(uint8(i), []byte(signed), "", asForm, "")
		f.Add(uint8(i), []byte(nil), signed, "text/plain", "same-origin")
		f.Add(uint8(i), []byte("Amt=1&AMT=2&TID=%"), "t=x", "multipart/form-data; boundary=a", "none")
	}
	store := dbtest.SQLite(f)
	var b *buyerShop
	f.Fuzz(func(t *testing.T, door uint8, body []byte, query, kind, site string) {
		if b == nil {
			b = quietShop(t, store)
		}
		path := doors[int(door)%len(doors)]
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
		r.URL, r.Host = &url.URL{Path: path, RawQuery: query}, "shop.test"
		r.Header.Set("Content-Type", kind)
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		w := b.send(r)
		said := w.Body.String()
		switch notify := strings.Contains(path, "notify"); {
		case w.Code >= 500:
			t.Fatalf("%s: %d %s", path, w.Code, brief(w))
		case notify && w.Code == http.StatusOK && said != "OK", notify && w.Code != http.StatusOK && strings.Contains(strings.ToUpper(said), "OK"):
			t.Fatalf("%s answers %d with %q", path, w.Code, said)
		}
	})
}

// FuzzSessionCookie: no cookie that was not given out opens the shop.
func FuzzSessionCookie(f *testing.F) {
	for _, c := range []string{"sid=x", "sid=", "sid=\"a b\"; sid=c", "__Host-sid=x", "sid=" + strings.Repeat("A", 43), "lang=en; sid=%00", ";;==", "sid=MTIzNDU2|x|y"} {
		f.Add(c)
	}
	store := dbtest.SQLite(f)
	var b *buyerShop
	f.Fuzz(func(t *testing.T, cookie string) {
		if b == nil {
			b = quietShop(t, store)
		}
		r := httptest.NewRequest(http.MethodGet, "http://shop.test/admin", nil)
		r.Header["Cookie"] = []string{cookie}
		if w := b.send(r); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/admin/sign-in") {
			t.Fatalf("%q: %d to %q: %s", cookie, w.Code, w.Header().Get("Location"), brief(w))
		}
	})
}
