package smartro

import (
	"slices"
	"strings"
)

// fold makes the spellings of a name one: fn_cd and FnCd, MID and Mid (weblink §7).
func fold(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// alias gives the second names of the legacy and the newer module one meaning. It takes and returns folded
// names.
func alias(folded string) string {
	switch folded {
	case "oid":
		return "moid"
	case "name":
		return "buyername"
	case "pinno":
		return "cardnum"
	}
	return folded
}

// values reads a message's fields by meaning. The first error stays; later reads do nothing harmful.
type values struct {
	first map[string]string // by folded and aliased name: the first value that is not empty
	err   error
}

// readValues collects fields. Those in decisive may come once, under any spelling; one in single may come
// again if it says the same.
func readValues(fields []Field, decisive, single []string) values {
	v := values{first: make(map[string]string, len(fields))}
	count := make(map[string]int, len(fields))
	for _, f := range fields {
		name := alias(fold(f.Name))
		count[name]++
		if had, ok := v.first[name]; !ok || had == "" {
			v.first[name] = f.Value
		} else if f.Value != "" && f.Value != had && slices.Contains(single, name) {
			v.fail(&ambiguousError{f.Name})
		}
	}
	for _, name := range decisive {
		if count[name] > 1 {
			v.fail(&ambiguousError{name})
		}
	}
	return v
}

func (v *values) fail(err error) {
	if v.err == nil && err != nil {
		v.err = err
	}
}

// text returns the value called folded, or "". A NUL, which no text holds and no database takes for one, is U+FFFD.
func (v *values) text(folded string) string {
	return strings.ReplaceAll(v.first[folded], "\x00", "\uFFFD")
}

// checked returns the value called folded if it is empty or ok accepts it; otherwise it fails naming field.
func (v *values) checked(folded, field, want string, ok func(string) bool) string {
	s := v.first[folded]
	if s != "" && !ok(s) {
		v.fail(&FieldError{Field: field, Value: s, Want: want})
		return ""
	}
	return s
}

func (v *values) mid() MID {
	return MID(v.checked("mid", "MID", wantMID, func(s string) bool { return len(s) == midLen && word(s) }))
}

func (v *values) tid(folded, field string) TID {
	return TID(v.checked(folded, field, wantTID, isTID))
}

// moid accepts what the gateway itself does, so that another system's order on the same MID can be kept.
func (v *values) moid() Moid {
	return Moid(v.checked("moid", "Moid", "at most 64 of letters, digits, - and _", func(s string) bool {
		return len(s) <= foreignMoid && alnum(strings.Map(dropJoiners, s))
	}))
}

func dropJoiners(r rune) rune {
	if r == '-' || r == '_' {
		return -1
	}
	return r
}

func (v *values) code() string {
	return v.checked("resultcode", "ResultCode", "at most 10 letters or digits", func(s string) bool {
		return len(s) <= resultCodeMax && alnum(s)
	})
}

func (v *values) method() Method {
	return Method(v.checked("paymethod", "PayMethod", "at most 20 letters or digits", func(s string) bool {
		return len(s) <= 20 && alnum(s)
	}))
}

// won reads an amount; has is false if there is none.
func (v *values) won(folded, field string) (amt Won, has bool) {
	s := v.first[folded]
	if s == "" {
		return 0, false
	}
	amt, err := ParseWon(s)
	if err != nil {
		v.fail(&FieldError{Field: field, Value: s, Want: "1 to 12 digits"})
		return 0, false
	}
	return amt, true
}

// ambiguousError names the field that ErrAmbiguous is about.
type ambiguousError struct{ field string }

func (e *ambiguousError) Error() string { return e.field + ": " + ErrAmbiguous.Error() }
func (e *ambiguousError) Unwrap() error { return ErrAmbiguous }
