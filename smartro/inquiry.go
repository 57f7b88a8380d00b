package smartro

// Inquiry is the gateway's answer about one transaction (receipt-data API, receipts-and-queries §2). Its
// shape is inferred from other parts of the reference, so Merchant.InquiryProves says whether to believe it.
type Inquiry struct {
	TID                   TID
	MID                   MID
	Moid                  Moid
	Method                Method
	Amt                   Won // approved
	Balance               Won // what is left of it
	HasBalance            bool
	State                 string // 0 approved, 1 cancelled, 2 partly cancelled
	AuthDate, AuthCode    string
	CardName, CardCode    string
	VbankNum, VbankName   string
	RcptAppNo             string // approval number of the cash receipt, and its type as in a Notice
	ReceiptType           string
	ResultCode, ResultMsg string
	Fields                []Field
	Raw                   []byte
}
