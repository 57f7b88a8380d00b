package kill

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gage/bench/proof/harness"
)

// process is one life of the shop's program.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it is gone
	ready chan struct{} // closed when it serves
	ours  atomic.Bool   // the harness itself killed it

	owner chan string // the token of the link to make the owner's account

	mu     sync.Mutex
	said   []string
	status syscall.WaitStatus
}

var ownerLink = regexp.MustCompile(`/start/([A-Za-z0-9_-]+)`)

// launch starts the program. point and hit name the crash point to die at; empty: none.
func launch(bin string, args []string, point string, hit int) (*process, error) {
	p := &process{cmd: exec.Command(bin, args...), ended: make(chan struct{}), ready: make(chan struct{}), owner: make(chan string, 1)}
	p.cmd.Env = append(os.Environ(), harness.CrashAt+"="+point, fmt.Sprintf("%s=%d", harness.CrashHit, hit))
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	var reading sync.WaitGroup
	reading.Go(func() { p.listen(stdout) })
	reading.Go(func() { p.listen(stderr) })
	go func() {
		reading.Wait()
		_ = p.cmd.Wait() // its end is in the state
		p.mu.Lock()
		p.status, _ = p.cmd.ProcessState.Sys().(syscall.WaitStatus)
		p.mu.Unlock()
		close(p.ended)
	}()
	return p, nil
}

// listen reads what it says: the owner's link, and that it serves.
func (p *process) listen(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	serving := sync.OnceFunc(func() { close(p.ready) })
	for lines.Scan() {
		line := lines.Text()
		p.mu.Lock()
		if m := ownerLink.FindStringSubmatch(line); m != nil {
			select {
			case p.owner <- m[1]:
			default:
			}
		}
		if !strings.Contains(line, `"msg":"request"`) {
			p.said = append(p.said, line)
			p.said = p.said[max(0, len(p.said)-20):]
		}
		p.mu.Unlock()
		var entry struct {
			Msg string `json:"msg"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "serving" {
			serving()
		}
	}
}

// lastWords is the end of its log.
func (p *process) lastWords() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(slices.Clone(p.said), " ⏎ ")
}

// startedWithin is how long a start may take on a loaded machine.
const startedWithin = time.Minute

// up waits until it serves. false: it ended before.
func (p *process) up(ctx context.Context) (bool, error) {
	late := time.NewTimer(startedWithin)
	defer late.Stop()
	select {
	case <-p.ready:
		return true, nil
	case <-p.ended:
		return false, nil
	case <-late.C:
		return false, errors.New("it does not start: " + p.lastWords())
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// kill ends it by SIGKILL and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone already
	<-p.ended
}

// wasKilled says whether a signal that can't be caught ended it.
func (p *process) wasKilled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status.Signaled() && p.status.Signal() == syscall.SIGKILL
}

func (p *process) exitCode() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status.ExitStatus()
}
