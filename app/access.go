package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"gage/smartro"
)

// Access is one line of the record of who looked at whose data, came in, or changed what others may do. It is
// append-only, and each line's digest stands in the event log.
type Access struct {
	ID      string
	At      time.Time
	Kind    AccessKind
	StaffID string
	Peer    string  // the address that they acted from; empty: a command on the server
	OrderNo OrderNo // whose data; empty: no buyer's
	Subject string  // Moid, message ID, staff ID or address of a sender
	Reason  Reason  // why somebody's data was looked at
	Words   string  // in their own words; sealed
}

// AccessKind says what somebody did.
type AccessKind string

// What is recorded.
const (
	SawBuyer         AccessKind = "saw_buyer"
	SawMessage       AccessKind = "saw_message"
	SawReceipt       AccessKind = "saw_receipt"
	SawSubscriber    AccessKind = "saw_subscriber"
	SawCashReceipt   AccessKind = "saw_cash_receipt" // one of its own, not its payment's
	SignedIn         AccessKind = "signed_in"
	TypedAgain       AccessKind = "typed_again" // the password, before something that matters
	LockedOut        AccessKind = "locked_out"  // too many wrong passwords
	EndedSessions    AccessKind = "ended_sessions"
	InvitedStaff     AccessKind = "invited_staff"
	SetPassword      AccessKind = "set_password" // by a one-time link
	ResetStaff       AccessKind = "reset_staff"
	DisabledStaff    AccessKind = "disabled_staff"
	EnabledStaff     AccessKind = "enabled_staff"
	ChangedGateway   AccessKind = "changed_gateway"
	ChangedKey       AccessKind = "changed_key" // of the contract: another began
	StoppedKey       AccessKind = "stopped_key" // a replaced one is not believed any more
	JudgedAgain      AccessKind = "judged_again"
	ReviewedAccesses AccessKind = "reviewed_accesses" // of a month, which is the subject
	SawMisfits       AccessKind = "saw_misfits"       // what came on the gateway's way and fits nothing
	ChangedKeyRing   AccessKind = "changed_key_ring"  // the key that seals the records
	ChangedNotice    AccessKind = "changed_notice"
	DecidedSender    AccessKind = "decided_sender"
	ChangedHook      AccessKind = "changed_hook"
	ChangedShop      AccessKind = "changed_shop"

	ChangedCancelRules  AccessKind = "changed_cancel_rules"
	ChangedReceiptRules AccessKind = "changed_receipt_rules"

	ExportedPayments AccessKind = "exported_payments"
	ExportedAccesses AccessKind = "exported_accesses"
	AppliedImport    AccessKind = "applied_import"
)

// AccessKinds are the kinds, those that look at somebody first.
func AccessKinds() []AccessKind {
	return []AccessKind{
		SawBuyer, SawMessage, SawReceipt, SawCashReceipt, SawSubscriber, ExportedPayments, ExportedAccesses, AppliedImport, SignedIn, TypedAgain, LockedOut, EndedSessions,
		InvitedStaff, SetPassword, ResetStaff, DisabledStaff, EnabledStaff, ChangedGateway, ChangedNotice, DecidedSender, ChangedHook,
		ChangedKey, StoppedKey, JudgedAgain, SawMisfits, ReviewedAccesses, ChangedKeyRing,
		ChangedRole, AddedSecond, DroppedSecond, ResetSecond, NewRecoveryCodes, ChangedSecondRule, ChangedLimits,
		SignedInByPasskey, ShowedPasskey, AddedPasskey, DroppedPasskey, AskedAccount,
		ChangedShop, ChangedCancelRules, ChangedReceiptRules,
	}
}

// Reason is why somebody's data is looked at.
type Reason string

// The reasons to choose from. ReasonOther needs words.
const (
	ReasonCall    Reason = "call"    // the buyer asks
	ReasonCancel  Reason = "cancel"  // a cancel or a refund
	ReasonDeposit Reason = "deposit" // whose deposit is it
	ReasonCheck   Reason = "check"   // something does not agree
	ReasonDemand  Reason = "demand"  // an authority or a card company asks
	ReasonBooks   Reason = "books"   // the shop's own books and taxes: of an export only
	ReasonOther   Reason = "other"
)

// Reasons are the reasons in the order in which they are offered.
func Reasons() []Reason {
	return []Reason{ReasonCall, ReasonCancel, ReasonDeposit, ReasonCheck, ReasonDemand, ReasonOther}
}

// Why is a reason as a person gives it.
type Why struct {
	Reason Reason
	Words  string // optional, except for ReasonOther
}

func (w Why) read() (Why, error) {
	w.Words = strings.Join(strings.Fields(w.Words), " ")
	known := false
	for _, r := range append(Reasons(), ReasonBooks) {
		known = known || r == w.Reason
	}
	switch {
	case !known:
		return w, &InputError{Field: "reason", Code: "required"}
	case w.Reason == ReasonOther && w.Words == "":
		return w, &InputError{Field: "words", Code: "required"}
	case utf8.RuneCountInString(w.Words) > 200 || !utf8.ValidString(w.Words):
		return w, &InputError{Field: "words", Code: "too_long", Value: w.Words}
	}
	return w, nil
}

// AccessQuery asks for a page of the record, newest first. Empty fields ask for everything.
type AccessQuery struct {
	StaffID  string
	OrderNo  OrderNo
	Kinds    []AccessKind
	From, To time.Time // from, and before
	After    Cursor
	Limit    int
}

// Accesses reads the record.
func (s *Shop) Accesses(ctx context.Context, actor Staff, q AccessQuery) ([]Access, error) {
	if err := actor.must(RightSeeAudit); err != nil {
		return nil, err
	}
	return s.Store.Accesses(ctx, q)
}

// note writes one line in the transaction of what it tells.
func (s *Shop) note(ctx context.Context, tx Tx, actor Staff, a Access) error {
	a.ID, a.At, a.StaffID = newToken(), s.Now(), actor.ID
	if actor.From.IsValid() {
		a.Peer = actor.From.Unmap().String()
	}
	return tx.AddAccess(ctx, a)
}

// look records that somebody looks at something, before it is shown: what can't be recorded is not shown.
func (s *Shop) look(ctx context.Context, actor Staff, why Why, a Access) error {
	if err := actor.must(RightSeeBuyers); err != nil {
		return err
	}
	a.Reason, a.Words = why.Reason, why.Words
	return s.Store.Update(Essential(ctx), func(tx Tx) error { return s.note(ctx, tx, actor, a) })
}

// SeeBuyer records that a person looks at a payment's buyer, and why.
func (s *Shop) SeeBuyer(ctx context.Context, actor Staff, moid Moid, why Why) error {
	p, err := s.Store.Payment(ctx, moid)
	if err != nil {
		return err
	}
	if why, err = why.read(); err != nil {
		return err
	}
	return s.look(ctx, actor, why, Access{Kind: SawBuyer, OrderNo: p.OrderNo, Subject: string(moid)})
}

// SeeMessage records that a person looks at a message as it came, and why.
func (s *Shop) SeeMessage(ctx context.Context, actor Staff, id string, why Why) error {
	m, err := s.Store.Message(ctx, id)
	if err != nil {
		return err
	}
	if why, err = why.read(); err != nil {
		return err
	}
	return s.look(ctx, actor, why, Access{Kind: SawMessage, OrderNo: m.OrderNo, Subject: id})
}

// SeeReceipt records that a person opens a payment's receipt, and returns the address of the gateway's page.
// ErrNotFound: there is none.
func (s *Shop) SeeReceipt(ctx context.Context, actor Staff, moid Moid, kind smartro.ReceiptKind) (string, error) {
	st, err := s.Story(ctx, moid)
	if err != nil {
		return "", err
	}
	url := st.ReceiptURL
	if kind == smartro.CashReceiptSlip {
		url = st.CashReceiptURL
	}
	if url == "" {
		return "", fmt.Errorf("receipt of %s: %w", moid, ErrNotFound)
	}
	return url, s.look(ctx, actor, Why{}, Access{Kind: SawReceipt, OrderNo: st.Order.No, Subject: string(moid)})
}

// SeeCashReceipt records that a person opens a receipt that our call issued, and returns the address of the gateway's page.
// ErrNotFound: there is none.
func (s *Shop) SeeCashReceipt(ctx context.Context, actor Staff, id string) (string, error) {
	c, err := s.Store.CashReceipt(ctx, id)
	if err != nil {
		return "", err
	}
	url, err := s.receiptPage(ctx, s.Store, c)
	if err != nil || url == "" {
		return "", errors.Join(err, fmt.Errorf("slip of cash receipt %s: %w", id, ErrNotFound))
	}
	return url, s.look(ctx, actor, Why{}, Access{Kind: SawCashReceipt, OrderNo: c.OrderNo, Subject: id})
}

// receiptPage is the gateway's page of a receipt; empty: it has none.
func (s *Shop) receiptPage(ctx context.Context, r Reader, c CashReceipt) (string, error) {
	tid := c.TID
	if c.Source == ReceiptByWindow {
		p, err := r.Payment(ctx, c.Payment)
		if err != nil {
			return "", err
		}
		tid = p.TID
	}
	if tid == "" {
		return "", nil
	}
	m, err := s.merchantOf(ctx, r, c.MID, c.Mode)
	if err != nil {
		return "", err
	}
	return s.Gateway(m).ReceiptURL(tid, smartro.CashReceiptSlip), nil
}

// lockedOut records that an account was locked just now. It looks at the count whoever's name was typed, so that a
// name nobody has costs the same.
func (s *Shop) lockedOut(ctx context.Context, p Staff, account string, peer netip.Addr) error {
	p.From = peer
	return s.Store.Update(ctx, func(tx Tx) error {
		n, err := tx.Attempts(ctx, account, s.Now().Add(-failWindow))
		if err != nil || n < maxFailures || p.ID == "" {
			return err
		}
		return s.note(ctx, tx, p, Access{Kind: LockedOut, Subject: p.ID})
	})
}
