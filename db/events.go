package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gage/app"
)

// The log is one chain: each row carries the hash of the row before it and its own, over everything that stands in
// it. A row is either something that happened to a payment, or the digest of a record (an order, a hold, a cancel, a
// message, a person, a setting) as a transaction left it. What stands in the tables can be compared with it: see
// [Store.VerifyLog].

const eventColumns = "seq, at, kind, level, order_no, moid, mode, mid, tid, amount, code, from_state, to_state, hold_reason, proof, message_id, cancel_id, actor, effect_key, record, digest, private, prev_hash, hash"

// recordSaved is the kind of the rows that carry a record's digest.
const recordSaved app.EventKind = "record_saved"

// eventFormat names the form of what is hashed; another form gets another name.
const eventFormat = "gage-event-1"

// eventRow is a row of the log as it stands there.
type eventRow struct {
	app.Event
	at             int64
	record, digest string
	private        string
	prev, hash     string
}

// chained is the hash of the row: SHA-256 over the hash before it and the row's values.
func (r eventRow) chained() (string, error) {
	prev, err := hex.DecodeString(r.prev)
	if err != nil {
		return "", err
	}
	e := r.Event
	values, err := json.Marshal([]any{
		eventFormat, e.Seq, r.at, e.Kind, e.Level, e.OrderNo, e.Moid, e.Mode, e.MID, e.TID, e.Amount, e.Code, e.From, e.To, e.Hold, e.Proof,
		e.MessageID, e.CancelID, e.Actor, e.EffectKey, r.record, r.digest, r.private,
	})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(prev, values...))
	return hex.EncodeToString(sum[:]), nil
}

func scanEventRow(s scanner) (r eventRow, err error) {
	e := &r.Event
	err = s.Scan(&e.Seq, &r.at, &e.Kind, &e.Level, &e.OrderNo, &e.Moid, &e.Mode, &e.MID, &e.TID, &e.Amount, &e.Code,
		&e.From, &e.To, &e.Hold, &e.Proof, &e.MessageID, &e.CancelID, &e.Actor, &e.EffectKey, &r.record, &r.digest, &r.private, &r.prev, &r.hash)
	return r, errors.Join(err, micros{&e.At}.Scan(r.at))
}

func (d queries) Events(ctx context.Context, no app.OrderNo) ([]app.Event, error) {
	where, args := "order_no = $1 AND order_no <> ''", []any{no}
	if no == "" {
		where, args = "order_no = '' AND record = ''", nil
	}
	rows, err := many(ctx, d, scanEventRow, "SELECT "+eventColumns+" FROM events WHERE "+where+" ORDER BY seq", args...)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	k, err := d.dataKey(ctx, eventKey(no))
	if err != nil {
		return nil, err
	}
	list := make([]app.Event, len(rows))
	for i, r := range rows {
		var private eventPrivate
		if err := openJSON(k, r.place(), r.private, &private); err != nil {
			return nil, err
		}
		list[i] = r.Event
		list[i].Text, list[i].Detail = private.Text, private.Detail
		list[i].GatewayTime, list[i].Peer, list[i].RequestID = private.GatewayTime, private.Peer, private.RequestID
	}
	return list, nil
}

// eventKey is the ID of the data key for what is personal in an event.
func eventKey(no app.OrderNo) string {
	if no == "" {
		return keyShop
	}
	return string(no)
}

func (r eventRow) place() string { return fmt.Sprintf("events/%d", r.Seq) }

func (t *transaction) HasEffect(ctx context.Context, key string) (bool, error) {
	n, err := one(ctx, t.queries, scanInt, "SELECT COUNT(*) FROM events WHERE effect_key = $1 AND effect_key <> ''", key)
	return n > 0, err
}

func (t *transaction) CountHints(ctx context.Context, no app.OrderNo, moid app.Moid) (int, error) {
	const q = "SELECT COUNT(*) FROM events WHERE order_no = $1 AND order_no <> '' AND moid = $2 AND kind IN ('stop', 'return_failure')"
	n, err := one(ctx, t.queries, scanInt, q, no, moid)
	return int(n), err
}

func (t *transaction) AppendEvent(ctx context.Context, e app.Event) (int64, error) {
	k, err := t.makeKey(ctx, eventKey(e.OrderNo))
	if err != nil {
		return 0, err
	}
	return t.append(ctx, eventRow{Event: e, at: us(e.At)}, func(r *eventRow) (err error) {
		r.private, err = sealJSON(k, r.place(), eventPrivate{e.Text, e.Detail, e.GatewayTime, e.Peer, e.RequestID})
		return err
	})
}

// tail is the end of the log as a transaction sees it that holds the log's counter.
type tail struct {
	counted int64 // what the counter says; 0: it was not asked
	seq     int64 // of the last row
	hash    string
}

// holdLog keeps every other transaction from the log until this one ends, and reads its end.
func (t *transaction) holdLog(ctx context.Context) error {
	if t.log.counted > 0 {
		return nil
	}
	n, err := t.count(ctx, "event")
	if err != nil {
		return err
	}
	end := tail{counted: n, seq: n - 1}
	if end.seq > 0 {
		if end.hash, err = one(ctx, t.queries, scanText, "SELECT hash FROM events WHERE seq = $1", end.seq); err != nil {
			return fmt.Errorf("db: the row before %d of the log: %w", n, err)
		}
	}
	t.log = end
	return nil
}

// releaseLog leaves the counter at the last row: the log has no gaps.
func (t *transaction) releaseLog(ctx context.Context) error {
	if t.log.counted == t.log.seq {
		return nil
	}
	_, err := t.exec(ctx, "UPDATE counters SET n = $1 WHERE name = 'event'", t.log.seq)
	return err
}

// append gives the row its number, lets fill complete it, and chains it.
func (t *transaction) append(ctx context.Context, r eventRow, fill func(*eventRow) error) (int64, error) {
	err := t.holdLog(ctx)
	if err != nil {
		return 0, err
	}
	r.Seq, r.prev = t.log.seq+1, t.log.hash
	if err := fill(&r); err != nil {
		return 0, err
	}
	if r.hash, err = r.chained(); err != nil {
		return 0, err
	}
	e := r.Event
	err = inserted(t.exec(ctx, "INSERT INTO events ("+eventColumns+") VALUES ("+dollars(24)+") ON CONFLICT DO NOTHING",
		e.Seq, r.at, e.Kind, int64(e.Level), e.OrderNo, e.Moid, e.Mode, e.MID, e.TID, e.Amount, e.Code, e.From, e.To, e.Hold, e.Proof,
		e.MessageID, e.CancelID, e.Actor, e.EffectKey, r.record, r.digest, r.private, r.prev, r.hash))
	if err != nil { // after a conflict the caller may go on: the number is the next row's
		return 0, err
	}
	t.log.seq, t.log.hash = r.Seq, r.hash
	return r.Seq, nil
}

// record names what is digested of a table: its key, and all columns but those that only count.
type record struct{ key, columns string }

// records are the tables whose rows the log vouches for. Of a payment it is what never changes: the rest is the fold
// of its events.
var records = map[string]record{
	"orders":     {"no", orderColumns},
	"payments":   {"moid", "moid, order_no, mid, mode, device, method, edi_date, amount, goods_name, return_token, key_version"},
	"cancels":    {"id", cancelColumns},
	"holds":      {"id", holdColumns},
	"messages":   {"id", "id, channel, at, peer, secret_ok, content_type, headers, raw, raw_len, sha256, dedupe, mid, moid, tid, code, amount, kind, level, verdict, order_no, about, key_version"},
	"staff":      {"id", staffColumns},
	"senders":    {"addr", senderColumns},
	"settings":   {"name", "name, value"},
	"accesses":   {"id", accessColumns},
	"imports":    {"id", importColumns},
	"deliveries": {"id", deliveryFixed},

	"subscriptions": {"no", subscriptionColumns},
	"cards":         {"id", cardColumns},
	"card_windows":  {"moid", cardWindowColumns},
	"charges":       {"id", chargeColumns},
	"cash_receipts": {"id", receiptColumns},

	"second_factors":  {"staff_id", secondColumns},
	"cancel_requests": {"id", requestColumns},
	"refund_asks":     {"id", refundAskColumns},
}

// recordKey is how the log names a row.
type recordKey struct{ table, key string }

func (k recordKey) String() string { return k.table + "/" + k.key }

// readRecordKey reads what String wrote.
func readRecordKey(name string) (recordKey, bool) {
	table, key, _ := strings.Cut(name, "/")
	_, ok := records[table]
	return recordKey{table, key}, ok
}

// touch remembers a row that the transaction writes: when it ends, the log gets the row's digest.
func (t *transaction) touch(table, key string) {
	k := recordKey{table, key}
	if !t.touched[k] {
		t.touched[k] = true
		t.order = append(t.order, k)
	}
}

func (t *transaction) untouch(table, key string) { t.touched[recordKey{table, key}] = false }

// made is touch for a row that the transaction adds: the log can't speak of it yet.
func (t *transaction) made(table, key string) {
	t.touch(table, key)
	t.fresh[recordKey{table, key}] = true
}

// settle appends the digests of the rows that the transaction wrote.
func (t *transaction) settle(ctx context.Context) error {
	for _, k := range t.order {
		if !t.touched[k] {
			continue
		}
		digest, err := t.digest(ctx, k)
		if errors.Is(err, app.ErrNotFound) {
			continue // it was not written after all: the caller went on after a conflict
		}
		if err != nil {
			return err
		}
		if !t.fresh[k] {
			last, err := t.lastDigest(ctx, k)
			if err != nil {
				return err
			}
			if last == digest {
				continue
			}
		}
		r := eventRow{Event: app.Event{At: t.now(), Kind: recordSaved}, record: k.String(), digest: digest}
		r.at = us(r.At)
		if _, err := t.append(ctx, r, func(*eventRow) error { return nil }); err != nil {
			return err
		}
	}
	return t.releaseLog(ctx)
}

func (d queries) lastDigest(ctx context.Context, k recordKey) (string, error) {
	last, err := one(ctx, d, scanText, "SELECT digest FROM events WHERE record = $1 AND record <> '' ORDER BY seq DESC LIMIT 1", k.String())
	if errors.Is(err, app.ErrNotFound) {
		return "", nil
	}
	return last, err
}

// digest is SHA-256 over a row's values as they stand in the table, sealed where they are sealed.
func (d queries) digest(ctx context.Context, k recordKey) (string, error) {
	what := records[k.table]
	list, err := many(ctx, d, scanDigest, "SELECT "+what.columns+" FROM "+k.table+" WHERE "+what.key+" = $1", k.key)
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		return "", app.ErrNotFound
	}
	return list[0], nil
}

// scanDigest leaves out what is nothing (0 or ""), so that a column that a later migration adds changes no digest.
func scanDigest(s scanner) (string, error) {
	columns, values, err := scanValues(s)
	if err != nil {
		return "", err
	}
	set := map[string]any{}
	for i, v := range values {
		if v != "" && v != int64(0) {
			set[columns[i]] = v
		}
	}
	text, err := json.Marshal(set)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// scanValues reads a row of any columns; all of ours are texts or whole numbers.
func scanValues(s scanner) (columns []string, values []any, err error) {
	rows, ok := s.(*sql.Rows)
	if !ok {
		return nil, nil, errors.New("db: a row without columns")
	}
	if columns, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	values = make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, nil, err
	}
	for i, v := range values {
		if text, ok := v.([]byte); ok {
			values[i] = string(text)
		}
	}
	return columns, values, nil
}
