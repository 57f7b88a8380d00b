package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// limit sets limits past the check that somebody must be able to approve: the matrix wants those, too.
func (r *rig) limit(l app.Limits) {
	r.t.Helper()
	text, err := json.Marshal(l)
	if err == nil {
		err = r.Store.Update(r.t.Context(), func(tx app.Tx) error { return tx.SetSetting(r.t.Context(), "limits", string(text)) })
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// paid is a card payment that the gateway told us of.
func (r *rig) paid(amt app.Won) app.Payment {
	r.t.Helper()
	p := r.open(amt, smartro.Card)
	r.notify(notice(p, r.tid(smartro.Card), "3001", amt))
	return r.want(p.Moid, app.Paid)
}

// agrees is a gateway that does what it is asked.
func (r *rig) agrees() {
	n := 0
	r.gw.cancel = func(q smartro.CancelRequest) (smartro.CancelAnswer, error) {
		n++
		a := smartro.CancelAnswer{TID: q.TID, Amt: q.Amt, ResultCode: "2001", Raw: fmt.Appendf(nil, "ResultCode=2001&n=%d", n)}
		if q.Partial {
			a.PTID = r.tid(smartro.Card)
		}
		return a, nil
	}
}

// form is a cancel's form, by a name that makes its key.
func form(name string, amt app.Won) app.CancelInput {
	return app.CancelInput{Key: "form-of-a-cancel-" + name, Amount: amt, Reason: "반품"}
}

// crew is one person of each role, and a second of each.
func (r *rig) crew() map[app.Role][2]app.Staff {
	r.t.Helper()
	all := map[app.Role][2]app.Staff{}
	for _, role := range app.Roles() {
		var pair [2]app.Staff
		for i := range pair {
			p, err := r.AddStaff(r.t.Context(), fmt.Sprintf("%s%d@shop.example", role, i), fmt.Sprintf("%s %d", role, i), role, rightPassword)
			if err != nil {
				r.t.Fatal(err)
			}
			pair[i] = p
		}
		all[role] = pair
	}
	return all
}

// TestSecondPersonMatrix: who may cancel what: every role that asks × its limit × every role that approves × its limit ×
// own or another's. What each may follows from the table of rights and the limits alone.
//
// proves S17, S16, I8
func TestSecondPersonMatrix(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	r.agrees()
	ctx, crew, cells := t.Context(), r.crew(), 0
	const amt, none = app.Won(10_000), app.Won(-1)
	for _, asks := range app.Roles() {
		for _, low := range []app.Won{none, 0, amt - 1, amt} {
			for _, approves := range app.Roles() {
				for _, high := range []app.Won{none, amt - 1, amt} {
					for _, own := range []bool{false, true} {
						if asks == approves && low != high || own && asks != approves {
							continue // one role has one limit; one person has one role
						}
						limits := app.Limits{}
						if low != none {
							limits[asks] = low
						}
						if high != none {
							limits[approves] = high
						}
						r.limit(limits)
						cells++
						name := fmt.Sprintf("%s up to %d, %s up to %d, own %t", asks, low, approves, high, own)
						p, calls, in := r.paid(amt), r.gw.calls, form(fmt.Sprint("matrix", cells), amt)
						first, second := crew[asks][0], crew[approves][1]
						if own {
							second = first
						}
						_, err := r.Cancel(ctx, first, p.Moid, in)
						switch {
						case !asks.May(app.RightCancel):
							if _, err2 := r.AskCancel(ctx, first, p.Moid, in); !errors.Is(err, app.ErrForbidden) || !errors.Is(err2, app.ErrForbidden) || r.gw.calls != calls {
								t.Errorf("%s: %v, %v", name, err, err2)
							}
							continue
						case low == none || amt <= low:
							if err != nil || r.gw.calls != calls+1 {
								t.Errorf("%s: alone: %v", name, err)
							}
							continue
						}
						if !errors.Is(err, app.ErrAboveLimit) || r.gw.calls != calls {
							t.Errorf("%s: above the limit: %v, %d calls", name, err, r.gw.calls-calls)
						}
						q, err := r.AskCancel(ctx, first, p.Moid, in)
						if err != nil || q.By != first.ID || q.Amount != amt || q.State != app.RequestWaiting {
							t.Fatalf("%s: %+v, %v", name, q, err)
						}
						var want error
						switch {
						case !approves.May(app.RightApproveCancels), own:
							want = app.ErrForbidden
						case high != none && amt > high:
							want = app.ErrAboveLimit
						}
						c, err := r.ApproveCancel(ctx, second, q.ID)
						if !errors.Is(err, want) || want == nil && (err != nil || c.State != app.CancelStateDone || c.By != first.ID || c.ID != q.ID) {
							t.Errorf("%s: %+v, %v, want %v", name, c, err, want)
						}
						if want == nil != (r.gw.calls == calls+1) {
							t.Errorf("%s: %d calls", name, r.gw.calls-calls)
						}
					}
				}
			}
		}
	}
	t.Logf("reached: %d cells of who cancels what with whom", cells)
	if cells < 200 {
		t.Errorf("%d cells", cells)
	}
}

// TestCancelRequest: what becomes of a request, each step by name: withdrawn, declined, lapsed, approved; who was
// disabled or demoted meanwhile counts for nothing; money that is gone by then is not given twice.
//
// proves S17, I8, I3
func TestCancelRequest(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		r := newRig(t, store)
		r.agrees()
		ctx, crew := t.Context(), r.crew()
		clerk, other, boss := crew[app.RoleStaff][0], crew[app.RoleStaff][1], crew[app.RoleManager][0]
		if err := r.SetLimits(ctx, r.owner, app.Limits{app.RoleStaff: 3000}); err != nil {
			t.Fatal(err)
		}
		p := r.paid(10_000)
		ask := func(name string, amt app.Won) app.CancelRequest {
			t.Helper()
			q, err := r.AskCancel(ctx, clerk, p.Moid, form(name, amt))
			if err != nil {
				t.Fatal(name, err)
			}
			return q
		}
		refuse := func(what string, err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
		q := ask("first", 5000)
		if again := ask("first", 5000); again.ID != q.ID || again.State != app.RequestWaiting {
			t.Errorf("the same form: %+v", again)
		}
		refuse("another request", second(r.AskCancel(ctx, other, p.Moid, form("other", 5000))), app.ErrWaits)
		refuse("another's form", second(r.AskCancel(ctx, other, p.Moid, form("first", 5000))), app.ErrConflict)
		refuse("a cancel beside it", second(r.Cancel(ctx, boss, p.Moid, form("beside", 100))), app.ErrWaits)
		refuse("withdrawn by another", r.WithdrawCancel(ctx, other, q.ID), app.ErrForbidden)
		refuse("declined by oneself", r.DeclineCancel(ctx, clerk, q.ID, "아니요"), app.ErrForbidden)
		refuse("declined without a reason", r.DeclineCancel(ctx, boss, q.ID, " "), app.ErrBadInput)
		refuse("of nobody", second(r.ApproveCancel(ctx, app.Staff{ID: "ghost", Role: app.RoleOwner}, q.ID)), app.ErrForbidden)
		refuse("unknown", second(r.ApproveCancel(ctx, boss, "nothing")), app.ErrNotFound)
		if w, err := r.Worklist(ctx); err != nil || len(w.Requests) != 1 || w.Requests[0].Reason != "반품" {
			t.Errorf("to decide: %+v, %v", w.Requests, err)
		}
		if st, err := r.Story(ctx, p.Moid); err != nil || st.Request == nil || st.Request.ID != q.ID || st.Payment.Reserved != 0 {
			t.Errorf("the payment's page: %+v, %v", st.Request, err)
		}
		refuse("withdrawn", r.WithdrawCancel(ctx, clerk, q.ID), nil)
		refuse("approved after that", second(r.ApproveCancel(ctx, boss, q.ID)), app.ErrDecided)

		q = ask("second", 5000)
		refuse("declined", r.DeclineCancel(ctx, boss, q.ID, "교환으로 처리"), nil)
		refuse("declined again", r.DeclineCancel(ctx, boss, q.ID, "교환으로 처리"), app.ErrDecided)

		q = ask("third", 5000)
		r.now = r.now.Add(24*time.Hour - time.Second)
		if _, err := r.WorkOnce(ctx); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Store.CancelRequest(ctx, q.ID); err != nil || got.State != app.RequestWaiting {
			t.Errorf("a second before its time: %+v, %v", got, err)
		}
		r.now = r.now.Add(time.Second)
		refuse("too late", second(r.ApproveCancel(ctx, boss, q.ID)), app.ErrDecided)
		for range 3 {
			if _, err := r.WorkOnce(ctx); err != nil {
				t.Fatal(err)
			}
			r.now = r.now.Add(time.Hour)
		}
		if got, err := r.Store.CancelRequest(ctx, q.ID); err != nil || got.State != app.RequestLapsed {
			t.Errorf("after its time: %+v, %v", got, err)
		}

		q = ask("fourth", 5000)
		refuse("demoted", r.SetRole(ctx, r.owner, clerk.Email, app.RoleViewer), nil)
		refuse("approved for who lost the right", second(r.ApproveCancel(ctx, boss, q.ID)), app.ErrVoid)
		refuse("back again", r.SetRole(ctx, r.owner, clerk.Email, app.RoleStaff), nil)
		refuse("disabled", r.DisableStaff(ctx, r.owner, boss.Email, true), nil)
		refuse("approved by who is disabled", second(r.ApproveCancel(ctx, boss, q.ID)), app.ErrForbidden)
		refuse("declined by who is disabled", r.DeclineCancel(ctx, boss, q.ID, "아니요"), app.ErrForbidden)
		refuse("enabled", r.DisableStaff(ctx, r.owner, boss.Email, false), nil)
		r.notify(append(notice(p, r.tid(smartro.Card), "2001", 7000), smartro.Field{Name: "OTID", Value: string(p.TID)})) // at the gateway's own site
		if got := r.payment(p.Moid); got.Cancelled != 7000 {
			t.Fatalf("%+v", got)
		}
		var left *app.AmountError
		if _, err := r.ApproveCancel(ctx, boss, q.ID); !errors.As(err, &left) || left.Left != 3000 {
			t.Errorf("more than is left: %v", err)
		}
		if r.gw.calls != 0 {
			t.Errorf("%d calls for what nobody approved", r.gw.calls)
		}
		refuse("withdrawn at last", r.WithdrawCancel(ctx, clerk, q.ID), nil)

		events, err := store.Events(ctx, p.OrderNo)
		if err != nil {
			t.Fatal(err)
		}
		var steps []string
		for _, e := range events {
			if strings.HasPrefix(string(e.Kind), "cancel_") && e.CancelID != "" && e.Kind != app.CancelNotice {
				steps = append(steps, string(e.Kind)+" "+map[string]string{clerk.ID: "clerk", boss.ID: "boss", "": "-"}[e.Actor])
			}
		}
		want := "cancel_asked clerk, cancel_withdrawn clerk, cancel_asked clerk, cancel_declined boss, cancel_asked clerk, cancel_lapsed -, cancel_asked clerk, cancel_withdrawn clerk"
		if got := strings.Join(steps, ", "); got != want {
			t.Errorf("the record says %s\nwant %s", got, want)
		}
		dbtest.Whole(t, store)
	})
}

// TestLimits: several parts of one payment are one amount; what is settled by hand knows the same limit; nobody sets
// limits that leave no one to approve.
//
// proves S17
func TestLimits(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	r.agrees()
	ctx, crew := t.Context(), r.crew()
	clerk, boss := crew[app.RoleStaff][0], crew[app.RoleManager][0]
	for _, c := range []struct {
		who    app.Staff
		limits app.Limits
		want   error
	}{
		{boss, app.Limits{app.RoleStaff: 1}, app.ErrForbidden},
		{r.owner, app.Limits{app.RoleStaff: -1}, app.ErrBadInput},
		{r.owner, app.Limits{app.RoleViewer: 1}, app.ErrBadInput},
		{r.owner, app.Limits{app.RoleOwner: 5, app.RoleManager: 5}, app.ErrBadInput},
		{r.owner, app.Limits{app.RoleStaff: 3000, app.RoleManager: 5000}, nil},
	} {
		if err := r.SetLimits(ctx, c.who, c.limits); !errors.Is(err, c.want) {
			t.Errorf("%v by %s: %v, want %v", c.limits, c.who.Role, err, c.want)
		}
	}
	list, err := r.Accesses(ctx, r.owner, app.AccessQuery{Kinds: []app.AccessKind{app.ChangedLimits}, Limit: 9})
	if err != nil || len(list) != 1 || !slices.Equal(app.ReadChanges(list[0]), []app.Change{{Field: "limit.manager", After: "5000"}, {Field: "limit.staff", After: "3000"}}) {
		t.Errorf("recorded %+v, %v", list, err)
	}
	p := r.paid(10_000)
	for i, c := range []struct {
		amt  app.Won
		want error
	}{{1000, nil}, {2000, nil}, {1, app.ErrAboveLimit}} {
		if _, err := r.Cancel(ctx, clerk, p.Moid, form(fmt.Sprint("part", i), c.amt)); !errors.Is(err, c.want) {
			t.Errorf("part %d: %v, want %v", i, err, c.want)
		}
	}
	if err := r.CheckCancel(ctx, clerk, p.Moid, form("check", 1)); !errors.Is(err, app.ErrAboveLimit) {
		t.Errorf("what the page says before: %v", err)
	}
	if _, err := r.Cancel(ctx, boss, p.Moid, form("boss", 5000)); err != nil {
		t.Errorf("another's parts count: %v", err)
	}

	r.gw.cancel = func(smartro.CancelRequest) (smartro.CancelAnswer, error) {
		return smartro.CancelAnswer{}, errors.New("no answer")
	}
	lost := r.paid(8000)
	c, err := r.Cancel(ctx, r.owner, lost.Moid, app.CancelInput{Key: "form-of-a-cancel-lost", Whole: true, Reason: "반품"})
	if err != nil || c.State != app.CancelStateUnknown {
		t.Fatal(c, err)
	}
	claimed := r.open(8000, smartro.Card)
	r.browser(notice(claimed, r.tid(smartro.Card), "3001", 8000), claimed.ReturnToken)
	for what, err := range map[string]error{
		"sent again": second(r.ResendCancel(ctx, clerk, c.ID)), "settled": second(r.SettleCancel(ctx, clerk, c.ID, true, "관리자 확인")),
		"sent again by the manager": second(r.ResendCancel(ctx, boss, c.ID)), "accepted": r.AcceptPayment(ctx, clerk, claimed.Moid, "관리자 확인"),
	} {
		if !errors.Is(err, app.ErrAboveLimit) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := errors.Join(second(r.SettleCancel(ctx, r.owner, c.ID, true, "관리자 확인")), r.AcceptPayment(ctx, r.owner, claimed.Moid, "관리자 확인")); err != nil {
		t.Error(err)
	}
}

// TestApprovedThenCrashed: the program dies between the approval and the call, and during the call. It starts again:
// nobody calls a second time, whatever the approver presses; the cancel is unknown, and a person settles it.
//
// proves S17, I8, R17, R20
func TestApprovedThenCrashed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		r := newRig(t, store)
		ctx, crew := t.Context(), r.crew()
		r.limit(app.Limits{app.RoleStaff: 0})
		clerk, boss := crew[app.RoleStaff][0], crew[app.RoleManager][0]
		p := r.paid(10_000)
		q, err := r.AskCancel(ctx, clerk, p.Moid, form("crash", 4000))
		if err != nil {
			t.Fatal(err)
		}
		died := make(chan struct{})
		r.gw.cancel = func(smartro.CancelRequest) (smartro.CancelAnswer, error) {
			<-died // whoever waits for this program waits for ever
			return smartro.CancelAnswer{}, errors.New("nobody reads this")
		}
		r.CancelWait = time.Millisecond
		if c, err := r.ApproveCancel(ctx, boss, q.ID); err != nil || c.State != app.CancelStateSent {
			t.Fatal(c, err)
		}
		again := rigOn(t, store)
		again.agrees()
		for range 2 {
			if _, err := again.ApproveCancel(ctx, boss, q.ID); !errors.Is(err, app.ErrDecided) {
				t.Errorf("approved once more: %v", err)
			}
			if _, err := again.Cancel(ctx, boss, p.Moid, form("crash", 4000)); err != nil {
				t.Errorf("the form once more: %v", err)
			}
		}
		again.gw.inquire = func(app.TID) (smartro.Inquiry, error) { return smartro.Inquiry{}, errors.New("no answer") }
		again.now = again.now.Add(2 * time.Minute)
		if _, err := again.WorkOnce(ctx); err != nil {
			t.Log(err)
		}
		if c, err := again.Store.Cancel(ctx, q.ID); err != nil || c.State != app.CancelStateUnknown || again.gw.calls != 0 {
			t.Errorf("%+v, %v, %d calls", c, err, again.gw.calls)
		}
		if got := again.payment(p.Moid); got.Reserved != 4000 {
			t.Errorf("%d won are set aside", got.Reserved)
		}
		close(died)
		if err := r.Drain(ctx); err != nil {
			t.Error(err)
		}
		dbtest.Whole(t, store)
	})
}

// TestRaceApprovals: many approve at once, while who asked withdraws and somebody declines: one of them decides, and
// there is one call at most, of exactly the amount that was asked. Who asked, and whoever has the same limit, never does.
//
// proves S17, I8, I3, R16
func TestRaceApprovals(t *testing.T) {
	rounds := dbtest.Scale(t, "GAGE_RACE_ROUNDS", 3)
	dbtest.EachCrowd(t, func(t *testing.T, stores []*db.Store) {
		var at atomic.Pointer[purse]
		shops := newCrowd(t, stores, &at)
		desk, ctx := shops[0], t.Context()
		crew := desk.crew()
		desk.limit(app.Limits{app.RoleManager: 3000})
		asker, other := crew[app.RoleManager][0], crew[app.RoleManager][1]
		called := 0
		for round := range rounds {
			p := desk.paid(10_000)
			g := &purse{t: t, left: 10_000, calls: map[string]int{}, refuses: func(int) bool { return false }, check: func(app.Won) {}}
			g.tid = func() app.TID { return desk.tid(smartro.Card) }
			at.Store(g)
			q, err := desk.AskCancel(ctx, asker, p.Moid, form(fmt.Sprint("race", round), 4000))
			if err != nil {
				t.Fatal(err)
			}
			var decided atomic.Int64
			var all sync.WaitGroup
			start := make(chan struct{})
			press := func(never error, do func() error) {
				all.Go(func() {
					<-start
					for {
						switch err := do(); {
						case errors.Is(err, app.ErrOverload):
							continue
						case err == nil && never == nil:
							decided.Add(1)
						case err == nil || !errors.Is(err, app.ErrDecided) && (never == nil || !errors.Is(err, never)):
							t.Errorf("round %d: %v, want %v", round, err, never)
						}
						return
					}
				})
			}
			for i := range 8 {
				shop, who := shops[i%len(shops)], crew[app.RoleOwner][i%2]
				press(nil, func() error { return second(shop.ApproveCancel(ctx, who, q.ID)) })
				press(app.ErrForbidden, func() error { return second(shop.ApproveCancel(ctx, asker, q.ID)) })
				press(app.ErrAboveLimit, func() error { return second(shop.ApproveCancel(ctx, other, q.ID)) })
			}
			if round%2 == 0 {
				press(nil, func() error { return shops[round%len(shops)].WithdrawCancel(ctx, asker, q.ID) })
				press(nil, func() error { return desk.DeclineCancel(ctx, crew[app.RoleOwner][1], q.ID, "아니요") })
			}
			close(start)
			all.Wait()
			for _, shop := range shops {
				if err := shop.Drain(ctx); err != nil {
					t.Error(err)
				}
			}
			got, err := desk.Store.CancelRequest(ctx, q.ID)
			if err != nil || decided.Load() != 1 || got.State == app.RequestWaiting {
				t.Errorf("round %d: decided %d times: %+v, %v", round, decided.Load(), got, err)
			}
			if wants := map[bool]app.Won{true: 4000}[got.State == app.RequestApproved]; g.given != wants || desk.payment(p.Moid).Cancelled != wants {
				t.Errorf("round %d: %s, and %d won went back, %d by the books", round, got.State, g.given, desk.payment(p.Moid).Cancelled)
			}
			called += g.serial
		}
		dbtest.Whole(t, stores[0])
		t.Logf("reached: %d rounds of approvals", rounds)
		t.Logf("reached: %d approved calls", called)
	})
}
