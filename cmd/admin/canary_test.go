package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"gage/smartro"
)

// canary is something that must not appear where it is not allowed.
type canary struct {
	what  string
	value string
	who   bool // a person's: whoever typed it may get it back, and some pages show it
}

// form is one way in which a canary may be written.
type form struct {
	how  string
	text []byte
}

// shortest is the length in bytes of the shortest form that is looked for: what is shorter is found by chance.
const shortest = 6

// forms are the ways in which a value could be hidden in plain sight.
func (c canary) forms() []form {
	v := c.value
	raw := []byte(v)
	euckr, _ := smartro.EUCKR.Encode(v)
	list := []form{
		{"as it is", raw}, {"EUC-KR", euckr}, {"in a URL", []byte(url.QueryEscape(v))}, {"in a URL, of EUC-KR", []byte(url.QueryEscape(string(euckr)))},
		{"in a path", []byte(url.PathEscape(v))}, {"in HTML", []byte(html.EscapeString(v))}, {"hex", []byte(hex.EncodeToString(raw))},
		{"HEX", []byte(strings.ToUpper(hex.EncodeToString(raw)))}, {"hex of EUC-KR", []byte(hex.EncodeToString(euckr))},
	}
	var le, be []byte
	escaped := ""
	for _, u := range utf16.Encode([]rune(v)) {
		le, be = append(le, byte(u), byte(u>>8)), append(be, byte(u>>8), byte(u))
		escaped += fmt.Sprintf(`\u%04x`, u)
	}
	list = append(list, form{"UTF-16LE", le}, form{"UTF-16BE", be}, form{"escaped in JSON", []byte(escaped)})
	for _, b := range [][]byte{raw, euckr} {
		for shift := range 3 { // whatever stands before it
			list = append(list, form{"base64", amidBase64(base64.StdEncoding, b, shift)}, form{"base64url", amidBase64(base64.URLEncoding, b, shift)})
		}
	}
	var long []form
	for _, f := range list {
		if len(f.text) >= shortest {
			long = append(long, f)
		}
	}
	return long
}

// amidBase64 is the part of b's encoding that is the same whatever stands around it, shift bytes of a group before it.
func amidBase64(enc *base64.Encoding, b []byte, shift int) []byte {
	text := enc.EncodeToString(append(make([]byte, shift), b...))
	from := []int{0, 2, 3}[shift]
	whole := (shift + len(b)) / 3 * 4
	return []byte(text[from:max(from, whole)])
}

// seen is a place that bytes came out at.
type seen struct {
	place   string
	request string // that it answers, address and body; empty: none
	text    []byte
	allowed func(canary) bool // nil: none is
}

// hunt looks for canaries in every place and fails the test at each that is not allowed there. It returns which were
// found where they are allowed.
func hunt(t *testing.T, canaries []canary, places []seen) map[string]bool {
	t.Helper()
	found, told := map[string]bool{}, map[string]bool{}
	for _, c := range canaries {
		if len(c.value) < shortest {
			t.Errorf("%s is %q: too short to look for", c.what, c.value)
			continue
		}
		for _, f := range c.forms() {
			for _, p := range places {
				if !bytes.Contains(p.text, f.text) {
					continue
				}
				switch {
				case p.allowed != nil && p.allowed(c), c.who && typed(p.request, c.value):
					found[c.what+" in "+p.place] = true
				case !told[c.what+p.place]:
					told[c.what+p.place] = true
					i := bytes.Index(p.text, f.text)
					t.Errorf("%s stands in %s, %s: …%q", c.what, p.place, f.how, p.text[max(0, i-60):i])
				}
			}
		}
	}
	return found
}

// typed says whether whoever asked had typed the value.
func typed(request, value string) bool {
	plain, err := url.QueryUnescape(request)
	return err == nil && strings.Contains(plain, value)
}

// recorder keeps every answer of a site.
type recorder struct {
	site string
	next http.RoundTripper
	mu   sync.Mutex
	all  []seen
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	var sent []byte
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		sent, req.Body = body, io.NopCloser(bytes.NewReader(body))
	}
	resp, err := r.next.RoundTrip(req)
	if err != nil || !strings.HasPrefix(req.URL.String(), r.site) {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil && req.Context().Err() == nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var head bytes.Buffer
	for name, values := range resp.Header {
		if name != "Set-Cookie" { // where a session's secret has to stand
			fmt.Fprintf(&head, "%s: %s\n", name, strings.Join(values, "\n"))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	path := req.Method + " " + req.URL.Path
	r.all = append(r.all, seen{
		place: fmt.Sprintf("%s → %d", path, resp.StatusCode), request: req.URL.RequestURI() + "\n" + string(sent), text: append(head.Bytes(), body...),
		allowed: func(c canary) bool { return allowedOn(req.Method, req.URL.Path, resp.StatusCode, c) },
	})
	return resp, nil
}

// allowedOn lists what a page may show of what is hunted: the whole list.
func allowedOn(method, path string, status int, c canary) bool {
	switch {
	case c.what == "notification secret": // the settings, to the owner who has just typed the password
		return path == "/admin/settings" || path == "/admin/settings/gateway" && status == http.StatusUnprocessableEntity
	case status != http.StatusOK || !c.who:
		return false
	case strings.HasPrefix(path, "/pay/"), strings.HasPrefix(path, "/subscription/"): // the buyer's own pages, and the form that his browser takes to the gateway
		return true
	}
	// What staff ask for with a reason, which is recorded: a payment's buyer, a message as it came, a list with people.
	return method == http.MethodPost && (strings.HasPrefix(path, "/admin/") && strings.HasSuffix(path, "/reveal") ||
		strings.HasPrefix(path, "/admin/messages/") || path == "/admin/export")
}
