package sandbox_test

import (
	"net/http"
	"testing"

	"gage/smartro"
	"gage/smartro/sandbox"
)

// TestMerchantKeyChanged: after the order everything is checked and signed with the new key, what was queued keeps its
// signature, and the new key is still there after a restart.
func TestMerchantKeyChanged(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, func(c *sandbox.Config) { c.Data = dir })
	const next = "VGhlIG5leHQga2V5"
	before := w.pay(smartro.Card)
	waiting := w.open(w.form(smartro.PC, smartro.Card))
	w.api("/control/api/key", map[string]string{"key": "with a space"}, http.StatusBadRequest)
	w.api("/control/api/key", map[string]string{"key": next}, http.StatusNoContent)

	old := w.m
	if status, _ := w.post(old.Endpoints.PCWindow, string(w.form(smartro.PC, smartro.Card).Encode())); status == http.StatusOK {
		t.Error("a form signed with the key before opened a window")
	}
	w.m.Key = next
	after, _, _, _ := w.press(waiting, "approve")
	if before.Verify(old) != nil || after.Verify(old) == nil || after.Verify(w.m) != nil {
		t.Error("results are not signed with the key of their time")
	}
	w.deliver()
	for _, n := range w.notices {
		if signer := map[smartro.TID]smartro.Merchant{before.TID: old, after.TID: w.m}[n.TID]; n.Verify(signer) != nil {
			t.Errorf("the notification of %s is not signed with the key of its time", n.TID)
		}
	}
	if len(w.notices) != 2 {
		t.Errorf("%d notifications", len(w.notices))
	}
	w.wantCancel("2001", after.TID, 1000, true, nil)

	if err := w.g.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := sandbox.New(sandbox.Config{Data: dir, Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	w.srv.Config.Handler = again.Handler()
	w.open(w.form(smartro.PC, smartro.Card))
}
