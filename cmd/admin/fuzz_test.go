package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"filippo.io/age"

	"gage/db"
)

// hardSeal is a seal's line that says how much work its passphrase takes; more than a little is waited for in no fuzz.
var hardSeal = regexp.MustCompile(`-> scrypt \S+ (\d\d|[5-9])`)

// FuzzBackupFile: a backup's file is no backup, sealed by another passphrase, damaged, or whole: nothing else.
//
// proves S27
func FuzzBackupFile(f *testing.F) {
	const passphrase = "a passphrase for the fuzz"
	who, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		f.Fatal(err)
	}
	who.SetWorkFactor(1)
	seal := func(text string) []byte {
		var file bytes.Buffer
		sealed, err := age.Encrypt(&file, who)
		if err != nil {
			f.Fatal(err)
		}
		packed := gzip.NewWriter(sealed)
		_, err = io.WriteString(packed, text)
		if err := errors.Join(err, packed.Close(), sealed.Close()); err != nil {
			f.Fatal(err)
		}
		return file.Bytes()
	}
	// Sealed once and kept: the engine's processes must mean the same file, and no two seals are the same.
	whole, err := os.ReadFile(filepath.Join("testdata", "sealed.backup"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add(seal("no dump"))
	f.Add([]byte("age-encryption.org/v1\n-> scrypt c2FsdA 1\n\n--- x\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if hardSeal.Match(file) {
			t.Skip()
		}
		r, err := openBackup(bytes.NewReader(file), passphrase)
		if err == nil {
			_, _, err = db.CheckDump(t.Context(), r)
		}
		if err == nil && !bytes.Equal(file, whole) {
			t.Fatal("a file that was changed passes for whole")
		}
		if err != nil && !errors.Is(err, errPassphrase) && !errors.Is(err, errNoBackup) && !errors.Is(err, db.ErrDumpDamaged) {
			t.Fatalf("not a word for a person: %v", err)
		}
	})
}
