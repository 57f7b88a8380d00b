package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"gage/app"
	"gage/db"
)

type restoreCmd struct {
	storeFlags
	passphraseFlag
	File string `arg:"" help:"The backup."`
}

// Help shows examples.
func (restoreCmd) Help() string {
	return `Brings a shop back from a backup: its records and its key file. The place must be empty: a data folder without a
database, or a new PostgreSQL database. The backup may come from the other kind of database, so that this is also how
a shop moves from SQLite to PostgreSQL and back.

What happened after the backup is not in it. So everybody is signed out, and cancels and expiry stand still until the
owner has compared the records with the gateway's list and said so in the back office.

Examples:

  admin restore gage.backup --data /var/lib/gage
  admin restore gage.backup --data /var/lib/gage --database-url postgres://gage@db/gage --passphrase-file /etc/gage/passphrase`
}

// Run restores.
func (c restoreCmd) Run(ctx context.Context, w *world) (err error) {
	var fl faults
	cfg := c.check(&fl, false)
	if err := fl.err(); err != nil {
		return err
	}
	cfg.Now, cfg.Log = w.now, w.textLog()
	f, err := os.Open(c.File)
	if err != nil {
		return usageError{fmt.Errorf("the backup: %w", err)}
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := (db.Restore{To: cfg.records()}).Empty(ctx); err != nil {
		return err
	}
	passphrase, err := c.passphrase(w, false)
	if err != nil {
		return err
	}
	done, err := cfg.restore(ctx, f, passphrase)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.stdout, `되살렸습니다 / restored: %d rows, as of %s

  1. 이제 상점을 시작하세요. 모두 로그아웃했고, 로그인은 백업 때의 비밀번호로 합니다.
     Start the shop. Everybody was signed out; passwords are those of the backup.
  2. 관리자 화면 위의 안내대로 그 뒤의 거래를 스마트로 목록과 맞춰 보세요. 그때까지 취소와 만료는 멈춰 있습니다.
     Compare what came after with Smartro's list, as the back office says at its top. Cancels and expiry wait for that.
`, done.totals.Rows(), done.header.Created.In(app.KST).Format("2006-01-02 15:04:05 MST"))
	if err == nil && done.heads != "" {
		_, err = fmt.Fprintf(w.stdout, `  3. 여기 있던 상점의 로그 끝 기록은 옆으로 옮겼습니다. 무엇이 없는지는 이것으로 봅니다.
     The heads of the log that was here were moved aside. What the restored log lacks of them: admin verify --heads FILE
     %s
`, done.heads)
	}
	return err
}

// broughtBack says what a restore did.
type broughtBack struct {
	header db.DumpHeader
	totals db.Totals
	heads  string // the file to which the heads of the shop that was here were moved; empty: there were none
}

// restore reads the backup twice: once to its end, so that a damaged one leaves no trace, and once to fill the place.
func (cfg houseConfig) restore(ctx context.Context, f io.ReadSeeker, passphrase string) (done broughtBack, err error) {
	r, err := openBackup(f, passphrase)
	if err != nil {
		return done, err
	}
	if done.header, _, err = db.CheckDump(ctx, r); err != nil {
		return done, err
	}
	if err := cfg.checkKeyPlace(done.header.Key); err != nil {
		return done, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return done, err
	}
	if r, err = openBackup(f, passphrase); err != nil {
		return done, err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return done, fmt.Errorf("make the data folder: %w", err)
	}
	to := cfg.records()
	if to.Keys, err = readKeyring(done.header.Key); err != nil {
		return done, fmt.Errorf("the key in the backup: %w", err)
	}
	done.header, done.totals, err = db.Restore{
		To: to,
		Freeze: func(ctx context.Context, tx app.Tx, h db.DumpHeader) error {
			return app.BeginEpoch(ctx, tx, cfg.Now(), h.Created, h.LastEvent)
		},
		Finish: func(ctx context.Context, s *db.Store, h db.DumpHeader) (err error) {
			if done.heads, err = cfg.moveHeads(); err != nil {
				return err
			}
			return errors.Join(app.RecordRestore(ctx, s, operator()), cfg.putKey(h.Key))
		},
	}.Run(ctx, r)
	return done, err
}

// checkKeyPlace refuses to put the key where another shop's is.
func (cfg houseConfig) checkKeyPlace(key string) error {
	raw, err := os.ReadFile(cfg.keyFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("key file: %w", err)
	case string(raw) != key:
		return fmt.Errorf("%w: the key file %s is another shop's. Restore into an empty folder, or move it away first", db.ErrNotEmpty, cfg.keyFile())
	}
	return nil
}

// putKey writes the key file, unless it is there, and opens it as the shop will.
func (cfg houseConfig) putKey(key string) error {
	exists, err := fileExists(cfg.keyFile())
	if err == nil && !exists {
		err = writeWhole(cfg.keyFile(), key)
	}
	if err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	_, err = openKeyring(cfg.keyFile(), true)
	return err
}
