package app_test

import (
	"bytes"
	"context"
	"errors"
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

// past is a shop with a history, and beside it what the gateway knows, which forgets nothing when the shop's disk dies.
type past struct {
	*rig
	rnd    *rand.Rand
	tokens []string             // of all orders
	opened map[app.Moid]bool    // every number that was ever sent to the gateway
	ledger [][]smartro.Field    // what the gateway's server tells, all of it
	taken  map[app.Moid]app.Won // what the gateway approved
	back   map[app.Moid]app.Won // what it gave back of that
	tids   map[app.Moid]app.TID // of what it approved
	paid   map[app.OrderNo]bool // it took money for these
}

// step does one thing that happens in a shop.
func (h *past) step() {
	h.t.Helper()
	h.now = h.now.Add(time.Duration(h.rnd.IntN(90)) * time.Second)
	switch n := h.rnd.IntN(10); {
	case n < 3 || len(h.tokens) == 0:
		o, err := h.CreateOrder(h.t.Context(), h.owner, app.OrderInput{
			Goods: "맛동산 한 봉지", Amount: 10000, BuyerName: "홍길동", BuyerTel: "010-9999-1111", BuyerEmail: "hong@example.com",
		})
		if err != nil {
			h.t.Fatal(err)
		}
		h.tokens = append(h.tokens, o.Token)
		h.attempt(o.Token)
	case n < 5:
		h.attempt(h.tokens[h.rnd.IntN(len(h.tokens))])
	case n < 8:
		h.approve()
	default:
		h.giveBack()
	}
}

// attempt opens a window where the order can still be paid.
func (h *past) attempt(token string) {
	h.t.Helper()
	p, _, err := h.Pay(h.t.Context(), token, app.PayInput{Method: smartro.Card, Device: smartro.PC})
	if err != nil {
		if !errors.Is(err, app.ErrPaid) && !errors.Is(err, app.ErrClosed) {
			h.t.Fatal(err)
		}
		return
	}
	if h.opened[p.Moid] {
		h.t.Fatalf("%s was given out before", p.Moid)
	}
	h.opened[p.Moid] = true
}

// pick is any of the opened attempts that suit.
func (h *past) pick(suits func(app.Moid) bool) (app.Moid, bool) {
	var list []app.Moid
	for moid := range h.opened {
		if suits(moid) {
			list = append(list, moid)
		}
	}
	if len(list) == 0 {
		return "", false
	}
	slices.Sort(list)
	return list[h.rnd.IntN(len(list))], true
}

func orderOf(moid app.Moid) app.OrderNo { return app.OrderNo(moid[:8]) }

func (h *past) approve() {
	moid, ok := h.pick(func(m app.Moid) bool { return !h.paid[orderOf(m)] })
	if !ok {
		return
	}
	h.paid[orderOf(moid)], h.taken[moid], h.tids[moid] = true, 10000, h.tid(smartro.Card)
	h.told(notice(h.payment(moid), h.tids[moid], "3001", 10000))
}

// giveBack cancels a part in the back office; the gateway confirms it to the caller and by a notice.
func (h *past) giveBack() {
	moid, ok := h.pick(func(m app.Moid) bool { return h.taken[m]-h.back[m] > 3000 })
	if !ok {
		return
	}
	amount, part := app.Won(1000+h.rnd.IntN(1000)), h.tid(smartro.Card)
	h.gw.cancel = func(q smartro.CancelRequest) (smartro.CancelAnswer, error) {
		return smartro.CancelAnswer{TID: q.TID, PTID: part, Amt: q.Amt, ResultCode: "2001", Raw: []byte("ResultCode=2001")}, nil
	}
	c, err := h.Cancel(h.t.Context(), h.owner, moid, app.CancelInput{Key: fmt.Sprintf("key-of-cancel-%06d", h.serial), Amount: amount, Reason: "단순 변심"})
	if err != nil || c.State != app.CancelStateDone {
		h.t.Fatalf("cancel: %+v, %v", c, err)
	}
	h.back[moid] += amount
	h.told(notice(h.payment(moid), part, "2001", amount, smartro.Field{Name: "OTID", Value: string(h.tids[moid])}))
}

func (h *past) told(n []smartro.Field) {
	h.ledger = append(h.ledger, n)
	h.notify(n)
}

// TestRestorePoints loses a shop's disk at random points after random backups. The restored shop gives no number out
// twice, gives nothing back and lets nothing expire before the owner has compared, takes in what the gateway tells
// again, and ends with the gateway's figures. GAGE_RESTORE_POINTS says how many points, GAGE_SEED where to begin.
// proves R30, R40, I3, I7
func TestRestorePoints(t *testing.T) {
	points, first := 6, uint64(1)
	if n, err := strconv.Atoi(os.Getenv("GAGE_RESTORE_POINTS")); err == nil {
		points = n
	}
	if n, err := strconv.ParseUint(os.Getenv("GAGE_SEED"), 10, 64); err == nil {
		first = n
	}
	for i := range uint64(points) {
		seed := first + i
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			to := dbtest.File(t)
			if seed%5 == 0 {
				to = db.Config{URL: dbtest.PostgresURL(t), Keys: dbtest.Keys(t)}
			}
			drill(t, seed, to)
		})
	}
}

func drill(t *testing.T, seed uint64, to db.Config) {
	from := dbtest.File(t)
	h := &past{
		rig: newRig(t, dbtest.Open(t, from)), rnd: rand.New(rand.NewPCG(seed, 30)), opened: map[app.Moid]bool{}, taken: map[app.Moid]app.Won{},
		back: map[app.Moid]app.Won{}, tids: map[app.Moid]app.TID{}, paid: map[app.OrderNo]bool{},
	}
	steps := 20 + h.rnd.IntN(40)
	at := h.rnd.IntN(steps)
	var backup bytes.Buffer
	for i := range steps {
		if i == at {
			src, err := db.OpenSource(t.Context(), from)
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			if _, _, err := src.Dump(t.Context(), &backup, db.DumpHeader{Created: h.now}); err != nil {
				t.Fatal(err)
			}
		}
		h.step()
	}
	h.restore(to, backup.Bytes())
	h.frozen()
	h.oldNumbersStay()
	h.hearAgain()
	h.reconcile()
}

// restore goes on with another store, as an owner would after the disk died.
func (h *past) restore(to db.Config, backup []byte) {
	h.t.Helper()
	h.now = h.now.Add(time.Hour)
	_, _, err := db.Restore{
		To: to,
		Freeze: func(ctx context.Context, tx app.Tx, head db.DumpHeader) error {
			return app.BeginEpoch(ctx, tx, h.now, head.Created, head.LastEvent)
		},
		Finish: func(ctx context.Context, s *db.Store, _ db.DumpHeader) error {
			return app.RecordRestore(ctx, s, h.owner)
		},
	}.Run(h.t.Context(), bytes.NewReader(backup))
	if err != nil {
		h.t.Fatal(err)
	}
	next := rigOn(h.t, dbtest.Open(h.t, to))
	next.owner, next.secret, next.serial, next.now = h.owner, h.secret, h.serial, h.now
	h.rig = next
	if e, err := h.Epoch(h.t.Context()); err != nil || e.N != 2 || !e.Frozen() || e.BackupAt.IsZero() {
		h.t.Fatalf("epoch %+v, %v", e, err)
	}
}

// frozen: no money goes out, and nothing is given up, however long it takes.
func (h *past) frozen() {
	h.t.Helper()
	ctx := h.t.Context()
	states := map[app.Moid]app.State{}
	for moid := range h.opened {
		p, err := h.Store.Payment(ctx, moid)
		if errors.Is(err, app.ErrNotFound) {
			continue
		}
		states[moid] = p.State
		if p.State != app.Paid && p.State != app.PartlyCancelled {
			continue
		}
		if _, err := h.PrepareCancel(ctx, moid); !errors.Is(err, app.ErrFrozen) {
			h.t.Errorf("a cancel was prepared: %v", err)
		}
		if _, err := h.Cancel(ctx, h.owner, moid, app.CancelInput{Key: strings.Repeat("f", 26), Whole: true, Reason: "품절"}); !errors.Is(err, app.ErrFrozen) {
			h.t.Errorf("a cancel went out: %v", err)
		}
	}
	h.later(72 * time.Hour)
	for moid, was := range states {
		if now := h.payment(moid).State; now != was {
			h.t.Errorf("%s went from %s to %s by itself", moid, was, now)
		}
	}
	if h.gw.calls != 0 {
		h.t.Errorf("%d calls to the gateway", h.gw.calls)
	}
}

// later lets time pass and does what is due.
func (h *past) later(d time.Duration) {
	h.t.Helper()
	for range 12 {
		h.now = h.now.Add(d / 12)
		for n := 1; n > 0; {
			var err error
			if n, err = h.WorkOnce(h.t.Context()); err != nil {
				h.t.Fatal(err)
			}
		}
	}
}

// oldNumbersStay: buyers go on paying, under numbers that were never used, the lost ones included.
func (h *past) oldNumbersStay() {
	h.t.Helper()
	for _, token := range h.tokens {
		if _, err := h.Store.OrderByToken(h.t.Context(), token); err == nil {
			h.attempt(token)
			h.attempt(token)
		}
	}
}

// hearAgain tells the shop everything the gateway ever told, in any order, twice.
func (h *past) hearAgain() {
	h.t.Helper()
	ctx := h.t.Context()
	for range 2 {
		for _, i := range h.rnd.Perm(len(h.ledger)) {
			h.notify(h.ledger[i])
		}
		h.later(time.Hour)
	}
	holds, err := h.Store.Holds(ctx, true, 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	for moid, taken := range h.taken {
		p, err := h.Store.Payment(ctx, moid)
		if errors.Is(err, app.ErrNotFound) {
			if !slices.ContainsFunc(holds, func(hold app.Hold) bool { return hold.TID == h.tids[moid] }) {
				h.t.Errorf("%s was approved after the backup, and nobody is told", moid)
			}
			continue
		}
		if err != nil {
			h.t.Fatal(err)
		}
		if p.Approved != taken || p.Cancelled != h.back[moid] || p.Reserved != 0 || !p.HasMoney() {
			h.t.Errorf("%s: %+v; the gateway took %d and gave %d back", moid, p, taken, h.back[moid])
		}
	}
}

// reconcile: only the owner, only with a reason, only once; then everything goes on.
func (h *past) reconcile() {
	h.t.Helper()
	ctx := h.t.Context()
	clerk := app.Staff{ID: "clerk", Role: app.RoleStaff}
	for _, c := range []struct {
		who    app.Staff
		reason string
		want   error
	}{{clerk, "비교함", app.ErrForbidden}, {h.owner, " ", app.ErrBadInput}, {h.owner, "거래 내역과 맞춰 봄", nil}, {h.owner, "다시", app.ErrConflict}} {
		if err := h.Reconcile(ctx, c.who, c.reason); !errors.Is(err, c.want) {
			h.t.Errorf("reconcile by %s, %q: %v, want %v", c.who.Role, c.reason, err, c.want)
		}
	}
	events, err := h.Store.Events(ctx, "")
	if err != nil || len(events) != 2 || events[0].Kind != app.Restored || events[1].Kind != app.Reconciled || events[1].Text != "거래 내역과 맞춰 봄" {
		h.t.Errorf("the log says %+v, %v", events, err)
	}
	h.later(72 * time.Hour)
	for moid := range h.opened {
		p, err := h.Store.Payment(ctx, moid)
		switch {
		case err != nil:
			delete(h.taken, moid) // lost with the disk: it is a hold
		case p.State == app.Opened:
			h.t.Errorf("%s is still open", moid)
		}
	}
	for range 5 {
		h.giveBack()
	}
}

// TestTwoRestoresOfOneBackup: the numbers of the first restored shop, lost in its turn, are not given out by the second.
// proves R30, R12
func TestTwoRestoresOfOneBackup(t *testing.T) {
	marks := map[string]bool{"": true}
	for range 3 {
		s := dbtest.SQLite(t)
		err := s.Update(t.Context(), func(tx app.Tx) error {
			return errors.Join(tx.SaveSession(t.Context(), app.Session{Hash: "s", CreatedAt: at, SeenAt: at, ExpiresAt: at.Add(time.Hour)}),
				app.BeginEpoch(t.Context(), tx, at, at.Add(-time.Hour), 5))
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Session(t.Context(), "s"); !errors.Is(err, app.ErrNotFound) {
			t.Errorf("a session outlived the restore: %v", err)
		}
		r := newRig(t, s)
		p := r.open(1000, smartro.Card)
		mark := string(p.Moid[8 : len(p.Moid)-2])
		if marks[mark] || len(p.Moid) > 40 {
			t.Errorf("%s has a mark of an epoch before", p.Moid)
		}
		marks[mark] = true
	}
}
