package web_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
)

var formKey = regexp.MustCompile(`name="key" value="([^"]+)"`)

// form opens the cancel page and fills it in: amount "" is all that is left.
func (l *till) form(p app.Payment, amount, reason string) url.Values {
	l.t.Helper()
	w := l.get("/admin/payments/" + string(p.Moid) + "/cancel")
	key := formKey.FindStringSubmatch(w.Body.String())
	if key == nil {
		l.t.Fatalf("no form to cancel with: %d %s", w.Code, brief(w))
	}
	v := url.Values{"key": {key[1]}, "how": {"whole"}, "amount": {amount}, "reason": {reason}}
	if amount != "" {
		v.Set("how", "part")
	}
	return v
}

// cancel sends both steps of a filled-in form and follows to the payment's page.
func (l *till) cancel(p app.Payment, v url.Values) *httptest.ResponseRecorder {
	l.t.Helper()
	at := "/admin/payments/" + string(p.Moid)
	if w := l.post(at+"/cancel", v); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `name="confirm" value="yes"`) {
		return w
	}
	v.Set("confirm", "yes")
	if w := l.post(at+"/cancel", v); w.Code != http.StatusSeeOther || w.Header().Get("Location") != at {
		return w
	}
	return l.get(at)
}

// stands checks what the shop knows of a payment's money and how often the gateway was asked.
func (l *till) stands(p app.Payment, state app.State, cancelled, reserved app.Won, calls int64) {
	l.t.Helper()
	got := l.payment(p.Moid)
	if got.State != state || got.Cancelled != cancelled || got.Reserved != reserved || l.calls.Load() != calls {
		l.t.Errorf("%s, %d cancelled, %d reserved, %d calls; want %s, %d, %d, %d",
			got.State, got.Cancelled, got.Reserved, l.calls.Load(), state, cancelled, reserved, calls)
	}
}

func TestCancelWhole(t *testing.T) {
	l := newTill(t)
	p := l.pays(smartro.Card, known())
	v := l.form(p, "", "단순 변심")
	says(t, l.post("/admin/payments/"+string(p.Moid)+"/cancel", v), 200, "33,000원을 취소할까요?", "매입 전", "단순 변심")
	l.stands(p, app.Paid, 0, 0, 0)
	says(t, l.cancel(p, v), 200, "단순 변심", "김주인")
	l.stands(p, app.Cancelled, 33_000, 0, 1)
	l.deliver() // the notice of the same cancel
	l.stands(p, app.Cancelled, 33_000, 0, 1)
	says(t, l.get("/admin/payments/"+string(p.Moid)+"/cancel"), 409, "취소하거나 확인할 돈이 없습니다")
	v.Set("key", strings.Repeat("B", 26))
	says(t, l.cancel(p, v), 409)
	l.stands(p, app.Cancelled, 33_000, 0, 1)
}

func TestCancelInParts(t *testing.T) {
	l := newTill(t)
	p := l.pays(smartro.Card, known())
	says(t, l.cancel(p, l.form(p, "10,000원", "배송 지연")), 200, "10,000원", "23,000원")
	l.stands(p, app.PartlyCancelled, 10_000, 0, 1)
	says(t, l.cancel(p, l.form(p, "23001", "배송 지연")), 422, "남은 금액 23,000원보다 많아요", `value="23001"`, `value="배송 지연"`)
	l.stands(p, app.PartlyCancelled, 10_000, 0, 1)
	l.deliver()
	says(t, l.cancel(p, l.form(p, "23000", "배송 지연")), 200)
	l.stands(p, app.Cancelled, 33_000, 0, 2)
	l.deliver()
	l.stands(p, app.Cancelled, 33_000, 0, 2)
}

func TestCancelFormRefuses(t *testing.T) {
	l := newTill(t)
	p := l.pays(smartro.Card, known())
	for _, amount := range []string{"abc", "0", "-1", "1e3", "10.5", "삼만", "９００", "99999999999999", "<b>", "10000 10000x"} {
		w := l.cancel(p, l.form(p, amount, "품절"))
		says(t, w, 422, `name="amount"`, `aria-invalid="true"`, "범위를 벗어났어요", `value="`+html.EscapeString(amount)+`"`, `value="품절"`)
	}
	says(t, l.cancel(p, l.form(p, "33001", "품절")), 422, "남은 금액 33,000원보다 많아요")
	says(t, l.cancel(p, l.form(p, "1000", " ")), 422, "꼭 필요해요", `value="1000"`)
	says(t, l.cancel(p, l.form(p, "", strings.Repeat("긴", 101))), 422, "너무 길어요")
	for what, change := range map[string]func(url.Values){
		"no key":       func(v url.Values) { v.Del("key") },
		"a short key":  func(v url.Values) { v.Set("key", "1") },
		"a long key":   func(v url.Values) { v.Set("key", strings.Repeat("k", 65)) },
		"a key of NUL": func(v url.Values) { v.Set("key", strings.Repeat("\x00", 20)) },
	} {
		v := l.form(p, "", "품절")
		change(v)
		v.Set("confirm", "yes")
		if w := l.post("/admin/payments/"+string(p.Moid)+"/cancel", v); w.Code < 400 || w.Code > 499 {
			t.Errorf("%s: %d %s", what, w.Code, brief(w))
		}
	}
	says(t, l.post("/admin/payments/NOSUCH01/cancel", l.form(p, "", "품절")), 404)
	l.stands(p, app.Paid, 0, 0, 0)

	phone := l.pays(smartro.Cellphone, known())
	says(t, l.cancel(phone, url.Values{"key": {strings.Repeat("K", 26)}, "how": {"part"}, "amount": {"1000"}, "reason": {"품절"}}), 422, "일부 취소가 안 됩니다")
	l.stands(phone, app.Paid, 0, 0, 0)
}

func TestCancelDeposit(t *testing.T) {
	l := newTill(t)
	p := l.pays(smartro.Vbank, known())
	v := l.form(p, "", "품절")
	says(t, l.cancel(p, v), 422, `name="refund_acct"`, "계좌번호를 숫자로", "꼭 필요해요")
	v.Set("refund_bank", "020")
	v.Set("refund_acct", "1002-345-678901")
	v.Set("refund_name", "홍길동")
	says(t, l.cancel(p, v), 200)
	if l.calls.Load() != 1 {
		t.Errorf("%d calls", l.calls.Load())
	}
	if got := l.payment(p.Moid); got.Cancelled+got.Reserved != 33_000 {
		t.Errorf("%+v", got)
	}
}

// TestCancelRefused: the gateway's no sets the amount free again.
func TestCancelRefused(t *testing.T) {
	l := newTill(t)
	p := l.pays(smartro.Card, known())
	l.contract(func(m *smartro.Merchant) { m.CancelPassword = "999999" })
	says(t, l.cancel(p, l.form(p, "", "품절")), 200, "취소가 거절됐어요", "돈은 돌아가지 않았습니다")
	l.stands(p, app.Paid, 0, 0, 1)
	l.contract(func(*smartro.Merchant) {})
	says(t, l.cancel(p, l.form(p, "", "품절")), 200)
	l.stands(p, app.Cancelled, 33_000, 0, 2)
}

// TestCancelTwice: the same form pressed twice is one cancel, two forms are one as well, the other is refused.
//
// proves R16, I8
func TestCancelTwice(t *testing.T) {
	l := newTill(t)
	at := func(p app.Payment) string { return "/admin/payments/" + string(p.Moid) + "/cancel" }
	press := func(target string, forms ...url.Values) map[int]int {
		var mu sync.Mutex
		var all sync.WaitGroup
		codes := map[int]int{}
		for _, v := range forms {
			v.Set("confirm", "yes")
		}
		for _, v := range forms {
			all.Go(func() {
				w := l.post(target, v)
				mu.Lock()
				defer mu.Unlock()
				codes[w.Code]++
			})
		}
		all.Wait()
		return codes
	}
	p := l.pays(smartro.Card, known())
	v := l.form(p, "1000", "품절")
	v.Set("confirm", "yes")
	if codes := press(at(p), v, v, v, v, v, v, v, v); codes[http.StatusSeeOther] != 8 {
		t.Errorf("the same form eight times: %v", codes)
	}
	l.stands(p, app.PartlyCancelled, 1000, 0, 1)
	leads(t, l.post(at(p), v), strings.TrimSuffix(at(p), "/cancel"))
	l.stands(p, app.PartlyCancelled, 1000, 0, 1)
	other := l.pays(smartro.Card, known())
	says(t, l.post(at(other), v), 409) // the form of another payment
	l.stands(other, app.Paid, 0, 0, 1)

	q := l.pays(smartro.Card, known())
	codes := press(at(q), l.form(q, "", "품절"), l.form(q, "", "이중 결제"), l.form(q, "", "품절"))
	if codes[http.StatusSeeOther] != 1 || codes[http.StatusConflict] != 2 {
		t.Errorf("three forms for the whole: %v", codes)
	}
	l.stands(q, app.Cancelled, 33_000, 0, 2)
}

// TestCancelWithoutAnswer: what nobody knows is shown as that, and stays set aside until somebody knows.
//
// proves R17, R18
func TestCancelWithoutAnswer(t *testing.T) {
	again := func(l *till, p app.Payment) {
		l.t.Helper()
		at := "/admin/payments/" + string(p.Moid) + "/cancel"
		says(l.t, l.get(at), 200, "다른 취소가 진행 중이에요")
		for _, amount := range []string{"", "1"} {
			v := url.Values{"key": {strings.Repeat("K", 26)}, "how": {"whole"}, "amount": {amount}, "reason": {"품절"}, "confirm": {"yes"}}
			if amount != "" {
				v.Set("how", "part")
			}
			says(l.t, l.post(at, v), 409, "다른 취소가 진행 중이에요")
			v.Del("confirm")
			if w := l.post(at, v); !strings.Contains(w.Body.String(), "다른 취소가 진행 중이에요") {
				l.t.Errorf("the first step: %d %s", w.Code, brief(w))
			}
		}
	}
	const unknown = "취소의 결과를 아직 몰라요"
	for _, amount := range []string{"", "10000"} {
		reserved := app.Won(33_000)
		if amount != "" {
			reserved = 10_000
		}
		settle := func(l *till, p app.Payment, happened string) {
			l.t.Helper()
			list, err := l.Store.Cancels(t.Context(), p.OrderNo)
			if err != nil || len(list) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			at := "/admin/cancels/" + list[0].ID + "/settle"
			says(t, l.post(at, url.Values{"happened": {happened}, "reason": {" "}}), 400)
			says(t, l.post(at, url.Values{"happened": {"maybe"}, "reason": {"거래내역에서 봤음"}}), 400)
			leads(t, l.post(at, url.Values{"happened": {happened}, "reason": {"거래내역에서 봤음"}}), "/admin/payments/"+string(p.Moid))
			says(t, l.post(at, url.Values{"happened": {happened}, "reason": {"거래내역에서 봤음"}}), 409, "먼저 처리했어요")
			says(t, l.get("/admin/payments/"+string(p.Moid)), 200, "거래내역에서 봤음", "김주인")
		}
		t.Run("never answered, amount "+amount, func(t *testing.T) {
			l := newTill(t)
			l.CancelWait = time.Nanosecond // the page does not wait
			p := l.pays(smartro.Card, known())
			l.fault("cancel_never")
			says(t, l.cancel(p, l.form(p, amount, "품절")), 200, "취소를 보냈어요", "기다리고 있어요")
			again(l, p)
			l.pass(80 * time.Second)
			if _, err := l.WorkOnce(t.Context()); err != nil {
				t.Fatal(err)
			}
			says(t, l.get("/admin/payments/"+string(p.Moid)), 200, unknown)
			says(t, l.get("/admin/work"), 200, unknown)
			again(l, p)
			if got := l.payment(p.Moid); got.Reserved != reserved || got.Cancelled != 0 {
				t.Errorf("%+v", got)
			}
			settle(l, p, "yes")
			if got := l.payment(p.Moid); got.Reserved != 0 || got.Cancelled != reserved {
				t.Errorf("%+v", got)
			}
		})
		for _, fault := range []string{"cancel_500", "cancel_garbage"} {
			t.Run(fault+", amount "+amount, func(t *testing.T) {
				l := newTill(t)
				p := l.pays(smartro.Card, known())
				l.fault(fault)
				says(t, l.cancel(p, l.form(p, amount, "품절")), 200, unknown)
				l.stands(p, app.Paid, 0, reserved, 1)
				again(l, p)
				l.stands(p, app.Paid, 0, reserved, 1)
				list, err := l.Store.Cancels(t.Context(), p.OrderNo)
				if err != nil || len(list) != 1 {
					t.Fatalf("%v, %v", list, err)
				}
				resend := "/admin/cancels/" + list[0].ID + "/resend"
				if amount != "" { // a part is never sent again: its notice or a person settles it
					says(t, l.post(resend, nil), 403)
					l.deliver()
					l.stands(p, app.PartlyCancelled, reserved, 0, 1)
					return
				}
				leads(t, l.post(resend, nil), "/admin/payments/"+string(p.Moid))
				l.stands(p, app.Cancelled, reserved, 0, 2) // "already cancelled" of a whole one is done
			})
		}
	}
}
