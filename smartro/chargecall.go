package smartro

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	chargeValues    = 17
	chargeSeparator = "!@#"
)

// Charge takes money from a registered card by exactly one POST (billing §2).
//
// With an error that is ErrNotSent nothing reached the gateway. With any other the outcome is unknown: no answer came,
// it was not readable (ErrUnreadable, ErrTooLarge, *FieldError), it was about something else (ErrMismatch), or it says
// yes and is not signed (ErrSignature); what came stands in the answer's Raw. Never charge again before the gateway's
// record was seen. No error holds the key, though the call carries it in its query.
func (c Client) Charge(ctx context.Context, m Merchant, r ChargeRequest) (ChargeAnswer, error) {
	form, err := m.ChargeForm(r)
	if err != nil {
		return ChargeAnswer{}, notSent(err)
	}
	url, body := form.Action, form.Encode()
	if !m.ChargeInBody {
		url, body = url+"?"+string(body), nil
	}
	raw, err := c.post(ctx, url, "application/x-www-form-urlencoded; charset=EUC-KR", body, nil)
	if err != nil {
		return ChargeAnswer{Raw: raw}, err
	}
	a, err := ParseChargeAnswer(raw)
	if err != nil {
		return ChargeAnswer{Raw: raw}, err
	}
	return a, a.fits(m, r)
}

// fits compares the answer with what was asked. A refusal may leave out what it does not have.
func (a ChargeAnswer) fits(m Merchant, r ChargeRequest) error {
	other := func(what string) error { return fmt.Errorf("charge: %w: another %s", ErrMismatch, what) }
	yes := a.Outcome(m) == ChargeDone
	switch {
	case a.MID != m.MID && (yes || a.MID != ""):
		return other("merchant")
	case a.Moid != r.Moid && (yes || a.Moid != ""):
		return other("order")
	case yes && (!a.HasAmt || a.Amt != r.Amt):
		return other("amount")
	case yes && a.TID.MID() != m.MID:
		return other("transaction")
	case yes:
		return a.Verify(m, r.Key)
	}
	return nil
}

// ChargeForm is the request of a charge: the query or the body, in EUC-KR. It holds the billing key: never log it, never
// let it near a browser. The error joins every fault as *FieldError.
func (m Merchant) ChargeForm(r ChargeRequest) (Form, error) {
	if err := m.Validate(); err != nil {
		return Form{}, err
	}
	b := &formBuilder{pc: true, cs: EUCKR, wide: m.WideEUCKR}
	edi := EdiDate(r.EdiDate)
	if r.EdiDate.IsZero() {
		b.bad("ediDate", "", "a time")
	}
	b.put("PayMethod", string(CardBill), 10)
	b.put("ediDate", edi, 14)
	b.goods(r)
	b.won("Amt", r.Amt, 1, 12)
	if _, err := ParseMoid(string(r.Moid)); err != nil {
		b.errs = append(b.errs, err)
	}
	b.put("Moid", string(r.Moid), foreignMoid)
	b.put("MID", string(m.MID), midLen)
	mode := b.billingKey(m, r.Key)
	if n, err := strconv.Atoi(orElse(r.Quota, "00")); err != nil || len(orElse(r.Quota, "00")) != 2 || n == 1 || n < 0 || n > 12 {
		b.bad("CardQuota", r.Quota, "00 or 02 to 12")
	}
	b.put("CardQuota", orElse(r.Quota, "00"), 2)
	b.put("ChannelType", "WBL", 3)
	b.put("VERIFY_V", VerifyV(m.Hash, m.MID, m.Key, edi, r.Amt, r.Key), 44)
	b.put("MallIP", r.MallIP, 20)
	b.put("UserIP", r.UserIP, 20)
	b.reserved(r.MallReserved)
	b.put("MallUserID", b.text("MallUserID", r.UserID), userIDLen)
	b.put("BuyerName", b.label("BuyerName", r.BuyerName), 30)
	tel := plainTel(r.BuyerTel)
	if !digits(tel) {
		b.bad("BuyerTel", r.BuyerTel, "digits")
	}
	b.put("BuyerTel", tel, 40)
	b.put("BuyerEmail", b.mail("BuyerEmail", r.BuyerEmail), 60)
	b.put("BillKeyMode", mode, 1)
	b.put("CardPoint", "0", 1)
	return b.form(m.endpoints().Charge)
}

func (b *formBuilder) goods(r ChargeRequest) {
	count := max(r.GoodsCnt, 1)
	if count > 99 || r.GoodsCnt < 0 {
		b.bad("GoodsCnt", strconv.Itoa(r.GoodsCnt), "1 to 99")
	}
	b.put("GoodsCnt", fmt.Sprintf("%02d", count), 2)
	name, rest := cut(b.cs, b.label("GoodsName", r.GoodsName), goodsLimit)
	if rest != "" {
		b.note("GoodsName", NoteShortened, rest)
	}
	b.must("GoodsName", name, goodsLimit)
}

// billingKey adds BL_TID and returns the BillKeyMode that it is in. A fault never holds the key.
func (b *formBuilder) billingKey(m Merchant, k BillingKey) (mode string) {
	key, err := ParseBillingKey(k.Reveal())
	if err != nil {
		b.errs = append(b.errs, err)
		return "1"
	}
	value, mode := key.Reveal(), "1"
	if m.EncryptedBillingKeys {
		mode = "0"
		if value, err = m.SealBillingKey(key); err != nil {
			b.errs = append(b.errs, err)
		}
	}
	b.fields = append(b.fields, Field{"BL_TID", value})
	return mode
}

// ParseChargeAnswer reads the gateway's answer to a charge: 17 values joined by "!@#", each as EUC-KR percent text, with
// white space around the whole. A text that is percent-encoded as a whole is read, too. The error is ErrUnreadable for
// any other number of values or none as result code, ErrTooLarge, or a *FieldError; the answer is then zero.
func ParseChargeAnswer(raw []byte) (ChargeAnswer, error) {
	if len(raw) > MaxMessage {
		return ChargeAnswer{}, ErrTooLarge
	}
	line := string(bytes.TrimSpace(raw))
	parts := strings.Split(line, chargeSeparator)
	decode := func(s string) string { return EUCKR.Decode(unescape(s)) }
	if len(parts) == 1 {
		parts = strings.Split(string(unescape(line)), chargeSeparator)
		decode = func(s string) string { return EUCKR.Decode([]byte(s)) }
	}
	if len(parts) != chargeValues {
		return ChargeAnswer{}, fmt.Errorf("charge: %w: %d values, want %d", ErrUnreadable, len(parts), chargeValues)
	}
	names := [chargeValues]string{
		"PayMethod", "MID", "Amt", "Name", "GoodsName", "mallUserID", "TID", "OID", "AuthDate", "AuthCode", "ResultCode", "ResultMsg",
		"MallReserved", "fn_cd", "fn_name", "BuyerEmail", "VerifyValue",
	}
	fields := make([]Field, chargeValues)
	for i, s := range parts {
		fields[i] = Field{names[i], strings.TrimSpace(decode(s))}
	}
	v := readValues(fields, nil, nil)
	a := ChargeAnswer{
		PayMethod: v.method(), MID: v.mid(), BuyerName: v.text("buyername"), GoodsName: v.text("goodsname"), UserID: v.text("malluserid"),
		TID: v.tid("tid", "TID"), Moid: v.moid(), AuthDate: v.text("authdate"), AuthCode: v.text("authcode"),
		ResultCode: v.code(), ResultMsg: v.text("resultmsg"), MallReserved: v.text("mallreserved"),
		CardCode: v.text("fncd"), CardName: v.text("fnname"), BuyerEmail: v.text("buyeremail"), VerifyValue: v.text("verifyvalue"),
	}
	a.Amt, a.HasAmt = v.won("amt", "Amt")
	if v.err == nil && a.ResultCode == "" {
		v.fail(errors.Join(ErrUnreadable, errors.New("charge: no ResultCode")))
	}
	if v.err != nil {
		return ChargeAnswer{}, v.err
	}
	a.Fields, a.Raw = fields, bytes.Clone(raw)
	return a, nil
}
