package sandbox

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"gage/smartro"
)

//go:embed ui/*.html ui/static/*
var ui embed.FS

// pages draws the sandbox's HTML.
type pages struct {
	all    *template.Template
	assets http.Handler
}

func newPages() (*pages, error) {
	all, err := template.New("").Funcs(template.FuncMap{
		"won": func(w smartro.Won) string { return comma(w.String()) + "원" },
		"kst": func(t time.Time) string {
			if t.IsZero() {
				return "–"
			}
			return t.In(kst()).Format("2006-01-02 15:04:05")
		},
		"method": methodName, "card": cardName, "bank": bankName, "state": stateName, "sending": noticeStateName, "quota": quotaName,
		"lower": strings.ToLower, "day": readableDay,
	}).ParseFS(ui, "ui/*.html")
	if err != nil {
		return nil, err
	}
	static, err := fs.Sub(ui, "ui/static")
	if err != nil {
		return nil, err
	}
	return &pages{all: all, assets: http.FileServerFS(static)}, nil
}

func (p *pages) static() http.Handler { return p.assets }

// render draws to a buffer first: half a page is never sent.
func (p *pages) render(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := p.all.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

func comma(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func stateName(s state) string {
	switch s {
	case opened:
		return "결제창 열림"
	case waiting:
		return "입금 대기"
	case paid:
		return "결제됨"
	case declined:
		return "거절됨"
	case closed:
		return "구매자가 닫음"
	case registered:
		return "카드 등록됨"
	case partlyCancelled:
		return "일부 취소"
	case cancelled:
		return "취소됨"
	case withdrawn:
		return "계좌 회수"
	}
	return string(s)
}

func noticeStateName(s noticeState) string {
	switch s {
	case noticeWaiting:
		return "보낼 차례"
	case noticeHeld:
		return "다음 통보를 기다림"
	case noticeDelivered:
		return "OK 받음"
	case noticeGivenUp:
		return "OK 없이 끝남"
	case noticeLost:
		return "유실됨 (고장)"
	case noticeNowhere:
		return "보낼 주소 없음"
	}
	return string(s)
}

func quotaName(q string) string {
	if q == "" || q == "00" {
		return "일시불"
	}
	return strings.TrimLeft(q, "0") + "개월"
}

// readableDay writes yyyyMMdd as 2026-11-24.
func readableDay(s string) string {
	if len(s) < 8 {
		return s
	}
	return s[:4] + "-" + s[4:6] + "-" + s[6:8]
}
