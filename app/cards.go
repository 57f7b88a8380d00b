package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gage/smartro"
)

// retire has a card's key destroyed after its term.
func (s *Shop) retire(ctx context.Context, tx Tx, no SubscriptionNo, id string) error {
	card, err := tx.Card(ctx, no, id)
	if err != nil {
		return err
	}
	card.GoneAt = s.Now()
	if err := tx.SaveCard(ctx, card); err != nil {
		return err
	}
	return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobEraseKey, Ref: string(no) + "/" + id, DueAt: card.GoneAt.Add(keyTerm), CreatedAt: card.GoneAt})
}

// CardWindowInput is what the customer's browser says of itself.
type CardWindowInput struct {
	UserIP   string
	Language string // KR or EN
}

// OpenCardWindow makes the signed form of the gateway's window in which the customer of a link registers a card, or
// another one. ErrClosed: the subscription was stopped. ErrThrottled: too many were opened today.
func (s *Shop) OpenCardWindow(ctx context.Context, token string, in CardWindowInput) (smartro.Form, error) {
	first, err := s.Store.SubscriptionByToken(ctx, token)
	if err != nil {
		return smartro.Form{}, err
	}
	m, err := s.merchantOf(ctx, s.Store, first.MID, first.Mode)
	if err != nil {
		return smartro.Form{}, err
	}
	var form smartro.Form
	err = s.Store.Update(ctx, func(tx Tx) error {
		sub, err := tx.LockSubscription(ctx, first.No)
		if err != nil {
			return err
		}
		if sub.State == SubscriptionStopped || sub.Erased {
			return fmt.Errorf("subscription %s: %w", sub.No, ErrClosed)
		}
		now := s.Now()
		n, err := tx.CountCardWindows(ctx, sub.No, now.Add(-24*time.Hour))
		if err != nil {
			return err
		}
		if n >= windowsPerDay {
			return fmt.Errorf("subscription %s: %d windows: %w", sub.No, n, ErrThrottled)
		}
		w := CardWindow{
			Moid: Moid(string(sub.No) + "C" + speakableText(10)), Subscription: sub.No, MID: sub.MID, Mode: sub.Mode,
			ReturnToken: newToken(), State: CardWindowOpened, OpenedAt: now,
		}
		form, err = s.Gateway(m).BillingForm(smartro.BillingRequest{
			Moid: w.Moid, UserID: string(sub.No), BuyerName: sub.Name, BuyerTel: sub.Tel, BuyerEmail: sub.Email,
			ReturnURL: s.PublicURL + "/smartro/card?t=" + w.ReturnToken, StopURL: s.PublicURL + "/smartro/card/stop?t=" + w.ReturnToken,
			UserIP: in.UserIP, MallIP: s.MallIP, EdiDate: now, MallReserved: "rt=" + w.ReturnToken, Language: in.Language,
			EncryptedKey: m.EncryptedBillingKeys,
		})
		if err != nil {
			return err
		}
		return tx.CreateCardWindow(ctx, w)
	})
	return form, err
}

// windowsPerDay bounds what a link can make us write down.
const windowsPerDay = 30

// ReceiveCard takes what the browser brings back from the window. The link's token is in the answer only where the
// return token said whose window it was. Nothing is believed that the gateway's two signatures do not cover, and what
// they cover must be what this one form asked for: a key that was issued to another customer is never taken.
func (s *Shop) ReceiveCard(ctx context.Context, token string, raw []byte) (link string, err error) {
	r, readErr := smartro.ParseBillingResult(raw, smartro.UTF8)
	if token == "" {
		token, _ = strings.CutPrefix(r.MallReserved, "rt=")
	}
	if len(token) < 16 || !isID(token) {
		return "", ErrNotFound
	}
	first, err := s.Store.CardWindowByToken(ctx, token)
	if err != nil {
		return "", err
	}
	m, err := s.merchantOf(ctx, s.Store, first.MID, first.Mode)
	if err != nil {
		return "", err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		sub, err := tx.LockSubscription(ctx, first.Subscription)
		if err != nil {
			return err
		}
		link = sub.Token
		w, err := tx.CardWindowByToken(ctx, token)
		if err != nil || w.State == CardWindowDone || readErr != nil {
			return err // told again, or no result: the page says what is
		}
		key, keyErr := r.Key(m)
		if w.State == CardWindowRefused && (keyErr != nil || sub.State == SubscriptionStopped) {
			return nil // nobody signs for a refusal: the first is written down, and only a key changes it
		}
		w.ClosedAt, w.ResultCode, w.ResultMsg = s.Now(), r.ResultCode, clipBytes(r.ResultMsg, hintText)
		switch {
		case r.Moid == w.Moid && !r.Issued(m): // a hint for the page, signed or not: the real result may still come
			w.State = CardWindowRefused
		case keyErr != nil || r.Moid != w.Moid || r.UserID != "" && r.UserID != string(sub.No) || r.HasAmt && r.Amt != smartro.BillingAmt:
			s.Log.Warn("the result of a card window is not the one that was asked for", "subscription", sub.No, "moid", w.Moid, "error", keyErr)
			return nil // who has the real result may still bring it
		case sub.State == SubscriptionStopped:
			w.State = CardWindowRefused
		default:
			err := s.takeCard(ctx, tx, &sub, Card{
				ID: newToken(), Subscription: sub.No, Key: key, CardName: r.CardName, CardNum: r.CardNum, TID: r.TID, RegisteredAt: w.ClosedAt,
			})
			if errors.Is(err, ErrConflict) {
				s.Log.Warn("a billing key or its transaction is another subscription's", "subscription", sub.No, "moid", w.Moid)
				return nil
			}
			if err != nil {
				return err
			}
			w.State = CardWindowDone
		}
		return tx.SaveCardWindow(ctx, w)
	})
	return link, err
}

// takeCard makes card the one that is charged, and plans the first charge. ErrConflict: the key is known already.
func (s *Shop) takeCard(ctx context.Context, tx Tx, sub *Subscription, card Card) error {
	if err := tx.CreateCard(ctx, card); err != nil {
		return err
	}
	if sub.KeyID != "" {
		if err := s.retire(ctx, tx, sub.No, sub.KeyID); err != nil {
			return err
		}
	}
	sub.KeyID = card.ID
	if sub.State == SubscriptionWaiting {
		sub.State = SubscriptionActive
		if err := s.planNext(ctx, tx, sub, s.latest()); err != nil {
			return err
		}
	}
	return tx.SaveSubscription(ctx, *sub)
}

// eraseKey destroys a billing key whose term is over. ErrBusy: a charge by it is still open, which a person has to settle.
func (s *Shop) eraseKey(ctx context.Context, ref string) error {
	no, id, _ := strings.Cut(ref, "/")
	return s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockSubscription(ctx, SubscriptionNo(no)); err != nil {
			return err
		}
		card, err := tx.Card(ctx, SubscriptionNo(no), id)
		if err != nil || card.GoneAt.IsZero() || card.Erased {
			return err
		}
		list, err := tx.ChargesOf(ctx, SubscriptionNo(no))
		if err != nil {
			return err
		}
		for _, c := range list {
			if c.CardID == id && c.State.Open() {
				return fmt.Errorf("charge %s is %s: %w", c.ID, c.State, ErrBusy)
			}
		}
		if err := tx.EraseCard(ctx, id); err != nil {
			return err
		}
		_, err = tx.AppendEvent(ctx, Event{At: s.Now(), Kind: Erased, Level: T4, Text: "billing key of " + no})
		return err
	})
}
