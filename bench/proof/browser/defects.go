package browser

import "gage/bench/proof/harness"

// defects are mistakes that only a browser sees as a person does.
var defects = []harness.Defect{
	{
		Name: "the goods are written as they were typed", File: "web/templates/pay_checkout_templ.go",
		Old: "templ.JoinStringErrs(p.Goods)", New: "func() (string, error) { _, err := templ_7745c5c3_Buffer.WriteString(p.Goods); return \"\", err }()",
	},
	{
		Name: "other sites may post", File: "web/middleware.go",
		Old: "	if err := s.guard.Check(c.Request()); err != nil {\n", New: "	if err := s.guard.Check(c.Request()); err != nil && c.Path() == \"\" {\n",
	},
	{
		Name: "any page may frame ours", File: "web/middleware.go",
		Old: "form-action 'self'; base-uri 'none'; frame-ancestors 'none'\"", New: "form-action 'self'; base-uri 'none'; frame-ancestors *\"",
	},
	{
		Name: "the same form calls the gateway again", File: "app/cancels.go",
		Old: "	if c, err = tx.Cancel(ctx, in.Key); !errors.Is(err, ErrNotFound) {\n",
		New: "	in.Key += newToken()[:8]\n		if c, err = tx.Cancel(ctx, in.Key); !errors.Is(err, ErrNotFound) {\n",
	},
	{
		Name: "any return leads to the order that it names", File: "app/receive.go",
		Old: "	if p, err := s.paymentOfToken(ctx, s.Store, a.Token, rd.notice); err == nil {\n",
		New: "	if p, err := s.Store.Payment(ctx, rd.notice.Moid); err == nil {\n",
	},
	{
		Name: "what is only claimed is shown as paid", File: "app/pay.go",
		Old: "		return BuyerConfirming, p\n", New: "		return BuyerPaid, p\n",
	},
	{
		Name: "signing out leaves the session", File: "web/session.go",
		Old: "			return tx.DeleteSession(r.Context(), sessionHash(s.ID))\n", New: "			return nil\n",
	},
	{
		Name: "scripts can read the session", File: "web/session.go",
		Old: "Secure: st.secure, HttpOnly: true,", New: "Secure: st.secure, HttpOnly: false,",
	},
	{
		Name: "a second window pays a paid order", File: "app/judge.go",
		Old: "f.OrderPaid = f.OrderPaid || q.Moid != p.Moid && !q.PaidAt.IsZero()", New: "f.OrderPaid = f.OrderPaid || q.Moid == \"\"",
	},
}
