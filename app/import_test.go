package app_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// listTitles are the columns of the gateway's list, as these tests write it.
var listTitles = []string{"거래구분", "거래일시", "상점ID", "거래번호(TID)", "원거래번호", "주문번호", "결제수단", "승인번호", "거래금액", "구매자명"}

// listed is one row of the gateway's list about p.
func listed(kind string, at string, tid, of app.TID, p app.Payment, amt app.Won) []string {
	return []string{kind, at, string(smartro.DemoMID), string(tid), string(of), string(p.Moid), "신용카드", "12345678", amt.String(), "홍길동"}
}

func (r *rig) brought(rows ...[]string) app.Import {
	r.t.Helper()
	table := append([][]string{{"거래내역 조회", "2026-11"}, {}, listTitles}, rows...)
	imp, err := r.ReadImport(r.t.Context(), r.owner, "거래내역.csv", "0000", table)
	if err != nil {
		r.t.Fatal(err)
	}
	return imp
}

func (r *rig) applies(imp app.Import) app.Import {
	r.t.Helper()
	imp, err := r.ApplyImport(r.t.Context(), r.owner, imp.ID, "11월 맞춤")
	if err != nil || imp.State != app.ImportApplied {
		r.t.Fatal(imp.State, err)
	}
	return imp
}

// classes are how many rows are of each class.
func classes(imp app.Import) string {
	var list []string
	for _, c := range app.Classes() {
		if n := imp.Result.Count(c); n.N > 0 {
			list = append(list, fmt.Sprintf("%s %d %d", c, n.N, n.Won))
		}
	}
	return strings.Join(list, ", ")
}

// lastEvent is the number of the newest event: as long as it stays, nothing was changed.
func (r *rig) lastEvent() (n int64) {
	r.t.Helper()
	err := r.Store.Update(r.t.Context(), func(tx app.Tx) (err error) {
		n, err = tx.AppendEvent(r.t.Context(), app.Event{At: r.now, Kind: "look"})
		return errors.Join(err, errUndo)
	})
	if !errors.Is(err, errUndo) {
		r.t.Fatal(err)
	}
	return n
}

var errUndo = errors.New("undo")

// unknownCancel asks for a cancel whose answer nobody can read.
func (r *rig) unknownCancel(p app.Payment, amt app.Won) app.Cancel {
	r.t.Helper()
	r.gw.cancel = func(smartro.CancelRequest) (smartro.CancelAnswer, error) {
		return smartro.CancelAnswer{Raw: []byte("?")}, smartro.ErrUnreadable
	}
	r.serial++
	c, err := r.Cancel(r.t.Context(), r.owner, p.Moid, app.CancelInput{Key: fmt.Sprintf("key-of-a-cancel-form-%05d", r.serial), Amount: amt, Reason: "품절"})
	if err != nil || c.State != app.CancelStateUnknown {
		r.t.Fatal(c.State, err)
	}
	return c
}

// TestImport brings a list that tells of all that went wrong: a notice that never came, a deposit, a cancel made at the
// gateway's site, one of ours without an answer, another amount, a second payment, an unknown order. Looking changes
// nothing; applying settles each once, whatever is brought afterwards.
//
// proves R9, R18, S27, I2, I4
func TestImport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		paid := func(amt app.Won) app.Payment {
			p := r.open(amt, smartro.Card)
			r.notify(notice(p, r.tid(smartro.Card), "3001", amt))
			return r.want(p.Moid, app.Paid)
		}
		agrees, cancelledThere, unknown, differs := paid(1000), paid(2000), paid(3000), paid(4000)
		cancel := r.unknownCancel(unknown, 500)
		claimed := r.open(5000, smartro.Card)
		r.browser(notice(claimed, r.tid(smartro.Card), "3001", 5000), claimed.ReturnToken)
		claimed = r.want(claimed.Moid, app.Claimed)
		lost := r.open(6000, smartro.Card)
		account, accountTID := r.open(7000, smartro.Vbank), r.tid(smartro.Vbank)
		r.notify(notice(account, accountTID, "4100", 7000, smartro.Field{Name: "VbankNum", Value: "110123456789"}))
		other := r.open(8000, smartro.Card)
		stranger := app.Payment{Moid: "NOBODY01"}
		lostTID, otherTID, strangerTID, second := r.tid(smartro.Card), r.tid(smartro.Card), r.tid(smartro.Card), r.tid(smartro.Card)
		const at = "2026-11-23 14:00:01"
		deposit := listed("입금", at, accountTID, "", account, 7000)
		deposit[6] = "가상계좌"
		foreign := listed("승인", at, "otherdemo101012611231400001234", "", stranger, 1)
		foreign[2] = "otherdemo1"
		rows := [][]string{
			listed("승인", at, agrees.TID, "", agrees, 1000),
			listed("승인", at, cancelledThere.TID, "", cancelledThere, 2000),
			listed("부분취소", "2026-11-23 15:00:00", r.tid(smartro.Card), cancelledThere.TID, cancelledThere, 700),
			listed("승인", at, unknown.TID, "", unknown, 3000),
			listed("부분취소", "2026-11-23 14:00:03", r.tid(smartro.Card), unknown.TID, unknown, 500),
			listed("승인", at, differs.TID, "", differs, 4001),
			listed("승인", at, claimed.TID, "", claimed, 5000),
			listed("승인", at, lostTID, "", lost, 6000),
			deposit,
			listed("승인", at, otherTID, "", other, 8001),
			listed("승인", at, second, "", agrees, 1000),
			listed("승인", at, strangerTID, "", stranger, 9000),
			listed("승인", at, strangerTID, "", stranger, 9000),
			foreign,
			listed("승인거절", at, r.tid(smartro.Card), "", lost, 6000),
			listed("승인", at, "짧은번호", "", lost, 6000),
			listed("승인", at, lostTID, "", lost, 6000)[:3],
		}
		before := r.lastEvent()
		imp := r.brought(rows...)
		const want = "paid_there 2 11000, deposit 1 7000, cancelled_there 1 700, cancel_settles 1 500, amount 2 12002, second 1 1000, " +
			"unknown_order 1 9000, unreadable 2 0, other_mid 1 1, duplicate 1 9000, ignored 1 0, agrees 3 6000"
		if got := classes(imp); got != want {
			t.Errorf("the list is\n%s, want\n%s", got, want)
		}
		if n := r.lastEvent(); n > before+2 { // the import's own row, and none of a payment
			t.Errorf("looking wrote %d events", n-before)
		}
		r.want(claimed.Moid, app.Claimed)
		r.cancelled(cancel.ID, app.CancelStateUnknown)

		r.applies(imp)
		for _, p := range []app.Payment{claimed, lost, account} {
			if got := r.want(p.Moid, app.Paid); got.Proof != app.ProofStaff || got.Approved != p.Amount {
				t.Errorf("paid as %+v", got)
			}
		}
		r.want(agrees.Moid, app.Paid)
		if got := r.want(cancelledThere.Moid, app.PartlyCancelled); got.Cancelled != 700 {
			t.Errorf("cancelled %d", got.Cancelled)
		}
		if got := r.want(unknown.Moid, app.PartlyCancelled); got.Cancelled != 500 || got.Reserved != 0 {
			t.Errorf("cancelled %d, set aside %d", got.Cancelled, got.Reserved)
		}
		if c := r.cancelled(cancel.ID, app.CancelStateDone); c.SettledBy != "import" || c.ResultMsg != "" && strings.Contains(c.ResultMsg, "홍길동") {
			t.Errorf("settled as %+v", c)
		}
		if got := r.want(differs.Moid, app.Paid); got.Approved != 4000 {
			t.Errorf("a list moved what is proved: %+v", got)
		}
		if got := r.want(other.Moid, app.Held); got.HoldReason != app.HoldAmount || got.Approved != 8001 {
			t.Errorf("another amount: %+v", got)
		}
		holds := map[app.TID]app.HoldReason{}
		all, err := s.Holds(t.Context(), true, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range all {
			holds[h.TID] = h.Reason
		}
		if !reflect.DeepEqual(holds, map[app.TID]app.HoldReason{
			differs.TID: app.HoldReview, otherTID: app.HoldAmount, second: app.HoldDuplicate, strangerTID: app.HoldUnknown,
		}) {
			t.Errorf("kept apart: %v", holds)
		}
		events, err := s.Events(t.Context(), lost.OrderNo)
		last := events[len(events)-1]
		if err != nil || last.Kind != app.ImportRow || last.What() != app.Approved || last.Level != app.T4 || last.Actor != r.owner.ID ||
			last.MessageID != fmt.Sprintf("import/%s/11", imp.ID) || !strings.Contains(last.Text, "홍길동") || last.Amount != 6000 {
			t.Errorf("the event is %+v, %v", last, err)
		}

		// Told again, by the same file, by another one, and by the notices that came after all: nothing has two effects.
		after := []app.Payment{r.payment(agrees.Moid), r.payment(cancelledThere.Moid), r.payment(unknown.Moid), r.payment(lost.Moid), r.payment(account.Moid), r.payment(other.Moid)}
		r.applies(imp)
		again := r.brought(rows...)
		for _, c := range []app.Class{app.ClassPaidThere, app.ClassDeposit, app.ClassCancelledThere, app.ClassCancelSettles, app.ClassSecond, app.ClassUnknownOrder} {
			if n := again.Result.Count(c); n.N != 0 {
				t.Errorf("the same file again: %s", classes(again))
			}
		}
		r.applies(again)
		r.applies(r.brought(rows[2], rows[4], rows[7]))
		for i, p := range after {
			if now := r.payment(p.Moid); now.State != p.State || now.Approved != p.Approved || now.Cancelled != p.Cancelled || now.Reserved != p.Reserved {
				t.Errorf("%d: was %+v, is %+v", i, p, now)
			}
		}
		if v := r.notify(notice(lost, lostTID, "3001", 6000)); v != app.VerdictDuplicate {
			t.Errorf("the notice of what the list had told: %s", v)
		}
		if v := r.notify(notice(account, accountTID, "4110", 7000)); v != app.VerdictDuplicate && v != app.VerdictGood {
			t.Errorf("the deposit's notice of what the list had told: %s", v)
		}
		part := smartro.Field{Name: "OTID", Value: string(cancelledThere.TID)}
		if v := r.notify(notice(cancelledThere, app.TID(rows[2][3]), "2001", 700, part)); v != app.VerdictDuplicate {
			t.Errorf("the cancel's notice of what the list had told: %s", v)
		}
		r.want(lost.Moid, app.Paid)
		r.want(account.Moid, app.Paid)
		if got := r.want(cancelledThere.Moid, app.PartlyCancelled); got.Cancelled != 700 {
			t.Errorf("cancelled %d", got.Cancelled)
		}
		if now, err := s.Holds(t.Context(), true, 100); err != nil || len(now) != len(all) {
			t.Errorf("%d holds, then %d, %v", len(all), len(now), err)
		}
		if _, err := s.Verify(t.Context(), nil, func(fault string) { t.Error(fault) }); err != nil {
			t.Error(err)
		}
	})
}

// TestImportOfWholePayments reads a list with one row for each payment, whose date has no seconds.
//
// proves R18
func TestImportOfWholePayments(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.open(10_000, smartro.Card)
		r.notify(notice(p, r.tid(smartro.Card), "3001", 10_000))
		p = r.want(p.Moid, app.Paid)
		r.unknownCancel(p, 3000)
		lost := r.open(2000, smartro.Card)
		list := func(back string) app.Import {
			imp, err := r.ReadImport(t.Context(), r.owner, "list.xlsx", "0000", [][]string{
				{"Status", "TID", "Order No.", "Amount", "Cancel Amt", "Approved At"},
				{"부분취소", string(p.TID), string(p.Moid), "10,000", back, "2026/11/23 14:00"},
				{"전체취소", string(r.tid(smartro.Card)), string(lost.Moid), "2,000원", "2,000", "20261123"},
			})
			if err != nil {
				t.Fatal(err)
			}
			return imp
		}
		for _, c := range []struct {
			back, want string
			gone       app.Won
		}{
			{"3,000", "paid_there 1 2000, cancelled_there 1 2000, cancel_settles 1 3000, agrees 1 10000", 3000},
			{"3,000", "", 3000},
			{"4,500", "", 4500},
			{"4,000", "", 4500},
		} {
			imp := list(c.back)
			if got := classes(imp); c.want != "" && got != c.want {
				t.Errorf("%s gone: %s, want %s", c.back, got, c.want)
			}
			r.applies(imp)
			if now := r.want(p.Moid, app.PartlyCancelled); now.Cancelled != c.gone || now.Reserved != 0 {
				t.Errorf("%s gone there: cancelled %d, set aside %d", c.back, now.Cancelled, now.Reserved)
			}
			if got := r.want(lost.Moid, app.Cancelled); got.Approved != 2000 || got.Cancelled != 2000 {
				t.Errorf("paid and cancelled there: %+v", got)
			}
		}
		if _, err := s.Verify(t.Context(), nil, func(fault string) { t.Error(fault) }); err != nil {
			t.Error(err)
		}
	})
}

// TestImportGoesOn: an import that dies in the middle is finished by the job, and what was done is not done again.
//
// proves R9, I2
func TestImportGoesOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		var rows [][]string
		var list []app.Payment
		for range 4 {
			p := r.open(1000, smartro.Card)
			list = append(list, p)
			rows = append(rows, listed("승인", "2026-11-23 14:00:01", r.tid(smartro.Card), "", p, 1000))
		}
		imp := r.brought(rows...)
		limited := &dying{Store: s, left: 3} // the import itself and two payments
		shop := r.rigShop()
		shop.Store = limited
		if _, err := shop.ApplyImport(t.Context(), r.owner, imp.ID, "맞춤"); !errors.Is(err, errUndo) {
			t.Fatalf("it did not die: %v", err)
		}
		r.want(list[1].Moid, app.Paid)
		r.want(list[2].Moid, app.Opened)
		r.now = r.now.Add(10 * time.Minute)
		for range 3 {
			if _, err := r.WorkOnce(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range list {
			r.want(p.Moid, app.Paid)
		}
		if got, err := s.Import(t.Context(), imp.ID); err != nil || got.State != app.ImportApplied || got.AppliedBy != r.owner.ID || !reflect.DeepEqual(got.Table, imp.Table) {
			t.Errorf("the import is %+v, %v", got, err)
		}
	})
}

// dying is a store whose process dies after so many writes.
type dying struct {
	app.Store
	left int
}

func (d *dying) Update(ctx context.Context, f func(app.Tx) error) error {
	if d.left--; d.left < 0 {
		return errUndo
	}
	return d.Store.Update(ctx, f)
}

// rigShop is the shop alone, for a copy over another store.
func (r *rig) rigShop() *app.Shop {
	return &app.Shop{Store: r.Store, Keys: r.Keys, PublicURL: r.PublicURL, Log: r.Log, Now: r.Now, Gateway: r.Gateway, KnownSenders: r.KnownSenders}
}

// TestImportIsRefused: no list, too long a list, nobody's right, no reason.
//
// proves S27, S16
func TestImportIsRefused(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	clerk := app.Staff{ID: "clerk", Role: app.RoleStaff}
	long := make([][]string, app.ImportRows+100)
	long[0] = listTitles
	for name, c := range map[string]struct {
		who   app.Staff
		table [][]string
		want  error
	}{
		"nobody":    {app.Staff{Role: app.RoleOwner}, [][]string{listTitles}, app.ErrForbidden},
		"a clerk":   {clerk, [][]string{listTitles}, app.ErrForbidden},
		"nothing":   {r.owner, nil, app.ErrBadInput},
		"no titles": {r.owner, [][]string{{"a", "b"}, {"c", "d"}}, app.ErrBadInput},
		"no rows":   {r.owner, [][]string{listTitles}, app.ErrBadInput},
		"too long":  {r.owner, long, app.ErrBadInput},
	} {
		if _, err := r.ReadImport(t.Context(), c.who, "x", "0", c.table); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	imp, err := r.ReadImport(t.Context(), r.owner, "x", "0", [][]string{{"TID", "주문번호", "이름", "얼마"}, {"a", "b", "c", "1000"}})
	if err != nil || imp.State != app.ImportColumnsUnknown {
		t.Fatalf("a list whose columns nobody knows: %+v, %v", imp, err)
	}
	if _, err := r.ApplyImport(t.Context(), r.owner, imp.ID, "맞춤"); !errors.Is(err, app.ErrConflict) {
		t.Errorf("applied without columns: %v", err)
	}
	columns := app.ListColumns{app.FieldTID: 0, app.FieldKind: 2, app.FieldAmount: 3}
	if imp, err = r.SetImportColumns(t.Context(), r.owner, imp.ID, columns); err != nil || imp.State != app.ImportRead {
		t.Errorf("with columns it is %s, %v", imp.State, err)
	}
	if again, err := r.ReadImport(t.Context(), r.owner, "y", "0", [][]string{{"T I D", "주문번호", "이름", "얼마"}, {"a", "b", "c", "1000"}}); err != nil || !reflect.DeepEqual(again.Columns, columns) {
		t.Errorf("the columns are not remembered: %v, %v", again.Columns, err)
	}
	for _, err := range []error{
		func() error { _, err := r.ApplyImport(t.Context(), clerk, imp.ID, "맞춤"); return err }(),
		func() error { _, err := r.SetImportColumns(t.Context(), clerk, imp.ID, columns); return err }(),
		func() error { _, err := r.ImportByID(t.Context(), clerk, imp.ID); return err }(),
		func() error { _, err := r.Imports(t.Context(), clerk); return err }(),
	} {
		if !errors.Is(err, app.ErrForbidden) {
			t.Errorf("a clerk: %v", err)
		}
	}
	if _, err := r.ApplyImport(t.Context(), r.owner, imp.ID, " "); !errors.Is(err, app.ErrBadInput) {
		t.Errorf("without a reason: %v", err)
	}
}
