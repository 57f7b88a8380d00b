package sandbox

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// refusal is one reason why a request is not served, told as the gateway's FAQ would explain it: what it is
// about, what came, what is wanted, and why.
type refusal struct {
	status                       int // HTTP; 0 means 400
	Title, Field, Got, Want, Why string
}

// refusedRequest is kept for the control page.
type refusedRequest struct {
	At       time.Time
	Path     string
	Refusals []refusal
}

const (
	keptRefusals = 20
	shownRunes   = 80
)

// refuse answers a page that tells every reason; the first decides the status. window says for which window
// the page is dressed.
func (g *Gateway) refuse(w http.ResponseWriter, r *http.Request, mall []received, reasons ...refusal) {
	for i := range reasons {
		reasons[i].Got = shortened(reasons[i].Got)
	}
	g.remember(refusedRequest{At: g.now(), Path: r.URL.Path, Refusals: reasons})
	status := reasons[0].status
	if status == 0 {
		status = http.StatusBadRequest
	}
	g.pages.render(w, status, "refused.html", struct {
		Path     string
		Moid     string
		Refusals []refusal
	}{r.URL.Path, firstOf(mall, "Moid"), reasons})
}

// refuseByFirewall answers what a web firewall answers: a page that says nothing but a support ID, as the
// guide's FAQ 6.5 shows it; the sandbox explains itself below the line.
func (g *Gateway) refuseByFirewall(w http.ResponseWriter, r *http.Request, why refusal) {
	why.Got = shortened(why.Got)
	g.remember(refusedRequest{At: g.now(), Path: r.URL.Path, Refusals: []refusal{why}})
	g.pages.render(w, http.StatusForbidden, "firewall.html", struct {
		SupportID string
		Reason    refusal
	}{fmt.Sprintf("%019d", rand.Int64N(1e18)), why})
}

func (g *Gateway) remember(rr refusedRequest) {
	g.refusedMu.Lock()
	defer g.refusedMu.Unlock()
	g.refused = append([]refusedRequest{rr}, g.refused[:min(len(g.refused), keptRefusals-1)]...)
}

func (g *Gateway) recentRefusals() []refusedRequest {
	g.refusedMu.Lock()
	defer g.refusedMu.Unlock()
	return append([]refusedRequest(nil), g.refused...)
}

func (g *Gateway) refuseGET(w http.ResponseWriter, r *http.Request) {
	g.refuse(w, r, nil, refusal{
		status: http.StatusMethodNotAllowed, Title: "잘못된 호출 방식", Field: "method", Got: r.Method, Want: "POST",
		Why: "결제창은 form(tranMgr)의 POST 전송으로만 열립니다. 주소창에 직접 입력하거나 링크로 열 수 없습니다.",
	})
}

func shortened(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if r := []rune(s); len(r) > shownRunes {
		return string(r[:shownRunes]) + "…"
	}
	return s
}

func firstOf(fields []received, name string) string {
	for _, f := range fields {
		if f.name == name {
			return shortened(f.raw)
		}
	}
	return ""
}
