package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gage/app"
	"gage/smartro"
)

// A sample order's story: what its buyer, the gateway and the staff did.
const (
	storyPaid      = "paid"
	storyPart      = "part cancelled"
	storyCancelled = "cancelled"
	storyDeclined  = "declined"
	storyStopped   = "stopped"
	storyLeft      = "left"      // the window was opened, and nothing came back
	storyUnopened  = "unopened"  // a request whose link nobody opened
	storyWaiting   = "waiting"   // a virtual account without its deposit
	storyDeposited = "deposited" // and with it
	storyRefunded  = "refunded"  // and paid back in part
	storyExpired   = "expired"   // a virtual account past its due time
	storyTwice     = "twice"     // two tabs paid: the second approval is held
	storyLost      = "lost"      // the notification was lost: claimed, until the gateway was asked
	storyUnknown   = "unknown"   // a cancel whose answer was lost
	storyReceipt   = "receipt"   // staff issued a cash receipt for it, and one for money at the counter
)

// sample is one order of the demo.
type sample struct {
	ago    time.Duration // before now
	goods  string
	amount app.Won
	buyer  string
	method app.Method
	device app.Device
	story  string
}

// samples are the demo's orders, oldest first. The people do not exist, and 010-00… is nobody's number.
func samples() []sample {
	const pc, mobile = smartro.PC, smartro.Mobile
	const h, d = time.Hour, 24 * time.Hour
	return []sample{
		{20 * d, "손뜨개 담요", 89000, "김서연", smartro.Card, pc, storyPaid},
		{19*d + 5*h, "백자 찻잔 2인 세트", 64000, "이도윤", smartro.Card, mobile, storyPart},
		{18*d + 2*h, "유기농 쌀 10kg", 42000, "박하은", smartro.Bank, pc, storyPaid},
		{17*d + 7*h, "제주 감귤 5kg", 29800, "최지호", smartro.Kakao, mobile, storyPaid},
		{16*d + 3*h, "들기름 350ml", 23500, "정수아", smartro.Vbank, pc, storyExpired},
		{15*d + 1*h, "손뜨개 담요", 89000, "강민준", smartro.Card, pc, storyCancelled},
		{14*d + 6*h, "도예 수업 1회", 55000, "윤채원", smartro.Toss, mobile, storyPaid},
		{13*d + 4*h, "백자 접시", 38000, "조은우", smartro.Card, pc, storyDeclined},
		{12*d + 8*h, "유기농 쌀 20kg", 79000, "한지유", smartro.Vbank, mobile, storyDeposited},
		{11*d + 2*h, "꿀 선물 세트", 120000, "오시우", smartro.Card, pc, storyPart},
		{10*d + 9*h, "제주 감귤 10kg", 52000, "서예린", smartro.Card, mobile, storyPaid},
		{9*d + 5*h, "전자책 이용권", 9900, "신유준", smartro.Cellphone, mobile, storyPaid},
		{9*d + 1*h, "문화 강좌 이용권", 15000, "권나은", smartro.CLGift, pc, storyPaid},
		{8*d + 3*h, "들기름 350ml 3병", 66000, "황현우", smartro.Vbank, pc, storyRefunded},
		{7*d + 6*h, "손뜨개 담요", 89000, "안소율", smartro.Card, pc, storyPaid},
		{6*d + 7*h, "백자 찻잔", 33000, "송건우", smartro.Card, mobile, storyStopped},
		{6*d + 2*h, "백자 찻잔", 33000, "송건우", smartro.Card, mobile, storyPaid},
		{5*d + 5*h, "꿀 500g", 34000, "임다인", smartro.Bank, pc, storyCancelled},
		{5*d + 1*h, "도예 수업 4회", 200000, "전우진", smartro.Card, pc, storyTwice},
		{4*d + 4*h, "제주 감귤 5kg", 29800, "류하린", smartro.Kakao, mobile, storyPaid},
		{4*d + 2*h, "유기농 쌀 10kg", 42000, "문준서", smartro.Card, pc, storyUnknown},
		{4*d + 1*h, "떡 세트 10상자", 150000, "장서아", smartro.Bank, pc, storyPaid},
		{3*d + 8*h, "들기름 350ml", 23500, "양지안", smartro.Toss, mobile, storyDeclined},
		{3*d + 3*h, "꿀 선물 세트", 120000, "배서윤", smartro.Card, pc, storyPaid},
		{2*d + 9*h, "백자 접시 4장", 140000, "백이준", smartro.Card, mobile, storyPart},
		{2*d + 5*h, "전자책 이용권", 9900, "허유나", smartro.Cellphone, mobile, storyPaid},
		{2*d + 1*h, "손뜨개 목도리", 47000, "남도현", smartro.Card, pc, storyPaid},
		{30 * h, "꿀 선물 세트", 110000, "민지호", smartro.Bank, mobile, storyReceipt},
		{27 * h, "유기농 쌀 20kg", 79000, "심아린", smartro.Vbank, mobile, storyDeposited},
		{25 * h, "제주 감귤 10kg", 52000, "노시현", smartro.Card, mobile, storyStopped},
		{9 * h, "꿀 500g 2병", 66000, "하지민", smartro.Vbank, pc, storyWaiting},
		{7 * h, "도예 수업 1회", 55000, "곽태윤", smartro.Card, pc, storyPaid},
		{5 * h, "단체 선물 20상자", 1240000, "성보라", smartro.Card, pc, storyUnopened},
		{4 * h, "백자 찻잔 2인 세트", 64000, "차은결", smartro.Kakao, mobile, storyPaid},
		{3 * h, "손뜨개 담요", 89000, "주하람", smartro.Vbank, mobile, storyWaiting},
		{2 * h, "들기름 350ml 2병", 45000, "우서진", smartro.Card, mobile, storyPart},
		{70 * time.Minute, "꿀 선물 세트", 120000, "김서준", smartro.Card, pc, storyLeft},
		{40 * time.Minute, "제주 감귤 5kg", 29800, "이서현", smartro.Card, mobile, storyPaid},
		{20 * time.Minute, "유기농 쌀 10kg", 42000, "박시연", smartro.Bank, pc, storyPaid},
		{4 * time.Minute, "손뜨개 목도리", 47000, "최윤슬", smartro.Card, mobile, storyLost},
	}
}

// furnish makes the demo's shop, its owner and the sample orders: every payment really goes through the simulated
// gateway's window over HTTP, at its own time in the past.
func (d *demo) furnish(ctx context.Context, w *world) error {
	shop := d.house.shop
	owner, err := shop.AddStaff(ctx, demoEmail, "데모 사장", app.RoleOwner, demoPassword)
	if err != nil {
		return err
	}
	err = shop.SetInfo(ctx, owner, app.ShopInfo{
		Name: "가게 데모", Owner: "김데모", BusinessNo: "000-00-00000", Address: "서울시 어딘가 1길 1", Tel: "02-000-0000",
	})
	if err != nil {
		return err
	}
	f := &furnisher{demo: d, owner: owner, buyer: newBuyer()}
	defer f.buyer.http.CloseIdleConnections()
	defer d.clock.set(time.Time{})
	now := w.now()
	if err := f.subscriptions(ctx, now); err != nil {
		return err
	}
	for i, s := range samples() {
		d.clock.set(now.Add(-s.ago))
		f.buyer.pick = i
		if err := f.make(ctx, s, i); err != nil {
			return fmt.Errorf("%s of %s: %w", s.story, s.buyer, err)
		}
	}
	return nil
}

// furnisher makes sample orders.
type furnisher struct {
	*demo
	owner app.Staff
	buyer *buyer
}

func (f *furnisher) make(ctx context.Context, s sample, i int) error {
	in := app.OrderInput{
		Goods: s.goods, Amount: s.amount, BuyerName: s.buyer,
		BuyerTel: fmt.Sprintf("010-00%02d-%04d", 10+i*7%90, (1000+i*1373)%10000), BuyerEmail: fmt.Sprintf("buyer%02d@example.com", i+1),
	}
	o, err := f.house.shop.CreateOrder(ctx, f.owner, in)
	if err != nil || s.story == storyUnopened {
		return err
	}
	f.clock.forward(50 * time.Second)
	switch s.story {
	case storyLost:
		err = f.fault(ctx, f.buyer, "notify_lost")
	case storyTwice:
		return f.payTwice(ctx, s, o)
	}
	if err != nil {
		return err
	}
	p, window, err := f.openWindow(ctx, s, o)
	if err != nil || s.story == storyLeft {
		return err
	}
	f.clock.forward(40 * time.Second)
	button := approve
	switch s.story {
	case storyDeclined:
		button = decline
	case storyStopped:
		button = closing
	}
	if err := f.finish(ctx, window, button); err != nil {
		return err
	}
	return f.afterwards(ctx, s, p.Moid)
}

// openWindow makes a payment and opens the gateway's window for it.
func (f *furnisher) openWindow(ctx context.Context, s sample, o app.Order) (app.Payment, *pageForm, error) {
	p, form, err := f.house.shop.Pay(ctx, o.Token, app.PayInput{Method: s.method, Device: s.device, UserIP: "127.0.0.1"})
	if err != nil {
		return p, nil, err
	}
	window, err := f.buyer.open(ctx, form)
	return p, window, err
}

// finish presses a button and lets the gateway's notification come.
func (f *furnisher) finish(ctx context.Context, window *pageForm, button string) error {
	err := f.buyer.press(ctx, window, button)
	if err != nil && !(button == closing && errors.Is(err, errNoResult)) {
		return err
	}
	f.clock.forward(time.Second)
	_, err = f.gateway.Deliver(ctx)
	return err
}

// payTwice pays one order in two tabs: both windows are open before the first is finished.
func (f *furnisher) payTwice(ctx context.Context, s sample, o app.Order) error {
	_, first, err := f.openWindow(ctx, s, o)
	if err != nil {
		return err
	}
	f.clock.forward(30 * time.Second)
	_, second, err := f.openWindow(ctx, s, o)
	if err != nil {
		return err
	}
	for _, window := range []*pageForm{first, second} {
		f.clock.forward(45 * time.Second)
		if err := f.finish(ctx, window, approve); err != nil {
			return err
		}
	}
	return nil
}

// afterwards is what happened to a payment after the buyer was done.
func (f *furnisher) afterwards(ctx context.Context, s sample, moid app.Moid) error {
	part := s.amount / 3 / 100 * 100
	switch s.story {
	case storyDeposited, storyRefunded:
		if err := f.payIn(ctx, moid); err != nil || s.story == storyDeposited {
			return err
		}
		return f.cancel(ctx, moid, app.CancelInput{
			Amount: part, Reason: "일부 품절", RefundBank: "088", RefundAcct: "110000000000", RefundName: s.buyer,
		})
	case storyReceipt:
		return f.receipts(ctx, moid)
	case storyPart:
		return f.cancel(ctx, moid, app.CancelInput{Amount: part, Reason: "일부 반품"})
	case storyCancelled:
		return f.cancel(ctx, moid, app.CancelInput{Whole: true, Reason: "구매자 변심"})
	case storyUnknown:
		if err := f.fault(ctx, f.buyer, "cancel_500"); err != nil {
			return err
		}
		if err := f.fault(ctx, f.buyer, "notify_lost"); err != nil {
			return err
		}
		return f.cancel(ctx, moid, app.CancelInput{Amount: part, Reason: "일부 반품"})
	case storyExpired:
		p, err := f.house.store.Payment(ctx, moid)
		if err != nil {
			return err
		}
		f.clock.set(p.VbankDue.Add(time.Hour))
		_, err = f.house.shop.WorkOnce(ctx)
		return err
	}
	return nil
}

// receipts issues a cash receipt for the payment, and one for cash at the counter.
func (f *furnisher) receipts(ctx context.Context, moid app.Moid) error {
	for _, in := range []app.CashReceiptInput{
		{Payment: moid, Purpose: smartro.IncomeDeduction, Identity: "010-0000-1373"},
		{Purpose: smartro.ExpenseProof, Identity: "000-00-00000", Amount: 55000, Goods: "도예 수업 1회 (현금)"},
	} {
		f.clock.forward(10 * time.Minute)
		in.Key = app.NewReceiptKey()
		if _, err := f.house.shop.IssueCashReceipt(ctx, f.owner, in); err != nil {
			return err
		}
		f.clock.forward(time.Second)
		if _, err := f.gateway.Deliver(ctx); err != nil {
			return err
		}
	}
	return nil
}

// payIn makes the deposit for a virtual account come.
func (f *furnisher) payIn(ctx context.Context, moid app.Moid) error {
	p, err := f.house.store.Payment(ctx, moid)
	if err != nil {
		return err
	}
	f.clock.forward(25 * time.Minute)
	if err := f.deposit(ctx, f.buyer, p.TID); err != nil {
		return err
	}
	_, err = f.gateway.Deliver(ctx)
	return err
}

func (f *furnisher) cancel(ctx context.Context, moid app.Moid, in app.CancelInput) error {
	f.clock.forward(20 * time.Minute)
	plan, err := f.house.shop.PrepareCancel(ctx, moid)
	if err != nil {
		return err
	}
	in.Key = plan.Key
	if _, err := f.house.shop.Cancel(ctx, f.owner, moid, in); err != nil {
		return err
	}
	f.clock.forward(time.Second)
	_, err = f.gateway.Deliver(ctx)
	return err
}
