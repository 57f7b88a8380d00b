package smartro

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// repertoire says which characters a field may carry.
type repertoire struct {
	cs   Charset
	wide bool // of EUCKR: windows-949, not only KS X 1001 (see Merchant.WideEUCKR)
}

// clean returns s as the repertoire carries it: composed, without control characters, look-alikes in place, "?"
// for the rest. A second clean changes nothing more.
func clean(rep repertoire, field, s string) (string, []Note) {
	var out, replaced, narrow strings.Builder
	for _, r := range norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD")) {
		sent := r
		switch {
		case unicode.IsControl(r):
			sent = ' '
		case r == utf8.RuneError:
			sent = '?'
		case rep.cs == EUCKR:
			sent = eucLookAlike(r)
			switch {
			case encodeRune(sent) == nil || !rep.wide && !ksx1001(sent):
				sent = '?'
			case !ksx1001(sent):
				narrow.WriteRune(r)
			}
		}
		if sent != r {
			replaced.WriteRune(r)
		}
		out.WriteRune(sent)
	}
	var notes []Note
	if replaced.Len() > 0 {
		notes = append(notes, Note{field, NoteReplaced, replaced.String()})
	}
	if narrow.Len() > 0 {
		notes = append(notes, Note{field, NoteCP949, narrow.String()})
	}
	return out.String(), notes
}

// cut shortens s to limit bytes of cs on a character boundary and returns both parts.
func cut(cs Charset, s string, limit int) (kept, rest string) {
	n := 0
	for i, r := range s {
		if n += cs.Len(string(r)); n > limit {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// firewall returns what the gateway's web firewall is known to dislike in s, "" if nothing: quotes, angle
// brackets, backslash, semicolon, doubled hyphens, "javascript:" and SQL-like text (weblink §2.5).
func firewall(s string) string {
	var found []string
	for _, r := range s {
		if strings.ContainsRune("'\"`<>\\;", r) {
			found = append(found, string(r))
		}
	}
	for _, mark := range []string{"--", "/*"} {
		if strings.Contains(s, mark) {
			found = append(found, mark)
		}
	}
	found = append(found, script.FindAllString(s, -1)...)
	if sql := sqlLike(s); sql != "" {
		found = append(found, sql)
	}
	return strings.Join(found, " ")
}

// script is what makes a link run.
var script = regexp.MustCompile(`(?i)(javascript):`)

// sqlLike returns the words that make s look like SQL.
func sqlLike(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '='
	})
	for i, w := range words {
		if (w == "or" || w == "and") && i+1 < len(words) && tautology(words[i+1]) {
			return w + " " + words[i+1]
		}
		for _, pair := range [][2]string{
			{"select", "from"}, {"union", "select"}, {"insert", "into"}, {"delete", "from"},
			{"update", "set"}, {"drop", "table"}, {"exec", "xp"}, {"script", "alert"},
		} {
			if w == pair[0] && slices.Contains(words[i+1:], pair[1]) {
				return pair[0] + " " + pair[1]
			}
		}
	}
	return ""
}

// tautology matches 1=1 and its like.
func tautology(w string) bool {
	l, r, ok := strings.Cut(w, "=")
	return ok && l != "" && l == r
}

// harmless replaces what the firewall dislikes by full-width look-alikes, for texts that only people read.
func harmless(s string) string {
	s = script.ReplaceAllString(s, "$1：")
	return strings.NewReplacer("'", "＇", `"`, "＂", "`", "｀", "<", "＜", ">", "＞", `\`, "＼", ";", "；",
		"--", "－－", "/*", "／*").Replace(s)
}
