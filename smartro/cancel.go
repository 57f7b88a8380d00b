package smartro

import "time"

// CancelRequest asks for money back: the whole of a payment, or a part of it.
type CancelRequest struct {
	TID     TID
	Amt     Won    // all that is left, or the part
	Partial bool   // PartialCancelCode 1. Not idempotent: two equal requests cancel twice
	Reason  string // CancelMSG, at most 30 bytes of EUC-KR; CancelReason cuts a longer one
	Refund  *RefundAccount
	SubMall bool         // MerchantMode=T
	Divide  []DividePart // DivideInfo, for sub-malls
}

// RefundAccount is where a paid virtual account's money goes back to.
type RefundAccount struct {
	BankCode string // 3 digits
	Number   string // at most 16 digits
	Holder   string // at most 10 bytes of EUC-KR
}

// CancelAnswer is the gateway's answer to a cancel (cancel §1). Texts are Unicode, decoded from EUC-KR.
type CancelAnswer struct {
	PayMethod             Method
	MID                   MID
	TID                   TID // the one that was asked for
	PTID                  TID // a partial cancel's own, if the gateway says it
	Moid                  Moid
	Amt                   Won // CancelAmt, what was cancelled; 0 in most refusals
	ResultCode, ResultMsg string
	CancelDate            string // yyyyMMdd KST
	CancelTime            string // HHmmss KST
	CancelNum             string // cancel approval number, often empty
	Fields                []Field
	Raw                   []byte
}

// CancelOutcome is what an answer means for the money.
type CancelOutcome string

// The outcomes. Unknown is neither yes nor no: a whole cancel may be asked again, a part may not.
const (
	CancelDone    CancelOutcome = "done"
	CancelAlready CancelOutcome = "already"
	CancelRefused CancelOutcome = "refused"
	CancelUnknown CancelOutcome = "unknown"
)

// Time is CancelDate and CancelTime in UTC. ok is false if the answer has none or they are no time.
func (a CancelAnswer) Time() (at time.Time, ok bool) {
	at, err := time.ParseInLocation("20060102150405", a.CancelDate+a.CancelTime, kst())
	return at.UTC(), err == nil
}

// Outcome reads the result code: 2001 and 2211 done, 2013 and 2015 already done, 9999 or none unknown, any
// other refused.
func (a CancelAnswer) Outcome() CancelOutcome {
	switch a.ResultCode {
	case "2001", "2211":
		return CancelDone
	case "2013", "2015":
		return CancelAlready
	case "9999", "":
		return CancelUnknown
	}
	return CancelRefused
}
