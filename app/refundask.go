package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// RefundAsk asks a buyer, by a link of its own, for the account that a deposit is paid back to.
type RefundAsk struct {
	ID        string
	OrderNo   OrderNo
	Moid      Moid
	By        string // staff ID of who asked
	State     RefundAskState
	CreatedAt time.Time
	ExpiresAt time.Time // the link opens nothing from then on
	EnteredAt time.Time
	Erased    bool // what is below was destroyed after its term

	Token   string // of the link; sealed at rest, and found by its digest
	Account RefundAccount
}

// RefundAccount is where a deposit goes back to; sealed at rest.
type RefundAccount struct {
	Bank   string // code, 3 digits
	Number string // digits
	Holder string
}

// RefundAskState says how far it is.
type RefundAskState string

// The states.
const (
	RefundAsked   RefundAskState = "asked"
	RefundEntered RefundAskState = "entered" // by the buyer: the shop's turn
	RefundUsed    RefundAskState = "used"    // a cancel was asked for with it
	RefundEnded   RefundAskState = "ended"   // another one took its place
)

// AskedAccount is the access record's word for it.
const AskedAccount AccessKind = "asked_account"

// The terms of a link and of what comes by it.
const (
	refundAskFor  = 7 * 24 * time.Hour
	refundKept    = 30 * 24 * time.Hour // after the refund
	refundKeptMax = 90 * 24 * time.Hour // after it was entered, whatever becomes of it
)

// read checks an account as somebody typed it. Faults are joined *InputError.
func (a RefundAccount) read() (RefundAccount, error) {
	var errs []error
	a = RefundAccount{strings.TrimSpace(a.Bank), digitsOf(a.Number), strings.Join(strings.Fields(a.Holder), " ")}
	if len(a.Bank) != 3 || digitsOf(a.Bank) != a.Bank {
		errs = append(errs, &InputError{Field: "refund_bank", Code: "required"})
	}
	if len(a.Number) < 8 || len(a.Number) > 16 {
		errs = append(errs, &InputError{Field: "refund_acct", Code: "account"})
	}
	if a.Holder == "" || strings.ContainsFunc(a.Holder, unicode.IsControl) || utf8.RuneCountInString(a.Holder) > 10 || !utf8.ValidString(a.Holder) {
		errs = append(errs, &InputError{Field: "refund_name", Code: "required"})
	}
	return a, errors.Join(errs...)
}

// RefundLink is the address at which the buyer enters the account.
func (s *Shop) RefundLink(a RefundAsk) string { return s.PublicURL + "/refund/" + a.Token }

// AskRefundAccount makes a link for the buyer of a payment whose deposit can only be paid back to an account. An older
// link opens nothing from now on. ErrNotPaid: nothing is to be paid back to an account.
func (s *Shop) AskRefundAccount(ctx context.Context, actor Staff, moid Moid) (RefundAsk, error) {
	if err := actor.must(RightCancel); err != nil {
		return RefundAsk{}, err
	}
	plan, err := s.PrepareCancel(ctx, moid)
	if err != nil {
		return RefundAsk{}, err
	}
	if !plan.NeedsRefundAccount {
		return RefundAsk{}, fmt.Errorf("refund account of %s: %w", moid, ErrNotPaid)
	}
	now := s.Now()
	a := RefundAsk{
		ID: newToken(), OrderNo: plan.Payment.OrderNo, Moid: moid, By: actor.ID, State: RefundAsked, CreatedAt: now,
		ExpiresAt: now.Add(refundAskFor), Token: newToken(),
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockOrder(ctx, a.OrderNo); err != nil {
			return err
		}
		list, err := tx.RefundAsks(ctx, moid)
		if err != nil {
			return err
		}
		for _, old := range list {
			if old.State != RefundAsked && old.State != RefundEntered {
				continue
			}
			old.State = RefundEnded
			if err := tx.SaveRefundAsk(ctx, old); err != nil {
				return err
			}
		}
		return errors.Join(tx.CreateRefundAsk(ctx, a, digest([]byte(a.Token))),
			tx.AddJob(ctx, Job{ID: newToken(), Kind: JobForgetAccount, Ref: a.ID, DueAt: now.Add(refundKept), CreatedAt: now}),
			s.note(ctx, tx, actor, Access{Kind: AskedAccount, OrderNo: a.OrderNo, Subject: string(moid)}))
	})
	return a, err
}

// RefundAskOf is what became of asking the buyer last; nil: nobody asked.
func (s *Shop) RefundAskOf(ctx context.Context, moid Moid) (*RefundAsk, error) {
	list, err := s.Store.RefundAsks(ctx, moid)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[len(list)-1], nil
}

// RefundStory is what the buyer's page tells.
type RefundStory struct {
	RefundAsk
	Order   Order
	Payment Payment
	Shop    ShopInfo
}

// RefundByToken finds what a buyer's link asks for. ErrNotFound: there is no such link. ErrClosed: its time is over,
// another took its place, or the money is on its way.
func (s *Shop) RefundByToken(ctx context.Context, token string) (st RefundStory, err error) {
	if st.RefundAsk, err = s.Store.RefundAskByDigest(ctx, digest([]byte(token))); err != nil {
		return st, err
	}
	if st.Order, err = s.Store.Order(ctx, st.OrderNo); err != nil {
		return st, err
	}
	if st.Payment, err = s.Store.Payment(ctx, st.Moid); err != nil {
		return st, err
	}
	if st.Shop, err = s.Info(ctx); err != nil {
		return st, err
	}
	if st.Payment.Left() <= 0 {
		return st, fmt.Errorf("refund account %s: nothing is left: %w", st.ID, ErrClosed)
	}
	return st, st.open(s.Now())
}

// Usable says whether there is an account that a refund may go to: one that was used, too, for a cancel may be refused.
func (a RefundAsk) Usable() bool {
	return (a.State == RefundEntered || a.State == RefundUsed) && !a.Erased
}

// open says whether the link still opens something.
func (a RefundAsk) open(now time.Time) error {
	if a.State != RefundAsked && a.State != RefundEntered || a.Erased || a.State == RefundAsked && !now.Before(a.ExpiresAt) {
		return fmt.Errorf("refund account %s: it is %s: %w", a.ID, a.State, ErrClosed)
	}
	return nil
}

// EnterRefundAccount takes the buyer's account, once: whoever gets hold of the link later can't put another in its place.
// ErrConflict: one was entered. Faults are joined *InputError.
func (s *Shop) EnterRefundAccount(ctx context.Context, token string, in RefundAccount) error {
	st, err := s.RefundByToken(ctx, token)
	if err != nil {
		return err
	}
	account, err := in.read()
	if err != nil {
		return err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockOrder(ctx, st.OrderNo); err != nil {
			return err
		}
		a, err := tx.RefundAskByDigest(ctx, digest([]byte(token)))
		if err != nil {
			return err
		}
		if err := a.open(s.Now()); err != nil {
			return err
		}
		if a.State == RefundEntered {
			return fmt.Errorf("refund account %s: %w", a.ID, ErrConflict)
		}
		a.State, a.EnteredAt, a.Account = RefundEntered, s.Now(), account
		return tx.SaveRefundAsk(ctx, a)
	})
	if err == nil {
		s.changed(st.OrderNo)
	}
	return err
}

// withAsked fills in the account that the buyer entered, where a cancel names it. ErrConflict: it is not the one that
// stands now.
func withAsked(ctx context.Context, r Reader, moid Moid, in CancelInput) (CancelInput, error) {
	if in.RefundAsk == "" {
		return in, nil
	}
	list, err := r.RefundAsks(ctx, moid)
	if err != nil {
		return in, err
	}
	for _, a := range list {
		if a.ID == in.RefundAsk && a.Usable() {
			in.RefundBank, in.RefundAcct, in.RefundName = a.Account.Bank, a.Account.Number, a.Account.Holder
			return in, nil
		}
	}
	return in, fmt.Errorf("refund account %s of %s: %w", in.RefundAsk, moid, ErrConflict)
}

// useAsked notes that a cancel was asked for with the buyer's account.
func useAsked(ctx context.Context, tx Tx, moid Moid, in CancelInput) error {
	if in.RefundAsk == "" {
		return nil
	}
	list, err := tx.RefundAsks(ctx, moid)
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.ID == in.RefundAsk {
			a.State = RefundUsed
			return tx.SaveRefundAsk(ctx, a)
		}
	}
	return nil
}
