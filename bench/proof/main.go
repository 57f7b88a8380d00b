// Command proof shows that what the failure model asks for is proved, and runs the harnesses that prove it.
//
//	go run ./bench/proof -check             list each requirement with its tests; exit 1 on a gap (seconds)
//	go run ./bench/proof -list              what harnesses there are
//	go run ./bench/proof -slice kill race   run a slice of each, as CI does
//	go run ./bench/proof -for 30m kill      run harnesses for so long and append what they reached to docs/proof.md
//	go run ./bench/proof -defects kill      plant each of their defects in turn; each must be caught
//
// Without names it takes all harnesses. -seed replays a run. Exit codes: 0 all well; 1 a gap, a violation or a defect
// that was not caught; 2 it could not run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"gage/bench/proof/browser"
	"gage/bench/proof/cut"
	"gage/bench/proof/fuzz"
	"gage/bench/proof/harness"
	"gage/bench/proof/hook"
	"gage/bench/proof/iofault"
	"gage/bench/proof/kill"
	"gage/bench/proof/lists"
	"gage/bench/proof/race"
	"gage/bench/proof/restore"
	"gage/bench/proof/sim"
)

// harnesses are all that there are, in the order of the failure model.
func harnesses() []harness.Harness {
	return []harness.Harness{
		kill.Harness(),
		cut.Harness(),
		iofault.Harness(),
		restore.Harness(),
		race.Harness(),
		sim.Harness(),
		hook.Harness(),
		browser.Harness(),
		fuzz.Harness(),
		lists.Harness(),
	}
}

// How long a harness runs in CI, and with a planted defect that it does not catch before.
const (
	sliceFor  = 25 * time.Second
	defectFor = time.Minute
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// order is the command line, read.
type order struct {
	check, list, slice, defects, record bool
	span                                time.Duration
	seed                                uint64
	chosen                              []harness.Harness
	repo                                string
	stdout, stderr                      io.Writer
}

// run is the program. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := readOrder(args, stdout, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		fmt.Fprintln(stderr, "proof:", err)
		return exitUsage
	}
	var ok bool
	switch {
	case o.check:
		ok, err = check(o.repo, harnesses(), stdout, asvsFaults)
	case o.list:
		ok, err = true, list(o.chosen, stdout)
	case o.defects:
		ok, err = o.plantAll(ctx)
	default:
		ok, err = o.runAll(ctx)
	}
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "proof:", err)
		return exitUsage
	case !ok:
		return exitFailed
	}
	return exitOK
}

func readOrder(args []string, stdout, stderr io.Writer) (order, error) {
	o := order{stdout: stdout, stderr: stderr}
	f := flag.NewFlagSet("proof", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.BoolVar(&o.check, "check", false, "list each requirement with its tests and exit 1 on a gap")
	f.BoolVar(&o.list, "list", false, "list the harnesses")
	f.BoolVar(&o.slice, "slice", false, "run a slice of each harness")
	f.BoolVar(&o.defects, "defects", false, "plant each defect in turn; each must be caught")
	f.BoolVar(&o.record, "record", false, "with -defects: append what was caught to docs/proof.md")
	only := f.String("only", "", "with -defects: those alone whose names hold this text")
	f.DurationVar(&o.span, "for", 0, "run harnesses for so long each, and append what they reached to docs/proof.md")
	f.Uint64Var(&o.seed, "seed", 0, "replay a run; 0 takes a new seed")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	ways := 0
	for _, chosen := range []bool{o.check, o.list, o.slice, o.defects, o.span > 0} {
		if chosen {
			ways++
		}
	}
	if ways != 1 {
		return o, errors.New("want one of -check, -list, -slice, -defects and -for DURATION; see -help")
	}
	if o.seed == 0 {
		o.seed = rand.Uint64()
	}
	var err error
	if o.chosen, err = choose(harnesses(), f.Args()); err != nil {
		return o, err
	}
	left := 0
	for i, h := range o.chosen {
		o.chosen[i].Defects = slices.DeleteFunc(slices.Clone(h.Defects), func(d harness.Defect) bool { return !strings.Contains(d.Name, *only) })
		left += len(o.chosen[i].Defects)
	}
	if *only != "" && left == 0 {
		return o, fmt.Errorf("no defect's name holds %q", *only)
	}
	o.repo, err = findRepo()
	return o, err
}

// choose picks harnesses by name; no names are all.
func choose(all []harness.Harness, names []string) ([]harness.Harness, error) {
	if len(names) == 0 {
		return all, nil
	}
	var chosen []harness.Harness
	for _, name := range names {
		i := slices.IndexFunc(all, func(h harness.Harness) bool { return h.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no harness %q: see -list", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// findRepo is the nearest folder above with the module's file.
func findRepo() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("run it inside the source")
		}
		dir = up
	}
}

func list(all []harness.Harness, w io.Writer) error {
	for _, h := range all {
		_, err := fmt.Fprintf(w, "%-8s %s\n         proves %s; %d planted defects\n", h.Name, h.What, strings.Join(h.Proves, " "), len(h.Defects))
		if err != nil {
			return err
		}
		for _, d := range h.Defects {
			if _, err := fmt.Fprintf(w, "         - %s (%s)\n", d.Name, d.File); err != nil {
				return err
			}
		}
	}
	return nil
}
