package text_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gage/web/text"
)

var verb = regexp.MustCompile(`%(\[\d+\])?[a-z]`)

// TestLanguagesMatch: what is said in one language is said in the other, with the same values in it.
func TestLanguagesMatch(t *testing.T) {
	ko, en := text.Catalogue(text.Korean), text.Catalogue(text.English)
	for key, s := range ko {
		other, ok := en[key]
		if !ok {
			t.Errorf("%s is not in English", key)
			continue
		}
		a, b := verb.FindAllString(s, -1), verb.FindAllString(other, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Errorf("%s takes %v in Korean and %v in English", key, a, b)
		}
		if strings.TrimSpace(s) == "" || strings.TrimSpace(other) == "" {
			t.Errorf("%s says nothing", key)
		}
	}
	for key := range en {
		if _, ok := ko[key]; !ok {
			t.Errorf("%s is not in Korean", key)
		}
	}
}

func TestMatch(t *testing.T) {
	for accept, want := range map[string]text.Lang{
		"": text.Korean, "ko-KR,ko;q=0.9,en;q=0.8": text.Korean, "en-US,en;q=0.9": text.English,
		"en;q=0.5,ko;q=0.4": text.English, "ja,en;q=0.2": text.English, "fr": text.English, "\x00": text.Korean,
	} {
		if got := text.Match(accept); got != want {
			t.Errorf("Match(%q) = %s, want %s", accept, got, want)
		}
	}
}

func TestT(t *testing.T) {
	ko := context.Background()
	en := text.With(ko, text.English)
	for _, c := range []struct{ got, want string }{
		{text.T(ko, "pay.deed", "33,000원"), "33,000원 결제하기"},
		{text.T(en, "pay.deed", "₩33,000"), "Pay ₩33,000"},
		{text.T(ko, "no.such.key"), "no.such.key"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
