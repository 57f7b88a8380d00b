package db

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"gage/app"
	"gage/smartro"
)

const subscriptionColumns = "no, token, mid, mode, private, goods, amount, tax_free, day, start_at, end_at, state, key_id, next_at, created_at, created_by, stopped_at, stopped_by"

// Data keys of a subscription's customer and of a card's billing key: their numbers alone could be an order's.
func subscriptionKey(no app.SubscriptionNo) string { return "subscription/" + string(no) }
func cardKey(id string) string                     { return "card/" + id }

var selectSubscription = "SELECT " + subscriptionColumns + ", " + keyOf("'subscription/' || no") + " FROM subscriptions "

func (d queries) scanSubscription(s scanner) (sub app.Subscription, err error) {
	var private, key string
	err = s.Scan(&sub.No, &sub.Token, &sub.MID, &sub.Mode, &private, &sub.Goods, &sub.Amount, &sub.TaxFree, &sub.Day, micros{&sub.Start}, micros{&sub.End},
		&sub.State, &sub.KeyID, micros{&sub.NextAt}, micros{&sub.CreatedAt}, &sub.CreatedBy, micros{&sub.StoppedAt}, &sub.StoppedBy, &key)
	if err != nil {
		return sub, err
	}
	k, err := d.unwrap(subscriptionKey(sub.No), key)
	if err != nil {
		return sub, err
	}
	var who orderPrivate
	err = openJSON(k, "subscriptions/"+string(sub.No), private, &who)
	sub.Name, sub.Tel, sub.Email, sub.Erased = who.Name, who.Tel, who.Email, k == nil
	return sub, err
}

func (d queries) Subscription(ctx context.Context, no app.SubscriptionNo) (app.Subscription, error) {
	return one(ctx, d, d.scanSubscription, selectSubscription+"WHERE no = $1", no)
}

func (d queries) SubscriptionByToken(ctx context.Context, token string) (app.Subscription, error) {
	return one(ctx, d, d.scanSubscription, selectSubscription+"WHERE token = $1", token)
}

func (d queries) Subscriptions(ctx context.Context, q app.SubscriptionQuery) ([]app.Subscription, error) {
	b := &builder{}
	b.WriteString(selectSubscription + "WHERE 1 = 1")
	if !q.After.At.IsZero() {
		b.add(" AND (created_at, no) < (%s, %s)", us(q.After.At), q.After.ID)
	}
	b.in(" AND state", texts(q.States))
	b.add(" ORDER BY created_at DESC, no DESC LIMIT %s", q.Limit)
	return many(ctx, d, d.scanSubscription, b.String(), b.args...)
}

// LockSubscription writes on the row, as LockOrder does.
func (t *transaction) LockSubscription(ctx context.Context, no app.SubscriptionNo) (app.Subscription, error) {
	return one(ctx, t.queries, t.scanSubscription, "UPDATE subscriptions SET version = version + 1 WHERE no = $1 RETURNING "+
		subscriptionColumns+", "+keyOf("'subscription/' || no"), no)
}

func (t *transaction) CreateSubscription(ctx context.Context, sub app.Subscription) error {
	k, err := t.makeKey(ctx, subscriptionKey(sub.No))
	if err != nil {
		return err
	}
	private, err := sealWords(k, "subscriptions/"+string(sub.No), orderPrivate{sub.Name, sub.Tel, sub.Email})
	if err != nil {
		return err
	}
	t.touch("subscriptions", string(sub.No))
	return inserted(t.exec(ctx, "INSERT INTO subscriptions ("+subscriptionColumns+") VALUES ("+dollars(18)+") ON CONFLICT DO NOTHING",
		sub.No, sub.Token, sub.MID, sub.Mode, private, sub.Goods, sub.Amount, sub.TaxFree, sub.Day, us(sub.Start), us(sub.End), sub.State, sub.KeyID,
		us(sub.NextAt), us(sub.CreatedAt), sub.CreatedBy, us(sub.StoppedAt), sub.StoppedBy))
}

func (t *transaction) SaveSubscription(ctx context.Context, sub app.Subscription) error {
	t.touch("subscriptions", string(sub.No))
	return changed(t.exec(ctx, "UPDATE subscriptions SET state = $2, key_id = $3, next_at = $4, stopped_at = $5, stopped_by = $6 WHERE no = $1",
		sub.No, sub.State, sub.KeyID, us(sub.NextAt), us(sub.StoppedAt), sub.StoppedBy))
}

func (d queries) SubscriptionsDueForErasure(ctx context.Context, before time.Time, limit int) ([]app.SubscriptionNo, error) {
	scan := func(s scanner) (no app.SubscriptionNo, err error) { return no, s.Scan(&no) }
	return many(ctx, d, scan, `SELECT s.no FROM subscriptions s JOIN data_keys k ON k.id = 'subscription/' || s.no
		WHERE k.sealed <> '' AND s.state = 'stopped' AND s.stopped_at < $1
		AND NOT EXISTS (SELECT 1 FROM charges c WHERE c.subscription = s.no AND (c.state IN ('requested', 'sent', 'unknown') OR c.created_at >= $1))
		ORDER BY s.stopped_at LIMIT $2`, us(before), limit)
}

func (t *transaction) EraseSubscription(ctx context.Context, no app.SubscriptionNo) error {
	return t.destroyKey(ctx, subscriptionKey(no))
}

const cardColumns = "id, subscription, private, fingerprint, tid, registered_at, gone_at"

// cardPrivate is what a card's row must not show: its billing key above all.
type cardPrivate struct {
	Key, CardName, CardNum string
}

var selectCard = "SELECT id, subscription, private, tid, registered_at, gone_at, " + keyOf("'card/' || cards.id") + " FROM cards "

func (d queries) scanCard(s scanner) (c app.Card, err error) {
	var private, key string
	if err = s.Scan(&c.ID, &c.Subscription, &private, &c.TID, micros{&c.RegisteredAt}, micros{&c.GoneAt}, &key); err != nil {
		return c, err
	}
	k, err := d.unwrap(cardKey(c.ID), key)
	if err != nil {
		return c, err
	}
	var what cardPrivate
	err = openJSON(k, "cards/"+c.ID, private, &what)
	c.Key, c.CardName, c.CardNum, c.Erased = smartro.BillingKey(what.Key), what.CardName, what.CardNum, k == nil
	return c, err
}

// Card asks for the owner in the same breath: nobody reaches a card by its ID alone.
func (d queries) Card(ctx context.Context, no app.SubscriptionNo, id string) (app.Card, error) {
	return one(ctx, d, d.scanCard, selectCard+"WHERE id = $1 AND subscription = $2", id, no)
}

func (t *transaction) CreateCard(ctx context.Context, c app.Card) error {
	index, err := t.makeKey(ctx, keyIndex)
	if err != nil {
		return err
	}
	k, err := t.makeKey(ctx, cardKey(c.ID))
	if err != nil {
		return err
	}
	private, err := sealWords(k, "cards/"+c.ID, cardPrivate{c.Key.Reveal(), c.CardName, c.CardNum})
	if err != nil {
		return err
	}
	t.touch("cards", c.ID)
	return inserted(t.exec(ctx, "INSERT INTO cards ("+cardColumns+") VALUES ("+dollars(7)+") ON CONFLICT DO NOTHING",
		c.ID, c.Subscription, private, fingerprint(index, c.Key), c.TID, us(c.RegisteredAt), us(c.GoneAt)))
}

// fingerprint tells whether a billing key was seen before, and nothing about it: a plain hash could be tried out, for most
// of a key is digits.
func fingerprint(k *dataKey, key smartro.BillingKey) string {
	mac := hmac.New(sha256.New, k.raw)
	mac.Write([]byte("billing key\n" + key.Reveal()))
	return hex.EncodeToString(mac.Sum(nil))
}

func (t *transaction) SaveCard(ctx context.Context, c app.Card) error {
	t.touch("cards", c.ID)
	return changed(t.exec(ctx, "UPDATE cards SET gone_at = $2 WHERE id = $1", c.ID, us(c.GoneAt)))
}

func (t *transaction) EraseCard(ctx context.Context, id string) error {
	return t.destroyKey(ctx, cardKey(id))
}

const cardWindowColumns = "moid, subscription, mid, mode, return_token, state, result_code, result_msg, opened_at, closed_at"

func scanCardWindow(s scanner) (w app.CardWindow, err error) {
	return w, s.Scan(&w.Moid, &w.Subscription, &w.MID, &w.Mode, &w.ReturnToken, &w.State, &w.ResultCode, &w.ResultMsg, micros{&w.OpenedAt}, micros{&w.ClosedAt})
}

func (d queries) CardWindowByToken(ctx context.Context, token string) (app.CardWindow, error) {
	return one(ctx, d, scanCardWindow, "SELECT "+cardWindowColumns+" FROM card_windows WHERE return_token = $1", token)
}

func (d queries) LastCardWindow(ctx context.Context, no app.SubscriptionNo) (app.CardWindow, error) {
	return one(ctx, d, scanCardWindow, "SELECT "+cardWindowColumns+" FROM card_windows WHERE subscription = $1 ORDER BY opened_at DESC, moid DESC LIMIT 1", no)
}

func (t *transaction) CountCardWindows(ctx context.Context, no app.SubscriptionNo, since time.Time) (int, error) {
	n, err := one(ctx, t.queries, scanInt, "SELECT COUNT(*) FROM card_windows WHERE subscription = $1 AND opened_at >= $2", no, us(since))
	return int(n), err
}

func (t *transaction) CreateCardWindow(ctx context.Context, w app.CardWindow) error {
	t.touch("card_windows", string(w.Moid))
	return inserted(t.exec(ctx, "INSERT INTO card_windows ("+cardWindowColumns+") VALUES ("+dollars(10)+") ON CONFLICT DO NOTHING",
		w.Moid, w.Subscription, w.MID, w.Mode, w.ReturnToken, w.State, w.ResultCode, w.ResultMsg, us(w.OpenedAt), us(w.ClosedAt)))
}

func (t *transaction) SaveCardWindow(ctx context.Context, w app.CardWindow) error {
	t.touch("card_windows", string(w.Moid))
	return changed(t.exec(ctx, "UPDATE card_windows SET state = $2, result_code = $3, result_msg = $4, closed_at = $5 WHERE moid = $1",
		w.Moid, w.State, w.ResultCode, w.ResultMsg, us(w.ClosedAt)))
}
