// Command shots writes a picture of every page into e2e/shots/out: go run ./e2e/shots from the repository's root.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := shoot(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "shots:", err)
		os.Exit(1)
	}
}

// shoot builds the binary, installs the browser driver and runs the script.
func shoot(ctx context.Context) error {
	folder, err := os.MkdirTemp("", "gage-shots-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	admin := filepath.Join(folder, "admin")
	for _, step := range [][]string{
		{"go", "build", "-o", admin, "../cmd/admin"},
		{"npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"},
		{"node", "shots.mjs"},
	} {
		cmd := exec.CommandContext(ctx, step[0], step[1:]...)
		cmd.Dir = "e2e"
		cmd.Env = append(os.Environ(), "GAGE_ADMIN="+admin)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%v: %w", step, err)
		}
	}
	return nil
}
