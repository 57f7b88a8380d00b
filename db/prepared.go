package db

import (
	"context"
	"database/sql"
	"errors"
)

// mostPrepared is how many statements the writer keeps prepared: it has far fewer.
const mostPrepared = 256

// prepared is a connection that prepares each statement once: reading its text takes SQLite longer than running it.
// It is its one user's alone, and no statement may be run while its own rows are still read.
type prepared struct {
	*sql.Conn
	known map[string]*sql.Stmt
}

func newPrepared(c *sql.Conn) *prepared { return &prepared{c, map[string]*sql.Stmt{}} }

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
		return p.Conn.QueryRowContext(ctx, query, args...)
	}
	return s.QueryRowContext(ctx, args...)
}
