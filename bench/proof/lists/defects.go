package lists

import "gage/bench/proof/harness"

// defects are mistakes in what goes out as a file and in what a list may change.
var defects = []harness.Defect{
	{
		Name: "a cell that begins with = is written as it is", File: "web/sheet/sheet.go",
		Old: `strings.ContainsRune("=+-@＝＋－＠"`, New: `strings.ContainsRune("+-@＝＋－＠"`,
	},
	{
		Name: "a line break in a name begins a row", File: "web/sheet/sheet.go",
		Old: "		case r == '\\t' || r == '\\r' || r == '\\n':\n			return ' '\n", New: "		case r == '\\t' || r == '\\r' || r == '\\n':\n			return r\n",
	},
	{
		Name: "a formula in a list is read", File: "web/sheet/readxlsx.go",
		Old: "				return fault(FaultFormula, row, nil)\n", New: "				return nil\n",
	},
	{
		Name: "what is packed may become as large as it likes", File: "web/sheet/readxlsx.go",
		Old: "	if r.most < 0 || r.book.left < 0 {\n", New: "	if r.book.left < -1<<40 {\n",
	},
	{
		Name: "the list's amount is not compared", File: "app/importrows.go",
		Old: "p.Approved > 0 && p.Approved == r.Amount && !anotherDeposit(p, r)", New: "p.Approved > 0 && !anotherDeposit(p, r)",
	},
	{
		Name: "a row is applied twice", File: "app/importrows.go",
		Old: "	in.EffectKey = r.backKey(p)\n	c := r.matchCancel(list, p, m)\n", New: "	c := r.matchCancel(list[:0], p, m)\n",
	},
	{
		Name: "an unknown cancel is taken for one at the gateway's site", File: "app/importrows.go",
		Old: "		case c.State.Open():\n			open = c\n", New: "		case c.State.Open():\n",
	},
	{
		Name: "looking at a list applies it", File: "app/imports.go",
		Old: "			return errOnlyLooking\n", New: "			return nil\n",
	},
	{
		Name: "what went back in all is taken for what went back now", File: "app/importrows.go",
		Old: "		r.Amount -= p.Cancelled\n", New: "",
	},
}
