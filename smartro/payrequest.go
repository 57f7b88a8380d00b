package smartro

import "time"

// PayRequest is what a shop wants paid. The fields are those of the payment form (weblink §2); the names on
// the wire stand behind those that differ. Lengths are bytes in the charset of Device. A zero value means
// the field is not sent, unless it is required.
type PayRequest struct {
	Device Device
	Method Method
	Moid   Moid
	Amt    Won

	GoodsName string // at most 80 bytes; a longer one is cut on a character and a Note says so
	GoodsCnt  int    // 1 to 99

	BuyerName   string // at most 30 bytes; a longer one is cut as GoodsName is
	BuyerTel    string // at most 30 digits; hyphens, spaces and brackets are taken out, +82 becomes 0
	BuyerEmail  string // at most 60 bytes
	ParentEmail string // guardian's, at most 60 bytes
	BuyerAddr   string // at most 100 bytes; a longer one is cut as GoodsName is
	BuyerPostNo string // at most 6 digits

	ReturnURL string // absolute, at most 200 bytes
	RetryURL  string // notification URL for this payment alone; whoever sees the form sees it. Usually left empty
	StopURL   string // absolute, required on mobile, not sent on PC

	MallUserID string // mallUserID: 10 bytes on PC, 20 on mobile; required for CLGIFT
	UserIP     string // buyer's; required on mobile. IPv6 does not fit: left out on PC, 0.0.0.0 on mobile
	MallIP     string // shop server's IPv4 address

	EdiDate       time.Time // ediDate, sent and hashed as yyyyMMddHHmmss KST
	MallReserved  string    // echoed by the gateway: ASCII, at most 500 bytes
	ResultCharset Charset   // EncodingType of the result; "" means UTF8
	PlainResult   bool      // UrlEncode=N: result values are not percent-encoded a second time
	GatewayResult bool      // MallResultFWD=N: the gateway shows its own result page before ReturnURL
	SkinColor     string    // RED, VIOLET, BLUE, GREEN or YELLOW

	VbankExpDate time.Time // VBANK: the last day to deposit, Korean; required there
	GoodsCl      string    // CELLPHONE: 0 content, 1 physical goods; required there
	OfferPeriod  string    // yyyyMMddyyyyMMdd
	PayType      string    // KAKAO: KPCD card, KPMY money
	ReceiptType  string    // KAKAO and TOSS: Y or N
	CardCompany  string    // fn_cd, a preselected card company; needs CardQuota
	CardQuota    string    // preselected instalments: 00 at once, 02 to 12
	CardPoint    string    // 0 no, 1 yes, 2 yes without asking
	SspMallID    string    // easy pay on PC, at most 10 bytes

	ShopTax     bool // TaxCD=2, by agreement: the shop computes VAT and sends SvcAmt and Tax
	SvcAmt, Tax Won  // service charge and VAT, sent only with ShopTax

	Divide      []DividePart // DivideInfo: shares of sub-malls, adding up to Amt
	ProductInfo string       // Productinfo, at most 2000 bytes
	Escrow      *Escrow      // EscrowCD=1; nil means that EscrowCD is not sent

	Popup      string // FORWARD on PC: "" or Y, the shop opens the window; N, the module does (weblink §6)
	OpenType   string // PC window's language: KR, EN, CN_S, CN_T, JP or FR
	Language   string // mobile messages' language: KR or EN
	ClientType string // clientType on mobile: "" or WEB, APP, HYB
	URLScheme  string // urlScheme on mobile, the way back into an app; required for HYB
	NewWindow  bool   // IspWapUrl=N on mobile: a new window after ISP; false reuses the window
}

// DividePart is one sub-mall's share of a payment.
type DividePart struct {
	MID       MID
	Amt       Won
	GoodsName string
}

// Escrow is the delivery data of an escrow payment: all of it is required, each value at most 100 bytes.
type Escrow struct {
	DeliveryCode, DeliveryNumber               string
	DeliveryAddr1, DeliveryAddr2, DeliveryPost string
	ReceiverName, ReceiverTel                  string
	SellerAddr1, SellerAddr2, SellerPost       string
	SellerTel, SellerID, SellerName            string
}
