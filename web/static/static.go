// Package static holds what the browser gets as it is: styles, scripts, the font, the icons.
// Every file's address carries a digest of all of them ([URL]), so that a browser may keep it for ever and
// never mixes two releases. Start at [Handler].
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed css js vendor
var files embed.FS

// Prefix is where [Handler] is mounted.
const Prefix = "/static/"

// digest covers the names and bytes of all files: 16 hex characters.
var digest = sync.OnceValue(func() string {
	h := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(name)
		h.Write([]byte(name))
		h.Write(b)
		return err
	})
	if err != nil {
		panic(err) // the files are part of the program
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
})

// URL is the address of an embedded file, such as "css/base.css".
func URL(name string) string { return Prefix + digest() + "/" + name }

// Icon is the inside of a picked lucide icon's <svg> (24 by 24, stroked), or "" if there is none of that name.
func Icon(name string) string { return icons()[name] }

var icons = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	names, err := fs.Glob(files, "vendor/lucide/*.svg")
	if err != nil {
		panic(err) // a fixed pattern
	}
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			panic(err) // the files are part of the program
		}
		_, inside, _ := bytes.Cut(b, []byte("<svg"))
		_, inside, _ = bytes.Cut(inside, []byte(">"))
		inside, _, _ = bytes.Cut(inside, []byte("</svg>"))
		all[strings.TrimSuffix(path.Base(name), ".svg")] = strings.Join(strings.Fields(string(inside)), " ")
	}
	return all
})

// Handler serves GET /static/{digest}/{file}. The digest of this program may be kept for ever; any other one (a
// page of the release before) gets the file as it is now, to be asked for again.
func Handler() http.Handler { return handler() }

var handler = sync.OnceValue(func() http.Handler {
	packed := packer()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix), "/")
		b, err := files.ReadFile(name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Cache-Control", "no-cache")
		if got == digest() {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		if z := packed(name, b); z != nil {
			h.Set("Vary", "Accept-Encoding")
			if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
				h.Set("Content-Encoding", "gzip")
				b = z
			}
		}
		h.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(b))
	})
})

// packer gives the gzip form of a text file, made once, or nil for what is packed already.
func packer() func(name string, b []byte) []byte {
	var made sync.Map
	return func(name string, b []byte) []byte {
		switch path.Ext(name) {
		case ".css", ".js", ".svg", ".txt":
		default:
			return nil
		}
		if z, ok := made.Load(name); ok {
			return z.([]byte)
		}
		var out bytes.Buffer
		zw := gzip.NewWriter(&out)
		if _, err := zw.Write(b); err != nil {
			return nil
		}
		if err := zw.Close(); err != nil {
			return nil
		}
		made.Store(name, out.Bytes())
		return out.Bytes()
	}
}
