package smartro

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Inquire asks the receipt-data API what the gateway's record says of a transaction (receipts-and-queries §2).
// The merchant key travels as the apikey header, to the gateway only.
//
// The error is ErrNotProven if the answer lacks the TID, the amount or the state: that says nothing about the
// payment. The Inquiry then still carries Raw, if there was an answer.
func (c Client) Inquire(ctx context.Context, m Merchant, tid TID) (Inquiry, error) {
	return c.inquire(ctx, m, tid, Slip)
}

// InquireCashReceipt is Inquire about a cash receipt, by the TID that it was issued under.
func (c Client) InquireCashReceipt(ctx context.Context, m Merchant, tid TID) (Inquiry, error) {
	return c.inquire(ctx, m, tid, CashReceiptSlip)
}

func (c Client) inquire(ctx context.Context, m Merchant, tid TID, kind ReceiptKind) (Inquiry, error) {
	if _, err := ParseTID(string(tid)); err != nil {
		return Inquiry{}, notSent(err)
	}
	if tid.MID() != m.MID {
		return Inquiry{}, notSent(&FieldError{Field: "TID", Value: string(tid), Want: "a transaction of " + string(m.MID)})
	}
	if err := errors.Join(m.endpointFaults()...); err != nil { // the key goes there
		return Inquiry{}, notSent(err)
	}
	shape := m.InquiryShape
	body, err := json.Marshal(map[string]string{orElse(shape.TID, "tid"): string(tid), orElse(shape.Type, "type"): strconv.Itoa(int(kind))})
	if err != nil {
		return Inquiry{}, notSent(err)
	}
	header := http.Header{
		"Accept": {"application/json"}, "Accept-Charset": {"utf-8"}, "apikey": {m.Key.Reveal()},
	}
	raw, err := c.post(ctx, m.endpoints().ReceiptData, "application/json", body, header)
	if err != nil {
		return Inquiry{Raw: raw}, err
	}
	q, err := m.ParseInquiry(raw)
	if err != nil {
		return Inquiry{Raw: raw}, err
	}
	if q.TID != tid || q.MID != "" && q.MID != m.MID {
		return q, fmt.Errorf("inquiry: %w: it is about another transaction", ErrNotProven)
	}
	return q, nil
}

// ParseInquiry reads the answer of the receipt-data API: one flat JSON object, names without case and
// underscores, spelled as m.InquiryShape says. The error is ErrUnreadable, ErrAmbiguous, ErrTooLarge,
// ErrNotProven or a *FieldError, and the Inquiry is then zero.
func (m Merchant) ParseInquiry(raw []byte) (Inquiry, error) {
	fields, err := jsonFields(raw)
	if err != nil {
		return Inquiry{}, err
	}
	v := readValues(m.InquiryShape.renamed(fields), []string{"mid", "tid", "moid", "amt", "balanceamt", "statecd", "resultcode"}, nil)
	q := Inquiry{
		TID: v.tid("tid", "TID"), MID: v.mid(), Moid: v.moid(), Method: v.method(), State: v.text("statecd"),
		AuthDate: v.text("authdate"), AuthCode: v.text("authcode"), CardName: v.text("fnname"), CardCode: v.text("fncd"),
		VbankNum: v.text("vbanknum"), VbankName: v.text("vbankname"),
		RcptAppNo: v.text("rcptappno"), ReceiptType: v.text("receipttype"),
		ResultCode: v.code(), ResultMsg: v.text("resultmsg"),
	}
	if state, ok := m.InquiryShape.States[q.State]; ok {
		q.State = state
	}
	var hasAmt bool
	q.Amt, hasAmt = v.won("amt", "Amt")
	q.Balance, q.HasBalance = v.won("balanceamt", "BalanceAmt")
	if v.err != nil {
		return Inquiry{}, v.err
	}
	if q.ResultCode != "" && q.ResultCode != "0000" {
		return Inquiry{}, fmt.Errorf("inquiry: %w: result code %s", ErrNotProven, q.ResultCode)
	}
	if q.TID == "" || !hasAmt || !strings.Contains("012", q.State) || len(q.State) != 1 {
		return Inquiry{}, fmt.Errorf("inquiry: %w: TID, amount or state is missing", ErrNotProven)
	}
	q.Fields, q.Raw = fields, bytes.Clone(raw)
	return q, nil
}

// renamed gives fields the names that this package reads.
func (s InquiryShape) renamed(fields []Field) []Field {
	names := make(map[string]string, len(s.Names))
	for theirs, ours := range s.Names {
		names[fold(theirs)] = ours
	}
	out := make([]Field, len(fields))
	for i, f := range fields {
		if ours, ok := names[fold(f.Name)]; ok {
			f.Name = ours
		}
		out[i] = f
	}
	return out
}

// jsonFields reads one flat JSON object in the order that it stands. Numbers keep their digits; null is empty.
func jsonFields(raw []byte) ([]Field, error) {
	if len(raw) > MaxMessage {
		return nil, ErrTooLarge
	}
	unreadable := func(why error) error {
		return fmt.Errorf("inquiry: %w: %w", ErrUnreadable, why)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, unreadable(errors.Join(err, errors.New("no JSON object")))
	}
	var fields []Field
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, unreadable(err)
		}
		value, err := dec.Token()
		if err != nil {
			return nil, unreadable(err)
		}
		f := Field{Name: name.(string)}
		switch v := value.(type) {
		case string:
			f.Value = v
		case json.Number:
			f.Value = v.String()
		case bool:
			f.Value = fmt.Sprint(v)
		case json.Delim:
			return nil, unreadable(errors.New("a value is no text: " + f.Name))
		}
		fields = append(fields, f)
	}
	if _, err := dec.Token(); err != nil {
		return nil, unreadable(err)
	}
	return fields, nil
}
