//go:build !linux

package faultfs

import "errors"

// ErrNoFUSE says that this machine can't mount a file system of ours.
var ErrNoFUSE = errors.New("no FUSE here: the fault file system needs Linux")

// Mounted is a disk under a folder.
type Mounted struct{ Folder string }

// Mount puts the disk under an empty folder; here it can't.
func Mount(*Disk, string) (*Mounted, error) { return nil, ErrNoFUSE }

// Close unmounts the disk.
func (m *Mounted) Close() error { return nil }
