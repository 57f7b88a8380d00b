package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gage/smartro"
)

// judgeCancel handles the gateway's own word that money went back. A cancel that we asked for is told twice, by the
// call's answer and by this notice: they are one cancel. A notice that fits none of ours was made at the gateway's
// own site.
func (s *Shop) judgeCancel(ctx context.Context, tx Tx, p Payment, in Input, n smartro.Notice, msg *Message) error {
	in.EffectKey = cancelKey(p, in, n)
	known, err := tx.HasEffect(ctx, in.EffectKey)
	if err != nil {
		return err
	}
	if known {
		msg.Verdict = VerdictDuplicate
		return nil
	}
	list, err := tx.Cancels(ctx, p.OrderNo)
	if err != nil {
		return err
	}
	c, sure := matchCancel(list, p, in, n)
	switch {
	case c != nil && !sure:
		msg.Verdict = VerdictReview
		return holdCancel(ctx, tx, p, in)
	case c != nil && c.State == CancelStateDone:
		c.Noticed = true
		if err := tx.SaveCancel(ctx, *c); err != nil {
			return err
		}
		in.Kind, in.Amount, in.CancelID = CancelConfirmed, 0, c.ID
		_, err := s.apply(ctx, tx, p, in)
		return err
	case c != nil:
		in.CancelID, in.Release, in.Amount = c.ID, min(c.Amount, p.Reserved), c.Amount
	case in.Kind != AlreadyCancelled:
		c = &Cancel{
			ID: newToken(), OrderNo: p.OrderNo, Moid: p.Moid, TID: p.TID, Amount: in.Amount, External: true,
			Whole: in.Amount == p.Approved, CreatedAt: in.At,
		}
	}
	verdict, err := s.apply(ctx, tx, p, in)
	if err != nil || verdict != VerdictGood {
		msg.Verdict = verdict
		return err
	}
	c.State, c.Noticed, c.SettledAt, c.SettledBy = CancelStateDone, true, in.At, "notice"
	c.ResultCode, c.ResultMsg, c.PTID = n.ResultCode, n.ResultMsg, partTID(p, n)
	if c.External {
		return tx.CreateCancel(ctx, *c)
	}
	return tx.SaveCancel(ctx, *c)
}

// ofAnother says that a cancel is about another transaction than the one p stands for: the buyer paid twice under one
// Moid, and the other money, which is kept apart, went back. What p's own transaction is may still have to turn out.
func ofAnother(p Payment, n smartro.Notice) bool {
	switch p.State {
	case New, Opened, Claimed, Expired:
		return false
	}
	return n.OTID != "" && n.OTID != p.TID
}

// cancelOfAnother handles a cancel that is not about p's transaction: an account of the same Moid that we had asked to
// withdraw, or money that is no payment of ours, which a person looks at.
func (s *Shop) cancelOfAnother(ctx context.Context, tx Tx, p Payment, in Input, n smartro.Notice, msg *Message) error {
	list, err := tx.Cancels(ctx, p.OrderNo)
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.Moid != p.Moid || c.TID != n.OTID || !c.State.Open() && c.State != CancelStateDone {
			continue
		}
		msg.Verdict = VerdictGood
		c.Noticed = true
		if c.State.Open() {
			return s.settle(ctx, tx, c, CancelDone, "notice", in)
		}
		return tx.SaveCancel(ctx, c)
	}
	msg.Verdict = VerdictReview
	in.EffectKey = cancelKey(p, in, n)
	in.TID = n.OTID
	return holdCancel(ctx, tx, p, in)
}

// holdCancel puts a cancel before a person, once; in has its effect's key.
func holdCancel(ctx context.Context, tx Tx, p Payment, in Input) error {
	h := holdFor(p, in, HoldReview)
	h.ID = holdID(string(HoldReview), in.EffectKey)
	if err := tx.CreateHold(ctx, *h); !errors.Is(err, ErrConflict) {
		return err
	}
	return nil
}

// partTID is the partial cancel's own TID, where the notice carries one.
func partTID(p Payment, n smartro.Notice) TID {
	if n.TID != p.TID {
		return n.TID
	}
	return ""
}

// cancelKey names one going back of money: by the partial cancel's own TID, else by time and amount; a whole
// cancel happens once.
func cancelKey(p Payment, in Input, n smartro.Notice) string {
	id := string(partTID(p, n))
	if id == "" {
		id = n.AuthDate + "|" + in.Amount.String()
	}
	return fmt.Sprintf("back|%s|%s|%s", p.Mode, p.TID, id)
}

// How far two times of one cancel may lie apart: both of the gateway's clock, or one of ours.
const (
	sameClock  = 2 * time.Second
	otherClock = 5 * time.Minute
)

// told says whether a notice's time fits c: the one that the gateway answered, or the time that our call took. A
// notice without a time fits.
func told(c Cancel, n smartro.Notice) bool {
	at, ok := n.AuthTime()
	if !c.GatewayAt.IsZero() {
		return !ok || at.Sub(c.GatewayAt).Abs() <= sameClock
	}
	end := c.SettledAt
	if end.IsZero() {
		end = c.SentAt.Add(answerBy)
	}
	return !ok || !at.Before(c.SentAt.Add(-otherClock)) && !at.After(end.Add(otherClock))
}

// matchCancel finds the cancel of ours that a notice speaks of: by the partial cancel's own TID, else the open one
// of that amount, else a settled one of that amount that no notice has confirmed yet. It is not sure where amount is
// all that fits, and the time does not: the same amount may have gone back at the gateway's own site.
func matchCancel(list []Cancel, p Payment, in Input, n smartro.Notice) (found *Cancel, sure bool) {
	part := partTID(p, n)
	var open, done *Cancel
	for i := range list {
		c := &list[i]
		if c.Moid != p.Moid {
			continue
		}
		if in.Kind == RefundNotice && c.withdraws(p) {
			continue // only what was deposited is refunded
		}
		if part != "" && c.PTID == part {
			return c, true
		}
		same := c.Amount == in.Amount || in.Kind == AlreadyCancelled && c.Whole
		switch {
		case !same || part != "" && c.PTID != "":
		case c.State.Open() && open == nil:
			open = c
		case c.State == CancelStateDone && !c.GatewayAt.IsZero() && !told(*c, n):
			// The gateway told when it did ours, and this is another time.
		case c.State == CancelStateDone && !c.Noticed && done == nil: // an external one is known by a list: its notice comes late
			done = c
		}
	}
	if open == nil {
		open = done
	}
	return open, open != nil && (open.Whole || told(*open, n))
}

// settle writes the outcome of a cancel of ours, once: whoever comes second finds it settled. p and c must have
// been read under the order's lock. by is answer, inquiry or a staff ID.
func (s *Shop) settle(ctx context.Context, tx Tx, c Cancel, kind EventKind, by string, in Input) error {
	if !c.State.Open() {
		return nil
	}
	p, err := tx.Payment(ctx, c.Moid)
	if err != nil {
		return err
	}
	in.Kind, in.At, in.TID, in.CancelID, in.Amount = kind, s.Now(), c.TID, c.ID, c.Amount
	switch kind {
	case CancelDone:
		in.Release = min(c.Amount, p.Reserved)
		c.State = CancelStateDone
	case CancelRefused:
		in.Detail.Released = min(c.Amount, p.Reserved)
		c.State = CancelStateRefused
	case CancelAccepted:
		c.State = CancelStateAccepted
	case CancelUnknown:
		c.State = CancelStateUnknown
	default:
		return errors.New("settle: " + string(kind))
	}
	if in.Import == "" { // the text of a list's row is somebody's: its event keeps it, sealed
		c.ResultCode, c.ResultMsg = in.Code, in.Text
	}
	if !c.State.Open() {
		c.SettledAt, c.SettledBy = in.At, by
	}
	if !c.State.Open() && c.TID != p.TID {
		// It was the account's, and since then other money came under this Moid: that is not what went back.
		in.Kind, in.Amount, in.Release, in.Detail.Released = CancelConfirmed, 0, 0, 0
	}
	verdict, err := s.apply(ctx, tx, p, in)
	if err != nil {
		return err
	}
	if verdict != VerdictGood {
		return fmt.Errorf("cancel %s of %s: the payment is %s: %s", c.ID, p.Moid, p.State, verdict)
	}
	return tx.SaveCancel(ctx, c)
}
