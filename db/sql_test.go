package db_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sqlWords is what only a query says.
var sqlWords = regexp.MustCompile(`\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|WHERE|ORDER BY|VALUES|FROM|SET|AND|IN) |\$[0-9]`)

// sqlParts are what a query may be put together of, besides words in the source and names of the package: the places of
// parameters, and names of tables and columns, which are quoted where they come from a catalogue.
var sqlParts = map[string]string{
	"keyOf(_)": "a column's name", "dollars(_)": "$1, $2", "quote(_)": "a name, quoted", "quoted(_)": "names, quoted",
	"strings.ReplaceAll(_)": "of a constant", "strconv.Itoa(_)": "a number",
}

// sqlNames are names of tables and columns that come from lists in the source, by file.
var sqlNames = map[string]string{
	"accounts.go: at":                        "of the lists in the source",
	"dump.go: strings.Join(t.order, \", \")": "the columns of a table of the catalogue",
	"events.go: what.columns":                "of the records in the source",
	"events.go: what.key":                    "of the records in the source",
	"events.go: k.table":                     "a key of the records in the source: another one has no columns to read",
	"open.go: setting":                       "of the list of PostgreSQL's settings beside it",
	"orders.go: column":                      "what keyOf and in are called with: see columnCalls",
	"reseal.go: c.column":                    "of what the ring seals, in the source",
	"reseal.go: c.key":                       "of what the ring seals, in the source",
	"reseal.go: c.table":                     "of what the ring seals, in the source",
	"search.go: at":                          "of the clocks in the source, by when, or what between is called with: see columnCalls",
	"search.go: back":                        "of the clocks in the source, by when",
	"verify.go: table":                       "of the records in the source",
	"verify.go: key":                         "of the records in the source",
	"verifyrest.go: o.ref":                   "of what owes a job, in the source",
	"verifyrest.go: o.table":                 "of what owes a job, in the source",
	"verifyrest.go: o.where":                 "of what owes a job, in the source",
	"verifyrest.go: s.key":                   "of what is sealed, in the source",
	"verifyrest.go: s.table":                 "of what is sealed, in the source",
	"verifyrest.go: s.where":                 "of what is sealed, in the source",
}

// columnCalls are the functions that take a column's name: only words of the source may be given to them.
var columnCalls = map[string]bool{"keyOf": true, "b.in": true, "b.between": true}

// TestSQLIsConstant reads every place where a query is put together: nothing that came from outside can be in its text.
//
// proves S11
func TestSQLIsConstant(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var parsed []*ast.File
	ours := map[string]bool{} // constants and variables of the package
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				for _, s := range g.Specs {
					if v, ok := s.(*ast.ValueSpec); ok {
						for _, id := range v.Names {
							ours[id.Name] = true
						}
					}
				}
			}
		}
	}
	queries, used := 0, map[string]bool{}
	for _, file := range parsed {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			local := map[string]bool{} // constants of the function, and what it takes from lists that it has itself
			if ok && f.Body != nil {
				ast.Inspect(f.Body, func(n ast.Node) bool { constants(n, local); return true })
			}
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if columnCalls[types.ExprString(n.Fun)] {
						for _, part := range operands(n.Args[0]) {
							if !constantPart(part, ours, local) {
								t.Errorf("%s: a column's name from %s", set.Position(n.Pos()), types.ExprString(part))
							}
						}
					}
					if name := types.ExprString(n.Fun); strings.HasPrefix(name, "fmt.Sprint") && len(n.Args) > 0 && isSQL(n.Args[0]) && !onlyPlaces(n.Args) {
						t.Errorf("%s: a query by %s", set.Position(n.Pos()), name)
					}
				case *ast.BinaryExpr:
					if n.Op != token.ADD || !isSQL(n) {
						return true
					}
					queries++
					for _, part := range operands(n) {
						what := types.ExprString(part)
						name := filepath.Base(set.Position(part.Pos()).Filename) + ": " + what
						if sqlNames[name] != "" {
							used[name] = true
						} else if !constantPart(part, ours, local) {
							t.Errorf("%s: %s is put into a query", set.Position(part.Pos()), what)
						}
					}
					return false
				}
				return true
			})
		}
	}
	for name := range sqlNames {
		if !used[name] {
			t.Errorf("%s is not there any more: take its line away", name)
		}
	}
	if queries < 20 {
		t.Errorf("only %d queries were looked at", queries)
	}
}

// constants notes constants, and variables that only ever get words of the source.
func constants(n ast.Node, local map[string]bool) {
	switch n := n.(type) {
	case *ast.ValueSpec:
		for _, id := range n.Names {
			local[id.Name] = len(n.Values) > 0 && isLiteral(n.Values...)
		}
	case *ast.AssignStmt:
		for i, left := range n.Lhs {
			if id, ok := left.(*ast.Ident); ok {
				was, seen := local[id.Name]
				local[id.Name] = (!seen || was) && i < len(n.Rhs) && isLiteral(n.Rhs[i])
			}
		}
	case *ast.RangeStmt:
		if list, ok := n.X.(*ast.CompositeLit); ok && isLiteral(list.Elts...) {
			if id, ok := n.Value.(*ast.Ident); ok {
				local[id.Name] = true
			}
		}
	}
}

func isLiteral(list ...ast.Expr) bool {
	for _, e := range list {
		if b, ok := e.(*ast.BasicLit); !ok || b.Kind != token.STRING {
			return false
		}
	}
	return true
}

func operands(e ast.Expr) []ast.Expr {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return append(operands(e.X), operands(e.Y)...)
	case *ast.ParenExpr:
		return operands(e.X)
	}
	return []ast.Expr{e}
}

func isSQL(e ast.Expr) bool {
	for _, part := range operands(e) {
		if b, ok := part.(*ast.BasicLit); ok && b.Kind == token.STRING && sqlWords.MatchString(b.Value) {
			return true
		}
	}
	return false
}

// onlyPlaces says whether a format only numbers its parameters.
func onlyPlaces(args []ast.Expr) bool {
	format, ok := args[0].(*ast.BasicLit)
	return ok && !strings.Contains(strings.ReplaceAll(format.Value, "%d", ""), "%")
}

func constantPart(e ast.Expr, ours, local map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		if known, here := local[e.Name]; here {
			return known
		}
		return ours[e.Name]
	case *ast.CallExpr:
		return sqlParts[types.ExprString(e.Fun)+"(_)"] != ""
	}
	return false
}
