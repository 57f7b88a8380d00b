package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"gage/bench/proof/harness"
)

// runAll runs the chosen harnesses, one after the other. ok: none found a violation.
func (o order) runAll(ctx context.Context) (ok bool, err error) {
	ok = true
	for _, h := range o.chosen {
		span := o.span
		if o.slice {
			span = sliceFor
		}
		began := time.Now()
		report, err := o.runOne(ctx, h, harness.Options{For: span})
		if err != nil {
			return false, fmt.Errorf("%s: %w", h.Name, err)
		}
		if report.Skipped != "" {
			fmt.Fprintf(o.stdout, "%s: SKIPPED: %s\n", h.Name, report.Skipped)
			continue
		}
		took := time.Since(began).Round(time.Second)
		fmt.Fprintf(o.stdout, "%s: %s in %v, seed %d: %d violations\n", h.Name, figures(report), took, o.seed, len(report.Violations))
		for _, v := range report.Violations {
			fmt.Fprintln(o.stdout, "  VIOLATION", v)
			ok = false
		}
		if o.slice {
			continue
		}
		row := []string{
			time.Now().UTC().Format(time.DateOnly), h.Name, took.String(), fmt.Sprint(o.seed), commit(ctx, o.repo), figures(report),
			fmt.Sprint(len(report.Violations)),
		}
		if err := record(o.repo, runsSection, row); err != nil {
			return false, err
		}
	}
	return ok, nil
}

// plantAll plants every defect of the chosen harnesses in turn. ok: each was caught. A harness that complains of the code as
// it is would catch anything: it runs without a defect first.
func (o order) plantAll(ctx context.Context) (ok bool, err error) {
	ok = true
	for _, h := range o.chosen {
		if report, err := o.runOne(ctx, h, harness.Options{For: defectFor, First: true}); err != nil {
			return false, fmt.Errorf("%s without a defect: %w", h.Name, err)
		} else if len(report.Violations) > 0 {
			fmt.Fprintf(o.stdout, "%s: complains without a defect: %s\n", h.Name, report.Violations[0])
			ok = false
			continue
		}
		for _, d := range h.Defects {
			began := time.Now()
			report, err := o.runOne(ctx, h, harness.Options{For: defectFor, Plant: []harness.Defect{d}, First: true})
			if err != nil {
				return false, fmt.Errorf("%s with %q: %w", h.Name, d.Name, err)
			}
			if report.Skipped != "" {
				fmt.Fprintf(o.stdout, "%s: SKIPPED: %s: %s\n", h.Name, d.Name, report.Skipped)
				continue
			}
			took := time.Since(began).Round(time.Second)
			if len(report.Violations) == 0 {
				fmt.Fprintf(o.stdout, "%s: NOT CAUGHT in %v: %s\n", h.Name, took, d.Name)
				ok = false
				continue
			}
			fmt.Fprintf(o.stdout, "%s: caught in %v: %s\n  by: %s\n", h.Name, took, d.Name, report.Violations[0])
			if !o.record {
				continue
			}
			row := []string{time.Now().UTC().Format(time.DateOnly), h.Name, d.Name, took.String(), commit(ctx, o.repo)}
			if err := record(o.repo, defectsSection, row); err != nil {
				return false, err
			}
		}
	}
	return ok, nil
}

// runOne gives a harness a folder of its own, which goes when it is done.
func (o order) runOne(ctx context.Context, h harness.Harness, opts harness.Options) (report harness.Report, err error) {
	if opts.Work, err = os.MkdirTemp("", "gage-"+h.Name+"-"); err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(opts.Work)) }()
	opts.Seed, opts.Repo, opts.Log = o.seed, o.repo, o.stderr
	return h.Run(ctx, opts)
}

func figures(r harness.Report) string {
	parts := make([]string, len(r.Figures))
	for i, f := range r.Figures {
		parts[i] = fmt.Sprintf("%d %s", f.N, f.Name)
	}
	return strings.Join(parts, ", ")
}

// commit names the source that was run; a plus says that it had been changed since.
func commit(ctx context.Context, repo string) string {
	git := func(args ...string) string {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = repo
		out, err := cmd.Output()
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(out))
	}
	id := git("rev-parse", "--short=10", "HEAD")
	if id == "" {
		return "unknown"
	}
	if git("status", "--porcelain", "--untracked-files=no", "--", ":!"+recordFile) != "" {
		id += "+"
	}
	return id
}
