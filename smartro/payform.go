package smartro

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// PayForm makes the form that opens the gateway's window for r: every field of weblink §2 that applies to
// the device and method, signed with m's key, which itself is never in it. The error joins every fault of
// m and r, each a *FieldError that names the field, and then the Form is zero. Look at Form.Notes for what
// was shortened or replaced.
func (m Merchant) PayForm(r PayRequest) (Form, error) {
	if err := m.Validate(); err != nil {
		return Form{}, err
	}
	if r.Device != PC && r.Device != Mobile {
		return Form{}, &FieldError{Field: "device", Value: string(r.Device), Want: "pc or mobile"}
	}
	b := &formBuilder{pc: r.Device == PC, cs: r.Device.Charset(), wide: m.WideEUCKR}
	if !slices.Contains(m.allowed(), r.Method) {
		b.bad("PayMethod", string(r.Method), "a method that the merchant may use")
	}
	b.common(m, r)
	b.byMethod(m, r)
	b.shares(r)
	b.escrow(r.Escrow)
	if b.pc {
		b.pcOnly(r)
	} else {
		b.mobileOnly(r)
	}
	if b.pc {
		return b.form(m.endpoints().PCWindow)
	}
	return b.form(m.endpoints().MobileWindow)
}

func (b *formBuilder) common(m Merchant, r PayRequest) {
	b.must("PayMethod", string(r.Method), 10)
	if r.GoodsCnt < 1 || r.GoodsCnt > 99 {
		b.bad("GoodsCnt", strconv.Itoa(r.GoodsCnt), "1 to 99")
	} else {
		b.put("GoodsCnt", strconv.Itoa(r.GoodsCnt), 2)
	}
	b.must("GoodsName", b.short("GoodsName", r.GoodsName, goodsLimit), goodsLimit)
	b.won("Amt", r.Amt, 1, 12)
	if _, err := ParseMoid(string(r.Moid)); err != nil {
		b.errs = append(b.errs, err)
	}
	b.put("Moid", string(r.Moid), foreignMoid)
	b.put("MID", string(m.MID), midLen)
	b.link("ReturnURL", r.ReturnURL, true)
	b.link("RetryURL", r.RetryURL, false)
	b.buyer(r)
	b.addresses(r)
	if r.EdiDate.IsZero() {
		b.bad("ediDate", "", "a time")
	}
	edi := EdiDate(r.EdiDate)
	b.put("ediDate", edi, 14)
	b.put("EncryptData", EncryptData(m.Hash, edi, m.MID, r.Amt, m.Key), 44)
	b.put("TransType", "0", 2)
	b.put("SocketYN", "N", 2)
	b.put("MallResultFWD", yes(!r.GatewayResult), 1)
	b.oneOf("EncodingType", string(orElse(r.ResultCharset, UTF8)), string(UTF8), string(EUCKR))
	b.put("UrlEncode", yes(!r.PlainResult), 1)
	if m.SendSecureType {
		b.put("SecureType", "S2", 2)
	}
	b.reserved(r.MallReserved)
}

// The bytes that the window takes of what only people read.
const (
	goodsLimit = 80
	nameLimit  = 30
	addrLimit  = 100
)

func (b *formBuilder) buyer(r PayRequest) {
	limit := 20
	if b.pc {
		limit = 10
	}
	user := b.text("mallUserID", r.MallUserID)
	if r.Method == CLGift || r.Method == CardBill {
		b.must("mallUserID", user, limit)
	} else {
		b.put("mallUserID", user, limit)
	}
	b.must("BuyerName", b.short("BuyerName", r.BuyerName, nameLimit), nameLimit)
	tel := plainTel(r.BuyerTel)
	if !digits(tel) {
		b.bad("BuyerTel", r.BuyerTel, "digits")
	}
	b.must("BuyerTel", tel, 30)
	b.must("BuyerEmail", b.mail("BuyerEmail", r.BuyerEmail), 60)
	b.put("ParentEmail", b.mail("ParentEmail", r.ParentEmail), 60)
	b.put("BuyerAddr", b.short("BuyerAddr", r.BuyerAddr, addrLimit), addrLimit)
	post := strings.ReplaceAll(strings.TrimSpace(r.BuyerPostNo), "-", "")
	if !digits(post) {
		b.bad("BuyerPostNo", r.BuyerPostNo, "digits")
	}
	b.put("BuyerPostNo", post, 6)
}

// plainTel takes out what people put between digits: the kit wants digits alone.
func plainTel(s string) string {
	s = strings.NewReplacer("-", "", " ", "", "(", "", ")", "", ".", "").Replace(s)
	if rest, ok := strings.CutPrefix(s, "+82"); ok {
		return "0" + strings.TrimPrefix(rest, "0")
	}
	return strings.TrimPrefix(s, "+")
}

func (b *formBuilder) mail(name, value string) string {
	s := b.text(name, value)
	local, domain, ok := strings.Cut(s, "@")
	if s != "" && (!ok || local == "" || domain == "" || strings.ContainsAny(s, " ?,") || b.cs.Len(s) != len([]rune(s))) {
		b.bad(name, value, "a mail address such as buyer@example.com")
	}
	return s
}

// addresses adds UserIP and MallIP. IPv6 does not fit (weblink §2.1): the buyer's is left out or, where it is
// required, sent as 0.0.0.0, so that a phone on an IPv6 network can pay; the shop's is refused.
func (b *formBuilder) addresses(r PayRequest) {
	if r.UserIP == "" && !b.pc {
		b.bad("UserIP", "", "the buyer's address: it is required on mobile")
	} else if r.UserIP != "" {
		ip, err := netip.ParseAddr(r.UserIP)
		switch v4 := ip.Unmap(); {
		case err != nil:
			b.bad("UserIP", r.UserIP, "an IP address")
		case v4.Is4():
			b.put("UserIP", v4.String(), 20)
		default:
			b.note("UserIP", NoteReplaced, r.UserIP)
			if !b.pc {
				b.put("UserIP", "0.0.0.0", 20)
			}
		}
	}
	ip, err := netip.ParseAddr(r.MallIP)
	if err != nil || !ip.Unmap().Is4() {
		b.bad("MallIP", r.MallIP, "the shop server's IPv4 address")
		return
	}
	b.put("MallIP", ip.Unmap().String(), 20)
}

func (b *formBuilder) reserved(s string) {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		b.bad("MallReserved", s, "ASCII: Hangul has to be Base64")
		return
	}
	b.put("MallReserved", b.text("MallReserved", s), 500)
}

func yes(v bool) string {
	if v {
		return "Y"
	}
	return "N"
}

func orElse[T ~string](v, deflt T) T {
	if v == "" {
		return deflt
	}
	return v
}
