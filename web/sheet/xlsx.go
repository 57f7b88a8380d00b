package sheet

import (
	"fmt"
	"io"
	"time"

	"github.com/xuri/excelize/v2"
)

// XLSX writes a table as an Excel workbook, row by row: what does not fit into a buffer waits in a scratch file. Close
// it in any case.
type XLSX struct {
	book    *excelize.File
	rows    *excelize.StreamWriter
	columns []Column
	row     int // the last one written
	head    int // the row of the titles

	styleTitle, styleHead, styleText, styleWon, styleTime, styleFoot, styleFootWon int
}

// NewXLSX begins a workbook of one sheet: lines that say what it is, then the titles, which stay in sight.
func NewXLSX(scratch Scratch, name string, lines []string, columns []Column) (x *XLSX, err error) {
	x = &XLSX{book: excelize.NewFile(excelize.Options{TmpDir: string(scratch)}), columns: columns}
	defer func() {
		if err != nil {
			_ = x.Close()
		}
	}()
	if err := x.book.SetSheetName("Sheet1", name); err != nil {
		return nil, err
	}
	if err := x.styles(); err != nil {
		return nil, err
	}
	if x.rows, err = x.book.NewStreamWriter(name); err != nil {
		return nil, err
	}
	x.head = len(lines) + 1
	for i, col := range columns {
		if err := x.rows.SetColWidth(i+1, i+1, col.Width); err != nil {
			return nil, err
		}
	}
	corner, err := excelize.CoordinatesToCellName(1, x.head+1)
	if err != nil {
		return nil, err
	}
	if err := x.rows.SetPanes(&excelize.Panes{Freeze: true, YSplit: x.head, TopLeftCell: corner, ActivePane: "bottomLeft"}); err != nil {
		return nil, err
	}
	for i, line := range lines {
		style := x.styleText
		if i == 0 {
			style = x.styleTitle
		}
		if err := x.write(style, []any{line}); err != nil {
			return nil, err
		}
	}
	titles := make([]any, len(columns))
	for i, col := range columns {
		titles[i] = col.Title
	}
	return x, x.write(x.styleHead, titles)
}

func (x *XLSX) styles() error {
	won, at := "#,##0", "yyyy-mm-dd hh:mm:ss"
	grey := excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"EEF1F5"}}
	line := []excelize.Border{{Type: "top", Style: 1, Color: "7A8699"}}
	for _, s := range []struct {
		to    *int
		style excelize.Style
	}{
		{&x.styleTitle, excelize.Style{Font: &excelize.Font{Bold: true, Size: 13}}},
		{&x.styleHead, excelize.Style{Font: &excelize.Font{Bold: true}, Fill: grey}},
		{&x.styleText, excelize.Style{NumFmt: 49}},
		{&x.styleWon, excelize.Style{CustomNumFmt: &won}},
		{&x.styleTime, excelize.Style{CustomNumFmt: &at}},
		{&x.styleFoot, excelize.Style{Font: &excelize.Font{Bold: true}, Border: line}},
		{&x.styleFootWon, excelize.Style{Font: &excelize.Font{Bold: true}, Border: line, CustomNumFmt: &won}},
	} {
		id, err := x.book.NewStyle(&s.style)
		if err != nil {
			return err
		}
		*s.to = id
	}
	return nil
}

// Row writes one row: texts, int64, times, or nil for nothing.
func (x *XLSX) Row(cells ...any) error { return x.write(0, cells) }

// write writes a row; style is of its texts, zero: those of the table.
func (x *XLSX) write(style int, cells []any) error {
	x.row++
	list := make([]any, len(cells))
	for i, cell := range cells {
		switch v := cell.(type) {
		case nil:
		case int64:
			list[i] = excelize.Cell{StyleID: x.styleWon, Value: v}
		case time.Time:
			if !v.IsZero() { // a serial number has no zone: what it shows is Korea's clock
				at := v.In(kst())
				y, m, d := at.Date()
				list[i] = excelize.Cell{StyleID: x.styleTime, Value: time.Date(y, m, d, at.Hour(), at.Minute(), at.Second(), 0, time.UTC)}
			}
		case string:
			if v != "" {
				list[i] = excelize.Cell{StyleID: or(style, x.styleText), Value: Neutral(v)}
			}
		default:
			return fmt.Errorf("sheet: a cell of type %T", cell)
		}
	}
	at, err := excelize.CoordinatesToCellName(1, x.row)
	if err != nil {
		return err
	}
	return x.rows.SetRow(at, list)
}

func or(style, otherwise int) int {
	if style != 0 {
		return style
	}
	return otherwise
}

// Foot writes the sums below the table, as formulas that follow the filter; sums has what they come to, by column.
func (x *XLSX) Foot(label string, sums map[int]int64) error {
	last := x.row
	x.row++
	list := make([]any, len(x.columns))
	list[0] = excelize.Cell{StyleID: x.styleFoot, Value: Neutral(label)}
	for i := 1; i < len(list); i++ {
		cell := excelize.Cell{StyleID: x.styleFoot}
		if sum, ok := sums[i]; ok {
			name, err := excelize.ColumnNumberToName(i + 1)
			if err != nil {
				return err
			}
			cell = excelize.Cell{StyleID: x.styleFootWon, Value: sum}
			if last > x.head {
				cell.Formula = fmt.Sprintf("SUBTOTAL(109,%s%d:%s%d)", name, x.head+1, name, last)
			}
		}
		list[i] = cell
	}
	at, err := excelize.CoordinatesToCellName(1, x.row)
	if err != nil {
		return err
	}
	if err := x.rows.SetRow(at, list); err != nil {
		return err
	}
	if last <= x.head {
		return nil
	}
	end, err := excelize.CoordinatesToCellName(len(x.columns), last)
	if err != nil {
		return err
	}
	return x.book.AutoFilter(x.book.GetSheetName(0), fmt.Sprintf("A%d:%s", x.head, end), nil)
}

// WriteTo ends the workbook and writes it.
func (x *XLSX) WriteTo(w io.Writer) (int64, error) {
	if err := x.rows.Flush(); err != nil {
		return 0, err
	}
	return x.book.WriteTo(w)
}

// Close takes away what waited on the disk.
func (x *XLSX) Close() error { return x.book.Close() }
