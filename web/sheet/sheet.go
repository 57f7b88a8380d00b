// Package sheet writes tables as files that people open in a spreadsheet, and reads such files. It knows nothing of
// payments: a cell is a text, a whole number or a time.
//
// Start at [NewCSV] and [NewXLSX] to write, and at [Read] to read what somebody brings. What comes from people is never
// a formula in what is written ([Neutral]); what is read is text only, within [Limits].
package sheet

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode"
)

// kst is the zone in which times are written: spreadsheets know none.
func kst() *time.Location { return time.FixedZone("KST", 9*60*60) }

// Neutral makes of s what no spreadsheet takes for a formula, now or when it is saved and opened again: what begins
// like one, full-width or behind spaces, gets an apostrophe before it, and no control character is left that could
// begin a line or a cell of its own.
func Neutral(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\r' || r == '\n':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	first := strings.TrimLeftFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
	})
	if first != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(first)[0]) {
		return "'" + s
	}
	return s
}

// Column is one column of a table.
type Column struct {
	Title string
	Width float64 // in characters, where the format has widths
}

// Scratch is a folder for files that live as long as one request; empty means the system's.
type Scratch string

// OpenScratch makes the folder, for this program alone, and takes away what a program that was killed left in it.
func OpenScratch(dir string) (Scratch, error) {
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("scratch folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("scratch folder: %w", err)
	}
	return Scratch(dir), nil
}

// File makes a file that nobody else can open and that is gone with [File.Discard].
func (s Scratch) File() (*File, error) {
	f, err := os.CreateTemp(string(s), "gage-*")
	return &File{f}, err
}

// File is a file in a scratch folder.
type File struct{ *os.File }

// Discard closes the file and takes it away.
func (f *File) Discard() error { return errors.Join(f.Close(), os.Remove(f.Name())) }
