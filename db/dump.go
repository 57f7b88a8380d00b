package db

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// dumpFormat is the version of the form in which records are written down.
const dumpFormat = 1

// DumpHeader is the first line of a dump: what it is of.
type DumpHeader struct {
	Format    int       `json:"gage_dump"`
	Schema    int64     `json:"schema"` // the number of the last migration
	Created   time.Time `json:"created"`
	Program   string    `json:"program"`              // the version that wrote it
	LastEvent int64     `json:"last_event"`           // the number of the newest event; 0: there was none
	ChainHead string    `json:"chain_head,omitempty"` // the hash of that event
	Key       string    `json:"key,omitempty"`        // the key file's content: a dump with it must not lie about unsealed
}

// Total is what a dump holds of one table.
type Total struct {
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"` // of its lines
}

// Totals are the last line of a dump, by table: whoever reads that far has read everything.
type Totals map[string]Total

// Rows are the rows of all tables together.
func (t Totals) Rows() (n int64) {
	for _, one := range t {
		n += one.Rows
	}
	return n
}

// differ names the first table in which two dumps are not the same; empty: they are.
func (t Totals) differ(other Totals) string {
	names := make([]string, 0, len(t)+len(other))
	for _, m := range []Totals{t, other} {
		for name := range m {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		a, inA := t[name]
		b, inB := other[name]
		if !inA || !inB || a != b {
			return fmt.Sprintf("table %s has %d rows here and %d there", name, a.Rows, b.Rows)
		}
	}
	return ""
}

// Source reads a whole database as it stood at one moment, beside whoever writes to it: it takes no lock and changes
// nothing.
type Source struct {
	engine engine
	db     *sql.DB
	pool   *pgxpool.Pool // PostgreSQL only
}

// OpenSource opens an existing database for reading. A schema newer than this program is refused.
func OpenSource(ctx context.Context, c Config) (_ *Source, err error) {
	s := &Source{engine: engineSQLite}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if c.URL != "" {
		s.engine = enginePostgres
		if s.pool, err = newPool(ctx, c); err != nil {
			return nil, err
		}
		s.db = stdlib.OpenDBFromPool(s.pool)
	} else {
		if _, err := os.Stat(c.Path); err != nil {
			return nil, fmt.Errorf("db: %w", err)
		}
		if err := prepareSQLite(); err != nil {
			return nil, err
		}
		path, err := filepath.Abs(c.Path)
		if err != nil {
			return nil, err
		}
		if s.db, err = sql.Open("sqlite", sqliteURI(path)+"?mode=ro&_busy_timeout=5000&_query_only=1&_dqs=0&_defensive=1&_error_rc=1"); err != nil {
			return nil, err
		}
	}
	s.db.SetMaxOpenConns(1)
	have, err := schemaVersion(ctx, queries{q: s.db, engine: s.engine})
	if err != nil {
		return nil, fmt.Errorf("db: this holds no shop's records: %w", err)
	}
	newest, err := newestSchema()
	if err != nil {
		return nil, err
	}
	if have > newest {
		return nil, tooNew(have, newest)
	}
	return s, nil
}

// Close closes it.
func (s *Source) Close() error {
	var err error
	if s.db != nil {
		err = s.db.Close()
	}
	if s.pool != nil {
		s.pool.Close()
	}
	return err
}

// Check has SQLite read through its whole file and reports damage. PostgreSQL has checksums of its own.
func (s *Source) Check(ctx context.Context) error {
	if s.engine != engineSQLite {
		return nil
	}
	return checkPages(ctx, queries{q: s.db, engine: s.engine}, checkAll)
}

// How a SQLite file is looked through: all of it; or all but whether the indexes fit their tables, which takes a
// fraction of the time.
const (
	checkAll   = "PRAGMA integrity_check(5)"
	checkQuick = "PRAGMA quick_check(5)"
)

// checkPages reads every page of a SQLite file.
func checkPages(ctx context.Context, d queries, how string) error {
	found, err := many(ctx, d, scanText, how)
	if err != nil {
		return fmt.Errorf("db: the file can't be read through: %w", err)
	}
	if len(found) != 1 || found[0] != "ok" {
		return fmt.Errorf("db: the file is %w: %s", ErrDamaged, strings.Join(found, "; "))
	}
	return nil
}

// Dump writes down every row of every table as of one moment. It fills in what the header says of the records; the
// rest of h is the caller's. Rows are JSON, a line each, in an order that does not depend on the engine.
func (s *Source) Dump(ctx context.Context, w io.Writer, h DumpHeader) (DumpHeader, Totals, error) {
	opts := &sql.TxOptions{ReadOnly: true}
	if s.engine == enginePostgres {
		opts.Isolation = sql.LevelRepeatableRead
	}
	tx, err := s.db.BeginTx(ctx, opts)
	if err != nil {
		return h, nil, err
	}
	defer tx.Rollback() // it wrote nothing
	d := queries{q: tx, engine: s.engine}
	if h, err = describe(ctx, d, h); err != nil {
		return h, nil, err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	if err := writeLine(out, h); err != nil {
		return h, nil, err
	}
	totals, err := dumpTables(ctx, d, out)
	if err != nil {
		return h, nil, err
	}
	return h, totals, errors.Join(writeLine(out, dumpEnd{totals}), out.Flush())
}

// describe fills in what a header says of the records.
func describe(ctx context.Context, d queries, h DumpHeader) (DumpHeader, error) {
	var err error
	h.Format = dumpFormat
	if h.Schema, err = schemaVersion(ctx, d); err != nil {
		return h, err
	}
	if h.LastEvent, err = one(ctx, d, scanInt, "SELECT COALESCE(MAX(seq), 0) FROM events"); err != nil {
		return h, err
	}
	columns, err := many(ctx, d, scanText, d.engine.listColumns(), "events")
	if err != nil || h.LastEvent == 0 || !slices.Contains(columns, "hash") {
		return h, err
	}
	h.ChainHead, err = one(ctx, d, scanText, "SELECT hash FROM events WHERE seq = $1", h.LastEvent)
	return h, err
}

// The lines of a dump that are not rows.
type (
	dumpTable struct {
		Table   string   `json:"table"`
		Columns []string `json:"columns"`
	}
	dumpEnd struct {
		Totals Totals `json:"totals"`
	}
)

func writeLine(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// dumpTables writes all tables and says what it wrote.
func dumpTables(ctx context.Context, d queries, w io.Writer) (Totals, error) {
	all, err := tables(ctx, d)
	if err != nil {
		return nil, err
	}
	totals := Totals{}
	for _, t := range all {
		if err := writeLine(w, dumpTable{t.name, t.columns}); err != nil {
			return nil, err
		}
		if totals[t.name], err = dumpRows(ctx, d, t, w); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	return totals, nil
}

// counted is a table's total while it grows.
type counted struct {
	rows int64
	sum  hash.Hash
}

func (c *counted) add(line []byte) { c.rows++; c.sum.Write(line) }

func (c *counted) total() Total { return Total{c.rows, hex.EncodeToString(c.sum.Sum(nil))} }

func dumpRows(ctx context.Context, d queries, t table, w io.Writer) (Total, error) {
	rows, err := d.q.QueryContext(ctx, "SELECT "+quoted(t.columns)+" FROM "+quote(t.name)+" ORDER BY "+strings.Join(t.order, ", "))
	if err != nil {
		return Total{}, err
	}
	defer rows.Close()
	values, into := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range values {
		into[i] = &values[i]
	}
	c := counted{sum: sha256.New()}
	var line []byte
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return Total{}, err
		}
		if line, err = appendRow(line[:0], values); err != nil {
			return Total{}, err
		}
		c.add(line)
		if _, err := w.Write(line); err != nil {
			return Total{}, err
		}
	}
	return c.total(), rows.Err()
}

// appendRow writes a row as a JSON array and a line's end.
func appendRow(line []byte, values []any) ([]byte, error) {
	for i, v := range values {
		line = append(line, "[,"[min(i, 1)])
		switch v := v.(type) {
		case nil:
			line = append(line, "null"...)
		case int64:
			line = strconv.AppendInt(line, v, 10)
		case []byte:
			line = append(line, `{"bytes":"`+base64.StdEncoding.EncodeToString(v)+`"}`...)
		case string:
			if !utf8.ValidString(v) { // JSON would put another text in its place
				line = append(line, `{"text":"`+base64.StdEncoding.EncodeToString([]byte(v))+`"}`...)
				continue
			}
			text, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			line = append(line, text...)
		default:
			return nil, fmt.Errorf("a value of type %T can't be written down", v)
		}
	}
	return append(line, ']', '\n'), nil
}

// readValue reads what appendRow wrote.
func readValue(raw any) (any, error) {
	switch v := raw.(type) {
	case nil, string:
		return v, nil
	case json.Number:
		return strconv.ParseInt(v.String(), 10, 64)
	case map[string]any:
		for kind, b64 := range v {
			text, ok := b64.(string)
			b, err := base64.StdEncoding.DecodeString(text)
			switch {
			case !ok || err != nil || len(v) != 1:
			case kind == "bytes":
				return b, nil
			case kind == "text":
				return string(b), nil
			}
		}
	}
	return nil, ErrDumpDamaged
}

// ErrDumpDamaged says that a dump is not as it was written.
var ErrDumpDamaged = errors.New("the backup is damaged or cut short")

// dumpReader reads a dump from its first line to its last.
type dumpReader struct {
	r      *bufio.Reader
	header DumpHeader
	totals Totals // as counted while reading
}

// ReadDumpHeader reads the first line of a dump. It refuses forms and schemas that this program does not know.
func ReadDumpHeader(r io.Reader) (DumpHeader, error) {
	d, err := newDumpReader(r)
	if err != nil {
		return DumpHeader{}, err
	}
	return d.header, nil
}

func newDumpReader(r io.Reader) (*dumpReader, error) {
	d := &dumpReader{r: bufio.NewReaderSize(r, 1<<16), totals: Totals{}}
	line, err := d.line()
	if err != nil {
		return nil, err
	}
	if json.Unmarshal(line, &d.header) != nil || d.header.Format == 0 {
		return nil, ErrDumpDamaged
	}
	newest, err := newestSchema()
	switch {
	case err != nil:
		return nil, err
	case d.header.Format > dumpFormat:
		return nil, fmt.Errorf("the backup has the form %d, and this program knows %d: restore it with the program that wrote it (%s) or a newer one", d.header.Format, dumpFormat, d.header.Program)
	case d.header.Schema > newest:
		return nil, tooNew(d.header.Schema, newest)
	}
	return d, nil
}

func (d *dumpReader) line() ([]byte, error) {
	line, err := d.r.ReadBytes('\n')
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, ErrDumpDamaged
	}
	return line, err
}

// each calls table for every table and row for every row of it, and returns when all was read and nothing is missing.
func (d *dumpReader) each(begin func(dumpTable) error, row func([]any) error) error {
	var name string
	var c counted
	end := func() {
		if name != "" {
			d.totals[name] = c.total()
		}
	}
	for {
		line, err := d.line()
		if err != nil {
			return err
		}
		if line[0] == '[' && name != "" {
			c.add(line)
			values, err := readRow(line)
			if err != nil {
				return err
			}
			if err := row(values); err != nil {
				return err
			}
			continue
		}
		end()
		var next struct {
			dumpTable
			dumpEnd
		}
		if json.Unmarshal(line, &next) != nil {
			return ErrDumpDamaged
		}
		if next.Totals != nil {
			return d.finish(next.Totals)
		}
		if next.Table == "" || len(next.Columns) == 0 {
			return ErrDumpDamaged
		}
		name, c = next.Table, counted{sum: sha256.New()}
		if err := begin(next.dumpTable); err != nil {
			return err
		}
	}
}

// finish compares what was read with what the last line says, and wants nothing behind it.
func (d *dumpReader) finish(want Totals) error {
	if _, err := d.r.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.Join(err, ErrDumpDamaged)
	}
	if d.totals.differ(want) != "" {
		return ErrDumpDamaged
	}
	return nil
}

func readRow(line []byte) ([]any, error) {
	dec := json.NewDecoder(strings.NewReader(string(line)))
	dec.UseNumber()
	var values []any
	if err := dec.Decode(&values); err != nil {
		return nil, ErrDumpDamaged
	}
	for i := range values {
		var err error
		if values[i], err = readValue(values[i]); err != nil {
			return nil, ErrDumpDamaged
		}
	}
	return values, nil
}

// CheckDump reads a dump to its end and reports whether anything is missing or was changed.
func CheckDump(ctx context.Context, r io.Reader) (DumpHeader, Totals, error) {
	d, err := newDumpReader(r)
	if err != nil {
		return DumpHeader{}, nil, err
	}
	err = d.each(func(dumpTable) error { return ctx.Err() }, func([]any) error { return nil })
	return d.header, d.totals, err
}
