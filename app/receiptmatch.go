package app

import (
	"context"
	"slices"

	"gage/smartro"
)

// matchReceipts makes a payment and its cash receipts agree, as far as they can by themselves, and says what is amiss:
// it is called whenever either of them changed. What the window issued follows the payment, for the gateway withdraws it
// with the money; what our call issued is owed a cancel where it stands over more than is left, or beside another; whoever issued by hand has
// to take back by hand. It writes no event.
func (s *Shop) matchReceipts(ctx context.Context, tx Tx, p Payment) error {
	if !CashLike(p.Method) || p.Approved == 0 {
		return nil
	}
	list, err := tx.CashReceiptsOf(ctx, p.OrderNo)
	if err != nil {
		return err
	}
	live := false
	for _, second := range []bool{false, true} { // the first one before another may take its place
		for i, c := range list {
			if c.Payment != p.Moid || c.Second != second {
				continue
			}
			if !c.State.Live() && c.Amiss == "" {
				continue
			}
			was := c
			c.Second = c.Second && live
			if err := s.follow(ctx, tx, &c, p); err != nil {
				return err
			}
			live = live || c.State.Live()
			if c != was {
				list[i] = c
				if err := tx.SaveCashReceipt(ctx, c); err != nil {
					return err
				}
			}
		}
	}
	need, needed := receiptNeed(p, list)
	if !needed {
		return tx.ClearReceiptNeed(ctx, p.Moid)
	}
	if err := tx.SetReceiptNeed(ctx, need); err != nil {
		return err
	}
	return s.oweOwnReceipt(ctx, tx, need)
}

// receiptNeed is what stands on the list of missing receipts for a payment of an order with these receipts, if it needs one.
func receiptNeed(p Payment, list []CashReceipt) (need ReceiptNeed, needed bool) {
	need = ReceiptNeed{Moid: p.Moid, OrderNo: p.OrderNo, Since: p.cashDay(), Amount: p.CashNet()}
	if !CashLike(p.Method) || p.Approved == 0 || p.State != Paid && p.State != PartlyCancelled || liveOf(list, p.Moid) != nil {
		return need, false
	}
	refused := false
	for _, second := range []bool{false, true} {
		for _, c := range list {
			if c.Payment != p.Moid || c.Second != second {
				continue
			}
			refused = c.By == "" && c.Source == ReceiptByCall && c.State == ReceiptStateRefused // the newest one stands last
		}
	}
	return need, refused && need.Amount > 0 || need.Amount >= ReceiptNeededFrom
}

// follow changes one receipt by what its payment has left.
func (s *Shop) follow(ctx context.Context, tx Tx, c *CashReceipt, p Payment) error {
	net := p.CashNet()
	if c.Source == ReceiptByWindow && c.State == ReceiptStateIssued {
		if net <= 0 {
			c.State, c.CancelledAt, c.SettledBy = ReceiptStateCancelled, p.UpdatedAt, "payment"
		} else if err := s.resplit(ctx, tx, c, p); err != nil {
			return err
		}
	}
	switch {
	case !c.State.Live(), c.State == ReceiptStateRequested:
		c.Amiss = ""
	case c.Second:
		c.Amiss = ReceiptSecond
	case c.Amount != net:
		c.Amiss = ReceiptOrphan
	default:
		c.Amiss = ""
	}
	if !c.owedBack() {
		return nil
	}
	now := s.Now()
	return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobCashReceipt, Ref: c.ID, DueAt: now, CreatedAt: now})
}

// owedBack says that the program takes the receipt back: once, unless the call never left. What the gateway refused is for
// a person to look at.
func (c CashReceipt) owedBack() bool {
	return c.Amiss != "" && c.Source == ReceiptByCall && c.State == ReceiptStateIssued && c.TID != "" &&
		(c.CancelSends == 0 || c.ResultCode == NotSent.Code())
}

// issueAgain asks for the receipt that stands over what is left, once the one before is taken back.
func (s *Shop) issueAgain(ctx context.Context, tx Tx, old CashReceipt) error {
	p, err := tx.Payment(ctx, old.Payment)
	if err != nil {
		return err
	}
	list, err := tx.CashReceiptsOf(ctx, old.OrderNo)
	if err != nil {
		return err
	}
	if receiptable(p) != nil || liveOf(list, p.Moid) != nil {
		return nil // nothing is left, or it has one
	}
	next := CashReceipt{
		ID: newToken(), Moid: newReceiptMoid(), OrderNo: old.OrderNo, Payment: old.Payment, MID: old.MID, Mode: old.Mode, Source: ReceiptByCall,
		Purpose: old.Purpose, Identity: old.Identity, Goods: old.Goods, Name: old.Name, Tel: old.Tel, State: ReceiptStateRequested, CreatedAt: s.Now(),
	}
	if err := s.resplit(ctx, tx, &next, p); err != nil {
		return err
	}
	return s.createReceipt(ctx, tx, next, Input{Level: T3})
}

// refusedOwn tells a receipt of the payment that the program asked for and the gateway refused.
func refusedOwn(moid Moid) func(CashReceipt) bool {
	return func(c CashReceipt) bool {
		return c.Payment == moid && c.Source == ReceiptByCall && c.By == "" && c.State == ReceiptStateRefused && c.ResultCode != NotSent.Code()
	}
}

// issueOwn issues the receipt that nobody asked for (자진발급), where the owner wants that and it is still missing.
func (s *Shop) issueOwn(ctx context.Context, moid Moid) error {
	first, err := s.Store.Payment(ctx, moid)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockOrder(ctx, first.OrderNo); err != nil {
			return err
		}
		rules, err := s.receiptRules(ctx, tx)
		if err != nil || !rules.Own {
			return err
		}
		p, err := tx.Payment(ctx, moid)
		if err != nil {
			return err
		}
		m, err := s.merchantOf(ctx, tx, p.MID, p.Mode)
		if err != nil || !m.CashReceipt.Confirmed || p.CashNet() < ReceiptNeededFrom || receiptable(p) != nil {
			return err
		}
		list, err := tx.CashReceiptsOf(ctx, p.OrderNo)
		if err != nil || liveOf(list, moid) != nil || slices.ContainsFunc(list, refusedOwn(moid)) {
			return err // it has one, or a person has to look why it was refused
		}
		id, err := smartro.ParseIdentity(smartro.SelfIssued, "")
		if err != nil {
			return err
		}
		c := CashReceipt{ID: newToken(), Payment: moid, Moid: newReceiptMoid(), Source: ReceiptByCall, Purpose: smartro.SelfIssued, Identity: id, State: ReceiptStateRequested, CreatedAt: s.Now()}
		if _, err := s.ofPayment(ctx, tx, &c, rules); err != nil {
			return err
		}
		return s.createReceipt(ctx, tx, c, Input{Level: T3})
	})
}
