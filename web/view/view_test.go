package view_test

import (
	"context"
	"testing"
	"time"

	"gage/web/text"
	"gage/web/view"
)

func TestMoneyAndTime(t *testing.T) {
	ko := context.Background()
	en := text.With(ko, text.English)
	at := time.Date(2026, 11, 23, 5, 5, 12, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{view.Won(ko, int64(33000)), "33,000원"},
		{view.Won(en, int64(33000)), "₩33,000"},
		{view.Won(ko, int64(0)), "0원"},
		{view.Won(ko, int64(999)), "999원"},
		{view.Won(ko, int64(-1000)), "-1,000원"},
		{view.Won(en, int64(-1000)), "-₩1,000"},
		{view.Won(ko, int64(123456789012)), "123,456,789,012원"},
		{view.BareWon("33,000원"), "33000"},
		{view.BareWon(" ₩33,000 "), "33000"},
		{view.BareWon("-1,000"), "-1000"},
		{view.When(ko, at), "11월 23일(월) 14:05"},
		{view.When(en, at), "Mon 23 Nov, 14:05"},
		{view.When(ko, time.Time{}), ""},
		{view.When(ko, time.Date(2026, 1, 3, 16, 0, 0, 0, time.UTC)), "1월 4일(일) 01:00"},
		{view.When(view.At(ko, at), at), "11월 23일(월) 14:05"},
		{view.When(view.At(ko, at.AddDate(1, 0, 0)), at), "2026년 11월 23일(월) 14:05"},
		{view.When(view.At(en, at.AddDate(-1, 0, 0)), at), "Mon 23 Nov 2026, 14:05"},
		{view.Day(view.At(ko, time.Date(2026, 12, 31, 15, 0, 0, 0, time.UTC)), at), "2026년 11월 23일(월)"}, // Seoul's new year
		{view.Day(ko, at), "11월 23일(월)"},
		{view.Stamp(at), "2026-11-23 14:05:12 KST"},
		{view.Clock(at), "14:05:12"},
		{view.ISO(at), "2026-11-23T14:05:12+09:00"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestPeople(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{view.Phone("01099991111"), "010-9999-1111"},
		{view.Phone("0112345678"), "011-234-5678"},
		{view.Phone("021234567"), "02-123-4567"},
		{view.Phone("0212345678"), "02-1234-5678"},
		{view.Phone("15881234"), "1588-1234"},
		{view.Phone("12"), "12"},
		{view.Phone(""), ""},
		{view.Phone("+8210"), "+8210"},
		{view.MaskTel("01099991111"), "010-****-1111"},
		{view.MaskTel("0212345678"), "02-****-5678"},
		{view.MaskTel("15881234"), "****1234"},
		{view.MaskTel("123"), "***"},
		{view.MaskTel(""), ""},
		{view.MaskName("홍길동"), "홍*동"},
		{view.MaskName("이철"), "이*"},
		{view.MaskName("남궁철민"), "남**민"},
		{view.MaskName("김"), "*"},
		{view.MaskName(""), ""},
		{view.MaskName("John Smith"), "J*** S****"},
		{view.MaskEmail("hong@example.com"), "h***@example.com"},
		{view.MaskEmail("nonsense"), "********"},
		{view.BusinessNo("1234567890"), "123-45-67890"},
		{view.BusinessNo("12"), "12"},
		{view.MaskAccount("1002345678901"), "*********8901"},
		{view.MaskAccount("123"), "123"},
		{view.MaskAccount(""), ""},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestBrowser(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                            "Chrome · Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Whale/4.32.315.22 Safari/537.36":          "Whale · Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":              "Edge · Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1":    "Safari · iPhone",
		"Mozilla/5.0 (Linux; Android 14; SM-S911N) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36": "Samsung Internet · Android",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0":                                                       "Firefox · macOS",
		"curl/8.5.0": "", "": "", "Linux": "Linux",
	} {
		if got := view.Browser(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}
