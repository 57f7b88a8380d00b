package web_test

import (
	"bufio"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

// recorder is a store that notes which messages were kept.
type recorder struct {
	app.Store
	kept []string // IDs
}

type recorderTx struct {
	app.Tx
	to *recorder
}

func (r *recorder) Update(ctx context.Context, f func(app.Tx) error) error {
	before := len(r.kept)
	err := r.Store.Update(ctx, func(tx app.Tx) error {
		r.kept = r.kept[:before]
		return f(recorderTx{tx, r})
	})
	if err != nil {
		r.kept = r.kept[:before]
	}
	return err
}

// Repeated knows nothing: every message goes the long way, where it is recorded.
func (r *recorder) Repeated(context.Context, string) (bool, error) { return false, nil }

func (t recorderTx) AddMessage(ctx context.Context, m app.Message) (string, bool, error) {
	id, fresh, err := t.Tx.AddMessage(ctx, m)
	if err == nil {
		t.to.kept = append(t.to.kept, id)
	}
	return id, fresh, err
}

const (
	asForm = "application/x-www-form-urlencoded"
	asFile = "multipart/form-data; boundary=x"
	asJSON = "application/json"
)

// multipart is a body of one field, as browsers write it.
func multipart(name, value string) string {
	return "--x\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n--x--\r\n"
}

// TestStrangersForms: whatever is posted to a form is answered with what is wrong, on both engines.
func TestStrangersForms(t *testing.T) {
	long := url.QueryEscape(strings.Repeat("가", 3000))
	huge := "a=" + strings.Repeat("b", 70<<10)
	cases := []struct {
		what, kind, body string
		chunked          bool
		status           int // 0: any 4xx
	}{
		{"nothing", "", "", false, 0},
		{"an empty form", asForm, "", false, 0},
		{"garbage", asForm, "\x00\x01\xff&&&===%", false, 400},
		{"a broken escape", asForm, "email=%zz&password=%", false, 400},
		{"NUL", asForm, "email=a%00b&password=c%00&name=%00&method=CARD&device=pc&buyer_name=%00&goods=1%00", false, 400},
		{"bytes that are no text", asForm, "email=%ff%fe&password=%c3&name=%80&buyer_name=%ff&goods=%ff", false, 400},
		{"a name of bytes", asForm, "%ff=a", false, 400},
		{"long values", asForm, "email=" + long + "&name=" + long + "&buyer_name=" + long, false, 0},
		{"too much", asForm, huge, false, 413},
		{"too much, of no told length", asForm, huge, true, 413},
		{"too much in parts", asFile, multipart("email", huge), true, 413},
		{"JSON", asJSON, `{"email":"a@example.com","password":"x"}`, false, 415},
		{"text", "text/plain", "email=a", false, 415},
		{"no type", "", "email=a", true, 415},
		{"no type that is one", "a/b/c;;=", "email=a", false, 415},
		{"parts without a boundary", "multipart/form-data", "email=a", false, 400},
		{"parts that end early", asFile, "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nabc", false, 400},
		{"parts that are none", asFile, "email=a", false, 400},
		{"NUL in parts", asFile, multipart("email", "a\x00b"), false, 400},
		{"a good body of parts", asFile, multipart("email", "a@example.com"), false, 0},
		{"many fields", asForm, strings.Repeat("a&", 9_000), false, 0},
	}
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		b := newBuyerShopOn(t, store, true)
		o := b.order(app.OrderInput{})
		invite, err := b.OwnerInvite(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		targets := []string{
			"/admin/sign-in", "/start/" + invite, "/invite/NOSUCHTOKEN", "/sample", "/pay/" + o.Token + "/open", "/pay/NOSUCHTOKEN/open",
		}
		for _, c := range cases {
			for _, target := range targets {
				r := httptest.NewRequest("POST", target, strings.NewReader(c.body))
				r.Host = "shop.test"
				r.Header.Set("Sec-Fetch-Site", "same-origin")
				if c.kind != "" {
					r.Header.Set("Content-Type", c.kind)
				}
				if c.chunked {
					r.ContentLength = -1
				}
				w := b.send(r)
				if w.Code < 400 || w.Code > 499 || c.status != 0 && w.Code != c.status {
					t.Errorf("%s to %s: %d, want %d: %s", c.what, target, w.Code, c.status, brief(w))
				}
				if !strings.Contains(w.Body.String(), "<h1") || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
					t.Errorf("%s to %s: %d says nothing to a person: %s", c.what, target, w.Code, brief(w))
				}
			}
		}
		if all, err := b.Staff(t.Context()); err != nil || len(all) > 0 {
			t.Errorf("people %v, %v", all, err)
		}
	})
}

// TestStrangersAddresses: whatever stands in an address.
func TestStrangersAddresses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		b := newBuyerShopOn(t, store, true)
		cookie := b.desk(app.RoleOwner).cookie
		for _, word := range []string{
			"%00", "%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00", "%ff%fe", "a%00b", "%ED%99%8D", "..%2f..%2fetc%2fpasswd", "%27%20OR%201=1--",
			"%25", strings.Repeat("A", 3000), "%0d%0aX-Injected:%20yes", "-1", "%3Cscript%3E",
		} {
			for _, r := range b.server.Routes() {
				if !strings.ContainsAny(r.Path, ":*") || r.Right == "gateway" {
					continue
				}
				target := parameter.ReplaceAllLiteralString(r.Path, word)
				w := b.do(r.Method, target, "", "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
				if w.Code < 400 || w.Code > 499 {
					t.Errorf("%s %s: %d: %s", r.Method, target, w.Code, brief(w))
				}
				if w.Header().Get("X-Injected") != "" || strings.Contains(w.Body.String(), "<script>") {
					t.Errorf("%s %s: the address came into the answer", r.Method, target)
				}
			}
		}
		for _, target := range []string{
			"/?lang=%00", "/?%zz", "/?q=%ff", "/pay/received?lang=%ff", "/admin/sign-in?next=%00%ff", "/admin/sign-in?next=%zz", "/pay/NOSUCH?method=%00&again=%ff",
		} {
			if w := b.do("GET", target, "", "Accept-Language", "\xff\xfe;q=x,,;", "User-Agent", "\xff", "Cookie", "lang=\"; sid=%00; =;;"); w.Code >= 500 {
				t.Errorf("GET %s: %d", target, w.Code)
			}
		}
	})
}

// fieldName finds what the forms of a page send.
var fieldName = regexp.MustCompile(`<(?:input|select|textarea|button)[^>]* name="([^"]+)"`)

// fieldsOf are the names of all fields of the back office's forms, as its pages have them.
func fieldsOf(d *desk, fill func(string) string) []string {
	names := map[string]bool{"kept": true, "password_again": true, "confirm": true}
	for _, r := range d.server.Routes() {
		if r.Method == http.MethodGet && r.Authority == "session" {
			for _, m := range fieldName.FindAllStringSubmatch(d.get(fill(r.Path)).Body.String(), -1) {
				names[m[1]] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// TestStaffFormsTakeGarbage: people at the desk mistype; no form of theirs fails on it, on either engine.
func TestStaffFormsTakeGarbage(t *testing.T) {
	whole(t)
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		b := newBuyerShopOn(t, store, true)
		d := b.desk(app.RoleOwner)
		o := b.order(known())
		_, form := b.open(o, "device=pc&method=CARD")
		notice, err := b.NoticeURL(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if w := b.do("POST", path(t, notice), result(form, "3001").Encode()); w.Body.String() != "OK" {
			t.Fatal(w.Code, w.Body)
		}
		sub, err := b.CreateSubscription(t.Context(), d.who, app.SubscriptionInput{Name: "홍길동", Tel: "010-9999-1111", Email: "hong@example.com", Goods: "우유", Amount: 33_000, Day: app.OnDemand})
		if err != nil {
			t.Fatal(err)
		}
		list, _, err := b.Inbox(t.Context(), app.InboxQuery{Limit: 1})
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		of := strings.NewReplacer(":moid", form.get("Moid"), "subscriptions/:no", "subscriptions/"+string(sub.No), ":no", string(o.No), "messages/:id", "messages/"+list[0].ID)
		fill := func(path string) string {
			return parameter.ReplaceAllString(of.Replace(path), "NOSUCHTHINGNOSUCHTHING")
		}
		names := fieldsOf(d, fill)
		if len(names) < 70 {
			t.Errorf("only %d fields found: %v", len(names), names)
		}
		posted := map[string]bool{}
		for _, g := range []string{
			"", " ", "-1", "0", "x", "yes", "real", "'", "%", "\x01\x7f", "a\nb\r\nc", "\u202e\ufeff", "😀", strings.Repeat("가", 1000), strings.Repeat("9", 400),
			"<script>", "http://[::1", "javascript:x", "9999-99-99", "CARD", "\x00", "\xff",
		} {
			v := url.Values{}
			for _, name := range names {
				v.Set(name, g)
			}
			for _, r := range b.server.Routes() {
				if r.Method != http.MethodPost || r.Right == "public" || r.Right == "gateway" || r.Right == "halfway" {
					continue
				}
				w := d.post(fill(r.Path), v)
				if w.Code >= 500 || strings.Contains(w.Body.String(), "<script>\"") {
					t.Errorf("%q to %s: %d %s", g, r.Path, w.Code, brief(w))
				}
				if strings.HasPrefix(w.Header().Get("Location"), "/admin/sign-in") {
					t.Fatalf("%q to %s: signed out", g, r.Path)
				}
				posted[r.Path] = true
			}
		}
		if len(posted) < 60 {
			t.Errorf("only %d forms were tried", len(posted))
		}
		for _, page := range []string{"/admin", "/admin/settings", "/admin/work", "/admin/requests", "/admin/payments/" + form.get("Moid"), "/pay/" + o.Token} {
			says(t, d.get(page), 200)
		}
	})
}

// TestGatewaysDoorsKeepWhatCame: what is no notice is refused in clear words, and is there to be looked at.
//
// proves S3
func TestGatewaysDoorsKeepWhatCame(t *testing.T) {
	signed := func(form opened, change func(url.Values)) string {
		v := result(form, "3001")
		change(v)
		return v.Encode()
	}
	set := func(name, value string) func(opened) string {
		return func(form opened) string { return signed(form, func(v url.Values) { v.Set(name, value) }) }
	}
	always := func(s string) func(opened) string { return func(opened) string { return s } }
	cases := map[string]struct {
		kind string
		body func(opened) string
	}{
		"nothing":            {asForm, always("")},
		"garbage":            {asForm, always("\x00\xff\xfe garbage &&& === %")},
		"broken escapes":     {asForm, always("TID=%zz&ResultCode=%")},
		"JSON":               {asJSON, always(`{"TID":"gagedemo1m01012611231405123881"}`)},
		"broken parts":       {asFile, always("--x\r\nContent-Disposition: form-data; name=\"TID\"\r\n\r\nabc")},
		"a type of bytes":    {"\xff\xfe\x80", always("a=b")},
		"a field twice":      {asForm, always("TID=gagedemo1m01012611231405123881&tid=gagedemo1m01012611231405123882&ResultCode=3001")},
		"NUL in the code":    {asForm, set("ResultCode", "30\x0001")},
		"NUL in the message": {asForm, set("ResultMsg", "a\x00b")},
		"NUL in the order":   {asForm, set("OID", "A\x001")},
		"NUL in the TID":     {asForm, set("TID", "gagedemo1m0101261123140512\x00881")},
		"NUL in the MID":     {asForm, set("MID", "gage\x00demo1")},
		"NUL in the method":  {asForm, set("PayMethod", "CA\x00RD")},
		"NUL in the token":   {asForm, set("MallReserved", "rt=\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")},
		"NUL in the time":    {asForm, set("AuthDate", "2611\x0023140512")},
		"NUL in the card":    {asForm, set("appCardName", "\x00")},
		"NUL in the number":  {asForm, set("AuthCode", "3001\x00345")},
		"no amount":          {asForm, set("Amt", "-1")},
		"an amount in words": {asForm, set("Amt", "삼만삼천")},
		"a huge amount":      {asForm, set("Amt", "99999999999999999999")},
		"bytes of no text":   {asForm, func(form opened) string { return signed(form, func(url.Values) {}) + "&BuyerName=%ff%fe&x%ff=%80" }},
		"a long value":       {asForm, set("ResultMsg", strings.Repeat("가", 5000))},
		"many fields":        {asForm, always(strings.Repeat("a=b&", 15_000))},
	}
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		kept := &recorder{Store: store}
		b := newBuyerShopOn(t, kept, false)
		notice, err := b.NoticeURL(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, form := b.open(b.order(known()), "device=pc&method=CARD")
		for what, c := range cases {
			for _, target := range []string{
				"/smartro/return", "/smartro/return?t=%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00", "/smartro/return?t=%ff%zz",
				"/smartro/stop", "/smartro/stop?t=%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00",
				"/smartro/notify", "/smartro/notify/%00%ff", path(t, notice),
			} {
				body := c.body(form)
				before := len(kept.kept)
				w := b.do("POST", target, body, "Content-Type", c.kind, "User-Agent", "\xff\xfe", "Referer", "\x80")
				if w.Code >= 500 || w.Code < 200 {
					t.Errorf("%s to %s: %d %s", what, target, w.Code, w.Body)
				}
				if w.Code >= 400 && !strings.Contains(w.Body.String(), "<h1") && !strings.HasPrefix(w.Body.String(), "refused: ") {
					t.Errorf("%s to %s: %d says nothing: %s", what, target, w.Code, w.Body)
				}
				if len(kept.kept) != before+1 {
					t.Errorf("%s to %s: %d messages kept, want 1", what, target, len(kept.kept)-before)
					continue
				}
				m, err := b.Store.Message(t.Context(), kept.kept[before])
				if err != nil || m.RawLen != len(body) && len(body) > 0 || !strings.HasPrefix(body, string(m.Raw)) && len(body) > 0 {
					t.Errorf("%s to %s: kept %+v, %v", what, target, m, err)
				}
				if m.Verdict == app.VerdictUnjudged {
					t.Errorf("%s to %s: could not be judged", what, target)
				}
			}
		}
	})
}

// TestBrokenRequests: what net/http itself refuses is refused, and the server answers the next one.
func TestBrokenRequests(t *testing.T) {
	b := newBuyerShop(t, false)
	server := httptest.NewServer(b.handler)
	defer server.Close()
	for request, status := range map[string]int{
		"GET /pay/%zz HTTP/1.1\r\nHost: shop.test\r\n\r\n":                400,
		"GET /pay/%00 HTTP/1.1\r\nHost: shop.test\r\n\r\n":                404,
		"GET / HTTP/1.1\r\n\r\n":                                          400,
		"GET / HTTP/1.1\r\nHost: shop.test\r\nHost: evil.example\r\n\r\n": 400,
		"GET / HTTP/1.1\r\nHost: shop.test\r\nA\x00: b\r\n\r\n":           400,
		"GET http://evil.example/ HTTP/1.1\r\nHost: shop.test\r\n\r\n":    421,
		"GARBAGE\r\n\r\n": 400,
		"POST /admin/sign-in HTTP/1.1\r\nHost: shop.test\r\nContent-Length: -1\r\n\r\n":  400,
		"POST /smartro/notify HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 5\r\n\r\na": 400, // the sender hangs up
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%q: %v", request, err)
			continue
		}
		if resp.StatusCode != status {
			t.Errorf("%q: %d, want %d", request, resp.StatusCode, status)
		}
		resp.Body.Close()
		conn.Close()
	}
}

// whole leaves a test out of short runs, which is how the race detector's are: it asks one thing after the other, and
// takes a minute so.
func whole(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it runs whole or not at all: leave -short out")
	}
}
