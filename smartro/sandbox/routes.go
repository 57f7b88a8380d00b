package sandbox

import (
	"net/http"
	"strings"
)

// Handler serves the gateway's own paths (weblink §1) and, under /merchant and /control, what a real gateway
// keeps elsewhere or lacks: its merchant site and the orders for faults.
func (g *Gateway) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /interfaceURL.jsp", g.openPCWindow)
	mux.HandleFunc("POST /pay/interfaceURL", g.openMobileWindow)
	mux.HandleFunc("GET /interfaceURL.jsp", g.refuseGET)
	mux.HandleFunc("GET /pay/interfaceURL", g.refuseGET)
	mux.HandleFunc("GET /window/{session}", g.showWindow)
	mux.HandleFunc("POST /window", g.actOnWindow)

	mux.HandleFunc("/cancel/payCancelNVProcess.jsp", g.cancel)
	mux.HandleFunc("/cashreceipt/cashReceiptTrans.jsp", g.issueCashReceipt)
	mux.HandleFunc("/billcard/billPayTrans.jsp", g.charge)
	mux.HandleFunc("GET /issue/IssueLoader.jsp", g.receiptPage)
	mux.HandleFunc("/receipt", g.receiptData)
	mux.HandleFunc("GET /payTest/vbank_deposit_notice.jsp", g.depositPage)

	mux.Handle("GET /control/static/", http.StripPrefix("/control/static/", g.pages.static()))
	mux.HandleFunc("GET /control", g.controlPage)
	mux.HandleFunc("GET /merchant", g.merchantPage)
	mux.HandleFunc("GET /merchant/list", g.downloadList)
	mux.HandleFunc("GET /control/api/state", g.apiState)

	// Everything that orders the sandbox about: no other site's page may press these buttons.
	own := http.NewCrossOriginProtection()
	order := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, own.Handler(h)) }
	order("POST /payTest/vbank_deposit_notice.jsp", g.depositFromPage)
	order("POST /control/faults", g.faultsFromPage)
	order("POST /control/notify", g.notifyFromPage)
	order("POST /merchant", g.merchantFromPage)
	order("POST /control/api/faults", g.apiOrderFault)
	order("DELETE /control/api/faults", g.apiClearFaults)
	order("POST /control/api/deposit", g.apiDeposit)
	order("POST /control/api/notify", g.apiNotify)
	order("POST /control/api/notify-url", g.apiNotifyURL)
	order("POST /control/api/key", g.apiKey)

	mux.Handle("GET /{$}", http.RedirectHandler("/control", http.StatusSeeOther))
	mux.HandleFunc("/", g.noSuchPath)
	return limited(mux)
}

// limited bounds bodies and sets the headers that every answer carries.
func limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		// Never a path or query, which may hold a TID; but an origin, which no-referrer would make "null" in
		// the posts of our own pages, too.
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("Cache-Control", "no-store")
		// Results leave for the shop's own host, so form-action stays open.
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'")
		next.ServeHTTP(w, r)
	})
}

func (g *Gateway) noSuchPath(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/control/api/") {
		writeJSON(w, http.StatusNotFound, apiError{Error: "no such path: see GET /control/api/state"})
		return
	}
	g.refuse(w, r, nil, refusal{
		status: http.StatusNotFound, Title: "없는 주소입니다", Field: "URL", Got: r.URL.Path,
		Want: "/interfaceURL.jsp, /pay/interfaceURL, /cancel/payCancelNVProcess.jsp, /cashreceipt/cashReceiptTrans.jsp, /billcard/billPayTrans.jsp, /issue/IssueLoader.jsp, /receipt",
		Why:  "모의 게이트웨이는 게이트웨이와 같은 경로에서만 응답합니다. 결제창을 열 때 PC와 모바일의 경로가 다른 점도 확인해 주세요.",
	})
}
