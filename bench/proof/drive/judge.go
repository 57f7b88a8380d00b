package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"gage/app"
	"gage/smartro"
)

// judge reads lines "FOLDER<tab>ACKS FILE", opens the shop in each folder and says "well" or what is wrong with it.
func judge(ctx context.Context, in io.Reader, out io.Writer) int {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		folder, acks, _ := strings.Cut(lines.Text(), "\t")
		verdict := "well"
		if err := judgeOne(ctx, folder, acks); err != nil {
			verdict = strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		if _, err := fmt.Fprintln(out, verdict); err != nil {
			return 1
		}
	}
	return 0
}

func judgeOne(ctx context.Context, folder, acks string) (err error) {
	said, err := os.ReadFile(acks)
	if err != nil {
		return err
	}
	h, err := openHouse(ctx, folder, slog.New(slog.DiscardHandler))
	if err != nil {
		return fmt.Errorf("the shop does not open: %w", err)
	}
	defer func() { err = errors.Join(err, h.store.Close()) }()
	var errs []error
	for line := range strings.Lines(string(said)) {
		if err := h.kept(ctx, strings.Fields(line)); err != nil {
			errs = append(errs, fmt.Errorf("acknowledged and lost: %s: %w", strings.TrimSpace(line), err))
		}
		if len(errs) == 3 {
			break
		}
	}
	errs = append(errs, h.whole(ctx), sound(ctx, filepath.Join(folder, "gage.db")))
	if err := h.store.Ready(ctx); err != nil {
		errs = append(errs, fmt.Errorf("the shop opens and can't write: %w", err))
	}
	return errors.Join(errs...)
}

// kept says whether one acknowledged thing is still there.
func (h *house) kept(ctx context.Context, words []string) error {
	named := map[string]int{"order": 2, "form": 2, "claim": 3, "notice": 3, "called": 2, "cancelled": 3, "intended": 3}
	if len(words) == 0 || len(words) < named[words[0]] {
		return errors.New("what was acknowledged has no name")
	}
	switch words[0] {
	case "order":
		_, err := h.Store.Order(ctx, app.OrderNo(words[1]))
		return err
	case "form":
		_, err := h.Store.Payment(ctx, app.Moid(words[1]))
		return err
	case "claim":
		return h.told(ctx, app.Moid(words[1]), app.TID(words[2]), app.ChannelReturn)
	case "notice":
		p, err := h.Store.Payment(ctx, app.Moid(words[1]))
		if err != nil {
			return err
		}
		if p.TID != app.TID(words[2]) || p.PaidAt.IsZero() || p.Approved != p.Amount {
			return fmt.Errorf("the payment is %s, %d won approved", p.State, p.Approved)
		}
		return h.told(ctx, p.Moid, p.TID, app.ChannelNotify)
	case "called":
		p, err := h.Store.PaymentByTID(ctx, merchant.Mode, app.TID(words[1]))
		if err != nil {
			return err
		}
		list, err := h.Store.Cancels(ctx, p.OrderNo)
		if err == nil && len(list) == 0 {
			err = errors.New("the gateway was called and there is no intent")
		}
		return err
	case "cancelled", "intended":
		c, err := h.Store.Cancel(ctx, words[2])
		if err != nil {
			return err
		}
		p, err := h.Store.Payment(ctx, c.Moid)
		if err != nil {
			return err
		}
		if words[0] == "cancelled" && (c.State != app.CancelStateDone || p.Cancelled != c.Amount) {
			return fmt.Errorf("the cancel is %s, %d of %d won are back", c.State, p.Cancelled, c.Amount)
		}
	case "WRONG":
		return errors.New("a wrong answer")
	}
	return nil
}

// told says whether the message about a payment is stored.
func (h *house) told(ctx context.Context, moid app.Moid, tid app.TID, by app.Channel) error {
	p, err := h.Store.Payment(ctx, moid)
	if err != nil {
		return err
	}
	list, err := h.Store.Messages(ctx, p.OrderNo)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.TID == tid && m.Channel == by {
			return nil
		}
	}
	return errors.New("the message is not stored")
}

// whole says whether all payments are what their events say: no half of a transaction is there.
func (h *house) whole(ctx context.Context) error {
	var errs []error
	q := app.OrderQuery{Limit: 500}
	for {
		page, err := h.Store.Orders(ctx, q)
		if err != nil {
			return err
		}
		for _, o := range page {
			errs = append(errs, h.wholeOrder(ctx, o))
		}
		if len(page) < q.Limit {
			return errors.Join(errs...)
		}
		last := page[len(page)-1]
		q.After = app.Cursor{At: last.CreatedAt, ID: string(last.No)}
	}
}

func (h *house) wholeOrder(ctx context.Context, o app.Order) error {
	ps, err := h.Store.PaymentsOf(ctx, o.No)
	if err != nil {
		return err
	}
	events, err := h.Store.Events(ctx, o.No)
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range ps {
		errs = append(errs, folds(p, events))
	}
	if want := app.Derive(o, ps); want != o.State {
		errs = append(errs, fmt.Errorf("order %s is %s and its payments say %s", o.No, o.State, want))
	}
	messages, err := h.Store.Messages(ctx, o.No)
	if err != nil {
		return err
	}
	for _, m := range messages {
		if m.Level >= app.T2 && m.Verdict == app.VerdictGood && !speaksOf(events, m.ID) {
			errs = append(errs, fmt.Errorf("message %s of order %s changed something and no event says so", m.ID, o.No))
		}
	}
	return errors.Join(errs...)
}

func speaksOf(events []app.Event, message string) bool {
	for _, e := range events {
		if e.MessageID == message {
			return true
		}
	}
	return false
}

// folds says whether the payment's row is what its events make of it.
func folds(p app.Payment, events []app.Event) (err error) {
	defer func() {
		if v := recover(); v != nil { // Apply asserts the forbidden transitions
			err = fmt.Errorf("payment %s can't be replayed: %v", p.Moid, v)
		}
	}()
	was := app.Payment{Moid: p.Moid, OrderNo: p.OrderNo, Amount: p.Amount, State: app.New, Proof: app.ProofNone}
	n := 0
	for _, e := range events {
		if e.Moid == p.Moid {
			was = was.Apply(e)
			n++
		}
	}
	type row struct {
		app.State
		app.Proof
		app.HoldReason
		smartro.TID
		approved, reserved, cancelled app.Won
		paid, updated                 int64
	}
	of := func(p app.Payment) row {
		return row{p.State, p.Proof, p.HoldReason, p.TID, p.Approved, p.Reserved, p.Cancelled, p.PaidAt.UnixMicro(), p.UpdatedAt.UnixMicro()}
	}
	if of(was) != of(p) {
		return fmt.Errorf("payment %s is %+v and its %d events say %+v", p.Moid, of(p), n, of(was))
	}
	return nil
}

// sound says what the database itself says of its file, and that the log has no gap.
func sound(ctx context.Context, path string) (err error) {
	d, err := sql.Open("sqlite", "file:"+path+"?_query_only=1")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	var errs []error
	for query, want := range map[string]string{
		"PRAGMA integrity_check":                                                                                  "ok",
		"SELECT COUNT(*) FROM pragma_foreign_key_check":                                                           "0",
		"SELECT COUNT(*) - COALESCE(MAX(seq), 0) FROM events":                                                     "0",
		"SELECT n - (SELECT COUNT(*) FROM events) FROM counters WHERE name = 'event'":                             "0",
		"SELECT COUNT(*) FROM payments WHERE NOT EXISTS (SELECT 1 FROM events WHERE events.moid = payments.moid)": "0",
	} {
		var got string
		if err := d.QueryRowContext(ctx, query).Scan(&got); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", query, err))
		} else if got != want {
			errs = append(errs, fmt.Errorf("%s: %s, want %s", query, got, want))
		}
	}
	return errors.Join(errs...)
}
