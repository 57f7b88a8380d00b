package main

import (
	"fmt"
	"syscall"
)

// prSetDumpable is PR_SET_DUMPABLE of prctl(2), which the syscall package does not name.
const prSetDumpable = 4

// forbidTracing keeps debuggers of the same user away, and core dumps that go to a pipe, which the limit does not stop.
func forbidTracing() error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0); errno != 0 {
		return fmt.Errorf("forbid the reading of memory: %w", errno)
	}
	return nil
}
