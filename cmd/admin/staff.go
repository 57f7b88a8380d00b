package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"gage/app"
)

type staffCmd struct {
	Add     staffAddCmd     `cmd:"" help:"Make a link with which a new person sets a password."`
	Reset   staffResetCmd   `cmd:"" help:"Make a link with which a person sets a new password."`
	List    staffListCmd    `cmd:"" help:"List who may sign in."`
	Disable staffDisableCmd `cmd:"" help:"End a person's access and sessions."`
	Enable  staffEnableCmd  `cmd:"" help:"Give a person access again."`
}

// Help shows examples.
func (staffCmd) Help() string {
	return `These work while the shop runs, and while it does not. Run them as the user that runs the shop.

Examples:

  admin staff add kim@shop.example --data /var/lib/gage --public-url https://shop.example
  admin staff reset kim@shop.example --data /var/lib/gage --public-url https://shop.example
  admin staff reset kim@shop.example --second-factor --data /var/lib/gage
  admin staff list --data /var/lib/gage
  admin staff disable kim@shop.example --data /var/lib/gage`
}

type staffAddCmd struct {
	storeFlags
	Email string `arg:"" help:"Mail address: the login."`
	Role  string `enum:"owner,manager,staff,accountant,viewer" default:"staff" help:"What the person may do: ${enum}. The owner also sets up the gateway and the people."`
}

// Run prints the new person's link.
func (c staffAddCmd) Run(ctx context.Context, w *world) error {
	return c.task(ctx, w, staffTask{Do: "add", Email: c.Email, Role: app.Role(c.Role)}, true)
}

type staffResetCmd struct {
	storeFlags
	Email        string `arg:"" help:"Mail address of the person."`
	SecondFactor bool   `help:"Take away the second factor instead, of somebody who lost phone and recovery codes."`
}

// Run prints the link to a new password.
func (c staffResetCmd) Run(ctx context.Context, w *world) error {
	if c.SecondFactor {
		return c.task(ctx, w, staffTask{Do: "second", Email: c.Email}, false)
	}
	return c.task(ctx, w, staffTask{Do: "reset", Email: c.Email}, true)
}

type staffListCmd struct{ storeFlags }

// Run prints a line for each person.
func (c staffListCmd) Run(ctx context.Context, w *world) error {
	return c.task(ctx, w, staffTask{Do: "list"}, false)
}

type staffDisableCmd struct {
	storeFlags
	Email string `arg:"" help:"Mail address of the person."`
}

// Run takes access away.
func (c staffDisableCmd) Run(ctx context.Context, w *world) error {
	return c.task(ctx, w, staffTask{Do: "disable", Email: c.Email}, false)
}

type staffEnableCmd struct {
	storeFlags
	Email string `arg:"" help:"Mail address of the person."`
}

// Run gives access back.
func (c staffEnableCmd) Run(ctx context.Context, w *world) error {
	return c.task(ctx, w, staffTask{Do: "enable", Email: c.Email}, false)
}

// staffTask is one of the staff commands, as it is sent to a running shop.
type staffTask struct {
	Do    string   `json:"do"`
	Email string   `json:"email,omitempty"`
	Role  app.Role `json:"role,omitempty"`
}

// staffDone is what comes back: the text to print, or what was wrong.
type staffDone struct {
	Text  string `json:"text,omitempty"`
	Error string `json:"error,omitempty"`
}

// task has a running shop do t, which alone may write its database; without one it opens the database itself.
func (f storeFlags) task(ctx context.Context, w *world, t staffTask, link bool) error {
	var fl faults
	cfg := f.check(&fl, link)
	if err := fl.err(); err != nil {
		return err
	}
	cfg.Now, cfg.Log = w.now, w.textLog()
	text, err := askShop(ctx, cfg.controlPath(), t)
	if errors.Is(err, errNoShop) {
		text, err = cfg.doAlone(ctx, t)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(w.stdout, text)
	return err
}

// doAlone opens the database of a shop that does not run here. It makes none.
func (cfg houseConfig) doAlone(ctx context.Context, t staffTask) (text string, err error) {
	if err := cfg.mustExist(); err != nil {
		return "", err
	}
	h, err := openStore(ctx, cfg)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	return h.do(ctx, t)
}

// do does a staff task and says what came of it.
func (h *house) do(ctx context.Context, t staffTask) (string, error) {
	switch t.Do {
	case "add":
		token, err := h.shop.InviteStaff(ctx, operator(), t.Email, t.Role)
		if errors.Is(err, app.ErrConflict) {
			return "", fmt.Errorf("%s is there already: to set a new password, use: admin staff reset %s", t.Email, t.Email)
		}
		return h.link(token), explain(t, err)
	case "reset":
		token, err := h.shop.ResetPassword(ctx, operator(), t.Email)
		return h.link(token), explain(t, err)
	case "second":
		err := h.shop.ResetSecond(ctx, operator(), t.Email)
		return fmt.Sprintf("%s: signs in with the password alone until they turn on a second factor again\n", t.Email), explain(t, err)
	case "disable", "enable":
		err := h.shop.DisableStaff(ctx, operator(), t.Email, t.Do == "disable")
		return fmt.Sprintf("%s: %sd\n", t.Email, t.Do), explain(t, err)
	case "list":
		return h.list(ctx)
	}
	return "", fmt.Errorf("no such staff task: %q", t.Do)
}

func (h *house) link(token string) string {
	return fmt.Sprintf("이 링크를 본인에게 전해 주세요 (사흘 안에 한 번) / hand this link over (good once, for three days):\n  %s/invite/%s\n",
		h.shop.PublicURL, token)
}

func (h *house) list(ctx context.Context) (string, error) {
	all, err := h.shop.Staff(ctx)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "Nobody yet: the owner's link is printed when the shop starts.\n", nil
	}
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "EMAIL\tNAME\tROLE\tSINCE\tACCESS\tTWO-STEP")
	for _, p := range all {
		access := "yes"
		if !p.DisabledAt.IsZero() {
			access = "no, since " + p.DisabledAt.In(app.KST).Format(time.DateOnly)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Email, p.Name, p.Role, p.CreatedAt.In(app.KST).Format(time.DateOnly), access, map[bool]string{true: "yes", false: "no"}[p.HasSecond])
	}
	err = t.Flush()
	return b.String(), err
}

// explain says what to do about the errors that people make.
func explain(t staffTask, err error) error {
	switch {
	case errors.Is(err, app.ErrNotFound) && t.Do == "second":
		return fmt.Errorf("%s is not known here, or has no second factor: see with: admin staff list", t.Email)
	case errors.Is(err, app.ErrNotFound):
		return fmt.Errorf("%s is not known here: see who is with: admin staff list", t.Email)
	case errors.Is(err, app.ErrBadInput):
		return usageError{fmt.Errorf("%q is no mail address: want one such as kim@shop.example", t.Email)}
	}
	return err
}

// errNoShop says that no shop runs on this data.
var errNoShop = errors.New("no running shop")

// controlPath is the socket on which a running shop takes staff tasks. Its folder is the owner's alone.
func (cfg houseConfig) controlPath() string { return filepath.Join(cfg.Data, cfg.Name+".sock") }

// listenControl opens the socket. The database's lock is ours already, so an old socket is a dead one.
func (cfg houseConfig) listenControl(ctx context.Context) (net.Listener, error) {
	path := cfg.controlPath()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the socket for staff commands: %w", err)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("the socket for staff commands (a shorter --data path may help): %w", err)
	}
	return ln, os.Chmod(path, 0o600)
}

// staffDesk answers staff tasks that come over the socket.
func (h *house) staffDesk() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /staff", func(w http.ResponseWriter, r *http.Request) {
		var t staffTask
		var done staffDone
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&t)
		if err == nil {
			done.Text, err = h.do(r.Context(), t)
		}
		if err != nil {
			done = staffDone{Error: err.Error()}
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(done); err != nil {
			h.shop.Log.Warn("a staff command got no answer", "error", err)
		}
	})
	return mux
}

// askShop sends a task to the shop that runs behind the socket. errNoShop: none does.
func askShop(ctx context.Context, socket string, t staffTask) (string, error) {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	body, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://shop/staff", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	resp, err := (&http.Client{Transport: transport, Timeout: 15 * time.Second}).Do(req)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return "", errNoShop
	}
	if err != nil {
		return "", fmt.Errorf("ask the running shop: %w", err)
	}
	defer resp.Body.Close()
	var done staffDone
	if err := json.NewDecoder(resp.Body).Decode(&done); err != nil {
		return "", fmt.Errorf("the running shop's answer: %w", err)
	}
	if done.Error != "" {
		return "", errors.New(done.Error)
	}
	return done.Text, nil
}
