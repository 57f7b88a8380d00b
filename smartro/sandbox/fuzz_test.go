package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gage/smartro/sandbox"
)

// FuzzRequests: whatever a stranger posts, the answer is a page or a line, never a fault of ours.
func FuzzRequests(f *testing.F) {
	for _, path := range []string{"/interfaceURL.jsp", "/pay/interfaceURL", "/cancel/payCancelNVProcess.jsp", "/window", "/receipt"} {
		f.Add(path, "PayMethod=CARD&Amt=1004&MID=gagedemo1m&GoodsName=%B8%C0%B5%BF%BB%EA")
		f.Add(path, "TID=gagedemo1m01012006091200011234&CancelAmt=1004&hashData=x&CancelMSG=%25B0%25ED")
	}
	var g *sandbox.Gateway
	served := 0
	f.Fuzz(func(t *testing.T, path, body string) {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \t\r\n%?#") {
			t.Skip()
		}
		if served++; served%1000 == 1 { // a new one takes longer than a request
			var err error
			if g, err = sandbox.New(sandbox.Config{}); err != nil {
				t.Fatal(err)
			}
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.URL.Path = path
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("apikey", sandbox.DefaultMerchantKey)
		rec := httptest.NewRecorder()
		g.Handler().ServeHTTP(rec, r)
		if rec.Code >= 500 {
			t.Errorf("POST %s %q: %d %s", path, body, rec.Code, rec.Body)
		}
	})
}
