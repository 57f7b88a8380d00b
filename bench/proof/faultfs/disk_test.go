package faultfs

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// ok fails the test on an error number.
func ok(t *testing.T, errno syscall.Errno) {
	t.Helper()
	if errno != 0 {
		t.Fatal(errno)
	}
}

// make1 makes a file in the root.
func make1(t *testing.T, d *Disk, name string) uint64 {
	t.Helper()
	id, errno := d.create(rootID, name, syscall.S_IFREG|0o600)
	ok(t, errno)
	return id
}

// left lays out an image and reads it back: name to content.
func left(t *testing.T, img Image) map[string]string {
	t.Helper()
	dir := t.TempDir()
	if err := img.Write(dir); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range list {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = string(raw)
	}
	return got
}

// outcomes are all that cuts after the last operation may leave, each as "name=content" sorted.
func outcomes(t *testing.T, d *Disk, n int) []string {
	t.Helper()
	rec := d.Cut()
	s := rec.base.clone()
	for i, o := range rec.ops {
		s.apply(i, o)
	}
	seen := map[string]bool{}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range n {
		var parts []string
		got := left(t, s.image(rnd))
		for _, name := range slices.Sorted(maps.Keys(got)) {
			parts = append(parts, name+"="+got[name])
		}
		seen[strings.Join(parts, " ")] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// TestWhatIsSyncedStays: content stays once the file was synced, a name once its folder was.
func TestWhatIsSyncedStays(t *testing.T) {
	d := NewDisk()
	id := make1(t, d, "a")
	ok(t, d.write(id, 0, []byte("one")))
	ok(t, d.sync(id))
	ok(t, d.syncDir(rootID))
	if got := outcomes(t, d, 50); !slices.Equal(got, []string{"a=one"}) {
		t.Errorf("left: %q", got)
	}

	d = NewDisk()
	id = make1(t, d, "a")
	ok(t, d.write(id, 0, []byte("one")))
	ok(t, d.sync(id))
	if got := outcomes(t, d, 50); !slices.Equal(got, []string{"", "a=one"}) {
		t.Errorf("without a sync of the folder: %q", got)
	}
}

// TestWhatIsNotSyncedMayGo: unsynced writes go, stay, or change places; a rename happens whole or not at all.
func TestWhatIsNotSyncedMayGo(t *testing.T) {
	d := NewDisk()
	a, b := make1(t, d, "a"), make1(t, d, "b")
	ok(t, d.write(a, 0, []byte("old")))
	ok(t, d.write(b, 0, []byte("new")))
	ok(t, d.sync(a))
	ok(t, d.sync(b))
	ok(t, d.syncDir(rootID))
	ok(t, d.rename(rootID, "b", rootID, "a"))
	if got := outcomes(t, d, 50); !slices.Equal(got, []string{"a=new", "a=old b=new"}) {
		t.Errorf("a rename left %q", got)
	}

	d = NewDisk()
	id := make1(t, d, "a")
	ok(t, d.write(id, 0, []byte("....")))
	ok(t, d.sync(id))
	ok(t, d.syncDir(rootID))
	ok(t, d.write(id, 0, []byte("12")))
	ok(t, d.write(id, 1, []byte("34")))
	if got := outcomes(t, d, 400); !slices.Equal(got, []string{"a=....", "a=.34.", "a=12..", "a=124.", "a=134."}) {
		t.Errorf("two writes over one another left %q", got)
	}

	d = NewDisk()
	id = make1(t, d, "a")
	ok(t, d.syncDir(rootID))
	ok(t, d.write(id, 0, []byte("xy")))
	ok(t, d.truncate(id, 1))
	if got := outcomes(t, d, 400); !slices.Equal(got, []string{"a=", "a=\x00", "a=\x00\x00", "a=x", "a=xy"}) {
		t.Errorf("a write and a truncate left %q", got)
	}
}

// TestSectors: a write is torn at sectors and nowhere else.
func TestSectors(t *testing.T) {
	d := NewDisk()
	id := make1(t, d, "a")
	ok(t, d.truncate(id, 4*sector))
	ok(t, d.sync(id))
	ok(t, d.syncDir(rootID))
	ok(t, d.write(id, sector/2, bytes.Repeat([]byte("x"), 3*sector)))
	partly := 0
	for _, got := range outcomes(t, d, 300) {
		body := strings.TrimPrefix(got, "a=")
		if len(body) != 4*sector {
			t.Fatalf("%d bytes", len(body))
		}
		for from := 0; from < len(body); from += sector {
			begin, end := from, from+sector
			if from == 0 {
				begin = sector / 2
			}
			if from == 3*sector {
				end = from + sector/2
			}
			if n := strings.Count(body[begin:end], "x"); n != 0 && n != end-begin {
				t.Fatalf("half of a sector: %d bytes of it", n)
			}
		}
		if n := strings.Count(body, "x"); n != 0 && n != 3*sector {
			partly++
		}
	}
	if partly == 0 {
		t.Error("no write was ever torn")
	}
}

// TestFailedSync: what was written before a failed sync is lost, even when a later sync says all is well.
func TestFailedSync(t *testing.T) {
	d := NewDisk()
	id := make1(t, d, "a")
	ok(t, d.syncDir(rootID))
	ok(t, d.write(id, 0, []byte("12")))
	d.Rules(Rule{Calls: CallSync, From: 1, Times: 1, Errno: syscall.EIO})
	if errno := d.sync(id); errno != syscall.EIO {
		t.Fatal(errno)
	}
	ok(t, d.write(id, 2, []byte("34")))
	ok(t, d.sync(id))
	if got := outcomes(t, d, 20); !slices.Equal(got, []string{"a=\x00\x0034"}) {
		t.Errorf("left %q", got)
	}
	if got := d.Cut().SyncedAgain(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("synced again: %q", got)
	}
}

// TestRules: a rule catches from the chosen operation on, as often as it says, and spares what it spares.
func TestRules(t *testing.T) {
	d := NewDisk()
	a, shm := make1(t, d, "a"), make1(t, d, "a-shm")
	d.Rules(Rule{Calls: CallWrite | CallSync, Not: "-shm", From: 2, Times: 2, Errno: syscall.EIO})
	ok(t, d.write(shm, 0, []byte("x")))
	var got []syscall.Errno
	for range 2 {
		got = append(got, d.write(a, 0, []byte("x")), d.sync(a))
	}
	if want := []syscall.Errno{0, syscall.EIO, syscall.EIO, 0}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if n := d.Caught(0); n != 4 {
		t.Errorf("%d calls matched, want 4", n)
	}
}

// TestLimit: a full disk takes no more until there is room again; what is there can be written over.
func TestLimit(t *testing.T) {
	d := NewDisk()
	id := make1(t, d, "a")
	d.Limit(4)
	ok(t, d.write(id, 0, []byte("1234")))
	if errno := d.write(id, 4, []byte("5")); errno != syscall.ENOSPC {
		t.Errorf("over the limit: %v", errno)
	}
	ok(t, d.write(id, 0, []byte("abcd")))
	ok(t, d.truncate(id, 1))
	ok(t, d.write(id, 1, []byte("xyz")))
	other := make1(t, d, "b")
	if errno := d.write(other, 0, []byte("5")); errno != syscall.ENOSPC {
		t.Errorf("over the limit: %v", errno)
	}
	ok(t, d.remove(rootID, "a", false))
	ok(t, d.write(other, 0, []byte("5")))
	if d.Used() != 1 {
		t.Errorf("%d bytes used", d.Used())
	}
}

// TestMount: through the kernel, what a program does arrives at the disk, one operation after the other.
func TestMount(t *testing.T) {
	d := NewDisk()
	dir := t.TempDir()
	m, err := Mount(d, dir)
	if errors.Is(err, ErrNoFUSE) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}()
	acks, err := os.OpenFile(filepath.Join(dir, AcksName), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	big := bytes.Repeat([]byte("0123456789"), 30_000)
	for _, step := range []func() error{
		func() error { _, err := f.Write(big); return err },
		f.Sync,
		func() error { return os.Rename(f.Name(), filepath.Join(dir, "b")) },
		root.Sync,
		func() error { _, err := acks.WriteString("done\n"); return err },
		func() error { return f.Truncate(3) },
		func() error { return os.Mkdir(filepath.Join(dir, "sub"), 0o700) },
		root.Close, acks.Close, f.Close,
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "b")); err != nil || string(raw) != "012" {
		t.Errorf("read back %q, %v", raw, err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 2 || list[0].Name() != "b" || !list[1].IsDir() {
		t.Errorf("listed %v, %v", list, err)
	}
	rec := d.Cut()
	if _, err := os.ReadFile(filepath.Join(dir, "c")); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("without power: %v", err)
	}
	for how, want := range map[string]string{"nothing": string(big), "all": "012"} {
		img := rec.End(how)
		if how == "all" {
			delete(img.folders[rootID], "sub")
		}
		if got := left(t, img); got["b"] != want || len(got) != 1 || !slices.Equal(img.Acks, []string{"done\n"}) {
			t.Errorf("%s of it: %d files, b has %d bytes, acknowledged %q", how, len(got), len(got["b"]), img.Acks)
		}
	}
}
