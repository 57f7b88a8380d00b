package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// The exit codes of every command.
const (
	exitOK     = 0
	exitFailed = 1 // it was asked for well, and could not be done
	exitUsage  = 2 // flags, environment or arguments are wrong: nothing was done
)

// cli is the whole command line.
type cli struct {
	Demo        demoCmd        `cmd:"" help:"Try everything at once on this machine: shop, back office and a simulated gateway, with sample data."`
	Serve       serveCmd       `cmd:"" help:"Run the shop."`
	Sandbox     sandboxCmd     `cmd:"" help:"Run the simulated gateway alone, to integrate a shop of your own with."`
	Staff       staffCmd       `cmd:"" help:"Add people, list them, reset passwords, take access away."`
	Backup      backupCmd      `cmd:"" help:"Write all records and the key into one sealed file, while the shop runs."`
	Restore     restoreCmd     `cmd:"" help:"Bring a shop back from a backup, or move it to another database."`
	RotateKey   rotateKeyCmd   `cmd:"" help:"Change the key that seals secrets and personal data; the shop must be stopped."`
	Verify      verifyCmd      `cmd:"" help:"Compare everything that is stored with the log."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
	Healthcheck healthcheckCmd `cmd:"" hidden:"" help:"Ask the shop on this machine whether it can take payments (for containers)."`
}

// world is what the commands share of the outside.
type world struct {
	stdout, stderr io.Writer
	now            func() time.Time
	ready          func(addresses)                     // told when everything listens
	ask            func(prompt string) (string, error) // asks for a secret
}

// addresses are the URLs that a command serves.
type addresses struct{ Shop, Gateway string }

// usageError is a fault of flags, environment or arguments: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exit unwinds kong's parser after it printed help.
type exit int

// run is the program: it reads args and environment, runs one command until it is done or ctx is, and returns the
// exit code. ready is called when a server answers.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer, ready func(addresses)) (code int) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(exit)
			if !ok {
				panic(r)
			}
			code = int(e)
		}
	}()
	parser, err := newParser(getenv, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "admin:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "admin: %v\nSee what there is with: admin --help\n", err)
		return exitUsage
	}
	command.BindTo(ctx, (*context.Context)(nil))
	err = command.Run(&world{stdout: stdout, stderr: stderr, now: now, ready: ready, ask: askTerminal})
	name, _, _ := strings.Cut("admin "+command.Command(), " <") // without its arguments
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "%s: %v\nSee the flags with: %s --help\n", name, err, name)
		return exitUsage
	default:
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return exitFailed
	}
}

func newParser(getenv func(string) string, stdout, stderr io.Writer) (*kong.Kong, error) {
	return kong.New(&cli{},
		kong.Name("admin"),
		kong.Description("Gage: a checkout and a back office of your own for the Smartro gateway.\n\n"+
			"New here? Start with: admin demo\n\n"+
			"Every flag may stand in the environment instead: GAGE_PUBLIC_URL for --public-url, or "+
			"GAGE_PUBLIC_URL_FILE with the name of a file that holds it. A flag wins over the environment."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 100}),
		kong.ValueFormatter(helpWithEnv),
		kong.Resolvers(environment(getenv)),
	)
}

// jsonLog is the log of commands that run unattended.
func (w *world) jsonLog() *slog.Logger { return slog.New(slog.NewJSONHandler(w.stderr, nil)) }

// textLog is the log of commands that somebody watches: only what needs attention.
func (w *world) textLog() *slog.Logger {
	return slog.New(slog.NewTextHandler(w.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
