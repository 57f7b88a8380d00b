package templates

import (
	"context"
	"strconv"

	"gage/web/text"
)

func payScripts(f BuyerFrame) []string {
	if f.Script {
		return []string{"js/pay.js"}
	}
	return nil
}

// otherLang is the language that the page is not in.
func otherLang(ctx context.Context) string {
	if text.Of(ctx) == text.Korean {
		return string(text.English)
	}
	return string(text.Korean)
}

// plain is an amount as a bank's form wants it typed.
func plain(won int64) string { return strconv.FormatInt(won, 10) }

// amountClass makes a sum of ten digits and more smaller, so that it stays on one line of a small phone.
func amountClass(won int64) string {
	if won >= 1_000_000_000 {
		return "amount long"
	}
	return "amount"
}
