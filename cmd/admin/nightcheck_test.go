package main

import (
	"bytes"
	"database/sql"
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
