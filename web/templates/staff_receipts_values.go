package templates

// receiptTone and receiptIcon belong to the states of a cash receipt.
func receiptTone(state string) string {
	switch state {
	case "issued":
		return "good"
	case "requested", "sent", "unknown", "cancelling", "cancel_unknown":
		return "wait"
	case "refused":
		return "wrong"
	}
	return "back"
}

func receiptIcon(state string) string {
	switch state {
	case "issued":
		return "circle-check"
	case "unknown", "cancel_unknown":
		return "circle-help"
	case "refused":
		return "circle-x"
	case "cancelled":
		return "undo-2"
	}
	return "circle-dashed"
}
