package sandbox

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// fault is a way to misbehave, by the name that the control API knows it by.
type fault string

// The first six and the next five act on approvals, deposits and cancels as they happen; the four after them on the
// answer of a cancel that has happened, the next five on cash receipts and the last on charges by a billing key.
const (
	returnLost         fault = "return_lost"          // the browser never comes back
	notifyLost         fault = "notify_lost"          // the notification is never sent
	notifyLate         fault = "notify_late"          // it is sent after a delay
	notifyDoubled      fault = "notify_doubled"       // it is sent twice
	notifyBeforeReturn fault = "notify_before_return" // it is there before the browser
	notifyOutOfOrder   fault = "notify_out_of_order"  // it comes after the next one of the same payment
	badSignature       fault = "bad_signature"        // result and notification carry another SignValue
	forgedAmount       fault = "forged_amount"        // the browser's copy has another Amt and its genuine SignValue
	forgedOrder        fault = "forged_order"         // the browser's copy has another OID and its genuine SignValue
	wrongCharset       fault = "wrong_charset"        // the browser posts the result in the other charset
	cancelDelay        fault = "cancel_delay"         // answered after a delay
	cancelNever        fault = "cancel_never"         // never answered
	cancel500          fault = "cancel_500"           // answered with HTTP 500
	cancelGarbage      fault = "cancel_garbage"       // answered with bytes that mean nothing
	receiptRefused     fault = "receipt_refused"      // a cash receipt is refused: nothing is issued
	receiptDelay       fault = "receipt_delay"        // it is issued, and answered after a delay
	receiptNever       fault = "receipt_never"        // it is issued, and never answered
	receipt500         fault = "receipt_500"          // it is issued, and answered with HTTP 500
	receiptGarbage     fault = "receipt_garbage"      // it is issued, and answered with bytes that mean nothing
	chargeRefused      fault = "charge_refused"       // the card company says no
	chargeDelay        fault = "charge_delay"         // the answer comes after a delay
	chargeNever        fault = "charge_never"         // it never comes
	charge500          fault = "charge_500"           // it is HTTP 500
	chargeGarbage      fault = "charge_garbage"       // it is bytes that mean nothing
)

// faultInfo explains a fault on the control page.
type faultInfo struct {
	Name    fault
	Korean  string
	English string
	Delay   time.Duration // when none is ordered; zero: the fault knows no delay
}

// faultList is every fault in the order of the control page.
func faultList() []faultInfo {
	return []faultInfo{
		{returnLost, "결과 화면 유실", "browser never returns", 0},
		{notifyLost, "통보 유실", "notification never sent", 0},
		{notifyLate, "통보 지연", "notification late", 90 * time.Second},
		{notifyDoubled, "통보 중복", "notification sent twice", 0},
		{notifyBeforeReturn, "통보가 결과보다 먼저", "notification before the return", 0},
		{notifyOutOfOrder, "통보 순서 뒤바뀜", "held until the payment's next notification", 10 * time.Minute},
		{badSignature, "서명값(SignValue) 오류", "wrong signature on result and notification", 0},
		{forgedAmount, "금액 위조 (서명은 진짜)", "browser's copy has another amount", 0},
		{forgedOrder, "주문번호 위조 (서명은 진짜)", "browser's copy has another order", 0},
		{wrongCharset, "결과 문자셋 오류", "result posted in the other charset", 0},
		{cancelDelay, "취소 응답 지연 (취소는 됨)", "cancel happens, answer late", 5 * time.Second},
		{cancelNever, "취소 무응답 (취소는 됨)", "cancel happens, no answer", 0},
		{cancel500, "취소 응답 HTTP 500 (취소는 됨)", "cancel happens, HTTP 500", 0},
		{cancelGarbage, "취소 응답 깨짐 (취소는 됨)", "cancel happens, garbage answer", 0},
		{receiptRefused, "현금영수증 거절", "cash receipt refused", 0},
		{receiptDelay, "현금영수증 응답 지연 (발급은 됨)", "receipt issued, answer late", 5 * time.Second},
		{receiptNever, "현금영수증 무응답 (발급은 됨)", "receipt issued, no answer", 0},
		{receipt500, "현금영수증 응답 HTTP 500 (발급은 됨)", "receipt issued, HTTP 500", 0},
		{receiptGarbage, "현금영수증 응답 깨짐 (발급은 됨)", "receipt issued, garbage answer", 0},
		{chargeRefused, "정기결제 거절", "charge refused by the card company", 0},
		{chargeDelay, "정기결제 응답 지연 (결제는 됨)", "charge happens, answer late", 5 * time.Second},
		{chargeNever, "정기결제 무응답 (결제는 됨)", "charge happens, no answer", 0},
		{charge500, "정기결제 응답 HTTP 500 (결제는 됨)", "charge happens, HTTP 500", 0},
		{chargeGarbage, "정기결제 응답 깨짐 (결제는 됨)", "charge happens, garbage answer", 0},
	}
}

// How long an order for a fault stands.
const (
	scopeNext   = "next"
	scopeAlways = "always"
	scopeOff    = "off"
)

// maxDelay bounds an ordered delay: longer ones are typing errors.
const maxDelay = 24 * time.Hour

// faultOrder is a standing order for one fault.
type faultOrder struct {
	Scope string
	Delay time.Duration
}

// faultOrders are the faults in force. They live in memory only: a restart behaves well again, so that a
// forgotten order does not puzzle anybody the next day.
type faultOrders struct {
	mu     sync.Mutex
	orders map[fault]faultOrder
}

func newFaultOrders() *faultOrders { return &faultOrders{orders: map[fault]faultOrder{}} }

// order sets, changes or (scope off) withdraws a fault. A zero delay means the fault's own.
func (o *faultOrders) order(name fault, scope string, delay time.Duration) error {
	i := slices.IndexFunc(faultList(), func(f faultInfo) bool { return f.Name == name })
	if i < 0 {
		return fmt.Errorf("no fault %q: want one of the names in GET /control/api/state", name)
	}
	if scope != scopeNext && scope != scopeAlways && scope != scopeOff {
		return fmt.Errorf("scope %q: want %s, %s or %s", scope, scopeNext, scopeAlways, scopeOff)
	}
	if delay < 0 || delay > maxDelay {
		return fmt.Errorf("delay %v: want 0 to %v", delay, maxDelay)
	}
	if delay == 0 {
		delay = faultList()[i].Delay
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if scope == scopeOff {
		delete(o.orders, name)
		return nil
	}
	o.orders[name] = faultOrder{scope, delay}
	return nil
}

func (o *faultOrders) clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.orders)
}

// take says whether name is to happen now, and uses up an order for the next time only.
func (o *faultOrders) take(name fault) (faultOrder, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, ok := o.orders[name]
	if ok && f.Scope == scopeNext {
		delete(o.orders, name)
	}
	return f, ok
}

// takeFirst takes the first of names that is ordered.
func (o *faultOrders) takeFirst(names ...fault) (fault, faultOrder, bool) {
	for _, n := range names {
		if f, ok := o.take(n); ok {
			return n, f, true
		}
	}
	return "", faultOrder{}, false
}

// takeAll takes those of names that are ordered.
func (o *faultOrders) takeAll(names ...fault) []fault {
	var taken []fault
	for _, n := range names {
		if _, ok := o.take(n); ok {
			taken = append(taken, n)
		}
	}
	return taken
}

func (o *faultOrders) standing() map[fault]faultOrder {
	o.mu.Lock()
	defer o.mu.Unlock()
	copied := make(map[fault]faultOrder, len(o.orders))
	for n, f := range o.orders {
		copied[n] = f
	}
	return copied
}
