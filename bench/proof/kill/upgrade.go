package kill

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// trialRows is how many rows the next version's migration makes: enough for a kill to land inside of it.
const trialRows = 40_000

// nextVersion are the migrations that a later program would bring. The second refuses what the first left half done.
func nextVersion() map[string]string {
	return map[string]string{
		"db/migrate/common/9001_trial.sql": fmt.Sprintf(`-- +goose Up
CREATE TABLE trial (n BIGINT PRIMARY KEY, body TEXT NOT NULL);
INSERT INTO trial WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %d) SELECT n, 'row ' || n FROM c;
UPDATE trial SET body = body || ' changed';
CREATE INDEX trial_body ON trial (body);
`, trialRows),
		"db/migrate/common/9002_trial_sum.sql": fmt.Sprintf(`-- +goose Up
CREATE TABLE trial_sum (total BIGINT NOT NULL CHECK (total = %d));
INSERT INTO trial_sum SELECT COUNT(*) FROM trial WHERE body LIKE '%% changed';
`, trialRows),
	}
}

// upgrade starts the next version on the shop's records and kills it in its migrations; then it must come up with all
// records, and this version must refuse them (R36).
func (l *lane) upgrade(ctx context.Context) error {
	next, err := l.next()
	if err != nil {
		return err
	}
	before, err := l.records(ctx)
	if err != nil {
		return err
	}
	for range 3 {
		p, err := l.start(next, "", 0)
		if err != nil {
			return err
		}
		select {
		case <-time.After(time.Duration(60+l.rand.IntN(500)) * time.Millisecond):
		case <-p.ready:
		case <-p.ended:
		case <-ctx.Done():
		}
		p.kill()
		if !p.wasKilled() {
			l.violation(l.name, "killed in a migration, it can't go on: %s", p.lastWords())
			return errOver
		}
		l.count("kills", 1)
		l.count("kills in an upgrade", 1)
	}
	p, err := l.start(next, "", 0)
	if err != nil {
		return err
	}
	up, err := p.up(ctx)
	p.kill()
	if err != nil {
		return err
	}
	l.count("kills", 1)
	if !up {
		l.violation(l.name, "killed in a migration, it can't go on: %s", p.lastWords())
		return errOver
	}
	if after, err := l.records(ctx); err != nil {
		return err
	} else if after.lost(before) {
		l.violation(l.name, "the upgrade changed records: %+v became %+v", before, after)
	}
	var total int
	if err := l.query(ctx, "SELECT total FROM trial_sum", &total); err != nil || total != trialRows {
		l.violation(l.name, "the upgrade is not whole: %d of %d rows, %v", total, trialRows, err)
	}
	return l.refused(ctx)
}

// refused starts this version on the records of the next.
func (l *lane) refused(ctx context.Context) error {
	p, err := l.start(l.bin, "", 0)
	if err != nil {
		return err
	}
	up, err := p.up(ctx)
	p.kill()
	if err == nil && (up || !strings.Contains(p.lastWords(), "newer program")) {
		l.violation(l.name, "an older program takes the records of a newer one: %s", p.lastWords())
	}
	return err
}

// records is what an upgrade may not touch: how much there is of what only grows, and the money.
type records struct{ orders, payments, events, messages, approved, cancelled int64 }

// lost says whether something is gone: work that was owed may have added to it meanwhile.
func (r records) lost(before records) bool {
	return r.orders != before.orders || r.payments != before.payments || r.approved < before.approved ||
		r.events < before.events || r.messages < before.messages || r.cancelled < before.cancelled
}

func (l *lane) records(ctx context.Context) (r records, err error) {
	err = l.query(ctx, `SELECT (SELECT COUNT(*) FROM orders), (SELECT COUNT(*) FROM payments), (SELECT COUNT(*) FROM events),
		(SELECT COUNT(*) FROM messages), (SELECT COALESCE(SUM(approved), 0) FROM payments), (SELECT COALESCE(SUM(cancelled), 0) FROM payments)`,
		&r.orders, &r.payments, &r.events, &r.messages, &r.approved, &r.cancelled)
	return r, err
}
