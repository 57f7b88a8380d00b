package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gage/smartro"
)

// Unpublished is what no source of the gateway tells (weblink §10). The zero value is the reference's best guess;
// once a shop has seen the real thing, it can have the sandbox do the same.
type Unpublished struct {
	Codes             map[string]string       // instead of one of [OwnCodes]: another code
	WalletCode        string                  // approval of KAKAO and TOSS; default 3001
	StateCds          [3]string               // state_cd of an approval, of a cancel before and after acquisition; default 0, 1, 2
	StopFields        bool                    // StopURL is told OID and ResultCode; default: nothing
	EchoUnknown       bool                    // fields of the form that the reference does not know come back with the result
	PartsByOTID       bool                    // the notification of a partial cancel has the payment's TID; default: the cancel's own
	CashReceipt       smartro.CashReceiptSpec // the stand-alone cash-receipt call; Confirmed means nothing here
	NoReceipts        bool                    // the MID is not set up to ask for cash receipts in the window
	ChargesAsCardBill bool                    // the notification of a charge says PayMethod CARDBILL; default: CARD
	RefundFields      smartro.RefundFields    // names of the refund account's fields; default RefundBankCd, RefundAcctNo, RefundAcctNm
}

// OwnCode is a result code that the sandbox gives out though the gateway does not publish it: those of four
// digits and A211 are its sister's (codes §1), those that begin with SB were made up. A client must not branch on
// any of them.
type OwnCode struct{ Code, Meaning string }

// OwnCodes lists them all.
func OwnCodes() []OwnCode {
	return []OwnCode{
		{codeAbort, "the buyer closed the window"},
		{codeDuplicate, "승인 TID 중복: a window that was used up"},
		{codeDeclinedCard, "card refused"},
		{codeDeclined, "another method refused"},
		{"A211", "cancel: hashData wrong"},
		{"1652", "cancel: TID length wrong"},
		{"2010", "cancel: CancelAmt no amount"},
		{"2011", "cancel: a whole cancel of less than is left"},
		{"2012", "cancel, receipt data: no such transaction"},
		{"2014", "cancel: part of an account that waits"},
		{"2024", "cancel: password wrong"},
		{"2030", "cancel: method without parts"},
		{"2034", "cancel: more than is left"},
		{"SB10", "cancel: unreadable"},
		{"SB11", "cancel: PartialCancelCode wrong"},
		{"SB27", "cancel: refund account missing or wrong"},
		{"SB60", "cash receipt: unreadable, or a field missing or wrong"},
		{"SB61", "cash receipt: VERIFY_V wrong"},
		{"SB62", "cash receipt: the sum is wrong"},
		{"SB63", "cash receipt: no number for that purpose"},
		{"SB64", "cash receipt: a part can't be cancelled"},
		{"SB65", "cash receipt: refused to order"},
		{"SB50", "charge: unreadable"},
		{"SB51", "charge: a field missing or wrong"},
		{"SB52", "charge: VERIFY_V wrong"},
		{"SB53", "charge: no such billing key, or another customer's"},
		{"SB01", "receipt data: apikey wrong"},
		{"SB02", "receipt data: unreadable"},
		{"SB03", "receipt data: too large"},
		{"SB05", "receipt data: no POST"},
	}
}

// Validate joins everything that is wrong with u.
func (u Unpublished) Validate() error { return u.complete() }

// complete fills the defaults in and joins everything that is wrong.
func (u *Unpublished) complete() error {
	var errs []error
	for _, code := range slices.Sorted(maps.Keys(u.Codes)) {
		if !slices.ContainsFunc(OwnCodes(), func(o OwnCode) bool { return o.Code == code }) {
			errs = append(errs, fmt.Errorf("code %q: the sandbox has no such code of its own", code))
		}
		errs = append(errs, wireCode("instead of code "+code, u.Codes[code]))
	}
	if u.WalletCode == "" {
		u.WalletCode = "3001"
	}
	errs = append(errs, wireCode("wallet code", u.WalletCode))
	for i, d := range []string{"0", "1", "2"} {
		if u.StateCds[i] == "" {
			u.StateCds[i] = d
		}
		errs = append(errs, wireCode("state_cd", u.StateCds[i]))
	}
	for _, p := range []struct {
		name  *string
		deflt string
	}{{&u.RefundFields.Bank, "RefundBankCd"}, {&u.RefundFields.Number, "RefundAcctNo"}, {&u.RefundFields.Holder, "RefundAcctNm"}} {
		if *p.name == "" {
			*p.name = p.deflt
		}
	}
	return errors.Join(append(errs, u.CashReceipt.Validate())...)
}

// cashReceipt is the call with this package's reading filled in.
func (u Unpublished) cashReceipt() smartro.CashReceiptSpec { return u.CashReceipt.WithDefaults() }

// wireCode refuses what no result code or state_cd can be.
func wireCode(what, v string) error {
	if v == "" || len(v) > 10 || strings.ContainsFunc(v, func(r rune) bool {
		return !('0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z')
	}) {
		return fmt.Errorf("%s: %q: want 1 to 10 letters or digits", what, v)
	}
	return nil
}

// code is what to give out for one of the sandbox's own codes.
func (g *Gateway) code(own string) string {
	if other, ok := g.cfg.Unpublished.Codes[own]; ok {
		return other
	}
	return own
}

// approvedCode is the result code of an approval, or of an issued account.
func (g *Gateway) approvedCode(m smartro.Method) string {
	switch m {
	case smartro.Bank:
		return "4000"
	case smartro.Vbank:
		return codeIssued
	case smartro.Cellphone:
		return "A000"
	case smartro.CLGift:
		return "B000"
	case smartro.Kakao, smartro.Toss:
		return g.cfg.Unpublished.WalletCode
	}
	return "3001"
}

// stopFields are the parameters of StopURL. None are documented, and the kit's page reads none.
func (g *Gateway) stopFields(p payment) []smartro.Field {
	if !g.cfg.Unpublished.StopFields {
		return nil
	}
	return newFields("OID", p.Moid, "ResultCode", p.ResultCode)
}

// unknownFields are the fields of the form that the reference does not know.
func (g *Gateway) unknownFields(p payment) []smartro.Field {
	if !g.cfg.Unpublished.EchoUnknown {
		return nil
	}
	rules := append(commonRules(), methodRules()...)
	var list []smartro.Field
	for _, f := range p.Fields {
		if f.Name != "merchantKey" && !slices.ContainsFunc(rules, func(r rule) bool { return r.name == f.Name }) {
			list = append(list, f)
		}
	}
	return list
}
