package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayReadClock are the files in which a clock begins: everything else is given one, so that tests and the rules about
// clocks that step reach all of it.
var mayReadClock = []string{
	"cmd/admin/now.go",           // the program's own
	"cmd/admin/now_movable.go",   // the browser tests', which can be moved
	"db/open.go",                 // where the caller gives none
	"smartro/sandbox/gateway.go", // likewise
}

// readsClock are the functions of package time that look at the system's clock, or wait where a test could not end it.
var readsClock = []string{"Now", "Since", "Until", "After", "Sleep", "Tick"}

// TestOneClock fails where the program looks at the system's clock by itself. The harnesses are no part of the program.
//
// proves R26
func TestOneClock(t *testing.T) {
	root := filepath.Join("..", "..")
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() && (name == "bench" || name == "e2e" || name == "db/dbtest" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && name != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains(readsClock, s.Sel.Name) {
				if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "time" {
					found = append(found, name)
					if !slices.Contains(mayReadClock, name) {
						t.Errorf("%s: time.%s: take the clock that is given", set.Position(s.Pos()), s.Sel.Name)
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range mayReadClock {
		if !slices.Contains(found, name) {
			t.Errorf("%s reads no clock: take it off the list", name)
		}
	}
}
