package sheet

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/unicode/norm"
)

// CSV writes a table as lines of cells between commas: UTF-8 with a mark before it that says so, or CP949, lines ending
// as on Windows. Close it when all is written.
type CSV struct {
	lines *csv.Writer
	out   *cp949
	row   int
}

// Lost is text that the charset of a file can't carry: a question mark stands in its place.
type Lost struct {
	Row  int // of the file, from 1
	Text string
}

// NewCSV writes the titles. A CP949 file opens in programs that know no UTF-8.
func NewCSV(w io.Writer, asCP949 bool, columns []Column) (*CSV, error) {
	c := &CSV{}
	if asCP949 {
		c.out = &cp949{to: bufio.NewWriter(w)}
		w = c.out
	} else if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return nil, err
	}
	c.lines = csv.NewWriter(w)
	c.lines.UseCRLF = true
	titles := make([]any, len(columns))
	for i, col := range columns {
		titles[i] = col.Title
	}
	return c, c.Row(titles...)
}

// Row writes one line: texts, int64, times, or nil for nothing.
func (c *CSV) Row(cells ...any) error {
	c.row++
	list := make([]string, len(cells))
	for i, cell := range cells {
		switch v := cell.(type) {
		case nil:
		case int64:
			list[i] = strconv.FormatInt(v, 10)
		case time.Time:
			if !v.IsZero() {
				list[i] = v.In(kst()).Format(time.DateTime)
			}
		case string:
			list[i] = Neutral(v)
		default:
			return fmt.Errorf("sheet: a cell of type %T", cell)
		}
	}
	if c.out != nil {
		if err := c.flush(); err != nil { // so that what is lost is known to be this row's
			return err
		}
		c.out.row = c.row
	}
	return c.lines.Write(list)
}

// Close writes out what waits.
func (c *CSV) Close() error {
	if err := c.flush(); err != nil || c.out == nil {
		return err
	}
	return c.out.to.Flush()
}

func (c *CSV) flush() error {
	c.lines.Flush()
	return c.lines.Error()
}

// mostLost is how many losses are remembered: they are examples.
const mostLost = 20

// Lost lists what could not be written, at most so many as a person reads, and says how many rows it was in.
func (c *CSV) Lost() (examples []Lost, rows int) {
	if c.out == nil {
		return nil, 0
	}
	return c.out.lost, c.out.lostRows
}

// cp949 encodes whole characters and remembers what it can't.
type cp949 struct {
	to       *bufio.Writer
	row      int
	lost     []Lost
	lostRows int
	lastRow  int
}

// Write implements io.Writer. It is only given whole texts: csv.Writer is flushed row by row.
func (w *cp949) Write(p []byte) (int, error) {
	enc := korean.EUCKR.NewEncoder()
	for _, r := range norm.NFC.String(string(p)) {
		b := []byte{byte(r)}
		if r >= utf8.RuneSelf {
			var err error
			if b, err = enc.Bytes([]byte(string(r))); err != nil || r == utf8.RuneError {
				w.miss(r)
				b = []byte{'?'}
			}
		}
		if _, err := w.to.Write(b); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (w *cp949) miss(r rune) {
	if w.lastRow != w.row {
		w.lastRow = w.row
		w.lostRows++
	}
	if len(w.lost) < mostLost {
		w.lost = append(w.lost, Lost{w.row, string(r)})
	}
}
