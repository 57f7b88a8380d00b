package restore

import "gage/bench/proof/harness"

// defects are mistakes that show only when a backup is restored.
var defects = []harness.Defect{
	{
		Name: "payments are numbered on after a restore", File: "app/epoch.go",
		Old: `no, e.Mark, attempt)`, New: `no, "", attempt)`,
	},
	{
		Name: "every restore of one backup has the same mark", File: "app/epoch.go",
		Old: `Mark: speakableText(markLen),`, New: `Mark: fmt.Sprintf("E%04d", len(all)),`,
	},
	{
		Name: "cancels go on after a restore", File: "app/epoch.go",
		Old: "	if err == nil && e.Frozen() {\n", New: "	if err == nil && e.N < 0 {\n",
	},
	{
		Name: "expiry goes on after a restore", File: "app/work.go",
		Old: "j.Kind.rests() && epoch.Frozen()", New: "j.Kind.rests() && epoch.N < 0",
	},
	{
		Name: "sessions outlive a restore", File: "app/epoch.go",
		Old: ", tx.EndAccess(ctx, now))", New: ")",
	},
	{
		Name: "a backup is not of one moment", File: "db/dump.go",
		Old: "	d := queries{q: tx, engine: s.engine}\n",
		New: "	if err := tx.Commit(); err != nil {\n\t\treturn h, nil, err\n\t}\n	d := queries{q: s.db, engine: s.engine}\n",
	},
	{
		Name: "the last rows of a table are not restored", File: "db/restore.go",
		Old: "		if err := in.flush(ctx); err != nil {\n			return err\n		}\n		known :=",
		New: "		known :=",
	},
}
