package app

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxAmount is the largest order in won: the wire has 12 digits, and nobody sells a shop for more.
const MaxAmount Won = 999_999_999_999

// OrderInput is a payment request as staff type it.
type OrderInput struct {
	Goods                           string
	GoodsCnt                        int
	Amount, TaxFree                 Won
	BuyerName, BuyerTel, BuyerEmail string   // may be empty: then the buyer is asked
	Methods                         []Method // empty: all that the MID may use
	DueDate                         string   // yyyy-mm-dd, Korean; payable until the end of that day; empty: no end
}

// CreateOrder makes a payment request. The zero Staff is the sample checkout. Faults are joined *InputError.
func (s *Shop) CreateOrder(ctx context.Context, actor Staff, in OrderInput) (Order, error) {
	if actor.ID != "" {
		if err := actor.must(RightRequestPayments); err != nil {
			return Order{}, err
		}
	}
	m, err := s.Merchant(ctx)
	if err != nil {
		return Order{}, err
	}
	o, err := s.readOrder(in)
	if err != nil {
		return Order{}, err
	}
	o.MID, o.Mode, o.CreatedBy = m.MID, m.Mode, actor.ID
	for range 5 { // the number is random: taken once in a lifetime, five times never
		o.No, o.Token = newOrderNo(), newToken()
		err = s.Store.Update(ctx, func(tx Tx) error { return tx.CreateOrder(ctx, o) })
		if !errors.Is(err, ErrConflict) {
			break
		}
	}
	return o, err
}

func (s *Shop) readOrder(in OrderInput) (Order, error) {
	goods, errs := readGoods(in.Goods, in.Amount, in.TaxFree)
	if in.GoodsCnt == 0 {
		in.GoodsCnt = 1
	}
	if in.GoodsCnt < 1 || in.GoodsCnt > 99 {
		errs = append(errs, &InputError{Field: "goods_cnt", Code: "range", Value: fmt.Sprint(in.GoodsCnt)})
	}
	name, tel, email, more := readBuyer(in.BuyerName, in.BuyerTel, in.BuyerEmail, false)
	errs = append(errs, more...)
	due, err := readDueDate(in.DueDate, s.Now())
	if err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return Order{}, errors.Join(errs...)
	}
	o := Order{
		Goods: goods, GoodsCnt: in.GoodsCnt, Amount: in.Amount, TaxFree: in.TaxFree,
		VAT:       (in.Amount - in.TaxFree) / 11, // contained in the price, rounded down (cash-receipt §4)
		BuyerName: name, BuyerTel: tel, BuyerEmail: email,
		Methods: slices.Clone(in.Methods), DueAt: due, CreatedAt: s.Now(), State: OrderOpen,
	}
	return o, nil
}

// readGoods cleans the name of what is sold and checks its price; the part that is free of tax is within it.
func readGoods(name string, amount, taxFree Won) (goods string, errs []error) {
	bad := func(field, code, value string) {
		errs = append(errs, &InputError{Field: field, Code: code, Value: value})
	}
	goods = strings.TrimSpace(name)
	switch {
	case goods == "":
		bad("goods", "required", "")
	case utf8.RuneCountInString(goods) > 100 || !utf8.ValidString(goods):
		bad("goods", "too_long", goods)
	}
	if amount < 1 || amount > MaxAmount {
		bad("amount", "range", amount.String())
	}
	if taxFree < 0 || taxFree > amount {
		bad("tax_free", "range", taxFree.String())
	}
	return goods, errs
}

// maxBuyerName is the most characters that a buyer's name may have with us. The gateway takes 30 bytes; the form cuts it.
const maxBuyerName = 60

// readBuyer cleans a buyer's fields; need says that none may be empty.
func readBuyer(name, tel, email string, need bool) (n, t, e string, errs []error) {
	bad := func(field, code, value string) {
		errs = append(errs, &InputError{Field: field, Code: code, Value: value})
	}
	n, e = strings.Join(strings.Fields(name), " "), strings.TrimSpace(email)
	t = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, tel)
	if rest, ok := strings.CutPrefix(strings.TrimSpace(tel), "+82"); ok && strings.HasPrefix(t, "82") {
		t = "0" + strings.TrimLeft(strings.TrimPrefix(t, "82"), "0")
		tel = rest
	}
	switch {
	case n == "" && need:
		bad("buyer_name", "required", "")
	case utf8.RuneCountInString(n) > maxBuyerName || !utf8.ValidString(n):
		bad("buyer_name", "too_long", n)
	}
	switch {
	case t == "" && (need || strings.TrimSpace(tel) != ""), strings.Trim(tel, "0123456789-+()., ") != "":
		bad("buyer_tel", "tel", tel)
	case t != "" && (len(t) < 8 || len(t) > 15):
		bad("buyer_tel", "tel", tel)
	}
	if e == "" && need {
		bad("buyer_email", "required", "")
	} else if e != "" {
		if a, err := mail.ParseAddress(e); err != nil || a.Address != e || len(e) > 60 || !plainMail(e) {
			bad("buyer_email", "email", e)
		}
	}
	return n, t, e, errs
}

// plainMail holds the characters that the gateway's mobile form allows in an address (weblink §2.1).
func plainMail(s string) bool {
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-@.") == ""
}

// readDueDate is the last moment of that Korean day.
func readDueDate(text string, now time.Time) (time.Time, error) {
	if strings.TrimSpace(text) == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(text), KST)
	if err != nil {
		return time.Time{}, &InputError{Field: "due_date", Code: "date", Value: text}
	}
	end := endOfDay(day)
	if end.Before(now) {
		return time.Time{}, &InputError{Field: "due_date", Code: "past", Value: text}
	}
	return end, nil
}

// endOfDay is 23:59:59 KST of t's Korean day, in UTC.
func endOfDay(t time.Time) time.Time {
	y, m, d := t.In(KST).Date()
	return time.Date(y, m, d, 23, 59, 59, 0, KST).UTC()
}

// Orders lists payment requests, newest first. ErrBadInput: q.After is no place in the list.
func (s *Shop) Orders(ctx context.Context, q OrderQuery) ([]Order, error) {
	if !isID(q.After.ID) {
		return nil, fmt.Errorf("cursor %q: %w", q.After.ID, ErrBadInput)
	}
	return s.Store.Orders(ctx, q)
}

// Order reads one payment request.
func (s *Shop) Order(ctx context.Context, no OrderNo) (Order, error) { return s.Store.Order(ctx, no) }

// PayLink is the address that the buyer gets.
func (s *Shop) PayLink(o Order) string { return s.PublicURL + "/pay/" + o.Token }

// CloseOrder withdraws a request that nobody paid. ErrPaid: money came, or may be on its way.
func (s *Shop) CloseOrder(ctx context.Context, actor Staff, no OrderNo) error {
	if err := actor.must(RightRequestPayments); err != nil {
		return err
	}
	err := s.Store.Update(ctx, func(tx Tx) error {
		o, err := tx.LockOrder(ctx, no)
		if err != nil {
			return err
		}
		if o.State != OrderOpen && o.State != OrderClosed {
			return fmt.Errorf("order %s is %s: %w", no, o.State, ErrPaid)
		}
		if o.State == OrderClosed {
			return nil
		}
		o.ClosedAt, o.State = s.Now(), OrderClosed
		if err := tx.SaveOrder(ctx, o); err != nil {
			return err
		}
		return s.tell(ctx, tx, no, nil, NewsClosed, o.ClosedAt)
	})
	if err == nil {
		s.changed(no)
	}
	return err
}
