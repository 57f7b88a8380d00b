package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gage/smartro"
	"gage/smartro/sandbox"
)

type sandboxCmd struct {
	Listen         string         `default:"127.0.0.1:9090" placeholder:"ADDR" help:"Where to listen, host:port."`
	Data           string         `placeholder:"DIR" help:"Folder of the ledger. Without it everything is forgotten at the end."`
	MID            string         `name:"mid" default:"gagedemo1m" help:"Merchant ID (상점 ID), 10 letters or digits. Default: ${default}."`
	MerchantKey    smartro.Secret `placeholder:"KEY" help:"Merchant key (상점 키). Default: the invented one below."`
	CancelPassword smartro.Secret `placeholder:"PW" help:"Cancel password (취소 비밀번호). Default: the invented one below."`
	Hash           string         `enum:"md5,sha256" default:"md5" help:"Form of the hashes: ${enum}."`
	NotifyURL      string         `placeholder:"URL" help:"Notification URL (재통보), as if typed into the merchant site. Without it: the form's RetryURL."`
	NotifyEvery    time.Duration  `default:"1m" help:"Time between two tries of one notification."`
	NotifyCount    int            `default:"5" help:"Tries of one notification."`
	Strict         bool           `help:"Require every field that the kit's table requires, and exactly OK as the answer to a notification."`
}

// Help shows examples and the invented merchant.
func (sandboxCmd) Help() string {
	return fmt.Sprintf(`No money moves: it answers on the gateway's own paths, keeps its own ledger, and misbehaves to order
at /control. Post your PC form to /interfaceURL.jsp, your mobile form to /pay/interfaceURL, cancels to
/cancel/payCancelNVProcess.jsp.

The invented merchant, which no real gateway knows:

  MID              %s
  merchant key     %s
  cancel password  %s

Examples:

  admin sandbox
  admin sandbox --notify-url http://127.0.0.1:3000/notify --notify-every 5s --data ./ledger
  admin sandbox --mid myshop001m --merchant-key "$KEY" --hash sha256 --strict`,
		sandbox.DefaultMID, sandbox.DefaultMerchantKey, sandbox.DefaultCancelPassword)
}

func (c sandboxCmd) check() error {
	var f faults
	f.listen("listen", c.Listen)
	f.address("notify-url", c.NotifyURL)
	if _, err := smartro.ParseMID(c.MID); err != nil {
		f.add("mid", "%v", err)
	}
	if c.NotifyEvery <= 0 {
		f.add("notify-every", "%v: want more than 0, such as 1m", c.NotifyEvery)
	}
	if c.NotifyCount < 1 {
		f.add("notify-count", "%d: want 1 or more", c.NotifyCount)
	}
	return f.err()
}

// Run serves the simulated gateway until ctx is done.
func (c sandboxCmd) Run(ctx context.Context, w *world) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	ln, err := listen(ctx, "listen", c.Listen)
	if err != nil {
		return err
	}
	defer ln.Close()
	log := w.textLog()
	g, err := sandbox.New(sandbox.Config{
		MID: smartro.MID(c.MID), MerchantKey: c.MerchantKey, CancelPassword: c.CancelPassword, Hash: smartro.HashForm(c.Hash),
		NotifyURL: c.NotifyURL, NotifyEvery: c.NotifyEvery, NotifyCount: c.NotifyCount,
		Data: c.Data, Strict: c.Strict, Now: w.now, Log: log,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	site := siteOf(ln)
	fmt.Fprintf(w.stdout, `모의 게이트웨이가 켜졌습니다. 실제 돈은 움직이지 않습니다. / The simulated gateway is up. No money moves.

  제어판 control        %s/control
  PC 결제창 window      %s/interfaceURL.jsp
  모바일 결제창 mobile  %s/pay/interfaceURL
  취소 cancel           %s/cancel/payCancelNVProcess.jsp
  상점 ID MID           %s

끝내기 / stop: Ctrl+C
`, site, site, site, site, c.MID)
	w.ready(addresses{Gateway: site})
	return runParts(ctx,
		func(ctx context.Context) error { return serveHTTP(ctx, ln, g.Handler(), log) },
		g.Run)
}
