package smartro

import (
	"strconv"
	"strings"
	"time"
)

type (
	// MID is a merchant ID (상점 ID), issued by the gateway: 10 letters or digits. Some, such as t_2301101m, were
	// seen with a "_" (weblink §5).
	MID string
	// TID is a transaction ID (거래 ID): 30 characters that begin with the MID (weblink §5). Who holds a TID can open its
	// receipt page, so it is not to be shown to strangers.
	TID string
	// Moid is the shop's order ID (주문번호): 1 to 40 of A-Z a-z 0-9. Results call it OID. A Moid that was read
	// from a notice may be another system's and then have up to 64 characters, "-" and "_" among them.
	Moid string
	// Won is money, exact: the won has no smaller unit, and a float never holds it.
	Won int64
)

const (
	midLen        = 10
	tidLen        = 30
	moidMax       = 40
	foreignMoid   = 64 // the kit's limit, for orders that some other system opened (weblink §2.1)
	resultCodeMax = 10

	wantMID = "exactly 10 letters or digits"
	wantTID = "exactly 30 letters or digits"
)

// ParseMID reads a merchant ID: exactly 10 ASCII letters, digits or "_". It returns a *FieldError otherwise.
func ParseMID(s string) (MID, error) {
	if len(s) != midLen || !word(s) {
		return "", &FieldError{Field: "MID", Value: s, Want: wantMID}
	}
	return MID(s), nil
}

// ParseTID reads a transaction ID: a MID and 20 ASCII letters or digits. It returns a *FieldError otherwise.
func ParseTID(s string) (TID, error) {
	if !isTID(s) {
		return "", &FieldError{Field: "TID", Value: s, Want: wantTID}
	}
	return TID(s), nil
}

// ParseMoid reads an order ID that is safe on both modules of the gateway: 1 to 40 ASCII letters or digits
// (weblink §2.1). It returns a *FieldError otherwise.
func ParseMoid(s string) (Moid, error) {
	if s == "" || len(s) > moidMax || !alnum(s) {
		return "", &FieldError{Field: "Moid", Value: s, Want: "1 to 40 letters or digits"}
	}
	return Moid(s), nil
}

// ParseWon is the only way from outside text to Won. Neither "-1" nor "1,004" nor "" is an amount; zeros in
// front are allowed, since the gateway may pad. It returns a *FieldError naming Amt otherwise.
func ParseWon(s string) (Won, error) {
	if s == "" || len(s) > 12 || strings.Trim(s, "0123456789") != "" {
		return 0, &FieldError{Field: "Amt", Value: s, Want: "1 to 12 digits"}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return Won(n), err
}

// String is the amount as the protocol writes it: digits alone.
func (w Won) String() string { return strconv.FormatInt(int64(w), 10) }

// MID returns the merchant that the transaction belongs to, or "" if t is not 30 characters long.
func (t TID) MID() MID { return MID(t.part(0, 10)) }

// MethodCode returns the two digits of the payment method: 01 CARD, 02 BANK, 03 VBANK, 05 CELLPHONE. Read
// the method from PayMethod and use this as a cross-check only (weblink §5).
func (t TID) MethodCode() string { return t.part(10, 12) }

// Media returns the two digits of the medium, 01 in every known TID.
func (t TID) Media() string { return t.part(12, 14) }

// Serial returns the last four characters.
func (t TID) Serial() string { return t.part(26, 30) }

// MintedAt returns when the gateway opened its window, which is before the approval. ok is false if the TID
// holds no date there.
func (t TID) MintedAt() (at time.Time, ok bool) { return shortTime(t.part(14, 26)) }

func (t TID) part(from, to int) string {
	if len(t) != tidLen {
		return ""
	}
	return string(t[from:to])
}

// kst is Korean local time, which knows no summer time since 1988.
func kst() *time.Location { return time.FixedZone("KST", 9*60*60) }

// EdiDate writes t as the protocol does: yyyyMMddHHmmss, Korean local time.
func EdiDate(t time.Time) string { return t.In(kst()).Format("20060102150405") }

// shortTime reads yyMMddHHmmss, Korean local time, of this century: the gateway began after 2000.
func shortTime(s string) (time.Time, bool) {
	if len(s) != 12 || strings.Trim(s, "0123456789") != "" {
		return time.Time{}, false
	}
	t, err := time.ParseInLocation("20060102150405", "20"+s, kst())
	return t, err == nil
}

func isTID(s string) bool { return len(s) == tidLen && word(s[:midLen]) && alnum(s[midLen:]) }

// word tells letters, digits and "_".
func word(s string) bool { return alnum(strings.ReplaceAll(s, "_", "")) }

func alnum(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			return false
		}
	}
	return true
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }
