package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"gage/app"
)

// Head is the end of the log at one moment. Kept outside the database it shows later that the log was not written
// anew.
type Head struct {
	Seq  int64
	Hash string // hex; empty with Seq 0
}

// Verified is what [Store.Verify] looked at.
type Verified struct {
	Head     Head
	Records  int
	Payments int
}

// Head reads the end of the log.
func (d queries) Head(ctx context.Context) (Head, error) {
	scan := func(s scanner) (h Head, err error) { return h, s.Scan(&h.Seq, &h.Hash) }
	h, err := one(ctx, d, scan, "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
	if errors.Is(err, app.ErrNotFound) {
		return Head{}, nil
	}
	return h, err
}

// Verify reads everything in one snapshot, beside a shop that works: that the log has no gap and every row the hash
// that its values and the row before give (E1), that it passes through the heads that were kept elsewhere, that every
// record is what the log says it is, that every payment is the fold of its events (I5), and that what follows from those is
// there: the lists, the search index, the outbox (E2), the data keys. Each fault is told in a
// sentence; it returns an error only when reading fails.
func (s *Store) Verify(ctx context.Context, kept []Head, fault func(string)) (Verified, error) {
	return s.VerifyApart(ctx, kept, fault, fault)
}

// VerifyApart is [Store.Verify] that tells what is wrong with the records from what is missing of what can be made anew of
// them: the outbox and the search index.
func (s *Store) VerifyApart(ctx context.Context, kept []Head, fault, missing func(string)) (v Verified, err error) {
	err = s.snapshot(ctx, func(d queries) error {
		if v.Head, err = d.verifyChain(ctx, kept, fault); err != nil {
			return err
		}
		if v.Records, err = d.verifyRecords(ctx, fault); err != nil {
			return err
		}
		if v.Payments, err = app.VerifyPayments(ctx, d, fault); err != nil {
			return err
		}
		return errors.Join(d.verifyKeys(ctx, fault), d.verifyOutbox(ctx, missing), d.verifySearch(ctx, missing))
	})
	return v, err
}

// snapshot runs f on one connection that sees one moment.
func (s *Store) snapshot(ctx context.Context, f func(queries) error) (err error) {
	opts := &sql.TxOptions{ReadOnly: true}
	if s.engine == enginePostgres {
		opts.Isolation = sql.LevelRepeatableRead
	}
	tx, err := s.readDB.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	d := s.queries
	d.q = tx
	if s.engine == engineSQLite { // PostgreSQL's driver prepares by itself
		own := newPrepared(tx)
		d.q = own
		defer func() { err = errors.Join(err, own.forget()) }()
	}
	return errors.Join(f(d), ignoreDone(tx.Rollback()))
}

const verifyBatch = 1000

func (d queries) verifyChain(ctx context.Context, kept []Head, fault func(string)) (Head, error) {
	want := map[int64]string{}
	for _, h := range kept {
		want[h.Seq] = h.Hash
	}
	head := Head{}
	for {
		rows, err := many(ctx, d, scanEventRow, "SELECT "+eventColumns+" FROM events WHERE seq > $1 ORDER BY seq LIMIT $2", head.Seq, verifyBatch)
		if err != nil {
			return head, err
		}
		for _, r := range rows {
			if r.Seq != head.Seq+1 {
				fault(fmt.Sprintf("the log has a gap: %d rows are missing after row %d", r.Seq-head.Seq-1, head.Seq))
			}
			if r.prev != head.Hash {
				fault(fmt.Sprintf("row %d of the log does not follow the row before it", r.Seq))
			}
			if sum, err := r.chained(); err != nil || sum != r.hash {
				fault(fmt.Sprintf("row %d of the log was changed", r.Seq))
			}
			if h, ok := want[r.Seq]; ok && h != r.hash {
				fault(fmt.Sprintf("row %d of the log is not the one whose hash was kept outside the database", r.Seq))
			}
			head = Head{r.Seq, r.hash}
		}
		if len(rows) < verifyBatch {
			break
		}
	}
	for _, h := range kept {
		if h.Seq > head.Seq {
			fault(fmt.Sprintf("the log ends at row %d, and row %d was there once", head.Seq, h.Seq))
		}
	}
	return head, nil
}

// verifyRecords compares every record with the last digest that the log has of it.
func (d queries) verifyRecords(ctx context.Context, fault func(string)) (int, error) {
	looked, last := 0, ""
	for {
		names, err := many(ctx, d, scanText, "SELECT DISTINCT record FROM events WHERE record > $1 AND record <> '' ORDER BY record LIMIT $2", last, verifyBatch)
		if err != nil {
			return looked, err
		}
		for _, name := range names {
			last = name
			k, ok := readRecordKey(name)
			if !ok {
				fault("the log speaks of a record that there can't be: " + name)
				continue
			}
			digest, err := d.digest(ctx, k)
			if errors.Is(err, app.ErrNotFound) {
				fault("a record is gone: " + name)
				continue
			}
			if err != nil {
				return looked, err
			}
			want, err := d.lastDigest(ctx, k)
			if err != nil {
				return looked, err
			}
			if digest != want {
				fault("a record was changed outside the log: " + name)
			}
			looked++
		}
		if len(names) < verifyBatch {
			break
		}
	}
	for _, table := range slices.Sorted(maps.Keys(records)) {
		key := records[table].key
		strays, err := many(ctx, d, scanText, "SELECT "+key+" FROM "+table+" r WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.record = '"+table+"/' || r."+key+
			" AND e.record <> '') AND r."+key+" <> $1 ORDER BY "+key+" LIMIT 100", readyKey)
		if err != nil {
			return looked, err
		}
		for _, key := range strays {
			fault("a record came from nowhere: " + recordKey{table, key}.String())
		}
	}
	return looked, nil
}
