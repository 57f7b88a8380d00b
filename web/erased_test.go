package web_test

import (
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
)

// TestErasedPages: where the buyer was stands that it was erased, and every page of the order goes on.
//
// proves E3
func TestErasedPages(t *testing.T) {
	l := newTill(t)
	old := l.pays(smartro.Card, app.OrderInput{BuyerName: "남궁민수", BuyerTel: "01055557777", BuyerEmail: "old@example.com"})
	l.pass(6 * 366 * 24 * time.Hour)
	l.pays(smartro.Card, known()) // the gateway's own time says that the clock is right
	if done, err := l.EraseOld(t.Context(), 5); err != nil || done.Orders != 1 || done.Messages == 0 {
		t.Fatalf("erased %+v, %v", done, err)
	}
	list, err := l.Store.Messages(t.Context(), old.OrderNo)
	if err != nil || len(list) == 0 {
		t.Fatalf("%d messages, %v", len(list), err)
	}
	o, err := l.Store.Order(t.Context(), old.OrderNo)
	if err != nil {
		t.Fatal(err)
	}
	d := l.buyerShop.desk(app.RoleOwner)
	for _, page := range []string{"/admin/payments/" + string(old.Moid), "/admin/messages/" + list[0].ID, "/admin/requests/" + string(old.OrderNo), "/admin?q=" + string(old.TID)} {
		w := d.get(page)
		says(t, w, 200, "파기됨")
		if strings.Contains(w.Body.String(), "남궁") || strings.Contains(w.Body.String(), "7777") {
			t.Errorf("%s shows the buyer", page)
		}
	}
	says(t, d.get("/admin/payments/"+string(old.Moid)+"/cancel"), 410, "개인정보를 파기한")
	says(t, l.do("GET", "/pay/"+o.Token, ""), 200)
}
