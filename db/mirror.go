package db

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"gage/app"
)

// mirror is a file on another disk that holds the log a second time, a line a row: nobody hears of success before the
// rows are synced there, too. It is written after the database committed, so that it never holds what the database
// lacks, and it catches up with what it missed.
type mirror struct {
	file mirrorFile
	last int64 // the number of its last row
	size int64 // of its whole lines, in bytes
	// behind: rows that are committed are not here, and nothing else may be stored before they are.
	behind bool
}

// mirrorFile is what of [os.File] a mirror needs.
type mirrorFile interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// ErrMirror says that a mirror is not of these records, or knows more than they do.
var ErrMirror = errors.New("db: the mirror does not fit the records")

// mirrorTail is where the last line is looked for: longer than any line.
const mirrorTail = 1 << 20

// openMirror opens the file, drops what a crash left of a line, and compares the last whole one with the log.
func openMirror(ctx context.Context, path string, d queries) (m *mirror, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("db: mirror: %w", err)
	}
	m = &mirror{file: f}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.close())
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return m, err
	}
	from := max(0, info.Size()-mirrorTail)
	tail, err := io.ReadAll(io.NewSectionReader(f, from, info.Size()-from))
	if err != nil {
		return m, fmt.Errorf("db: mirror: %w", err)
	}
	tail = tail[:bytes.LastIndexByte(tail, '\n')+1]
	if m.size = from + int64(len(tail)); m.size < info.Size() {
		if err := f.Truncate(m.size); err != nil {
			return m, fmt.Errorf("db: mirror: %w", err)
		}
	}
	if len(tail) > 0 {
		last := tail[bytes.LastIndexByte(tail[:len(tail)-1], '\n')+1:]
		if m.last, err = mirrorSeq(last); err != nil {
			return m, err
		}
		now, _, err := d.mirrorLines(ctx, m.last-1, 1)
		if err != nil {
			return m, err
		}
		if !bytes.Equal(now, last) {
			return m, fmt.Errorf("%w: %s ends with row %d, and the log has not that row. After a restore begin another file, and keep this one", ErrMirror, path, m.last)
		}
	} else if m.size > 0 {
		return m, fmt.Errorf("%w: %s", ErrMirror, path)
	}
	return m, syncPath(filepath.Dir(path))
}

func (m *mirror) close() error {
	if m == nil {
		return nil
	}
	return m.file.Close()
}

// lagging says that committed rows are still missing here.
func (m *mirror) lagging() bool { return m != nil && m.behind }

// catchUp appends the rows that are committed and not here, and syncs them. An error that is [app.ErrOverload] may
// pass: the disk is full.
func (m *mirror) catchUp(ctx context.Context, d queries) error {
	if m == nil {
		return nil
	}
	m.behind = true
	wrote := false
	for {
		lines, last, err := d.mirrorLines(ctx, m.last, verifyBatch)
		if err != nil {
			return err
		}
		if last == m.last {
			break
		}
		if _, err := m.file.WriteAt(lines, m.size); err != nil {
			if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
				err = errors.Join(app.ErrOverload, m.file.Truncate(m.size), err)
			}
			return fmt.Errorf("db: mirror: %w", err)
		}
		m.size += int64(len(lines))
		m.last, wrote = last, true
	}
	if wrote {
		if err := m.file.Sync(); err != nil { // whatever the reason: nobody knows what is on that disk
			return fmt.Errorf("db: sync the mirror: %s", err)
		}
	}
	m.behind = false
	return nil
}

// mirrored is a line of a mirror: a row of the log as it stands in its table, and of a message its sealed body.
type mirrored struct {
	Row []any  `json:"row"`
	Raw string `json:"raw,omitempty"`
}

// mirrorLines are the lines of the rows after a number, at most limit, and the number of the last of them.
func (d queries) mirrorLines(ctx context.Context, after int64, limit int) (lines []byte, last int64, err error) {
	rows, err := many(ctx, d, scanLogged, "SELECT "+eventColumns+" FROM events WHERE seq > $1 ORDER BY seq LIMIT $2", after, limit)
	last = after
	for _, r := range rows {
		line := mirrored{Row: r.values}
		if id, ok := strings.CutPrefix(r.record, "messages/"); ok {
			if line.Raw, err = one(ctx, d, scanText, "SELECT raw FROM messages WHERE id = $1", id); err != nil {
				return nil, after, err
			}
		}
		text, err := json.Marshal(line)
		if err != nil {
			return nil, after, err
		}
		lines = append(append(lines, text...), '\n')
		last = r.seq
	}
	return lines, last, err
}

// logged is a row of the log with its values as they stand there.
type logged struct {
	values []any
	seq    int64
	record string
}

func scanLogged(s scanner) (r logged, err error) {
	if _, r.values, err = scanValues(s); err != nil {
		return r, err
	}
	var isSeq, isRecord bool
	r.seq, isSeq = r.values[0].(int64)
	r.record, isRecord = r.values[recordAt].(string)
	if !isSeq || !isRecord {
		err = errors.New("db: a row of the log has other columns")
	}
	return r, err
}

// recordAt is where the record stands in eventColumns.
var recordAt = slices.Index(strings.Split(eventColumns, ", "), "record")

// mirrorSeq reads the number of a line's row.
func mirrorSeq(line []byte) (int64, error) {
	var read struct {
		Row []json.RawMessage `json:"row"`
	}
	var seq int64
	if err := json.Unmarshal(line, &read); err != nil || len(read.Row) == 0 || json.Unmarshal(read.Row[0], &seq) != nil {
		return 0, fmt.Errorf("%w: a line of it can't be read", ErrMirror)
	}
	return seq, nil
}

// VerifyMirror compares a mirror, line by line, with the log, beside a shop that works. Each fault is told in a sentence. It
// returns how many rows are there.
func (s *Store) VerifyMirror(ctx context.Context, path string, fault func(string)) (rows int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("db: mirror: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	err = s.snapshot(ctx, func(d queries) error { // taken after the size: whatever is within that is in the log
		have := bufio.NewReaderSize(io.NewSectionReader(f, 0, info.Size()), mirrorTail)
		for {
			want, last, err := d.mirrorLines(ctx, rows, verifyBatch)
			if err != nil {
				return err
			}
			for line := range bytes.Lines(want) {
				got, err := have.ReadBytes('\n')
				if errors.Is(err, io.EOF) {
					return nil // what follows is being written, or was cut off
				}
				if err != nil {
					return err
				}
				if rows++; !bytes.Equal(got, line) {
					fault(fmt.Sprintf("line %d of the mirror is not row %d of the log", rows, rows))
				}
			}
			if last == rows && len(want) > 0 {
				continue
			}
			if _, err := have.ReadBytes('\n'); err == nil {
				fault(fmt.Sprintf("the mirror goes on after row %d, with which the log ends", rows))
			}
			return nil
		}
	})
	return rows, err
}
