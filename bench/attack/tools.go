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

// sqlmap looks for injections in the list's filters and search, in the sign-in, in a pay link and in a result.
func sqlmap(ctx context.Context, a *attack) ([]string, error) {
	aims := [][]string{
		{"-u", a.shop + "/admin?q=kim&period=week&method=CARD&state=paid&from=2026-01-01&to=2026-12-31&after=1-A", "--cookie", a.cookie},
		{"-u", a.shop + "/admin/sign-in", "--data", "email=a@example.com&password=bbbbbbbbbbbb&next=/admin"},
		{"-u", a.pay + "*/status"},
		{"-u", a.shop + "/smartro/return?t=AAAAAAAAAAAAAAAAAAAAAAAAAA", "--data", "TID=gagedemo1m01012611231405123881&ResultCode=3001&MID=gagedemo1m&OID=A1&Amt=1004&SignValue=x"},
		{"-u", a.shop + "/admin/requests?after=1-A&lang=ko", "--cookie", a.cookie},
	}
	var found []string
	for i, aim := range aims {
		said, err := a.call(ctx, a.span/time.Duration(len(aims)), "sqlmap", append(aim, "--batch", "--flush-session", "--level", "2", "--risk", "1",
			"--threads", "4", "--time-sec", "2", "--timeout", "10", "--retries", "1", "--disable-coloring", "--skip-waf",
			"--output-dir", filepath.Join(a.folder, "sqlmap"+strconv.Itoa(i)))...)
		if err != nil {
			return found, err
		}
		if !strings.Contains(said, "[INFO] testing") || strings.Contains(said, "unable to continue") {
			return found, fmt.Errorf("it tested nothing: %.300s", said)
		}
		for _, line := range sqlFinding.FindAllString(said, -1) {
			found = append(found, aim[1]+": "+strings.TrimSpace(line))
		}
	}
	return found, nil
}

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
		{"-B", "-u", a.notice},
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

// wapiti walks the site as the owner and as a stranger, and attacks every form and parameter that it finds.
func wapiti(ctx context.Context, a *attack) ([]string, error) {
	name, value, _ := strings.Cut(a.cookie, "=")
	jar := filepath.Join(a.folder, "cookies.json")
	host := map[string]map[string]map[string]map[string]any{"127.0.0.1": {"/": {name: {"value": value, "version": 0, "secure": false, "expires": nil, "port": nil}}}}
	raw, err := json.Marshal(host)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(jar, raw, 0o600); err != nil {
		return nil, err
	}
	var found []string
	for i, as := range [][]string{{"-s", a.pay}, {"-c", jar, "-s", a.shop + "/admin"}} {
		report := filepath.Join(a.folder, "wapiti"+strconv.Itoa(i)+".json")
		span := a.span / 2
		said, err := a.call(ctx, span+20*time.Second, "wapiti", append(as, "-u", a.shop+"/", "--scope", "domain",
			"-m", "cookieflags,crlf,csp,csrf,exec,file,http_headers,methods,permanentxss,redirect,shellshock,sql,xss", "--flush-session", "--no-bugreport",
			"-d", "3", "--max-links-per-page", "30", "--max-files-per-dir", "20", "-t", "10", "--store-session", filepath.Join(a.folder, "wapiti"),
			"--max-scan-time", strconv.Itoa(int(span.Seconds())/3), "--max-attack-time", strconv.Itoa(max(int(span.Seconds())/20, 3)), "-f", "json", "-o", report)...)
		if err != nil {
			return found, err
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
	return slices.Compact(found), nil
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
