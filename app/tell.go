package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gage/smartro"
)

// document is what the shop's own system is told, as docs/hook.md describes it. There is nothing of the buyer in it.
type document struct {
	ID      string        `json:"id"`
	Version int           `json:"version"`
	Event   News          `json:"event"`
	Mode    string        `json:"mode"` // practice or real
	At      time.Time     `json:"at"`   // UTC
	Order   documentOrder `json:"order,omitzero"`
	Payment *documentPay  `json:"payment,omitempty"`
}

type documentOrder struct {
	Number   OrderNo    `json:"number"`
	State    OrderState `json:"state"`
	Amount   Won        `json:"amount"`
	Epoch    int        `json:"epoch"`
	Sequence int        `json:"sequence"`
}

type documentPay struct {
	Number    Moid   `json:"number"`
	State     State  `json:"state"`
	Method    Method `json:"method"`
	TID       TID    `json:"tid"`
	Approved  Won    `json:"approved"`
	Cancelled Won    `json:"cancelled"`
	Returning Won    `json:"returning"` // asked back, not known to be back
	Late      bool   `json:"late"`
}

// newsTest is the event of a document that only tries the way.
const newsTest = News("test")

// modeWord is a mode as the documents say it.
func modeWord(m Mode) string {
	if m == smartro.Real {
		return "real"
	}
	return "practice"
}

// newsOf is what an event that made next of p is for the shop's own system; empty: nothing.
func newsOf(p, next Payment, e Event) News {
	if e.What() == MoneyApart {
		return NewsMoneyApart
	}
	if next.State == p.State {
		if next.Cancelled == p.Cancelled {
			return ""
		}
		if next.State == Held {
			return NewsHeld
		}
		return NewsPartlyCancelled
	}
	switch next.State {
	case Paid:
		return NewsPaid
	case WaitingDeposit:
		return NewsWaiting
	case PartlyCancelled:
		return NewsPartlyCancelled
	case Cancelled:
		return NewsCancelled
	case Held:
		return NewsHeld
	case Expired:
		if p.State != Opened { // a window that nobody used is none
			return NewsExpired
		}
	}
	return ""
}

// tell owes the shop's own system a document about an order that the transaction has locked and changed; p: and about
// this payment. Where there is no hook for it, or none for such news, it owes nothing.
func (s *Shop) tell(ctx context.Context, tx Tx, no OrderNo, p *Payment, news News, at time.Time) error {
	if news == "" {
		return nil
	}
	o, err := tx.Order(ctx, no)
	if err != nil {
		return err
	}
	h, err := s.hook(ctx, tx, o.Mode)
	if err != nil || !h.On() || !slices.Contains(h.News, news) {
		return err
	}
	before, err := tx.DeliveriesOf(ctx, no)
	if err != nil {
		return err
	}
	epoch, err := epochOf(ctx, tx)
	if err != nil {
		return err
	}
	d := Delivery{ID: newToken(), OrderNo: no, Epoch: epoch.N, Seq: 1, Mode: o.Mode, News: news, At: at, State: DeliveryWaiting}
	if len(before) > 0 {
		d.Seq = before[len(before)-1].Seq + 1
	}
	doc := document{
		ID: d.ID, Version: 1, Event: news, Mode: modeWord(o.Mode), At: at.UTC(),
		Order: documentOrder{Number: no, State: o.State, Amount: o.Amount, Epoch: d.Epoch, Sequence: d.Seq},
	}
	if p != nil {
		d.Moid = p.Moid
		doc.Payment = &documentPay{
			Number: p.Moid, State: p.State, Method: p.Method, TID: p.TID, Approved: p.Approved, Cancelled: p.Cancelled, Returning: p.Reserved, Late: p.Late,
		}
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	d.Body = string(body)
	if err := tx.AddDelivery(ctx, d); err != nil {
		return err
	}
	return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobTell, Ref: string(no), DueAt: s.latest(), CreatedAt: at})
}

// tellNext takes the oldest document that an order's hook is owed to it. A later one waits for it: each is a job's work
// of its own, one after the other.
func (s *Shop) tellNext(ctx context.Context, no OrderNo) error {
	list, err := s.Store.DeliveriesOf(ctx, no)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(d Delivery) bool { return d.State == DeliveryWaiting })
	if i < 0 {
		return nil
	}
	d := list[i]
	h, err := s.hook(ctx, s.Store, d.Mode)
	if err != nil {
		return err
	}
	var sent error
	d.Tries++
	d.Tried, d.Status, d.Fault = s.Now(), 0, ""
	switch {
	case !h.On(): // taken away just now
		d.State = DeliveryDropped
	default:
		if d.Status, sent = s.carry(ctx, h, d.Mode, d.ID, []byte(d.Body)); sent == nil {
			d.State = DeliveryDone
		} else {
			d.Fault = faultOf(sent)
		}
		// crash point: hook answered, not noted
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(sent, s.Store.Update(ctx, func(tx Tx) error { return tx.SaveDelivery(ctx, d) }))
}

// owesMore says, under the order's lock, whether a job that is done has more to do.
func (s *Shop) owesMore(ctx context.Context, tx Tx, j Job) (bool, error) {
	if j.Kind != JobTell {
		return false, nil
	}
	if _, err := tx.LockOrder(ctx, OrderNo(j.Ref)); err != nil {
		return false, err
	}
	list, err := tx.DeliveriesOf(ctx, OrderNo(j.Ref))
	return slices.ContainsFunc(list, func(d Delivery) bool { return d.State == DeliveryWaiting }), err
}

// carry signs a body as of now and takes it there. Any answer but a 2xx is a *CarryError.
func (s *Shop) carry(ctx context.Context, h Hook, mode Mode, id string, body []byte) (int, error) {
	now := s.Now()
	signature := SignHook(h.Secret, now, id, body)
	if h.Old != "" && now.Before(h.OldUntil) {
		signature += "," + SignHook(h.Old, now, id, body)
	}
	status, err := s.Carrier.Carry(ctx, Parcel{URL: h.URL, Mode: mode, Body: body, Header: map[string]string{
		"Content-Type": "application/json", "Gage-Id": id, "Gage-Time": strconv.FormatInt(now.Unix(), 10), "Gage-Mode": modeWord(mode), "Gage-Signature": signature,
	}})
	switch {
	case err != nil:
		return status, err
	case status >= 300 && status < 400:
		return status, &CarryError{Code: CarryRedirect}
	case status < 200 || status >= 300:
		return status, &CarryError{Code: CarryStatus, Err: fmt.Errorf("status %d", status)}
	}
	return status, nil
}

func faultOf(err error) CarryCode {
	var fault *CarryError
	if errors.As(err, &fault) {
		return fault.Code
	}
	return CarryBroken
}

// SignHook is one signature of a document: v1= and the HMAC-SHA256, in hex, of the time in whole seconds since 1970
// UTC, the ID and the body with full stops between them.
func SignHook(secret Secret, at time.Time, id string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	fmt.Fprintf(mac, "%d.%s.", at.Unix(), id)
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Tried is what came of a test.
type Tried struct {
	Status int       // of the answer; 0: none
	Fault  CarryCode // empty: it arrived
	Took   time.Duration
}

// TryHook sends a document that says "test" and nothing of any order, now and once. ErrNotFound: there is no
// hook.
func (s *Shop) TryHook(ctx context.Context, actor Staff, mode Mode) (Tried, error) {
	h, err := s.Hook(ctx, actor, mode)
	if err != nil {
		return Tried{}, err
	}
	if !h.On() {
		return Tried{}, fmt.Errorf("hook of %s: %w", mode, ErrNotFound)
	}
	began := s.Now()
	doc := document{ID: newToken(), Version: 1, Event: newsTest, Mode: modeWord(mode), At: began.UTC()}
	body, err := json.Marshal(doc)
	if err != nil {
		return Tried{}, err
	}
	var t Tried
	if t.Status, err = s.carry(ctx, h, mode, doc.ID, body); err != nil {
		t.Fault = faultOf(err)
	}
	t.Took = s.Now().Sub(began)
	return t, nil
}
