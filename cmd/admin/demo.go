package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"gage/app"
	"gage/smartro"
	"gage/smartro/sandbox"
)

// The demo's sign-in, the same for everybody: that is why it listens on this machine only.
const (
	demoEmail    = "demo@example.com"
	demoPassword = "demo-demo-demo"
)

type demoCmd struct {
	Listen        string `default:"127.0.0.1:8080" placeholder:"ADDR" help:"Where the shop listens, on this machine only; port 0 picks a free one. Default: ${default}."`
	SandboxListen string `default:"127.0.0.1:9090" placeholder:"ADDR" help:"Where the simulated gateway listens; port 0 picks a free one. Default: ${default}."`
	Data          string `placeholder:"DIR" help:"Folder to keep everything in. Without it everything is forgotten at the end."`
}

// Help shows examples.
func (demoCmd) Help() string {
	return `No money moves, and nothing leaves this machine: the gateway is simulated.

Examples:

  admin demo
  admin demo --data ./my-demo
  admin demo --listen 127.0.0.1:0 --sandbox-listen 127.0.0.1:0`
}

// demo is everything at once, on this machine.
type demo struct {
	clock   *demoClock
	house   *house
	gateway *sandbox.Gateway
	sites   addresses
}

// Run serves the demo until ctx is done.
func (c demoCmd) Run(ctx context.Context, w *world) (err error) {
	var f faults
	f.loopbackOnly("listen", c.Listen)
	f.loopbackOnly("sandbox-listen", c.SandboxListen)
	if err := f.err(); err != nil {
		return err
	}
	folder, forget, err := c.folder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, forget()) }()
	shopListener, err := listen(ctx, "listen", c.Listen)
	if err != nil {
		return err
	}
	defer shopListener.Close()
	gatewayListener, err := listen(ctx, "sandbox-listen", c.SandboxListen)
	if err != nil {
		return err
	}
	defer gatewayListener.Close()

	d, err := openDemo(ctx, w, folder, addresses{Shop: siteOf(shopListener), Gateway: siteOf(gatewayListener)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.gateway.Close(), d.house.close()) }()
	log := w.textLog()
	open := make(chan struct{})
	return runParts(ctx,
		func(ctx context.Context) error { return serveHTTP(ctx, gatewayListener, d.gateway.Handler(), log) },
		after(open, d.house.work),
		func(ctx context.Context) error { return serveHTTP(ctx, bound(shopListener, nil), d.house.pages, log) },
		after(open, d.gateway.Run),
		func(ctx context.Context) error { return d.begin(ctx, w, open) },
	)
}

// folder is where the demo lives, and what to do with it at the end.
func (c demoCmd) folder() (path string, forget func() error, err error) {
	if c.Data != "" {
		return c.Data, func() error { return nil }, nil
	}
	path, err = os.MkdirTemp("", "gage-demo-")
	if err != nil {
		return "", nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	return path, func() error { return os.RemoveAll(path) }, nil
}

func openDemo(ctx context.Context, w *world, folder string, sites addresses) (*demo, error) {
	d := &demo{clock: &demoClock{real: w.now}, sites: sites}
	log := w.textLog()
	var err error
	d.house, err = openHouse(ctx, houseConfig{
		Data: folder, Name: "demo", PublicURL: sites.Shop, Sample: true, Loopback: true, HookListed: loopback(), Now: d.clock.Now, Log: log,
	})
	if err != nil {
		return nil, err
	}
	if err := d.house.practise(ctx, sites.Gateway); err != nil {
		return nil, errors.Join(err, d.house.close())
	}
	notices, err := d.house.shop.NoticeURL(ctx)
	if err == nil {
		d.gateway, err = sandbox.New(sandbox.Config{
			BaseURL: sites.Gateway, NotifyURL: notices, Data: filepath.Join(folder, "gateway"), Now: d.clock.Now, Log: log,
		})
	}
	if err != nil {
		return nil, errors.Join(err, d.house.close())
	}
	return d, nil
}

// begin makes the sample data at the first start, then opens: what waits for open runs from here on.
func (d *demo) begin(ctx context.Context, w *world, open chan<- struct{}) error {
	orders, err := d.house.shop.Orders(ctx, app.OrderQuery{Limit: 1})
	if err != nil {
		return err
	}
	if len(orders) == 0 {
		if err := d.furnish(ctx, w); err != nil {
			return fmt.Errorf("make the sample data: %w", err)
		}
	}
	close(open)
	d.greet(w)
	w.ready(d.sites)
	<-ctx.Done()
	return nil
}

// greet says where everything is and what to try first.
func (d *demo) greet(w *world) {
	fmt.Fprintf(w.stdout, `
Gage 데모 · 연습 모드라서 실제 돈은 움직이지 않습니다

  구매자 결제  %[1]s/
  관리자       %[1]s/admin   로그인 %[3]s / %[4]s
  모의 PG      %[2]s/control

  1. 구매자 결제에서 상품을 골라 결제하고, 모의 결제창에서도 [결제하기]를 누르세요.
  2. 관리자에서 이름 두 글자(홍길)나 전화번호 네 자리(9999)로 방금 결제를 찾으세요.
  3. 결제를 열어 일부만 취소해 보세요.

Gage demo · practice: no money moves

  Pay as a buyer   %[1]s/?lang=en
  Back office      %[1]s/admin?lang=en   sign in with %[3]s / %[4]s
  The gateway      %[2]s/control

  1. Choose something, pay, and press the first button, [결제하기] (pay), in the gateway's window.
  2. Find the payment in the back office by two letters of the name (홍길) or four digits of the phone number (9999).
  3. Open it and cancel a part.

끝내기 / stop: Ctrl+C
`, d.sites.Shop, d.sites.Gateway, demoEmail, demoPassword)
}

// after starts p when open is closed.
func after(open <-chan struct{}, p part) part {
	return func(ctx context.Context) error {
		select {
		case <-open:
			return p(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// fault orders the simulated gateway to misbehave once.
func (d *demo) fault(ctx context.Context, b *buyer, name string) error {
	body := fmt.Sprintf(`{"fault":%q,"scope":"next"}`, name)
	return b.control(ctx, d.sites.Gateway+"/control/api/faults", body)
}

// deposit makes the money for a virtual account come.
func (d *demo) deposit(ctx context.Context, b *buyer, tid smartro.TID) error {
	return b.control(ctx, d.sites.Gateway+"/control/api/deposit", fmt.Sprintf(`{"tid":%q}`, tid))
}

// control posts an order to the simulated gateway's JSON API.
func (b *buyer) control(ctx context.Context, to, body string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("POST %s: HTTP %d", req.URL.Path, resp.StatusCode)
	}
	return nil
}
