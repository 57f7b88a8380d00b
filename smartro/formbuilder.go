package smartro

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// formBuilder collects fields in the order they are added, and all faults.
type formBuilder struct {
	pc     bool
	cs     Charset
	wide   bool // Merchant.WideEUCKR
	fields []Field
	notes  []Note
	errs   []error
}

// form returns what was collected, or all faults joined.
func (b *formBuilder) form(action string) (Form, error) {
	if err := errors.Join(b.errs...); err != nil {
		return Form{}, err
	}
	return Form{Action: action, Charset: b.cs, Fields: b.fields, Notes: b.notes}, nil
}

func (b *formBuilder) bad(field, value, want string) {
	b.errs = append(b.errs, &FieldError{Field: field, Value: value, Want: want})
}

func (b *formBuilder) note(field, kind, detail string) {
	b.notes = append(b.notes, Note{field, kind, detail})
}

// put adds a value that is ours to send, checked for its length; an empty one is not sent.
func (b *formBuilder) put(name, value string, limit int) {
	if value == "" {
		return
	}
	if n := b.cs.Len(value); n > limit {
		b.bad(name, value, fmt.Sprintf("at most %d bytes in %s, not %d", limit, b.cs.Label(), n))
		return
	}
	b.fields = append(b.fields, Field{name, value})
}

// must is put for a required field.
func (b *formBuilder) must(name, value string, limit int) {
	if value == "" {
		b.bad(name, value, "a value: it is required")
		return
	}
	b.put(name, value, limit)
}

// text cleans a free text for the charset; what the firewall dislikes in it is noted and left alone.
func (b *formBuilder) text(name, value string) string {
	s, notes := clean(repertoire{b.cs, b.wide}, name, strings.TrimSpace(value))
	b.notes = append(b.notes, notes...)
	if f := firewall(s); f != "" {
		b.note(name, NoteFirewall, f)
	}
	return s
}

// label is text for what only people read: what the firewall dislikes is replaced by look-alikes.
func (b *formBuilder) label(name, value string) string { return harmless(b.text(name, value)) }

// short is label, cut on a character to what the window takes: a name that is too long is no reason not to be paid.
func (b *formBuilder) short(name, value string, limit int) string {
	kept, rest := cut(b.cs, b.label(name, value), limit)
	if rest != "" {
		b.note(name, NoteShortened, rest)
	}
	return kept
}

// oneOf adds value if it is one of the wanted; an empty one is not sent.
func (b *formBuilder) oneOf(name, value string, wanted ...string) {
	if value != "" && !slices.Contains(wanted, value) {
		b.bad(name, value, "one of "+strings.Join(wanted, ", "))
		return
	}
	b.put(name, value, len(value))
}

// link adds an absolute URL of at most 200 bytes.
func (b *formBuilder) link(name, value string, required bool) {
	if value == "" && !required {
		return
	}
	if !absoluteURL(value) {
		b.bad(name, value, "an absolute http or https URL, at most 200 bytes")
		return
	}
	if f := firewall(value); f != "" {
		b.note(name, NoteFirewall, f)
	}
	b.put(name, value, 200)
}

// won adds an amount.
func (b *formBuilder) won(name string, w Won, least Won, limit int) {
	if w < least {
		b.bad(name, w.String(), fmt.Sprintf("at least %d won", least))
		return
	}
	b.put(name, w.String(), limit)
}
