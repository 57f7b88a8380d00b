package app

import "time"

// Channel is the way on which a message came.
type Channel string

// The channels.
const (
	ChannelReturn Channel = "return" // POST /smartro/return, by the buyer's browser
	ChannelStop   Channel = "stop"   // /smartro/stop, by the buyer's browser
	ChannelNotify Channel = "notify" // /smartro/notify, by the gateway's server if the secret says so
	ChannelAnswer Channel = "answer" // the gateway's answer to a call of ours
)

// Verdict is what a message turned out to be.
type Verdict string

// The verdicts.
const (
	VerdictGood          Verdict = "good"
	VerdictDuplicate     Verdict = "duplicate"      // told before: nothing changed
	VerdictHint          Verdict = "hint"           // a failure or stop told by a browser
	VerdictClaim         Verdict = "claim"          // signed, but through a browser
	VerdictUnsigned      Verdict = "unsigned"       // no signature
	VerdictBadSignature  Verdict = "bad_signature"  //
	VerdictOldKey        Verdict = "old_key"        // signed with a key of ours that is not believed any more
	VerdictUnreadable    Verdict = "unreadable"     // no notice at all, or a decisive field twice
	VerdictUnknownOrder  Verdict = "unknown_order"  //
	VerdictWrongAmount   Verdict = "wrong_amount"   //
	VerdictWrongMID      Verdict = "wrong_mid"      //
	VerdictOtherTID      Verdict = "other_tid"      // the TID belongs to another payment
	VerdictUnknownSender Verdict = "unknown_sender" // right path, right signature, an address nobody vouched for
	VerdictSecretLeaked  Verdict = "secret_leaked"  // the secret path, but called by a browser
	VerdictHeld          Verdict = "held"           // money kept apart
	VerdictParked        Verdict = "parked"         // a cancel that came before its approval: judged with it
	VerdictReview        Verdict = "review"         // proved, but it does not fit: a person looks
	VerdictUnjudged      Verdict = "unjudged"       // stored, but judging it failed: judged again later
)

// Message is bytes that came from the gateway, or from somebody who claims to be it. It is stored before it is
// judged and never changed; only Copies counts on.
type Message struct {
	ID          string
	Channel     Channel
	At          time.Time
	Peer        string // address of the direct sender, or of the listed proxy's client
	SecretOK    bool   // came in on the secret notification path
	ContentType string
	Headers     string // the few that matter for judging, one "Name: value" a line
	Erased      bool   // Raw was destroyed after its term
	Raw         []byte // the body (or query) as it came; in the ring at most 4 KiB of it
	RawLen      int    // full length in bytes
	SHA256      string // hex, of the whole
	Dedupe      string // digest over all decoded pairs, channel level and mode: an exact repeat
	Copies      int64  // how often it came
	Ring        bool   // kept in the ring of fixed size: it carries no good signature

	// As read, believed by nobody until judged:
	MID        MID
	Moid       Moid
	TID        TID
	Code       string
	Amount     Won
	Kind       string // smartro.Kind
	Level      Level
	Verdict    Verdict
	KeyVersion int     // of the merchant key that fits its signature, believed or not; 0: none
	OrderNo    OrderNo // of the payment it was matched with; empty: none
	About      Moid    // the payment it was matched with; empty: none
}
