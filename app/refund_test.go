package app_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// deposited is a virtual account of amt won that was paid into.
func (r *rig) deposited(amt app.Won) app.Payment {
	r.t.Helper()
	p, tid := r.open(amt, smartro.Vbank), r.tid(smartro.Vbank)
	r.notify(notice(p, tid, "4100", amt, smartro.Field{Name: "VbankNum", Value: "110123456789"}))
	r.notify(notice(p, tid, "4110", amt))
	return r.want(p.Moid, app.Paid)
}

// refundTaken answers a refund call as the gateway does when it has taken it on.
func refundTaken(q smartro.CancelRequest) (smartro.CancelAnswer, error) {
	return smartro.CancelAnswer{TID: q.TID, Amt: q.Amt, ResultCode: "2211", ResultMsg: "환불 접수", Raw: []byte("ResultCode=2211&" + string(q.TID))}, nil
}

func refundOf(key string, amt app.Won) app.CancelInput {
	return app.CancelInput{
		Key: strings.Repeat(key, 26), Amount: amt, Reason: "단순 변심", RefundBank: "088", RefundAcct: "110-123-456789", RefundName: "홍길동",
	}
}

// paidOut is the gateway's notice that a refund went to the buyer's account.
func (r *rig) paidOut(p app.Payment, part app.TID, amt app.Won, more ...smartro.Field) []smartro.Field {
	return append(notice(p, part, "2211", amt, smartro.Field{Name: "OTID", Value: string(p.TID)}), more...)
}

func (r *rig) cancelled(id string, st app.CancelState) app.Cancel {
	r.t.Helper()
	c, err := r.Store.Cancel(r.t.Context(), id)
	if err != nil || c.State != st {
		r.t.Errorf("the cancel is %s, want %s: %v", c.State, st, err)
	}
	return c
}

// TestRefund: a refund that the gateway took on is no cancel yet. It is done at the gateway's notice, days later, once,
// however often that comes; until then the amount is set aside and no other may start.
//
// proves R19, I3
func TestRefund(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.deposited(20000)
		r.gw.cancel = refundTaken
		in := refundOf("k", 5000)
		for _, missing := range []func(*app.CancelInput){
			func(in *app.CancelInput) { in.RefundBank = "" },
			func(in *app.CancelInput) { in.RefundAcct = "" },
			func(in *app.CancelInput) { in.RefundName = " " },
		} {
			without := in
			missing(&without)
			if _, err := r.Cancel(t.Context(), r.owner, p.Moid, without); !errors.Is(err, app.ErrBadInput) {
				t.Errorf("a refund to nowhere: %v", err)
			}
		}
		c, err := r.Cancel(t.Context(), r.owner, p.Moid, in)
		if err != nil || c.State != app.CancelStateAccepted || !c.SettledAt.IsZero() {
			t.Fatalf("the refund: %+v, %v", c, err)
		}
		for day := range 9 {
			if got := r.want(p.Moid, app.Paid); got.Reserved != 5000 || got.Cancelled != 0 || got.Left() != 15000 {
				t.Errorf("day %d: set aside %d, cancelled %d", day, got.Reserved, got.Cancelled)
			}
			if _, err := r.Cancel(t.Context(), r.owner, p.Moid, refundOf("m", 1000)); !errors.Is(err, app.ErrBusy) {
				t.Errorf("another beside it: %v", err)
			}
			if _, err := r.ResendCancel(t.Context(), r.owner, c.ID); err == nil {
				t.Error("an accepted refund was sent again")
			}
			w, err := r.Worklist(t.Context())
			if err != nil || (len(w.Cancels) == 1) != (day >= 7) {
				t.Errorf("day %d: on the list %+v, %v", day, w.Cancels, err)
			}
			r.now = r.now.Add(24*time.Hour + time.Second)
			if _, err := r.WorkOnce(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		r.cancelled(c.ID, app.CancelStateAccepted)
		told := r.paidOut(p, r.tid(smartro.Vbank), 5000)
		if v := r.notify(told); v != app.VerdictGood {
			t.Errorf("the notice: %s", v)
		}
		for _, again := range [][]smartro.Field{told, append(told, smartro.Field{Name: "extra", Value: "1"})} {
			if v := r.notify(again); v != app.VerdictDuplicate {
				t.Errorf("the notice again: %s", v)
			}
		}
		if got := r.want(p.Moid, app.PartlyCancelled); got.Reserved != 0 || got.Cancelled != 5000 {
			t.Errorf("set aside %d, cancelled %d", got.Reserved, got.Cancelled)
		}
		if c = r.cancelled(c.ID, app.CancelStateDone); c.SettledBy != "notice" || r.gw.calls != 1 {
			t.Errorf("settled by %s after %d calls", c.SettledBy, r.gw.calls)
		}
		if _, err := s.Verify(t.Context(), nil, func(fault string) { t.Error(fault) }); err != nil {
			t.Error(err)
		}
	})
}

// TestRefundNoticeFirst: the notice may overtake the call's own answer, and the process may have died on the call.
//
// proves R19, R17
func TestRefundNoticeFirst(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.deposited(20000)
		told := r.paidOut(p, p.TID, 20000)
		r.gw.cancel = func(q smartro.CancelRequest) (smartro.CancelAnswer, error) {
			r.notify(told)
			return refundTaken(q)
		}
		whole := refundOf("k", 0)
		whole.Whole = true
		c, err := r.Cancel(t.Context(), r.owner, p.Moid, whole)
		if err != nil || c.State != app.CancelStateDone {
			t.Errorf("overtaken: %+v, %v", c, err)
		}
		r.want(p.Moid, app.Cancelled)

		died := r.deposited(30000)
		r.gw.cancel = func(smartro.CancelRequest) (smartro.CancelAnswer, error) {
			return smartro.CancelAnswer{}, context.DeadlineExceeded
		}
		r.gw.inquire = func(tid app.TID) (smartro.Inquiry, error) {
			return smartro.Inquiry{TID: tid, Amt: 30000, Balance: 26000, HasBalance: true, State: "0", Raw: []byte("balance")}, nil
		}
		if c, err = r.Cancel(t.Context(), r.owner, died.Moid, refundOf("d", 4000)); err != nil || c.State != app.CancelStateUnknown {
			t.Fatalf("without an answer: %+v, %v", c, err)
		}
		r.now = r.now.Add(time.Hour)
		if _, err := r.WorkOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		// The balance says that the gateway took it on, not that the buyer has it.
		r.cancelled(c.ID, app.CancelStateAccepted)
		if got := r.want(died.Moid, app.Paid); got.Reserved != 4000 {
			t.Errorf("set aside %d", got.Reserved)
		}
		r.notify(r.paidOut(died, r.tid(smartro.Vbank), 4000))
		r.cancelled(c.ID, app.CancelStateDone)
		r.want(died.Moid, app.PartlyCancelled)
	})
}

// TestRefundThatWasTurnedDown: the bank did not take it, says the gateway's own record, and a person tells us.
//
// proves R19
func TestRefundThatWasTurnedDown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.deposited(20000)
		r.gw.cancel = refundTaken
		c, err := r.Cancel(t.Context(), r.owner, p.Moid, refundOf("k", 5000))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.SettleCancel(t.Context(), r.owner, c.ID, false, "계좌 오류로 반려"); err != nil {
			t.Fatal(err)
		}
		r.cancelled(c.ID, app.CancelStateRefused)
		if got := r.want(p.Moid, app.Paid); got.Reserved != 0 || got.Left() != 20000 {
			t.Errorf("set aside %d, left %d", got.Reserved, got.Left())
		}
		if c, err = r.Cancel(t.Context(), r.owner, p.Moid, refundOf("n", 5000)); err != nil || c.State != app.CancelStateAccepted {
			t.Errorf("to another account: %+v, %v", c, err)
		}
	})
}

// TestWithdrawalThatCameLate: an account is cancelled while its deposit is not known yet, and the call gets lost. Once the
// deposit is known, what went back of it at the gateway's own site is another cancel, whatever the balance says.
//
// proves R18, I3
func TestWithdrawalThatCameLate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p, tid := r.open(99_000, smartro.Vbank), r.tid(smartro.Vbank)
		r.notify(notice(p, tid, "4100", 99_000, smartro.Field{Name: "VbankNum", Value: "110123456789"}))
		r.gw.cancel = func(smartro.CancelRequest) (smartro.CancelAnswer, error) {
			return smartro.CancelAnswer{}, errors.New("connection reset")
		}
		c, err := r.Cancel(t.Context(), r.owner, p.Moid, app.CancelInput{Key: strings.Repeat("k", 26), Whole: true, Reason: "단순 변심"})
		if err != nil || c.State != app.CancelStateUnknown {
			t.Fatalf("cancel: %+v, %v", c, err)
		}
		p = r.payment(p.Moid)
		r.notify(notice(p, tid, "4110", 99_000))
		r.gw.inquire = func(tid app.TID) (smartro.Inquiry, error) {
			return smartro.Inquiry{TID: tid, Amt: 99_000, Balance: 0, HasBalance: true, State: "1", Raw: []byte("{}")}, nil
		}
		r.now = r.now.Add(time.Hour)
		if _, err := r.WorkOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.cancelled(c.ID, app.CancelStateRefused)
		if got := r.payment(p.Moid); got.Approved != 99_000 || got.Cancelled != 0 {
			t.Errorf("after the inquiry: %+v", got)
		}
		r.notify(r.paidOut(r.payment(p.Moid), r.tid(smartro.Vbank), 99_000))
		list, err := r.Store.Cancels(t.Context(), p.OrderNo)
		if got := r.payment(p.Moid); err != nil || got.Cancelled != 99_000 || len(list) != 2 || !list[1].External {
			t.Errorf("after the refund's notice: %+v, %+v, %v", got, list, err)
		}
	})
}
