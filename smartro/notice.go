package smartro

// Notice is a result from the browser or a retry notification (재통보) from the gateway. Texts are Unicode;
// what was not valid in the channel's charset is U+FFFD in them and whole in Raw.
type Notice struct {
	PayMethod  Method // as it came; may be one that this package does not know
	MID        MID
	TID        TID  // "" when the payment failed before it had one
	OTID       TID  // of a cancel's notice: the transaction that was cancelled
	Moid       Moid // OID on the legacy module
	Amt        Won
	HasAmt     bool // Amt came; 0 won and no amount are two things
	ResultCode string
	ResultMsg  string
	AuthDate   string // yyMMddHHmmss KST of the approval or cancel; see AuthTime
	AuthCode   string // approval number (승인번호)
	SignValue  string
	StateCd    string // 0 approval, 1 cancel before and 2 after acquisition; decide on ResultCode instead

	GoodsName, BuyerName, BuyerTel, BuyerEmail string

	CardCode, CardName         string // issuer; on VBANK probably the bank (weblink §7)
	AcquirerCode, AcquirerName string
	CardNum                    string // masked
	CardQuota                  string // instalments, 00 at once
	VbankNum, VbankName        string
	ReceiptType                string // cash receipt: 0 none, 1 personal, 2 business
	RcptAppNo, RcptCcNo        string // cash receipt approval and cancel numbers
	MallReserved, MallUserID   string // echoed, as our form said them

	Fields []Field // every field as decoded, unknown ones too, in order
	Raw    []byte  // as it came
}

// Kind is what a notice says happened.
type Kind string

// The kinds. Failed is a refusal or abort and takes back nothing that was approved before; Unknown needs a
// person, because the code may mean money.
const (
	Approved         Kind = "approved"
	Issued           Kind = "vbank_issued" // an account to pay to: nothing is paid yet
	Deposited        Kind = "deposited"
	Cancelled        Kind = "cancelled"
	Refunded         Kind = "refunded"
	AlreadyCancelled Kind = "already_cancelled"
	ReceiptIssued    Kind = "receipt_issued"
	Failed           Kind = "failed"
	Unknown          Kind = "unknown"
)
