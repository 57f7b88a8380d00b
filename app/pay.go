package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gage/smartro"
)

// BuyerStatus is what a buyer is told about an order, in one word.
type BuyerStatus string

// The pages that a pay link can show.
const (
	BuyerOpen            BuyerStatus = "open"
	BuyerOpened          BuyerStatus = "opened"     // a window was opened a moment ago and nothing came back yet
	BuyerConfirming      BuyerStatus = "confirming" // claimed: the gateway's word is awaited
	BuyerWaiting         BuyerStatus = "waiting"    // for the deposit
	BuyerPaid            BuyerStatus = "paid"
	BuyerPartlyCancelled BuyerStatus = "partly_cancelled"
	BuyerCancelled       BuyerStatus = "cancelled"
	BuyerHeld            BuyerStatus = "held"     // money came that staff look at
	BuyerDeclined        BuyerStatus = "declined" // the last try was refused: no money moved
	BuyerStopped         BuyerStatus = "stopped"  // the buyer stopped the last try
	BuyerExpired         BuyerStatus = "expired"
	BuyerClosed          BuyerStatus = "closed" // withdrawn by the shop
)

// Payable says whether a buyer in this state may open the gateway's window.
func (b BuyerStatus) Payable() bool {
	return b == BuyerOpen || b == BuyerOpened || b == BuyerDeclined || b == BuyerStopped
}

// Checkout is the buyer's page of one order.
type Checkout struct {
	Order    Order
	Shop     ShopInfo
	Methods  []Method // to choose from
	Payments []Payment
	Current  *Payment // the one that Status speaks of; nil: none was opened
	Status   BuyerStatus
	Receipt  string       // the gateway's slip; empty unless paid
	Cash     *CashReceipt // the one that was issued for Current; nil: none stands
	CashURL  string       // its page at the gateway; empty: none
	Origins  []string     // of the gateway's windows: the page's form may go there
}

// openedFor is how long an opened window keeps the page waiting behind it.
const openedFor = 15 * time.Minute

// Checkout reads the buyer's page. ErrNotFound: no such link.
func (s *Shop) Checkout(ctx context.Context, token string) (Checkout, error) {
	o, err := s.Store.OrderByToken(ctx, token)
	if err != nil {
		return Checkout{}, err
	}
	c := Checkout{Order: o}
	if c.Shop, err = s.Info(ctx); err != nil {
		return Checkout{}, err
	}
	if c.Payments, err = s.Store.PaymentsOf(ctx, o.No); err != nil {
		return Checkout{}, err
	}
	m, err := s.merchantOf(ctx, s.Store, o.MID, o.Mode)
	if err != nil {
		return Checkout{}, err
	}
	c.Methods = methodsFor(m, o)
	c.Origins = []string{m.Endpoints.PCWindow, m.Endpoints.MobileWindow}
	c.Status, c.Current = buyerStatus(o, c.Payments, s.latest())
	if c.Current != nil && c.Current.TID != "" && (c.Status == BuyerPaid || c.Status == BuyerPartlyCancelled || c.Status == BuyerCancelled) {
		c.Receipt = s.Gateway(m).ReceiptURL(c.Current.TID, smartro.Slip)
	}
	if c.Current == nil || !CashLike(c.Current.Method) {
		return c, nil
	}
	list, err := s.Store.CashReceiptsOf(ctx, o.No)
	if err != nil {
		return Checkout{}, err
	}
	if r := liveOf(list, c.Current.Moid); r != nil && r.State == ReceiptStateIssued {
		c.Cash = r
		c.CashURL, err = s.receiptPage(ctx, s.Store, *r)
	}
	return c, err
}

// methodsFor is what both the MID and the order allow, in the MID's order.
func methodsFor(m smartro.Merchant, o Order) []Method {
	all := m.Methods
	if len(all) == 0 {
		all = smartro.Methods()
	}
	if len(o.Methods) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(p Method) bool { return !slices.Contains(o.Methods, p) })
}

// buyerStatus picks the payment that the buyer cares about, and the word for it.
func buyerStatus(o Order, ps []Payment, now time.Time) (BuyerStatus, *Payment) {
	find := func(ok func(Payment) bool) *Payment {
		for i := len(ps) - 1; i >= 0; i-- {
			if ok(ps[i]) {
				return &ps[i]
			}
		}
		return nil
	}
	in := func(st ...State) func(Payment) bool {
		return func(p Payment) bool { return slices.Contains(st, p.State) }
	}
	if p := find(in(Paid, PartlyCancelled)); p != nil {
		if p.State == PartlyCancelled {
			return BuyerPartlyCancelled, p
		}
		return BuyerPaid, p
	}
	if p := find(in(Held)); p != nil {
		return BuyerHeld, p
	}
	if p := find(func(p Payment) bool { return p.State == Cancelled && !p.PaidAt.IsZero() }); p != nil {
		return BuyerCancelled, p
	}
	if p := find(func(p Payment) bool { return in(Claimed, WaitingDeposit)(p) && !p.claimedInVain(now) }); p != nil {
		if p.State == WaitingDeposit || p.VbankNum != "" {
			return BuyerWaiting, p
		}
		return BuyerConfirming, p
	}
	var last *Payment
	if len(ps) > 0 {
		last = &ps[len(ps)-1]
	}
	switch {
	case !o.ClosedAt.IsZero():
		return BuyerClosed, last
	case !o.DueAt.IsZero() && now.After(o.DueAt):
		return BuyerExpired, last
	case last == nil || last.State == Cancelled:
		return BuyerOpen, last
	case last.State == Expired && last.VbankNum != "", last.claimedInVain(now):
		return BuyerOpen, last
	case last.Stopped:
		return BuyerStopped, last
	case last.HintCode != "":
		return BuyerDeclined, last
	case last.State == Opened && now.Sub(last.OpenedAt) < openedFor:
		return BuyerOpened, last
	}
	return BuyerOpen, last
}

// claimedInVain says that p is of an account that only a browser told of, and that takes no deposit any more: it keeps
// nobody from paying in another way, though staff may find out that money came.
func (p Payment) claimedInVain(now time.Time) bool {
	return p.State == Claimed && p.VbankNum != "" && now.After(p.VbankDue.Add(depositGrace))
}

// PayInput is a buyer's choice.
type PayInput struct {
	Method                          Method
	Device                          Device
	BuyerName, BuyerTel, BuyerEmail string // asked only where the order lacks them
	UserIP                          string
}

// Pay opens a payment: one attempt with a Moid of its own, and the signed form for the gateway's window.
// ErrPaid: money came or is being confirmed. ErrClosed: withdrawn or past due. Faults in what the buyer typed
// are joined *InputError; in what the gateway's form can carry, *smartro.FieldError.
func (s *Shop) Pay(ctx context.Context, token string, in PayInput) (Payment, smartro.Form, error) {
	o, err := s.Store.OrderByToken(ctx, token)
	if err != nil {
		return Payment{}, smartro.Form{}, err
	}
	c, err := s.contractOf(ctx, s.Store, o.MID, o.Mode)
	if err != nil {
		return Payment{}, smartro.Form{}, err
	}
	m := c.Merchant
	info, err := s.Info(ctx)
	if err != nil {
		return Payment{}, smartro.Form{}, err
	}
	var p Payment
	var form smartro.Form
	err = s.Store.Update(ctx, func(tx Tx) error {
		o, err := tx.LockOrder(ctx, o.No)
		if err != nil {
			return err
		}
		ps, err := tx.PaymentsOf(ctx, o.No)
		if err != nil {
			return err
		}
		if err := payable(o, ps, s.latest()); err != nil {
			return err
		}
		epoch, err := epochOf(ctx, tx)
		if err != nil {
			return err
		}
		if p, err = s.attempt(m, &o, epoch, in); err != nil {
			return err
		}
		if form, err = s.form(m, o, p, in, info.Digital); err != nil {
			return err
		}
		p.GoodsName, p.KeyVersion = form.Get("GoodsName"), c.keyN()
		if err := tx.CreatePayment(ctx, p); err != nil {
			return err
		}
		if err := tx.SaveOrder(ctx, o); err != nil {
			return err
		}
		p, err = s.record(ctx, tx, p, Input{
			Kind: FormServed, Level: T0, At: s.Now(), Amount: p.Amount, Text: notes(form),
			Detail: Detail{VbankDue: p.VbankDue, KeyVersion: p.KeyVersion},
		})
		if err != nil {
			return err
		}
		return s.expireLater(ctx, tx, p)
	})
	if err != nil {
		return Payment{}, smartro.Form{}, err
	}
	// crash point: payment opened, form not served
	s.changed(o.No)
	return p, form, nil
}

// payable refuses a second window for money that came, may have come, or is no longer wanted.
func payable(o Order, ps []Payment, now time.Time) error {
	if o.Erased || o.Subscription != "" { // what a subscription owes is charged, never paid in a window beside it
		return fmt.Errorf("order %s: %w", o.No, ErrClosed)
	}
	switch st, _ := buyerStatus(o, ps, now); st {
	case BuyerOpen, BuyerOpened, BuyerDeclined, BuyerStopped:
		return nil
	case BuyerExpired, BuyerClosed, BuyerCancelled:
		return fmt.Errorf("order %s: %w", o.No, ErrClosed)
	case BuyerWaiting:
		return nil // an account that waits binds nobody: the buyer may pay by card instead
	}
	return fmt.Errorf("order %s: %w", o.No, ErrPaid)
}

// attempt makes the next payment of o and counts it.
func (s *Shop) attempt(m smartro.Merchant, o *Order, epoch Epoch, in PayInput) (Payment, error) {
	if !slices.Contains(methodsFor(m, *o), in.Method) {
		return Payment{}, &InputError{Field: "method", Code: "method", Value: string(in.Method)}
	}
	if in.Device != smartro.PC && in.Device != smartro.Mobile {
		return Payment{}, &InputError{Field: "device", Code: "device", Value: string(in.Device)}
	}
	fill := func(have *string, typed string) string {
		if *have == "" {
			*have = typed
		}
		return *have
	}
	name, tel, email, errs := readBuyer(fill(&o.BuyerName, in.BuyerName), fill(&o.BuyerTel, in.BuyerTel), fill(&o.BuyerEmail, in.BuyerEmail), true)
	if len(errs) > 0 {
		return Payment{}, errors.Join(errs...)
	}
	o.BuyerName, o.BuyerTel, o.BuyerEmail = name, tel, email
	if o.Attempts >= 99 {
		return Payment{}, fmt.Errorf("order %s: 99 attempts: %w", o.No, ErrClosed)
	}
	o.Attempts++
	now := s.Now()
	p := Payment{
		Moid:    epoch.moid(o.No, o.Attempts),
		OrderNo: o.No, MID: m.MID, Mode: m.Mode, Device: in.Device, Method: in.Method, EdiDate: now, Amount: o.Amount,
		BuyerName: name, BuyerTel: tel, BuyerEmail: email, ReturnToken: newToken(), State: New, Proof: ProofNone,
		OpenedAt: now, UpdatedAt: now,
	}
	if in.Method == smartro.Vbank {
		p.VbankDue = vbankDue(*o, now)
	}
	return p, nil
}

// vbankDays is how long a virtual account waits when the order has no due date of its own.
const vbankDays = 3

func vbankDue(o Order, now time.Time) time.Time {
	due := endOfDay(now.AddDate(0, 0, vbankDays))
	if !o.DueAt.IsZero() && o.DueAt.Before(due) {
		return o.DueAt
	}
	return due
}

// form makes the signed form. The return token goes along twice, in the URL and in MallReserved: it says which
// page to show, and proves nothing.
func (s *Shop) form(m smartro.Merchant, o Order, p Payment, in PayInput, digital bool) (smartro.Form, error) {
	class := "1"
	if digital {
		class = "0"
	}
	r := smartro.PayRequest{
		Device: p.Device, Method: p.Method, Moid: p.Moid, Amt: p.Amount, GoodsName: o.Goods, GoodsCnt: o.GoodsCnt,
		BuyerName: p.BuyerName, BuyerTel: p.BuyerTel, BuyerEmail: p.BuyerEmail,
		ReturnURL: s.PublicURL + "/smartro/return?t=" + p.ReturnToken,
		UserIP:    in.UserIP, MallIP: s.MallIP, EdiDate: p.EdiDate, MallReserved: "rt=" + p.ReturnToken,
		MallUserID: string(o.No),
	}
	switch p.Method {
	case smartro.Vbank:
		r.VbankExpDate = p.VbankDue
	case smartro.Cellphone:
		r.GoodsCl = class
	}
	if p.Device == smartro.Mobile {
		r.StopURL = s.PublicURL + "/smartro/stop?t=" + p.ReturnToken
	}
	return s.Gateway(m).PayForm(r)
}

// notes says what the form had to change of what was typed, for the timeline.
func notes(f smartro.Form) string {
	var list []string
	for _, n := range f.Notes {
		list = append(list, fmt.Sprintf("%s %s: %s", n.Field, n.Kind, n.Detail))
	}
	return strings.Join(list, "; ")
}
