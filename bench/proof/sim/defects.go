package sim

import "gage/bench/proof/harness"

// defects are mistakes about what may be believed and how often, which show in random histories.
var defects = []harness.Defect{
	{
		Name: "a browser's word is proof", File: "app/receive.go",
		Old: "		m.Level, m.Verdict = T1, VerdictClaim\n	case errors.Is(err, smartro.ErrMID):", New: "		m.Level, m.Verdict = T2, VerdictGood\n	case errors.Is(err, smartro.ErrMID):",
	},
	{
		Name: "any sender on the secret path is the gateway", File: "app/receive.go",
		Old: "	case rd.sender == SenderApproved:\n", New: "	case rd.sender != SenderRefused:\n",
	},
	{
		Name: "a browser that knows the secret path is the gateway", File: "app/receive.go",
		Old: "	case browser:\n", New: "	case browser && rd.sender != SenderApproved:\n",
	},
	{
		Name: "a signature is not looked at", File: "app/receive.go",
		Old: "	switch err := n.Verify(rd.merchant); {\n	case err == nil:\n", New: "	switch err := n.Verify(rd.merchant); {\n	case true:\n",
	},
	{
		Name: "an effect that is known happens again", File: "app/decide.go",
		Old: "	if f.KnownEffect {\n", New: "	if f.KnownEffect && in.Kind != Approved && in.Kind != Deposited {\n",
	},
	{
		Name: "another amount is as good", File: "app/decide.go",
		Old: "	case !in.HasAmount || in.Amount != p.Amount:\n", New: "	case !in.HasAmount:\n",
	},
	{
		Name: "an order is paid twice", File: "app/decide.go",
		Old: "	case f.TIDTaken, f.OrderPaid:\n", New: "	case f.TIDTaken:\n",
	},
	{
		Name: "an unreadable answer is a refusal", File: "app/cancels.go",
		Old: "		in.Code, in.Text = Unreadable.Code(), callErr.Error()\n", New: "		kind, in.Code, in.Text = CancelRefused, Unreadable.Code(), callErr.Error()\n",
	},
	{
		Name: "no answer is a refusal", File: "app/cancels.go",
		Old: "		in.Code, in.Text = NoAnswer.Code(), callErr.Error()\n", New: "		kind, in.Code, in.Text = CancelRefused, NoAnswer.Code(), callErr.Error()\n",
	},
	{
		Name: "a cancel's notice is always the cancel of another", File: "app/judgecancel.go",
		Old: "	c, sure := matchCancel(list, p, in, n)\n", New: "	c, sure := matchCancel(list[:0], p, in, n)\n",
	},
	{
		Name: "money for a withdrawn account is forgotten", File: "app/decide.go",
		Old: "	case Cancelled:\n		return apart(p, in, HoldAfterCancel)\n", New: "	case Cancelled:\n		return Outcome{Verdict: VerdictDuplicate}\n",
	},
}
