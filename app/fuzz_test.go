package app_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gage/app"
)

// FuzzSearchBox: whatever a caller says, the box asks for numbers that are numbers and amounts that there can be.
func FuzzSearchBox(f *testing.F) {
	for _, q := range []string{"", "33,000원", "010-9999-1111", "홍길동", "gagedemo1m01012006091200011234", "1234", "%_'\"", "９９", "김 1", "o \u0300", "오늘 길동", "11월 3일..", "2026-02-30", "3만2천원~", "name:\"홍 길동\" 1..2", "010 1234 5678 32000"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		got := app.ReadSearch(q, at)
		for _, f := range got.Terms {
			if strings.Trim(f.Digits, "0123456789") != "" || f.HasAmt != (f.Most > 0) || f.Amount < 0 || f.Amount > f.Most || f.Most > app.MaxAmount {
				t.Fatalf("%q is read as %+v", q, f)
			}
			if i := strings.IndexFunc(f.Part, func(r rune) bool { return r > 127 || strings.ContainsRune("'\"%_ \n\\", r) }); i >= 0 {
				t.Fatalf("%q asks for the ID %q", q, f.Part)
			}
			if (f == app.Find{Word: f.Word, Field: f.Field, Short: f.Short}) {
				t.Fatalf("%q has a term that asks for nothing: %+v", q, f)
			}
		}
		if short := !slices.ContainsFunc(got.Terms, func(f app.Find) bool { return !f.Short }); short && len(got.Terms) > 0 || got.Nothing && len(got.Terms) > 0 {
			t.Fatalf("%q can't be looked up, and does not say so, or the other way round: %+v", q, got)
		}
		if asked := strings.Trim(q, "\"“”") != ""; got.IsZero() && asked && strings.TrimSpace(strings.NewReplacer("\"", "", "“", "", "”", "").Replace(q)) != "" {
			t.Fatalf("%q asks for nothing", q)
		}
		if !got.From.IsZero() && !got.To.IsZero() && got.To.Year()-got.From.Year() > 1000 {
			t.Fatalf("%q is of %s to %s", q, got.From, got.To)
		}
		app.MatchedBy(app.PaymentRow{}, got.Terms)
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
