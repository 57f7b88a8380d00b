package web_test

import (
	"bytes"
	"encoding/csv"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"gage/app"
	"gage/smartro"
)

// exportForm is what the export page posts.
func exportForm(more ...string) url.Values {
	v := url.Values{"mode": {"test"}, "format": {"xlsx"}, "reason": {"books"}, "words": {"11월 장부"}, "key": {"THEKEYOFTHISFORM"}}
	for i := 0; i < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

// bookOf opens the workbook that w sends: its rows as they are, and as they are shown.
func bookOf(t *testing.T, w *httptest.ResponseRecorder) (raw, shown [][]string) {
	t.Helper()
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment;") {
		t.Fatalf("%d %v: %s", w.Code, w.Header(), brief(w))
	}
	if n, err := strconv.Atoi(w.Header().Get("Content-Length")); err != nil || n != w.Body.Len() {
		t.Errorf("Content-Length %q for %d bytes", w.Header().Get("Content-Length"), w.Body.Len())
	}
	book, err := excelize.OpenReader(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	name := book.GetSheetName(0)
	raw, err = book.GetRows(name, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	if shown, err = book.GetRows(name); err != nil {
		t.Fatal(err)
	}
	return raw, shown
}

// evil is a shop with payments whose buyers and goods want to be run by a spreadsheet.
func evil(t *testing.T) (l *till, clerk *desk, list []app.Payment) {
	l = newTill(t)
	clerk, l.desk = l.desk, l.buyerShop.desk(app.RoleOwner)
	for i, name := range []string{"홍길동", "=cmd|' /C calc'!A0", "+82", "-홍", "@SUM(A1)", "＝홍길동", "😀"} {
		l.pass(time.Second)
		p := l.paysFor(l.ordered(app.OrderInput{
			Goods: name + " 상품", Amount: app.Won(1000 * (i + 1)), BuyerName: name, BuyerTel: "01099991111", BuyerEmail: "hong@example.com",
		}), smartro.Card)
		list = append(list, p)
	}
	says(t, l.cancel(list[1], l.form(list[1], "500", "품절")), 200)
	return l, clerk, list
}

// TestExport opens the file again: its rows and its sums are the list's to the won, nothing in it is a formula, and
// who took it stands in the record.
//
// proves S10
func TestExport(t *testing.T) {
	l, _, list := evil(t)
	says(t, l.get("/admin/export?state=paid"), 200, "26,000원", "파일 받기", `name="mode" value="test"`)
	w := l.post("/admin/export", exportForm())
	raw, shown := bookOf(t, w)
	name, _ := url.PathUnescape(w.Header().Get("Content-Disposition"))
	if !strings.Contains(name, "연습") || !strings.Contains(raw[0][0], "연습") || !strings.HasSuffix(name, ".xlsx") {
		t.Errorf("practice is not said in %q, %q", name, raw[0])
	}
	if len(raw) != 3+len(list)+1 {
		t.Fatalf("%d rows for %d payments: %q", len(raw), len(list), raw)
	}
	column := map[string]int{}
	for i, title := range raw[2] {
		column[title] = i
	}
	var paid, back app.Won
	for i := range list {
		p, row := list[len(list)-1-i], raw[3+i]
		now, err := l.Store.Payment(t.Context(), p.Moid)
		if err != nil {
			t.Fatal(err)
		}
		cell := func(title string) string { return row[column[title]] }
		if cell("주문번호(Moid)") != string(p.Moid) || cell("거래 ID(TID)") != string(p.TID) || cell("결제 금액") != p.Amount.String() || cell("취소 금액") != now.Cancelled.String() {
			t.Errorf("row %q, want %+v", row, now)
		}
		if shown[3+i][column["결제 시각"]] != now.ApprovedAt.In(app.KST).Format(time.DateTime) {
			t.Errorf("paid at %q, want %v", shown[3+i][column["결제 시각"]], now.ApprovedAt)
		}
		if cell("전화번호") != "010-****-1111" || strings.Contains(strings.Join(row, " "), "hong@") {
			t.Errorf("the buyer is not masked: %q", row)
		}
		for _, text := range row {
			if text != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(text)[0]) {
				t.Errorf("the cell %q can be a formula", text)
			}
		}
		paid, back = paid+now.Approved, back+now.Cancelled
	}
	foot := raw[len(raw)-1]
	if foot[column["결제 금액"]] != paid.String() || foot[column["취소 금액"]] != back.String() || foot[column["남은 금액"]] != (paid-back).String() {
		t.Errorf("sums %q, want %d - %d", foot, paid, back)
	}
	says(t, l.get("/admin"), 200, "27,500원", "28,000원")
	lines, err := l.Accesses(t.Context(), l.who, app.AccessQuery{Kinds: []app.AccessKind{app.ExportedPayments}, Limit: 9})
	if err != nil || len(lines) != 1 || lines[0].StaffID != l.who.ID || lines[0].Reason != app.ReasonBooks || lines[0].Words != "11월 장부 mode=test" {
		t.Errorf("recorded %+v, %v", lines, err)
	}
	if e, ok := app.ReadExported(lines[0]); !ok || e != (app.Exported{Format: "xlsx", Mode: smartro.Test, Rows: int64(len(list))}) {
		t.Errorf("recorded %+v, %t", e, ok)
	}
	says(t, l.get("/admin/audit"), 200, "결제 목록을 파일로 받음", "XLSX · 7건 · 연습 · 개인정보 가림")
	says(t, l.get("/admin/export/progress?key=THEKEYOFTHISFORM"), 200, `"rows":7`, `"done":true`)

	w = l.post("/admin/export", exportForm("format", "csv", "personal", "yes", "q", "홍길", "clock", "paid"))
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(w.Body.String(), "\uFEFF"))).ReadAll()
	if err != nil || len(rows) != 3 || rows[2][13] != "홍길동" || rows[2][14] != "010-9999-1111" || rows[1][13] != "'＝홍길동" {
		t.Errorf("%d %q, %v", w.Code, rows, err)
	}
	says(t, l.post("/admin/export", exportForm("format", "csv-cp949", "personal", "yes")), 422, "CP949로 쓸 수 없는 글자", "😀", `name="lossy"`)
	if w = l.post("/admin/export", exportForm("format", "csv-cp949", "personal", "yes", "lossy", "yes")); w.Code != 200 || !strings.Contains(w.Body.String(), "?") {
		t.Errorf("%d %s", w.Code, brief(w))
	}
	_, shown = bookOf(t, l.post("/admin/audit/export", exportForm("kind", "exported_payments")))
	if len(shown) != 2+1+3+1 || !strings.Contains(strings.Join(slices.Concat(shown...), " "), "개인정보 포함") {
		t.Errorf("the record as a file: %q", shown)
	}
}

// TestExportIsRefused: without the right, a reason, a mode or a password typed just now nothing is taken out, and
// nothing stays on the disk.
//
// proves S10, S17
func TestExportIsRefused(t *testing.T) {
	l, clerk, _ := evil(t)
	for name, c := range map[string]struct {
		form   url.Values
		status int
		words  string
	}{
		"no reason":    {exportForm("reason", ""), 422, "꼭"},
		"other reason": {exportForm("reason", "other", "words", ""), 422, "꼭"},
		"no mode":      {exportForm("mode", ""), 422, ""},
		"both modes":   {exportForm("mode", "both"), 422, ""},
		"no format":    {exportForm("format", "pdf"), 400, ""},
	} {
		w := l.post("/admin/export", c.form)
		if w.Code != c.status || w.Header().Get("Content-Disposition") != "" {
			t.Errorf("%s: %d %v %s", name, w.Code, w.Header(), brief(w))
		}
	}
	if lines, err := l.Accesses(t.Context(), l.who, app.AccessQuery{Kinds: []app.AccessKind{app.ExportedPayments}, Limit: 9}); err != nil || len(lines) != 0 {
		t.Errorf("recorded %+v, %v", lines, err)
	}
	l.pass(11 * time.Minute)
	says(t, l.post("/admin/export", exportForm()), 401, "비밀번호")
	says(t, l.get("/admin/export"), 200, `name="password_again"`)
	says(t, l.post("/admin/export", exportForm("password_again", "wrong password")), 401, "비밀번호")
	bookOf(t, l.post("/admin/export", exportForm("password_again", goodPassword)))
	clerk.cookie = sessionCookie(t, l.signIn(staffMail, goodPassword))
	says(t, clerk.post("/admin/export", exportForm()), 403)
	says(t, clerk.post("/admin/audit/export", exportForm()), 403)
	if strings.Contains(clerk.get("/admin").Body.String(), "/admin/export") {
		t.Error("a clerk is offered what is not allowed")
	}
	says(t, clerk.get("/admin/export/progress?key=THEKEYOFTHISFORM"), 403)
	left, err := os.ReadDir(l.scratch)
	if err != nil || len(left) > 0 {
		t.Errorf("left on the disk: %v, %v", left, err)
	}
}

// slowWriter is a browser that takes the first part of a file and then waits.
type slowWriter struct {
	*httptest.ResponseRecorder
	began, goOn chan struct{}
}

// Write implements io.Writer.
func (w *slowWriter) Write(b []byte) (int, error) {
	select {
	case w.began <- struct{}{}:
		<-w.goOn
	default:
	}
	return w.ResponseRecorder.Write(b)
}

// TestTwoExportsAtOnce: the third is told to wait, and can be made when one of them is done.
func TestTwoExportsAtOnce(t *testing.T) {
	l, _, _ := evil(t)
	ask := func(w *slowWriter) {
		r := httptest.NewRequest("POST", "/admin/export", strings.NewReader(exportForm().Encode()))
		r.Host = "shop.test"
		for name, v := range map[string]string{"Cookie": l.cookie, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"} {
			r.Header.Set(name, v)
		}
		l.handler.ServeHTTP(w, r)
	}
	var list []*slowWriter
	done := make(chan struct{})
	for range 2 {
		w := &slowWriter{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
		list = append(list, w)
		go func() {
			ask(w)
			done <- struct{}{}
		}()
		<-w.began
	}
	w := l.post("/admin/export", exportForm())
	says(t, w, 503, "파일은 한 번에 두 개까지만")
	if w.Header().Get("Retry-After") == "" {
		t.Error("it does not say when to come again")
	}
	says(t, l.get("/admin"), 200)
	for _, w := range list {
		close(w.goOn)
		<-done
		bookOf(t, w.ResponseRecorder)
	}
	bookOf(t, l.post("/admin/export", exportForm()))
}
