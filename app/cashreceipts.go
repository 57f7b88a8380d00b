package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gage/smartro"
)

// CashReceiptInput is a cash receipt as a person asks for it.
type CashReceiptInput struct {
	Key      string // one-time key of the form: the same key is the same receipt
	Payment  Moid   // empty: stand-alone
	Purpose  smartro.CashReceiptPurpose
	Identity string // as typed; nothing for a self-issued one

	// Of a stand-alone one:
	Amount, TaxFree Won
	Goods           string
	Name            string // may be empty

	// Of one that was issued by hand at the gateway's site:
	Number string // approval number
	Date   string // yyyy-mm-dd, Korean day
}

// NewReceiptKey is the one-time key of a form that asks for a receipt.
func NewReceiptKey() string { return newToken() }

// IssueCashReceipt asks the gateway for a receipt: it is written down durably, sent once, and settled by what is answered.
// It waits for the answer for CancelWait at most; what it returns says how far the receipt is. The same Key again is the
// same receipt: nothing is sent a second time.
//
// ErrReceiptByHand: nobody has the gateway's word for the call yet. ErrReceiptThere, ErrReceiptNotCash, ErrNotPaid,
// ErrFrozen and joined *InputError are refusals before anything was sent, too.
func (s *Shop) IssueCashReceipt(ctx context.Context, actor Staff, in CashReceiptInput) (CashReceipt, error) {
	c, fresh, err := s.writeReceipt(ctx, actor, in, ReceiptByCall)
	if err != nil || !fresh {
		return c, err
	}
	// crash point: cash receipt requested, not sent
	s.receiptChanged(c)
	s.callAndWait(ctx, func(call context.Context) { s.sendReceipt(call, c.ID) })
	return s.Store.CashReceipt(context.WithoutCancel(ctx), c.ID)
}

// RecordCashReceipt writes down a receipt that a person issued at the gateway's site.
func (s *Shop) RecordCashReceipt(ctx context.Context, actor Staff, in CashReceiptInput) (CashReceipt, error) {
	c, _, err := s.writeReceipt(ctx, actor, in, ReceiptByHand)
	if err == nil {
		s.receiptChanged(c)
	}
	return c, err
}

// writeReceipt records a receipt before anybody outside hears of it.
func (s *Shop) writeReceipt(ctx context.Context, actor Staff, in CashReceiptInput, source ReceiptSource) (c CashReceipt, fresh bool, err error) {
	if err := actor.must(RightIssueCashReceipts); err != nil {
		return c, false, err
	}
	if len(in.Key) < 16 || len(in.Key) > 64 || !isID(in.Key) {
		return c, false, &InputError{Field: "key", Code: "required"}
	}
	first := Payment{}
	if in.Payment != "" {
		if first, err = s.Store.Payment(ctx, in.Payment); err != nil {
			return c, false, err
		}
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		fresh = false
		if first.OrderNo != "" {
			if _, err := tx.LockOrder(ctx, first.OrderNo); err != nil {
				return err
			}
		}
		if c, err = tx.CashReceipt(ctx, in.Key); !errors.Is(err, ErrNotFound) {
			if err == nil && c.Payment != in.Payment {
				return fmt.Errorf("key of another receipt: %w", ErrConflict)
			}
			return err
		}
		if c, err = s.newReceipt(ctx, tx, in, source); err != nil {
			return err
		}
		c.By, fresh = actor.ID, true
		return s.createReceipt(ctx, tx, c, Input{Level: T4, Actor: actor.ID})
	})
	return c, fresh, err
}

// newReceipt checks what a person asks for, under the order's lock where there is one.
func (s *Shop) newReceipt(ctx context.Context, tx Tx, in CashReceiptInput, source ReceiptSource) (c CashReceipt, err error) {
	rules, err := s.receiptRules(ctx, tx)
	if err != nil {
		return c, err
	}
	c = CashReceipt{ID: in.Key, Payment: in.Payment, Source: source, CreatedAt: s.Now(), State: ReceiptStateRequested}
	var errs []error
	m := smartro.Merchant{}
	if in.Payment != "" {
		m, err = s.ofPayment(ctx, tx, &c, rules)
	} else {
		m, err = s.standAlone(ctx, tx, &c, in, rules, &errs)
	}
	if err != nil {
		return c, err
	}
	if c.Purpose, err = smartro.ParseCashReceiptPurpose(string(in.Purpose)); err != nil {
		errs = append(errs, &InputError{Field: "purpose", Code: "required"})
	} else if c.Identity, err = smartro.ParseIdentity(c.Purpose, in.Identity); err != nil && (source == ReceiptByCall || strings.TrimSpace(in.Identity) != "") {
		errs = append(errs, &InputError{Field: "identity", Code: identityFault(c.Purpose)})
	}
	if source == ReceiptByHand {
		c.State = ReceiptStateIssued
		c.Number, c.IssuedAt = readNumber(in.Number, "number", true, &errs), s.readReceiptDate(in.Date, &errs)
		return c, errors.Join(errs...)
	}
	if err := notFrozen(ctx, tx); err != nil {
		return c, err
	}
	if !m.CashReceipt.Confirmed {
		return c, ErrReceiptByHand
	}
	c.Moid = newReceiptMoid()
	return c, errors.Join(errs...)
}

// identityFault names what is wanted of the number for a purpose.
func identityFault(p smartro.CashReceiptPurpose) string {
	switch p {
	case smartro.ExpenseProof:
		return "identity_business"
	case smartro.SelfIssued:
		return "identity_self"
	}
	return "identity_person"
}

// newReceiptMoid is the order ID of a receipt's own call. No payment's looks like it.
func newReceiptMoid() Moid { return Moid("CR" + speakableText(12)) }

// ofPayment fills in what a payment's receipt takes over from it.
func (s *Shop) ofPayment(ctx context.Context, tx Tx, c *CashReceipt, rules ReceiptRules) (m smartro.Merchant, err error) {
	p, err := tx.Payment(ctx, c.Payment)
	if err != nil {
		return m, err
	}
	if err := receiptable(p); err != nil {
		return m, err
	}
	o, err := tx.Order(ctx, p.OrderNo)
	if err != nil {
		return m, err
	}
	list, err := tx.CashReceiptsOf(ctx, p.OrderNo)
	if err != nil {
		return m, err
	}
	if liveOf(list, p.Moid) != nil {
		return m, fmt.Errorf("payment %s: %w", p.Moid, ErrReceiptThere)
	}
	c.OrderNo, c.MID, c.Mode, c.Goods, c.Name, c.Tel = p.OrderNo, p.MID, p.Mode, o.Goods, p.BuyerName, p.BuyerTel
	c.split(p.CashNet(), o, rules.Rounding)
	return s.merchantOf(ctx, tx, p.MID, p.Mode)
}

// receiptable refuses payments that get no cash receipt.
func receiptable(p Payment) error {
	switch {
	case p.Erased:
		return fmt.Errorf("cash receipt of %s: %w", p.Moid, ErrErased)
	case !CashLike(p.Method):
		return fmt.Errorf("cash receipt of %s, paid by %s: %w", p.Moid, p.Method, ErrReceiptNotCash)
	case p.State != Paid && p.State != PartlyCancelled || p.CashNet() <= 0:
		return fmt.Errorf("cash receipt of %s: it is %s: %w", p.Moid, p.State, ErrNotPaid)
	}
	return nil
}

// standAlone fills in what a person typed.
func (s *Shop) standAlone(ctx context.Context, tx Tx, c *CashReceipt, in CashReceiptInput, rules ReceiptRules, errs *[]error) (smartro.Merchant, error) {
	all, err := s.contracts(ctx, tx)
	if err != nil || len(all) == 0 {
		return smartro.Merchant{}, errors.Join(err, ErrNoGateway)
	}
	bad := func(field, code string) { *errs = append(*errs, &InputError{Field: field, Code: code}) }
	c.MID, c.Mode = all[0].MID, all[0].Mode
	c.Goods, c.Name = strings.Join(strings.Fields(in.Goods), " "), strings.Join(strings.Fields(in.Name), " ")
	switch {
	case c.Goods == "":
		bad("goods", "required")
	case utf8.RuneCountInString(c.Goods) > 100 || !utf8.ValidString(c.Goods):
		bad("goods", "too_long")
	}
	if len(c.Name) > 30 || !utf8.ValidString(c.Name) {
		bad("buyer_name", "too_long")
	}
	if in.Amount < 1 || in.Amount > MaxAmount {
		bad("amount", "range")
		in.Amount, in.TaxFree = 1, 0
	}
	if in.TaxFree < 0 || in.TaxFree > in.Amount {
		bad("tax_free", "range")
		in.TaxFree = 0
	}
	c.Amount, c.TaxFree = in.Amount, in.TaxFree
	c.Supply, c.VAT = smartro.SplitVAT(c.Amount, c.TaxFree, rules.Rounding)
	return all[0].Merchant, nil
}

// readNumber reads an approval or cancel number of the gateway's.
func readNumber(s, field string, need bool, errs *[]error) string {
	s = strings.ToUpper(strings.TrimSpace(s))
	if s == "" && !need {
		return ""
	}
	if s == "" || len(s) > 20 || !isID(s) {
		*errs = append(*errs, &InputError{Field: field, Code: "number"})
	}
	return s
}

// readReceiptDate reads a Korean day that is not to come.
func (s *Shop) readReceiptDate(text string, errs *[]error) time.Time {
	day, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(text), KST)
	if err != nil || day.After(s.Now()) || day.Before(s.Now().AddDate(-RetentionYears, 0, 0)) {
		*errs = append(*errs, &InputError{Field: "date", Code: "past_date"})
	}
	return day.UTC()
}

// createReceipt stores a receipt, and what it owes: the event of its payment, and the job that sends it if nobody does.
func (s *Shop) createReceipt(ctx context.Context, tx Tx, c CashReceipt, in Input) error {
	if err := tx.CreateCashReceipt(ctx, c); err != nil {
		return err
	}
	in.Kind = ReceiptAsked
	if c.State == ReceiptStateIssued {
		in.Kind, in.Code = ReceiptIssued, c.Number
		in.EffectKey = receiptKey(c)
	}
	if err := s.receiptEvent(ctx, tx, c, in); err != nil || c.State != ReceiptStateRequested {
		return err
	}
	return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobCashReceipt, Ref: c.ID, DueAt: c.CreatedAt.Add(pickUpAfter), CreatedAt: c.CreatedAt})
}

// pickUpAfter is how long whoever asked for a receipt has to send it before a job does.
const pickUpAfter = 15 * time.Second

// receiptKey names the issuing of a receipt among the effects (E4).
func receiptKey(c CashReceipt) string { return "receipt|" + c.ID }

// receiptEvent writes what happened to a receipt into its payment's story. That of a stand-alone one is the receipt itself,
// for whose states the log vouches.
func (s *Shop) receiptEvent(ctx context.Context, tx Tx, c CashReceipt, in Input) error {
	if c.Payment == "" {
		return nil
	}
	p, err := tx.Payment(ctx, c.Payment)
	if err != nil {
		return err
	}
	in.At, in.TID, in.Amount, in.CancelID = s.Now(), c.TID, c.Amount, c.ID
	_, err = s.record(ctx, tx, p, in)
	return err
}

// lockReceipt locks a receipt, and its order before it.
func lockReceipt(ctx context.Context, tx Tx, c CashReceipt) (CashReceipt, error) {
	if c.OrderNo != "" {
		if _, err := tx.LockOrder(ctx, c.OrderNo); err != nil {
			return c, err
		}
	}
	return tx.LockCashReceipt(ctx, c.ID)
}

// receiptChanged tells whoever watches the order.
func (s *Shop) receiptChanged(c CashReceipt) {
	if c.OrderNo != "" {
		s.changed(c.OrderNo)
	}
}

// CashReceipt reads one receipt.
func (s *Shop) CashReceipt(ctx context.Context, id string) (CashReceipt, error) {
	return s.Store.CashReceipt(ctx, id)
}

// CashReceipts lists receipts, newest first. ErrBadInput: q.After is no place in the list.
func (s *Shop) CashReceipts(ctx context.Context, q CashReceiptQuery) ([]CashReceipt, error) {
	if !isID(q.After.ID) {
		return nil, fmt.Errorf("cursor %q: %w", q.After.ID, ErrBadInput)
	}
	return s.Store.CashReceipts(ctx, q)
}

// ReceiptNeeds lists the payments that need a receipt and have none, the oldest first.
func (s *Shop) ReceiptNeeds(ctx context.Context, after Cursor, limit int) ([]ReceiptNeed, error) {
	if !isID(after.ID) {
		return nil, fmt.Errorf("cursor %q: %w", after.ID, ErrBadInput)
	}
	return s.Store.ReceiptNeeds(ctx, time.Time{}, after, limit)
}

// receiptHands are the receipts and the payments without one that need a person's hand now.
func (s *Shop) receiptHands(ctx context.Context, now time.Time) ([]CashReceipt, []ReceiptNeed, error) {
	list, err := s.Store.CashReceipts(ctx, CashReceiptQuery{Unknown: true, Limit: 100})
	if err != nil {
		return nil, nil, err
	}
	amiss, err := s.Store.CashReceipts(ctx, CashReceiptQuery{Amiss: true, Limit: 100})
	if err != nil {
		return nil, nil, err
	}
	for _, c := range amiss {
		if c.State == ReceiptStateIssued {
			list = append(list, c)
		}
	}
	needs, err := s.Store.ReceiptNeeds(ctx, startOfDay(now).AddDate(0, 0, 1-ReceiptRemindDay), Cursor{}, 100)
	return list, needs, err
}
