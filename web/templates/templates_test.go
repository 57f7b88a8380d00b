package templates_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"gage/web/static"
)

var (
	inline = regexp.MustCompile(`(?i)\s(style|on[a-z]+|hx-on[a-z:-]*)=|javascript:|^(css|script) [a-z]`)
	icon   = regexp.MustCompile(`(?:@Icon\(|Icon: +|icon = )"([a-z0-9-]+)"`)
)

// TestNothingInline: the policy of our pages runs no inline script and applies no inline style.
func TestNothingInline(t *testing.T) {
	each(t, "*.templ", func(file, text string) {
		if bad := inline.FindString(text); bad != "" {
			t.Errorf("%s has %q", file, bad)
		}
	})
}

// TestIconsAreThere: an icon that was not picked would draw nothing.
func TestIconsAreThere(t *testing.T) {
	var seen int
	look := func(file, text string) {
		for _, m := range icon.FindAllStringSubmatch(text, -1) {
			seen++
			if static.Icon(m[1]) == "" {
				t.Errorf("%s draws %q, which is not in web/static/vendor/lucide", file, m[1])
			}
		}
	}
	each(t, "*.templ", look)
	each(t, "../*.go", look)
	if seen < 10 {
		t.Fatalf("only %d icons found: the pattern no longer fits the code", seen)
	}
}

func each(t *testing.T, pattern string, look func(file, text string)) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatal(pattern, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		look(file, string(b))
	}
}
