package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gage/app"
)

// Sizes of the writer's queue.
const (
	queueLen  = 2048
	batchMost = 256
	queueWait = 5 * time.Second

	checkpointEvery = 200 // callers, of some ten pages each
)

// writer is SQLite's single writer. It commits what is waiting as one transaction: each caller in a savepoint of
// its own, all released after the one sync to disk.
type writer struct {
	queue   chan *write
	stopped chan struct{} // closed when the loop has ended
	log     *slog.Logger
	base    queries // without a connection
	now     func() time.Time
	mu      sync.RWMutex // closing against sending
	closed  bool
	failMu  sync.Mutex
	failed  error         // the first write or sync that failed for good
	gaveUp  chan struct{} // closed when failed is set
	since   int           // callers committed since the last checkpoint
	reserve reserve
	halt    *halt
	mirror  *mirror // nil: there is none
	repeats repeats
}

// repeats counts how often stored messages came again, until the next commit takes it along.
type repeats struct {
	mu sync.Mutex
	n  map[string]int64 // by message ID
}

func (r *repeats) add(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n == nil {
		r.n = map[string]int64{}
	}
	r.n[id]++
}

func (r *repeats) take() map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.n
	r.n = nil
	return n
}

// write is one caller's transaction.
type write struct {
	ctx  context.Context
	f    func(app.Tx) error
	done chan error  // buffered: the loop never waits for a caller
	turn atomic.Bool // taken once: by the loop to run it, or by a caller who stops waiting
}

func startWriter(ctx context.Context, d *sql.DB, base queries, room reserve, second *mirror, h *halt, now func() time.Time, log *slog.Logger) (*writer, error) {
	c, err := d.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{queue: make(chan *write, queueLen), stopped: make(chan struct{}), base: base, now: now, log: log, gaveUp: make(chan struct{}), reserve: room, halt: h, mirror: second}
	go w.loop(c)
	return w, nil
}

// do queues f and waits until it is durable. ErrOverload: its turn did not come in time, nothing was run. Once it
// runs the caller hears how it ended, however long the disk takes.
func (w *writer) do(ctx context.Context, f func(app.Tx) error) error {
	if err := w.broken(); err != nil {
		return err
	}
	job := &write{ctx: ctx, f: f, done: make(chan error, 1)}
	late := time.NewTimer(queueWait) // for a place in the queue and for its turn together
	defer late.Stop()
	if err := w.send(ctx, job, late.C); err != nil {
		return err
	}
	select {
	case err := <-job.done:
		return err
	case <-late.C:
		if job.turn.CompareAndSwap(false, true) {
			return fmt.Errorf("the writer is behind: %w", app.ErrOverload)
		}
	case <-ctx.Done():
		if job.turn.CompareAndSwap(false, true) {
			return ctx.Err()
		}
	}
	return <-job.done
}

// send waits for a place in the queue, until it is late.
func (w *writer) send(ctx context.Context, job *write, late <-chan time.Time) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return fmt.Errorf("the store is closing: %w", app.ErrOverload)
	}
	select {
	case w.queue <- job:
		return nil
	default:
	}
	select {
	case w.queue <- job:
		return nil
	case <-late:
		return fmt.Errorf("the writer's queue is full: %w", app.ErrOverload)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) stop() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.stopped
	return nil
}

func (w *writer) broken() error {
	w.failMu.Lock()
	defer w.failMu.Unlock()
	return w.failed
}

func (w *writer) loop(c *sql.Conn) {
	defer close(w.stopped)
	p := newPrepared(c)
	defer func() {
		if w.broken() != nil { // the pool can't close a connection that it was not given back: see [Store.Close]
			return
		}
		if err := errors.Join(p.forget(), c.Close()); err != nil {
			w.log.Warn("closing the writer's statements failed", "error", err)
		}
	}()
	for first := range w.queue {
		batch := []*write{first}
	more:
		for len(batch) < batchMost {
			select {
			case job, ok := <-w.queue:
				if !ok {
					break more
				}
				batch = append(batch, job)
			default:
				break more
			}
		}
		w.commit(p, batch)
		if w.since += len(batch); w.since >= checkpointEvery {
			w.since = 0
			w.checkpoint(p)
		}
	}
	w.commit(p, nil) // the repeats that were counted last
}

// checkpoint moves what was committed from the log into the database file. SQLite would do so by itself, and would
// say nothing when the disk fails at it.
func (w *writer) checkpoint(c conn) {
	if w.broken() != nil {
		return
	}
	_, err := c.ExecContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)")
	switch {
	case err == nil:
	case passing(err):
		w.log.Warn("the log could not be moved into the database file: it is tried again later", "error", err)
	default:
		w.fail(err)
	}
}

// commit runs a batch as one transaction. Nobody hears of success before the commit.
func (w *writer) commit(c conn, batch []*write) {
	ctx := context.Background()
	results := make([]error, len(batch))
	if w.reserve.spent {
		if err := w.reserve.refill(); err != nil {
			w.log.Warn("the reserve could not be taken again", "error", err)
		}
	}
	if w.mirror.lagging() {
		w.follow(ctx, c)
	}
	_, err := c.ExecContext(ctx, "BEGIN IMMEDIATE")
	if err == nil {
		if err = w.runAll(ctx, c, batch, results); err == nil {
			// crash point: all written, not committed
			_, err = c.ExecContext(ctx, "COMMIT")
		}
		if err != nil { // SQLite may have undone everything by itself: then there is nothing to roll back
			if _, undo := c.ExecContext(ctx, "ROLLBACK"); undo != nil {
				w.log.Warn("rolling back failed", "error", undo)
			}
		}
	}
	if err != nil && !passing(err) {
		w.fail(err)
	}
	if !w.reserve.spent && slices.ContainsFunc(append(results, err), full) {
		w.log.Error("the disk is full: nothing is stored until there is room, but staff may sign in")
		if err := w.reserve.spend(); err != nil {
			w.log.Warn("the reserve could not be given up", "error", err)
		}
	}
	// crash point: committed, nobody told
	var unmirrored error
	if err == nil {
		unmirrored = w.follow(ctx, c)
	}
	for i, job := range batch {
		if err != nil {
			results[i] = translate(err)
		}
		if results[i] == nil && !app.IsEssential(job.ctx) {
			results[i] = unmirrored
		}
		job.done <- results[i]
	}
}

// follow brings the mirror up to the last commit. Until it is there, only what is essential is stored.
func (w *writer) follow(ctx context.Context, c conn) error {
	if err := w.broken(); err != nil {
		return err
	}
	own := w.base
	own.q = c
	was := w.mirror.lagging()
	err := w.mirror.catchUp(ctx, own)
	switch {
	case err == nil:
	case !passing(err):
		w.fail(err)
	case !was:
		w.log.Error("the mirror's disk is full: nothing is stored until there is room, but staff may sign in", "error", err)
	}
	return err
}

// runAll gives each caller its turn. An error means that the whole transaction is lost: none of them may be told
// of success, and nobody after it may run, since its savepoint would be a transaction of its own.
func (w *writer) runAll(ctx context.Context, c conn, batch []*write, results []error) error {
	if err := w.broken(); err != nil {
		return err
	}
	for i, job := range batch {
		if !job.turn.CompareAndSwap(false, true) {
			continue // its caller left
		}
		if results[i] = w.halt.err(); results[i] != nil {
			continue
		}
		if (w.reserve.spent || w.mirror.lagging()) && !app.IsEssential(job.ctx) {
			results[i] = fmt.Errorf("the disk is full: %w", app.ErrOverload)
			continue
		}
		var lost error
		if results[i], lost = w.run(ctx, c, job); lost != nil {
			return lost
		}
	}
	if w.reserve.spent || w.mirror.lagging() || w.halt.err() != nil {
		return nil
	}
	for id, n := range w.repeats.take() { // a commit that fails loses them: they only count
		if _, err := c.ExecContext(ctx, countCopies, id, n); err != nil {
			return err
		}
	}
	return nil
}

// fail gives the store up: after a failed sync nobody knows what is on the disk, and trying again would hide it.
func (w *writer) fail(err error) {
	w.failMu.Lock()
	defer w.failMu.Unlock()
	if w.failed == nil {
		w.log.Error("the store can't be written on any more: restart after looking at the disk", "error", err)
		w.failed = fmt.Errorf("the store failed: %w", err)
		close(w.gaveUp)
	}
}

// run gives one caller its savepoint. lost: not this caller alone failed, but the transaction under all of them.
func (w *writer) run(ctx context.Context, c conn, job *write) (err, lost error) {
	if err := job.ctx.Err(); err != nil {
		return err, nil
	}
	if _, err := c.ExecContext(ctx, "SAVEPOINT caller"); err != nil {
		return nil, err
	}
	own := w.base
	own.q, own.shared = c, true
	err = w.halt.at(contain(job.ctx, job.f, newTransaction(own, w.now)))
	end := "RELEASE caller"
	if err != nil {
		end = "ROLLBACK TO caller; RELEASE caller"
	}
	if _, endErr := c.ExecContext(ctx, end); endErr != nil {
		return nil, errors.Join(err, endErr)
	}
	if damaged(err) {
		return nil, err
	}
	return err, nil
}

// contain runs f and settles its records in the log. A panic in f becomes an error: one caller's mistake must not take the
// others' records along. A failed assertion stays one: see [halt].
func contain(ctx context.Context, f func(app.Tx) error, tx *transaction) (err error) {
	defer func() {
		v := recover()
		if broken, ok := v.(*app.Broken); ok {
			err = broken
		} else if v != nil {
			err = fmt.Errorf("panic in a transaction: %v\n%s", v, debug.Stack())
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	return tx.settle(ctx)
}
