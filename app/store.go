package app

import (
	"context"
	"time"
)

// Store keeps the shop's records, on SQLite or PostgreSQL. All methods are safe for concurrent use.
type Store interface {
	Reader
	// Update runs f in one transaction, durable when Update returns nil, undone when f returns an error.
	// f may run more than once (a lost race is tried again): it must change nothing but what it is given.
	// Inside f use only tx. It returns ErrOverload when the writer's queue stays full, or the disk is: then only
	// what is [Essential] is stored. An f that panics with [*Broken] is undone and stops all writing: that Update and
	// every later one return ErrStopped, and reading goes on. Any other panic is the error of its own Update alone.
	Update(ctx context.Context, f func(tx Tx) error) error
	// Repeated reports whether a message with this Dedupe is stored durably, and if so counts that it came again. It
	// waits for no disk: the count is written with what is stored next, and may be lost; the message is not.
	Repeated(ctx context.Context, dedupe string) (bool, error)
	// Ready reports whether the store can write now.
	Ready(ctx context.Context) error
}

// Reader reads. What is not there is ErrNotFound. Lists are never nil-checked: empty is empty.
type Reader interface {
	Order(ctx context.Context, no OrderNo) (Order, error)
	OrderByToken(ctx context.Context, token string) (Order, error)
	Orders(ctx context.Context, q OrderQuery) ([]Order, error)

	Payment(ctx context.Context, moid Moid) (Payment, error)
	PaymentByTID(ctx context.Context, mode Mode, tid TID) (Payment, error)
	PaymentByReturnToken(ctx context.Context, token string) (Payment, error)
	PaymentsOf(ctx context.Context, no OrderNo) ([]Payment, error) // oldest first
	SearchPayments(ctx context.Context, q PaymentQuery) ([]PaymentRow, error)
	// SumPayments adds up the first q.Limit of what SearchPayments lists, practice and real money apart; q.After is
	// no matter.
	SumPayments(ctx context.Context, q PaymentQuery) ([]Sums, error)
	// ReportPayments adds up by method and company what q lists, words apart: by [ClockCancelled] the cancels of what
	// was paid, otherwise what was paid.
	ReportPayments(ctx context.Context, q PaymentQuery) ([]ReportLine, error)

	Events(ctx context.Context, no OrderNo) ([]Event, error)     // of all the order's payments, by Seq
	Messages(ctx context.Context, no OrderNo) ([]Message, error) // oldest first, without Raw
	Message(ctx context.Context, id string) (Message, error)     // with Raw; looks into the ring too
	MessagesFrom(ctx context.Context, peer string, v Verdict, limit int) ([]Message, error)
	// Quarantined lists what came with a signature that fits no key, or none that is believed: oldest first, with Raw.
	Quarantined(ctx context.Context, limit int) ([]Message, error)
	// Misfits counts what came on the secret path after a time and fits nothing, or can't be read, and is told by nothing
	// else of the work list.
	Misfits(ctx context.Context, after time.Time) (int, error)
	// LastNotice is when the gateway's own word about a MID came last on the notification path; zero: never.
	LastNotice(ctx context.Context, mid MID) (time.Time, error)
	// Unheard counts the payments of a contract, at most most, that were opened in a time and not said to be
	// stopped or refused, and those of them that a browser said before its end were paid.
	Unheard(ctx context.Context, mid MID, mode Mode, from, to time.Time, most int) (opened, claimed int, err error)
	Cancels(ctx context.Context, no OrderNo) ([]Cancel, error) // oldest first
	Cancel(ctx context.Context, id string) (Cancel, error)
	CashReceipt(ctx context.Context, id string) (CashReceipt, error)
	CashReceiptByMoid(ctx context.Context, moid Moid) (CashReceipt, error)
	CashReceiptByTID(ctx context.Context, mode Mode, tid TID) (CashReceipt, error)
	CashReceiptsOf(ctx context.Context, no OrderNo) ([]CashReceipt, error) // oldest first
	CashReceipts(ctx context.Context, q CashReceiptQuery) ([]CashReceipt, error)
	// ReceiptNeeds lists the payments without the receipt that they need, the oldest first: those since before the given
	// time, or all.
	ReceiptNeeds(ctx context.Context, before time.Time, after Cursor, limit int) ([]ReceiptNeed, error)
	CancelRequests(ctx context.Context, no OrderNo) ([]CancelRequest, error) // oldest first

	RefundAsks(ctx context.Context, moid Moid) ([]RefundAsk, error) // oldest first
	RefundAskByID(ctx context.Context, id string) (RefundAsk, error)
	RefundAskByDigest(ctx context.Context, digest string) (RefundAsk, error) // of its token
	CancelRequest(ctx context.Context, id string) (CancelRequest, error)
	Holds(ctx context.Context, open bool, limit int) ([]Hold, error) // newest first; open: only those
	HoldsOf(ctx context.Context, no OrderNo) ([]Hold, error)
	Hold(ctx context.Context, id string) (Hold, error)
	Job(ctx context.Context, id string) (Job, error)
	// Worklist lists claims made and cancels sent before claimed, and refunds sent before refunded, among what needs a
	// hand. What came on the secret path with a wrong signature counts from quarantined on.
	Worklist(ctx context.Context, claimed, refunded, quarantined time.Time, limit int) (Worklist, error)

	Subscription(ctx context.Context, no SubscriptionNo) (Subscription, error)
	SubscriptionByToken(ctx context.Context, token string) (Subscription, error)
	Subscriptions(ctx context.Context, q SubscriptionQuery) ([]Subscription, error)
	Card(ctx context.Context, no SubscriptionNo, id string) (Card, error) // with its key; ErrNotFound: it is not that one's
	CardWindowByToken(ctx context.Context, returnToken string) (CardWindow, error)
	LastCardWindow(ctx context.Context, no SubscriptionNo) (CardWindow, error)
	Charge(ctx context.Context, id string) (Charge, error)
	ChargeByMoid(ctx context.Context, moid Moid) (Charge, error)
	ChargesOf(ctx context.Context, no SubscriptionNo) ([]Charge, error) // newest first

	StaffByEmail(ctx context.Context, email string) (Staff, error)
	StaffByID(ctx context.Context, id string) (Staff, error)
	AllStaff(ctx context.Context) ([]Staff, error)
	SecondFactor(ctx context.Context, staffID string) (SecondFactor, error)
	Invite(ctx context.Context, hash string) (Invite, error)
	Session(ctx context.Context, hash string) (Session, error)
	SessionsOf(ctx context.Context, staffID string) ([]Session, error) // the last used first; expired ones too
	Senders(ctx context.Context) ([]Sender, error)
	Spans(ctx context.Context, q PaymentQuery, width time.Duration) ([]SpanSum, error)
	Deposits(ctx context.Context, mode Mode, before time.Time) (Deposits, error)
	Lost(ctx context.Context, mode Mode, since time.Time) (Lost, error)
	// NotReturned lists orders with a payment that was paid since then and of which no browser told, the latest first.
	NotReturned(ctx context.Context, since time.Time, limit int) ([]OrderNo, error)
	Accounts(ctx context.Context, q AccountQuery) ([]PaymentRow, error)
	Inbox(ctx context.Context, q InboxQuery) ([]Message, error) // the newest first, without Raw
	Accesses(ctx context.Context, q AccessQuery) ([]Access, error)
	AccessCounts(ctx context.Context, from, before time.Time) ([]AccessCount, error) // by person and kind
	Review(ctx context.Context, month string) (Access, error)                        // the first of a month's record; without Words
	Setting(ctx context.Context, key string) (string, error)
	Import(ctx context.Context, id string) (Import, error)
	Imports(ctx context.Context, limit int) ([]Import, error) // the newest first, without Name, Table and Result
	HoldsOfTID(ctx context.Context, mode Mode, tid TID) ([]Hold, error)

	DeliveriesOf(ctx context.Context, no OrderNo) ([]Delivery, error)         // in the order in which they are owed
	Deliveries(ctx context.Context, mode Mode, limit int) ([]Delivery, error) // newest first

	// DueForErasure lists orders and messages, at most limit of each, that hold personal data and to which nothing
	// happened since before. What somebody still has to settle is never among them.
	DueForErasure(ctx context.Context, before time.Time, limit int) ([]OrderNo, []string, error)
	// SubscriptionsDueForErasure lists those that were stopped before and whose customer can still be read.
	SubscriptionsDueForErasure(ctx context.Context, before time.Time, limit int) ([]SubscriptionNo, error)
	// ReceiptsDueForErasure is the same for receipts that are no order's.
	ReceiptsDueForErasure(ctx context.Context, before time.Time, limit int) ([]string, error)
	// NewestApproval is the latest time of the gateway's own at which a proved payment was approved; zero: none was.
	NewestApproval(ctx context.Context) (time.Time, error)
}

// Tx is a transaction: it reads what it wrote.
type Tx interface {
	Reader

	// LockOrder reads the order and keeps every other transaction away from it and its payments until this one
	// ends. Take it before you read what you are going to change.
	LockOrder(ctx context.Context, no OrderNo) (Order, error)
	// CreateOrder returns ErrConflict if the number or the token is taken. It feeds the search index.
	CreateOrder(ctx context.Context, o Order) error
	// SaveOrder writes State, Attempts, ClosedAt and the buyer's fields.
	SaveOrder(ctx context.Context, o Order) error
	// CreatePayment returns ErrConflict if the Moid is taken. It feeds the search index.
	CreatePayment(ctx context.Context, p Payment) error
	// SavePayment writes all that [Payment.Apply] may change, and the search index. ErrConflict: the TID is
	// another payment's, or the order has a paid payment already.
	SavePayment(ctx context.Context, p Payment) error
	// AppendEvent gives the event its Seq. ErrConflict: its EffectKey is there already.
	AppendEvent(ctx context.Context, e Event) (int64, error)
	HasEffect(ctx context.Context, key string) (bool, error)
	// CountHints counts the events of a payment in which a browser told of a refusal or a stop.
	CountHints(ctx context.Context, no OrderNo, moid Moid) (int, error)
	// AddMessage stores m. If a message with its Dedupe is there already it counts that one's Copies up instead
	// and returns its ID and false. A message with Ring set goes to the ring of fixed size.
	AddMessage(ctx context.Context, m Message) (id string, fresh bool, err error)
	// JudgeMessage writes what the message turned out to be: Level, Verdict, OrderNo and About.
	JudgeMessage(ctx context.Context, m Message) error
	// TakeFromRing forgets a message of the ring, which is kept elsewhere from now on. ErrNotFound: it is not there any more.
	TakeFromRing(ctx context.Context, id string) error
	// CountClaims counts the kept (not ring) messages below T2 for this TID: the door sends more to the ring.
	CountClaims(ctx context.Context, tid TID) (int, error)
	// CountUnproved counts what is kept (not in the ring) of the secret path below T2 since then, and its bytes.
	CountUnproved(ctx context.Context, since time.Time) (n int, bytes int64, err error)

	CreateHold(ctx context.Context, h Hold) error // ErrConflict if its ID is there: what it is about is known
	SaveHold(ctx context.Context, h Hold) error

	CreateImport(ctx context.Context, i Import) error // ErrConflict: its ID is taken
	SaveImport(ctx context.Context, i Import) error   // all but what was read of the file

	CreateCancel(ctx context.Context, c Cancel) error // ErrConflict: ID used before; ErrBusy: another one is open
	SaveCancel(ctx context.Context, c Cancel) error
	CreateRefundAsk(ctx context.Context, a RefundAsk, digest string) error
	SaveRefundAsk(ctx context.Context, a RefundAsk) error // state and account
	EraseRefundAsk(ctx context.Context, id string) error
	EraseRefund(ctx context.Context, id string) error               // destroys the key of the account that a cancel, or the request of that ID, paid to
	CreateCancelRequest(ctx context.Context, q CancelRequest) error // ErrWaits: another one of the payment waits
	// SaveCancelRequest writes what was decided about a request that waits; ErrNotFound: it was decided before.
	SaveCancelRequest(ctx context.Context, q CancelRequest) error

	// LockSubscription reads the subscription and keeps every other transaction away from it until this one ends. Where
	// an order is locked, too, it is locked after it.
	LockSubscription(ctx context.Context, no SubscriptionNo) (Subscription, error)
	// CreateSubscription returns ErrConflict if the number or the token is taken.
	CreateSubscription(ctx context.Context, sub Subscription) error
	SaveSubscription(ctx context.Context, sub Subscription) error // what may change: State, KeyID, NextAt, StoppedAt, StoppedBy
	// CreateCard seals the key under a data key of its own. ErrConflict: the key or its TID is known already.
	CreateCard(ctx context.Context, c Card) error
	SaveCard(ctx context.Context, c Card) error // GoneAt
	EraseCard(ctx context.Context, id string) error
	CreateCardWindow(ctx context.Context, w CardWindow) error
	SaveCardWindow(ctx context.Context, w CardWindow) error
	CountCardWindows(ctx context.Context, no SubscriptionNo, since time.Time) (int, error)
	// CreateCharge returns ErrConflict if the period has a charge that was not refused, or that try; ErrBusy if another
	// charge of the subscription is open.
	CreateCharge(ctx context.Context, c Charge) error
	SaveCharge(ctx context.Context, c Charge) error
	// EraseSubscription destroys the data key of what is personal in it.
	EraseSubscription(ctx context.Context, no SubscriptionNo) error
	// LockCashReceipt reads the receipt and keeps every other transaction away from it. One of a payment is written under
	// its order's lock, which is taken before.
	LockCashReceipt(ctx context.Context, id string) (CashReceipt, error)
	// CreateCashReceipt returns ErrConflict if the ID is taken, and ErrReceiptThere if the payment has a live one.
	CreateCashReceipt(ctx context.Context, c CashReceipt) error
	SaveCashReceipt(ctx context.Context, c CashReceipt) error // ErrReceiptThere, too
	SetReceiptNeed(ctx context.Context, n ReceiptNeed) error  // inserts or replaces
	ClearReceiptNeed(ctx context.Context, moid Moid) error
	EraseCashReceipt(ctx context.Context, id string) error // destroys the data key of one that is no order's

	// EraseOrder destroys the order's data key, so that nobody can read any more what it sealed, and leaves nothing
	// of it in the search index.
	EraseOrder(ctx context.Context, no OrderNo) error
	EraseMessage(ctx context.Context, id string) error     // destroys the message's data key
	EraseRing(ctx context.Context, before time.Time) error // forgets strangers' messages that came before

	// SeeTime returns the highest time that it was ever told, and keeps now where that is higher by more than a
	// minute. A time that is ahead of now by more than wrong was a mistake: now takes its place.
	SeeTime(ctx context.Context, now time.Time, wrong time.Duration) (time.Time, error)

	// AddJob adds j. Where one of the same Kind and Ref is there already its attempts begin anew, and the earlier DueAt
	// wins. One that is leased stays so, but a microsecond longer: whoever does it now has not seen why it was added,
	// and can neither save nor delete it by the lease that he has. It is due again at j's time.
	AddJob(ctx context.Context, j Job) error
	// LeaseJobs takes at most limit jobs of a lane that are due and leased to nobody, until the given time.
	LeaseJobs(ctx context.Context, lane Lane, now, until time.Time, limit int) ([]Job, error)
	// SaveJob puts a leased job back and DeleteJob forgets it, for whoever holds it: lease is until when it was leased.
	// ErrConflict: it was added anew, or that lease ran out and the job is somebody else's by now, or done.
	SaveJob(ctx context.Context, j Job, lease time.Time) error
	DeleteJob(ctx context.Context, id string, lease time.Time) error

	AddDelivery(ctx context.Context, d Delivery) error  // ErrConflict: its ID or its number is taken
	SaveDelivery(ctx context.Context, d Delivery) error // what became of it, unless it was dropped meanwhile
	// DropDeliveries gives up all documents of a mode that were not told yet.
	DropDeliveries(ctx context.Context, mode Mode) error

	CreateStaff(ctx context.Context, s Staff) error // ErrConflict: the mail address is taken
	SaveStaff(ctx context.Context, s Staff) error
	LockStaff(ctx context.Context) error // keeps every other transaction away from all people until this one ends
	// LockSecondFactor reads it and keeps every other transaction away from it until this one ends.
	LockSecondFactor(ctx context.Context, staffID string) (SecondFactor, error)
	SaveSecondFactor(ctx context.Context, f SecondFactor) error // inserts or replaces
	ClearSecondFactor(ctx context.Context, staffID string) error
	CreateInvite(ctx context.Context, i Invite) error
	SaveInvite(ctx context.Context, i Invite) error
	SaveSession(ctx context.Context, s Session) error // inserts or replaces
	DeleteSession(ctx context.Context, hash string) error
	DeleteSessionsOf(ctx context.Context, staffID, exceptHash string) error
	DeleteExpiredSessions(ctx context.Context, now time.Time) error
	// EndAccess ends every session and every link that is not used up: whoever may come in signs in anew.
	EndAccess(ctx context.Context, now time.Time) error
	SaveSender(ctx context.Context, s Sender) error // inserts or replaces
	AddAccess(ctx context.Context, a Access) error  // ErrConflict: its ID is taken
	SetSetting(ctx context.Context, key, value string) error
	// CountAttempt counts one more failed sign-in under key in the window that began after since, and returns
	// how many there are now; the one that makes them full begins the window anew. What is older is forgotten,
	// whoever's it is. TakeBackAttempt says that one of them was none; ClearAttempts forgets them.
	CountAttempt(ctx context.Context, key string, since, now time.Time, full int) (int, error)
	TakeBackAttempt(ctx context.Context, key string) error
	Attempts(ctx context.Context, key string, since time.Time) (int, error)
	ClearAttempts(ctx context.Context, key string) error
}

// Cursor is the last row of the page before, for keyset paging; zero for the first page.
type Cursor struct {
	At time.Time
	ID string
}

// PaymentQuery asks for a page of payments, the newest by its clock first.
type PaymentQuery struct {
	Terms   []Find    // all of them are met
	Clock   Clock     // what From, To and the order mean
	From    time.Time // at or after; zero: no bound
	To      time.Time // before; zero: no bound
	Methods []Method  // empty: all
	States  []State   // empty: all
	Mode    Mode      // empty: both
	MID     MID       // empty: all
	Device  Device    // empty: all
	Proofs  []Proof   // empty: all
	Staff   string    // who asked for it, or for a cancel of it; empty: all
	After   Cursor
	Limit   int
}

// Find is one term of the search box, read: any of the set readings may be met (they are alternatives). See [ReadSearch].
type Find struct {
	Word   string // as typed
	Field  string // the one field that it is to be met in, of [MatchedBy]; empty: any
	Text   string // part of a name, of goods or of a mail address, as typed: the store folds it
	Exact  string // TID, Moid, order number or approval number, upper case as typed; of the field mid a MID
	Part   string // part of a TID or Moid: 3 characters and more
	Digits string // part of a phone or account number, end of a card number: 3 to 20 digits
	Amount Won    // at least, and
	Most   Won    // at most
	HasAmt bool
	Short  bool // no index knows it: looked at in the rows that the other terms find
}

// PaymentRow is one line of the list.
type PaymentRow struct {
	Payment
	Goods      string
	OrderState OrderState
	OpenHolds  int
	OpenCancel CancelState // of the open cancel; empty: none
	When       time.Time   // by the clock that was asked for
	Back       Won         // of what was paid: all that went back, or by [ClockCancelled] what did in the period
}

// OrderQuery asks for a page of payment requests, newest first.
type OrderQuery struct {
	States []OrderState
	Asked  bool // only those that a person made a link for, and no period of a subscription
	After  Cursor
	Limit  int
}

// Worklist is what needs a person's hand.
type Worklist struct {
	Requests []CancelRequest // cancels that wait for another person
	Refunds  []RefundAsk     // accounts that buyers entered, and nobody paid back to yet
	Claimed  []Payment       // claimed before the given time and still not proved, those of accounts last
	Charges  []Charge        // that wait for a person
	Cancels  []Cancel        // unknown, or sent or a refund accepted before the given times, without an answer or a payout
	Holds    []Hold          // open
	Senders  []Sender        // asked
	GivenUp  []Job           // tried many times, in vain
	Unjudged int
	// Quarantined came on the secret path, and its signature fits no key that is believed.
	Quarantined int
	Misfits     int          // came on the secret path and fit nothing, since a person last said that they looked
	Silent      *NoticeState // no notification comes; nil: they do, or none is expected

	Receipts []CashReceipt // of unknown outcome, or standing where they should not
	Needs    []ReceiptNeed // payments without a cash receipt on the third day and later
}

// Job is something that we still owe: an inquiry, a look at the clock. At least once, by lease.
type Job struct {
	ID         string
	Kind       JobKind
	Ref        string    // Moid or cancel ID
	DueAt      time.Time // zero: given up, until a person has it tried again
	LeaseUntil time.Time
	Attempts   int
	LastError  string
	CreatedAt  time.Time
}

// JobKind names what is to be done.
type JobKind string

// The kinds of jobs.
const (
	JobInquirePayment JobKind = "inquire_payment" // Ref: Moid of a claimed payment, or of one that a person vouched for
	JobInquireCancel  JobKind = "inquire_cancel"  // Ref: ID of an unknown cancel
	JobExpire         JobKind = "expire"          // Ref: Moid: look at the clock
	JobRejudge        JobKind = "rejudge"         // Ref: message ID
	JobSubscription   JobKind = "subscription"    // Ref: its number and the day: a charge is due
	JobCharge         JobKind = "charge"          // Ref: charge ID: send it, and look after it
	JobRetryCharge    JobKind = "retry_charge"    // Ref: ID of the refused one
	JobEraseKey       JobKind = "erase_key"       // Ref: subscription and card ID
	JobImport         JobKind = "import"          // Ref: ID of an import that is being applied
	JobLapse          JobKind = "lapse"           // Ref: ID of a cancel that waits for another person
	JobForgetAccount  JobKind = "forget_account"  // Ref: ID of a refund account that a buyer was asked for, and the day of another look
	JobForgetRefund   JobKind = "forget_refund"   // Ref: ID of a cancel, or of one that waits for another person, and the day of another look
	JobTell           JobKind = "tell"            // Ref: order number: the shop's own system is owed documents about it
	JobCashReceipt    JobKind = "cash_receipt"    // Ref: ID of a cash receipt: send it, look after it, take it back
	JobOwnReceipt     JobKind = "own_receipt"     // Ref: Moid of a payment that may need a cash receipt of the shop's own
)

// Lane is who does a job. What calls the shop's own system has a lane of its own, so that a system which answers slowly
// keeps nothing waiting that has to do with money.
type Lane int

// The lanes.
const (
	LaneMoney Lane = iota
	LaneTell
)
