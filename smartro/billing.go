package smartro

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
)

// CardBill is the method of the window that registers a card for recurring payments (정기결제), and of charges by its key.
// It is none of [Methods]: nothing is paid in that window.
const CardBill Method = "CARDBILL"

// What the form that only issues a key says instead of an amount and goods (billing §1). No money moves.
const (
	BillingAmt   Won = 100
	BillingGoods     = "빌링키인증"
)

// BillingRequest asks for the window in which a customer registers a card: the gateway's mobile one, on any device
// (billing §1). Fields mean what they mean in [PayRequest].
type BillingRequest struct {
	Moid                            Moid
	UserID                          string // mallUserID, the customer: at most 10 bytes, which is what a charge can say
	BuyerName, BuyerTel, BuyerEmail string
	ReturnURL, StopURL              string
	UserIP, MallIP                  string
	EdiDate                         time.Time
	MallReserved                    string
	Language                        string // KR or EN
	EncryptedKey                    bool   // BillKeyMode=0: unproven against the real gateway; false: 1, the key comes plain
}

// userIDLen is what MallUserID of a charge may have; the window's own takes 20 (billing §2).
const userIDLen = 10

// BillingForm makes the form that opens the window. The error joins every fault as *FieldError.
func (m Merchant) BillingForm(r BillingRequest) (Form, error) {
	if err := m.Validate(); err != nil {
		return Form{}, err
	}
	b := &formBuilder{cs: UTF8, wide: m.WideEUCKR}
	p := PayRequest{
		Device: Mobile, Method: CardBill, Moid: r.Moid, Amt: BillingAmt, GoodsName: BillingGoods, GoodsCnt: 1,
		BuyerName: r.BuyerName, BuyerTel: r.BuyerTel, BuyerEmail: r.BuyerEmail, ReturnURL: r.ReturnURL, StopURL: r.StopURL,
		MallUserID: r.UserID, UserIP: r.UserIP, MallIP: r.MallIP, EdiDate: r.EdiDate, MallReserved: r.MallReserved, Language: r.Language,
	}
	b.common(m, p)
	b.mobileOnly(p)
	b.put("BillType", "AR", 2)
	mode := "1"
	if r.EncryptedKey {
		mode = "0"
		if _, err := m.keyFromGateway(); err != nil {
			b.errs = append(b.errs, err)
		}
	}
	b.put("BillKeyMode", mode, 1)
	if b.cs.Len(r.UserID) > userIDLen {
		b.bad("mallUserID", r.UserID, "at most 10 bytes: a charge can't say more")
	}
	return b.form(m.endpoints().MobileWindow)
}

// BillingResult is what the browser brings back from the window. The key is in none of its Fields and not in Raw.
type BillingResult struct {
	Notice
	UserID      string     // mallUserID, as it was sent
	BillTid     BillingKey // as it came: encrypted if Encrypted
	Encrypted   bool       // BillKeyMode=0
	VerifyValue string
}

// ParseBillingResult reads a result form. Errors are those of [ParseNotice]; a BillTid, VerifyValue or BillKeyMode that
// came twice is ErrAmbiguous.
func ParseBillingResult(raw []byte, cs Charset) (BillingResult, error) {
	n, err := ParseNotice(raw, cs)
	if err != nil {
		return BillingResult{}, err
	}
	v := readValues(n.Fields, []string{"billtid", "verifyvalue", "billkeymode", "malluserid"}, nil)
	r := BillingResult{
		Notice: n, UserID: v.text("malluserid"), BillTid: BillingKey(v.text("billtid")), VerifyValue: v.text("verifyvalue"),
	}
	switch mode := v.text("billkeymode"); mode {
	case "0":
		r.Encrypted = true
	case "", "1":
	default:
		v.fail(&FieldError{Field: "BillKeyMode", Value: mode, Want: "0 or 1"})
	}
	if v.err != nil {
		return BillingResult{}, v.err
	}
	for i, f := range r.Fields {
		if name := fold(f.Name); name == "billtid" || r.BillTid != "" && strings.Contains(f.Value, r.BillTid.Reveal()) {
			r.Fields[i].Value = redacted
		}
		if r.BillTid != "" { // whoever sends it may call a field so
			r.Fields[i].Name = strings.ReplaceAll(f.Name, r.BillTid.Reveal(), redacted)
		}
	}
	r.Raw = EncodeForm(r.Fields, cs)
	if r.BillTid != "" { // a name and a value may spell it together: it can have an equals sign
		r.Raw = bytes.ReplaceAll(r.Raw, []byte(r.BillTid.Reveal()), []byte(redacted))
	}
	return r, nil
}

// Issued says whether the result tells of a key, rather than of a refusal or an abort.
func (r BillingResult) Issued(m Merchant) bool { return m.billingSuccess(r.ResultCode) }

// Key returns the key that the window issued, if both signatures are m's: SignValue over the transaction and the code,
// and VerifyValue over the key. The gateway's samples write the latter in two ways and its kit compares neither, so each
// documented reading is accepted, and nothing else: ErrSignature. ErrMID and *FieldError are as elsewhere; ErrNotProven
// says that no key was issued. It proves neither the order nor the customer: compare those with what was asked.
func (r BillingResult) Key(m Merchant) (BillingKey, error) {
	if err := r.Verify(m); err != nil {
		return "", err
	}
	if !r.Issued(m) {
		return "", fmt.Errorf("billing: %w: result code %s", ErrNotProven, r.ResultCode)
	}
	key, err := ParseBillingKey(r.BillTid.Reveal())
	amounts := []string{BillingAmt.String()}
	if r.Encrypted {
		key, err = m.OpenBillingKey(r.BillTid.Reveal())
		amounts = append(amounts, "") // the sample leaves it out
	}
	if err != nil {
		return "", err
	}
	for _, amt := range amounts {
		if m.verifies(r.VerifyValue, r.AuthDate, r.AuthCode, amt, key) {
			return key, nil
		}
	}
	return "", ErrSignature
}

// verifies compares a VerifyValue in the forms of both samples: Base64 of the hash's bytes (billing §1) and of their hex
// text (§2).
func (m Merchant) verifies(value, authDate, authCode, amt string, key BillingKey) bool {
	return EqualHash(value, VerifyValue(m.Hash, m.MID, m.Key, authDate, authCode, amt, key)) ||
		EqualHash(value, RawVerifyValue(m.Hash, m.MID, m.Key, authDate, authCode, amt, key))
}

// billingSuccess reads a result code of the window or of a charge.
func (m Merchant) billingSuccess(code string) bool {
	if m.BillingCodes == nil {
		return code == "3001"
	}
	return slices.Contains(m.BillingCodes, code)
}
