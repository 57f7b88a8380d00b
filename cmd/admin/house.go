package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gage/app"
	"gage/db"
	"gage/smartro"
	"gage/web"
	"gage/web/hook"
	"gage/web/sheet"
)

// houseConfig is all that a shop needs to be wired. Paths and URLs have been checked.
type houseConfig struct {
	Data        string         // folder of database and key; made when it is not there
	Name        string         // of the files in it: gage, or demo
	DatabaseURL smartro.Secret // postgres://…; empty means SQLite in Data
	KeyFile     string         // empty means the one in Data
	Mirror      string         // of the log, for SQLite; empty means none
	PublicURL   string
	ServerIP    string // sent to the gateway in the form; empty: this machine's own
	Sample      bool
	Proxies     []netip.Prefix
	Senders     []netip.Prefix // believed besides the gateway's published addresses
	Loopback    bool           // practice: a gateway on this machine is believed
	HookListed  []netip.Prefix // where the shop's own system may be, beside the Internet
	SealWork    int            // scrypt rounds that sealing a backup takes, as a power of two; zero: scryptWork
	CheckFirst  int64          // bytes of the largest SQLite file that is read through before it opens; zero: db's own
	Now         func() time.Time
	Log         *slog.Logger
}

// house is a wired shop: its store, its use cases, its pages.
type house struct {
	store *db.Store
	shop  *app.Shop
	pages http.Handler
	http  *http.Client // to the gateway

	heads   string // file in which the end of the log is written down
	headDay string // for which it was last
}

// openHouse wires a shop. Close it after everything that uses it has stopped.
func openHouse(ctx context.Context, cfg houseConfig) (*house, error) {
	h, err := openStore(ctx, cfg)
	if err != nil {
		return nil, err
	}
	scratch, err := sheet.OpenScratch(filepath.Join(cfg.Data, cfg.Name+".scratch"))
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	site, err := web.New(web.Config{
		Shop: h.shop, PublicURL: cfg.PublicURL, Sample: cfg.Sample, TrustedProxies: cfg.Proxies,
		Log: cfg.Log, Now: cfg.Now, Version: version(), Scratch: scratch,
	})
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	h.pages = site.Handler()
	return h, nil
}

// openStore wires a shop without its pages: all that commands about people need.
func openStore(ctx context.Context, cfg houseConfig) (*house, error) {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	exists, err := fileExists(cfg.database())
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	keys, err := openKeyring(cfg.keyFile(), exists && cfg.DatabaseURL == "")
	if err != nil {
		return nil, err
	}
	where := cfg.records()
	where.Keys = keys
	store, err := db.Open(ctx, where)
	if errors.Is(err, app.ErrWrongKey) {
		return nil, fmt.Errorf("the key file %s does not fit the data, bring its own back from your backup: %w", cfg.keyFile(), err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	client := smartro.NewHTTPClient()
	return &house{store: store, http: client, heads: cfg.headsFile(), shop: &app.Shop{
		Store: store,
		Keys:  keys,
		Gateway: func(m smartro.Merchant) app.Gateway {
			return smartro.WEBLink{Merchant: m, Client: smartro.Client{HTTP: client}}
		},
		Carrier:      hook.Client{Listed: cfg.HookListed, Agent: "Gage/" + version()},
		PublicURL:    cfg.PublicURL,
		MallIP:       cfg.serverIP(ctx),
		KnownSenders: cfg.knownSenders,
		Now:          cfg.Now,
		Log:          cfg.Log,
	}}, nil
}

// database is where the SQLite file is, where there is one.
func (cfg houseConfig) database() string { return filepath.Join(cfg.Data, cfg.Name+".db") }

// records says where the records are.
func (cfg houseConfig) records() db.Config {
	if cfg.DatabaseURL != "" {
		return db.Config{URL: cfg.DatabaseURL, Now: cfg.Now, Log: cfg.Log}
	}
	return db.Config{Path: cfg.database(), Mirror: cfg.Mirror, Now: cfg.Now, Log: cfg.Log, CheckFirst: cfg.CheckFirst}
}

// keyFile is where the key is that seals secrets in the records.
func (cfg houseConfig) keyFile() string {
	if cfg.KeyFile != "" {
		return cfg.KeyFile
	}
	return filepath.Join(cfg.Data, cfg.Name+".key")
}

// mustExist refuses a data folder without a shop: a typing error in --data must not look like an empty one.
func (cfg houseConfig) mustExist() error {
	if cfg.DatabaseURL != "" {
		return nil
	}
	exists, err := fileExists(cfg.database())
	if err != nil || !exists {
		return errors.Join(err, usageError{fmt.Errorf("there is no shop in %s: name its folder with --data", cfg.Data)})
	}
	return nil
}

// serverIP is the IPv4 address that the gateway is told of: the one set, else the one by which this machine reaches
// others. Finding it sends nothing.
func (cfg houseConfig) serverIP(ctx context.Context) string {
	if cfg.ServerIP != "" {
		return cfg.ServerIP
	}
	conn, err := new(net.Dialer).DialContext(ctx, "udp4", "192.0.2.1:9")
	if err != nil {
		return "127.0.0.1" // no way out: practice on this machine
	}
	defer conn.Close()
	host, _, err := net.SplitHostPort(conn.LocalAddr().String())
	if err != nil {
		return "127.0.0.1"
	}
	return host
}

// knownSenders are the addresses that are believed to be the gateway of a mode. One on this machine is believed in
// practice only, where no money moves.
func (cfg houseConfig) knownSenders(mode app.Mode) []netip.Prefix {
	all := slices.Clone(cfg.Senders)
	for _, a := range smartro.PublishedSenders(mode) {
		all = append(all, netip.PrefixFrom(a, a.BitLen()))
	}
	if cfg.Loopback && mode == smartro.Test {
		all = append(all, loopback()...)
	}
	return all
}

// loopback are this machine's own addresses.
func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// work does what is owed to others until ctx is done, then waits for cancels on their way.
func (h *house) work(ctx context.Context) error {
	err := h.shop.Work(ctx)
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if drained := h.shop.Drain(patience); drained != nil {
		h.shop.Log.Warn("a cancel has no answer yet: it stays unknown and is asked for after the next start")
	}
	return err
}

// close closes the database when all that was accepted is written.
func (h *house) close() error {
	h.http.CloseIdleConnections()
	return h.store.Close()
}

// localAddress is where this machine reaches what listens on addr.
func localAddress(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

func fileExists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
