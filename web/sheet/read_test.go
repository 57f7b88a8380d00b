package sheet_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/korean"

	"gage/web/sheet"
)

func read(b []byte, l sheet.Limits) ([][]string, error) {
	return sheet.Read(bytes.NewReader(b), int64(len(b)), l)
}

func utf16Of(s string, mark, swap bool) []byte {
	var b []byte
	if mark {
		s = "\uFEFF" + s
	}
	for _, u := range utf16.Encode([]rune(s)) {
		if swap {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return b
}

// workbookOf is a workbook as Excel would write it.
func workbookOf(t testing.TB, change func(*excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	change(f)
	var b bytes.Buffer
	if _, err := f.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var rows = [][]string{{"거래구분", "TID", "금액"}, {"승인", "gagedemo1m01012611231400001234", "1,000"}, {"", "", "-500"}}

// TestReadLines: every charset and separator that a merchant site may write gives the same table.
func TestReadLines(t *testing.T) {
	text := func(sep string) string {
		return strings.Join([]string{"거래구분" + sep + "TID" + sep + "금액", "승인" + sep + "gagedemo1m01012611231400001234" + sep + `"1,000"`, sep + sep + "-500", ""}, "\r\n")
	}
	cp949, err := korean.EUCKR.NewEncoder().Bytes([]byte(text(",")))
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{
		"UTF-8": []byte(text(",")), "with a mark": []byte("\uFEFF" + text(",")), "tabs": []byte(text("\t")), "semicolons": []byte(text(";")), "CP949": cp949,
		"UTF-16": utf16Of(text(","), true, false), "UTF-16, the other way": utf16Of(text("\t"), true, true), "UTF-16 without a mark": utf16Of(text(","), false, false),
	} {
		if got, err := read(raw, sheet.DefaultLimits()); err != nil || !reflect.DeepEqual(got, rows) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := read([]byte("a,b\n\n\"c\nd\",e"), sheet.DefaultLimits()); err != nil || len(got) != 3 || got[1] != nil || got[2][0] != "c\nd" {
		t.Errorf("lines are not where they stand: %q, %v", got, err)
	}
}

func TestReadWorkbook(t *testing.T) {
	b := workbookOf(t, func(f *excelize.File) {
		for i, row := range [][]any{{"거래구분", "TID", "금액"}, {"승인", "gagedemo1m01012611231400001234", "1,000"}, {nil, nil, -500}} {
			if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
				t.Fatal(err)
			}
		}
	})
	if got, err := read(b, sheet.DefaultLimits()); err != nil || !reflect.DeepEqual(got, rows) {
		t.Errorf("%q, %v", got, err)
	}
	own := func() []byte {
		x, err := sheet.NewXLSX(sheet.Scratch(t.TempDir()), "결제", nil, []sheet.Column{{Title: "금액", Width: 9}})
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		if err := x.Row(int64(3_000_000_000)); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := x.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}()
	if got, err := read(own, sheet.DefaultLimits()); err != nil || got[1][0] != "3000000000" {
		t.Errorf("our own workbook: %q, %v", got, err)
	}
}

// zipped packs parts as a workbook is.
func zipped(t testing.TB, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(parts[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const (
	workbookXML = `<workbook xmlns:r="r"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>`
	relsXML     = `<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>`
)

func sheetOf(t testing.TB, rows string, more ...string) []byte {
	return zipped(t, append([]string{
		"xl/workbook.xml", workbookXML, "xl/_rels/workbook.xml.rels", relsXML, "xl/worksheets/sheet1.xml", "<worksheet><sheetData>" + rows + "</sheetData></worksheet>",
	}, more...)...)
}

// TestReadRefuses: what is too large, packed or unpacked, runs something, points elsewhere, or is no table.
//
// proves S27
func TestReadRefuses(t *testing.T) {
	small := sheet.Limits{Bytes: 1 << 20, Unpacked: 1 << 20, Ratio: 50, Rows: 5, Columns: 4, Cell: 10}
	cellOf := func(place, inside string) string { return `<row r="1"><c r="` + place + `">` + inside + `</c></row>` }
	for name, c := range map[string]struct {
		file []byte
		want sheet.Fault
	}{
		"nothing":              {nil, sheet.FaultEmpty},
		"only empty lines":     {[]byte("\r\n\r\n"), sheet.FaultEmpty},
		"too large":            {bytes.Repeat([]byte("a,b\n"), 1<<19), sheet.FaultSize},
		"too many rows":        {[]byte("a\nb\nc\nd\ne\nf\n"), sheet.FaultRows},
		"too many columns":     {[]byte("a,b,c,d,e\n"), sheet.FaultColumns},
		"too long a cell":      {[]byte("a,12345678901\n"), sheet.FaultCell},
		"an open quote":        {[]byte("\"" + strings.Repeat("a\n", 30)), sheet.FaultCell},
		"a page":               {[]byte("<html><table><tr><td>1</td></tr></table></html>"), sheet.FaultKind},
		"a page with a mark":   {[]byte("\uFEFF <!DOCTYPE html>"), sheet.FaultKind},
		"an old workbook":      {[]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and so on"), sheet.FaultKind},
		"a document":           {[]byte("%PDF-1.7"), sheet.FaultKind},
		"bytes":                {[]byte("a\x00b\x00\x00\x00c"), sheet.FaultKind},
		"half a UTF-16":        {[]byte("\xFF\xFEa"), sheet.FaultBroken},
		"a bad UTF-8":          {[]byte("\uFEFFa\xff"), sheet.FaultBroken},
		"a broken archive":     {[]byte("PK\x03\x04 and so on"), sheet.FaultBroken},
		"an archive":           {zipped(t, "a.txt", "b"), sheet.FaultBroken},
		"no sheet":             {zipped(t, "xl/workbook.xml", "<workbook/>", "xl/_rels/workbook.xml.rels", relsXML), sheet.FaultBroken},
		"a macro":              {sheetOf(t, "", "xl/vbaProject.bin", "x"), sheet.FaultMacro},
		"another file":         {sheetOf(t, "", "xl/externalLinks/externalLink1.xml", "x"), sheet.FaultMacro},
		"something inside":     {sheetOf(t, "", "xl/embeddings/oleObject1.bin", "x"), sheet.FaultMacro},
		"a link":               {zipped(t, "xl/workbook.xml", workbookXML, "xl/_rels/workbook.xml.rels", `<R><Relationship Id="rId1" Target="http://evil.example/" TargetMode="External"/></R>`), sheet.FaultMacro},
		"a formula":            {sheetOf(t, cellOf("A1", "<f>1+1</f><v>2</v>")), sheet.FaultFormula},
		"a doctype":            {sheetOf(t, `<!DOCTYPE a [<!ENTITY b "c">]>`+cellOf("A1", "<v>1</v>")), sheet.FaultBroken},
		"an entity":            {sheetOf(t, cellOf("A1", "<v>&b;</v>")), sheet.FaultBroken},
		"a row far down":       {sheetOf(t, `<row r="1048576"><c><v>1</v></c></row>`), sheet.FaultRows},
		"a column far out":     {sheetOf(t, cellOf("XFD1", "<v>1</v>")), sheet.FaultColumns},
		"a column beyond":      {sheetOf(t, cellOf("ZZZZZZZZ1", "<v>1</v>")), sheet.FaultBroken},
		"rows that go back":    {sheetOf(t, `<row r="3"/><row r="2"/>`), sheet.FaultBroken},
		"no such text":         {sheetOf(t, `<row r="1"><c t="s"><v>7</v></c></row>`), sheet.FaultBroken},
		"no number":            {sheetOf(t, cellOf("A1", "<v>one</v>")), sheet.FaultBroken},
		"a bomb":               {sheetOf(t, "<row><c t=\"inlineStr\"><is><t>"+strings.Repeat("0", 1<<19)+"</t></is></c></row>"), sheet.FaultSize},
		"a bomb of texts":      {sheetOf(t, "<row/>", "xl/sharedStrings.xml", "<sst>"+strings.Repeat("<si><t>a</t></si>", 1<<16)+"</sst>"), sheet.FaultSize},
		"too many parts":       {sheetOf(t, "<row/>", many(600)...), sheet.FaultSize},
		"a long cell in a row": {sheetOf(t, cellOf("A1", "<v>12345678901</v>")), sheet.FaultCell},
	} {
		got, err := read(c.file, small)
		var fault *sheet.Error
		if !errors.As(err, &fault) || fault.Fault != c.want {
			t.Errorf("%s: %q, %v, want %s", name, got, err, c.want)
		}
	}
}

func many(n int) (parts []string) {
	for i := range n {
		parts = append(parts, fmt.Sprintf("xl/part%d.xml", i), "x")
	}
	return parts
}

func checkTable(t *testing.T, table [][]string, err error, l sheet.Limits) {
	var fault *sheet.Error
	if err != nil {
		if !errors.As(err, &fault) || table != nil {
			t.Fatalf("%q with the error %v", table, err)
		}
		return
	}
	if len(table) == 0 || len(table) > l.Rows {
		t.Fatalf("%d rows", len(table))
	}
	for _, row := range table {
		if len(row) > l.Columns {
			t.Fatalf("%d columns", len(row))
		}
		for _, c := range row {
			if utf8.RuneCountInString(c) > l.Cell || !utf8.ValidString(c) || strings.ContainsRune(c, 0) {
				t.Fatalf("the cell %q", c)
			}
		}
	}
}

// FuzzReadLines: whatever the bytes are, they become a table within the limits, or an error.
func FuzzReadLines(f *testing.F) {
	for _, s := range []string{"a,b\n1,2", "\uFEFF가,나\r\n", "a\t\"b\nc\"\td", "\xb0\xa1;\xb3\xaa", "\xff\xfea\x00,\x00b\x00", "\"", "'=1+1,2"} {
		f.Add([]byte(s))
	}
	l := sheet.Limits{Bytes: 1 << 16, Unpacked: 1 << 18, Ratio: 100, Rows: 50, Columns: 20, Cell: 100}
	f.Fuzz(func(t *testing.T, raw []byte) {
		table, err := read(raw, l)
		checkTable(t, table, err, l)
	})
}

// FuzzReadWorkbook changes the parts of a workbook, which a changed archive seldom lets through.
func FuzzReadWorkbook(f *testing.F) {
	f.Add(workbookXML, relsXML, `<row r="1"><c r="A1" t="s"><v>0</v></c><c t="inlineStr"><is><t>a</t></is></c><c><v>1.5</v></c></row>`, `<sst><si><t>a</t></si></sst>`)
	f.Add(workbookXML, relsXML, `<row><c r="B1"><f>1</f></c></row>`, "")
	l := sheet.Limits{Bytes: 1 << 20, Unpacked: 1 << 18, Ratio: 100, Rows: 50, Columns: 20, Cell: 100}
	f.Fuzz(func(t *testing.T, book, rels, rows, texts string) {
		b := zipped(t, "xl/workbook.xml", book, "xl/_rels/workbook.xml.rels", rels, "xl/worksheets/sheet1.xml", "<worksheet>"+rows+"</worksheet>", "xl/sharedStrings.xml", texts)
		table, err := read(b, l)
		checkTable(t, table, err, l)
	})
}

// FuzzReadArchive changes the archive itself.
func FuzzReadArchive(f *testing.F) {
	f.Add(sheetOf(f, `<row r="1"><c r="A1"><v>1</v></c></row>`))
	l := sheet.Limits{Bytes: 1 << 20, Unpacked: 1 << 18, Ratio: 100, Rows: 50, Columns: 20, Cell: 100}
	f.Fuzz(func(t *testing.T, raw []byte) {
		table, err := read(raw, l)
		checkTable(t, table, err, l)
	})
}
