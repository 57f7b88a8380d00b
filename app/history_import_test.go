package app_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"

	"gage/app"
	"gage/web/sheet"
)

// bring takes the gateway's own list, in one of its forms, and applies it: from then on all that it tells is proved.
func (w *world) bring(r *rand.Rand) {
	form, _ := pick(r, []string{"form=events&charset=euckr", "form=events&charset=utf8", "form=payments&charset=euckr", "form=events&format=xlsx"})
	imp := w.broughtList(form)
	if w.t.Failed() {
		return
	}
	w.note("%s: %s", form, classes(imp))
	again := w.broughtList(form)
	for _, c := range []app.Class{app.ClassPaidThere, app.ClassDeposit, app.ClassCancelledThere, app.ClassCancelSettles, app.ClassSecond, app.ClassUnknownOrder} {
		if n := again.Result.Count(c); n.N > 0 {
			w.t.Errorf("the same list changes something again: %s: %+v", classes(again), again.Result.Lines)
		}
	}
}

func (w *world) broughtList(query string) app.Import {
	w.t.Helper()
	book := w.bookOf(url.Values{})
	res, err := w.http.Get(w.at("/merchant/list?" + query))
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	file, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	table, err := sheet.Read(bytes.NewReader(file), int64(len(file)), sheet.DefaultLimits())
	if err != nil {
		w.t.Fatal(err)
	}
	if len(table) < 3 {
		return app.Import{}
	}
	w.serial++
	imp, err := w.shop.ReadImport(w.ctx(), w.owner, "거래내역", fmt.Sprint(w.serial), table)
	if err == nil {
		imp, err = w.shop.ApplyImport(w.ctx(), w.owner, imp.ID, "거래내역과 맞춤")
	}
	if err != nil || imp.State != app.ImportApplied {
		w.t.Errorf("the list could not be applied: %s, %v", imp.State, err)
		return imp
	}
	for _, b := range book.Payments {
		if b.came() > 0 {
			w.proofs[b.TID], w.listed[b.TID] = b.Moid, true
		}
	}
	return imp
}
