package main

import (
	"bytes"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gage/app"
)

// proves R25: the night's check reads the database through, once, and ends the program when it is damaged.
func TestNightCheck(t *testing.T) {
	data := t.TempDir()
	clock := &demoClock{real: time.Now}
	clock.set(time.Date(2026, 11, 25, 2, 59, 0, 0, app.KST))
	cfg := houseConfig{
		Data: data, Name: "gage", PublicURL: "http://127.0.0.1:8080", Now: clock.Now, Log: slog.New(slog.DiscardHandler),
	}
	h, err := openHouse(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.close(); err != nil { // all is in the file then
		t.Fatal(err)
	}
	if h, err = openHouse(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	defer h.close() // it can't move its log into a damaged file
	ticks, ended := make(chan time.Time), make(chan error, 1)
	go func() { ended <- h.checkAt(t.Context(), ticks) }()
	look := func() error {
		t.Helper()
		for range 2 { // the second is taken when the first was done
			select {
			case ticks <- time.Time{}:
			case err := <-ended:
				return err
			}
		}
		return nil
	}
	clock.forward(time.Minute)
	if err := look(); err != nil {
		t.Fatalf("a database that is well: %v", err)
	}
	settleLog(t, filepath.Join(data, "gage.db"))
	f, err := os.OpenFile(filepath.Join(data, "gage.db"), os.O_WRONLY, 0)
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
	clock.forward(23*time.Hour + 59*time.Minute)
	if err := look(); err != nil {
		t.Fatalf("it was looked at before the hour: %v", err)
	}
	clock.forward(time.Minute)
	if err := look(); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged database: %v", err)
	}
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
