package smartro

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/unicode/norm"
)

// Charset is one of the gateway's two encodings. EUC-KR here means windows-949, as in browsers: all 11,172
// syllables, of which the narrower KS X 1001 has 2,350.
type Charset string

// The charsets, spelled as EncodingType spells them on the wire.
const (
	EUCKR Charset = "euckr"
	UTF8  Charset = "utf8"
)

// ParseCharset reads "euckr" or "utf8". It returns a *FieldError otherwise.
func ParseCharset(s string) (Charset, error) {
	if c := Charset(s); c == EUCKR || c == UTF8 {
		return c, nil
	}
	return "", &FieldError{Field: "EncodingType", Value: s, Want: "euckr or utf8"}
}

// Label is the charset's name in HTML and HTTP, as accept-charset wants it.
func (c Charset) Label() string {
	if c == EUCKR {
		return "EUC-KR"
	}
	return "UTF-8"
}

// Encode writes s in c. What c cannot carry becomes a look-alike (— – to -, ₩ to ￦, no-break space to
// space) or a visible "?"; replaced lists what became "?", in order. Text is composed first (NFC), because
// syllables typed on a Mac may come in pieces that EUC-KR has no bytes for.
func (c Charset) Encode(s string) (b []byte, replaced []rune) {
	s = norm.NFC.String(s)
	if c == UTF8 {
		return []byte(strings.ToValidUTF8(s, "?")), nil
	}
	b = make([]byte, 0, len(s))
	for _, r := range s {
		enc := encodeRune(r)
		if enc == nil {
			replaced = append(replaced, r)
			enc = []byte("?")
		}
		b = append(b, enc...)
	}
	return b, replaced
}

// Decode reads b in c. It never fails: what is not valid in c becomes U+FFFD. Keep b beside the result.
func (c Charset) Decode(b []byte) string {
	if c == UTF8 {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	out, err := korean.EUCKR.NewDecoder().Bytes(b)
	if err != nil {
		return strings.Repeat("\uFFFD", len(b))
	}
	return string(out)
}

// Len is the length of s in bytes of c, as the gateway counts it.
func (c Charset) Len(s string) int {
	b, _ := c.Encode(s)
	return len(b)
}

// encodeRune returns the EUC-KR bytes of r or of its look-alike, nil if there are none.
func encodeRune(r rune) []byte {
	if r < utf8.RuneSelf {
		return []byte{byte(r)}
	}
	b, err := korean.EUCKR.NewEncoder().Bytes([]byte(string(eucLookAlike(r))))
	if err != nil || r == utf8.RuneError {
		return nil
	}
	return b
}

// eucLookAlike maps the characters that people type daily and EUC-KR lacks.
func eucLookAlike(r rune) rune {
	switch r {
	case '—', '–':
		return '-'
	case '₩':
		return '￦'
	case '\u00a0':
		return ' '
	}
	return r
}

// ksx1001 tells whether r's EUC-KR bytes lie in KS X 1001, the set that the gateway's own stack has for sure
// (weblink §2.5): both bytes from A1 up.
func ksx1001(r rune) bool {
	b := encodeRune(r)
	return len(b) == 1 || len(b) == 2 && b[0] >= 0xA1 && b[1] >= 0xA1
}
