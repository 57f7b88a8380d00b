package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var sqlFinding = regexp.MustCompile(`(?m)^(?:.*identified the following injection point.*|Parameter: .*|.*is vulnerable.*|.*appears to be '.*' injectable.*)$`)

// spoils are requests that would end the attack on the others: who is attacked stays signed in.
var spoils = map[string]string{
	"POST /admin/sign-out": "ends the session",
	"POST /admin/sign-in":  "locks the address out: it comes last",
}

// sqlmap looks for injections in every route that takes anything, as the owner: in each part of the path, each filter and
// each field, and longer in the search box. The sign-in comes last, for after it nobody comes in from this address.
func sqlmap(ctx context.Context, a *attack) ([]string, error) {
	aims := [][]string{
		{"-u", a.guide.site + "/admin?q=kim", "--level", "3"},
		{"-u", a.guide.site + "/admin?period=week&method=CARD&state=paid&from=2026-01-01&to=2026-12-31&after=1-A"},
		{"-u", a.guide.site + "/admin/requests?after=1-A&lang=ko"},
		{"-u", a.guide.site + "/admin/audit?person=a&kind=saw_buyer&order=AAAAAAAA&from=2026-01-01&to=2026-12-31&after=1-A"},
		{"-u", a.guide.site + "/smartro/return?t=AAAAAAAAAAAAAAAAAAAAAAAAAA", "--data", aResult},
		{"-u", a.guide.site + strings.TrimPrefix(a.secretPath(), a.shop), "--data", aResult},
	}
	for _, one := range a.aims {
		if spoils[one.route] != "" {
			continue
		}
		_, pattern, _ := strings.Cut(one.route, " ")
		path, query, _ := strings.Cut(strings.TrimPrefix(one.url, a.shop), "?")
		if strings.Contains(pattern, ":") {
			aims = append(aims, []string{"-u", a.guide.site + marked(pattern, path)})
		}
		switch {
		case len(one.form) > 0:
			aims = append(aims, []string{"-u", a.guide.site + path, "--data", one.form.Encode()})
		case query != "" && pattern != "/admin" && pattern != "/admin/audit":
			aims = append(aims, []string{"-u", a.guide.site + path + "?" + query})
		}
	}
	aims = append(aims, []string{"-u", a.shop + "/admin/sign-in", "--data", "email=a@example.com&password=bbbbbbbbbbbb&next=/admin"})
	var found []string
	whole := 0
	for i, aim := range aims {
		span := max(a.span/4, 45*time.Second)
		if i == 0 {
			span = 4 * a.span
		}
		if !slices.Contains(aim, "--level") {
			aim = append(aim, "--level", "1")
		}
		aim = append(aim, "--batch", "--flush-session", "--risk", "1", "--threads", "4", "--technique", "BEUT", "--time-sec", "2", "--timeout", "10",
			"--retries", "1", "--ignore-code", "*", "--disable-coloring", "--skip-waf", "--output-dir", filepath.Join(a.folder, "sqlmap"+strconv.Itoa(i)))
		said, err := a.call(ctx, span, "sqlmap", aim...)
		if err == nil && !begun(said) { // on a busy machine it may take all its time to start
			said, err = a.call(ctx, 2*span, "sqlmap", aim...)
		}
		if err != nil {
			return found, err
		}
		what := strings.TrimPrefix(strings.TrimPrefix(aim[1], a.shop), a.guide.site)
		switch {
		case !begun(said):
			found = append(found, fmt.Sprintf("%s: it tested nothing: %.300s", what, said))
		case strings.Contains(said, "all tested parameters do not appear to be injectable"):
			whole++
		}
		for _, line := range sqlFinding.FindAllString(said, -1) {
			found = append(found, what+": "+strings.TrimSpace(line))
		}
	}
	fmt.Fprintf(a.out, "sqlmap: %d targets, %d tested to their end, the others as long as there was time\n", len(aims), whole)
	return found, nil
}

// begun says whether sqlmap came so far as to try something.
func begun(said string) bool { return strings.Contains(said, "[INFO] testing for SQL injection on") }

// marked writes the mark behind each part of a path that is a parameter: there sqlmap tries its own.
func marked(pattern, path string) string {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i := range want {
		if strings.HasPrefix(want[i], ":") {
			have[i] += "*"
		}
	}
	return strings.Join(have, "/")
}

// aResult is what a browser would bring back from the gateway, unsigned.
const aResult = "TID=gagedemo1m01012611231405123881&ResultCode=3001&MID=gagedemo1m&OID=A1&Amt=1004&SignValue=x"

//go:embed paths.txt
var pathsText string

// expected are the addresses that everybody may see.
var expected = regexp.MustCompile(`^/($|healthz$|readyz$|pay/received$|admin/sign-in$|static/[a-z])`)

// ffuf asks for what should not be there: other people's consoles, backups, dumps, sources, profiles.
func ffuf(ctx context.Context, a *attack) ([]string, error) {
	list := filepath.Join(a.folder, "paths.txt")
	if err := os.WriteFile(list, []byte(pathsText), 0o600); err != nil {
		return nil, err
	}
	var found []string
	for i, base := range []string{"/", "/admin/", "/static/", "/smartro/", "/pay/"} {
		report := filepath.Join(a.folder, "ffuf"+strconv.Itoa(i)+".json")
		said, err := a.call(ctx, a.span/5, "ffuf", "-u", a.shop+base+"FUZZ", "-w", list, "-mc", "all", "-fc", "404,405", "-t", "20", "-s", "-of", "json", "-o", report)
		if err != nil {
			return found, err
		}
		raw, err := os.ReadFile(report)
		if errors.Is(err, fs.ErrNotExist) {
			return found, fmt.Errorf("it wrote no report: %.300s", said)
		}
		if err != nil {
			return found, err
		}
		var r struct {
			Results []struct {
				URL    string
				Status int
			}
		}
		if err := json.Unmarshal(raw, &r); err != nil {
			return found, err
		}
		for _, hit := range r.Results {
			path := strings.TrimPrefix(hit.URL, a.shop)
			switch {
			case hit.Status >= 500, hit.Status < 300 && !expected.MatchString(path):
				found = append(found, fmt.Sprintf("GET %s: %d", path, hit.Status))
			}
		}
	}
	return found, nil
}

// slowhttptest holds hundreds of connections with headers, bodies and answers that come slowly. Whether the others were
// answered meanwhile is what counts.
func slowhttptest(ctx context.Context, a *attack) ([]string, error) {
	span := a.span / 4
	seconds := strconv.Itoa(int(span.Seconds()))
	for _, way := range [][]string{
		{"-H", "-u", a.shop + "/"},
		{"-B", "-u", a.shop + "/smartro/return"},
		{"-B", "-u", a.secretPath()},
		{"-X", "-u", a.pay},
	} {
		said, err := a.call(ctx, span+5*time.Second, "slowhttptest", append(way, "-c", "800", "-r", "200", "-i", "5", "-l", seconds, "-p", "5", "-x", "24")...)
		if err != nil {
			return nil, err
		}
		if !strings.Contains(said, "slow") {
			return nil, fmt.Errorf("it did nothing: %.300s", said)
		}
	}
	return nil, nil
}

// explained are findings of wapiti's that are none, each with the reason.
func explained(kind, info string) bool {
	switch {
	case strings.Contains(info, "Strict-Transport-Security"): // the demo is plain HTTP on this machine; over HTTPS it is sent
		return true
	case strings.Contains(kind, "Secure Flag"): // the same: the cookie is Secure and __Host- over HTTPS
		return true
	case strings.Contains(info, "X-XSS-Protection"): // browsers have taken it out; the CSP does its work
		return true
	case strings.Contains(info, "X-Frame-Options"): // frame-ancestors 'none' says it to every browser that is still used
		return true
	case strings.Contains(kind, "Cross Site Request Forgery"): // no token in the form: Sec-Fetch-Site and Origin are checked instead
		return true
	}
	return false
}

// wapiti walks the site as the owner, guided, and as a stranger, and attacks every form and parameter that it finds. As
// the owner it begins at every page that our own walk met.
func wapiti(ctx context.Context, a *attack) ([]string, error) {
	if err := a.signIn(ctx); err != nil {
		return nil, err
	}
	g := a.guide
	var found []string
	for i, site := range []string{g.site, a.shop} {
		as := []string{"-s", a.pay}
		if site == g.site {
			as = nil
			for _, one := range a.aims {
				if path, ok := strings.CutPrefix(one.url, a.shop); ok && one.form == nil {
					as = append(as, "-s", site+path)
				}
			}
		}
		report := filepath.Join(a.folder, "wapiti"+strconv.Itoa(i)+".json")
		span := 2 * a.span
		said, err := a.call(ctx, span+2*time.Minute, "wapiti", append(as, "-u", site+"/", "--scope", "domain",
			"-m", "cookieflags,crlf,csp,csrf,exec,file,http_headers,methods,permanentxss,redirect,shellshock,sql,xss", "--flush-session", "--no-bugreport",
			"-d", "3", "--max-links-per-page", "50", "--max-files-per-dir", "30", "-t", "10", "--store-session", filepath.Join(a.folder, "wapiti"),
			"--max-scan-time", strconv.Itoa(int(span.Seconds())/3), "--max-attack-time", strconv.Itoa(max(int(span.Seconds())/20, 3)), "-f", "json", "-o", report)...)
		if err != nil {
			return found, err
		}
		if site == g.site {
			fmt.Fprintf(a.out, "wapiti: as the owner %d routes answered, signed in %d times on the way\n", len(g.met()), g.again)
		}
		list, err := readWapiti(report)
		if errors.Is(err, fs.ErrNotExist) {
			return found, fmt.Errorf("it wrote no report: %.500s", said)
		}
		if err != nil {
			return found, err
		}
		found = append(found, list...)
	}
	slices.Sort(found)
	return slices.Compact(found), g.pressAll(ctx)
}

func readWapiti(report string) (found []string, err error) {
	raw, err := os.ReadFile(report)
	if err != nil {
		return nil, err
	}
	type hit struct{ Method, Path, Info, Parameter string }
	var r struct {
		Vulnerabilities, Anomalies map[string][]hit
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, err
	}
	for _, group := range []map[string][]hit{r.Vulnerabilities, r.Anomalies} {
		for kind, hits := range group {
			for _, h := range hits {
				if !explained(kind, h.Info) {
					found = append(found, fmt.Sprintf("%s: %s %s %s: %s", kind, h.Method, h.Path, h.Parameter, h.Info))
				}
			}
		}
	}
	return found, nil
}
