package kill

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"

	"gage/smartro"
)

// password of everybody in the shop that is killed.
const password = "the people of this shop"

// staff is the browser of somebody who works in the shop: its owner or its clerk.
type staff struct {
	*browser
	site, email string
	clerk       bool
	t           *truth
}

// begin makes an account with a link: the first start printed the owner's.
func (s *staff) begin(ctx context.Context, link string) error {
	p, err := s.get(ctx, s.site+link)
	if err != nil {
		return err
	}
	f, err := p.form(link)
	if err != nil {
		return err
	}
	f.set("name", "김주인")
	f.set("email", s.email)
	f.set("password", password)
	if p, err = s.submit(ctx, f); err != nil {
		return err
	}
	if p.status != http.StatusSeeOther {
		return fmt.Errorf("making the account of %s: HTTP %d", s.email, p.status)
	}
	return nil
}

// page opens a page of the back office, signing in when the session is over.
func (s *staff) page(ctx context.Context, path string) (page, error) {
	p, err := s.get(ctx, s.site+path)
	if err != nil || !strings.HasPrefix(p.to, "/admin/sign-in") {
		return p, err
	}
	if p, err = s.get(ctx, s.site+p.to); err != nil {
		return p, err
	}
	f, err := p.form("/admin/sign-in")
	if err != nil {
		return p, err
	}
	f.set("email", s.email)
	f.set("password", password)
	if p, err = s.submit(ctx, f); err != nil {
		return p, err
	}
	if p.status != http.StatusSeeOther {
		return p, fmt.Errorf("signing in: HTTP %d", p.status)
	}
	return s.get(ctx, s.site+path)
}

var (
	notifyPath = regexp.MustCompile(`/smartro/notify/[A-Za-z0-9_-]{16,}`)
	payPath    = regexp.MustCompile(`/pay/([A-Za-z0-9_-]{16,})`)
)

// notifyURL reads the secret address of notifications off the settings page.
func (s *staff) notifyURL(ctx context.Context) (string, error) {
	p, err := s.page(ctx, "/admin/settings")
	if err != nil {
		return "", err
	}
	path := notifyPath.FindString(p.text)
	if path == "" {
		return "", fmt.Errorf("the settings page shows no notification address (HTTP %d)", p.status)
	}
	return s.site + path, nil
}

// request makes a payment request and returns its pay token.
func (s *staff) request(ctx context.Context, amount int, method smartro.Method) (token string, err error) {
	p, err := s.page(ctx, "/admin/requests/new")
	if err != nil {
		return "", err
	}
	f, err := p.form("/admin/requests/new")
	if err != nil {
		return "", err
	}
	f.fields = keep(f.fields, "method")
	f.set("goods", "꿀 500g")
	f.set("amount", fmt.Sprint(amount))
	f.set("buyer_name", "홍길동")
	f.set("buyer_tel", "010-0000-1111")
	f.set("buyer_email", "buyer@example.com")
	f.set("method", string(method))
	if p, err = s.submit(ctx, f); err != nil {
		return "", err
	}
	no, ok := strings.CutPrefix(p.to, "/admin/requests/")
	if !ok {
		return "", fmt.Errorf("a payment request was not taken: HTTP %d", p.status)
	}
	s.t.mu.Lock()
	s.t.orders[no] = ""
	s.t.mu.Unlock()
	if p, err = s.page(ctx, p.to); err != nil {
		return "", err
	}
	m := payPath.FindStringSubmatch(p.text)
	if m == nil {
		return "", fmt.Errorf("the request's page has no pay link (HTTP %d)", p.status)
	}
	return m[1], nil
}

// keep drops the fields of that name.
func keep(fields []smartro.Field, without string) []smartro.Field {
	var kept []smartro.Field
	for _, f := range fields {
		if f.Name != without {
			kept = append(kept, f)
		}
	}
	return kept
}

// cancel asks for a cancel, and returns its form: who saw no answer presses it again. No form: there is nothing to cancel.
func (s *staff) cancel(ctx context.Context, moid, reason string, r *rand.Rand) (*form, error) {
	p, err := s.page(ctx, "/admin/payments/"+moid+"/cancel")
	if err != nil {
		return nil, err
	}
	if p.status == http.StatusConflict || p.status == http.StatusSeeOther {
		return nil, nil // nothing is left, or another cancel is under way
	}
	f, err := p.form("/cancel")
	if err != nil {
		return nil, err
	}
	amount := smartro.Won(100 * (1 + r.IntN(5)))
	f.set("how", "part")
	if r.IntN(4) == 0 {
		f.set("how", "all")
		amount = 0
	}
	f.set("amount", amount.String())
	f.set("reason", reason)
	f.set("confirm", "yes")
	s.t.mu.Lock()
	s.t.intents[reason] = &intent{moid: moid, amount: amount, key: f.value("key"), clerk: s.clerk}
	s.t.mu.Unlock()
	return f, s.press(ctx, f, reason)
}

// press posts the form of a cancel.
func (s *staff) press(ctx context.Context, f *form, reason string) error {
	p, err := s.submit(ctx, f)
	if err != nil {
		return err
	}
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	if p.status == http.StatusSeeOther && strings.HasPrefix(p.to, "/admin/payments/") {
		s.t.intents[reason].acked = true
	}
	return nil
}

// buyer is a buyer's browser.
type buyer struct {
	*browser
	site string
	t    *truth
}

// pay goes the whole way of one payment and returns its TID. It comes back to the shop only where back says so.
func (b *buyer) pay(ctx context.Context, token string, method smartro.Method, back bool) (tid string, err error) {
	device := smartro.PC
	fill := smartro.EncodeForm([]smartro.Field{{Name: "method", Value: string(method)}, {Name: "device", Value: string(device)}}, smartro.UTF8)
	p, err := b.do(ctx, http.MethodPost, b.site+"/pay/"+token+"/open", "application/json", fill)
	if err != nil {
		return "", err
	}
	if p.status != http.StatusOK {
		return "", fmt.Errorf("opening a payment: HTTP %d", p.status)
	}
	var opened struct {
		Action, Charset string
		Fields          [][2]string
	}
	if err := json.Unmarshal([]byte(p.text), &opened); err != nil {
		return "", fmt.Errorf("opening a payment: %w", err)
	}
	f := &form{action: opened.Action, charset: smartro.UTF8}
	if strings.EqualFold(opened.Charset, "euc-kr") {
		f.charset = smartro.EUCKR
	}
	for _, x := range opened.Fields {
		f.fields = append(f.fields, smartro.Field{Name: x[0], Value: x[1]})
	}
	b.t.mu.Lock()
	b.t.opened[f.value("Moid")] = true
	b.t.mu.Unlock()
	if p, err = b.submit(ctx, f); err != nil {
		return "", err
	}
	for range 3 { // window, confirmation, result
		window, err := p.form("/window")
		if err != nil {
			break
		}
		window.set("action", "approve")
		if p, err = b.submit(ctx, window); err != nil {
			return "", err
		}
	}
	result, err := p.form("/smartro/return")
	if err != nil {
		return "", err
	}
	if back {
		_, err = b.submit(ctx, result)
	}
	return result.value("TID"), err
}
