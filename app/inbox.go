package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// InboxQuery asks for a page of messages, the newest first.
type InboxQuery struct {
	Strangers bool      // those in the ring: without a signature that is believed
	Both      bool      // those in the ring and those that are kept
	Channels  []Channel // empty: all
	Verdicts  []Verdict // empty: all
	From, To  time.Time // At or after, before; zero: no bound
	After     Cursor
	Limit     int
}

// Inbox lists messages as they came, without their bytes. next is zero on the last page.
func (s *Shop) Inbox(ctx context.Context, q InboxQuery) (list []Message, next Cursor, err error) {
	if q.Limit <= 0 || q.Limit > 200 {
		q.Limit = 50
	}
	if !isID(q.After.ID) {
		return nil, next, ErrBadInput
	}
	more := q
	more.Limit++
	if list, err = s.Store.Inbox(ctx, more); err != nil || len(list) <= q.Limit {
		return list, next, err
	}
	list = list[:q.Limit]
	last := list[len(list)-1]
	return list, Cursor{At: last.At, ID: last.ID}, nil
}

// Trial is what today's program, keys and records make of a message that came before.
type Trial struct {
	Level   Level
	Verdict Verdict
	Changes bool  // judging it would change a payment, or keep money apart
	To      State // that the payment would be in; empty: it speaks of none
}

// errTried ends the transaction of a trial: nothing of it stays.
var errTried = errors.New("tried")

// TryMessage judges a stored message once more and takes everything back: what would become of it today. ErrBadInput:
// nothing is judged of it, being an answer to a call of ours, cut, or erased.
func (s *Shop) TryMessage(ctx context.Context, actor Staff, id string) (Trial, error) {
	if err := actor.must(RightSettle); err != nil {
		return Trial{}, err
	}
	_, rd, err := s.messageAgain(ctx, id)
	if err != nil {
		return Trial{}, err
	}
	return s.try(ctx, rd)
}

func (s *Shop) try(ctx context.Context, rd reading) (Trial, error) {
	t := Trial{Level: rd.msg.Level, Verdict: rd.msg.Verdict}
	if rd.merchant.MID == "" {
		return t, nil
	}
	err := s.Store.Update(ctx, func(tx Tx) error {
		msg := rd.msg
		if _, err := s.judge(ctx, tx, rd, &msg, ""); err != nil {
			return err
		}
		t.Level, t.Verdict, t.Changes, t.To = msg.Level, msg.Verdict, msg.Verdict == VerdictHeld, ""
		if msg.About == "" {
			return errTried
		}
		before, err := s.Store.Payment(ctx, msg.About)
		if err != nil {
			return err
		}
		after, err := tx.Payment(ctx, msg.About)
		if err != nil {
			return err
		}
		t.Changes, t.To = t.Changes || after.Seq != before.Seq, after.State
		return errTried
	})
	if errors.Is(err, errTried) {
		err = nil
	}
	return t, err
}

// messageAgain reads a stored message by today's keys.
func (s *Shop) messageAgain(ctx context.Context, id string) (Message, reading, error) {
	m, err := s.Store.Message(ctx, id)
	if err != nil {
		return m, reading{}, err
	}
	if m.Channel == ChannelAnswer || m.Erased || m.RawLen > len(m.Raw) {
		return m, reading{}, fmt.Errorf("message %s can't be judged again: %w", id, ErrBadInput)
	}
	when := s.latest()
	if !m.Ring && m.Level >= T1 {
		when = time.Time{} // as in rejudge: what signed it was believed when it came
	}
	rd, err := s.readAgain(ctx, m, when)
	return m, rd, err
}

// settledVerdicts are those of messages that did what they could: judging them again would only overwrite what is known.
var settledVerdicts = []Verdict{VerdictGood, VerdictDuplicate, VerdictClaim, VerdictHint}

// Replays says whether a message may be judged again for good.
func (m Message) Replays() bool {
	return m.Channel != ChannelAnswer && !m.Erased && m.RawLen <= len(m.Raw) && !slices.Contains(settledVerdicts, m.Verdict)
}

// ReplayMessage judges a stored message again, for good: after a key was mended, an order restored, the program changed.
// What it brings about happens once, however often that is done. ErrBadInput: see [Message.Replays].
func (s *Shop) ReplayMessage(ctx context.Context, actor Staff, id string) error {
	if err := actor.must(RightSettle); err != nil {
		return err
	}
	m, err := s.Store.Message(ctx, id)
	if err != nil {
		return err
	}
	if !m.Replays() {
		return fmt.Errorf("message %s is %s: %w", id, m.Verdict, ErrBadInput)
	}
	if m.Ring || m.Level == T0 && m.Verdict != VerdictUnjudged {
		_, err = s.judgeAgain(ctx, m)
	} else {
		err = s.rejudge(ctx, id)
	}
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		return s.note(ctx, tx, actor, Access{Kind: JudgedAgain, OrderNo: m.OrderNo, Subject: id})
	})
}
