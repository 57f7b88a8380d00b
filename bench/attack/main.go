// Command attack lets other people's attack tools loose on the demo, on this machine alone, and says what they found.
//
//	go run ./bench/attack                 all of them, a quarter of an hour in all
//	go run ./bench/attack -for 30s ffuf   only that one, for so long
//	go run ./bench/attack -keep DIR       keep what the tools wrote
//
// The tools are sqlmap, ffuf, slowhttptest and wapiti, as Debian packages them; one that is not installed is told as
// SKIPPED. Each is bounded in number and time, and the demo is stopped at the end. Exit codes: 0 nothing was found;
// 1 there is a finding, or the shop did not answer meanwhile; 2 it could not run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "attack:", err)
	}
	os.Exit(code)
}

// The exit codes.
const (
	exitOK    = 0
	exitFound = 1
	exitUsage = 2
)

// tool is one program and how it is told what to do.
type tool struct {
	name   string
	attack func(ctx context.Context, a *attack) (findings []string, err error)
}

func tools() []tool {
	return []tool{{"wapiti", wapiti}, {"ffuf", ffuf}, {"slowhttptest", slowhttptest}, {"sqlmap", sqlmap}} // after the last nobody signs in any more
}

// attack is a run against one demo.
type attack struct {
	*target
	guide  *guide
	span   time.Duration // that a tool may take
	folder string        // for what it writes
	out    io.Writer
}

func run(ctx context.Context, args []string, out io.Writer) (int, error) {
	f := flag.NewFlagSet("attack", flag.ContinueOnError)
	span := f.Duration("for", 150*time.Second, "how long each tool may take")
	keep := f.String("keep", "", "keep what the tools wrote in this folder")
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK, nil
	}
	if err != nil {
		return exitUsage, err
	}
	for _, name := range f.Args() {
		if !slices.ContainsFunc(tools(), func(t tool) bool { return t.name == name }) {
			return exitUsage, fmt.Errorf("no tool %q", name)
		}
	}
	folder := *keep
	if folder == "" {
		if folder, err = os.MkdirTemp("", "gage-attack-"); err != nil {
			return exitUsage, err
		}
		defer os.RemoveAll(folder)
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return exitUsage, err
	}
	where, err := startDemo(ctx, folder)
	if err != nil {
		return exitUsage, err
	}
	a := &attack{target: where, span: *span, folder: folder, out: out}
	if a.guide, err = where.guided(ctx); err != nil {
		return exitUsage, errors.Join(err, where.stop())
	}
	defer a.guide.server.Close()
	found, err := a.runAll(ctx, f.Args())
	if err == nil && len(f.Args()) == 0 {
		found = append(found, a.unmet()...)
	}
	if stopErr := where.stop(); stopErr != nil {
		found = append(found, "the demo did not stop in order: "+stopErr.Error())
	}
	for _, line := range where.complaints() {
		found = append(found, "the demo's log: "+line)
	}
	for _, line := range found {
		fmt.Fprintln(out, "FOUND", line)
	}
	fmt.Fprintf(out, "%d findings\n", len(found))
	if err != nil {
		return exitUsage, err
	}
	if len(found) > 0 {
		return exitFound, nil
	}
	return exitOK, nil
}

// runAll runs one tool after the other, while the gateway's route and the probes are asked all the time.
func (a *attack) runAll(ctx context.Context, names []string) (found []string, err error) {
	for _, t := range tools() {
		if len(names) > 0 && !slices.Contains(names, t.name) {
			continue
		}
		if _, err := exec.LookPath(t.name); err != nil {
			fmt.Fprintf(a.out, "%-13s SKIPPED: not installed (apt-get install %s)\n", t.name, t.name)
			continue
		}
		began := time.Now()
		watched := a.watch(ctx)
		findings, err := t.attack(ctx, a)
		seen := watched()
		if err != nil {
			return found, fmt.Errorf("%s: %w", t.name, err)
		}
		if ctx.Err() != nil {
			return found, ctx.Err()
		}
		findings = append(findings, seen.faults...)
		fmt.Fprintf(a.out, "%-13s %d findings in %s; meanwhile %s\n", t.name, len(findings), time.Since(began).Round(time.Second), seen)
		for _, f := range findings {
			found = append(found, t.name+": "+f)
		}
	}
	return found, nil
}

// unmet are the routes of which the owner's tools had no answer, but those that end the attack.
func (a *attack) unmet() []string {
	met, n := a.guide.met(), 0
	var list []string
	for _, route := range a.routes {
		switch {
		case met[route] > 0:
			n++
		case route == "POST /admin/account/password": // it asks for the present password each time, which the tools don't know
		case spoils[route] == "" && route != "GET /admin/sign-in" && route != "GET /static/*":
			list = append(list, "no answer came from "+route)
		}
	}
	fmt.Fprintf(a.out, "%d of %d routes answered the owner's tools, besides the door and the files\n", n, len(a.routes)-4)
	return list
}

// call runs a tool until it ends or its time is over, and returns what it said. That its time was over is no error.
func (a *attack) call(ctx context.Context, span time.Duration, name string, args ...string) (string, error) {
	limited, stop := context.WithTimeout(ctx, span)
	defer stop()
	cmd := exec.CommandContext(limited, name, args...)
	cmd.Dir = a.folder
	cmd.Env = append(os.Environ(), "HOME="+a.folder, "no_proxy=127.0.0.1", "http_proxy=", "https_proxy=")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what it starts ends with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	said, err := cmd.CombinedOutput()
	file, openErr := os.OpenFile(filepath.Join(a.folder, name+".txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if openErr != nil {
		return "", openErr
	}
	_, writeErr := fmt.Fprintf(file, "$ %s %q\n%s\n", name, args, said)
	if err := errors.Join(writeErr, file.Close()); err != nil {
		return "", err
	}
	var exit *exec.ExitError
	if limited.Err() != nil || errors.As(err, &exit) { // the tools have codes of their own for what they found
		err = nil
	}
	return string(said), err
}
