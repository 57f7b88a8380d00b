package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestNoCoreDumps: a program that serves has no core file and shows its memory to nobody. It is another process, for
// this one's memory must stay readable to debuggers.
//
// proves S19
func TestNoCoreDumps(t *testing.T) {
	if os.Getenv("GAGE_TEST_PRIVATE") == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNoCoreDumps$", "-test.v")
		cmd.Env = append(os.Environ(), "GAGE_TEST_PRIVATE=1")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestNoCoreDumps") {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{Cur: 1, Max: 1 << 20}); err != nil && !errors.Is(err, syscall.EPERM) {
		t.Error(err) // EPERM: there are none on this machine anyway
	}
	start(t, map[string]string{"GAGE_PUBLIC_URL": "http://127.0.0.1:8080", "GAGE_LISTEN": "127.0.0.1:0", "GAGE_DATA": t.TempDir()}, "serve")
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil || limit != (syscall.Rlimit{}) {
		t.Errorf("core files up to %d, %d: %v", limit.Cur, limit.Max, err)
	}
	const prGetDumpable = 3
	if dumpable, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prGetDumpable, 0, 0); dumpable != 0 || errno != 0 {
		t.Errorf("dumpable is %d: %v", dumpable, errno)
	}
}
