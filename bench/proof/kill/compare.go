package kill

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gage/app"
	"gage/db"
	"gage/smartro"
)

// compare looks at the records of the shop that has just ended, in a copy, so that the program itself has to recover
// them, and holds them against what the world knows. settled: nothing may be under way any more.
func (l *lane) compare(ctx context.Context, settled bool) (err error) {
	l.t.calm.Lock() // every answer that it gave has been read
	defer l.t.calm.Unlock()
	dir, err := l.copyRecords()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	store, err := openCopy(ctx, dir)
	if err != nil {
		if ctx.Err() == nil {
			l.violation(l.name, "its records can't be opened: %v", err)
			return errOver
		}
		return err
	}
	c := comparison{lane: l, store: store, settled: settled, seen: map[app.Moid]bool{}}
	found := c.all(ctx)
	seen, err := store.Verify(ctx, l.heads, func(fault string) { found = append(found, fault) })
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	l.heads = append(l.heads, seen.Head)
	l.count("logs verified", 1)
	raw, err := inFile(ctx, filepath.Join(dir, "gage.db"))
	if err != nil {
		return err
	}
	found = append(found, raw...)
	for _, f := range found {
		l.violation(l.name, "%s", f)
	}
	if len(found) > 0 {
		return errOver
	}
	return nil
}

// copyRecords copies the database as it lies on the disk.
func (l *lane) copyRecords() (string, error) {
	dir, err := os.MkdirTemp(l.Work, "copy-")
	if err != nil {
		return "", err
	}
	for _, name := range []string{"gage.db", "gage.db-wal", "gage.key"} {
		raw, err := os.ReadFile(filepath.Join(l.data, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), raw, 0o600)
		}
		if err != nil {
			return "", errors.Join(err, os.RemoveAll(dir))
		}
	}
	return dir, nil
}

// openCopy opens the store of a copied folder.
func openCopy(ctx context.Context, dir string) (*db.Store, error) {
	text, err := os.ReadFile(filepath.Join(dir, "gage.key"))
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, err
	}
	ring, err := app.NewKeyring(key)
	if err != nil {
		return nil, err
	}
	return db.Open(ctx, db.Config{Path: filepath.Join(dir, "gage.db"), Keys: ring})
}

// comparison holds one state of the records against the world.
type comparison struct {
	*lane
	store   *db.Store
	settled bool
	gateway map[string]gatewayPayment // by Moid
	seen    map[app.Moid]bool
	found   []string
}

// gatewayPayment is what the gateway's own ledger says.
type gatewayPayment struct {
	TID     app.TID `json:"tid"`
	Moid    string  `json:"moid"`
	Amt     app.Won `json:"amt"`
	State   string  `json:"state"`
	Cancels []struct {
		Amt app.Won `json:"amt"`
	} `json:"cancels"`
}

func (p gatewayPayment) back() (sum app.Won) {
	for _, c := range p.Cancels {
		sum += c.Amt
	}
	return sum
}

func (c *comparison) wrong(format string, args ...any) {
	c.found = append(c.found, fmt.Sprintf(format, args...))
}

// all compares everything. It holds the world still while it does.
func (c *comparison) all(ctx context.Context) []string {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	c.found = append(c.found, c.t.wrong...)
	c.count("notifications OK", c.t.oks)
	c.t.oks = 0
	c.gateway = c.gatewayNow()
	for no := range c.t.orders {
		if _, err := c.store.Order(ctx, app.OrderNo(no)); err != nil {
			c.wrong("the payment request %s was acknowledged: %v", no, err)
		}
	}
	for moid := range c.t.opened {
		p := c.payment(ctx, app.Moid(moid))
		if p.State == app.New {
			c.wrong("the form of %s was served, and its record does not say so", moid)
		}
	}
	for sum, n := range c.t.told {
		c.notice(ctx, sum, n)
	}
	for reason, in := range c.t.intents {
		c.intent(ctx, reason, in)
	}
	c.charges(ctx)
	c.cashReceipts(ctx)
	c.documents(ctx)
	return c.found
}

func (c *comparison) gatewayNow() map[string]gatewayPayment {
	list, err := withoutWindows(c.order("GET", "/control/api/state", nil))
	if err != nil {
		c.wrong("the gateway's state: %v", err)
	}
	by := map[string]gatewayPayment{}
	for _, p := range list {
		by[p.Moid] = p
	}
	return by
}

// notice: what was answered OK is stored once, and has had its one effect (I1, I2, R1, R20).
func (c *comparison) notice(ctx context.Context, sum string, n toldNotice) {
	if n.notice.OfCashReceipt(smartro.Merchant{}) {
		c.receiptNotice(ctx, n.notice)
		return
	}
	p := c.payment(ctx, n.notice.Moid)
	if p.Moid == "" {
		c.wrong("a notification about %s was answered OK, and there is no such payment", n.notice.Moid)
		return
	}
	list, err := c.store.Messages(ctx, p.OrderNo)
	if err != nil {
		c.wrong("messages of %s: %v", p.OrderNo, err)
	}
	stored := 0
	for _, m := range list {
		if m.Channel == app.ChannelNotify && m.SHA256 == sum {
			stored++
		}
	}
	if stored != 1 {
		c.wrong("the notification %s of %s was answered OK %d times and is stored %d times", n.notice.ResultCode, p.Moid, n.copies, stored)
	}
	switch n.notice.ResultCode {
	case "3001", "4000", "4110":
		if p.Approved != n.notice.Amt || p.PaidAt.IsZero() || p.TID != n.notice.TID {
			c.wrong("the payment of %d won for %s was answered OK, and the record is %s with %d won", n.notice.Amt, p.Moid, p.State, p.Approved)
		}
	case "4100":
		if p.State == app.Opened || p.State == app.Claimed {
			c.wrong("the account of %s was answered OK, and the record is %s", p.Moid, p.State)
		}
	case "2001", "2211":
		if p.Cancelled < n.notice.Amt {
			c.wrong("%d won given back for %s was answered OK, and the record has %d", n.notice.Amt, p.Moid, p.Cancelled)
		}
	}
}

// intent: staff's wish is known once it was acknowledged or left the shop, and left it once at most (I8, R17).
func (c *comparison) intent(ctx context.Context, reason string, in *intent) {
	if in.calls > 1 {
		c.wrong("the cancel %q of %s was sent %d times", reason, in.moid, in.calls)
	}
	k, err := c.store.Cancel(ctx, in.key)
	asked := in.clerk && c.asked(ctx, reason, in, err == nil)
	switch {
	case errors.Is(err, app.ErrNotFound) && asked && in.calls == 0:
		return
	case errors.Is(err, app.ErrNotFound) && (in.acked || in.calls > 0):
		c.wrong("the cancel %q of %s was acknowledged (%t) or sent (%d times), and there is no record of it", reason, in.moid, in.acked, in.calls)
		return
	case errors.Is(err, app.ErrNotFound):
		return
	case err != nil:
		c.wrong("the cancel %q: %v", reason, err)
		return
	}
	if string(k.Moid) != in.moid || in.amount != 0 && k.Amount != in.amount {
		c.wrong("the cancel %q of %d won for %s is recorded as %d won for %s", reason, in.amount, in.moid, k.Amount, k.Moid)
	}
	if k.State == app.CancelStateDone && in.calls == 0 {
		c.wrong("the cancel %q of %s is done, and the gateway was never asked", reason, in.moid)
	}
	if c.settled && (k.State == app.CancelStateSent || k.State == app.CancelStateRequested) {
		c.wrong("the cancel %q of %s is still %s after all is over", reason, in.moid, k.State)
	}
}

// payment reads a payment and checks it once: its money, its events, its cancels and the gateway's ledger agree.
func (c *comparison) payment(ctx context.Context, moid app.Moid) app.Payment {
	p, err := c.store.Payment(ctx, moid)
	if err != nil {
		c.wrong("the payment %s was opened: %v", moid, err)
		return p
	}
	if c.seen[moid] {
		return p
	}
	c.seen[moid] = true
	cancels, err := c.store.Cancels(ctx, p.OrderNo)
	if err != nil {
		c.wrong("cancels of %s: %v", moid, err)
	}
	var reserved, back app.Won
	for _, k := range cancels {
		switch {
		case k.State.Open():
			reserved += k.Amount
		case k.State == app.CancelStateDone:
			back += k.Amount
		}
	}
	if p.Reserved != reserved || p.Cancelled != back || p.Left() < 0 {
		c.wrong("%s: approved %d, reserved %d, cancelled %d; its cancels say %d and %d", moid, p.Approved, p.Reserved, p.Cancelled, reserved, back)
	}
	c.history(ctx, p)
	g, known := c.gateway[string(moid)]
	switch {
	case p.Approved > 0 && (!known || p.Approved != g.Amt || p.TID != g.TID):
		c.wrong("%s is %s with %d won, and the gateway has %d won as %s", moid, p.State, p.Approved, g.Amt, g.State)
	case p.Cancelled > g.back():
		c.wrong("%s: %d won are back, and the gateway gave %d back", moid, p.Cancelled, g.back())
	case p.Approved > 0 && g.back() > p.Cancelled+p.Reserved:
		c.wrong("%s: the gateway gave %d won back, and the record has %d back and %d set aside", moid, g.back(), p.Cancelled, p.Reserved)
	case c.settled && p.Approved > 0 && g.back() != p.Cancelled:
		c.wrong("%s: after all is over the gateway gave %d won back, and the record has %d", moid, g.back(), p.Cancelled)
	}
	return p
}

// history: the payment is what its events say, and each effect happened once.
func (c *comparison) history(ctx context.Context, p app.Payment) {
	events, err := c.store.Events(ctx, p.OrderNo)
	if err != nil {
		c.wrong("events of %s: %v", p.Moid, err)
	}
	var last app.Event
	var came int
	var back app.Won
	for _, e := range events {
		if e.Moid != p.Moid {
			continue
		}
		if e.From != last.To && last.Seq != 0 {
			c.wrong("%s: event %d comes from %s, the one before went to %s", p.Moid, e.Seq, e.From, last.To)
		}
		last = e
		switch e.Kind {
		case app.Approved, app.Deposited:
			came++
		case app.CancelDone, app.CancelNotice, app.RefundNotice:
			back += e.Amount
		}
	}
	if last.To != p.State || came > 1 || back != p.Cancelled {
		c.wrong("%s is %s with %d won back; its events end in %s, with %d approvals and %d won back", p.Moid, p.State, p.Cancelled, last.To, came, back)
	}
}

// inFile looks at the file itself: it is whole, its log has no gap, and what is owed is owed in it (R33).
func inFile(ctx context.Context, path string) (found []string, err error) {
	file, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for _, q := range []struct{ what, query, want string }{
		{"integrity", "PRAGMA integrity_check", "ok"},
		{"rows without what they refer to", "SELECT COUNT(*) FROM pragma_foreign_key_check", "0"},
		{"gaps in the log", "SELECT COALESCE(MAX(seq), 0) - COUNT(*) FROM events", "0"},
		{"cancels under way that nobody looks after",
			"SELECT COUNT(*) FROM cancels WHERE state IN ('sent', 'unknown') AND id NOT IN (SELECT ref FROM jobs WHERE kind = 'inquire_cancel')", "0"},
		{"claims that nobody asks about",
			"SELECT COUNT(*) FROM payments WHERE state = 'claimed' AND moid NOT IN (SELECT ref FROM jobs WHERE kind = 'inquire_payment')", "0"},
		{"opened payments that never expire",
			"SELECT COUNT(*) FROM payments WHERE state = 'opened' AND device <> 'key' AND moid NOT IN (SELECT ref FROM jobs WHERE kind = 'expire')", "0"},
		{"charges under way that nobody looks after",
			"SELECT COUNT(*) FROM charges WHERE state IN ('requested', 'sent') AND id NOT IN (SELECT ref FROM jobs WHERE kind = 'charge')", "0"},
	} {
		var got string
		if err := file.QueryRowContext(ctx, q.query).Scan(&got); err != nil {
			return nil, fmt.Errorf("%s: %w", q.what, err)
		}
		if got != q.want {
			found = append(found, q.what+": "+got)
		}
	}
	return found, nil
}

// settleWithin is how long the shop may take to settle all once no more faults come.
const settleWithin = 90 * time.Second

// settle lets the shop run undisturbed until all that is under way has come to its end, stopping it now and then to look.
func (l *lane) settle(ctx context.Context) error {
	l.order("DELETE", "/control/api/faults", nil)
	for began := time.Now(); ; {
		p, err := l.start(l.bin, "", 0)
		if err != nil {
			return err
		}
		if up, err := p.up(ctx); err != nil || !up {
			if err == nil {
				l.violation(l.name, "it does not start: %s", p.lastWords())
			}
			return errors.Join(err, errOver)
		}
		select {
		case <-time.After(1500 * time.Millisecond):
		case <-ctx.Done():
		}
		l.terminate(p)
		if err := ctx.Err(); err != nil {
			return err
		}
		open, err := l.underWay(ctx)
		if err != nil {
			return err
		}
		if open == "" {
			return l.compare(ctx, true)
		}
		if time.Since(began) > settleWithin {
			l.violation(l.name, "%v after the last fault: %s", settleWithin, open)
			return errOver
		}
	}
}

// underWay says what is not at its end: notifications not yet told, cancels without an outcome.
func (l *lane) underWay(ctx context.Context) (string, error) {
	var state struct {
		Notifications []struct {
			State string `json:"state"`
		} `json:"notifications"`
	}
	if err := json.Unmarshal(l.order("GET", "/control/api/state", nil), &state); err != nil {
		return "", err
	}
	waiting := 0
	for _, n := range state.Notifications {
		if n.State == "waiting" || n.State == "held" {
			waiting++
		}
	}
	var sent, owed, untold int
	err := l.query(ctx, "SELECT (SELECT COUNT(*) FROM cancels WHERE state IN ('requested', 'sent')), "+
		"(SELECT COUNT(*) FROM payments WHERE state = 'claimed' AND method <> 'VBANK'), "+
		"(SELECT COUNT(*) FROM deliveries WHERE state = 'waiting')", &sent, &owed, &untold)
	if err != nil {
		return "", err
	}
	unknown, err := l.unknownThatHappened(ctx)
	charging, chargeErr := l.chargesUnderWay(ctx)
	if err := errors.Join(err, chargeErr); err != nil || waiting+sent+owed+unknown+untold+charging == 0 {
		return "", err
	}
	return fmt.Sprintf("%d charges are sent, %d notifications are not told, %d cancels are sent, %d unknown though they happened, %d claims are not proved, %d documents are not taken",
		charging, waiting, sent, unknown, owed, untold), nil
}

// unknownThatHappened counts cancels that stay unknown though the gateway did them. Those whose call never left wait for
// a person: the gateway's silence proves nothing for ten minutes.
func (l *lane) unknownThatHappened(ctx context.Context) (n int, err error) {
	dir, err := l.copyRecords()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	store, err := openCopy(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	c := comparison{lane: l}
	for moid, g := range c.gatewayNow() {
		p, err := store.Payment(ctx, app.Moid(moid))
		if err != nil {
			return 0, err
		}
		if p.Approved > 0 && g.back() != p.Cancelled {
			n++
		}
	}
	return n, nil
}

// query reads one row out of a copy of the records.
func (l *lane) query(ctx context.Context, query string, into ...any) (err error) {
	dir, err := l.copyRecords()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "gage.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return file.QueryRowContext(ctx, query).Scan(into...)
}
