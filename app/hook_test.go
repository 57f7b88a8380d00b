package app_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
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

// system is the shop's own system: it remembers what it was told, and answers as the test says.
type system struct {
	mu      sync.Mutex
	got     []told
	answer  func(app.Parcel) (int, error) // nil: 200
	meeting func(app.Parcel)              // before it answers
}

type told struct {
	app.Parcel
	doc struct {
		ID, Event, Mode string
		At              time.Time
		Order           struct {
			Number          app.OrderNo
			State           app.OrderState
			Amount          app.Won
			Epoch, Sequence int
		}
		Payment struct {
			Number                         app.Moid
			State                          app.State
			TID                            app.TID
			Approved, Cancelled, Returning app.Won
		}
	}
}

func (s *system) Check(app.Mode, string) error { return nil }

func (s *system) Carry(_ context.Context, p app.Parcel) (int, error) {
	if s.meeting != nil {
		s.meeting(p)
	}
	one := told{Parcel: p}
	if err := json.Unmarshal(p.Body, &one.doc); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, one)
	if s.answer != nil {
		return s.answer(p)
	}
	return 200, nil
}

// events are what it was told, in order.
func (s *system) events() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.got {
		list = append(list, d.doc.Event)
	}
	return list
}

// hooked is a rig whose practice orders are told of.
func hooked(t *testing.T, s *db.Store) (*rig, *system, app.Secret) {
	t.Helper()
	r, sys := newRig(t, s), &system{}
	r.Carrier = sys
	secret, err := r.SetHook(t.Context(), r.owner, smartro.Test, "https://system.example/gage?key=1", app.AllNews())
	if err != nil || len(secret.Reveal()) != 52 {
		t.Fatal(err)
	}
	return r, sys, secret
}

// tell does what is owed to the system until nothing is due.
func (r *rig) tell() {
	r.t.Helper()
	for {
		n, err := r.TellOnce(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

func (r *rig) giveBack(p app.Payment, amt app.Won) {
	r.t.Helper()
	r.gw.cancel = func(q smartro.CancelRequest) (smartro.CancelAnswer, error) {
		return smartro.CancelAnswer{TID: q.TID, Amt: q.Amt, ResultCode: "2001", Raw: fmt.Appendf(nil, "ResultCode=2001&n=%d", r.gw.calls)}, nil
	}
	r.serial++
	_, err := r.Cancel(r.t.Context(), r.owner, p.Moid, app.CancelInput{Key: fmt.Sprintf("key-of-a-cancel-form-%05d", r.serial), Amount: amt, Reason: "단순 변심"})
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestHookNews: whatever becomes of an order's money is told, in order, in won, without anything about the buyer; what
// a browser says is not.
//
// proves R33, E2, I9
func TestHookNews(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r, sys, secret := hooked(t, s)
		// Of each kind one order, and what is told of it.
		var want []string
		expect := func(p app.Payment, events ...string) {
			t.Helper()
			r.tell()
			var got []string
			for i, d := range sys.got {
				if d.doc.Order.Number != p.OrderNo {
					continue
				}
				got = append(got, d.doc.Event)
				if d.doc.Order.Sequence != len(got) || d.doc.Order.Epoch != 1 || d.doc.Mode != "practice" || d.doc.At.IsZero() || d.doc.Order.Amount != p.Amount {
					t.Errorf("%d: %s", i, d.Body)
				}
			}
			if !slices.Equal(got, events) {
				t.Errorf("told %v, want %v", got, events)
			}
			want = append(want, events...)
		}
		last := func() told { return sys.got[len(sys.got)-1] }

		card := r.open(33000, smartro.Card)
		n := notice(card, r.tid(smartro.Card), "3001", 33000)
		r.browser(n, card.ReturnToken)
		r.notify(n)
		r.notify(n)
		r.tell()
		if d := last().doc; d.Order.State != app.OrderPaid || d.Payment.State != app.Paid || d.Payment.Approved != 33000 || d.Payment.TID == "" || d.Payment.Number != card.Moid {
			t.Errorf("%s", last().Body)
		}
		r.giveBack(card, 3000)
		r.giveBack(card, 1000)
		r.tell()
		if d := last().doc; d.Order.State != app.OrderPartlyCancelled || d.Payment.Cancelled != 4000 {
			t.Errorf("%s", last().Body)
		}
		r.giveBack(card, 29000)
		r.notify(notice(card, r.tid(smartro.Card), "3001", 33000))
		expect(card, "paid", "partly_cancelled", "partly_cancelled", "cancelled", "money_apart")

		wrong := r.open(11000, smartro.Card)
		r.notify(notice(wrong, r.tid(smartro.Card), "3001", 1004))
		expect(wrong, "held")

		late := r.open(11000, smartro.Vbank)
		tid := r.tid(smartro.Vbank)
		issue := []smartro.Field{{Name: "VbankNum", Value: "110123456789"}, {Name: "VbankName", Value: "신한"}}
		r.notify(notice(late, tid, "4100", 11000, issue...))
		r.tell()
		if d := last().doc; d.Event != "waiting_deposit" || d.Order.State != app.OrderWaiting || d.Payment.Approved != 0 {
			t.Errorf("%s", last().Body)
		}
		r.now = r.now.Add(5 * 24 * time.Hour)
		if _, err := r.WorkOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.tell()
		if d := last().doc; d.Event != "expired" || d.Order.State != app.OrderOpen || d.Payment.State != app.Expired {
			t.Errorf("%s", last().Body)
		}
		r.notify(notice(late, tid, "4110", 11000, issue...))
		expect(late, "waiting_deposit", "expired", "paid")

		closed := r.open(11000, smartro.Card)
		for range 2 {
			if err := r.CloseOrder(t.Context(), r.owner, closed.OrderNo); err != nil {
				t.Fatal(err)
			}
		}
		expect(closed, "closed")

		claimed := r.open(11000, smartro.Card)
		r.browser(notice(claimed, r.tid(smartro.Card), "3001", 11000), claimed.ReturnToken)
		expect(claimed)
		if got := sys.events(); len(got) != len(want) {
			t.Errorf("told %v, want %v", got, want)
		}
		for _, d := range sys.got {
			for _, private := range []string{"홍길동", "99991111", "hong@", "110123456789", "12345678\"", secret.Reveal(), "맛동산"} {
				if strings.Contains(string(d.Body), private) {
					t.Errorf("%s stands in %s", private, d.Body)
				}
			}
		}
		v, err := s.Verify(t.Context(), nil, func(fault string) { t.Error(fault) })
		if err != nil || v.Records == 0 {
			t.Error(v, err)
		}
	})
}

// TestHookAgain: what the other side does not take comes again, later each time, the same bytes under the same ID; what
// happened after it waits; given up it stands before a person, who has it sent again.
//
// proves R33, I8
func TestHookAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r, sys, _ := hooked(t, s)
		faults := []func(app.Parcel) (int, error){
			func(app.Parcel) (int, error) { return 500, nil },
			func(app.Parcel) (int, error) { return 302, nil },
			func(app.Parcel) (int, error) { return 0, &app.CarryError{Code: app.CarryTimeout} },
			func(app.Parcel) (int, error) { return 404, nil },
		}
		tries := 0
		sys.answer = func(p app.Parcel) (int, error) {
			tries++
			return faults[tries%len(faults)](p)
		}
		p := r.open(33000, smartro.Card)
		r.notify(notice(p, r.tid(smartro.Card), "3001", 33000))
		r.tell()
		first := r.now
		r.giveBack(p, 33000)
		for range 40 {
			r.now = r.now.Add(10 * time.Minute)
			r.tell()
		}
		if got := sys.events(); len(got) < 10 || slices.Contains(got, "cancelled") {
			t.Fatalf("told %d times, the later before the earlier was taken: %v", len(got), got)
		}
		for range 40 {
			r.now = r.now.Add(3 * time.Hour)
			r.tell()
		}
		w, err := r.Worklist(t.Context())
		if err != nil || len(w.GivenUp) != 1 || w.GivenUp[0].Kind != app.JobTell || tries < 30 || tries > 45 {
			t.Fatalf("given up: %+v after %d tries in %v, %v", w.GivenUp, tries, r.now.Sub(first), err)
		}
		before := len(sys.got)
		r.now = r.now.Add(72 * time.Hour)
		r.tell()
		if len(sys.got) != before {
			t.Error("sent again after it was given up")
		}
		for _, d := range sys.got[1:] {
			if d.doc.ID != sys.got[0].doc.ID || string(d.Body) != string(sys.got[0].Body) || d.Header["Gage-Id"] != sys.got[0].doc.ID {
				t.Fatalf("sent again as %s, it was %s", d.Body, sys.got[0].Body)
			}
		}
		list, err := r.Deliveries(t.Context(), r.owner, smartro.Test, 10)
		if err != nil || len(list) != 2 || list[1].Tries != tries || list[1].Fault == "" || list[1].State != app.DeliveryWaiting || list[0].Tries != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		sys.answer = nil
		if err := r.RetryJob(t.Context(), r.owner, w.GivenUp[0].ID); err != nil {
			t.Fatal(err)
		}
		r.tell()
		if got := sys.events()[before:]; !slices.Equal(got, []string{"paid", "cancelled"}) {
			t.Errorf("told %v", got)
		}
		if w, err := r.Worklist(t.Context()); err != nil || len(w.GivenUp) != 0 {
			t.Errorf("%+v, %v", w.GivenUp, err)
		}
	})
}

// TestHookAfterCommit: a document leaves only when what it tells is stored for good, and one that is written while the
// one before is on its way is told, too.
//
// proves R33, E2
func TestHookAfterCommit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r, sys, _ := hooked(t, s)
		p := r.open(33000, smartro.Card)
		meanwhile := func() { r.giveBack(p, 33000) }
		sys.meeting = func(q app.Parcel) {
			list, err := s.DeliveriesOf(context.Background(), p.OrderNo) // as others see it
			if err != nil || !slices.ContainsFunc(list, func(d app.Delivery) bool { return d.Body == string(q.Body) }) {
				t.Errorf("told before it was stored: %s, %v", q.Body, err)
			}
			if meanwhile != nil {
				meanwhile()
				meanwhile = nil
			}
		}
		r.notify(notice(p, r.tid(smartro.Card), "3001", 33000))
		r.tell()
		if got := sys.events(); !slices.Equal(got, []string{"paid", "cancelled"}) {
			t.Errorf("told %v", got)
		}
		// What is undone owes nothing.
		q := r.open(11000, smartro.Card)
		undone := errors.New("undone")
		err := s.Update(t.Context(), func(tx app.Tx) error {
			return errors.Join(tx.AddDelivery(t.Context(), app.Delivery{
				ID: "undone", OrderNo: q.OrderNo, Epoch: 1, Seq: 1, Mode: smartro.Test, News: app.NewsPaid, Body: "{}", At: r.now, State: app.DeliveryWaiting,
			}), undone)
		})
		list, readErr := s.DeliveriesOf(t.Context(), q.OrderNo)
		if !errors.Is(err, undone) || readErr != nil || len(list) != 0 {
			t.Errorf("%v, %v, %v", list, err, readErr)
		}
	})
}

// TestHookModes: practice and real have a hook each, and neither hears of the other's orders, whatever the contract is
// when they are told.
//
// proves S2, S12
func TestHookModes(t *testing.T) {
	r, sys, practice := hooked(t, dbtest.SQLite(t))
	ctx := t.Context()
	real, err := r.SetHook(ctx, r.owner, smartro.Real, "https://system.example/real", []app.News{app.NewsPaid})
	if err != nil || real == "" || real == practice {
		t.Fatal(err)
	}
	p := r.open(33000, smartro.Card)
	r.notify(notice(p, r.tid(smartro.Card), "3001", 33000))
	m, err := r.Merchant(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m.MID, m.Mode, m.Key, m.CancelPassword, m.Endpoints = "realshop1m", smartro.Real, "c2VjcmV0IG9mIGEgcmVhbCBzaG9wIHRoYXQgaXMgbG9uZw==", "real-pass", smartro.EndpointsFor(smartro.Real)
	m.InquiryProves = false
	if err := r.SetMerchant(ctx, r.owner, m); err != nil {
		t.Fatal(err)
	}
	q := r.open(11000, smartro.Card)
	if err := r.CloseOrder(ctx, r.owner, q.OrderNo); err != nil { // not among what real is told of
		t.Fatal(err)
	}
	r.tell()
	if len(sys.got) != 1 || sys.got[0].doc.Mode != "practice" || sys.got[0].URL != "https://system.example/gage?key=1" || sys.got[0].Mode != smartro.Test ||
		sys.got[0].Header["Gage-Mode"] != "practice" || !signedBy(practice, sys.got[0]) || signedBy(real, sys.got[0]) {
		t.Errorf("%+v", sys.got)
	}
	for _, mode := range []app.Mode{"", "bogus"} {
		if _, err := r.SetHook(ctx, r.owner, mode, "https://system.example/", app.AllNews()); !errors.Is(err, app.ErrBadInput) {
			t.Errorf("%q: %v", mode, err)
		}
		if _, err := r.RotateHookSecret(ctx, r.owner, mode); !errors.Is(err, app.ErrBadInput) {
			t.Errorf("%q: %v", mode, err)
		}
		if _, err := r.TryHook(ctx, r.owner, mode); !errors.Is(err, app.ErrBadInput) {
			t.Errorf("%q: %v", mode, err)
		}
	}
	clerk := app.Staff{ID: "clerk", Role: app.RoleStaff}
	_, err1 := r.Hook(ctx, clerk, smartro.Test)
	_, err2 := r.SetHook(ctx, clerk, smartro.Test, "", nil)
	_, err3 := r.RotateHookSecret(ctx, clerk, smartro.Test)
	_, err4 := r.TryHook(ctx, clerk, smartro.Test)
	_, err5 := r.Deliveries(ctx, clerk, smartro.Test, 1)
	for i, err := range []error{err1, err2, err3, err4, err5} {
		if !errors.Is(err, app.ErrForbidden) {
			t.Errorf("%d: a clerk: %v", i, err)
		}
	}
}

// signedBy checks a document as docs/hook.md says, with nothing of ours.
func signedBy(secret app.Secret, d told) bool {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(d.Header["Gage-Time"] + "." + d.Header["Gage-Id"] + "." + string(d.Body)))
	return slices.Contains(strings.Split(d.Header["Gage-Signature"], ","), "v1="+hex.EncodeToString(mac.Sum(nil)))
}

// TestHookSecret: each sending is signed with its own time; a new secret and the one before both sign for a week; what
// is taken away drops what it was owed and makes another secret when it comes back.
//
// proves S12, S19
func TestHookSecret(t *testing.T) {
	r, sys, first := hooked(t, dbtest.SQLite(t))
	ctx := t.Context()
	try := func() told {
		t.Helper()
		if tried, err := r.TryHook(ctx, r.owner, smartro.Test); err != nil || tried.Status != 200 || tried.Fault != "" {
			t.Fatal(tried, err)
		}
		return sys.got[len(sys.got)-1]
	}
	d := try()
	if !signedBy(first, d) || d.Header["Gage-Time"] != strconv.FormatInt(r.now.Unix(), 10) || d.doc.Event != "test" || d.doc.Order.Number != "" {
		t.Errorf("%+v", d)
	}
	d.Header["Gage-Time"] = strconv.FormatInt(r.now.Add(301*time.Second).Unix(), 10)
	if signedBy(first, d) {
		t.Error("the time is not signed")
	}
	second, err := r.RotateHookSecret(ctx, r.owner, smartro.Test)
	if err != nil || second == first {
		t.Fatal(err)
	}
	if d := try(); !signedBy(first, d) || !signedBy(second, d) {
		t.Errorf("%s", d.Header["Gage-Signature"])
	}
	r.now = r.now.Add(7 * 24 * time.Hour)
	if d := try(); signedBy(first, d) || !signedBy(second, d) {
		t.Errorf("after the overlap: %s", d.Header["Gage-Signature"])
	}
	if again, err := r.SetHook(ctx, r.owner, smartro.Test, "https://elsewhere.example/", app.AllNews()); err != nil || again != "" {
		t.Errorf("another address shows the secret again: %v", err)
	}
	sealed, err := r.Store.Setting(ctx, "hook_test")
	if err != nil || strings.Contains(sealed, second.Reveal()) || strings.Contains(sealed, "elsewhere") {
		t.Errorf("the hook stands open in the settings: %v", err)
	}
	p := r.open(33000, smartro.Card)
	r.notify(notice(p, r.tid(smartro.Card), "3001", 33000))
	if _, err := r.SetHook(ctx, r.owner, smartro.Test, "", nil); err != nil {
		t.Fatal(err)
	}
	r.giveBack(p, 1000)
	told := len(sys.got)
	third, err := r.SetHook(ctx, r.owner, smartro.Test, "https://system.example/", app.AllNews())
	if err != nil || third == "" || third == second {
		t.Fatal(err)
	}
	r.giveBack(p, 1000)
	r.tell()
	if got := sys.got[told:]; len(got) != 1 || got[0].doc.Order.Sequence != 2 || !signedBy(third, got[0]) {
		t.Errorf("%+v", got)
	}
	list, err := r.Accesses(ctx, r.owner, app.AccessQuery{Kinds: []app.AccessKind{app.ChangedHook}, Limit: 10})
	if err != nil || len(list) != 5 || list[0].Subject != "test" {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestHookFrozen: a restored backup tells nobody anything until it was compared: it may be a drill beside the shop that
// goes on. What it tells then is of another epoch.
//
// proves R30, R33
func TestHookFrozen(t *testing.T) {
	s := dbtest.SQLite(t)
	r, sys, _ := hooked(t, s)
	p := r.open(33000, smartro.Card)
	r.notify(notice(p, r.tid(smartro.Card), "3001", 33000))
	if err := s.Update(t.Context(), func(tx app.Tx) error { return app.BeginEpoch(t.Context(), tx, r.now, r.now, 1) }); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		r.now = r.now.Add(time.Hour)
		r.tell()
	}
	if len(sys.got) != 0 {
		t.Fatalf("told while frozen: %v", sys.events())
	}
	if err := r.Reconcile(t.Context(), r.owner, "거래내역과 비교함"); err != nil {
		t.Fatal(err)
	}
	r.giveBack(p, 33000)
	r.now = r.now.Add(time.Hour)
	r.tell()
	if got := sys.events(); !slices.Equal(got, []string{"paid", "cancelled"}) || sys.got[0].doc.Order.Epoch != 1 || sys.got[1].doc.Order.Epoch != 2 {
		t.Errorf("told %v", got)
	}
}

// TestHookExample: the worked example of docs/hook.md is true, and so is what it says of the signature.
//
// proves S12
func TestHookExample(t *testing.T) {
	raw, err := os.ReadFile("../docs/hook.md")
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		m := regexp.MustCompile(`(?m)^` + name + `:\s+(.+)$`).FindSubmatch(raw)
		if m == nil {
			t.Fatalf("docs/hook.md has no %s", name)
		}
		return string(m[1])
	}
	seconds, err := strconv.ParseInt(read("Gage-Time"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if got := app.SignHook(app.Secret(read("key")), time.Unix(seconds, 0), read("Gage-Id"), []byte(read("body"))); got != read("signature") {
		t.Errorf("the example's signature is %s", got)
	}
	for _, n := range app.AllNews() {
		if !strings.Contains(string(raw), "`"+string(n)+"`") {
			t.Errorf("docs/hook.md does not speak of %s", n)
		}
	}
	// The example has the fields of a real document, in their order.
	r, sys, _ := hooked(t, dbtest.SQLite(t))
	p := r.open(33000, smartro.Card)
	r.notify(notice(p, r.tid(smartro.Card), "3001", 33000))
	r.tell()
	names := regexp.MustCompile(`"([a-z]+)":`)
	want, got := names.FindAllString(string(sys.got[0].Body), -1), names.FindAllString(read("body"), -1)
	if !slices.Equal(want, got) {
		t.Errorf("the example has %v, a document %v", got, want)
	}
}

// TestRaceTell: several processes tell at the same time while more happens; every document arrives, each order's one after
// the other.
//
// proves R31, R33
func TestRaceTell(t *testing.T) {
	orders := dbtest.Scale(t, "GAGE_RACE_ORDERS", 3)
	dbtest.EachCrowd(t, func(t *testing.T, stores []*db.Store) {
		crowd, sys := newCrowd(t, stores, nil), &system{}
		crowd[0].Gateway = func(m smartro.Merchant) app.Gateway { // the desk's alone: the others only tell
			crowd[0].gw.WEBLink = smartro.WEBLink{Merchant: m}
			return crowd[0].gw
		}
		var n int
		sys.answer = func(app.Parcel) (int, error) { // under the system's own lock
			if n++; n%5 == 2 {
				return 200, &app.CarryError{Code: app.CarryBroken} // taken, and nobody hears of it
			}
			return 200, nil
		}
		for _, r := range crowd {
			r.Carrier = sys
		}
		desk := crowd[0]
		if _, err := desk.SetHook(t.Context(), desk.owner, smartro.Test, "https://system.example/", app.AllNews()); err != nil {
			t.Fatal(err)
		}
		var over atomic.Bool
		var workers sync.WaitGroup
		for _, r := range slices.Concat(crowd, crowd) {
			workers.Go(func() {
				for idle := 0; idle < 2; {
					n, err := r.TellOnce(context.Background())
					if err != nil {
						t.Error(err)
						return
					}
					if n == 0 && over.Load() {
						idle++
					}
				}
			})
		}
		for range orders {
			p := desk.open(9000, smartro.Card)
			desk.notify(notice(p, desk.tid(smartro.Card), "3001", 9000))
			for range 3 {
				desk.giveBack(p, 3000)
			}
		}
		over.Store(true)
		workers.Wait()
		for _, r := range crowd { // what was refused is due later
			r.now = r.now.Add(time.Hour)
		}
		for range 10 {
			desk.tell()
			desk.now = desk.now.Add(3 * time.Hour)
		}
		seen, last := map[string]bool{}, map[app.OrderNo]int{}
		for _, d := range sys.got {
			if o := d.doc.Order; !seen[d.doc.ID] {
				if o.Sequence != last[o.Number]+1 {
					t.Errorf("document %d of %s came after %d", o.Sequence, o.Number, last[o.Number])
				}
				seen[d.doc.ID], last[o.Number] = true, o.Sequence
			}
		}
		if len(seen) != 4*orders {
			t.Errorf("%d documents came, want %d", len(seen), 4*orders)
		}
		list, err := stores[0].Deliveries(t.Context(), smartro.Test, 10_000)
		if err != nil || slices.ContainsFunc(list, func(d app.Delivery) bool { return d.State != app.DeliveryDone }) {
			t.Errorf("still owed: %+v, %v", list, err)
		}
		dbtest.Whole(t, stores[0])
		t.Logf("reached: %d documents told", len(sys.got))
	})
}
