package main

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"gage/bench/proof/harness"
)

// TestDefectsBuild builds each planted defect: one that the compiler refuses is caught by nobody, and its harness would say
// so only when it is asked.
func TestDefectsBuild(t *testing.T) {
	if os.Getenv("GAGE_DEFECTS") != "1" {
		t.Skip("planted defects are not built: it takes minutes; ask for it with GAGE_DEFECTS=1")
	}
	for _, h := range harnesses() {
		for _, d := range h.Defects {
			if !strings.HasSuffix(d.File, ".go") {
				continue
			}
			t.Run(h.Name+"/"+d.Name, func(t *testing.T) {
				err := harness.BuildTarget(t.Context(), filepath.Join("..", ".."), harness.Target{
					Package: "./" + path.Dir(d.File), Out: filepath.Join(t.TempDir(), "out"), Defects: []harness.Defect{d},
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
}
