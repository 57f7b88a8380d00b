package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"gage/app"
	"gage/web/sheet"
	"gage/web/templates"
	"gage/web/text"
	"gage/web/view"
)

func importPath(id string) string { return "/admin/imports/" + id }

// getImports handles GET /admin/imports: the lists that were brought, and the form for another.
func (s *Server) getImports(c echo.Context) error { return s.showImports(c, http.StatusOK, "") }

func (s *Server) showImports(c echo.Context, status int, problem string) error {
	ctx := c.Request().Context()
	frame, err := s.staffFrame(c, "work", "staff.import.title")
	if err != nil {
		return err
	}
	list, err := s.Shop.Imports(ctx, staffOf(c))
	if err != nil {
		return err
	}
	people, err := s.Shop.Staff(ctx)
	if err != nil {
		return err
	}
	names := auditNames(ctx, people)
	p := templates.ImportsPage{StaffFrame: frame, Error: problem}
	for _, imp := range list {
		p.Rows = append(p.Rows, templates.ImportRow{
			Href: importPath(imp.ID), At: imp.At, Who: nameOr(names, imp.By), State: text.T(ctx, "staff.import.state."+string(imp.State)), Mode: modeWord(ctx, imp.Mode),
		})
	}
	return s.render(c, status, templates.Imports(p))
}

func modeWord(ctx context.Context, m app.Mode) string {
	if m == "" {
		return ""
	}
	return text.T(ctx, "staff.mode."+string(m))
}

// postImport handles POST /admin/imports: a file is read onto the disk, within its limits, compared, and taken away.
func (s *Server) postImport(c echo.Context) error {
	ctx := c.Request().Context()
	name, sum, table, err := s.readUpload(c)
	var imp app.Import
	if err == nil {
		imp, err = s.Shop.ReadImport(ctx, staffOf(c), name, sum, table)
	}
	var unread *sheet.Error
	var unfit *app.InputError
	switch {
	case errors.As(err, &unread):
		problem := text.T(ctx, "staff.import.fault."+string(unread.Fault))
		if unread.Row > 0 {
			problem += " " + text.T(ctx, "staff.import.fault.row", unread.Row)
		}
		return s.showImports(c, http.StatusUnprocessableEntity, problem)
	case errors.As(err, &unfit):
		return s.showImports(c, http.StatusUnprocessableEntity, text.T(ctx, "input."+unfit.Code))
	case err != nil:
		return err
	}
	return c.Redirect(http.StatusSeeOther, importPath(imp.ID))
}

// readUpload reads the form's one file.
func (s *Server) readUpload(c echo.Context) (name, sum string, table [][]string, err error) {
	parts, err := c.Request().MultipartReader()
	if err != nil {
		return "", "", nil, echo.ErrUnsupportedMediaType
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return "", "", nil, &sheet.Error{Fault: sheet.FaultEmpty}
		}
		if err != nil {
			return "", "", nil, uploadError(err)
		}
		if part.FormName() != "file" {
			continue
		}
		file, err := s.Scratch.File()
		if err != nil {
			return "", "", nil, fmt.Errorf("import: %w", err)
		}
		defer func() {
			if err := file.Discard(); err != nil {
				s.Log.Warn("a scratch file stays until the next start", "err", err)
			}
		}()
		digest := sha256.New()
		size, err := io.Copy(io.MultiWriter(file, digest), part)
		if err != nil {
			return "", "", nil, uploadError(err)
		}
		table, err := sheet.Read(file, size, sheet.DefaultLimits())
		return clip(part.FileName(), 200), hex.EncodeToString(digest.Sum(nil)), table, err
	}
}

// uploadError tells a file that is too large from one that ended early.
func uploadError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &sheet.Error{Fault: sheet.FaultSize, Cause: err}
	}
	return fmt.Errorf("the file ended early: %w: %w", app.ErrBadInput, err)
}

// getImport handles GET /admin/imports/{id}: what a list is against our records, and what applying it would do or did.
func (s *Server) getImport(c echo.Context) error {
	imp, err := s.Shop.ImportByID(c.Request().Context(), staffOf(c), c.Param("id"))
	if err != nil {
		return err
	}
	return s.showImport(c, http.StatusOK, imp, "", nil)
}

func (s *Server) showImport(c echo.Context, status int, imp app.Import, reason string, faults map[string]string) error {
	ctx := c.Request().Context()
	frame, err := s.staffFrame(c, "work", "staff.import.title")
	if err != nil {
		return err
	}
	ses, err := s.session(c)
	if err != nil {
		return err
	}
	p := templates.ImportPage{
		StaffFrame: frame, ID: imp.ID, Name: imp.Name, At: imp.At, Mode: modeWord(ctx, imp.Mode), State: string(imp.State), Erased: imp.Erased,
		StateWord: text.T(ctx, "staff.import.state."+string(imp.State)), Reason: reason, Errors: faults, Changing: imp.Result.Changing(),
		Columns: columnSelects(ctx, imp), Password: !s.isFresh(ses), Email: staffOf(c).Email,
	}
	if !imp.Result.From.IsZero() {
		p.Span = view.When(ctx, imp.Result.From) + " – " + view.When(ctx, imp.Result.To)
	}
	for _, class := range app.Classes() {
		n := imp.Result.Count(class)
		if n.N == 0 {
			continue
		}
		p.Counts = append(p.Counts, templates.ClassRow{
			Name: text.T(ctx, "staff.class."+string(class)), Does: text.T(ctx, "staff.class.does."+string(class)), Tone: classTone(class),
			N: view.Comma(int64(n.N)), Amount: int64(n.Won),
		})
	}
	for _, l := range imp.Result.Lines {
		row := templates.LineRow{Class: text.T(ctx, "staff.class."+string(l.Class)), Tone: classTone(l.Class), At: l.At, Amount: int64(l.Amount), TID: string(l.TID), Moid: string(l.Moid)}
		if l.Line > 0 {
			row.Line = strconv.Itoa(l.Line)
		}
		if l.Moid != "" {
			row.Href = paymentPath(l.Moid)
		}
		if l.Kind != "" {
			row.Kind = text.T(ctx, "staff.event."+string(l.Kind))
		}
		if l.Fault != "" {
			row.Kind = text.T(ctx, "staff.import.unread."+string(l.Fault))
		}
		p.Lines = append(p.Lines, row)
	}
	return s.render(c, status, templates.Import(p))
}

func classTone(c app.Class) string {
	switch c {
	case app.ClassAgrees:
		return "good"
	case app.ClassPaidThere, app.ClassDeposit, app.ClassCancelledThere, app.ClassCancelSettles:
		return "wait"
	case app.ClassDuplicate, app.ClassIgnored, app.ClassOtherMID:
		return "back"
	}
	return "wrong"
}

// columnSelects are the fields, each with the list's columns to choose from.
func columnSelects(ctx context.Context, imp app.Import) (list []templates.SelectView) {
	options := []templates.Option{{Label: text.T(ctx, "staff.import.no_column")}}
	for i, title := range imp.Titles() {
		options = append(options, templates.Option{Value: strconv.Itoa(i), Label: strconv.Itoa(i+1) + ". " + clip(title, 40)})
	}
	for _, f := range app.ListFields() {
		s := templates.SelectView{
			Name: string(f), Label: text.T(ctx, "staff.column."+string(f)), Options: options,
			Required: f == app.FieldKind || f == app.FieldTID || f == app.FieldAmount,
		}
		if i, ok := imp.Columns[f]; ok {
			s.Value = strconv.Itoa(i)
		}
		list = append(list, s)
	}
	return list
}

// postImportColumns handles POST /admin/imports/{id}/columns: a person says which column is what.
func (s *Server) postImportColumns(c echo.Context) error {
	columns := app.ListColumns{}
	for _, f := range app.ListFields() {
		i, err := strconv.Atoi(c.FormValue(string(f)))
		if err == nil && i >= 0 && i < app.ImportColumns {
			columns[f] = i
		}
	}
	imp, err := s.Shop.SetImportColumns(c.Request().Context(), staffOf(c), c.Param("id"), columns)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, importPath(imp.ID))
}

// postApplyImport handles POST /admin/imports/{id}/apply.
func (s *Server) postApplyImport(c echo.Context) error {
	ctx := c.Request().Context()
	imp, err := s.Shop.ApplyImport(ctx, staffOf(c), c.Param("id"), c.FormValue("reason"))
	if faults := inputFaults(ctx, err); len(faults) > 0 {
		if imp, err = s.Shop.ImportByID(ctx, staffOf(c), c.Param("id")); err != nil {
			return err
		}
		return s.showImport(c, http.StatusUnprocessableEntity, imp, c.FormValue("reason"), faults)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, importPath(imp.ID))
}
