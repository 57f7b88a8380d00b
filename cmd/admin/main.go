// Command admin is Gage: the shop's checkout and back office, the simulated gateway, and a demo of both.
//
// Start at run: it reads flags and environment, picks the command, and returns the exit code. Each command is a
// struct of its flags with a Run method; house.go wires the shop, server.go starts and stops.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr, func(addresses) {}))
}
