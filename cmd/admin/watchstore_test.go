package main

import (
	"net/http"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// proves R23: after the first write that fails the shop says so on stderr and ends by itself, with an error.
func TestEndsWhenTheDiskFails(t *testing.T) {
	s := start(t, nil, "serve", "--data", t.TempDir(), "--public-url", "http://127.0.0.1:8080", "--listen", "127.0.0.1:0")
	ready := func() (int, error) {
		resp, err := http.Get(s.Shop + "/readyz")
		if err != nil {
			return 0, err
		}
		return resp.StatusCode, resp.Body.Close()
	}
	if code, err := ready(); err != nil || code != http.StatusOK {
		t.Fatalf("on a good disk: %d, %v", code, err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
			t.Error(err)
		}
	}()
	for {
		code, err := ready()
		if err != nil {
			break // it listens no more
		}
		if code == http.StatusOK {
			t.Fatal("it calls itself ready though no file can be written")
		}
	}
	if code := s.stop(); code == exitOK {
		t.Error("it ended as if all was well")
	}
	for _, want := range []string{"the store can't be written on any more", "the disk failed"} {
		if !strings.Contains(s.stderr.String(), want) {
			t.Errorf("stderr lacks %q:\n%s", want, s.stderr)
		}
	}
}
