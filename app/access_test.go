package app_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db/dbtest"
	"gage/smartro"
)

// TestAccessRecord: whoever looks at a buyer, comes in or changes rights stands in the record, with where from and why;
// without a reason there is no look, and only the owner reads it.
//
// proves S20, S21
func TestAccessRecord(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	ctx := t.Context()
	r.Now = func() time.Time {
		r.now = r.now.Add(time.Millisecond)
		return r.now
	}
	p := r.open(11000, smartro.Card)
	boss := r.owner
	boss.From = netip.MustParseAddr("::ffff:192.0.2.10")
	told := 0
	next := func(want ...string) {
		t.Helper()
		list, err := r.Accesses(ctx, boss, app.AccessQuery{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range list[:len(list)-told] {
			got = append(got, strings.TrimSpace(fmt.Sprint(a.Kind, " ", a.StaffID == boss.ID, " ", a.Peer, " ", a.OrderNo == p.OrderNo, " ", a.Reason, " ", a.Words)))
		}
		told = len(list)
		for _, w := range want {
			if i := strings.Index(strings.Join(got, "\n"), w); i < 0 {
				t.Errorf("recorded %q, want %q", got, w)
			}
		}
		if len(got) != len(want) {
			t.Errorf("recorded %q, want %d lines", got, len(want))
		}
	}
	next("changed_gateway true")
	for want, why := range map[string]app.Why{
		"": {}, "why?": {Reason: "why?"}, "other": {Reason: app.ReasonOther}, "long": {Reason: app.ReasonCall, Words: strings.Repeat("가", 201)},
	} {
		if err := r.SeeBuyer(ctx, boss, p.Moid, why); !errors.Is(err, app.ErrBadInput) {
			t.Errorf("%q: a look without a reason: %v", want, err)
		}
	}
	if err := r.SeeBuyer(ctx, app.Staff{}, p.Moid, app.Why{Reason: app.ReasonCall}); !errors.Is(err, app.ErrForbidden) {
		t.Errorf("a look by nobody: %v", err)
	}
	next()
	err := errors.Join(
		r.SeeBuyer(ctx, boss, p.Moid, app.Why{Reason: app.ReasonOther, Words: " 경찰  공문 "}),
		r.TypeAgain(ctx, boss, "long enough pass", ""), r.RotateNoticeSecret(ctx, boss))
	if err != nil {
		t.Fatal(err)
	}
	next("saw_buyer true 192.0.2.10 true other 경찰 공문", "typed_again true 192.0.2.10", "changed_notice true 192.0.2.10")
	if err := r.SeeBuyer(ctx, boss, "NOSUCH01", app.Why{Reason: app.ReasonCall}); !errors.Is(err, app.ErrNotFound) {
		t.Error(err)
	}
	if _, err := r.SeeReceipt(ctx, boss, p.Moid, smartro.Slip); !errors.Is(err, app.ErrNotFound) {
		t.Errorf("the receipt of what is not paid: %v", err)
	}

	token, err := r.InviteStaff(ctx, boss, "kim@shop.example", app.RoleStaff)
	if err != nil {
		t.Fatal(err)
	}
	kim, err := r.AcceptInvite(ctx, token, "", "김직원", "tangerines ripen late", strangerAddr)
	if err != nil {
		t.Fatal(err)
	}
	next("invited_staff true 192.0.2.10 false  kim@shop.example", "set_password false "+strangerAddr.String())
	for range 5 {
		if _, err := r.SignIn(ctx, kim.Email, "a wrong password", address(3)); !errors.Is(err, app.ErrSignIn) {
			t.Fatal(err)
		}
	}
	next("locked_out false 198.51.100.3")
	if _, err := r.ResetPassword(ctx, boss, kim.Email); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.DisableStaff(ctx, boss, kim.Email, true), r.DisableStaff(ctx, boss, kim.Email, false)); err != nil {
		t.Fatal(err)
	}
	next("reset_staff true", "disabled_staff true", "enabled_staff true")
	if _, err := r.SignIn(ctx, boss.Email, "long enough pass", boss.From); err != nil {
		t.Fatal(err)
	}
	next("signed_in true 192.0.2.10")
	if _, err := r.Accesses(ctx, kim, app.AccessQuery{Limit: 1}); !errors.Is(err, app.ErrForbidden) {
		t.Errorf("staff read the record: %v", err)
	}
	for what, err := range map[string]error{
		"invite": second(r.InviteStaff(ctx, kim, "x@shop.example", app.RoleOwner)), "reset": second(r.ResetPassword(ctx, kim, boss.Email)),
	} {
		if !errors.Is(err, app.ErrForbidden) {
			t.Errorf("%s by staff: %v", what, err)
		}
	}
	next()
}

func second[T any](_ T, err error) error { return err }
