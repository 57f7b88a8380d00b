package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
)

// slowGateway answers an inquiry when it is let, and says that it was asked.
type slowGateway struct {
	smartro.WEBLink
	asked, let chan struct{}
}

func (g slowGateway) Inquire(ctx context.Context, _ app.TID) (smartro.Inquiry, error) {
	close(g.asked)
	select {
	case <-g.let:
	case <-ctx.Done():
	}
	return smartro.Inquiry{}, ctx.Err()
}

// TestPatience: an inquiry that takes longer than the server's own write timeout is answered all the same, since its
// budget says so.
//
// proves S22
func TestPatience(t *testing.T) {
	b := newBuyerShop(t, false)
	boss := b.desk(app.RoleOwner)
	_, form := b.open(b.order(known()), "device=pc&method=CARD")
	if w := b.do("POST", path(t, form.get("ReturnURL")), result(form, "3001").Encode()); w.Code != http.StatusSeeOther {
		t.Fatal(w.Code, w.Body)
	}
	const writeTimeout = 200 * time.Millisecond
	g := slowGateway{asked: make(chan struct{}), let: make(chan struct{})}
	b.Shop.Gateway = func(m smartro.Merchant) app.Gateway { g.WEBLink.Merchant = m; return g }
	srv := httptest.NewUnstartedServer(b.handler)
	srv.Config.WriteTimeout = writeTimeout
	srv.Start()
	defer srv.Close()
	go func() {
		<-g.asked
		time.AfterFunc(2*writeTimeout, func() { close(g.let) })
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/admin/payments/"+form.get("Moid")+"/ask", strings.NewReader(url.Values{}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "shop.test"
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Cookie", boss.cookie)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatalf("the answer was cut off: %v", err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusSeeOther {
		t.Errorf("%d, %v", res.StatusCode, err)
	}
}
