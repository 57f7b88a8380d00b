package main

import (
	"fmt"
	"syscall"
)

// keepMemoryPrivate sees to it that no picture of the program's memory, which holds keys and people, lies on a disk
// after it crashed, and that no other program of the same user reads it.
func keepMemoryPrivate() error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core dumps: %w", err)
	}
	return forbidTracing()
}
