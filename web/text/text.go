// Package text holds every sentence that a person reads, in Korean and in English, and the language of a request.
// Keys are "area.name"; a sentence may hold fmt verbs. Start at [T].
package text

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

//go:embed *.json
var files embed.FS

// Lang is a language that the pages speak.
type Lang string

// The languages, the first one being the default.
const (
	Korean  Lang = "ko"
	English Lang = "en"
)

// Langs lists them, the default first.
func Langs() []Lang { return []Lang{Korean, English} }

// Parse reads exactly "ko" or "en".
func Parse(s string) (Lang, bool) {
	for _, l := range Langs() {
		if s == string(l) {
			return l, true
		}
	}
	return Korean, false
}

// Match chooses the language for an Accept-Language header. A header that names neither language gets Korean
// only when it is empty or unreadable: whoever asks for a third language reads English sooner.
func Match(accept string) Lang {
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(tags) == 0 {
		return Korean
	}
	matcher := language.NewMatcher([]language.Tag{language.Korean, language.English})
	_, i, confidence := matcher.Match(tags...)
	if confidence == language.No {
		return English
	}
	return Langs()[i]
}

type ctxKey struct{}

// With puts the language into a request's context.
func With(ctx context.Context, l Lang) context.Context { return context.WithValue(ctx, ctxKey{}, l) }

// Of is the context's language, Korean when none was put in.
func Of(ctx context.Context) Lang {
	if l, ok := ctx.Value(ctxKey{}).(Lang); ok {
		return l
	}
	return Korean
}

// T is the sentence for key in the context's language. A key that is not there shows itself.
func T(ctx context.Context, key string, args ...any) string { return In(Of(ctx), key, args...) }

// In is the sentence for key in l.
func In(l Lang, key string, args ...any) string {
	s, ok := Catalogue(l)[key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return s
	}
	return fmt.Sprintf(s, args...)
}

// Has says whether there is a sentence for key.
func Has(key string) bool {
	_, ok := Catalogue(Korean)[key]
	return ok
}

// Catalogue is everything in l by key. It is shared: don't change it.
func Catalogue(l Lang) map[string]string { return catalogues()[l] }

// catalogues reads area.lang.json once. A fault in them is a fault in the program.
var catalogues = sync.OnceValue(func() map[Lang]map[string]string {
	all := map[Lang]map[string]string{}
	for _, l := range Langs() {
		all[l] = map[string]string{}
	}
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		parts := strings.Split(name, ".")
		l, ok := Parse(parts[len(parts)-2])
		if !ok {
			panic("text: no language in " + name)
		}
		b, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		one := map[string]string{}
		if err := json.Unmarshal(b, &one); err != nil {
			panic(fmt.Errorf("text: %s: %w", name, err))
		}
		for k, v := range one {
			if _, twice := all[l][k]; twice {
				panic("text: twice " + k + " in " + name)
			}
			all[l][k] = v
		}
	}
	return all
})
