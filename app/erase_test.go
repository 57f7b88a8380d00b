package app_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// TestEraseOld: five years after the last thing that happened nothing personal of an order can be read any more, the
// books stay right, and neither a wrong clock nor an open matter lets it happen.
//
// proves E3
func TestEraseOld(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		paid := func(amt app.Won) app.Payment {
			p, tid := r.open(amt, smartro.Card), r.tid(smartro.Card)
			stamp := r.now.In(app.KST).Format("060102150405")
			n := notice(p, tid, "3001", amt)
			for i := range n {
				if n[i].Name == "AuthDate" {
					n[i].Value = stamp
				}
			}
			r.notify(n)
			return r.want(p.Moid, app.Paid)
		}
		old := paid(10000)
		r.gw.cancel = func(q smartro.CancelRequest) (smartro.CancelAnswer, error) {
			return smartro.CancelAnswer{TID: q.TID, Amt: q.Amt, ResultCode: "2001", Raw: []byte("ResultCode=2001&k=" + string(q.TID))}, nil
		}
		for i, amt := range []app.Won{3000, 2000} {
			if _, err := r.Cancel(t.Context(), r.owner, old.Moid, app.CancelInput{Key: strings.Repeat("kl"[i:i+1], 26), Amount: amt, Reason: "품절"}); err != nil {
				t.Fatal(err)
			}
		}
		account, waiting := r.open(4000, smartro.Vbank), r.deposited(6000)
		r.browser(notice(account, r.tid(smartro.Vbank), "4100", 4000, smartro.Field{Name: "VbankNum", Value: "110123456789"}), account.ReturnToken)
		r.want(account.Moid, app.Claimed)
		r.gw.cancel = refundTaken
		if c, err := r.Cancel(t.Context(), r.owner, waiting.Moid, refundOf("w", 1000)); err != nil || c.State != app.CancelStateAccepted {
			t.Fatalf("%+v, %v", c, err)
		}

		if _, err := r.EraseOld(t.Context(), 4); !errors.Is(err, app.ErrBadInput) {
			t.Errorf("kept for four years: %v", err)
		}
		r.now = r.now.AddDate(5, 0, 1)
		if done, err := r.EraseOld(t.Context(), 5); !errors.Is(err, app.ErrClockUnconfirmed) || done != (app.ErasedCount{}) {
			t.Errorf("by a clock that nothing confirms: %+v, %v", done, err)
		}
		young := paid(7000)
		r.now = r.now.Add(time.Hour)
		if done, err := r.EraseOld(t.Context(), 6); err != nil || done != (app.ErasedCount{}) {
			t.Errorf("after six years: %+v, %v", done, err)
		}
		done, err := r.EraseOld(t.Context(), 5)
		if err != nil || done.Orders != 2 || done.Messages < 4 {
			t.Fatalf("erased %+v, %v", done, err)
		}
		if again, err := r.EraseOld(t.Context(), 5); err != nil || again != (app.ErasedCount{}) {
			t.Errorf("erased again: %+v, %v", again, err)
		}
		for moid, want := range map[app.Moid]bool{old.Moid: true, account.Moid: true, waiting.Moid: false, young.Moid: false} {
			st, err := r.Story(t.Context(), moid)
			if err != nil || st.Payment.Erased != want || st.Order.Erased != want || (st.Payment.BuyerName == "") != want {
				t.Errorf("%s: erased %t, buyer %q, want %t: %v", moid, st.Payment.Erased, st.Payment.BuyerName, want, err)
			}
			for _, e := range st.Timeline {
				if e.Message == nil {
					continue
				}
				m, fields, err := r.RawMessage(t.Context(), r.owner, e.Message.ID)
				if err != nil || m.Erased != want || (len(m.Raw) == 0) != want || want && fields != nil {
					t.Errorf("%s: message %s: erased %t, %d bytes, %v", moid, m.Kind, m.Erased, len(m.Raw), err)
				}
			}
		}
		if got := r.want(old.Moid, app.PartlyCancelled); got.Approved != 10000 || got.Cancelled != 5000 {
			t.Errorf("the books: %+v", got)
		}
		if page, err := r.Search(t.Context(), "길동", app.Filter{}); err != nil || len(page.Rows) != 2 {
			t.Errorf("the name finds %d rows, %v", len(page.Rows), err)
		}
		if page, err := r.Search(t.Context(), string(old.TID), app.Filter{}); err != nil || len(page.Rows) != 1 {
			t.Errorf("the TID finds %d rows, %v", len(page.Rows), err)
		}
		verify := func() {
			t.Helper()
			if _, err := s.Verify(t.Context(), nil, func(fault string) { t.Error(fault) }); err != nil {
				t.Error(err)
			}
		}
		verify()
		if _, err := r.Cancel(t.Context(), r.owner, old.Moid, app.CancelInput{Key: strings.Repeat("z", 26), Amount: 1, Reason: "늦은 취소"}); !errors.Is(err, app.ErrErased) {
			t.Errorf("a cancel of what was erased: %v", err)
		}
		if _, _, err := r.Pay(t.Context(), mustToken(r, account.OrderNo), app.PayInput{Method: smartro.Card, Device: smartro.PC}); !errors.Is(err, app.ErrClosed) {
			t.Errorf("another payment of what was erased: %v", err)
		}
		part := r.tid(smartro.Card)
		if v := r.notify(notice(old, part, "2001", 5000, smartro.Field{Name: "OTID", Value: string(old.TID)}, smartro.Field{Name: "CancelDate", Value: "311124"})); v != app.VerdictGood {
			t.Errorf("the gateway's late word: %s", v)
		}
		r.want(old.Moid, app.Cancelled)
		verify()
	})
}
