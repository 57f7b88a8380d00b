package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestDocumentsNameWhatExists: every command, flag and variable that the README and the handbook name is there, and
// the handbook has every flag of serve.
func TestDocumentsNameWhatExists(t *testing.T) {
	flags, commands := commandLine(t)
	others := map[string]bool{"GAGE_E2E": true, "name": true, "restart": true, "help": true} // of the tests, of Docker
	var handbook string
	for _, name := range []string{"README.md", "docs/operations.md", "docs/architecture.md"} {
		raw, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		if name == "docs/operations.md" {
			handbook = text
		}
		for _, m := range regexp.MustCompile("[ `(]--([a-z][a-z-]+)").FindAllStringSubmatch(text, -1) {
			if flags[m[1]] == nil && !others[m[1]] {
				t.Errorf("%s: there is no flag --%s", name, m[1])
			}
		}
		for _, variable := range regexp.MustCompile(`GAGE_[A-Z0-9_]*[A-Z0-9]`).FindAllString(text, -1) {
			flag := strings.ToLower(strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(variable, "GAGE_"), "_FILE"), "_", "-"))
			flagToo := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, "GAGE_"), "_", "-"))
			if flags[flag] == nil && flags[flagToo] == nil && !others[variable] {
				t.Errorf("%s: there is no variable %s", name, variable)
			}
		}
		for _, m := range regexp.MustCompile("(?:`|/|^|\n)admin ([a-z]+(?:-[a-z]+)*(?: (?:add|reset|list|disable|enable))?)").FindAllStringSubmatch(text, -1) {
			if !commands[m[1]] {
				t.Errorf("%s: there is no command admin %s", name, m[1])
			}
		}
	}
	for flag, of := range flags {
		if of["serve"] && !strings.Contains(handbook, "--"+flag) {
			t.Errorf("docs/operations.md does not tell of --%s", flag)
		}
	}
}

// commandLine is every flag with the commands that have it, and every command.
func commandLine(t *testing.T) (flags map[string]map[string]bool, commands map[string]bool) {
	t.Helper()
	parser, err := newParser(getenv(nil), io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	flags, commands = map[string]map[string]bool{}, map[string]bool{}
	err = kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		command, ok := node.(*kong.Node)
		if !ok || command.Type != kong.CommandNode {
			return next(nil)
		}
		name := command.Name
		if command.Parent.Type == kong.CommandNode {
			name = command.Parent.Name + " " + name
		}
		commands[name] = true
		for _, f := range command.Flags {
			if flags[f.Name] == nil {
				flags[f.Name] = map[string]bool{}
			}
			flags[f.Name][name] = true
		}
		return next(nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	return flags, commands
}

// TestArchitectureNamesWhatExists: every function, type, field and file that docs/architecture.md names is there.
func TestArchitectureNamesWhatExists(t *testing.T) {
	raw, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	declared := declaredNames(t)
	var seen int
	for _, m := range regexp.MustCompile("`([A-Za-z_/.]+)`").FindAllStringSubmatch(string(raw), -1) {
		name := m[1]
		if regexp.MustCompile(`^[a-z_/]+\.(go|md)$`).MatchString(name) {
			found := false
			for _, folder := range []string{"", "docs/", "web/", "cmd/admin/"} {
				_, err := os.Stat("../../" + folder + name)
				found = found || err == nil
			}
			if !found {
				t.Errorf("there is no file %s", name)
			}
			continue
		}
		last := name[strings.LastIndex(name, ".")+1:]
		if strings.ContainsAny(name, "/_") || !regexp.MustCompile(`^([A-Za-z]+\.)*([A-Z][a-z]+|[a-z]+[A-Z])[A-Za-z]*$`).MatchString(name) {
			continue // a word, a path, a command
		}
		seen++
		if !declared[last] {
			t.Errorf("nothing is called %s", name)
		}
	}
	if seen < 40 {
		t.Fatalf("only %d names found: the reading no longer fits the text", seen)
	}
}

// declaredNames are the names of all functions, methods, types, fields and constants of the module.
func declaredNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, pattern := range []string{"app/*.go", "db/*.go", "smartro/*.go", "smartro/sandbox/*.go", "web/*.go", "web/templates/*.go", "cmd/admin/*.go"} {
		files, err := filepath.Glob("../../" + pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", pattern, err)
		}
		for _, name := range files {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					names[n.Name.Name] = true
				case *ast.TypeSpec:
					names[n.Name.Name] = true
				case *ast.Field:
					for _, f := range n.Names {
						names[f.Name] = true
					}
				case *ast.ValueSpec:
					for _, v := range n.Names {
						names[v.Name] = true
					}
				}
				return true
			})
		}
	}
	return names
}
