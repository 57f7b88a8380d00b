package db

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// reserveSize is the room kept for essential writes, in bytes: some fifty sign-ins.
const reserveSize = 1 << 20

// reserve is a file that only takes room. On a full disk it gives the room up, and what is essential can be written
// though nothing else can: staff sign in, and read. It comes back when there is room again.
type reserve struct {
	path  string
	spent bool
}

// keep takes the room. On a disk that is full already it takes none.
func (r *reserve) keep() error {
	info, err := os.Stat(r.path)
	if err == nil && info.Size() == reserveSize {
		r.spent = false
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = os.WriteFile(r.path, make([]byte, reserveSize), 0o600) // no hole: it must take room
	r.spent = err != nil
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return os.Truncate(r.path, 0)
	}
	return err
}

// spend gives the room up.
func (r *reserve) spend() error {
	r.spent = true
	return os.Truncate(r.path, 0)
}

// refill takes the room again if the disk has plenty.
func (r *reserve) refill() error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(r.path, &disk); err != nil {
		return err
	}
	if uint64(disk.Bavail)*uint64(disk.Bsize) < 4*reserveSize {
		return nil
	}
	return r.keep()
}
