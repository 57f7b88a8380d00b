package app

import (
	"context"
	"encoding/json"

	"gage/smartro"
)

const settingReceipts = "cash_receipts"

// ReceiptRules are how a shop handles its cash receipts.
type ReceiptRules struct {
	Rounding smartro.VATRounding `json:"rounding"` // one for all; empty means smartro.VATDown
	Own      bool                `json:"own"`      // on the fourth day the shop issues a missing one itself (자진발급)
}

// ReceiptRules reads them.
func (s *Shop) ReceiptRules(ctx context.Context) (ReceiptRules, error) {
	return s.receiptRules(ctx, s.Store)
}

func (s *Shop) receiptRules(ctx context.Context, r Reader) (ReceiptRules, error) {
	return setting(ctx, r, settingReceipts, ReceiptRules{Rounding: smartro.VATDown})
}

// SetReceiptRules stores them, and whether somebody has the gateway's word for the call under the contract of today.
// Where the shop issues missing receipts itself from now on, it looks at the payments that lack one already.
func (s *Shop) SetReceiptRules(ctx context.Context, actor Staff, rules ReceiptRules, confirmed bool) error {
	if err := actor.must(RightChangeGateway); err != nil {
		return err
	}
	if _, err := smartro.ParseVATRounding(string(rules.Rounding)); err != nil {
		return &InputError{Field: "rounding", Code: "required"}
	}
	text, err := json.Marshal(rules)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		m, err := s.merchant(ctx, tx)
		if err != nil {
			return err
		}
		if m.CashReceipt.Confirmed != confirmed {
			m.CashReceipt.Confirmed = confirmed
			if err := s.setMerchant(ctx, tx, actor, m); err != nil {
				return err
			}
		}
		before, err := s.receiptRules(ctx, tx)
		if err != nil {
			return err
		}
		var did changes
		did.see("rounding", before.Rounding, rules.Rounding)
		did.see("own_receipts", before.Own, rules.Own)
		if err := tx.SetSetting(ctx, settingReceipts, string(text)); err != nil {
			return err
		}
		if err := s.note(ctx, tx, actor, Access{Kind: ChangedReceiptRules, Words: did.words()}); err != nil || !rules.Own {
			return err
		}
		return s.oweOwnReceipts(ctx, tx)
	})
}

// oweOwnReceipts has every payment that lacks a receipt looked at when its day comes.
func (s *Shop) oweOwnReceipts(ctx context.Context, tx Tx) error {
	const atOnce = 500
	var after Cursor
	for {
		list, err := tx.ReceiptNeeds(ctx, startOfDay(s.Now()).AddDate(0, 0, 2), after, atOnce)
		if err != nil {
			return err
		}
		for _, n := range list {
			if err := s.oweOwnReceipt(ctx, tx, n); err != nil {
				return err
			}
			after = Cursor{At: n.Since, ID: string(n.Moid)}
		}
		if len(list) < atOnce {
			return nil
		}
	}
}

func (s *Shop) oweOwnReceipt(ctx context.Context, tx Tx, n ReceiptNeed) error {
	return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobOwnReceipt, Ref: string(n.Moid), DueAt: ownReceiptAt(n.Since), CreatedAt: s.Now()})
}
