package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ExportInput is what somebody takes out of the records, and why.
type ExportInput struct {
	Query    string // as typed into the search box
	Filter   Filter // its Mode has to be set: practice and real money are never in one file
	Personal bool   // with names and numbers; otherwise whoever writes the file masks them
	Format   string // xlsx or csv, for the record
	Asked    string // the filter as the page's address has it, for the record
	Why      Why
}

// Exported is what a file holds, as the record of accesses keeps it.
type Exported struct {
	Format   string
	Mode     Mode // empty: it is no list of payments
	Rows     int64
	Personal bool
}

// subject writes e into the record of accesses; [ReadExported] reads it.
func (e Exported) subject() string {
	return fmt.Sprintf("%s:%s:%d:%t", e.Format, e.Mode, e.Rows, e.Personal)
}

// ReadExported reads what a line of the record of accesses says of a file.
func ReadExported(a Access) (e Exported, ok bool) {
	part := strings.Split(a.Subject, ":")
	if a.Kind != ExportedPayments && a.Kind != ExportedAccesses || len(part) != 4 {
		return e, false
	}
	rows, err1 := strconv.ParseInt(part[2], 10, 64)
	personal, err2 := strconv.ParseBool(part[3])
	return Exported{part[0], Mode(part[1]), rows, personal}, err1 == nil && err2 == nil
}

// ExportReasons are the reasons for an export, in the order in which they are offered.
func ExportReasons() []Reason { return []Reason{ReasonBooks, ReasonCheck, ReasonDemand, ReasonOther} }

// exportPage is how many rows are read at once: no transaction is open between two pages.
const exportPage = 500

// Export gives each payment that Search would list to write, in its order, and then the sums of those to finish; with
// both done it records that they were taken out. Nobody may have what was written before Export has returned without
// an error: what can't be recorded is not taken out.
func (s *Shop) Export(ctx context.Context, actor Staff, in ExportInput, write func(PaymentRow) error, finish func(Sums) error) (Sums, error) {
	sums := Sums{Mode: in.Filter.Mode}
	why, err := readExport(actor, in)
	if err != nil {
		return sums, err
	}
	q := in.Filter.query(ReadSearch(in.Query, s.Now()))
	q.After, q.Limit = Cursor{}, exportPage
	for {
		rows, err := s.Store.SearchPayments(ctx, q)
		if err != nil {
			return sums, err
		}
		for _, r := range rows {
			if err := write(r); err != nil {
				return sums, err
			}
			sums.Add(r)
		}
		if err := ctx.Err(); err != nil {
			return sums, err
		}
		if len(rows) < q.Limit {
			break
		}
		last := rows[len(rows)-1]
		q.After = Cursor{At: last.When, ID: string(last.Moid)}
	}
	if err := finish(sums); err != nil {
		return sums, err
	}
	return sums, s.recordExport(ctx, actor, why, ExportedPayments, in.Asked, Exported{in.Format, in.Filter.Mode, sums.Count, in.Personal})
}

// CheckExport says what of an export would be refused, before anything is read.
func (s *Shop) CheckExport(actor Staff, in ExportInput) error {
	_, err := readExport(actor, in)
	return err
}

func readExport(actor Staff, in ExportInput) (Why, error) {
	if err := actor.must(RightExport); err != nil {
		return in.Why, err
	}
	why, err := in.Why.read()
	if in.Filter.Mode == "" {
		err = errors.Join(err, &InputError{Field: "mode", Code: "required"})
	}
	return why, err
}

// ExportAccesses gives each line of the record of accesses to write, as [Shop.Export] does payments.
func (s *Shop) ExportAccesses(ctx context.Context, actor Staff, q AccessQuery, format, asked string, why Why, write func(Access) error, finish func() error) (int64, error) {
	if err := actor.must(RightExport); err != nil {
		return 0, err
	}
	why, err := why.read()
	if err != nil {
		return 0, err
	}
	rows := int64(0)
	q.After, q.Limit = Cursor{}, exportPage
	for {
		list, err := s.Accesses(ctx, actor, q)
		if err != nil {
			return rows, err
		}
		for _, a := range list {
			if err := write(a); err != nil {
				return rows, err
			}
			rows++
		}
		if err := ctx.Err(); err != nil {
			return rows, err
		}
		if len(list) < q.Limit {
			break
		}
		last := list[len(list)-1]
		q.After = Cursor{At: last.At, ID: last.ID}
	}
	if err := finish(); err != nil {
		return rows, err
	}
	return rows, s.recordExport(ctx, actor, why, ExportedAccesses, asked, Exported{Format: format, Rows: rows, Personal: true})
}

// recordExport records a file before anybody has it. What was searched for may be somebody's name: it is sealed.
func (s *Shop) recordExport(ctx context.Context, actor Staff, why Why, kind AccessKind, asked string, e Exported) error {
	why.Words = strings.TrimSpace(why.Words + " " + asked)
	return s.look(ctx, actor, why, Access{Kind: kind, Subject: e.subject()})
}
