package db

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"gage/app"
)

// Store is the shop's records. It is safe for concurrent use.
type Store struct {
	queries
	engine   engine
	log      *slog.Logger
	readDB   *sql.DB
	writeDB  *sql.DB
	writer   *writer       // SQLite only
	pool     *pgxpool.Pool // PostgreSQL only
	mirror   *mirror       // SQLite only, and not always
	lock     *os.File      // SQLite only
	now      func() time.Time
	halt     *halt
	readOnly bool // opened beside the program that writes
	checked  bool // SQLite only: its file was read through before it was opened

	suspect string // SQLite only: the file that says that damage was found
}

var _ app.Store = (*Store)(nil)

// Close waits for the writes that were taken on, then closes everything. Only the writer's connection of a store that gave
// itself up stays open until the process ends: when SQLite's last one closes, it moves the log into the file and syncs
// both, and the second sync of a file that lost what the first one was for tells of success.
func (s *Store) Close() error {
	var errs []error
	if s.writer != nil {
		errs = append(errs, s.writer.stop())
	}
	if s.readDB != nil && s.readDB != s.writeDB {
		errs = append(errs, s.readDB.Close())
	}
	if s.writeDB != nil {
		errs = append(errs, s.writeDB.Close())
	}
	if s.pool != nil {
		s.pool.Close()
	}
	errs = append(errs, s.mirror.close())
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// readyKey is the setting that readiness writes: the log does not vouch for it.
const readyKey = "ready"

// Ready reports whether the store can write now.
func (s *Store) Ready(ctx context.Context) error {
	// Something new each time: SQLite writes nothing when it is told what it has.
	return s.Update(ctx, func(tx app.Tx) error { return tx.SetSetting(ctx, readyKey, rand.Text()) })
}

// Checked reports whether the store was looked through for damage when it was opened. A large SQLite file was not, for
// that takes minutes in which nobody could pay: call [Store.Check] beside the shop.
func (s *Store) Checked() bool { return s.checked || s.engine != engineSQLite }

// Check reads through all pages and indexes of SQLite's file, beside a shop that works, and reports damage ([Damaged]). The next [Open]
// refuses the file while it is damaged: whoever starts the program again by itself must not write on it. PostgreSQL has
// checksums of its own.
func (s *Store) Check(ctx context.Context) error {
	if s.engine != engineSQLite {
		return nil
	}
	err := checkPages(ctx, s.queries, checkAll)
	if !Damaged(err) || ctx.Err() != nil || s.suspect == "" {
		return err
	}
	return errors.Join(err, os.WriteFile(s.suspect, nil, 0o600))
}

// GaveUp is closed when the store has given itself up: a write or a sync failed, and nobody knows what is on the disk.
// Or it was given up with [Store.Abandon]. Every later write fails; end the process, and start it anew on a disk that is well. On
// PostgreSQL it is nil: that one gives itself up.
func (s *Store) GaveUp() <-chan struct{} {
	if s.writer == nil {
		return nil
	}
	return s.writer.gaveUp
}

// ErrAbandoned says that a store was given up with [Store.Abandon].
var ErrAbandoned = errors.New("nothing is written on damage")

// Abandon gives a SQLite store up because damage was found: every later write fails, and [Store.Close] moves nothing.
func (s *Store) Abandon(why error) {
	if s.writer != nil {
		s.writer.fail(fmt.Errorf("%w: %w", ErrAbandoned, why))
	}
}

// Update runs f in one durable transaction; see [app.Store].
func (s *Store) Update(ctx context.Context, f func(tx app.Tx) error) error {
	if s.readOnly {
		return errReadOnly
	}
	if err := s.halt.err(); err != nil {
		return err
	}
	if s.writer != nil {
		return s.writer.do(ctx, f)
	}
	return s.updatePostgres(ctx, f)
}

var errReadOnly = errors.New("db: opened for reading only")

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// transaction implements [app.Tx] over one transaction.
type transaction struct {
	queries
	now     func() time.Time
	touched map[recordKey]bool
	order   []recordKey // of touching
	fresh   map[recordKey]bool
	opened  map[string]*dataKey
	log     tail
}

func newTransaction(d queries, now func() time.Time) *transaction {
	return &transaction{queries: d, now: now, touched: map[recordKey]bool{}, fresh: map[recordKey]bool{}, opened: map[string]*dataKey{}}
}

var _ app.Tx = (*transaction)(nil)

// conn is what a pool, a transaction and a connection have in common.
type conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// queries implements [app.Reader] over whatever connection it is given.
type queries struct {
	q      conn
	engine engine
	keys   *app.Keyring
	shared bool // one of several callers in the writer's transaction: a caller's end must not end the others
}

func (d queries) ctx(ctx context.Context) context.Context {
	if d.shared {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// exec returns how many rows it changed.
func (d queries) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := d.q.ExecContext(d.ctx(ctx), query, args...)
	if err != nil {
		return 0, translate(err)
	}
	return res.RowsAffected()
}

// scanner is a row, single or of many.
type scanner interface{ Scan(dest ...any) error }

// one reads a single row; none is [app.ErrNotFound].
func one[T any](ctx context.Context, d queries, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	v, err := scan(d.q.QueryRowContext(d.ctx(ctx), query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return v, app.ErrNotFound
	}
	return v, translate(err)
}

// many reads all rows.
func many[T any](ctx context.Context, d queries, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := d.q.QueryContext(d.ctx(ctx), query, args...)
	if err != nil {
		return nil, translate(err)
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, translate(rows.Err())
}

// inserted turns "nothing was inserted, since it is there" into ErrConflict without ending the transaction.
func inserted(n int64, err error) error {
	if err == nil && n == 0 {
		return app.ErrConflict
	}
	return err
}

// changed turns "no such row" into ErrNotFound.
func changed(n int64, err error) error {
	if err == nil && n == 0 {
		return app.ErrNotFound
	}
	return err
}

// us is a time in microseconds since 1970 UTC; 0 is no time.
func us(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// micros reads what us wrote.
type micros struct{ to *time.Time }

// Scan implements sql.Scanner.
func (m micros) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return errors.New("a time is not a number")
	}
	*m.to = time.Time{}
	if n != 0 {
		*m.to = time.UnixMicro(n).UTC()
	}
	return nil
}

// bit is truth as 0 or 1.
func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// truth reads what bit wrote.
type truth struct{ to *bool }

// Scan implements sql.Scanner.
func (t truth) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return errors.New("a truth is not a number")
	}
	*t.to = n != 0
	return nil
}
