package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gage/app"
)

// TestRestoredBanner: after a restore every page of the back office says so and what to do, cancels are refused in
// words, and the owner's word ends it.
// proves R30
func TestRestoredBanner(t *testing.T) {
	b := newBuyerShop(t, false)
	o := b.order(known())
	_, form := b.open(o, "method=CARD&device=pc")
	if form.get("Moid") == "" {
		t.Fatal("no payment was opened")
	}
	err := b.Store.Update(context.Background(), func(tx app.Tx) error {
		return app.BeginEpoch(context.Background(), tx, b.now(), b.now().Add(-24*time.Hour), 7)
	})
	if err != nil {
		t.Fatal(err)
	}
	staff, owner := b.desk(app.RoleStaff), b.desk(app.RoleOwner)
	cancel := "/admin/payments/" + form.get("Moid") + "/cancel"
	done := url.Values{"reason": {"거래 목록과 맞춤"}}
	for _, page := range []string{"/admin", "/admin/work", "/admin/requests", "/admin/requests/new", "/admin/payments/" + form.get("Moid")} {
		says(t, staff.get(page), http.StatusOK, "백업을 되살린 상태입니다", "주인만 할 수 있어요")
		says(t, owner.get(page+"?lang=en"), http.StatusOK, "was restored", "Open cancels again")
	}
	says(t, staff.get(cancel+"?lang=ko"), http.StatusConflict, "취소를 멈췄어요")
	says(t, owner.get(cancel+"?lang=en"), http.StatusConflict, "Cancels stand still after a restore")
	says(t, owner.post("/admin/settings/reconciled", url.Values{"reason": {" "}}), http.StatusBadRequest)
	says(t, staff.post("/admin/settings/reconciled", done), http.StatusForbidden)
	leads(t, owner.post("/admin/settings/reconciled", done), "/admin/settings?saved=reconciled")
	if w := staff.get("/admin?lang=ko"); strings.Contains(w.Body.String(), "되살린 상태") {
		t.Error("the banner stays")
	}
	if code, again := b.open(o, "method=CARD&device=pc"); code != http.StatusOK || again.get("Moid") == form.get("Moid")[:8]+"02" {
		t.Errorf("%d, the next attempt has the number %s", code, again.get("Moid"))
	}
}

// TestFailedBackupIsToldToStaff: the work list says that last night's backup failed, until one succeeds; why is the
// owner's to read.
// proves R40
func TestFailedBackupIsToldToStaff(t *testing.T) {
	b := newBuyerShop(t, false)
	staff, owner := b.desk(app.RoleStaff), b.desk(app.RoleOwner)
	for _, e := range []error{nil, errors.New("no space left in /backups")} {
		if err := b.RecordBackup(context.Background(), "gage-20261122-040000.backup", e); err != nil {
			t.Fatal(err)
		}
	}
	says(t, owner.get("/admin/work"), http.StatusOK, "백업하지 못했어요", "gage-20261122-040000.backup", "no space left")
	w := staff.get("/admin/work")
	says(t, w, http.StatusOK, "백업하지 못했어요")
	if strings.Contains(w.Body.String(), "/backups") {
		t.Error("a path of the server is shown to staff")
	}
	if err := b.RecordBackup(context.Background(), "gage-20261123-040000.backup", nil); err != nil {
		t.Fatal(err)
	}
	says(t, owner.get("/admin/work"), http.StatusOK, "지금 손댈 일이 없어요")
}
