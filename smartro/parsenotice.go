package smartro

import (
	"bytes"
	"slices"
	"time"
	"unicode/utf8"
)

// ParseNotice reads a form body (or a query) in the channel's declared charset: UTF8 for a result that was
// ordered so, Merchant.NoticeCharset for a retry notification, [DecideCharset] only where nothing is
// declared. Names are read without regard to case and underscores, in the legacy and the newer spelling;
// a value of pure ASCII with %XX escapes is decoded a second time (weblink §4).
//
// The error is ErrTooLarge, ErrAmbiguous for a decisive field that came twice, or a *FieldError for one that
// is malformed, or for a message that names neither result, transaction nor order. The Notice is then zero.
func ParseNotice(raw []byte, cs Charset) (Notice, error) {
	fields, err := DecodeForm(raw, cs)
	if err != nil {
		return Notice{}, err
	}
	for i := range fields {
		if twiceEncoded(fields[i].Value) {
			fields[i].Value = cs.Decode(unescape(fields[i].Value))
		}
	}
	v := readValues(fields,
		[]string{"paymethod", "mid", "tid", "otid", "moid", "amt", "resultcode", "authdate", "authcode", "signvalue"},
		[]string{"statecd"})
	n := v.notice()
	if v.err == nil && n.ResultCode == "" && n.TID == "" && n.Moid == "" {
		v.fail(&FieldError{Field: "ResultCode", Want: "a message with a result, a transaction or an order"})
	}
	if v.err != nil {
		return Notice{}, v.err
	}
	n.Fields, n.Raw = fields, bytes.Clone(raw)
	return n, nil
}

func (v *values) notice() Notice {
	n := Notice{
		PayMethod: v.method(), MID: v.mid(), TID: v.tid("tid", "TID"), OTID: v.tid("otid", "OTID"), Moid: v.moid(),
		ResultCode: v.code(), ResultMsg: v.text("resultmsg"),
		AuthDate: v.text("authdate"), AuthCode: v.text("authcode"), SignValue: v.text("signvalue"), StateCd: v.text("statecd"),
		GoodsName: v.text("goodsname"), BuyerName: v.text("buyername"),
		BuyerTel: v.text("buyertel"), BuyerEmail: v.text("buyeremail"),
		CardCode: v.text("fncd"), CardName: v.text("fnname"),
		AcquirerCode: v.text("acqucardcode"), AcquirerName: v.text("acqucardname"),
		CardNum: v.text("cardnum"), CardQuota: v.text("cardquota"),
		VbankNum: v.text("vbanknum"), VbankName: v.text("vbankname"),
		ReceiptType: v.text("receipttype"), RcptAppNo: v.text("rcptappno"), RcptCcNo: v.text("rcptccno"),
		MallReserved: v.text("mallreserved"), MallUserID: v.text("malluserid"),
	}
	n.Amt, n.HasAmt = v.won("amt", "Amt")
	return n
}

// twiceEncoded tells a value that UrlEncode=Y made: pure ASCII, at least one "%", each of which starts an
// escape.
func twiceEncoded(s string) bool {
	found := false
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
		if s[i] == '%' {
			if !escapeAt(s, i) {
				return false
			}
			found = true
		}
	}
	return found
}

// Verify says whether n was signed with m's key in m's hash form and is about m. It returns ErrMID or
// ErrSignature otherwise; a notice without TID or SignValue is not signed. A nil error proves the TID and
// the result code, neither the amount nor the order.
func (n Notice) Verify(m Merchant) error {
	if n.MID != "" && n.MID != m.MID {
		return ErrMID
	}
	if m.Key == "" || len(n.TID) != tidLen {
		return ErrSignature
	}
	if n.TID.MID() != m.MID {
		return ErrMID
	}
	if !EqualHash(n.SignValue, SignValue(m.Hash, n.TID, n.ResultCode, m.Key)) {
		return ErrSignature
	}
	return nil
}

// AuthTime reads AuthDate. ok is false if there is none or it is no date.
func (n Notice) AuthTime() (at time.Time, ok bool) { return shortTime(n.AuthDate) }

// Kind reads the result code with the payment method, because a code is a success for its own method alone:
// 3001 on a virtual account is Unknown, not paid (codes §1). The method is cross-checked with the TID's
// where the reference knows the TID's code. m gives the success codes of the wallets.
func (n Notice) Kind(m Merchant) Kind {
	switch n.ResultCode {
	case "":
		return Unknown
	case "2001":
		return Cancelled
	case "2211":
		return Refunded
	case "2013", "2015":
		return AlreadyCancelled
	case "7001":
		return ReceiptIssued
	}
	if n.PayMethod.wallet() {
		if m.walletSuccess(n.ResultCode) {
			return Approved
		}
		return n.failure()
	}
	kind, ok := methodSuccess(n.PayMethod, n.ResultCode)
	if !ok {
		return n.failure()
	}
	if want := n.PayMethod.tidCode(); want != "" && n.TID != "" && n.TID.MethodCode() != want {
		return Unknown
	}
	return kind
}

// methodSuccess is the table of weblink §4 and §7.
func methodSuccess(method Method, code string) (Kind, bool) {
	switch string(method) + " " + code {
	case "CARD 3001", "CARDBILL 3001", "BANK 4000", "CELLPHONE A000", "CLGIFT B000":
		return Approved, true
	case "VBANK 4100":
		return Issued, true
	case "VBANK 4110":
		return Deposited, true
	}
	return "", false
}

// failure is Failed, unless the code means success for some other method or for a trade that this package
// does not serve: then money may have moved and a person has to look.
func (n Notice) failure() Kind {
	switch n.ResultCode {
	case "3001", "4000", "4100", "4110", "A000", "B000", "0000", // successes of other methods
		"H000", "T000", "T001", "BL00", // gift money, transport card, book voucher
		"2100": // cancelled, in samples of 2012
		return Unknown
	}
	if twoLetterSuccess(n.ResultCode) {
		return Unknown
	}
	return Failed
}

func (m Merchant) walletSuccess(code string) bool {
	if m.WalletCodes == nil {
		return code == "3001" || code == "0000" || twoLetterSuccess(code)
	}
	return slices.Contains(m.WalletCodes, code)
}

// twoLetterSuccess matches ^[A-Z]{2}00$: KP00, NP00, TP00 and their like.
func twoLetterSuccess(code string) bool {
	return len(code) == 4 && code[2:] == "00" &&
		'A' <= code[0] && code[0] <= 'Z' && 'A' <= code[1] && code[1] <= 'Z'
}

// DecideCharset is for channels that declare no charset. It decides once for the whole message: UTF8 only if
// every value is valid UTF-8 and all are ASCII or Hangul is among them, else EUCKR. Validity alone is not
// enough: 책, 화환 and 홍창호 in EUC-KR bytes are valid UTF-8 (R29).
func DecideCharset(raw []byte) Charset {
	ascii, hangul := true, false
	for pair := range bytes.SplitSeq(raw, []byte("&")) {
		b := unescape(string(pair))
		if twiceEncoded(string(b)) {
			b = unescape(string(b))
		}
		if !utf8.Valid(b) {
			return EUCKR
		}
		for _, r := range string(b) {
			ascii = ascii && r < utf8.RuneSelf
			hangul = hangul || '가' <= r && r <= '힣'
		}
	}
	if ascii || hangul {
		return UTF8
	}
	return EUCKR
}
