package app

import "context"

// matched is what the rows of one transaction were found to be.
type matched struct {
	used  map[string]bool // IDs of cancels and holds, and the Moid of a payment whose own money it is
	named map[string]int  // holds by their IDs: the line of the row whose effect they are
}

func matchedOf(mode Mode, rows []ListRow) matched {
	m := matched{map[string]bool{}, map[string]int{}}
	for _, r := range rows {
		if r.money() && r.Exact {
			for _, reason := range holdReasons {
				m.named[holdID(string(reason), effectKey(r.input(mode)))] = r.Line
			}
		}
	}
	return m
}

// keptApart says whether this money is kept apart already, or was: the same effect, or, since the times of a list and of
// a notification may differ and a list may have the day alone, the same TID and amount, unless another row names it. A
// code that nobody could read kept no money apart: the list says what it meant.
func keptApart(ctx context.Context, tx Tx, in Input, r ListRow, m matched) (bool, error) {
	list, err := tx.HoldsOfTID(ctx, in.Mode, in.TID)
	for _, named := range []bool{true, false} {
		for _, h := range list {
			line, ofRow := m.named[h.ID]
			if h.Own || h.Reason == HoldReview || h.Reason == HoldUnknownCode || m.used[h.ID] || ofRow != named || named && line != r.Line || h.Amount != in.Amount {
				continue
			}
			m.used[h.ID] = true
			return true, err
		}
	}
	return false, err
}
