package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gage/app"
)

// openKeyring reads the key that seals secrets in the database. The first start makes it, readable for its owner
// only; once there is data it is never made anew, for what the old one sealed would be lost.
func openKeyring(path string, dataExists bool) (*app.Keyring, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if dataExists {
			return nil, fmt.Errorf("the key file %s is gone, and the data is sealed with it: bring it back from your backup", path)
		}
		return makeKeyring(path)
	}
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others may read the key file %s: run chmod 600 %s", path, path)
	}
	keys, err := readKeyring(string(raw))
	if err != nil {
		return nil, fmt.Errorf("the key file %s is damaged (%w): bring it back from your backup", path, err)
	}
	return keys, nil
}

// readKeyring reads what stands in a key file: a key a line, in hexadecimal digits. The first one seals, all open.
func readKeyring(text string) (*app.Keyring, error) {
	var keys [][]byte
	for line := range strings.FieldsSeq(text) {
		key, err := hex.DecodeString(line)
		if err != nil || len(key) != app.KeySize {
			return nil, fmt.Errorf("want %d hex digits a line", 2*app.KeySize)
		}
		keys = append(keys, key)
	}
	return app.NewKeyring(keys...)
}

func makeKeyring(path string) (*app.Keyring, error) {
	key := make([]byte, app.KeySize)
	rand.Read(key)
	if err := writeWhole(path, hex.EncodeToString(key)+"\n"); err != nil {
		return nil, fmt.Errorf("make the key file: %w", err)
	}
	return app.NewKeyring(key)
}

// writeWhole makes a file that is there with all its text or not at all, whenever the machine stops, and that is
// never one which somebody else made meanwhile.
func writeWhole(path, text string) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*") // readable for its owner only
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	// crash point: key written, not named
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(dir)
}

// syncFolder makes a new file's name in it durable.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
