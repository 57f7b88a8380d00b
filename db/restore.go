package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"gage/app"
)

// Restore fills an empty place from a dump: a SQLite file that is not there yet, or a PostgreSQL database without a
// table. The engine need not be the one that the dump is of.
type Restore struct {
	To Config
	// Freeze runs in the transaction that loads the rows, so that nobody ever sees the records without what it
	// wrote. The schema is the dump's: it may read and write settings, and end people's access. It may be nil where
	// the copy is only looked at.
	Freeze func(ctx context.Context, tx app.Tx, h DumpHeader) error
	// Finish runs on the whole store, brought up to date, before a SQLite file is put in its place. It may be nil.
	Finish func(ctx context.Context, s *Store, h DumpHeader) error
}

// ErrNotEmpty says that there are records already where a backup was to go.
var ErrNotEmpty = errors.New("there is data already")

// Run reads a dump to its end and compares what the database then holds with what the dump says, row for row. With
// SQLite nothing is in the place until all of that is done; with PostgreSQL the rows come in one transaction, but an
// error may leave an empty schema behind.
func (r Restore) Run(ctx context.Context, from io.Reader) (DumpHeader, Totals, error) {
	if err := r.To.complete(); err != nil {
		return DumpHeader{}, nil, err
	}
	d, err := newDumpReader(from)
	if err != nil {
		return DumpHeader{}, nil, err
	}
	if r.To.URL != "" {
		err = r.intoPostgres(ctx, d)
	} else {
		err = r.intoSQLite(ctx, d)
	}
	return d.header, d.totals, err
}

// Try does all that Run does, Finish included, with a SQLite file beside the place r.To.Path that is removed at the
// end: it proves that a dump can be restored.
func (r Restore) Try(ctx context.Context, from io.Reader) (DumpHeader, Totals, error) {
	d, err := newDumpReader(from)
	if err != nil {
		return DumpHeader{}, nil, err
	}
	err = r.build(ctx, d, func(string) error { return nil })
	return d.header, d.totals, err
}

// Empty reports [ErrNotEmpty] where Run would.
func (r Restore) Empty(ctx context.Context) (err error) {
	if r.To.URL == "" {
		return noFile(r.To.Path)
	}
	pool, err := newPool(ctx, r.To)
	if err != nil {
		return err
	}
	defer pool.Close()
	target := stdlib.OpenDBFromPool(pool)
	return errors.Join(emptyPostgres(ctx, target), target.Close())
}

// noFile wants no SQLite file there, and none of those that belong to one.
func noFile(path string) error {
	for _, name := range []string{path, path + "-wal", path + "-journal"} {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(err, fmt.Errorf("db: %w: %s. Restore into an empty folder, or move it away first", ErrNotEmpty, name))
		}
	}
	return nil
}

func emptyPostgres(ctx context.Context, target *sql.DB) error {
	there, err := many(ctx, queries{q: target, engine: enginePostgres}, scanText, enginePostgres.listTables())
	if err != nil {
		return fmt.Errorf("db: PostgreSQL does not answer: %w", err)
	}
	if len(there) > 0 {
		return fmt.Errorf("db: %w in this PostgreSQL database: make a new one and restore into that", ErrNotEmpty)
	}
	return nil
}

func (r Restore) intoPostgres(ctx context.Context, d *dumpReader) (err error) {
	pool, err := newPool(ctx, r.To)
	if err != nil {
		return err
	}
	defer pool.Close()
	target := stdlib.OpenDBFromPool(pool)
	defer func() { err = errors.Join(err, target.Close()) }()
	if err := emptyPostgres(ctx, target); err != nil {
		return err
	}
	if err := load(ctx, target, enginePostgres, d, r.To.Now, r.Freeze); err != nil {
		return err
	}
	return r.finish(ctx, r.To, d.header)
}

// intoSQLite puts a file into its place, under the lock that a shop running there would hold.
func (r Restore) intoSQLite(ctx context.Context, d *dumpReader) (err error) {
	lock, err := lockFile(r.To.Path + ".lock")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := noFile(r.To.Path); err != nil {
		return err
	}
	return r.build(ctx, d, func(made string) error {
		return errors.Join(os.Rename(made, r.To.Path), syncPath(filepath.Dir(r.To.Path)))
	})
}

// build makes the whole file in a folder beside its place, hands it over, and removes the folder.
func (r Restore) build(ctx context.Context, d *dumpReader, done func(made string) error) (err error) {
	folder := r.To.Path + ".restoring"
	if err := os.RemoveAll(folder); err != nil { // what a killed restore left
		return err
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	to := r.To
	to.Path = filepath.Join(folder, "new.db")
	if err := loadFile(ctx, to.Path, d, r.To.Now, r.Freeze); err != nil {
		return err
	}
	if err := r.finish(ctx, to, d.header); err != nil {
		return err
	}
	if err := syncPath(to.Path); err != nil {
		return err
	}
	return done(to.Path)
}

// loadFile makes a SQLite file. Until it is whole it is worth nothing, so nothing in between is made durable.
func loadFile(ctx context.Context, path string, d *dumpReader, now func() time.Time, freeze func(context.Context, app.Tx, DumpHeader) error) (err error) {
	if err := prepareSQLite(); err != nil {
		return err
	}
	target, err := sql.Open("sqlite", sqliteURI(path)+"?_foreign_keys=1&_journal_mode=MEMORY&_synchronous=OFF&_dqs=0&_defensive=1&_error_rc=1&_txlock=immediate")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	target.SetMaxOpenConns(1)
	if err := load(ctx, target, engineSQLite, d, now, freeze); err != nil {
		return err
	}
	return checkPages(ctx, queries{q: target, engine: engineSQLite}, checkAll)
}

// finish opens the restored store as a shop would, which brings its schema up to date.
func (r Restore) finish(ctx context.Context, c Config, h DumpHeader) error {
	s, err := Open(ctx, c)
	if err != nil {
		return err
	}
	if r.Finish != nil {
		err = r.Finish(ctx, s, h)
	}
	return errors.Join(err, s.Close())
}

// load makes the schema that the dump is of and fills it, in one transaction.
func load(ctx context.Context, target *sql.DB, e engine, d *dumpReader, now func() time.Time, freeze func(context.Context, app.Tx, DumpHeader) error) error {
	dialect, name := e.migrations()
	p, err := newMigrations(target, dialect, name)
	if err != nil {
		return err
	}
	if _, err := p.UpTo(ctx, d.header.Schema); err != nil {
		return fmt.Errorf("db: make the schema: %w", err)
	}
	tx, err := target.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	q := queries{q: tx, engine: e}
	err = fill(ctx, q, d)
	if err == nil && freeze != nil {
		own := newTransaction(q, now)
		if err = freeze(ctx, own, d.header); err == nil {
			err = own.settle(ctx)
		}
	}
	if err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

// fill puts every row of the dump into its table, then reads all tables back and compares.
func fill(ctx context.Context, q queries, d *dumpReader) error {
	all, err := tables(ctx, q)
	if err != nil {
		return err
	}
	for _, t := range slices.Backward(all) { // what the migrations put in is in the dump as well, as it is by now
		if _, err := q.exec(ctx, "DELETE FROM "+quote(t.name)); err != nil {
			return fmt.Errorf("db: empty the table %s: %w", t.name, err)
		}
	}
	var in *filler
	begin := func(t dumpTable) error {
		if err := in.flush(ctx); err != nil {
			return err
		}
		known := slices.ContainsFunc(all, func(have table) bool { return have.name == t.Table && slices.Equal(have.columns, t.Columns) })
		if !known {
			return fmt.Errorf("db: the backup has a table %s with the columns %s, and schema %d does not", t.Table, strings.Join(t.Columns, ", "), d.header.Schema)
		}
		in = newFiller(q, t)
		return nil
	}
	if err := d.each(begin, func(row []any) error { return in.add(ctx, row) }); err != nil {
		return err
	}
	if err := in.flush(ctx); err != nil {
		return err
	}
	now, err := dumpTables(ctx, q, io.Discard)
	if err != nil {
		return err
	}
	if what := now.differ(d.totals); what != "" {
		return fmt.Errorf("db: what was restored is not what the backup holds: %s", what)
	}
	return nil
}

// filler inserts a table's rows, many with one statement.
type filler struct {
	q     queries
	table string
	head  string
	width int
	args  []any
}

// fillRows is how many rows one statement inserts; with every table it has far fewer parameters than the engines take.
const fillRows = 100

func newFiller(q queries, t dumpTable) *filler {
	return &filler{q: q, table: t.Table, width: len(t.Columns), head: "INSERT INTO " + quote(t.Table) + " (" + quoted(t.Columns) + ") VALUES "}
}

func (f *filler) add(ctx context.Context, row []any) error {
	if len(row) != f.width {
		return ErrDumpDamaged
	}
	f.args = append(f.args, row...)
	if len(f.args) < fillRows*f.width {
		return nil
	}
	return f.flush(ctx)
}

func (f *filler) flush(ctx context.Context) error {
	if f == nil || len(f.args) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString(f.head)
	for i := range f.args {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%f.width == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(i+1))
	}
	b.WriteString(")")
	if _, err := f.q.exec(ctx, b.String(), f.args...); err != nil {
		return fmt.Errorf("db: fill the table %s: %w", f.table, err)
	}
	f.args = f.args[:0]
	return nil
}

// syncPath makes a file's content, or the names in a folder, durable.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if err != nil {
		err = fmt.Errorf("%w: %w", errSync, err)
	}
	return errors.Join(err, f.Close())
}

// errSync says that the system could not make something durable.
var errSync = errors.New("sync failed")

// newestSchema is the number of the last migration that this program has.
func newestSchema() (int64, error) {
	var newest int64
	for _, dir := range migrationDirs("sqlite") {
		files, err := fs.ReadDir(migrations, dir)
		if err != nil {
			return 0, err
		}
		for _, f := range files {
			n, err := goose.NumericComponent(f.Name())
			if err != nil {
				return 0, err
			}
			newest = max(newest, n)
		}
	}
	return newest, nil
}
