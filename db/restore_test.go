package db_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

// dump writes down what is in a place.
func dump(t *testing.T, from db.Config) (db.DumpHeader, db.Totals, []byte) {
	t.Helper()
	src, err := db.OpenSource(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if err := src.Check(t.Context()); err != nil {
		t.Error(err)
	}
	var b bytes.Buffer
	h, totals, err := src.Dump(t.Context(), &b, db.DumpHeader{Created: at, Program: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return h, totals, b.Bytes()
}

// furnish writes something into every kind of column: Hangul, what LIKE and JSON give a meaning, NUL, times, nothing.
func furnish(t *testing.T, s *db.Store) {
	t.Helper()
	seed(t, s, "ABCD2345", 3)
	seed(t, s, "ZYXW9876", 1)
	update(t, s, nil, func(ctx context.Context, tx app.Tx) error {
		errs := []error{
			paid(ctx, tx, payment("ABCD2345", 2), tid(1)),
			tx.SetSetting(ctx, "odd", "줄\n바꿈 \t \"<&>\" \u2028 100%"),
			tx.SaveSession(ctx, app.Session{Hash: "s", StaffID: "o", Data: "x", CreatedAt: at, SeenAt: at, ExpiresAt: at.Add(time.Hour)}),
			tx.CreateInvite(ctx, app.Invite{Hash: "i", Role: app.RoleOwner, CreatedAt: at, ExpiresAt: at.Add(time.Hour)}),
			tx.AddJob(ctx, app.Job{ID: "j", Kind: app.JobExpire, Ref: "ABCD234501", DueAt: at, CreatedAt: at}),
		}
		for i := range 250 { // more than one statement's rows
			_, err := tx.AppendEvent(ctx, app.Event{At: at, Kind: app.Timer, OrderNo: "ABCD2345", Moid: "ABCD234501", Text: fmt.Sprint(i)})
			errs = append(errs, err)
		}
		_, _, err := tx.AddMessage(ctx, app.Message{ID: "m", Channel: app.ChannelNotify, At: at, Raw: []byte{0, 0xb0, 0xa1, 0xff}, RawLen: 4, Dedupe: "d"})
		return errors.Join(append(errs, err)...)
	})
}

// TestRestore: what one engine holds the other holds after a restore, row for row, and works on.
// proves R40
func TestRestore(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, from db.Config) {
		s := dbtest.Open(t, from)
		furnish(t, s)
		h, totals, text := dump(t, from)
		if h.LastEvent <= 250 || h.ChainHead == "" || totals["orders"].Rows != 2 || totals["payment_search"].Rows != 4 {
			t.Errorf("dump: %+v %+v", h, totals)
		}
		dbtest.EachPlace(t, func(t *testing.T, to db.Config) {
			frozen := false
			r := db.Restore{To: to, Freeze: func(ctx context.Context, tx app.Tx, got db.DumpHeader) error {
				frozen = true
				if got != h {
					t.Errorf("header %+v, want %+v", got, h)
				}
				return tx.EndAccess(ctx, at)
			}}
			if _, got, err := r.Run(t.Context(), bytes.NewReader(text)); err != nil || !frozen || got.Rows() != totals.Rows() {
				t.Fatalf("restore: %v, %v, %d rows of %d", err, frozen, got.Rows(), totals.Rows())
			}
			restored := dbtest.Open(t, to)
			if _, err := restored.Session(t.Context(), "s"); !errors.Is(err, app.ErrNotFound) {
				t.Errorf("a session outlived the restore: %v", err)
			}
			if i, err := restored.Invite(t.Context(), "i"); err != nil || i.UsedAt.IsZero() {
				t.Errorf("a one-time link outlived the restore: %+v, %v", i, err)
			}
			_, now, _ := dump(t, to)
			for name, want := range totals {
				if now[name] != want && name != "sessions" && name != "invites" {
					t.Errorf("%s: %+v, want %+v", name, now[name], want)
				}
			}
			found, err := restored.SearchPayments(t.Context(), app.PaymentQuery{Terms: []app.Find{{Text: "철수"}}, Limit: 10})
			if err != nil || len(found) != 4 {
				t.Errorf("search finds %d, %v", len(found), err)
			}
			seed(t, restored, "NEWQ2345", 1)
			update(t, restored, nil, func(ctx context.Context, tx app.Tx) error {
				seq, err := tx.AppendEvent(ctx, app.Event{At: at, Kind: app.Timer})
				if want := h.LastEvent + 3; seq != want { // two records were written before
					t.Errorf("the next event has the number %d", seq)
				}
				return err
			})
			_, _, err = db.Restore{To: to}.Run(t.Context(), bytes.NewReader(text))
			if to.Path != "" {
				if err == nil {
					t.Error("restored into a shop that is running")
				}
			} else if !errors.Is(err, db.ErrNotEmpty) {
				t.Errorf("restored over data: %v", err)
			}
		})
	})
}

// TestDumpHasEveryTable: no table that a migration makes is missing, and no column.
func TestDumpHasEveryTable(t *testing.T) {
	made := regexp.MustCompile(`(?i)CREATE (?:VIRTUAL )?TABLE (?:IF NOT EXISTS )?(\w+)`)
	var want []string
	files, err := filepath.Glob("migrate/*/*.sql")
	if err != nil || len(files) < 3 {
		t.Fatal(err, files)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range made.FindAllStringSubmatch(string(text), -1) {
			want = append(want, m[1])
		}
	}
	slices.Sort(want)
	want = slices.DeleteFunc(slices.Compact(want), func(name string) bool { return name == "holds_by_effect" }) // it became holds
	var texts [][]byte
	dbtest.EachPlace(t, func(t *testing.T, place db.Config) {
		dbtest.Open(t, place)
		_, totals, text := dump(t, place)
		var got []string
		for name := range totals {
			got = append(got, name)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("dumped %v, want %v", got, want)
		}
		// Each store makes keys of its own.
		text = regexp.MustCompile(`\["(index|ring)","[^"]+"\]`).ReplaceAll(text, []byte(`["$1"]`))
		text = regexp.MustCompile(`"data_keys":\{"rows":2,"sha256":"\w+"\}`).ReplaceAll(text, []byte(`"data_keys":{}`))
		texts = append(texts, text)
	})
	if len(texts) == 2 && !bytes.Equal(texts[0], texts[1]) {
		t.Errorf("the engines write different dumps of an empty shop:\n%s\n%s", texts[0], texts[1])
	}
}

// TestRestoreRefuses: nothing is there after a dump that is cut short, changed, too new or goes somewhere taken.
// proves R40, R36
func TestRestoreRefuses(t *testing.T) {
	from := dbtest.File(t)
	furnish(t, dbtest.Open(t, from))
	_, _, text := dump(t, from)
	lines := bytes.SplitAfter(text, []byte("\n"))
	without := func(i int) []byte { return bytes.Join(slices.Delete(slices.Clone(lines), i, i+1), nil) }
	for name, c := range map[string]struct {
		text []byte
		want string
	}{
		"empty":       {nil, "cut short"},
		"no dump":     {[]byte("hello\n"), "damaged"},
		"cut short":   {text[:len(text)/2], "cut short"},
		"no end":      {without(len(lines) - 2), "cut short"},
		"a row less":  {without(slices.IndexFunc(lines, func(l []byte) bool { return l[0] == '[' })), "damaged"},
		"more behind": {append(slices.Clone(text), '\n'), "damaged"},
		"changed":     {bytes.Replace(text, []byte("ABCD234501"), []byte("ABCD234509"), 1), "damaged"},
		"newer":       {bytes.Replace(text, []byte(`"schema":`), []byte(`"schema":9`), 1), "newer program"},
		"newer form":  {bytes.Replace(text, []byte(`"gage_dump":1`), []byte(`"gage_dump":2`), 1), "program that wrote it"},
		"odd table":   {bytes.Replace(text, []byte(`"table":"orders"`), []byte(`"table":"odders"`), 1), "odders"},
	} {
		t.Run(name, func(t *testing.T) {
			to := dbtest.File(t)
			_, _, err := db.Restore{To: to}.Run(t.Context(), bytes.NewReader(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %q in it", err, c.want)
			}
			left, err := filepath.Glob(filepath.Join(filepath.Dir(to.Path), "*"))
			left = slices.DeleteFunc(left, func(name string) bool { return name == to.Path+".lock" })
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
	for _, name := range []string{"gage.db", "gage.db-wal"} {
		to := dbtest.File(t)
		if err := os.WriteFile(filepath.Join(filepath.Dir(to.Path), name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := (db.Restore{To: to}).Run(t.Context(), bytes.NewReader(text)); !errors.Is(err, db.ErrNotEmpty) {
			t.Errorf("%s is there: %v", name, err)
		}
	}
	if _, err := db.OpenSource(t.Context(), dbtest.File(t)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("source without a file: %v", err)
	}
}

// TestDumpWhileWritersRun: a dump is one moment of the records, whoever writes meanwhile, and holds nobody up.
// proves R40, R4
func TestDumpWhileWritersRun(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, place db.Config) {
		s := dbtest.Open(t, place)
		ctx, stop := context.WithCancel(t.Context())
		var writers sync.WaitGroup
		wrote := make(chan struct{}, 1)
		for w := range 3 {
			writers.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					no := app.OrderNo(fmt.Sprintf("W%d%06d", w, i))
					err := s.Update(t.Context(), func(tx app.Tx) error {
						err := errors.Join(tx.CreateOrder(t.Context(), order(no)), tx.CreatePayment(t.Context(), payment(no, 1)))
						_, seqErr := tx.AppendEvent(t.Context(), app.Event{At: at, Kind: app.FormServed, OrderNo: no})
						return errors.Join(err, seqErr)
					})
					if err != nil {
						t.Error(err)
						return
					}
					select {
					case wrote <- struct{}{}:
					default:
					}
				}
			})
		}
		for range 5 {
			<-wrote
			src, err := db.OpenSource(t.Context(), place)
			if err != nil {
				t.Fatal(err)
			}
			pipe, in := io.Pipe()
			go func() {
				_, _, err := src.Dump(t.Context(), in, db.DumpHeader{})
				<-wrote // a write that ends while the snapshot is read
				in.CloseWithError(err)
			}()
			h, totals, err := db.CheckDump(t.Context(), pipe)
			if err != nil {
				t.Error(err)
			}
			if n := totals["orders"].Rows; totals["events"].Rows != h.LastEvent || h.LastEvent != 3*n || totals["payments"].Rows != n || totals["payment_search"].Rows != n {
				t.Errorf("%d events, the last is %d, %d orders, %d payments", n, h.LastEvent, totals["orders"].Rows, totals["payments"].Rows)
			}
			if err := src.Close(); err != nil {
				t.Error(err)
			}
		}
		stop()
		writers.Wait()
	})
}

// TestRestoreOfOlderBackup: a dump of an older schema, written by the program of its time, is brought up to date. When
// a migration changes a table, add a dump of the schema before it.
// proves R40, R36
func TestRestoreOfOlderBackup(t *testing.T) {
	files, err := filepath.Glob("testdata/dump-schema*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dbtest.EachPlace(t, func(t *testing.T, to db.Config) {
			h, _, err := db.Restore{To: to}.Run(t.Context(), bytes.NewReader(text))
			if err != nil || !strings.Contains(file, fmt.Sprintf("schema%d.", h.Schema)) {
				t.Fatalf("%s: %+v, %v", file, h, err)
			}
			s := dbtest.Open(t, to)
			if list, err := s.PaymentsOf(t.Context(), "ABCD2345"); err != nil || len(list) != 3 || list[1].State != app.Paid || list[1].AuthCode != "30012345" {
				t.Errorf("payments %+v, %v", list, err)
			}
			if m, err := s.Message(t.Context(), "m"); err != nil || !bytes.Equal(m.Raw, []byte{0, 0xb0, 0xa1, 0xff}) {
				t.Errorf("message %+v, %v", m, err)
			}
		})
	}
}
