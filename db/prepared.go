package db

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// mostPrepared is how many statements are kept prepared: the writer has far fewer, and so have the readers but for the
// ever new words of a search.
const mostPrepared = 256

// preparer is a connection, a transaction or a pool.
type preparer interface {
	conn
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// prepared is a connection that prepares each statement once: reading its text takes SQLite longer than running it.
// It is its one user's alone, and no statement may be run while its own rows are still read.
type prepared struct {
	preparer
	known map[string]*sql.Stmt
}

func newPrepared(c preparer) *prepared { return &prepared{c, map[string]*sql.Stmt{}} }

func (p *prepared) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := p.known[query]; s != nil {
		return s, nil
	}
	s, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(p.known) >= mostPrepared {
		for old, s := range p.known {
			delete(p.known, old)
			if err := s.Close(); err != nil {
				return nil, err
			}
			break
		}
	}
	p.known[query] = s
	return s, nil
}

// forget closes all statements: SQLite keeps a connection half open as long as one is left.
func (p *prepared) forget() error {
	var errs []error
	for _, s := range p.known {
		errs = append(errs, s.Close())
	}
	clear(p.known)
	return errors.Join(errs...)
}

// ExecContext implements conn.
func (p *prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := p.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// QueryContext implements conn.
func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// QueryRowContext implements conn.
func (p *prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := p.stmt(ctx, query)
	if err != nil { // it says the same, as a row
		return p.preparer.QueryRowContext(ctx, query, args...)
	}
	return s.QueryRowContext(ctx, args...)
}

// preparedPool is a pool of connections that prepares each statement once on each of them. It may be used by many at a
// time. The statements end with the pool.
type preparedPool struct {
	*sql.DB
	mu    sync.RWMutex
	known map[string]*sql.Stmt
}

func newPreparedPool(d *sql.DB) *preparedPool {
	return &preparedPool{DB: d, known: map[string]*sql.Stmt{}}
}

// stmt is nil for what is not kept: a statement that others may be running is not given up for a new one.
func (p *preparedPool) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.RLock()
	s, room := p.known[query], len(p.known) < mostPrepared
	p.mu.RUnlock()
	if s != nil || !room {
		return s, nil
	}
	made, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	s = p.known[query]
	if s == nil {
		p.known[query] = made
	}
	p.mu.Unlock()
	if s != nil { // another was faster
		return s, made.Close()
	}
	return made, nil
}

// ExecContext implements conn.
func (p *preparedPool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := p.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return p.DB.ExecContext(ctx, query, args...)
	}
	return s.ExecContext(ctx, args...)
}

// QueryContext implements conn.
func (p *preparedPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return p.DB.QueryContext(ctx, query, args...)
	}
	return s.QueryContext(ctx, args...)
}

// QueryRowContext implements conn.
func (p *preparedPool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := p.stmt(ctx, query)
	if s == nil || err != nil { // it says the same, as a row
		return p.DB.QueryRowContext(ctx, query, args...)
	}
	return s.QueryRowContext(ctx, args...)
}
