package db_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

// proves R25, I5: whichever byte of the file is changed, the shop does not open, or the night's check finds it, or the
// log does, or it stood where nothing is stored: every record still reads as it was written. GAGE_FLIPS says how many.
func TestEveryChangedByteIsFound(t *testing.T) {
	flips := 100
	if n, err := strconv.Atoi(os.Getenv("GAGE_FLIPS")); err == nil {
		flips = n
	}
	path := filepath.Join(t.TempDir(), "gage.db")
	s, err := db.Open(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 { // more than one page of most tables
		seed(t, s, app.OrderNo("SEED"+string(rune('A'+i/10))+string(rune('0'+i%10))), 1)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows := contents(t, path)
	rnd := rand.New(rand.NewPCG(25, 1))
	found := 0
	for range flips {
		bad, at, x := bytes.Clone(good), rnd.IntN(len(good)), byte(1+rnd.IntN(255))
		bad[at] ^= x
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		switch {
		case damage(t, path) != nil:
			found++
		case !bytes.Equal(contents(t, path), rows):
			t.Errorf("byte %d, changed by %#x: other records, and nothing told", at, x)
		}
	}
	if found < flips/20 {
		t.Errorf("%d of %d changes were told: the file has more in it", found, flips)
	}
}

// damage is what a start and a night's check say of the database.
func damage(t *testing.T, path string) (err error) {
	t.Helper()
	s, err := db.Open(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)})
	if err != nil {
		return err
	}
	defer s.Close() // a damaged file may refuse to be closed well
	if err := s.Check(t.Context()); err != nil {
		return err
	}
	var told []string
	_, err = s.Verify(t.Context(), nil, func(text string) { told = append(told, text) })
	if err == nil && told != nil {
		err = errors.New(strings.Join(told, "; "))
	}
	return err
}

// contents are all rows of the database in a file.
func contents(t *testing.T, path string) []byte {
	t.Helper()
	src, err := db.OpenSource(t.Context(), db.Config{Path: path, Keys: dbtest.Keys(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var rows bytes.Buffer
	if _, _, err := src.Dump(t.Context(), &rows, db.DumpHeader{}); err != nil {
		t.Fatal(err)
	}
	return rows.Bytes()
}
