// Package dbtest runs a test on both engines: a real SQLite file, and a real PostgreSQL that it starts itself.
package dbtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"gage/app"
	"gage/db"
	"gage/smartro"
)

// Require in the environment makes a missing PostgreSQL a failure instead of a skip: GAGE_TEST_POSTGRES=require.
const Require = "GAGE_TEST_POSTGRES"

// Each runs f as two subtests, each with an empty store of its own.
func Each(t *testing.T, f func(t *testing.T, s *db.Store)) {
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
}

// EachPlace runs f as two subtests, each with an empty place for a store: a file's path, a database's URL.
func EachPlace(t *testing.T, f func(t *testing.T, place db.Config)) {
	t.Run("sqlite", func(t *testing.T) { f(t, File(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, db.Config{URL: PostgresURL(t), Keys: Keys(t)}) })
}

// EachCrowd runs f as two subtests on empty records: on SQLite, which only one process may write, with one store, and on
// PostgreSQL with three that share one database.
func EachCrowd(t *testing.T, f func(t *testing.T, stores []*db.Store)) {
	t.Run("sqlite", func(t *testing.T) { f(t, []*db.Store{SQLite(t)}) })
	t.Run("postgres", func(t *testing.T) {
		c := db.Config{URL: PostgresURL(t), Keys: Keys(t)}
		f(t, []*db.Store{Open(t, c), Open(t, c), Open(t, c)})
	})
}

// Scale is how much of something a race has: the number that the environment gives under name, else plain.
func Scale(t testing.TB, name string, plain int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return plain
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q: want a number from 1", name, text)
	}
	return n
}

// Whole demands that the log and the records are what they should be.
func Whole(t testing.TB, s *db.Store) {
	t.Helper()
	if _, err := s.Verify(t.Context(), nil, func(fault string) { t.Errorf("verify: %s", fault) }); err != nil {
		t.Error(err)
	}
}

// File names a SQLite file that is not there yet, in a folder that goes with the test.
func File(t testing.TB) db.Config {
	return db.Config{Path: filepath.Join(t.TempDir(), "gage.db"), Keys: Keys(t)}
}

// Open opens a store until the test ends.
func Open(t testing.TB, c db.Config) *db.Store {
	t.Helper()
	s, err := db.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// SQLite opens an empty store in a file that goes with the test.
func SQLite(t testing.TB) *db.Store {
	t.Helper()
	return Open(t, File(t))
}

// Postgres opens an empty database on the test process's own server. It skips the test where there is no
// PostgreSQL, unless the environment requires one.
func Postgres(t testing.TB) *db.Store {
	t.Helper()
	return Open(t, db.Config{URL: PostgresURL(t), Keys: Keys(t)})
}

// PostgresURL makes an empty database and names it.
func PostgresURL(t testing.TB) smartro.Secret {
	t.Helper()
	srv, err := server()
	if errors.Is(err, errNoPostgres) && os.Getenv(Require) != "require" {
		t.Skip("PostgreSQL is not installed here (Debian: apt-get install postgresql); CI runs this test")
	}
	if err != nil {
		t.Fatal(err)
	}
	name, err := srv.create()
	if err != nil {
		t.Fatal(err)
	}
	return smartro.Secret(srv.url(name))
}

// Keys is a keyring of an invented key, always the same.
func Keys(t testing.TB) *app.Keyring {
	t.Helper()
	keys, err := app.NewKeyring(bytes.Repeat([]byte{7}, app.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

var errNoPostgres = errors.New("no PostgreSQL is installed")

// postgres is one server for the whole test process; it ends with it.
type postgres struct {
	bin, dir string
	port     int
	alive    io.Closer // open as long as this process lives
	mu       sync.Mutex
	n        int
}

var server = sync.OnceValues(startServer)

func startServer() (*postgres, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return nil, errors.Join(err, errNoPostgres)
	}
	slices.Sort(found)
	p := &postgres{bin: filepath.Dir(found[len(found)-1])}
	if p.dir, err = os.MkdirTemp("", "gage-postgres-"); err != nil {
		return nil, err
	}
	if p.port, err = freePort(); err != nil {
		return nil, err
	}
	if os.Getuid() == 0 {
		if err := os.Chown(p.dir, nobody, nobody); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(p.dir, "data")
	if err := p.run("initdb", "-D", data, "-U", "gage", "--auth=trust", "--locale=C.UTF-8", "--encoding=UTF8"); err != nil {
		return nil, err
	}
	return p, p.serve(data)
}

// serve starts the server, and a watcher that stops and removes it when the test process is gone, however it went.
func (p *postgres) serve(data string) error {
	options := fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -k %s -c max_connections=200", p.port, p.dir)
	if err := p.run("pg_ctl", "-D", data, "-o", options, "-l", filepath.Join(p.dir, "log"), "-w", "-t", "60", "start"); err != nil {
		return err
	}
	watcher := exec.Command("sh", "-c", `cat >/dev/null; "$1/pg_ctl" -D "$2/data" -m immediate stop >/dev/null 2>&1; rm -rf "$2"`, "sh", p.bin, p.dir)
	watcher.SysProcAttr = p.as()
	watcher.SysProcAttr.Setpgid = true // an interrupt at the terminal is not for it
	var err error
	if p.alive, err = watcher.StdinPipe(); err != nil {
		return err
	}
	return watcher.Start()
}

// nobody is the user that PostgreSQL runs as when the tests run as root, which it refuses.
const nobody = 65534

func (p *postgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = p.dir, p.as()
	return cmd
}

func (p *postgres) as() *syscall.SysProcAttr {
	if os.Getuid() != 0 {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

func (p *postgres) run(name string, args ...string) error {
	if out, err := p.command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

func (p *postgres) create() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	name := fmt.Sprintf("test%d", p.n)
	return name, p.run("createdb", "-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-U", "gage", name)
}

func (p *postgres) url(name string) string {
	return fmt.Sprintf("postgres://gage@127.0.0.1:%d/%s?sslmode=disable", p.port, name)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
