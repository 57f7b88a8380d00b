package app_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gage/app"
)

// FuzzSearchBox: whatever a caller says, the box asks for numbers that are numbers and amounts that there can be.
func FuzzSearchBox(f *testing.F) {
	for _, q := range []string{"", "33,000원", "010-9999-1111", "홍길동", "gagedemo1m01012006091200011234", "1234", "%_'\"", "９９", "김 1", "o \u0300"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		got := app.ReadSearch(q)
		if strings.Trim(got.Digits, "0123456789") != "" || got.HasAmt != (got.Amount > 0) || got.Amount < 0 || got.Amount > 999_999_999_999 {
			t.Fatalf("%q is read as %+v", q, got)
		}
		if i := strings.IndexFunc(got.Exact+got.Prefix, func(r rune) bool { return r > 127 || strings.ContainsRune("'\"%_ \n\\", r) }); i >= 0 {
			t.Fatalf("%q asks for the ID %q, %q", q, got.Exact, got.Prefix)
		}
		if empty := got == (app.Find{Nothing: got.Nothing}); strings.TrimSpace(q) != "" && empty != got.Nothing {
			t.Fatalf("%q asks for nothing, and does not say so, or the other way round: %+v", q, got)
		}
		app.MatchedBy(app.PaymentRow{}, got)
		if once := app.FoldSearch(q); app.FoldSearch(once) != once {
			t.Fatalf("%q folds to %q, and that to %q", q, once, app.FoldSearch(once))
		}
	})
}

// FuzzOrderForm: an order is of what was typed, and only of what the gateway takes; every fault names its field.
func FuzzOrderForm(f *testing.F) {
	f.Add("맛동산 한 봉지", int64(33_000), int64(0), 1, "홍길동", "+82 10-9999-1111", "hong@example.com", "2026-12-24")
	f.Add(" ", int64(-1), int64(2), -1, "\xff", "01", "a@b@c", "0000-00-00")
	s := &app.Shop{Now: func() time.Time { return at }}
	f.Fuzz(func(t *testing.T, goods string, amount, free int64, count int, name, tel, email, due string) {
		o, err := s.ReadOrder(app.OrderInput{
			Goods: goods, Amount: app.Won(amount), TaxFree: app.Won(free), GoodsCnt: count, BuyerName: name, BuyerTel: tel, BuyerEmail: email, DueDate: due,
		})
		if err != nil {
			var bad *app.InputError
			if !errors.As(err, &bad) || bad.Field == "" || bad.Code == "" {
				t.Fatalf("a fault without a field: %v", err)
			}
			return
		}
		if o.Amount != app.Won(amount) || o.Amount < 1 || o.Amount > app.MaxAmount || o.TaxFree < 0 || o.VAT < 0 || o.TaxFree+o.VAT > o.Amount {
			t.Fatalf("%d won, %d of it free of tax, became %+v", amount, free, o)
		}
		if !utf8.ValidString(o.Goods+o.BuyerName) || strings.ContainsAny(o.BuyerName+o.BuyerEmail, "\r\n\t") || strings.Trim(o.BuyerTel, "0123456789") != "" {
			t.Fatalf("taken: %+v", o)
		}
		if !o.DueAt.IsZero() && o.DueAt.Before(at) {
			t.Fatalf("due %v", o.DueAt)
		}
	})
}
