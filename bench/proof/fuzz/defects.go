package fuzz

import "gage/bench/proof/harness"

// defects are mistakes in reading what strangers send, each on inputs that nobody writes by hand.
var defects = []harness.Defect{
	{
		Name: "an amount that is too long wraps around", File: "smartro/ids.go",
		Old: "	if s == \"\" || len(s) > 12 || strings.Trim(s, \"0123456789\") != \"\" {\n		return 0, &FieldError{Field: \"Amt\", Value: s, Want: \"1 to 12 digits\"}\n	}\n	n, err := strconv.ParseInt(s, 10, 64)\n",
		New: "	if s == \"\" || strings.Trim(s, \"0123456789\") != \"\" {\n		return 0, &FieldError{Field: \"Amt\", Value: s, Want: \"1 to 12 digits\"}\n	}\n	n, err := strconv.ParseInt(s[max(0, len(s)-18):], 10, 64)\n",
	},
	{
		Name: "a decisive field may come twice in two spellings", File: "smartro/names.go",
		Old: "		count[name]++\n", New: "		count[alias(f.Name)]++\n",
	},
	{
		Name: "an escape that is cut off at the end is read beyond it", File: "smartro/form.go",
		Old: "return i+2 < len(s) && isHex", New: "return i+1 < len(s) && isHex",
	},
	{
		Name: "an answer that could not be read is half believed", File: "smartro/cancelcall.go",
		Old: "	if v.err != nil {\n		return CancelAnswer{}, v.err\n	}\n	a.Fields", New: "	if v.err != nil {\n		return a, v.err\n	}\n	a.Fields",
	},
	{
		Name: "a row before the first table is taken", File: "db/dump.go",
		Old: "		if line[0] == '[' && name != \"\" {", New: "		if line[0] == '[' {",
	},
	{
		Name: "what stands behind a backup's end is not looked at", File: "db/dump.go",
		Old: "	if _, err := d.r.ReadByte(); !errors.Is(err, io.EOF) {\n		return errors.Join(err, ErrDumpDamaged)\n	}\n", New: "",
	},
	{
		Name: "a number of any length is an amount in the search box", File: "app/readsearch.go",
		Old: "	if len(digits) > 12 ||", New: "	if len(digits) > 25 ||",
	},
	{
		Name: "the word that refuses a notice has OK within it", File: "web/gateway.go",
		Old: "refused: not readable as a notice; ", New: "refused: look at what you send; ",
	},
}
