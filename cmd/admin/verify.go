package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"gage/db"
)

// mostFaults is how many faults are told one by one.
const mostFaults = 100

// verifyCmd compares everything that is stored with the log.
type verifyCmd struct {
	storeFlags
	Mirror string `placeholder:"FILE" help:"Compare this mirror (serve --mirror) with the log, too."`
}

// Help shows examples.
func (verifyCmd) Help() string {
	return `It reads only, and works while the shop runs: it replays every payment's events and compares what comes out with
the tables, checks that no row of the log was changed, added or taken away, and that the log passes through the lines
of the .heads file. Keep a copy of that file on another machine. It exits 1 if anything does not agree.

Example:

  admin verify --data /var/lib/gage`
}

// Run verifies and prints what it found.
func (c verifyCmd) Run(ctx context.Context, w *world) (err error) {
	var f faults
	cfg := c.storeFlags.check(&f, false)
	if err := f.err(); err != nil {
		return err
	}
	cfg.Now, cfg.Log = w.now, w.textLog()
	store, err := openReader(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	kept, err := readHeads(cfg.headsFile())
	if err != nil {
		return err
	}
	found := 0
	v, err := store.Verify(ctx, kept, func(text string) {
		if found++; found <= mostFaults {
			fmt.Fprintln(w.stdout, text)
		}
	})
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	fmt.Fprintf(w.stdout, "log %d rows, records %d, payments %d, days kept outside %d\nlast row %s\n", v.Head.Seq, v.Records, v.Payments, len(kept), v.Head.Hash)
	if c.Mirror != "" {
		rows, err := store.VerifyMirror(ctx, c.Mirror, func(text string) {
			if found++; found <= mostFaults {
				fmt.Fprintln(w.stdout, text)
			}
		})
		if err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		fmt.Fprintf(w.stdout, "mirror %d rows\n", rows)
	}
	if found > 0 {
		return fmt.Errorf("%d things do not agree with the log: stop the shop, keep a copy of the data folder as it is, and restore a backup", found)
	}
	_, err = fmt.Fprintln(w.stdout, "all agrees / 모두 맞습니다")
	return err
}

// openReader opens the records that are there, to be read only.
func openReader(ctx context.Context, cfg houseConfig) (*db.Store, error) {
	where := db.Config{Path: filepath.Join(cfg.Data, cfg.Name+".db"), Now: cfg.Now, Log: cfg.Log}
	if cfg.DatabaseURL != "" {
		where.Path, where.URL = "", cfg.DatabaseURL
	}
	var err error
	if where.Keys, err = openKeyring(cfg.keyFile(), true); err != nil {
		return nil, err
	}
	return db.OpenReader(ctx, where)
}
