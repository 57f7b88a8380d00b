package app

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
)

// lunarDays are the days of a year that follow the moon, of Korea's calendar, which is not China's (New Year 2027).
type lunarDays struct{ newYear, buddha, chuseok string } // MM-DD

// lunar is of the Korea Astronomy and Space Science Institute's tables, which end in 2050.
var lunar = map[int]lunarDays{
	2024: {"02-10", "05-15", "09-17"}, 2025: {"01-29", "05-05", "10-06"}, 2026: {"02-17", "05-24", "09-25"},
	2027: {"02-07", "05-13", "09-15"}, 2028: {"01-27", "05-02", "10-03"}, 2029: {"02-13", "05-20", "09-22"},
	2030: {"02-03", "05-09", "09-12"}, 2031: {"01-23", "05-28", "10-01"}, 2032: {"02-11", "05-16", "09-19"},
	2033: {"01-31", "05-06", "09-08"}, 2034: {"02-19", "05-25", "09-27"}, 2035: {"02-08", "05-15", "09-16"},
	2036: {"01-28", "05-03", "10-04"}, 2037: {"02-15", "05-22", "09-24"}, 2038: {"02-04", "05-11", "09-13"},
	2039: {"01-24", "04-30", "10-02"}, 2040: {"02-12", "05-18", "09-21"}, 2041: {"02-01", "05-07", "09-10"},
	2042: {"01-22", "05-26", "09-28"}, 2043: {"02-10", "05-16", "09-17"}, 2044: {"01-30", "05-05", "10-05"},
	2045: {"02-17", "05-24", "09-25"}, 2046: {"02-06", "05-13", "09-15"}, 2047: {"01-26", "05-02", "10-04"},
	2048: {"02-14", "05-20", "09-22"}, 2049: {"02-02", "05-09", "09-11"}, 2050: {"01-23", "05-28", "09-30"},
}

// holiday is a day on which public offices are closed by law.
type holiday struct {
	day   time.Time
	moved moving
}

// moving says when another day is off instead of a holiday.
type moving int

const (
	stays      moving = iota
	offSunday         // where it is a Sunday
	offWeekend        // where it is a Saturday or Sunday
)

// holidaysByLaw are those of the rules for public offices, which banks and card companies keep, without the days that are
// off instead of them: those of elections and those that a government sets are not known long before.
func holidaysByLaw(year int) []holiday {
	on := func(day string) time.Time {
		t, err := time.ParseInLocation(time.DateOnly, time.Date(year, 1, 1, 0, 0, 0, 0, KST).Format("2006-")+day, KST)
		if err != nil {
			panic(err) // the tables are ours
		}
		return t
	}
	list := []holiday{
		{on("01-01"), stays}, {on("03-01"), offWeekend}, {on("05-05"), offWeekend}, {on("06-06"), stays}, {on("08-15"), offWeekend},
		{on("10-03"), offWeekend}, {on("10-09"), offWeekend}, {on("12-25"), offWeekend},
	}
	if year >= 2026 { // Constitution Day is one again
		list = append(list, holiday{on("07-17"), offWeekend})
	}
	if moon, known := lunar[year]; known {
		list = append(list, holiday{on(moon.buddha), offWeekend})
		for _, feast := range []string{moon.newYear, moon.chuseok} { // with the days before and after
			for d := -1; d <= 1; d++ {
				list = append(list, holiday{on(feast).AddDate(0, 0, d), offSunday})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b holiday) int { return a.day.Compare(b.day) })
	return list
}

// closedIn are the days of a year, yyyy-mm-dd in Korea, on which banks and card companies do not work beside Saturdays and
// Sundays: holidays, the days off instead of those that fall on a weekend or on one another, and Labour Day, which is theirs.
func closedIn(year int) map[string]bool {
	list := holidaysByLaw(year)
	closed := map[string]bool{}
	for _, h := range list {
		closed[kstDay(h.day)] = true
	}
	seen := map[string]bool{}
	for _, h := range list {
		day, weekday := kstDay(h.day), h.day.Weekday()
		weekend := weekday == time.Sunday || weekday == time.Saturday
		off := weekday == time.Sunday && h.moved != stays || weekday == time.Saturday && h.moved == offWeekend || !weekend && seen[day] && h.moved != stays
		seen[day] = true
		if !off {
			continue
		}
		next := h.day.AddDate(0, 0, 1)
		for closed[kstDay(next)] || next.Weekday() == time.Sunday || next.Weekday() == time.Saturday {
			next = next.AddDate(0, 0, 1)
		}
		closed[kstDay(next)] = true
	}
	closed[time.Date(year, time.May, 1, 0, 0, 0, 0, KST).Format(time.DateOnly)] = true
	return closed
}

// DaysOff are the days beside those of the law on which banks do not work, yyyy-mm-dd in Korea: of elections, and those that a
// government set. The owner keeps them.
type DaysOff []string

// after is the n-th day after t on which banks work, at its begin in Korea.
func (d DaysOff) after(t time.Time, n int) time.Time {
	t = startOfDay(t).In(KST)
	for n > 0 {
		t = t.AddDate(0, 0, 1)
		day := kstDay(t)
		if w := t.Weekday(); w != time.Saturday && w != time.Sunday && !closedIn(t.Year())[day] && !slices.Contains(d, day) {
			n--
		}
	}
	return t
}

const settingDaysOff = "days_off"

// daysOffMost is far more than any shop needs.
const daysOffMost = 100

// DaysOff are those that the owner keeps, in order.
func (s *Shop) DaysOff(ctx context.Context) (DaysOff, error) {
	return setting[DaysOff](ctx, s.Store, settingDaysOff, nil)
}

// readDaysOff reads them as they are typed: yyyy-mm-dd, with spaces, commas or lines between. InputError days_off names what
// is no day.
func readDaysOff(typed string) (DaysOff, error) {
	days := DaysOff{}
	for _, word := range strings.FieldsFunc(typed, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		t, err := time.ParseInLocation(time.DateOnly, word, KST)
		if err != nil || t.Year() < 2000 {
			return nil, &InputError{Field: "days_off", Code: "days_off.day"}
		}
		days = append(days, kstDay(t))
	}
	slices.Sort(days)
	if days = slices.Compact(days); len(days) > daysOffMost {
		return nil, &InputError{Field: "days_off", Code: "days_off.many"}
	}
	return days, nil
}
