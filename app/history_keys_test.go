package app_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"gage/app"
	"gage/smartro"
)

// worldKey is a merchant key as the history knows it: newest first in world.keys, which are the shop's.
type worldKey struct {
	n       int
	key     app.Secret
	until   time.Time // by the gateway's clock; zero: current
	stopped bool
}

// heard is what came in on the secret path, and was signed by nobody whom the shop believed.
type heard struct {
	peer netip.Addr
	body []byte
}

// clocksApart is how far the shop's clock may be off, and more: nearer than that to a key's end nobody can tell from
// outside whether it is believed.
const clocksApart = 4 * time.Hour

// standing says of an older key whether it is believed, and whether that can be told.
func (k worldKey) standing(now time.Time) (believed, sure bool) {
	switch {
	case k.until.IsZero():
		return true, true
	case k.stopped:
		return false, true
	}
	return now.Before(k.until), now.Sub(k.until).Abs() > clocksApart
}

// merchantWith is the contract with one of its keys.
func (w *world) merchantWith(key app.Secret) smartro.Merchant {
	m := w.m
	m.Key = key
	return m
}

// fits says which of the shop's keys signed a notice; nil: none.
func (w *world) fits(n smartro.Notice) *worldKey {
	for i := range w.keys {
		if n.Verify(w.merchantWith(w.keys[i].key)) == nil {
			return &w.keys[i]
		}
	}
	return nil
}

// signed says whether the shop must believe a notice's signature. Where that can't be told its verdict says. The caller
// holds mu.
func (w *world) signed(body []byte, v app.Verdict) bool {
	n, err := smartro.ParseNotice(body, smartro.EUCKR)
	if err != nil {
		return false
	}
	k := w.fits(n)
	if k == nil {
		return false
	}
	attempt := w.opened[n.Moid].KeyVersion
	if attempt > k.n && n.OTID == "" {
		return false
	}
	believed, sure := k.standing(w.now)
	if !sure || n.OTID != "" && k.n != w.keys[0].n {
		return v != app.VerdictBadSignature && v != app.VerdictOldKey
	}
	return believed
}

// hear remembers what a message on the secret path must lead to. The caller holds mu.
func (w *world) hear(peer netip.Addr, body []byte, v app.Verdict) {
	switch {
	case !w.signed(body, v):
		w.unsigned = append(w.unsigned, heard{peer, body})
	case peer == gatewayAddr, peer == newGatewayAddr && w.vouched:
		w.proved(body)
	case peer == newGatewayAddr:
		w.unknown = append(w.unknown, body)
	}
}

// changeKey gives the gateway another key, as the merchant site does. The shop does not know yet.
func (w *world) changeKey(*rand.Rand) {
	if w.theirKey != w.keys[0].key {
		return
	}
	w.serial++
	w.theirKey = app.Secret(base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "merchant key %d of history %d", w.serial, w.seed)))
	if err := w.gw.SetMerchantKey(w.theirKey); err != nil {
		w.t.Fatal(err)
	}
}

// enterKey is the owner who types the gateway's key into the settings, and has what failed meanwhile judged again, or
// forgets that.
func (w *world) enterKey(again bool) {
	if w.theirKey == w.keys[0].key {
		return
	}
	if err := w.shop.SetMerchant(w.ctx(), w.owner, w.merchantWith(w.theirKey)); err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.keys[0].until = w.now.Add(app.KeyOverlap)
	w.keys = append([]worldKey{{n: w.keys[0].n + 1, key: w.theirKey}}, w.keys...)
	w.mu.Unlock()
	w.note("key %d", w.keys[0].n)
	if again {
		w.judgeAgain()
	}
}

// judgeAgain has everything judged again whose signature fitted no key. It waits while nobody could tell the result.
func (w *world) judgeAgain() {
	for _, k := range w.keys {
		if _, sure := k.standing(w.clock()); !sure {
			return
		}
	}
	done, err := w.shop.JudgeAgain(w.ctx(), w.owner)
	if err != nil {
		w.t.Error(err)
	}
	w.note("judged again: %+v", done)
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.unsigned
	w.unsigned = nil
	for _, h := range list {
		w.hear(h.peer, h.body, app.VerdictBadSignature)
	}
}

// stopKey ends the belief in a replaced key.
func (w *world) stopKey(r *rand.Rand) {
	i := 1 + r.IntN(3)
	if i >= len(w.keys) {
		return
	}
	if believed, sure := w.keys[i].standing(w.clock()); !believed || !sure {
		return
	}
	if err := w.shop.StopKey(w.ctx(), w.owner, w.m.MID, w.m.Mode, w.keys[i].n); err != nil {
		w.t.Error(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys[i].stopped = true
	w.story[len(w.story)-1] += fmt.Sprintf("; key %d", w.keys[i].n)
}

// staleKey is somebody with a replaced key who says on the secret path, from the gateway's own address, that a payment
// was paid which that key proves nothing about.
func (w *world) staleKey(r *rand.Rand) {
	p, ok := pick(r, w.payments(app.Opened, app.Claimed))
	if !ok || len(w.keys) < 2 || p.Method != smartro.Card {
		return
	}
	k := w.keys[1+r.IntN(len(w.keys)-1)]
	if believed, sure := k.standing(w.clock()); k.n >= p.KeyVersion && (believed || !sure) {
		return
	}
	w.serial++
	tid := app.TID(fmt.Sprintf("%s01012611239%09d", w.m.MID, w.serial))
	w.note("key %d about %s", k.n, p.Moid)
	w.arrive(w.trusted(smartro.EncodeForm(signedWith(k.key, notice(p, tid, "3001", p.Amount)), smartro.EUCKR)))
}

// toldAnew is a notice as the gateway tells it again on demand: signed with its key of today, if it was signed at all.
func (w *world) toldAnew(body []byte) []byte {
	n, err := smartro.ParseNotice(body, smartro.EUCKR)
	if err != nil || w.fits(n) == nil {
		return body
	}
	fields, err := smartro.DecodeForm(body, smartro.EUCKR)
	if err != nil {
		w.t.Fatal(err)
	}
	return smartro.EncodeForm(signedWith(w.theirKey, fields), smartro.EUCKR)
}

// wentUnsigned says that a notice came, and not with a signature that was believed.
func (w *world) wentUnsigned(body string) bool {
	return slices.ContainsFunc(w.unsigned, func(h heard) bool { return string(h.body) == body })
}
