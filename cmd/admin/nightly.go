package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gage/app"
)

// backupFlags have a running shop back itself up.
type backupFlags struct {
	BackupDir            string `placeholder:"DIR" help:"Back the shop up into this folder every night at 04:00 KST, and keep the last 14. It must be there: best on another disk."`
	BackupPassphraseFile string `placeholder:"FILE" help:"File that holds the passphrase of those backups."`
}

// check wants both or none. Whether the folder is there is for the night to say, and for the log at once: a shop whose
// backup disk is not mounted takes payments all the same.
func (b backupFlags) check(f *faults) {
	if b.BackupDir == "" && b.BackupPassphraseFile != "" {
		f.add("backup-dir", "is missing: the passphrase alone backs nothing up")
	}
	if b.BackupDir != "" && b.BackupPassphraseFile == "" {
		f.add("backup-passphrase-file", "is missing: backups are sealed, and the shop has to know with what")
	}
}

// When, how often and how many.
const (
	backupHour   = 4 // in Korea
	backupsKept  = 14
	backupAgain  = time.Hour // after a failure
	backupLooked = 20 * time.Second
)

// nightly backs a running shop up.
type nightly struct {
	backupFlags
	cfg    houseConfig
	shop   *app.Shop
	failed time.Time // when the last try failed; zero: it did not
}

// run makes a backup whenever one is due, until ctx is done.
func (n *nightly) run(ctx context.Context) error {
	tick := time.NewTicker(backupLooked)
	defer tick.Stop()
	for {
		n.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look makes a backup when one is due: the newest in the folder is older than the last 04:00. So a shop that was
// stopped at that hour makes up for it, and one that never had a backup begins with one.
func (n *nightly) look(ctx context.Context) {
	now := n.cfg.Now()
	if !n.failed.IsZero() && now.Before(n.failed.Add(backupAgain)) && !now.Before(n.failed) {
		return
	}
	file, err := n.due(now)
	if file != "" && err == nil {
		if err = n.make(ctx, file); err == nil {
			err = n.shop.RecordBackup(ctx, file, nil)
		}
	}
	if err == nil {
		n.failed = time.Time{}
		return
	}
	if ctx.Err() != nil {
		return // the shop stops: this night's is made at the next start
	}
	n.failed = now
	n.cfg.Log.Error("the backup failed: it is tried again in an hour", "folder", n.BackupDir, "error", err)
	if err := n.shop.RecordBackup(ctx, "", err); err != nil {
		n.cfg.Log.Error("that the backup failed could not be stored", "error", err)
	}
}

// due names the backup to be made now; empty: none is.
func (n *nightly) due(now time.Time) (string, error) {
	all, err := n.all()
	if err != nil {
		return "", err
	}
	k := now.In(app.KST)
	since := time.Date(k.Year(), k.Month(), k.Day(), backupHour, 0, 0, 0, app.KST)
	if since.After(now) {
		since = since.AddDate(0, 0, -1)
	}
	for _, name := range all {
		// One of the future was made when the clock was wrong: it must not stand for those to come.
		if at, _ := backupTime(name); !at.Before(since) && !at.After(now) {
			return "", nil
		}
	}
	return backupPrefix + k.Format(stamp) + backupSuffix, nil
}

func (n *nightly) make(ctx context.Context, file string) error {
	passphrase, err := readPassphraseFile(n.BackupPassphraseFile)
	if err == nil {
		err = longEnough(passphrase)
	}
	if err != nil {
		return err
	}
	m, err := n.cfg.backup(ctx, filepath.Join(n.BackupDir, file), passphrase)
	if err != nil {
		return err
	}
	n.cfg.Log.Info("backed up, and restored for a trial", "file", file, "rows", m.totals.Rows(), "bytes", m.bytes)
	return n.prune()
}

// prune removes all but the newest of the nightly backups. Whatever else lies in the folder stays.
func (n *nightly) prune() error {
	all, err := n.all()
	if err != nil {
		return err
	}
	var errs []error
	for len(all) > backupsKept {
		errs = append(errs, os.Remove(filepath.Join(n.BackupDir, all[0])))
		all = all[1:]
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove old backups: %w", err)
	}
	return nil
}

// The name of a nightly backup is its time, in Korea, between these.
const (
	stamp        = "20060102-150405"
	backupPrefix = "gage-"
	backupSuffix = ".backup"
)

// all lists the nightly backups, the oldest first.
func (n *nightly) all() ([]string, error) {
	entries, err := os.ReadDir(n.BackupDir)
	if err != nil {
		return nil, fmt.Errorf("backup folder: %w", err)
	}
	var names []string
	for _, e := range entries {
		if _, ok := backupTime(e.Name()); ok {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func backupTime(name string) (time.Time, bool) {
	text, ok := strings.CutPrefix(name, backupPrefix)
	if ok {
		text, ok = strings.CutSuffix(text, backupSuffix)
	}
	at, err := time.ParseInLocation(stamp, text, app.KST)
	return at, ok && err == nil
}
