package cut

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"

	"gage/bench/proof/faultfs"
)

// shop is a running shop.
type shop struct {
	cmd   *exec.Cmd
	said  bytes.Buffer
	ended chan struct{}
	err   error
}

func startShop(ctx context.Context, bin, folder string, seed uint64, hands, rounds int) (*shop, error) {
	s := &shop{ended: make(chan struct{})}
	s.cmd = exec.CommandContext(ctx, bin, "work", "-data", folder, "-acks", filepath.Join(folder, faultfs.AcksName),
		"-seed", strconv.FormatUint(seed, 10), "-hands", strconv.Itoa(hands), "-rounds", strconv.Itoa(rounds))
	s.cmd.Stderr = &s.said
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	return s, nil
}

// end kills the shop if it still runs, and waits for it. What it said counts only when it ended by itself before its
// disk was gone, which [faultfs.Disk.Cut] makes: then it had no reason to fail.
func (s *shop) end() error {
	select {
	case <-s.ended:
		if s.err != nil {
			return fmt.Errorf("the shop ended by itself: %w\n%s", s.err, s.said.Bytes())
		}
		return nil
	default:
	}
	if err := s.cmd.Process.Kill(); err != nil {
		return err
	}
	<-s.ended
	return nil
}

// judge is a process that opens what a power cut left.
type judge struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	err bytes.Buffer
}

func startJudge(ctx context.Context, bin string) (*judge, error) {
	j := &judge{cmd: exec.CommandContext(ctx, bin, "judge")}
	j.cmd.Stderr = &j.err
	in, inErr := j.cmd.StdinPipe()
	out, outErr := j.cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, j.cmd.Start()); err != nil {
		return nil, err
	}
	j.in, j.out = in, bufio.NewReader(out)
	return j, nil
}

// ask returns "well", or what is wrong with what is left in a folder.
func (j *judge) ask(folder, acks string) (string, error) {
	if _, err := fmt.Fprintf(j.in, "%s\t%s\n", folder, acks); err != nil {
		return "", err
	}
	line, err := j.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the judge ended: %w\n%s", errors.Join(err, j.cmd.Wait()), j.err.Bytes())
	}
	return line[:len(line)-1], nil
}

func (j *judge) stop() {
	_ = j.in.Close() // it ends by that
	_ = j.cmd.Wait()
}
