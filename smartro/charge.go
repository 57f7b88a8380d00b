package smartro

import "time"

// ChargeRequest takes money from a registered card (billing §2). A second equal request takes it a second time, whatever
// its Moid is.
type ChargeRequest struct {
	Key                             BillingKey
	Moid                            Moid
	Amt                             Won
	GoodsName                       string // at most 80 bytes of EUC-KR; a longer one is cut
	GoodsCnt                        int    // 1 to 99; zero means 1
	UserID                          string // MallUserID, as it was when the card was registered
	BuyerName, BuyerTel, BuyerEmail string // may be empty
	Quota                           string // instalments: "" or 00 at once, 02 to 12
	UserIP, MallIP                  string // IPv4; may be empty
	EdiDate                         time.Time
	MallReserved                    string // ASCII
}

// ChargeAnswer is the gateway's answer: 17 values, texts decoded from EUC-KR.
type ChargeAnswer struct {
	PayMethod                        Method
	MID                              MID
	Amt                              Won
	HasAmt                           bool
	BuyerName, GoodsName, BuyerEmail string
	UserID                           string
	TID                              TID
	Moid                             Moid
	AuthDate                         string // yyMMddHHmmss or yyyyMMddHHmmss KST
	AuthCode                         string
	ResultCode, ResultMsg            string
	MallReserved                     string
	CardCode, CardName               string
	VerifyValue                      string
	Fields                           []Field
	Raw                              []byte
}

// Time is AuthDate in UTC. ok is false if there is none or it is no time.
func (a ChargeAnswer) Time() (at time.Time, ok bool) {
	if len(a.AuthDate) == 14 {
		return shortTime(a.AuthDate[2:])
	}
	return shortTime(a.AuthDate)
}

// ChargeOutcome is what an answer means for the money.
type ChargeOutcome string

// The outcomes. Unknown is neither yes nor no: a charge of unknown outcome must never be asked for again.
const (
	ChargeDone    ChargeOutcome = "done"
	ChargeRefused ChargeOutcome = "refused"
	ChargeUnknown ChargeOutcome = "unknown"
)

// Outcome reads the result code by m's success codes; 9999, a system error, or none is unknown.
func (a ChargeAnswer) Outcome(m Merchant) ChargeOutcome {
	switch {
	case m.billingSuccess(a.ResultCode):
		return ChargeDone
	case a.ResultCode == "" || a.ResultCode == "9999":
		return ChargeUnknown
	}
	return ChargeRefused
}

// Verify says whether the answer's VerifyValue is m's, over this key: ErrSignature otherwise.
func (a ChargeAnswer) Verify(m Merchant, key BillingKey) error {
	if !m.verifies(a.VerifyValue, a.AuthDate, a.AuthCode, a.Amt.String(), key) {
		return ErrSignature
	}
	return nil
}
