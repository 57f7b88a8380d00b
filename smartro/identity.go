package smartro

import (
	"strings"
	"time"
)

// CashReceiptPurpose is what a cash receipt (현금영수증) is for, spelled as CashReceiptType is on the wire (cash-receipt §1).
type CashReceiptPurpose string

// The purposes. SelfIssued is for a buyer who gave no number: the tax office then knows him by the number that it set
// aside for that.
const (
	IncomeDeduction CashReceiptPurpose = "1" // 소득공제
	ExpenseProof    CashReceiptPurpose = "2" // 지출증빙
	SelfIssued      CashReceiptPurpose = "3" // 자진발급
)

// ParseCashReceiptPurpose reads "1", "2" or "3". It returns a *FieldError otherwise.
func ParseCashReceiptPurpose(s string) (CashReceiptPurpose, error) {
	switch p := CashReceiptPurpose(s); p {
	case IncomeDeduction, ExpenseProof, SelfIssued:
		return p, nil
	}
	return "", &FieldError{Field: "CashReceiptType", Value: s, Want: "1, 2 or 3"}
}

// selfNumber is the tax office's own, 010-000-1234.
const selfNumber = "0100001234"

// Identity is whom a cash receipt is for: the digits of a phone number, a receipt card or a business number. It prints as
// [redacted], as every [Secret] does; Masked is what a screen may show.
type Identity struct{ Secret }

// ParseIdentity reads a number as a person writes it, with hyphens or blanks, for its purpose: a mobile number or a
// receipt card for income deduction, a business number for expense proof, nothing for a self-issued one, which gets the
// tax office's own number. A resident number is refused: nobody may collect it. It returns a *FieldError without the
// number in it.
func ParseIdentity(p CashReceiptPurpose, s string) (Identity, error) {
	s = strings.NewReplacer("-", "", " ", "").Replace(s)
	bad := func(want string) (Identity, error) {
		return Identity{}, &FieldError{Field: "ReceiptIdentity", Value: redacted, Want: want}
	}
	switch {
	case p == SelfIssued && (s == "" || s == selfNumber):
		return Identity{selfNumber}, nil
	case p == SelfIssued:
		return bad("no number: a self-issued receipt has the tax office's own")
	case p == ExpenseProof && !isBusinessNumber(s):
		return bad("a business number of 10 digits whose last one checks the others")
	case p == ExpenseProof:
	case p != IncomeDeduction:
		return bad("a purpose")
	case s == selfNumber:
		return bad("the buyer's own number: this one is for self-issued receipts")
	case isResidentNumber(s):
		return bad("a phone or card number: a resident number must not be collected")
	case !isMobileNumber(s) && !isReceiptCard(s):
		return bad("a mobile number, or a card number of 13 to 19 digits")
	}
	return Identity{Secret(s)}, nil
}

// Masked is the number with all but its last four digits hidden. The tax office's own is nobody's.
func (i Identity) Masked() string {
	s := i.Reveal()
	if s == selfNumber {
		return "010-000-1234"
	}
	if len(s) <= 4 {
		return strings.Repeat("*", len(s))
	}
	return strings.Repeat("*", len(s)-4) + s[len(s)-4:]
}

// isMobileNumber tells 010, 011, 016, 017, 018 and 019 with seven or eight digits behind them; 010 has eight.
func isMobileNumber(s string) bool {
	if !digits(s) || len(s) != 10 && len(s) != 11 || !strings.HasPrefix(s, "01") || !strings.Contains("016789", s[2:3]) {
		return false
	}
	return len(s) == 11 || s[2] != '0'
}

// isReceiptCard tells a card number. Those of payment cards, 15 and 16 digits long, check themselves; the tax office's
// own cards have 13, 18 or 19 digits and don't.
func isReceiptCard(s string) bool {
	if !digits(s) || len(s) < 13 || len(s) > 19 {
		return false
	}
	return len(s) != 15 && len(s) != 16 || luhn(s)
}

func luhn(s string) bool {
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return sum%10 == 0
}

// isBusinessNumber checks the tenth digit of a business number (사업자등록번호).
func isBusinessNumber(s string) bool {
	if len(s) != 10 || !digits(s) {
		return false
	}
	sum := 0
	for i, weight := range []int{1, 3, 7, 1, 3, 7, 1, 3, 5} {
		sum += int(s[i]-'0') * weight
	}
	sum += int(s[8]-'0') * 5 / 10
	return (10-sum%10)%10 == int(s[9]-'0')
}

// isResidentNumber tells what looks like one: thirteen digits, a date of birth and a digit for sex and century.
func isResidentNumber(s string) bool {
	if len(s) != 13 || !digits(s) || s[6] == '0' || s[6] == '9' {
		return false
	}
	_, err := time.Parse("060102", s[:6])
	return err == nil
}
