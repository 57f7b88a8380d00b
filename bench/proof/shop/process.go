// Package shop runs the shop under load (bench/proof/drive) as a process of its own, on a disk that a harness breaks, and
// has a second process judge what is left of it.
package shop

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gage/bench/proof/faultfs"
)

// Work says how the shop is kept busy.
type Work struct {
	Folder string // where the disk is mounted
	Seed   uint64
	Hands  int           // how many work at once
	Rounds int           // orders of each; 0: until it is killed
	Watch  time.Duration // how often it says whether it is ready; 0: never
}

// Shop is a running shop.
type Shop struct {
	Ended chan struct{} // closed when the process is gone
	cmd   *exec.Cmd
	said  bytes.Buffer
}

// Exit codes of a shop.
const (
	ExitDone   = 0
	ExitClosed = 1  // it did not open
	ExitGaveUp = 3  // the disk failed
	ExitKilled = -1 // by a signal
)

// Start starts a shop.
func Start(ctx context.Context, bin string, w Work) (*Shop, error) {
	s := &Shop{Ended: make(chan struct{})}
	s.cmd = exec.CommandContext(ctx, bin, "work", "-data", w.Folder, "-acks", filepath.Join(w.Folder, faultfs.AcksName),
		"-seed", strconv.FormatUint(w.Seed, 10), "-hands", strconv.Itoa(w.Hands), "-rounds", strconv.Itoa(w.Rounds), "-watch", w.Watch.String())
	s.cmd.Stderr = &s.said
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait() // its exit code says it
		close(s.Ended)
	}()
	return s, nil
}

// Said is what the process printed. Call it when the shop has ended.
func (s *Shop) Said() string { return s.said.String() }

// End kills the shop if it still runs, waits for it and returns its exit code.
func (s *Shop) End() int {
	select {
	case <-s.Ended:
	default:
		_ = s.cmd.Process.Kill() // it may have ended since
		<-s.Ended
	}
	return s.cmd.ProcessState.ExitCode()
}

// Judge is a process that opens what a power cut left.
type Judge struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	err bytes.Buffer
}

// StartJudge starts a judge.
func StartJudge(ctx context.Context, bin string) (*Judge, error) {
	j := &Judge{cmd: exec.CommandContext(ctx, bin, "judge")}
	j.cmd.Stderr = &j.err
	in, inErr := j.cmd.StdinPipe()
	out, outErr := j.cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, j.cmd.Start()); err != nil {
		return nil, err
	}
	j.in, j.out = in, bufio.NewReader(out)
	return j, nil
}

// Well is the judge's word for a shop that has lost nothing.
const Well = "well"

// Ask returns [Well], or what is wrong with what is left in a folder, where so much was acknowledged.
func (j *Judge) Ask(folder string, acks []string) (string, error) {
	list := folder + ".acks"
	if err := os.WriteFile(list, []byte(strings.Join(acks, "")), 0o600); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(j.in, "%s\t%s\n", folder, list); err != nil {
		return "", err
	}
	line, err := j.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the judge ended: %w\n%s", errors.Join(err, j.cmd.Wait()), j.err.Bytes())
	}
	return line[:len(line)-1], nil
}

// Stop ends the judge.
func (j *Judge) Stop() {
	_ = j.in.Close() // it ends by that
	_ = j.cmd.Wait()
}
