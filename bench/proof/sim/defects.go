package sim

import "gage/bench/proof/harness"

// defects are mistakes about what may be believed and how often, which show in random histories.
var defects = []harness.Defect{
	{
		Name: "a browser's word is proof", File: "app/receive.go",
		Old: "		m.Level, m.Verdict = T1, VerdictClaim\n	case errors.Is(err, errOldKey):", New: "		m.Level, m.Verdict = T2, VerdictGood\n	case errors.Is(err, errOldKey):",
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
		Old: "	m.KeyVersion, err = c.verify(n, attempt, when)\n	switch {\n	case err == nil:\n", New: "	m.KeyVersion, err = c.verify(n, attempt, when)\n	switch {\n	case true:\n",
	},
	{
		Name: "a replaced key is believed for ever", File: "app/keys.go",
		Old: "return k.Until.IsZero() || now.Before(k.Until)", New: "return k.N > 0 || now.Before(k.Until)",
	},
	{
		Name: "a replaced key is good for every payment", File: "app/keys.go",
		Old: "		case !k.believed(now), attempt > k.N:\n", New: "		case !k.believed(now):\n",
	},
	{
		Name: "what a replaced key signed is not believed", File: "app/keys.go",
		Old: "	for _, k := range c.keys[1:] {\n", New: "	for _, k := range c.keys[:0] {\n",
	},
	{
		Name: "what is judged again is kept nowhere", File: "app/again.go",
		Old: "		msg.ID, fresh, err = tx.AddMessage(ctx, *msg)\n		return fresh, err", New: "		return false, nil",
	},
	{
		Name: "what the form said is not compared", File: "app/edited.go",
		Old: "	if p.Device == byKey {\n		return false\n	}\n	token, echoed", New: "	if p.Device != \"\" {\n		return false\n	}\n	token, echoed",
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
		Name: "an unreadable answer is a refusal", File: "app/cancelcall.go",
		Old: "		in.Code, in.Text = Unreadable.Code(), callErr.Error()\n", New: "		kind, in.Code, in.Text = CancelRefused, Unreadable.Code(), callErr.Error()\n",
	},
	{
		Name: "no answer is a refusal", File: "app/cancelcall.go",
		Old: "		in.Code, in.Text = NoAnswer.Code(), callErr.Error()\n", New: "		kind, in.Code, in.Text = CancelRefused, NoAnswer.Code(), callErr.Error()\n",
	},
	{
		Name: "a charge without an answer was refused", File: "app/chargecall.go",
		Old: "	case callErr != nil && len(a.Raw) == 0:\n", New: "	case callErr != nil && len(a.Raw) == 0:\n		in.Kind = ChargeDenied\n",
	},
	{
		Name: "a charge whose answer can't be read was refused", File: "app/chargecall.go",
		Old: "	case callErr != nil:\n		in.Code, in.Text = Unreadable.Code(), callErr.Error()\n", New: "	case callErr != nil:\n		in.Kind, in.Code, in.Text = ChargeDenied, Unreadable.Code(), callErr.Error()\n",
	},
	{
		Name: "a form is charged as often as it is sent", File: "app/chargehands.go",
		Old: "CardID: sub.KeyID, Period: key, Try: 1,", New: "CardID: sub.KeyID, Period: newToken(), Try: 1,",
	},
	{
		Name: "any customer's result registers a card", File: "app/cards.go",
		Old: "		case keyErr != nil || r.Moid != w.Moid || r.UserID != \"\" && r.UserID != string(sub.No) || r.HasAmt && r.Amt != smartro.BillingAmt:\n", New: "		case keyErr != nil:\n",
	},
	{
		Name: "a cancel's notice is always the cancel of another", File: "app/judgecancel.go",
		Old: "	c, sure := matchCancel(list, p, in, n)\n", New: "	c, sure := matchCancel(list[:0], p, in, n)\n",
	},
	{
		Name: "the shop's own system is told before the commit", File: "app/tell.go",
		Old: "	if err := tx.AddDelivery(ctx, d); err != nil {\n		return err\n	}\n",
		New: "	if _, err := s.carry(ctx, h, d.Mode, d.ID, body); err != nil {\n		s.Log.Warn(\"not told\")\n	}\n	if err := tx.AddDelivery(ctx, d); err != nil {\n		return err\n	}\n",
	},
	{
		Name: "what is sent again has another ID", File: "app/tell.go",
		Old: "s.carry(ctx, h, d.Mode, d.ID, []byte(d.Body))", New: "s.carry(ctx, h, d.Mode, newToken(), []byte(d.Body))",
	},
	{
		Name: "a later document overtakes one that was not taken", File: "app/tell.go",
		Old: "	d := list[i]\n", New: "	for k := range list {\n		if list[k].State == DeliveryWaiting {\n			i = k\n		}\n	}\n	d := list[i]\n",
	},
	{
		Name: "what is written while another is on its way is forgotten", File: "app/work.go",
		Old: "			more, err := s.owesMore(ctx, tx, j)\n", New: "			more, err := s.owesMore(ctx, tx, Job{})\n",
	},
	{
		Name: "money for a withdrawn account is forgotten", File: "app/decide.go",
		Old: "	case Cancelled:\n		return apart(p, in, HoldAfterCancel)\n", New: "	case Cancelled:\n		return Outcome{Verdict: VerdictDuplicate}\n",
	},
	{
		Name: "an unreadable answer means that no cash receipt was issued", File: "app/receiptcall.go",
		Old: "		in.Code, in.Text = Unreadable.Code(), callErr.Error()\n", New: "		to, in.Code, in.Text = ReceiptStateRefused, Unreadable.Code(), callErr.Error()\n",
	},
	{
		Name: "a cash receipt without an answer is sent again", File: "app/receiptcall.go",
		Old: "		in.Code, in.Text = NoAnswer.Code(), callErr.Error()\n", New: "		to, in.Code, in.Text = ReceiptStateRequested, NoAnswer.Code(), callErr.Error()\n",
	},
	{
		Name: "a cash receipt outlives its payment", File: "app/receiptmatch.go",
		Old: "	return c.Amiss != \"\" && c.Source == ReceiptByCall", New: "	return c.Amiss == ReceiptSecond && c.Source == ReceiptByCall",
	},
	{
		Name: "the window's cash receipt is not written down", File: "app/receiptjudge.go",
		Old: "p.Approved == 0 || p.TID != tid || p.Erased", New: "p.Approved == 0 || p.TID == tid || p.Erased",
	},
	{
		Name: "a payment that needs a cash receipt is forgotten", File: "app/receiptmatch.go",
		Old: "need.Amount >= ReceiptNeededFrom\n", New: "need.Amount >= 2*ReceiptNeededFrom\n",
	},
}
