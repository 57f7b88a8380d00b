package templates

import "time"

// ShopFoot is what the law wants at the foot of a checkout. Empty parts are left out.
type ShopFoot struct{ Name, Owner, BusinessNo, Address, Tel string }

// BuyerFrame is what every buyer's page has around it.
type BuyerFrame struct {
	Shop     ShopFoot
	Practice bool
	LangHref string // the same page in the other language
	Title    string
	Script   bool   // loads js/pay.js
	Refresh  string // for browsers without scripts: see Head
}

// PayPage is /pay/{token} in any state.
type PayPage struct {
	BuyerFrame
	Status  string // the buyer's word for it
	Version string // changes when the page would
	Paths   PayPaths
	Goods   string
	Amount  int64
	Due     time.Time // payable until; zero: no due date
	Result  *Result   // nil: nothing happened yet
	Form    *PayForm  // nil: not payable
	Kakao   string    // address that opens this page outside KakaoTalk; empty: we are outside
}

// PayPaths are the addresses of this order's page, for links and for the script.
type PayPaths struct {
	Self, Open, Status, Events string
	Link                       string // absolute, to keep or to send
}

// Config is what js/pay.js has to know.
func (p PayPage) Config() map[string]string {
	return map[string]string{"self": p.Paths.Self, "open": p.Paths.Open, "status": p.Paths.Status, "events": p.Paths.Events}
}

// Result is what happened: one sentence, one amount, one next step.
type Result struct {
	Tone, Icon      string
	Title, Sentence string
	Amount          int64
	Back            bool // the amount went back: it is struck
	Busy            bool // something is under way: the page follows it by itself
	Facts           []Fact
	Account         *Account
	Warn            string // stands in a box of its own
	Small           string // the gateway's own words
	Receipt         string // its slip; empty: none
	CashReceipt     string // its cash receipt's page; empty: none
	Again           string // link to pay in another way; empty: none
	AgainLabel      string
	Keep            bool // shows the page's own address to keep
}

// Fact is a name beside a value.
type Fact struct{ Name, Value string }

// Account is a virtual account that waits for its deposit.
type Account struct {
	Bank, Number string
	Amount       int64
	Due          time.Time
}

// PayForm is what the buyer chooses and types.
type PayForm struct {
	Methods RadioView
	Fields  []FieldView
	Deed    string // the button's words
	Before  string // what became of money or an account before
	Fault   string // what was wrong with the whole
	Vbank   bool   // offers the virtual account beside the button
}

// HandOver is the signed form, for a browser without scripts or whose scripts failed.
type HandOver struct {
	BuyerFrame
	Action, Charset string
	Fields          []HiddenField
	Goods           string
	Amount          int64
	Self            string
}

// HiddenField is a name and a value that go to the gateway as they are.
type HiddenField struct{ Name, Value string }

// BackPage is what the gateway's popup shows when it came home: it tells the page behind it and closes.
type BackPage struct {
	BuyerFrame
	Self string
}

// Neutral is a page that knows no order: one sentence and one way on.
type Neutral struct {
	BuyerFrame
	Tone, Icon      string
	Title, Sentence string
	Href, Label     string
}

// HomePage is the sample checkout, or the plain front of a shop.
type HomePage struct {
	BuyerFrame
	Goods []SampleGoods // empty: no sample checkout
	Fault string
}

// SampleGoods is one thing that the demo sells.
type SampleGoods struct {
	ID, Name, Icon string
	Amount         int64
}
