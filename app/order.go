package app

import "time"

// OrderNo is the order's number as people say it on the phone: 8 capital letters and digits that can't be
// mistaken for one another. A payment's Moid is this number with a two-digit counter behind it; after a
// restore the mark of the [Epoch] stands between them.
type OrderNo string

// OrderState is derived from the order's payments, never written by itself.
type OrderState string

// The states of an order, in the words of the screens.
const (
	OrderOpen            OrderState = "open"             // nobody paid yet
	OrderConfirming      OrderState = "confirming"       // a browser says paid, the gateway has not yet
	OrderWaiting         OrderState = "waiting"          // a virtual account waits for its deposit
	OrderPaid            OrderState = "paid"             //
	OrderPartlyCancelled OrderState = "partly_cancelled" //
	OrderCancelled       OrderState = "cancelled"        //
	OrderHeld            OrderState = "held"             // money came that does not fit: staff decide
	OrderExpired         OrderState = "expired"          // past its due date, unpaid: by the clock, never stored
	OrderClosed          OrderState = "closed"           // withdrawn by staff before anything was paid
)

// Order is what a buyer owes for. It is paid at most once.
type Order struct {
	No       OrderNo
	Token    string // of the pay link: 26 letters and digits, 130 bits
	MID      MID
	Mode     Mode
	Goods    string
	GoodsCnt int

	// Amount is the whole sum in won, VAT included; the parts are contained in it.
	// Taxable supply = Amount - TaxFree - VAT - Service.
	Amount, TaxFree, VAT, Service Won

	BuyerName, BuyerTel, BuyerEmail string // Tel in digits only; all may be empty: then the buyer is asked
	Methods                         []Method
	DueAt                           time.Time // zero: no due date
	CreatedAt                       time.Time
	CreatedBy                       string         // staff ID, empty for the sample checkout
	ClosedAt                        time.Time      // withdrawn by staff; zero: not
	Subscription                    SubscriptionNo // that it is a period of; empty: none
	State                           OrderState
	Erased                          bool // what was personal was destroyed after its term; set by the store when it reads
	Attempts                        int  // payments opened so far: the counter behind the number
}
