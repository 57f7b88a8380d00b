package main

import (
	"bytes"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

// night is a check whose ticks a test sends, and whose clock it moves.
type night struct {
	*house
	clock *demoClock
	log   *output
	ticks chan time.Time
	ended chan error
}

// startNight begins at 02:59 in Korea; the check has seen that time when it returns.
func startNight(t *testing.T, cfg houseConfig) *night {
	t.Helper()
	n := &night{clock: &demoClock{real: time.Now}, log: new(output), ticks: make(chan time.Time), ended: make(chan error, 1)}
	n.clock.set(time.Date(2026, 11, 25, 2, 59, 0, 0, app.KST))
	cfg.Now, cfg.Log = n.clock.Now, slog.New(slog.NewTextHandler(n.log, nil))
	var err error
	if n.house, err = openHouse(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.close() }) // most tests have closed it
	go func() { n.ended <- n.checkAt(t.Context(), n.ticks) }()
	if err := n.look(); err != nil {
		t.Fatal(err)
	}
	return n
}

// look returns when the check has looked at the clock, and done what was due.
func (n *night) look() error {
	for range 2 { // the second is taken when the first was done
		select {
		case n.ticks <- time.Time{}:
		case err := <-n.ended:
			return err
		}
	}
	return nil
}

// said counts the times that the log has a text.
func (n *night) said(text string) int { return strings.Count(n.log.String(), text) }

// What the check says.
const (
	saidWell    = "nothing is damaged"
	saidNothing = "could not be read through"
)

// proves R23, R25: the night's check reads the database through, once. When it is damaged it ends the
// program, and nothing more is written.
func TestNightCheck(t *testing.T) {
	cfg := houseConfig{Data: t.TempDir(), Name: "gage", PublicURL: "http://127.0.0.1:8080", Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	h, err := openHouse(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.close(); err != nil { // all is in the file then
		t.Fatal(err)
	}
	n := startNight(t, cfg)
	if n.said(saidWell) != 0 {
		t.Fatal("it was looked at before the hour")
	}
	n.clock.forward(time.Minute)
	for range 2 {
		if err := n.look(); err != nil || n.said(saidWell) != 1 {
			t.Fatalf("a database that is well: looked at %d times, %v", n.said(saidWell), err)
		}
	}
	settleLog(t, cfg.database())
	if err := n.store.Ready(t.Context()); err != nil { // something is in the log again, which closing would move
		t.Fatal(err)
	}
	f, err := os.OpenFile(cfg.database(), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xff}, int(info.Size())-8192), 8192); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	n.clock.forward(23*time.Hour + 59*time.Minute)
	if err := n.look(); err != nil {
		t.Fatalf("it was looked at before the hour: %v", err)
	}
	n.clock.forward(time.Minute)
	if err := n.look(); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged database: %v", err)
	}
	if err := n.store.Ready(t.Context()); !errors.Is(err, db.ErrAbandoned) {
		t.Errorf("writing onto damage: %v", err)
	}
	if err := n.watchStore(t.Context()); err != nil {
		t.Errorf("damage is told as a failed disk: %v", err)
	}
	before, err := os.ReadFile(cfg.database())
	if err != nil {
		t.Fatal(err)
	}
	if err := n.close(); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(cfg.database()); err != nil || !bytes.Equal(before, after) {
		t.Errorf("closing changed the damaged file, %v", err)
	}
}

// TestNightCheckCannotLook: a file of heads that can't be read and a database that does not answer are no damage: the shop
// goes on, and an hour later it is looked again.
//
// proves R25, E1
func TestNightCheckCannotLook(t *testing.T) {
	cfg := houseConfig{Data: t.TempDir(), Name: "gage", PublicURL: "http://127.0.0.1:8080"}
	t.Run("heads", func(t *testing.T) {
		n := startNight(t, cfg)
		if err := os.Mkdir(cfg.headsFile(), 0o700); err != nil {
			t.Fatal(err)
		}
		n.clock.forward(time.Minute)
		if err := n.look(); err != nil || n.said(saidNothing) != 1 || n.said(saidWell) != 0 {
			t.Fatalf("%v: %s", err, n.log)
		}
		if err := os.Remove(cfg.headsFile()); err != nil {
			t.Fatal(err)
		}
		n.clock.forward(59 * time.Minute)
		if err := n.look(); err != nil || n.said(saidWell) != 0 {
			t.Fatalf("within the hour: %v: %s", err, n.log)
		}
		n.clock.forward(time.Minute)
		if err := n.look(); err != nil || n.said(saidWell) != 1 {
			t.Errorf("an hour later: %v: %s", err, n.log)
		}
	})
	t.Run("connection", func(t *testing.T) {
		cfg := cfg
		cfg.DatabaseURL = dbtest.PostgresURL(t)
		n := startNight(t, cfg)
		if err := n.store.Close(); err != nil {
			t.Fatal(err)
		}
		n.clock.forward(time.Minute)
		if err := n.look(); err != nil || n.said(saidNothing) != 1 {
			t.Errorf("%v: %s", err, n.log)
		}
	})
}

// proves R25: a file too large to be read through before it opens is read beside the shop at once, and no night is waited
// for.
func TestLargeFileIsCheckedBesideTheShop(t *testing.T) {
	cfg := houseConfig{
		Data: t.TempDir(), Name: "gage", PublicURL: "http://127.0.0.1:8080", Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	h, err := openHouse(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	damageTable(t, cfg.database(), "deliveries")
	if h, err := openHouse(t.Context(), cfg); err == nil {
		h.close()
		t.Fatal("a small file was opened with its damage")
	}
	cfg.CheckFirst = 1
	if h, err = openHouse(t.Context(), cfg); err != nil {
		t.Fatalf("a large file was read through first: %v", err)
	}
	err = h.checkAt(t.Context(), nil)
	_ = h.close() // a damaged file may refuse to be closed well
	if err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("the reading beside the shop: %v", err)
	}
	if h, err = openHouse(t.Context(), cfg); err == nil {
		h.close()
		t.Error("whoever starts it again writes on a file that is known to be damaged")
	}
}

// damageTable overwrites the first page of a table that a shop does not read when it opens.
func damageTable(t *testing.T, path, table string) {
	t.Helper()
	settleLog(t, path)
	d, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var page, size int64
	if err := d.QueryRowContext(t.Context(), "SELECT rootpage FROM sqlite_master WHERE name = ?", table).Scan(&page); err != nil {
		t.Fatal(err)
	}
	if err := d.QueryRowContext(t.Context(), "PRAGMA page_size").Scan(&size); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(bytes.Repeat([]byte{0xff}, int(size)), (page-1)*size)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// settleLog brings SQLite's write-ahead log into its file, so that what is damaged there is not read from the log.
func settleLog(t *testing.T, path string) {
	t.Helper()
	d, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var busy, frames, moved int
	if err := d.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil || busy != 0 {
		t.Fatal(busy, err)
	}
}
