package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gage/smartro"
	"gage/smartro/sandbox"
)

type sandboxCmd struct {
	Listen         string         `default:"127.0.0.1:9090" placeholder:"ADDR" help:"Where to listen, host:port. Default: ${default}."`
	Data           string         `placeholder:"DIR" help:"Folder of the ledger. Without it everything is forgotten at the end."`
	MID            string         `name:"mid" default:"gagedemo1m" help:"Merchant ID (상점 ID), 10 letters or digits. Default: ${default}."`
	MerchantKey    smartro.Secret `placeholder:"KEY" help:"Merchant key (상점 키). Default: the invented one above."`
	CancelPassword smartro.Secret `placeholder:"PW" help:"Cancel password (취소 비밀번호). Default: the invented one above."`
	Hash           string         `enum:"md5,sha256" default:"md5" help:"Form of the hashes: ${enum}."`
	NotifyURL      string         `placeholder:"URL" help:"Notification URL (재통보), as if typed into the merchant site. Without it: the form's RetryURL."`
	NotifyEvery    *time.Duration `placeholder:"1m" help:"Time between two tries of one notification. Without it: what the merchant site says, 1m at first."`
	NotifyCount    *int           `placeholder:"5" help:"Tries of one notification. Without it: what the merchant site says, 5 at first."`
	Strict         bool           `help:"Require every field that the kit's table requires, and exactly OK as the answer to a notification."`

	Code         map[string]string `group:"What the gateway does not publish:" placeholder:"OWN=OTHER;…" help:"Another result code instead of one of the sandbox's own, such as W034=U999."`
	WalletCode   string            `group:"What the gateway does not publish:" default:"3001" help:"Approval of KAKAO and TOSS. Default: ${default}."`
	StateCd      []string          `group:"What the gateway does not publish:" default:"0,1,2" help:"state_cd of an approval, of a cancel before and of one after acquisition. Default: ${default}."`
	StopFields   bool              `group:"What the gateway does not publish:" help:"Tell StopURL OID and ResultCode."`
	EchoUnknown  bool              `group:"What the gateway does not publish:" help:"Bring fields of the form that the reference does not know back with the result."`
	PartsByOTID  bool              `name:"parts-by-otid" group:"What the gateway does not publish:" help:"Notify a partial cancel under the payment's TID, not its own."`
	RefundFields []string          `group:"What the gateway does not publish:" default:"RefundBankCd,RefundAcctNo,RefundAcctNm" help:"Fields of a refund account: bank, number, holder. Default: ${default}."`
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
  admin sandbox --mid myshop001m --merchant-key "$KEY" --hash sha256 --strict

Its own result codes, which no real gateway promises and --code can change:

%s`, sandbox.DefaultMID, sandbox.DefaultMerchantKey, sandbox.DefaultCancelPassword, ownCodes())
}

func ownCodes() string {
	var lines []string
	for _, c := range sandbox.OwnCodes() {
		lines = append(lines, fmt.Sprintf("  %s  %s", c.Code, c.Meaning))
	}
	return strings.Join(lines, "\n")
}

// unpublished is what the flags say of the facts that no source tells.
func (c sandboxCmd) unpublished() sandbox.Unpublished {
	u := sandbox.Unpublished{
		Codes: c.Code, WalletCode: c.WalletCode, StopFields: c.StopFields, EchoUnknown: c.EchoUnknown, PartsByOTID: c.PartsByOTID,
		RefundFields: smartro.RefundFields{Bank: c.RefundFields[0], Number: c.RefundFields[1], Holder: c.RefundFields[2]},
	}
	copy(u.StateCds[:], c.StateCd)
	return u
}

func (c sandboxCmd) check() error {
	var f faults
	f.listen("listen", c.Listen)
	f.address("notify-url", c.NotifyURL)
	if _, err := smartro.ParseMID(c.MID); err != nil {
		f.add("mid", "%v", err)
	}
	if c.NotifyEvery != nil && *c.NotifyEvery <= 0 {
		f.add("notify-every", "%v: want more than 0, such as 1m", *c.NotifyEvery)
	}
	if c.NotifyCount != nil && *c.NotifyCount < 1 {
		f.add("notify-count", "%d: want 1 or more", *c.NotifyCount)
	}
	var states [3]string
	if copy(states[:], c.StateCd); len(c.StateCd) != len(states) {
		f.add("state-cd", "%d values: want %d", len(c.StateCd), len(states))
	}
	for _, u := range []struct {
		flag string
		sandbox.Unpublished
	}{
		{"code", sandbox.Unpublished{Codes: c.Code}}, {"wallet-code", sandbox.Unpublished{WalletCode: c.WalletCode}},
		{"state-cd", sandbox.Unpublished{StateCds: states}},
	} {
		if err := u.Validate(); err != nil {
			f.add(u.flag, "%v", err)
		}
	}
	if len(c.RefundFields) != 3 {
		f.add("refund-fields", "%d names: want 3", len(c.RefundFields))
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
	cfg := sandbox.Config{
		MID: smartro.MID(c.MID), MerchantKey: c.MerchantKey, CancelPassword: c.CancelPassword, Hash: smartro.HashForm(c.Hash),
		NotifyURL: c.NotifyURL, Data: c.Data, Strict: c.Strict, Unpublished: c.unpublished(), Now: w.now, Log: log,
	}
	if c.NotifyEvery != nil {
		cfg.NotifyEvery = *c.NotifyEvery
	}
	if c.NotifyCount != nil {
		cfg.NotifyCount = *c.NotifyCount
	}
	g, err := sandbox.New(cfg)
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
