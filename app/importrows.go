package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gage/smartro"
)

// walkImport takes the rows of a list payment by payment, each in one transaction that run makes, and fills in the
// result. Oldest money first, and what came before what went back.
func (s *Shop) walkImport(ctx context.Context, actor Staff, imp *Import, run func(func(Tx) error) error) error {
	titles, ok := findTitles(imp.Table)
	if !ok {
		return fmt.Errorf("import %s has no titles: %w", imp.ID, ErrBadInput)
	}
	all, err := s.contracts(ctx, s.Store)
	if err != nil {
		return err
	}
	imp.Result = ImportResult{}
	seen, listed := map[string]bool{}, map[TID]bool{}
	groups, order := map[string][]ListRow{}, []string{}
	for _, r := range readRows(imp.Table, titles, imp.Columns) {
		line := ListLine{Line: r.Line, Kind: r.Kind, TID: r.TID, Amount: r.Amount, At: r.At, Fault: r.Fault}
		known := r.Raw + "\n" + string(r.Kind)
		if m, ok := contractOf(all, r.MID); r.Fault == "" && r.Kind != "" && ok && imp.Mode == "" {
			imp.Mode, imp.MID = m.Mode, m.MID
		}
		switch m, ok := contractOf(all, r.MID); {
		case r.Fault != "":
			line.Class = ClassUnreadable
		case r.Kind == "" || r.Kind == VbankIssued:
			line.Class = ClassIgnored
		case !ok || m.Mode != imp.Mode:
			line.Class = ClassOtherMID
		case seen[known]:
			line.Class = ClassDuplicate
		default:
			seen[known] = true
			if r.money() {
				listed[r.TID] = true
				imp.Result.span(r.At)
			}
			key := string(r.TID)
			if groups[key] == nil {
				order = append(order, key)
			}
			groups[key] = append(groups[key], r)
			continue
		}
		imp.Result.add(line)
	}
	for _, key := range order {
		rows := groups[key]
		slices.SortStableFunc(rows, func(a, b ListRow) int {
			if a.money() != b.money() {
				if a.money() {
					return -1
				}
				return 1
			}
			return a.At.Compare(b.At)
		})
		if err := s.walkGroup(ctx, actor, imp, rows, run); err != nil {
			return err
		}
	}
	return s.missingThere(ctx, imp, listed)
}

func contractOf(all []contract, mid MID) (contract, bool) {
	for _, m := range all {
		if m.MID == mid {
			return m, true
		}
	}
	return contract{}, false
}

func (r *ImportResult) span(at time.Time) {
	if at.IsZero() {
		return
	}
	if r.From.IsZero() || at.Before(r.From) {
		r.From = at
	}
	if at.After(r.To) {
		r.To = at
	}
}

// walkGroup takes the rows of one transaction. Where all of them agree, nothing is written and nobody is kept waiting.
func (s *Shop) walkGroup(ctx context.Context, actor Staff, imp *Import, rows []ListRow, run func(func(Tx) error) error) error {
	p, err := paymentOfRow(ctx, s.Store, imp.Mode, rows[0])
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err == nil && len(rows) == 1 && rows[0].money() && sameMoney(p, rows[0]) {
		imp.Result.add(lineOf(rows[0], p.Moid, ClassAgrees))
		return nil
	}
	var lines []ListLine
	err = run(func(tx Tx) error {
		lines = nil
		if p.OrderNo != "" {
			nos := []OrderNo{p.OrderNo}
			if q, err := tx.PaymentByTID(ctx, imp.Mode, rows[0].TID); err == nil {
				nos = append(nos, q.OrderNo)
			}
			if _, err := lockInOrder(ctx, tx, nos...); err != nil {
				return err
			}
		}
		m := matchedOf(imp.Mode, rows)
		for _, r := range rows {
			line, err := s.applyRow(ctx, tx, actor, imp, r, m)
			if err != nil {
				return fmt.Errorf("import %s, line %d: %w", imp.ID, r.Line, err)
			}
			lines = append(lines, line)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, l := range lines {
		imp.Result.add(l)
	}
	if p.OrderNo != "" {
		s.changed(p.OrderNo)
	}
	return nil
}

func lineOf(r ListRow, moid Moid, c Class) ListLine {
	return ListLine{Line: r.Line, Class: c, Kind: r.Kind, Moid: moid, TID: r.TID, Amount: r.Amount, At: r.At}
}

// paymentOfRow finds the payment that a row is about: by its TID, else by its Moid. A browser's claim on the TID is no
// proof that it is its payment's: the gateway's Moid decides.
func paymentOfRow(ctx context.Context, r Reader, mode Mode, row ListRow) (Payment, error) {
	p, err := r.PaymentByTID(ctx, mode, row.TID)
	if err == nil && (p.State != Claimed || row.Moid == "" || row.Moid == p.Moid) || err != nil && !errors.Is(err, ErrNotFound) {
		return p, err
	}
	if row.Moid == "" {
		return Payment{}, ErrNotFound
	}
	if p, err = r.Payment(ctx, row.Moid); err == nil && p.Mode != mode {
		return Payment{}, ErrNotFound
	}
	return p, err
}

// sameMoney says that a row is the money which p has by proof.
func sameMoney(p Payment, r ListRow) bool {
	return p.TID == r.TID && p.Approved > 0 && p.Approved == r.Amount && !anotherDeposit(p, r)
}

// anotherDeposit says that a row came into p's account at another time than p's money.
func anotherDeposit(p Payment, r ListRow) bool {
	return r.Kind == Deposited && r.Exact && !p.ApprovedAt.IsZero() && r.At.Sub(p.ApprovedAt).Abs() > otherClock
}

// applyRow lets one row change what it may, and says what it is against the records. The order is locked.
func (s *Shop) applyRow(ctx context.Context, tx Tx, actor Staff, imp *Import, r ListRow, m matched) (ListLine, error) {
	p, err := paymentOfRow(ctx, tx, imp.Mode, r)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return ListLine{}, err
	}
	in := r.input(imp.Mode)
	in.At, in.Actor, in.Import = s.Now(), actor.ID, importRef(imp.ID, r.Line)
	if r.back() {
		in.Detail = Detail{}
	}
	class := ClassAgrees
	switch {
	case err != nil && r.money():
		class, err = s.unknownRow(ctx, tx, in, r, m)
	case err != nil:
		class, err = ClassIgnored, nil // what went back was never ours
	case r.money():
		class, err = s.moneyRow(ctx, tx, p, in, r, m)
	default:
		class, err = s.backRow(ctx, tx, p, in, r, m)
	}
	return lineOf(r, p.Moid, class), err
}

// input is what the row says happened.
func (r ListRow) input(mode Mode) Input {
	return Input{
		Kind: r.Kind, Level: T4, MID: r.MID, Mode: mode, Method: r.Method, TID: r.TID, Amount: r.Amount, HasAmount: true,
		Text: clipRunes(r.Raw, rawKept), GatewayTime: r.listTime(), Detail: Detail{AuthCode: r.AuthCode, ApprovedAt: r.At},
	}
}

// rawKept is how much of a row's text its event keeps, in characters; the whole of it stands in the import.
const rawKept = 1000

func clipRunes(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n])
	}
	return s
}

// importRef names a row of an import, where an event or a hold names the message that it was read from.
func importRef(id string, line int) string { return fmt.Sprintf("%s%s/%d", importMark, id, line) }

const importMark = "import/"

// ImportOf reads the import's ID where the name of a message may stand.
func ImportOf(ref string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(ref, importMark)
	id, _, _ = strings.Cut(rest, "/")
	return id, ok
}

// unknownRow is money for an order that we don't know.
func (s *Shop) unknownRow(ctx context.Context, tx Tx, in Input, r ListRow, m matched) (Class, error) {
	if known, err := keptApart(ctx, tx, in, r, m); known || err != nil {
		return ClassAgrees, err
	}
	in.MessageID, in.EffectKey = in.Import, effectKey(in)
	err := holdUnknown(ctx, tx, r.Moid, in)
	if errors.Is(err, ErrConflict) {
		return ClassAgrees, nil
	}
	return ClassUnknownOrder, err
}

// moneyRow is money that came, says the list.
func (s *Shop) moneyRow(ctx context.Context, tx Tx, p Payment, in Input, r ListRow, m matched) (Class, error) {
	if sameMoney(p, r) && !m.used[string(p.Moid)] {
		m.used[string(p.Moid)] = true
		return ClassAgrees, nil
	}
	if known, err := keptApart(ctx, tx, in, r, m); known || err != nil {
		return ClassAgrees, err
	}
	if p.TID == r.TID && p.Approved > 0 && p.Approved != r.Amount && !anotherDeposit(p, r) {
		return s.reviewRow(ctx, tx, p, in, ClassAmount)
	}
	in.EffectKey = effectKey(in)
	verdict, err := s.apply(ctx, tx, p, in)
	if err != nil {
		return "", err
	}
	now, err := tx.Payment(ctx, p.Moid)
	switch {
	case err != nil:
		return "", err
	case verdict == VerdictDuplicate:
		return ClassAgrees, nil
	case now.State == Paid && now.TID == r.TID && r.Kind == Deposited:
		return ClassDeposit, nil
	case now.State == Paid && now.TID == r.TID:
		return ClassPaidThere, nil
	case now.State == Held && now.TID == r.TID && now.HoldReason == HoldAmount:
		return ClassAmount, nil
	case !p.PaidAt.IsZero() || p.State == Held:
		return ClassSecond, nil
	}
	return ClassReview, nil
}

// reviewRow keeps a contradiction for a person and moves nothing.
func (s *Shop) reviewRow(ctx context.Context, tx Tx, p Payment, in Input, c Class) (Class, error) {
	h := holdFor(p, in, HoldReview)
	h.ID = holdID(string(HoldReview), string(in.Kind), string(in.Mode), string(in.TID), in.Amount.String(), in.GatewayTime)
	h.MessageID = in.Import
	err := tx.CreateHold(ctx, *h)
	if errors.Is(err, ErrConflict) {
		err = nil // a person was asked before
	}
	return c, err
}

// backRow is money that went back, says the list: a cancel that we know, one of ours that we had no word of, or one made
// at the gateway's own site.
func (s *Shop) backRow(ctx context.Context, tx Tx, p Payment, in Input, r ListRow, m matched) (Class, error) {
	if p.TID != r.TID || p.Approved == 0 && p.State != WaitingDeposit {
		return ClassIgnored, nil // it is of other money, which is kept apart; or nothing came here that could have gone back
	}
	if r.Total {
		switch {
		case r.Amount == p.Cancelled:
			return ClassAgrees, nil
		case r.Amount < p.Cancelled:
			return s.reviewRow(ctx, tx, p, in, ClassAmount)
		}
		r.Amount -= p.Cancelled
		in.Amount = r.Amount
	}
	list, err := tx.Cancels(ctx, p.OrderNo)
	if err != nil {
		return "", err
	}
	in.EffectKey = r.backKey(p)
	c := r.matchCancel(list, p, m)
	switch {
	case c != nil && !c.State.Open():
		m.used[c.ID] = true
		return ClassAgrees, nil
	case c != nil:
		m.used[c.ID] = true
		if r.Exact && c.GatewayAt.IsZero() {
			c.GatewayAt = r.At
		}
		if c.PTID == "" {
			c.PTID = r.Own
		}
		return ClassCancelSettles, s.settle(ctx, tx, *c, CancelDone, "import", in)
	}
	if in.EffectKey != "" {
		if known, err := tx.HasEffect(ctx, in.EffectKey); known || err != nil {
			return ClassAgrees, err
		}
	}
	return s.externalRow(ctx, tx, p, in, r, m)
}

// externalRow records a cancel that was made at the gateway's own site.
func (s *Shop) externalRow(ctx context.Context, tx Tx, p Payment, in Input, r ListRow, m matched) (Class, error) {
	verdict, err := s.apply(ctx, tx, p, in)
	switch {
	case err != nil:
		return "", err
	case verdict == VerdictParked:
		return ClassIgnored, nil
	case verdict != VerdictGood:
		return ClassReview, nil
	}
	c := Cancel{
		ID: newToken(), OrderNo: p.OrderNo, Moid: p.Moid, TID: p.TID, Amount: in.Amount, External: true, Whole: in.Amount == p.Approved,
		State: CancelStateDone, CancelNum: r.CancelNum, PTID: r.Own, CreatedAt: in.At, SettledAt: in.At, SettledBy: "import",
	}
	if r.Exact {
		c.GatewayAt = r.At
	}
	m.used[c.ID] = true
	return ClassCancelledThere, tx.CreateCancel(ctx, c)
}

// backKey is the effect's key as a notice of the same cancel would have it; empty: the row does not say enough.
func (r ListRow) backKey(p Payment) string {
	if r.Own == "" && !r.Exact {
		return ""
	}
	return cancelKey(p, Input{Amount: r.Amount}, smartro.Notice{TID: r.ownOr(p.TID), AuthDate: r.listTime()})
}

func (r ListRow) ownOr(tid TID) TID {
	if r.Own != "" {
		return r.Own
	}
	return tid
}

// matchCancel finds the cancel that a row is, among those that no other row of the list is: by its own TID or number,
// else by amount and time, else the one whose outcome is open, else one of that amount whose time nobody knows.
func (r ListRow) matchCancel(list []Cancel, p Payment, m matched) *Cancel {
	var open, undated, sameDay *Cancel
	for i := range list {
		c := &list[i]
		if c.Moid != p.Moid || c.TID != p.TID || m.used[c.ID] || p.Approved > 0 && c.withdraws(p) || !c.State.Open() && c.State != CancelStateDone {
			continue
		}
		if r.Own != "" && c.PTID == r.Own || r.CancelNum != "" && c.CancelNum == r.CancelNum {
			return c
		}
		if c.Amount != r.Amount || r.Own != "" && c.PTID != "" {
			continue
		}
		switch {
		case c.State.Open():
			open = c
		case c.GatewayAt.IsZero() || r.At.IsZero():
			undated = c
		case r.Exact && r.At.Sub(c.GatewayAt).Abs() <= sameClock:
			return c
		case !r.Exact && kstDay(r.At) == kstDay(c.GatewayAt):
			sameDay = c
		}
	}
	for _, c := range []*Cancel{sameDay, open, undated} {
		if c != nil {
			return c
		}
	}
	return nil
}

// missingThere lists what is paid here, in the time of the list, and is not in it. It may have been filtered: nothing is
// changed.
func (s *Shop) missingThere(ctx context.Context, imp *Import, listed map[TID]bool) error {
	if imp.Result.From.IsZero() {
		return nil
	}
	q := PaymentQuery{Clock: ClockPaid, From: imp.Result.From, To: imp.Result.To.Add(time.Second), Mode: imp.Mode, Limit: exportPage}
	for {
		rows, err := s.Store.SearchPayments(ctx, q)
		if err != nil {
			return err
		}
		for _, p := range rows {
			if p.MID == imp.MID && !listed[p.TID] {
				imp.Result.add(ListLine{Class: ClassMissingThere, Moid: p.Moid, TID: p.TID, Amount: p.Approved, At: p.When})
			}
		}
		if len(rows) < q.Limit {
			return nil
		}
		last := rows[len(rows)-1]
		q.After = Cursor{At: last.When, ID: string(last.Moid)}
	}
}
