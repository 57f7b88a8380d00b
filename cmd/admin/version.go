package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"gage/smartro"
)

type versionCmd struct{}

// Help shows examples.
func (versionCmd) Help() string { return "Example:\n\n  admin version" }

// Run prints one line: what was built, from which revision, with which Go.
func (versionCmd) Run(w *world) error {
	_, err := fmt.Fprintf(w.stdout, "gage %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// version is the module's version, else the revision that the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	v := "devel"
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v += "-" + s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			v += "-modified"
		}
	}
	return v
}

type healthcheckCmd struct {
	Listen string `default:"127.0.0.1:8080" placeholder:"ADDR" help:"Where the shop listens. Default: ${default}."`
}

// Help shows examples.
func (healthcheckCmd) Help() string {
	return "Ends with 0 when the shop can store payments, else with 1.\n\nExample:\n\n  admin healthcheck --listen 127.0.0.1:8080"
}

// Run asks /readyz on this machine, whatever address the shop listens on.
func (c healthcheckCmd) Run(ctx context.Context, w *world) error {
	var f faults
	f.listen("listen", c.Listen)
	if err := f.err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+localAddress(c.Listen)+"/readyz", nil)
	if err != nil {
		return err
	}
	client := smartro.NewHTTPClient()
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the shop is not ready: HTTP %d (its log says why)", resp.StatusCode)
	}
	_, err = fmt.Fprintln(w.stdout, "ready")
	return err
}
