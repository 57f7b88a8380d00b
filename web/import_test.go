package web_test

import (
	"bytes"
	"io"
	mime "mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"gage/app"
	"gage/smartro"
)

// bring posts a file as the import page does.
func (d *desk) bring(name string, file []byte, headers ...string) *httptest.ResponseRecorder {
	d.t.Helper()
	var body bytes.Buffer
	form := mime.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(file)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return d.do("POST", "/admin/imports", body.String(), append([]string{
		"Content-Type", form.FormDataContentType(), "Sec-Fetch-Site", "same-origin", "Cookie", d.cookie,
	}, headers...)...)
}

// list is the file that the simulated gateway's merchant site offers.
func (l *till) list(query string) []byte {
	l.t.Helper()
	res, err := http.Get(l.url + "/merchant/list?" + query)
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		l.t.Fatal(res.StatusCode, err)
	}
	return b
}

// TestImportPages: a payment whose notice never came is found by the gateway's list, shown before anything changes, and
// paid when the list is applied, with a password typed just now and a reason.
//
// proves R9, S27, S17
func TestImportPages(t *testing.T) {
	l := newTill(t)
	clerk := l.desk
	l.desk = l.buyerShop.desk(app.RoleOwner)
	paid := l.pays(smartro.Card, known())
	l.fault("notify_lost")
	lost := l.paysUntold(l.order(known()), smartro.Card).Moid
	for _, query := range []string{"form=events", "form=events&charset=utf8", "form=payments", "format=xlsx", "format=xlsx&form=payments"} {
		w := l.bring("거래내역.csv", l.list(query))
		if w.Code != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", query, w.Code, brief(w))
		}
		at := w.Header().Get("Location")
		says(t, l.get(at), 200, "저쪽은 결제됨, 여기는 아님", "맞음", string(lost), "1건 반영하기", "거래구분")
		if p, err := l.Store.Payment(t.Context(), lost); err != nil || !p.PaidAt.IsZero() {
			t.Fatalf("looking changed the payment: %+v, %v", p, err)
		}
	}
	at := l.bring("list.csv", l.list("form=events")).Header().Get("Location")
	says(t, l.post(at+"/apply", url.Values{"reason": {""}}), 422, "꼭 필요해요")
	for _, target := range []string{"/admin/imports", at} {
		says(t, clerk.get(target), 403)
	}
	says(t, clerk.post(at+"/apply", url.Values{"reason": {"맞춤"}}), 403)
	says(t, clerk.bring("x.csv", l.list("form=events")), 403)
	leads(t, l.post(at+"/apply", url.Values{"reason": {"11월 맞춤"}}), at)
	says(t, l.get(at), 200, "반영했어요")
	if p, err := l.Store.Payment(t.Context(), lost); err != nil || p.State != app.Paid || p.Proof != app.ProofStaff {
		t.Errorf("the lost payment is %+v, %v", p, err)
	}
	w := l.get("/admin/payments/" + string(lost))
	says(t, w, 200, "거래내역으로 확인", at)
	if strings.Contains(w.Body.String(), "홍길동") {
		t.Error("the row's text shows the buyer")
	}
	says(t, l.get("/admin/audit"), 200, "거래내역을 반영함")
	again := l.bring("again.xlsx", l.list("format=xlsx")).Header().Get("Location")
	says(t, l.get(again), 200, "바뀔 것이 없어요")
	says(t, l.get("/admin/imports"), 200, "반영했어요", "아직 반영하지 않았어요")
	if p, err := l.Store.Payment(t.Context(), paid.Moid); err != nil || p.Proof != app.ProofNotification {
		t.Errorf("the other payment is %+v, %v", p, err)
	}
}

// TestUploadIsBounded: what is too large or no list is told in words, and nothing of it stays on the disk.
//
// proves S27, S22
func TestUploadIsBounded(t *testing.T) {
	l := newTill(t)
	l.desk = l.buyerShop.desk(app.RoleOwner)
	says(t, l.bring("a.csv", bytes.Repeat([]byte("a,b,c\n"), 2<<20)), 413)
	says(t, l.bring("a.csv", bytes.Repeat([]byte("a,b,c\n"), 1_398_000)), 422, "줄이 너무 많아요", "번째 줄")
	says(t, l.bring("a.csv", nil), 422, "빈 파일")
	says(t, l.bring("a.xls", []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")), 422, "옛 엑셀")
	says(t, l.bring("a.html", []byte("<html>")), 422, "CSV나 XLSX 파일이 아니에요")
	says(t, l.bring("a.csv", []byte("이름,나이\n홍길동,20\n")), 422, "칸 이름이 있는 줄")
	w := l.bring("a.csv", []byte("이름,번호,나이\n홍길동,1,20\n"))
	says(t, l.get(w.Header().Get("Location")), 200, "어느 칸이 무엇인지 알 수 없어요")
	says(t, l.do("POST", "/admin/imports", "a=b", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin", "Cookie", l.cookie), 415)
	says(t, l.do("POST", "/admin/imports", "--x\r\n", "Content-Type", "multipart/form-data; boundary=x", "Sec-Fetch-Site", "same-origin", "Cookie", l.cookie), 422)
	left, err := os.ReadDir(l.scratch)
	if err != nil || len(left) > 0 {
		t.Errorf("left on the disk: %v, %v", left, err)
	}
}
