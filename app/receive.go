package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"gage/smartro"
)

// Arrival is what came in at one of the gateway's three doors, as it came.
type Arrival struct {
	Channel     Channel
	Secret      string     // of the notification path; empty: none was in the URL
	Peer        netip.Addr // direct sender, or the listed proxy's client
	ContentType string
	Headers     string // for the record, one "Name: value" a line: they tell a browser, see [FromBrowser]
	Body        []byte
	Query       string // raw; read on the notification path when the body is empty
	Token       string // return token of the URL that the browser came back to
}

// Received says what became of an arrival that is stored.
type Received struct {
	OrderToken string // of the page to show: only when the return token proved which one
	Verdict    Verdict
}

// Sizes of what is kept of strangers' words.
const (
	ringBody     = 4 << 10 // bytes kept of a message without a good signature
	claimsPerTID = 20      // signed browser messages kept a TID; more go to the ring
)

// What is kept, whole and for as long as the records, of what came on the secret path and is not believed yet: the gateway
// may have signed it with a key that is still to be entered here. Beyond it whoever learned the path shares the ring.
const (
	unprovedSpan  = 30 * 24 * time.Hour
	unprovedMost  = 10_000
	unprovedBytes = 32 << 20
)

// depositGrace is how long after the due date a deposit that was made in time may still be told.
const depositGrace = 10 * time.Minute

// reading is an arrival understood, before anything was believed.
type reading struct {
	msg      Message
	notice   smartro.Notice
	merchant smartro.Merchant
	kind     EventKind // empty: nothing that could change a payment
	sender   SenderState
	paths    []Mode // whose notification URL it came on; none: it did not come on one, or is judged again
}

// Receive is the one door: it stores what arrived, believes it as far as its way and signature allow, and lets it
// change what it may, all in one durable transaction. An error means that nothing may be acknowledged.
func (s *Shop) Receive(ctx context.Context, a Arrival) (Received, error) {
	rd, err := s.read(ctx, a)
	if err != nil {
		return Received{}, err
	}
	verdict, err := s.take(ctx, rd, a.Token)
	if err != nil {
		return Received{}, err
	}
	// crash point: message and effect durable, nobody told
	out := Received{Verdict: verdict}
	if p, err := s.paymentOfToken(ctx, s.Store, a.Token, rd.notice); err == nil {
		if o, err := s.Store.Order(ctx, p.OrderNo); err == nil {
			out.OrderToken = o.Token
		}
	}
	return out, nil
}

// take stores what was read and judges it, and says what it turned out to be. A repeat of what is stored waits for
// nobody; an unknown sender's is counted where staff are asked about him.
func (s *Shop) take(ctx context.Context, rd reading, token string) (Verdict, error) {
	if rd.msg.Level >= T1 && rd.msg.Verdict != VerdictUnknownSender {
		if known, err := s.Store.Repeated(ctx, rd.msg.Dedupe); known || err != nil {
			return VerdictDuplicate, err
		}
	}
	var touched []OrderNo
	msg := rd.msg
	err := s.Store.Update(ctx, func(tx Tx) error {
		msg, touched = rd.msg, nil
		if err := s.admit(ctx, tx, &msg); err != nil {
			return err
		}
		id, fresh, err := tx.AddMessage(ctx, msg)
		if err != nil {
			return err
		}
		msg.ID = id
		// crash point: message added, not judged
		if !fresh && !msg.Ring {
			if msg.Level >= T1 {
				msg.Verdict = VerdictDuplicate
			}
			return nil
		}
		if touched, err = s.judge(ctx, tx, rd, &msg, token); err != nil {
			return err
		}
		return tx.JudgeMessage(ctx, msg)
	})
	if err != nil && !errors.Is(err, ErrOverload) && ctx.Err() == nil {
		msg, err = s.keepUnjudged(ctx, rd, err)
	}
	if err == nil && len(touched) > 0 {
		s.changed(touched...)
	}
	return msg.Verdict, err
}

// keepUnjudged stores a message whose judging failed, so that it is never lost, and has it judged again later.
func (s *Shop) keepUnjudged(ctx context.Context, rd reading, cause error) (Message, error) {
	s.Log.Error("judging a message failed: it is kept and judged again", "message", rd.msg.ID, "error", cause)
	msg := rd.msg
	msg.Verdict = VerdictUnjudged
	err := s.Store.Update(ctx, func(tx Tx) error {
		id, fresh, err := tx.AddMessage(ctx, msg)
		if err != nil || !fresh {
			return err
		}
		return tx.AddJob(ctx, Job{ID: newToken(), Kind: JobRejudge, Ref: id, DueAt: s.Now().Add(time.Minute), CreatedAt: s.Now()})
	})
	return msg, err
}

// read understands an arrival. It only fails when the store does.
func (s *Shop) read(ctx context.Context, a Arrival) (reading, error) {
	raw := a.Body
	if len(raw) == 0 && (a.Channel == ChannelNotify || a.Channel == ChannelStop) {
		raw = []byte(a.Query)
	}
	rd := reading{msg: Message{
		ID: newToken(), Channel: a.Channel, At: s.Now(), Peer: a.Peer.Unmap().String(), ContentType: a.ContentType,
		Headers: a.Headers, Raw: raw, RawLen: len(raw), SHA256: digest(raw), Verdict: VerdictUnreadable,
	}}
	modes, err := s.secretModes(ctx, a.Secret)
	if err != nil {
		return rd, err
	}
	rd.paths, rd.msg.SecretOK = modes, len(modes) > 0
	if a.Channel == ChannelStop {
		rd.msg.Verdict, rd.kind = VerdictHint, Stop
		rd.msg.Dedupe = digest([]byte("stop\n" + a.Token + "\n" + string(raw)))
		return rd, nil
	}
	return rd, s.understand(ctx, &rd, a, s.latest())
}

// understand reads a message's bytes and sees how far it may be believed by its signature, its way and its sender. What
// is no notice stays what it is. A key counts that is believed at the given time. It only fails when the store does.
func (s *Shop) understand(ctx context.Context, rd *reading, a Arrival, when time.Time) error {
	browser := FromBrowser(rd.msg.Headers)
	rd.msg.Dedupe = dedupeKey(rd.msg, browser, nil)
	all, err := s.contracts(ctx, s.Store)
	if err != nil || len(all) == 0 {
		return err
	}
	n, err := s.Gateway(all[0].Merchant).ReadNotice(rd.msg.Raw, charsetOf(a, all[0].Merchant))
	if err != nil {
		return nil
	}
	c, attempt, err := s.contractFor(ctx, s.Store, all, n)
	if err != nil {
		return err
	}
	rd.take(n, a, c, attempt, when)
	if rd.paths != nil && !slices.ContainsFunc(rd.paths, func(m Mode) bool { return m == "" || m == rd.merchant.Mode }) {
		rd.msg.SecretOK = false // it is the URL of the other mode: practice says nothing about real money
	}
	if rd.msg.Level == T1 && rd.msg.SecretOK {
		if rd.sender, err = s.knownSender(ctx, s.Store, rd.merchant.Mode, a.Peer); err != nil {
			return err
		}
		rd.trust(browser)
	}
	rd.msg.Dedupe = dedupeKey(rd.msg, browser, n.Fields)
	return nil
}

// take copies what the notice says into the record, and checks its signature.
func (rd *reading) take(n smartro.Notice, a Arrival, c contract, attempt int, when time.Time) {
	rd.notice, rd.merchant = n, c.Merchant
	kind := n.Kind(rd.merchant)
	m := &rd.msg
	m.MID, m.Moid, m.TID, m.Code, m.Amount, m.Kind = n.MID, n.Moid, n.TID, n.ResultCode, n.Amt, string(kind)
	m.Level, m.Verdict = T0, VerdictBadSignature
	var err error
	m.KeyVersion, err = c.verify(n, attempt, when)
	switch {
	case err == nil:
		m.Level, m.Verdict = T1, VerdictClaim
	case errors.Is(err, errOldKey):
		m.Verdict = VerdictOldKey
	case errors.Is(err, smartro.ErrMID):
		m.Verdict = VerdictWrongMID
	case n.SignValue == "":
		m.Verdict = VerdictUnsigned
	}
	rd.kind = eventKind(kind, m.Level, a.Channel)
}

// FromBrowser says whether the headers that were kept of a request are such as only browsers send, or their scripts: the
// gateway's server sends none of them. They are asked again whenever the message is judged again.
func FromBrowser(headers string) bool {
	for line := range strings.Lines(headers) {
		name, _, _ := strings.Cut(line, ":")
		if name == "Origin" || name == "Cookie" || strings.HasPrefix(name, "Sec-Fetch-") {
			return true
		}
	}
	return false
}

// trust lifts a correctly signed message on the secret path to the gateway's own word, if its sender is known.
func (rd *reading) trust(browser bool) {
	switch {
	case browser:
		rd.msg.Verdict = VerdictSecretLeaked
	case rd.sender == SenderApproved:
		rd.msg.Level, rd.msg.Verdict = T2, VerdictGood
	default:
		rd.msg.Verdict = VerdictUnknownSender
	}
}

// charsetOf decides by channel and setting, never by guessing: we order UTF-8 results from the browser's way, and
// the notice's charset is set in the merchant site.
func charsetOf(a Arrival, m smartro.Merchant) smartro.Charset {
	if a.Channel == ChannelReturn {
		return smartro.UTF8
	}
	if m.NoticeCharset == "" {
		return smartro.EUCKR
	}
	return m.NoticeCharset
}

// dedupeKey recognises an exact repeat on the same way: all decoded pairs in any order, or the bytes of what
// could not be decoded. How far it was believed is part of it, and so is a sender that nobody vouched for yet: a
// stranger who foretells the gateway's words must not make them a repeat of his own.
func dedupeKey(m Message, browser bool, fields []smartro.Field) string {
	text := string(m.Raw)
	if fields != nil {
		lines := make([]string, 0, len(fields))
		for _, f := range fields {
			lines = append(lines, fmt.Sprintf("%q=%q", f.Name, f.Value))
		}
		slices.Sort(lines)
		text = strings.Join(lines, "\n")
	}
	sender := ""
	if m.SecretOK && m.Level < T2 {
		sender = m.Peer
	}
	return digest(fmt.Appendf(nil, "%s\n%t\n%t\n%d\n%s\n%s", m.Channel, m.SecretOK, browser, m.Level, sender, text))
}

// eventKind translates the protocol's word for what happened, as far as the level lets it be said.
func eventKind(k smartro.Kind, l Level, ch Channel) EventKind {
	switch k {
	case smartro.Approved:
		if l == T0 {
			return ReturnUnsigned
		}
		return Approved
	case smartro.Issued:
		if l == T0 {
			return ReturnUnsigned
		}
		return VbankIssued
	case smartro.Deposited:
		return Deposited
	case smartro.Cancelled:
		return CancelNotice
	case smartro.Refunded:
		return RefundNotice
	case smartro.AlreadyCancelled:
		return AlreadyCancelled
	case smartro.ReceiptIssued:
		return ReceiptNotice
	case smartro.Failed, smartro.Unknown:
		if ch == ChannelReturn {
			return ReturnFailure
		}
	}
	return ""
}

// admit decides where the message is kept, and counts an unknown sender.
func (s *Shop) admit(ctx context.Context, tx Tx, msg *Message) error {
	var err error
	if msg.Ring, err = s.forRing(ctx, tx, *msg); err != nil {
		return err
	}
	if msg.Ring && len(msg.Raw) > ringBody {
		msg.Raw = msg.Raw[:ringBody]
	}
	return countSender(ctx, tx, *msg)
}

// forRing says whether a message goes to the strangers' ring: without a good signature, or because it says the same
// transaction for the twenty-first time through a browser. What a server brought on the secret path does not: it was
// answered OK, and a key or a person's word may prove it yet.
func (s *Shop) forRing(ctx context.Context, tx Tx, msg Message) (bool, error) {
	if msg.Level >= T2 {
		return false, nil
	}
	if msg.SecretOK && !FromBrowser(msg.Headers) {
		n, bytes, err := tx.CountUnproved(ctx, msg.At.Add(-unprovedSpan))
		if err != nil || n < unprovedMost && bytes+int64(len(msg.Raw)) <= unprovedBytes {
			return false, err
		}
	}
	if msg.Level == T0 {
		return true, nil
	}
	n, err := tx.CountClaims(ctx, msg.TID)
	return n >= claimsPerTID, err
}

// countSender counts a message from an address on the secret path that nobody vouched for: staff are asked about it.
func countSender(ctx context.Context, tx Tx, msg Message) error {
	if msg.Verdict != VerdictUnknownSender {
		return nil
	}
	all, err := tx.Senders(ctx)
	if err != nil {
		return err
	}
	sender := Sender{Addr: msg.Peer, State: SenderAsked, FirstAt: msg.At}
	for _, known := range all {
		if known.Addr == msg.Peer {
			sender = known
		}
	}
	sender.LastAt, sender.Count = msg.At, sender.Count+1
	return tx.SaveSender(ctx, sender)
}

// paymentOfToken finds the payment whose form carried this return token, in the URL or echoed by the gateway.
func (s *Shop) paymentOfToken(ctx context.Context, r Reader, token string, n smartro.Notice) (Payment, error) {
	if token == "" {
		token, _ = strings.CutPrefix(n.MallReserved, "rt=")
	}
	if len(token) < 16 || !isID(token) {
		return Payment{}, ErrNotFound
	}
	return r.PaymentByReturnToken(ctx, token)
}
