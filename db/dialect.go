package db

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
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

// migrations says how the migrations' own tool calls the engine, and the folder of what only it needs.
func (e engine) migrations() (goose.Dialect, string) {
	if e == engineSQLite {
		return goose.DialectSQLite3, "sqlite"
	}
	return goose.DialectPostgres, "postgres"
}

// listTables asks the catalogue for the names of all tables, the full-text index among them as if it were one.
func (e engine) listTables() string {
	if e == engineSQLite {
		return "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') AND substr(name, 1, 7) <> 'sqlite_'"
	}
	return "SELECT CAST(relname AS TEXT) FROM pg_class WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relkind IN ('r', 'p')"
}

// listColumns asks for a table's columns, without those that the database computes: $1 table.
func (e engine) listColumns() string {
	if e == engineSQLite { // a full-text table's row number is not among its columns
		return `SELECT name FROM pragma_table_xinfo($1) WHERE hidden = 0
			UNION SELECT 'rowid' FROM pragma_table_list WHERE schema = 'main' AND type = 'virtual' AND name = $1`
	}
	return "SELECT CAST(attname AS TEXT) FROM pg_attribute WHERE attrelid = CAST(quote_ident($1) AS regclass) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
}

// listKey asks for the primary key of a table, as expressions that order by bytes: $1 table.
func (e engine) listKey() string {
	if e == engineSQLite {
		return `SELECT '"' || name || '"' FROM (SELECT name, pk FROM pragma_table_xinfo($1) WHERE pk > 0
			UNION SELECT 'rowid', 0 FROM pragma_table_list WHERE schema = 'main' AND type = 'virtual' AND name = $1) ORDER BY pk`
	}
	return `SELECT quote_ident(a.attname) || CASE WHEN a.attcollation <> 0 THEN ' COLLATE "C"' ELSE '' END
		FROM pg_index i CROSS JOIN LATERAL unnest(CAST(i.indkey AS int2[])) WITH ORDINALITY AS k (attnum, place)
		JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
		WHERE i.indrelid = CAST(quote_ident($1) AS regclass) AND i.indisprimary ORDER BY k.place`
}

// listNeeds asks which tables a table's foreign keys point to: $1 table.
func (e engine) listNeeds() string {
	if e == engineSQLite {
		return `SELECT DISTINCT "table" FROM pragma_foreign_key_list($1)`
	}
	return `SELECT DISTINCT CAST(c.relname AS TEXT) FROM pg_constraint k JOIN pg_class c ON c.oid = k.confrelid
		WHERE k.conrelid = CAST(quote_ident($1) AS regclass) AND k.contype = 'f'`
}

// joinInOrder joins a second table to a first one that is to be gone through: SQLite else prefers the second, where an
// index has the order that is asked for.
func (e engine) joinInOrder() string {
	if e == engineSQLite {
		return "CROSS JOIN"
	}
	return "JOIN"
}

// searchIndex finds the rows of the search index that hold all words of its one parameter.
func (e engine) searchIndex() string {
	if e == engineSQLite {
		return "SELECT rowid AS id FROM payment_search WHERE payment_search MATCH %s"
	}
	return "SELECT rowid AS id FROM payment_search WHERE to_tsvector('simple', body) @@ to_tsquery('simple', %s)"
}

// allOf asks for all of these words, which are letters and digits only.
func (e engine) allOf(words string) string {
	if e == engineSQLite {
		return strings.ReplaceAll(words, " ", " AND ")
	}
	return strings.ReplaceAll(words, " ", " & ")
}

// Result codes of SQLite and states of PostgreSQL.
const (
	sqliteBusy, sqliteFull                 = 5, 13
	sqliteIOErr, sqliteCorrupt, sqliteNoDB = 10, 11, 26
	sqliteUnique, sqlitePrimary            = 2067, 1555
	pgUnique, pgSerialization, pgDeadlock  = "23505", "40001", "40P01"
	pgDamaged, pgIndexDamaged              = "XX001", "XX002"
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

// ErrDamaged says that what stands in the records can't be what was written there.
var ErrDamaged = errors.New("damaged")

// Damaged tells an error that found damage from one that kept somebody from looking, such as a lost connection.
func Damaged(err error) bool {
	var lite *sqlite.Error
	var pg *pgconn.PgError
	return errors.Is(err, ErrDamaged) || errors.Is(err, app.ErrWrongKey) || damaged(err) || errors.As(err, &lite) && lite.Code()&0xff == sqliteNoDB ||
		errors.As(err, &pg) && (pg.Code == pgDamaged || pg.Code == pgIndexDamaged)
}

// full says that SQLite had no room on the disk.
func full(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == sqliteFull
}
