package smartro

import "strings"

// Endpoints are the gateway's absolute URLs for one mode (weblink §1). An empty one in a Merchant means the
// gateway's own.
type Endpoints struct {
	PCWindow     string // where the PC form is posted
	MobileWindow string // where the mobile form is posted
	Cancel       string // server to server, for PC and mobile payments
	Refund       string // the same for a paid virtual account; "" means Cancel, since no source tells its own (cancel §4)
	ReceiptPage  string // IssueLoader, opened by people
	ReceiptData  string // server to server; the merchant key goes there, so never from a browser

	CashReceipt       string // server to server; no source tells its path (cash-receipt §2)
	CashReceiptCancel string // the same; "" means Cancel
	Charge            string // server to server: a card by its billing key. The test host is [inferred]
}

// The paths are the same in both modes.
const (
	pathPC          = "/interfaceURL.jsp"
	pathMobile      = "/pay/interfaceURL"
	pathCancel      = "/cancel/payCancelNVProcess.jsp"
	pathReceiptPage = "/issue/IssueLoader.jsp"
	pathReceiptData = "/receipt"
	pathCashReceipt = "/cashreceipt/cashReceiptTrans.jsp" // a name of our own
	pathCharge      = "/billcard/billPayTrans.jsp"
)

// EndpointsFor returns the gateway's own endpoints; those of Test for any mode but Real.
func EndpointsFor(mode Mode) Endpoints {
	if mode == Real {
		return Endpoints{
			PCWindow:     "https://pay.smilepay.co.kr" + pathPC,
			MobileWindow: "https://smpay.smilepay.co.kr" + pathMobile,
			Cancel:       "https://pay.smilepay.co.kr" + pathCancel,
			ReceiptPage:  "https://www.smilepay.co.kr" + pathReceiptPage,
			ReceiptData:  "https://api.smilepay.co.kr" + pathReceiptData,
			CashReceipt:  "https://pay.smilepay.co.kr" + pathCashReceipt,
			Charge:       "https://pay.smilepay.co.kr" + pathCharge,
		}
	}
	return Endpoints{
		PCWindow:     "https://tpay.smilepay.co.kr" + pathPC,
		MobileWindow: "https://tspay.smilepay.co.kr" + pathMobile,
		Cancel:       "https://tpay.smilepay.co.kr" + pathCancel,
		ReceiptPage:  "https://test.smilepay.co.kr" + pathReceiptPage,
		ReceiptData:  "https://tapi.smilepay.co.kr" + pathReceiptData,
		CashReceipt:  "https://tpay.smilepay.co.kr" + pathCashReceipt,
		Charge:       "https://tpay.smilepay.co.kr" + pathCharge,
	}
}

// EndpointsAt returns the same paths on one host, as the simulated gateway has them. base is an absolute URL
// such as http://127.0.0.1:9090.
func EndpointsAt(base string) Endpoints {
	base = strings.TrimRight(base, "/")
	return Endpoints{
		PCWindow:     base + pathPC,
		MobileWindow: base + pathMobile,
		Cancel:       base + pathCancel,
		ReceiptPage:  base + pathReceiptPage,
		ReceiptData:  base + pathReceiptData,
		CashReceipt:  base + pathCashReceipt,
		Charge:       base + pathCharge,
	}
}

// or fills the empty URLs of e from d.
func (e Endpoints) or(d Endpoints) Endpoints {
	for _, p := range []struct{ have, deflt *string }{
		{&e.PCWindow, &d.PCWindow}, {&e.MobileWindow, &d.MobileWindow}, {&e.Cancel, &d.Cancel},
		{&e.ReceiptPage, &d.ReceiptPage}, {&e.ReceiptData, &d.ReceiptData}, {&e.CashReceipt, &d.CashReceipt}, {&e.Charge, &d.Charge},
	} {
		if *p.have == "" {
			*p.have = *p.deflt
		}
	}
	if e.Refund == "" {
		e.Refund = e.Cancel
	}
	if e.CashReceiptCancel == "" {
		e.CashReceiptCancel = e.Cancel
	}
	return e
}
