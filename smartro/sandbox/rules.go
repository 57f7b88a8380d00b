package sandbox

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"gage/smartro"
)

// need says when a field must be there.
type need int

const (
	optional need = iota
	byKit         // required by the kit's table; live forms leave it out, so only a strict sandbox asks for it
	always        // every source sends it (weblink §2.4)
)

// rule is one row of the reference's field table (weblink §2).
type rule struct {
	name      string
	max       int // bytes of the window's charset
	maxMobile int // where the two windows differ
	need      need
	only      smartro.Device // empty: both windows
	text      bool           // people's words: Hangul, percent text, firewall
	check     check          // nil: anything
}

// check returns what is wanted when v is not it, "" otherwise. It is not asked about empty values.
type check func(v string) (want string)

func (r rule) limit(d smartro.Device) int {
	if d == smartro.Mobile && r.maxMobile > 0 {
		return r.maxMobile
	}
	return r.max
}

func (r rule) requiredOn(d smartro.Device, strict bool) bool {
	return (r.only == "" || r.only == d) && (r.need == always || strict && r.need == byKit)
}

// commonRules are the fields of every method. Conditional ones are in conditions.go.
func commonRules() []rule {
	url := check(absoluteURL)
	return []rule{
		{name: "PayMethod", max: 10, need: always, check: payMethod},
		{name: "PayType", max: 4, check: oneOf("KPCD", "KPMY")},
		{name: "GoodsCnt", max: 2, need: always, check: positiveDigits},
		{name: "GoodsName", max: 80, need: always, text: true},
		{name: "Amt", max: 12, need: always, check: positiveDigits},
		{name: "Moid", max: 64, need: always, check: moid},
		{name: "MID", max: 10, need: always, check: mid},
		{name: "ReturnURL", max: 200, need: always, check: url},
		{name: "RetryURL", max: 200, check: url},
		{name: "StopURL", max: 200, need: always, only: smartro.Mobile, check: url},
		{name: "mallUserID", max: 10, maxMobile: 20},
		{name: "BuyerName", max: 30, need: always, text: true},
		{name: "BuyerTel", max: 30, need: always, check: phone},
		{name: "BuyerEmail", max: 60, need: always, check: email},
		{name: "ParentEmail", max: 60, check: email},
		{name: "BuyerAddr", max: 100, text: true},
		{name: "BuyerPostNo", max: 6},
		{name: "UserIP", max: 20, need: byKit, only: smartro.Mobile, check: ipAddress},
		{name: "MallIP", max: 20, need: always, check: ipAddress},
		{name: "ediDate", max: 14, need: always, check: ediDate},
		{name: "EncryptData", max: 44, need: always},
		{name: "TransType", max: 2, maxMobile: 3, need: byKit, check: oneOf("0", "1", "N")},
		{name: "SocketYN", max: 3, check: weblinkSocket},
		{name: "MallResultFWD", max: 1, check: oneOf("Y", "N")},
		{name: "EncodingType", max: 10, check: encodingType},
		{name: "UrlEncode", max: 1, check: oneOf("Y", "N")},
		{name: "URLEncode", max: 1, check: oneOf("Y", "N")},
		{name: "SkinColor", max: 10, check: oneOf("RED", "VIOLET", "BLUE", "GREEN", "YELLOW")},
		{name: "SecureType", max: 2, check: oneOf("S2")},
		{name: "MallReserved", max: 500, check: reserved},
		{name: "FORWARD", max: 1, need: byKit, only: smartro.PC, check: oneOf("Y", "N")},
		{name: "OpenType", max: 4, check: oneOf("KR", "EN", "CN_S", "CN_T", "JP", "FR")},
		{name: "Language", max: 2, check: oneOf("KR", "EN")},
		{name: "clientType", max: 3, check: oneOf("WEB", "APP", "HYB")},
		{name: "urlScheme", max: 200},
		{name: "IspWapUrl", max: 1, check: oneOf("Y", "N")},
		{name: "IsBankPayBridge", max: 1, check: oneOf("Y")},
	}
}

// methodRules are the fields that belong to some methods or contracts.
func methodRules() []rule {
	rules := []rule{
		{name: "VbankExpDate", max: 12, check: expDate},
		{name: "GoodsCl", max: 1, check: oneOf("0", "1")},
		{name: "OfferPeriod", max: 16, check: offerPeriod},
		{name: "ReceiptType", max: 1, check: oneOf("Y", "N", "0", "1", "2")},
		{name: "fn_cd", max: 3, check: cardCompany},
		{name: "CardQuota", max: 3, check: quota},
		{name: "CardPoint", max: 1, check: oneOf("0", "1", "2")},
		{name: "SspMallID", max: 10},
		{name: "TaxCD", max: 1, check: oneOf("2")},
		{name: "SvcAmt", max: 12, maxMobile: 9, check: anyDigits},
		{name: "Tax", max: 12, maxMobile: 9, check: anyDigits},
		{name: "DivideInfo", max: 2000},
		{name: "Productinfo", max: 2000, text: true},
		{name: "BillType", max: 2, check: oneOf("AR", "AA")},
		{name: "BillKeyMode", max: 1, check: oneOf("0", "1")},
		{name: "EscrowCD", max: 1, check: oneOf("0", "1")},
	}
	for _, name := range escrowFields() {
		rules = append(rules, rule{name: name, max: 100, text: true})
	}
	return rules
}

func escrowFields() []string {
	return []string{
		"DeliveryCode", "DeliveryNumber", "DeliveryAddr1", "DeliveryAddr2", "DeliveryPost", "ReceiverName", "ReceiverTel",
		"SellerAddr1", "SellerAddr2", "SellerPost", "SellerTel", "SellerId", "SellerName",
	}
}

func oneOf(values ...string) check {
	return func(v string) string {
		for _, w := range values {
			if v == w {
				return ""
			}
		}
		return strings.Join(values, ", ") + " 가운데 하나"
	}
}

func wantIf(bad bool, want string) string {
	if bad {
		return want
	}
	return ""
}

func onlyDigits(v string) bool { return strings.Trim(v, "0123456789") == "" }

func anyDigits(v string) string {
	return wantIf(!onlyDigits(v), "숫자만 (쉼표·소수점·부호 없이)")
}

func positiveDigits(v string) string {
	return wantIf(!onlyDigits(v) || strings.Trim(v, "0") == "", "0보다 큰 숫자만 (쉼표·소수점·부호 없이)")
}

func payMethod(v string) string {
	var names []string
	for _, m := range smartro.Methods() {
		names = append(names, string(m))
	}
	return oneOf(append(names, string(smartro.CardBill))...)(v)
}

func mid(v string) string {
	_, err := smartro.ParseMID(v)
	return wantIf(err != nil, "영문·숫자 10자리 (상점 ID)")
}

// moid follows the script of the kit: these characters make the window refuse the order number.
func moid(v string) string {
	bad := strings.ContainsFunc(v, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune("`~':;{}[]<>,.!@#$%^&*()_+|\\/?\"=", r)
	})
	return wantIf(bad, "영문·숫자(와 -)만. 공백·한글·특수문자(_ . 포함)는 쓸 수 없음")
}

func absoluteURL(v string) string {
	return wantIf(!isAbsoluteURL(v), "http:// 또는 https:// 로 시작하는 전체 주소")
}

func phone(v string) string {
	return wantIf(strings.Trim(v, "0123456789-") != "" || strings.Trim(v, "-") == "", "숫자만 (예: 01099991111)")
}

func email(v string) string {
	local, host, ok := strings.Cut(v, "@")
	bad := !ok || local == "" || host == "" || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' })
	return wantIf(bad, "메일 주소 (예: buyer@example.com)")
}

func ipAddress(v string) string {
	a, err := netip.ParseAddr(v)
	return wantIf(err != nil || !a.Is4(), "IPv4 주소 (예: 192.0.2.10)")
}

// ediDate is yyyyMMddHHmmss; one live shop sends it without the seconds.
func ediDate(v string) string {
	_, err := time.Parse("20060102150405"[:max(min(len(v), 14), 12)], v)
	return wantIf(err != nil, "yyyyMMddHHmmss 14자리 (한국 시각)")
}

func weblinkSocket(v string) string {
	return wantIf(v != "N", "N (Y는 WEBLink가 아닌 소켓 연동 방식)")
}

func encodingType(v string) string {
	e := normalEncoding(v)
	return wantIf(e != "euckr" && e != "utf8", "euckr 또는 utf8")
}

func reserved(v string) string {
	bad := strings.ContainsFunc(v, func(r rune) bool { return r > '~' })
	return wantIf(bad, "한글은 Base64로 바꾼 값 (key=value&key=value…)")
}

func expDate(v string) string {
	layout := "20060102"
	if len(v) == 12 {
		layout = "200601021504"
	}
	_, err := time.Parse(layout, v)
	return wantIf(err != nil, "yyyyMMdd 8자리")
}

func offerPeriod(v string) string {
	return wantIf(len(v) != 16 || expDate(v[:8]) != "" || expDate(v[8:]) != "", "yyyyMMddyyyyMMdd 16자리")
}

func cardCompany(v string) string {
	_, ok := smartro.CardCompanyName(v)
	return wantIf(!ok, "카드사 코드 (예: 06)")
}

func quota(v string) string {
	n, err := strconv.Atoi(v)
	return wantIf(!onlyDigits(v) || err != nil || len(v) < 2 || n > 12, "00(일시불), 02 … 12")
}
