// Package cut is the harness CUT: it cuts the power under a shop that is at work, at any operation of its disk, leaves
// any part of what was not synced (dropped, torn at sectors, reordered), opens what is left and looks for what was
// acknowledged.
//
// One life of the shop is recorded operation by operation; each cut is made from the recording, so that thousands are
// cheap. The next life begins on what a cut left, and so recovery itself is cut too.
package cut

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gage/bench/proof/faultfs"
	"gage/bench/proof/harness"
	"gage/bench/proof/shop"
)

// Harness cuts the power.
func Harness() harness.Harness {
	return harness.Harness{
		Name:    "cut",
		What:    "power cuts at any disk operation; what was not synced is dropped, torn or reordered",
		Proves:  []string{"R1", "R3", "R21", "I1", "I5"},
		Defects: defects,
		Run:     run,
	}
}

// Sizes of a run.
const (
	lives      = 8    // of a shop, each on what a cut left of the one before
	cutsInLife = 24   // images made of one recording
	opsMost    = 2500 // disk operations of a life
)

func run(ctx context.Context, o harness.Options) (harness.Report, error) {
	bin, err := shop.Build(ctx, o)
	if err != nil {
		return harness.Report{}, err
	}
	j, err := shop.StartJudge(ctx, bin)
	if err != nil {
		return harness.Report{}, err
	}
	defer j.Stop()
	r := &runner{Options: o, bin: bin, judge: j}
	until := time.Now().Add(o.For)
	for n := uint64(0); n == 0 || time.Now().Before(until); n++ {
		err := r.shop(ctx, o.Seed+n, until)
		if errors.Is(err, faultfs.ErrNoFUSE) {
			return harness.Report{Skipped: err.Error()}, nil
		}
		if err != nil {
			return harness.Report{}, err
		}
		fmt.Fprintf(o.Log, "cut: %d cuts, %d violations\n", r.cuts, len(r.violations))
		if len(r.violations) > 0 && o.First {
			break
		}
	}
	return harness.Report{
		Figures: []harness.Figure{
			{Name: "power cuts", N: r.cuts}, {Name: "lives of a shop", N: r.lives}, {Name: "disk operations", N: r.ops},
			{Name: "acknowledgements looked for", N: r.acks},
		},
		Violations: r.violations,
	}, nil
}

// runner is one run of the harness.
type runner struct {
	harness.Options
	bin                    string
	judge                  *shop.Judge
	cuts, lives, ops, acks int64
	violations             []string
}

// shop is one shop from its first start on an empty disk through some power cuts.
func (r *runner) shop(ctx context.Context, seed uint64, until time.Time) error {
	rnd := rand.New(rand.NewPCG(seed, 0))
	disk := faultfs.NewDisk()
	var acks []string
	for life := 0; life < lives && (life == 0 || time.Now().Before(until)); life++ {
		rec, err := r.live(ctx, disk, seed*lives+uint64(life), rnd)
		if err != nil {
			return err
		}
		r.lives++
		r.ops += int64(rec.Len())
		var left *faultfs.Disk
		var leftAcks []string
		goesOn := rnd.IntN(cutsInLife)
		i := 0
		err = rec.Images(rnd, cutsInLife, func(img faultfs.Image) error {
			said := append(slices.Clip(acks), img.Acks...)
			folder := filepath.Join(r.Work, "left")
			if err := errors.Join(os.RemoveAll(folder), os.Mkdir(folder, 0o700), img.Write(folder)); err != nil {
				return err
			}
			if i++; i == goesOn+1 {
				var err error
				if left, err = faultfs.Load(folder); err != nil {
					return err
				}
				leftAcks = said
			}
			return r.look(folder, said, fmt.Sprintf("seed %d, life %d, cut before operation %d of %d, %s left of what was not synced", seed, life, img.At, rec.Len(), img.How))
		})
		if err != nil {
			return err
		}
		if len(r.violations) > 0 && r.First {
			return nil
		}
		disk, acks = left, leftAcks
	}
	return nil
}

// live runs the shop on the disk until the power goes, or until it has closed.
func (r *runner) live(ctx context.Context, disk *faultfs.Disk, seed uint64, rnd *rand.Rand) (_ *faultfs.Recording, err error) {
	folder := filepath.Join(r.Work, "mounted")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	m, err := faultfs.Mount(disk, folder)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	hands, rounds := 1, 0
	if rnd.IntN(2) == 0 {
		hands = 2 + rnd.IntN(8) // they share commits
	}
	if rnd.IntN(4) == 0 {
		rounds = 1 + rnd.IntN(20) // and then it closes
	}
	ops := 50 + rnd.IntN(opsMost)
	p, err := shop.Start(ctx, r.bin, shop.Work{Folder: folder, Seed: seed, Hands: hands, Rounds: rounds})
	if err != nil {
		return nil, err
	}
	disk.WaitLen(ops, p.Ended)
	select {
	case <-p.Ended:
		if code := p.End(); code != shop.ExitDone {
			return nil, fmt.Errorf("the shop ended by itself with %d: %s", code, p.Said())
		}
	default:
	}
	rec := disk.Cut()
	p.End()
	return rec, nil
}

// look has the judge open what is left.
func (r *runner) look(folder string, acks []string, what string) error {
	verdict, err := r.judge.Ask(folder, acks)
	if err != nil {
		return err
	}
	r.cuts++
	r.acks += int64(len(acks))
	if verdict != shop.Well {
		r.violations = append(r.violations, what+": "+verdict)
	}
	return nil
}
