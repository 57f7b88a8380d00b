package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gage/app"
	"gage/db"
	"gage/db/dbtest"
)

const testPassphrase = "한 달에 한 번은 되살려 보는 백업"

// passphraseFile holds a passphrase as its owner keeps it.
func passphraseFile(t *testing.T, passphrase string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(path, []byte(passphrase+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// furnished is a shop with an owner and a contract, on which nothing runs.
func furnished(t *testing.T) houseConfig {
	t.Helper()
	cfg := houseConfig{
		Data: filepath.Join(t.TempDir(), "data"), Name: "gage", PublicURL: "http://127.0.0.1:8080", SealWork: 10, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	h, err := openStore(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	if _, err := h.shop.AddStaff(t.Context(), demoEmail, "김주인", app.RoleOwner, demoPassword); err != nil {
		t.Fatal(err)
	}
	if err := h.shop.SetMerchant(t.Context(), operator(), sandboxMerchant()); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestBackupAndRestore: one file and one passphrase bring a running shop's records and secrets back, on either
// database, with cancels standing still; the shop serves again.
// proves R30, R40
func TestBackupAndRestore(t *testing.T) {
	cfg := furnished(t)
	env := map[string]string{"GAGE_PUBLIC_URL": cfg.PublicURL, "GAGE_LISTEN": "127.0.0.1:0", "GAGE_PASSPHRASE_FILE": passphraseFile(t, testPassphrase)}
	s := start(t, env, "serve", "--data", cfg.Data)
	file := filepath.Join(t.TempDir(), "shop.backup")
	code, stdout, stderr := try(t, env, "backup", file, "--data", cfg.Data)
	if code != exitOK || !strings.Contains(stdout, file) {
		t.Fatalf("backup: %d %s%s", code, stdout, stderr)
	}
	if code, _, stderr := try(t, env, "backup", file, "--data", cfg.Data); code != exitFailed || !strings.Contains(stderr, "there already") {
		t.Errorf("backup over another: %d %s", code, stderr)
	}
	if code, _, stderr := try(t, env, "restore", file, "--data", cfg.Data); code != exitFailed {
		t.Errorf("restore over a running shop: %d %s", code, stderr)
	}
	s.stop()
	key, err := os.ReadFile(cfg.keyFile())
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 || bytes.Contains(sealed, bytes.TrimSpace(key)) || bytes.Contains(sealed, []byte(demoEmail)) {
		t.Errorf("the file is %v, %v, or holds something readable", info.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Join(cfg.Data, "*check*")); err != nil || len(left) > 0 {
		t.Errorf("the trial left %v, %v", left, err)
	}
	for name, url := range map[string]func() string{"sqlite": func() string { return "" }, "postgres": func() string { return dbtest.PostgresURL(t).Reveal() }} {
		t.Run(name, func(t *testing.T) {
			to := cfg
			to.Data = filepath.Join(t.TempDir(), "new")
			env["GAGE_DATABASE_URL"], env["GAGE_DATA"] = url(), to.Data
			to.DatabaseURL = app.Secret(env["GAGE_DATABASE_URL"])
			if code, stdout, stderr := try(t, env, "restore", file); code != exitOK || !strings.Contains(stdout, "KST") {
				t.Fatalf("restore: %d %s%s", code, stdout, stderr)
			}
			if code, _, stderr := try(t, env, "restore", file); code != exitFailed || !strings.Contains(stderr, db.ErrNotEmpty.Error()) {
				t.Errorf("restore over data: %d %s", code, stderr)
			}
			if got, err := os.ReadFile(to.keyFile()); err != nil || !bytes.Equal(got, key) {
				t.Errorf("key file: %v", err)
			}
			h, err := openStore(t.Context(), to)
			if err != nil {
				t.Fatal(err)
			}
			m, err := h.shop.Merchant(t.Context())
			e, epochErr := h.shop.Epoch(t.Context())
			if err := errors.Join(err, epochErr); err != nil || m.CancelPassword != sandboxMerchant().CancelPassword || !e.Frozen() {
				t.Errorf("contract or epoch %+v: %v", e, err)
			}
			if _, err := h.shop.SignIn(t.Context(), demoEmail, demoPassword, netip.MustParseAddr("127.0.0.1")); err != nil {
				t.Errorf("sign in: %v", err)
			}
			if err := h.close(); err != nil {
				t.Error(err)
			}
			again := start(t, env, "serve")
			if strings.Contains(again.stdout.String(), "/start/") {
				t.Error("the restored shop does not know its owner")
			}
			again.stop()
		})
	}
}

// TestRestoreInPlace: a shop that is restored into the folder that it was lost from verifies and passes the night's check. The
// heads of the log that was there are kept aside, for they show what the restored one lacks.
//
// proves R30, R25, E1
func TestRestoreInPlace(t *testing.T) {
	cfg := furnished(t)
	file := cfg.backedUp(t)
	h, err := openStore(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.shop.SetInfo(t.Context(), operator(), app.ShopInfo{Name: "백업 뒤의 이름"}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.keepHead(t.Context()), h.close()); err != nil {
		t.Fatal(err)
	}
	lost, err := os.ReadFile(cfg.headsFile())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(cfg.database()); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"GAGE_DATA": cfg.Data, "GAGE_PASSPHRASE_FILE": passphraseFile(t, testPassphrase)}
	code, stdout, stderr := try(t, env, "restore", file)
	aside, err := filepath.Glob(cfg.headsFile() + ".until-*")
	if code != exitOK || err != nil || len(aside) != 1 || !strings.Contains(stdout, aside[0]) {
		t.Fatalf("restore: %d %s%s, aside %v, %v", code, stdout, stderr, aside, err)
	}
	if kept, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(kept, lost) {
		t.Errorf("moved aside: %q, %v", kept, err)
	}
	code, stdout, stderr = try(t, env, "verify")
	for _, want := range []string{"epoch 2, restored from the backup of ", "KST", "not reconciled", "all agrees"} {
		if code != exitOK || !strings.Contains(stdout, want) {
			t.Errorf("verify: %d, %q is not in: %s%s", code, want, stdout, stderr)
		}
	}
	if code, stdout, stderr := try(t, env, "verify", "--heads", aside[0]); code != exitFailed || !strings.Contains(stdout, "row ") || !strings.Contains(stderr, "came after the backup") {
		t.Errorf("verify with the lost heads: %d %s%s", code, stdout, stderr)
	}
	if code, _, stderr := try(t, env, "verify", "--heads", aside[0]+"x"); code != exitUsage {
		t.Errorf("verify with heads that are not there: %d %s", code, stderr)
	}
	if h, err = openStore(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	defer h.close()
	if err := h.keepHead(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, err := h.check(t.Context()); found != nil || err != nil {
		t.Errorf("the night's check: %v, %v", found, err)
	}
}

// TestRestoreRefusesWhatIsDamaged: a wrong passphrase, a file cut short anywhere, a bit changed anywhere: told as that,
// and nothing is written.
// proves R40
func TestRestoreRefusesWhatIsDamaged(t *testing.T) {
	cfg := furnished(t)
	file := filepath.Join(t.TempDir(), "shop.backup")
	if _, err := cfg.backup(t.Context(), file, testPassphrase); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, content []byte, passphrase string, want ...error) {
		t.Helper()
		to := cfg
		to.Data = filepath.Join(t.TempDir(), "new")
		_, err := to.restore(t.Context(), bytes.NewReader(content), passphrase)
		ok := false
		for _, w := range want {
			ok = ok || errors.Is(err, w)
		}
		if !ok {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Stat(to.Data); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: something was written: %v", what, err)
		}
	}
	refused("wrong passphrase", whole, testPassphrase+"!", errPassphrase)
	refused("no passphrase", whole, "", errPassphrase)
	refused("no backup", []byte("PK\x03\x04"), testPassphrase, errNoBackup)
	body := bytes.Index(whole, []byte("\n---")) + 80 // behind the seal's head
	for _, cut := range []int{0, 10, body, len(whole) / 2, len(whole) - 1} {
		refused(fmt.Sprintf("cut at %d of %d", cut, len(whole)), whole[:cut], testPassphrase, errNoBackup, db.ErrDumpDamaged)
	}
	for _, at := range []int{3, body - 40, body, len(whole) / 2, len(whole) - 1} {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 4
		refused(fmt.Sprintf("changed at %d of %d", at, len(whole)), flipped, testPassphrase, errPassphrase, errNoBackup, db.ErrDumpDamaged)
	}
	refused("more behind", append(bytes.Clone(whole), 'x'), testPassphrase, db.ErrDumpDamaged)
}

// TestBackupThatCannotBeRead: what is damaged in the records is told, and no backup is left that hides it.
// proves R40
func TestBackupThatCannotBeRead(t *testing.T) {
	cfg := furnished(t)
	f, err := os.OpenFile(cfg.database(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for at := int64(8192); at < info.Size(); at += 4096 {
		if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, 64), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if _, err := cfg.backup(t.Context(), filepath.Join(out, "x.backup"), testPassphrase); err == nil {
		t.Error("a damaged database was backed up")
	}
	if left, err := os.ReadDir(out); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestBackupWithAnotherKey: a backup whose key does not open what it holds would bring nothing back.
// proves R40
func TestBackupWithAnotherKey(t *testing.T) {
	cfg, other := furnished(t), furnished(t)
	cfg.KeyFile = other.keyFile()
	out := filepath.Join(t.TempDir(), "x.backup")
	if _, err := cfg.backup(t.Context(), out, testPassphrase); err == nil || !strings.Contains(err.Error(), "can't be restored") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it was kept: %v", err)
	}
}

// TestBackupAndKeyChange: the key is not changed while a backup is made, and the trial opens a backup with the key that it holds: one
// that was written before the key file got another key can be restored by itself.
//
// proves R40
func TestBackupAndKeyChange(t *testing.T) {
	cfg := furnished(t)
	key, err := cfg.readKey()
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := cfg.lockBackup("make a backup")
	if err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := try(t, nil, "rotate-key", "--data", cfg.Data); code != exitFailed || !strings.Contains(stderr, "a backup of this shop is being made") {
		t.Errorf("rotate-key beside a backup: %d %s", code, stderr)
	}
	if now, err := cfg.readKey(); err != nil || now != key {
		t.Errorf("the key file was changed, %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	for _, order := range []string{"dumped before", "dumped after"} { // the key file was read before in both
		t.Run(order, func(t *testing.T) {
			cfg := furnished(t)
			key, err := cfg.readKey()
			if err != nil {
				t.Fatal(err)
			}
			f, err := os.Create(filepath.Join(t.TempDir(), "shop.backup"))
			if err != nil {
				t.Fatal(err)
			}
			var m made
			steps := []func() error{
				func() (err error) { m, err = cfg.writeBackup(t.Context(), f, testPassphrase, key); return err },
				func() error { _, err := cfg.rotateKey(t.Context(), func(string) error { return nil }); return err },
			}
			if order == "dumped after" {
				slices.Reverse(steps)
			}
			for _, step := range steps {
				if err := step(); err != nil {
					t.Fatal(err)
				}
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			_, proved := cfg.proveBackup(t.Context(), f.Name(), testPassphrase, m)
			file, err := os.Open(f.Name())
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			to := cfg
			to.Data = filepath.Join(t.TempDir(), "new")
			if _, err := to.restore(t.Context(), file, testPassphrase); (err == nil) != (proved == nil) {
				t.Errorf("the trial says %v, and the restore %v", proved, err)
			}
		})
	}
}

// TestPassphrase: asked twice where it is new, from a file that is nobody else's, and long enough.
func TestPassphrase(t *testing.T) {
	answers := []string{}
	w := &world{ask: func(string) (string, error) {
		a := answers[0]
		answers = answers[1:]
		return a, nil
	}}
	answers = []string{testPassphrase, testPassphrase, testPassphrase, "another", testPassphrase}
	if got, err := (passphraseFlag{}).passphrase(w, true); err != nil || got != testPassphrase {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := (passphraseFlag{}).passphrase(w, true); err == nil {
		t.Error("two different passphrases were taken")
	}
	if got, err := (passphraseFlag{}).passphrase(w, false); err != nil || got != testPassphrase {
		t.Errorf("%q, %v", got, err)
	}
	open := passphraseFile(t, testPassphrase)
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	data := furnished(t).Data
	for name, c := range map[string]struct {
		file string
		code int
		want string
	}{
		"others may read it": {open, exitUsage, "chmod 600"},
		"too short":          {passphraseFile(t, "fifteen letters"), exitUsage, "16"},
		"a folder":           {t.TempDir(), exitUsage, "one value"},
		"not there":          {"/nowhere/at/all", exitUsage, "passphrase file"},
	} {
		out := filepath.Join(t.TempDir(), "x.backup")
		code, _, stderr := try(t, nil, "backup", out, "--data", data, "--passphrase-file", c.file)
		if code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: %d %s", name, code, stderr)
		}
	}
	missing := filepath.Join(t.TempDir(), "unmounted")
	code, _, stderr := try(t, nil, "backup", filepath.Join(missing, "x.backup"), "--data", data, "--passphrase-file", passphraseFile(t, testPassphrase))
	if code != exitUsage || !strings.Contains(stderr, "the folder "+missing+" is missing") {
		t.Errorf("no folder for it: %d %s", code, stderr)
	}
}

// TestNightlyBackups: one a night from 04:00 in Korea on, also for a night that the shop slept through; the last 14 stay;
// a failure is stored for the work list and tried again in an hour.
// proves R40
func TestNightlyBackups(t *testing.T) {
	cfg := furnished(t)
	now := time.Date(2026, 11, 23, 18, 59, 0, 0, time.UTC) // 03:59 in Korea, on the 24th
	cfg.Now = func() time.Time { return now }
	h, err := openStore(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	dir := t.TempDir()
	n := &nightly{backupFlags: backupFlags{BackupDir: dir, BackupPassphraseFile: passphraseFile(t, testPassphrase)}, cfg: cfg, shop: h.shop}
	for day := range 20 { // of earlier nights, and what is none of ours
		name := fmt.Sprintf("gage-202611%02d-040009.backup", day+4)
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"gage-20300101-040000.backup", "gage-old.backup", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have := func() (newest string, count int) {
		all, err := n.all()
		if err != nil {
			t.Fatal(err)
		}
		return all[len(all)-2], len(all) // the last is the future's
	}
	n.look(t.Context())
	if newest, count := have(); newest != "gage-20261123-040009.backup" || count != 21 {
		t.Errorf("a minute too early there is %s, of %d", newest, count)
	}
	now = now.Add(90 * time.Second)
	n.look(t.Context())
	if newest, count := have(); newest != "gage-20261124-040030.backup" || count != backupsKept {
		t.Errorf("after 04:00 the newest is %s, of %d", newest, count)
	}
	now = now.Add(23 * time.Hour)
	n.look(t.Context())
	if newest, _ := have(); newest != "gage-20261124-040030.backup" {
		t.Errorf("a second one in the same night: %s", newest)
	}
	now = now.Add(30 * time.Hour) // 10:00: the shop was off at 04:00
	n.BackupDir = filepath.Join(dir, "unmounted")
	n.look(t.Context())
	state, err := h.shop.BackupState(t.Context())
	if err != nil || !state.Failed() || state.File != "gage-20261124-040030.backup" {
		t.Errorf("a failure is stored as %+v, %v", state, err)
	}
	n.BackupDir = dir
	now = now.Add(59 * time.Minute)
	n.look(t.Context())
	if newest, _ := have(); newest != "gage-20261124-040030.backup" {
		t.Errorf("tried again before the hour was over: %s", newest)
	}
	now = now.Add(time.Minute)
	n.look(t.Context())
	newest, count := have()
	if state, err = h.shop.BackupState(t.Context()); err != nil || state.Failed() || state.File != newest || count != backupsKept || newest < "gage-20261126" {
		t.Errorf("an hour after the failure: %s of %d, %+v, %v", newest, count, state, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "notes.txt")); err != nil {
		t.Error(err)
	}
	f, err := os.Open(filepath.Join(dir, newest))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	to := cfg
	to.Data = filepath.Join(t.TempDir(), "new")
	if _, err := to.restore(t.Context(), f, testPassphrase); err != nil {
		t.Errorf("the nightly backup can't be restored: %v", err)
	}
}

// TestBackupFlags: one flag without the other is told; a folder that is not there is no reason to take no payments.
func TestBackupFlags(t *testing.T) {
	env := map[string]string{"GAGE_PUBLIC_URL": "http://127.0.0.1:8080", "GAGE_LISTEN": "127.0.0.1:0", "GAGE_DATA": filepath.Join(t.TempDir(), "data")}
	file := passphraseFile(t, testPassphrase)
	for _, c := range []struct{ flag, value, missing string }{
		{"--backup-dir", t.TempDir(), "--backup-passphrase-file"}, {"--backup-passphrase-file", file, "--backup-dir"},
	} {
		if code, _, stderr := try(t, env, "serve", c.flag, c.value); code != exitUsage || !strings.Contains(stderr, c.missing) {
			t.Errorf("%s alone: %d %s", c.flag, code, stderr)
		}
	}
	s := start(t, env, "serve", "--backup-passphrase-file", file, "--backup-dir", "/nowhere/at/all")
	if code, _ := visit(t, s.Shop+"/healthz"); code != http.StatusOK {
		t.Errorf("/healthz: %d", code)
	}
	s.stop()
	dir := t.TempDir()
	s = start(t, env, "serve", "--backup-passphrase-file", file, "--backup-dir", dir)
	s.stop() // while the first backup is made, most likely: nothing half done stays
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if _, ok := backupTime(e.Name()); !ok {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}
