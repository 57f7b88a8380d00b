package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gage/smartro"
)

const ledgerFile = "sandbox-ledger.jsonl"

// entry is one line of the ledger: what changed together. The last word on a payment, a notification or the
// settings wins, so reading the lines in order gives the present.
type entry struct {
	At       time.Time `json:"at"`
	Payment  *payment  `json:"payment,omitempty"`
	Notices  []notice  `json:"notices,omitempty"`
	Settings *settings `json:"settings,omitempty"`
	Key      string    `json:"key,omitempty"` // the merchant key from now on

	CashReceipt *cashReceipt `json:"cash_receipt,omitempty"`
}

func (e entry) empty() bool {
	return e.Payment == nil && len(e.Notices) == 0 && e.Settings == nil && e.Key == "" && e.CashReceipt == nil
}

// settings are what the merchant site lets a shop choose about notifications (weblink §7).
type settings struct {
	NotifyURL string          `json:"notify_url"`
	Every     time.Duration   `json:"every"`
	Count     int             `json:"count"`
	Charset   smartro.Charset `json:"charset"`
	ByGET     bool            `json:"by_get"`
	WholeOK   bool            `json:"whole_ok"` // OK must be the whole answer
}

// view is the present, as the entries tell it. Only the ledger changes it.
type view struct {
	payments  map[smartro.TID]payment
	order     []smartro.TID // of opening
	sessions  map[string]smartro.TID
	tids      map[smartro.TID]bool // taken, those of partial cancels too
	accounts  map[string]smartro.TID
	keys      map[string]smartro.TID // billing keys, and the windows that issued them
	notices   map[int64]notice
	unsettled map[int64]bool // notices still to be sent
	sending   map[int64]bool // of those, being sent just now; not in the file
	lastID    int64
	lastSeq   int64
	settings  settings
	key       string // ordered; empty: the configured one

	receipts     map[smartro.TID]cashReceipt // by their own TID
	receiptOrder []smartro.TID               // of issuing
}

// ledger is an append-only file of entries and the view of them. Its methods may be called concurrently.
type ledger struct {
	mu     sync.Mutex
	file   *os.File // nil: memory only
	size   int64    // bytes of whole lines
	broken error    // the file could not be brought back to whole lines
	view   view
}

// openLedger reads the file in dir back, making both if need be.
func openLedger(dir string) (*ledger, error) {
	l := &ledger{view: newView()}
	if dir == "" {
		return l, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, ledgerFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	l.file = f
	if err := l.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", f.Name(), err), f.Close())
	}
	return l, nil
}

func newView() view {
	return view{
		payments: map[smartro.TID]payment{}, sessions: map[string]smartro.TID{}, tids: map[smartro.TID]bool{},
		accounts: map[string]smartro.TID{}, notices: map[int64]notice{}, unsettled: map[int64]bool{}, sending: map[int64]bool{},
		receipts: map[smartro.TID]cashReceipt{}, keys: map[string]smartro.TID{},
		settings: settings{Every: time.Minute, Count: 5, Charset: smartro.EUCKR},
	}
}

// load applies every whole line and cuts off a torn last one: its writer never heard that it was stored.
func (l *ledger) load() error {
	r := bufio.NewReader(l.file)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		l.view.apply(e)
		l.size += int64(len(line))
	}
	if err := l.file.Truncate(l.size); err != nil {
		return err
	}
	_, err := l.file.Seek(l.size, io.SeekStart)
	return err
}

// read shows f the present. f must keep nothing of the view.
func (l *ledger) read(f func(*view)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.view)
}

// update stores what f makes of the present: durably, and only then visibly. f must change nothing itself.
func (l *ledger) update(f func(*view) (entry, error)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, err := f(&l.view)
	if err != nil || e.empty() {
		return err
	}
	if err := l.write(e); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	l.view.apply(e)
	return nil
}

func (l *ledger) write(e entry) error {
	if l.broken != nil {
		return l.broken
	}
	if l.file == nil {
		return nil
	}
	var line bytes.Buffer
	if err := json.NewEncoder(&line).Encode(e); err != nil {
		return err
	}
	if _, err := l.file.Write(line.Bytes()); err != nil {
		return errors.Join(err, l.rewind())
	}
	if err := l.file.Sync(); err != nil {
		return errors.Join(err, l.rewind())
	}
	l.size += int64(line.Len())
	return nil
}

// rewind takes half a line away again; if even that fails, nothing more is written behind it.
func (l *ledger) rewind() error {
	err := l.file.Truncate(l.size)
	if err == nil {
		_, err = l.file.Seek(l.size, io.SeekStart)
	}
	if err != nil {
		l.broken = fmt.Errorf("closed after a failed write: %w", err)
	}
	return err
}

func (l *ledger) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(l.broken, os.ErrClosed) {
		return nil
	}
	l.broken = os.ErrClosed
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

func (v *view) apply(e entry) {
	if p := e.Payment; p != nil {
		if _, known := v.payments[p.TID]; !known {
			v.order = append(v.order, p.TID)
		}
		v.payments[p.TID] = *p
		v.sessions[p.Session] = p.TID
		v.tids[p.TID] = true
		for _, c := range p.Cancels {
			v.tids[c.TID] = true
		}
		if p.Paid.VbankNum != "" {
			v.accounts[p.Paid.VbankNum] = p.TID
		}
		if p.Paid.BillingKey != "" {
			v.keys[p.Paid.BillingKey] = p.TID
		}
	}
	for _, n := range e.Notices {
		v.notices[n.ID] = n
		v.lastID, v.lastSeq = max(v.lastID, n.ID), max(v.lastSeq, n.Seq)
		if n.State == noticeWaiting || n.State == noticeHeld {
			v.unsettled[n.ID] = true
		} else {
			delete(v.unsettled, n.ID)
		}
	}
	if c := e.CashReceipt; c != nil {
		if !v.tids[c.TID] {
			v.receiptOrder = append(v.receiptOrder, c.TID)
		}
		v.receipts[c.TID], v.tids[c.TID] = *c, true
	}
	if e.Settings != nil {
		v.settings = *e.Settings
	}
	if e.Key != "" {
		v.key = e.Key
	}
}

// bySession finds the payment of a window.
func (v *view) bySession(session string) (payment, bool) {
	p, ok := v.payments[v.sessions[session]]
	return p, ok && session != ""
}
