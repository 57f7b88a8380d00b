package static_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gage/web/static"
)

func TestHandler(t *testing.T) {
	get := func(path, encoding string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		static.Handler().ServeHTTP(w, r)
		return w
	}
	for _, c := range []struct {
		path, encoding   string
		status           int
		cache, encoding2 string
	}{
		{static.URL("css/base.css"), "gzip", 200, "public, max-age=31536000, immutable", "gzip"},
		{static.URL("css/base.css"), "", 200, "public, max-age=31536000, immutable", ""},
		{"/static/0123456789abcdef/css/base.css", "", 200, "no-cache", ""},
		{static.URL("css/none.css"), "", 404, "", ""},
		{static.URL("css"), "", 404, "", ""},
		{static.URL("../static.go"), "", 404, "", ""},
		{static.URL("vendor/pretendard/LICENSE.txt"), "", 200, "public, max-age=31536000, immutable", ""},
	} {
		w := get(c.path, c.encoding)
		if w.Code != c.status || w.Header().Get("Content-Encoding") != c.encoding2 {
			t.Errorf("%s: %d %q, want %d %q", c.path, w.Code, w.Header().Get("Content-Encoding"), c.status, c.encoding2)
		}
		if got := w.Header().Get("Cache-Control"); c.status == 200 && got != c.cache {
			t.Errorf("%s: Cache-Control %q, want %q", c.path, got, c.cache)
		}
	}
}

func TestIcon(t *testing.T) {
	if got := static.Icon("check"); got != `<path d="M20 6 9 17l-5-5" />` {
		t.Errorf("check is %q", got)
	}
	if got := static.Icon("nothing-of-that-name"); got != "" {
		t.Errorf("an unknown icon is %q", got)
	}
}

func TestURLIsOfTheWholeTree(t *testing.T) {
	a, b := static.URL("css/base.css"), static.URL("js/ui.js")
	if strings.Split(a, "/")[2] != strings.Split(b, "/")[2] {
		t.Errorf("%s and %s have different digests: relative addresses inside them would break", a, b)
	}
}
