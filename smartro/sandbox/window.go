package sandbox

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"gage/smartro"
)

// instalmentsFrom is the least amount, in won, that Korean card companies split into instalments.
const instalmentsFrom = 50000

func (g *Gateway) openPCWindow(w http.ResponseWriter, r *http.Request) { g.open(w, r, smartro.PC) }
func (g *Gateway) openMobileWindow(w http.ResponseWriter, r *http.Request) {
	g.open(w, r, smartro.Mobile)
}

// open checks a payment request and opens its window. The TID is minted here, before any approval, as the
// gateway does (weblink §5).
func (g *Gateway) open(w http.ResponseWriter, r *http.Request, d smartro.Device) {
	raw, bad := readForm(r)
	if bad != nil {
		g.refuse(w, r, nil, *bad)
		return
	}
	req, refusals, firewall := g.check(d, raw)
	switch {
	case firewall:
		g.refuseByFirewall(w, r, refusals[0])
		return
	case len(refusals) > 0:
		g.refuse(w, r, raw, refusals...)
		return
	}
	p, err := g.mintPayment(req)
	if err != nil {
		g.fail(w, err)
		return
	}
	if d == smartro.PC && p.field("FORWARD") == "N" {
		g.pages.render(w, http.StatusOK, "popup.html", p) // the shop gave us its hidden frame: we open the popup
		return
	}
	g.drawWindow(w, p)
}

func (g *Gateway) mintPayment(req request) (payment, error) {
	p := payment{Session: rand.Text(), Device: req.device, Fields: req.fields, Warnings: req.warnings, State: opened, OpenedAt: g.now()}
	p.Method, p.Moid = smartro.Method(p.field("PayMethod")), p.field("Moid")
	amt, err := smartro.ParseWon(p.field("Amt"))
	if err != nil {
		return payment{}, err
	}
	p.Amt = amt
	err = g.ledger.update(func(v *view) (entry, error) {
		tid, err := v.mint(string(g.cfg.MID)+methodCode(p.Method)+"01", p.OpenedAt)
		p.TID = tid
		return entry{At: p.OpenedAt, Payment: &p}, err
	})
	return p, err
}

// showWindow is the window of FORWARD=N, which opens by a GET.
func (g *Gateway) showWindow(w http.ResponseWriter, r *http.Request) {
	p, ok := g.bySession(r.PathValue("session"))
	if !ok {
		g.refuse(w, r, nil, noWindow())
		return
	}
	if p.decided() {
		g.sendBack(w, p, g.claimAgain(p))
		return
	}
	g.drawWindow(w, p)
}

// windowPage is what the window and its confirm page show.
type windowPage struct {
	payment
	MID          smartro.MID
	Skin         string
	Cards        []choice
	Quotas       []choice
	Banks        []choice
	Carriers     []choice
	Fundings     []choice
	Receipts     []choice
	Chosen       paidWith
	Problem      string
	ConfirmFirst bool
}

func (g *Gateway) newWindowPage(p payment) windowPage {
	page := windowPage{payment: p, MID: g.cfg.MID, Skin: p.field("SkinColor"), ConfirmFirst: !p.skipsResultPage()}
	switch p.Method {
	case smartro.Card:
		page.Cards, page.Quotas = cardChoices(), quotaChoices(p.Amt)
		page.Chosen = paidWith{CardCode: twoDigits(p.field("fn_cd")), Quota: twoDigits(p.field("CardQuota"))}
	case smartro.CardBill:
		page.Cards = cardChoices()
	case smartro.Bank:
		page.Banks, page.Receipts = bankChoices(), g.receiptChoices()
	case smartro.Vbank:
		page.Banks, page.Receipts = vbankChoices(), g.receiptChoices()
	case smartro.Cellphone:
		page.Carriers = carrierChoices()
	case smartro.Kakao, smartro.Toss:
		page.Fundings = fundingChoices(p.field("PayType"))
	}
	return page
}

func (g *Gateway) drawWindow(w http.ResponseWriter, p payment) {
	g.pages.render(w, http.StatusOK, "window.html", g.newWindowPage(p))
}

func quotaChoices(amt smartro.Won) []choice {
	list := []choice{{"00", "일시불"}}
	if amt < instalmentsFrom {
		return list
	}
	for n := 2; n <= 12; n++ {
		list = append(list, choice{Code: twoDigits(strconv.Itoa(n)), Name: strconv.Itoa(n) + "개월"})
	}
	return list
}

func carrierChoices() []choice {
	return []choice{{"SKT", "SKT"}, {"KTF", "KT"}, {"LGT", "LG U+"}, {"MVNO", "알뜰폰"}}
}

func fundingChoices(payType string) []choice {
	all := []choice{{"KPMY", "머니"}, {"KPCD", "등록된 카드"}}
	if i := slices.IndexFunc(all, func(c choice) bool { return c.Code == payType }); i >= 0 {
		return all[i : i+1]
	}
	return all
}

// receiptChoices is what the window offers: nothing, where the MID is not set up for receipts.
func (g *Gateway) receiptChoices() []choice {
	all := []choice{{"0", "발급 안 함"}, {"1", "소득공제용"}, {"2", "지출증빙용"}}
	if g.cfg.Unpublished.NoReceipts {
		return all[:1]
	}
	return all
}

// errChoice says that the window's own form came back with something it does not offer.
var errChoice = errors.New("창에 없는 값을 골랐습니다. 목록에서 다시 골라 주세요")

// chosen reads the buyer's choices, taking the first of a list for what a form leaves out.
func (g *Gateway) chosen(p payment, form url.Values) (paidWith, error) {
	var with paidWith
	var bad error
	pick := func(name string, list []choice) string {
		v := form.Get(name)
		if v == "" && len(list) > 0 {
			return list[0].Code
		}
		if !slices.ContainsFunc(list, func(c choice) bool { return c.Code == v }) {
			bad = errChoice
		}
		return v
	}
	switch p.Method {
	case smartro.Card:
		with.CardCode, with.Quota = pick("card", cardChoices()), pick("quota", quotaChoices(p.Amt))
	case smartro.CardBill:
		with.CardCode = pick("card", cardChoices())
	case smartro.Bank:
		with.BankCode, with.ReceiptType = pick("bank", bankChoices()), pick("receipt", g.receiptChoices())
	case smartro.Vbank:
		with.BankCode, with.ReceiptType = pick("bank", vbankChoices()), pick("receipt", g.receiptChoices())
	case smartro.Cellphone:
		with.Carrier = pick("carrier", carrierChoices())
	case smartro.Kakao, smartro.Toss:
		with.Funding = pick("funding", fundingChoices(p.field("PayType")))
	}
	return with, bad
}

// twoDigits reads codes that may be padded to three digits.
func twoDigits(code string) string {
	n, err := strconv.Atoi(code)
	if err != nil {
		return ""
	}
	s := strconv.Itoa(n)
	if len(s) == 1 {
		return "0" + s
	}
	return s
}

func (g *Gateway) bySession(session string) (p payment, ok bool) {
	g.ledger.read(func(v *view) { p, ok = v.bySession(session) })
	return p, ok
}

func noWindow() refusal {
	return refusal{
		status: http.StatusNotFound, Title: "결제창을 찾을 수 없습니다", Field: "session", Got: "(모르는 값)", Want: "열려 있는 결제창",
		Why: "결제창을 연 요청이 없거나 다른 모의 게이트웨이의 것입니다. 상점에서 결제를 다시 시작해 주세요. 돈은 움직이지 않았습니다.",
	}
}

// fail answers for our own faults, such as a full disk.
func (g *Gateway) fail(w http.ResponseWriter, err error) {
	g.cfg.Log.Error("request failed", "err", err)
	http.Error(w, "모의 게이트웨이가 장부를 쓰지 못했습니다. 잠시 뒤에 다시 해 주세요.", http.StatusServiceUnavailable)
}
