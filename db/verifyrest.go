package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gage/app"
)

// What the log does not vouch for row by row can be told from what it does vouch for: the search index from the payments,
// the outbox from what is owed, the data keys from what is sealed.

// sealedIn is where rows stand that can't be read without a data key.
type sealedIn struct{ table, key, where string }

// sealedRows are the rows that can't be read without a data key, by the key's ID. A key that was destroyed leaves its
// row: that none is there at all is somebody else's doing. The ID is told with the table's name, for data_keys has an id, too.
var sealedRows = []sealedIn{
	{"payments", "'" + keyIndex + "'", "1 = 1"},
	{"stranger_ring", "'" + keyRing + "'", "1 = 1"},
	{"events", "'" + keyShop + "'", "order_no = '' AND private <> ''"},
	{"second_factors", "'" + keyShop + "'", "private <> ''"},
	{"orders", "orders.no", "private <> ''"},
	{"messages", "messages.id", "raw <> ''"},
	{"imports", "imports.id", "columns <> ''"},
	{"subscriptions", "'subscription/' || subscriptions.no", "private <> ''"},
	{"cards", "'card/' || cards.id", "private <> ''"},
	{"cash_receipts", receiptKeyColumn, "private <> ''"},
	{"cancels", cancelKey, "refund <> ''"},
	{"cancel_requests", requestKey, "refund <> ''"},
	{"refund_asks", "refund_asks.id", "private <> ''"},
}

// owedJobs are the states that nothing but a job ends, and the job that each owes. What a person's list shows by its state
// owes none, and a charge of a stored key (its device is "key") has a job of its own.
var owedJobs = []struct {
	table, ref, where string
	kind              app.JobKind
}{
	{"payments", "moid", "state IN ('opened', 'waiting_deposit') AND claimed_at = 0 AND device <> 'key'", app.JobExpire},
	{"cancels", "id", "state = 'sent'", app.JobInquireCancel},
	{"cancel_requests", "id", "state = 'waiting'", app.JobLapse},
	{"messages", "id", "verdict = 'unjudged'", app.JobRejudge},
	{"imports", "id", "state = 'applying'", app.JobImport},
	{"deliveries", "order_no", "state = 'waiting'", app.JobTell},
	{"cash_receipts", "id", "state IN ('sent', 'cancelling')", app.JobCashReceipt},
}

// missingKeys lists the IDs of data keys, at most some, that such rows need and that are not there.
func (d queries) missingKeys(ctx context.Context, s sealedIn) ([]string, error) {
	return many(ctx, d, scanText, "SELECT DISTINCT "+s.key+" AS v FROM "+s.table+" WHERE "+s.where+" AND NOT EXISTS (SELECT 1 FROM data_keys k WHERE k.id = "+s.key+") ORDER BY v LIMIT 100")
}

// verifyKeys looks that everything sealed has its data key.
func (d queries) verifyKeys(ctx context.Context, fault func(string)) error {
	for _, s := range sealedRows {
		gone, err := d.missingKeys(ctx, s)
		if err != nil {
			return err
		}
		for _, id := range gone {
			fault(fmt.Sprintf("the data key %s is gone, and rows of %s are sealed with it", id, s.table))
		}
	}
	return nil
}

// verifyOutbox looks that what is owed is still going to be done.
func (d queries) verifyOutbox(ctx context.Context, fault func(string)) error {
	for _, o := range owedJobs {
		refs, err := many(ctx, d, scanText, "SELECT DISTINCT "+o.ref+" AS v FROM "+o.table+" t WHERE "+o.where+
			" AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = $1 AND j.ref = t."+o.ref+") ORDER BY v LIMIT 100", string(o.kind))
		if err != nil {
			return err
		}
		for _, ref := range refs {
			fault(fmt.Sprintf("the job %s of %s/%s is gone", o.kind, o.table, ref))
		}
	}
	return nil
}

// verifySearch looks that each payment is found by what it is to be found by. What an older program did not index is no fault.
func (d queries) verifySearch(ctx context.Context, fault func(string)) error {
	k, err := d.dataKey(ctx, keyIndex)
	if err != nil || k == nil { // told already, where anything needs it
		return err
	}
	type found struct {
		id          int64
		p           app.Payment
		goods, body string
	}
	scan := func(s scanner) (f found, err error) {
		var sealed paymentSealed
		fields := append(paymentFields(&f.p, &sealed), &f.id, &f.goods, &f.body)
		return f, errors.Join(s.Scan(fields...), d.openPayment(&f.p, sealed))
	}
	for last := int64(0); ; {
		list, err := many(ctx, d, scan, "SELECT p."+strings.ReplaceAll(paymentColumns, ", ", ", p.")+", "+keyOf("p.order_no")+", p.id, o.goods, COALESCE((SELECT s.body FROM payment_search s WHERE s.rowid = p.id), '') FROM payments p JOIN orders o ON o.no = p.order_no WHERE p.id > $1 ORDER BY p.id LIMIT $2", last, verifyBatch)
		if err != nil {
			return err
		}
		for _, f := range list {
			last = f.id
			have := strings.Fields(f.body)
			slices.Sort(have)
			for _, gram := range lasting(f.p, f.goods) {
				if _, ok := slices.BinarySearch(have, k.blind(gram)); !ok {
					fault(fmt.Sprintf("payment %s is not in the search index as it should be", f.p.Moid))
					break
				}
			}
		}
		if len(list) < verifyBatch {
			return nil
		}
	}
}

// permanentKeys refuses records of which a key is gone that no order or message has: a new one in its place would open
// nothing, and hide that.
func (d queries) permanentKeys(ctx context.Context) error {
	for _, s := range sealedRows {
		id := strings.Trim(s.key, "'")
		if id != keyIndex && id != keyRing && id != keyShop {
			continue
		}
		gone, err := d.missingKeys(ctx, s)
		if err != nil {
			return err
		}
		if len(gone) > 0 {
			return fmt.Errorf("db: the data key %s is gone, and rows of %s are sealed with it: restore a backup (%w)", id, s.table, ErrDamaged)
		}
	}
	return nil
}
