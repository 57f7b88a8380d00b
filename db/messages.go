package db

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"gage/app"
)

const messageColumns = "id, channel, at, peer, secret_ok, content_type, headers, raw, raw_len, sha256, dedupe, copies, mid, moid, tid, code, amount, kind, level, verdict, order_no, about"

// ringSlots is how many messages without a good signature are kept: strangers can't fill the disk.
const ringSlots = 2000

// messageWithoutRaw lists a message without its body.
var messageWithoutRaw = strings.Replace(messageColumns, " raw,", " '' AS raw,", 1)

func scanMessage(ring bool) func(scanner) (app.Message, error) {
	return func(s scanner) (m app.Message, err error) {
		var raw string
		err = s.Scan(&m.ID, &m.Channel, micros{&m.At}, &m.Peer, truth{&m.SecretOK}, &m.ContentType, &m.Headers, &raw, &m.RawLen, &m.SHA256,
			&m.Dedupe, &m.Copies, &m.MID, &m.Moid, &m.TID, &m.Code, &m.Amount, &m.Kind, &m.Level, &m.Verdict, &m.OrderNo, &m.About)
		if err != nil {
			return m, err
		}
		m.Ring = ring
		if raw != "" {
			m.Raw, err = base64.StdEncoding.DecodeString(raw)
		}
		return m, err
	}
}

func (d queries) Message(ctx context.Context, id string) (app.Message, error) {
	m, err := one(ctx, d, scanMessage(false), "SELECT "+messageColumns+" FROM messages WHERE id = $1", id)
	if errors.Is(err, app.ErrNotFound) {
		return one(ctx, d, scanMessage(true), "SELECT "+messageColumns+" FROM stranger_ring WHERE id = $1", id)
	}
	return m, err
}

func (d queries) Messages(ctx context.Context, no app.OrderNo) ([]app.Message, error) {
	kept, err := many(ctx, d, scanMessage(false), "SELECT "+messageWithoutRaw+" FROM messages WHERE order_no = $1 AND order_no <> ''", no)
	if err != nil {
		return nil, err
	}
	ring, err := many(ctx, d, scanMessage(true), "SELECT "+messageWithoutRaw+" FROM stranger_ring WHERE order_no = $1 AND order_no <> ''", no)
	all := append(kept, ring...)
	slices.SortStableFunc(all, func(a, b app.Message) int { return a.At.Compare(b.At) })
	return all, err
}

func (d queries) MessagesFrom(ctx context.Context, peer string, v app.Verdict, limit int) ([]app.Message, error) {
	return many(ctx, d, scanMessage(false), "SELECT "+messageWithoutRaw+" FROM messages WHERE peer = $1 AND verdict = $2 ORDER BY at LIMIT $3", peer, v, limit)
}

func messageArgs(m app.Message) []any {
	return []any{
		m.ID, m.Channel, us(m.At), m.Peer, bit(m.SecretOK), m.ContentType, m.Headers, base64.StdEncoding.EncodeToString(m.Raw), m.RawLen,
		m.SHA256, m.Dedupe, int64(1), m.MID, m.Moid, m.TID, m.Code, m.Amount, m.Kind, int64(m.Level), m.Verdict, m.OrderNo, m.About,
	}
}

func (t *transaction) AddMessage(ctx context.Context, m app.Message) (id string, fresh bool, err error) {
	if m.Ring {
		return m.ID, true, t.addToRing(ctx, m)
	}
	id, err = one(ctx, t.queries, scanText, "INSERT INTO messages ("+messageColumns+") VALUES ("+dollars(22)+
		") ON CONFLICT (dedupe) DO UPDATE SET copies = messages.copies + 1 RETURNING id", messageArgs(m)...)
	return id, id == m.ID, err
}

// addToRing overwrites the oldest slot.
func (t *transaction) addToRing(ctx context.Context, m app.Message) error {
	n, err := t.count(ctx, "ring")
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, "DELETE FROM stranger_ring WHERE slot = $1", n%ringSlots); err != nil {
		return err
	}
	_, err = t.exec(ctx, "INSERT INTO stranger_ring (slot, "+messageColumns+") VALUES ("+dollars(23)+")", append([]any{n % ringSlots}, messageArgs(m)...)...)
	return err
}

func (t *transaction) JudgeMessage(ctx context.Context, m app.Message) error {
	table := "messages"
	if m.Ring {
		table = "stranger_ring"
	}
	return changed(t.exec(ctx, "UPDATE "+table+" SET level = $2, verdict = $3, order_no = $4, about = $5 WHERE id = $1",
		m.ID, int64(m.Level), m.Verdict, m.OrderNo, m.About))
}

func (t *transaction) CountClaims(ctx context.Context, tid app.TID) (int, error) {
	n, err := one(ctx, t.queries, scanInt, "SELECT COUNT(*) FROM messages WHERE tid = $1 AND tid <> '' AND level < 2", tid)
	return int(n), err
}
