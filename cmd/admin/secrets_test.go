package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
	"gage/smartro/sandbox"
)

// What must never be in a log.
const (
	canaryKey      = "CanaryMerchantKey+/0123456789abcdefghijklmnopqrstuvwxyz=="
	canaryCancelPW = "canary-cancel-pw"
	canaryPassword = "canary password of 24 le"
	canaryMail     = "canary-owner@shop.example"
	canaryBuyer    = "황금달"
	canaryTel      = "01077430918"
	canaryBuyMail  = "canary-buyer@example.com"
	canaryAccount  = "73920461558"
)

// TestLogsKeepSecrets: a shop and its gateway log all they can while the owner signs in (wrongly, too), a buyer pays
// by card and into an account, things come garbled and forged, cancels succeed, stay unknown and meet no gateway. The logs name
// orders, and none of the secrets or people.
func TestLogsKeepSecrets(t *testing.T) {
	s := openLogged(t)
	secrets := s.walk(t)
	s.stop()

	logged := s.log.String()
	for what, secret := range secrets {
		for _, form := range []string{secret, url.QueryEscape(secret), string(smartro.EncodeForm([]smartro.Field{{Value: secret}}, smartro.EUCKR))[1:]} {
			if len(secret) < 3 {
				t.Errorf("%s is %q: not seen", what, secret)
			} else if strings.Contains(logged, form) {
				t.Errorf("%s is in the log", what)
			}
		}
	}
	for _, want := range []string{`"route":"/pay/:token/open"`, `"route":"/smartro/notify/:secret"`, `"route":"/admin/payments/:moid/cancel"`, "a sign-in was refused", "an inquiry failed"} {
		if !strings.Contains(logged, want) {
			t.Errorf("%s is not in the log", want)
		}
	}
}

// loggedShop is a shop and a gateway whose logs, debugging included, go to one place.
type loggedShop struct {
	*house
	site, gateway string
	log           *output
	stop          func()
	client        *buyer
	cookie        string
}

func openLogged(t *testing.T) *loggedShop { return openLoggedWith(t, func(*houseConfig) {}) }

// openLoggedWith lets a test say more about the shop.
func openLoggedWith(t *testing.T, more func(*houseConfig)) *loggedShop {
	t.Helper()
	s := &loggedShop{log: new(output), client: newBuyer()}
	log := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	shopLn, err := listen(t.Context(), "listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gatewayLn, err := listen(t.Context(), "listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.site, s.gateway = siteOf(shopLn), siteOf(gatewayLn)
	cfg := houseConfig{
		Data: filepath.Join(t.TempDir(), "data"), Name: "gage", PublicURL: s.site, Loopback: true, Now: time.Now, Log: log,
	}
	more(&cfg)
	s.house, err = openHouse(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.gatewayAt(t, s.gateway)
	notices, err := s.shop.NoticeURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g, err := sandbox.New(sandbox.Config{MerchantKey: canaryKey, CancelPassword: canaryCancelPW, BaseURL: s.gateway, NotifyURL: notices, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- runParts(ctx, s.work,
			func(ctx context.Context) error { return serveHTTP(ctx, gatewayLn, g.Handler(), log) },
			func(ctx context.Context) error { return serveHTTP(ctx, shopLn, s.pages, log) }, g.Run)
	}()
	s.stop = sync.OnceFunc(func() {
		s.client.http.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stop: %v", err)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

// gatewayAt makes the contract, at a gateway that may be there or not.
func (s *loggedShop) gatewayAt(t *testing.T, site string) {
	t.Helper()
	m := sandboxMerchant()
	m.Key, m.CancelPassword, m.Endpoints, m.InquiryProves = canaryKey, canaryCancelPW, smartro.EndpointsAt(site), true
	if err := s.shop.SetMerchant(t.Context(), operator(), m); err != nil {
		t.Fatal(err)
	}
}

// walk does all that there is to do, and returns what must not be in the log, by name.
func (s *loggedShop) walk(t *testing.T) map[string]string {
	t.Helper()
	secrets := map[string]string{
		"merchant key": canaryKey, "cancel password": canaryCancelPW, "password": canaryPassword, "owner's mail": canaryMail,
		"buyer's name": canaryBuyer, "buyer's phone": canaryTel, "buyer's mail": canaryBuyMail, "refund account": canaryAccount,
	}
	secrets["owner's link"] = s.signUp(t)
	secrets["session"] = strings.TrimPrefix(s.cookie, "sid=")
	s.send(t, "/admin/sign-in", url.Values{"email": {canaryMail}, "password": {canaryPassword + "!"}}, http.StatusUnauthorized)

	card := s.buy(t, "CARD", secrets)
	s.cancel(t, card, url.Values{"how": {"part"}, "amount": {"1,000"}})
	s.misbehave(t, "cancel_garbage")
	s.cancel(t, card, url.Values{"how": {"part"}, "amount": {"2,000"}})
	account := s.buy(t, "VBANK", secrets)
	s.send(t, "/admin/payments/"+string(card)+"/reveal", url.Values{"reason": {"call"}}, http.StatusOK)
	s.cancel(t, account, url.Values{"how": {"all"}, "refund_bank": {"004"}, "refund_acct": {canaryAccount}, "refund_name": {canaryBuyer}})

	u, err := s.shop.NoticeURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(u, s.site)
	secrets["notification secret"] = path[strings.LastIndex(path, "/")+1:]
	forged := url.Values{"MID": {sandbox.DefaultMID}, "OID": {string(card)}, "name": {canaryBuyer}, "SignValue": {"forged"}, "pinNo": {"9823431234564333"}}
	secrets["card number"] = forged.Get("pinNo")
	s.send(t, path, forged, http.StatusOK)
	s.send(t, "/smartro/notify/"+canaryAccount, forged, http.StatusOK)
	s.send(t, "/smartro/return?t="+canaryAccount, forged, http.StatusSeeOther)
	s.send(t, path, url.Values{"OID": {canaryBuyer, canaryBuyer}}, http.StatusBadRequest)
	s.send(t, "/nothing/"+canaryAccount+"?q="+canaryTel, url.Values{"name": {canaryBuyer}}, http.StatusNotFound)
	last := s.buy(t, "BANK", secrets)
	s.gatewayAt(t, "http://127.0.0.1:1")
	s.cancel(t, last, url.Values{"how": {"all"}})
	s.send(t, "/admin/payments/"+string(last)+"/ask", url.Values{}, http.StatusSeeOther)
	s.send(t, "/admin/sign-out", url.Values{}, http.StatusSeeOther)
	return secrets
}

// signUp makes the owner's account and keeps the session.
func (s *loggedShop) signUp(t *testing.T) (token string) {
	t.Helper()
	token, err := s.shop.OwnerInvite(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	resp := s.send(t, "/start/"+token, url.Values{"email": {canaryMail}, "name": {"주인"}, "password": {canaryPassword}}, http.StatusSeeOther)
	for _, c := range resp.Cookies() {
		s.cookie = c.Name + "=" + c.Value
	}
	return token
}

// send posts a form with the session's cookie and expects a status.
func (s *loggedShop) send(t *testing.T, path string, v url.Values, want int) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.site+path, strings.NewReader(v.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !strings.HasPrefix(path, "/smartro/") {
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		req.Header.Set("Cookie", s.cookie)
	}
	resp, err := s.client.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != want {
		t.Fatalf("POST %s: HTTP %d, want %d: %s", path, resp.StatusCode, want, body[:min(len(body), 300)])
	}
	return resp
}

// buy requests a payment, pays it in the gateway's window, and waits until the shop believes it.
func (s *loggedShop) buy(t *testing.T, method string, secrets map[string]string) app.Moid {
	t.Helper()
	resp := s.send(t, "/admin/requests/new", url.Values{
		"goods": {"겨울 목도리"}, "amount": {"48,500"}, "buyer_name": {canaryBuyer}, "buyer_tel": {canaryTel}, "buyer_email": {canaryBuyMail},
	}, http.StatusSeeOther)
	at, _, _ := strings.Cut(strings.TrimPrefix(resp.Header.Get("Location"), "/admin/requests/"), "?")
	no := app.OrderNo(at)
	o, err := s.shop.Order(t.Context(), no)
	if err != nil {
		t.Fatal(err)
	}
	page := s.site + "/pay/" + o.Token
	answer := postForm(t, s.client, page+"/open", url.Values{"method": {method}, "device": {"pc"}}, "application/json")
	defer answer.Body.Close()
	var form struct {
		Action string
		Fields [][2]string
	}
	if err := json.NewDecoder(answer.Body).Decode(&form); err != nil || form.Action == "" {
		t.Fatalf("open: HTTP %d, %v", answer.StatusCode, err)
	}
	pay := smartro.Form{Action: form.Action, Charset: smartro.EUCKR}
	for _, p := range form.Fields {
		pay.Fields = append(pay.Fields, smartro.Field{Name: p[0], Value: p[1]})
	}
	window, err := s.client.open(t.Context(), pay)
	if err != nil {
		t.Fatal(err)
	}
	ticks := watch(t, page)
	if err := s.client.press(t.Context(), window, approve); err != nil {
		t.Fatal(err)
	}
	if method == "VBANK" {
		s.until(t, page, ticks, "waiting")
		s.deposit(t, no)
	}
	s.until(t, page, ticks, "paid")
	ps, err := s.shop.Store.PaymentsOf(t.Context(), no)
	if err != nil || len(ps) != 1 {
		t.Fatal(len(ps), err)
	}
	secrets[method+" order's link"], secrets[method+" return token"] = o.Token, ps[0].ReturnToken
	switch method {
	case "VBANK":
		secrets["account to pay to"] = ps[0].VbankNum
	case "CARD":
		secrets["masked card number"] = ps[0].CardNum
	}
	return ps[0].Moid
}

func (s *loggedShop) until(t *testing.T, page string, ticks <-chan struct{}, want string) {
	t.Helper()
	for statusOf(t, page) != want {
		<-ticks
	}
}

// control posts an order to the gateway's control desk.
func (s *loggedShop) control(t *testing.T, path string, v any) {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.client.control(t.Context(), s.gateway+path, string(body)); err != nil {
		t.Fatal(err)
	}
}

func (s *loggedShop) misbehave(t *testing.T, fault string) {
	t.Helper()
	s.control(t, "/control/api/faults", map[string]string{"fault": fault, "scope": "next"})
}

func (s *loggedShop) deposit(t *testing.T, no app.OrderNo) {
	t.Helper()
	ps, err := s.shop.Store.PaymentsOf(t.Context(), no)
	if err != nil || len(ps) != 1 {
		t.Fatal(len(ps), err)
	}
	s.control(t, "/control/api/deposit", map[string]string{"tid": string(ps[0].TID)})
}

// cancel confirms a cancel, as the second step of the form does.
func (s *loggedShop) cancel(t *testing.T, moid app.Moid, v url.Values) {
	t.Helper()
	v.Set("key", fmt.Sprintf("cancel %s of %s", v.Get("amount"), moid))
	v.Set("reason", "사이즈 교환")
	v.Set("confirm", "yes")
	s.send(t, "/admin/payments/"+string(moid)+"/cancel", v, http.StatusSeeOther)
}
