package db

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"gage/app"
)

// engine is the database behind the store. All that must differ between the two stands in this file.
type engine int

const (
	engineSQLite engine = iota
	enginePostgres
)

// saveSearch puts a payment's text into the search index, replacing what was there: $1 rowid, $2 body.
func (e engine) saveSearch() []string {
	if e == engineSQLite { // a full-text table has no upsert
		return []string{"DELETE FROM payment_search WHERE rowid = $1", "INSERT INTO payment_search (rowid, body) VALUES ($1, $2)"}
	}
	return []string{"INSERT INTO payment_search (rowid, body) VALUES ($1, $2) ON CONFLICT (rowid) DO UPDATE SET body = excluded.body"}
}

// Result codes of SQLite and states of PostgreSQL.
const (
	sqliteBusy, sqliteFull                = 5, 13
	sqliteIOErr, sqliteCorrupt            = 10, 11
	sqliteUnique, sqlitePrimary           = 2067, 1555
	pgUnique, pgSerialization, pgDeadlock = "23505", "40001", "40P01"
)

// translate gives the engines' errors the names that app knows.
func translate(err error) error {
	var lite *sqlite.Error
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &lite) && (lite.Code() == sqliteUnique || lite.Code() == sqlitePrimary),
		errors.As(err, &pg) && pg.Code == pgUnique:
		return fmt.Errorf("%w: %w", app.ErrConflict, err)
	case errors.As(err, &lite) && (lite.Code()&0xff == sqliteBusy || lite.Code()&0xff == sqliteFull),
		errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "53") || strings.HasPrefix(pg.Code, "57P")):
		return fmt.Errorf("%w: %w", app.ErrOverload, err)
	}
	return err
}

// lostRace says that PostgreSQL rolled the transaction back because of another one: it may be tried again.
func lostRace(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == pgSerialization || pg.Code == pgDeadlock)
}

// passing says that SQLite could not write now but may later: the disk is full, or somebody holds the file.
func passing(err error) bool {
	return errors.Is(translate(err), app.ErrOverload)
}

// damaged says that SQLite could not read or write its file, which is nobody's input: what is on the disk is unknown.
func damaged(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && (lite.Code()&0xff == sqliteIOErr || lite.Code()&0xff == sqliteCorrupt)
}
