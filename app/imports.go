package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Import is a list of transactions from the gateway's merchant site that somebody brought. Reading it changes nothing;
// what it may change is done by a second step, row by row, each under the key of its effect: the same row never has two.
type Import struct {
	ID        string
	At        time.Time
	By        string // staff ID
	Mode      Mode
	MID       MID
	SHA256    string // of the file
	State     ImportState
	Reason    string // why it was applied
	AppliedAt time.Time
	AppliedBy string
	Name      string     // of the file; sealed
	Table     [][]string // its cells, as text; sealed
	Columns   ListColumns
	Result    ImportResult // what the rows were against the records, when last looked at; sealed
	Erased    bool         // Name, Table and Result were destroyed after their term
}

// ImportState is how far an import is.
type ImportState string

// The states of an import.
const (
	ImportColumnsUnknown ImportState = "columns" // a person has to say which column is what
	ImportRead           ImportState = "read"    // compared, nothing changed
	ImportApplying       ImportState = "applying"
	ImportApplied        ImportState = "applied"
)

// Class is what a row of the gateway's list is against our records.
type Class string

// The classes. Those that change nothing say so.
const (
	ClassAgrees         Class = "agrees"          // changes nothing
	ClassPaidThere      Class = "paid_there"      // and not here: it becomes paid
	ClassDeposit        Class = "deposit"         // deposited there, and not here: it becomes paid
	ClassCancelledThere Class = "cancelled_there" // and not here: it is recorded as made at the gateway's own site
	ClassCancelSettles  Class = "cancel_settles"  // a cancel of ours whose outcome was unknown happened
	ClassAmount         Class = "amount"          // another amount than here: kept apart for a person
	ClassSecond         Class = "second"          // more money for what is paid: kept apart
	ClassUnknownOrder   Class = "unknown_order"   // kept apart
	ClassReview         Class = "review"          // contradicts what is proved here: kept apart
	ClassMissingThere   Class = "missing_there"   // paid here and not in the list; changes nothing
	ClassDuplicate      Class = "duplicate"       // the same row stands there before; changes nothing
	ClassOtherMID       Class = "other_mid"       // changes nothing
	ClassUnreadable     Class = "unreadable"      // changes nothing
	ClassIgnored        Class = "ignored"         // moves no money: a failure, an issued account; changes nothing
)

// Classes lists them, those that change something first.
func Classes() []Class {
	return []Class{
		ClassPaidThere, ClassDeposit, ClassCancelledThere, ClassCancelSettles, ClassAmount, ClassSecond, ClassUnknownOrder, ClassReview,
		ClassMissingThere, ClassUnreadable, ClassOtherMID, ClassDuplicate, ClassIgnored, ClassAgrees,
	}
}

// Changes says whether applying a row of the class changes a record.
func (c Class) Changes() bool {
	return slices.Contains([]Class{ClassPaidThere, ClassDeposit, ClassCancelledThere, ClassCancelSettles, ClassAmount, ClassSecond, ClassUnknownOrder, ClassReview}, c)
}

// ListLine is a row and its class.
type ListLine struct {
	Line   int // zero: it stands here and not in the list
	Class  Class
	Kind   EventKind
	Moid   Moid // of our payment; empty: none is meant
	TID    TID
	Amount Won
	At     time.Time
	Fault  ListFault
}

// ClassCount is how many rows are of a class, and their won.
type ClassCount struct {
	Class Class
	N     int
	Won   Won
}

// ImportResult is what a list is against our records.
type ImportResult struct {
	Counts []ClassCount
	Lines  []ListLine // all that don't agree, up to [linesKept]
	From   time.Time  // of the list's oldest and newest money
	To     time.Time
}

// linesKept is how many lines of a result are kept for the page: more are counted.
const linesKept = 500

// Count is how many rows are of a class.
func (r ImportResult) Count(c Class) ClassCount {
	for _, n := range r.Counts {
		if n.Class == c {
			return n
		}
	}
	return ClassCount{Class: c}
}

// Changing is how many rows would change a record.
func (r ImportResult) Changing() (n int) {
	for _, c := range r.Counts {
		if c.Class.Changes() {
			n += c.N
		}
	}
	return n
}

func (r *ImportResult) add(l ListLine) {
	i := slices.IndexFunc(r.Counts, func(c ClassCount) bool { return c.Class == l.Class })
	if i < 0 {
		i, r.Counts = len(r.Counts), append(r.Counts, ClassCount{Class: l.Class})
	}
	r.Counts[i].N++
	r.Counts[i].Won += l.Amount
	if l.Class != ClassAgrees && l.Class != ClassIgnored && len(r.Lines) < linesKept {
		r.Lines = append(r.Lines, l)
	}
}

// The most that a list may have. Larger ones are brought month by month.
const (
	ImportRows    = 20_000
	ImportColumns = 100
)

// settingListColumns remembers which columns were what, by the titles of the list.
const settingListColumns = "list_columns"

// ReadImport takes a list on and compares it with the records; it changes none of them. ErrBadInput: it is no list, or
// too long. Where the columns are not recognised a person says them: see [Shop.SetImportColumns].
func (s *Shop) ReadImport(ctx context.Context, actor Staff, name, sha256 string, table [][]string) (Import, error) {
	if err := actor.must(RightImport); err != nil {
		return Import{}, err
	}
	if len(table) > ImportRows+titlesWithin {
		return Import{}, &InputError{Field: "file", Code: "import.rows"}
	}
	imp := Import{
		ID: newToken(), At: s.Now(), By: actor.ID, SHA256: sha256, State: ImportColumnsUnknown, Table: table,
		Name: strings.ToValidUTF8(strings.Join(strings.Fields(name), " "), "\uFFFD"),
	}
	titles, ok := findTitles(table)
	if !ok || titles == len(table)-1 {
		return Import{}, &InputError{Field: "file", Code: "import.titles"}
	}
	imp.Columns = recognise(table[titles])
	remembered := map[string]ListColumns{}
	if err := s.readSealed(ctx, s.Store, settingListColumns, &remembered); err != nil {
		return Import{}, err
	}
	if known, ok := remembered[signature(table[titles])]; ok {
		imp.Columns = known
	}
	if err := s.compareImport(ctx, actor, &imp); err != nil {
		return Import{}, err
	}
	return imp, s.Store.Update(ctx, func(tx Tx) error { return tx.CreateImport(ctx, imp) })
}

// signature names a list's titles.
func signature(titles []string) string {
	folded := make([]string, len(titles))
	for i, t := range titles {
		folded[i] = foldTitle(t)
	}
	return digest([]byte(strings.Join(folded, "\n")))
}

// mostRemembered is how many kinds of lists are remembered: a shop brings one or two.
const mostRemembered = 50

// SetImportColumns says which column is what, for this list and for those with the same titles, and compares anew.
// ErrConflict: it is applied already.
func (s *Shop) SetImportColumns(ctx context.Context, actor Staff, id string, columns ListColumns) (Import, error) {
	if err := actor.must(RightImport); err != nil {
		return Import{}, err
	}
	imp, err := s.Store.Import(ctx, id)
	if err != nil {
		return imp, err
	}
	if imp.State != ImportColumnsUnknown && imp.State != ImportRead || imp.Erased {
		return imp, fmt.Errorf("import %s is %s: %w", id, imp.State, ErrConflict)
	}
	imp.Columns = columns
	if err := s.compareImport(ctx, actor, &imp); err != nil {
		return imp, err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		remembered := map[string]ListColumns{}
		if err := s.readSealed(ctx, tx, settingListColumns, &remembered); err != nil {
			return err
		}
		if len(remembered) >= mostRemembered {
			clear(remembered)
		}
		titles, _ := findTitles(imp.Table)
		remembered[signature(imp.Table[titles])] = columns
		return errors.Join(s.writeSealed(ctx, tx, settingListColumns, remembered), tx.SaveImport(ctx, imp))
	})
	return imp, err
}

// Titles are the titles of the list's columns.
func (imp Import) Titles() []string {
	if titles, ok := findTitles(imp.Table); ok {
		return imp.Table[titles]
	}
	return nil
}

// ImportByID reads one import.
func (s *Shop) ImportByID(ctx context.Context, actor Staff, id string) (Import, error) {
	if err := actor.must(RightImport); err != nil {
		return Import{}, err
	}
	return s.Store.Import(ctx, id)
}

// Imports lists the last imports, the newest first, without their tables.
func (s *Shop) Imports(ctx context.Context, actor Staff) ([]Import, error) {
	if err := actor.must(RightImport); err != nil {
		return nil, err
	}
	return s.Store.Imports(ctx, 50)
}

// errOnlyLooking undoes what was done to see what it would do.
var errOnlyLooking = errors.New("only looking")

// compareImport fills in what the list is against the records: it does what applying would do, and undoes it.
func (s *Shop) compareImport(ctx context.Context, actor Staff, imp *Import) error {
	if !imp.Columns.Complete() {
		imp.State, imp.Result = ImportColumnsUnknown, ImportResult{}
		return nil
	}
	imp.State = ImportRead
	return s.walkImport(ctx, actor, imp, func(f func(Tx) error) error {
		err := s.Store.Update(ctx, func(tx Tx) error {
			if err := f(tx); err != nil {
				return err
			}
			return errOnlyLooking
		})
		if errors.Is(err, errOnlyLooking) {
			return nil
		}
		return err
	})
}

// ApplyImport lets a list change what it may, by a person's word and with a reason. Applied again, in full or after a
// crash in the middle, it changes nothing twice. ErrConflict: its columns are not known.
func (s *Shop) ApplyImport(ctx context.Context, actor Staff, id, reason string) (Import, error) {
	if err := actor.must(RightImport); err != nil {
		return Import{}, err
	}
	reason, err := readReason(reason)
	if err != nil {
		return Import{}, err
	}
	var imp Import
	err = s.Store.Update(ctx, func(tx Tx) error {
		if imp, err = tx.Import(ctx, id); err != nil {
			return err
		}
		if imp.State == ImportColumnsUnknown || imp.Erased {
			return fmt.Errorf("import %s is %s: %w", id, imp.State, ErrConflict)
		}
		imp.State, imp.Reason, imp.AppliedBy, imp.AppliedAt = ImportApplying, reason, actor.ID, s.Now()
		if err := tx.SaveImport(ctx, imp); err != nil {
			return err
		}
		// Where this process dies in the middle, another finishes it.
		if err := tx.AddJob(ctx, Job{ID: newToken(), Kind: JobImport, Ref: id, DueAt: s.Now().Add(leaseFor), CreatedAt: s.Now()}); err != nil {
			return err
		}
		return s.note(ctx, tx, actor, Access{Kind: AppliedImport, Subject: id, Words: reason})
	})
	if err != nil {
		return imp, err
	}
	return imp, s.finishImport(ctx, &imp)
}

// resumeImport finishes an import that a process left in the middle.
func (s *Shop) resumeImport(ctx context.Context, id string) error {
	imp, err := s.Store.Import(ctx, id)
	if err != nil || imp.State != ImportApplying {
		return err
	}
	return s.finishImport(ctx, &imp)
}

// finishImport applies what is not applied yet, for the person who said so.
func (s *Shop) finishImport(ctx context.Context, imp *Import) error {
	actor := Staff{ID: imp.AppliedBy}
	if err := s.walkImport(ctx, actor, imp, func(f func(Tx) error) error { return s.Store.Update(ctx, f) }); err != nil {
		return err
	}
	imp.State = ImportApplied
	return s.Store.Update(ctx, func(tx Tx) error { return tx.SaveImport(ctx, *imp) })
}
