// Package faultfs is a disk that can fail. It keeps, for every file and folder, what a power cut can't take away and
// what was written since and not synced; it makes images of what a power cut may leave, and it fails, delays or fills
// up when told to.
//
// [Disk] is the model; [Mount] puts it under a folder by way of FUSE, for programs that know nothing of it. The model
// is stricter than most real file systems: a name survives only when its folder was synced, whatever was synced of the
// file.
package faultfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// rootID is the node of the disk's root folder.
const rootID = 1

// AcksName is a file in the root that is no file: each write to it is an acknowledgement, put into the recording at
// the place where it happened.
const AcksName = ".acks"

const acksID = 2

// Disk is a file system in memory that records everything done to it. It is safe for concurrent use.
type Disk struct {
	mu    sync.Mutex
	nodes map[uint64]*node
	next  uint64
	ops   []op
	base  *state // what was durable when the recording began
	cut   bool   // the power is gone: nothing works any more
	rules []*Rule
	limit int64 // bytes of file content; 0: no limit
	used  int64
	grown chan struct{} // closed and made anew with every operation
}

// node is a file or a folder as the running programs see it.
type node struct {
	mode    uint32 // type and permission bits
	data    []byte
	entries map[string]uint64 // folders only
	name    string            // the name it was last given, for the rules
	changed time.Time
}

func (n *node) folder() bool { return n.mode&syscall.S_IFMT == syscall.S_IFDIR }

// opKind says what was done.
type opKind uint8

const (
	opWrite opKind = iota
	opTruncate
	opSync     // what was written to the file before is durable
	opLose     // a sync failed: what was written since the last one will never be durable
	opCreate   // a name for a new node
	opRemove   //
	opRename   //
	opSyncDir  // the names in a folder are durable
	opAck      // something was acknowledged
	opFault    // a rule or the limit made an operation fail
	opSizeOnly // only in images: the file's length without its content
)

// op is one thing that was done to the disk.
type op struct {
	kind     opKind
	id       uint64 // of the file, or of the folder of a name
	off      int64  // of a write; the new length of a truncate; the operation before which a sync had begun
	data     []byte
	name     string
	toID     uint64 // folder that a name moves to
	toName   string
	child    uint64 // node that the name is given to
	mode     uint32
	text     string // of an acknowledgement or a fault
	replaced uint64 // node that lost its name to a rename
}

// NewDisk makes an empty disk.
func NewDisk() *Disk {
	d := &Disk{nodes: map[uint64]*node{}, next: acksID + 1, grown: make(chan struct{})}
	d.nodes[rootID] = &node{mode: syscall.S_IFDIR | 0o700, entries: map[string]uint64{}, changed: time.Now()}
	d.begin()
	return d
}

// Load makes a disk of the files in a folder, all of them durable. It takes no folders inside.
func Load(folder string) (*Disk, error) {
	d := NewDisk()
	list, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if !e.Type().IsRegular() {
			return nil, fmt.Errorf("load %s: %s is no plain file", folder, e.Name())
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		id := d.add(&node{mode: syscall.S_IFREG | uint32(info.Mode().Perm()), data: data, name: e.Name(), changed: info.ModTime()})
		d.nodes[rootID].entries[e.Name()] = id
		d.used += int64(len(data))
	}
	d.begin()
	return d, nil
}

// begin forgets the recording and takes all there is as durable.
func (d *Disk) begin() {
	d.ops = nil
	d.base = newState()
	for id, n := range d.nodes {
		if n.folder() {
			names := map[string]uint64{}
			for name, child := range n.entries {
				names[name] = child
			}
			d.base.folders[id] = names
			continue
		}
		d.base.files[id] = &file{mode: n.mode, durable: append([]byte(nil), n.data...)}
	}
}

func (d *Disk) add(n *node) uint64 {
	id := d.next
	d.next++
	d.nodes[id] = n
	return id
}

// record takes an operation down. The caller holds the lock.
func (d *Disk) record(o op) {
	d.ops = append(d.ops, o)
	close(d.grown)
	d.grown = make(chan struct{})
}

// Len is how many operations were recorded.
func (d *Disk) Len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.ops)
}

// WaitLen waits until n operations were recorded or stop is closed.
func (d *Disk) WaitLen(n int, stop <-chan struct{}) {
	for {
		d.mu.Lock()
		have, grown := len(d.ops), d.grown
		d.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-grown:
		case <-stop:
			return
		}
	}
}

// WaitAck waits until something was acknowledged that match is true for, at operation from or later, or stop is closed.
// It returns the operation behind it.
func (d *Disk) WaitAck(from int, match func(string) bool, stop <-chan struct{}) (next int, ok bool) {
	for {
		d.mu.Lock()
		ops, grown := d.ops, d.grown
		d.mu.Unlock()
		for ; from < len(ops); from++ {
			if ops[from].kind == opAck && match(ops[from].text) {
				return from + 1, true
			}
		}
		select {
		case <-grown:
		case <-stop:
			return from, false
		}
	}
}

// Cut switches the power off: every later operation fails. It returns what was recorded until then.
func (d *Disk) Cut() *Recording {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = true
	return &Recording{base: d.base, ops: d.ops}
}

// Limit sets how many bytes the files may have together; 0 is no limit. Files that are longer already stay.
func (d *Disk) Limit(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limit = bytes
}

// Used is how many bytes the files have together.
func (d *Disk) Used() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used
}

// Call is a kind of operation that a [Rule] may catch.
type Call uint8

// The calls that can fail.
const (
	CallWrite   Call = 1 << iota
	CallSync         // of a file
	CallSyncDir      // of a folder
	CallTruncate
	CallRead
	CallCreate
)

// Rule makes chosen operations slow or fail.
type Rule struct {
	Calls Call          // any of these
	Not   string        // spares files whose name ends so; empty: none
	From  int           // the first operation that it catches, counted from 1 among those that match
	Times int           // how many it catches; 0: all that follow
	Errno syscall.Errno // 0: it succeeds in the end
	Delay time.Duration // before it is done
	seen  int
}

// Rules replaces the rules; counting begins anew.
func (d *Disk) Rules(rules ...Rule) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rules = nil
	for _, r := range rules {
		d.rules = append(d.rules, &r)
	}
}

// Caught is how many operations matched the i-th rule, caught or not yet.
func (d *Disk) Caught(i int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rules[i].seen
}

// judge applies the rules to an operation. The caller holds the lock, which is given up while the operation waits.
func (d *Disk) judge(c Call, name string) syscall.Errno {
	var errno syscall.Errno
	var wait time.Duration
	for _, r := range d.rules {
		if r.Calls&c == 0 || r.Not != "" && strings.HasSuffix(name, r.Not) {
			continue
		}
		r.seen++
		if r.seen < r.From || r.Times > 0 && r.seen >= r.From+r.Times {
			continue
		}
		wait = max(wait, r.Delay)
		if errno == 0 {
			errno = r.Errno
		}
	}
	if wait > 0 {
		d.mu.Unlock()
		time.Sleep(wait)
		d.mu.Lock()
	}
	if d.cut {
		return syscall.EIO
	}
	if errno != 0 {
		d.fault(name, errno)
	}
	return errno
}

func (d *Disk) fault(name string, errno syscall.Errno) {
	d.record(op{kind: opFault, text: name + ": " + errno.Error()})
}

// file returns a file's node.
func (d *Disk) file(id uint64) (*node, syscall.Errno) {
	n := d.nodes[id]
	switch {
	case d.cut:
		return nil, syscall.EIO
	case n == nil:
		return nil, syscall.ENOENT
	case n.folder():
		return nil, syscall.EISDIR
	}
	return n, 0
}

// dir returns a folder's node.
func (d *Disk) dir(id uint64) (*node, syscall.Errno) {
	n := d.nodes[id]
	switch {
	case d.cut:
		return nil, syscall.EIO
	case n == nil:
		return nil, syscall.ENOENT
	case !n.folder():
		return nil, syscall.ENOTDIR
	}
	return n, 0
}

func (d *Disk) read(id uint64, off int64, buf []byte) (int, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, errno := d.file(id)
	if errno != 0 {
		return 0, errno
	}
	if errno := d.judge(CallRead, n.name); errno != 0 {
		return 0, errno
	}
	if off >= int64(len(n.data)) {
		return 0, 0
	}
	return copy(buf, n.data[off:]), 0
}

func (d *Disk) write(id uint64, off int64, data []byte) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if id == acksID {
		if d.cut {
			return syscall.EIO
		}
		d.record(op{kind: opAck, text: string(data)})
		return 0
	}
	n, errno := d.file(id)
	if errno != 0 {
		return errno
	}
	if errno := d.judge(CallWrite, n.name); errno != 0 {
		return errno
	}
	if errno := d.resize(n, max(int64(len(n.data)), off+int64(len(data)))); errno != 0 {
		return errno
	}
	copy(n.data[off:], data)
	d.record(op{kind: opWrite, id: id, off: off, data: append([]byte(nil), data...)})
	return 0
}

// resize gives the file another length, if there is room.
func (d *Disk) resize(n *node, size int64) syscall.Errno {
	grow := size - int64(len(n.data))
	if grow > 0 && d.limit > 0 && d.used+grow > d.limit {
		d.fault(n.name, syscall.ENOSPC)
		return syscall.ENOSPC
	}
	d.used += grow
	n.data = resized(n.data, size)
	n.changed = time.Now()
	return 0
}

func resized(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}

func (d *Disk) truncate(id uint64, size int64) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, errno := d.file(id)
	if errno != 0 {
		return errno
	}
	if errno := d.judge(CallTruncate, n.name); errno != 0 {
		return errno
	}
	if errno := d.resize(n, size); errno != 0 {
		return errno
	}
	d.record(op{kind: opTruncate, id: id, off: size})
	return 0
}

// sync makes durable what was written before it began. When it fails that is lost for good, as on Linux, though the
// programs still read it.
func (d *Disk) sync(id uint64) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, errno := d.file(id)
	if errno != 0 {
		return errno
	}
	began := len(d.ops)
	if errno := d.judge(CallSync, n.name); errno != 0 {
		d.record(op{kind: opLose, id: id, off: int64(began), name: n.name})
		return errno
	}
	d.record(op{kind: opSync, id: id, off: int64(began), name: n.name})
	return 0
}

func (d *Disk) syncDir(id uint64) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, errno := d.dir(id); errno != 0 {
		return errno
	}
	if errno := d.judge(CallSyncDir, "folder"); errno != 0 {
		return errno
	}
	d.record(op{kind: opSyncDir, id: id})
	return 0
}

func (d *Disk) lookup(parent uint64, name string) (uint64, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, errno := d.dir(parent)
	if errno != 0 {
		return 0, errno
	}
	if id, ok := n.entries[name]; ok {
		return id, 0
	}
	return 0, syscall.ENOENT
}

// create makes a file or a folder.
func (d *Disk) create(parent uint64, name string, mode uint32) (uint64, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, errno := d.dir(parent)
	if errno != 0 {
		return 0, errno
	}
	if errno := d.judge(CallCreate, name); errno != 0 {
		return 0, errno
	}
	if _, ok := p.entries[name]; ok || parent == rootID && name == AcksName {
		return 0, syscall.EEXIST
	}
	n := &node{mode: mode, name: name, changed: time.Now()}
	if n.folder() {
		n.entries = map[string]uint64{}
	}
	id := d.add(n)
	p.entries[name] = id
	d.record(op{kind: opCreate, id: parent, name: name, child: id, mode: mode})
	return id, 0
}

func (d *Disk) remove(parent uint64, name string, folder bool) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, errno := d.dir(parent)
	if errno != 0 {
		return errno
	}
	id, ok := p.entries[name]
	if !ok {
		return syscall.ENOENT
	}
	n := d.nodes[id]
	switch {
	case folder && !n.folder():
		return syscall.ENOTDIR
	case !folder && n.folder():
		return syscall.EISDIR
	case len(n.entries) > 0:
		return syscall.ENOTEMPTY
	}
	delete(p.entries, name)
	d.used -= int64(len(n.data))
	d.record(op{kind: opRemove, id: parent, name: name, child: id})
	return 0
}

func (d *Disk) rename(parent uint64, name string, toParent uint64, toName string) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, errno := d.dir(parent)
	if errno != 0 {
		return errno
	}
	to, errno := d.dir(toParent)
	if errno != 0 {
		return errno
	}
	id, ok := p.entries[name]
	if !ok {
		return syscall.ENOENT
	}
	o := op{kind: opRename, id: parent, name: name, toID: toParent, toName: toName, child: id}
	if old, ok := to.entries[toName]; ok && old != id {
		if len(d.nodes[old].entries) > 0 {
			return syscall.ENOTEMPTY
		}
		o.replaced = old
		d.used -= int64(len(d.nodes[old].data))
	}
	delete(p.entries, name)
	to.entries[toName] = id
	d.nodes[id].name = toName
	d.record(o)
	return 0
}

func (d *Disk) chmod(id uint64, mode uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.nodes[id]; n != nil {
		n.mode = n.mode&syscall.S_IFMT | mode&0o7777
	}
}

// Write lays the disk's files, as running programs see them, into an empty folder.
func (d *Disk) Write(folder string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.writeFolder(rootID, folder)
}

func (d *Disk) writeFolder(id uint64, folder string) error {
	var errs []error
	for name, child := range d.nodes[id].entries {
		n, path := d.nodes[child], filepath.Join(folder, name)
		switch n.mode & syscall.S_IFMT {
		case syscall.S_IFDIR:
			errs = append(errs, os.Mkdir(path, 0o700), d.writeFolder(child, path))
		case syscall.S_IFREG:
			errs = append(errs, os.WriteFile(path, n.data, fs.FileMode(n.mode&0o777)))
		}
	}
	return errors.Join(errs...)
}
