package app_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// openHolds are those that a person still has to decide about; the board has a line for each of them.
func (r *rig) openHolds() []app.Hold {
	r.t.Helper()
	list, err := r.Store.Holds(r.t.Context(), true, 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	board, err := r.MismatchBoard(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	if len(board) < len(list) {
		r.t.Errorf("%d holds are open, and %d lines stand on the board", len(list), len(board))
	}
	return list
}

// sums are the amounts that are kept apart, the least first.
func sums(list []app.Hold) (out []app.Won) {
	for _, h := range list {
		out = append(out, h.Amount)
	}
	slices.Sort(out)
	return out
}

// dated gives a notice another time of the gateway's.
func dated(n []smartro.Field, at string) []smartro.Field { return with(n, "AuthDate", at) }

// eachHold runs a test on both engines, with an account of 10,000 won that waits for its deposit.
func eachHold(t *testing.T, f func(t *testing.T, r *rig, p app.Payment, tid app.TID)) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p, tid := r.open(10_000, smartro.Vbank), r.tid(smartro.Vbank)
		r.notify(notice(p, tid, "4100", 10_000, smartro.Field{Name: "VbankNum", Value: "110123456789"}))
		f(t, r, p, tid)
	})
}

// TestEveryDepositIsKept: each deposit into an account is money of its own, after the hold before it was closed, too. Told
// again in other words it is the same.
//
// proves R11, R14, I7
func TestEveryDepositIsKept(t *testing.T) {
	eachHold(t, func(t *testing.T, r *rig, p app.Payment, tid app.TID) {
		told := func(at string, amt app.Won, more ...smartro.Field) app.Verdict {
			return r.notify(dated(notice(p, tid, "4110", amt, more...), at))
		}
		told("261123140001", 10_000)
		r.want(p.Moid, app.Paid)
		for i, amt := range []app.Won{3_000, 2_000, 3_000} {
			if v := told(fmt.Sprintf("26112314000%d", i+2), amt); v != app.VerdictHeld {
				t.Errorf("deposit %d: %s", i, v)
			}
		}
		if v := told("261123140003", 2_000, smartro.Field{Name: "BuyerTel", Value: "0211112222"}); v != app.VerdictDuplicate {
			t.Errorf("told again in other words: %s", v)
		}
		list := r.openHolds()
		if fmt.Sprint(sums(list)) != "[2000 3000 3000]" {
			t.Errorf("kept apart: %v", sums(list))
		}
		for _, h := range list {
			if err := r.CloseHold(t.Context(), r.owner, h.ID, "보낸 분께 돌려 드림"); err != nil {
				t.Fatal(err)
			}
		}
		told("261123140009", 500_000)
		if list = r.openHolds(); fmt.Sprint(sums(list)) != "[500000]" {
			t.Errorf("after the others were closed: %v", sums(list))
		}
		r.want(p.Moid, app.Paid)
	})
}

// TestRandomDeposits: however many deposits come into an account, in whatever order they are told, how often, by whom, and
// whatever a person closes meanwhile: each stands in one place, with its amount.
//
// proves R8, R11, R14, R43, I2, I6, I7
func TestRandomDeposits(t *testing.T) {
	seeds := uint64(60)
	if testing.Short() {
		seeds = 10
	}
	if n, err := strconv.ParseUint(os.Getenv("GAGE_HISTORIES"), 10, 64); err == nil {
		seeds = n
	}
	for seed := range seeds {
		rnd := rand.New(rand.NewPCG(seed, 11))
		r := newRig(t, dbtest.SQLite(t))
		p, tid := r.open(10_000, smartro.Vbank), r.tid(smartro.Vbank)
		r.notify(notice(p, tid, "4100", 10_000, smartro.Field{Name: "VbankNum", Value: "110123456789"}))
		var came []app.Won
		var told [][]smartro.Field
		var rows [][]string
		for i := range 1 + rnd.IntN(4) {
			amt := []app.Won{10_000, 10_000, 3_000, 6_000, 12_000}[rnd.IntN(5)]
			second := i*600 + rnd.IntN(2)
			at := time.Date(2026, 11, 23, 14, 0, second, 0, app.KST)
			came = append(came, amt)
			row := listed("입금", at.Format(time.DateTime), tid, "", p, amt)
			row[6] = "가상계좌"
			rows = append(rows, row)
			for n := range 1 + rnd.IntN(3) {
				told = append(told, dated(notice(p, tid, "4110", amt, smartro.Field{Name: "BuyerTel", Value: strings.Repeat("2", n)}), at.Format("060102150405")))
			}
		}
		rnd.Shuffle(len(told), func(i, k int) { told[i], told[k] = told[k], told[i] })
		if rnd.IntN(3) == 0 {
			told = told[:len(told)/2] // the rest is lost: the list tells
		}
		for _, n := range told {
			r.notify(n)
			switch list := r.openHolds(); {
			case rnd.IntN(6) == 0:
				r.applies(r.brought(rows...))
			case rnd.IntN(3) == 0 && len(list) > 0 && !list[0].Own:
				if err := r.CloseHold(t.Context(), r.owner, list[0].ID, "돌려 드림"); err != nil {
					t.Fatal(err)
				}
			}
		}
		r.applies(r.brought(rows...))
		holds, err := r.Store.HoldsOf(t.Context(), p.OrderNo)
		if err != nil {
			t.Fatal(err)
		}
		have := sums(slices.DeleteFunc(holds, func(h app.Hold) bool { return h.Own }))
		if p = r.payment(p.Moid); p.Approved > 0 {
			have = append(have, p.Approved)
		}
		slices.Sort(have)
		slices.Sort(came)
		if !slices.Equal(have, came) {
			t.Errorf("seed %d: %v came, %v is there; the payment is %s with %d", seed, came, have, p.State, p.Approved)
		}
	}
}

// TestDepositsWithoutATime: where the gateway tells no time, amount and approval number tell two deposits apart.
//
// proves R14, I2
func TestDepositsWithoutATime(t *testing.T) {
	eachHold(t, func(t *testing.T, r *rig, p app.Payment, tid app.TID) {
		for _, amt := range []app.Won{4_000, 6_000, 4_000} {
			r.notify(dated(notice(p, tid, "4110", amt, smartro.Field{Name: "BuyerTel", Value: amt.String()}), ""))
		}
		if list := r.openHolds(); fmt.Sprint(sums(list)) != "[4000 6000]" {
			t.Errorf("kept apart: %v", sums(list))
		}
	})
}

// TestEveryDepositOfAnUnknownOrderIsKept: what is kept apart does not hide what comes after it, told by a notification or
// by a list.
//
// proves R2, R9
func TestEveryDepositOfAnUnknownOrderIsKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p, tid := app.Payment{Moid: "NOBODY01", MID: smartro.DemoMID, Method: smartro.Vbank}, r.tid(smartro.Vbank)
		for at, amt := range map[string]app.Won{"261123141001": 3_000, "261123141002": 4_000} {
			r.notify(dated(notice(p, tid, "4110", amt), at))
			r.notify(dated(notice(p, tid, "4110", amt, smartro.Field{Name: "BuyerTel", Value: "02"}), at))
		}
		if list := r.openHolds(); len(list) != 2 {
			t.Errorf("kept apart: %v, want 3000 and 4000", sums(list))
		}
		var rows [][]string
		for _, amt := range []app.Won{3_000, 4_000, 4_000} { // the list has days alone
			row := listed("입금", "2026-11-23", tid, "", p, amt)
			row[6] = "가상계좌"
			rows = append(rows, row)
		}
		rows[2][1] = "2026-11-24"
		for range 2 {
			r.applies(r.brought(rows...))
			if list := r.openHolds(); len(list) != 3 {
				t.Errorf("after the list: %v, want 3000, 4000 and 4000", sums(list))
			}
		}
	})
}

// TestMoneyBesideWhatAPersonVouchedFor: the gateway's word about the money that a person or a list vouched for confirms
// it; the same amount once more is other money.
//
// proves I2, R11
func TestMoneyBesideWhatAPersonVouchedFor(t *testing.T) {
	accepted := func(t *testing.T, r *rig, p app.Payment, _ app.TID) {
		if err := r.AcceptPayment(t.Context(), r.owner, p.Moid, "결제사 화면에서 확인"); err != nil {
			t.Fatal(err)
		}
	}
	for name, vouch := range map[string]func(*testing.T, *rig, app.Payment, app.TID){
		"a person": accepted,
		"a list to the second": func(t *testing.T, r *rig, p app.Payment, tid app.TID) {
			row := listed("입금", "2026-11-23 14:00:01", tid, "", p, 10_000)
			row[6] = "가상계좌"
			r.applies(r.brought(row))
		},
		"a list to the day": func(t *testing.T, r *rig, p app.Payment, tid app.TID) {
			row := listed("입금", "2026-11-23", tid, "", p, 10_000)
			row[6] = "가상계좌"
			r.applies(r.brought(row))
		},
	} {
		r := newRig(t, dbtest.SQLite(t))
		p, tid := r.open(10_000, smartro.Vbank), r.tid(smartro.Vbank)
		r.notify(notice(p, tid, "4100", 10_000))
		vouch(t, r, p, tid)
		r.want(p.Moid, app.Paid)
		r.notify(dated(notice(p, tid, "4110", 10_000), "261123140001"))
		if list := r.openHolds(); len(list) != 0 {
			t.Errorf("%s: the money itself is kept apart: %v", name, sums(list))
		}
		r.notify(dated(notice(p, tid, "4110", 10_000), "261123180000"))
		if list := r.openHolds(); fmt.Sprint(sums(list)) != "[10000]" {
			t.Errorf("%s: the second: %v", name, sums(list))
		}
	}
	eachHold(t, func(t *testing.T, r *rig, p app.Payment, tid app.TID) {
		r.notify(dated(notice(p, tid, "4110", 9_000), "261123140001"))
		r.want(p.Moid, app.Held)
		accepted(t, r, p, tid)
		r.want(p.Moid, app.Paid)
		r.notify(dated(notice(p, tid, "4110", 9_000), "261123180000"))
		if list := r.openHolds(); fmt.Sprint(sums(list)) != "[9000]" {
			t.Errorf("the second of an accepted amount: %v", sums(list))
		}
	})
}

// TestCodesThatMayMeanMoney: what the gateway itself tells in a code that can't be read goes before a person, once, of a
// known order and of an unknown one.
//
// proves R2, I7
func TestCodesThatMayMeanMoney(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		for _, c := range []struct {
			method app.Method
			code   string
			tid    app.Method
		}{
			{smartro.Card, "2100", smartro.Card}, {smartro.Card, "0000", smartro.Card}, {smartro.Card, "4110", smartro.Vbank},
			{smartro.Card, "3001", smartro.Bank}, {smartro.Vbank, "4110", smartro.Card},
		} {
			for _, known := range []bool{true, false} {
				p := r.open(10_000, c.method)
				if !known {
					p.Moid = app.Moid("NOBODY" + c.code)
				}
				tid := r.tid(c.tid)
				first := r.notify(notice(p, tid, c.code, 10_000))
				again := r.notify(notice(p, tid, c.code, 10_000, smartro.Field{Name: "BuyerTel", Value: "02"}))
				list, err := s.HoldsOfTID(t.Context(), p.Mode, tid)
				if err != nil || first != app.VerdictHeld || again != app.VerdictDuplicate || len(list) != 1 ||
					!list[0].Open() || list[0].Reason != app.HoldUnknownCode || list[0].Moid != p.Moid {
					t.Errorf("%s %s, known: %t: %s, %s: %+v, %v", c.method, c.code, known, first, again, list, err)
				}
			}
		}
		if n := len(r.openHolds()); n != 10 {
			t.Errorf("%d are open", n)
		}
	})
}

// TestListSaysWhatACodeMeant: a code that nobody could read does not keep the gateway's list from paying the order.
//
// proves R9, I7
func TestListSaysWhatACodeMeant(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	p, tid := r.open(10_000, smartro.Card), r.tid(smartro.Card)
	r.notify(notice(p, tid, "0000", 10_000))
	r.want(p.Moid, app.Opened)
	r.applies(r.brought(listed("승인", "2026-11-23 14:00:01", tid, "", p, 10_000)))
	r.want(p.Moid, app.Paid)
}

// TestEveryCancelThatFitsNothingIsKept: an impossible cancel after another that a person looked at goes before one, too.
//
// proves R42, I7
func TestEveryCancelThatFitsNothingIsKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p, tid := r.open(10_000, smartro.Card), r.tid(smartro.Card)
		r.notify(notice(p, tid, "3001", 10_000))
		of := smartro.Field{Name: "OTID", Value: string(tid)}
		r.notify(dated(notice(p, tid, "2001", 11_000, of), "261123150000"))
		list := r.openHolds()
		if len(list) != 1 {
			t.Fatalf("%+v", list)
		}
		if err := r.CloseHold(t.Context(), r.owner, list[0].ID, "결제사에 물어봄"); err != nil {
			t.Fatal(err)
		}
		r.notify(dated(notice(p, tid, "2001", 12_000, of), "261123160000"))
		if list = r.openHolds(); fmt.Sprint(sums(list)) != "[12000]" {
			t.Errorf("the second: %v", sums(list))
		}
		r.want(p.Moid, app.Paid)
	})
}

// TestClaimOfAnUnknownOrdersTID: the gateway's word about an order that we don't know takes its TID away from the browser
// that claimed it, so that nobody can accept the claim beside the money that is kept apart.
//
// proves R13
func TestClaimOfAnUnknownOrdersTID(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p, tid := r.open(10_000, smartro.Card), r.tid(smartro.Card)
		r.browser(notice(p, tid, "3001", 10_000), p.ReturnToken)
		r.want(p.Moid, app.Claimed)
		r.notify(notice(app.Payment{Moid: "NOBODY03", MID: smartro.DemoMID, Method: smartro.Card}, tid, "3001", 10_000))
		if now := r.want(p.Moid, app.Opened); now.TID != "" {
			t.Errorf("the claim keeps %s", now.TID)
		}
		if err := r.AcceptPayment(t.Context(), r.owner, p.Moid, "봤음"); err == nil {
			t.Error("the claim was accepted")
		}
		if list := r.openHolds(); len(list) != 1 {
			t.Errorf("%+v", list)
		}
	})
}

// TestEditedForm: what the gateway echoes of a form is compared with what ours said. The browser sends the form, and the
// request's hash covers the amount, not the order and not the goods.
//
// proves R41, I4
func TestEditedForm(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		order := func(goods string) app.Payment {
			o, err := r.CreateOrder(t.Context(), r.owner, app.OrderInput{Goods: goods, Amount: 5_000, BuyerName: "홍길동", BuyerTel: "010-9999-1111", BuyerEmail: "hong@example.com"})
			if err != nil {
				t.Fatal(err)
			}
			return r.again(o.Token, smartro.Card)
		}
		other := order("Another order")
		for name, c := range map[string]struct {
			goods string
			echo  func(app.Payment) []smartro.Field
			want  app.State
		}{
			"nothing echoed": {"Ten tangerines", func(app.Payment) []smartro.Field { return nil }, app.Paid},
			"all as it was": {"Ten tangerines, 1kg", func(p app.Payment) []smartro.Field {
				return []smartro.Field{{Name: "GoodsName", Value: p.GoodsName}, {Name: "mallUserID", Value: string(p.OrderNo)}, {Name: "MallReserved", Value: "rt=" + p.ReturnToken}}
			}, app.Paid},
			"goods cut off": {"Ten tangerines, 1kg", func(app.Payment) []smartro.Field {
				return []smartro.Field{{Name: "GoodsName", Value: "Ten tangerines 1"}}
			}, app.Paid},
			"signs as in HTML": {"Tom & Jerry's 'best'", func(app.Payment) []smartro.Field {
				return []smartro.Field{{Name: "GoodsName", Value: "Tom &amp; Jerry&#39;s &#39;best&#39;"}}
			}, app.Paid},
			"customer in small letters": {"Ten tangerines", func(p app.Payment) []smartro.Field {
				return []smartro.Field{{Name: "mallUserID", Value: strings.ToLower(string(p.OrderNo)) + " "}}
			}, app.Paid},
			"Hangul": {"귤 열 개", func(app.Payment) []smartro.Field { return []smartro.Field{{Name: "GoodsName", Value: "책"}} }, app.Paid},
			"customer cut off": {"Ten tangerines", func(p app.Payment) []smartro.Field {
				return []smartro.Field{{Name: "mallUserID", Value: string(p.OrderNo[:5])}}
			}, app.Paid},
			"other goods": {"Ten tangerines", func(app.Payment) []smartro.Field {
				return []smartro.Field{{Name: "GoodsName", Value: "Nine tangerines"}}
			}, app.Held},
			"other customer": {"Ten tangerines", func(app.Payment) []smartro.Field {
				return []smartro.Field{{Name: "MALLUSERID", Value: string(other.OrderNo)}}
			}, app.Held},
			"another form's token": {"Ten tangerines", func(app.Payment) []smartro.Field {
				return []smartro.Field{{Name: "MallReserved", Value: "rt=" + other.ReturnToken}}
			}, app.Held},
		} {
			p := order(c.goods)
			r.notify(notice(p, r.tid(smartro.Card), "3001", 5_000, c.echo(p)...))
			now := r.payment(p.Moid)
			if now.State != c.want || now.State == app.Held && now.HoldReason != app.HoldFormChanged {
				t.Errorf("%s: %s %s, want %s", name, now.State, now.HoldReason, c.want)
			}
		}
		r.want(other.Moid, app.Opened)
	})
}

// TestTooMuchAndPartBack: where too much came and the rest went back, what is left can be accepted; before another amount
// than the order's is accepted the log says that it is in force.
//
// proves R14, I4
func TestTooMuchAndPartBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p, tid := r.open(10_000, smartro.Card), r.tid(smartro.Card)
		r.notify(notice(p, tid, "3001", 11_000))
		r.notify(notice(p, r.tid(smartro.Card), "2001", 1_000, smartro.Field{Name: "OTID", Value: string(tid)}))
		r.want(p.Moid, app.Held)
		if err := r.AcceptPayment(t.Context(), r.owner, p.Moid, "남은 금액이 맞음"); err != nil {
			t.Fatal(err)
		}
		if now := r.want(p.Moid, app.PartlyCancelled); now.Left() != 10_000 || now.PaidAt.IsZero() {
			t.Errorf("left %d, paid at %v", now.Left(), now.PaidAt)
		}
		if o, err := s.Order(t.Context(), p.OrderNo); err != nil || o.State != app.OrderPartlyCancelled {
			t.Errorf("order %s, %v", o.State, err)
		}
		if list := r.openHolds(); len(list) != 0 {
			t.Errorf("%+v", list)
		}
		events, err := s.Events(t.Context(), p.OrderNo)
		if err != nil {
			t.Fatal(err)
		}
		kinds := ""
		for _, e := range events {
			if e.Level == app.T4 {
				kinds += fmt.Sprintf("%s %d %s; ", e.Kind, e.Amount, e.Actor)
			}
		}
		if want := fmt.Sprintf("amended 10000 %s; staff_accept 11000 %[1]s; ", r.owner.ID); kinds != want {
			t.Errorf("%q, want %q", kinds, want)
		}
		if _, err := s.Verify(t.Context(), nil, func(what string) { t.Errorf("verify: %s", what) }); err != nil {
			t.Error(err)
		}
	})
}

// TestLateDeposit: a deposit after its due date is held, or pays where the owner takes it.
//
// proves R15
func TestLateDeposit(t *testing.T) {
	eachHold(t, func(t *testing.T, r *rig, p app.Payment, tid app.TID) {
		late := func(p app.Payment, tid app.TID) app.Payment {
			r.now = p.VbankDue.Add(40 * time.Minute)
			r.notify(dated(notice(p, tid, "4110", 10_000), p.VbankDue.In(app.KST).Add(30*time.Minute).Format("060102150405")))
			return r.payment(p.Moid)
		}
		if got := late(r.payment(p.Moid), tid); got.State != app.Held || got.HoldReason != app.HoldLate {
			t.Errorf("%s %s", got.State, got.HoldReason)
		}
		info, err := r.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		info.Name, info.TakeLate = "산들바람", true
		if err := r.SetInfo(t.Context(), r.owner, info); err != nil {
			t.Fatal(err)
		}
		q, other := r.open(10_000, smartro.Vbank), r.tid(smartro.Vbank)
		r.notify(notice(q, other, "4100", 10_000))
		if got := late(r.payment(q.Moid), other); got.State != app.Paid || !got.Late {
			t.Errorf("where it is taken: %s, late: %t", got.State, got.Late)
		}
	})
}
