// Package harness is what every reliability harness has in common: what one is, what it reports, and how it builds the
// product with a planted defect or with crash points that kill, without a test hook in the product's own code.
//
// Start at [Harness]; [Build] makes the binary that one runs.
package harness

import (
	"context"
	"io"
	"maps"
	"slices"
	"time"
)

// Options say how a harness runs.
type Options struct {
	For   time.Duration // how long, about; a harness finishes what it has begun
	Seed  uint64        // replays the same choices
	Work  string        // an empty folder of its own
	Repo  string        // root of the source
	Plant []Defect      // built into the product; empty: the product as it is
	First bool          // stop at the first violation: a planted defect is caught by then
	Log   io.Writer     // progress, for a person
}

// Figure is something that a run reached, such as 1000 "kills".
type Figure struct {
	Name string
	N    int64
}

// Figures lists counts by name.
func Figures(counts map[string]int64) []Figure {
	var list []Figure
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, Figure{name, counts[name]})
	}
	return list
}

// Report is what came of a run. A violation is a sentence that says what was wrong and names the seed that replays it.
type Report struct {
	Figures    []Figure
	Violations []string
	Skipped    string // why this machine can't run it; empty: it was run
}

// Defect is a mistake planted into the product, which the harness must catch: a harness that can't is no proof.
// Old stands exactly once in File; otherwise the defect is stale and counts as not caught.
type Defect struct {
	Name     string
	File     string // path in the repository, with slashes
	Old, New string
}

// Harness is one way to show that nothing is lost and nothing doubled.
type Harness struct {
	Name    string
	What    string   // one line, for a person who chooses
	Proves  []string // IDs of the failure model
	Defects []Defect
	// Run returns an error when it could not run, never because of what it found.
	Run func(ctx context.Context, o Options) (Report, error)
}
