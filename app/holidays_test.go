package app_test

import (
	"testing"
	"time"

	"gage/app"
)

// TestBack: the money of a cancel is seen on a day on which banks work. The days are those that the calendar of these years
// has in red.
func TestBack(t *testing.T) {
	next := app.CancelRule{From: 1, To: 2}
	for _, c := range []struct{ name, cancelled, first, last string }{
		{"a week's middle", "2026-11-24", "2026-11-25", "2026-11-26"},
		{"a weekend", "2026-11-27", "2026-11-30", "2026-12-01"},
		{"Christmas on a Friday", "2026-12-24", "2026-12-28", "2026-12-29"},
		{"the year's end", "2026-12-31", "2027-01-04", "2027-01-05"},
		{"New Year by Korea's moon, its Sunday off on Tuesday", "2027-02-05", "2027-02-10", "2027-02-11"},
		{"two holidays on one day", "2025-05-02", "2025-05-07", "2025-05-08"},
		{"Chuseok between two others", "2025-10-02", "2025-10-10", "2025-10-13"},
		{"Chuseok on National Foundation Day", "2028-09-29", "2028-10-06", "2028-10-10"},
		{"Chuseok that ends on a Saturday", "2026-09-23", "2026-09-28", "2026-09-29"},
		{"a Saturday off on Monday", "2026-08-14", "2026-08-18", "2026-08-19"},
		{"Memorial Day on a Saturday", "2026-06-05", "2026-06-08", "2026-06-09"},
		{"Labour Day", "2026-04-30", "2026-05-04", "2026-05-06"},
		{"Constitution Day before it was a holiday", "2025-07-16", "2025-07-17", "2025-07-18"},
		{"Constitution Day", "2026-07-16", "2026-07-20", "2026-07-21"},
		{"a day of election", "2028-04-11", "2028-04-13", "2028-04-14"},
		{"after the tables' end", "2051-02-10", "2051-02-13", "2051-02-14"},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", c.cancelled+" 23:30", app.KST)
		if err != nil {
			t.Fatal(err)
		}
		first, last := next.Back(at.UTC(), app.DaysOff{"2028-04-12"})
		if f, l := first.Format(time.DateOnly), last.Format(time.DateOnly); f != c.first || l != c.last {
			t.Errorf("%s: cancelled on %s, back from %s to %s; want %s to %s", c.name, c.cancelled, f, l, c.first, c.last)
		}
	}
}
