package faultfs

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// ErrNoFUSE says that this machine can't mount a file system of ours.
var ErrNoFUSE = errors.New("no FUSE here")

// Mounted is a disk under a folder.
type Mounted struct {
	Folder string
	server *fuse.Server
}

// Mount puts the disk under an empty folder. No program may use the folder when it is unmounted. It returns an error
// that is [ErrNoFUSE] where that can't be done at all.
func Mount(d *Disk, folder string) (*Mounted, error) {
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoFUSE, err)
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	server, err := fuse.NewServer(&kernel{RawFileSystem: fuse.NewDefaultRawFileSystem(), disk: d}, folder, &fuse.MountOptions{
		FsName: "faultfs", Name: "faultfs", DirectMount: true, DisableXAttrs: true, DisableReadDirPlus: true,
		DisabledCapabilities: fuse.CAP_WRITEBACK_CACHE, // a write must arrive here when it is made
	})
	if err != nil {
		return nil, fmt.Errorf("%w: mount: %w", ErrNoFUSE, err)
	}
	go server.Serve()
	if err := server.WaitMount(); err != nil {
		return nil, errors.Join(err, server.Unmount())
	}
	return &Mounted{Folder: folder, server: server}, nil
}

// Close unmounts the disk.
func (m *Mounted) Close() error { return m.server.Unmount() }

// kernel answers the kernel's questions. Locks stay with the kernel, since all programs are on this machine.
type kernel struct {
	fuse.RawFileSystem
	disk *Disk
}

const validFor = 3600 // seconds that the kernel may remember: nobody else changes anything

func (k *kernel) attr(id uint64, out *fuse.Attr) fuse.Status {
	k.disk.mu.Lock()
	defer k.disk.mu.Unlock()
	if id == acksID {
		*out = fuse.Attr{Ino: id, Mode: syscall.S_IFREG | 0o600, Nlink: 1}
		return fuse.OK
	}
	n := k.disk.nodes[id]
	if n == nil {
		return fuse.ENOENT
	}
	*out = fuse.Attr{Ino: id, Mode: n.mode, Nlink: 1, Size: uint64(len(n.data)), Blocks: uint64(len(n.data)+511) / 512, Blksize: 4096}
	out.Owner = fuse.Owner{Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid())}
	out.SetTimes(&n.changed, &n.changed, &n.changed)
	return fuse.OK
}

func (k *kernel) entry(id uint64, out *fuse.EntryOut) fuse.Status {
	out.NodeId, out.EntryValid, out.AttrValid = id, validFor, validFor
	return k.attr(id, &out.Attr)
}

// Lookup finds a name in a folder.
func (k *kernel) Lookup(_ <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	if h.NodeId == rootID && name == AcksName {
		return k.entry(acksID, out)
	}
	id, errno := k.disk.lookup(h.NodeId, name)
	if errno != 0 {
		return fuse.Status(errno)
	}
	return k.entry(id, out)
}

// GetAttr tells a file's size and mode.
func (k *kernel) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	out.AttrValid = validFor
	return k.attr(in.NodeId, &out.Attr)
}

// SetAttr truncates, and sets the mode.
func (k *kernel) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	if size, ok := in.GetSize(); ok && in.NodeId != acksID {
		if errno := k.disk.truncate(in.NodeId, int64(size)); errno != 0 {
			return fuse.Status(errno)
		}
	}
	if mode, ok := in.GetMode(); ok {
		k.disk.chmod(in.NodeId, mode)
	}
	out.AttrValid = validFor
	return k.attr(in.NodeId, &out.Attr)
}

// Mknod makes a file or a socket.
func (k *kernel) Mknod(_ <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	return k.make(in.NodeId, name, in.Mode, out)
}

// Mkdir makes a folder.
func (k *kernel) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return k.make(in.NodeId, name, syscall.S_IFDIR|in.Mode, out)
}

func (k *kernel) make(parent uint64, name string, mode uint32, out *fuse.EntryOut) fuse.Status {
	id, errno := k.disk.create(parent, name, mode)
	if errno != 0 {
		return fuse.Status(errno)
	}
	return k.entry(id, out)
}

// Create makes a file and opens it.
func (k *kernel) Create(_ <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	status := k.make(in.NodeId, name, syscall.S_IFREG|in.Mode&0o7777, &out.EntryOut)
	out.OpenFlags = k.openFlags(out.NodeId)
	return status
}

// Unlink removes a file's name.
func (k *kernel) Unlink(_ <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return fuse.Status(k.disk.remove(h.NodeId, name, false))
}

// Rmdir removes a folder.
func (k *kernel) Rmdir(_ <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return fuse.Status(k.disk.remove(h.NodeId, name, true))
}

// Rename gives a file another name.
func (k *kernel) Rename(_ <-chan struct{}, in *fuse.RenameIn, name, toName string) fuse.Status {
	if in.Flags != 0 {
		return fuse.EINVAL
	}
	return fuse.Status(k.disk.rename(in.NodeId, name, in.Newdir, toName))
}

// Open opens a file.
func (k *kernel) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if in.NodeId == acksID {
		out.OpenFlags = fuse.FOPEN_DIRECT_IO
		return fuse.OK
	}
	if in.Flags&syscall.O_TRUNC != 0 {
		if errno := k.disk.truncate(in.NodeId, 0); errno != 0 {
			return fuse.Status(errno)
		}
	}
	out.OpenFlags = k.openFlags(in.NodeId)
	return fuse.OK
}

// openFlags have each read and write come here as it was made, where the kernel would split some at pages and tell a
// failure of the second half as a short write. SQLite's shared memory is mapped, and so it stays in the kernel's pages.
func (k *kernel) openFlags(id uint64) uint32 {
	k.disk.mu.Lock()
	defer k.disk.mu.Unlock()
	if n := k.disk.nodes[id]; n != nil && strings.HasSuffix(n.name, "-shm") {
		return fuse.FOPEN_KEEP_CACHE
	}
	return fuse.FOPEN_DIRECT_IO
}

// Read reads.
func (k *kernel) Read(_ <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	n, errno := k.disk.read(in.NodeId, int64(in.Offset), buf[:min(len(buf), int(in.Size))])
	if errno != 0 {
		return nil, fuse.Status(errno)
	}
	return fuse.ReadResultData(buf[:n]), fuse.OK
}

// Write writes.
func (k *kernel) Write(_ <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	if errno := k.disk.write(in.NodeId, int64(in.Offset), data); errno != 0 {
		return 0, fuse.Status(errno)
	}
	return uint32(len(data)), fuse.OK
}

// Flush is a file's closing, which makes nothing durable.
func (k *kernel) Flush(<-chan struct{}, *fuse.FlushIn) fuse.Status { return fuse.OK }

// Release is a file's last closing.
func (k *kernel) Release(<-chan struct{}, *fuse.ReleaseIn) {}

// Forget says that the kernel remembers a node no more; it stays here for as long as the disk.
func (k *kernel) Forget(uint64, uint64) {}

// Fsync makes a file durable.
func (k *kernel) Fsync(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return fuse.Status(k.disk.sync(in.NodeId))
}

// FsyncDir makes the names in a folder durable.
func (k *kernel) FsyncDir(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return fuse.Status(k.disk.syncDir(in.NodeId))
}

// OpenDir opens a folder.
func (k *kernel) OpenDir(<-chan struct{}, *fuse.OpenIn, *fuse.OpenOut) fuse.Status { return fuse.OK }

// ReleaseDir closes a folder.
func (k *kernel) ReleaseDir(*fuse.ReleaseIn) {}

// ReadDir lists a folder.
func (k *kernel) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	k.disk.mu.Lock()
	defer k.disk.mu.Unlock()
	n, errno := k.disk.dir(in.NodeId)
	if errno != 0 {
		return fuse.Status(errno)
	}
	list := make([]fuse.DirEntry, 0, len(n.entries))
	for name, id := range n.entries {
		list = append(list, fuse.DirEntry{Name: name, Ino: id, Mode: k.disk.nodes[id].mode})
	}
	slices.SortFunc(list, func(a, b fuse.DirEntry) int { return strings.Compare(a.Name, b.Name) })
	for i, e := range list {
		if uint64(i) < in.Offset {
			continue
		}
		e.Off = uint64(i) + 1
		if !out.AddDirEntry(e) {
			break
		}
	}
	return fuse.OK
}

// Access lets everybody in.
func (k *kernel) Access(<-chan struct{}, *fuse.AccessIn) fuse.Status { return fuse.OK }

// StatFs tells how much room there is.
func (k *kernel) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	const block, plenty = 4096, 1 << 40
	k.disk.mu.Lock()
	defer k.disk.mu.Unlock()
	limit := int64(plenty)
	if k.disk.limit > 0 {
		limit = k.disk.limit
	}
	free := uint64(max(0, limit-k.disk.used)) / block
	*out = fuse.StatfsOut{Bsize: block, Frsize: block, NameLen: 255, Blocks: uint64(limit) / block, Bfree: free, Bavail: free, Files: 1 << 20, Ffree: 1 << 20}
	return fuse.OK
}
