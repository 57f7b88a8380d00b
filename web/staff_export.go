package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/sheet"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

// The formats of a file, as the form names them.
const (
	formatXLSX  = "xlsx"
	formatCSV   = "csv"
	formatCP949 = "csv-cp949"
)

// getExport handles GET /admin/export: what would be taken out of the list with these filters, and the form for it.
func (s *Server) getExport(c echo.Context) error {
	return s.showExport(c, http.StatusOK, readListState(c.QueryParams()), templates.ExportForm{Format: formatXLSX})
}

func (s *Server) showExport(c echo.Context, status int, l listState, form templates.ExportForm) error {
	ctx := c.Request().Context()
	l.after = ""
	frame, err := s.staffFrame(c, "payments", "staff.export.title")
	if err != nil {
		return err
	}
	sums, whole, err := s.Shop.Sums(ctx, l.q, l.filter(s.Now()))
	if err != nil {
		return err
	}
	ses, err := s.session(c)
	if err != nil {
		return err
	}
	p := templates.ExportPage{
		StaffFrame: frame, Back: l.href(), Sums: sumRows(ctx, sums, l.clock), TooMany: !whole, Form: form, Email: staffOf(c).Email,
		Password: !s.isFresh(ses),
	}
	if l.mode == "" && len(sums) == 1 {
		l.mode = string(sums[0].Mode)
	}
	p.Form.Action, p.Form.Key = "/admin/export", rand.Text()
	p.Form.Keep = l.parts()
	p.Form.Reasons = exportReasons(ctx)
	p.AskMode = l.mode == ""
	for _, m := range modes() {
		p.Modes = append(p.Modes, templates.Option{Value: string(m), Label: text.T(ctx, "staff.mode."+string(m))})
	}
	return s.render(c, status, templates.Export(p))
}

func exportReasons(ctx context.Context) (list []templates.Option) {
	for _, r := range app.ExportReasons() {
		list = append(list, templates.Option{Value: string(r), Label: text.T(ctx, "staff.why."+string(r))})
	}
	return list
}

// postExport handles POST /admin/export: the file is made first, then recorded, and only then sent, so that nobody gets
// half a file and what can't be recorded is not taken out. Who leaves meanwhile ends it.
func (s *Server) postExport(c echo.Context) error {
	ctx := c.Request().Context()
	values, err := c.FormParams()
	if err != nil {
		return app.ErrBadInput
	}
	l := readListState(values)
	in := app.ExportInput{
		Query: l.q, Filter: l.filter(s.Now()), Personal: values.Get("personal") == "yes", Format: values.Get("format"), Why: readWhy(c),
	}
	asked := l
	asked.after = ""
	_, in.Asked, _ = strings.Cut(asked.href(), "?")
	form := templates.ExportForm{Format: in.Format, Personal: in.Personal, Reason: string(in.Why.Reason), Words: in.Why.Words}
	if err := s.Shop.CheckExport(staffOf(c), in); err != nil {
		return s.exportAgain(c, l, form, err)
	}
	out, err := s.newTable(ctx, in.Format, text.T(ctx, "staff.list.title"), exportHead(ctx, in, s.Now()), exportColumns(ctx, in.Filter.Clock))
	if err != nil {
		return err
	}
	defer out.discard(s)
	done := s.exports.begin(values.Get("key"), staffOf(c).ID, s.countFor(ctx, l, in.Filter))
	defer done.end()
	_, err = s.Shop.Export(ctx, staffOf(c), in, func(r app.PaymentRow) error {
		done.rows.Add(1)
		return out.Row(exportRow(ctx, r, in)...)
	}, func(sums app.Sums) error {
		return out.finish(text.T(ctx, "staff.export.sum", view.Comma(sums.Count)), exportSums(sums, in.Filter.Clock), values.Get("lossy") == "yes")
	})
	if err != nil {
		return s.exportAgain(c, l, form, err)
	}
	return s.sendFile(c, out, text.T(ctx, "staff.list.title")+"-"+text.T(ctx, "staff.mode."+string(in.Filter.Mode))+"-"+s.Now().In(app.KST).Format("20060102-1504"))
}

// exportAgain shows the form with what has to be mended in it; what is nobody's mistake is an error.
func (s *Server) exportAgain(c echo.Context, l listState, form templates.ExportForm, err error) error {
	var lost *lostError
	if errors.As(err, &lost) {
		form.Lost = lost.words(c.Request().Context())
		return s.showExport(c, http.StatusUnprocessableEntity, l, form)
	}
	form.Errors = inputFaults(c.Request().Context(), err)
	if len(form.Errors) == 0 {
		return err
	}
	return s.showExport(c, http.StatusUnprocessableEntity, l, form)
}

// countFor is how many rows a file will have, for the bar; zero: nobody knows before they are read.
func (s *Server) countFor(ctx context.Context, l listState, f app.Filter) (n int64) {
	sums, whole, err := s.Shop.Sums(ctx, l.q, f)
	if err != nil || !whole {
		return 0
	}
	for _, one := range sums {
		n += one.Count
	}
	return n
}

// getExportProgress handles GET /admin/export/progress: how far the file of this form is. It is known to the process
// that makes it.
func (s *Server) getExportProgress(c echo.Context) error {
	p := s.exports.find(c.QueryParam("key"), staffOf(c).ID)
	if p == nil {
		return app.ErrNotFound
	}
	return c.JSON(http.StatusOK, map[string]any{"rows": p.rows.Load(), "of": p.of, "done": p.done.Load()})
}

// exportsUnderWay are the files that are being made, by the key of their form.
type exportsUnderWay struct {
	mu  sync.Mutex
	all map[string]*progress
}

type progress struct {
	staffID string
	of      int64
	rows    atomic.Int64
	done    atomic.Bool
}

func (p *progress) end() { p.done.Store(true) }

func (u *exportsUnderWay) begin(key, staffID string, of int64) *progress {
	p := &progress{staffID: staffID, of: of}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.all == nil {
		u.all = map[string]*progress{}
	}
	for k, old := range u.all {
		if old.done.Load() {
			delete(u.all, k)
		}
	}
	if key != "" && len(key) <= maxKey {
		u.all[key] = p
	}
	return p
}

func (u *exportsUnderWay) find(key, staffID string) *progress {
	u.mu.Lock()
	defer u.mu.Unlock()
	if p := u.all[key]; p != nil && p.staffID == staffID {
		return p
	}
	return nil
}

// maxKey is longer than any key of ours.
const maxKey = 64

// table is a file that is being made, in either format.
type table struct {
	file *sheet.File
	csv  *sheet.CSV
	xlsx *sheet.XLSX
	kind string
}

func (s *Server) newTable(ctx context.Context, format, name string, head []string, columns []sheet.Column) (t *table, err error) {
	t = &table{kind: format}
	if t.file, err = s.Scratch.File(); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	switch format {
	case formatXLSX:
		t.xlsx, err = sheet.NewXLSX(s.Scratch, name, head, columns)
	case formatCSV, formatCP949:
		t.csv, err = sheet.NewCSV(t.file, format == formatCP949, columns)
	default:
		err = fmt.Errorf("format: %w", app.ErrBadInput)
	}
	if err != nil {
		t.discard(s)
		return nil, err
	}
	return t, nil
}

// Row writes one row.
func (t *table) Row(cells ...any) error {
	if t.xlsx != nil {
		return t.xlsx.Row(cells...)
	}
	return t.csv.Row(cells...)
}

// finish ends the file. Text that its charset can't carry is an error unless that was agreed to.
func (t *table) finish(label string, sums map[int]int64, lossy bool) error {
	if t.xlsx != nil {
		if err := t.xlsx.Foot(label, sums); err != nil {
			return err
		}
		_, err := t.xlsx.WriteTo(t.file)
		return err
	}
	if err := t.csv.Close(); err != nil {
		return err
	}
	if lost, rows := t.csv.Lost(); rows > 0 && !lossy {
		return &lostError{lost, rows}
	}
	return nil
}

// discard takes away all that the file took on the disk.
func (t *table) discard(s *Server) {
	if t.xlsx != nil {
		if err := t.xlsx.Close(); err != nil {
			s.Log.Warn("a workbook's scratch file stays until the next start", "err", err)
		}
	}
	if err := t.file.Discard(); err != nil {
		s.Log.Warn("a scratch file stays until the next start", "err", err)
	}
}

// lostError is text that CP949 has no characters for.
type lostError struct {
	examples []sheet.Lost
	rows     int
}

// Error leaves the text out: it may be somebody's name.
func (e *lostError) Error() string { return "rows that CP949 can't carry: " + strconv.Itoa(e.rows) }

func (e *lostError) words(ctx context.Context) string {
	return text.T(ctx, "staff.export.lost", e.rows, e.examples[0].Row, e.examples[0].Text)
}

// sendFile sends what is finished, as long as its reader takes a part of it now and then.
func (s *Server) sendFile(c echo.Context, t *table, name string) error {
	size, err := t.file.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = t.file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	kind, ending := "text/csv; charset=utf-8", ".csv"
	switch t.kind {
	case formatXLSX:
		kind, ending = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"
	case formatCP949:
		kind = "text/csv; charset=euc-kr"
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, kind)
	h.Set(echo.HeaderContentLength, strconv.FormatInt(size, 10))
	h.Set(echo.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": name + ending}))
	c.Response().WriteHeader(http.StatusOK)
	_, err = io.Copy(&paced{c.Response(), http.NewResponseController(c.Response()), s.Now}, t.file)
	return err
}

// chunkFor is how long the reader of a file may take for one part of it.
const chunkFor = 30 * time.Second

// paced gives every part of an answer its own time.
type paced struct {
	to  io.Writer
	rc  *http.ResponseController
	now func() time.Time
}

// Write implements io.Writer.
func (p *paced) Write(b []byte) (int, error) {
	if err := p.rc.SetWriteDeadline(p.now().Add(chunkFor)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return p.to.Write(b)
}
