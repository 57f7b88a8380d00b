package db_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

// shortFiles makes every write beyond so many bytes of a file fail, in this whole process, until the returned function
// is called.
func shortFiles(t *testing.T, bytes uint64) (lift func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
			t.Error(err)
		}
	}
}

// proves R23: after the first write that failed the store says so and takes no more, even when the disk is well again;
// what was acknowledged can be read, is left as it is by the end, and is there after the next start.
func TestGivesItselfUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gage.db")
	s, err := db.Open(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)})
	if err != nil {
		t.Fatal(err)
	}
	set := func(key, value string) error {
		return s.Update(t.Context(), func(tx app.Tx) error { return tx.SetSetting(t.Context(), key, value) })
	}
	if err := set("before", "1"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.GaveUp():
		t.Fatal("it gave itself up on a good disk")
	default:
	}
	lift := shortFiles(t, 64<<10)
	err = set("large", strings.Repeat("x", 256<<10))
	lift()
	if err == nil || errors.Is(err, app.ErrOverload) {
		t.Fatalf("a failed write: %v", err)
	}
	<-s.GaveUp()
	if err := set("after", "1"); err == nil {
		t.Error("it writes again after a failed write")
	}
	if err := s.Ready(t.Context()); err == nil {
		t.Error("it calls itself ready after a failed write")
	}
	if v, err := s.Setting(t.Context(), "before"); err != nil || v != "1" {
		t.Errorf("reading afterwards: %q, %v", v, err)
	}
	read := func(path string) []byte {
		t.Helper()
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	file, log := read(path), read(path+"-wal")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(read(path), file) || !bytes.Equal(read(path+"-wal"), log) {
		t.Error("closing moved the log, and synced what had failed")
	}
	if s, err = db.Open(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for key, want := range map[string]error{"before": nil, "large": app.ErrNotFound, "after": app.ErrNotFound} {
		if _, err := s.Setting(t.Context(), key); !errors.Is(err, want) {
			t.Errorf("%s after the next start: %v, want %v", key, err, want)
		}
	}
}

// proves R22, R23: readiness is a write that arrives at the disk each time it is asked for.
func TestReadyWrites(t *testing.T) {
	s := dbtest.SQLite(t)
	for range 2 {
		if err := s.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	defer shortFiles(t, 1)()
	if err := s.Ready(t.Context()); err == nil {
		t.Error("ready, and nothing can be written")
	}
}

// TestCheckpointFails: the store also gives itself up when not a commit fails but the moving of what was committed into
// the database file, of which SQLite by itself would say nothing.
func TestCheckpointFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gage.db")
	s, err := db.Open(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 { // more pages in the database than the limit below; the log begins anew when it was moved
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
			return tx.SetSetting(ctx, fmt.Sprint("k", i), strings.Repeat("x", 64<<10))
		})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = db.Open(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	defer shortFiles(t, 5<<20)()
	for i := 0; ; i++ {
		err := s.Update(t.Context(), func(tx app.Tx) error { return tx.SetSetting(t.Context(), "k99", fmt.Sprint(i)) })
		if err != nil {
			if i < 10 {
				t.Fatalf("write %d: %v", i, err)
			}
			break
		}
		if i == 400 {
			t.Fatal("400 writes and no checkpoint failed")
		}
	}
	<-s.GaveUp()
}
