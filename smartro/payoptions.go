package smartro

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"
)

func (b *formBuilder) byMethod(m Merchant, r PayRequest) {
	switch {
	case r.Method == Vbank && r.VbankExpDate.IsZero():
		b.bad("VbankExpDate", "", "the last day to deposit: it is required for VBANK")
	case r.Method == Vbank && r.VbankExpDate.Before(r.EdiDate) && !sameDay(r.VbankExpDate, r.EdiDate):
		b.bad("VbankExpDate", EdiDate(r.VbankExpDate), "a day that is not past")
	case r.Method == Vbank && m.VbankExpWithTime:
		b.put("VbankExpDate", EdiDate(r.VbankExpDate)[:12], 12)
	case r.Method == Vbank:
		b.put("VbankExpDate", EdiDate(r.VbankExpDate)[:8], 8)
	case r.Method == Cellphone && r.GoodsCl == "":
		b.bad("GoodsCl", "", "0 or 1: it is required for CELLPHONE")
	case r.Method == Cellphone:
		b.oneOf("GoodsCl", r.GoodsCl, "0", "1")
	case r.Method == Kakao:
		b.oneOf("PayType", r.PayType, "KPCD", "KPMY")
		b.oneOf("ReceiptType", r.ReceiptType, "Y", "N")
	case r.Method == Toss:
		b.oneOf("ReceiptType", r.ReceiptType, "Y", "N")
	case r.Method == Card:
		b.card(r)
	}
	if r.OfferPeriod != "" && (len(r.OfferPeriod) != 16 || !digits(r.OfferPeriod)) {
		b.bad("OfferPeriod", r.OfferPeriod, "16 digits: yyyyMMddyyyyMMdd")
	} else {
		b.put("OfferPeriod", r.OfferPeriod, 16)
	}
	b.tax(r)
}

func (b *formBuilder) card(r PayRequest) {
	if !digits(r.CardCompany) {
		b.bad("fn_cd", r.CardCompany, "digits of a card company's code")
	}
	if r.CardCompany != "" && r.CardQuota == "" {
		b.bad("CardQuota", "", "a value: fn_cd works only together with it")
	}
	if n, err := strconv.Atoi(r.CardQuota); r.CardQuota != "" &&
		(err != nil || !digits(r.CardQuota) || len(r.CardQuota) < 2 || n == 1 || n > 12) {
		b.bad("CardQuota", r.CardQuota, "00 or 02 to 12")
	}
	b.put("fn_cd", r.CardCompany, 3)
	b.put("CardQuota", r.CardQuota, 3)
	b.oneOf("CardPoint", r.CardPoint, "0", "1", "2")
}

func (b *formBuilder) tax(r PayRequest) {
	if !r.ShopTax {
		if r.SvcAmt != 0 || r.Tax != 0 {
			b.bad("TaxCD", "", "ShopTax: SvcAmt and Tax are sent only with it")
		}
		return
	}
	limit := 9
	if b.pc {
		limit = 12
	}
	b.put("TaxCD", "2", 1)
	b.won("SvcAmt", r.SvcAmt, 0, limit)
	b.won("Tax", r.Tax, 0, limit)
	if r.SvcAmt+r.Tax > r.Amt {
		b.bad("Tax", r.Tax.String(), "at most Amt together with SvcAmt")
	}
}

func (b *formBuilder) pcOnly(r PayRequest) {
	b.put("SspMallID", b.text("SspMallID", r.SspMallID), 10)
	b.oneOf("SkinColor", r.SkinColor, "RED", "VIOLET", "BLUE", "GREEN", "YELLOW")
	b.oneOf("FORWARD", orElse(r.Popup, "Y"), "Y", "N")
	b.oneOf("OpenType", r.OpenType, "KR", "EN", "CN_S", "CN_T", "JP", "FR")
}

func (b *formBuilder) mobileOnly(r PayRequest) {
	b.link("StopURL", r.StopURL, true)
	b.oneOf("Language", r.Language, "KR", "EN")
	client := orElse(r.ClientType, "WEB")
	b.oneOf("clientType", client, "WEB", "APP", "HYB")
	if scheme := b.text("urlScheme", r.URLScheme); client == "HYB" {
		b.must("urlScheme", scheme, 200)
	} else {
		b.put("urlScheme", scheme, 200)
	}
	b.put("IspWapUrl", yes(!r.NewWindow), 1)
	b.put("IsBankPayBridge", "Y", 1)
}

func (b *formBuilder) shares(r PayRequest) {
	info, err := divideInfo(r.Divide, r.Amt)
	if err != nil {
		b.errs = append(b.errs, err)
	}
	b.put("DivideInfo", info, 2000)
	b.put("Productinfo", b.label("Productinfo", r.ProductInfo), 2000)
}

// divideInfo is the sub-mall split: Base64 of JSON in UTF-8, its amounts as text.
func divideInfo(parts []DividePart, total Won) (string, error) {
	if len(parts) == 0 {
		return "", nil
	}
	type part struct{ Amt, MID, GoodsName string }
	var list []part
	var sum Won
	for _, p := range parts {
		if _, err := ParseMID(string(p.MID)); err != nil || p.Amt <= 0 || p.Amt > total {
			return "", &FieldError{Field: "DivideInfo", Value: string(p.MID), Want: "a MID and 1 won up to the total in every part"}
		}
		sum += p.Amt
		list = append(list, part{p.Amt.String(), string(p.MID), p.GoodsName})
	}
	if sum != total {
		return "", &FieldError{Field: "DivideInfo", Value: sum.String(), Want: "parts that add up to " + total.String()}
	}
	text, err := json.Marshal(struct{ DivideInfo []part }{list})
	return base64.StdEncoding.EncodeToString(text), err
}

func (b *formBuilder) escrow(e *Escrow) {
	if e == nil {
		return
	}
	b.put("EscrowCD", "1", 1)
	for _, f := range []Field{
		{"DeliveryCode", e.DeliveryCode}, {"DeliveryNumber", e.DeliveryNumber},
		{"DeliveryAddr1", e.DeliveryAddr1}, {"DeliveryAddr2", e.DeliveryAddr2}, {"DeliveryPost", e.DeliveryPost},
		{"ReceiverName", e.ReceiverName}, {"ReceiverTel", e.ReceiverTel},
		{"SellerAddr1", e.SellerAddr1}, {"SellerAddr2", e.SellerAddr2}, {"SellerPost", e.SellerPost},
		{"SellerTel", e.SellerTel}, {"SellerId", e.SellerID}, {"SellerName", e.SellerName},
	} {
		b.must(f.Name, b.label(f.Name, f.Value), 100)
	}
}

func sameDay(a, b time.Time) bool { return EdiDate(a)[:8] == EdiDate(b)[:8] }
