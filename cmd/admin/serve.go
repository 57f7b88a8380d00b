package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"gage/app"
	"gage/smartro"
	"gage/smartro/sandbox"
)

// serveCmd is what the owner of a shop sets outside it; the rest is set in the back office.
type serveCmd struct {
	storeFlags
	backupFlags
	Listen       string   `default:"127.0.0.1:8080" placeholder:"ADDR" help:"Where to listen, host:port. Default: ${default}."`
	TrustedProxy []string `placeholder:"RANGE" help:"Proxies whose X-Forwarded-For is believed, such as 127.0.0.1. Without it the direct peer is the sender."`
	NoticeSender []string `placeholder:"RANGE" help:"Addresses believed to be the gateway's, besides the published ones and those approved in the back office."`
	ServerIP     string   `name:"server-ip" placeholder:"IP" help:"This server's public IPv4 address, told to the gateway. Default: the address by which it reaches others."`
	Mirror       string   `placeholder:"FILE" help:"A file on another disk that takes every row of the log, too, before anything is acknowledged. SQLite only."`
	KeepYears    int      `default:"5" placeholder:"YEARS" help:"Personal data in orders and messages is destroyed after so many years without anything happening to them; the law wants 5 at least. Default: ${default}."`
	HookNetwork  []string `placeholder:"RANGE" help:"Networks of your own that may be told what became of orders, such as 10.0.0.5. Without it only addresses on the Internet are."`
	Gateway      string   `placeholder:"URL" help:"Practise with a simulated gateway (admin sandbox) at this address instead of the real one."`
}

// storeFlags say where the shop's data is, for every command that opens it.
type storeFlags struct {
	Data        string         `default:"gage-data" placeholder:"DIR" help:"Folder of the database and the key file; made at the first start. Default: ${default}."`
	DatabaseURL smartro.Secret `placeholder:"URL" help:"PostgreSQL, postgres://user:password@host/name. Without it the data is an SQLite file in the data folder."`
	KeyFile     string         `placeholder:"FILE" help:"The key that seals secrets in the database. Default: gage.key in the data folder; made at the first start. Every backup holds it, sealed."`
	PublicURL   string         `placeholder:"URL" help:"The address that buyers see, such as https://shop.example."`
}

// Help shows examples.
func (serveCmd) Help() string {
	return `Put a web server that speaks HTTPS in front of it (Caddy, nginx). The first start prints a link, good once,
to make the owner's account; the owner enters the gateway's MID and keys in the back office.

Examples:

  admin serve --public-url https://shop.example --data /var/lib/gage --trusted-proxy 127.0.0.1
  admin serve --public-url https://shop.example --database-url postgres://gage@db/gage
  admin serve --public-url https://shop.example --backup-dir /mnt/backup --backup-passphrase-file /etc/gage/passphrase
  admin serve --public-url http://127.0.0.1:8080 --gateway http://127.0.0.1:9090`
}

// check reads the flags and tells every fault at once.
func (f storeFlags) check(w *faults, needURL bool) houseConfig {
	cfg := houseConfig{Data: f.Data, Name: "gage", DatabaseURL: f.DatabaseURL, KeyFile: f.KeyFile, PublicURL: f.PublicURL}
	if f.Data == "" {
		w.add("data", "is empty: want a folder, such as /var/lib/gage")
	}
	if u := f.DatabaseURL.Reveal(); u != "" && !strings.HasPrefix(u, "postgres://") && !strings.HasPrefix(u, "postgresql://") {
		w.add("database-url", "is no PostgreSQL address: want postgres://user:password@host/name")
	}
	if needURL {
		cfg.PublicURL = w.site("public-url", f.PublicURL)
	}
	return cfg
}

func (c serveCmd) config() (houseConfig, error) {
	var f faults
	cfg := c.storeFlags.check(&f, true)
	c.backupFlags.check(&f)
	f.listen("listen", c.Listen)
	f.address("gateway", c.Gateway)
	if ip, err := netip.ParseAddr(c.ServerIP); c.ServerIP != "" && (err != nil || !ip.Is4()) {
		f.add("server-ip", "%q is no IPv4 address: want one such as 203.0.113.5", c.ServerIP)
	}
	if c.Mirror != "" && cfg.DatabaseURL != "" {
		f.add("mirror", "is for SQLite: PostgreSQL has standby servers")
	}
	cfg.Mirror = c.Mirror
	if c.KeepYears < app.RetentionYears {
		f.add("keep-years", "%d is too few: the law wants records of payments kept for %d years", c.KeepYears, app.RetentionYears)
	}
	cfg.ServerIP = c.ServerIP
	cfg.Proxies = f.networks("trusted-proxy", c.TrustedProxy)
	cfg.Senders = f.networks("notice-sender", c.NoticeSender)
	cfg.HookListed = f.networks("hook-network", c.HookNetwork)
	cfg.Loopback = c.Gateway != ""
	return cfg, f.err()
}

// Run serves the shop until ctx is done.
func (c serveCmd) Run(ctx context.Context, w *world) (err error) {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if err := keepMemoryPrivate(); err != nil {
		return err
	}
	cfg.Now, cfg.Log = w.now, w.jsonLog()
	ln, err := listen(ctx, "listen", c.Listen)
	if err != nil {
		return err
	}
	defer ln.Close()
	h, err := openHouse(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if c.Gateway != "" {
		if err := h.practise(ctx, c.Gateway); err != nil {
			return err
		}
	}
	if err := h.printOwnerLink(ctx, w); err != nil {
		return err
	}
	// crash point: store open, not serving
	control, err := cfg.listenControl(ctx)
	if err != nil {
		return err
	}
	cfg.Log.Info("serving", "listen", ln.Addr().String(), "public_url", cfg.PublicURL, "version", version())
	w.ready(addresses{Shop: siteOf(ln), Gateway: c.Gateway})
	parts := []part{h.work, h.watchStore, h.checkNightly, h.keepHeads, h.eraseNightly(c.KeepYears)}
	if c.BackupDir != "" {
		parts = append(parts, (&nightly{backupFlags: c.backupFlags, cfg: cfg, shop: h.shop}).run)
	}
	err = runParts(ctx, append(parts,
		func(ctx context.Context) error { return serveHTTP(ctx, control, h.staffDesk(), cfg.Log) },
		func(ctx context.Context) error { return serveHTTP(ctx, bound(ln, cfg.Proxies), h.pages, cfg.Log) })...)
	// crash point: serving stopped, store not closed
	cfg.Log.Info("stopped")
	return err
}

// printOwnerLink prints the link to make the owner's account as long as there is none.
func (h *house) printOwnerLink(ctx context.Context, w *world) error {
	token, err := h.shop.OwnerInvite(ctx)
	if err != nil || token == "" {
		return err
	}
	_, err = fmt.Fprintf(w.stdout, "주인 계정 만들기 (한 번만 쓸 수 있습니다) / make the owner's account (good once):\n  %s/start/%s\n",
		h.shop.PublicURL, token)
	return err
}

// practise points the shop's practice contract at a simulated gateway; without one it takes the sandbox's invented
// merchant. A real contract is never touched.
func (h *house) practise(ctx context.Context, gateway string) error {
	m, err := h.shop.Merchant(ctx)
	switch {
	case errors.Is(err, app.ErrNoGateway):
		m = sandboxMerchant()
	case err != nil:
		return err
	case m.Mode != smartro.Test:
		return usageError{errors.New("--gateway is for practice, and this shop has a real contract: leave --gateway out, or practise in another --data folder")}
	}
	m.Endpoints = smartro.EndpointsAt(gateway)
	m.InquiryProves, m.CashReceipt.Confirmed = true, true // the sandbox answers as smartro reads it
	return h.shop.SetMerchant(ctx, operator(), m)
}

// sandboxMerchant is the invented contract that the simulated gateway serves unless told otherwise.
func sandboxMerchant() smartro.Merchant {
	return smartro.Merchant{
		MID: sandbox.DefaultMID, Key: sandbox.DefaultMerchantKey, CancelPassword: sandbox.DefaultCancelPassword,
		Mode: smartro.Test, Hash: smartro.MD5,
	}
}

// operator is who started the program: the owner of the machine may do what the shop's owner may.
func operator() app.Staff { return app.Staff{ID: "operator", Name: "admin", Role: app.RoleOwner} }

// loopbackOnly checks that an address is on this machine.
func (f *faults) loopbackOnly(flag, addr string) {
	f.listen(flag, addr)
	ap, err := netip.ParseAddrPort(strings.Replace(addr, "localhost:", "127.0.0.1:", 1))
	if err != nil || !ap.Addr().IsLoopback() {
		f.add(flag, "%q is not on this machine: the demo's password is known to everybody, so want 127.0.0.1:PORT", addr)
	}
}
