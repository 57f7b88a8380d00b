package smartro

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a merchant key or a password. It prints as [redacted] through fmt, log/slog, JSON and text
// encoders; Reveal is the one way to its value. Go leaves holes that a string type cannot close: the
// verb %p, a JSON map keyed by it, and a struct printed whole that keeps one in an unexported field.
type Secret string

// Reveal returns the value, for hashing or storing it.
func (s Secret) Reveal() string { return string(s) }

// String returns [redacted].
func (s Secret) String() string { return redacted }

// Format writes [redacted] whatever the verb and its flags.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns [redacted]; JSON and XML encoders use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns [redacted].
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
