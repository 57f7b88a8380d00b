package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"
)

type backupCmd struct {
	storeFlags
	passphraseFlag
	File string `arg:"" help:"File to write; it must not be there yet."`
}

// passphraseFlag is how a command hears the passphrase of a backup.
type passphraseFlag struct {
	PassphraseFile string `placeholder:"FILE" help:"File that holds the passphrase. Without it the terminal is asked."`
}

// Help shows examples.
func (backupCmd) Help() string {
	return `Writes all records and the key file into one file, packed and sealed with a passphrase, while the shop runs or
while it does not. The file is restored for a trial before it gets its name. Run it as the user that runs the shop;
keep the passphrase somewhere else than the file: without it nobody can open the backup.

Examples:

  admin backup /mnt/backup/gage.backup --data /var/lib/gage
  admin backup gage.backup --data /var/lib/gage --passphrase-file /etc/gage/passphrase
  admin backup gage.backup --data /var/lib/gage --database-url postgres://gage@db/gage`
}

// Run writes one backup.
func (c backupCmd) Run(ctx context.Context, w *world) error {
	var f faults
	cfg := c.check(&f, false)
	if err := f.err(); err != nil {
		return err
	}
	cfg.Now, cfg.Log = w.now, w.textLog()
	if err := cfg.mustExist(); err != nil {
		return err
	}
	passphrase, err := c.passphrase(w, true)
	if err != nil {
		return err
	}
	if err := longEnough(passphrase); err != nil {
		return err
	}
	m, err := cfg.backup(ctx, c.File, passphrase)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.stdout, "백업하고 되살려 확인했습니다 / backed up, and restored for a trial:\n  %s: %d rows, %d bytes, up to event %d\n",
		c.File, m.totals.Rows(), m.bytes, m.header.LastEvent)
	return err
}

// passphrase reads it from the file, else asks the terminal: twice when it is new.
func (p passphraseFlag) passphrase(w *world, isNew bool) (string, error) {
	if p.PassphraseFile != "" {
		passphrase, err := readPassphraseFile(p.PassphraseFile)
		if err != nil {
			err = usageError{err}
		}
		return passphrase, err
	}
	first, err := w.ask("백업 암호 / passphrase of the backup: ")
	if err != nil || !isNew {
		return first, err
	}
	second, err := w.ask("한 번 더 / once more: ")
	if err == nil && first != second {
		err = usageError{errors.New("the two passphrases are not the same: nothing was written")}
	}
	return first, err
}

// askTerminal asks whoever sits at the terminal for a secret, which is not shown.
func askTerminal(prompt string) (_ string, err error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", usageError{errors.New("there is no terminal to ask for the passphrase: name a file that holds it with --passphrase-file")}
	}
	defer func() { err = errors.Join(err, tty.Close()) }()
	if _, err := fmt.Fprint(tty, prompt); err != nil {
		return "", err
	}
	secret, err := term.ReadPassword(int(tty.Fd()))
	fmt.Fprintln(tty)
	return string(secret), err
}
