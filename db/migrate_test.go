package db_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"gage/db"
	"gage/db/dbtest"
)

// rawEach runs f on a place of each engine where no shop has been yet, and on a connection that is nobody's.
func rawEach(t *testing.T, f func(t *testing.T, c db.Config, raw *sql.DB)) {
	run := func(name string, place func(t *testing.T) (c db.Config, driver, dsn string)) {
		t.Run(name, func(t *testing.T) {
			c, driver, dsn := place(t)
			raw, err := sql.Open(driver, dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			c.Keys = dbtest.Keys(t)
			f(t, c, raw)
		})
	}
	run("sqlite", func(t *testing.T) (db.Config, string, string) {
		path := filepath.Join(t.TempDir(), "gage.db")
		return db.Config{Path: path}, "sqlite", path
	})
	run("postgres", func(t *testing.T) (db.Config, string, string) {
		url := dbtest.PostgresURL(t)
		return db.Config{URL: url}, "pgx", url.Reveal()
	})
}

// TestNewerSchema: a program refuses records that a newer one has written, and leaves them as they are.
//
// proves R36
func TestNewerSchema(t *testing.T) {
	rawEach(t, func(t *testing.T, c db.Config, raw *sql.DB) {
		s, err := db.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := raw.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, "+isTrue(c)+")"); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if s, err := db.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "newer program") {
				t.Fatalf("opened: %v", errors.Join(err, s.Close()))
			}
		}
		if _, err := raw.ExecContext(t.Context(), "DELETE FROM goose_db_version WHERE version_id = 9999"); err != nil {
			t.Fatal(err)
		}
		if s, err = db.Open(t.Context(), c); err != nil {
			t.Fatalf("the records did not stay as they were: %v", err)
		}
		dbtest.Whole(t, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// isTrue is how an engine's own table of versions says yes.
func isTrue(c db.Config) string {
	if c.URL != "" {
		return "true"
	}
	return "1"
}

// TestMigrationInterrupted: a migration that fails half-way leaves nothing of itself behind, and those before it stay; the next
// start goes on with it.
//
// proves R36
func TestMigrationInterrupted(t *testing.T) {
	rawEach(t, func(t *testing.T, c db.Config, raw *sql.DB) {
		exec := func(statement string) {
			t.Helper()
			if _, err := raw.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		exec("CREATE TABLE receipt_needs (x TEXT)") // migration 10 makes cash_receipts first, and then this one
		if s, err := db.Open(t.Context(), c); err == nil {
			t.Fatalf("it opens without its schema: %v", s.Close())
		}
		var version int
		if err := raw.QueryRowContext(t.Context(), "SELECT MAX(version_id) FROM goose_db_version").Scan(&version); err != nil || version != 9 {
			t.Errorf("the schema is %d, want 9, %v", version, err)
		}
		if _, err := raw.ExecContext(t.Context(), "SELECT COUNT(*) FROM cash_receipts"); err == nil {
			t.Error("half of a migration stayed")
		}
		exec("DROP TABLE receipt_needs")
		s, err := db.Open(t.Context(), c)
		if err != nil {
			t.Fatalf("the next start: %v", err)
		}
		fill(t, s)
		dbtest.Whole(t, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
