package kill

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"

	"gage/app"
	"gage/smartro"
)

// receiptCalls are the shop's calls about cash receipts, as they arrived at the gateway: how often under each order ID, and
// how often for each TID that was to be taken back.
type receiptCalls map[string]int

// askedReceipt takes down a call for a cash receipt.
func (t *truth) askedReceipt(query url.Values) { t.receiptCall("issue " + query.Get("Moid")) }

func (t *truth) receiptCall(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.receipts[what]++; t.receipts[what] > 1 {
		t.wrong = append(t.wrong, fmt.Sprintf("the gateway was asked %d times to %s", t.receipts[what], what))
	}
}

// someBank picks a payment that a cash receipt can be issued for; empty: none is paid yet.
func (t *truth) someBank(r *rand.Rand) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.bank) == 0 {
		return ""
	}
	return t.bank[r.IntN(len(t.bank))]
}

// receipt issues a cash receipt, of a payment or for money at the counter, and takes some back.
func (s *staff) receipt(ctx context.Context, moid string, back bool) error {
	path := "/admin/receipts/new"
	if moid != "" {
		path += "?payment=" + moid
	}
	p, err := s.page(ctx, path)
	if err != nil {
		return err
	}
	f, err := p.form("/admin/receipts/new")
	if err != nil {
		return err
	}
	f.set("purpose", string(smartro.IncomeDeduction))
	f.set("identity", "010-0000-1111")
	if moid == "" {
		f.set("goods", "현금 판매")
		f.set("amount", "5500")
	}
	if p, err = s.submit(ctx, f); err != nil || !back || p.status != http.StatusSeeOther {
		return err
	}
	if p, err = s.page(ctx, p.to); err != nil {
		return err
	}
	if f, err = p.form("/cancel"); err != nil {
		return nil // it is not issued, or not yet known to be
	}
	f.set("reason", "receipt")
	_, err = s.submit(ctx, f)
	return err
}

// receipts issues cash receipts, life after life; now and then the payment of one is cancelled in part.
func (l *lane) receipts(ctx context.Context, r *rand.Rand) {
	for n := 0; l.alive.wait(ctx); n++ {
		select {
		case <-l.issues:
		case <-ctx.Done():
			return
		}
		moid := ""
		if r.IntN(3) > 0 {
			moid = l.t.someBank(r)
		}
		back := r.IntN(2) == 0
		err := l.staff.receipt(ctx, moid, back)
		if err == nil && moid != "" && !back {
			_, err = l.staff.cancel(ctx, moid, fmt.Sprintf("orphan%d", n), r)
		}
		l.notFine(ctx, err)
	}
}

// cashReceipts: what the gateway issued by a call the shop knows, once, and it was asked for at most once (R35, I8).
func (c *comparison) cashReceipts(ctx context.Context) {
	var state struct {
		CashReceipts []struct {
			Moid app.Moid `json:"moid"`
			TID  app.TID  `json:"tid"`
			Amt  app.Won  `json:"amt"`
		} `json:"cash_receipts"`
	}
	if err := json.Unmarshal(c.order("GET", "/control/api/state", nil), &state); err != nil {
		c.wrong("the gateway's receipts: %v", err)
	}
	issued := map[app.Moid]int{}
	for _, b := range state.CashReceipts {
		issued[b.Moid]++
		r, err := c.store.CashReceiptByMoid(ctx, b.Moid)
		switch {
		case err != nil:
			c.wrong("the gateway issued the cash receipt %s, and the shop does not know it: %v", b.Moid, err)
		case issued[b.Moid] > 1:
			c.wrong("the cash receipt %s was issued %d times", b.Moid, issued[b.Moid])
		case r.State == app.ReceiptStateRequested || r.TID != "" && (r.TID != b.TID || r.Amount != b.Amt):
			c.wrong("the gateway issued the cash receipt %s over %d won; the shop's is %s over %d", b.Moid, b.Amt, r.State, r.Amount)
		}
	}
}

// receiptNotice: what was told of a receipt and answered OK the shop has written down.
func (c *comparison) receiptNotice(ctx context.Context, n smartro.Notice) {
	r, err := c.store.CashReceiptByMoid(ctx, n.Moid)
	switch {
	case err != nil:
		c.wrong("a notification about the cash receipt %s was answered OK: %v", n.Moid, err)
	case n.ResultCode == "7001" && (r.Number == "" || r.State == app.ReceiptStateSent || r.State == app.ReceiptStateUnknown):
		c.wrong("the cash receipt %s was told and answered OK, and it is %s", n.Moid, r.State)
	case n.ResultCode == "2001" && r.State != app.ReceiptStateCancelled:
		c.wrong("the cancel of the cash receipt %s was told and answered OK, and it is %s", n.Moid, r.State)
	}
}

// ofReceipt says whether a cancel call is about a cash receipt, by its TID, and takes it down.
func (t *truth) ofReceipt(fields []smartro.Field) bool {
	for _, f := range fields {
		if f.Name == "TID" && strings.HasPrefix(app.TID(f.Value).MethodCode(), "04") {
			t.receiptCall("take back " + f.Value)
			return true
		}
	}
	return false
}
