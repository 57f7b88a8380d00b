package web

import (
	"time"

	"gage/app"
)

// Declared is a line of the table of routes, for the tests that go through all of them.
type Declared struct {
	Method, Path string
	Right        app.Right
	Authority    string
}

// Routes is the table.
func (s *Server) Routes() []Declared {
	var list []Declared
	for _, r := range s.routes() {
		list = append(list, Declared{r.method, r.path, r.right, string(r.authority)})
	}
	return list
}

// Mounted is what the router answers to, by "METHOD path".
func (s *Server) Mounted() []string {
	var list []string
	for _, r := range s.echo.Routes() {
		list = append(list, r.Method+" "+r.Path)
	}
	return list
}

// How long a session lives.
const (
	SessionIdle time.Duration = sessionIdle
	SessionMax  time.Duration = sessionMax
)

// RoomSize is how many requests a room answers at the same time, and how many more wait.
func RoomSize(name string) (running, waiting int) {
	n := rooms()[roomName(name)]
	return n.running, n.waiting
}
