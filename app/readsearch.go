package app

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// Asked is the search box, read: the payments that meet all of its terms, in the period that its date words name.
type Asked struct {
	Terms    []Find
	From, To time.Time // by the clock of the list; zero: no bound
	Nothing  bool      // nothing of it can be looked up: all too short
}

// IsZero says that nothing was asked for.
func (a Asked) IsZero() bool {
	return len(a.Terms) == 0 && a.From.IsZero() && a.To.IsZero() && !a.Nothing
}

// ReadSearch reads the one search box: whatever a caller says, in any order. Each word narrows the list further. A
// number may be a part of a phone number, an amount or an approval number: its readings are alternatives.
//
//	오늘, 어제, 이번 주, 지난달, 11월, 11월 3일, 2026-11-03, 2026-11-01..2026-11-03   a period
//	32,000  3만2천원  10000..50000  50000..                                       an amount
//	name:홍길동  전화:5678  tid:0311                                               one field, and no other
//	"맛동산 한 봉지"                                                               words that stand side by side
func ReadSearch(q string, now time.Time) Asked {
	var a Asked
	words := splitWords(norm.NFC.String(width.Fold.String(q)))
	today := startOfDay(now).In(KST)
	for i := 0; i < len(words); {
		n := a.readPeriod(words[i:], today)
		if n == 0 {
			var f Find
			f, n = readTerm(words[i:])
			a.Terms = append(a.Terms, f)
		}
		i += n
	}
	a.join(words)
	return a
}

// word is one word as it was typed; what was in quotes is one.
type word struct {
	text   string
	quoted bool
}

func splitWords(q string) (list []word) {
	var b strings.Builder
	quoted, has := false, false
	end := func() {
		if s := strings.TrimSpace(b.String()); s != "" {
			list = append(list, word{s, has})
		}
		b.Reset()
		has = false
	}
	for _, r := range q {
		switch {
		case strings.ContainsRune("\"“”", r):
			quoted, has = !quoted, true
		case unicode.IsSpace(r) && !quoted:
			end()
		default:
			b.WriteRune(r)
		}
	}
	end()
	return list
}

// join makes one phrase of words that are all too short to be looked up one by one (홍 길), and sees whether anything
// can be looked up at all.
func (a *Asked) join(words []word) {
	if len(a.Terms) == 0 || slices.ContainsFunc(a.Terms, func(f Find) bool { return !f.Short }) {
		return
	}
	all := Find{}
	if len(a.Terms) == len(words) && !slices.ContainsFunc(a.Terms, func(f Find) bool { return f.Field != "" }) {
		for i, w := range words {
			all.Word += w.text
			if i < len(words)-1 {
				all.Word += " "
			}
		}
		all = readWords(all.Word)
	}
	if all.Word == "" || all.Short {
		*a = Asked{Nothing: true}
		return
	}
	a.Terms = []Find{all}
}

// rangeMarks stand between the two ends of a range.
var rangeMarks = []string{"..", "~", "–"}

func cutRange(s string) (low, high string, ok bool) {
	for _, mark := range rangeMarks {
		if low, high, ok = strings.Cut(s, mark); ok {
			return low, high, true
		}
	}
	return "", "", false
}

// readTerm reads what the words begin with: one word, or the parts of one number.
func readTerm(words []word) (Find, int) {
	if words[0].quoted {
		if f, ok := readField(words[0].text); ok {
			return f, 1
		}
		return readText(words[0].text), 1
	}
	if f, ok := readField(words[0].text); ok {
		return f, 1
	}
	n, sizes, whole := 0, []int{}, ""
	for n < len(words) && !words[n].quoted && bareNumber(words[n].text) != "" {
		bare := bareNumber(words[n].text)
		sizes = append(sizes, len(bare))
		if whole += bare; len(whole) > 20 || !sameNumber(whole, sizes) {
			break
		}
		n++
	}
	if n <= 1 {
		return readWords(words[0].text), 1
	}
	text := words[0].text
	for _, w := range words[1:n] {
		text += "-" + w.text
	}
	return readWords(text), n
}

// sameNumber says whether parts with a space between them are one number: those of a phone number are.
func sameNumber(whole string, sizes []int) bool {
	switch len(sizes) {
	case 1:
		return true
	case 2:
		return whole[0] == '0' && len(whole) <= 11 || (sizes[0] == 3 || sizes[0] == 4) && sizes[1] == 4
	case 3:
		return whole[0] == '0' && len(whole) <= 11
	}
	return false
}

// bareNumber is a number without what people write between its digits; empty: it is none.
func bareNumber(s string) string {
	if rest, ok := strings.CutPrefix(s, "+82"); ok {
		s = "0" + strings.TrimPrefix(strings.TrimLeft(rest, "- "), "0")
	}
	bare := strings.NewReplacer("-", "", ",", "", ".", "", "원", "", "₩", "", "(", "", ")", "").Replace(s)
	if strings.Trim(bare, "0123456789") != "" {
		return ""
	}
	return bare
}

// readWords reads one term of which no field was said.
func readWords(s string) Find {
	if low, high, ok := readAmounts(s); ok {
		return Find{Word: s, Amount: low, Most: high, HasAmt: true}
	}
	if bare := bareNumber(s); bare != "" {
		return readDigits(s, bare)
	}
	f := readText(s)
	if id := strings.TrimSpace(s); isID(id) {
		f.Exact = strings.ToUpper(id)
		if len(id) >= 4 {
			f.Part, f.Short = id, false
		}
		if f.Text == "" {
			f.Text = s
		}
	}
	return f
}

func readDigits(s, bare string) Find {
	f := Find{Word: s}
	if len(bare) >= 3 && len(bare) <= 20 {
		f.Digits = bare
	}
	if strings.ContainsAny(s, "-()+") { // so nobody writes an amount
		f.Short = f.Digits == ""
		f.Exact = bare
		return f
	}
	f.Exact = bare
	if n, err := readWon(bare); err == nil && n > 0 {
		f.Amount, f.Most, f.HasAmt = n, n, true
	}
	if len(bare) >= 6 { // shorter ones are in every TID of some day
		f.Part = bare
	}
	f.Text, f.Short = bare, len(bare) < 3
	return f
}

func readText(s string) Find {
	return Find{Word: s, Text: s, Short: letters(s) < 3 && hangul(s) < 2}
}

// readAmounts reads what can only be an amount: 32,000  32000원  ₩500  3만  3만2천원  10000..50000  10000..  ..50000.
func readAmounts(s string) (low, high Won, ok bool) {
	one := func(s string) (Won, bool) {
		n, err := readKorean(s)
		return n, err == nil && n > 0
	}
	if from, to, ranged := cutRange(s); ranged {
		low, high, ok = 0, MaxAmount, from != "" || to != ""
		if from != "" {
			n, fine := one(from)
			low, ok = n, ok && fine
		}
		if to != "" {
			n, fine := one(to)
			high, ok = n, ok && fine
		}
		return min(low, high), max(low, high), ok
	}
	grouped := strings.Contains(s, ",") && isGrouped(s)
	if !grouped && !strings.ContainsAny(s, "원₩만천") {
		return 0, 0, false
	}
	n, fine := one(s)
	return n, n, fine
}

// isGrouped says that the commas stand where those of an amount do.
func isGrouped(s string) bool {
	parts := strings.Split(strings.Trim(s, "원₩"), ",")
	for _, p := range parts[1:] {
		if len(p) != 3 {
			return false
		}
	}
	return len(parts[0]) >= 1 && len(parts[0]) <= 3
}

// readKorean reads an amount with or without its 만 and 천.
func readKorean(s string) (Won, error) {
	s = strings.NewReplacer(",", "", "원", "", "₩", "").Replace(s)
	var sum Won
	for _, unit := range []struct {
		name string
		won  Won
	}{{"만", 10_000}, {"천", 1_000}} {
		head, rest, found := strings.Cut(s, unit.name)
		if !found {
			continue
		}
		n, err := readWon(head)
		if err != nil || head == "" || n > 100_000_000 {
			return 0, ErrBadInput
		}
		sum, s = sum+n*unit.won, rest
		if s == "" {
			return sum, nil
		}
	}
	n, err := readWon(s)
	if err != nil || s == "" {
		return 0, ErrBadInput
	}
	return sum + n, nil
}

func readWon(digits string) (Won, error) {
	var n Won
	if len(digits) > 12 || strings.Trim(digits, "0123456789") != "" {
		return 0, ErrBadInput
	}
	for _, r := range digits {
		n = n*10 + Won(r-'0')
	}
	return n, nil
}

// searchFields are the fields that a word may be said to be in, by the names that people give them.
var searchFields = map[string]string{
	"tid": "tid", "거래": "tid", "order": "order", "moid": "order", "주문": "order", "주문번호": "order",
	"approval": "approval", "승인": "approval", "승인번호": "approval", "phone": "phone", "tel": "phone", "전화": "phone", "전화번호": "phone",
	"card": "card", "카드": "card", "account": "account", "계좌": "account", "amount": "amount", "금액": "amount", "name": "name", "이름": "name",
	"goods": "goods", "상품": "goods", "mail": "mail", "email": "mail", "메일": "mail", "이메일": "mail", "mid": "mid",
}

// readField reads a word with its field before it. ok is false if there is none.
func readField(s string) (f Find, ok bool) {
	name, value, _ := strings.Cut(s, ":")
	field := searchFields[strings.ToLower(name)]
	if value = strings.TrimSpace(value); field == "" || value == "" {
		return f, false
	}
	f = Find{Word: s, Field: field}
	switch field {
	case "tid", "order":
		f.Exact, f.Part, f.Short = strings.ToUpper(value), value, len(value) < 3
		if !isID(value) {
			f.Exact, f.Part, f.Text, f.Short = "", "", value, true // met by none
		}
	case "approval", "mid":
		if f.Exact = value; !isID(value) {
			f.Exact, f.Text, f.Short = "", value, true
		}
	case "phone", "card", "account":
		f.Digits = bareNumber(value)
		if f.Short = len(f.Digits) < 3 || len(f.Digits) > 20; f.Digits == "" {
			f.Text = value
		}
	case "amount":
		low, high, fine := readAmounts(value)
		if n, err := readKorean(value); !fine && err == nil {
			low, high, fine = n, n, n > 0
		}
		if f.Amount, f.Most, f.HasAmt = low, high, fine; !fine {
			f.Text, f.Short = value, true
		}
	default:
		f.Text, f.Short = value, letters(value) < 3 && hangul(value) < 2
	}
	return f, true
}

func isID(s string) bool {
	return len(s) <= 40 && strings.IndexFunc(s, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) < 0
}

func letters(s string) int { return utf8.RuneCountInString(strings.ReplaceAll(s, " ", "")) }

func hangul(s string) (n int) {
	for _, r := range s {
		if unicode.Is(unicode.Hangul, r) {
			n++
		}
	}
	return n
}
