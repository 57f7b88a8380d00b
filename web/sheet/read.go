package sheet

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/korean"
)

// Limits bound what a file that somebody brings may hold.
type Limits struct {
	Bytes    int64 // of the file
	Unpacked int64 // of what is packed in it, all together
	Ratio    int64 // how many times larger than its packed form anything in it may be
	Rows     int
	Columns  int
	Cell     int // characters
}

// DefaultLimits are generous for a month's list, and small for a server.
func DefaultLimits() Limits {
	return Limits{Bytes: 8 << 20, Unpacked: 96 << 20, Ratio: 200, Rows: 20_020, Columns: 100, Cell: 2_000}
}

// Fault is why a file is not read.
type Fault string

// The faults.
const (
	FaultSize    Fault = "size"    // too large, packed or not
	FaultRows    Fault = "rows"    // too many
	FaultColumns Fault = "columns" // too many
	FaultCell    Fault = "cell"    // too long a text in one
	FaultFormula Fault = "formula" // only texts and numbers are taken
	FaultMacro   Fault = "macro"   // a program, or a pointer to another file, is in it
	FaultKind    Fault = "kind"    // neither CSV nor XLSX
	FaultBroken  Fault = "broken"  // not what it begins as
	FaultEmpty   Fault = "empty"
)

// Error says what is wrong with a file, and where.
type Error struct {
	Fault Fault
	Row   int // from 1; zero: nowhere in particular
	Cause error
}

// Error implements error. It tells nothing of what stands in the file.
func (e *Error) Error() string { return fmt.Sprintf("sheet: %s in row %d", e.Fault, e.Row) }

// Unwrap is what the reader of the format said.
func (e *Error) Unwrap() error { return e.Cause }

func fault(f Fault, row int, cause error) error { return &Error{f, row, cause} }

// Read reads the first table of a file, as text: an XLSX workbook, or lines of cells between commas, tabs or semicolons
// in UTF-8, UTF-16 or CP949. Rows that are not there are empty. Errors are *Error, or those of reading r.
func Read(r io.ReaderAt, size int64, l Limits) ([][]string, error) {
	if size > l.Bytes {
		return nil, fault(FaultSize, 0, nil)
	}
	head := make([]byte, min(size, 1024))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case size == 0:
		return nil, fault(FaultEmpty, 0, nil)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return readXLSX(r, size, l)
	case bytes.HasPrefix(head, []byte("\xD0\xCF\x11\xE0")), bytes.HasPrefix(head, []byte("%PDF")), // an older Excel's, or no table at all
		bytes.HasPrefix(bytes.ToLower(bytes.TrimLeft(head, "\xEF\xBB\xBF \r\n\t")), []byte("<")):
		return nil, fault(FaultKind, 0, nil)
	}
	raw := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), raw); err != nil {
		return nil, err
	}
	text, err := decode(raw)
	if err != nil {
		return nil, err
	}
	return readLines(text, l)
}

// decode decides for the whole file: by its mark, else by its zero bytes, else UTF-8 only if all of it is valid and it
// is ASCII or has Hangul, else CP949.
func decode(raw []byte) (string, error) {
	switch {
	case bytes.HasPrefix(raw, []byte("\xFF\xFE")):
		return decode16(raw[2:], 0, 1)
	case bytes.HasPrefix(raw, []byte("\xFE\xFF")):
		return decode16(raw[2:], 1, 0)
	case bytes.HasPrefix(raw, []byte("\xEF\xBB\xBF")):
		if raw = raw[3:]; !utf8.Valid(raw) {
			return "", fault(FaultBroken, 0, nil)
		}
		return string(raw), nil
	}
	if low, high := zeros(raw); low+high > 0 {
		switch {
		case high > len(raw)/8 && low < high/4:
			return decode16(raw, 0, 1)
		case low > len(raw)/8 && high < low/4:
			return decode16(raw, 1, 0)
		}
		return "", fault(FaultKind, 0, nil)
	}
	if text := string(raw); utf8.Valid(raw) && (isASCII(text) || strings.ContainsFunc(text, isHangul)) {
		return text, nil
	}
	text, err := korean.EUCKR.NewDecoder().Bytes(raw)
	if err != nil {
		return "", fault(FaultBroken, 0, err)
	}
	return string(text), nil
}

// zeros counts the zero bytes of the beginning at even and at odd places.
func zeros(raw []byte) (low, high int) {
	for i, b := range raw {
		if b == 0 {
			if i%2 == 0 {
				low++
			} else {
				high++
			}
		}
	}
	return low, high
}

func decode16(raw []byte, low, high int) (string, error) {
	if len(raw)%2 != 0 {
		return "", fault(FaultBroken, 0, nil)
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i+low]) | uint16(raw[2*i+high])<<8
	}
	return string(utf16.Decode(units)), nil
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

func isHangul(r rune) bool { return unicode.Is(unicode.Hangul, r) }

// readLines reads cells between whatever stands most often outside of quotes in the first lines.
func readLines(text string, l Limits) ([][]string, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = separator(text), -1, true
	var table [][]string
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault(FaultBroken, len(table)+1, err)
		}
		line, _ := r.FieldPos(0)
		for len(table) < line-1 && len(table) < l.Rows { // empty lines, and those within quotes
			table = append(table, nil)
		}
		if table, err = l.add(table, cells); err != nil {
			return nil, err
		}
	}
	if len(table) == 0 {
		return nil, fault(FaultEmpty, 0, nil)
	}
	return table, nil
}

// add takes one row on, if it is within the limits, without what no text can hold.
func (l Limits) add(table [][]string, cells []string) ([][]string, error) {
	row := len(table) + 1
	if row > l.Rows {
		return nil, fault(FaultRows, row, nil)
	}
	if len(cells) > l.Columns {
		return nil, fault(FaultColumns, row, nil)
	}
	for i, c := range cells {
		if utf8.RuneCountInString(c) > l.Cell {
			return nil, fault(FaultCell, row, nil)
		}
		cells[i] = strings.Map(func(r rune) rune {
			if r == 0 || r == utf8.RuneError {
				return -1
			}
			return r
		}, c)
	}
	return append(table, cells), nil
}

// separator is the comma, tab or semicolon that the first lines have most of.
func separator(text string) rune {
	count := map[rune]int{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 0; n < 5 && lines.Scan(); n++ {
		quoted := false
		for _, r := range lines.Text() {
			if r == '"' {
				quoted = !quoted
			}
			if !quoted {
				count[r]++
			}
		}
	}
	best := ','
	for _, r := range []rune{'\t', ';'} {
		if count[r] > count[best] {
			best = r
		}
	}
	return best
}
