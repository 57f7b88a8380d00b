package app

import (
	"fmt"
	"reflect"
	"strings"

	"gage/smartro"
)

// Change is one field of a setting that somebody changed, as the access record keeps it.
type Change struct {
	Field         string // its name in the catalogue of words: "change." and this
	Before, After string // of a secret both are empty
}

// changes collects what differs.
type changes []Change

func (c *changes) see(field string, before, after any) {
	if b, a := spoken(before), spoken(after); b != a {
		*c = append(*c, Change{field, b, a})
	}
}

// spoken is a value as a person can read it: of a struct what is set in it, by name.
func spoken(v any) string {
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Struct {
		return fmt.Sprint(v)
	}
	var set []string
	for field, value := range r.Fields() {
		if !value.IsZero() {
			set = append(set, fmt.Sprintf("%s=%v", field.Name, value))
		}
	}
	return strings.Join(set, " ")
}

// secret notes that a secret was changed, and nothing of it.
func (c *changes) secret(field string, before, after Secret) {
	if before != after {
		*c = append(*c, Change{Field: field})
	}
}

const arrow = " → "

// words writes changes a line each; [ReadChanges] reads them.
func (c changes) words() string {
	var lines []string
	for _, v := range c {
		line := v.Field + ": " + oneLine(v.Before) + arrow + oneLine(v.After)
		if v.Before == "" && v.After == "" {
			line = v.Field
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// oneLine keeps what people type from looking like another line, or like another arrow.
func oneLine(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), arrow, " -> ")
}

// ReadChanges reads what was changed, of a record's line about settings; nothing: it does not say.
func ReadChanges(a Access) []Change {
	switch a.Kind {
	case ChangedShop, ChangedCancelRules, ChangedReceiptRules, ChangedGateway, ChangedKey, ChangedHook, ChangedSecondRule, ChangedLimits, DecidedSender:
	default:
		return nil
	}
	var list []Change
	for line := range strings.Lines(a.Words) {
		field, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		before, after, _ := strings.Cut(rest, arrow)
		if strings.Contains(field, arrow) { // an older record's own words
			return nil
		}
		list = append(list, Change{field, before, after})
	}
	return list
}

func changesOfShop(a, b ShopInfo) (c changes) {
	c.see("name", a.Name, b.Name)
	c.see("owner", a.Owner, b.Owner)
	c.see("business_no", a.BusinessNo, b.BusinessNo)
	c.see("address", a.Address, b.Address)
	c.see("tel", a.Tel, b.Tel)
	c.see("digital", a.Digital, b.Digital)
	c.see("take_late", a.TakeLate, b.TakeLate)
	return c
}

func changesOfMerchant(a, b smartro.Merchant) (c changes) {
	c.see("hash", a.Hash, b.Hash)
	c.see("secure_type", a.SendSecureType, b.SendSecureType)
	c.see("endpoints", a.Endpoints, b.Endpoints)
	c.see("methods", a.Methods, b.Methods)
	c.see("notice_charset", a.NoticeCharset, b.NoticeCharset)
	c.see("inquiry_proves", a.InquiryProves, b.InquiryProves)
	c.see("inquiry_shape", a.InquiryShape, b.InquiryShape)
	c.see("refund_fields", a.RefundFields, b.RefundFields)
	c.see("receipt_call", a.CashReceipt.Confirmed, b.CashReceipt.Confirmed)
	a.CashReceipt.Confirmed, b.CashReceipt.Confirmed = false, false
	c.see("cash_receipt", a.CashReceipt, b.CashReceipt)
	c.see("wallet_codes", a.WalletCodes, b.WalletCodes)
	c.see("billing_codes", a.BillingCodes, b.BillingCodes)
	c.see("encrypted_billing_keys", a.EncryptedBillingKeys, b.EncryptedBillingKeys)
	c.see("charge_in_body", a.ChargeInBody, b.ChargeInBody)
	c.see("wide_euckr", a.WideEUCKR, b.WideEUCKR)
	c.secret("key", a.Key, b.Key)
	c.secret("cancel_password", a.CancelPassword, b.CancelPassword)
	return c
}

func changesOfLimits(a, b Limits) (c changes) {
	won := func(l Limits, r Role) string {
		if most, limited := l[r]; limited {
			return most.String()
		}
		return ""
	}
	for _, r := range Roles() {
		c.see("limit."+string(r), won(a, r), won(b, r))
	}
	return c
}

func changesOfHook(a, b Hook) (c changes) {
	c.see("url", a.URL, b.URL)
	c.see("news", a.News, b.News)
	c.secret("hook_secret", a.Secret, b.Secret)
	return c
}

func changesOfRules(a, b []CancelRule) (c changes) {
	for i := range a {
		if a[i] != b[i] {
			c = append(c, Change{"rule", a[i].short(), b[i].short()})
		}
	}
	return c
}

// short is a rule in one line.
func (r CancelRule) short() string {
	return fmt.Sprintf("%s %s: allowed %t, parts %t, %d-%d days (%s)", r.Method, r.Case, r.Allowed, r.Parts, r.From, r.To, r.Source)
}
