package cut

import "gage/bench/proof/harness"

// defects are mistakes that only a power cut shows.
var defects = []harness.Defect{
	{
		Name: "the writer's connection syncs NORMAL", File: "db/writer.go",
		Old: "	w := &writer{queue:",
		New: "	if _, err := c.ExecContext(ctx, \"PRAGMA synchronous=NORMAL\"); err != nil {\n\t\treturn nil, err\n\t}\n	w := &writer{queue:",
	},
	{
		Name: "acknowledge before the commit", File: "db/writer.go",
		Old: "		if err = w.runAll(ctx, c, batch, results); err == nil {\n",
		New: "		if err = w.runAll(ctx, c, batch, results); err == nil {\n" +
			"\t\t\tfor i, job := range batch {\n\t\t\t\tjob.done <- results[i]\n\t\t\t}\n",
	},
	{
		Name: "the event is a transaction of its own", File: "db/events.go",
		Old: "	err := t.holdLog(ctx)\n	if err != nil {\n		return 0, err\n	}\n	r.Seq, r.prev",
		New: "	if t.shared {\n\t\tif _, err := t.exec(ctx, \"COMMIT; BEGIN IMMEDIATE; SAVEPOINT caller\"); err != nil {\n\t\t\treturn 0, err\n\t\t}\n\t}\n" +
			"	err := t.holdLog(ctx)\n	if err != nil {\n		return 0, err\n	}\n	r.Seq, r.prev",
	},
	{
		Name: "the gateway is called before the intent is stored", File: "app/cancels.go",
		Old: "	c, m, fresh, err := s.intend(ctx, actor, moid, in)\n",
		New: "	if p, err := s.Store.Payment(ctx, moid); err == nil {\n\t\tif m, err := s.merchant(ctx, s.Store); err == nil {\n" +
			"\t\t\t_, _ = s.Gateway(m).Cancel(ctx, smartro.CancelRequest{TID: p.TID, Amt: in.Amount})\n\t\t}\n\t}\n" +
			"	c, m, fresh, err := s.intend(ctx, actor, moid, in)\n",
	},
	{
		Name: "a notice is stored behind the answer's back", File: "app/receive.go",
		Old: "	var touched []OrderNo\n	msg := rd.msg\n	err := s.Store.Update(ctx, func(tx Tx) error {\n",
		New: "	var touched []OrderNo\n	msg := rd.msg\n	ctx = context.WithoutCancel(ctx)\n" +
			"	update := func(f func(tx Tx) error) error {\n\t\tgo s.Store.Update(ctx, f)\n\t\treturn nil\n\t}\n" +
			"	err := update(func(tx Tx) error {\n",
	},
}
