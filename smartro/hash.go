package smartro

import (
	"crypto/md5" // the protocol's legacy hash form; nothing else here may use it
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
)

// HashForm is the hash that a merchant's contract uses for all three hashes (weblink §3).
type HashForm string

// MD5 is Base64 of the 32 hex characters, SHA256 Base64 of the 32 bytes; both are 44 characters long.
const (
	MD5    HashForm = "md5"
	SHA256 HashForm = "sha256"
)

// ParseHashForm reads "md5" or "sha256". It returns a *FieldError otherwise.
func ParseHashForm(s string) (HashForm, error) {
	if f := HashForm(s); f == MD5 || f == SHA256 {
		return f, nil
	}
	return "", &FieldError{Field: "hash form", Value: s, Want: "md5 or sha256"}
}

// EncryptData is the hash of a payment request: over ediDate (yyyyMMddHHmmss, as sent), MID, amount and key.
// It does not cover the order.
func EncryptData(form HashForm, ediDate string, mid MID, amt Won, key Secret) string {
	return form.sum(ediDate + string(mid) + amt.String() + key.Reveal())
}

// SignValue is the hash of a result or notice with the given result code. It covers neither the amount nor
// the order. It is "" when tid is not 30 characters long.
func SignValue(form HashForm, tid TID, code string, key Secret) string {
	if len(tid) != tidLen {
		return ""
	}
	return form.sum(string(tid[:10]) + code + string(tid[10:15]) + key.Reveal() + string(tid[15:]))
}

// HashData is the hash of a cancel. partialCode is "0", "1" or "", exactly as PartialCancelCode is sent.
func HashData(form HashForm, tid TID, key Secret, cancelAmt Won, partialCode string) string {
	return form.sum(string(tid) + key.Reveal() + cancelAmt.String() + partialCode)
}

// VerifyV is the hash of a charge by a billing key (billing §2); ediDate as in [EncryptData].
func VerifyV(form HashForm, mid MID, key Secret, ediDate string, amt Won, billing BillingKey) string {
	return form.sum(string(mid) + key.Reveal() + ediDate + amt.String() + billing.Reveal())
}

// VerifyValue is the hash of the answer to a charge; authDate and authCode as they came. RawVerifyValue is that of a
// window's result, amt 100 or, as one sample has it for an encrypted key, "".
func VerifyValue(form HashForm, mid MID, key Secret, authDate, authCode, amt string, billing BillingKey) string {
	return form.sum(string(mid) + key.Reveal() + authDate + authCode + amt + billing.Reveal())
}

// RawVerifyValue is [VerifyValue] as Base64 of the hash's bytes instead of their hex text (billing §1).
func RawVerifyValue(form HashForm, mid MID, key Secret, authDate, authCode, amt string, billing BillingKey) string {
	return form.rawSum(string(mid) + key.Reveal() + authDate + authCode + amt + billing.Reveal())
}

// EqualHash compares in constant time. Two empty hashes are not equal: there is nothing that they prove.
func EqualHash(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// rawSum is Base64 of the hash's bytes, which of SHA256 is the usual form; of MD5 one sample alone has it (billing §1).
func (f HashForm) rawSum(x string) string {
	if f == MD5 {
		h := md5.Sum([]byte(x))
		return base64.StdEncoding.EncodeToString(h[:])
	}
	return f.sum(x)
}

// sum returns "" for a form that is neither of the two, so that no comparison with it can succeed.
func (f HashForm) sum(x string) string {
	switch f {
	case MD5:
		h := md5.Sum([]byte(x))
		return base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(h[:])))
	case SHA256:
		h := sha256.Sum256([]byte(x))
		return base64.StdEncoding.EncodeToString(h[:])
	}
	return ""
}
