package app

import (
	"html"
	"strings"
	"unicode"

	"gage/smartro"
)

// edited says whether what the gateway echoes of a form is not what p's form said: the buyer's browser sends the form, and
// the request's hash covers neither the goods nor the order (failure model R41). Only ASCII decides (R29), and of the goods
// letters and digits, of which the gateway may cut the end off; what is not echoed says nothing. A charge by a billing key
// had no form.
func edited(p Payment, n smartro.Notice) bool {
	if p.Device == byKey {
		return false
	}
	token, echoed := strings.CutPrefix(n.MallReserved, "rt=")
	sent, goods := bareASCII(p.GoodsName), bareASCII(n.GoodsName)
	return echoed && token != p.ReturnToken ||
		!strings.HasPrefix(string(p.OrderNo), strings.ToUpper(strings.TrimSpace(n.MallUserID))) ||
		sent != "" && goods != "" && !strings.HasPrefix(sent, goods)
}

// bareASCII leaves letters and digits of s, in lower case; "" where s is not all ASCII. Who echoes may write signs as HTML
// does.
func bareASCII(s string) string {
	s = html.UnescapeString(s)
	if strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) {
		return ""
	}
	return bareWord(s)
}
