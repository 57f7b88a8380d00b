package smartro

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// CashReceiptSpec is all of the stand-alone cash-receipt call that no source of the gateway tells (cash-receipt §2), so
// that a shop which has the gateway's own description can follow it. The zero value is this package's reading.
type CashReceiptSpec struct {
	Confirmed     bool              // somebody has the gateway's word that the call is as described here
	PayMethod     string            // "" means CASHRCPT
	Names         map[string]string // fields of the request that are called otherwise: this package's name → the gateway's
	VerifyForm    HashForm          // "" means MD5
	VerifyOver    []string          // what VERIFY_V is the hash of, one behind the other: fields by this package's names, and merchantKey; nil means MID, merchantKey, ediDate, Amt
	InBody        bool              // the fields go in the body; otherwise in the query string, as the gateway's own class sends them
	Answer        []string          // the names of the answer's values in their order; nil means the 17 of the billing answer
	Success       []string          // result codes that mean issued; nil means 7001
	CancelSuccess []string          // result codes that mean cancelled, besides those of a cancel
}

// cashReceiptMethod is PayMethod of this service, and of its notices.
const cashReceiptMethod = "CASHRCPT"

// WithDefaults fills in this package's reading of what s leaves out.
func (s CashReceiptSpec) WithDefaults() CashReceiptSpec {
	s.PayMethod = orElse(s.PayMethod, cashReceiptMethod)
	if s.VerifyForm == "" {
		s.VerifyForm = MD5
	}
	if s.VerifyOver == nil {
		s.VerifyOver = []string{"MID", "merchantKey", "ediDate", "Amt"}
	}
	if s.Answer == nil {
		s.Answer = []string{
			"PayMethod", "MID", "Amt", "Name", "GoodsName", "mallUserID", "TID", "OID", "AuthDate", "AuthCode", "ResultCode", "ResultMsg",
			"MallReserved", "fn_cd", "fn_name", "BuyerEmail", "VerifyValue",
		}
	}
	if s.Success == nil {
		s.Success = []string{"7001"}
	}
	return s
}

// Validate joins everything that is wrong with s, each as a *FieldError.
func (s CashReceiptSpec) Validate() error {
	var errs []error
	s = s.WithDefaults()
	if _, err := ParseHashForm(string(s.VerifyForm)); err != nil {
		errs = append(errs, err)
	}
	if !alnum(s.PayMethod) || len(s.PayMethod) > 10 {
		errs = append(errs, &FieldError{Field: "PayMethod", Value: s.PayMethod, Want: "at most 10 letters or digits"})
	}
	for _, need := range []string{"TID", "ResultCode"} {
		if !slices.Contains(s.Answer, need) {
			errs = append(errs, &FieldError{Field: "Answer", Want: need + " among the names of the answer's values"})
		}
	}
	for _, code := range slices.Concat(s.Success, s.CancelSuccess) {
		if code == "" || len(code) > resultCodeMax || !alnum(code) {
			errs = append(errs, &FieldError{Field: "Success", Value: code, Want: "1 to 10 letters or digits"})
		}
	}
	return errors.Join(errs...)
}

// VerifyValue is VERIFY_V over the fields of a request.
func (s CashReceiptSpec) VerifyValue(fields []Field, key Secret) string {
	s = s.WithDefaults()
	var x strings.Builder
	for _, name := range s.VerifyOver {
		if name == "merchantKey" {
			x.WriteString(key.Reveal())
			continue
		}
		x.WriteString(Form{Fields: fields}.Get(name))
	}
	return s.VerifyForm.sum(x.String())
}

// CashReceiptRequest asks for one cash receipt (현금영수증) without a payment window.
type CashReceiptRequest struct {
	Moid      Moid // new for each request
	Purpose   CashReceiptPurpose
	Identity  Identity
	Amt       Won // Supply + VAT + Service
	Supply    Won // what is taxed, and what is free of tax
	VAT       Won
	Service   Won
	GoodsName string // cut to 80 bytes of EUC-KR
	BuyerName string // may be empty; cut to 30 bytes
	BuyerTel  string // digits; may be empty
	EdiDate   time.Time
	UserIP    string // of whoever asked, IPv4; may be empty
	MallIP    string // IPv4; may be empty
}

// CashReceiptAnswer is the gateway's answer to [Client.IssueCashReceipt]. Texts are Unicode.
type CashReceiptAnswer struct {
	TID                   TID // the receipt's own: it is cancelled and shown by it
	MID                   MID
	Moid                  Moid
	Amt                   Won
	AuthDate              string // yyMMddHHmmss KST
	AuthCode              string // approval number of the receipt
	ResultCode, ResultMsg string
	Outcome               CashReceiptOutcome
	Fields                []Field
	Raw                   []byte
}

// CashReceiptOutcome is what an answer means.
type CashReceiptOutcome string

// The outcomes. Unknown is neither yes nor no: the request must not be repeated.
const (
	CashReceiptIssued  CashReceiptOutcome = "issued"
	CashReceiptRefused CashReceiptOutcome = "refused"
	CashReceiptUnknown CashReceiptOutcome = "unknown"
)

// Time is AuthDate in UTC. ok is false if the answer has none or it is no time.
func (a CashReceiptAnswer) Time() (at time.Time, ok bool) {
	at, ok = shortTime(a.AuthDate)
	return at.UTC(), ok
}

// VATRounding is how the won that does not divide is given to the tax or to the supply. Both are in use; a shop keeps to
// one (cash-receipt §4).
type VATRounding string

// The two roundings. They differ by one won for nearly half of all amounts.
const (
	VATDown    VATRounding = "vat_down"    // the tax is an eleventh, rounded down; the default
	SupplyNear VATRounding = "supply_near" // the supply is ten elevenths, rounded to the nearest won
)

// ParseVATRounding reads one of the two. It returns a *FieldError otherwise.
func ParseVATRounding(s string) (VATRounding, error) {
	if r := VATRounding(s); r == VATDown || r == SupplyNear {
		return r, nil
	}
	return "", &FieldError{Field: "rounding", Value: s, Want: "vat_down or supply_near"}
}

// SplitVAT parts a total into supply and tax, which together are the total. What is free of tax is part of the supply.
func SplitVAT(total, taxFree Won, r VATRounding) (supply, vat Won) {
	taxed := total - taxFree
	vat = taxed / 11
	if r == SupplyNear {
		vat = taxed - (20*taxed+11)/22
	}
	return total - vat, vat
}
