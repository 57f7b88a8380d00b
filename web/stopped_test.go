package web_test

import (
	"errors"
	"net/http"
	"testing"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

// TestStopped: after a failed assertion the shop says that it is not ready and takes no notice, so that the gateway tells
// it again later; pages that only read go on.
//
// proves R1, I7
func TestStopped(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		b := newBuyerShopOn(t, store, false)
		boss, o := b.desk(app.RoleOwner), b.order(known())
		says(t, b.do("GET", "/readyz", ""), http.StatusOK)
		err := store.Update(t.Context(), func(app.Tx) error { panic(&app.Broken{Rule: "of a test"}) })
		if !errors.Is(err, app.ErrStopped) {
			t.Fatal(err)
		}
		says(t, b.do("GET", "/readyz", ""), http.StatusServiceUnavailable)
		says(t, b.do("GET", "/healthz", ""), http.StatusOK)
		for _, target := range []string{"/smartro/notify", "/smartro/notify/GUESSEDGUESSEDGUESSEDGUESS"} {
			w := b.do("POST", target, "a=b")
			if w.Code != http.StatusServiceUnavailable || sayOK.MatchString(w.Body.String()) {
				t.Errorf("%s: %d %s", target, w.Code, w.Body)
			}
		}
		says(t, b.do("GET", "/pay/"+o.Token, ""), http.StatusOK, "제주 감귤")
		says(t, boss.get("/admin"), http.StatusOK)
		if code, _ := b.open(o, "device=pc&method=CARD"); code != http.StatusServiceUnavailable {
			t.Errorf("a window: %d", code)
		}
		says(t, b.signIn("owner@example.com", goodPassword), http.StatusServiceUnavailable, "결제를 멈췄어요")
	})
}
