package text_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"gage/web/text"
)

// code is what the pages' Go files say, the generated half of the templates among them.
type code struct {
	calls    []call          // of text.T and text.In
	literals map[string]bool // every string of the pages
	words    map[string]bool // every string of the pages, the shop and the protocol: what is put behind a prefix
	consts   map[string][]string
}

// call is one use of the catalogue.
type call struct {
	at             token.Position
	prefix, suffix string // of a key that is put together; a whole key is in prefix alone
	whole          bool
	forwarded      bool // the key comes in a variable, with suffix behind it
	args           int
	spread         bool
}

// readCode parses the pages, the shop's rules and the protocol.
func readCode(t *testing.T) *code {
	t.Helper()
	c := &code{literals: map[string]bool{}, words: map[string]bool{}, consts: map[string][]string{}}
	for dir, page := range map[string]bool{"..": true, "../templates": true, "../view": true, "../sheet": false, "../../app": false, "../../smartro": false} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", dir, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					if s, ok := str(n); ok {
						c.words[s] = true
						if page {
							c.literals[s] = true
						}
					}
				case *ast.ValueSpec:
					if typ, ok := n.Type.(*ast.Ident); ok && len(n.Values) == 1 {
						if s, ok := str(n.Values[0]); ok {
							c.consts[typ.Name] = append(c.consts[typ.Name], s)
						}
					}
				case *ast.CallExpr:
					if u, ok := callOf(n); ok {
						u.at = set.Position(n.Pos())
						c.calls = append(c.calls, u)
					}
				}
				return true
			})
		}
	}
	return c
}

// callOf reads text.T(ctx, key, args...) and text.In(lang, key, args...).
func callOf(n *ast.CallExpr) (call, bool) {
	sel, ok := n.Fun.(*ast.SelectorExpr)
	if !ok || len(n.Args) < 2 || (sel.Sel.Name != "T" && sel.Sel.Name != "In") {
		return call{}, false
	}
	if pkg, ok := sel.X.(*ast.Ident); !ok || pkg.Name != "text" {
		return call{}, false
	}
	u := call{args: len(n.Args) - 2, spread: n.Ellipsis.IsValid()}
	switch key := n.Args[1].(type) {
	case *ast.BasicLit:
		u.prefix, u.whole = must(str(key)), true
	case *ast.BinaryExpr:
		first := key.X
		for {
			deeper, ok := first.(*ast.BinaryExpr)
			if !ok {
				break
			}
			first = deeper.X
		}
		u.prefix, u.forwarded = "", true
		if s, ok := str(first); ok {
			u.prefix, u.forwarded = s, false
		}
		u.suffix, _ = str(key.Y)
	case *ast.CallExpr: // fmt.Sprintf("staff.reason.%d", i)
		if s, ok := str(key.Args[0]); ok {
			u.prefix, _, _ = strings.Cut(s, "%")
		}
	default:
		u.forwarded = true
	}
	return u, true
}

func must(s string, _ bool) string { return s }

func str(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// TestKeysExist: every whole key in the pages has words, and gets as many values as its words have places.
func TestKeysExist(t *testing.T) {
	c := readCode(t)
	words := text.Catalogue(text.Korean)
	var seen int
	for _, u := range c.calls {
		if !u.whole {
			continue
		}
		seen++
		s, ok := words[u.prefix]
		if !ok {
			t.Errorf("%s: %q has no words", u.at, u.prefix)
			continue
		}
		// Without any value the words go to a script, which fills the places itself.
		if places := len(verb.FindAllString(s, -1)); !u.spread && u.args != places && u.args > 0 {
			t.Errorf("%s: %q gets %d values and has %d places", u.at, u.prefix, u.args, places)
		}
	}
	if seen < 200 {
		t.Fatalf("only %d uses found: the reading no longer fits the code", seen)
	}
}

// TestKeysMadeOfWords: where a key is put together from a prefix and a word of the shop's, each such word has words.
func TestKeysMadeOfWords(t *testing.T) {
	c := readCode(t)
	for prefix, types := range map[string][]string{
		"method.":        {"Method"},
		"device.":        {"Device"},
		"hook.fault.":    {"CarryCode"},
		"hook.news.":     {"News"},
		"hook.state.":    {"DeliveryState"},
		"state.":         {"State", "OrderState", "CancelState", "BuyerStatus"},
		"staff.channel.": {"Channel"},
		"staff.event.":   {"EventKind"},
		"staff.hold.":    {"HoldReason"},
		"staff.job.":     {"JobKind"},
		"staff.own.":     {"OwnCode"},
		"staff.proof.":   {"Proof"},
		"staff.role.":    {"Role"},
		"staff.sender.":  {"SenderState"},
		"staff.verdict.": {"Verdict"},
	} {
		if !slices.ContainsFunc(c.calls, func(u call) bool { return u.prefix == prefix }) {
			t.Errorf("no page says %s…", prefix)
		}
		for _, typ := range types {
			if len(c.consts[typ]) < 2 {
				t.Errorf("no constants of type %s found", typ)
			}
			for _, word := range c.consts[typ] {
				if typ == "Proof" && word == "none" {
					continue // shown as nothing at all
				}
				if !text.Has(prefix + word) {
					t.Errorf("%s %q has no words at %s", typ, word, prefix+word)
				}
			}
		}
	}
}

// TestKeysUsed: nothing stands in the catalogue that no page says.
func TestKeysUsed(t *testing.T) {
	c := readCode(t)
	for key := range text.Catalogue(text.Korean) {
		if c.literals[key] || slices.ContainsFunc(c.calls, func(u call) bool { return u.says(key, c) }) {
			continue
		}
		t.Errorf("%s is said nowhere", key)
	}
}

var number = regexp.MustCompile(`^[0-9]+$`)

// says whether a key that is put together can come out as key.
func (u call) says(key string, c *code) bool {
	word, ok := strings.CutPrefix(key, u.prefix)
	if !ok || u.whole {
		return false
	}
	word, ok = strings.CutSuffix(word, u.suffix)
	switch {
	case !ok:
		return false
	case u.forwarded:
		return u.suffix != "" && strings.Contains(word, ".") && c.literals[word]
	}
	return c.words[word] || number.MatchString(word)
}

// TestWordsAreInTheCatalogue: no Korean stands in the pages' code but how Koreans write money, days and dates, which
// package view holds.
func TestWordsAreInTheCatalogue(t *testing.T) {
	for _, dir := range []string{"..", "../templates"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				lit, ok := n.(*ast.BasicLit)
				if ok && strings.ContainsFunc(lit.Value, func(r rune) bool { return unicode.Is(unicode.Hangul, r) }) {
					t.Errorf("%s: %s belongs into the catalogue", set.Position(n.Pos()), lit.Value)
				}
				return true
			})
		}
	}
}
