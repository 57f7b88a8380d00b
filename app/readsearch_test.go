package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gage/app"
)

// TestReadSearch: how the box reads what a caller says, on Friday the 27th of November 2026 at ten in the morning.
func TestReadSearch(t *testing.T) {
	now := time.Date(2026, 11, 27, 10, 0, 0, 0, app.KST)
	for _, c := range []struct{ q, want string }{
		{"", ""},
		{"오늘", "2026-11-27+1"},
		{"today", "2026-11-27+1"},
		{"어제", "2026-11-26+1"},
		{"그저께", "2026-11-25+1"},
		{"이번 주", "2026-11-23+7"},
		{"지난주", "2026-11-16+7"},
		{"last month", "2026-10-01+31"},
		{"11월", "2026-11-01+30"},
		{"12월", "2025-12-01+31"}, // has not begun this year
		{"2월 29일", "text=2월29일"}, // of 2026 there is none: words
		{"2024년 2월 29일", "2024-02-29+1"},
		{"3일", "2026-11-03+1"},
		{"30일", "2026-10-30+1"},
		{"11/3", "2026-11-03+1"},
		{"2026-11-03", "2026-11-03+1"},
		{"2026.11.3", "2026-11-03+1"},
		{"2026-11", "2026-11-01+30"},
		{"2026년", "2026-01-01+365"},
		{"2026-11-01..2026-11-03", "2026-11-01+3"},
		{"11월 1일~11월 5일", "2026-11-01+5"},
		{"11월..", "2026-11-01.."},
		{"..어제", "..2026-11-27"},
		{"2026-02-30", "digits=20260230 exact=20260230"},
		{`"오늘"`, "text=오늘"},
		{"오늘의집", "text=오늘의집"},
		{"32,000", "won=32000..32000"},
		{"32000원", "won=32000..32000"},
		{"3만2천원", "won=32000..32000"},
		{"3만", "won=30000..30000"},
		{"10000..50000", "won=10000..50000"},
		{"5만~1만", "won=10000..50000"},
		{"50,000..", "won=50000..999999999999"},
		{"5678", "text=5678 digits=5678 exact=5678 won=5678..5678"},
		{"12", "short text=12 exact=12 won=12..12 길동"}, // see below: it needs company
		{"010-1234-5678", "digits=01012345678 exact=01012345678"},
		{"010 1234 5678", "digits=01012345678 exact=01012345678"},
		{"+82 10-1234-5678", "digits=01012345678 exact=01012345678"},
		{"1234 5678", "digits=12345678 exact=12345678"},
		{"5678 32000", "text=5678 digits=5678 exact=5678 won=5678..5678 | text=32000 digits=32000 exact=32000 won=32000..32000"},
		{"홍길동", "text=홍길동"},
		{"김 영희", "short text=김 | text=영희"},
		{"홍 길", "text=홍 길"},
		{"김", "nothing"},
		{"김 오늘", "nothing"},
		{"길동 어제 3만원", "2026-11-26+1 text=길동 | won=30000..30000"},
		{"hong@example.com", "text=hong@example.com"},
		{"ABCD2345", "text=ABCD2345 exact=ABCD2345 part=ABCD2345"},
		{"name:길동", "name: text=길동"},
		{"이름:길동 전화:5678", "name: text=길동 | phone: digits=5678"},
		{"tid:031", "tid: exact=031 part=031"},
		{"카드:1234", "card: digits=1234"},
		{"금액:3만", "amount: won=30000..30000"},
		{"amount:500", "amount: won=500..500"},
		{`name:"홍 길순"`, "name: text=홍 길순"},
		{"전화:오팔", "nothing"},
		{"이름:", "text=이름:"},
	} {
		t.Run(c.q, func(t *testing.T) {
			q := c.q
			if want, ok := strings.CutSuffix(c.want, " 길동"); ok {
				q, c.want = q+" 길동", want+" | text=길동"
			}
			if got := readAs(app.ReadSearch(q, now)); got != c.want {
				t.Errorf("%q is read as\n%s, want\n%s", q, got, c.want)
			}
		})
	}
}

func readAs(a app.Asked) string {
	if a.Nothing {
		return "nothing"
	}
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(app.KST).Format(time.DateOnly)
	}
	var period string
	switch {
	case a.From.IsZero() && a.To.IsZero():
	case a.From.IsZero() || a.To.IsZero():
		period = day(a.From) + ".." + day(a.To)
	default:
		period = fmt.Sprintf("%s+%d", day(a.From), int(a.To.Sub(a.From).Hours()/24))
	}
	var terms []string
	for _, f := range a.Terms {
		var parts []string
		add := func(ok bool, format string, v ...any) {
			if ok {
				parts = append(parts, fmt.Sprintf(format, v...))
			}
		}
		add(f.Field != "", "%s:", f.Field)
		add(f.Short, "short")
		add(f.Text != "", "text=%s", f.Text)
		add(f.Digits != "", "digits=%s", f.Digits)
		add(f.Exact != "", "exact=%s", f.Exact)
		add(f.Part != "", "part=%s", f.Part)
		add(f.HasAmt, "won=%d..%d", f.Amount, f.Most)
		terms = append(terms, strings.Join(parts, " "))
	}
	return strings.TrimSpace(period + " " + strings.Join(terms, " | "))
}
