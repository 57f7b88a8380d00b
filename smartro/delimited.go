package smartro

import (
	"bytes"
	"fmt"
	"strings"
)

// delimited reads a text answer of the gateway's URL calls: values joined by "!@#", each EUC-KR percent text, as many as
// there are names (billing §2). The error is ErrTooLarge, or ErrUnreadable for any other number of values.
func delimited(raw []byte, names []string) ([]Field, error) {
	if len(raw) > MaxMessage {
		return nil, ErrTooLarge
	}
	line := bytes.TrimSpace(raw)
	if bytes.ContainsAny(line, "<>{}\r\n") {
		return nil, fmt.Errorf("%w: not one line of values", ErrUnreadable)
	}
	values := strings.Split(string(line), "!@#")
	if len(values) != len(names) {
		return nil, fmt.Errorf("%w: %d values, want %d", ErrUnreadable, len(values), len(names))
	}
	fields := make([]Field, len(names))
	for i, v := range values {
		fields[i] = Field{names[i], strings.TrimSpace(EUCKR.Decode(unescape(v)))}
	}
	return fields, nil
}
