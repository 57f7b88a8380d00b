package smartro

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The most bytes that the texts of a receipt may have (billing §2).
const (
	goodsNameMax = 80
	buyerNameMax = 30
)

// IssueCashReceipt asks for a cash receipt by exactly one POST (cash-receipt §2). Look at the answer's Outcome when err is
// nil.
//
// With an error that is ErrNotSent nothing reached the gateway: r or m has a fault (as *FieldError) or no connection came
// about. With any other error the outcome is unknown, and what came of the answer stands in its Raw: the gateway's notice
// or its own site tells; the call must not be repeated.
func (c Client) IssueCashReceipt(ctx context.Context, m Merchant, r CashReceiptRequest) (CashReceiptAnswer, error) {
	form, err := m.CashReceiptForm(r)
	if err != nil {
		return CashReceiptAnswer{}, notSent(err)
	}
	url, body := form.Action+"?"+string(form.Encode()), []byte(nil)
	if m.CashReceipt.InBody {
		url, body = form.Action, form.Encode()
	}
	raw, err := c.post(ctx, url, "application/x-www-form-urlencoded; charset=EUC-KR", body, nil)
	if err != nil {
		return CashReceiptAnswer{Raw: raw, Outcome: CashReceiptUnknown}, err
	}
	a, err := m.ParseCashReceiptAnswer(raw)
	if err != nil {
		return CashReceiptAnswer{Raw: raw, Outcome: CashReceiptUnknown}, err
	}
	if a.MID != "" && a.MID != m.MID || a.Moid != "" && a.Moid != r.Moid || a.TID != "" && a.TID.MID() != m.MID {
		a.Outcome = CashReceiptUnknown
		return a, fmt.Errorf("cash receipt: %w: another request", ErrMismatch)
	}
	if a.Outcome == CashReceiptIssued && a.Amt != r.Amt {
		a.Outcome = CashReceiptUnknown
		return a, fmt.Errorf("cash receipt: %w: asked for %d won, answered %d", ErrMismatch, r.Amt, a.Amt)
	}
	return a, nil
}

// CashReceiptForm is the call's request; its Notes tell what became of the texts. It holds whom the receipt is for: never
// log it. The error joins every fault as *FieldError.
func (m Merchant) CashReceiptForm(r CashReceiptRequest) (Form, error) {
	spec := m.CashReceipt.WithDefaults()
	if err := errors.Join(m.Validate(), m.CashReceipt.Validate()); err != nil {
		return Form{}, err
	}
	b := &formBuilder{pc: true, cs: EUCKR, wide: m.WideEUCKR}
	if _, err := ParseMoid(string(r.Moid)); err != nil {
		b.errs = append(b.errs, err)
	}
	if _, err := ParseCashReceiptPurpose(string(r.Purpose)); err != nil {
		b.errs = append(b.errs, err)
	} else if _, err := ParseIdentity(r.Purpose, r.Identity.Reveal()); err != nil {
		b.errs = append(b.errs, err)
	}
	if r.EdiDate.IsZero() {
		b.bad("ediDate", "", "the time of the request")
	}
	if r.Supply < 0 || r.VAT < 0 || r.Service < 0 || r.Supply+r.VAT+r.Service != r.Amt {
		b.bad("ReceiptAmt", r.Amt.String(), "the sum of supply, VAT and service charge")
	}
	goods, _ := cut(EUCKR, b.label("GoodsName", r.GoodsName), goodsNameMax)
	buyer, _ := cut(EUCKR, b.label("BuyerName", r.BuyerName), buyerNameMax)
	b.put("PayMethod", spec.PayMethod, 10)
	b.put("ediDate", EdiDate(r.EdiDate), 14)
	b.put("GoodsCnt", "01", 2)
	b.must("GoodsName", goods, goodsNameMax)
	b.won("Amt", r.Amt, 1, 12)
	b.put("Moid", string(r.Moid), moidMax)
	b.put("MID", string(m.MID), midLen)
	b.put("ChannelType", "WBL", 3)
	b.put("MallIP", r.MallIP, 20)
	b.put("UserIP", r.UserIP, 20)
	b.put("BuyerName", buyer, buyerNameMax)
	b.put("BuyerTel", r.BuyerTel, 40)
	b.put("ReturnType", "TEXT", 4)
	b.put("CashReceiptType", string(r.Purpose), 1)
	b.put("ReceiptIdentity", r.Identity.Reveal(), 19)
	b.won("ReceiptAmt", r.Amt, 1, 12)
	b.won("ReceiptSupplyAmt", r.Supply, 0, 12)
	b.won("ReceiptVAT", r.VAT, 0, 12)
	b.won("ReceiptServiceAmt", r.Service, 0, 12)
	b.put("VERIFY_V", spec.VerifyValue(b.fields, m.Key), 44)
	for i, f := range b.fields {
		b.fields[i].Name = orElse(spec.Names[f.Name], f.Name)
	}
	return b.form(m.endpoints().CashReceipt)
}

// ParseCashReceiptAnswer reads the answer: one line of values joined by "!@#", as many as m.CashReceipt says, in
// EUC-KR percent text.
//
// The error is ErrUnreadable for any other number of values, for no result code, or for an issued receipt without a
// transaction of its own, ErrTooLarge, or a *FieldError. The answer is then zero.
func (m Merchant) ParseCashReceiptAnswer(raw []byte) (CashReceiptAnswer, error) {
	spec := m.CashReceipt.WithDefaults()
	fields, err := delimited(raw, spec.Answer)
	if err != nil {
		return CashReceiptAnswer{}, fmt.Errorf("cash receipt: %w", err)
	}
	v := readValues(fields, []string{"mid", "tid", "moid", "amt", "resultcode"}, nil)
	a := CashReceiptAnswer{
		MID: v.mid(), TID: v.tid("tid", "TID"), Moid: v.moid(), AuthDate: v.text("authdate"), AuthCode: v.text("authcode"),
		ResultCode: v.code(), ResultMsg: v.text("resultmsg"),
	}
	a.Amt, _ = v.won("amt", "Amt")
	switch {
	case v.err != nil:
	case a.ResultCode == "":
		v.fail(fmt.Errorf("cash receipt: %w: no ResultCode", ErrUnreadable))
	case slices.Contains(spec.Success, a.ResultCode) && a.TID == "":
		v.fail(fmt.Errorf("cash receipt: %w: issued, but under no TID", ErrUnreadable))
	case strings.Trim(a.AuthCode, "-") != "" && (len(a.AuthCode) > 30 || !alnum(strings.ReplaceAll(a.AuthCode, "-", ""))):
		v.fail(&FieldError{Field: "AuthCode", Value: a.AuthCode, Want: "at most 30 letters or digits"})
	}
	if v.err != nil {
		return CashReceiptAnswer{}, v.err
	}
	switch {
	case slices.Contains(spec.Success, a.ResultCode):
		a.Outcome = CashReceiptIssued
	case a.ResultCode == "9999":
		a.Outcome = CashReceiptUnknown
	default:
		a.Outcome = CashReceiptRefused
	}
	a.Fields, a.Raw = fields, bytes.Clone(raw)
	return a, nil
}

// CancelCashReceipt takes back a receipt that [Client.IssueCashReceipt] issued, whole, by exactly one POST: the call of
// [Client.Cancel] with the receipt's own TID (cash-receipt §2). Its errors are those of Cancel; what the answer means says
// [Merchant.CashReceiptCancelled].
func (c Client) CancelCashReceipt(ctx context.Context, m Merchant, tid TID, amt Won, reason string) (CancelAnswer, error) {
	m.Endpoints = m.endpoints()
	m.Endpoints.Cancel = m.Endpoints.CashReceiptCancel
	return c.Cancel(ctx, m, CancelRequest{TID: tid, Amt: amt, Reason: reason})
}

// CashReceiptCancelled says what the answer to CancelCashReceipt means.
func (m Merchant) CashReceiptCancelled(a CancelAnswer) CancelOutcome {
	if slices.Contains(m.CashReceipt.CancelSuccess, a.ResultCode) {
		return CancelDone
	}
	return a.Outcome()
}

// OfCashReceipt says whether a notice is about a cash receipt that was issued by a call: PayMethod tells, as CASHRCPT
// or as the contract has it.
func (n Notice) OfCashReceipt(m Merchant) bool {
	return n.PayMethod == cashReceiptMethod || string(n.PayMethod) == m.CashReceipt.WithDefaults().PayMethod
}
