package shop

import (
	"context"
	"path/filepath"

	"gage/bench/proof/harness"
)

// scale makes rare things frequent and long ones short, so that a harness meets them often: nothing else differs from
// the product.
var scale = []harness.Defect{
	{Name: "checkpoints come often", File: "db/writer.go", Old: "checkpointEvery = 200 ", New: "checkpointEvery = 15 "},
	{Name: "a second is a tenth of one", File: "db/writer.go", Old: "queueWait = 5 * time.Second", New: "queueWait = 500 * time.Millisecond"},
}

// Build builds the shop with what is planted and returns its program.
func Build(ctx context.Context, o harness.Options) (string, error) {
	bin := filepath.Join(o.Work, "drive")
	return bin, harness.Build(ctx, o.Repo, bin, "./bench/proof/drive", append(scale, o.Plant...)...)
}
