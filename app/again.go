package app

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"time"
)

// quarantineShown is how long a message that came on the secret path with a wrong signature asks for a hand. It is kept
// for longer, but whoever has not looked by then will not.
const quarantineShown = 14 * 24 * time.Hour

// settingMisfits is until when a person has looked at what fits nothing.
const settingMisfits = "misfits_seen"

func (s *Shop) misfits(ctx context.Context, now time.Time) (int, error) {
	seen, err := setting(ctx, s.Store, settingMisfits, time.Time{})
	if err != nil {
		return 0, err
	}
	if shown := now.Add(-quarantineShown); seen.Before(shown) {
		seen = shown
	}
	return s.Store.Misfits(ctx, seen)
}

// SeeMisfits says that a person has looked at what came on the gateway's way and fits nothing: only what comes from now
// on asks for a hand.
func (s *Shop) SeeMisfits(ctx context.Context, actor Staff) error {
	if err := actor.must(RightSettle); err != nil {
		return err
	}
	text, err := json.Marshal(s.latest())
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		return errors.Join(tx.SetSetting(ctx, settingMisfits, string(text)), s.note(ctx, tx, actor, Access{Kind: SawMisfits}))
	})
}

// quarantineMost is how many of them are judged again at once: all that are kept, in a month, and the ring.
const quarantineMost = unprovedMost + 2000

// Rejudged says what came of judging quarantined messages again.
type Rejudged struct {
	Good int // believed now, as far as their way and sender allow
	Left int // still signed by nobody whom we believe
}

// JudgeAgain judges by today's keys what came with a signature that fitted none: the merchant key was changed at the
// gateway before it was changed here. What fits now becomes what it would have been; the rest stays where it is.
func (s *Shop) JudgeAgain(ctx context.Context, actor Staff) (done Rejudged, err error) {
	if err := actor.must(RightSettle); err != nil {
		return done, err
	}
	list, err := s.Store.Quarantined(ctx, quarantineMost)
	if err != nil {
		return done, err
	}
	for _, m := range list {
		good, err := s.judgeAgain(ctx, m)
		switch {
		case err != nil:
			return done, err
		case good:
			done.Good++
		default:
			done.Left++
		}
	}
	return done, s.Store.Update(ctx, func(tx Tx) error {
		return s.note(ctx, tx, actor, Access{Kind: JudgedAgain})
	})
}

// judgeAgain makes of one message what it would have been, if its signature is believed now; it takes it out of the ring.
func (s *Shop) judgeAgain(ctx context.Context, m Message) (good bool, err error) {
	if m.RawLen > len(m.Raw) {
		return false, nil // cut: nobody can tell any more what was signed
	}
	rd, err := s.readAgain(ctx, m, s.latest())
	if err != nil || rd.msg.Level < T1 {
		return false, err
	}
	rd.msg.Ring = false
	err = s.judgeStored(ctx, rd, func(tx Tx, msg *Message) (fresh bool, err error) {
		if !m.Ring {
			return true, countSender(ctx, tx, *msg)
		}
		if err := tx.TakeFromRing(ctx, m.ID); err != nil {
			return false, err
		}
		if err := s.admit(ctx, tx, msg); err != nil {
			return false, err
		}
		msg.ID, fresh, err = tx.AddMessage(ctx, *msg)
		return fresh, err // else it was told again meanwhile, and believed
	})
	return true, err
}

// rejudge judges a stored message by today's knowledge: after its sender was approved, after its approval came,
// or after judging it had failed.
func (s *Shop) rejudge(ctx context.Context, id string) error {
	m, err := s.Store.Message(ctx, id)
	if err != nil {
		return err
	}
	when := s.latest()
	if m.Level >= T1 {
		when = time.Time{} // what signed it was believed when it came: that the key is gone since takes nothing back
	}
	rd, err := s.readAgain(ctx, m, when)
	if err != nil || rd.merchant.MID == "" {
		return err // unreadable: it stays what it was
	}
	return s.judgeStored(ctx, rd, func(Tx, *Message) (bool, error) { return true, nil })
}

// readAgain understands a message as it was stored, by the keys that are believed at the given time.
func (s *Shop) readAgain(ctx context.Context, m Message, when time.Time) (reading, error) {
	a := Arrival{Channel: m.Channel, Body: m.Raw}
	if m.Peer != "" {
		peer, err := netip.ParseAddr(m.Peer)
		if err != nil {
			return reading{}, err
		}
		a.Peer = peer
	}
	rd := reading{msg: m}
	return rd, s.understand(ctx, &rd, a, when)
}

// judgeStored judges what was read again, once ready says that it is there to be judged.
func (s *Shop) judgeStored(ctx context.Context, rd reading, ready func(Tx, *Message) (bool, error)) error {
	var touched []OrderNo
	err := s.Store.Update(ctx, func(tx Tx) error {
		touched = nil
		msg := rd.msg
		ok, err := ready(tx, &msg)
		if err != nil || !ok {
			return err
		}
		if touched, err = s.judge(ctx, tx, rd, &msg, ""); err != nil {
			return err
		}
		return tx.JudgeMessage(ctx, msg)
	})
	if err == nil && len(touched) > 0 {
		s.changed(touched...)
	}
	return err
}
