package smartro

import "slices"

// Method is a way to pay, spelled as PayMethod is on the wire (codes §2).
type Method string

// The seven methods of the payment window, and two that live shops were seen to send.
const (
	Card       Method = "CARD"
	Bank       Method = "BANK"  // 계좌이체: paid at once
	Vbank      Method = "VBANK" // 가상계좌: an account is issued, the money comes later
	Cellphone  Method = "CELLPHONE"
	CLGift     Method = "CLGIFT" // 문화상품권
	Kakao      Method = "KAKAO"
	Toss       Method = "TOSS"
	Naver      Method = "NAVER"      // seen at live shops only
	DirectBank Method = "DIRECTBANK" // seen at live shops only
)

// Methods returns the seven methods that the payment window documents, in the order to offer them.
func Methods() []Method { return []Method{Card, Bank, Vbank, Cellphone, CLGift, Kakao, Toss} }

// ParseMethod reads a method that this package knows. It returns a *FieldError otherwise.
func ParseMethod(s string) (Method, error) {
	m := Method(s)
	if slices.Contains(Methods(), m) || m == Naver || m == DirectBank {
		return m, nil
	}
	return "", &FieldError{Field: "PayMethod", Value: s, Want: "a known method such as CARD"}
}

// wallet tells the easy-pay methods, whose success codes the gateway does not publish.
func (m Method) wallet() bool { return m == Kakao || m == Toss || m == Naver }

// tidCode returns what TID[10:12] must be, or "" where no source tells (weblink §5).
func (m Method) tidCode() string {
	switch m {
	case Card, CardBill:
		return "01"
	case Bank:
		return "02"
	case Vbank:
		return "03"
	}
	return ""
}

// Device says which of the gateway's two windows a payment uses.
type Device string

// The two windows.
const (
	PC     Device = "pc"
	Mobile Device = "mobile"
)

// Charset returns the charset in which the window reads its form, in whose bytes lengths are counted
// (weblink §2.5).
func (d Device) Charset() Charset {
	if d == PC {
		return EUCKR
	}
	return UTF8
}

// Mode keeps practice apart from real money.
type Mode string

// Test moves no money, Real does.
const (
	Test Mode = "test"
	Real Mode = "real"
)

// ParseMode reads "test" or "real". It returns a *FieldError otherwise.
func ParseMode(s string) (Mode, error) {
	if m := Mode(s); m == Test || m == Real {
		return m, nil
	}
	return "", &FieldError{Field: "mode", Value: s, Want: "test or real"}
}
