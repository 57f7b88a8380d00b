package web_test

import (
	"slices"
	"testing"

	"gage/app"
	"gage/smartro"
)

// TestMismatchBoard: what does not fit stands under its kind and leads to its payment; what fits does not.
func TestMismatchBoard(t *testing.T) {
	l := newTill(t)
	says(t, l.get("/admin/mismatches"), 200, "모두 맞아요")
	says(t, l.get("/admin/work"), 200, "돈 맞춤판 보기")
	quiet := l.pays(smartro.Card, known()) // its browser does not come back
	says(t, l.get("/admin/mismatches"), 200, "브라우저가 돌아오지 않음", "할 일은 없고", string(quiet.Moid))
	l.fault("cancel_500")
	unknown := l.pays(smartro.Card, known())
	l.cancel(unknown, l.form(unknown, "1000", "품절"))
	if list, err := l.Store.Cancels(t.Context(), unknown.OrderNo); err != nil || len(list) != 1 || list[0].State != app.CancelStateUnknown {
		t.Fatalf("the cancel: %+v, %v", list, err)
	}
	w := l.get("/admin/mismatches")
	says(t, w, 200, "결과를 모르는 취소", "먼저 결제사에 물어보세요", "1,000원")
	if got := found(w); !slices.Equal(got, []app.Moid{unknown.Moid, quiet.Moid}) { // what is about money comes first
		t.Errorf("the board has %v, want %s, %s", got, unknown.Moid, quiet.Moid)
	}
}
