package db_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

// TestMirror: what was acknowledged stands in the mirror at once; a line that a crash left half is written anew, what
// was stored without the mirror is caught up with, and a changed one, another shop's and one ahead are told.
//
// proves E5
func TestMirror(t *testing.T) {
	place := dbtest.File(t)
	empty, err := db.Open(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	if err := empty.Close(); err != nil {
		t.Fatal(err)
	}
	young, err := os.ReadFile(place.Path)
	if err != nil {
		t.Fatal(err)
	}
	place.Mirror = filepath.Join(t.TempDir(), "second")
	use := func(c db.Config, f func(*db.Store)) {
		t.Helper()
		s, err := db.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		f(s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	set := func(s *db.Store, value string) error {
		return s.Update(t.Context(), func(tx app.Tx) error { return tx.SetSetting(t.Context(), "shop", value) })
	}
	check := func(s *db.Store, wrong int) {
		t.Helper()
		head, err := s.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		if rows, err := s.VerifyMirror(t.Context(), place.Mirror, func(string) { found++ }); err != nil || rows != head.Seq || found != wrong {
			t.Errorf("%d rows of %d, %d faults, want %d: %v", rows, head.Seq, found, wrong, err)
		}
	}
	use(place, func(s *db.Store) {
		fill(t, s)
		check(s, 0)
		if err := set(s, "a"); err != nil {
			t.Error(err)
		}
		check(s, 0)
	})
	text, err := os.ReadFile(place.Mirror)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "김철수") || !strings.Contains(string(text), `"raw":"`) {
		t.Error("the mirror must hold messages, and nothing that can be read of a person")
	}
	if err := os.WriteFile(place.Mirror, append(text, text[:40]...), 0o600); err != nil {
		t.Fatal(err)
	}
	alone := place
	alone.Mirror = ""
	use(alone, func(s *db.Store) {
		if err := set(s, "without the mirror"); err != nil {
			t.Error(err)
		}
	})
	use(place, func(s *db.Store) { check(s, 0) })
	if text, err = os.ReadFile(place.Mirror); err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(text, []byte(`"approved"`), []byte(`"Approved"`), 1)
	if err := os.WriteFile(place.Mirror, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	use(place, func(s *db.Store) { check(s, 1) })
	other := dbtest.File(t)
	other.Mirror = place.Mirror
	ahead := db.Config{Path: filepath.Join(t.TempDir(), "gage.db"), Keys: place.Keys, Mirror: place.Mirror}
	if err := os.WriteFile(ahead.Path, young, 0o600); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]db.Config{"another shop's": other, "one that is ahead": ahead} {
		if _, err := db.Open(t.Context(), c); !errors.Is(err, db.ErrMirror) {
			t.Errorf("%s mirror: %v", what, err)
		}
	}
}

// TestMirrorFull: while the mirror's disk is full nothing is acknowledged but what lets staff sign in.
//
// proves E5, R22
func TestMirrorFull(t *testing.T) {
	place := dbtest.File(t)
	place.Mirror = "/dev/full"
	s := dbtest.Open(t, place)
	set := func(key string) error {
		return s.Update(t.Context(), func(tx app.Tx) error { return tx.SetSetting(t.Context(), key, "1") })
	}
	if err := set("first"); !errors.Is(err, app.ErrOverload) {
		t.Errorf("stored without its mirror: %v", err)
	}
	if err := set("second"); !errors.Is(err, app.ErrOverload) {
		t.Errorf("the second: %v", err)
	}
	if _, err := s.Setting(t.Context(), "second"); !errors.Is(err, app.ErrNotFound) {
		t.Errorf("what was refused is there: %v", err)
	}
	if err := s.Ready(t.Context()); !errors.Is(err, app.ErrOverload) {
		t.Errorf("ready: %v", err)
	}
	err := s.Update(app.Essential(t.Context()), func(tx app.Tx) error { return tx.SaveSession(t.Context(), app.Session{Hash: "h", StaffID: "s"}) })
	if err != nil {
		t.Errorf("nobody can sign in: %v", err)
	}
	select {
	case <-s.GaveUp():
		t.Error("a full disk may pass, and the store gave itself up")
	default:
	}
}
