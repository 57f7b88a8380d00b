package kill

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"gage/bench/proof/harness"
	"gage/smartro"
)

// TestForm: a form is read as a browser would post it: what is hidden, ticked or first in its list, and nothing else.
func TestForm(t *testing.T) {
	at, err := url.Parse("http://shop.example/admin/x")
	if err != nil {
		t.Fatal(err)
	}
	p := page{url: at, text: `<form action="/search"><input type="hidden" name="q" value="no"></form>
		<form id="f" action="cancel" accept-charset="EUC-KR"><input type="hidden" name="key" value="k&amp;1">
		<input type="radio" name="how" value="all" checked><input type="radio" name="how" value="part">
		<select name="bank"><option value="">choose</option><option value="088">신한</option><option value="004">국민</option></select>
		<input name="reason"></form><form action="/later"><input type="hidden" name="z" value="no"></form>`}
	f, err := p.form("/cancel")
	if err != nil {
		t.Fatal(err)
	}
	want := []smartro.Field{{Name: "key", Value: "k&1"}, {Name: "how", Value: "all"}, {Name: "bank", Value: "088"}}
	if f.action != "http://shop.example/admin/cancel" || f.charset != smartro.EUCKR || !slices.Equal(f.fields, want) {
		t.Errorf("form %+v", f)
	}
	f.set("how", "part")
	if f.value("how") != "part" || len(f.fields) != 3 {
		t.Errorf("set made %+v", f.fields)
	}
	if _, err := p.form("/pay"); err == nil {
		t.Error("a form that is not there was found")
	}
}

// TestAnswered: only 200 with exactly OK counts as acknowledged, and anything near it is wrong.
func TestAnswered(t *testing.T) {
	body := smartro.EncodeForm([]smartro.Field{
		{Name: "MID", Value: smartro.DemoMID}, {Name: "TID", Value: "gagedemo1m01012611231400001234"}, {Name: "Moid", Value: "A01"},
		{Name: "Amt", Value: "1000"}, {Name: "ResultCode", Value: "3001"}, {Name: "PayMethod", Value: "CARD"},
	}, smartro.EUCKR)
	for _, c := range []struct {
		status int
		text   string
		oks    int64
		wrong  bool
	}{
		{200, "OK", 1, false},
		{200, "ok", 0, true},
		{200, "OK\n", 0, true},
		{503, "busy", 0, false},
		{503, "broken", 0, true}, // the gateway might find the word in it
		{400, "refused", 0, false},
	} {
		w := newTruth()
		w.answered(body, c.status, c.text)
		if w.oks != c.oks || len(w.told) != int(c.oks) || len(w.wrong) > 0 != c.wrong {
			t.Errorf("%d %q: %d acknowledged, wrong %q", c.status, c.text, w.oks, w.wrong)
		}
	}
	w := newTruth()
	w.answered(body, 200, "OK")
	w.answered(body, 200, "OK")
	if len(w.told) != 1 || len(w.paid) != 1 || w.oks != 2 {
		t.Errorf("told twice: %d notices, %d payments, %d answers", len(w.told), len(w.paid), w.oks)
	}
}

// TestCalled: a call is counted for the wish that it came from, and one that nobody wished is wrong.
func TestCalled(t *testing.T) {
	w := newTruth()
	w.intents["return1"] = &intent{}
	for _, reason := range []string{"return1", "return1", "return2"} {
		w.called(smartro.EncodeForm([]smartro.Field{{Name: "TID", Value: "x"}, {Name: "CancelMSG", Value: reason}}, smartro.EUCKR))
	}
	if w.intents["return1"].calls != 2 || len(w.wrong) != 1 || !strings.Contains(w.wrong[0], "return2") {
		t.Errorf("%d calls, wrong %q", w.intents["return1"].calls, w.wrong)
	}
}

// TestDefectsFit: what the harness changes and plants fits the source, and its crash points have a kind of life each.
func TestDefectsFit(t *testing.T) {
	const repo = "../../.."
	for _, d := range slices.Concat(timeScale(), defects()) {
		if err := d.Check(repo); err != nil {
			t.Error(err)
		}
	}
	points, err := harness.CrashPoints(repo)
	if err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]func(string) bool{"at the first start": atFirstStart, "at a stop": atStop, "in a life": inLife} {
		if !slices.ContainsFunc(points, kind) {
			t.Errorf("no crash point %s", name)
		}
	}
}
