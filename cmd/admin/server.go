package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// grace is how long accepted requests may take to finish after a stop was asked for.
const grace = 8 * time.Second

// listen opens addr, and says what to do when it is taken.
func listen(ctx context.Context, flag, addr string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another program (another admin, perhaps?): stop that one, or choose another address with --%s, such as --%s 127.0.0.1:0 for any free one", addr, flag, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("listening on %s is not allowed: ports below 1024 need privileges; choose another with --%s", addr, flag)
	case err != nil:
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	return ln, nil
}

// siteOf is the URL of what listens on ln.
func siteOf(ln net.Listener) string { return "http://" + ln.Addr().String() }

// serveHTTP answers on ln until ctx is done; then it takes no more, lets accepted requests finish, and ends event
// streams at once.
func serveHTTP(ctx context.Context, ln net.Listener, h http.Handler, log *slog.Logger) error {
	streams, endStreams := context.WithCancel(context.WithoutCancel(ctx))
	defer endStreams()
	srv := newServer(endingStreams(streams, h), log)
	srv.BaseContext = func(net.Listener) context.Context { return context.WithoutCancel(ctx) }
	srv.RegisterOnShutdown(endStreams)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := srv.Shutdown(patience)
	if err != nil {
		log.Warn("some requests did not finish in time", "after", grace)
		err = srv.Close()
	}
	<-served
	return err
}

// newServer gives slow clients an end at every step: headers, body, answer, and between two requests.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// endingStreams ends event streams, which would never finish, when streams is done. Every other request keeps its
// context and runs to its end.
func endingStreams(streams context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			next.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(streams, cancel)()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// part is something that runs until its context is done.
type part func(ctx context.Context) error

// runParts runs all parts until ctx is done or one of them fails. Then it stops them one after the other, the last
// one first: what others stand on goes last.
func runParts(ctx context.Context, parts ...part) error {
	type running struct {
		stop context.CancelFunc
		done chan error
	}
	ended := make(chan struct{}, len(parts))
	all := make([]running, len(parts))
	for i, p := range parts {
		own, stop := context.WithCancel(context.WithoutCancel(ctx))
		all[i] = running{stop, make(chan error, 1)}
		go func() {
			all[i].done <- p(own)
			ended <- struct{}{}
		}()
	}
	select {
	case <-ctx.Done():
	case <-ended:
	}
	var errs []error
	for i := len(all) - 1; i >= 0; i-- {
		all[i].stop()
		if err := <-all[i].done; err != nil && !errors.Is(err, context.Canceled) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
