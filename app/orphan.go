package app

import (
	"cmp"
	"context"
	"errors"

	"gage/smartro"
)

// orphan keeps what the gateway itself says about an order that we don't know; a stranger's word is only stored. A claim
// on its TID is void: the gateway says that the transaction is none of that payment's.
func (s *Shop) orphan(ctx context.Context, tx Tx, rd reading, msg *Message) error {
	if unclear(rd, *msg) {
		return s.holdUnclear(ctx, tx, Payment{}, s.input(rd, Payment{}, *msg), msg)
	}
	if rd.kind == Stop || rd.kind == "" || msg.Level == T0 {
		return nil
	}
	if msg.Level == T1 {
		if msg.Verdict == VerdictClaim {
			msg.Verdict = VerdictUnknownOrder
		}
		return nil
	}
	msg.Verdict = VerdictUnknownOrder
	if rd.kind != Approved && rd.kind != Deposited {
		return nil
	}
	if err := s.voidClaimOf(ctx, tx, rd, *msg); err != nil {
		return err
	}
	err := holdUnknown(ctx, tx, rd.notice.Moid, s.input(rd, Payment{}, *msg))
	if errors.Is(err, ErrConflict) {
		msg.Verdict = VerdictDuplicate
		return nil
	}
	return err
}

// voidClaimOf takes a TID that only a browser claimed away from its payment, since the gateway says that it is of an
// order that we don't know.
func (s *Shop) voidClaimOf(ctx context.Context, tx Tx, rd reading, msg Message) error {
	q, err := tx.PaymentByTID(ctx, rd.merchant.Mode, rd.notice.TID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := tx.LockOrder(ctx, q.OrderNo); err != nil {
		return err
	}
	if q, err = tx.Payment(ctx, q.Moid); err != nil || q.TID != rd.notice.TID {
		return err
	}
	if claim, err := claimsOnly(ctx, tx, q); err != nil || !claim {
		return err
	}
	return s.voidClaim(ctx, tx, q, s.input(rd, q, msg))
}

// holdUnknown keeps money apart that came for an order which we don't know; in has the effect's key. ErrConflict: it is
// kept already.
func holdUnknown(ctx context.Context, tx Tx, moid Moid, in Input) error {
	return tx.CreateHold(ctx, Hold{
		ID: holdID(string(HoldUnknown), in.EffectKey), Reason: HoldUnknown, Moid: moid, MID: in.MID, Mode: in.Mode, TID: in.TID, Amount: in.Amount,
		MessageID: in.MessageID, CreatedAt: in.At,
	})
}

// unclear says that the gateway itself tells of something that may have moved money, in a code that can't be read.
func unclear(rd reading, msg Message) bool {
	return msg.Level >= T2 && rd.kind == "" && msg.Kind == string(smartro.Unknown)
}

// holdUnclear puts it before a person: nothing is decided by what nobody can read.
func (s *Shop) holdUnclear(ctx context.Context, tx Tx, p Payment, in Input, msg *Message) error {
	msg.Verdict = VerdictHeld
	h := holdFor(p, in, HoldUnknownCode)
	h.Mode, h.Moid = in.Mode, cmp.Or(p.Moid, msg.Moid)
	h.ID = holdID(string(HoldUnknownCode), string(in.Mode), string(in.TID), string(h.Moid), in.Code, in.when(), in.Amount.String())
	err := tx.CreateHold(ctx, *h)
	if errors.Is(err, ErrConflict) {
		msg.Verdict = VerdictDuplicate
		return nil
	}
	return err
}
