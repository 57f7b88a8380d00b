package web_test

import (
	"net/http"
	"testing"

	"gage/app"
)

// TestEventNamesRequest: an event names the request in which it happened as the answer and the program's log do, and who
// sent it.
//
// proves E1
func TestEventNamesRequest(t *testing.T) {
	b := newBuyerShop(t, false)
	o := b.order(known())
	w := b.do("POST", "/pay/"+o.Token+"/open", "device=pc&method=CARD", "Accept", "application/json", "Sec-Fetch-Site", "same-origin")
	says(t, w, http.StatusOK)
	list, err := b.Store.Events(t.Context(), o.No)
	if err != nil || len(list) != 1 || list[0].Kind != app.FormServed {
		t.Fatalf("%+v, %v", list, err)
	}
	if e := list[0]; e.RequestID == "" || e.RequestID != w.Header().Get("X-Request-Id") || e.Peer != "192.0.2.1" {
		t.Errorf("in the request %q of %q; the answer's is %q", e.RequestID, e.Peer, w.Header().Get("X-Request-Id"))
	}
}
