package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A tag is a comment line that begins with it, directly above a test: // proves R12, I3 or // proves R12: what it shows
var (
	tagLine = regexp.MustCompile(`^proves ([IERS][0-9]+(?:,? [IERS][0-9]+)*)(?:: .*)?$`)
	tagLike = regexp.MustCompile(`(?i)\bproves?:? [IERS][0-9]+\b`)
)

// idsOf reads the list of a tag: commas or spaces between them.
func idsOf(list string) []string { return strings.Fields(strings.ReplaceAll(list, ",", " ")) }

// scan finds the tags of all tests. faults are tags that count for nothing, and why.
func scan(repo string) (proofs []proof, faults []string, err error) {
	err = filepath.WalkDir(repo, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(repo, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && skipped(name, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		var p []proof
		var f []string
		switch {
		case strings.HasSuffix(rel, "_test.go"):
			p, f, err = scanGo(name, rel)
		case strings.HasPrefix(rel, "e2e/") && strings.HasSuffix(rel, ".mjs"):
			p, f, err = scanBrowser(name, rel)
		}
		proofs, faults = append(proofs, p...), append(faults, f...)
		return err
	})
	return proofs, faults, err
}

// skipped are folders that `go test ./...` does not test either.
func skipped(dir, base string) bool {
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "node_modules" || base == "vendor" {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// scanGo reads the tags above the tests of a file. A tag elsewhere, above a test that never runs, or within a sentence
// is a fault: its writer thinks that it counts.
func scanGo(name, rel string) (proofs []proof, faults []string, err error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	fault := func(pos token.Pos, why string) {
		faults = append(faults, fmt.Sprintf("%s:%d: %s", rel, set.Position(pos).Line, why))
	}
	builds, err := matches(name)
	if err != nil {
		return nil, nil, err
	}
	above := map[*ast.CommentGroup]*ast.FuncDecl{}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Doc != nil {
			above[f.Doc] = f
		}
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			text := strings.TrimSpace(strings.TrimPrefix(c.Text, "//"))
			m := tagLine.FindStringSubmatch(text)
			f := above[group]
			switch {
			case m == nil && tagLike.MatchString(text):
				fault(c.Pos(), "a tag inside a sentence counts for nothing: let a line begin with it, // proves R12, I3")
			case m == nil:
			case f == nil || !isTest(f):
				fault(c.Pos(), "this tag is not directly above a test")
			case !builds:
				fault(c.Pos(), "this file's build constraint leaves it out")
			case neverRuns(f):
				fault(c.Pos(), f.Name.Name+" does nothing, or skips itself always")
			default:
				proofs = append(proofs, proof{path.Dir(rel) + ": " + f.Name.Name, idsOf(m[1])})
			}
		}
	}
	return proofs, faults, nil
}

// matches says whether the file is built on Linux, where CI runs, with or without the race detector.
func matches(name string) (bool, error) {
	for _, tags := range [][]string{nil, {"race"}} {
		ctx := build.Default
		ctx.GOOS, ctx.BuildTags = "linux", tags
		ok, err := ctx.MatchFile(filepath.Dir(name), filepath.Base(name))
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

var testName = regexp.MustCompile(`^(Test|Fuzz)($|[^a-z])`)

func isTest(f *ast.FuncDecl) bool {
	return f.Recv == nil && testName.MatchString(f.Name.Name) && f.Name.Name != "TestMain" && len(f.Type.Params.List) == 1
}

// neverRuns sees a test that is empty or whose first statement skips it.
func neverRuns(f *ast.FuncDecl) bool {
	if f.Body == nil || len(f.Body.List) == 0 {
		return true
	}
	call, ok := f.Body.List[0].(*ast.ExprStmt)
	if !ok {
		return false
	}
	c, ok := call.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := c.Fun.(*ast.SelectorExpr)
	return ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name)
}

var browserTest = regexp.MustCompile(`^\s*(?:await )?(?:test|it)\(\s*["'` + "`" + `](.+?)["'` + "`" + `]`)

// scanBrowser reads the tags above the tests of a browser test file.
func scanBrowser(name, rel string) (proofs []proof, faults []string, err error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	var pending []string
	at := 0
	for i, line := range strings.Split(string(raw), "\n") {
		text, comment := strings.CutPrefix(strings.TrimSpace(line), "//")
		if comment {
			text = strings.TrimSpace(text)
			if m := tagLine.FindStringSubmatch(text); m != nil {
				pending, at = append(pending, idsOf(m[1])...), i+1
			} else if tagLike.MatchString(text) {
				faults = append(faults, fmt.Sprintf("%s:%d: a tag inside a sentence counts for nothing: let a line begin with it, // proves R12, I3", rel, i+1))
			}
			continue
		}
		if len(pending) == 0 {
			continue
		}
		m := browserTest.FindStringSubmatch(line)
		switch {
		case m == nil:
			faults = append(faults, fmt.Sprintf("%s:%d: this tag is not directly above a test", rel, at))
		case path.Dir(rel) != "e2e/tests" || !strings.HasSuffix(rel, ".test.mjs"):
			faults = append(faults, fmt.Sprintf("%s:%d: only e2e/tests/*.test.mjs are run", rel, at))
		default:
			proofs = append(proofs, proof{"browser: " + m[1], pending})
		}
		pending = nil
	}
	if len(pending) > 0 {
		faults = append(faults, fmt.Sprintf("%s:%d: this tag is not directly above a test", rel, at))
	}
	return proofs, faults, nil
}
