package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/smartro"
)

// TestDemo: it starts with sample data, a buyer pays through it by HTTP alone, it stops cleanly, and everything is
// there after a restart.
func TestDemo(t *testing.T) {
	data := t.TempDir()
	args := []string{"demo", "--listen", "127.0.0.1:0", "--sandbox-listen", "127.0.0.1:0", "--data", data}
	s := start(t, nil, args...)
	for _, want := range []string{s.Shop, s.Gateway, demoEmail, demoPassword, "연습 모드", "no money moves"} {
		if !strings.Contains(s.stdout.String(), want) {
			t.Errorf("%q is not in what the demo prints:\n%s", want, s.stdout)
		}
	}
	if said := s.stderr.String(); strings.Contains(said, "ERROR") {
		t.Errorf("errors while the sample data was made:\n%s", said)
	}
	_, state := visit(t, s.Gateway+"/control/api/state")
	last := ""
	for _, m := range regexp.MustCompile(`"tid":\s*"gagedemo1m\d{4}(\d{12})`).FindAllStringSubmatch(state, -1) {
		last = max(last, m[1])
	}
	if now := time.Now().In(app.KST).Format("060102150405"); last == "" || last > now {
		t.Errorf("the newest sample payment is of %q, and it is %s", last, now)
	}
	link := payOne(t, s)
	if code := s.stop(); code != exitOK {
		t.Fatalf("exit code %d: %s", code, s.stderr)
	}
	if v := verified(t, data, "demo"); v.Payments < 30 {
		t.Errorf("%+v: where are the sample payments?", v)
	}

	again := start(t, nil, args...)
	if got := statusOf(t, again.Shop+link); got != "paid" {
		t.Errorf("after a restart the order is %q", got)
	}
	if code := again.stop(); code != exitOK {
		t.Errorf("exit code %d: %s", code, again.stderr)
	}
}

// payOne buys the first sample article with a card, without a browser, and returns the path of its page.
func payOne(t *testing.T, s *started) string {
	t.Helper()
	b := newBuyer()
	defer b.http.CloseIdleConnections()
	_, home := visit(t, s.Shop+"/")
	base, err := url.Parse(s.Shop + "/")
	if err != nil {
		t.Fatal(err)
	}
	f, err := readForm(base, home)
	if err != nil || f == nil {
		t.Fatalf("no form on the sample page: %v", err)
	}
	resp := postForm(t, b, s.Shop+"/sample", articleOf(home, f), "")
	link := resp.Header.Get("Location")
	resp.Body.Close()
	if !strings.HasPrefix(link, "/pay/") {
		t.Fatalf("POST /sample: HTTP %d, Location %q", resp.StatusCode, link)
	}
	resp = postForm(t, b, s.Shop+link+"/open", url.Values{
		"method": {"CARD"}, "device": {"pc"}, "buyer_name": {"한가람"}, "buyer_tel": {"01000424821"}, "buyer_email": {"garam@example.com"},
	}, "application/json")
	defer resp.Body.Close()
	var form struct {
		Action, Charset string
		Fields          [][2]string
	}
	if err := json.NewDecoder(resp.Body).Decode(&form); err != nil || form.Action == "" {
		t.Fatalf("open: HTTP %d, %v, %+v", resp.StatusCode, err, form)
	}
	pay := smartro.Form{Action: form.Action, Charset: smartro.EUCKR}
	for _, p := range form.Fields {
		pay.Fields = append(pay.Fields, smartro.Field{Name: p[0], Value: p[1]})
	}
	window, err := b.open(t.Context(), pay)
	if err != nil {
		t.Fatal(err)
	}
	ticks := watch(t, s.Shop+link)
	if err := b.press(t.Context(), window, approve); err != nil {
		t.Fatal(err)
	}
	for statusOf(t, s.Shop+link) != "paid" {
		<-ticks
	}
	return link
}

// articleOf are the fields of the first sample article: its hidden fields, and its button's name and value.
func articleOf(page string, f *pageForm) url.Values {
	v := url.Values{}
	for _, field := range f.fields {
		v.Set(field.Name, field.Value)
	}
	if m := regexp.MustCompile(`<button[^>]*name="([^"]+)"[^>]*value="([^"]*)"`).FindStringSubmatch(page); m != nil {
		v.Set(m[1], m[2])
	}
	return v
}

func postForm(t *testing.T, b *buyer, to string, v url.Values, accept string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, strings.NewReader(v.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	resp, err := b.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// watch opens the order's event stream; the channel ticks at each of its lines and closes with it.
func watch(t *testing.T, order string) <-chan struct{} {
	t.Helper()
	client := newBuyer().http
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, order+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	ticks, done := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(done)
		defer close(ticks)
		buf := make([]byte, 512)
		for {
			if _, err := resp.Body.Read(buf); err != nil {
				return
			}
			select {
			case ticks <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() {
		resp.Body.Close()
		client.CloseIdleConnections()
		<-done
	})
	return ticks
}

func statusOf(t *testing.T, order string) string {
	t.Helper()
	_, page := visit(t, order)
	m := regexp.MustCompile(`data-status="([a-z_]+)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no status on the page:\n%s", page)
	}
	return m[1]
}
