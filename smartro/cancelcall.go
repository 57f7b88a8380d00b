package smartro

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

const (
	reasonLimit    = 30
	bankCodeLen    = 3
	refundNumMax   = 16
	refundNameMax  = 10
	cancelPassword = 20
)

// CancelReason returns s as CancelMSG may carry it: what EUC-KR or the firewall does not take is replaced,
// and it is cut to 30 bytes on a character.
func CancelReason(s string) string {
	s, _ = clean(repertoire{cs: EUCKR}, "CancelMSG", strings.TrimSpace(s))
	s, _ = cut(EUCKR, harmless(s), reasonLimit)
	return s
}

// Cancel takes money back by exactly one POST (cancel §1). Look at CancelAnswer.Outcome when err is nil.
//
// With an error that is ErrNotSent nothing reached the gateway: r or m has a fault (as *FieldError) or no
// connection came about. With any other error the outcome is unknown: the answer did not come, was not
// readable (ErrUnreadable, ErrAmbiguous, ErrTooLarge) or was about something else (ErrMismatch), and what
// came of it stands in the answer's Raw. Repeat a partial cancel only after the gateway's record was seen.
func (c Client) Cancel(ctx context.Context, m Merchant, r CancelRequest) (CancelAnswer, error) {
	form, err := m.CancelForm(r)
	if err != nil {
		return CancelAnswer{}, notSent(err)
	}
	raw, err := c.post(ctx, form.Action, "application/x-www-form-urlencoded; charset=EUC-KR", form.Encode(), nil)
	if err != nil {
		return CancelAnswer{Raw: raw}, err
	}
	a, err := ParseCancelAnswer(raw)
	if err != nil {
		return CancelAnswer{Raw: raw}, err
	}
	if a.TID != "" && a.TID != r.TID || a.MID != "" && a.MID != m.MID {
		return a, fmt.Errorf("cancel: %w: another transaction", ErrMismatch)
	}
	if a.Outcome() == CancelDone && a.Amt != r.Amt {
		return a, fmt.Errorf("cancel: %w: asked for %d won, answered %d", ErrMismatch, r.Amt, a.Amt)
	}
	return a, nil
}

// CancelForm is the body of a cancel call; its Notes tell what became of the reason. It holds the cancel password: never log it, never let it near a
// browser. The error joins every fault as *FieldError.
func (m Merchant) CancelForm(r CancelRequest) (Form, error) {
	if err := m.Validate(); err != nil {
		return Form{}, err
	}
	b := &formBuilder{pc: true, cs: EUCKR, wide: m.WideEUCKR}
	if _, err := ParseTID(string(r.TID)); err != nil {
		b.errs = append(b.errs, err)
	} else if r.TID.MID() != m.MID {
		b.bad("TID", string(r.TID), "a transaction of "+string(m.MID))
	}
	part := "0"
	if r.Partial {
		part = "1"
	}
	b.put("TID", string(r.TID), tidLen)
	b.won("CancelAmt", r.Amt, 1, 12)
	if n := len(m.CancelPassword); n == 0 || n > cancelPassword {
		b.bad("Cancelpw", redacted, "1 to 20 characters")
	}
	b.fields = append(b.fields, Field{"Cancelpw", m.CancelPassword.Reveal()})
	b.reason(r.Reason)
	b.put("PartialCancelCode", part, 1)
	b.put("hashData", HashData(m.Hash, r.TID, m.Key, r.Amt, part), 44)
	if r.SubMall {
		b.put("MerchantMode", "T", 1)
	}
	info, err := divideInfo(r.Divide, r.Amt)
	if err != nil {
		b.errs = append(b.errs, err)
	}
	b.put("DivideInfo", info, 2000)
	b.refund(m.RefundFields.orDefault(), r.Refund)
	if r.Refund != nil {
		return b.form(m.endpoints().Refund)
	}
	return b.form(m.endpoints().Cancel)
}

// reason adds CancelMSG, which the receiver decodes twice: EUC-KR percent text, encoded again by the form.
func (b *formBuilder) reason(s string) {
	s = b.label("CancelMSG", s)
	if n := EUCKR.Len(s); n > reasonLimit {
		b.bad("CancelMSG", s, fmt.Sprintf("at most %d bytes in EUC-KR, not %d", reasonLimit, n))
		return
	}
	b.put("CancelMSG", string(appendEscaped(nil, s, EUCKR)), 3*reasonLimit)
}

func (b *formBuilder) refund(names RefundFields, to *RefundAccount) {
	if to == nil {
		return
	}
	number := strings.NewReplacer("-", "", " ", "").Replace(to.Number)
	if len(to.BankCode) != bankCodeLen || !digits(to.BankCode) {
		b.bad(names.Bank, to.BankCode, "3 digits of a bank's code")
	}
	if number == "" || !digits(number) {
		b.bad(names.Number, to.Number, "1 to 16 digits")
	}
	b.put(names.Bank, to.BankCode, bankCodeLen)
	b.put(names.Number, number, refundNumMax)
	b.must(names.Holder, b.label(names.Holder, to.Holder), refundNameMax)
}

// ParseCancelAnswer reads the gateway's answer: key=value pairs joined by "&", white space around them,
// values as EUC-KR percent text, split at the first "=". Keys are read without case and underscores.
//
// The error is ErrUnreadable for what is no such line or has no result code, ErrAmbiguous for a decisive
// field that came twice, ErrTooLarge, or a *FieldError. The answer is then zero.
func ParseCancelAnswer(raw []byte) (CancelAnswer, error) {
	line := bytes.TrimSpace(raw)
	if bytes.ContainsAny(line, "<>{}") {
		return CancelAnswer{}, fmt.Errorf("cancel: %w: not key=value text", ErrUnreadable)
	}
	fields, err := DecodeForm(line, EUCKR)
	if err != nil {
		return CancelAnswer{}, err
	}
	for i, f := range fields {
		fields[i] = Field{strings.TrimSpace(f.Name), strings.TrimSpace(f.Value)}
	}
	v := readValues(fields, []string{"mid", "tid", "moid", "cancelamt", "resultcode"}, nil)
	a := CancelAnswer{
		PayMethod: v.method(), MID: v.mid(), TID: v.tid("tid", "TID"), Moid: v.moid(),
		ResultCode: v.code(), ResultMsg: v.text("resultmsg"),
		CancelDate: v.text("canceldate"), CancelTime: v.text("canceltime"), CancelNum: v.text("cancelnum"),
	}
	if own, err := ParseTID(v.text("ptid")); err == nil { // nobody needs it, so its absence harms nothing
		a.PTID = own
	}
	a.Amt, _ = v.won("cancelamt", "CancelAmt")
	if v.err == nil && a.ResultCode == "" {
		v.fail(fmt.Errorf("cancel: %w: no ResultCode", ErrUnreadable))
	}
	if v.err != nil {
		return CancelAnswer{}, v.err
	}
	a.Fields, a.Raw = fields, bytes.Clone(raw)
	return a, nil
}
