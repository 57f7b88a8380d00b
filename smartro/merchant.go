package smartro

import (
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// The invented merchant of the reference's worked values: tests and the simulated gateway use it. No
// gateway knows it, and Validate refuses it in Real mode.
const (
	DemoMID            = "gagedemo1m"
	DemoKey            = "AwoRGB8mLTQ7QklQV15lbHN6gYiPlp2kq7K5wMfO1dzj6vH4/wYNFBsiKTA3PkVMU1phaG92fYSLkpmgp661vA=="
	DemoCancelPassword = "123456"
)

// Merchant is one contract with the gateway. Identity, keys, mode and hosts are one object, so that
// practice and real money cannot be mixed by changing one setting.
type Merchant struct {
	MID            MID
	Key            Secret // merchant key, as printed (Base64 text, not decoded)
	CancelPassword Secret
	Mode           Mode
	Hash           HashForm
	SendSecureType bool // send SecureType=S2 in the form (weblink §2.1)
	Endpoints      Endpoints
	Methods        []Method // what the MID may use; empty means all seven
	NoticeCharset  Charset  // of retry notifications, as set in the merchant site; "" means EUCKR
	InquiryProves  bool     // somebody compared a real receipt-data answer with what this package reads
	InquiryShape   InquiryShape
	RefundFields   RefundFields
	CashReceipt    CashReceiptSpec
	// WalletCodes are the result codes that mean approved for KAKAO, TOSS and NAVER, which no source
	// publishes. nil means 3001, 0000 and any two capital letters followed by 00.
	WalletCodes []string
	// BillingCodes are the result codes that mean success when a card is registered or charged by its key. nil means 3001.
	BillingCodes []string
	// EncryptedBillingKeys asks for keys encrypted (BillKeyMode=0) and sends them so. No source shows that the real
	// gateway does what the samples say; false lets TLS alone protect them.
	EncryptedBillingKeys bool
	// ChargeInBody posts a charge as a form. false puts it into the query as the gateway's sample does, which is the one
	// way that was seen to work.
	ChargeInBody bool
	// WideEUCKR sends the syllables of windows-949 that KS X 1001 lacks, such as 똠, as browsers do. Set it where
	// the gateway was seen to show them: its own stack is thought to read KS X 1001 alone (weblink §2.5), so
	// without it they are replaced by "?" in what goes out as EUC-KR.
	WideEUCKR bool
	// VbankExpWithTime sends VbankExpDate with its time, 12 digits, as one account agency wants it.
	VbankExpWithTime bool
}

// RefundFields are the names of a refund account's fields in the cancel call. No source of the gateway has
// them, so a shop can change them; empty ones mean RefundBankCd, RefundAcctNo and RefundAcctNm (cancel §4).
type RefundFields struct{ Bank, Number, Holder string }

// InquiryShape is the spelling of the receipt-data API, whose documents are cut off in every copy, so a shop
// can change it (receipts-and-queries §2). The zero value is this package's own reading.
type InquiryShape struct {
	TID, Type string            // names in the request; empty ones mean tid and type
	Names     map[string]string // names in the answer that differ: as it came → as this package reads it, such as "balance" → "BalanceAmt"
	States    map[string]string // values of StateCd that differ: as it came → 0 approved, 1 cancelled, 2 partly cancelled
}

func (f RefundFields) orDefault() RefundFields {
	for _, p := range []struct {
		name  *string
		deflt string
	}{{&f.Bank, "RefundBankCd"}, {&f.Number, "RefundAcctNo"}, {&f.Holder, "RefundAcctNm"}} {
		if *p.name == "" {
			*p.name = p.deflt
		}
	}
	return f
}

// minRealKey is what a real merchant key has at least, in decoded bytes; the known ones have 64.
const minRealKey = 32

// Validate joins everything that is wrong with m, each as a *FieldError. In Real mode it also refuses the
// invented merchant, short keys, the well-known cancel password, plain HTTP and the gateway's test hosts.
func (m Merchant) Validate() error {
	var errs []error
	bad := func(field, value, want string) {
		errs = append(errs, &FieldError{Field: field, Value: value, Want: want})
	}
	if _, err := ParseMID(string(m.MID)); err != nil {
		errs = append(errs, err)
	}
	if key := m.Key.Reveal(); key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		bad("merchantKey", redacted, "the key as the merchant site prints it, without spaces")
	}
	if _, err := ParseMode(string(m.Mode)); err != nil {
		errs = append(errs, err)
	}
	if _, err := ParseHashForm(string(m.Hash)); err != nil {
		errs = append(errs, err)
	}
	if m.NoticeCharset != "" && m.NoticeCharset != EUCKR && m.NoticeCharset != UTF8 {
		bad("NoticeCharset", string(m.NoticeCharset), "euckr or utf8")
	}
	for _, p := range m.Methods {
		if _, err := ParseMethod(string(p)); err != nil {
			errs = append(errs, err)
		}
	}
	errs = append(errs, m.endpointFaults()...)
	if m.Mode == Real {
		errs = append(errs, m.realFaults()...)
	}
	return errors.Join(errs...)
}

func (m Merchant) realFaults() (errs []error) {
	bad := func(field, value, want string) {
		errs = append(errs, &FieldError{Field: field, Value: value, Want: want})
	}
	if m.MID == DemoMID {
		bad("MID", string(m.MID), "a merchant of the gateway in real mode, not the invented one")
	}
	decoded, err := base64.StdEncoding.DecodeString(m.Key.Reveal())
	if m.Key == DemoKey || err != nil || len(decoded) < minRealKey {
		bad("merchantKey", redacted, "the real key in real mode: Base64 of 32 bytes or more, not the invented one")
	}
	if m.CancelPassword == DemoCancelPassword {
		bad("Cancelpw", redacted, "a password of its own in real mode, not the well-known one")
	}
	return errs
}

// endpointFaults checks that every URL is absolute and belongs to the merchant's mode.
func (m Merchant) endpointFaults() (errs []error) {
	e, other := m.endpoints(), EndpointsFor(Real)
	if m.Mode == Real {
		other = EndpointsFor(Test)
	}
	wrong := []string{
		host(other.PCWindow), host(other.MobileWindow), host(other.ReceiptPage), host(other.ReceiptData),
	}
	for _, u := range []struct{ field, url string }{
		{"PCWindow", e.PCWindow}, {"MobileWindow", e.MobileWindow}, {"Cancel", e.Cancel}, {"Refund", e.Refund},
		{"ReceiptPage", e.ReceiptPage}, {"ReceiptData", e.ReceiptData}, {"CashReceipt", e.CashReceipt}, {"CashReceiptCancel", e.CashReceiptCancel},
		{"Charge", e.Charge},
	} {
		switch {
		case (u.field == "Refund" || u.field == "CashReceiptCancel") && u.url == e.Cancel:
			continue // the same fault would be told twice
		case !absoluteURL(u.url):
			errs = append(errs, &FieldError{Field: u.field, Value: u.url, Want: "an absolute http or https URL"})
		case m.Mode == Real && !strings.HasPrefix(u.url, "https://"):
			errs = append(errs, &FieldError{Field: u.field, Value: u.url, Want: "https in real mode"})
		case m.Mode == Real && !gatewayHost(host(u.url)):
			errs = append(errs, &FieldError{Field: u.field, Value: u.url, Want: "a host of the gateway in real mode: the key's proofs and the cancel password go there"})
		case slices.Contains(wrong, host(u.url)):
			errs = append(errs, &FieldError{Field: u.field, Value: u.url, Want: "a host of mode " + string(m.Mode)})
		}
	}
	return errs
}

// gatewayHost says whether a host is the gateway's: real calls go nowhere else.
func gatewayHost(h string) bool {
	return strings.HasSuffix(h, ".smilepay.co.kr") || strings.HasSuffix(h, ".smartropay.co.kr")
}

// endpoints are m's own URLs, and the gateway's for the mode where m has none.
func (m Merchant) endpoints() Endpoints { return m.Endpoints.or(EndpointsFor(m.Mode)) }

// allowed are the methods that the MID may use.
func (m Merchant) allowed() []Method {
	if len(m.Methods) == 0 {
		return Methods()
	}
	return m.Methods
}

func host(u string) string {
	p, err := url.Parse(u)
	if err != nil {
		return ""
	}
	return strings.ToLower(p.Hostname())
}

func absoluteURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
