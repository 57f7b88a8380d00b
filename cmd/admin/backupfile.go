package main

import (
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"filippo.io/age"

	"gage/db"
)

// A backup is a dump of the records with the key file in its header, packed (gzip) and sealed with a passphrase (age,
// scrypt): one file and one passphrase bring a shop back.

// Bounds of the passphrase and of the work that it takes to try one.
const (
	minPassphrase  = 16 // characters: what is sealed holds every secret of the shop, and may lie on other people's disks
	scryptWork     = 17 // 2^17 rounds of scrypt: half a second, 128 MiB
	scryptWorkMost = 20 // what another program may have asked for
)

var (
	errPassphrase = errors.New("the passphrase is wrong, or the beginning of the file is damaged")
	errNoBackup   = errors.New("this is no backup, or its beginning is damaged")
)

// made says what a backup holds.
type made struct {
	header db.DumpHeader
	totals db.Totals
	bytes  int64
}

// backup writes a backup of the shop's records to out, beside whoever writes to them, and proves it: the file is read
// back from the disk, opened, restored into a database of its own and compared row for row. Until then out is not there.
func (cfg houseConfig) backup(ctx context.Context, out, passphrase string) (m made, err error) {
	unlock, err := cfg.lockBackup("make a backup")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	key, err := cfg.readKey()
	if err != nil {
		return m, err
	}
	if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) {
		return m, errors.Join(err, fmt.Errorf("%s is there already: choose another name", out))
	}
	if exists, err := fileExists(filepath.Dir(out)); err == nil && !exists {
		return m, usageError{fmt.Errorf("the folder %s is missing: make it, or mount its disk", filepath.Dir(out))}
	}
	f, err := os.CreateTemp(filepath.Dir(out), "."+filepath.Base(out)+".*") // readable for its owner only
	if err != nil {
		return m, fmt.Errorf("make the backup file: %w", err)
	}
	defer func() { err = errors.Join(err, gone(os.Remove(f.Name()))) }()
	m, err = cfg.writeBackup(ctx, f, passphrase, key)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return m, fmt.Errorf("write the backup: %w", err)
	}
	if m.bytes, err = cfg.proveBackup(ctx, f.Name(), passphrase, m); err != nil {
		return m, fmt.Errorf("the backup that was written can't be restored, and was thrown away: %w", err)
	}
	if err := os.Rename(f.Name(), out); err != nil {
		return m, fmt.Errorf("name the backup: %w", err)
	}
	return m, syncFolder(filepath.Dir(out))
}

// gone takes it well that a file is not there any more.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// lockBackup keeps a second backup of the same shop away, for both would try theirs in the same place, and a change of the
// key: what it seals anew meanwhile the key in the backup does not open.
func (cfg houseConfig) lockBackup(what string) (unlock func() error, err error) {
	f, err := os.OpenFile(filepath.Join(cfg.Data, cfg.Name+".backup.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: a backup of this shop is being made, or its key changed, just now: try again when that is done", what), f.Close())
	}
	return f.Close, nil
}

// readKey is the key file's content, when it is one.
func (cfg houseConfig) readKey() (string, error) {
	if _, err := openKeyring(cfg.keyFile(), true); err != nil {
		return "", err
	}
	raw, err := os.ReadFile(cfg.keyFile())
	return string(raw), err
}

func (cfg houseConfig) writeBackup(ctx context.Context, w io.Writer, passphrase, key string) (m made, err error) {
	src, err := db.OpenSource(ctx, cfg.records())
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if err := src.Check(ctx); err != nil {
		return m, err
	}
	who, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return m, err
	}
	who.SetWorkFactor(cmp.Or(cfg.SealWork, scryptWork))
	sealed, err := age.Encrypt(w, who)
	if err != nil {
		return m, err
	}
	packed := gzip.NewWriter(sealed)
	debug.FreeOSMemory() // what scrypt took: the shop may be a small machine, and the night's backup runs inside it
	m.header, m.totals, err = src.Dump(ctx, packed, db.DumpHeader{Created: cfg.Now().UTC().Truncate(time.Second), Program: version(), Key: key})
	return m, errors.Join(err, packed.Close(), sealed.Close())
}

// proveBackup restores the file, beside the shop's own data, and throws the result away.
func (cfg houseConfig) proveBackup(ctx context.Context, file, passphrase string, want made) (size int64, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r, err := openBackup(f, passphrase)
	if err != nil {
		return 0, err
	}
	keys, err := readKeyring(want.header.Key) // the key file may have changed since
	if err != nil {
		return 0, err
	}
	h, totals, err := db.Restore{
		To: db.Config{Path: filepath.Join(cfg.Data, cfg.Name+".backup-check"), Keys: keys, Now: cfg.Now, Log: cfg.Log},
		Finish: func(ctx context.Context, s *db.Store, _ db.DumpHeader) error {
			var found []error
			_, err := s.Verify(ctx, nil, func(text string) { found = append(found, errors.New(text)) })
			return errors.Join(append(found, err)...)
		},
	}.Try(ctx, r)
	if err != nil {
		return 0, err
	}
	if h != want.header || totals.Rows() != want.totals.Rows() {
		return 0, errors.New("it says something else than what was written")
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// openBackup opens the seal and unpacks. Reading what is damaged or cut short gives [db.ErrDumpDamaged].
func openBackup(f io.Reader, passphrase string) (io.Reader, error) {
	who, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, errPassphrase // an empty one
	}
	who.SetMaxWorkFactor(scryptWorkMost)
	plain, err := age.Decrypt(f, who)
	debug.FreeOSMemory()
	var other *age.NoIdentityMatchError
	switch {
	case errors.As(err, &other):
		return nil, errPassphrase
	case err != nil:
		return nil, fmt.Errorf("%w (%w)", errNoBackup, err)
	}
	unpacked, err := gzip.NewReader(plain)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", db.ErrDumpDamaged, err)
	}
	return sealedReader{unpacked}, nil
}

// sealedReader tells every fault below it as damage: the seal and the packing notice what was changed.
type sealedReader struct{ r io.Reader }

// Read implements io.Reader.
func (s sealedReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w (%w)", db.ErrDumpDamaged, err)
	}
	return n, err
}

// readPassphraseFile reads the passphrase that seals backups.
func readPassphraseFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("passphrase file: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxSecretFile {
		return "", fmt.Errorf("passphrase file: %s is no file with one value in it", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("others may read the passphrase file %s: run chmod 600 %s", path, path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("passphrase file: %w", err)
	}
	return strings.TrimRight(string(raw), "\r\n"), nil
}

// longEnough refuses a passphrase to seal with that could be guessed.
func longEnough(passphrase string) error {
	if n := utf8.RuneCountInString(passphrase); n < minPassphrase {
		return usageError{fmt.Errorf("the passphrase has %d characters and must have %d or more: make one with, for example, openssl rand -base64 24", n, minPassphrase)}
	}
	return nil
}
