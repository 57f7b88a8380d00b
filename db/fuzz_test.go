package db_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"gage/db"
)

// FuzzDump: a backup's text is either damaged, or it holds what its last line says, and is read the same twice.
//
// proves S27
func FuzzDump(f *testing.F) {
	const head = `{"gage_dump":1,"schema":1,"created":"2026-11-23T05:00:00Z","program":"test","last_event":0}` + "\n"
	const table, row = `{"table":"counters","columns":["name","n"]}` + "\n", `["event",7]` + "\n"
	end := fmt.Sprintf(`{"totals":{"counters":{"rows":1,"sha256":"%x"}}}`+"\n", sha256.Sum256([]byte(row)))
	for _, text := range []string{head + table + row + end, head + `{"totals":{}}` + "\n", head + row, head + table + `["a",{"b":1}]` + "\n" + end, "\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, totals, err := db.CheckDump(t.Context(), bytes.NewReader(raw))
		if err != nil {
			return
		}
		if lines := int64(bytes.Count(raw, []byte("\n"))); totals.Rows() != lines-2-int64(len(totals)) {
			t.Fatalf("%d lines hold %d rows of %d tables", lines, totals.Rows(), len(totals))
		}
		again, _, err := db.CheckDump(t.Context(), bytes.NewReader(raw))
		if err != nil || again != h {
			t.Fatalf("read twice: %+v, then %+v, %v", h, again, err)
		}
		for _, other := range [][]byte{raw[:len(raw)-1], append(bytes.Clone(raw), '\n')} {
			if _, _, err := db.CheckDump(t.Context(), bytes.NewReader(other)); err == nil {
				t.Fatal("a backup that is a byte shorter or longer passes for whole")
			}
		}
	})
}
