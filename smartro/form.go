package smartro

import "strings"

// Field is one name and value of a form, in Unicode.
type Field struct{ Name, Value string }

// Form is a payment request ready to be posted by the buyer's browser: form name and id tranMgr, method
// POST, accept-charset Charset.Label(). Its values hold nothing that Charset cannot carry, so a browser
// posts exactly the bytes of Encode.
type Form struct {
	Action  string  // the gateway's window, an absolute URL
	Charset Charset // EUCKR on PC, UTF8 on mobile
	Fields  []Field // in a fixed order
	Notes   []Note  // what was changed on the way, for staff to see
}

// Kinds of Note.
const (
	NoteShortened = "shortened" // cut to the limit; Detail is what was cut off
	NoteReplaced  = "replaced"  // Detail lists the characters that could not be sent as they were
	NoteCP949     = "cp949"     // Detail lists syllables outside KS X 1001, sent because of Merchant.WideEUCKR
	NoteFirewall  = "firewall"  // Detail is what the gateway's web firewall may refuse
)

// Note tells one thing that was changed in a field, or that may fail at the gateway.
type Note struct{ Field, Kind, Detail string }

// Get returns the value of the first field called name, exactly so spelled, or "".
func (f Form) Get(name string) string {
	for _, x := range f.Fields {
		if x.Name == name {
			return x.Value
		}
	}
	return ""
}

// Encode returns the body that a browser posts: x-www-form-urlencoded over the bytes of f.Charset.
func (f Form) Encode() []byte { return EncodeForm(f.Fields, f.Charset) }

// EncodeForm writes fields as x-www-form-urlencoded over the bytes of cs, byte for byte as browsers do.
// A character that cs lacks becomes "?".
func EncodeForm(fields []Field, cs Charset) []byte {
	var b []byte
	for i, f := range fields {
		if i > 0 {
			b = append(b, '&')
		}
		b = appendEscaped(b, f.Name, cs)
		b = append(b, '=')
		b = appendEscaped(b, f.Value, cs)
	}
	return b
}

func appendEscaped(b []byte, s string, cs Charset) []byte {
	const hexDigits = "0123456789ABCDEF"
	raw, _ := cs.Encode(s)
	for _, c := range raw {
		switch {
		case c == ' ':
			b = append(b, '+')
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z',
			c == '*', c == '-', c == '.', c == '_':
			b = append(b, c)
		default:
			b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return b
}

// DecodeForm reads x-www-form-urlencoded bytes in cs, in order and without dropping anything: a "%" that
// starts no escape stands for itself, as in browsers, and bytes that are invalid in cs become U+FFFD. It
// returns ErrTooLarge for more than MaxMessage bytes.
func DecodeForm(raw []byte, cs Charset) ([]Field, error) {
	if len(raw) > MaxMessage {
		return nil, ErrTooLarge
	}
	var fields []Field
	for pair := range strings.SplitSeq(string(raw), "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		fields = append(fields, Field{cs.Decode(unescape(name)), cs.Decode(unescape(value))})
	}
	return fields, nil
}

// unescape undoes the percent form; "+" is a space.
func unescape(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			b = append(b, ' ')
		case c == '%' && escapeAt(s, i):
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			b = append(b, c)
		}
	}
	return b
}

func escapeAt(s string, i int) bool { return i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) }

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}
