package sandbox_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gage/smartro"
	"gage/smartro/sandbox"
)

func (w *world) receiptRequest() smartro.CashReceiptRequest {
	w.t.Helper()
	id, err := smartro.ParseIdentity(smartro.IncomeDeduction, "01099991111")
	if err != nil {
		w.t.Fatal(err)
	}
	return smartro.CashReceiptRequest{
		Moid: "CRK7M2Q9AB", Purpose: smartro.IncomeDeduction, Identity: id, Amt: 11000, Supply: 10000, VAT: 1000, GoodsName: "맛동산", BuyerName: "홍길동", EdiDate: w.now,
	}
}

func (w *world) issue() (smartro.CashReceiptAnswer, error) {
	return smartro.Client{HTTP: &http.Client{Timeout: 500 * time.Millisecond}}.IssueCashReceipt(context.Background(), w.m, w.receiptRequest())
}

// TestCashReceiptLife: issued, told by 7001, shown by IssueLoader, cancelled whole, told with its cancel number, and all
// of it read back from the ledger.
//
// proves R35
func TestCashReceiptLife(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, func(c *sandbox.Config) { c.Data = dir })
	a, err := w.issue()
	if err != nil || a.Outcome != smartro.CashReceiptIssued || a.TID.MethodCode() != "04" || a.AuthCode == "" {
		t.Fatalf("%+v, %v", a, err)
	}
	w.deliver()
	n := w.notices[0]
	if n.ResultCode != "7001" || n.TID != a.TID || n.Moid != "CRK7M2Q9AB" || n.RcptAppNo != a.AuthCode || n.ReceiptType != "1" || n.Amt != 11000 || n.Verify(w.m) != nil || !n.OfCashReceipt(w.m) {
		t.Errorf("notice %+v", n)
	}
	status, page := w.get("/issue/IssueLoader.jsp?TID=" + string(a.TID) + "&type=2")
	if status != http.StatusOK || !strings.Contains(page, a.AuthCode) || !strings.Contains(page, "소득공제") || !strings.Contains(page, "1,000원") {
		t.Errorf("slip: %d %s", status, page)
	}
	if status, page := w.get("/control"); status != http.StatusOK || !strings.Contains(page, string(a.TID)) || strings.Contains(page, "9999") {
		t.Errorf("control page: %d %s", status, page)
	}
	w.wantCancel("2034", a.TID, 11001, false, nil)
	w.wantCancel("2030", a.TID, 1000, true, nil)
	back, err := smartro.Client{}.CancelCashReceipt(context.Background(), w.m, a.TID, 11000, "거래 취소")
	if err != nil || back.ResultCode != "2001" || back.CancelNum == "" {
		t.Fatalf("cancel: %+v, %v", back, err)
	}
	w.wantCancel("2013", a.TID, 11000, false, nil)
	w.deliver()
	if n := w.notices[1]; n.ResultCode != "2001" || n.OTID != a.TID || n.RcptCcNo != back.CancelNum {
		t.Errorf("notice %+v", n)
	}
	if err := w.g.Close(); err != nil {
		t.Fatal(err)
	}
	again := newWorld(t, func(c *sandbox.Config) { c.Data = dir })
	q, err := smartro.Client{}.InquireCashReceipt(context.Background(), again.m, a.TID)
	if err != nil || q.State != "1" || q.RcptAppNo != a.AuthCode {
		t.Errorf("after a restart: %+v, %v", q, err)
	}
}

// TestCashReceiptRefusals: each fault of a request is refused with its reason, and nothing is issued.
func TestCashReceiptRefusals(t *testing.T) {
	w := newWorld(t, nil)
	form, err := w.m.CashReceiptForm(w.receiptRequest())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(q url.Values)
		code   string
		says   string
	}{
		"no field":    {func(q url.Values) { q.Del("ReceiptVAT") }, "SB60", "ReceiptVAT"},
		"twice":       {func(q url.Values) { q.Add("Amt", "11000") }, "SB60", "Amt"},
		"no Hangul":   {func(q url.Values) { q.Set("GoodsName", "맛동산") }, "SB60", "GoodsName"},
		"a comma":     {func(q url.Values) { q.Set("ReceiptAmt", "11,000") }, "SB60", "ReceiptAmt"},
		"purpose":     {func(q url.Values) { q.Set("CashReceiptType", "0") }, "SB60", "CashReceiptType"},
		"method":      {func(q url.Values) { q.Set("PayMethod", "CARD") }, "SB60", "PayMethod"},
		"merchant":    {func(q url.Values) { q.Set("MID", "otherdemo1") }, "SB60", "MID"},
		"hash":        {func(q url.Values) { q.Set("ediDate", "20261124120001") }, "SB61", "VERIFY_V"},
		"sum":         {func(q url.Values) { q.Set("ReceiptVAT", "999") }, "SB62", "ReceiptSupplyAmt"},
		"two amounts": {func(q url.Values) { q.Set("ReceiptAmt", "011000") }, "SB62", "ReceiptAmt"},
		"number":      {func(q url.Values) { q.Set("CashReceiptType", "2") }, "SB63", "ReceiptIdentity"},
	} {
		q, err := url.ParseQuery(string(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		c.change(q)
		res, err := http.Post(form.Action+"?"+q.Encode(), "application/x-www-form-urlencoded", nil)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		a, err := w.m.ParseCashReceiptAnswer(raw)
		if err != nil || a.ResultCode != c.code || !strings.Contains(a.ResultMsg, c.says) || a.Outcome != smartro.CashReceiptRefused {
			t.Errorf("%s: %s %s, %v", name, a.ResultCode, a.ResultMsg, err)
		}
	}
	if status, _ := w.get("/cashreceipt/cashReceiptTrans.jsp"); status != http.StatusMethodNotAllowed {
		t.Errorf("by GET: %d", status)
	}
	if n := len(w.receipts()); n != 0 {
		t.Errorf("%d were issued", n)
	}
}

func (w *world) receipts() []struct {
	TID  smartro.TID `json:"tid"`
	Moid string      `json:"moid"`
} {
	w.t.Helper()
	_, body := w.get("/control/api/state")
	var a struct {
		CashReceipts []struct {
			TID  smartro.TID `json:"tid"`
			Moid string      `json:"moid"`
		} `json:"cash_receipts"`
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		w.t.Fatal(err)
	}
	return a.CashReceipts
}

// TestCashReceiptFaults: to order a receipt is refused, or issued with an answer that is late or tells nothing; its notice still comes.
func TestCashReceiptFaults(t *testing.T) {
	for fault, want := range map[string]smartro.CashReceiptOutcome{
		"receipt_refused": smartro.CashReceiptRefused, "receipt_never": smartro.CashReceiptUnknown, "receipt_500": smartro.CashReceiptUnknown,
		"receipt_garbage": smartro.CashReceiptUnknown, "receipt_delay": smartro.CashReceiptIssued,
	} {
		t.Run(fault, func(t *testing.T) {
			w := newWorld(t, nil)
			w.order(fault, "next")
			a, _ := w.issue()
			w.deliver()
			issued := fault != "receipt_refused"
			if got := len(w.receipts()); a.Outcome != want || got == 1 != issued || w.codes() != map[bool]string{true: "7001"}[issued] {
				t.Errorf("%s, %d issued, notices %q", a.Outcome, got, w.codes())
			}
			if a, err := w.issue(); err != nil || a.Outcome != smartro.CashReceiptIssued {
				t.Errorf("the fault happened twice: %+v, %v", a, err)
			}
		})
	}
}

// TestCashReceiptAsConfirmed: a shop that has the gateway's description has the sandbox follow it.
func TestCashReceiptAsConfirmed(t *testing.T) {
	spec := smartro.CashReceiptSpec{
		PayMethod: "CASH", Names: map[string]string{"ReceiptIdentity": "IdNo"}, VerifyForm: smartro.SHA256, VerifyOver: []string{"Moid", "merchantKey"},
		InBody: true, Answer: []string{"ResultCode", "ResultMsg", "TID", "Amt"}, Success: []string{"0000"},
	}
	w := newWorld(t, func(c *sandbox.Config) { c.Unpublished.CashReceipt, c.Unpublished.NoReceipts = spec, true })
	if a, _ := w.issue(); a.Outcome == smartro.CashReceiptIssued {
		t.Errorf("as this package reads it: %+v", a)
	}
	w.m.CashReceipt = spec
	if a, err := w.issue(); err != nil || a.Outcome != smartro.CashReceiptIssued {
		t.Errorf("as it was confirmed: %+v, %v", a, err)
	}
	if _, page := w.post(w.srv.URL+"/interfaceURL.jsp", string(w.form(smartro.PC, smartro.Bank).Encode())); !strings.Contains(page, `name="bank"`) || strings.Contains(page, `name="receipt"`) {
		t.Errorf("a window of a MID without receipts: %s", page)
	}
}
