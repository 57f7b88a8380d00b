package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

const (
	canaryPassphrase = "canary passphrase of the backups"
	canaryCard       = "9823431234564333"
)

// TestCanaries: secrets and a buyer, all invented for this, go through everything that a shop does: payments by every
// method, cancels, refunds, messages of all kinds, every route of the table as nobody and as every role, well and
// badly asked, exports, backup, restore, verify, staff commands, a changed key. Then everything that came out – pages,
// headers and addresses, logs, what commands print, the database, its log, the mirror, the backup, the heads – is
// searched for them as they are and in every encoding that is likely. The few places that may show them are in
// allowedOn. A new route is walked by itself.
//
// proves S19, S20, I9
func TestCanaries(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			if engine == "postgres" && testing.Short() {
				t.Skip("the pages are the same; SQLite's files were searched")
			}
			newHunt(t, engine).run(t)
		})
	}
}

// hunted is a shop that everything is done with, and all that came out of it.
type hunted struct {
	*loggedShop
	cfg      houseConfig
	record   *recorder
	canaries []canary
	printed  []seen
	sessions map[app.Role]string
	ids      map[string][]string // what stands for a parameter, by the path before it
}

func newHunt(t *testing.T, engine string) *hunted {
	t.Helper()
	h := &hunted{sessions: map[app.Role]string{}, ids: map[string][]string{}}
	h.loggedShop = openLoggedWith(t, func(cfg *houseConfig) {
		cfg.SealWork = 10
		if engine == "postgres" {
			cfg.DatabaseURL = dbtest.PostgresURL(t)
		} else {
			cfg.Mirror = filepath.Join(t.TempDir(), "mirror")
		}
		h.cfg = *cfg
	})
	h.record = &recorder{site: h.site, next: h.client.http.Transport}
	h.client.http.Transport = h.record
	return h
}

func (h *hunted) run(t *testing.T) {
	found := map[string]bool{}
	h.live(t)
	h.sweep(t)
	if err := h.keepHead(t.Context()); err != nil {
		t.Error(err)
	}
	h.commands(t)
	h.stop()
	h.rotate(t)
	places := append(h.record.all, h.printed...)
	places = append(places, seen{place: "the log", text: []byte(h.log.String())})
	places = append(places, h.files(t)...)
	for name := range hunt(t, h.canaries, unpacked(t, places)) {
		found[name] = true
	}
	for _, want := range []string{"/reveal → 200", "notification secret in GET /admin/settings"} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(found)), func(name string) bool { return strings.Contains(name, want) }) {
			t.Errorf("nothing was found where it is allowed: %q, only %v", want, found)
		}
	}
	t.Logf("searched %d places for %d canaries", len(places), len(h.canaries))
}

// live does what the shop's people and buyers do, and learns what must not come out.
func (h *hunted) live(t *testing.T) {
	t.Helper()
	secrets := h.walk(t)
	person := map[string]bool{"buyer's name": true, "buyer's phone": true, "buyer's mail": true, "refund account": true, "card number": true, "account to pay to": true}
	for what, value := range secrets {
		if strings.Contains(what, "link") || strings.Contains(what, "return token") || strings.Contains(what, "masked") || what == "owner's mail" {
			continue // addresses that open a page are shown to who may open it; people at work see each other's
		}
		h.canaries = append(h.canaries, canary{what, value, person[what]})
	}
	ring, err := h.cfg.ringFile()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(ring[0])
	if err != nil {
		t.Fatal(err)
	}
	h.canaries = append(h.canaries, canary{"key ring", ring[0], false}, canary{"key ring's bytes", string(raw), false},
		canary{"passphrase", canaryPassphrase, false}, canary{"a card number typed by the forger", canaryCard, true})

	for _, role := range app.Roles() {
		mail := string(role) + "@shop.example"
		if _, err := h.shop.AddStaff(t.Context(), mail, "직원 "+string(role), role, canaryPassword); err != nil {
			t.Fatal(err)
		}
		h.signInAs(t, role)
	}
	h.gatewayAt(t, h.gateway)
	h.cookie = h.sessions[app.RoleOwner]
	for _, method := range []string{"BANK", "CELLPHONE", "KAKAO"} {
		h.buy(t, method, map[string]string{})
	}
	sub, err := h.shop.CreateSubscription(t.Context(), operator(), app.SubscriptionInput{
		Name: canaryBuyer, Tel: canaryTel, Email: canaryBuyMail, Goods: "매달 꽃다발", Amount: 30_000, Day: 5,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.chargeCard(t, sub)
	h.learnIDs(t)
	for _, form := range []url.Values{{"reason": {"call"}, "format": {"csv"}}, {"reason": {"call"}, "format": {"xlsx"}}, {"reason": {"call"}, "format": {"csv"}, "personal": {"yes"}}} {
		h.post(t, "/admin/export", form)
	}
}

// chargeCard registers the subscription's card in the gateway's window and charges it. The billing key is a canary.
func (h *hunted) chargeCard(t *testing.T, sub app.Subscription) {
	t.Helper()
	form, err := h.shop.OpenCardWindow(t.Context(), sub.Token, app.CardWindowInput{UserIP: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	b := newBuyer()
	defer b.http.CloseIdleConnections()
	window, err := b.open(t.Context(), form)
	if err == nil {
		err = b.press(t.Context(), window, approve)
	}
	if err != nil {
		t.Fatal(err)
	}
	if sub, err = h.shop.Store.Subscription(t.Context(), sub.No); err != nil {
		t.Fatal(err)
	}
	card, err := h.shop.Store.Card(t.Context(), sub.No, sub.KeyID)
	if err != nil || card.Key == "" {
		t.Fatal(err, "no card was registered")
	}
	h.canaries = append(h.canaries, canary{"billing key", card.Key.Reveal(), false})
	c, err := h.shop.ChargeNow(t.Context(), operator(), sub.No, "canaryChargeForm")
	if err != nil || c.State != app.ChargePaid {
		t.Fatal(err, c.State)
	}
	h.ids["/admin/subscriptions/"] = append(h.ids["/admin/subscriptions/"], string(sub.No))
	h.ids["/admin/charges/"] = append(h.ids["/admin/charges/"], c.ID)
	h.ids["/subscription/"] = append(h.ids["/subscription/"], sub.Token)
}

// signInAs begins a session of a person of that role. Its secret is a canary, too.
func (h *hunted) signInAs(t *testing.T, role app.Role) {
	t.Helper()
	h.cookie = ""
	resp := h.send(t, "/admin/sign-in", url.Values{"email": {string(role) + "@shop.example"}, "password": {canaryPassword}}, http.StatusSeeOther)
	for _, c := range resp.Cookies() {
		h.sessions[role] = c.Name + "=" + c.Value
		h.canaries = append(h.canaries, canary{"session of the " + string(role), c.Value, false})
	}
}

// learnIDs reads what can stand in the addresses.
func (h *hunted) learnIDs(t *testing.T) {
	t.Helper()
	orders, err := h.shop.Orders(t.Context(), app.OrderQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	add := func(at, id string) { h.ids[at] = append(h.ids[at], id) }
	for _, o := range orders {
		add("/admin/requests/", string(o.No))
		add("/pay/", o.Token)
		payments, err1 := h.shop.Store.PaymentsOf(t.Context(), o.No)
		messages, err2 := h.shop.Store.Messages(t.Context(), o.No)
		cancels, err3 := h.shop.Store.Cancels(t.Context(), o.No)
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatal(err1, err2, err3)
		}
		for _, p := range payments {
			add("/admin/payments/", string(p.Moid))
		}
		for _, m := range messages {
			add("/admin/messages/", m.ID)
		}
		for _, c := range cancels {
			add("/admin/cancels/", c.ID)
		}
	}
	holds, err := h.shop.Store.Holds(t.Context(), false, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range holds {
		add("/admin/holds/", v.ID)
	}
	for _, at := range []string{"/admin/holds/", "/admin/jobs/", "/start/", "/invite/", "/smartro/notify/"} {
		add(at, "NOSUCHNOSUCHNOSUCHNOSUCH")
	}
}

// mostIDs of a kind are walked as every role: one payment of each method is among the newest. A short run takes fewer.
func mostIDs() int {
	if testing.Short() {
		return 2
	}
	return 6
}

// addresses are a route's path with its parameters filled in.
func (h *hunted) addresses(t *testing.T, path string) []string {
	t.Helper()
	at, rest, found := strings.Cut(path, ":")
	if !found {
		return []string{strings.TrimSuffix(path, "*")}
	}
	_, after, _ := strings.Cut(rest, "/")
	if after != "" {
		after = "/" + after
	}
	ids := h.ids[at]
	if len(ids) == 0 {
		t.Logf("no page links to %s: it is walked with what is not there alone", path)
	}
	list := []string{at + "NOSUCH" + after}
	for _, id := range ids[:min(len(ids), mostIDs())] {
		list = append(list, at+id+after)
	}
	return list
}

// link is an address of ours on a page.
var link = regexp.MustCompile(`(?:href|action)="(?:http://127\.0\.0\.1:\d+)?(/[^"?#]*)`)

// follow learns from the links of all pages so far what stands for the parameters of routes.
func (h *hunted) follow(routes []*echo.Route) {
	links := map[string]bool{}
	for _, p := range h.record.all {
		for _, m := range link.FindAllSubmatch(p.text, -1) {
			links[string(m[1])] = true
		}
	}
	for _, r := range routes {
		at, rest, found := strings.Cut(r.Path, ":")
		_, after, more := strings.Cut(rest, "/")
		if !found {
			continue
		}
		for _, path := range slices.Sorted(maps.Keys(links)) {
			id, begins := strings.CutPrefix(path, at)
			if more {
				id, _ = strings.CutSuffix(id, "/"+after)
			}
			if begins && id != "" && id != "new" && !strings.Contains(id, "/") && !slices.Contains(h.ids[at], id) {
				h.ids[at] = append(h.ids[at], id)
			}
		}
	}
}

// sweep asks for every route as nobody and as every role: first the pages, plainly and with what a caller might type,
// then the forms, empty and filled with what they must not give back.
func (h *hunted) sweep(t *testing.T) {
	t.Helper()
	router, ok := h.pages.(*echo.Echo)
	if !ok {
		t.Fatalf("the pages are a %T: this test reads the routes from them", h.pages)
	}
	routes := router.Routes()
	if len(routes) < 50 {
		t.Errorf("%d routes", len(routes))
	}
	slices.SortFunc(routes, func(a, b *echo.Route) int { return strings.Compare(a.Method+a.Path, b.Method+b.Path) })
	for range 2 { // what the lists link to, and what that links to
		for _, r := range routes {
			if r.Method == http.MethodGet && !strings.Contains(r.Path, "/events") {
				for _, at := range h.addresses(t, r.Path) {
					h.ask(t, app.RoleOwner, r.Method, at)
				}
			}
		}
		h.follow(routes)
	}
	roles := append([]app.Role{""}, app.Roles()...)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, r := range routes {
			if r.Method != method || r.Path == "/admin/sign-in" && method == http.MethodPost {
				continue // wrong passwords lock everybody out: walk has signed in, well and badly
			}
			for _, role := range roles {
				for _, at := range h.addresses(t, r.Path) {
					h.ask(t, role, method, at)
				}
			}
		}
	}
}

// ask sends one request as a role, and signs in again when that ended its session.
func (h *hunted) ask(t *testing.T, role app.Role, method, at string) {
	t.Helper()
	if h.cookie = h.sessions[role]; role != "" && h.cookie == "" {
		h.signInAs(t, role)
	}
	if method == http.MethodGet {
		h.fetch(t, at)
		h.fetch(t, at+"?"+url.Values{"q": {canaryTel}, "lang": {"en"}, "reason": {canaryBuyer}}.Encode())
		return
	}
	h.post(t, at, url.Values{})
	typed := url.Values{
		"buyer_name": {canaryBuyer}, "buyer_tel": {canaryTel}, "email": {"nonsense"}, "note": {canaryBuyer}, "password": {canaryPassword + " or not"},
		"cancel_password": {canaryCancelPW}, "refund_acct": {canaryAccount}, "pinNo": {canaryCard}, "words": {canaryBuyer},
	}
	if strings.HasPrefix(at, "/admin/settings") { // elsewhere it is the name of a form, and comes back
		typed.Set("key", canaryKey)
	}
	resp := h.post(t, at, typed)
	if role != "" && (at == "/admin/sign-out" || resp.Header.Get("Location") == "/admin/sign-in") {
		h.sessions[role] = ""
	}
}

// fetch gets a page to its end; of a stream it takes what comes at once.
func (h *hunted) fetch(t *testing.T, at string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if path, _, _ := strings.Cut(at, "?"); strings.HasSuffix(path, "/events") {
		defer time.AfterFunc(100*time.Millisecond, stop).Stop()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.site+at, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.do(t, req)
}

func (h *hunted) post(t *testing.T, at string, form url.Values) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.site+at, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return h.do(t, req)
}

func (h *hunted) do(t *testing.T, req *http.Request) *http.Response {
	t.Helper()
	if !strings.HasPrefix(req.URL.Path, "/smartro/") {
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		req.Header.Set("Cookie", h.cookie)
	}
	resp, err := h.client.http.Do(req)
	if err != nil {
		if req.Context().Err() == nil {
			t.Fatalf("%s %s: %v", req.Method, req.URL.Path, err)
		}
		return &http.Response{Header: http.Header{}}
	}
	resp.Body.Close()
	return resp
}

// commands runs what an owner runs on the server, beside the shop.
func (h *hunted) commands(t *testing.T) {
	t.Helper()
	phrase, file := passphraseFile(t, canaryPassphrase), filepath.Join(t.TempDir(), "shop.backup")
	into := filepath.Join(t.TempDir(), "restored")
	env := h.cfg.env()
	for _, args := range [][]string{
		{"backup", file, "--passphrase-file", phrase}, {"verify"}, {"restore", file, "--passphrase-file", phrase, "--data", into, "--database-url", ""},
		{"verify", "--data", into, "--database-url", ""}, {"restore", file, "--passphrase-file", phrase}, {"staff", "list"},
	} {
		_, stdout, stderr := try(t, env, args...)
		h.printed = append(h.printed, seen{place: "what admin " + strings.Join(args[:1], " ") + " prints", text: []byte(stdout + stderr)})
	}
	h.read(t, "the backup", file)
	h.folder(t, "the restored shop", into)
}

// rotate gives the stopped shop another key, and finds nothing sealed with the old one.
func (h *hunted) rotate(t *testing.T) {
	t.Helper()
	ring, err := h.cfg.ringFile()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(ring[0])
	if err != nil {
		t.Fatal(err)
	}
	old, err := app.NewKeyring(raw)
	if err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := try(t, h.cfg.env(), "rotate-key")
	if code != exitOK {
		t.Fatalf("rotate-key: %d %s", code, stderr)
	}
	h.printed = append(h.printed, seen{place: "what admin rotate-key prints", text: []byte(stdout + stderr)})
	if rows := h.dump(t); bytes.Contains(rows, []byte(`"`+old.First()+`.`)) {
		i := bytes.Index(rows, []byte(`"`+old.First()+`.`))
		t.Errorf("something is still sealed with the old key: %s", rows[max(0, i-80):i])
	}
}

// dump is every row of every table as it stands there.
func (h *hunted) dump(t *testing.T) []byte {
	t.Helper()
	src, err := db.OpenSource(t.Context(), h.cfg.records())
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var rows bytes.Buffer
	if _, _, err := src.Dump(t.Context(), &rows, db.DumpHeader{Program: "test"}); err != nil {
		t.Fatal(err)
	}
	return rows.Bytes()
}

// files are all that the shop left on its disk, and in its database. Only the key file may hold the key.
func (h *hunted) files(t *testing.T) []seen {
	t.Helper()
	h.printed = nil
	h.folder(t, "the data folder", h.cfg.Data)
	if h.cfg.Mirror != "" {
		h.read(t, "the mirror", h.cfg.Mirror)
	}
	return append(h.printed, seen{place: "the rows of the database", text: h.dump(t)})
}

func (h *hunted) folder(t *testing.T, place, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Ext(path) == ".key" {
			return err
		}
		h.read(t, place+"'s "+d.Name(), path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (h *hunted) read(t *testing.T, place, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h.printed = append(h.printed, seen{place: place, text: text})
}

// unpacked adds what is inside archives.
func unpacked(t *testing.T, places []seen) []seen {
	t.Helper()
	for _, p := range places {
		i := bytes.Index(p.text, []byte("PK\x03\x04"))
		if i < 0 {
			continue
		}
		r, err := zip.NewReader(bytes.NewReader(p.text[i:]), int64(len(p.text)-i))
		if err != nil {
			continue
		}
		for _, f := range r.File {
			in, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(in)
			if err != nil {
				t.Fatal(err)
			}
			q := p
			q.place, q.text = p.place+" ("+f.Name+")", text
			places = append(places, q)
		}
	}
	return places
}
