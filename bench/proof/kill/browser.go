package kill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"gage/smartro"
)

// browser walks by HTTP alone, as one without scripts does. It keeps cookies and follows no redirect.
type browser struct{ http *http.Client }

func newBrowser(t http.RoundTripper) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it has no way to fail without options
	}
	return &browser{&http.Client{
		Transport: t, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// maxPage bounds a page, in bytes.
const maxPage = 1 << 20

// page is an answer.
type page struct {
	url    *url.URL
	status int
	to     string // Location
	text   string
}

func (b *browser) get(ctx context.Context, u string) (page, error) {
	return b.do(ctx, http.MethodGet, u, "", nil)
}

func (b *browser) do(ctx context.Context, method, u, accept string, body []byte) (page, error) {
	req, err := http.NewRequestWithContext(ctx, method, u, strings.NewReader(string(body)))
	if err != nil {
		return page{}, err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	resp, err := b.http.Do(req)
	if err != nil {
		return page{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	return page{req.URL, resp.StatusCode, resp.Header.Get("Location"), string(raw)}, err
}

// form is a form of a page, as a browser would post it.
type form struct {
	id, action string
	charset    smartro.Charset
	fields     []smartro.Field
	lists      []string // names of selects whose first option with a value was taken
}

// set gives a field its value.
func (f *form) set(name, value string) {
	f.fields = slices.DeleteFunc(f.fields, func(x smartro.Field) bool { return x.Name == name })
	f.fields = append(f.fields, smartro.Field{Name: name, Value: value})
}

func (f *form) value(name string) string {
	for _, x := range f.fields {
		if x.Name == name {
			return x.Value
		}
	}
	return ""
}

// submit posts a form.
func (b *browser) submit(ctx context.Context, f *form) (page, error) {
	return b.do(ctx, http.MethodPost, f.action, "", smartro.EncodeForm(f.fields, f.charset))
}

var errNoForm = errors.New("the page lacks the form")

// form reads the first form whose action ends with suffix: its hidden fields, what is ticked, the first of each list.
func (p page) form(suffix string) (*form, error) {
	z := html.NewTokenizer(strings.NewReader(p.text))
	var f *form
	for {
		switch z.Next() {
		case html.ErrorToken:
			if f != nil {
				return f, nil
			}
			return nil, fmt.Errorf("%s (HTTP %d): %w …%s", p.url.Path, p.status, errNoForm, suffix)
		case html.EndTagToken:
			if f != nil && z.Token().Data == "form" {
				return f, nil
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if f != nil {
				f.take(t)
				continue
			}
			action, err := p.url.Parse(attribute(t, "action"))
			if t.Data != "form" || err != nil || !strings.HasSuffix(action.Path, suffix) {
				continue
			}
			f = &form{id: attribute(t, "id"), action: action.String(), charset: smartro.UTF8}
			if strings.EqualFold(attribute(t, "accept-charset"), "euc-kr") {
				f.charset = smartro.EUCKR
			}
		}
	}
}

func (f *form) take(t html.Token) {
	name, value := attribute(t, "name"), attribute(t, "value")
	switch {
	case t.Data == "select":
		f.lists = append(f.lists, name)
	case t.Data == "option" && len(f.lists) > 0 && value != "" && f.value(f.lists[len(f.lists)-1]) == "":
		f.set(f.lists[len(f.lists)-1], value)
	case t.Data == "input" && attribute(t, "type") == "hidden",
		t.Data == "input" && slices.ContainsFunc(t.Attr, func(a html.Attribute) bool { return a.Key == "checked" }):
		f.fields = append(f.fields, smartro.Field{Name: name, Value: value})
	}
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
