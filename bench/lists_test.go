package bench

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
)

// sizes are the numbers of payments at which the lists are measured, the smallest first: those of GAGE_BENCH_SIZES, or
// two that take a minute.
func sizes(b *testing.B) (list []int) {
	text := os.Getenv("GAGE_BENCH_SIZES")
	if text == "" {
		text = "10000,40000"
	}
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 10_000 {
			b.Fatalf("GAGE_BENCH_SIZES: %q is no number of 10000 and more", part)
		}
		list = append(list, n)
	}
	return list
}

// BenchmarkLists measures what staff wait for in a large shop, as ratios to the smallest: finding by what a caller says,
// the first and the last page of the list, its sums, a day's chart, and each row of an export.
func BenchmarkLists(b *testing.B) {
	s := newShop(b)
	base := map[string]time.Duration{}
	have := 0
	for i, size := range sizes(b) {
		s.fill(b, have, size)
		have = size
		asks := s.questions(size)
		for _, name := range slices.Sorted(maps.Keys(asks)) {
			ask := asks[name]
			took := middle(b, ask)
			if i == 0 {
				base[name] = took
			}
			b.ReportMetric(float64(took)/float64(base[name]), fmt.Sprintf("times/%s@%d", name, size))
			fmt.Fprintf(os.Stderr, "%9d payments, %-12s %8.1f ms, %6.2f times\n", size, name, float64(took.Microseconds())/1000, float64(took)/float64(base[name]))
		}
	}
}

// exported is how many rows the export of the bench has, at every size.
const exported = 5_000

// questions are what is asked of a shop of that size. Each is about as much in every size: a page, a day, a file of so
// many rows; only the shop around it grows.
func (s *shop) questions(size int) map[string]func(context.Context) error {
	search := func(q string, f app.Filter) func(context.Context) error {
		return func(ctx context.Context) error {
			page, err := s.Search(ctx, q, f)
			if err == nil && len(page.Rows) == 0 {
				err = fmt.Errorf("%q finds nothing", q)
			}
			return err
		}
	}
	last := size - 1
	from := opened(size - exported)
	return map[string]func(context.Context) error{
		"name":       search(buyerName(last), app.Filter{}),
		"phone":      search(phone(last)[3:], app.Filter{}),
		"tail":       search(phone(last)[7:], app.Filter{}),
		"amount":     search(fmt.Sprintf("%d원", 1000+last%100_000), app.Filter{}),
		"range":      search("10000..50000", app.Filter{}),
		"name-day":   search(buyerName(last)+" "+opened(last).In(app.KST).Format(time.DateOnly), app.Filter{}),
		"order":      search(string(orderNo(last)), app.Filter{}),
		"first-page": search("", app.Filter{}),
		"last-page":  search("", app.Filter{After: app.Cursor{At: opened(60), ID: "Z"}}),
		"sums": func(ctx context.Context) error {
			_, whole, err := s.Sums(ctx, "", app.Filter{From: from})
			if err == nil && !whole {
				err = fmt.Errorf("too many to add up")
			}
			return err
		},
		"export": func(ctx context.Context) error {
			in := app.ExportInput{Filter: app.Filter{Mode: smartro.Test, From: from}, Why: app.Why{Reason: app.ReasonBooks}, Format: "csv"}
			n := 0
			_, err := s.Export(ctx, owner, in, func(app.PaymentRow) error { n++; return nil }, func(app.Sums) error { return nil })
			if err == nil && n != exported {
				err = fmt.Errorf("%d rows, want %d", n, exported)
			}
			return err
		},
	}
}

// middle is the middle of seven.
func middle(b *testing.B, ask func(context.Context) error) time.Duration {
	b.Helper()
	var took []time.Duration
	for range 7 {
		began := time.Now()
		if err := ask(b.Context()); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[3]
}

// opened is when the i-th payment's window was opened: one every ten seconds.
func opened(i int) time.Time { return time.Unix(1_700_000_000+int64(i)*10, 0).UTC() }

// scattered is another number for each i below most, as if drawn: nobody's number begins with a row of zeros.
func scattered(i, most int) int {
	const far = 387_420_488_977 // has no divisor with most in common
	return int((int64(i+1)*far + 76_543_219) % int64(most))
}

// orderNo is an order number as they are drawn.
func orderNo(i int) app.OrderNo {
	const letters = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
	no := make([]byte, 8)
	i = scattered(i, 656_100_000_000) // 30 to the power of 8
	for at := range no {
		no[len(no)-1-at], i = letters[i%len(letters)], i/len(letters)
	}
	return app.OrderNo(no)
}

func phone(i int) string { return fmt.Sprintf("010%08d", scattered(i, 100_000_000)) }

// fill writes payments from the number have up to size straight into the tables, paid as a notification pays them:
// through the use cases ten million would take a day.
func (s *shop) fill(b *testing.B, have, size int) {
	b.Helper()
	const atOnce = 1_000
	for from := have; from < size; from += atOnce {
		err := s.Store.Update(b.Context(), func(tx app.Tx) error {
			for i := from; i < min(from+atOnce, size); i++ {
				o, p := sold(i)
				if err := tx.CreateOrder(b.Context(), o); err != nil {
					return err
				}
				if err := tx.CreatePayment(b.Context(), p); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func sold(i int) (app.Order, app.Payment) {
	no, at, won := orderNo(i), opened(i), app.Won(1000+i%100_000)
	tel := phone(i)
	o := app.Order{
		No: no, Token: fmt.Sprintf("%026d", i), MID: smartro.DemoMID, Mode: smartro.Test, Goods: "찻잔", GoodsCnt: 1, Amount: won, VAT: won / 11,
		BuyerName: buyerName(i), BuyerTel: tel, BuyerEmail: "buyer@example.com", Methods: []app.Method{smartro.Card}, CreatedAt: at, State: app.OrderPaid, Attempts: 1,
	}
	p := app.Payment{
		Moid: app.Moid(no) + "01", OrderNo: no, MID: smartro.DemoMID, Mode: smartro.Test, Device: smartro.PC, Method: smartro.Card, EdiDate: at, Amount: won, GoodsName: o.Goods,
		BuyerName: o.BuyerName, BuyerTel: tel, BuyerEmail: o.BuyerEmail, KeyVersion: 1, ReturnToken: fmt.Sprintf("R%025d", i),
		State: app.Paid, Proof: app.ProofNotification, TID: app.TID(fmt.Sprintf("%s0101%s%04d", smartro.DemoMID, at.In(app.KST).Format("060102150405"), i%10_000)), Approved: won, AuthCode: fmt.Sprintf("%08d", i%100_000_000),
		CardName: "신한", CardCode: "06", CardNum: fmt.Sprintf("438676******%04d", i%10_000), CardQuota: "00", ApprovedAt: at, OpenedAt: at, PaidAt: at, UpdatedAt: at, Seq: 1,
	}
	return o, p
}
