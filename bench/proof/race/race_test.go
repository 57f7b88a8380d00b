package race

import "testing"

// TestDefectsFit: what is planted fits the source.
func TestDefectsFit(t *testing.T) {
	for _, d := range defects {
		if err := d.Check("../../.."); err != nil {
			t.Error(err)
		}
	}
}
