package sandbox

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"gage/smartro"
)

// received is one field as it came: its name and the bytes that the form's percent-encoding stood for.
type received struct{ name, raw string }

// splitForm reads application/x-www-form-urlencoded without believing anything about the charset. ok is
// false when a percent sign is not followed by two hex digits: no browser sends that.
func splitForm(body string) (fields []received, ok bool) {
	for pair := range strings.SplitSeq(body, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		n, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return nil, false
		}
		fields = append(fields, received{n, v})
	}
	return fields, true
}

// textProblem says why bytes cannot be a value in the window's charset.
type textProblem string

const (
	fine         textProblem = ""
	notInCharset textProblem = "not in charset" // invalid bytes
	otherCharset textProblem = "other charset"  // valid, but plainly written in the other one
)

// decodeText reads raw in cs. On PC some shops send EUC-KR percent text inside a UTF-8 form, which is ASCII
// then: percentText decodes such a value once more (weblink §2.5).
func decodeText(raw string, cs smartro.Charset, percentText bool) (string, textProblem) {
	if cs == smartro.UTF8 {
		if !utf8.ValidString(raw) {
			return smartro.EUCKR.Decode([]byte(raw)), otherCharset
		}
		return raw, fine
	}
	if percentText {
		if inner, ok := percentDecoded(raw); ok {
			raw = inner
		}
	}
	if looksUTF8(raw) {
		return raw, otherCharset
	}
	s := cs.Decode([]byte(raw))
	if strings.ContainsRune(s, utf8.RuneError) {
		return s, notInCharset
	}
	return s, fine
}

// percentDecoded decodes s if it is all ASCII and every percent sign in it starts a valid pair that stands
// for a byte beyond ASCII somewhere: "50% off" and "a%20b" are left alone.
func percentDecoded(s string) (string, bool) {
	if !strings.Contains(s, "%") || strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
		return s, false
	}
	out, err := url.QueryUnescape(s)
	if err != nil || strings.IndexFunc(out, func(r rune) bool { return r > unicode.MaxASCII }) < 0 {
		return s, false
	}
	return out, true
}

// looksUTF8 tells UTF-8 bytes that were sent where EUC-KR is wanted. Validity alone would not do: 책 and 217
// other syllables are valid UTF-8 in their EUC-KR bytes. But those read as Latin or Greek; bytes that are
// UTF-8 for Hangul syllables would be a row of rare Hanja in EUC-KR.
func looksUTF8(raw string) bool {
	return utf8.ValidString(raw) && strings.ContainsFunc(raw, func(r rune) bool { return unicode.Is(unicode.Hangul, r) })
}

// beyondKSX1001 returns the characters of s that browsers send as windows-949, but that the gateway's own
// stack, which reads KS X 1001, is thought not to know (weblink §2.5).
func beyondKSX1001(s string) string {
	return strings.Map(func(r rune) rune {
		if b, _ := smartro.EUCKR.Encode(string(r)); len(b) == 2 && (b[0] < 0xA1 || b[1] < 0xA1) {
			return r
		}
		return -1
	}, s)
}

// percentText percent-encodes the bytes of s in cs.
func percentText(s string, cs smartro.Charset) string {
	b, _ := cs.Encode(s)
	return url.QueryEscape(string(b))
}

// normalEncoding reads EncodingType: the published values are euckr and utf8, and shops write them with
// hyphens and capitals, too.
func normalEncoding(s string) string {
	return strings.ReplaceAll(strings.ToLower(s), "-", "")
}
