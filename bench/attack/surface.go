package main

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// surface is what there is to attack: the table of routes, and for each of them a request that the shop answers,
// found by walking the pages as the owner does.
type surface struct {
	routes []string // "GET /admin/payments/:moid", as the log names them
	aims   []aim
}

// aim is one request that the shop answers, as found on its pages.
type aim struct {
	route, url string
	form       url.Values // nil: a GET
}

var (
	tableLine = regexp.MustCompile(`(?m)^\s*\{(get|post), ("([^"]+)"|freshPath),`)
	freshLine = regexp.MustCompile(`freshPath = "([^"]+)"`)
)

// readRoutes reads the table out of the source.
func readRoutes(repo string) ([]string, error) {
	var list []string
	table, err := os.ReadFile(filepath.Join(repo, "web", "routes.go"))
	if err != nil {
		return nil, err
	}
	door, err := os.ReadFile(filepath.Join(repo, "web", "staff_auth.go"))
	if err != nil {
		return nil, err
	}
	for _, m := range tableLine.FindAllStringSubmatch(string(table), -1) {
		path := m[3]
		if fresh := freshLine.FindStringSubmatch(string(door)); path == "" && fresh != nil {
			path = fresh[1]
		}
		list = append(list, strings.ToUpper(m[1])+" "+path)
	}
	if len(list) < 50 {
		return nil, fmt.Errorf("only %d routes were found in web/routes.go", len(list))
	}
	return list, nil
}

// routeOf finds the line of the table that an address belongs to; a fixed path goes before one with parameters.
func (s *surface) routeOf(method, path string) string {
	best, fewest := "", 100
	for _, r := range s.routes {
		m, pattern, _ := strings.Cut(r, " ")
		if n := strings.Count(pattern, ":"); m == method && fits(pattern, path) && n < fewest {
			best, fewest = r, n
		}
	}
	return best
}

func fits(pattern, path string) bool {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if want[i] != have[i] && (!strings.HasPrefix(want[i], ":") || have[i] == "") {
			return false
		}
	}
	return true
}

// mostPages is how many pages the walk reads.
const mostPages = 150

// walk reads the shop's pages from a few beginnings, and keeps one request for each route that it meets.
func (t *target) walk(ctx context.Context, s *surface, from ...string) error {
	queue, seen := slices.Clone(from), map[string]bool{}
	for n := 0; len(queue) > 0 && n < mostPages; n++ {
		at := queue[0]
		queue = queue[1:]
		status, header, page, err := t.ask(ctx, "GET", at, nil)
		if err != nil {
			return err
		}
		if to := header.Get("Location"); to != "" {
			page += `<a href="` + to + `">`
		}
		if status < http.StatusBadRequest {
			s.add(t.shop, "GET", at, nil)
		}
		links, forms := read(page)
		for _, link := range links {
			u := t.absolute(at, link)
			if u == "" || strings.Contains(u, "/static/") || strings.Contains(u, "lang=") {
				continue
			}
			path, _, _ := strings.Cut(strings.TrimPrefix(u, t.shop), "?")
			if key := s.routeOf("GET", path); key != "" && !seen[u] && count(seen, key) < 4 {
				seen[u], seen[key+fmt.Sprint(count(seen, key))] = true, true
				queue = append(queue, u)
			}
		}
		for _, f := range forms {
			if u := t.absolute(at, f.url); u != "" {
				method := "GET"
				if f.post {
					method = "POST"
				}
				s.add(t.shop, method, u, f.fields)
			}
		}
	}
	return nil
}

func count(seen map[string]bool, key string) (n int) {
	for n = 0; seen[key+fmt.Sprint(n)]; n++ {
	}
	return n
}

// add keeps a request for its route, if it is the first or has more to attack than the one before.
func (s *surface) add(shop, method, at string, fields url.Values) {
	path, query, _ := strings.Cut(strings.TrimPrefix(at, shop), "?")
	route := s.routeOf(method, path)
	if route == "" {
		return
	}
	one := aim{route: route, url: at}
	switch {
	case method == "POST":
		one.form = fields
	case len(fields) > 0:
		one.url = shop + path + "?" + fields.Encode()
		query = fields.Encode()
	}
	size := len(one.form) + strings.Count(query, "=")
	for i, have := range s.aims {
		if have.route == route {
			_, q, _ := strings.Cut(have.url, "?")
			if len(have.form)+strings.Count(q, "=") < size {
				s.aims[i] = one
			}
			return
		}
	}
	s.aims = append(s.aims, one)
}

// guess makes up a request for each route that no page leads to: the gateway's, one-time links, what is done rarely.
func (t *target) guess() {
	for _, r := range t.routes {
		method, pattern, _ := strings.Cut(r, " ")
		if strings.HasSuffix(pattern, "*") || slices.ContainsFunc(t.aims, func(a aim) bool { return a.route == r }) {
			continue
		}
		parts := strings.Split(pattern, "/")
		for i := range parts {
			if strings.HasPrefix(parts[i], ":") {
				parts[i] = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
			}
		}
		one := aim{route: r, url: t.shop + strings.Join(parts, "/")}
		if method == "POST" {
			one.form = url.Values{"id": {"1"}, "name": {"a"}}
		}
		t.aims = append(t.aims, one)
	}
}

func (t *target) absolute(at, link string) string {
	base, err := url.Parse(at)
	if err != nil {
		return ""
	}
	u, err := base.Parse(link)
	if err != nil || u.Scheme+"://"+u.Host != t.shop {
		return ""
	}
	u.Fragment = ""
	return u.String()
}

type pageForm struct {
	url    string
	post   bool
	fields url.Values
}

var (
	anchor = regexp.MustCompile(`<a\b[^>]*\bhref="([^"]*)"`)
	formIn = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	inputs = regexp.MustCompile(`(?s)<(input|select|textarea|button)\b([^>]*)>`)
	option = regexp.MustCompile(`<option value="([^"]+)"`)
	attrIn = regexp.MustCompile(`\b(name|value|action|method)="([^"]*)"`)
)

func attrs(text string) map[string]string {
	all := map[string]string{}
	for _, m := range attrIn.FindAllStringSubmatch(text, -1) {
		if _, twice := all[m[1]]; !twice {
			all[m[1]] = html.UnescapeString(m[2])
		}
	}
	return all
}

// read finds the links and forms of a page. A field that is empty gets something to stand in it.
func read(page string) (links []string, forms []pageForm) {
	for _, m := range anchor.FindAllStringSubmatch(page, -1) {
		links = append(links, html.UnescapeString(m[1]))
	}
	for _, m := range formIn.FindAllStringSubmatch(page, -1) {
		a := attrs(m[1])
		f := pageForm{url: a["action"], post: strings.EqualFold(a["method"], "post"), fields: url.Values{}}
		for _, in := range inputs.FindAllStringSubmatchIndex(m[2], -1) {
			b := attrs(m[2][in[4]:in[5]])
			if b["name"] == "" || f.fields.Has(b["name"]) {
				continue
			}
			v := b["value"]
			if m[2][in[2]:in[3]] == "select" {
				if o := option.FindStringSubmatch(m[2][in[1]:]); o != nil {
					v = o[1]
				}
			}
			if v == "" {
				v = "1"
			}
			f.fields.Set(b["name"], v)
		}
		forms = append(forms, f)
	}
	return links, forms
}
