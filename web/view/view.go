// Package view writes money, times, phone numbers and names as people read them, in the language of the request.
package view

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gage/web/text"
)

// seoul is the only time zone that pages show. Korea has no summer time.
func seoul() *time.Location { return time.FixedZone("KST", 9*60*60) }

// Comma groups digits by thousands: "33,000".
func Comma(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Won writes an amount in won: "33,000원", in English "₩33,000".
func Won[T ~int64](ctx context.Context, n T) string {
	if text.Of(ctx) == text.English {
		if n < 0 {
			return "-₩" + Comma(int64(-n))
		}
		return "₩" + Comma(int64(n))
	}
	return Comma(int64(n)) + "원"
}

// BareWon takes away what people write around and between an amount's digits: "33,000원" and "₩ 33,000" are "33000".
func BareWon(s string) string {
	return strings.NewReplacer(",", "", " ", "", "원", "", "₩", "").Replace(s)
}

type nowKey struct{}

// At says when the page is made: times of another year are written with it.
func At(ctx context.Context, now time.Time) context.Context {
	return context.WithValue(ctx, nowKey{}, now)
}

// When writes a time in Seoul as "11월 23일(월) 14:05", in English "Mon 23 Nov, 14:05", and of another year than the page's
// as "2025년 11월 23일(일) 14:05", "Sun 23 Nov 2025, 14:05"; "" for the zero time.
func When(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	sep := " "
	if text.Of(ctx) == text.English {
		sep = ", "
	}
	return Day(ctx, t) + sep + t.In(seoul()).Format("15:04")
}

// Day is When without the clock: "11월 23일(월)", "Mon 23 Nov".
func Day(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(seoul())
	now, told := ctx.Value(nowKey{}).(time.Time)
	other := told && now.In(seoul()).Year() != t.Year()
	switch {
	case text.Of(ctx) == text.English && other:
		return t.Format("Mon 2 Jan 2006")
	case text.Of(ctx) == text.English:
		return t.Format("Mon 2 Jan")
	case other:
		return t.Format("2006년 1월 2일(") + weekday(t) + ")"
	}
	return t.Format("1월 2일(") + weekday(t) + ")"
}

// Clock is the time of day in Seoul to the second: "14:05:12".
func Clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(seoul()).Format("15:04:05")
}

// Stamp is the full time in Seoul for tooltips: "2026-11-23 14:05:12 KST".
func Stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(seoul()).Format("2006-01-02 15:04:05 KST")
}

// ISO is the machine's form for <time datetime>.
func ISO(t time.Time) string { return t.In(seoul()).Format(time.RFC3339) }

func weekday(t time.Time) string {
	return [...]string{"일", "월", "화", "수", "목", "금", "토"}[t.Weekday()]
}

// Phone writes Korean phone digits with hyphens: "010-9999-1111", "02-123-4567", "1588-1234". Anything else stays
// as it is.
func Phone(digits string) string {
	if strings.Trim(digits, "0123456789") != "" {
		return digits
	}
	n, area := len(digits), 3
	switch {
	case n == 8 && digits[0] == '1':
		return digits[:4] + "-" + digits[4:]
	case strings.HasPrefix(digits, "02"):
		area = 2
	case !strings.HasPrefix(digits, "0"):
		return digits
	}
	if n < area+7 || n > area+8 {
		return digits
	}
	return digits[:area] + "-" + digits[area:n-4] + "-" + digits[n-4:]
}

// BusinessNo writes ten digits as "123-45-67890".
func BusinessNo(s string) string {
	if len(s) != 10 || strings.Trim(s, "0123456789") != "" {
		return s
	}
	return s[:3] + "-" + s[3:5] + "-" + s[5:]
}

// MaskName hides a name's middle: "홍*동", "이*", "남**민", "J*** S****".
func MaskName(name string) string {
	words := strings.Fields(name)
	if len(words) > 1 {
		for i, w := range words {
			words[i] = maskWord(w, false)
		}
		return strings.Join(words, " ")
	}
	if len(words) == 0 {
		return ""
	}
	return maskWord(words[0], utf8.RuneCountInString(words[0]) > 2)
}

func maskWord(w string, keepLast bool) string {
	r := []rune(w)
	if len(r) == 1 {
		return "*"
	}
	end := len(r)
	if keepLast {
		end--
	}
	for i := 1; i < end; i++ {
		r[i] = '*'
	}
	return string(r)
}

// MaskTel hides all but the first block and the last four digits: "010-****-1111". Too short a number is hidden whole.
func MaskTel(digits string) string {
	if len(digits) < 8 || strings.Trim(digits, "0123456789") != "" {
		return strings.Repeat("*", utf8.RuneCountInString(digits))
	}
	parts := strings.Split(Phone(digits), "-")
	if len(parts) != 3 {
		return strings.Repeat("*", len(digits)-4) + digits[len(digits)-4:]
	}
	return parts[0] + "-" + strings.Repeat("*", len(parts[1])) + "-" + parts[2]
}

// MaskAccount leaves the last four digits of an account number, by which its owner can tell it.
func MaskAccount(digits string) string {
	tail := max(len(digits)-4, 0)
	return strings.Repeat("*", tail) + digits[tail:]
}

// MaskEmail keeps the first letter and the domain: "h***@example.com".
func MaskEmail(mail string) string {
	at := strings.LastIndexByte(mail, '@')
	if at < 1 {
		return strings.Repeat("*", utf8.RuneCountInString(mail))
	}
	_, n := utf8.DecodeRuneInString(mail)
	return mail[:n] + "***" + mail[at:]
}

// Browser names the browser and the system that a User-Agent header tells of, such as "Chrome · Windows"; empty if
// it tells of neither. A header can say anything: it helps people to recognise their own, and proves nothing.
func Browser(agent string) string {
	known := func(list [][2]string) string {
		for _, k := range list {
			if strings.Contains(agent, k[0]) {
				return k[1]
			}
		}
		return ""
	}
	browser := known([][2]string{
		{"Edg", "Edge"}, {"Whale/", "Whale"}, {"SamsungBrowser/", "Samsung Internet"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	})
	system := known([][2]string{
		{"Windows", "Windows"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	})
	return strings.Trim(browser+" · "+system, " ·")
}
