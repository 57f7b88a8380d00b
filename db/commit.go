package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"gage/app"
)

const tries = 8 // of a transaction that lost a race, or its connection, on PostgreSQL

// errLostCommit says that the connection broke at COMMIT, and that PostgreSQL undid the transaction.
var errLostCommit = errors.New("db: the connection broke before the commit: nothing was changed")

func (s *Store) updatePostgres(ctx context.Context, f func(tx app.Tx) error) error {
	var err error
	for range tries {
		if err = s.tryPostgres(ctx, f); !lostRace(err) && !errors.Is(err, errLostCommit) || ctx.Err() != nil {
			return err
		}
	}
	return errors.Join(app.ErrOverload, err)
}

func (s *Store) tryPostgres(ctx context.Context, f func(tx app.Tx) error) error {
	tx, err := s.writeDB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	own := s.queries
	own.q = tx
	err = s.halt.at(contain(ctx, f, newTransaction(own, s.now)))
	if err == nil {
		err = s.halt.err() // another caller's assertion failed meanwhile
	}
	if err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	// Its name, by which it is asked about if the connection breaks now.
	id, err := one(ctx, own, scanText, "SELECT CAST(pg_current_xact_id() AS TEXT)")
	if err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err = tx.Commit(); !unknown(err) {
		return err
	}
	return s.outcome(ctx, id, err)
}

// unknown says that a COMMIT ended without PostgreSQL's word about it.
func unknown(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) { // a server that is shut down may say so after it committed
		return strings.HasPrefix(pg.Code, "57P")
	}
	return err != nil && !errors.Is(err, pgx.ErrTxCommitRollback) && !errors.Is(err, sql.ErrTxDone)
}

// How long a transaction is asked about whose COMMIT had no answer, and how often.
const (
	outcomeWait  = 5 * time.Second
	outcomeEvery = 20 * time.Millisecond
)

// outcome asks PostgreSQL, on another connection, how the transaction ended. cause is why there was no answer. nil: it
// is committed and durable.
func (s *Store) outcome(ctx context.Context, id string, cause error) error {
	ask, stop := context.WithTimeout(context.WithoutCancel(ctx), outcomeWait) // whoever left, the others need to know
	defer stop()
	tick := time.NewTicker(outcomeEvery)
	defer tick.Stop()
	var asking error
	for {
		var status string
		status, asking = one(ask, s.queries, scanText, "SELECT COALESCE(pg_xact_status(CAST($1 AS xid8)), '')", id)
		switch status {
		case "committed":
			return nil
		case "aborted":
			return errors.Join(errLostCommit, cause)
		}
		select {
		case <-ask.Done():
			return fmt.Errorf("db: the connection broke at the commit of transaction %s, and how that ended can't be found out: %w", id, errors.Join(cause, asking))
		case <-tick.C: // PostgreSQL has not noticed the break, or can't be reached
		}
	}
}
