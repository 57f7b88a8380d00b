package templates

import "github.com/a-h/templ"

// Btn is a button, or a link that looks like one when Href is set. Label says the deed.
type Btn struct {
	Label, Icon       string
	Kind              string // primary, danger, quiet or "" (plain)
	Size              string // big, small or ""
	Href              string
	Type, Name, Value string // Type is "submit" unless said otherwise
	ID                string
	Disabled          bool
	Attrs             templ.Attributes
}

func (b Btn) kind() string {
	if b.Type == "" {
		return "submit"
	}
	return b.Type
}

// FieldView is one input with its words. Error and Hint are sentences that are ready to show.
type FieldView struct {
	Name, Label, Value, Hint, Error string
	Type                            string // text unless said otherwise; "textarea" gives one
	Autocomplete, InputMode, Unit   string
	Placeholder                     string
	Width                           string // short (an amount, a phone number), middle, full (a row of its own), or "" (its column)
	Required                        bool
	Needed                          bool // required in one case only, which the browser can't tell: not called optional
	Attrs                           templ.Attributes
}

func (f FieldView) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

// describedBy names the elements that explain the field, for aria-describedby.
func (f FieldView) describedBy() string { return describedBy(f.id(), f.Hint, f.Error) }

// Option is one choice of a [SelectView].
type Option struct{ Value, Label string }

// SelectView is a drop-down list with its words.
type SelectView struct {
	Name, Label, Value, Hint, Error string
	Width                           string // as a [FieldView]'s
	Required                        bool
	Options                         []Option
	Attrs                           templ.Attributes
}

// RadioOption is one large choice of a [RadioView].
type RadioOption struct{ Value, Label, Hint, Icon string }

// RadioView is a group of large radio buttons.
type RadioView struct {
	Name, Legend, Value, Error string
	Options                    []RadioOption
}

func describedBy(id, hint, fault string) string {
	switch {
	case hint != "" && fault != "":
		return id + "-error " + id + "-hint"
	case fault != "":
		return id + "-error"
	case hint != "":
		return id + "-hint"
	}
	return ""
}

// tone and icon of a state, whoever's it is: an order's, a payment's, a cancel's or the buyer's.
func stateTone(state string) string {
	switch state {
	case "paid", "done":
		return "good"
	case "claimed", "confirming", "waiting", "waiting_deposit", "opened", "unknown", "accepted", "refunding", "sent", "requested":
		return "wait"
	case "hold", "held", "declined", "refused":
		return "wrong"
	}
	return "back"
}

func stateIcon(state string) string {
	switch state {
	case "paid", "done":
		return "circle-check"
	case "claimed", "confirming", "unknown", "sent", "requested":
		return "circle-dashed"
	case "waiting", "waiting_deposit":
		return "hourglass"
	case "opened":
		return "monitor"
	case "opened_declined":
		return "circle-x"
	case "accepted", "refunding", "partly_cancelled", "cancelled":
		return "undo-2"
	case "hold", "held":
		return "triangle-alert"
	case "declined", "refused":
		return "circle-x"
	case "stopped", "closed", "opened_stopped":
		return "ban"
	case "expired":
		return "clock"
	}
	return "circle-dashed"
}

// MethodIcon is the picture beside a method's name, by the protocol's word for it.
func MethodIcon(method string) string {
	switch method {
	case "CARD":
		return "credit-card"
	case "BANK", "DIRECTBANK":
		return "landmark"
	case "VBANK":
		return "banknote"
	case "CELLPHONE":
		return "smartphone"
	case "CLGIFT":
		return "gift"
	case "KAKAO":
		return "message-circle"
	}
	return "wallet"
}

func noticeIcon(kind string) string {
	switch kind {
	case "good":
		return "circle-check"
	case "warn":
		return "triangle-alert"
	case "error":
		return "circle-x"
	}
	return "info"
}

func noticeRole(kind string) string {
	if kind == "error" {
		return "alert"
	}
	return "status"
}
