package fuzz

import (
	"slices"
	"testing"
)

// TestDefectsFit: what is planted fits the source.
func TestDefectsFit(t *testing.T) {
	for _, d := range defects {
		if err := d.Check("../../.."); err != nil {
			t.Error(err)
		}
	}
}

// TestPackages: the packages with fuzz targets are found, and no example of one.
func TestPackages(t *testing.T) {
	list, err := packages("../../..")
	if err != nil || !slices.Contains(list, "smartro") || !slices.Contains(list, "web") {
		t.Errorf("packages %q, %v", list, err)
	}
	for _, pkg := range list {
		if pkg == "bench/proof" {
			t.Error("a text about targets was taken for one")
		}
	}
}
