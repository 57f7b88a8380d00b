package app_test

import (
	"errors"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

// TestRefundAsk: a buyer enters the account that a deposit goes back to by a link of its own, once; the cancel goes there;
// an older link, one whose time is over and a stranger's open nothing; thirty days after the refund it is destroyed.
//
// proves R14, S20
func TestRefundAsk(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		r := newRig(t, store)
		ctx := t.Context()
		r.gw.cancel = refundTaken
		p := r.deposited(33_000)
		if _, err := r.AskRefundAccount(ctx, r.owner, r.paid(1_000).Moid); !errors.Is(err, app.ErrNotPaid) {
			t.Errorf("asked about a card: %v", err)
		}
		if _, err := r.AskRefundAccount(ctx, app.Staff{ID: "x", Role: app.RoleViewer}, p.Moid); !errors.Is(err, app.ErrForbidden) {
			t.Errorf("a viewer asked: %v", err)
		}
		old, err := r.AskRefundAccount(ctx, r.owner, p.Moid)
		if err != nil {
			t.Fatal(err)
		}
		r.now = r.now.Add(time.Second)
		ask, err := r.AskRefundAccount(ctx, r.owner, p.Moid)
		if err != nil {
			t.Fatal(err)
		}
		good := app.RefundAccount{Bank: "004", Number: "1234-56-789012", Holder: "홍길동"}
		for token, want := range map[string]error{old.Token: app.ErrClosed, ask.ID: app.ErrNotFound, "": app.ErrNotFound} {
			if err := r.EnterRefundAccount(ctx, token, good); !errors.Is(err, want) {
				t.Errorf("by %q: %v, want %v", token, err, want)
			}
		}
		for _, bad := range []app.RefundAccount{{}, {Bank: "4", Number: good.Number, Holder: "홍"}, {Bank: "004", Number: "1234567", Holder: "홍"}, {Bank: "004", Number: good.Number}, {Bank: "004", Number: good.Number, Holder: "홍\x00"}} {
			if err := r.EnterRefundAccount(ctx, ask.Token, bad); !errors.Is(err, app.ErrBadInput) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		other := r.deposited(5_000)
		unused, err := r.AskRefundAccount(ctx, r.owner, other.Moid)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.EnterRefundAccount(ctx, unused.Token, good); err != nil {
			t.Fatal(err)
		}
		open, err := r.Cancel(ctx, r.owner, other.Moid, refundOf("o", 5_000))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.RefundByToken(ctx, unused.Token); !errors.Is(err, app.ErrClosed) {
			t.Errorf("the link after a cancel to another account: %v", err)
		}
		in := app.CancelInput{Key: r.key(), Whole: true, Reason: "buyer asked", RefundAsk: ask.ID}
		if _, err := r.Cancel(ctx, r.owner, p.Moid, in); !errors.Is(err, app.ErrConflict) {
			t.Errorf("a cancel to an account that nobody entered: %v", err)
		}
		if err := r.EnterRefundAccount(ctx, ask.Token, good); err != nil {
			t.Fatal(err)
		}
		if err := r.EnterRefundAccount(ctx, ask.Token, app.RefundAccount{Bank: "088", Number: "999999999999", Holder: "강도"}); !errors.Is(err, app.ErrConflict) {
			t.Errorf("another account took its place: %v", err)
		}
		w, err := r.Worklist(ctx)
		if err != nil || len(w.Refunds) != 1 || w.Refunds[0].Account.Number != "123456789012" {
			t.Errorf("work: %+v, %v", w.Refunds, err)
		}
		in.RefundAsk = old.ID
		if _, err := r.Cancel(ctx, r.owner, p.Moid, in); !errors.Is(err, app.ErrConflict) {
			t.Errorf("a cancel by an old link: %v", err)
		}
		in.RefundAsk = ask.ID
		c, err := r.Cancel(ctx, r.owner, p.Moid, in)
		if err != nil || c.RefundAcct != "123456789012" || c.RefundBank != "004" || c.RefundName != "홍길동" {
			t.Fatalf("%+v, %v", c, err)
		}
		if w, err := r.Worklist(ctx); err != nil || len(w.Refunds) != 0 {
			t.Errorf("work after the cancel: %+v, %v", w.Refunds, err)
		}
		if _, err := r.RefundByToken(ctx, ask.Token); !errors.Is(err, app.ErrClosed) {
			t.Errorf("the link after the cancel: %v", err)
		}
		const refunded = 40 // the day of the gateway's notice
		for day := 1; day <= 95; day++ {
			r.now = r.now.Add(24 * time.Hour)
			if day == refunded {
				if v := r.notify(r.paidOut(p, p.TID, 33_000)); v != app.VerdictGood {
					t.Fatalf("the notice: %s", v)
				}
			}
			for n := 1; n > 0; {
				if n, err = r.WorkOnce(ctx); err != nil {
					t.Log(err)
				}
			}
			a, err := r.RefundAskOf(ctx, p.Moid)
			if err != nil {
				t.Fatal(err)
			}
			if want := day >= refunded+30; a.Erased != want || a.Erased != (a.Account == app.RefundAccount{}) {
				t.Fatalf("day %d: the buyer's entry %+v", day, a)
			}
			// What the gateway never said it paid out may have to be sent again: that is kept.
			for id, want := range map[string]bool{c.ID: day >= refunded+30, open.ID: false} {
				c, err := store.Cancel(ctx, id)
				if err != nil || !c.ToAccount || (c.RefundAcct+c.RefundBank+c.RefundName == "") != want {
					t.Fatalf("day %d: the cancel %+v, %v", day, c, err)
				}
			}
		}
		if v, err := store.Verify(ctx, nil, func(text string) { t.Error(text) }); err != nil {
			t.Error(v, err)
		}
	})
}
