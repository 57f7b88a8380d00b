package sandbox_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gage/smartro"
	"gage/smartro/sandbox"
)

func (w *world) billing() smartro.BillingRequest {
	return smartro.BillingRequest{
		Moid: "B1", UserID: "CUST1", BuyerName: "홍길동", BuyerTel: "01099991111", BuyerEmail: "buyer@example.com",
		ReturnURL: "https://shop.example/card", StopURL: "https://shop.example/stop", UserIP: "192.0.2.1", MallIP: "192.0.2.10",
		EdiDate: w.clock(), MallReserved: "rt=x", EncryptedKey: w.m.EncryptedBillingKeys,
	}
}

// register goes through the window and reads the result as the shop does.
func (w *world) register(r smartro.BillingRequest) (smartro.BillingResult, smartro.BillingKey) {
	w.t.Helper()
	form, err := w.m.BillingForm(r)
	if err != nil {
		w.t.Fatal(err)
	}
	_, to, _, page := w.press(w.open(form), "approve")
	if to != r.ReturnURL {
		w.t.Fatalf("the browser went to %q", to)
	}
	got, err := smartro.ParseBillingResult(smartro.EncodeForm(hidden(page), smartro.UTF8), smartro.UTF8)
	if err != nil {
		w.t.Fatal(err)
	}
	key, err := got.Key(w.m)
	if err != nil {
		w.t.Fatal(err)
	}
	return got, key
}

func (w *world) charge(key smartro.BillingKey, change func(*smartro.ChargeRequest)) (smartro.ChargeAnswer, error) {
	w.t.Helper()
	r := smartro.ChargeRequest{Key: key, Moid: "C1", Amt: 33000, GoodsName: "우유 배달", UserID: "CUST1", BuyerName: "홍길동", EdiDate: w.clock()}
	if change != nil {
		change(&r)
	}
	ctx, stop := context.WithTimeout(w.t.Context(), 5*time.Second)
	defer stop()
	return smartro.Client{}.Charge(ctx, w.m, r)
}

// TestRegisterAndCharge: a card is registered without money, charged, told, and cancelled by the usual call; in both
// modes of the key, in the query and in the body.
func TestRegisterAndCharge(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		for _, inBody := range []bool{false, true} {
			for _, hash := range []smartro.HashForm{smartro.MD5, smartro.SHA256} {
				w := newWorld(t, func(c *sandbox.Config) { c.Hash = hash })
				w.m.EncryptedBillingKeys, w.m.ChargeInBody = encrypted, inBody
				got, key := w.register(w.billing())
				if got.UserID != "CUST1" || got.Moid != "B1" || got.CardNum == "" || !strings.HasPrefix(key.Reveal(), sandbox.DefaultMID+"BILL") {
					t.Errorf("%+v", got)
				}
				w.deliver()
				if w.codes() != "" {
					t.Fatalf("registering a card was notified: %s", w.codes())
				}
				a, err := w.charge(key, nil)
				if err != nil || a.Outcome(w.m) != smartro.ChargeDone || a.Amt != 33000 || a.GoodsName != "우유 배달" || a.CardName == "" {
					t.Fatalf("%+v %v", a, err)
				}
				w.deliver()
				if n := w.notices[0]; w.codes() != "3001" || n.TID != a.TID || n.Moid != "C1" || n.Kind(w.m) != smartro.Approved || n.Verify(w.m) != nil {
					t.Errorf("%+v", w.notices)
				}
				back, err := smartro.Client{}.Cancel(t.Context(), w.m, smartro.CancelRequest{TID: a.TID, Amt: 33000, Reason: "해지"})
				if err != nil || back.Outcome() != smartro.CancelDone {
					t.Errorf("%+v %v", back, err)
				}
				if back, err = (smartro.Client{}).Cancel(t.Context(), w.m, smartro.CancelRequest{TID: got.TID, Amt: 100}); err != nil || back.Outcome() != smartro.CancelRefused {
					t.Errorf("a registration was cancelled: %+v %v", back, err)
				}
			}
		}
	}
}

// TestKeyIsBound: a key is its merchant's and its customer's, and a charge says which field is wrong and why.
//
// proves S29
func TestKeyIsBound(t *testing.T) {
	w := newWorld(t, nil)
	_, key := w.register(w.billing())
	for want, change := range map[string]func(*smartro.ChargeRequest){
		"MallUserID": func(r *smartro.ChargeRequest) { r.UserID = "CUST2" },
		"BL_TID":     func(r *smartro.ChargeRequest) { r.Key = "gagedemo1mBILL000000000000000" },
	} {
		a, err := w.charge(key, change)
		if err != nil || a.Outcome(w.m) != smartro.ChargeRefused || !strings.HasPrefix(a.ResultMsg, want) || a.TID != "" {
			t.Errorf("%s: %+v %v", want, a, err)
		}
	}
	form, err := w.m.ChargeForm(smartro.ChargeRequest{Key: key, Moid: "C1", Amt: 33000, GoodsName: "우유", UserID: "CUST1", EdiDate: w.clock()})
	if err != nil {
		t.Fatal(err)
	}
	good := string(form.Encode())
	for want, change := range map[string][2]string{
		"VERIFY_V": {"Amt=33000", "Amt=33001"}, "Moid": {"Moid=C1", "Moid=C_1"}, "Amt": {"Amt=33000", "Amt=33%2C000"}, "GoodsName": {"GoodsName=", "Nothing="},
		"PayMethod": {"CARDBILL", "CARD"}, "MID": {"gagedemo1m&", "gagedemo2m&"}, "CardQuota": {"CardQuota=00", "CardQuota=99"}, "ediDate": {"ediDate=2", "ediDate=x"},
	} {
		_, page := w.post(form.Action, strings.Replace(good, change[0], change[1], 1))
		a, err := smartro.ParseChargeAnswer([]byte(page))
		if err != nil || a.Outcome(w.m) != smartro.ChargeRefused || !strings.HasPrefix(a.ResultMsg, want) {
			t.Errorf("%s: %+v %v %s", want, a, err, page)
		}
	}
	if _, page := w.post(form.Action, good+"&Amt=1"); !strings.Contains(page, "SB50") {
		t.Errorf("twice: %s", page)
	}
	w.deliver()
	if w.codes() != "" {
		t.Errorf("refusals were notified: %s", w.codes())
	}
	if status, _ := w.get("/billcard/billPayTrans.jsp?BL_TID=x"); status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", status)
	}
}

// TestRegistrationRefused: the window says which field is wrong, and why.
func TestRegistrationRefused(t *testing.T) {
	w := newWorld(t, nil)
	form, err := w.m.BillingForm(w.billing())
	if err != nil {
		t.Fatal(err)
	}
	good := string(form.Encode())
	for want, change := range map[string][2]string{
		"BillType": {"BillType=AR", "BillType=AA"}, "BillKeyMode": {"BillKeyMode=1", "BillKeyMode="}, "mallUserID": {"mallUserID=CUST1", "mallUserID="},
		"GoodsName": {"GoodsName=", "GoodsName=x"}, "PayMethod": {"CARDBILL", "CPBILLRG"}, "Amt": {"Amt=100", "Amt=101"},
	} {
		status, page := w.post(form.Action, strings.Replace(good, change[0], change[1], 1))
		if status != http.StatusBadRequest || !strings.Contains(page, want) {
			t.Errorf("%s: %d %s", want, status, page)
		}
	}
	if status, page := w.post(w.srv.URL+"/interfaceURL.jsp", string(smartro.EncodeForm(form.Fields, smartro.EUCKR))); status != http.StatusBadRequest || !strings.Contains(page, "모바일 결제창") {
		t.Errorf("on PC: %d", status)
	}
	n, _, _, _ := w.press(w.open(form), "decline")
	if n.Kind(w.m) != smartro.Failed {
		t.Errorf("declined: %+v", n)
	}
	if _, to, _, _ := w.press(w.open(form), "close"); to != "https://shop.example/stop" {
		t.Errorf("closed: to %s", to)
	}
}

// TestChargeFaults: the money moves, and the answer does not tell; or it does not move.
func TestChargeFaults(t *testing.T) {
	for fault, want := range map[string]error{
		"charge_500": smartro.ErrUnreadable, "charge_garbage": smartro.ErrUnreadable, "charge_never": context.DeadlineExceeded, "charge_delay": nil, "charge_refused": nil,
	} {
		w := newWorld(t, nil)
		_, key := w.register(w.billing())
		w.order(fault, "next")
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		if fault == "charge_never" {
			stop()
			ctx, stop = context.WithTimeout(t.Context(), 50*time.Millisecond)
		}
		a, err := smartro.Client{}.Charge(ctx, w.m, smartro.ChargeRequest{Key: key, Moid: "C1", Amt: 33000, GoodsName: "우유", UserID: "CUST1", EdiDate: w.clock()})
		stop()
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: %+v %v", fault, a, err)
		}
		w.deliver()
		if came := w.codes() == "3001"; came == (fault == "charge_refused") {
			t.Errorf("%s: notices %q", fault, w.codes())
		}
	}
}

// TestKeysAreMasked: neither the control page nor its API shows a billing key, and a restart knows it still.
//
// proves S20
func TestKeysAreMasked(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, func(c *sandbox.Config) { c.Data = dir })
	_, key := w.register(w.billing())
	for _, path := range []string{"/control", "/control?key=show", "/control/api/state", "/merchant"} {
		if _, page := w.get(path); strings.Contains(page, key.Reveal()) || strings.Contains(page, url.QueryEscape(key.Reveal())) {
			t.Errorf("%s shows the key", path)
		}
	}
	if _, page := w.get("/control"); !strings.Contains(page, "gage********"+key.Reveal()[len(key)-4:]) {
		t.Error("the control page does not list the card")
	}
	if err := w.g.Close(); err != nil {
		t.Fatal(err)
	}
	again := newWorld(t, func(c *sandbox.Config) { c.Data = dir })
	if a, err := again.charge(key, nil); err != nil || a.Outcome(again.m) != smartro.ChargeDone {
		t.Errorf("%+v %v", a, err)
	}
}
