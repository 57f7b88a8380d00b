package app_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db/dbtest"
	"gage/smartro"
)

// fault is one history, and what of it must be found; by Moid, or by TID where it is of no payment.
type fault struct {
	name string
	play func(r *rig, amt app.Won) []found
}

type found struct {
	kind app.MismatchKind
	of   string
}

// honest comes through the browser and from the gateway: it fits.
func (r *rig) honest(amt app.Won, m app.Method, code string) app.Payment {
	p, tid := r.open(amt, m), r.tid(m)
	r.browser(notice(p, tid, code, amt), p.ReturnToken)
	r.notify(notice(p, tid, code, amt))
	return r.payment(p.Moid)
}

// account is a virtual account that waits, of which browser and gateway told.
func (r *rig) account(amt app.Won) app.Payment {
	p, tid := r.open(amt, smartro.Vbank), r.tid(smartro.Vbank)
	bank := smartro.Field{Name: "VbankNum", Value: "110123456789"}
	r.browser(notice(p, tid, "4100", amt, bank), p.ReturnToken)
	r.notify(notice(p, tid, "4100", amt, bank))
	return r.payment(p.Moid)
}

func (r *rig) key() string {
	r.serial++
	return fmt.Sprintf("K%025d", r.serial)
}

func (r *rig) gives(code string) {
	r.gw.cancel = func(q smartro.CancelRequest) (smartro.CancelAnswer, error) {
		return smartro.CancelAnswer{TID: q.TID, Amt: q.Amt, ResultCode: code, Raw: fmt.Appendf(nil, "ResultCode=%s&%s&%d", code, q.TID, q.Amt)}, nil
	}
}

func (r *rig) cancels(p app.Payment, in app.CancelInput) {
	in.Key, in.Reason = r.key(), "변심"
	if _, err := r.Cancel(r.t.Context(), r.owner, p.Moid, in); err != nil {
		r.t.Errorf("cancel of %s: %v", p.Moid, err)
	}
}

// faults are the histories: those that fit, and those in which something goes wrong.
func faults() []fault {
	of := func(k app.MismatchKind, p app.Payment) []found { return []found{{k, string(p.Moid)}} }
	whole := app.CancelInput{Whole: true}
	refund := app.CancelInput{Whole: true, RefundBank: "088", RefundAcct: "110123456789", RefundName: "홍길동"}
	return []fault{
		{"paid", func(r *rig, amt app.Won) []found { r.honest(amt, smartro.Card, "3001"); return nil }},
		{"paid, told again and again", func(r *rig, amt app.Won) []found {
			p := r.honest(amt, smartro.Card, "3001")
			for range 3 {
				r.notify(notice(p, p.TID, "3001", amt))
			}
			return nil
		}},
		{"refused", func(r *rig, amt app.Won) []found {
			p := r.open(amt, smartro.Card)
			r.browser(notice(p, r.tid(smartro.Card), "3011", amt), p.ReturnToken)
			return nil
		}},
		{"forged", func(r *rig, amt app.Won) []found {
			p := r.open(amt, smartro.Card)
			r.notify(with(notice(p, r.tid(smartro.Card), "3001", amt), "SignValue", "bm90IGEgc2lnbmF0dXJl"))
			return nil
		}},
		{"cancelled", func(r *rig, amt app.Won) []found {
			p := r.honest(amt, smartro.Card, "3001")
			r.gives("2001")
			r.cancels(p, whole)
			return nil
		}},
		{"cancelled in part, at the gateway's own site", func(r *rig, amt app.Won) []found {
			p := r.honest(amt, smartro.Card, "3001")
			r.notify(notice(p, r.tid(smartro.Card), "2001", amt/2, smartro.Field{Name: "OTID", Value: string(p.TID)}))
			return nil
		}},
		{"deposited", func(r *rig, amt app.Won) []found {
			p := r.account(amt)
			r.notify(notice(p, p.TID, "4110", amt))
			return nil
		}},
		{"an account that waits", func(r *rig, amt app.Won) []found { r.account(amt); return nil }},
		{"a receipt that goes with its payment", func(r *rig, amt app.Won) []found {
			p, tid := r.open(amt, smartro.Bank), r.tid(smartro.Bank)
			told := []smartro.Field{{Name: "ReceiptType", Value: "1"}, {Name: "RcptAppNo", Value: fmt.Sprintf("Z%08d", r.serial)}}
			r.browser(notice(p, tid, "4000", amt), p.ReturnToken)
			r.notify(notice(p, tid, "4000", amt, told...))
			r.gives("2211")
			r.cancels(p, whole)
			return nil
		}},

		{"no return", func(r *rig, amt app.Won) []found {
			p := r.open(amt, smartro.Card)
			r.notify(notice(p, r.tid(smartro.Card), "3001", amt))
			return of(app.MismatchNoReturn, p)
		}},
		{"no notification", func(r *rig, amt app.Won) []found {
			p := r.open(amt, smartro.Card)
			r.browser(notice(p, r.tid(smartro.Card), "3001", amt), p.ReturnToken)
			r.now = r.now.Add(15 * time.Minute)
			return of(app.MismatchClaimedUnproved, p)
		}},
		{"two approvals", func(r *rig, amt app.Won) []found {
			p := r.open(amt, smartro.Card)
			q := r.again(mustToken(r, p.OrderNo), smartro.Card)
			for _, one := range []app.Payment{p, q} {
				tid := r.tid(smartro.Card)
				r.browser(notice(one, tid, "3001", amt), one.ReturnToken)
				r.notify(notice(one, tid, "3001", amt))
			}
			return of(app.MismatchTwoApprovals, q)
		}},
		{"another amount", func(r *rig, amt app.Won) []found {
			p := r.open(amt, smartro.Card)
			r.notify(notice(p, r.tid(smartro.Card), "3001", amt+1))
			return of(app.MismatchAmountDiffers, p)
		}},
		{"another method", func(r *rig, amt app.Won) []found {
			p := r.open(amt, smartro.Card)
			told := p
			told.Method = smartro.Bank
			r.notify(notice(told, r.tid(smartro.Bank), "4000", amt))
			return of(app.MismatchOrderDiffers, p)
		}},
		{"an order that is none of ours", func(r *rig, amt app.Won) []found {
			p := app.Payment{Moid: app.Moid(fmt.Sprintf("X%09d", r.serial)), MID: smartro.DemoMID, Method: smartro.Card}
			tid := r.tid(smartro.Card)
			r.notify(notice(p, tid, "3001", amt))
			return []found{{app.MismatchPaidWithoutOrder, string(tid)}}
		}},
		{"a cancel without an answer", func(r *rig, amt app.Won) []found {
			p := r.honest(amt, smartro.Card, "3001")
			r.gw.cancel = func(smartro.CancelRequest) (smartro.CancelAnswer, error) {
				return smartro.CancelAnswer{}, errors.New("connection reset")
			}
			r.cancels(p, app.CancelInput{Amount: amt / 2})
			return of(app.MismatchCancelUnknown, p)
		}},
		{"a cancel of what was never told", func(r *rig, amt app.Won) []found {
			p, tid := r.open(amt, smartro.Card), r.tid(smartro.Card)
			r.notify(notice(p, tid, "2001", amt, smartro.Field{Name: "OTID", Value: string(tid)}))
			return of(app.MismatchCancelledThere, p)
		}},
		{"a refund that is under way", func(r *rig, amt app.Won) []found {
			p := r.account(amt)
			r.notify(notice(p, p.TID, "4110", amt))
			r.gives("2211")
			r.cancels(p, refund)
			return of(app.MismatchRefundOwed, p)
		}},
		{"a deposit after its time", func(r *rig, amt app.Won) []found {
			p := r.account(amt)
			r.now = p.VbankDue.Add(time.Hour)
			r.notify(with(notice(p, p.TID, "4110", amt), "AuthDate", r.now.In(app.KST).Format("060102150405")))
			return of(app.MismatchLateDeposit, p)
		}},
		{"a deposit after a cancel", func(r *rig, amt app.Won) []found {
			p := r.account(amt)
			r.gives("2001")
			r.cancels(p, whole)
			r.notify(notice(p, p.TID, "4110", amt))
			return of(app.MismatchLateDeposit, p)
		}},
		{"a receipt that stays", func(r *rig, amt app.Won) []found {
			p := r.honest(amt, smartro.Bank, "4000")
			in := app.CashReceiptInput{Key: r.key(), Payment: p.Moid, Purpose: smartro.IncomeDeduction, Identity: "010-1234-5678", Number: fmt.Sprintf("H%08d", r.serial), Date: r.now.In(app.KST).Format(time.DateOnly)}
			if _, err := r.RecordCashReceipt(r.t.Context(), r.owner, in); err != nil {
				r.t.Fatal(err)
			}
			r.gives("2211")
			r.cancels(p, whole)
			return of(app.MismatchOrphanReceipt, p)
		}},
	}
}

// TestMismatches: over random histories in one shop after another, what does not fit is found, each thing once, and
// nothing that fits. GAGE_MISMATCHES says over how many; the seed is in the failure.
func TestMismatches(t *testing.T) {
	const perShop = 250
	histories := 500
	if testing.Short() {
		histories = 100
	}
	if n, err := strconv.Atoi(os.Getenv("GAGE_MISMATCHES")); err == nil {
		histories = n
	}
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("GAGE_SEED"), 10, 64); err == nil {
		seed = n
	}
	all, played := faults(), map[string]int{}
	for shop := 0; shop*perShop < histories; shop++ {
		random := rand.New(rand.NewPCG(seed, uint64(shop)))
		r := newRig(t, dbtest.SQLite(t))
		r.gw.inquire = func(app.TID) (smartro.Inquiry, error) { return smartro.Inquiry{}, errors.New("no answer") }
		want := map[found]int{}
		for range min(perShop, histories-shop*perShop) {
			one := all[random.IntN(len(all))]
			played[one.name]++
			for _, f := range one.play(r, app.Won(2_000+random.IntN(100_000))) {
				want[f]++
			}
			r.now = r.now.Add(time.Duration(random.IntN(3600)) * time.Second)
		}
		if got := r.mismatches(r.books()); !maps.Equal(got, want) {
			t.Fatalf("GAGE_SEED=%d, shop %d: %s", seed, shop, differ(got, want))
		}
		r.now = r.now.Add(time.Minute)
		board, err := r.MismatchBoard(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range board { // the board looks through the same books, those of the last days
			if want[found{m.Kind, string(m.Moid)}] == 0 && want[found{m.Kind, string(m.TID)}] == 0 {
				t.Fatalf("GAGE_SEED=%d, shop %d: the board invents %+v", seed, shop, m)
			}
		}
		if len(want) > 0 && len(board) == 0 {
			t.Fatalf("GAGE_SEED=%d, shop %d: the board is empty", seed, shop)
		}
	}
	t.Logf("%d histories of %d kinds", histories, len(played))
}

// books are everything that the shop has.
func (r *rig) books() app.Books {
	r.t.Helper()
	b := app.Books{At: r.now}
	var err error
	fatal := func(e error) {
		if e != nil {
			r.t.Fatal(e)
		}
	}
	if b.Holds, err = r.Store.Holds(r.t.Context(), false, 10_000); err != nil {
		r.t.Fatal(err)
	}
	after := app.Cursor{}
	for {
		orders, err := r.Store.Orders(r.t.Context(), app.OrderQuery{Limit: 200, After: after})
		fatal(err)
		for _, o := range orders {
			payments, err := r.Store.PaymentsOf(r.t.Context(), o.No)
			fatal(err)
			messages, err := r.Store.Messages(r.t.Context(), o.No)
			fatal(err)
			cancels, err := r.Store.Cancels(r.t.Context(), o.No)
			fatal(err)
			receipts, err := r.Store.CashReceiptsOf(r.t.Context(), o.No)
			fatal(err)
			b.Payments, b.Messages = append(b.Payments, payments...), append(b.Messages, messages...)
			b.Cancels, b.Receipts = append(b.Cancels, cancels...), append(b.Receipts, receipts...)
		}
		if len(orders) < 200 {
			return b
		}
		last := orders[len(orders)-1]
		after = app.Cursor{At: last.CreatedAt, ID: string(last.No)}
	}
}

// mismatches counts what is found, by the payment that it is about, or the TID where there is none.
func (r *rig) mismatches(b app.Books) map[found]int {
	got := map[found]int{}
	for _, m := range app.Mismatches(b) {
		of := string(m.Moid)
		if m.OrderNo == "" {
			of = string(m.TID)
		}
		got[found{m.Kind, of}]++
	}
	return got
}

func differ(got, want map[found]int) string {
	var words []string
	for f, n := range want {
		if got[f] != n {
			words = append(words, fmt.Sprintf("missed %s of %s", f.kind, f.of))
		}
	}
	for f, n := range got {
		if want[f] != n {
			words = append(words, fmt.Sprintf("invented %s of %s (%d times)", f.kind, f.of, n))
		}
	}
	slices.Sort(words)
	return strings.Join(words[:min(len(words), 12)], "; ")
}
