package sheet

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
)

// mostParts is how many files a workbook may be packed of: one of a single table has about ten.
const mostParts = 500

// workbook is an XLSX file whose parts are read within the limits.
type workbook struct {
	parts  map[string]*zip.File
	limits Limits
	left   int64 // of what may still be unpacked
}

func readXLSX(r io.ReaderAt, size int64, l Limits) ([][]string, error) {
	packed, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fault(FaultBroken, 0, err)
	}
	if len(packed.File) > mostParts {
		return nil, fault(FaultSize, 0, nil)
	}
	b := &workbook{parts: map[string]*zip.File{}, limits: l, left: l.Unpacked}
	for _, f := range packed.File {
		name := strings.ToLower(strings.TrimPrefix(f.Name, "/"))
		for _, bad := range []string{"vbaproject", "externallinks/", "embeddings/", "activex", "macrosheets/", "ctrlprops/", ".bin", ".exe", ".dll"} {
			if strings.Contains(name, bad) && !strings.Contains(name, "printersettings") {
				return nil, fault(FaultMacro, 0, nil)
			}
		}
		b.parts[name] = f
	}
	sheet, err := b.firstSheet()
	if err != nil {
		return nil, err
	}
	shared, err := b.sharedStrings()
	if err != nil {
		return nil, err
	}
	return b.table(sheet, shared)
}

// open unpacks a part, no further than the limits let it. What is not there is FaultBroken.
func (b *workbook) open(name string) (io.ReadCloser, error) {
	f := b.parts[strings.ToLower(name)]
	if f == nil {
		return nil, fault(FaultBroken, 0, nil)
	}
	most := min(b.left, max(int64(f.CompressedSize64)*b.limits.Ratio, 1<<16))
	r, err := f.Open()
	if err != nil {
		return nil, fault(FaultBroken, 0, err)
	}
	return &bounded{r, b, most}, nil
}

// bounded ends what is larger than it may be.
type bounded struct {
	io.ReadCloser
	book *workbook
	most int64
}

// Read implements io.Reader.
func (r *bounded) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.most -= int64(n)
	r.book.left -= int64(n)
	if r.most < 0 || r.book.left < 0 {
		return 0, fault(FaultSize, 0, nil)
	}
	return n, err
}

// tokens walks the elements of a part. Its names are without their namespaces.
func (b *workbook) tokens(name string, visit func(d *xml.Decoder, t xml.Token) error) error {
	r, err := b.open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	d := xml.NewDecoder(r)
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			if _, ok := t.(xml.Directive); ok { // a DOCTYPE, which no spreadsheet writes
				return fault(FaultBroken, 0, nil)
			}
			err = visit(d, t)
		}
		var known *Error
		if errors.As(err, &known) {
			return known
		}
		if err != nil {
			return fault(FaultBroken, 0, err)
		}
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// firstSheet is the name of the part with the first table. A workbook that points to other files is refused.
func (b *workbook) firstSheet() (string, error) {
	first := ""
	err := b.tokens("xl/workbook.xml", func(_ *xml.Decoder, t xml.Token) error {
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "sheet" && first == "" && attr(e, "state") == "" {
			first = attr(e, "id")
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	target := ""
	err = b.tokens("xl/_rels/workbook.xml.rels", func(_ *xml.Decoder, t xml.Token) error {
		e, ok := t.(xml.StartElement)
		if !ok || e.Name.Local != "Relationship" {
			return nil
		}
		if strings.EqualFold(attr(e, "TargetMode"), "External") {
			return fault(FaultMacro, 0, nil)
		}
		if attr(e, "Id") == first {
			target = attr(e, "Target")
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if first == "" || target == "" {
		return "", fault(FaultBroken, 0, nil)
	}
	if strings.HasPrefix(target, "/") {
		return path.Clean(target)[1:], nil
	}
	return path.Join("xl", target), nil
}

// sharedStrings are the texts that cells point to; a workbook may have none.
func (b *workbook) sharedStrings() ([]string, error) {
	if b.parts["xl/sharedstrings.xml"] == nil {
		return nil, nil
	}
	var list []string
	var text strings.Builder
	inText, phonetic := false, false
	err := b.tokens("xl/sharedStrings.xml", func(_ *xml.Decoder, t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			inText = t.Name.Local == "t"
			phonetic = phonetic || t.Name.Local == "rPh"
		case xml.CharData:
			if inText && !phonetic {
				text.Write(t)
			}
		case xml.EndElement:
			switch inText = false; t.Name.Local {
			case "rPh":
				phonetic = false
			case "si":
				list = append(list, text.String())
				text.Reset()
			}
		}
		return nil
	})
	return list, err
}

// cell is one that is being read.
type cell struct {
	column  int
	kind    string
	text    strings.Builder
	reading bool
}

// table reads a sheet's rows as text.
func (b *workbook) table(name string, shared []string) ([][]string, error) {
	var table [][]string
	var cells []string
	var c cell
	err := b.tokens(name, func(_ *xml.Decoder, t xml.Token) error {
		row := len(table) + 1
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "row":
				cells = nil
				n, err := strconv.Atoi(attr(t, "r"))
				if err != nil {
					n = row
				}
				if n < row {
					return fault(FaultBroken, row, nil)
				}
				if n > b.limits.Rows {
					return fault(FaultRows, n, nil)
				}
				for len(table) < n-1 {
					table = append(table, nil)
				}
			case "c":
				column, ok := columnOf(attr(t, "r"), len(cells))
				if !ok || column < len(cells) {
					return fault(FaultBroken, row, nil)
				}
				if column >= b.limits.Columns {
					return fault(FaultColumns, row, nil)
				}
				c = cell{column: column, kind: attr(t, "t")}
			case "f":
				return fault(FaultFormula, row, nil)
			case "v", "t":
				c.reading = true
			}
		case xml.CharData:
			if c.reading {
				c.text.Write(t)
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "v", "t":
				c.reading = false
			case "c":
				text, err := cellText(c.kind, c.text.String(), shared)
				if err != nil {
					return fault(FaultBroken, row, err)
				}
				for len(cells) < c.column {
					cells = append(cells, "")
				}
				cells = append(cells, text)
			case "row":
				var err error
				table, err = b.limits.add(table, cells)
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(table) == 0 {
		return nil, fault(FaultEmpty, 0, nil)
	}
	return table, nil
}

// columnOf reads the column of a place such as "BC12"; without one it is the next.
func columnOf(place string, next int) (int, bool) {
	letters := strings.TrimRight(place, "0123456789")
	if place == "" {
		return next, true
	}
	if letters == "" || len(letters) > 3 {
		return 0, false
	}
	n := 0
	for _, r := range letters {
		if r < 'A' || r > 'Z' {
			return 0, false
		}
		n = n*26 + int(r-'A') + 1
	}
	return n - 1, true
}

var errCell = errors.New("a cell that is no text and no number")

// cellText is a cell as a person would type it.
func cellText(kind, v string, shared []string) (string, error) {
	switch kind {
	case "s":
		i, err := strconv.Atoi(strings.TrimSpace(v))
		if err != nil || i < 0 || i >= len(shared) {
			return "", errCell
		}
		return shared[i], nil
	case "inlineStr", "str", "d":
		return v, nil
	case "b":
		return v, nil
	case "", "n":
		v = strings.TrimSpace(v)
		if v == "" {
			return "", nil
		}
		n, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return "", errCell
		}
		return strconv.FormatFloat(n, 'f', -1, 64), nil
	}
	return "", errCell
}
