package db

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"gage/app"
)

const messageColumns = "id, channel, at, peer, secret_ok, content_type, headers, raw, raw_len, sha256, dedupe, copies, mid, moid, tid, code, amount, kind, level, verdict, order_no, about, key_version"

// ringSlots is how many messages without a good signature are kept: strangers can't fill the disk.
const ringSlots = 2000

// messageWithoutRaw lists a message without its body.
var messageWithoutRaw = strings.Replace(messageColumns, " raw,", " '' AS raw,", 1)

// selectMessage and selectRing read messages with the data key that their bodies are sealed with.
var (
	selectMessage  = "SELECT " + messageColumns + ", " + keyOf("messages.id") + " FROM messages "
	listMessages   = "SELECT " + messageWithoutRaw + ", '' FROM messages "
	selectFromRing = "SELECT " + messageColumns + ", " + keyOf("'"+keyRing+"'") + " FROM stranger_ring "
	listRing       = "SELECT " + messageWithoutRaw + ", '' FROM stranger_ring "
)

func (d queries) scanMessage(ring bool) func(scanner) (app.Message, error) {
	return func(s scanner) (m app.Message, err error) {
		var raw, key string
		err = s.Scan(&m.ID, &m.Channel, micros{&m.At}, &m.Peer, truth{&m.SecretOK}, &m.ContentType, &m.Headers, &raw, &m.RawLen, &m.SHA256,
			&m.Dedupe, &m.Copies, &m.MID, &m.Moid, &m.TID, &m.Code, &m.Amount, &m.Kind, &m.Level, &m.Verdict, &m.OrderNo, &m.About, &m.KeyVersion, &key)
		if err != nil {
			return m, err
		}
		m.Ring = ring
		if m.Erased = raw != "" && key == erased; raw == "" || m.Erased {
			return m, nil
		}
		id := m.ID
		if ring {
			id = keyRing
		}
		k, err := d.unwrap(id, key)
		if err != nil {
			return m, err
		}
		m.Raw, err = k.open("messages/"+m.ID, raw)
		return m, err
	}
}

func (d queries) Message(ctx context.Context, id string) (app.Message, error) {
	m, err := one(ctx, d, d.scanMessage(false), selectMessage+"WHERE id = $1", id)
	if errors.Is(err, app.ErrNotFound) {
		return one(ctx, d, d.scanMessage(true), selectFromRing+"WHERE id = $1", id)
	}
	return m, err
}

func (d queries) Messages(ctx context.Context, no app.OrderNo) ([]app.Message, error) {
	kept, err := many(ctx, d, d.scanMessage(false), listMessages+"WHERE order_no = $1 AND order_no <> ''", no)
	if err != nil {
		return nil, err
	}
	ring, err := many(ctx, d, d.scanMessage(true), listRing+"WHERE order_no = $1 AND order_no <> ''", no)
	all := append(kept, ring...)
	slices.SortStableFunc(all, func(a, b app.Message) int { return a.At.Compare(b.At) })
	return all, err
}

// Inbox lists messages, or those of the ring, or both, the newest first.
func (d queries) Inbox(ctx context.Context, q app.InboxQuery) ([]app.Message, error) {
	if !q.Both {
		return d.inbox(ctx, q, q.Strangers)
	}
	kept, err := d.inbox(ctx, q, false)
	if err != nil {
		return nil, err
	}
	ring, err := d.inbox(ctx, q, true)
	all := append(kept, ring...)
	slices.SortFunc(all, func(a, b app.Message) int { return oldestFirst(b, a) })
	return all[:min(len(all), q.Limit)], err
}

func oldestFirst(a, b app.Message) int {
	return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID))
}

func (d queries) inbox(ctx context.Context, q app.InboxQuery, ring bool) ([]app.Message, error) {
	b := &builder{}
	if ring {
		b.WriteString(listRing)
	} else {
		b.WriteString(listMessages)
	}
	b.WriteString("WHERE 1 = 1")
	b.in(" AND channel", texts(q.Channels))
	b.in(" AND verdict", texts(q.Verdicts))
	if !q.From.IsZero() {
		b.add(" AND at >= %s", us(q.From))
	}
	if !q.To.IsZero() {
		b.add(" AND at < %s", us(q.To))
	}
	if !q.After.At.IsZero() {
		b.add(" AND (at, id) < (%s, %s)", us(q.After.At), q.After.ID)
	}
	b.add(" ORDER BY at DESC, id DESC LIMIT %s", q.Limit)
	return many(ctx, d, d.scanMessage(ring), b.String(), b.args...)
}

func (d queries) MessagesFrom(ctx context.Context, peer string, v app.Verdict, limit int) ([]app.Message, error) {
	return many(ctx, d, d.scanMessage(false), listMessages+"WHERE peer = $1 AND verdict = $2 ORDER BY at LIMIT $3", peer, v, limit)
}

// messageArgs is the row of a message whose body is sealed with the data key of that ID.
func (t *transaction) messageArgs(ctx context.Context, m app.Message, keyID string) ([]any, error) {
	k, err := t.makeKey(ctx, keyID)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return nil, errors.New("db: the key of this message was destroyed")
	}
	return []any{
		m.ID, m.Channel, us(m.At), m.Peer, bit(m.SecretOK), m.ContentType, m.Headers, k.seal("messages/"+m.ID, m.Raw), m.RawLen,
		m.SHA256, m.Dedupe, int64(1), m.MID, m.Moid, m.TID, m.Code, m.Amount, m.Kind, int64(m.Level), m.Verdict, m.OrderNo, m.About, m.KeyVersion,
	}, nil
}

func (t *transaction) AddMessage(ctx context.Context, m app.Message) (id string, fresh bool, err error) {
	if m.Ring {
		return m.ID, true, t.addToRing(ctx, m)
	}
	const again = "UPDATE messages SET copies = copies + 1 WHERE dedupe = $1 RETURNING id"
	if id, err = one(ctx, t.queries, scanText, again, m.Dedupe); !errors.Is(err, app.ErrNotFound) {
		return id, false, err
	}
	args, err := t.messageArgs(ctx, m, m.ID)
	if err != nil {
		return "", false, err
	}
	t.made("messages", m.ID)
	err = inserted(t.exec(ctx, "INSERT INTO messages ("+messageColumns+") VALUES ("+dollars(23)+") ON CONFLICT (dedupe) DO NOTHING", args...))
	if errors.Is(err, app.ErrConflict) { // another transaction stored the same one a moment ago
		t.untouch("messages", m.ID)
		if _, err := t.exec(ctx, "DELETE FROM data_keys WHERE id = $1", m.ID); err != nil {
			return "", false, err
		}
		id, err = one(ctx, t.queries, scanText, again, m.Dedupe)
		return id, false, err
	}
	return m.ID, true, err
}

const (
	countCopies = "UPDATE messages SET copies = copies + $2 WHERE id = $1"
	// countNow makes nobody wait for the disk: what the transaction before this one stored is on it.
	countNow = `WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
		UPDATE messages SET copies = copies + 1 FROM quick WHERE dedupe = $1`
)

// Repeated reports whether a message is stored; see [app.Store]. Nobody sees what is not durable: SQLite tells its
// readers of a commit after the sync, and so does PostgreSQL.
func (s *Store) Repeated(ctx context.Context, dedupe string) (bool, error) {
	if s.readOnly {
		return false, errReadOnly
	}
	if s.writer == nil {
		n, err := s.exec(ctx, countNow, dedupe)
		return n > 0, err
	}
	if err := s.writer.broken(); err != nil {
		return false, err
	}
	if s.mirror != nil { // readers see a commit before it is on the second disk: its repeat waits for that in the queue
		return false, nil
	}
	id, err := one(ctx, s.queries, scanText, "SELECT id FROM messages WHERE dedupe = $1", dedupe)
	switch {
	case errors.Is(err, app.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	s.writer.repeats.add(id)
	return true, nil
}

// inQuarantine is the words of the index on the ring: what was signed, and not with a key that is believed. unproved is
// those of the index on the messages: what came on the secret path and is not believed.
const (
	inQuarantine = "verdict IN ('bad_signature', 'old_key')"
	unproved     = "secret_ok = 1 AND level < 2"

	// misfit is the words of another index: what the gateway's way brought, and no list of holds, cancels or senders tells.
	misfit = "secret_ok = 1 AND (verdict IN ('unsigned', 'unreadable', 'wrong_mid', 'wrong_amount', 'other_tid', 'secret_leaked') OR verdict = 'unknown_order' AND kind NOT IN ('approved', 'deposited') OR verdict = 'review' AND kind = 'vbank_issued')"

	oldestQuarantined = inQuarantine + " ORDER BY at, id LIMIT $1"
)

func (d queries) Quarantined(ctx context.Context, limit int) ([]app.Message, error) {
	kept, err := many(ctx, d, d.scanMessage(false), selectMessage+"WHERE "+unproved+" AND "+oldestQuarantined, limit)
	if err != nil {
		return nil, err
	}
	ring, err := many(ctx, d, d.scanMessage(true), selectFromRing+"WHERE "+oldestQuarantined, limit)
	all := append(kept, ring...)
	slices.SortFunc(all, oldestFirst)
	return all[:min(len(all), limit)], err
}

func (d queries) countQuarantined(ctx context.Context, since time.Time) (int, error) {
	const q = "SELECT (SELECT COUNT(*) FROM stranger_ring WHERE " + inQuarantine + " AND secret_ok = 1 AND at >= $1)" +
		" + (SELECT COUNT(*) FROM messages WHERE " + unproved + " AND " + inQuarantine + " AND at >= $1)"
	n, err := one(ctx, d, scanInt, q, us(since))
	return int(n), err
}

func (d queries) Misfits(ctx context.Context, after time.Time) (int, error) {
	n, err := one(ctx, d, scanInt, "SELECT COUNT(*) FROM messages WHERE "+misfit+" AND at > $1", us(after))
	return int(n), err
}

func (t *transaction) TakeFromRing(ctx context.Context, id string) error {
	return changed(t.exec(ctx, "DELETE FROM stranger_ring WHERE id = $1", id))
}

func (d queries) LastNotice(ctx context.Context, mid app.MID) (at time.Time, err error) {
	n, err := one(ctx, d, scanInt, "SELECT COALESCE(MAX(at), 0) FROM messages WHERE channel = 'notify' AND level >= 2 AND mid = $1", mid)
	if err != nil {
		return at, err
	}
	return at, micros{&at}.Scan(n)
}

func (d queries) Unheard(ctx context.Context, mid app.MID, mode app.Mode, from, to time.Time, most int) (opened, claimed int, err error) {
	scan := func(s scanner) (n [2]int, err error) { return n, s.Scan(&n[0], &n[1]) }
	n, err := one(ctx, d, scan, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN claimed_at > 0 AND claimed_at < $2 THEN 1 ELSE 0 END), 0) FROM
		(SELECT claimed_at FROM payments WHERE opened_at > $1 AND opened_at < $2 AND mid = $3 AND mode = $4 AND stopped = 0 AND hint_code = '' ORDER BY opened_at LIMIT $5) AS p`,
		us(from), us(to), mid, mode, most)
	return n[0], n[1], err
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
	args, err := t.messageArgs(ctx, m, keyRing)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, "INSERT INTO stranger_ring (slot, "+messageColumns+") VALUES ("+dollars(24)+")", append([]any{n % ringSlots}, args...)...)
	return err
}

func (t *transaction) JudgeMessage(ctx context.Context, m app.Message) error {
	table := "messages"
	if m.Ring {
		table = "stranger_ring"
	} else {
		t.touch(table, m.ID)
	}
	return changed(t.exec(ctx, "UPDATE "+table+" SET level = $2, verdict = $3, order_no = $4, about = $5, key_version = $6 WHERE id = $1",
		m.ID, int64(m.Level), m.Verdict, m.OrderNo, m.About, m.KeyVersion))
}

func (t *transaction) CountClaims(ctx context.Context, tid app.TID) (int, error) {
	n, err := one(ctx, t.queries, scanInt, "SELECT COUNT(*) FROM messages WHERE tid = $1 AND tid <> '' AND level < 2", tid)
	return int(n), err
}

func (t *transaction) CountUnproved(ctx context.Context, since time.Time) (n int, bytes int64, err error) {
	scan := func(s scanner) (int64, error) { return bytes, s.Scan(&n, &bytes) }
	_, err = one(ctx, t.queries, scan, "SELECT COUNT(*), CAST(COALESCE(SUM(raw_len), 0) AS BIGINT) FROM messages WHERE "+unproved+" AND at >= $1", us(since))
	return n, bytes, err
}
