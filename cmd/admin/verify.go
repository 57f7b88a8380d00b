package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gage/app"
	"gage/db"
)

// mostFaults is how many faults are told one by one.
const mostFaults = 100

// verifyCmd compares everything that is stored with the log.
type verifyCmd struct {
	storeFlags
	Mirror string `placeholder:"FILE" help:"Compare this mirror (serve --mirror) with the log, too."`
	Heads  string `placeholder:"FILE" help:"Compare this copy of the .heads file, kept elsewhere or moved aside by a restore, with the log, too."`
}

// Help shows examples.
func (verifyCmd) Help() string {
	return `It reads only, and works while the shop runs: it replays every payment's events and compares what comes out with
the tables, checks that no row of the log was changed, added or taken away, and that the log passes through the lines
of the .heads file. Keep a copy of that file on another machine. It exits 1 if anything does not agree.

Of a restored shop it says which backup it is from and whether it was compared with the gateway's records since; the
heads of the log that was lost show what it lacks. What does not fit the gateway's word is counted by its kind.

Examples:

  admin verify --data /var/lib/gage
  admin verify --data /var/lib/gage --heads /var/lib/gage/gage.heads.until-20261128-040000`
}

// Run verifies and prints what it found.
func (c verifyCmd) Run(ctx context.Context, w *world) (err error) {
	var f faults
	cfg := c.storeFlags.check(&f, false)
	if err := f.err(); err != nil {
		return err
	}
	cfg.Now, cfg.Log = w.now, w.textLog()
	if err := cfg.mustExist(); err != nil {
		return err
	}
	store, err := openReader(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	kept, err := readHeads(cfg.headsFile())
	if err != nil {
		return err
	}
	if c.Heads != "" {
		if _, err := os.Stat(c.Heads); err != nil {
			return usageError{fmt.Errorf("heads: %w", err)}
		}
		other, err := readHeads(c.Heads)
		if err != nil {
			return err
		}
		kept = append(kept, other...)
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
	epoch, err := printState(ctx, w, cfg, store)
	if err != nil && found == 0 {
		return fmt.Errorf("verify: %w", err)
	}
	if found > 0 && c.Heads != "" && !epoch.RestoredAt.IsZero() {
		return fmt.Errorf("%d things do not agree with the log: if all of them are rows after row %d, they came after the backup and are lost: compare with the gateway's list", found, epoch.LastEvent)
	}
	if found > 0 {
		return fmt.Errorf("%d things do not agree with the log: stop the shop, keep a copy of the data folder as it is, and restore a backup", found)
	}
	_, err = fmt.Fprintln(w.stdout, "all agrees / 모두 맞습니다")
	return err
}

// printState prints which epoch this is, and how much of each kind is open of what does not fit.
func printState(ctx context.Context, w *world, cfg houseConfig, store *db.Store) (app.Epoch, error) {
	keys, err := openKeyring(cfg.keyFile(), true)
	if err != nil {
		return app.Epoch{}, err
	}
	shop := app.Shop{Store: store, Keys: keys, Now: cfg.Now, Log: cfg.Log}
	e, err := shop.Epoch(ctx)
	if err != nil {
		return e, err
	}
	if !e.RestoredAt.IsZero() {
		state := "reconciled"
		if e.Frozen() {
			state = "not reconciled: cancels and expiry stand still until the owner has compared the records with the gateway's list"
		}
		fmt.Fprintf(w.stdout, "epoch %d, restored from the backup of %s, up to row %d: %s\n", e.N, e.BackupAt.In(app.KST).Format("2006-01-02 15:04:05 MST"), e.LastEvent, state)
	}
	open, err := shop.MismatchBoard(ctx)
	if err != nil {
		return e, err
	}
	count := map[app.MismatchKind]int{}
	for _, m := range open {
		count[m.Kind]++
	}
	for _, kind := range app.MismatchKinds() {
		if n := count[kind]; n > 0 {
			fmt.Fprintf(w.stdout, "open %s %d\n", kind, n)
		}
	}
	return e, nil
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
