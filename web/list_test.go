package web_test

import (
	"fmt"
	"html"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
	"gage/smartro"
)

var paymentLink = regexp.MustCompile(`href="/admin/payments/([A-Z0-9]+)"`)

// found lists the payments of a list, in its order.
func found(w *httptest.ResponseRecorder) []app.Moid {
	var list []app.Moid
	for _, m := range paymentLink.FindAllStringSubmatch(w.Body.String(), -1) {
		if moid := app.Moid(m[1]); !slices.Contains(list, moid) {
			list = append(list, moid)
		}
	}
	return list
}

func (d *desk) finds(query string, want ...app.Moid) {
	d.t.Helper()
	w := d.get("/admin" + query)
	if got := found(w); w.Code != 200 || !slices.Equal(got, want) {
		d.t.Errorf("%s: %d finds %v, want %v", query, w.Code, got, want)
	}
}

// ordered is a payment request of another amount than the usual one.
func (b *buyerShop) ordered(in app.OrderInput) app.Order {
	b.t.Helper()
	o, err := b.CreateOrder(b.t.Context(), b.owner, in)
	if err != nil {
		b.t.Fatal(err)
	}
	return o
}

func TestSearchBox(t *testing.T) {
	l := newTill(t)
	hong := l.pays(smartro.Card, known())
	l.pass(time.Minute)
	nam := l.paysFor(l.ordered(app.OrderInput{
		Goods: "Green tea 50%", Amount: 11_000, BuyerName: "남궁민", BuyerTel: "0212345678", BuyerEmail: "min@example.org",
	}), smartro.Card)
	for q, want := range map[string]app.Moid{
		string(hong.TID): hong.Moid, strings.ToLower(string(hong.TID)): hong.Moid, string(nam.OrderNo): nam.Moid, strings.ToLower(string(hong.OrderNo)): hong.Moid,
		string(hong.Moid): hong.Moid, hong.AuthCode: hong.Moid, nam.AuthCode: nam.Moid, "길동": hong.Moid, "홍길": hong.Moid, "궁민": nam.Moid,
		"1111": hong.Moid, "9999": hong.Moid, "010-9999": hong.Moid, "5678": nam.Moid, "02-1234-5678": nam.Moid,
		"33000": hong.Moid, "33,000": hong.Moid, "11,000원": nam.Moid, "₩11000": nam.Moid, "감귤": hong.Moid, "green TEA": nam.Moid,
		"hong@example.com": hong.Moid, "example.org": nam.Moid, " 길동 ": hong.Moid,
	} {
		l.finds("?q="+url.QueryEscape(q), want)
	}
	if tail := app.CardTail(hong); len(tail) < 3 {
		t.Errorf("the gateway tells the card as %q", hong.CardNum)
	} else {
		for _, q := range []string{"card:" + tail, "카드:" + tail + " 길동", "길동 " + tail} {
			l.finds("?q="+url.QueryEscape(q), hong.Moid)
		}
	}
	if hong.AuthCode == "" || hong.AuthCode == nam.AuthCode {
		t.Errorf("approval numbers %q, %q", hong.AuthCode, nam.AuthCode)
	}
	l.finds("", nam.Moid, hong.Moid)
	l.finds("?q=%20", nam.Moid, hong.Moid)
	l.finds("?q=" + url.QueryEscape("길순"))
	says(t, l.get("/admin?q="+url.QueryEscape("길순")), 200, "맞는 결제가 없어요", "두 글자")
	says(t, l.get("/admin?q="+url.QueryEscape("길")), 200, "조금 더 입력해 주세요")
	w := l.get("/admin?q=" + url.QueryEscape("홍길동"))
	says(t, w, 200, "홍*동", `value="홍길동"`)
	if strings.Count(w.Body.String(), "홍길동") > strings.Count(w.Body.String(), url.QueryEscape("홍길동"))+1 {
		t.Error("the buyer is not masked")
	}
}

// TestGarbageInTheList: nothing in the list's address fails, on either engine.
func TestGarbageInTheList(t *testing.T) {
	whole(t)
	garbage := []string{
		"%", "%%%%", "_", "____", `\\\\`, "'", "''''", `"""`, "' OR 1=1 --", "'); DROP TABLE payments; --", ".*", "^$", "[a-z]+", "(((", "a{1,999}", "*", "****",
		"a* OR b*", "NEAR(a b)", `"a" AND`, "body:x", "^abc", "-1", "0", "00000000000000000000", "99999999999999999999", "1e999", "NaN", "null",
		strings.Repeat("가", 5000), strings.Repeat("%", 5000), strings.Repeat("9", 5000), "\x00", "abc\x00def", "홍\x00길동", "\xff\xfe\xfd", "홍\xff길동",
		"\u202e\u200b\ufeff", "ᄒ", "ㅎㄱㄷ", "㎏㎏㎏", "😀😀😀", "\r\n\r\n", "${7*7}", "{{7*7}}", "<script>alert(1)</script>", "../../etc/passwd",
	}
	bad := []string{
		"period=garbage", "period=today&period=week", "method=GOLD", "method=card%00", "method=%ff", "state=garbage", "state=%27", "state=paid%00",
		"from=garbage", "from=2026-13-45", "from=0000-00-00", "from=9999-12-31", "from=-1-01-01", "from=2026-11-23&to=2020-01-01", "to=%00", "to=0001-01-01",
		"after=x", "after=-", "after=1-%00", "after=1-%ff", "after=9223372036854775807-A", "after=-9223372036854775808-A", "after=99999999999999999999-A",
		"after=1-%27", "%zz", "q=%zz", "&&&=&", ";;;", "q[]=1", "q=1&q=2", "lang=%00",
		"staff=%00", "staff=x'", "mid=%00", "device=fax", "proof=%ff",
	}
	for _, g := range garbage {
		g = url.QueryEscape(g)
		bad = append(bad, "q="+g, "q=name:"+g+"+mid:"+g+"+tid:"+g, "q=%EC%98%A4%EB%8A%98+"+g+"..", "q=approval:"+g, "q=%22"+g, "period="+g+"&method="+g+"&state="+g, "from="+g+"&to="+g, "after=1-"+g, "after="+g, g)
	}
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		b := newBuyerShopOn(t, store, false)
		d := b.desk(app.RoleStaff)
		b.open(b.order(known()), "device=pc&method=CARD")
		for _, query := range bad {
			for _, page := range []string{"/admin", "/admin/requests"} {
				w := d.get(page + "?" + query)
				if w.Code != 200 && w.Code != 400 {
					t.Errorf("%s?%.80s: %d %s", page, query, w.Code, brief(w))
				}
				if strings.Contains(w.Body.String(), "<script>alert") {
					t.Errorf("%s?%.80s: markup came through", page, query)
				}
			}
			since := d.get("/admin/fresh?since=" + strings.TrimPrefix(query, "q="))
			if since.Code != 200 && since.Code != 400 {
				t.Errorf("fresh %.80s: %d", query, since.Code)
			}
		}
		for _, since := range []string{"0", "-1", "9223372036854775807", "-9223372036854775808"} {
			says(t, d.get("/admin/fresh?since="+since), 200, `"fresh":`)
		}
	})
}

var sumRow = regexp.MustCompile(`(?s)<tfoot>.*</tfoot>`)

func TestListFilters(t *testing.T) {
	l := newTill(t)
	old := l.paysFor(l.ordered(app.OrderInput{Goods: "지난달", Amount: 7_000, BuyerName: "홍길동", BuyerTel: "01099991111", BuyerEmail: "a@example.com"}), smartro.Bank)
	l.pass(9 * 24 * time.Hour) // 2 December
	l.desk = &desk{l.buyerShop, sessionCookie(t, l.signIn(staffMail, goodPassword)), l.who}
	week := l.pays(smartro.Card, known())
	l.pass(24 * time.Hour)
	l.desk = &desk{l.buyerShop, sessionCookie(t, l.signIn(staffMail, goodPassword)), l.who}
	part := l.pays(smartro.Card, known())
	says(t, l.cancel(part, l.form(part, "10000", "품절")), 200)
	l.pass(time.Minute)
	_, form := l.open(l.order(known()), "device=pc&method=VBANK")
	opened := app.Moid(form.get("Moid"))
	for query, want := range map[string]struct {
		list []app.Moid
		sum  string
	}{
		"":                               {[]app.Moid{opened, part.Moid, week.Moid, old.Moid}, "63,000원"},
		"?period=today":                  {[]app.Moid{opened, part.Moid}, "23,000원"},
		"?period=week":                   {[]app.Moid{opened, part.Moid, week.Moid}, "56,000원"},
		"?period=month":                  {[]app.Moid{opened, part.Moid, week.Moid}, "56,000원"},
		"?from=2026-11-23&to=2026-11-23": {[]app.Moid{old.Moid}, "7,000원"},
		"?to=2026-12-02":                 {[]app.Moid{week.Moid, old.Moid}, "40,000원"},
		"?from=2026-12-03":               {[]app.Moid{opened, part.Moid}, "23,000원"},
		"?method=CARD":                   {[]app.Moid{part.Moid, week.Moid}, "56,000원"},
		"?method=BANK&state=paid":        {[]app.Moid{old.Moid}, "7,000원"},
		"?state=paid":                    {[]app.Moid{week.Moid, old.Moid}, "40,000원"},
		"?state=cancelled":               {[]app.Moid{part.Moid}, "23,000원"},
		"?state=unpaid":                  {[]app.Moid{opened}, "0원"},
		"?clock=paid&period=week":        {[]app.Moid{part.Moid, week.Moid}, "56,000원"},
		"?clock=paid&to=2026-11-30":      {[]app.Moid{old.Moid}, "7,000원"},
		"?clock=cancelled&period=today":  {[]app.Moid{part.Moid}, "10,000원"},
		"?clock=cancelled&from=2026-12-03&q=%EA%B8%B8%EB%8F%99": {[]app.Moid{part.Moid}, "10,000원"},
		"?proof=notification":                          {[]app.Moid{part.Moid, week.Moid, old.Moid}, "63,000원"},
		"?proof=none":                                  {[]app.Moid{opened}, "0원"},
		"?device=pc":                                   {[]app.Moid{opened, part.Moid, week.Moid, old.Moid}, "63,000원"},
		"?staff=" + l.who.ID:                           {[]app.Moid{part.Moid}, "23,000원"},
		"?staff=" + l.owner.ID:                         {[]app.Moid{opened, part.Moid, week.Moid, old.Moid}, "63,000원"},
		"?mid=" + string(part.TID.MID()):               {[]app.Moid{opened, part.Moid, week.Moid, old.Moid}, "63,000원"},
		"?q=" + url.QueryEscape("어제"):                  {[]app.Moid{week.Moid}, "33,000원"},
		"?q=" + url.QueryEscape("길동 12월 1만~5만"):        {[]app.Moid{opened, part.Moid, week.Moid}, "56,000원"},
		"?period=today&q=" + url.QueryEscape("11월 길동"): {[]app.Moid{old.Moid}, "7,000원"},
		"?mode=test":                                   {[]app.Moid{opened, part.Moid, week.Moid, old.Moid}, "63,000원"},
		"?q=%EA%B8%B8%EB%8F%99&state=paid&period=week": {[]app.Moid{week.Moid}, "33,000원"},
	} {
		l.finds(query, want.list...)
		row := sumRow.FindString(l.get("/admin" + query).Body.String())
		if text := html.UnescapeString(markup.ReplaceAllString(row, "")); !strings.Contains(strings.ReplaceAll(text, " ", ""), want.sum) ||
			!strings.Contains(text, fmt.Sprintf("%d건", len(want.list))) {
			t.Errorf("%s: the sum is %q, want %d, %s", query, text, len(want.list), want.sum)
		}
	}
	for _, query := range []string{"?state=held", "?state=waiting", "?method=TOSS", "?mode=real", "?device=mobile", "?proof=staff", "?mid=nobody000m", "?staff=nobody", "?clock=deposited", "?clock=cancelled&to=2026-12-01", "?from=2027-01-01"} {
		l.finds(query)
		says(t, l.get("/admin"+query), 200, "맞는 결제가 없어요", "모든 결제 보기")
	}
}

// TestViews: a list is kept under a name by the one person whose it is, shown as the one in force, replaced and forgotten.
func TestViews(t *testing.T) {
	form := func(query string) url.Values {
		v, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	l := newTill(t)
	l.pays(smartro.Card, known())
	kept := l.post("/admin/views", form("name=%EC%97%B0%EC%B2%B4++%EC%B9%B4%EB%93%9C&method=CARD&state=paid&q=%EA%B8%B8%EB%8F%99&after=1-A&junk=1"))
	if want := "/admin?method=CARD&q=%EA%B8%B8%EB%8F%99&state=paid"; kept.Code != 303 || kept.Header().Get("Location") != want {
		t.Fatalf("kept: %d, %q, want %q", kept.Code, kept.Header().Get("Location"), want)
	}
	says(t, l.get("/admin"), 200, "연체 카드", `href="/admin?method=CARD&amp;q=%EA%B8%B8%EB%8F%99&amp;state=paid"`)
	here := l.get("/admin?state=paid&q=%EA%B8%B8%EB%8F%99&method=CARD")
	says(t, here, 200, `aria-current="page"`, "“연체 카드” 목록 지우기")
	if other := l.buyerShop.desk(app.RoleManager).get("/admin"); strings.Contains(other.Body.String(), "연체 카드") {
		t.Error("another person sees it")
	}
	l.post("/admin/views", form("name=%EC%97%B0%EC%B2%B4+%EC%B9%B4%EB%93%9C&state=held"))
	if body := l.get("/admin").Body.String(); strings.Count(body, "연체 카드") != 1 || !strings.Contains(body, `href="/admin?state=held"`) {
		t.Error("the name stands twice, or for what it stood for before")
	}
	for i := range app.MaxViews - 1 {
		if w := l.post("/admin/views", form(fmt.Sprintf("name=n%d&state=paid", i))); w.Code != 303 {
			t.Fatalf("view %d: %d", i, w.Code)
		}
	}
	says(t, l.post("/admin/views", form("name=more&state=paid")), 422, "스무 개까지")
	for _, bad := range []string{"name=&state=paid", "name=+&state=paid", "name=" + strings.Repeat("x", 31) + "&state=paid", "name=x", "name=x&state=garbage"} {
		if w := l.post("/admin/views", form(bad)); w.Code != 422 && w.Code != 400 {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
	if w := l.post("/admin/views/drop", form("name=%EC%97%B0%EC%B2%B4+%EC%B9%B4%EB%93%9C")); w.Code != 303 {
		t.Errorf("drop: %d", w.Code)
	}
	if strings.Contains(l.get("/admin").Body.String(), "연체 카드") {
		t.Error("it is still there")
	}
}

// TestUnknownFilters: a filter that there is not filters nothing, and the page does not pretend that it does.
func TestUnknownFilters(t *testing.T) {
	d := newBuyerShop(t, false).desk(app.RoleStaff)
	plain := d.get("/admin").Body.String()
	for _, query := range []string{"period=garbage", "method=GOLD", "state=garbage", "from=garbage", "to=2026-13-01", "after=garbage", "period=x&method=x&state=x"} {
		w := d.get("/admin?" + query)
		says(t, w, 200, "아직 결제가 없어요")
		if got := strings.ReplaceAll(w.Body.String(), url.QueryEscape(query), ""); strings.Count(got, `aria-current="true"`) != strings.Count(plain, `aria-current="true"`) {
			t.Errorf("%s: no chip is marked as the one in force", query)
		}
	}
}

// TestPaging: every payment is on one page, none on two, and Back leads to the same.
func TestPaging(t *testing.T) {
	d := newBuyerShop(t, false).desk(app.RoleStaff)
	made := map[app.Moid]bool{}
	for i := range 120 {
		if i%3 == 0 {
			d.pass(time.Second) // three at the same moment
		}
		_, form := d.open(d.order(known()), "device=pc&method=CARD")
		made[app.Moid(form.get("Moid"))] = true
	}
	next := regexp.MustCompile(`href="(/admin\?[^"]*after=[^"]*)"`)
	var seen []app.Moid
	for at, pages := "/admin?method=CARD&q="+url.QueryEscape("길동"), 0; at != "" && pages < 5; pages++ {
		w := d.get(at)
		list := found(w)
		if again := found(d.get(at)); !slices.Equal(list, again) {
			t.Errorf("%s shows %v, then %v", at, list, again)
		}
		seen, at = append(seen, list...), ""
		for _, m := range next.FindAllStringSubmatch(w.Body.String(), -1) {
			if strings.Contains(m[1], "lang=") {
				continue // this page in the other language
			}
			at = html.UnescapeString(m[1])
			if !strings.Contains(at, "method=CARD") || !strings.Contains(at, "q=") {
				t.Errorf("the next page %s forgets the filter", at)
			}
		}
	}
	for _, moid := range seen {
		if !made[moid] {
			t.Errorf("%s is shown twice, or was never made", moid)
		}
		delete(made, moid)
	}
	if len(made) > 0 {
		t.Errorf("%d payments are on no page", len(made))
	}
}

// TestReveal: a buyer is masked until somebody asks; who asked is in the log, who was shown is not.
func TestReveal(t *testing.T) {
	l := newTill(t)
	p := l.pays(smartro.Card, known())
	at := "/admin/payments/" + string(p.Moid)
	masked := func() {
		t.Helper()
		w := l.get(at)
		says(t, w, 200, "홍*동", "010-****-1111", "h***@example.com")
		for _, secret := range []string{"홍길동", "01099991111", "010-9999-1111", "hong@"} {
			if strings.Contains(w.Body.String(), secret) {
				t.Errorf("the page shows %q", secret)
			}
		}
	}
	masked()
	if strings.Contains(l.log.String(), "a buyer was shown") {
		t.Error("a masked page is told as a look at the buyer")
	}
	says(t, l.get(at+"/reveal"), 405)
	w := l.post(at+"/reveal", url.Values{"reason": {"call"}})
	says(t, w, 200, "홍길동", "010-9999-1111", "hong@example.com")
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("the browser may keep the buyer: %v", w.Header())
	}
	log := l.log.String()
	_, line, _ := strings.Cut(log, "a buyer was shown")
	line, _, _ = strings.Cut(line, "\n")
	if !strings.Contains(line, l.who.ID) || !strings.Contains(line, string(p.Moid)) || strings.Count(log, "a buyer was shown") != 1 {
		t.Errorf("who looked at whom is not in the log: %q", line)
	}
	for _, secret := range []string{"홍길동", "99991111", "9999-1111", "hong@", staffMail} {
		if strings.Contains(log, secret) {
			t.Errorf("the log tells %q", secret)
		}
	}
	masked()
	says(t, l.post("/admin/payments/NOSUCH01/reveal", url.Values{"reason": {"call"}}), 404)
	if strings.Contains(l.log.String(), `moid=NOSUCH01`) {
		t.Error("a look at nobody is in the log")
	}
}
