package db_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

// TestOneCallerFailsAlone: callers that are committed together don't share their errors, their panics or what
// they wrote.
func TestOneCallerFailsAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		refused := errors.New("refused")
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		var all sync.WaitGroup
		for i := range 120 {
			all.Go(func() {
				ctx := t.Context()
				if i%4 == 3 {
					ctx = gone
				}
				err := s.Update(ctx, func(tx app.Tx) error {
					if err := tx.SetSetting(ctx, fmt.Sprint("k", i), "v"); err != nil {
						return err
					}
					switch i % 4 {
					case 1:
						return refused
					case 2:
						panic("broken assertion")
					}
					return nil
				})
				switch {
				case i%4 == 0 && err != nil, i%4 == 1 && !errors.Is(err, refused), i%4 == 2 && err == nil, i%4 == 3 && !errors.Is(err, context.Canceled):
					t.Errorf("caller %d: %v", i, err)
				}
			})
		}
		all.Wait()
		for i := range 120 {
			_, err := s.Setting(t.Context(), fmt.Sprint("k", i))
			if i%4 == 0 && err != nil || i%4 != 0 && !errors.Is(err, app.ErrNotFound) {
				t.Errorf("setting %d: %v", i, err)
			}
		}
		if err := s.Ready(t.Context()); err != nil {
			t.Errorf("after all that: %v", err)
		}
	})
}

// TestReadsWhatItWrote: a transaction sees its own writes, others only after the commit.
func TestReadsWhatItWrote(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
			if err := tx.SetSetting(ctx, "k", "v"); err != nil {
				return err
			}
			if _, err := s.Setting(ctx, "k"); !errors.Is(err, app.ErrNotFound) {
				t.Errorf("another reader, before the commit: %v", err)
			}
			v, err := tx.Setting(ctx, "k")
			if v != "v" {
				t.Errorf("inside: %q", v)
			}
			return err
		})
	})
}

// TestSecondProcessIsRefused: a second store on one file is refused, and the file is free again after Close.
//
// proves R31
func TestSecondProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gage.db")
	first, err := db.Open(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Open(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)}); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("second: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.Update(t.Context(), func(app.Tx) error { return nil }); !errors.Is(err, app.ErrOverload) {
		t.Errorf("after Close: %v", err)
	}
	again, err := db.Open(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// killed names the file of the child that TestKill starts from this test binary and kills.
const killed = "GAGE_TEST_KILL_FILE"

// TestKill: what was acknowledged before kill -9 is there afterwards, and the log has no gap.
//
// proves I1
func TestKill(t *testing.T) {
	if path := os.Getenv(killed); path != "" {
		writeUntilKilled(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "gage.db")
	for round := range 4 {
		acknowledged := killAfter(t, path, 40)
		s, err := db.Open(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		list, err := s.Events(t.Context(), "ABCD2345")
		if err != nil {
			t.Fatal(err)
		}
		stored := map[string]bool{}
		for i, e := range list {
			stored[e.Text] = true
			if e.Seq != int64(i)+1 {
				t.Fatalf("round %d: event %d has the number %d", round, i+1, e.Seq)
			}
		}
		for _, a := range acknowledged {
			if !stored[a] {
				t.Errorf("round %d: %s was acknowledged and is lost", round, a)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// killAfter lets a child write until it has acknowledged n events, kills it, and returns all that it acknowledged.
func killAfter(t *testing.T, path string, n int) (acknowledged []string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKill$")
	child.Env = append(os.Environ(), killed+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "stored "); ok {
			acknowledged = append(acknowledged, text)
		}
		if len(acknowledged) == n {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || len(acknowledged) < n {
		t.Fatalf("the child ended by itself after %d: %v", len(acknowledged), err)
	}
	return acknowledged
}

func writeUntilKilled(t *testing.T, path string) {
	s, err := db.Open(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var print sync.Mutex
	for worker := range 8 {
		all.Go(func() {
			for i := range 100_000 {
				text := fmt.Sprintf("%d/%d/%d", os.Getpid(), worker, i)
				err := s.Update(t.Context(), func(tx app.Tx) error {
					_, err := tx.AppendEvent(t.Context(), app.Event{At: at, Kind: app.Timer, OrderNo: "ABCD2345", Text: text})
					return err
				})
				if err != nil {
					return
				}
				print.Lock()
				fmt.Println("stored " + text)
				print.Unlock()
			}
		})
	}
	all.Wait()
}

// BenchmarkUpdate counts durable transactions: alone, and from 64 callers that share a sync.
func BenchmarkUpdate(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := dbtest.SQLite(b)
			b.SetParallelism(callers)
			if callers == 1 {
				for b.Loop() {
					write(b, s)
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					write(b, s)
				}
			})
		})
	}
}

func write(b *testing.B, s *db.Store) {
	err := s.Update(b.Context(), func(tx app.Tx) error {
		_, err := tx.AppendEvent(b.Context(), app.Event{At: at, Kind: app.Timer, OrderNo: "ABCD2345"})
		return err
	})
	if err != nil {
		b.Error(err)
	}
}
