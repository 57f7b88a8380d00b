package sandbox

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"gage/smartro"
)

// errFull says that a second has no serial left for another TID.
var errFull = errors.New("no free transaction ID in this second")

// methodCode is TID[10:12] (weblink §5). 01 to 03 are the kit's, 05 its sister's; the rest are invented.
func methodCode(m smartro.Method) string {
	switch m {
	case smartro.Card, smartro.CardBill:
		return "01"
	case smartro.Bank:
		return "02"
	case smartro.Vbank:
		return "03"
	case smartro.Cellphone:
		return "05"
	case smartro.CLGift:
		return "07"
	case smartro.Kakao:
		return "31"
	}
	return "32"
}

// mint makes a TID that the ledger does not know: MID, method, media 01, yyMMddHHmmss KST, serial. prefix
// is its first 14 characters.
func (v *view) mint(prefix string, at time.Time) (smartro.TID, error) {
	stem := prefix + at.In(kst()).Format("060102150405")
	start := rand.IntN(10000)
	for i := range 10000 {
		tid := smartro.TID(fmt.Sprintf("%s%04d", stem, (start+i)%10000))
		if !v.tids[tid] {
			return tid, nil
		}
	}
	return "", errFull
}

// choice is an entry of a list in the window.
type choice struct{ Code, Name string }

// cardChoices are the card companies that the window offers, by the codes of codes §3.
func cardChoices() []choice {
	return named(smartro.CardCompanyName, "06", "02", "04", "07", "08", "16", "01", "12", "15", "11", "41", "37", "55")
}

// bankChoices are the banks of the transfer window.
func bankChoices() []choice {
	return named(smartro.BankName, "004", "088", "020", "081", "011", "003", "090", "092", "023", "045", "071")
}

// accountBank is a bank that issues virtual accounts, with the look of its numbers.
type accountBank struct {
	code, prefix string
	length       int
}

// accountBanks are those of the list of codes §4 that can issue in the gateway's test system (weblink §8).
func accountBanks() []accountBank {
	return []accountBank{
		{"011", "790", 14}, {"088", "562", 14}, {"020", "270", 14}, {"081", "793", 14}, {"003", "037", 14},
		{"071", "703", 14}, {"023", "672", 14}, {"032", "401", 13}, {"039", "961", 13}, {"007", "701", 12},
	}
}

func vbankChoices() []choice {
	var codes []string
	for _, b := range accountBanks() {
		codes = append(codes, b.code)
	}
	return named(smartro.BankName, codes...)
}

// mintAccount makes a virtual account number of that bank which the ledger does not know.
func (v *view) mintAccount(bank string) (string, error) {
	i := slices.IndexFunc(accountBanks(), func(b accountBank) bool { return b.code == bank })
	if i < 0 {
		return "", fmt.Errorf("bank %q issues no virtual accounts", bank)
	}
	b := accountBanks()[i]
	for range 100 {
		num := b.prefix + randomDigits(b.length-len(b.prefix))
		if _, taken := v.accounts[num]; !taken {
			return num, nil
		}
	}
	return "", errFull
}

// named pairs codes with the names of a code table, leaving unknown ones out.
func named(name func(string) (string, bool), codes ...string) []choice {
	var list []choice
	for _, c := range codes {
		if n, ok := name(c); ok {
			list = append(list, choice{c, n})
		}
	}
	return list
}

func randomDigits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + rand.IntN(10))
	}
	return string(b)
}
