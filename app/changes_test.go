package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// TestRecordedChanges: whoever changes a setting leaves what it was and what it is, a field a line; of secrets only that
// they were changed.
func TestRecordedChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		r := newRig(t, store)
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			r.now = r.now.Add(time.Second)
		}
		newest := func(kind app.AccessKind, want ...app.Change) {
			t.Helper()
			list, err := r.Accesses(ctx, r.owner, app.AccessQuery{Kinds: []app.AccessKind{kind}, Limit: 1})
			must(err)
			if len(list) != 1 {
				t.Fatalf("%s is not recorded", kind)
			}
			if got := app.ReadChanges(list[0]); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", kind, got, want)
			}
		}
		must(r.SetInfo(ctx, r.owner, app.ShopInfo{Name: "봄꽃가게", Tel: "02-1234-5678"}))
		must(r.SetInfo(ctx, r.owner, app.ShopInfo{Name: "봄꽃\n가게 → 분점", Tel: "02-1234-5678", Digital: true}))
		newest(app.ChangedShop, app.Change{Field: "name", Before: "봄꽃가게", After: "봄꽃 가게 -> 분점"}, app.Change{Field: "digital", Before: "false", After: "true"})

		m, err := r.Merchant(ctx)
		must(err)
		m.CancelPassword, m.SendSecureType = "987654", !m.SendSecureType
		must(r.SetMerchant(ctx, r.owner, m))
		list, err := r.Accesses(ctx, r.owner, app.AccessQuery{Limit: 1})
		must(err)
		if got := app.ReadChanges(list[0]); len(got) != 2 || got[0].Field != "secure_type" || got[1] != (app.Change{Field: "cancel_password"}) || strings.Contains(list[0].Words, "987654") {
			t.Errorf("%+v", list[0])
		}

		rules, err := r.CancelRules(ctx)
		must(err)
		rules[0].To, rules[0].Source = 9, "asked the gateway"
		must(r.SetCancelRules(ctx, r.owner, rules, "2028-04-12"))
		list, err = r.Accesses(ctx, r.owner, app.AccessQuery{Limit: 1})
		must(err)
		if got := app.ReadChanges(list[0]); len(got) != 2 || got[0].Field != "rule" || !strings.Contains(got[0].After, "asked the gateway") || got[0].Before == got[0].After || got[1] != (app.Change{Field: "days_off", After: "2028-04-12"}) {
			t.Errorf("%+v", got)
		}
		must(r.SetReceiptRules(ctx, r.owner, app.ReceiptRules{Rounding: smartro.VATDown, Own: true}, false))
		if list, err = r.Accesses(ctx, r.owner, app.AccessQuery{Kinds: []app.AccessKind{app.ChangedReceiptRules}, Limit: 1}); err != nil || len(list) != 1 || !slices.Contains(app.ReadChanges(list[0]), app.Change{Field: "own_receipts", Before: "false", After: "true"}) {
			t.Errorf("%+v, %v", list, err)
		}
		gateway := app.AccessQuery{Kinds: []app.AccessKind{app.ChangedGateway}, Limit: 9}
		before, err := r.Accesses(ctx, r.owner, gateway)
		must(err)
		must(r.SetReceiptRules(ctx, r.owner, app.ReceiptRules{Rounding: smartro.VATDown}, false))
		if after, err := r.Accesses(ctx, r.owner, gateway); err != nil || len(after) != len(before) {
			t.Errorf("the gateway's settings stand %d times in the record, %d before the receipts' were changed: %v", len(after), len(before), err)
		}
		must(r.SetReceiptRules(ctx, r.owner, app.ReceiptRules{Rounding: smartro.VATDown}, true))
		newest(app.ChangedGateway, app.Change{Field: "receipt_call", Before: "false", After: "true"})
	})
}
