package app

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// readPeriod takes the longest date that the words begin with, and says of how many words it is.
func (a *Asked) readPeriod(words []word, today time.Time) int {
	for n := min(3, len(words)); n > 0; n-- {
		text := ""
		for _, w := range words[:n] {
			if w.quoted {
				text = "" // who quotes a date means the word
				break
			}
			text += w.text
		}
		from, to, ok := readSpan(strings.ToLower(text), today)
		if _, _, _, like := splitDate(text); !ok && like && n > 1 { // 2월 30일: never half of it
			a.Terms = append(a.Terms, readText(text))
			return n
		}
		if !ok {
			continue
		}
		if a.From.IsZero() || from.After(a.From) {
			a.From = from
		}
		if a.To.IsZero() || !to.IsZero() && to.Before(a.To) {
			a.To = to
		}
		return n
	}
	return 0
}

// readSpan reads a period: a day, a week, a month, a year, or one of them to another. to is after the last.
func readSpan(s string, today time.Time) (from, to time.Time, ok bool) {
	low, high, ranged := cutRange(s)
	if !ranged {
		return readDate(s, today)
	}
	if low != "" {
		if from, to, ok = readDate(low, today); !ok {
			return from, to, false
		}
		to = time.Time{}
	}
	if high != "" {
		_, end, isDate := readDate(high, today)
		if !isDate {
			return from, to, false
		}
		to, ok = end, true
	}
	return from, to, ok
}

// readDate reads one date word. A day or a month without its year is the last one that has begun.
func readDate(s string, today time.Time) (from, to time.Time, ok bool) {
	year, month, day := today.Date()
	monday := today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
	first := today.AddDate(0, 0, 1-day)
	switch s {
	case "오늘", "today":
		return today, today.AddDate(0, 0, 1), true
	case "어제", "yesterday":
		return today.AddDate(0, 0, -1), today, true
	case "그제", "그저께":
		return today.AddDate(0, 0, -2), today.AddDate(0, 0, -1), true
	case "이번주", "thisweek":
		return monday, monday.AddDate(0, 0, 7), true
	case "지난주", "저번주", "lastweek":
		return monday.AddDate(0, 0, -7), monday, true
	case "이번달", "thismonth":
		return first, first.AddDate(0, 1, 0), true
	case "지난달", "저번달", "lastmonth":
		return first.AddDate(0, -1, 0), first, true
	case "올해", "thisyear":
		return startOf(year, 1, 1), startOf(year+1, 1, 1), true
	case "작년", "lastyear":
		return startOf(year-1, 1, 1), startOf(year, 1, 1), true
	}
	y, m, d, ok := splitDate(s)
	if !ok {
		return from, to, false
	}
	switch {
	case y > 0 && m == 0:
		return startOf(y, 1, 1), startOf(y+1, 1, 1), true
	case m == 0: // 3일
		m = int(month)
		if d > day {
			m = int(month) - 1
		}
		y = year
	case y == 0:
		if y = year; m > int(month) || m == int(month) && d > day {
			y--
		}
	}
	if d == 0 {
		from = startOf(y, m, 1)
		return from, from.AddDate(0, 1, 0), true
	}
	from = startOf(y, m, d)
	return from, from.AddDate(0, 0, 1), from.Day() == d // there is no 30th of February
}

func startOf(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, KST) }

// splitDate takes 2026-11-03, 2026.11.3, 2026/11, 11/3, 2026년 11월 3일, 11월, 3일 apart; what is not said is zero. Two
// numbers with a dash are no day: they are a part of a phone number.
func splitDate(s string) (y, m, d int, ok bool) {
	number := func(s string, most, digits int) int {
		if n, err := strconv.Atoi(s); err == nil && len(s) <= digits && n >= 1 && n <= most && !strings.ContainsAny(s, "+-") {
			return n
		}
		ok = false
		return 0
	}
	ok = true
	if rest, found := strings.CutSuffix(s, "일"); found {
		at := strings.LastIndexAny(rest, "년월")
		head := ""
		if at >= 0 {
			_, size := utf8.DecodeRuneInString(rest[at:])
			head, rest = rest[:at+size], rest[at+size:]
		}
		if d = number(rest, 31, 2); head != "" && !strings.HasSuffix(head, "월") {
			return 0, 0, 0, false
		}
		s = head
	}
	if rest, found := strings.CutSuffix(s, "월"); found {
		head, last, both := strings.Cut(rest, "년")
		if !both {
			head, last = "", rest
		} else if y = number(head, 2999, 4); y < 2000 {
			return 0, 0, 0, false
		}
		m = number(last, 12, 2)
		return y, m, d, ok
	}
	if rest, found := strings.CutSuffix(s, "년"); found {
		y = number(rest, 2999, 4)
		return y, 0, 0, ok && y >= 2000
	}
	if s == "" {
		return 0, 0, d, ok && d > 0
	}
	for _, mark := range []string{"-", ".", "/"} {
		part := strings.Split(s, mark)
		switch {
		case len(part) < 2 || len(part) > 3:
			continue
		case len(part[0]) == 4:
			if y, m = number(part[0], 2999, 4), number(part[1], 12, 2); len(part) == 3 {
				d = number(part[2], 31, 2)
			}
			return y, m, d, ok && y >= 2000
		case mark == "/" && len(part) == 2:
			m, d = number(part[0], 12, 2), number(part[1], 31, 2)
			return 0, m, d, ok
		}
	}
	return 0, 0, 0, false
}
