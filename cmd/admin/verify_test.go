package main

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db"
)

// TestVerify: verify agrees with a shop that was left alone, while it runs and after, and exits 1 once a line that was
// kept outside is not in the log.
// proves E1, I5
func TestVerify(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	env := map[string]string{"GAGE_DATA": data, "GAGE_PUBLIC_URL": "http://127.0.0.1:8080", "GAGE_LISTEN": "127.0.0.1:0"}
	if code, _, stderr := try(t, env, "verify"); code != exitUsage || !strings.Contains(stderr, "there is no shop in "+data) {
		t.Errorf("without a shop: %d %s", code, stderr)
	}
	s := start(t, env, "serve")
	for _, running := range []bool{true, false} {
		if !running {
			s.stop()
		}
		if code, stdout, stderr := try(t, env, "verify"); code != exitOK || !strings.Contains(stdout, "all agrees") {
			t.Errorf("running %t: %d %s%s", running, code, stdout, stderr)
		}
	}
	other := "2026-11-23 1 " + strings.Repeat("0", 64) + "\n"
	if err := os.WriteFile(filepath.Join(data, "gage.heads"), []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := try(t, env, "verify"); code != exitFailed || stdout == "" || !strings.Contains(stderr, "do not agree") {
		t.Errorf("another log's head: %d %s%s", code, stdout, stderr)
	}
	if err := os.WriteFile(filepath.Join(data, "gage.heads"), []byte("?\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := try(t, env, "verify"); code != exitFailed || !strings.Contains(stderr, "line 1") {
		t.Errorf("a damaged heads file: %d %s", code, stderr)
	}
}

// TestHeadsAreKept: the end of the log is written down outside the database once a Korean day.
// proves E1
func TestHeadsAreKept(t *testing.T) {
	now := time.Date(2026, 11, 23, 14, 59, 0, 0, time.UTC)
	cfg := houseConfig{
		Data: t.TempDir(), Name: "gage", PublicURL: "http://127.0.0.1:8080", Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	}
	h, err := openHouse(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	save := func(name string) {
		if err := h.shop.SetInfo(t.Context(), app.Staff{ID: "o", Role: app.RoleOwner}, app.ShopInfo{Name: name}); err != nil {
			t.Fatal(err)
		}
		if err := h.keepHead(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	save("하나")
	save("둘")
	now = now.Add(time.Minute)
	save("셋")
	kept, err := readHeads(cfg.headsFile())
	if err != nil || len(kept) != 2 || kept[0].Seq != 2 || kept[1].Seq != 6 { // each leaves the setting and who changed it
		t.Fatalf("%+v %v", kept, err)
	}
	if _, err := h.store.Verify(t.Context(), kept, func(text string) { t.Error(text) }); err != nil {
		t.Error(err)
	}
}

// TestTornHead: what a power cut left of a head is no head, wherever it was cut; the next one stands on a line of its own.
//
// proves E1, R21
func TestTornHead(t *testing.T) {
	now := time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	cfg := houseConfig{
		Data: t.TempDir(), Name: "gage", PublicURL: "http://127.0.0.1:8080", Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	}
	h, err := openHouse(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	if err := h.shop.SetInfo(t.Context(), operator(), app.ShopInfo{Name: "하나"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := h.keepHead(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = now.AddDate(0, 0, 1)
	}
	whole, err := os.ReadFile(cfg.headsFile())
	if err != nil {
		t.Fatal(err)
	}
	first := bytes.IndexByte(whole, '\n') + 1
	cuts := []string{"2026-11-24 2 abc\n"}
	for n := range len(whole) - first {
		cuts = append(cuts, string(whole[first:first+n]))
	}
	for _, torn := range cuts {
		if err := os.WriteFile(cfg.headsFile(), []byte(string(whole[:first])+torn), 0o600); err != nil {
			t.Fatal(err)
		}
		if found, err := h.check(t.Context()); found != nil || err != nil {
			t.Errorf("with %q at the end: %v, %v", torn, found, err)
		}
		h.headDay = ""
		if err := h.keepHead(t.Context()); err != nil {
			t.Fatal(err)
		}
		if kept, err := readHeads(cfg.headsFile()); err != nil || len(kept) != 2 || kept[0] != kept[1] {
			t.Fatalf("after %q: %+v %v", torn, kept, err)
		}
	}
}

// TestVerifyFindsLostRows: what the log does not vouch for itself follows from what it does: verify misses it when it is gone, and
// a shop does not start over the lost key of all.
//
// proves E2, I5
func TestVerifyFindsLostRows(t *testing.T) {
	data := t.TempDir()
	start(t, nil, "demo", "--listen", "127.0.0.1:0", "--sandbox-listen", "127.0.0.1:0", "--data", data).stop()
	verified(t, data, "demo")
	cfg := houseConfig{Data: data, Name: "demo", Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	settleLog(t, cfg.database())
	whole, err := os.ReadFile(cfg.database())
	if err != nil {
		t.Fatal(err)
	}
	for statement, want := range map[string]string{
		"DELETE FROM jobs":           "the job expire of payments/",
		"DELETE FROM receipt_needs":  "list of missing cash receipts",
		"DELETE FROM payment_search": "search index",
		"DELETE FROM data_keys":      "the data key index is gone",
		"DELETE FROM data_keys WHERE id IN (SELECT id FROM messages)": "rows of messages are sealed with it",
		"DELETE FROM data_keys WHERE id LIKE 'card/%'":                "rows of cards are sealed with it",
		"UPDATE receipt_needs SET amount = amount + 1":                "list of missing cash receipts",
	} {
		if err := os.WriteFile(cfg.database(), whole, 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := sql.Open("sqlite", cfg.database())
		if err != nil {
			t.Fatal(err)
		}
		done, err := d.ExecContext(t.Context(), statement)
		if err := errors.Join(err, d.Close()); err != nil {
			t.Fatal(err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			t.Fatalf("%s: %d rows, %v", statement, n, err)
		}
		settleLog(t, cfg.database())
		s, err := openReader(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		var told strings.Builder
		_, err = s.Verify(t.Context(), nil, func(text string) { fmt.Fprintln(&told, text) })
		if err := errors.Join(err, s.Close()); err != nil {
			t.Error(err)
		}
		if !strings.Contains(told.String(), want) {
			t.Errorf("%s: %q", statement, told.String())
		}
		if statement == "DELETE FROM data_keys" {
			if h, err := openStore(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "key index is gone") {
				t.Errorf("it opens without the key of the search index: %v", errors.Join(err, h.close()))
			}
		}
	}
}

// verified fails the test unless all that stands in a stopped shop's data folder agrees with its log.
func verified(t *testing.T, data, name string) db.Verified {
	t.Helper()
	s, err := openReader(t.Context(), houseConfig{Data: data, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	v, err := s.Verify(t.Context(), nil, func(text string) { t.Error(text) })
	if err != nil {
		t.Fatal(err)
	}
	return v
}
