package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
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

// BenchmarkLists measures what staff wait for in a large shop, as ratios to the smallest, asked in turns: finding by what
// a caller says, the first and the last page of the list, its sums, and an export. To fill a
// shop with ten million payments takes hours: with GAGE_BENCH_DIR it is kept there, and a run that was stopped goes on.
func BenchmarkLists(b *testing.B) {
	dir := os.Getenv("GAGE_BENCH_DIR")
	if dir == "" {
		dir = b.TempDir()
	}
	list := sizes(b)
	asks := make([]map[string]func(context.Context) error, len(list))
	for i, size := range list {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			b.Fatal(err)
		}
		s := shopAt(b, filepath.Join(dir, fmt.Sprintf("shop-%d.db", size)))
		s.fill(b, size)
		asks[i] = s.questions(size)
	}
	for _, name := range slices.Sorted(maps.Keys(asks[0])) {
		took := make([][]time.Duration, len(list))
		for range 7 {
			for i := range list {
				began := time.Now()
				if err := asks[i][name](b.Context()); err != nil {
					b.Fatal(err)
				}
				took[i] = append(took[i], time.Since(began))
			}
		}
		base := middle(took[0])
		for i, size := range list {
			b.ReportMetric(float64(middle(took[i]))/float64(base), fmt.Sprintf("times/%s@%d", name, size))
			fmt.Fprintf(os.Stderr, "%9d payments, %-12s %8.1f ms, %6.2f times\n", size, name, float64(middle(took[i]).Microseconds())/1000, float64(middle(took[i]))/float64(base))
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
		"amount":     search(fmt.Sprintf("%d원", price(last)), app.Filter{}),
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

func middle(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)/2]
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

func price(i int) app.Won { return app.Won(1000 + scattered(i, 100_000)) }

func phone(i int) string { return fmt.Sprintf("010%08d", scattered(i, 100_000_000)) }

// fill writes the payments that are missing up to size straight into the tables, paid as a notification pays them:
// through the use cases ten million would take a day.
func (s *shop) fill(b *testing.B, size int) {
	b.Helper()
	const atOnce = 100
	for from := s.have(b, size); from < size; from += atOnce {
		write := func() error {
			return s.Store.Update(b.Context(), func(tx app.Tx) error {
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
		}
		err := write()
		for errors.Is(err, app.ErrOverload) { // the machine does something else, too
			err = write()
		}
		if err != nil {
			b.Fatal(err)
		}
		if from%100_000 == 0 {
			fmt.Fprintf(os.Stderr, "%9d of %d payments\n", from, size)
		}
	}
}

// have is how many payments an earlier run left: they were written in their order.
func (s *shop) have(b *testing.B, size int) int {
	b.Helper()
	return sort.Search(size, func(i int) bool {
		_, err := s.Store.Order(b.Context(), orderNo(i))
		if err != nil && !errors.Is(err, app.ErrNotFound) {
			b.Fatal(err)
		}
		return err != nil
	})
}

func sold(i int) (app.Order, app.Payment) {
	no, at, won := orderNo(i), opened(i), price(i)
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
