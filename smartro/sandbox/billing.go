package sandbox

import (
	"crypto/cipher"
	"crypto/des"
	"encoding/base64"
	"strings"

	"gage/smartro"
)

// registration are the conditions of the window that registers a card (billing §1).
func registration(d smartro.Device, get func(string) string) []refusal {
	var found []refusal
	want := func(ok bool, field, want, why string) {
		if ok {
			return
		}
		r := refusal{Title: "항목 값 오류", Field: field, Got: get(field), Want: want, Why: why}
		if r.Got == "" {
			r.Title, r.Got = "필수 항목 누락", "(없음)"
		}
		found = append(found, r)
	}
	want(d == smartro.Mobile, "PayMethod", "/pay/interfaceURL (모바일 결제창)", "정기결제 카드 등록(CARDBILL)은 PC에서도 모바일 결제창의 주소로 열어야 합니다.")
	want(get("BillType") == "AR", "BillType", "AR (등록만)", "이 모의 게이트웨이는 빌링키 발급만(AR) 합니다. 등록과 결제를 함께 하는 AA는 받지 않습니다.")
	want(get("Amt") == smartro.BillingAmt.String(), "Amt", smartro.BillingAmt.String(), "빌링키만 발급할 때(AR) 금액은 100으로 정해져 있습니다. 돈은 빠져나가지 않습니다.")
	want(get("GoodsName") == smartro.BillingGoods, "GoodsName", smartro.BillingGoods, "빌링키만 발급할 때(AR) 상품명은 정해져 있습니다.")
	want(get("BillKeyMode") != "", "BillKeyMode", "0(암호화) 또는 1(그대로)", "빌링키를 어떻게 받을지 정해야 합니다.")
	want(get("mallUserID") != "", "mallUserID", "쇼핑몰 고객 ID", "빌링키는 고객 ID에 묶여 발급됩니다. 결제할 때 같은 ID를 보내야 합니다.")
	return found
}

// cipherKeyLen is what the merchant key must have for BillKeyMode=0 (billing §1).
const cipherKeyLen = 88

func (c *checker) checkCipher() {
	if c.get("PayMethod") == string(smartro.CardBill) && c.get("BillKeyMode") == "0" && len(c.g.key().Reveal()) < cipherKeyLen {
		c.add(refusal{
			Title: "항목 값 오류", Field: "BillKeyMode", Got: "0", Want: "1",
			Why: "빌링키를 암호화하려면(BillKeyMode=0) 상점 키가 88자 이상이어야 합니다.",
		})
	}
}

// register issues a billing key for the card that was chosen: bound to the merchant and to the customer of the form.
func (g *Gateway) register(v *view, p payment) (payment, error) {
	acquirer, _ := smartro.Acquirer(p.Paid.CardCode)
	p.Paid.CardNum, p.Paid.AcquirerCode = inventedCard(), acquirer
	p.State, p.AuthCode = registered, randomDigits(8)
	for range 100 {
		key := string(g.cfg.MID) + "BILL" + randomDigits(15)
		if _, taken := v.keys[key]; !taken {
			p.Paid.BillingKey = key
			return p, nil
		}
	}
	return p, errFull
}

// inventedCard is a masked number; no issuer's begins with 9.
func inventedCard() string { return "9" + randomDigits(5) + "******" + randomDigits(4) }

// keyFields are what the result of a registered card has besides a payment's (billing §1).
func (g *Gateway) keyFields(p payment) []smartro.Field {
	plain, mode := smartro.BillingKey(p.Paid.BillingKey), p.field("BillKeyMode")
	told, amt := plain.Reveal(), p.Amt.String()
	if mode == "0" {
		told, amt = "smt01"+base64.StdEncoding.EncodeToString(g.tripleDES(6, []byte(told), true)), ""
	}
	sign := smartro.RawVerifyValue(g.cfg.Hash, g.cfg.MID, g.key(), shortTime(p.DecidedAt), p.AuthCode, amt, plain)
	if p.has(badSignature) {
		sign = smartro.RawVerifyValue(g.cfg.Hash, g.cfg.MID, g.key()+"x", shortTime(p.DecidedAt), p.AuthCode, amt, plain)
	}
	return newFields(
		"fn_cd", p.Paid.CardCode, "fn_name", cardName(p.Paid.CardCode), "AcquCardCode", p.Paid.AcquirerCode,
		"CardNum", p.Paid.CardNum, "BillTid", told, "BillKeyMode", mode, "VerifyValue", sign,
	)
}

// openKey reads BL_TID of a charge: as it is, or in mode 0 Base64 of smt02 and the encrypted key. "": it is neither.
func (g *Gateway) openKey(value, mode string) string {
	if mode != "0" {
		return value
	}
	text, err := base64.StdEncoding.DecodeString(value)
	body, ok := strings.CutPrefix(string(text), "smt02")
	raw, err2 := base64.StdEncoding.DecodeString(body)
	if err != nil || err2 != nil || !ok || len(g.key().Reveal()) < cipherKeyLen || len(raw) == 0 || len(raw)%des.BlockSize != 0 {
		return ""
	}
	plain := g.tripleDES(40, raw, false)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > des.BlockSize {
		return ""
	}
	return string(plain[:len(plain)-pad])
}

// tripleDES is Triple DES in ECB under 24 characters of the merchant key, from the given one on (billing §1).
func (g *Gateway) tripleDES(from int, text []byte, seal bool) []byte {
	block, err := des.NewTripleDESCipher([]byte(g.key().Reveal())[from : from+24])
	if err != nil {
		panic(err) // 24 bytes are a key
	}
	work := func(b cipher.Block, out, in []byte) { b.Decrypt(out, in) }
	if seal {
		pad := des.BlockSize - len(text)%des.BlockSize
		text = append(text, strings.Repeat(string(rune(pad)), pad)...)
		work = func(b cipher.Block, out, in []byte) { b.Encrypt(out, in) }
	}
	out := make([]byte, len(text))
	for i := 0; i < len(text); i += des.BlockSize {
		work(block, out[i:], text[i:])
	}
	return out
}

// maskedKey shows which key it is and not what it is.
func maskedKey(key string) string {
	if len(key) < 12 {
		return "****"
	}
	return key[:4] + strings.Repeat("*", 8) + key[len(key)-4:]
}
