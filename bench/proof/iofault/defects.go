package iofault

import "gage/bench/proof/harness"

// defects are mistakes that only a bad disk shows.
var defects = []harness.Defect{
	{
		Name: "a failed write or sync is forgotten", File: "db/writer.go",
		Old: "	if err != nil && !passing(err) {\n		w.fail(err)\n	}\n",
		New: "",
	},
	{
		Name: "SQLite moves its log by itself and says nothing when that fails", File: "db/open.go",
		Old: "&_pragma=wal_autocheckpoint(0)",
		New: "&_pragma=wal_autocheckpoint(20)",
	},
	{
		Name: "the sync of the folder is left to SQLite", File: "db/open.go",
		Old: "	if err := syncPath(filepath.Dir(path)); err != nil {\n",
		New: "	if err := error(nil); err != nil {\n",
	},
	{
		Name: "the store is closed after a failed sync", File: "db/writer.go",
		Old: "		if w.broken() != nil { // the pool can't close",
		New: "		if false { // the pool can't close",
	},
	{
		Name: "nobody looks at the commit's error", File: "db/writer.go",
		Old: "			_, err = c.ExecContext(ctx, \"COMMIT\")\n",
		New: "			_, _ = c.ExecContext(ctx, \"COMMIT\")\n",
	},
	{
		Name: "a full disk is for ever", File: "db/writer.go",
		Old: "	if err != nil && !passing(err) {\n		w.fail(err)\n",
		New: "	if err != nil {\n		w.fail(err)\n",
	},
	{
		Name: "the reserve is not given up", File: "db/writer.go",
		Old: "		if err := w.reserve.spend(); err != nil {\n",
		New: "		if err := error(nil); err != nil {\n",
	},
	{
		Name: "who waits too long is told that it is stored", File: "db/writer.go",
		Old: "			return fmt.Errorf(\"the writer is behind: %w\", app.ErrOverload)\n",
		New: "			return nil\n",
	},
	{
		Name: "callers wait for the disk without an end", File: "db/writer.go",
		Old: "	case <-late.C:\n",
		New: "	case <-(chan time.Time)(nil):\n",
	},
	{
		Name: "a full disk is answered with 500", File: "db/dialect.go",
		Old: " || lite.Code()&0xff == sqliteFull),",
		New: "),",
	},
}
