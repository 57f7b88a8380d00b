package bench

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"

	"gage/app"
	"gage/smartro"
	"gage/web/sheet"
)

// BenchmarkExportMemory writes a workbook of all payments, ten thousand, forty thousand and then a hundred thousand, and
// measures the most that the heap held on the way, as a ratio. Excelize keeps 16 MB of a sheet before it goes on in a file: the
// smallest is below that, and from there on the file grows with the shop and the memory does not.
func BenchmarkExportMemory(b *testing.B) {
	s := newShop(b)
	base := uint64(0)
	for _, size := range []int{10_000, 40_000, 100_000} {
		s.fill(b, size)
		most := s.exportAll(b, size)
		if base == 0 {
			base = most
		}
		b.ReportMetric(float64(most)/float64(base), fmt.Sprintf("times/heap@%d", size))
		fmt.Fprintf(os.Stderr, "%9d rows, heap at most %.1f MB, %.2f times\n", size, float64(most)/1e6, float64(most)/float64(base))
	}
}

// exportAll writes all payments and returns the most that was live after a collection on the way.
func (s *shop) exportAll(b *testing.B, size int) (most uint64) {
	b.Helper()
	scratch := sheet.Scratch(b.TempDir())
	out, err := scratch.File()
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	columns := make([]sheet.Column, 8)
	for i := range columns {
		columns[i] = sheet.Column{Title: fmt.Sprint("column ", i), Width: 20}
	}
	x, err := sheet.NewXLSX(scratch, "payments", []string{"payments"}, columns)
	if err != nil {
		b.Fatal(err)
	}
	in := app.ExportInput{Filter: app.Filter{Mode: smartro.Test}, Why: app.Why{Reason: app.ReasonBooks}, Format: "xlsx"}
	rows := 0
	look := func() {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
	}
	_, err = s.Export(b.Context(), owner, in, func(r app.PaymentRow) error {
		if rows++; rows%2_500 == 0 {
			look()
		}
		return x.Row(r.OpenedAt, string(r.OrderNo), string(r.TID), r.BuyerName, r.BuyerTel, int64(r.Approved), int64(r.Cancelled), string(r.State))
	}, func(app.Sums) error {
		_, err := x.WriteTo(&watched{out, look, 0})
		return errors.Join(err, x.Close())
	})
	if err != nil || rows != size {
		b.Fatalf("%d rows, want %d: %v", rows, size, err)
	}
	return most
}

// watched looks at the heap once a megabyte.
type watched struct {
	io.Writer
	look    func()
	written int
}

func (w *watched) Write(p []byte) (int, error) {
	if before := w.written; before == 0 || before>>20 != (before+len(p))>>20 {
		w.look()
	}
	w.written += len(p)
	return w.Writer.Write(p)
}
