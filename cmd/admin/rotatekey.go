package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"gage/app"
)

// rotateKeyCmd gives the shop another key to seal its records with.
type rotateKeyCmd struct{ storeFlags }

// Help shows examples.
func (rotateKeyCmd) Help() string {
	return `Makes a new key in the key file, seals everything anew with it, and takes the old key away: after it leaked, after
somebody left who could read it, or once a year. What the shop looks like does not change; nobody is signed out.

Stop the shop first, on every server. It takes a moment (some ten thousand orders a second). Broken off at any point the
shop still opens, with both keys in its file; run the same command again and it goes on where it was.

Several servers on one PostgreSQL: stop all, run it on one, copy its key file to the others, start them. One that was
forgotten can't write anything that would be lost: the database refuses what is sealed with the old key.

Backups made before hold the key of their time, under their own passphrase, and can be restored as ever. If the key
leaked, and a copy of the database with it, make new merchant keys and a new notification URL, too.

Examples:

  admin rotate-key --data /var/lib/gage
  admin rotate-key --data /var/lib/gage --database-url postgres://gage@db/gage --key-file /etc/gage/gage.key`
}

// Run rotates, or finishes a rotation that was broken off.
func (c rotateKeyCmd) Run(ctx context.Context, w *world) error {
	var f faults
	cfg := c.check(&f, false)
	if err := f.err(); err != nil {
		return err
	}
	cfg.Now, cfg.Log = w.now, w.textLog()
	if err := cfg.mustExist(); err != nil {
		return err
	}
	if _, err := askShop(ctx, cfg.controlPath(), staffTask{Do: "list"}); !errors.Is(err, errNoShop) {
		return errors.New("the shop runs: stop it first, then run this again and start it")
	}
	done, err := cfg.rotateKey(ctx, func(string) error { return nil })
	if err != nil {
		return err
	}
	text := "열쇠를 바꿨습니다 / the key was changed: %d values sealed anew\n"
	if done.resumed {
		text = "끊겼던 열쇠 교체를 마쳤습니다 / the change of the key that was broken off is finished: %d values sealed anew\n"
	}
	if _, err := fmt.Fprintf(w.stdout, text, done.values); err != nil {
		return err
	}
	_, err = io.WriteString(w.stdout, `
  1. 지금 백업하세요. 새 열쇠는 새 백업에만 있습니다.
     Make a backup now: only new ones hold the new key.
  2. 서버가 여럿이면 이 열쇠 파일을 모든 서버에 복사한 뒤 시작하세요.
     With several servers, copy this key file to all of them before you start them: `+cfg.keyFile()+"\n")
	return err
}

// rotated says what was done.
type rotated struct {
	values  int
	resumed bool
}

// rotateKey leaves the shop openable wherever it ends: until everything is sealed with the new key and that was
// looked at, both are in the file. step is told after everything that lasts, and may end it there.
func (cfg houseConfig) rotateKey(ctx context.Context, step func(string) error) (done rotated, err error) {
	unlock, err := cfg.lockBackup("change the key")
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	keys, err := cfg.ringFile()
	if err != nil {
		return done, err
	}
	if done.resumed = len(keys) > 1; !done.resumed {
		if err := cfg.tryStore(ctx); err != nil { // before anything is written: nobody else has it, and the key fits
			return done, err
		}
		fresh := make([]byte, app.KeySize)
		rand.Read(fresh)
		keys = append([]string{hex.EncodeToString(fresh)}, keys...)
		if err := replaceWhole(cfg.keyFile(), strings.Join(keys, "\n")+"\n"); err != nil {
			return done, fmt.Errorf("write the key file: %w", err)
		}
		if err := step("both keys in the file"); err != nil {
			return done, err
		}
	}
	if done.values, err = cfg.sealAnew(ctx, step); err != nil {
		return done, fmt.Errorf("%w (both keys are in the key file, and the shop opens: run this again to finish)", err)
	}
	if err := replaceWhole(cfg.keyFile(), keys[0]+"\n"); err != nil {
		return done, fmt.Errorf("write the key file: %w", err)
	}
	if err := step("the old key gone"); err != nil {
		return done, err
	}
	return done, cfg.tryStore(ctx)
}

// sealAnew seals everything with the first key of the file, records who did it, and looks that nothing is left.
func (cfg houseConfig) sealAnew(ctx context.Context, step func(string) error) (values int, err error) {
	h, err := openStore(ctx, cfg)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	for {
		n, err := h.store.Reseal(ctx, func() {
			if err := step("some of it sealed anew"); err != nil {
				stop(err)
			}
		})
		values += n
		if cause := context.Cause(ctx); cause != nil {
			return values, cause
		}
		if err != nil {
			return values, err
		}
		if n == 0 {
			break
		}
	}
	if err := h.shop.RecordKeyRing(ctx, operator()); err != nil {
		return values, err
	}
	return values, step("all of it sealed anew")
}

// tryStore opens the records and closes them again.
func (cfg houseConfig) tryStore(ctx context.Context) error {
	h, err := openStore(ctx, cfg)
	if err != nil {
		return err
	}
	return h.close()
}

// ringFile is the keys in the key file, as they stand there.
func (cfg houseConfig) ringFile() ([]string, error) {
	text, err := cfg.readKey()
	return strings.Fields(text), err
}

// replaceWhole puts a text in the place of a file, which has the old or the new one whenever the machine stops. The
// new one belongs to whom the old one did.
func replaceWhole(path, text string) (err error) {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // readable for its owner only
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, gone(os.Remove(f.Name()))) }()
	_, err = f.WriteString(text)
	if was, ok := info.Sys().(*syscall.Stat_t); ok {
		err = errors.Join(err, f.Chown(int(was.Uid), int(was.Gid)))
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}
