package app_test

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

// The keys that the contract gets after its first.
const (
	secondKey = app.Secret("U2Vjb25kIG1lcmNoYW50IGtleSBvZiB0aGUgdGVzdHMsIDY0IGJ5dGVzIGxvbmcuIC4uLi4uLi4uLi4uLi4uLg==")
	thirdKey  = app.Secret("VGhpcmQgbWVyY2hhbnQga2V5IG9mIHRoZSB0ZXN0cywgNjQgYnl0ZXMgbG9uZy4gLi4uLi4uLi4uLi4uLi4uLg==")
)

// changeKey enters another merchant key.
func (r *rig) changeKey(key app.Secret) {
	r.t.Helper()
	m, err := r.Merchant(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	m.Key = key
	if err := r.SetMerchant(r.t.Context(), r.owner, m); err != nil {
		r.t.Fatal(err)
	}
}

// signedWith is a notice signed with another key than the first.
func signedWith(key app.Secret, fields []smartro.Field) []smartro.Field {
	return with(fields, "SignValue", smartro.SignValue(smartro.MD5, app.TID(field(fields, "TID")), field(fields, "ResultCode"), key))
}

// about reads the newest message about a payment.
func (r *rig) about(p app.Payment) app.Message {
	r.t.Helper()
	list, err := r.Store.Messages(r.t.Context(), p.OrderNo)
	if err != nil || len(list) == 0 {
		r.t.Fatalf("messages of %s: %d, %v", p.OrderNo, len(list), err)
	}
	return list[len(list)-1]
}

// TestKeyChanged: a payment whose form an old key signed is proved by that key until the term is over, and by the
// current one; a later payment by the current one alone. Which key it was is told of the payment, the message and the
// event.
//
// proves R28, E1
func TestKeyChanged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		one, two, three := r.open(1000, smartro.Card), r.open(2000, smartro.Card), r.open(3000, smartro.Vbank)
		r.changeKey(secondKey)
		later := r.open(4000, smartro.Card)
		if one.KeyVersion != 1 || later.KeyVersion != 2 {
			t.Fatalf("forms signed with key %d, and %d after the change", one.KeyVersion, later.KeyVersion)
		}

		if v := r.notify(notice(one, r.tid(smartro.Card), "3001", 1000)); v != app.VerdictGood {
			t.Errorf("its own key: %s", v)
		}
		r.want(one.Moid, app.Paid)
		if v := r.notify(signedWith(secondKey, notice(two, r.tid(smartro.Card), "3001", 2000))); v != app.VerdictGood {
			t.Errorf("the current key: %s", v)
		}
		r.want(two.Moid, app.Paid)
		if a, b := r.about(one), r.about(two); a.KeyVersion != 1 || b.KeyVersion != 2 {
			t.Errorf("messages verified with keys %d and %d", a.KeyVersion, b.KeyVersion)
		}
		events, err := r.Store.Events(t.Context(), one.OrderNo)
		if err != nil || len(events) != 2 || events[0].Detail.KeyVersion != 1 || events[1].Detail.KeyVersion != 1 {
			t.Errorf("events %+v, %v", events, err)
		}
		stale := notice(later, r.tid(smartro.Card), "3001", 4000)
		if v := r.notify(stale); v != app.VerdictOldKey {
			t.Errorf("the key before, about a payment of the new one: %s", v)
		}
		if v := r.browser(notice(later, r.tid(smartro.Card), "3001", 4000), later.ReturnToken); v != app.VerdictOldKey {
			t.Errorf("the same by a browser: %s", v)
		}
		r.want(later.Moid, app.Opened)

		r.now = r.now.Add(app.KeyOverlap - time.Second)
		tid := r.tid(smartro.Vbank)
		if v := r.notify(notice(three, tid, "4100", 3000)); v != app.VerdictGood {
			t.Errorf("the old key at the end of its term: %s", v)
		}
		r.now = r.now.Add(time.Second)
		late := notice(three, tid, "4110", 3000)
		if v := r.notify(late); v != app.VerdictOldKey {
			t.Errorf("the old key after its term: %s", v)
		}
		if v := r.notify(signedWith(secondKey, late)); v != app.VerdictGood && v != app.VerdictHeld {
			t.Errorf("the current key then: %s", v)
		}
	})
}

// TestStopKey: a leaked key is believed no longer from the moment the owner says so; what is believed is only ever the
// owner's to change, and the current key has to be replaced first.
//
// proves R28
func TestStopKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		ctx := t.Context()
		p := r.open(1000, smartro.Card)
		if err := r.StopKey(ctx, r.owner, p.MID, p.Mode, 1); !errors.Is(err, app.ErrConflict) {
			t.Errorf("stop the current key: %v", err)
		}
		r.changeKey(secondKey)
		r.changeKey(secondKey) // the same again begins nothing
		if err := r.StopKey(ctx, app.Staff{ID: "x", Role: app.RoleStaff}, p.MID, p.Mode, 1); !errors.Is(err, app.ErrForbidden) {
			t.Errorf("by staff: %v", err)
		}
		if err := r.StopKey(ctx, r.owner, p.MID, smartro.Real, 1); !errors.Is(err, app.ErrNotFound) {
			t.Errorf("of a real contract that isn't there: %v", err)
		}
		if err := r.StopKey(ctx, r.owner, p.MID, p.Mode, 1); err != nil {
			t.Fatal(err)
		}
		if err := r.StopKey(ctx, r.owner, p.MID, p.Mode, 1); !errors.Is(err, app.ErrConflict) {
			t.Errorf("twice: %v", err)
		}
		if v := r.notify(notice(p, r.tid(smartro.Card), "3001", 1000)); v != app.VerdictOldKey {
			t.Errorf("signed with it: %s", v)
		}
		r.want(p.Moid, app.Opened)
		keys, err := r.KeysOf(ctx, r.owner, p.MID, p.Mode)
		if err != nil || len(keys) != 2 || !keys[0].Believed || keys[1].Believed || keys[1].StoppedBy != r.owner.ID || keys[0].Mark == keys[1].Mark {
			t.Errorf("keys %+v, %v", keys, err)
		}
		for _, k := range keys {
			if strings.Contains(string(secondKey)+smartro.DemoKey, k.Mark) || len(k.Mark) != 6 {
				t.Errorf("the mark %q tells of the key", k.Mark)
			}
		}
		did, err := r.Accesses(ctx, r.owner, app.AccessQuery{Kinds: []app.AccessKind{app.ChangedKey, app.StoppedKey}, Limit: 10})
		if err != nil || len(did) != 2 {
			t.Errorf("recorded: %+v, %v", did, err)
		}
		r.changeKey(smartro.DemoKey) // back: a version of its own, which signs what comes from now on
		if v := r.notify(notice(p, r.tid(smartro.Card), "3001", 1000)); v != app.VerdictGood {
			t.Errorf("signed with the key that is current again: %s", v)
		}
	})
}

// TestKeyOverlap: an account that was opened with the key before, in the first second of a day, may be paid until the end of the
// third day after it, and the gateway repeats a notice ten times, every ten minutes.
//
// proves R28
func TestKeyOverlap(t *testing.T) {
	const term, repeats = 4 * 24 * time.Hour, 10 * 10 * time.Minute
	if app.KeyOverlap < term+repeats {
		t.Errorf("a key before is believed for %s, and may be needed for %s", app.KeyOverlap, term+repeats)
	}
}

// TestJudgeAgain: the gateway signs with its new key before the owner has entered it. Nothing is believed, everything
// is kept; once the key is there one step makes of each what it would have been, and leaves what nobody signed.
//
// proves R28, R2
func TestJudgeAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		ctx := t.Context()
		told, returned, unproved := r.open(1000, smartro.Card), r.open(2000, smartro.Card), r.open(3000, smartro.Card)
		money := signedWith(secondKey, notice(told, r.tid(smartro.Card), "3001", 1000))
		forged := signedWith(thirdKey, notice(unproved, r.tid(smartro.Card), "3001", 3000))
		for _, f := range [][]smartro.Field{money, forged} {
			if v := r.notify(f); v != app.VerdictBadSignature {
				t.Errorf("a key that we don't have: %s", v)
			}
		}
		back := signedWith(secondKey, notice(returned, r.tid(smartro.Card), "3001", 2000))
		if v := r.browser(back, returned.ReturnToken); v != app.VerdictBadSignature {
			t.Errorf("a browser with it: %s", v)
		}
		w, err := r.Worklist(ctx)
		if err != nil || w.Quarantined != 2 {
			t.Errorf("quarantined %d, want the two of the secret path: %v", w.Quarantined, err)
		}
		if done, err := r.JudgeAgain(ctx, r.owner); err != nil || done != (app.Rejudged{Left: 3}) {
			t.Errorf("before the key is there: %+v, %v", done, err)
		}
		r.changeKey(secondKey)
		if done, err := r.JudgeAgain(ctx, r.owner); err != nil || done != (app.Rejudged{Good: 2, Left: 1}) {
			t.Errorf("after: %+v, %v", done, err)
		}
		r.want(told.Moid, app.Paid)
		r.want(returned.Moid, app.Claimed)
		r.want(unproved.Moid, app.Opened)
		if m := r.about(told); m.Ring || m.Verdict != app.VerdictGood || m.KeyVersion != 2 || m.Level != app.T2 {
			t.Errorf("kept as %+v", m)
		}
		if v := r.notify(money); v != app.VerdictDuplicate {
			t.Errorf("told again: %s", v)
		}
		if done, err := r.JudgeAgain(ctx, r.owner); err != nil || done != (app.Rejudged{Left: 1}) {
			t.Errorf("once more: %+v, %v", done, err)
		}
	})
}

// TestJudgeAgainABrowser: who knows the secret path and has seen the gateway's words sends them from a browser, for other
// money; that they are signed with a key that the shop does not have yet makes them no better once it has.
//
// proves R28, S2, S3
func TestJudgeAgainABrowser(t *testing.T) {
	for _, headers := range []string{browserHeaders, "Origin: ", "Sec-Fetch-Dest: document", "User-Agent: x\nCookie: present"} {
		r := newRig(t, dbtest.SQLite(t))
		p := r.open(1000, smartro.Card)
		v := r.receive(app.Arrival{
			Channel: app.ChannelNotify, Secret: r.secret, Peer: gatewayAddr, Headers: headers,
			Body: smartro.EncodeForm(signedWith(secondKey, notice(p, r.tid(smartro.Card), "3001", 1)), smartro.EUCKR),
		})
		if v != app.VerdictBadSignature {
			t.Errorf("%q: %s", headers, v)
		}
		r.changeKey(secondKey)
		if _, err := r.JudgeAgain(t.Context(), r.owner); err != nil {
			t.Fatal(err)
		}
		if m := r.about(r.want(p.Moid, app.Opened)); m.Ring || m.Level != app.T1 || m.Amount != 1 {
			t.Errorf("%q: kept as %s of level %d", headers, m.Verdict, m.Level)
		}
	}
}

// TestJudgeAgainAfterTheRepeat: the gateway has told it once more meanwhile, signed with the key that is there by then.
//
// proves R28, R7
func TestJudgeAgainAfterTheRepeat(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	p := r.open(1000, smartro.Card)
	money := signedWith(secondKey, notice(p, r.tid(smartro.Card), "3001", 1000))
	r.notify(money)
	r.changeKey(secondKey)
	if v := r.notify(money); v != app.VerdictGood {
		t.Errorf("told again: %s", v)
	}
	if done, err := r.JudgeAgain(t.Context(), r.owner); err != nil || done.Good != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	r.want(p.Moid, app.Paid)
	list, err := r.Store.Messages(t.Context(), p.OrderNo)
	if err != nil || len(list) != 2 || list[0].Verdict != app.VerdictDuplicate || list[1].Verdict != app.VerdictGood {
		t.Errorf("kept as %+v, %v", list, err)
	}
	dbtest.Whole(t, r.Store.(*db.Store))
}

// TestStrangersDoNotCrowdOutTheGateway: a notice that came on the secret path was answered OK. Its key is entered long after
// strangers have filled their ring, and it is there, all of it.
//
// proves I1, R2, R28, S22
func TestStrangersDoNotCrowdOutTheGateway(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of messages, one after the other")
	}
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		p := r.open(1000, smartro.Card)
		long := smartro.Field{Name: "GoodsName", Value: strings.Repeat("x", 8<<10)}
		early := signedWith(secondKey, notice(p, r.tid(smartro.Card), "3001", 1000, long))
		for range 2 {
			if v := r.notify(early); v != app.VerdictBadSignature {
				t.Fatalf("before the key is known: %s", v)
			}
		}
		for i := range 2001 {
			r.receive(app.Arrival{Channel: app.ChannelNotify, Peer: strangerAddr, Body: fmt.Appendf(nil, "TID=x&ResultCode=3001&n=%d", i)})
		}
		if w, err := r.Worklist(t.Context()); err != nil || w.Quarantined != 1 {
			t.Errorf("%d ask for a hand, %v", w.Quarantined, err)
		}
		if m := r.about(p); m.Copies != 2 || m.Ring {
			t.Errorf("kept as %+v", m)
		}
		r.changeKey(secondKey)
		if done, err := r.JudgeAgain(t.Context(), r.owner); err != nil || done != (app.Rejudged{Good: 1}) {
			t.Errorf("judged again: %+v, %v", done, err)
		}
		r.want(p.Moid, app.Paid)
		dbtest.Whole(t, s)
	})
}

// TestTheSecretPathIsNoWayToTheDisk: who learned the secret has a share of the record a month, and then the strangers' ring.
//
// proves S22, R2
func TestTheSecretPathIsNoWayToTheDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of messages, one after the other")
	}
	s := dbtest.SQLite(t)
	r := newRig(t, s)
	filler := strings.Repeat("x", 60<<10)
	post := func(n int) app.Message {
		r.receive(app.Arrival{Channel: app.ChannelNotify, Secret: r.secret, Peer: strangerAddr, Body: fmt.Appendf(nil, "TID=x%d&ResultCode=3001&x=%s", n, filler)})
		list, _, err := r.Inbox(t.Context(), app.InboxQuery{Both: true, Limit: 1})
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		return list[0]
	}
	kept := 0
	for i := range 600 {
		r.now = r.now.Add(time.Second)
		if m := post(i); !m.Ring {
			kept++
		}
	}
	if kept < 500 || kept > 550 { // 32 MiB of them
		t.Errorf("%d of 600 kept whole", kept)
	}
	r.now = r.now.Add(31 * 24 * time.Hour)
	if m := post(600); m.Ring || m.RawLen < len(filler) {
		t.Errorf("a month later: %+v", m)
	}
	dbtest.Whole(t, s)
}

// TestParkedAcrossTheChange: a cancel that waits for its approval keeps the belief that it had when it came.
//
// proves R28, R8
func TestParkedAcrossTheChange(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	p := r.open(1000, smartro.Card)
	tid := r.tid(smartro.Card)
	if v := r.notify(notice(p, tid, "2001", 1000, smartro.Field{Name: "OTID", Value: string(tid)})); v != app.VerdictParked {
		t.Fatalf("a cancel before its approval: %s", v)
	}
	r.changeKey(secondKey)
	if err := r.StopKey(t.Context(), r.owner, p.MID, p.Mode, 1); err != nil {
		t.Fatal(err)
	}
	r.notify(signedWith(secondKey, notice(p, tid, "3001", 1000)))
	if _, err := r.WorkOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.want(p.Moid, app.Cancelled)
}

// TestCancelRefusedWhenSentAgain: a whole cancel whose answer was lost is sent again, and refused for our signature, since
// the key was changed at the gateway meanwhile. That says nothing of the first call: the amount stays set aside.
//
// proves R17, R18, R28
func TestCancelRefusedWhenSentAgain(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	ctx := t.Context()
	p := r.open(1000, smartro.Card)
	r.notify(notice(p, r.tid(smartro.Card), "3001", 1000))
	r.gw.cancel = func(smartro.CancelRequest) (smartro.CancelAnswer, error) {
		return smartro.CancelAnswer{}, errors.New("connection reset")
	}
	c, err := r.Cancel(ctx, r.owner, p.Moid, app.CancelInput{Key: strings.Repeat("k", 26), Whole: true, Reason: "품절"})
	if err != nil || c.State != app.CancelStateUnknown {
		t.Fatalf("cancel: %+v, %v", c, err)
	}
	r.gw.cancel = func(smartro.CancelRequest) (smartro.CancelAnswer, error) {
		raw := []byte("ResultCode=S104&ResultMsg=HASH")
		return smartro.CancelAnswer{ResultCode: "S104", ResultMsg: "HASH", Raw: raw}, nil
	}
	if c, err = r.ResendCancel(ctx, r.owner, c.ID); err != nil || c.State != app.CancelStateUnknown {
		t.Errorf("sent again and refused: %+v, %v", c, err)
	}
	if got := r.payment(p.Moid); got.Reserved != 1000 || got.Left() != 0 {
		t.Errorf("reserved %d, left %d", got.Reserved, got.Left())
	}
}

// TestKeysOfPracticeAndReal: one MID in practice and in earnest has two contracts with keys of their own, and neither's
// key proves anything about the other's payments.
//
// proves R28, S2
func TestKeysOfPracticeAndReal(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t))
	ctx := t.Context()
	var made []app.Payment
	for _, c := range []struct {
		mode app.Mode
		key  app.Secret
	}{{smartro.Test, secondKey}, {smartro.Real, thirdKey}} {
		m := smartro.Merchant{MID: "gagelive1m", Key: c.key, CancelPassword: "482913", Mode: c.mode, Hash: smartro.MD5, Endpoints: smartro.EndpointsFor(c.mode)}
		if err := r.SetMerchant(ctx, r.owner, m); err != nil {
			t.Fatal(err)
		}
		made = append(made, r.open(1000, smartro.Card))
	}
	practice, real := made[0], made[1]
	tid := func(n string) app.TID { return app.TID("gagelive1m010126112314000000" + n) }
	if v := r.notify(signedWith(secondKey, notice(real, tid("01"), "3001", 1000))); v != app.VerdictBadSignature {
		t.Errorf("the practice key about a real payment: %s", v)
	}
	if v := r.notify(signedWith(thirdKey, notice(practice, tid("02"), "3001", 1000))); v != app.VerdictBadSignature {
		t.Errorf("the real key about a practice payment: %s", v)
	}
	r.notify(signedWith(secondKey, notice(practice, tid("03"), "3001", 1000)))
	u, err := r.NoticeURL(ctx) // real money has its own
	if err != nil {
		t.Fatal(err)
	}
	r.secret = path.Base(u)
	r.notify(signedWith(thirdKey, notice(real, tid("04"), "3001", 1000)))
	r.want(practice.Moid, app.Paid)
	r.want(real.Moid, app.Paid)
}

// TestSilence: no notification comes although a buyer's browser says that he paid, or window after window comes to
// nothing: the shop says so, and is quiet again when one comes.
//
// proves R9
func TestSilence(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		r := newRig(t, s)
		silent := func(what string, want bool) {
			t.Helper()
			w, err := r.Worklist(t.Context())
			if err != nil || (w.Silent != nil) != want {
				t.Errorf("%s: %+v, %v", what, w.Silent, err)
			}
		}
		silent("nobody paid", false)
		p := r.open(1000, smartro.Card)
		r.browser(notice(p, r.tid(smartro.Card), "3001", 1000), p.ReturnToken)
		silent("a moment ago", false)
		r.now = r.now.Add(16 * time.Minute)
		silent("a claim and no notification", true)
		r.notify(notice(r.open(2000, smartro.Card), r.tid(smartro.Card), "3001", 2000))
		silent("one came", false)
		if n, err := r.Notices(t.Context()); err != nil || len(n) != 1 || !n[0].LastAt.Equal(r.now) || n[0].Mode != smartro.Test {
			t.Errorf("%+v, %v", n, err)
		}
		r.now = r.now.Add(time.Minute)
		for range 10 {
			r.open(1000, smartro.Card)
		}
		silent("ten windows just now", false)
		r.now = r.now.Add(16 * time.Minute)
		silent("ten windows and nothing of any of them", true)
		r.now = r.now.Add(15 * 24 * time.Hour)
		silent("long ago", false)
	})
}
