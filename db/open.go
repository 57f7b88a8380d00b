package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"modernc.org/sqlite"

	"gage/app"
	"gage/smartro"
)

//go:embed migrate
var migrations embed.FS

// Config says where the records are. Exactly one of Path and URL is set.
type Config struct {
	Path   string           // SQLite file; its folder must exist
	URL    smartro.Secret   // postgres://…
	Mirror string           // file on another disk that takes the log, too, before anything is acknowledged; SQLite only; empty: none
	Keys   *app.Keyring     // seals the data keys that personal data is sealed with
	Now    func() time.Time // nil: the system's clock
	Log    *slog.Logger

	// CheckFirst is the largest SQLite file, in bytes, that [Open] reads through before the store is opened; zero: 1 GiB,
	// seconds of a slow disk. The reading of a larger one is the caller's, beside the shop: see [Store.Checked]. A file that
	// [Store.Check] found damaged is read through first, however large it is.
	CheckFirst int64
}

const checkFirst = 1 << 30

// Open opens the store and brings its schema up to date. It refuses: settings that could lose an acknowledged
// record, a schema newer than this program, and a SQLite file that another process has open.
func Open(ctx context.Context, c Config) (*Store, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	if c.URL != "" {
		return openPostgres(ctx, c)
	}
	return openSQLite(ctx, c)
}

// complete fills in what may be left out.
func (c *Config) complete() error {
	if c.Keys == nil {
		return ErrKeyring
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if (c.Path == "") == (c.URL == "") {
		return errors.New("db: name either a SQLite file or a PostgreSQL URL")
	}
	if c.URL != "" && c.Mirror != "" {
		return errors.New("db: a mirror is for SQLite: PostgreSQL has standby servers")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.CheckFirst == 0 {
		c.CheckFirst = checkFirst
	}
	return nil
}

// OpenReader opens the store to be read beside the program that writes on it: for verifying and backups. It takes no
// lock, changes no schema, and refuses every [Store.Update].
func OpenReader(ctx context.Context, c Config) (_ *Store, err error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	src, err := OpenSource(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &Store{engine: src.engine, log: c.Log, now: c.Now, readDB: src.db, pool: src.pool, readOnly: true}
	s.queries = queries{q: s.readDB, engine: s.engine, keys: c.Keys}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	newest, err := newestSchema()
	if err != nil {
		return nil, err
	}
	have, err := schemaVersion(ctx, s.queries)
	if err == nil && have != newest {
		err = fmt.Errorf("db: the records have schema %d, and this program knows %d: use the program that runs the shop", have, newest)
	}
	return s, err
}

// The settings of every SQLite connection: nothing is acknowledged before it is on the disk.
const (
	sqliteShared = "_busy_timeout=5000&_foreign_keys=1&_journal_mode=WAL&_synchronous=FULL&_dqs=0&_defensive=1&_error_rc=1" +
		"&_pragma=temp_store(memory)&_pragma=cache_size(-16000)&_pragma=journal_size_limit(67108864)"
	sqliteReaders = 4
)

func openSQLite(ctx context.Context, c Config) (_ *Store, err error) {
	if err := prepareSQLite(); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return nil, err
	}
	s := &Store{engine: engineSQLite, log: c.Log, now: c.Now, halt: &halt{log: c.Log}}
	defer func() {
		if err != nil {
			if s.writer == nil && s.writeDB != nil && (Damaged(err) || errors.Is(err, errSync)) {
				_, _ = s.writeDB.Conn(context.WithoutCancel(ctx)) // it stays open, as that of a writer that gave itself up
			}
			err = errors.Join(err, s.Close())
		}
	}()
	if err := checkDisk(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if s.lock, err = lockFile(path + ".lock"); err != nil {
		return nil, err
	}
	if err := makePrivate(path); err != nil {
		return nil, err
	}
	dsn := sqliteURI(path) + "?" + sqliteShared
	if s.writeDB, err = sql.Open("sqlite", dsn+"&_txlock=immediate&_pragma=wal_autocheckpoint(0)&_pragma=secure_delete(fast)"); err != nil {
		return nil, err
	}
	s.writeDB.SetMaxOpenConns(1)
	file, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	s.suspect = path + ".suspect"
	_, err = os.Stat(s.suspect)
	suspected := err == nil
	if s.checked = suspected || file.Size() <= c.CheckFirst; s.checked {
		how := checkQuick
		if suspected {
			how = checkAll
		}
		if err := checkPages(ctx, queries{q: s.writeDB, engine: s.engine}, how); err != nil {
			return nil, err
		}
	}
	if suspected { // it was mended
		if err := os.Remove(s.suspect); err != nil {
			return nil, err
		}
	}
	if err := migrate(ctx, s.writeDB, goose.DialectSQLite3, "sqlite"); err != nil {
		return nil, err
	}
	// crash point: schema up to date, store not open
	if err := checkSQLite(ctx, s.writeDB); err != nil {
		return nil, err
	}
	if s.readDB, err = sql.Open("sqlite", dsn+"&_query_only=1"); err != nil {
		return nil, err
	}
	// SQLite syncs the folder when it makes its log, and says nothing when that fails: then a power cut could take the
	// log's name away, and with it all that was acknowledged.
	if err := syncPath(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("db: make the names of the database's files durable: %w", err)
	}
	// A process that was killed may have left commits in the log that it had not synced. From now on they are read, and
	// a repeat of a message is acknowledged by reading alone.
	if err := syncPath(path + "-wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("db: make the log durable: %w", err)
	}
	s.readDB.SetMaxOpenConns(sqliteReaders)
	s.readDB.SetMaxIdleConns(sqliteReaders)
	s.queries = queries{q: newPreparedPool(s.readDB), engine: s.engine, keys: c.Keys}
	room := reserve{path: path + ".reserve"}
	if err := room.keep(); err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	var second *mirror
	if c.Mirror != "" {
		if second, err = openMirror(ctx, c.Mirror, s.queries); err != nil {
			return nil, err
		}
		s.mirror = second
	}
	if s.writer, err = startWriter(ctx, s.writeDB, s.queries, room, second, s.halt, c.Now, s.log); err != nil {
		return nil, err
	}
	return s, s.prepare(ctx)
}

// prepareSQLite sets what holds for all files of the process, before the first one is opened.
func prepareSQLite() error {
	// Where there are no such locks (not Linux) SQLite's own must do; too late would be our own mistake.
	if _, err := sqlite.OFDLocking(true); errors.Is(err, sqlite.ErrOFDLockingTooLate) {
		return fmt.Errorf("db: %w", err)
	}
	sqlite.StrictPragmas(true)
	return nil
}

// sqliteURI names a file, with any character in its path.
func sqliteURI(path string) string { return "file:" + (&url.URL{Path: path}).EscapedPath() }

// makePrivate makes the file, which SQLite would make readable for everybody; what stands beside it gets its mode.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("db: %w", err)
	}
	return f.Close()
}

// lockFile keeps a second process from opening the same file: each would believe that it is the only writer.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("db: %s is in use by another process: stop that one first, or give each a data folder of its own", path), f.Close())
	}
	return f, nil
}

// checkSQLite reads back what the connection string asked for: a setting that did not take would lose records.
func checkSQLite(ctx context.Context, d *sql.DB) error {
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		if err := d.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("db: %s is %s and must be %s: is the file on a network disk?", pragma, got, want)
		}
	}
	return nil
}

func openPostgres(ctx context.Context, c Config) (_ *Store, err error) {
	s := &Store{engine: enginePostgres, log: c.Log, now: c.Now, halt: &halt{log: c.Log}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.pool, err = newPool(ctx, c); err != nil {
		return nil, err
	}
	s.writeDB = stdlib.OpenDBFromPool(s.pool)
	s.readDB = s.writeDB
	s.queries = queries{q: s.readDB, engine: s.engine, keys: c.Keys}
	for setting, bad := range map[string]string{"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"} {
		var got string
		if err := s.writeDB.QueryRowContext(ctx, "SELECT current_setting('"+setting+"')").Scan(&got); err != nil {
			return nil, fmt.Errorf("db: PostgreSQL does not answer: %w", err)
		}
		if got == bad {
			return nil, fmt.Errorf("db: PostgreSQL has %s = %s: an acknowledged payment could be lost. Switch it on", setting, got)
		}
	}
	if err := migrate(ctx, s.writeDB, goose.DialectPostgres, "postgres"); err != nil {
		return nil, err
	}
	return s, s.prepare(ctx)
}

// prepare makes the keys that everything else needs, in a new store; it fails where one of them is gone, and with a keyring that is not this store's.
func (s *Store) prepare(ctx context.Context) error {
	return s.Update(ctx, func(tx app.Tx) error {
		t, ok := tx.(*transaction)
		if !ok {
			return errors.New("db: a foreign transaction")
		}
		if err := t.permanentKeys(ctx); err != nil {
			return err
		}
		for _, id := range []string{keyIndex, keyRing} {
			if _, err := t.makeKey(ctx, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// newPool makes the connections to PostgreSQL. The first use opens one.
func newPool(ctx context.Context, c Config) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(c.URL.Reveal())
	if err != nil {
		return nil, errors.New("db: the database URL can't be read: want postgres://user:password@host:5432/name")
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	return pool, nil
}

// migrate brings the schema up to date; several processes may start at once.
func migrate(ctx context.Context, d *sql.DB, dialect goose.Dialect, engine string) error {
	p, err := newMigrations(d, dialect, engine)
	if err != nil {
		return err
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("db: read the schema's version: %w", err)
	}
	if have > want {
		return tooNew(have, want)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("db: bring the schema up to date: %w", err)
	}
	return nil
}

// newMigrations are the migrations of one engine, for one database.
func newMigrations(d *sql.DB, dialect goose.Dialect, engine string) (*goose.Provider, error) {
	var files overlay
	for _, dir := range migrationDirs(engine) {
		sub, err := fs.Sub(migrations, dir)
		if err != nil {
			return nil, err
		}
		files = append(files, sub)
	}
	var opts []goose.ProviderOption
	if dialect == goose.DialectPostgres {
		locker, err := lock.NewPostgresTableLocker()
		if err != nil {
			return nil, err
		}
		opts = append(opts, goose.WithLocker(locker))
	}
	p, err := goose.NewProvider(dialect, d, files, opts...)
	if err != nil {
		return nil, fmt.Errorf("db: migrations: %w", err)
	}
	return p, nil
}

// tooNew refuses records of a schema that this program does not know.
func tooNew(have, known int64) error {
	return fmt.Errorf("db: the records were written by a newer program (schema %d, this one knows %d): use that one", have, known)
}

// migrationDirs are the folders of the migrations of one engine.
func migrationDirs(engine string) []string { return []string{"migrate/common", "migrate/" + engine} }

// overlay joins the folders of migrations that both engines share and that one needs.
type overlay []fs.FS

// Open finds the file in the first folder that has it.
func (o overlay) Open(name string) (fs.File, error) {
	for _, f := range o {
		if file, err := f.Open(name); err == nil {
			return file, nil
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadDir lists all folders as one, by name: the last file is taken for the newest version.
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	var all []fs.DirEntry
	for _, f := range o {
		list, err := fs.ReadDir(f, name)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}
