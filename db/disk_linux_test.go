package db

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
)

// proves R3: a network's disk is refused, this machine's is not.
func TestNetworkDisk(t *testing.T) {
	if err := checkDisk(t.TempDir()); err != nil {
		t.Error(err)
	}
	for _, kind := range []uint32{0x6969, 0xff534d42, 0xfe534d42} {
		if err := refuseDisk("/data", kind); err == nil || !strings.Contains(err.Error(), "network disk") {
			t.Errorf("%#x: %v", kind, err)
		}
	}
	for _, kind := range []uint32{0xef53, 0x58465342, 0x9123683e, 0x01021994} { // ext4, XFS, Btrfs, tmpfs
		if err := refuseDisk("/data", kind); err != nil {
			t.Error(err)
		}
	}
	if err := checkDisk(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there has a disk")
	}
}

// proves R3: what the connection asked for is read back, and each setting that did not take is refused.
func TestSettingsAreReadBack(t *testing.T) {
	if err := prepareSQLite(); err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]bool{
		"": true, "synchronous=NORMAL": false, "synchronous=OFF": false, "journal_mode=DELETE": false, "foreign_keys=OFF": false,
	} {
		d, err := sql.Open("sqlite", sqliteURI(filepath.Join(t.TempDir(), "x.db"))+"?"+sqliteShared)
		if err != nil {
			t.Fatal(err)
		}
		d.SetMaxOpenConns(1)
		if setting != "" {
			if _, err := d.ExecContext(t.Context(), "PRAGMA "+setting); err != nil {
				t.Fatal(err)
			}
		}
		if err := checkSQLite(t.Context(), d); (err == nil) != want {
			t.Errorf("with %q: %v", setting, err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}
